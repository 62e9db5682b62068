package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/store/sqlc"
)

// CreateMailing adds a mailing with the contacts chosen for it and returns its
// id. Contacts that are not the owner's are left out. A mailing with an ID is made of the
// draft of it, which is gone then; to make it twice is a conflict, "draft_applied".
func (s *Store) CreateMailing(ctx context.Context, m mailing.Mailing, contactIDs []int64) (int64, error) {
	rule, err := json.Marshal(m.Rule)
	if err != nil {
		return 0, wrap(err, "create mailing")
	}
	id := cmp.Or(m.ID, NewID())
	made(ctx, id)
	err = s.inTx(ctx, func(q *sqlc.Queries, tx *sql.Tx) error {
		err := q.CreateMailing(ctx, sqlc.CreateMailingParams{
			ID: id, OwnerID: m.OwnerID, MessageID: m.MessageID, Audience: string(m.Audience), Rule: string(rule),
			Doubt: string(m.Doubt), Weight: string(m.Weight), FromName: m.FromName, ReplyTo: m.ReplyTo,
			Status: string(m.Status), NextAt: millis(m.NextAt), CreatedAt: millis(m.CreatedAt),
		})
		if err != nil {
			return err
		}
		if err := q.DeleteDraft(ctx, id); err != nil || len(contactIDs) == 0 {
			return err
		}
		return s.choose(ctx, q, tx, id, m.OwnerID, contactIDs)
	})
	if m.ID != 0 && isDuplicate(err) {
		return id, mailing.Fault(mailing.Conflict, "draft_applied")
	}
	return id, wrap(err, "create mailing")
}

// UpdateMailing stores the fields of a mailing and, unless contactIDs is nil, the
// contacts chosen for it. was is the mailing that the decision was made on: one whose
// status or next occurrence is another by now is a conflict. The draft of it is gone then. While a run
// of it is being written down its recipients stay: to change them is a conflict,
// "run_opening".
func (s *Store) UpdateMailing(ctx context.Context, m, was mailing.Mailing, contactIDs []int64) error {
	rule, err := json.Marshal(m.Rule)
	if err != nil {
		return wrap(err, "update mailing")
	}
	return wrap(s.inTx(ctx, func(q *sqlc.Queries, tx *sql.Tx) error {
		if err := mayReaddress(ctx, q, m, contactIDs); err != nil {
			return err
		}
		err := changed(q.UpdateMailing(ctx, sqlc.UpdateMailingParams{
			ID: m.ID, MessageID: m.MessageID, Audience: string(m.Audience), Rule: string(rule), Doubt: string(m.Doubt),
			Weight: string(m.Weight), FromName: m.FromName, ReplyTo: m.ReplyTo, Status: string(m.Status), NextAt: millis(m.NextAt),
			UpdatedAt: millis(m.UpdatedAt), WasStatus: string(was.Status), WasNextAt: millis(was.NextAt),
		}))
		if err != nil {
			return err
		}
		if err := q.DeleteDraft(ctx, m.ID); err != nil || contactIDs == nil {
			return err
		}
		return s.choose(ctx, q, tx, m.ID, m.OwnerID, contactIDs)
	}), "update mailing")
}

// mayReaddress refuses other recipients while a run of the mailing is opening. The
// lock comes first, so that none is opened between the look and the change.
func mayReaddress(ctx context.Context, q *sqlc.Queries, m mailing.Mailing, contactIDs []int64) error {
	if err := q.LockMailing(ctx, m.ID); err != nil {
		return err
	}
	opening, err := q.CountOpeningRuns(ctx, nullID(m.ID))
	if err != nil || opening == 0 {
		return err
	}
	stored, err := found(q.Mailing(ctx, m.ID))
	if err != nil {
		return err
	}
	same := stored.Audience == string(m.Audience)
	if same && contactIDs != nil {
		chosen, err := q.MailingContacts(ctx, m.ID)
		if err != nil {
			return err
		}
		wanted := slices.Compact(slices.Sorted(slices.Values(contactIDs)))
		same = slices.Equal(chosen, wanted)
	}
	if !same {
		return mailing.Fault(mailing.Conflict, "run_opening")
	}
	return nil
}

// choose has the mailing go to the contacts that are the owner's, in place of those it
// went to, and tells the deed how many came and went.
func (s *Store) choose(ctx context.Context, q *sqlc.Queries, tx *sql.Tx, mailingID, ownerID int64, contactIDs []int64) error {
	was, err := q.MailingContacts(ctx, mailingID)
	if err != nil {
		return err
	}
	if err := q.ClearMailingContacts(ctx, mailingID); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `insert into mailing_contacts (mailing_id, contact_id)
select cast($2 as bigint), c.id from contacts c
where c.owner_id = $3 and c.id in (select id from `+s.dialect.rows("id bigint")+` v)
on conflict (mailing_id, contact_id) do nothing`, jsonIDs(contactIDs), mailingID, ownerID)
	if err != nil {
		return err
	}
	chosen, err := q.MailingContacts(ctx, mailingID)
	tellChosen(ctx, was, chosen)
	return err
}

// tellChosen has the deed say how many contacts were chosen for a mailing that is new,
// and else how many came and went. Both lists are sorted.
func tellChosen(ctx context.Context, was, chosen []int64) {
	if len(was) == 0 {
		tellAfter(ctx, "contacts", strconv.Itoa(len(chosen)))
		return
	}
	for field, gone := range map[string]int{
		"contacts_added": missing(chosen, was), "contacts_removed": missing(was, chosen),
	} {
		if gone > 0 {
			tellAfter(ctx, field, strconv.Itoa(gone))
		}
	}
}

// missing counts the ids that are not among the others, which are sorted.
func missing(ids, others []int64) (n int) {
	for _, id := range ids {
		if _, there := slices.BinarySearch(others, id); !there {
			n++
		}
	}
	return n
}

// SetMailingStatus stores status, next occurrence and who stopped it. was is the
// status the decision was made on.
func (s *Store) SetMailingStatus(ctx context.Context, m mailing.Mailing, was mailing.Status) error {
	return wrap(s.do(ctx, func(q *sqlc.Queries) error {
		return changed(q.SetMailingStatus(ctx, sqlc.SetMailingStatusParams{
			ID: m.ID, Status: string(m.Status), NextAt: millis(m.NextAt), StopBy: m.StopBy, StopWhy: m.StopWhy,
			StoppedAt: millis(m.StoppedAt), WasStatus: string(was),
		}))
	}), "set status of mailing")
}

// Mailing returns a mailing, whoever owns it.
func (s *Store) Mailing(ctx context.Context, id int64) (mailing.Mailing, error) {
	row, err := found(s.r.Mailing(ctx, id))
	if err != nil {
		return mailing.Mailing{}, wrap(err, "mailing")
	}
	return mailingOf(row)
}

// DeleteMailing cancels the mailing's open runs and removes it. The runs that
// were stay on record. Where it is to be brought back (WithTrash), one with open runs is
// a conflict, "mailing_sending", since those would stay cancelled.
func (s *Store) DeleteMailing(ctx context.Context, id int64, now time.Time) error {
	return wrap(s.inTx(ctx, func(q *sqlc.Queries, tx *sql.Tx) error {
		if err := throw(ctx, q, tx, mailing.ThingMailing, 0, id); err != nil { // from here on none is opened
			return err
		}
		if open, err := q.OpenRunsOfMailing(ctx, nullID(id)); err != nil || len(open) > 0 && keepsTrash(ctx) {
			return orFault(err, "mailing_sending")
		}
		if err := cancelOpenRuns(ctx, q, id, now); err != nil {
			return err
		}
		if err := q.DeleteMailing(ctx, id); err != nil {
			return err
		}
		if err := q.DeleteDraft(ctx, id); err != nil {
			return err
		}
		// Those that were opened while the deletion waited for it; now the
		// mailing is gone, and nobody opens another.
		return cancelOpenRuns(ctx, q, id, now)
	}), "delete mailing")
}

func cancelOpenRuns(ctx context.Context, q *sqlc.Queries, mailingID int64, now time.Time) error {
	runs, err := q.OpenRunsOfMailing(ctx, nullID(mailingID))
	if err != nil {
		return err
	}
	for _, runID := range runs {
		if err := cancelRun(ctx, q, runID, now); err != nil {
			return err
		}
	}
	return nil
}

// Due is a mailing whose time has come. Err says why its rule cannot be read;
// then the rule is zero.
type Due struct {
	mailing.Mailing
	Err error
}

// DueMailings lists the mailings whose time has come, the longest waiting first,
// from the one after that which is given on; from the first for the zero Mailing.
func (s *Store) DueMailings(ctx context.Context, now time.Time, after mailing.Mailing, most int64) ([]Due, error) {
	rows, err := s.r.DueMailings(ctx, sqlc.DueMailingsParams{
		Now: millis(now), AfterAt: millis(after.NextAt), AfterID: after.ID, Most: most,
	})
	if err != nil {
		return nil, wrap(err, "due mailings")
	}
	list := make([]Due, len(rows))
	for i, row := range rows {
		list[i].Mailing, list[i].Err = mailingOf(row)
	}
	return list, nil
}

// MailingContacts lists the ids of the contacts chosen for a mailing.
func (s *Store) MailingContacts(ctx context.Context, id int64) ([]int64, error) {
	ids, err := s.r.MailingContacts(ctx, id)
	return ids, wrap(err, "contacts of mailing")
}

// Numbers are those of the home page.
type Numbers struct{ Mailings, Active, Clients int64 }

// Numbers counts the things of one owner, or of all when ownerID is 0; then
// Clients are different addresses.
func (s *Store) Numbers(ctx context.Context, ownerID int64) (n Numbers, err error) {
	counts := []struct {
		to  *int64
		one func(context.Context, int64) (int64, error)
		all func(context.Context) (int64, error)
	}{
		{&n.Mailings, s.r.CountMailings, s.r.CountAllMailings},
		{&n.Active, s.r.CountActiveMailings, s.r.CountAllActiveMailings},
		{&n.Clients, s.r.CountClients, s.r.CountAllClients},
	}
	for _, count := range counts {
		if ownerID == 0 {
			*count.to, err = count.all(ctx)
		} else {
			*count.to, err = count.one(ctx, ownerID)
		}
		if err != nil {
			return n, wrap(err, "count for the home page")
		}
	}
	return n, nil
}

func mailingOf(row sqlc.Mailing) (mailing.Mailing, error) {
	m := mailing.Mailing{
		ID: row.ID, OwnerID: row.OwnerID, MessageID: row.MessageID, Audience: mailing.Audience(row.Audience),
		Doubt: mailing.Doubt(row.Doubt), Weight: mailing.Weight(row.Weight), FromName: row.FromName, ReplyTo: row.ReplyTo,
		Status: mailing.Status(row.Status), NextAt: instant(row.NextAt), LastAt: instant(row.LastAt),
		StopBy: row.StopBy, StopWhy: row.StopWhy, StoppedAt: instant(row.StoppedAt),
		CreatedAt: instant(row.CreatedAt), UpdatedAt: instant(row.UpdatedAt),
	}
	if err := json.Unmarshal([]byte(row.Rule), &m.Rule); err != nil {
		return m, fmt.Errorf("store: rule of mailing %d: %w", row.ID, err)
	}
	return m, nil
}
