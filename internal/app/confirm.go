package app

import (
	"cmp"
	"context"
	"crypto/subtle"
	"slices"
	"strings"

	"vestnik/internal/mailing"
	"vestnik/internal/store"
)

// Confirm activates the account if the code is right. A wrong code, a code that
// has expired, a known and an unknown address are answered alike.
func (a *App) Confirm(ctx context.Context, from Visitor, typed, code string) error {
	if err := typedCode("code", code); err != nil {
		return err
	}
	wrong := mailing.FieldFault(mailing.Invalid, "code", "code_wrong")
	email, err := mailing.NormalizeEmail(typed)
	if err != nil {
		return wrong
	}
	account, _, err := a.store.AccountByEmail(ctx, email)
	if err != nil && mailing.KindOf(err) != mailing.NotFound {
		return wrap(err, "confirm")
	}
	right, err := a.guarded(ctx, codeBudgets(from, email), func() (bool, error) {
		return a.useCode(ctx, from, account, code)
	})
	if mailing.CodeOf(err) == "try_later" {
		err = mailing.FieldFault(mailing.Limited, "code", "code_later", "wait", waitOf(err))
	}
	if err == nil && !right {
		err = wrong
	}
	return wrap(err, "confirm")
}

// typedCode refuses a field that was left empty: that is no guess.
func typedCode(field, code string) error {
	if strings.TrimSpace(code) == "" {
		return mailing.FieldFault(mailing.Invalid, field, "required")
	}
	return nil
}

// useCode tries the code at all that waits to be confirmed. Each has a code of its own.
func (a *App) useCode(ctx context.Context, from Visitor, account mailing.Account, code string) (bool, error) {
	code = strings.Join(strings.Fields(mailing.CleanLine(code)), "") // as CodeMatches compares it
	wellKnown := subtle.ConstantTimeCompare([]byte(code), []byte(WellKnownCode)) == 1
	waiting, err := a.waiting(ctx, account)
	if err != nil {
		return false, err
	}
	for _, browser := range codesOf(waiting) {
		hash, err := a.store.TakeCodeTry(ctx, account.ID, codePurpose(browser), a.Now())
		if mailing.KindOf(err) == mailing.NotFound {
			continue
		}
		if err != nil {
			return false, err
		}
		if a.compareCode(hash, codePurpose(browser), account.ID, code) && (!wellKnown || from.Loopback) {
			return true, a.activate(ctx, from, account, waiting, browser)
		}
	}
	return false, nil
}

// waiting lists the registrations that wait for a code, oldest first.
func (a *App) waiting(ctx context.Context, account mailing.Account) ([]store.Registration, error) {
	list, err := a.store.Registrations(ctx, account.ID, a.Now())
	for i := range list {
		list[i].Email = account.Email
	}
	return list, err
}

// codesOf are the browsers whose codes there may be; the empty one stands for the operator's.
func codesOf(waiting []store.Registration) []string {
	browsers := []string{""}
	for _, r := range waiting {
		browsers = append(browsers, r.Browser)
	}
	return browsers
}

func fromBrowser(waiting []store.Registration, browser string) (r store.Registration, found bool) {
	i := slices.IndexFunc(waiting, func(r store.Registration) bool { return r.Browser == browser })
	if i < 0 {
		return r, false
	}
	return waiting[i], true
}

// activate confirms the account. A code shows who has the mailbox, and not who registered:
// strangers' codes are mailed there, too. So what was registered from where it is typed comes
// first, and what the code was mailed for only where nothing was.
func (a *App) activate(ctx context.Context, from Visitor, account mailing.Account, waiting []store.Registration, browser string) error {
	defer a.accountsChanged(ctx)
	doing := a.byThemselves(ctx, account, "account.confirm")
	if browser == "" {
		return a.store.ConfirmAccount(doing, account.ID, a.Now())
	}
	r, found := fromBrowser(waiting, cmp.Or(from.Browser, browser))
	if !found {
		return mailing.FieldFault(mailing.Conflict, "code", "code_of_another")
	}
	return a.store.ConfirmRegistration(doing, r, a.Now())
}

const purposeProof = "proof of a code"

// proofOf is in the link of the mail with a code: who has it guesses nothing.
func (a *App) proofOf(email, code string) string {
	return a.keys.Sign(purposeProof, []byte(email+" "+code), a.Now().Add(CodeLifetime))
}

// CodeOfProof is the code that a mailed link carries for the address; empty for none that can
// be used.
func (a *App) CodeOfProof(email, proof string) string {
	payload, err := a.keys.Verify(purposeProof, proof, a.Now())
	whose, code, _ := strings.Cut(string(payload), " ")
	if err != nil || whose != email {
		return ""
	}
	return code
}

// ConfirmByLink activates the account by the link that was mailed with the code. No
// budget and no number of tries counts: strangers may have used them up.
func (a *App) ConfirmByLink(ctx context.Context, from Visitor, email, proof string) error {
	expired := mailing.Fault(mailing.Invalid, "code_link_expired")
	code := a.CodeOfProof(email, proof)
	if code == "" {
		return expired
	}
	account, _, err := a.store.AccountByEmail(ctx, email)
	if mailing.KindOf(err) == mailing.NotFound {
		return expired
	}
	if err != nil {
		return wrap(err, "confirm by link")
	}
	waiting, err := a.waiting(ctx, account)
	if err != nil {
		return wrap(err, "confirm by link")
	}
	browser, usable, err := a.codeIsOf(ctx, account, waiting, code)
	if err == nil && !usable {
		return expired
	}
	if err == nil {
		err = a.activate(ctx, from, account, waiting, browser)
	}
	return wrap(err, "confirm by link")
}

// codeIsOf finds the browser whose registration a code can confirm now; usable is false for
// a code that is none any more.
func (a *App) codeIsOf(ctx context.Context, account mailing.Account, waiting []store.Registration, code string) (browser string, usable bool, err error) {
	for _, browser := range codesOf(waiting) {
		hash := a.keys.HashCode(codePurpose(browser), account.ID, code)
		usable, err := a.store.HasCode(ctx, account.ID, codePurpose(browser), hash, a.Now())
		if err != nil || usable {
			return browser, usable, err
		}
	}
	return "", false, nil
}
