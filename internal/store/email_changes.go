package store

import (
	"context"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/store/sqlc"
)

// PutEmailChange notes that an account wants another address, in place of an earlier wish.
func (s *Store) PutEmailChange(ctx context.Context, c mailing.EmailChange, tokenHash string) error {
	return wrap(s.do(ctx, func(q *sqlc.Queries) error {
		return q.PutEmailChange(ctx, sqlc.PutEmailChangeParams{
			AccountID: c.AccountID, NewEmail: c.NewEmail, TokenHash: tokenHash, AskedAt: millis(c.AskedAt), DueAt: millis(c.DueAt),
		})
	}), "put change of address")
}

// EmailChange returns the change that the account waits for, and the hash of its token.
func (s *Store) EmailChange(ctx context.Context, accountID int64) (mailing.EmailChange, string, error) {
	row, err := found(s.r.EmailChange(ctx, accountID))
	return emailChangeOf(row), row.TokenHash, wrap(err, "change of address")
}

// AgreeEmailChange notes that the new mailbox says yes, or else the old one. A change that
// is not there any more is "link_expired".
func (s *Store) AgreeEmailChange(ctx context.Context, accountID int64, tokenHash string, isNew bool, now time.Time) error {
	return wrap(s.do(ctx, func(q *sqlc.Queries) (err error) {
		var n int64
		if isNew {
			n, err = q.AgreeNew(ctx, sqlc.AgreeNewParams{AccountID: accountID, TokenHash: tokenHash, At: millis(now)})
		} else {
			n, err = q.AgreeOld(ctx, sqlc.AgreeOldParams{AccountID: accountID, TokenHash: tokenHash, At: millis(now)})
		}
		if err == nil && n == 0 {
			err = mailing.Fault(mailing.Invalid, "link_expired")
		}
		return err
	}), "agree to a change of address")
}

// DeleteEmailChange ends a change before it took effect.
func (s *Store) DeleteEmailChange(ctx context.Context, accountID int64) error {
	return wrap(s.do(ctx, func(q *sqlc.Queries) error {
		return there(q.DeleteEmailChange(ctx, accountID))
	}), "delete change of address")
}

// MoveAccount gives the account the address that all have agreed to, and signs it out
// everywhere; codes and links that were mailed to the old address are void. It returns the
// era that begins. An address that is taken meanwhile is a conflict, "email_taken".
func (s *Store) MoveAccount(ctx context.Context, a mailing.Account, was, tokenHash string, now time.Time) (era int64, err error) {
	err = s.do(ctx, func(q *sqlc.Queries) error {
		err := changed(q.UseEmailChange(ctx, sqlc.UseEmailChangeParams{AccountID: a.ID, TokenHash: tokenHash, Now: millis(now)}))
		if err != nil {
			return err
		}
		err = changed(q.MoveAccount(ctx, sqlc.MoveAccountParams{ID: a.ID, Email: a.Email, Search: accountSearch(a), Was: was}))
		if isDuplicate(err) {
			return mailing.Fault(mailing.Conflict, "email_taken", "email", a.Email)
		}
		if err != nil {
			return err
		}
		if err := q.DeleteAccountCodes(ctx, a.ID); err != nil {
			return err
		}
		if err := q.DeleteInvitationOf(ctx, a.Email); err != nil {
			return err
		}
		era, err = endSessions(ctx, q, a.ID)
		return err
	})
	return era, wrap(err, "move account to another address")
}

// DueEmailChanges lists some of those whose time to object is over.
func (s *Store) DueEmailChanges(ctx context.Context, now time.Time) ([]mailing.EmailChange, error) {
	rows, err := s.r.DueEmailChanges(ctx, millis(now))
	list := make([]mailing.EmailChange, len(rows))
	for i, row := range rows {
		list[i] = emailChangeOf(row)
	}
	return list, wrap(err, "due changes of address")
}

func emailChangeOf(row sqlc.EmailChange) mailing.EmailChange {
	return mailing.EmailChange{
		AccountID: row.AccountID, NewEmail: row.NewEmail, NewAt: instant(row.NewAt), OldAt: instant(row.OldAt),
		AskedAt: instant(row.AskedAt), DueAt: instant(row.DueAt),
	}
}
