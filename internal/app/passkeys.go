package app

import (
	"context"
	"encoding/json"
	"slices"
	"time"
	"unicode/utf8"

	"vestnik/internal/auth"
	"vestnik/internal/mailing"
	"vestnik/internal/store"
)

// MaxPasskeys is how many passkeys a person may have; chosen, more than devices.
const MaxPasskeys = 20

// askedFor is how long a person has to answer their browser: as long as the standard
// advises (Web Authentication Level 3, section 15.1).
const askedFor = 5 * time.Minute

// Challenge is what a browser is asked. Options go to it as JSON; State is to be kept on
// this side, and to be used once.
type Challenge struct{ Options, State string }

// The questions, so that the answer to one is none to another.
const (
	toMake   = "make"
	toProve  = "prove"
	toSignIn = "sign in"
)

// sealedState is a State before it is sealed.
type sealedState struct {
	Text  string
	Until time.Time
}

func (a *App) challenge(question string, accountID int64, options, state string, err error) (Challenge, error) {
	if err != nil {
		return Challenge{}, wrap(err, "ask for passkey")
	}
	text, err := json.Marshal(sealedState{state, a.Now().Add(askedFor)})
	if err != nil {
		return Challenge{}, wrap(err, "ask for passkey")
	}
	return Challenge{Options: options, State: a.keys.Seal("passkey state", question+" "+idText(accountID), text)}, nil
}

// stateOf opens the State of a question to the account; 0: to anybody.
func (a *App) stateOf(question string, accountID int64, sealed string) (string, error) {
	gone := mailing.Fault(mailing.Invalid, "passkey_late")
	text, err := a.keys.Open("passkey state", question+" "+idText(accountID), sealed)
	if err != nil {
		return "", gone.Because(err)
	}
	var state sealedState
	if err := json.Unmarshal(text, &state); err != nil {
		return "", wrap(err, "read state of a passkey")
	}
	if a.Now().After(state.Until) {
		return "", gone
	}
	return state.Text, nil
}

// havePasskeys refuses where browsers allow none.
func (a *App) havePasskeys() error {
	if a.passkeys == nil {
		return mailing.Fault(mailing.Conflict, "passkeys_nowhere")
	}
	return nil
}

// holder is the account with the records of its passkeys.
func (a *App) holder(account mailing.Account, keys []store.SealedPasskey) (auth.Holder, error) {
	h := auth.Holder{ID: account.ID, Email: account.Email, Name: account.Name()}
	for _, key := range keys {
		record, err := a.keys.Open(purposePasskey, key.CredentialID, key.Sealed)
		if err != nil {
			return h, wrap(err, "open passkey")
		}
		h.Records = append(h.Records, string(record))
	}
	return h, nil
}

func (a *App) holderOf(ctx context.Context, account mailing.Account) (auth.Holder, []store.SealedPasskey, error) {
	keys, err := a.store.Passkeys(ctx, account.ID)
	if err != nil {
		return auth.Holder{}, nil, err
	}
	h, err := a.holder(account, keys)
	return h, keys, err
}

// BeginPasskey asks the actor's browser for a new passkey.
func (a *App) BeginPasskey(ctx context.Context, actor mailing.Account) (Challenge, error) {
	if err := a.havePasskeys(); err != nil {
		return Challenge{}, err
	}
	h, keys, err := a.holderOf(ctx, actor)
	if err != nil {
		return Challenge{}, err
	}
	if len(keys) >= MaxPasskeys {
		return Challenge{}, mailing.Fault(mailing.Conflict, "passkeys_many", "max", MaxPasskeys)
	}
	options, state, err := a.passkeys.Make(h)
	return a.challenge(toMake, actor.ID, options, state, err)
}

// AddPasskey stores the passkey with which the browser has answered BeginPasskey. If it
// is the first second factor, it returns recovery codes.
func (a *App) AddPasskey(ctx context.Context, actor mailing.Account, state, answer, name string) ([]string, error) {
	name, err := checkPasskeyName(name)
	if err != nil {
		return nil, err
	}
	if err := a.havePasskeys(); err != nil {
		return nil, err
	}
	opened, err := a.stateOf(toMake, actor.ID, state)
	if err != nil {
		return nil, err
	}
	h, _, err := a.holderOf(ctx, actor)
	if err != nil {
		return nil, err
	}
	made, err := a.passkeys.Made(h, opened, answer)
	if err != nil {
		return nil, err
	}
	if ctx, err = a.tellingOf(ctx, actor, mailPasskeyAdded, map[string]any{"passkey": name}); err != nil {
		return nil, err
	}
	codes, hashes := a.newRecoveryCodes(actor.ID)
	deed := onSelf(actor, "account.add_passkey")
	deed.After = mailing.Facts{"name": name}
	first, err := a.store.AddPasskey(a.doing(ctx, actor, deed), store.SealedPasskey{
		Passkey:      mailing.Passkey{AccountID: actor.ID, Name: name, CreatedAt: a.Now()},
		CredentialID: made.CredentialID, Sealed: a.keys.Seal(purposePasskey, made.CredentialID, []byte(made.Record)),
	}, hashes)
	if err != nil {
		return nil, err
	}
	if !first {
		codes = nil
	}
	return codes, nil
}

func checkPasskeyName(typed string) (string, error) {
	name := mailing.CleanLine(typed)
	switch {
	case name == "":
		return "", mailing.FieldFault(mailing.Invalid, "name", "required")
	case utf8.RuneCountInString(name) > mailing.MaxNameRunes:
		return "", mailing.FieldFault(mailing.Invalid, "name", "text_too_long", "max", mailing.MaxNameRunes)
	}
	return name, nil
}

// passkey finds a passkey of the actor's; to others it is not there.
func (a *App) passkey(ctx context.Context, actor mailing.Account, id int64) (mailing.Passkey, error) {
	keys, err := a.store.Passkeys(ctx, actor.ID)
	for _, key := range keys {
		if key.ID == id {
			return key.Passkey, nil
		}
	}
	if err == nil {
		err = mailing.Fault(mailing.NotFound, "not_found")
	}
	return mailing.Passkey{}, err
}

// RenamePasskey calls a passkey of the actor's something else.
func (a *App) RenamePasskey(ctx context.Context, actor mailing.Account, id int64, name string) error {
	key, err := a.passkey(ctx, actor, id)
	if err != nil {
		return err
	}
	was := key.Name
	if key.Name, err = checkPasskeyName(name); err != nil || key.Name == was {
		return err
	}
	deed := onSelf(actor, "account.rename_passkey")
	deed.Before, deed.After = mailing.Facts{"name": was}, mailing.Facts{"name": key.Name}
	return a.store.RenamePasskey(a.doing(ctx, actor, deed), key)
}

// RemovePasskey forgets a passkey of the actor's.
func (a *App) RemovePasskey(ctx context.Context, actor mailing.Account, id int64) error {
	key, err := a.passkey(ctx, actor, id)
	if err != nil {
		return err
	}
	deed := onSelf(actor, "account.remove_passkey")
	deed.Before = mailing.Facts{"name": key.Name}
	if ctx, err = a.tellingOf(ctx, actor, mailPasskeyRemoved, map[string]any{"passkey": key.Name}); err != nil {
		return err
	}
	return a.store.RemovePasskey(a.doing(ctx, actor, deed), key)
}

// AskPasskey asks for one of the account's passkeys: as its second factor, or to prove
// once more who is there.
func (a *App) AskPasskey(ctx context.Context, account mailing.Account) (Challenge, error) {
	if err := a.havePasskeys(); err != nil {
		return Challenge{}, err
	}
	h, keys, err := a.holderOf(ctx, account)
	if err != nil {
		return Challenge{}, err
	}
	if len(keys) == 0 {
		return Challenge{}, mailing.Fault(mailing.Conflict, "factors_none")
	}
	options, state, err := a.passkeys.Ask(h)
	return a.challenge(toProve, account.ID, options, state, err)
}

// ProvePasskey checks the answer to AskPasskey. Answers have no budget: nobody guesses one,
// and whoever used it up would lock out those who need not.
func (a *App) ProvePasskey(ctx context.Context, account mailing.Account, state, answer string) error {
	if err := a.havePasskeys(); err != nil {
		return err
	}
	opened, err := a.stateOf(toProve, account.ID, state)
	if err != nil {
		return err
	}
	h, keys, err := a.holderOf(ctx, account)
	if err != nil {
		return err
	}
	proof, err := a.passkeys.Check(h, opened, answer)
	if err != nil {
		return err
	}
	return a.usePasskey(ctx, keys, proof)
}

func (a *App) usePasskey(ctx context.Context, keys []store.SealedPasskey, p auth.Proof) error {
	i := slices.IndexFunc(keys, func(key store.SealedPasskey) bool { return key.CredentialID == p.CredentialID })
	if i < 0 {
		return mailing.Fault(mailing.Invalid, "passkey_refused")
	}
	return a.store.UsePasskey(ctx, keys[i], a.keys.Seal(purposePasskey, p.CredentialID, []byte(p.Record)), a.Now())
}

// AskToSignIn asks for a passkey of whoever is there. Every question is kept for a while, so
// that a household has so many.
func (a *App) AskToSignIn(ctx context.Context, from Visitor) (Challenge, error) {
	if err := a.spendAt(ctx, "passkey:"+from.Address, PasskeyBudget); err != nil {
		return Challenge{}, err
	}
	if err := a.havePasskeys(); err != nil {
		return Challenge{}, err
	}
	options, state, err := a.passkeys.AskAnybody()
	return a.challenge(toSignIn, 0, options, state, err)
}

// SignInByPasskey returns the account whose passkey has answered AskToSignIn. The device
// has made sure who holds it, so that nothing else is asked for.
func (a *App) SignInByPasskey(ctx context.Context, state, answer string) (mailing.Account, error) {
	if err := a.havePasskeys(); err != nil {
		return mailing.Account{}, err
	}
	opened, err := a.stateOf(toSignIn, 0, state)
	if err != nil {
		return mailing.Account{}, err
	}
	var account mailing.Account
	var keys []store.SealedPasskey
	proof, err := a.passkeys.CheckAnybody(opened, answer, func(id int64) (h auth.Holder, err error) {
		account, err = a.store.Account(ctx, id)
		if mailing.KindOf(err) == mailing.NotFound {
			return h, mailing.Fault(mailing.Invalid, "passkey_refused")
		}
		if err == nil {
			h, keys, err = a.holderOf(ctx, account)
		}
		return h, err
	})
	if err != nil {
		return mailing.Account{}, err
	}
	if !account.BlockedAt.IsZero() {
		return mailing.Account{}, mailing.Fault(mailing.Forbidden, "account_blocked")
	}
	return account, a.usePasskey(ctx, keys, proof)
}
