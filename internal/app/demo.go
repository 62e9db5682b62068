package app

import (
	"context"
	"strings"

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

// demoCodes is among how many of the latest mails to an address its code is looked for. Chosen.
const demoCodes = 5

// DemoCode reads the code that confirms an address out of the demo mailbox, for who may read
// it; empty while there is none that can be used.
func (a *App) DemoCode(ctx context.Context, actor mailing.Account, from Visitor, email string) (string, error) {
	account, _, err := a.accountTyped(ctx, email)
	if err != nil || account.ID == 0 {
		return "", err
	}
	waiting, err := a.waiting(ctx, account)
	if err != nil || len(waiting) == 0 {
		return "", err
	}
	mails, _, err := a.DemoMails(ctx, actor, from, Page{Search: email, Limit: demoCodes})
	if err != nil {
		return "", err
	}
	for _, kept := range mails {
		m, err := a.DemoMail(ctx, actor, from, kept.ID)
		if err != nil {
			return "", err
		}
		code := a.CodeOfProof(email, proofIn(m.Parsed.Text, a.confirmPage(email)))
		if code == "" {
			continue
		}
		if _, usable, err := a.codeIsOf(ctx, account, waiting, code); err != nil || usable {
			return code, err
		}
	}
	return "", nil
}

// proofIn is what a link to the page carries in the text of a mail; empty: there is none.
func proofIn(text, page string) string {
	_, after, _ := strings.Cut(text, page+proofParam)
	if end := strings.IndexAny(after, " \t\r\n)>]"); end >= 0 {
		return after[:end]
	}
	return after
}
