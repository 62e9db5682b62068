package deliver

import (
	"context"
	"time"

	"vestnik/internal/store"
)

// settle tells the ledger what came of deliveries, in batches, until outcomes is
// closed. It reports whether all are told.
func (e *Engine) settle(ctx context.Context) bool {
	batch := make([]store.Outcome, 0, settleBatch)
	insist := true
	for o := range e.outcomes {
		batch = e.gather(append(batch[:0], o))
		if insist {
			insist = e.settleBatch(ctx, batch)
		}
	}
	return insist
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
// nothing more is leased meanwhile, and the journal keeps what is known. Only a
// node that is asked to stop gives up, and then for good: false.
func (e *Engine) settleBatch(ctx context.Context, batch []store.Outcome) bool {
	delay := 50 * time.Millisecond
	started := time.Now()
	for {
		begun := time.Now()
		err := e.settleOnce(ctx, batch)
		if err == nil {
			if e.Settled != nil {
				e.Settled(batch, time.Since(begun))
			}
			// In this order, so that what is leased again is intended after the
			// journal has forgotten what came of it before.
			e.journal.settled(batch)
			e.hands.letGo(batch)
			e.moves.settle(batch)
			return true
		}
		e.Log.Error("outcomes cannot be settled", "node", e.node.Name, "outcomes", len(batch), "error", err)
		if e.stopping.Load() && time.Since(started) > unsettledFor {
			return false
		}
		time.Sleep(delay)
		delay = min(2*delay, 2*time.Second)
	}
}

func (e *Engine) settleOnce(ctx context.Context, batch []store.Outcome) error {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	return e.Store.Settle(ctx, e.node, batch, time.Now())
}
