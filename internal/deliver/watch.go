package deliver

import (
	"context"
	"sync"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/store"
)

// liveRuns is what this node knows of runs that are open and of people who have
// left, as of the last look.
type liveRuns struct {
	mu     sync.Mutex
	runs   []*mailing.Run // that may go on, by priority and age
	going  map[int64]bool
	gone   map[recipient]mailing.Suppression // lately
	looked time.Time
}

type recipient struct {
	owner int64
	email string
}

// goneFor is how long a fresh suppression is remembered: longer than a delivery
// is ever held between its lease, which sees it, and its final dot.
const goneFor = 30 * time.Minute

// watch looks again and again at what may go on, and for nodes that died.
func (e *Engine) watch(ctx context.Context) {
	var lastTakeOver time.Time
	for every(ctx, watchEvery) {
		if err := e.lookInTime(ctx); err != nil && ctx.Err() == nil {
			e.Log.Error("node cannot see what may be sent", "node", e.node.Name, "error", err)
			continue
		}
		e.tellMoves(ctx, time.Now())
		e.tellHindrances(ctx, time.Now())
		if time.Since(lastTakeOver) < aliveEvery {
			continue
		}
		lastTakeOver = time.Now()
		taken, err := e.takeOver(ctx)
		if err != nil && ctx.Err() == nil {
			e.Log.Error("node cannot take over from dead nodes", "node", e.node.Name, "error", err)
		}
		if taken > 0 {
			e.Log.Warn("deliveries were taken over from a dead node", "node", e.node.Name, "deliveries", taken)
		}
	}
}

// takeOver does not wait for ever: what it wants may be locked, and pauses have to be
// seen meanwhile.
func (e *Engine) takeOver(ctx context.Context) (taken int, err error) {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	return e.Store.TakeOver(ctx, time.Now().Add(-clockSkew), 10*settleBatch)
}

func (e *Engine) lookInTime(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	return e.look(ctx)
}

func (e *Engine) look(ctx context.Context) error {
	now := time.Now()
	runs, err := e.Store.LiveRuns(ctx)
	if err != nil {
		return err
	}
	for i := range runs { // nothing goes out of what may still be taken back
		runs[i].Held = runs[i].Held || now.Before(runs[i].GoesAt)
	}
	since := now.Add(-goneFor)
	if l := e.live.lookedAt(); !l.IsZero() {
		since = l.Add(-clockSkew)
	}
	gone, err := e.Store.SuppressionsSince(ctx, since)
	if err != nil {
		return err
	}
	e.live.update(runs, gone, now)
	e.moves.look(runs)
	e.drafts.keep(runs)
	return nil
}

func (l *liveRuns) lookedAt() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.looked
}

func (l *liveRuns) update(runs []store.LiveRun, gone []mailing.Suppression, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.runs, l.going, l.looked = nil, make(map[int64]bool, len(runs)), now
	for i := range runs {
		if !runs[i].Held {
			l.runs = append(l.runs, &runs[i].Run)
			l.going[runs[i].ID] = true
		}
	}
	if l.gone == nil {
		l.gone = map[recipient]mailing.Suppression{}
	}
	for who, s := range l.gone {
		if now.Sub(s.CreatedAt) > goneFor {
			delete(l.gone, who)
		}
	}
	for _, s := range gone {
		l.gone[recipient{s.OwnerID, s.Email}] = s
	}
}

// hold keeps a run from going on until the next look.
func (l *liveRuns) hold(runID int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.going, runID)
	var others []*mailing.Run // current may be in use
	for _, run := range l.runs {
		if run.ID != runID {
			others = append(others, run)
		}
	}
	l.runs = others
}

// current returns the runs that may go on.
func (l *liveRuns) current() []*mailing.Run {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.runs
}

// hindrance says why a delivery must not be sent now: its run is held, or its
// recipient left, and why, since it was leased. Who left before that may have
// come back: the lease knows.
func (l *liveRuns) hindrance(j *job) (held bool, left mailing.Reason) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s, ok := l.gone[recipient{j.run.OwnerID, j.Email}]
	if ok && j.run.Unsubscribe && s.CreatedAt.After(j.leasedAt.Add(-clockSkew)) {
		left = s.Reason
	}
	return !l.going[j.RunID], left
}
