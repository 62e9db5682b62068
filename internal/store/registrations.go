package store

import (
	"context"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/store/sqlc"
)

// Registration is what somebody registered an address with: the account as it is to be, and
// the hash of its password. Until one is confirmed an account may have several, one from each
// browser, since anybody may type anybody's address.
type Registration struct {
	mailing.Account // its CreatedAt is the registration's
	Browser         string
	PasswordHash    string
}

// RegistrationLifetime is how long a registration may be confirmed, by one code or
// another. Chosen.
const RegistrationLifetime = 7 * 24 * time.Hour

// CreateRegistered is CreateAccount for who registers, and returns the account's id.
func (s *Store) CreateRegistered(ctx context.Context, r Registration) (int64, error) {
	r.ID = NewID()
	made(ctx, r.ID)
	return r.ID, wrap(s.do(ctx, func(q *sqlc.Queries) error {
		if err := putAccount(ctx, q, r.ID, r.Account, r.PasswordHash); err != nil {
			return err
		}
		return putRegistration(ctx, q, r)
	}), "create registered account")
}

// PutRegistration adds one to an account, in place of that from the same browser. It changes
// nothing of the account itself.
func (s *Store) PutRegistration(ctx context.Context, r Registration) error {
	return wrap(s.do(ctx, func(q *sqlc.Queries) error { return putRegistration(ctx, q, r) }), "put registration")
}

func putRegistration(ctx context.Context, q *sqlc.Queries, r Registration) error {
	return q.PutRegistration(ctx, sqlc.PutRegistrationParams{
		AccountID: r.ID, Browser: r.Browser, PasswordHash: r.PasswordHash, FirstName: r.FirstName, LastName: r.LastName,
		Lang: r.Lang, Zone: r.Zone, CreatedAt: millis(r.CreatedAt),
	})
}

// Registrations lists those of an account that may still be confirmed, oldest first. Of the
// account they hold what they change.
func (s *Store) Registrations(ctx context.Context, accountID int64, now time.Time) ([]Registration, error) {
	rows, err := s.r.Registrations(ctx, sqlc.RegistrationsParams{
		AccountID: accountID, LongAgo: millis(now.Add(-RegistrationLifetime)),
	})
	list := make([]Registration, len(rows))
	for i, row := range rows {
		list[i] = Registration{Browser: row.Browser, PasswordHash: row.PasswordHash, Account: mailing.Account{
			ID: row.AccountID, FirstName: row.FirstName, LastName: row.LastName, Lang: row.Lang, Zone: row.Zone,
			CreatedAt: instant(row.CreatedAt),
		}}
	}
	return list, wrap(err, "registrations of an account")
}

// ConfirmRegistration activates the account as the registration says, and ends all others
// with their codes. An account that is active already is left as it is.
func (s *Store) ConfirmRegistration(ctx context.Context, r Registration, now time.Time) error {
	return wrap(s.do(ctx, func(q *sqlc.Queries) error {
		err := orUnchanged(q.ConfirmRegistration(ctx, sqlc.ConfirmRegistrationParams{
			ID: r.ID, PasswordHash: r.PasswordHash, FirstName: r.FirstName, LastName: r.LastName,
			Lang: r.Lang, Zone: r.Zone, Search: accountSearch(r.Account), ConfirmedAt: millis(now),
		}))
		if err != nil {
			return err
		}
		return endRegistrations(ctx, q, r.ID)
	}), "confirm registration")
}

// ConfirmAccount activates an account as it was made, and ends all that strangers registered
// for its address.
func (s *Store) ConfirmAccount(ctx context.Context, id int64, now time.Time) error {
	return wrap(s.do(ctx, func(q *sqlc.Queries) error {
		err := orUnchanged(q.ConfirmAccount(ctx, sqlc.ConfirmAccountParams{ID: id, ConfirmedAt: millis(now)}))
		if err != nil {
			return err
		}
		return endRegistrations(ctx, q, id)
	}), "confirm account")
}

func endRegistrations(ctx context.Context, q *sqlc.Queries, accountID int64) error {
	if err := q.DeleteRegistrationsOf(ctx, accountID); err != nil {
		return err
	}
	return q.DeleteAccountCodes(ctx, accountID)
}

func (s *Store) sweepRegistrations(ctx context.Context, now time.Time) error {
	_, err := s.w.DeleteOldRegistrations(ctx, millis(now.Add(-RegistrationLifetime)))
	return wrap(err, "sweep registrations")
}
