package app

import (
	"context"
	"slices"
	"time"

	"vestnik/internal/mailing"
)

// ExampleSet is what somebody is shown who wants to see how Vestnik works before there is
// anything of their own.
type ExampleSet struct {
	Contacts []mailing.Contact
	Message  MessageForm
}

// AddExamples gives a person clients, a message to them and a mailing of it that is due at
// once. It is a conflict, "examples_leave", where mails leave: nobody has the clients'
// addresses; demo says that they stay here.
func (a *App) AddExamples(ctx context.Context, actor mailing.Account, demo bool) error {
	if !demo {
		return mailing.Fault(mailing.Conflict, "examples_leave")
	}
	set, err := a.Examples(actor.Lang)
	if err != nil {
		return wrap(err, "examples")
	}
	things, err := a.makeExamples(ctx, actor, set)
	if len(things) == 0 {
		return err
	}
	// What was made can be removed, also when it broke off.
	kept := a.NoteExamples(context.WithoutCancel(ctx), actor, things)
	if err == nil {
		err = kept
	}
	return err
}

// NoteExamples has things of a person's be examples.
func (a *App) NoteExamples(ctx context.Context, actor mailing.Account, things []mailing.Thing) error {
	return wrap(a.store.PutExamples(a.doing(ctx, actor, mailing.Deed{
		Action: "examples.add", Thing: accountThing(actor), Owner: actor.ID,
	}), actor.ID, things), "examples")
}

// ExamplesLeave is the reason of a mailing that was paused since mails leave: nobody has the
// addresses it goes to. It is a word for programs.
const ExamplesLeave = "examples_leave"

// PauseExamples pauses everybody's mailings that are examples, before mails leave by a real
// server. Who wants one of them all the same changes or resumes it: then it is an example
// no more, and is not paused the next time.
func (a *App) PauseExamples(ctx context.Context, actor mailing.Account) error {
	ids, err := a.store.ExampleMailings(ctx)
	if err != nil {
		return err
	}
	for _, id := range ids {
		m, err := a.store.Mailing(ctx, id)
		if mailing.KindOf(err) == mailing.NotFound {
			continue // somebody has deleted it
		}
		if err == nil {
			err = a.pause(ctx, actor, m, ExamplesLeave)
		}
		if err != nil && mailing.KindOf(err) != mailing.Conflict { // it is over, paused or disabled already
			return err
		}
	}
	return nil
}

// keepExamples keeps examples from leaving by a relay that is to be used. It comes before
// the relay is stored: from then on any node may send by it, also when this one dies.
func (a *App) keepExamples(ctx context.Context, actor mailing.Account, r RelaySettings) error {
	if !r.Enabled {
		return nil
	}
	return a.PauseExamples(ctx, actor)
}

// noExample is for a mailing that somebody has made theirs.
func (a *App) noExample(ctx context.Context, mailingID int64) error {
	return a.store.ForgetExample(ctx, mailing.ThingMailing, mailingID)
}

func (a *App) makeExamples(ctx context.Context, actor mailing.Account, set ExampleSet) (made []mailing.Thing, err error) {
	var ids []int64
	for _, c := range set.Contacts {
		contact, err := a.CreateContact(ctx, actor, c)
		if mailing.KindOf(err) == mailing.Conflict {
			continue // it is a client of theirs already
		}
		if err != nil {
			return made, err
		}
		ids = append(ids, contact.ID)
		made = append(made, mailing.Thing{Kind: mailing.ThingContact, ID: contact.ID})
	}
	message, err := a.CreateMessage(ctx, actor, set.Message)
	if err != nil {
		return made, err
	}
	made = append(made, mailing.Thing{Kind: mailing.ThingMessage, ID: message.ID})
	zone, err := mailing.LoadZone(actor.Zone)
	if err != nil {
		return made, err
	}
	m, err := a.CreateMailing(ctx, actor, MailingForm{
		MessageID: message.ID, Audience: mailing.AudienceChosen, ContactIDs: ids, Doubt: mailing.NeverTwice,
		Weight: mailing.WeightNormal, Rule: atOnce(a.Now().In(zone), actor.Zone),
	})
	if err != nil {
		return made, err
	}
	return append(made, mailing.Thing{Kind: mailing.ThingMailing, ID: m.ID}), nil
}

// atOnce is a rule that is due in the minute that runs.
func atOnce(now time.Time, zone string) mailing.Rule {
	return mailing.Rule{
		Frequency: mailing.Once, Start: mailing.DateOf(now), Zone: zone,
		At: mailing.Clock{Hour: now.Hour(), Minute: now.Minute()},
	}
}

// HasExamples reports whether a person has examples to remove.
func (a *App) HasExamples(ctx context.Context, actor mailing.Account) (bool, error) {
	things, err := a.store.Examples(ctx, actor.ID)
	return len(things) > 0, err
}

// RemoveExamples removes what AddExamples has made, except what the person has put to use:
// a message that a mailing of theirs has stays.
func (a *App) RemoveExamples(ctx context.Context, actor mailing.Account) error {
	things, err := a.store.Examples(ctx, actor.ID)
	if err != nil || len(things) == 0 {
		return err
	}
	var contacts []int64
	for _, thing := range things {
		switch thing.Kind {
		case mailing.ThingMailing:
			err = a.DeleteMailing(ctx, actor, thing.ID)
		case mailing.ThingMessage:
			err = a.DeleteMessage(ctx, actor, thing.ID)
		default:
			contacts = append(contacts, thing.ID)
		}
		if err != nil && !slices.Contains([]mailing.Kind{mailing.NotFound, mailing.Conflict}, mailing.KindOf(err)) {
			return err
		}
	}
	if len(contacts) > 0 {
		if _, err := a.DeleteContacts(ctx, actor, contacts); err != nil {
			return err
		}
	}
	return a.store.ForgetExamples(a.doing(ctx, actor, mailing.Deed{
		Action: "examples.remove", Thing: accountThing(actor), Owner: actor.ID,
	}), actor.ID)
}
