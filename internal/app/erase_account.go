package app

import (
	"context"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/store"
)

// ErasureGrace is how long a person may take back that their account be erased: two
// weeks, as after a holiday. Chosen.
const ErasureGrace = 14 * 24 * time.Hour

// PlanErasure has the actor's account be erased after ErasureGrace, on their password:
// somebody at a screen that was left open must not. It returns when, and mails it: the one
// with the password may be somebody else. What is planned already stays.
func (a *App) PlanErasure(ctx context.Context, actor mailing.Account, password string) (time.Time, error) {
	if err := a.store.MayGo(ctx, actor.ID); err != nil {
		return time.Time{}, err
	}
	if err := a.checkOwnPassword(ctx, actor, password); err != nil {
		return time.Time{}, err
	}
	at, err := a.store.PlannedErasure(ctx, actor.ID)
	if err != nil || !at.IsZero() {
		return at, err
	}
	at = a.Now().Add(ErasureGrace)
	ctx = a.doing(ctx, actor, mailing.Deed{
		Action: "account.plan_erasure", Thing: accountThing(actor), Owner: actor.ID,
		After: mailing.Facts{"erase_at": at.UTC().Format(time.RFC3339)},
	})
	ctx, err = a.tellingOf(ctx, actor, mailErasurePlanned, map[string]any{"at": inMail(actor, at), "link": a.BaseURL + "/profile/data"})
	if err != nil {
		return at, err
	}
	return at, a.store.PlanErasure(ctx, actor.ID, a.Now(), at)
}

// CancelErasure takes it back.
func (a *App) CancelErasure(ctx context.Context, actor mailing.Account) error {
	ctx = a.doing(ctx, actor, mailing.Deed{Action: "account.keep", Thing: accountThing(actor), Owner: actor.ID})
	return a.store.CancelErasure(ctx, actor.ID)
}

// PlannedErasure is when the actor's account is to be erased; zero: it is not.
func (a *App) PlannedErasure(ctx context.Context, actor mailing.Account) (time.Time, error) {
	return a.store.PlannedErasure(ctx, actor.ID)
}

// EraseAccount erases an account at once with all that is its own: clients, messages,
// mailings, what was sent. The audit log keeps what was done, and by whom. It is for
// admins.
func (a *App) EraseAccount(ctx context.Context, actor mailing.Account, id int64) error {
	if _, err := a.ErasableAccount(ctx, actor, id); err != nil {
		return err
	}
	return a.eraseAccount(ctx, actor, id, a.store.BeginErasureNow)
}

// ErasableAccount returns an account for who may erase it.
func (a *App) ErasableAccount(ctx context.Context, actor mailing.Account, id int64) (mailing.Account, error) {
	if !actor.Role.May(mailing.ChangeAnything) {
		return mailing.Account{}, mailing.Fault(mailing.NotFound, "not_found")
	}
	return a.store.Account(ctx, id)
}

// sweepRegistrations erases accounts that nobody has confirmed in the lifetime of a
// registration: they would keep their address from others.
func (a *App) sweepRegistrations(ctx context.Context) error {
	stale, err := a.store.StaleRegistrations(ctx, a.Now().Add(-store.RegistrationLifetime), a.Now())
	if err != nil {
		return err
	}
	for _, id := range stale {
		err := a.eraseAccount(ctx, Operator, id, a.store.ShutRegistration)
		if err != nil && mailing.CodeOf(err) != "changed_meanwhile" { // whoever has just confirmed stays
			return err
		}
	}
	return nil
}

// eraseAccount has the deed go with the beginning: where what follows is broken off, Sweep
// goes on with it.
func (a *App) eraseAccount(ctx context.Context, actor mailing.Account, id int64,
	begin func(ctx context.Context, id int64, now time.Time) error,
) error {
	beginning := a.doing(ctx, actor, mailing.Deed{
		Action: "account.erase", Thing: mailing.Thing{Kind: mailing.ThingAccount, ID: id}, Owner: id,
	})
	defer a.numbersChanged(ctx, id)
	defer a.accountsChanged(ctx)
	if err := begin(beginning, id, a.Now()); err != nil {
		return err
	}
	err := a.store.EraseAccount(ctx, id, a.Now())
	if mailing.KindOf(err) == mailing.NotFound { // another process is at it, or has done it
		return nil
	}
	return err
}
