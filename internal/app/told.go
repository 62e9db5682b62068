package app

import (
	"cmp"
	"context"
	"strconv"

	"vestnik/internal/mailing"
	"vestnik/internal/store"
)

// telling has a person be mailed of the deed that comes next in the context: in one
// transaction with it.
func (a *App) telling(ctx context.Context, to mailing.Account, name string, vars map[string]any) (context.Context, error) {
	m, err := a.own(to, name, vars)
	return store.WithNotice(ctx, m), wrap(err, "notice")
}

// tellingOwner has the owner of a mailing be mailed what somebody else does to it, in
// their own language: who, and why. What one does oneself is no news.
func (a *App) tellingOwner(ctx context.Context, actor mailing.Account, m mailing.Mailing, mail, why string) (context.Context, error) {
	if actor.ID == m.OwnerID {
		return ctx, nil
	}
	owner, err := a.store.Account(ctx, m.OwnerID)
	if err != nil {
		return ctx, wrap(err, "tell owner")
	}
	message, err := a.store.Message(ctx, m.MessageID)
	if err != nil {
		return ctx, wrap(err, "tell owner")
	}
	return a.telling(ctx, owner, mail, map[string]any{
		"subject": message.Subject, "who": whoIs(actor), "why": cmp.Or(why, unsaid),
		"link": a.BaseURL + "/mailings/" + strconv.FormatInt(m.ID, 10),
	})
}

// tellingBlocked has a person be mailed, in their own language, that somebody blocks
// them, who it is and why: on the pages they cannot read it any more. It leaves although
// their own mailings do not.
func (a *App) tellingBlocked(ctx context.Context, actor, blocked mailing.Account, why string) (context.Context, error) {
	return a.telling(ctx, blocked, mailBlocked, map[string]any{"who": whoIs(actor), "why": cmp.Or(why, unsaid)})
}

// tellingUnblocked has a person be mailed that they may sign in again.
func (a *App) tellingUnblocked(ctx context.Context, actor, unblocked mailing.Account) (context.Context, error) {
	return a.telling(ctx, unblocked, mailUnblocked, map[string]any{"who": whoIs(actor), "link": a.BaseURL + "/login"})
}

// whoIs names somebody who keeps order so that they can be asked.
func whoIs(actor mailing.Account) string {
	if name := actor.Name(); actor.Email != "" && name != actor.Email {
		return name + " (" + actor.Email + ")"
	}
	return actor.Name()
}
