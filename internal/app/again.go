package app

import (
	"context"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/store"
)

// AgainReach says whom a mail would get that is sent again to those who failed.
type AgainReach = store.AgainReach

func allowedRun(actor mailing.Account, v RunView) RunActions {
	change := mayChange(actor, v.OwnerID, mailing.ViewAnyMailing) == nil
	open := v.State.Open()
	may := RunActions{
		Undo:     change && open && !v.GoesAt.IsZero() && !v.Begun,
		Cancel:   change && open,
		Continue: change && open && v.Halt != "",
		Resolve:  change && v.Counts.InDoubt > 0,
		Again:    change && goesAgain(v),
	}
	if m := v.Mailing; open && m.ID != 0 {
		of := Allowed(actor, m)
		may.Pause = change && m.Status.Allows(mailing.EventPause)
		may.Resume, may.Enable = of.Resume, of.Enable
		may.Disable = of.Disable && !change // who may pause it needs no second way to stop it
	}
	return may
}

// goesAgain reports whether a run can be sent again to those who failed: it is over, its
// mailing goes on, and nobody has done so yet.
func goesAgain(v RunView) bool {
	over := v.State == mailing.RunCompleted || v.State == mailing.RunCancelled
	done := len(v.Again) > 0 && v.Again[0].State != mailing.RunCancelled
	return over && v.Counts.Failed > 0 && !done && v.Mailing.ID != 0 && v.Mailing.Status.Live()
}

// AgainReach counts whom the run's mail would get if it were sent again to those who failed,
// and why not the others.
func (a *App) AgainReach(ctx context.Context, actor mailing.Account, runID int64) (RunView, AgainReach, error) {
	if _, err := a.changeableRun(ctx, actor, runID); err != nil {
		return RunView{}, AgainReach{}, err
	}
	v, err := a.Run(ctx, actor, runID)
	if err != nil {
		return v, AgainReach{}, err
	}
	reach, err := a.store.AgainReach(ctx, v.Run)
	return v, reach, err
}

// SendAgain sends what a run has sent, word for word, again to those who failed, and returns
// the run that does. Left out is who unsubscribed or was erased since, who has got it by now,
// and, unless dead, whose server said that there is no such mailbox. As with SendUndoably,
// nothing goes out at once.
func (a *App) SendAgain(ctx context.Context, actor mailing.Account, runID int64, dead bool) (id int64, err error) {
	run, err := a.changeableRun(ctx, actor, runID)
	if err != nil {
		return 0, err
	}
	if run.MailingID == 0 {
		return 0, mailing.Fault(mailing.Conflict, "again_nobody")
	}
	m, err := a.store.Mailing(ctx, run.MailingID)
	if err != nil {
		return 0, err
	}
	if !m.Status.Live() {
		return 0, m.Refuses("send")
	}
	facts := mailing.Facts{}
	if dead {
		facts["dead"] = "true"
	}
	doing, err := a.doingRun(ctx, actor, run, mailing.Deed{Action: "run.again", After: facts})
	if err != nil {
		return 0, err
	}
	goesAt := a.undoUntil()
	if dead {
		goesAt = time.Time{} // that addresses are trusted again cannot be taken back with the run
	}
	defer a.numbersChanged(ctx, run.OwnerID)
	defer a.RunsMoved(ctx, []int64{run.ID}, nil)
	if id, err = a.store.OpenAgainRun(doing, store.Again{Of: run, Dead: dead, GoesAt: goesAt}, a.Now()); err != nil {
		return 0, err
	}
	return id, a.openSoon(ctx, id)
}

// ResolveDoubts is ResolveDoubt for several deliveries of a run at once, or with nil ids for
// all of it that are in doubt, and returns how many it resolved. Who was erased since is not
// sent anything again.
func (a *App) ResolveDoubts(ctx context.Context, actor mailing.Account, runID int64, ids []int64, word string) (int64, error) {
	state, ok := doubtWords[word]
	if !ok {
		return 0, mailing.Fault(mailing.Invalid, "choice_unknown")
	}
	run, err := a.changeableRun(ctx, actor, runID)
	if err != nil {
		return 0, err
	}
	ctx, err = a.doingRun(ctx, actor, run, mailing.Deed{
		Action: "run.resolve_doubt", Before: mailing.Facts{"delivery": mailing.InDoubt.String()},
		After: mailing.Facts{"delivery": state.String()},
	})
	if err != nil {
		return 0, err
	}
	defer a.RunsMoved(ctx, nil, []mailing.Run{run})
	return a.store.ResolveDoubts(ctx, runID, ids, state, a.Now())
}
