package app

import (
	"context"
	"time"

	"vestnik/internal/cache"
	"vestnik/internal/mailing"
)

// Progress is how far a run has come.
type Progress struct {
	RunView
	Answers []mailing.Attempt // the latest, newest first
	Slow    []Slowness        // why it is not over yet, while it is open and may go on
	Took    time.Duration     // to find that out, by whoever did
}

// progressAnswers is how many of the mail server's last answers are shown.
const progressAnswers = 10

// Progress returns how far a run has come that the actor may see. Where nodes share a
// Redis, all who look at the run on a node have the database asked once, and not again
// until the node that settles has said that the run moved. Elsewhere a node does not
// know whether another has moved it, and everybody asks for themselves.
func (a *App) Progress(ctx context.Context, actor mailing.Account, id int64) (p Progress, err error) {
	if a.Cache.Shared() {
		key := cache.Key{Tag: tagRun(id), Lifetime: keptFor}
		p, err = cache.Read(ctx, a.Cache, key, func(ctx context.Context) (Progress, error) { return a.progress(ctx, id) })
	} else {
		p, err = a.progress(ctx, id)
	}
	if err != nil {
		return Progress{}, err
	}
	if err := mayView(actor, p.OwnerID, mailing.ViewAnyMailing); err != nil {
		return Progress{}, err
	}
	p.May = allowedRun(actor, p.RunView)
	a.maskHalt(actor, &p.Run) // p is this caller's alone, also when it comes out of the cache
	a.maskAttempts(actor, p.Answers)
	if !actor.Role.May(mailing.ManageRelays) {
		p.Slow = slowForOthers(p.Slow)
	}
	return p, nil
}

func (a *App) progress(ctx context.Context, id int64) (p Progress, err error) {
	asked := time.Now()
	run, err := a.store.Run(ctx, id)
	if err != nil {
		return p, err
	}
	if p.RunView, err = a.view(ctx, run); err != nil {
		return p, err
	}
	p.Answers, err = a.store.Log(ctx, AttemptFilter{Owner: run.OwnerID, RunID: id, Limit: progressAnswers})
	if err == nil && p.State.Open() && !p.Held && p.Halt == "" {
		p.Slow, err = a.slowness(ctx, p.RunView, p.Answers, p.NextDue)
	}
	p.Took = time.Since(asked)
	return p, err
}
