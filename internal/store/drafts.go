package store

import (
	"context"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/store/sqlc"
)

// SaveDraft stores what was typed of a mailing. seen is when that changed last which the
// page shows: the draft, else the mailing, else zero. It is a conflict when another page
// has changed it since.
func (s *Store) SaveDraft(ctx context.Context, d mailing.Draft, seen time.Time) error {
	return wrap(s.do(ctx, func(q *sqlc.Queries) error {
		return changed(q.SaveDraft(ctx, sqlc.SaveDraftParams{
			MailingID: d.MailingID, OwnerID: d.OwnerID, Form: d.Form, Writer: d.Writer, Now: millis(d.UpdatedAt), Seen: millis(seen),
		}))
	}), "save draft")
}

// Draft returns what was typed of a mailing, whoever owns it.
func (s *Store) Draft(ctx context.Context, mailingID int64) (mailing.Draft, error) {
	row, err := found(s.r.Draft(ctx, mailingID))
	return mailing.Draft{
		MailingID: row.MailingID, OwnerID: row.OwnerID, Form: row.Form, Writer: row.Writer,
		CreatedAt: instant(row.CreatedAt), UpdatedAt: instant(row.UpdatedAt),
	}, wrap(err, "draft")
}

// Drafts lists an owner's drafts, that which was typed last first.
func (s *Store) Drafts(ctx context.Context, ownerID, most int64) ([]mailing.Draft, error) {
	rows, err := s.r.Drafts(ctx, sqlc.DraftsParams{OwnerID: ownerID, Most: most})
	list := make([]mailing.Draft, len(rows))
	for i, row := range rows {
		list[i] = mailing.Draft{
			MailingID: row.MailingID, OwnerID: row.OwnerID, Form: row.Form, Writer: row.Writer, New: row.IsNew == 1,
			CreatedAt: instant(row.CreatedAt), UpdatedAt: instant(row.UpdatedAt),
		}
	}
	return list, wrap(err, "drafts")
}

// WasMailing reports whether the id is that of a mailing that was deleted: it has runs, or
// can be brought back.
func (s *Store) WasMailing(ctx context.Context, id int64) (bool, error) {
	n, err := s.r.MailingTraces(ctx, sqlc.MailingTracesParams{MailingID: nullID(id), ThingID: id})
	return n > 0, wrap(err, "traces of a mailing")
}

// CountNewDrafts is how many mailings that are still to be made an owner has drafts of,
// without the one.
func (s *Store) CountNewDrafts(ctx context.Context, ownerID, besides int64) (int64, error) {
	n, err := s.r.CountNewDrafts(ctx, sqlc.CountNewDraftsParams{OwnerID: ownerID, MailingID: besides})
	return n, wrap(err, "count drafts")
}

// DiscardDraft forgets what was typed of a mailing, if anything was.
func (s *Store) DiscardDraft(ctx context.Context, mailingID int64) error {
	return wrap(s.do(ctx, func(q *sqlc.Queries) error { return q.DeleteDraft(ctx, mailingID) }), "discard draft")
}
