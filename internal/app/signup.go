package app

import (
	"context"
	"slices"
	"strings"
	"time"

	"vestnik/internal/mailing"
)

// OpensSignUp reports whether strangers may register, all or some.
func (a *App) OpensSignUp() bool {
	return a.SignUp == mailing.SignUpOpen || a.SignUp == mailing.SignUpDomains
}

// MaySignUp says to strangers why they may not register; nil if they may.
func (a *App) MaySignUp() error {
	switch {
	case a.OpensSignUp():
		return nil
	case a.SignUp == mailing.SignUpInvitation:
		return mailing.Fault(mailing.Forbidden, "signup_by_invitation")
	}
	return mailing.Fault(mailing.Forbidden, "signup_closed")
}

// SignUpDomainsShown are the domains whose people may register, in their script; empty
// when all may.
func (a *App) SignUpDomainsShown() string {
	if a.SignUp != mailing.SignUpDomains {
		return ""
	}
	shown := make([]string, len(a.SignUpDomains))
	for i, domain := range a.SignUpDomains {
		shown[i] = mailing.DisplayDomain(domain)
	}
	return strings.Join(shown, ", ")
}

// checkSignUpDomain refuses a normalised address of another domain, with the code. A
// subdomain is another domain.
func (a *App) checkSignUpDomain(problems *mailing.Problems, email, code string) {
	_, domain, _ := strings.Cut(email, "@")
	if a.SignUp == mailing.SignUpDomains && !slices.Contains(a.SignUpDomains, domain) {
		problems.Add("email", code, "domains", a.SignUpDomainsShown())
	}
}

// IsEmpty reports whether there is no account at all.
func (a *App) IsEmpty(ctx context.Context) (bool, error) {
	if a.occupied.Load() {
		return false, nil
	}
	has, err := a.store.HasAccounts(ctx)
	if has {
		a.occupied.Store(true)
	}
	return err == nil && !has, wrap(err, "look for accounts")
}

const purposeFirst = "first account"

// founder has everything done in their name that has to be done first.
const founder = mailing.RoleAdmin

// FirstLink is where the first admin makes their account; empty when there is one
// already. It is for the operator's eyes only, and of no use afterwards.
func (a *App) FirstLink(ctx context.Context) (string, error) {
	instance, err := a.store.Unfounded(ctx, founder)
	if err != nil || instance == "" {
		return "", wrap(err, "link of the first account")
	}
	return a.BaseURL + "/first/" + a.keys.Sign(purposeFirst, []byte(instance), time.Time{}), nil
}

// CheckFirst reports whether the token is that of FirstLink.
func (a *App) CheckFirst(ctx context.Context, token string) error {
	instance, err := a.store.Unfounded(ctx, founder)
	if err != nil {
		return wrap(err, "check the link of the first account")
	}
	payload, err := a.keys.Verify(purposeFirst, token, a.Now())
	if err != nil || instance == "" || string(payload) != instance {
		return mailing.Fault(mailing.NotFound, "not_found")
	}
	return nil
}

// CreateFirst makes the first admin, who is active at once: who has the token could read
// the database as well.
func (a *App) CreateFirst(ctx context.Context, token string, r Registration) (mailing.Account, error) {
	if err := a.CheckFirst(ctx, token); err != nil {
		return mailing.Account{}, err
	}
	account, err := a.checkPerson(r)
	if err != nil {
		return account, err
	}
	account.Role, account.ConfirmedAt = founder, a.Now()
	hash, err := a.hasher.Hash(ctx, r.Password)
	if err != nil {
		return account, wrap(err, "first account")
	}
	doing := a.doing(ctx, account, mailing.Deed{
		Action: "account.found", Thing: mailing.Thing{Kind: mailing.ThingAccount, Name: account.Email},
		After: mailing.Facts{"email": account.Email, "role": string(account.Role)},
	})
	defer a.accountsChanged(ctx)
	account.ID, err = a.store.CreateFirstAccount(doing, account, hash)
	return account, wrap(err, "first account")
}

// checkPerson checks what somebody says of themselves whose right to an account is certain.
func (a *App) checkPerson(r Registration) (mailing.Account, error) {
	account := mailing.Account{
		FirstName: mailing.CleanLine(r.FirstName), LastName: mailing.CleanLine(r.LastName), Lang: r.Lang, Zone: r.Zone,
		CreatedAt: a.Now(),
	}
	var problems mailing.Problems
	checkNames(&problems, account)
	checkSpeech(&problems, account)
	email, err := mailing.NormalizeEmail(r.Email)
	if err := problems.AddError("email", err); err != nil {
		return account, err
	}
	account.Email = email
	if err := a.checkPassword(&problems, r.Password, r.Again, r.Email, r.FirstName, r.LastName); err != nil {
		return account, err
	}
	return account, problems.Err()
}

func checkSpeech(problems *mailing.Problems, a mailing.Account) {
	if a.Lang != "ru" && a.Lang != "en" {
		problems.Add("lang", "choice_unknown")
	}
	if _, err := mailing.LoadZone(a.Zone); err != nil {
		problems.Add("zone", "zone_unknown", "zone", a.Zone)
	}
}
