package app

import (
	"context"
	"crypto/subtle"
	"strings"

	"vestnik/internal/mailing"
)

// Confirm activates the account if the code is right. A wrong code, a code that
// has expired, a known and an unknown address are answered alike.
func (a *App) Confirm(ctx context.Context, from Visitor, typed, code string) error {
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

func (a *App) useCode(ctx context.Context, from Visitor, account mailing.Account, code string) (bool, error) {
	code = strings.Join(strings.Fields(mailing.CleanLine(code)), "") // as CodeMatches compares it
	hash, err := a.store.TakeCodeTry(ctx, account.ID, purposeConfirm, a.Now())
	if mailing.KindOf(err) == mailing.NotFound {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	wellKnown := subtle.ConstantTimeCompare([]byte(code), []byte(WellKnownCode)) == 1
	if !a.compareCode(hash, purposeConfirm, account.ID, code) || wellKnown && !from.Loopback {
		return false, nil
	}
	return true, a.activate(ctx, account, hash)
}

// activate ends the code and confirms the account. Of two who do so at once one does it.
func (a *App) activate(ctx context.Context, account mailing.Account, hash string) error {
	first, err := a.store.DeleteCode(ctx, account.ID, purposeConfirm, hash)
	if err != nil || !first {
		return err
	}
	defer a.accountsChanged(ctx)
	return a.store.ConfirmAccount(a.byThemselves(ctx, account, "account.confirm"), account.ID, a.Now())
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
func (a *App) ConfirmByLink(ctx context.Context, email, proof string) error {
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
	hash := a.keys.HashCode(purposeConfirm, account.ID, code)
	usable, err := a.store.HasCode(ctx, account.ID, purposeConfirm, hash, a.Now())
	if err == nil && !usable {
		return expired
	}
	if err != nil {
		return wrap(err, "confirm by link")
	}
	return wrap(a.activate(ctx, account, hash), "confirm by link")
}
