package app

import (
	"context"
	"embed"
	"encoding/json"
	"strings"

	"vestnik/internal/mailing"
	"vestnik/internal/store"
)

// The mails that Vestnik itself writes. The first line of each file is its
// subject, the rest after an empty line its text in Markdown.
//
//go:embed mails
var mails embed.FS

const (
	mailConfirm = "confirm" // code, link, open
	mailKnown   = "known"   // somebody registers an address that is registered
	mailReset   = "reset"   // link

	mailRegisterAgain = "register_again" // a code is wanted, and it is not certain for what

	mailDisabled = "mailing_disabled" // subject, who, why, link
	mailEnabled  = "mailing_enabled"  // subject, who, link

	mailBlocked   = "account_blocked"   // who, why
	mailUnblocked = "account_unblocked" // who, link
	mailInvite    = "invite"            // link, inviter
	mailEmailNew  = "email_new"         // link, old
	mailEmailOld  = "email_old"         // link, new
	mailMoved     = "email_moved"       // new

	mailRelayStopped = "relay_stopped" // relay, why, link
)

const purposeVars = "delivery vars"

// spendMail takes one of the mails that an address may get in an hour from strangers.
func (a *App) spendMail(ctx context.Context, email string) (bool, error) {
	return a.store.Spend(ctx, "mail:"+email, MailBudget, budgetHour, a.Now())
}

// mail sends one of Vestnik's own mails, by the same road as everything else.
// The values of its fields are sealed and forgotten when it is sent, since they
// open accounts.
func (a *App) mail(ctx context.Context, to mailing.Account, name string, vars map[string]any) error {
	m, err := a.own(to, name, vars)
	if err != nil {
		return wrap(err, "mail")
	}
	_, err = a.store.OpenSingleRun(ctx, m)
	return wrap(err, "mail")
}

// own makes one of Vestnik's own mails.
func (a *App) own(to mailing.Account, name string, vars map[string]any) (store.Single, error) {
	content, err := ownMail(to.Lang, name)
	if err != nil {
		return store.Single{}, err
	}
	merged := map[string]any{"first_name": to.FirstName, "last_name": to.LastName, "email": to.Email, "site": a.BaseURL}
	for key, value := range vars {
		merged[key] = value
	}
	return a.single(mailing.Run{
		OwnerID: to.ID, Kind: mailing.RunSystem, Lang: to.Lang,
		Priority: mailing.PrioritySystem, Doubt: mailing.NeverMissed,
	}, content, to.Email, merged)
}

// nameless is for an address of which nobody has shown that it is theirs: a name is text that
// whoever typed the address has chosen.
func nameless(to mailing.Account) mailing.Account {
	to.FirstName, to.LastName = "", ""
	return to
}

// single makes a run of one mail.
func (a *App) single(run mailing.Run, content store.Content, email string, vars map[string]any) (store.Single, error) {
	text, err := json.Marshal(vars)
	run.State, run.CreatedAt, run.ScheduledFor = mailing.RunOpening, a.Now(), a.Now()
	return store.Single{Run: run, Content: content, Email: email, Vars: a.keys.Seal(purposeVars, email, text)}, err
}

// OpenVars unseals the values of a single mail's fields.
func (a *App) OpenVars(email, sealed string) (map[string]any, error) {
	text, err := a.keys.Open(purposeVars, email, sealed)
	if err != nil {
		return nil, wrap(err, "open fields of a mail")
	}
	var vars map[string]any
	return vars, wrap(json.Unmarshal(text, &vars), "open fields of a mail")
}

func ownMail(lang, name string) (store.Content, error) {
	if lang != "ru" {
		lang = "en"
	}
	text, err := mails.ReadFile("mails/" + lang + "/" + name + ".md")
	if err != nil {
		return store.Content{}, err
	}
	subject, body, _ := strings.Cut(string(text), "\n\n")
	return store.Content{Subject: subject, Format: mailing.FormatMarkdown, Body: body}, nil
}
