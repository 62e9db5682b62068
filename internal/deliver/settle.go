package deliver

import (
	"context"
	"time"

	"vestnik/internal/store"
)

// settle tells the ledger what came of deliveries, in batches, until outcomes is
// closed and all are told.
func (e *Engine) settle(ctx context.Context) {
	batch := make([]store.Outcome, 0, settleBatch)
	for o := range e.outcomes {
		batch = e.gather(append(batch[:0], o))
		e.settleBatch(ctx, batch)
	}
}

// gather adds what else is there, or comes within settleEvery.
func (e *Engine) gather(batch []store.Outcome) []store.Outcome {
	timer := time.NewTimer(settleEvery)
	defer timer.Stop()
	for len(batch) < settleBatch {
		select {
		case o, ok := <-e.outcomes:
			if !ok {
				return batch
			}
			batch = append(batch, o)
		case <-timer.C:
			return batch
		}
	}
	return batch
}

// unsettledFor is how long a node that is asked to stop insists on telling the
// ledger. After that the journal tells it at the next start.
const unsettledFor = 10 * time.Second

// settleBatch tells one batch, and does not give up while the database is away:
// nothing more is leased meanwhile, and the journal keeps what is known.
func (e *Engine) settleBatch(ctx context.Context, batch []store.Outcome) {
	delay := 50 * time.Millisecond
	started := time.Now()
	for {
		err := e.Store.Settle(ctx, e.node, batch, time.Now())
		if err == nil {
			e.journal.settled(batch)
			return
		}
		e.Log.Error("outcomes cannot be settled", "node", e.node.Name, "outcomes", len(batch), "error", err)
		if e.stopping.Load() && time.Since(started) > unsettledFor {
			return
		}
		time.Sleep(delay)
		delay = min(2*delay, 2*time.Second)
	}
}
