package app

import (
	"cmp"
	"context"
	"time"

	"vestnik/internal/mailing"
)

// PauseMailing stops a mailing, and a run of it that is open, until it is resumed. Of one
// that is completed there is nothing to stop but a run.
func (a *App) PauseMailing(ctx context.Context, actor mailing.Account, id int64) error {
	m, err := a.changeableMailing(ctx, actor, id)
	if err != nil {
		return err
	}
	return a.pause(ctx, actor, m, "")
}

func (a *App) pause(ctx context.Context, actor mailing.Account, m mailing.Mailing, why string) error {
	if m.Status == mailing.StatusCompleted {
		if open, err := a.hasOpenRun(ctx, m.ID); err != nil || !open {
			return cmp.Or(err, m.Refuses(mailing.EventPause))
		}
	}
	return a.turn(ctx, actor, m, mailing.EventPause, why)
}

// ResumeMailing lets a paused mailing go on: its open run where it was, its
// schedule from now.
func (a *App) ResumeMailing(ctx context.Context, actor mailing.Account, id int64) error {
	m, err := a.changeableMailing(ctx, actor, id)
	if err != nil {
		return err
	}
	if err := a.turn(ctx, actor, m, mailing.EventResume, ""); err != nil {
		return err
	}
	return a.noExample(ctx, id)
}

// DisableMailing switches a mailing off, as its owner or as somebody who keeps
// order; those say why.
func (a *App) DisableMailing(ctx context.Context, actor mailing.Account, id int64, why string) error {
	m, err := a.switchable(ctx, actor, id)
	if err != nil {
		return err
	}
	why = mailing.CleanLine(why)
	if m.OwnerID != actor.ID && why == "" {
		return mailing.FieldFault(mailing.Invalid, "why", "required")
	}
	if ctx, err = a.tellingOwner(ctx, actor, m, mailDisabled, why); err != nil {
		return err
	}
	return a.turn(ctx, actor, m, mailing.EventDisable, why)
}

// EnableMailing switches a mailing on again.
func (a *App) EnableMailing(ctx context.Context, actor mailing.Account, id int64) error {
	m, err := a.switchable(ctx, actor, id)
	if err != nil {
		return err
	}
	if !mayEnable(actor, m) {
		return mailing.Fault(mailing.Forbidden, "disabled_by_manager")
	}
	if ctx, err = a.tellingOwner(ctx, actor, m, mailEnabled, ""); err != nil {
		return err
	}
	return a.turn(ctx, actor, m, mailing.EventEnable, "")
}

func (a *App) switchable(ctx context.Context, actor mailing.Account, id int64) (mailing.Mailing, error) {
	m, err := a.store.Mailing(ctx, id)
	if err != nil {
		return mailing.Mailing{}, err
	}
	if err := mayView(actor, m.OwnerID, mailing.ViewAnyMailing); err != nil {
		return mailing.Mailing{}, err
	}
	if actor.ID != m.OwnerID && !actor.Role.May(mailing.DisableAnyMailing) {
		return mailing.Mailing{}, mailing.Fault(mailing.Forbidden, "forbidden")
	}
	return m, nil
}

// turn moves a mailing by the event. Going on again, it takes up its schedule
// from now: what fell into the break was not wanted.
func (a *App) turn(ctx context.Context, actor mailing.Account, m mailing.Mailing, e mailing.Event, why string) error {
	was := m.Status
	if e == mailing.EventResume || e == mailing.EventEnable {
		m.NextAt, _ = m.Rule.Next(a.Now())
	}
	status, err := m.After(e)
	if err != nil {
		return err
	}
	m.Status, m.StopBy, m.StopWhy, m.StoppedAt = status, 0, "", time.Time{}
	if !status.Live() {
		m.StopBy, m.StopWhy, m.StoppedAt = actor.ID, why, a.Now()
	}
	facts, err := a.mailingFacts(ctx, m)
	if err != nil {
		return err
	}
	ctx = a.doing(ctx, actor, mailing.Deed{
		Action: turns[e], Thing: mailingThing(m, facts), Owner: m.OwnerID, Why: why,
		Before: mailing.Facts{"status": string(was)}, After: mailing.Facts{"status": string(status)},
	})
	defer a.numbersChanged(ctx, m.OwnerID)
	if status == mailing.StatusCompleted {
		return a.goOnToTheEnd(ctx, m, was)
	}
	return a.store.SetMailingStatus(ctx, m, was)
}

// turns are what the audit log calls the events of a mailing.
var turns = map[mailing.Event]mailing.Action{
	mailing.EventPause: "mailing.pause", mailing.EventResume: "mailing.resume",
	mailing.EventDisable: "mailing.disable", mailing.EventEnable: "mailing.enable",
}

// mailingThing is a mailing in the audit log. It has no name of its own: it is called
// by what its message was then.
func mailingThing(m mailing.Mailing, facts mailing.Facts) mailing.Thing {
	return mailing.Thing{Kind: mailing.ThingMailing, ID: m.ID, Name: facts["message"]}
}

// goOnToTheEnd lets a mailing go on that has no occurrence left. It is running
// as long as a run of it is, whose end completes it. Should that end come
// between asking and storing, nobody would complete it, so it asks again.
func (a *App) goOnToTheEnd(ctx context.Context, m mailing.Mailing, was mailing.Status) error {
	open, err := a.hasOpenRun(ctx, m.ID)
	if err != nil {
		return err
	}
	if !open {
		return a.store.SetMailingStatus(ctx, m, was)
	}
	running := m
	running.Status = mailing.StatusRunning
	if err := a.store.SetMailingStatus(ctx, running, was); err != nil {
		return err
	}
	if open, err := a.hasOpenRun(ctx, m.ID); err != nil || open {
		return err
	}
	err = a.store.SetMailingStatus(ctx, m, mailing.StatusRunning)
	if mailing.CodeOf(err) == "changed_meanwhile" { // somebody else completed or stopped it
		return nil
	}
	return err
}
