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

// endSessions ends all sessions of the account, and its era, and returns the era that begins.
// A session that began before may come to be stored only afterwards.
func endSessions(ctx context.Context, q *sqlc.Queries, accountID int64) (era int64, err error) {
	if era, err = found(q.EndEra(ctx, accountID)); err != nil {
		return 0, err
	}
	return era, q.EndAccountSessions(ctx, nullID(accountID))
}

// EndOtherSessions ends all sessions of the account but that with the key, and returns the
// era in which that one goes on. If somebody has ended all since the account was read, it is
// a conflict, "changed_meanwhile".
func (s *Store) EndOtherSessions(ctx context.Context, a mailing.Account, key string) (era int64, err error) {
	err = s.do(ctx, func(q *sqlc.Queries) error {
		era, err = endOthers(ctx, q, a, key)
		return err
	})
	return era, wrap(err, "end other sessions")
}

func endOthers(ctx context.Context, q *sqlc.Queries, a mailing.Account, key string) (int64, error) {
	era, err := found(q.EndEra(ctx, a.ID))
	if err != nil {
		return 0, err
	}
	if era != a.Era+1 {
		return 0, mailing.Fault(mailing.Conflict, "changed_meanwhile")
	}
	_, err = q.EndOtherSessions(ctx, sqlc.EndOtherSessionsParams{AccountID: nullID(a.ID), KeptHash: key})
	return era, err
}

// ChangePassword is SetPassword, but leaves the session with the key, as EndOtherSessions
// does.
func (s *Store) ChangePassword(ctx context.Context, a mailing.Account, hash, key string) (era int64, err error) {
	err = s.do(ctx, func(q *sqlc.Queries) error {
		if era, err = endOthers(ctx, q, a, key); err != nil {
			return err
		}
		return newPassword(ctx, q, a.ID, hash)
	})
	return era, wrap(err, "change password")
}
