package deliver

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/store"
)

// moves gathers what others are told of runs, so that they hear of each about once a
// second, however many mails are settled, and always of the last one.
type moves struct {
	mu    sync.Mutex
	open  map[int64]store.LiveRun // at the last look
	moved map[int64]bool
	ended []mailing.Run
	told  time.Time
}

// tellEvery is how often others are told: what an eye can follow.
const tellEvery = time.Second

// settle notes the runs of outcomes that the ledger has.
func (m *moves) settle(outcomes []store.Outcome) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := range outcomes {
		if a := outcomes[i].Attempt; a != nil {
			m.move(a.RunID)
		}
	}
}

// move is called with the lock held.
func (m *moves) move(runID int64) {
	if m.moved == nil {
		m.moved = map[int64]bool{}
	}
	m.moved[runID] = true
}

// look notes the runs that were open at the last look and are not any more, and those
// that are held now or were.
func (m *moves) look(runs []store.LiveRun) {
	m.mu.Lock()
	defer m.mu.Unlock()
	before := m.open
	m.open = make(map[int64]store.LiveRun, len(runs))
	for _, run := range runs {
		m.open[run.ID] = run
		if before[run.ID].Held != run.Held {
			m.move(run.ID)
		}
		delete(before, run.ID)
	}
	for _, run := range before {
		m.ended = append(m.ended, run.Run)
	}
}

// tellMoves tells what was gathered, when it is time.
func (e *Engine) tellMoves(ctx context.Context, now time.Time) {
	m := &e.moves
	m.mu.Lock()
	moved, ended := m.moved, m.ended
	if now.Sub(m.told) < tellEvery || len(moved)+len(ended) == 0 {
		m.mu.Unlock()
		return
	}
	m.moved, m.ended, m.told = nil, nil, now
	m.mu.Unlock()
	if e.RunsMoved != nil {
		e.RunsMoved(ctx, slices.Collect(maps.Keys(moved)), ended)
	}
}
