package app

import (
	"context"
	"strings"
	"time"

	"vestnik/internal/auth"
	"vestnik/internal/mailing"
)

// RequestReset mails a link to set a new password. It answers alike for every
// address. Its mails have a budget of their own, and so has a device that is known, so that
// nobody can keep an owner from it.
func (a *App) RequestReset(ctx context.Context, from Visitor, typed string) error {
	defer a.evenly(ctx, time.Now())
	email, err := mailing.NormalizeEmail(typed)
	var problems mailing.Problems
	if err := problems.AddError("email", err); err != nil {
		return err
	}
	if err := problems.Err(); err != nil {
		return err
	}
	account, _, err := a.store.AccountByEmail(ctx, email)
	if device := a.knownDevice(from, account.ID); device != "" {
		from.Address = "device " + device
	}
	if err := a.spendClient(ctx, from); err != nil {
		return err
	}
	if mailing.KindOf(err) == mailing.NotFound || err == nil && !account.Active() {
		return nil
	}
	if err != nil {
		return wrap(err, "request reset")
	}
	// Before the new link is stored: a request that mails nothing must not void
	// the link that was mailed.
	ok, err := a.store.Spend(ctx, "reset mail:"+account.Email, MailBudget, budgetHour, a.Now())
	if err != nil || !ok {
		return wrap(err, "request reset")
	}
	ctx = a.byThemselves(ctx, account, "account.request_reset")
	token := auth.NewToken()
	hash := auth.HashToken(token)
	if err := a.store.PutCode(ctx, account.ID, purposeReset, hash, 1, a.Now().Add(ResetLifetime)); err != nil {
		return wrap(err, "request reset")
	}
	signed := a.keys.Sign(purposeReset, []byte(account.Email+" "+token), a.Now().Add(ResetLifetime))
	return a.mail(ctx, account, mailReset, map[string]any{"link": a.BaseURL + "/reset/" + signed})
}

// CheckReset reports whether a link still looks usable, before a person types a
// new password, and whose it is.
func (a *App) CheckReset(link string) (email string, err error) {
	payload, err := a.keys.Verify(purposeReset, link, a.Now())
	email, _, _ = strings.Cut(string(payload), " ")
	return email, err
}

// Reset sets a new password by a link, and returns whose. It signs the account out
// everywhere, and the link works once.
func (a *App) Reset(ctx context.Context, link, password, again string) (mailing.Account, error) {
	payload, err := a.keys.Verify(purposeReset, link, a.Now())
	if err != nil {
		return mailing.Account{}, err
	}
	email, token, _ := strings.Cut(string(payload), " ")
	account, _, err := a.store.AccountByEmail(ctx, email)
	if mailing.KindOf(err) == mailing.NotFound { // it has another address since
		return account, mailing.Fault(mailing.Invalid, "link_expired")
	}
	if err != nil {
		return account, wrap(err, "reset")
	}
	var problems mailing.Problems
	if err := a.checkPassword(&problems, password, again, email, account.FirstName, account.LastName); err != nil {
		return account, err
	}
	if err := problems.Err(); err != nil {
		return account, err
	}
	return account, a.useReset(ctx, account, token, password)
}

func (a *App) useReset(ctx context.Context, account mailing.Account, token, password string) error {
	// A look first: a link that was used must not cost a hash.
	code := auth.HashToken(token)
	usable, err := a.store.HasCode(ctx, account.ID, purposeReset, code, a.Now())
	if err != nil {
		return wrap(err, "reset")
	}
	if !usable {
		return mailing.Fault(mailing.Invalid, "link_expired")
	}
	hash, err := a.hasher.Hash(ctx, password)
	if err != nil {
		return wrap(err, "reset")
	}
	used, err := a.store.DeleteCode(ctx, account.ID, purposeReset, code)
	if err != nil {
		return wrap(err, "reset")
	}
	if !used {
		return mailing.Fault(mailing.Invalid, "link_expired")
	}
	ctx = a.doing(ctx, mailing.Account{Email: account.Email}, mailing.Deed{
		Action: "account.reset_password", Thing: accountThing(account), Owner: account.ID,
		After: mailing.Facts{"password": mailing.Masked},
	})
	return wrap(a.store.SetPassword(ctx, account.ID, hash), "reset")
}
