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
	gone   map[recipient]time.Time // suppressed lately
	looked time.Time
}

type recipient struct {
	owner int64
	email string
}

// goneFor is how long a fresh suppression is remembered: longer than a delivery
// is ever held between its lease, which sees it, and its final dot.
const goneFor = 30 * time.Minute

// clockSkew is by how much the clocks of nodes on one database may differ.
const clockSkew = time.Minute

// watch looks again and again at what may go on, and for nodes that died.
func (e *Engine) watch(ctx context.Context) {
	var lastTakeOver time.Time
	for every(ctx, watchEvery) {
		if err := e.look(ctx); err != nil && ctx.Err() == nil {
			e.Log.Error("node cannot see what may be sent", "node", e.node.Name, "error", err)
			continue
		}
		if time.Since(lastTakeOver) < aliveEvery {
			continue
		}
		lastTakeOver = time.Now()
		taken, err := e.Store.TakeOver(ctx, time.Now(), 10*settleBatch)
		if err != nil && ctx.Err() == nil {
			e.Log.Error("node cannot take over from dead nodes", "node", e.node.Name, "error", err)
		}
		if taken > 0 {
			e.Log.Warn("deliveries were taken over from a dead node", "node", e.node.Name, "deliveries", taken)
		}
	}
}

func (e *Engine) look(ctx context.Context) error {
	now := time.Now()
	runs, err := e.Store.LiveRuns(ctx)
	if err != nil {
		return err
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
		l.gone = map[recipient]time.Time{}
	}
	for who, at := range l.gone {
		if now.Sub(at) > goneFor {
			delete(l.gone, who)
		}
	}
	for _, s := range gone {
		l.gone[recipient{s.OwnerID, s.Email}] = s.CreatedAt
	}
}

// current returns the runs that may go on.
func (l *liveRuns) current() []*mailing.Run {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.runs
}

// hindrance says why a delivery must not be sent now: its run is held (held), or
// its recipient left since it was leased (left).
func (l *liveRuns) hindrance(j *job) (held, left bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, left = l.gone[recipient{j.run.OwnerID, j.Email}]
	return !l.going[j.RunID], left && j.run.Unsubscribe
}
