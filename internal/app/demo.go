package app

import (
	"context"

	"vestnik/internal/compose"
	"vestnik/internal/mailing"
	"vestnik/internal/store"
)

// DemoMail is a kept mail, read.
type DemoMail struct {
	store.DemoMail
	Parsed compose.Parsed
}

// MayReadDemo reports whether somebody may read the demo mailbox, which holds
// everybody's codes. On one's own machine anybody in front of it may, even before
// there is an account; elsewhere only who could set up where mail goes.
func MayReadDemo(actor mailing.Account, from Visitor) bool {
	return from.Loopback || actor.Role.May(mailing.ManageRelays)
}

func checkReadDemo(actor mailing.Account, from Visitor) error {
	if !MayReadDemo(actor, from) {
		return mailing.Fault(mailing.NotFound, "not_found")
	}
	return nil
}

// DemoMails lists kept mails without their data, newest first.
func (a *App) DemoMails(ctx context.Context, actor mailing.Account, from Visitor, page Page) ([]store.DemoMail, int64, error) {
	if err := checkReadDemo(actor, from); err != nil {
		return nil, 0, err
	}
	if page.Sort == "" {
		page.Desc = true
	}
	return a.store.DemoMails(ctx, page)
}

// DemoMail returns a kept mail.
func (a *App) DemoMail(ctx context.Context, actor mailing.Account, from Visitor, id int64) (DemoMail, error) {
	if err := checkReadDemo(actor, from); err != nil {
		return DemoMail{}, err
	}
	m, err := a.store.DemoMail(ctx, id)
	if err != nil {
		return DemoMail{}, err
	}
	parsed, err := compose.Parse(m.Data)
	return DemoMail{DemoMail: m, Parsed: parsed}, err
}
