package app

import (
	"context"

	"vestnik/internal/auth"
	"vestnik/internal/mailing"
)

// Sessions lists where the actor is signed in, the last seen first.
func (a *App) Sessions(ctx context.Context, actor mailing.Account) ([]mailing.Session, error) {
	return a.store.AccountSessions(ctx, actor.ID, a.Now())
}

// EndSession signs the actor out in one place.
func (a *App) EndSession(ctx context.Context, actor mailing.Account, id int64) error {
	ctx, err := a.tellingOf(ctx, actor, mailSessionsEnded, nil)
	if err != nil {
		return err
	}
	return a.store.EndSessionOf(a.doing(ctx, actor, onSelf(actor, "account.end_session")), actor.ID, id)
}

// EndOtherSessions signs the actor out everywhere but in the session with the key, and
// returns the era in which that one goes on.
func (a *App) EndOtherSessions(ctx context.Context, actor mailing.Account, key string) (era int64, err error) {
	if ctx, err = a.tellingOf(ctx, actor, mailSessionsEnded, nil); err != nil {
		return 0, err
	}
	return a.store.EndOtherSessions(a.doing(ctx, actor, onSelf(actor, "account.end_other_sessions")), actor, key)
}

// PasswordChange is what the form asks for.
type PasswordChange struct{ Old, New, Again string }

// ChangePassword sets the actor's password, and signs them out everywhere but in the
// session with the key. It returns the era in which that one goes on.
func (a *App) ChangePassword(ctx context.Context, from Visitor, actor mailing.Account, key string, c PasswordChange) (era int64, err error) {
	var problems mailing.Problems
	err = auth.CheckPassword(c.New, actor.Email, actor.FirstName, actor.LastName)
	if err := problems.AddError("password", err); err != nil {
		return 0, err
	}
	if c.New != c.Again {
		problems.Add("again", "passwords_differ")
	}
	if err := problems.Err(); err != nil {
		return 0, err
	}
	if err := a.provePassword(ctx, from, actor, "old", c.Old); err != nil {
		return 0, err
	}
	hash, err := a.hasher.Hash(ctx, c.New)
	if err != nil {
		return 0, wrap(err, "change password")
	}
	deed := onSelf(actor, "account.change_password")
	deed.Before, deed.After = mailing.Facts{"password": mailing.Masked}, mailing.Facts{"password": mailing.Masked}
	if ctx, err = a.tellingOf(ctx, actor, mailPasswordChanged, nil); err != nil {
		return 0, err
	}
	return a.store.ChangePassword(a.doing(ctx, actor, deed), actor, hash, key)
}
