package store

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/store/sqlc"
)

// CreateAccount adds an account and returns its id. An address that is taken is
// a conflict, "account_exists".
func (s *Store) CreateAccount(ctx context.Context, a mailing.Account, passwordHash string) (int64, error) {
	id := NewID()
	made(ctx, id)
	err := s.do(ctx, func(q *sqlc.Queries) error { return putAccount(ctx, q, id, a, passwordHash) })
	if err != nil {
		return 0, fmt.Errorf("store: create account: %w", err)
	}
	return id, nil
}

// Account returns the account with the id.
func (s *Store) Account(ctx context.Context, id int64) (mailing.Account, error) {
	row, err := found(s.r.Account(ctx, id))
	if err != nil {
		return mailing.Account{}, fmt.Errorf("store: account %d: %w", id, err)
	}
	return accountOf(row), nil
}

// AccountByEmail returns the account with the normalised address, and the hash
// of its password.
func (s *Store) AccountByEmail(ctx context.Context, email string) (mailing.Account, string, error) {
	row, err := found(s.r.AccountByEmail(ctx, email))
	if err != nil {
		return mailing.Account{}, "", fmt.Errorf("store: account by e-mail: %w", err)
	}
	return accountOf(row), row.PasswordHash, nil
}

// ActiveAccountsOfRole lists those with the role who may sign in.
func (s *Store) ActiveAccountsOfRole(ctx context.Context, role mailing.Role) ([]mailing.Account, error) {
	rows, err := s.r.ActiveAccountsOfRole(ctx, string(role))
	if err != nil {
		return nil, wrap(err, "active accounts of a role")
	}
	accounts := make([]mailing.Account, len(rows))
	for i, row := range rows {
		accounts[i] = accountOf(row)
	}
	return accounts, nil
}

// CountAccounts returns how many accounts there are.
func (s *Store) CountAccounts(ctx context.Context) (int64, error) {
	n, err := s.r.CountAccounts(ctx)
	if err != nil {
		return 0, fmt.Errorf("store: count accounts: %w", err)
	}
	return n, nil
}

// SetPassword stores the hash, signs the account out everywhere, and ends what is under
// way: a change of address, a planned erasure, and codes and links that were mailed.
func (s *Store) SetPassword(ctx context.Context, id int64, hash string) error {
	return wrap(s.do(ctx, func(q *sqlc.Queries) error {
		if err := newPassword(ctx, q, id, hash); err != nil {
			return err
		}
		_, err := endSessions(ctx, q, id)
		return err
	}), "set password")
}

// newPassword stores the hash. Who sets a new password may do so because somebody else knew
// the old one: what they have begun ends with it, and the tries at the second factor that
// they may have used up are given back.
func newPassword(ctx context.Context, q *sqlc.Queries, id int64, hash string) error {
	if err := q.SetPassword(ctx, sqlc.SetPasswordParams{ID: id, PasswordHash: hash}); err != nil {
		return err
	}
	if _, err := q.DeleteEmailChange(ctx, id); err != nil {
		return err
	}
	if _, err := q.CancelErasure(ctx, id); err != nil {
		return err
	}
	if err := q.DeleteFactorBudgets(ctx, strconv.FormatInt(id, 10)); err != nil {
		return err
	}
	return q.DeleteAccountCodes(ctx, id)
}

// UpdateProfile stores names, phone, language, zone and theme.
func (s *Store) UpdateProfile(ctx context.Context, a mailing.Account) error {
	return wrap(s.do(ctx, func(q *sqlc.Queries) error {
		return q.UpdateProfile(ctx, sqlc.UpdateProfileParams{
			ID: a.ID, FirstName: a.FirstName, LastName: a.LastName, Phone: a.Phone,
			Lang: a.Lang, Zone: a.Zone, Theme: a.Theme, Search: accountSearch(a),
		})
	}), "update profile")
}

// PutCode stores the keyed hash of a code, in place of an earlier one.
func (s *Store) PutCode(ctx context.Context, accountID int64, purpose, hash string, tries int64, expires time.Time) error {
	return wrap(s.do(ctx, func(q *sqlc.Queries) error {
		return q.PutCode(ctx, sqlc.PutCodeParams{
			AccountID: accountID, Purpose: purpose, Hash: hash, TriesLeft: tries, ExpiresAt: millis(expires),
		})
	}), "put code")
}

// TakeCodeTry uses up one try at a code and returns the hash to compare with. It
// is "not found" when there is none, it has expired or no try is left.
func (s *Store) TakeCodeTry(ctx context.Context, accountID int64, purpose string, now time.Time) (string, error) {
	hash, err := found(s.w.TakeCodeTry(ctx, sqlc.TakeCodeTryParams{
		AccountID: accountID, Purpose: purpose, Now: millis(now),
	}))
	return hash, wrap(err, "take a try at a code")
}

// HasCode reports whether the code is there and has not expired.
func (s *Store) HasCode(ctx context.Context, accountID int64, purpose, hash string, now time.Time) (bool, error) {
	n, err := s.r.CountCode(ctx, sqlc.CountCodeParams{AccountID: accountID, Purpose: purpose, Hash: hash, Now: millis(now)})
	return n > 0, wrap(err, "look for a code")
}

// DeleteCode removes a code that was used. Of two who use it at once one gets
// true.
func (s *Store) DeleteCode(ctx context.Context, accountID int64, purpose, hash string) (bool, error) {
	n, err := s.w.DeleteCode(ctx, sqlc.DeleteCodeParams{AccountID: accountID, Purpose: purpose, Hash: hash})
	return n > 0, wrap(err, "delete code")
}

// Spend takes one from the named budget of limit per window and reports whether
// it was there. A window begins with the first use.
func (s *Store) Spend(ctx context.Context, budget string, limit int64, window time.Duration, now time.Time) (bool, error) {
	used, err := s.w.SpendBudget(ctx, sqlc.SpendBudgetParams{
		Name: budget, ResetsAt: millis(now.Add(window)), Now: millis(now),
	})
	return used <= limit, wrap(err, "spend budget")
}

// endedSessionKept is how long the mark of an ended session outlives it: as long
// as a session lives at most, which is far longer than any request.
const endedSessionKept = 90 * 24 * time.Hour

// Sweep deletes what has expired: sessions, invitations, registrations, codes, budgets.
func (s *Store) Sweep(ctx context.Context, now time.Time) error {
	_, err := s.w.DeleteExpiredSessions(ctx, sqlc.DeleteExpiredSessionsParams{
		Now: millis(now), LongAgo: millis(now.Add(-endedSessionKept)),
	})
	if err != nil {
		return wrap(err, "sweep sessions")
	}
	if err := s.sweepInvitations(ctx, now); err != nil {
		return err
	}
	if err := s.sweepRegistrations(ctx, now); err != nil {
		return err
	}
	if _, err := s.w.DeleteExpiredCodes(ctx, millis(now)); err != nil {
		return wrap(err, "sweep codes")
	}
	if err := s.w.DeleteDomainChecksBefore(ctx, millis(now.Add(-domainCheckKept))); err != nil {
		return wrap(err, "sweep domain checks")
	}
	_, err = s.w.DeleteSpentBudgets(ctx, millis(now))
	return wrap(err, "sweep budgets")
}

// Session returns the data of a session that has not expired.
func (s *Store) Session(ctx context.Context, tokenHash string, now time.Time) ([]byte, bool, error) {
	data, err := found(s.r.Session(ctx, sqlc.SessionParams{TokenHash: tokenHash, Now: millis(now)}))
	if mailing.KindOf(err) == mailing.NotFound {
		return nil, false, nil
	}
	return data, err == nil, wrap(err, "session")
}

// PutSession stores a session by its key, with its data. One that has been ended
// stays so, whatever a request that began before that still has to store.
func (s *Store) PutSession(ctx context.Context, of mailing.Session, data []byte, expires time.Time) error {
	return wrap(s.w.PutSession(ctx, sqlc.PutSessionParams{
		TokenHash: of.Key, AccountID: nullID(of.AccountID), Data: data, ExpiresAt: millis(expires), ID: NewID(),
		Address: storable(of.Address), Agent: storable(of.Agent), FirstSeen: millis(of.FirstSeen), LastSeen: millis(of.LastSeen),
	}), "put session")
}

// DeleteSession ends a session; one that is not there is no error.
func (s *Store) DeleteSession(ctx context.Context, tokenHash string) error {
	return wrap(s.w.EndSession(ctx, tokenHash), "delete session")
}

func accountOf(row sqlc.Account) mailing.Account {
	return mailing.Account{
		ID: row.ID, Email: row.Email, FirstName: row.FirstName, LastName: row.LastName, Phone: row.Phone,
		Role: mailing.Role(row.Role), Lang: row.Lang, Zone: row.Zone, Theme: row.Theme, Avatar: row.Avatar,
		ConfirmedAt: instant(row.ConfirmedAt), BlockedAt: instant(row.BlockedAt), CreatedAt: instant(row.CreatedAt),
		BlockedBy: row.BlockedBy, BlockedWhy: row.BlockedWhy, SignedInAt: instant(row.SignedInAt), PerDay: row.PerDay, Era: row.Era,
	}
}

func accountSearch(a mailing.Account) string {
	return mailing.SearchText(a.FirstName, a.LastName, a.Email, mailing.DisplayEmail(a.Email), a.Phone)
}

// wrap says what the store was doing, and is nil for nil.
func wrap(err error, doing string) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("store: %s: %w", doing, err)
}
