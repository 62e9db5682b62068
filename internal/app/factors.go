package app

import (
	"context"
	"strconv"
	"strings"
	"time"

	"vestnik/internal/auth"
	"vestnik/internal/mailing"
	"vestnik/internal/store"
)

// RecoveryCodes is how many recovery codes a person gets; chosen, as the field does.
const RecoveryCodes = 10

const (
	purposeTOTP    = "totp secret"
	purposePasskey = "passkey record"
)

// Factors are a person's second factors.
type Factors struct {
	TOTP     time.Time // since when there is an app that makes codes; zero: there is none
	Recovery int64     // recovery codes left
	Passkeys []mailing.Passkey
	CanHave  bool // browsers allow passkeys at our address
}

// Any reports whether there is a second factor.
func (f Factors) Any() bool { return !f.TOTP.IsZero() || len(f.Passkeys) > 0 }

// Factors returns the second factors of an account, for itself.
func (a *App) Factors(ctx context.Context, accountID int64) (Factors, error) {
	f := Factors{CanHave: a.passkeys != nil}
	t, err := a.store.TOTP(ctx, accountID)
	if err != nil && mailing.KindOf(err) != mailing.NotFound {
		return f, err
	}
	f.TOTP = t.CreatedAt
	if f.Recovery, err = a.store.CountRecoveryCodes(ctx, accountID); err != nil {
		return f, err
	}
	keys, err := a.store.Passkeys(ctx, accountID)
	for _, key := range keys {
		f.Passkeys = append(f.Passkeys, key.Passkey)
	}
	return f, err
}

// NeedsFactor reports whether the account's password is not enough to sign in.
func (a *App) NeedsFactor(ctx context.Context, accountID int64) (bool, error) {
	return a.store.HasFactor(ctx, accountID)
}

// CanHavePasskeys reports whether browsers allow passkeys at our address.
func (a *App) CanHavePasskeys() bool { return a.passkeys != nil }

// Budgets of guesses at somebody's second factor, and at the proof that is asked for
// again; only failures count. Three codes of six digits are right at a time: a day's guesses
// at the factor hit one once in ten thousand days, those at the proof once in five thousand;
// and only who knows the password, or has the session, gets to guess. As with passwords, each
// known device has budgets of its own, which strangers cannot use up.
const (
	FactorHour = 10
	FactorDay  = 30
	ProofHour  = 20
	ProofDay   = 60

	// FactorDayAll is for all devices and strangers together: who can read the mailbox may
	// set a new password again and again, and be a known device each time.
	FactorDayAll = 100
)

// guess is what is guessed at.
type guess string

const (
	guessFactor guess = "factor" // as DeleteFactorBudgets calls it
	guessProof  guess = "proof"
)

func (a *App) guessBudgets(from Visitor, at guess, accountID int64) []store.TryBudget {
	budget := func(most int64, window time.Duration) store.TryBudget {
		name := []string{string(at), idText(accountID), a.knownDevice(from, accountID), window.String()}
		return store.TryBudget{Name: strings.Join(name, ":"), Most: most, Window: window}
	}
	if at == guessProof {
		return []store.TryBudget{budget(ProofHour, budgetHour), budget(ProofDay, guardDay)}
	}
	return []store.TryBudget{
		{Name: "factor of " + idText(accountID), Most: FactorDayAll, Window: guardDay},
		budget(FactorHour, budgetHour), budget(FactorDay, guardDay),
	}
}

// prove has verify compare a guess if one is left, and answers a failure with wrong.
func (a *App) prove(ctx context.Context, from Visitor, at guess, accountID int64, wrong error, verify func() (bool, error)) error {
	right, err := a.guarded(ctx, a.guessBudgets(from, at, accountID), verify)
	switch {
	case mailing.CodeOf(err) == "try_later":
		return mailing.Fault(mailing.Limited, "factor_budget")
	case err == nil && !right:
		return wrong
	}
	return err
}

func idText(id int64) string { return strconv.FormatInt(id, 10) }

// onSelf is a deed of somebody to their own account.
func onSelf(actor mailing.Account, action mailing.Action) mailing.Deed {
	return mailing.Deed{Action: action, Thing: accountThing(actor), Owner: actor.ID}
}

func (a *App) newRecoveryCodes(accountID int64) (codes, hashes []string) {
	for range RecoveryCodes {
		code := auth.NewRecoveryCode()
		codes = append(codes, code)
		hashes = append(hashes, a.keys.HashRecoveryCode(accountID, code))
	}
	return codes, hashes
}

// RenewRecoveryCodes returns recovery codes in place of the earlier ones.
func (a *App) RenewRecoveryCodes(ctx context.Context, actor mailing.Account) ([]string, error) {
	ctx, err := a.tellingOf(ctx, actor, mailCodesRenewed, nil)
	if err != nil {
		return nil, err
	}
	codes, hashes := a.newRecoveryCodes(actor.ID)
	return codes, a.store.SetRecoveryCodes(a.doing(ctx, actor, onSelf(actor, "account.renew_recovery_codes")), actor.ID, hashes)
}

// ProveRecovery uses up one of the account's recovery codes, and tells the person.
func (a *App) ProveRecovery(ctx context.Context, from Visitor, account mailing.Account, code string) error {
	if err := typedCode("recovery", code); err != nil {
		return err
	}
	wrong := mailing.FieldFault(mailing.Invalid, "recovery", "code_wrong")
	left, err := a.store.CountRecoveryCodes(ctx, account.ID)
	if err != nil {
		return err
	}
	telling, err := a.tellingOf(ctx, account, mailCodeUsed, map[string]any{"left": strconv.FormatInt(left-1, 10)})
	if err != nil {
		return err
	}
	return a.prove(ctx, from, guessFactor, account.ID, wrong, func() (bool, error) { return a.takeRecoveryCode(telling, account, code) })
}

func (a *App) takeRecoveryCode(ctx context.Context, account mailing.Account, code string) (bool, error) {
	for _, hash := range a.keys.RecoveryCodeHashes(account.ID, strings.TrimSpace(code)) {
		doing := a.doing(ctx, account, onSelf(account, "account.use_recovery_code"))
		err := a.store.TakeRecoveryCode(doing, account.ID, hash)
		if mailing.KindOf(err) != mailing.NotFound {
			return err == nil, err
		}
	}
	return false, nil
}

// ProvePassword checks the actor's own password once more.
func (a *App) ProvePassword(ctx context.Context, from Visitor, actor mailing.Account, password string) error {
	return a.provePassword(ctx, from, actor, "password", password)
}

func (a *App) provePassword(ctx context.Context, from Visitor, actor mailing.Account, field, password string) error {
	_, hash, err := a.store.AccountByEmail(ctx, actor.Email)
	if err != nil {
		return wrap(err, "prove password")
	}
	wrong := mailing.FieldFault(mailing.Invalid, field, "password_wrong")
	err = a.prove(ctx, from, guessProof, actor.ID, wrong, func() (bool, error) { return a.hasher.Verify(ctx, password, hash) })
	return wrap(err, "prove password")
}

// ResetFactors forgets all second factors of somebody who has lost them. Nobody does so
// for themselves: whoever is at their keyboard could.
func (a *App) ResetFactors(ctx context.Context, actor mailing.Account, accountID int64) error {
	if !actor.Role.May(mailing.ResetFactors) {
		return mailing.Fault(mailing.NotFound, "not_found")
	}
	if actor.ID == accountID {
		return mailing.Fault(mailing.Forbidden, "factors_own")
	}
	account, err := a.store.Account(ctx, accountID)
	if err != nil {
		return err
	}
	had, err := a.Factors(ctx, accountID)
	if err != nil {
		return err
	}
	deed := mailing.Deed{
		Action: "account.reset_factors", Thing: accountThing(account), Owner: account.ID,
		Before: mailing.Facts{"passkeys": strconv.Itoa(len(had.Passkeys)), "totp": strconv.FormatBool(!had.TOTP.IsZero())},
		After:  mailing.Facts{"passkeys": "0", "totp": "false"},
	}
	if ctx, err = a.tellingOf(ctx, account, mailFactorsReset, nil); err != nil {
		return err
	}
	return a.store.ResetFactors(a.doing(ctx, actor, deed), accountID)
}
