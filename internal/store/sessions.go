package store

import (
	"context"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/store/sqlc"
)

// AccountSessions lists where the account is signed in, the last seen first.
func (s *Store) AccountSessions(ctx context.Context, accountID int64, now time.Time) ([]mailing.Session, error) {
	rows, err := s.r.AccountSessions(ctx, sqlc.AccountSessionsParams{AccountID: nullID(accountID), Now: millis(now)})
	if err != nil {
		return nil, wrap(err, "sessions of an account")
	}
	list := make([]mailing.Session, len(rows))
	for i, row := range rows {
		list[i] = mailing.Session{
			ID: row.ID, AccountID: accountID, Key: row.TokenHash, Address: row.Address, Agent: row.Agent,
			FirstSeen: instant(row.FirstSeen), LastSeen: instant(row.LastSeen),
		}
	}
	return list, nil
}

// EndSessionOf ends one session of the account.
func (s *Store) EndSessionOf(ctx context.Context, accountID, id int64) error {
	return wrap(s.do(ctx, func(q *sqlc.Queries) error {
		return there(q.EndSessionOf(ctx, sqlc.EndSessionOfParams{AccountID: nullID(accountID), ID: id}))
	}), "end session")
}

// EndOtherSessions ends all sessions of the account but that with the key.
func (s *Store) EndOtherSessions(ctx context.Context, accountID int64, key string) error {
	return wrap(s.do(ctx, func(q *sqlc.Queries) error { return endOthers(ctx, q, accountID, key) }), "end other sessions")
}

func endOthers(ctx context.Context, q *sqlc.Queries, accountID int64, key string) error {
	_, err := q.EndOtherSessions(ctx, sqlc.EndOtherSessionsParams{AccountID: nullID(accountID), KeptHash: key})
	return err
}

// ChangePassword is SetPassword, but leaves the session with the key.
func (s *Store) ChangePassword(ctx context.Context, accountID int64, hash, key string) error {
	return wrap(s.do(ctx, func(q *sqlc.Queries) error {
		if err := newPassword(ctx, q, accountID, hash); err != nil {
			return err
		}
		return endOthers(ctx, q, accountID, key)
	}), "change password")
}
