package app

import (
	"context"

	"vestnik/internal/mailing"
)

// HoldView is all that a person needs to decide about a hold.
type HoldView struct {
	mailing.Hold
	Runs        []HeldRun // that wait, the newest first
	RunsAll     int64     // how many there are
	Mailings    []HeldMailing
	MailingsAll int64
}

// heldShown is how many runs and mailings a view lists. Chosen: more than anybody
// reads, and still one page.
const heldShown = 100

// Hold returns what the database is under. Everybody may know that nothing is sent.
func (a *App) Hold(ctx context.Context) (mailing.Hold, error) {
	return a.store.Hold(ctx)
}

// HoldView returns the hold with what waits for its end; nothing waits when there
// is none.
func (a *App) HoldView(ctx context.Context, actor mailing.Account) (v HoldView, err error) {
	if err := mayEndHold(actor); err != nil {
		return v, err
	}
	if v.Hold, err = a.store.Hold(ctx); err != nil || !v.On() {
		return v, err
	}
	if v.Runs, v.RunsAll, err = a.store.HeldRuns(ctx, v.Hold, heldShown); err != nil {
		return v, err
	}
	v.Mailings, v.MailingsAll, err = a.store.HeldMailings(ctx, a.Now(), heldShown)
	return v, err
}

// StartHold holds the database by a person's word, where nobody can notice what
// they know: that the whole machine was set back.
func (a *App) StartHold(ctx context.Context, actor mailing.Account) (mailing.Hold, error) {
	if err := mayEndHold(actor); err != nil {
		return mailing.Hold{}, err
	}
	return a.store.StartHold(a.doing(ctx, actor, mailing.Deed{Action: "service.hold", Thing: service}), a.Now())
}

// EndHold lets the database go: on as before, or as a copy of which nothing is sent.
func (a *App) EndHold(ctx context.Context, actor mailing.Account, end mailing.HoldEnd) (HoldEnded, error) {
	if err := mayEndHold(actor); err != nil {
		return HoldEnded{}, err
	}
	if end != mailing.HoldGoOn && end != mailing.HoldCopy {
		return HoldEnded{}, mailing.Fault(mailing.Invalid, "choice_unknown")
	}
	defer a.numbersChanged(ctx, actor.ID)
	return a.store.EndHold(a.doing(ctx, actor, mailing.Deed{
		Action: "service.end_hold", Thing: service, After: mailing.Facts{"end": string(end)},
	}), end, actor.ID, a.Now())
}

// service is the whole of Vestnik in the audit log.
var service = mailing.Thing{Kind: mailing.ThingService}

func mayEndHold(actor mailing.Account) error {
	if actor.Role.May(mailing.EndHold) {
		return nil
	}
	return mailing.Fault(mailing.NotFound, "not_found")
}
