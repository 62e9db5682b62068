package app

import (
	"context"
	"crypto/rand"
	"strings"
	"time"

	"vestnik/internal/auth"
	"vestnik/internal/mailing"
)

// Operator is who works at the machine itself, by the command line: they could
// read the database file anyway. No account has the id.
var Operator = mailing.Account{ID: -1, Role: mailing.RoleAdmin, Lang: "en", FirstName: "operator"}

// NewAccount is an account made by the operator.
type NewAccount struct {
	Email, FirstName, LastName, Password string
	Role                                 mailing.Role
	Lang                                 string
	Code                                 string // to confirm with; empty: it is active at once
}

// CreateAccount makes an account from the command line. An address that is taken
// is a conflict and changes nothing.
func (a *App) CreateAccount(ctx context.Context, n NewAccount) (mailing.Account, error) {
	return a.createAccount(ctx, Operator, n)
}

func (a *App) createAccount(ctx context.Context, actor mailing.Account, n NewAccount) (mailing.Account, error) {
	account := mailing.Account{
		Role: n.Role, FirstName: mailing.CleanLine(n.FirstName), LastName: mailing.CleanLine(n.LastName),
		Lang: n.Lang, Zone: a.Zone, CreatedAt: a.Now(),
	}
	var problems mailing.Problems
	email, err := mailing.NormalizeEmail(n.Email)
	if err := problems.AddError("email", err); err != nil {
		return account, err
	}
	account.Email = email
	if err := problems.AddError("password", auth.CheckPassword(n.Password, n.Email, n.LastName, a.BaseURL)); err != nil {
		return account, err
	}
	if !n.Role.Valid() {
		problems.Add("role", "choice_unknown")
	}
	if err := problems.Err(); err != nil {
		return account, err
	}
	return a.storeAccount(ctx, actor, account, n)
}

func (a *App) storeAccount(ctx context.Context, actor, account mailing.Account, n NewAccount) (mailing.Account, error) {
	hash, err := a.hasher.Hash(ctx, n.Password)
	if err != nil {
		return account, wrap(err, "create account")
	}
	defer a.accountsChanged(ctx)
	if n.Code == "" {
		account.ConfirmedAt = a.Now()
	}
	creating := a.doing(ctx, actor, mailing.Deed{
		Action: "account.create", Thing: accountThing(account), After: ofPerson(known(accountFacts(account))),
	})
	if account.ID, err = a.store.CreateAccount(creating, account, hash); err != nil || n.Code == "" {
		return account, err
	}
	return account, a.putCode(ctx, account.ID, purposeConfirm, n.Code, OperatorCodeLifetime)
}

// OperatorCodeLifetime is for a code that was printed on the machine itself, and
// is typed when somebody finds the time. Chosen.
const OperatorCodeLifetime = 7 * 24 * time.Hour

// NewCode returns six random digits.
func NewCode() string { return auth.NewCode() }

// NewPassword returns 100 random bits in groups that a person can copy.
func NewPassword() string {
	text := strings.ToLower(rand.Text())
	return text[:5] + "-" + text[5:10] + "-" + text[10:15] + "-" + text[15:20]
}

// RenewCode gives an account that was made by the operator, and is not active
// yet, another code: the earlier one has expired, or was mistyped too often.
func (a *App) RenewCode(ctx context.Context, email, code string) error {
	account, err := a.AccountByEmail(ctx, email)
	if err != nil {
		return err
	}
	if !account.ConfirmedAt.IsZero() {
		return mailing.Fault(mailing.Conflict, "account_active", "email", account.Email)
	}
	ctx = a.doing(ctx, Operator, mailing.Deed{Action: "account.renew_code", Thing: accountThing(account), Owner: account.ID})
	return a.putCode(ctx, account.ID, purposeConfirm, code, OperatorCodeLifetime)
}
