package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/store/sqlc"
)

// TryBudget is a budget of tries that fail: so many in a window, which begins with the
// first. After Free of them one waits before the next, a second at first and
// then each time twice as long, but never longer than Longest.
type TryBudget struct {
	Name    string
	Most    int64
	Window  time.Duration
	Free    int64
	Longest time.Duration
}

// wait is how long to wait after so many tries.
func (b TryBudget) wait(used int64) time.Duration {
	if used < b.Free {
		return 0
	}
	const doublings = 20 // twelve days, beyond any Longest
	return min(time.Second<<min(used-b.Free, doublings), b.Longest)
}

// errNoTry undoes what was taken of the budgets before the one that is empty.
var errNoTry = errors.New("store: no try is left")

// TakeTry takes a try from each of the budgets, or from none: then wait says for how
// long there is none. Who succeeds gives it back. Budgets are always given in the same
// order, else two could wait for each other.
func (s *Store) TakeTry(ctx context.Context, budgets []TryBudget, now time.Time) (wait time.Duration, err error) {
	// A look first: a flood of those who must wait should not hold up everybody who writes.
	for _, b := range budgets {
		if wait, err := b.empty(ctx, s.r, now); err != nil || wait > 0 {
			return wait, wrap(err, "look for a try")
		}
	}
	err = s.inTx(WithoutDeed(ctx), func(q *sqlc.Queries, _ *sql.Tx) error {
		for _, b := range budgets {
			if wait, err = takeTry(ctx, q, b, now); err != nil {
				return err
			}
		}
		return nil
	})
	if errors.Is(err, errNoTry) {
		return wait, nil
	}
	return 0, wrap(err, "take a try")
}

func takeTry(ctx context.Context, q *sqlc.Queries, b TryBudget, now time.Time) (time.Duration, error) {
	used, err := q.TakeTry(ctx, sqlc.TakeTryParams{
		Name: b.Name, ResetsAt: millis(now.Add(b.Window)), Now: millis(now), Most: b.Most,
	})
	if errors.Is(err, sql.ErrNoRows) {
		wait, err := b.empty(ctx, q, now)
		return wait, cmp.Or(err, errNoTry)
	}
	if wait := b.wait(used); err == nil && wait > 0 {
		err = q.HoldTry(ctx, sqlc.HoldTryParams{Name: b.Name, FreeAt: millis(now.Add(wait))})
	}
	return 0, err
}

// Named is the same budget under a name.
func (b TryBudget) Named(name string) TryBudget {
	b.Name = name
	return b
}

// empty is for how long no try is left; zero when one is.
func (b TryBudget) empty(ctx context.Context, q *sqlc.Queries, now time.Time) (time.Duration, error) {
	row, err := q.Budget(ctx, b.Name)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return 0, nil
	case err != nil:
		return 0, err
	case row.ResetsAt <= millis(now):
		return 0, nil
	case row.Used >= b.Most:
		return instant(row.ResetsAt).Sub(now), nil
	case row.FreeAt > millis(now):
		return instant(row.FreeAt).Sub(now), nil
	}
	return 0, nil
}

// GiveTryBack returns a try to each of the budgets: it was none.
func (s *Store) GiveTryBack(ctx context.Context, budgets []TryBudget, now time.Time) error {
	return wrap(s.inTx(WithoutDeed(ctx), func(q *sqlc.Queries, _ *sql.Tx) error {
		for _, b := range budgets {
			if err := q.GiveTryBack(ctx, sqlc.GiveTryBackParams{Name: b.Name, Now: millis(now)}); err != nil {
				return err
			}
		}
		return nil
	}), "give a try back")
}

// HasAccounts reports whether there is any account.
func (s *Store) HasAccounts(ctx context.Context) (bool, error) {
	n, err := s.r.CountAccounts(ctx)
	return n > 0, wrap(err, "look for accounts")
}

// StaleRegistrations lists some of the users who have registered before a moment, never
// confirmed it, and have neither clients nor mailings nor anything that they could confirm. Whom
// somebody has blocked is left out.
func (s *Store) StaleRegistrations(ctx context.Context, before, now time.Time) ([]int64, error) {
	ids, err := s.r.StaleRegistrations(ctx, sqlc.StaleRegistrationsParams{Before: millis(before), Now: millis(now)})
	return ids, wrap(err, "stale registrations")
}

// ShutRegistration lets nobody come in by the account any more. One that was confirmed since
// is a conflict, "changed_meanwhile". It may be called again, until the account is erased.
func (s *Store) ShutRegistration(ctx context.Context, id int64, now time.Time) error {
	return wrap(s.do(ctx, func(q *sqlc.Queries) error {
		return changed(q.ShutRegistration(ctx, sqlc.ShutRegistrationParams{ID: id, At: millis(now)}))
	}), "shut registration")
}

// Unfounded returns what the installation is told from others by, while nobody has the role
// and CreateFirstAccount has made nobody; afterwards, and where nothing is set up, an empty text.
func (s *Store) Unfounded(ctx context.Context, role mailing.Role) (instance string, err error) {
	row, err := s.r.Installation(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	if err != nil || row.FoundedAt > 0 {
		return "", wrap(err, "look for the founder")
	}
	n, err := s.r.CountAccountsOfRole(ctx, string(role))
	if err != nil || n > 0 {
		return "", wrap(err, "look for the founder")
	}
	return row.Instance, nil
}

// CreateFirstAccount is CreateAccount for the one who sets up the installation. Of two
// who do so at once, and of all who come later, one gets "first_taken".
func (s *Store) CreateFirstAccount(ctx context.Context, a mailing.Account, passwordHash string) (int64, error) {
	id := NewID()
	made(ctx, id)
	return id, wrap(s.do(ctx, func(q *sqlc.Queries) error {
		n, err := q.Found(ctx, millis(a.CreatedAt))
		if err != nil {
			return err
		}
		others, err := q.CountAccountsOfRole(ctx, string(a.Role))
		if err == nil && (n == 0 || others > 0) {
			err = mailing.Fault(mailing.Conflict, "first_taken")
		}
		if err != nil {
			return err
		}
		return putAccount(ctx, q, id, a, passwordHash)
	}), "create first account")
}

// putAccount adds an account. In a transaction of PostgreSQL nothing can follow after an
// address that is taken.
func putAccount(ctx context.Context, q *sqlc.Queries, id int64, a mailing.Account, passwordHash string) error {
	err := q.CreateAccount(ctx, sqlc.CreateAccountParams{
		ID: id, Email: a.Email, PasswordHash: passwordHash, FirstName: a.FirstName, LastName: a.LastName,
		Phone: a.Phone, Role: string(a.Role), Lang: a.Lang, Zone: a.Zone, Search: accountSearch(a),
		ConfirmedAt: millis(a.ConfirmedAt), CreatedAt: millis(a.CreatedAt),
	})
	if isDuplicate(err) {
		return mailing.FieldFault(mailing.Conflict, "email", "account_exists", "email", a.Email)
	}
	return err
}
