package app

import (
	"context"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/store"
)

// SendNow sends a mailing by hand: it opens a run of its own and leaves the
// schedule as it is.
func (a *App) SendNow(ctx context.Context, actor mailing.Account, mailingID int64) (runID int64, err error) {
	return a.send(ctx, actor, mailingID, time.Time{})
}

// send is SendNow of which nothing goes out until a moment; zero: at once.
func (a *App) send(ctx context.Context, actor mailing.Account, mailingID int64, goesAt time.Time) (runID int64, err error) {
	m, err := a.changeableMailing(ctx, actor, mailingID)
	if err != nil {
		return 0, err
	}
	if !m.Status.Live() {
		return 0, m.Refuses("send")
	}
	message, err := a.store.Message(ctx, m.MessageID)
	if err != nil {
		return 0, err
	}
	owner, err := a.store.Account(ctx, m.OwnerID)
	if err != nil {
		return 0, err
	}
	run := mailing.NewRun(m, owner, mailing.RunManual, a.Now(), a.Now())
	run.GoesAt = goesAt
	defer a.numbersChanged(ctx, m.OwnerID) // nobody to send to: it is completed at once
	doing := a.doing(ctx, actor, mailing.Deed{
		Action: "mailing.send", Owner: m.OwnerID, Thing: mailingThing(m, mailing.Facts{"message": message.Subject}),
	})
	if runID, err = a.store.OpenManualRun(doing, run, store.ContentOf(message), a.Now().Add(-sendAgainAfter)); err != nil {
		return 0, err
	}
	return runID, a.openSoon(ctx, runID)
}

// sendAgainAfter keeps a double click, and two people at once, from mailing
// everybody twice. Chosen: longer than anybody waits for a page.
const sendAgainAfter = time.Minute

// openSoon writes down the first deliveries at once, so that sending starts
// while the person still looks, and leaves the rest to the background.
func (a *App) openSoon(ctx context.Context, runID int64) error {
	done, err := a.store.FillRun(ctx, runID, a.Now())
	if mailing.KindOf(err) == mailing.Conflict {
		return nil // the background was faster
	}
	if err != nil || done || a.OpenRun == nil {
		return err
	}
	return a.OpenRun(ctx, runID)
}

func content(f MessageForm) store.Content {
	return store.Content{Subject: f.Subject, Format: f.Format, Body: f.Body}
}

// RunView is all that the page of a run shows.
type RunView struct {
	mailing.Run
	Subject  string
	Mailing  mailing.Mailing // zero when it is deleted or the run has none
	Held     bool            // its mailing is paused or disabled
	Waiting  int64           // due or in hand now
	Deferred int64           // tried, and due again later
	NextDue  time.Time       // when the next of what is due by the clock is
	Lately   store.Lately    // what the latest attempts have brought
	Quota    QuotaUse        // of its owner's day, which what waits has to wait for; zero when it need not
	Again    []mailing.Run   // the latest that sent it again to those who failed, newest first
	May      RunActions
}

// RunActions are what an actor may do with a run as it is now.
type RunActions struct {
	Undo, Cancel, Continue, Resolve, Again bool
	Pause, Resume, Disable, Enable         bool // its mailing, and with it the run
}

// Run returns a run that the actor may see, with its numbers at this moment.
func (a *App) Run(ctx context.Context, actor mailing.Account, id int64) (v RunView, err error) {
	if v.Run, err = a.visibleRun(ctx, actor, id); err != nil {
		return v, err
	}
	if v, err = a.view(ctx, v.Run); err != nil {
		return v, err
	}
	v.May = allowedRun(actor, v)
	return v, nil
}

// view adds to a run what its page shows beside it, whoever looks.
func (a *App) view(ctx context.Context, run mailing.Run) (v RunView, err error) {
	v.Run = run
	version, err := a.store.Version(ctx, v.VersionID)
	if err != nil {
		return v, err
	}
	v.Subject = version.Subject
	if v.MailingID != 0 {
		v.Mailing, err = a.store.Mailing(ctx, v.MailingID)
		if err != nil && mailing.KindOf(err) != mailing.NotFound {
			return v, err
		}
		v.Held = v.Mailing.ID != 0 && !v.Mailing.Status.Live()
	}
	if !v.State.Open() && v.Counts.Failed > 0 {
		if v.Again, err = a.store.AgainRuns(ctx, run); err != nil {
			return v, err
		}
	}
	if v.State.Open() {
		moment, err := a.store.RunMoment(ctx, run.ID)
		if err != nil {
			return v, err
		}
		v.Waiting = max(run.Counts.Waiting()-moment.Deferred, 0)
		v.Deferred, v.NextDue, v.Lately = moment.Deferred, moment.NextDue, moment.Lately
		if v.Waiting > 0 {
			if v.Quota, err = a.quotaAwaited(ctx, v.Run); err != nil {
				return v, err
			}
		}
	}
	return v, nil
}

// LatestRuns lists runs of mailings, newest first.
func (a *App) LatestRuns(ctx context.Context, actor mailing.Account, everyone bool, most int64) ([]store.RunRow, error) {
	owner, err := scope(actor, everyone, mailing.ViewAnyMailing)
	if err != nil {
		return nil, err
	}
	list, err := a.store.RunsOfMailings(ctx, owner, most)
	for i := range list {
		a.maskHalt(actor, &list[i].Run)
	}
	return list, err
}

func (a *App) visibleRun(ctx context.Context, actor mailing.Account, id int64) (mailing.Run, error) {
	run, err := a.store.Run(ctx, id)
	if err != nil {
		return mailing.Run{}, err
	}
	if err := mayView(actor, run.OwnerID, mailing.ViewAnyMailing); err != nil {
		return mailing.Run{}, err
	}
	a.maskHalt(actor, &run)
	return run, nil
}

func (a *App) changeableRun(ctx context.Context, actor mailing.Account, id int64) (mailing.Run, error) {
	run, err := a.store.Run(ctx, id)
	if err != nil {
		return mailing.Run{}, err
	}
	if err := mayChange(actor, run.OwnerID, mailing.ViewAnyMailing); err != nil {
		return mailing.Run{}, err
	}
	return run, nil
}

// Deliveries lists a run's deliveries, of the states or of all.
func (a *App) Deliveries(ctx context.Context, actor mailing.Account, runID int64, states []mailing.DeliveryState, page Page) ([]mailing.Delivery, int64, error) {
	run, err := a.visibleRun(ctx, actor, runID)
	if err != nil || a.unsearchable(actor, run.OwnerID, page.Search) {
		return nil, 0, err
	}
	page = a.unsorted(actor, run.OwnerID, page)
	list, total, err := a.deliveries(ctx, run, states, page)
	a.maskDeliveries(actor, run.OwnerID, list)
	return list, total, err
}

// CancelRun ends a run: what was not sent yet is skipped.
func (a *App) CancelRun(ctx context.Context, actor mailing.Account, id int64) error {
	run, err := a.changeableRun(ctx, actor, id)
	if err != nil {
		return err
	}
	ctx, err = a.doingRun(ctx, actor, run, mailing.Deed{
		Action: "run.cancel", Before: mailing.Facts{"state": string(run.State)}, After: mailing.Facts{"state": string(mailing.RunCancelled)},
	})
	if err != nil {
		return err
	}
	defer a.RunsMoved(ctx, nil, []mailing.Run{run})
	return a.store.CancelRun(ctx, id, a.Now())
}

// ContinueRun lets a run go on that the mail server's refusals have halted.
func (a *App) ContinueRun(ctx context.Context, actor mailing.Account, id int64) error {
	run, err := a.changeableRun(ctx, actor, id)
	if err != nil {
		return err
	}
	ctx, err = a.doingRun(ctx, actor, run, mailing.Deed{
		Action: "run.continue", Before: mailing.Facts{"halt": shortened(mailing.MaskText(run.Halt, ""))}, After: mailing.Facts{"halt": ""},
	})
	if err != nil {
		return err
	}
	defer a.RunsMoved(ctx, []int64{id}, nil)
	return a.store.HaltRun(ctx, id, "")
}

// doingRun is doing for what is done to a run, which is called by what it sends.
func (a *App) doingRun(ctx context.Context, actor mailing.Account, run mailing.Run, d mailing.Deed) (context.Context, error) {
	version, err := a.store.Version(ctx, run.VersionID)
	d.Thing, d.Owner = runThing(run, version.Subject), run.OwnerID
	return a.doing(ctx, actor, d), err
}

// doubtWords are what an owner may say of what is in doubt.
var doubtWords = map[string]mailing.DeliveryState{"sent": mailing.Sent, "again": mailing.Waiting}

// ResolveDoubt ends a delivery's doubt by the owner's word: "sent" if it turned
// out to have arrived, "again" to send it once more.
func (a *App) ResolveDoubt(ctx context.Context, actor mailing.Account, runID, deliveryID int64, word string) error {
	state, ok := doubtWords[word]
	if !ok {
		return mailing.Fault(mailing.Invalid, "choice_unknown")
	}
	run, err := a.changeableRun(ctx, actor, runID)
	if err != nil {
		return err
	}
	delivery, err := a.Delivery(ctx, actor, runID, deliveryID)
	if err != nil {
		return err
	}
	ctx, err = a.doingRun(ctx, actor, run, mailing.Deed{
		Action: "run.resolve_doubt", Before: mailing.Facts{"delivery": delivery.State.String()},
		After: mailing.Facts{"delivery": state.String(), "email": mailing.MaskEmail(delivery.Email)},
	})
	if err != nil {
		return err
	}
	d, err := a.Delivery(ctx, actor, runID, deliveryID)
	if err != nil {
		return err
	}
	if state == mailing.Waiting && mailing.IsErased(d.Email) {
		return mailing.Fault(mailing.Conflict, "delivery_erased")
	}
	defer a.RunsMoved(ctx, nil, []mailing.Run{run})
	return a.store.ResolveDoubt(ctx, runID, deliveryID, state, a.Now())
}

// LogFilter narrows the log; Everyone is for who may.
type LogFilter struct {
	AttemptFilter
	Everyone bool
}

// Log lists attempts, newest first; see store.Log for its paging.
func (a *App) Log(ctx context.Context, actor mailing.Account, f LogFilter) ([]mailing.Attempt, error) {
	owner, err := scope(actor, f.Everyone, mailing.ViewAnyMailing)
	if err != nil {
		return nil, err
	}
	if a.unsearchable(actor, owner, f.Email) {
		return nil, nil
	}
	f.Owner = owner
	attempts, err := a.store.Log(ctx, f.AttemptFilter)
	a.maskAttempts(actor, attempts)
	return attempts, err
}

// InHand lists the deliveries that are being tried at this moment, which are in
// the log as soon as the server has answered.
func (a *App) InHand(ctx context.Context, actor mailing.Account, everyone bool, page Page) ([]mailing.Delivery, int64, error) {
	owner, err := scope(actor, everyone, mailing.ViewAnyMailing)
	if err != nil {
		return nil, 0, err
	}
	if a.unsearchable(actor, owner, page.Search) {
		return nil, 0, nil
	}
	list, total, err := a.store.InHand(ctx, owner, a.unsorted(actor, owner, page))
	a.maskDeliveries(actor, owner, list)
	return list, total, err
}
