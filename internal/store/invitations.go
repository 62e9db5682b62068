package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/store/sqlc"
)

// PutInvitation adds an invitation, or renews the one of the same address, and returns its
// id. The link that was mailed before is void.
func (s *Store) PutInvitation(ctx context.Context, i mailing.Invitation, tokenHash string) (id int64, err error) {
	return id, wrap(s.do(ctx, func(q *sqlc.Queries) error {
		id, err = q.PutInvitation(ctx, sqlc.PutInvitationParams{
			ID: i.ID, Email: i.Email, Role: string(i.Role), Lang: i.Lang, TokenHash: tokenHash,
			InvitedBy: i.InvitedBy, Inviter: i.Inviter, SentAt: millis(i.SentAt), ExpiresAt: millis(i.ExpiresAt),
		})
		made(ctx, id)
		return err
	}), "put invitation")
}

// Invitation returns the invitation with the id and the hash of its token.
func (s *Store) Invitation(ctx context.Context, id int64) (mailing.Invitation, string, error) {
	row, err := found(s.r.Invitation(ctx, id))
	return invitationOf(row), row.TokenHash, wrap(err, "invitation")
}

// InvitationByEmail returns the invitation of an address.
func (s *Store) InvitationByEmail(ctx context.Context, email string) (mailing.Invitation, error) {
	row, err := found(s.r.InvitationByEmail(ctx, email))
	return invitationOf(row), wrap(err, "invitation by e-mail")
}

// Invitations lists who was invited and has not come, the latest first, and how many
// those are.
func (s *Store) Invitations(ctx context.Context, page Page) ([]mailing.Invitation, int64, error) {
	total, err := s.r.CountInvitations(ctx)
	if err != nil {
		return nil, 0, wrap(err, "count invitations")
	}
	rows, err := s.r.Invitations(ctx, sqlc.InvitationsParams{Most: int32(page.Limit), Skip: int32(page.Offset)})
	list := make([]mailing.Invitation, len(rows))
	for i, row := range rows {
		list[i] = invitationOf(row)
	}
	return list, total, wrap(err, "invitations")
}

// DeleteInvitation takes an invitation back.
func (s *Store) DeleteInvitation(ctx context.Context, id int64) error {
	return wrap(s.do(ctx, func(q *sqlc.Queries) error { return there(q.DeleteInvitation(ctx, id)) }), "delete invitation")
}

// UseInvitation makes the account that was invited, in place of one of the same address
// that was never confirmed, and returns it. A link that was used, renewed or taken back
// is "link_expired".
func (s *Store) UseInvitation(ctx context.Context, id int64, tokenHash string, a mailing.Account, passwordHash string) (mailing.Account, error) {
	err := s.do(ctx, func(q *sqlc.Queries) error {
		n, err := q.UseInvitation(ctx, sqlc.UseInvitationParams{ID: id, TokenHash: tokenHash, Now: millis(a.CreatedAt)})
		if err == nil && n == 0 {
			err = mailing.Fault(mailing.Invalid, "link_expired")
		}
		if err != nil {
			return err
		}
		joined, err := q.JoinUnconfirmed(ctx, sqlc.JoinUnconfirmedParams{
			Email: a.Email, PasswordHash: passwordHash, FirstName: a.FirstName, LastName: a.LastName, Role: string(a.Role),
			Lang: a.Lang, Zone: a.Zone, Search: accountSearch(a), ConfirmedAt: millis(a.ConfirmedAt),
		})
		if errors.Is(err, sql.ErrNoRows) {
			a.ID, a.Era = NewID(), 0
			return putAccount(ctx, q, a.ID, a, passwordHash)
		}
		if err != nil {
			return err
		}
		a.ID, a.Era = joined.ID, joined.Era
		return endRegistrations(ctx, q, a.ID)
	})
	return a, wrap(err, "use invitation")
}

// invitationKept is how long an invitation that has expired is still listed. Chosen.
const invitationKept = 30 * 24 * time.Hour

// sweepInvitations forgets invitations that have expired long ago.
func (s *Store) sweepInvitations(ctx context.Context, now time.Time) error {
	_, err := s.w.DeleteOldInvitations(ctx, millis(now.Add(-invitationKept)))
	return wrap(err, "sweep invitations")
}

func invitationOf(row sqlc.Invitation) mailing.Invitation {
	return mailing.Invitation{
		ID: row.ID, Email: row.Email, Role: mailing.Role(row.Role), Lang: row.Lang, InvitedBy: row.InvitedBy, Inviter: row.Inviter,
		CreatedAt: instant(row.CreatedAt), SentAt: instant(row.SentAt), ExpiresAt: instant(row.ExpiresAt),
	}
}
