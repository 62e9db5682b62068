package app

import (
	"context"
	"strings"

	"vestnik/internal/auth"
	"vestnik/internal/compose"
	"vestnik/internal/compose/dkim"
	"vestnik/internal/mailing"
)

// TestBegins is the name of no step: it tells that the settings are complete and the test
// begins. StepDelivered is the last step, a mail to whoever tests.
const (
	TestBegins    = ""
	StepDelivered = "delivered"
)

const mailRelayTest = "relay_test" // relay

// TestRelayWithMail is TestRelay, and when all goes well it sends the actor a mail, which
// tells more than any answer of a server: it can be looked at.
func (a *App) TestRelayWithMail(ctx context.Context, actor mailing.Account, r RelaySettings, step func(name string, err error)) error {
	r, err := a.checkedRelay(ctx, actor, r)
	if err != nil {
		return err
	}
	step(TestBegins, nil)
	failed := false
	a.CheckRelay(ctx, r, func(name string, err error) {
		failed = failed || err != nil
		step(name, err)
	})
	if failed {
		return nil
	}
	message, err := a.relayTestMail(ctx, actor, r)
	if err != nil {
		return wrap(err, "test relay")
	}
	// A mail leaves in the name of the sender's address: it is written down before, so that
	// nobody can do it and hang up.
	deed := mailing.Deed{Action: "relay.test", Thing: relayThing(r), After: mailing.Facts{"to": mailing.MaskEmail(actor.Email)}}
	if err := a.store.PutDeed(a.doing(ctx, actor, deed)); err != nil {
		return err
	}
	step(StepDelivered, a.MailRelay(ctx, r, actor.Email, message))
	return nil
}

// relayTestMail makes the mail, signed as others of its sender are.
func (a *App) relayTestMail(ctx context.Context, to mailing.Account, r RelaySettings) ([]byte, error) {
	content, err := ownMail(to.Lang, mailRelayTest)
	if err != nil {
		return nil, err
	}
	_, domain, _ := strings.Cut(r.FromEmail, "@")
	signer, err := a.signerOf(ctx, domain)
	if err != nil {
		return nil, err
	}
	template, err := compose.Compile(compose.Source{
		Subject: content.Subject, Body: content.Body, Format: content.Format, Lang: to.Lang,
		From: compose.Address{Name: r.FromName, Email: r.FromEmail}, Signer: signer,
	})
	if err != nil {
		return nil, err
	}
	return template.Render(nil, compose.Recipient{
		Email: to.Email, FirstName: to.FirstName, LastName: to.LastName, Date: a.Now(),
		MessageID: "test-" + auth.NewToken()[:16] + "@" + domain,
		Vars:      map[string]any{"relay": r.Name, "site": a.BaseURL},
	})
}

// signerOf is who signs mails of a domain: its own keys, or those of the nearest one above
// it; nil: nobody. A key that cannot be unsealed signs nothing, as when mails are sent.
func (a *App) signerOf(ctx context.Context, domain string) (*dkim.Signer, error) {
	keys, err := a.SigningKeysInUse(ctx)
	if err != nil {
		return nil, err
	}
	signers, _ := a.Signers(keys)
	for domain != "" {
		if signer := signers[domain]; signer != nil {
			return signer, nil
		}
		_, domain, _ = strings.Cut(domain, ".")
	}
	return nil, nil
}
