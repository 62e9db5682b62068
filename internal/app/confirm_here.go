package app

import (
	"context"

	"vestnik/internal/mailing"
)

// ConfirmHere confirms an account by a typed code, or by the proof of a mailed link, and
// returns it if it may be entered without signing in: when its password is now the very one
// that was typed in this browser to register. That browser and the mailbox are then all that
// signing in would ask for. Otherwise the account's ID is 0: a code alone lets nobody in, since
// it may have been caused by somebody else's registration.
func (a *App) ConfirmHere(ctx context.Context, from Visitor, typed, code, proof string) (mailing.Account, error) {
	hash, err := a.registeredHere(ctx, from, typed)
	if err != nil {
		return mailing.Account{}, wrap(err, "confirm here")
	}
	if proof != "" {
		err = a.ConfirmByLink(ctx, from, typed, proof)
	} else {
		err = a.Confirm(ctx, from, typed, code)
	}
	if err != nil || hash == "" {
		return mailing.Account{}, err
	}
	account, stored, err := a.accountTyped(ctx, typed)
	if err != nil || stored != hash || !account.Active() {
		return mailing.Account{}, wrap(err, "confirm here")
	}
	return account, nil
}

// registeredHere is the hash of the password of what was registered from this browser and
// waits for its code; empty: nothing was. Each hash has a salt of its own, so no other
// password has the same.
func (a *App) registeredHere(ctx context.Context, from Visitor, typed string) (string, error) {
	if from.Browser == "" {
		return "", nil
	}
	account, _, err := a.accountTyped(ctx, typed)
	if err != nil || account.ID == 0 {
		return "", err
	}
	waiting, err := a.waiting(ctx, account)
	r, _ := fromBrowser(waiting, from.Browser)
	return r.PasswordHash, err
}

// accountTyped is the account with an address, and its password's hash; ID 0: there is none.
func (a *App) accountTyped(ctx context.Context, typed string) (mailing.Account, string, error) {
	email, err := mailing.NormalizeEmail(typed)
	if err != nil {
		return mailing.Account{}, "", nil // Confirm has an answer for it
	}
	account, hash, err := a.store.AccountByEmail(ctx, email)
	if mailing.KindOf(err) == mailing.NotFound {
		err = nil
	}
	return account, hash, err
}
