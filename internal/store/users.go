package store

import (
	"context"
	"database/sql"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/store/sqlc"
)

// AccountFilter narrows a list of accounts.
type AccountFilter struct {
	Role     mailing.Role     // empty: any
	Standing mailing.Standing // empty: any
}

var accountList = list{
	fields: `id, email, first_name, last_name, phone, role, lang, zone, avatar, confirmed_at, blocked_at, blocked_by, blocked_why,
signed_in_at, per_day, created_at, era`,
	from: "accounts",
	columns: map[string]string{
		"": "created_at", "created": "created_at", "email": "email", "name": "search", "role": "role", "signed_in": "signed_in_at",
	},
	tiebreak: "id",
}

// Accounts lists accounts, sorted by created, email, name, role or signed_in.
func (s *Store) Accounts(ctx context.Context, f AccountFilter, page Page) ([]mailing.Account, int64, error) {
	var p predicate
	if f.Role != "" {
		p.and("role = ?", string(f.Role))
	}
	if condition := standings[f.Standing]; condition != "" {
		p.conditions = append(p.conditions, condition)
	}
	p.search("search", page.Search)
	rows, total, err := s.rows(ctx, accountList, p, page)
	if err != nil {
		return nil, 0, wrap(err, "list accounts")
	}
	accounts, err := collect(rows, scanAccount)
	return accounts, total, wrap(err, "list accounts")
}

// standings are what mailing.Account.Standing says, in SQL.
var standings = map[mailing.Standing]string{
	mailing.StandingBlocked:     "blocked_at > 0",
	mailing.StandingUnconfirmed: "blocked_at = 0 and confirmed_at = 0",
	mailing.StandingActive:      "blocked_at = 0 and confirmed_at > 0",
}

func scanAccount(rows *sql.Rows) (a mailing.Account, err error) {
	var confirmed, blocked, signedIn, created int64
	err = rows.Scan(&a.ID, &a.Email, &a.FirstName, &a.LastName, &a.Phone, &a.Role, &a.Lang, &a.Zone, &a.Avatar, &confirmed, &blocked,
		&a.BlockedBy, &a.BlockedWhy, &signedIn, &a.PerDay, &created, &a.Era)
	a.ConfirmedAt, a.BlockedAt, a.SignedInAt, a.CreatedAt = instant(confirmed), instant(blocked), instant(signedIn), instant(created)
	return a, err
}

// Block blocks the account and signs it out everywhere. One that is blocked already
// is a conflict, "changed_meanwhile"; so is the last active admin, "last_admin".
func (s *Store) Block(ctx context.Context, id, by int64, why string, at time.Time) error {
	return wrap(s.do(ctx, func(q *sqlc.Queries) error { return block(ctx, q, id, by, why, at) }), "block account")
}

func block(ctx context.Context, q *sqlc.Queries, id, by int64, why string, at time.Time) error {
	if err := notLastAdmin(ctx, q, id); err != nil {
		return err
	}
	err := changed(q.BlockAccount(ctx, sqlc.BlockAccountParams{
		ID: id, BlockedAt: millis(at), BlockedBy: by, BlockedWhy: storable(why),
	}))
	if err != nil {
		return err
	}
	_, err = endSessions(ctx, q, id)
	return err
}

// Unblock lets a blocked account in again.
func (s *Store) Unblock(ctx context.Context, id int64) error {
	return wrap(s.do(ctx, func(q *sqlc.Queries) error { return changed(q.UnblockAccount(ctx, id)) }), "unblock account")
}

// SetRole gives the account a role. To take theirs off the last active admin is a
// conflict, "last_admin".
func (s *Store) SetRole(ctx context.Context, id int64, role mailing.Role) error {
	return wrap(s.do(ctx, func(q *sqlc.Queries) error {
		if role != mailing.RoleAdmin {
			if err := notLastAdmin(ctx, q, id); err != nil {
				return err
			}
		}
		return q.SetRole(ctx, sqlc.SetRoleParams{ID: id, Role: string(role)})
	}), "set role")
}

// notLastAdmin refuses what would leave nobody who may do everything. Until the end
// of the transaction nobody else can make an admin one no more.
func notLastAdmin(ctx context.Context, q *sqlc.Queries, id int64) error {
	admins, err := q.LockActiveAdmins(ctx)
	if err != nil {
		return err
	}
	row, err := found(q.Account(ctx, id))
	if err != nil {
		return err
	}
	if a := accountOf(row); a.Role == mailing.RoleAdmin && a.Active() && admins <= 1 {
		return mailing.Fault(mailing.Conflict, "last_admin")
	}
	return nil
}

// SignOut ends all sessions of the account.
func (s *Store) SignOut(ctx context.Context, id int64) error {
	return wrap(s.do(ctx, func(q *sqlc.Queries) error {
		_, err := endSessions(ctx, q, id)
		return err
	}), "sign out")
}

// SignedIn notes when somebody signed in.
func (s *Store) SignedIn(ctx context.Context, id int64, at time.Time) error {
	return wrap(s.do(ctx, func(q *sqlc.Queries) error {
		return q.SignedIn(ctx, sqlc.SignedInParams{ID: id, SignedInAt: millis(at)})
	}), "note a sign-in")
}

// Belongings counts what an account has.
type Belongings struct {
	Clients, Messages, Mailings, Active int64 // Active: of the mailings
	Sent                                int64 // mails, ever
	Sessions                            int64 // where they are signed in
}

// Belongings counts what the account has.
func (s *Store) Belongings(ctx context.Context, id int64, now time.Time) (Belongings, error) {
	row, err := s.r.CountBelongings(ctx, sqlc.CountBelongingsParams{OwnerID: id, AccountID: nullID(id), Now: millis(now)})
	return Belongings(row), wrap(err, "count belongings")
}

// OwnersOfMailings lists those who have a mailing, by name and no more than most; each
// with no more than id, names and e-mail.
func (s *Store) OwnersOfMailings(ctx context.Context, most int64) ([]mailing.Account, error) {
	rows, err := s.r.OwnersOfMailings(ctx, most)
	owners := make([]mailing.Account, len(rows))
	for i, row := range rows {
		owners[i] = mailing.Account{ID: row.ID, FirstName: row.FirstName, LastName: row.LastName, Email: row.Email}
	}
	return owners, wrap(err, "owners of mailings")
}
