package app

import (
	"context"
	"strings"

	"vestnik/internal/compose"
	"vestnik/internal/mailing"
)

// MessageForm is what a person writes.
type MessageForm struct {
	Subject string
	Format  mailing.Format
	Body    string
}

func (f *MessageForm) check() error {
	// PostgreSQL stores no NUL.
	f.Subject, f.Body = strings.ReplaceAll(f.Subject, "\x00", ""), strings.ReplaceAll(f.Body, "\x00", "")
	f.Subject = strings.TrimSpace(f.Subject)
	f.Body = strings.ReplaceAll(f.Body, "\r\n", "\n")
	if !f.Format.Valid() {
		return mailing.Problems{mailing.FieldFault(mailing.Invalid, "format", "choice_unknown")}
	}
	return compose.Check(f.Subject, f.Body, f.Format)
}

// Messages lists messages, sorted by subject, created or updated.
func (a *App) Messages(ctx context.Context, actor mailing.Account, everyone bool, page Page) ([]mailing.Message, int64, error) {
	owner, err := scope(actor, everyone, mailing.ChangeAnything)
	if err != nil {
		return nil, 0, err
	}
	return a.store.Messages(ctx, owner, page)
}

// Message returns a message that the actor may see: their own, or as a manager
// any, since they may see any mailing.
func (a *App) Message(ctx context.Context, actor mailing.Account, id int64) (mailing.Message, error) {
	m, err := a.store.Message(ctx, id)
	if err != nil {
		return mailing.Message{}, err
	}
	if err := mayView(actor, m.OwnerID, mailing.ViewAnyMailing); err != nil {
		return mailing.Message{}, err
	}
	return m, nil
}

// MayChangeMessage reports whether the actor may edit and delete the message.
func MayChangeMessage(actor mailing.Account, m mailing.Message) bool {
	return mayChange(actor, m.OwnerID, mailing.ViewAnyMailing) == nil
}

func (a *App) changeableMessage(ctx context.Context, actor mailing.Account, id int64) (mailing.Message, error) {
	m, err := a.store.Message(ctx, id)
	if err != nil {
		return mailing.Message{}, err
	}
	if err := mayChange(actor, m.OwnerID, mailing.ViewAnyMailing); err != nil {
		return mailing.Message{}, err
	}
	return m, nil
}

// CreateMessage adds a message to the actor's.
func (a *App) CreateMessage(ctx context.Context, actor mailing.Account, f MessageForm) (mailing.Message, error) {
	if err := f.check(); err != nil {
		return mailing.Message{}, err
	}
	m := mailing.Message{
		OwnerID: actor.ID, Subject: f.Subject, Format: f.Format, Body: f.Body, CreatedAt: a.Now(), UpdatedAt: a.Now(),
	}
	ctx = a.doing(ctx, actor, mailing.Deed{
		Action: "message.create", Thing: messageThing(m), Owner: actor.ID, After: messageFacts(m),
	})
	id, err := a.store.CreateMessage(ctx, m)
	m.ID = id
	return m, err
}

// UpdateMessage changes a message. Runs that are open go on with what it said
// when they were opened.
func (a *App) UpdateMessage(ctx context.Context, actor mailing.Account, id int64, f MessageForm) (mailing.Message, error) {
	m, err := a.changeableMessage(ctx, actor, id)
	if err != nil {
		return m, err
	}
	if err := f.check(); err != nil {
		return m, err
	}
	was, thing := messageFacts(m), messageThing(m)
	m.Subject, m.Format, m.Body, m.UpdatedAt = f.Subject, f.Format, f.Body, a.Now()
	before, after := changes(was, messageFacts(m))
	if len(after) == 0 {
		return m, nil
	}
	return m, a.store.UpdateMessage(a.doing(ctx, actor, mailing.Deed{
		Action: "message.update", Thing: thing, Owner: m.OwnerID, Before: before, After: after,
	}), m)
}

// DeleteMessage removes a message that no mailing uses.
func (a *App) DeleteMessage(ctx context.Context, actor mailing.Account, id int64) error {
	m, err := a.changeableMessage(ctx, actor, id)
	if err != nil {
		return err
	}
	return a.store.DeleteMessage(a.doing(ctx, actor, mailing.Deed{
		Action: "message.delete", Thing: messageThing(m), Owner: m.OwnerID, Before: messageFacts(m),
	}), id)
}

// MessageWarnings are hints about a message that may be sent as it is: merge
// fields that nobody has, and that will be empty.
func (a *App) MessageWarnings(m mailing.Message) mailing.Problems {
	return compose.Warnings(m.Subject, m.Body, compose.Known()...)
}

// Preview is a message as one recipient will see it. HTML is empty for a text
// message; it is not sanitised and belongs into a sandboxed frame.
type Preview struct {
	Subject, HTML, Text string
	Warnings            mailing.Problems // merge fields that nobody has
}

// PreviewMessage shows a message, as it is being written, for one of the actor's
// contacts, or for an example person when contactID is 0.
func (a *App) PreviewMessage(ctx context.Context, actor mailing.Account, f MessageForm, contactID int64) (Preview, error) {
	if err := f.check(); err != nil {
		return Preview{}, err
	}
	contact, err := a.previewContact(ctx, actor, contactID)
	if err != nil {
		return Preview{}, err
	}
	template, err := compose.Compile(compose.Source{
		Subject: f.Subject, Body: f.Body, Format: f.Format, Lang: actor.Lang, Unsubscribe: true,
		From: compose.Address{Email: "preview@localhost"},
	})
	if err != nil {
		return Preview{}, err
	}
	p := Preview{Warnings: a.MessageWarnings(mailing.Message{Subject: f.Subject, Body: f.Body})}
	p.Subject, p.HTML, p.Text, err = template.Preview(compose.Recipient{
		Email: contact.Email, FirstName: contact.FirstName, LastName: contact.LastName, Comment: contact.Comment,
		UnsubscribeURL: a.BaseURL + "/unsubscribe/preview", Date: a.Now(),
	})
	return p, err
}

func (a *App) previewContact(ctx context.Context, actor mailing.Account, id int64) (mailing.Contact, error) {
	if id != 0 {
		return a.Contact(ctx, actor, id)
	}
	if actor.Lang == "ru" {
		return mailing.Contact{Email: "anna@example.org", FirstName: "Анна", LastName: "Иванова"}, nil
	}
	return mailing.Contact{Email: "anna@example.org", FirstName: "Anna", LastName: "Smith"}, nil
}

// SendTest sends a message, as it is being written, to any address, with the
// fields of one of the actor's contacts or of an example person.
func (a *App) SendTest(ctx context.Context, actor mailing.Account, f MessageForm, to string, contactID int64) error {
	var problems mailing.Problems
	if err := problems.AddError("", f.check()); err != nil {
		return err
	}
	email, err := mailing.NormalizeEmail(to)
	if err := problems.AddError("to", err); err != nil {
		return err
	}
	if err := problems.Err(); err != nil {
		return err
	}
	contact, err := a.previewContact(ctx, actor, contactID)
	if err != nil {
		return err
	}
	ok, err := a.store.Spend(ctx, "test:"+actor.Email, TestBudget, budgetHour, a.Now())
	if err != nil {
		return wrap(err, "send test")
	}
	if !ok {
		return mailing.Fault(mailing.Limited, "too_many_requests")
	}
	ctx = a.doing(ctx, actor, mailing.Deed{
		Action: "message.test", Thing: mailing.Thing{Kind: mailing.ThingMessage, Name: f.Subject}, Owner: actor.ID,
		After: mailing.Facts{"to": mailing.MaskEmail(email)},
	})
	m, err := a.single(mailing.Run{
		OwnerID: actor.ID, Kind: mailing.RunTest, Lang: actor.Lang,
		Priority: mailing.PriorityTest, Doubt: mailing.NeverTwice, Unsubscribe: true,
	}, content(f), email, map[string]any{
		"first_name": contact.FirstName, "last_name": contact.LastName, "comment": contact.Comment,
		"email": contact.Email, "unsubscribe_url": a.BaseURL + "/unsubscribe/preview",
	})
	if err != nil {
		return wrap(err, "send test")
	}
	_, err = a.store.OpenSingleRun(ctx, m)
	return wrap(err, "send test")
}

// TestBudget is how many test mails a person may send an hour: enough to polish
// a message, too few to mail a list by.
const TestBudget = 60
