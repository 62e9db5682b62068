package app

import (
	"cmp"
	"context"
	"strconv"

	"vestnik/internal/mailing"
)

// tellOwner mails the owner of a mailing what somebody else has done to it, in their
// own language: who, and why. What one does oneself is no news.
func (a *App) tellOwner(ctx context.Context, actor mailing.Account, m mailing.Mailing, mail, why string) error {
	if actor.ID == m.OwnerID {
		return nil
	}
	owner, err := a.store.Account(ctx, m.OwnerID)
	if err != nil {
		return wrap(err, "tell owner")
	}
	message, err := a.store.Message(ctx, m.MessageID)
	if err != nil {
		return wrap(err, "tell owner")
	}
	return a.mail(ctx, owner, mail, map[string]any{
		"subject": message.Subject, "who": whoIs(actor), "why": cmp.Or(why, unsaid),
		"link": a.BaseURL + "/mailings/" + strconv.FormatInt(m.ID, 10),
	})
}

// TellBlocked mails a person, in their own language, that somebody has blocked them,
// who it was and why: on the pages they cannot read it any more. It leaves although
// their own mailings do not.
func (a *App) TellBlocked(ctx context.Context, actor, blocked mailing.Account, why string) error {
	return a.mail(ctx, blocked, mailBlocked, map[string]any{"who": whoIs(actor), "why": cmp.Or(why, unsaid)})
}

// TellUnblocked mails a person that they may sign in again.
func (a *App) TellUnblocked(ctx context.Context, actor, unblocked mailing.Account) error {
	return a.mail(ctx, unblocked, mailUnblocked, map[string]any{"who": whoIs(actor), "link": a.BaseURL + "/login"})
}

// whoIs names somebody who keeps order so that they can be asked.
func whoIs(actor mailing.Account) string {
	if name := actor.Name(); actor.Email != "" && name != actor.Email {
		return name + " (" + actor.Email + ")"
	}
	return actor.Name()
}
