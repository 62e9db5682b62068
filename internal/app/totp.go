package app

import (
	"context"

	"vestnik/internal/auth"
	"vestnik/internal/mailing"
	"vestnik/internal/store"
)

// NewTOTP is an app that makes codes before it is confirmed. Draft is for EnableTOTP; it
// holds the secret, sealed.
type NewTOTP struct{ Secret, Link, Draft string }

// BeginTOTP makes the secret of an app that makes codes. Nothing is stored yet.
func (a *App) BeginTOTP(actor mailing.Account) NewTOTP {
	secret := auth.NewTOTPSecret()
	return a.shownTOTP(actor, secret)
}

// ResumeTOTP is what BeginTOTP returned, when the code was mistyped.
func (a *App) ResumeTOTP(actor mailing.Account, draft string) (NewTOTP, error) {
	secret, err := a.draftSecret(actor, draft)
	return a.shownTOTP(actor, secret), err
}

func (a *App) shownTOTP(actor mailing.Account, secret []byte) NewTOTP {
	return NewTOTP{
		Secret: auth.TOTPText(secret), Link: auth.TOTPLink("Vestnik", actor.Email, secret),
		Draft: a.keys.Seal(purposeTOTP, draftOf(actor), secret),
	}
}

func draftOf(actor mailing.Account) string { return "draft of " + idText(actor.ID) }

func (a *App) draftSecret(actor mailing.Account, draft string) ([]byte, error) {
	secret, err := a.keys.Open(purposeTOTP, draftOf(actor), draft)
	if err != nil {
		return nil, mailing.Fault(mailing.Invalid, "totp_draft_lost").Because(err)
	}
	return secret, nil
}

// EnableTOTP has the actor's sign-ins ask for codes of the app, once it has shown that
// it makes the right ones. If that is the first second factor, it returns recovery codes.
func (a *App) EnableTOTP(ctx context.Context, from Visitor, actor mailing.Account, draft, code string) ([]string, error) {
	secret, err := a.draftSecret(actor, draft)
	if err == nil {
		err = typedCode("code", code)
	}
	if err != nil {
		return nil, err
	}
	wrong := mailing.FieldFault(mailing.Invalid, "code", "code_wrong")
	var step int64
	err = a.prove(ctx, from, guessProof, actor.ID, wrong, func() (matches bool, _ error) {
		step, matches = auth.MatchTOTP(secret, code, a.Now(), 0)
		return matches, nil
	})
	if err != nil {
		return nil, err
	}
	codes, hashes := a.newRecoveryCodes(actor.ID)
	if ctx, err = a.tellingOf(ctx, actor, mailTOTPOn, nil); err != nil {
		return nil, err
	}
	first, err := a.store.EnableTOTP(a.doing(ctx, actor, onSelf(actor, "account.enable_totp")), store.TOTP{
		AccountID: actor.ID, Sealed: a.keys.Seal(purposeTOTP, idText(actor.ID), secret), UsedStep: step, CreatedAt: a.Now(),
	}, hashes)
	if err != nil {
		return nil, err
	}
	if !first {
		codes = nil
	}
	return codes, nil
}

// DisableTOTP has the actor's sign-ins ask for codes of an app no more.
func (a *App) DisableTOTP(ctx context.Context, actor mailing.Account) error {
	ctx, err := a.tellingOf(ctx, actor, mailTOTPOff, nil)
	if err != nil {
		return err
	}
	return a.store.DisableTOTP(a.doing(ctx, actor, onSelf(actor, "account.disable_totp")), actor.ID)
}

// ProveCode checks a code of the account's app, which is then used up.
func (a *App) ProveCode(ctx context.Context, from Visitor, account mailing.Account, code string) error {
	return a.proveCode(ctx, from, guessFactor, account, code)
}

func (a *App) proveCode(ctx context.Context, from Visitor, at guess, account mailing.Account, code string) error {
	if err := typedCode("code", code); err != nil {
		return err
	}
	wrong := mailing.FieldFault(mailing.Invalid, "code", "code_wrong")
	return a.prove(ctx, from, at, account.ID, wrong, func() (bool, error) { return a.takeCode(ctx, account, code) })
}

func (a *App) takeCode(ctx context.Context, account mailing.Account, code string) (bool, error) {
	t, err := a.store.TOTP(ctx, account.ID)
	if mailing.KindOf(err) == mailing.NotFound {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	secret, err := a.keys.Open(purposeTOTP, idText(account.ID), t.Sealed)
	if err != nil {
		return false, wrap(err, "prove code")
	}
	step, matches := auth.MatchTOTP(secret, code, a.Now(), t.UsedStep)
	if !matches {
		return false, nil
	}
	return a.store.TakeTOTPStep(ctx, account.ID, step)
}

// ProveCodeAgain is ProveCode for somebody who is signed in already.
func (a *App) ProveCodeAgain(ctx context.Context, from Visitor, actor mailing.Account, code string) error {
	return a.proveCode(ctx, from, guessProof, actor, code)
}
