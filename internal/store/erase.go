package store

import (
	"context"
	"database/sql"
	"strings"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/store/sqlc"
)

// PersonKey stores the sealed key of pseudonyms if there is none yet, and returns the one
// that is there.
func (s *Store) PersonKey(ctx context.Context, sealed string) (string, error) {
	key, err := s.r.PersonKey(ctx)
	if err == nil {
		return key, nil
	}
	if err := s.w.PutPersonKey(ctx, sealed); err != nil {
		return "", wrap(err, "put key of pseudonyms")
	}
	key, err = s.w.PersonKey(ctx)
	return key, wrap(err, "key of pseudonyms")
}

// Person is a client of an owner by their address, and what stands in place of it once
// they are erased.
type Person struct {
	OwnerID          int64
	Email, Pseudonym string
}

// ErasePerson removes the contact and has the address never be mailed again. It stays on
// the list of suppressions, so that what is in a node's hand at this moment does not go
// out, until FinishErasure; Rename takes it out of what was sent.
func (s *Store) ErasePerson(ctx context.Context, p Person, now time.Time) error {
	return wrap(s.inTx(ctx, func(q *sqlc.Queries, _ *sql.Tx) error {
		// Restore has the same lock: of the two, the second sees what the first has done.
		if err := q.LockAccount(ctx, p.OwnerID); err != nil {
			return err
		}
		err := q.PutErasure(ctx, sqlc.PutErasureParams{OwnerID: p.OwnerID, Pseudonym: p.Pseudonym, CreatedAt: millis(now)})
		if err != nil {
			return err
		}
		err = q.SuppressErased(ctx, sqlc.SuppressErasedParams{OwnerID: p.OwnerID, Email: p.Email, CreatedAt: millis(now)})
		if err != nil {
			return err
		}
		if _, err := q.DeleteContactByEmail(ctx, sqlc.DeleteContactByEmailParams{OwnerID: p.OwnerID, Email: p.Email}); err != nil {
			return err
		}
		if err := q.ForgetTrashed(ctx, sqlc.ForgetTrashedParams{OwnerID: p.OwnerID, Email: p.Email}); err != nil {
			return err
		}
		if err := q.DeleteDemoMailsTo(ctx, p.Email); err != nil {
			return err
		}
		return q.DeleteRefusalsOf(ctx, sqlc.DeleteRefusalsOfParams{OwnerID: p.OwnerID, Pattern: "%" + likeText(p.Email) + "%"})
	}), "erase person")
}

// renameBatch is how many rows one transaction renames: far fewer than keep others
// waiting. Chosen.
const renameBatch = 500

// Rename puts the pseudonym in place of the address in what was sent, so that numbers
// stay true; reports that may tell of the person are made anew when somebody asks for
// them. It may be called again after any failure. Finding the rows goes through all of
// the owner's, without a lock.
func (s *Store) Rename(ctx context.Context, p Person) error {
	deliveries, err := s.r.DeliveriesOfEmail(ctx, sqlc.DeliveriesOfEmailParams{OwnerID: p.OwnerID, Email: p.Email, Pseudonym: p.Pseudonym})
	if err != nil {
		return wrap(err, "deliveries of person")
	}
	attempts, err := s.r.AttemptsOfEmail(ctx, sqlc.AttemptsOfEmailParams{OwnerID: p.OwnerID, Email: p.Email})
	if err != nil {
		return wrap(err, "attempts of person")
	}
	err = inBatches(deliveries, func(batch []sqlc.DeliveriesOfEmailRow) error {
		return s.inTx(ctx, func(q *sqlc.Queries, _ *sql.Tx) error {
			for _, row := range batch {
				if row.Email != p.Pseudonym {
					if err := q.RenameDelivery(ctx, sqlc.RenameDeliveryParams{ID: row.ID, Email: p.Pseudonym}); err != nil {
						return err
					}
				}
				if err := q.DeleteReport(ctx, row.RunID); err != nil {
					return err
				}
			}
			return nil
		})
	})
	if err != nil {
		return wrap(err, "rename deliveries")
	}
	err = inBatches(attempts, func(batch []sqlc.AttemptsOfEmailRow) error {
		return s.inTx(ctx, func(q *sqlc.Queries, _ *sql.Tx) error {
			for _, row := range batch {
				err := q.RenameAttempt(ctx, sqlc.RenameAttemptParams{ID: row.ID, Email: p.Pseudonym, Reply: p.without(row.Reply)})
				if err != nil {
					return err
				}
			}
			return nil
		})
	})
	return wrap(err, "rename attempts")
}

// without is a server's answer without the address, which many repeat.
func (p Person) without(reply string) string {
	lower := strings.ToLower(reply)
	for {
		i := strings.Index(lower, p.Email)
		if i < 0 || len(lower) != len(reply) { // lower case may be longer in some scripts
			break
		}
		reply = reply[:i] + p.Pseudonym + reply[i+len(p.Email):]
		lower = strings.ToLower(reply)
	}
	return strings.ReplaceAll(reply, p.Email, p.Pseudonym)
}

// ofErased is an outcome that came in when the person had been erased: it tells nothing of
// them any more.
func ofErased(o Outcome, pseudonym string) Outcome {
	o.Suppress = false
	if o.Attempt != nil && o.Attempt.Email != pseudonym {
		attempt := *o.Attempt
		attempt.Reply.Text = Person{Email: attempt.Email, Pseudonym: pseudonym}.without(attempt.Reply.Text)
		attempt.Email = pseudonym
		o.Attempt = &attempt
	}
	return o
}

func inBatches[T any](all []T, do func([]T) error) error {
	for len(all) > 0 {
		n := min(len(all), renameBatch)
		if err := do(all[:n]); err != nil {
			return err
		}
		all = all[n:]
	}
	return nil
}

// ErasedInPart lists those who were erased before the moment and whose address still
// stands on the list of suppressions.
func (s *Store) ErasedInPart(ctx context.Context, before time.Time, most int64) ([]Person, error) {
	rows, err := s.r.ErasedInPart(ctx, sqlc.ErasedInPartParams{Before: millis(before), Most: most})
	list := make([]Person, len(rows))
	for i, row := range rows {
		list[i] = Person{OwnerID: row.OwnerID, Email: row.Email}
	}
	return list, wrap(err, "people erased in part")
}

// FinishErasure forgets the address for good, unless it has come back since the moment:
// then it has to stay on the list of suppressions.
func (s *Store) FinishErasure(ctx context.Context, p Person, before time.Time) error {
	err := s.w.ForgetErased(ctx, sqlc.ForgetErasedParams{OwnerID: p.OwnerID, Email: p.Email, Before: millis(before)})
	return wrap(err, "finish erasure")
}

// HasErasures reports whether the owner has ever had somebody erased.
func (s *Store) HasErasures(ctx context.Context, ownerID int64) (bool, error) {
	n, err := s.r.CountErasures(ctx, ownerID)
	return n > 0, wrap(err, "count erasures")
}

// IsErased reports whether the owner has had the person erased.
func (s *Store) IsErased(ctx context.Context, ownerID int64, pseudonym string) (bool, error) {
	n, err := s.r.Erasure(ctx, sqlc.ErasureParams{OwnerID: ownerID, Pseudonym: pseudonym})
	return n > 0, wrap(err, "erasure")
}

// SuppressErased has an address not be mailed that was erased and has come back.
func (s *Store) SuppressErased(ctx context.Context, ownerID int64, email string, now time.Time) error {
	err := s.w.SuppressErased(ctx, sqlc.SuppressErasedParams{OwnerID: ownerID, Email: email, CreatedAt: millis(now)})
	return wrap(err, "suppress erased")
}

// Suppressions lists the owner's, by address, after the one.
func (s *Store) Suppressions(ctx context.Context, ownerID int64, after string, most int64) ([]mailing.Suppression, error) {
	rows, err := s.r.SuppressionsOf(ctx, sqlc.SuppressionsOfParams{OwnerID: ownerID, After: after, Most: most})
	list := make([]mailing.Suppression, len(rows))
	for i, row := range rows {
		list[i] = mailing.Suppression{
			OwnerID: row.OwnerID, Email: row.Email, Reason: mailing.Reason(row.Reason), Detail: row.Detail, CreatedAt: instant(row.CreatedAt),
		}
	}
	return list, wrap(err, "suppressions")
}

// likeText is a text for LIKE that stands for itself.
func likeText(text string) string {
	return strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(text)
}

// ContactsAfter lists the owner's contacts, by address, after the one.
func (s *Store) ContactsAfter(ctx context.Context, ownerID int64, after string, most int64) ([]mailing.Contact, error) {
	var p predicate
	p.and("c.owner_id = ?", ownerID)
	p.and("c.email > ?", after)
	rows, err := s.read.QueryContext(ctx, contactList.query(p, Page{Sort: "email", Limit: most}), p.values...)
	if err != nil {
		return nil, wrap(err, "contacts by address")
	}
	contacts, err := collect(rows, scanContact)
	return contacts, wrap(err, "contacts by address")
}

// SuppressionOf is why the owner's mailings leave the address out; zero: they do not.
func (s *Store) SuppressionOf(ctx context.Context, ownerID int64, email string) (mailing.Suppression, error) {
	row, err := found(s.r.Suppression(ctx, sqlc.SuppressionParams{OwnerID: ownerID, Email: email}))
	if mailing.KindOf(err) == mailing.NotFound {
		return mailing.Suppression{}, nil
	}
	return mailing.Suppression{
		OwnerID: ownerID, Email: email, Reason: mailing.Reason(row.Reason), Detail: row.Detail, CreatedAt: instant(row.CreatedAt),
	}, wrap(err, "suppression")
}
