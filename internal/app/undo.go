package app

import (
	"context"
	"errors"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/store"
)

// How long what is sent by hand on the pages waits, so that it can be taken back. Ten
// seconds are enough to see what one has done, and no time for who waits for the mail; the
// bound is chosen.
const (
	defaultUndoSeconds = 10
	maxUndoSeconds     = 300
)

// demoUndoSeconds is what is waited for where mails reach nobody and no admin has said
// otherwise: the way back is shown, and who tries the service need not wait for it. Chosen.
const demoUndoSeconds = 3

// SendUndoably is SendNow for a person who may have meant something else: nothing goes out
// for as long as the settings say, and until then UndoSend takes it back.
func (a *App) SendUndoably(ctx context.Context, actor mailing.Account, mailingID int64) (runID int64, err error) {
	return a.send(ctx, actor, mailingID, a.undoUntil())
}

// undoUntil is until when what is sent now can be taken back; zero: it goes at once.
func (a *App) undoUntil() time.Time {
	seconds := a.Settings().UndoSeconds
	if seconds == defaultUndoSeconds && a.Demo != nil && a.Demo() {
		seconds = demoUndoSeconds
	}
	if seconds == 0 {
		return time.Time{}
	}
	return a.Now().Add(time.Duration(seconds) * time.Second)
}

// forgetWithin is for how long a person waits until it is forgotten whom a run was meant
// for that they have taken back; the rest is swept later.
const forgetWithin = time.Second

// UndoSend takes back what was sent by hand, as if it had never been sent. It is a conflict,
// "undo_too_late", once the first mails are in hand; then CancelRun stops the rest.
func (a *App) UndoSend(ctx context.Context, actor mailing.Account, id int64) error {
	run, err := a.changeableRun(ctx, actor, id)
	if err != nil {
		return err
	}
	doing, err := a.doingRun(ctx, actor, run, mailing.Deed{
		Action: "run.undo", Before: mailing.Facts{"state": string(run.State)}, After: mailing.Facts{"state": string(mailing.RunTakenBack)},
	})
	if err != nil {
		return err
	}
	defer a.numbersChanged(ctx, run.OwnerID)
	defer a.RunsMoved(ctx, nil, []mailing.Run{run})
	if err := a.store.TakeBack(doing, id, a.Now()); err != nil {
		return err
	}
	soon, cancel := context.WithTimeout(ctx, forgetWithin)
	defer cancel()
	if err := a.store.SweepTakenBack(soon); err != nil && soon.Err() == nil {
		return err
	}
	return nil
}

// sweepUndone forgets what can be taken back or brought back no more.
func (a *App) sweepUndone(ctx context.Context) error {
	return errors.Join(a.store.SweepTakenBack(ctx), a.store.SweepTrash(ctx, a.Now()))
}

// Undoably has the next deletion of the context be one that UndoDeletion takes back by the
// id, for an hour.
func (a *App) Undoably(ctx context.Context) (undoable context.Context, id int64) {
	id = store.NewID()
	return store.WithTrash(ctx, id, a.Now()), id
}

// Undone says what UndoDeletion has brought back.
type Undone struct {
	store.Trash
	Back    int64     // of so many as there were: not clients whose addresses are there again
	Skipped time.Time // a mailing's occurrence that fell into the break; zero: none
}

// UndoDeletion brings back what was deleted, with its id, its history and its links, for who
// may change it; to everybody else there is nothing, "undo_over". A
// mailing takes up its schedule from now on, as one that was paused: nothing goes out because
// somebody takes back a mistake.
func (a *App) UndoDeletion(ctx context.Context, actor mailing.Account, id int64) (u Undone, err error) {
	if u.Trash, err = a.store.Trash(ctx, id, a.Now()); err != nil {
		return u, err
	}
	if err := mayChange(actor, u.OwnerID, mailing.ViewAnyMailing); err != nil {
		return u, mailing.Fault(mailing.Conflict, "undo_over")
	}
	revive := func(m mailing.Mailing) (mailing.Mailing, error) {
		m, u.Skipped, err = a.revived(m)
		return m, err
	}
	emails, err := a.store.TrashedEmails(ctx, id, a.Now())
	if err == nil {
		err = a.keepErased(ctx, u.OwnerID, emails...)
	}
	if err != nil {
		return u, err
	}
	defer a.numbersChanged(ctx, u.OwnerID)
	u.Back, err = a.store.Restore(a.doing(ctx, actor, mailing.Deed{
		Action: undeletions[u.Kind], Thing: mailing.Thing{Kind: u.Kind, ID: u.ThingID, Name: u.Name}, Owner: u.OwnerID,
	}), id, a.Now(), revive)
	return u, err
}

// TrashRow is a deletion that can be brought back.
type TrashRow = store.TrashRow

// trashMost is how many deletions are listed, the latest; chosen.
const trashMost = 100

// TrashOf lists what the actor has deleted of theirs and can bring back with UndoDeletion.
func (a *App) TrashOf(ctx context.Context, actor mailing.Account) ([]TrashRow, error) {
	return a.store.TrashOf(ctx, actor.ID, a.Now(), trashMost)
}

// undeletions are what the audit log calls it that things are brought back.
var undeletions = map[mailing.ThingKind]mailing.Action{
	mailing.ThingContact: "contact.restore", mailing.ThingMessage: "message.restore", mailing.ThingMailing: "mailing.restore",
}

// revived is a mailing as it comes back, and the occurrence that is left out for that.
func (a *App) revived(m mailing.Mailing) (mailing.Mailing, time.Time, error) {
	if m.NextAt.IsZero() || m.NextAt.After(a.Now()) || !m.Status.Live() {
		return m, time.Time{}, nil
	}
	missed := m.NextAt
	m.NextAt, _ = m.Rule.Next(a.Now())
	if m.NextAt.IsZero() {
		status, err := m.After(mailing.EventFinish)
		m.Status = status
		return m, missed, err
	}
	return m, missed, nil
}
