package store_test

import (
	"slices"
	"testing"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/store"
	"vestnik/internal/store/storetest"
	"vestnik/internal/torture"
)

// TestWhatIsToldAgain has a node tell again, from its journal, what the ledger took
// in long ago.
func TestWhatIsToldAgain(t *testing.T) {
	storetest.EachURL(t, func(t *testing.T, url string) {
		const deliveries = 500
		h := newHouse(t, storetest.Open(t, url), deliveries)
		run := storetest.Run(t, h.Store, h.mailing)
		told := h.outcomes(h.node, h.leaseAll(t, h.node, run.ID, storetest.Now), mailing.Sent, storetest.Now)
		ok(t, h.Settle(ctx, h.node, told, storetest.Now))

		t.Run("is found on record with one question, not with one for each", func(t *testing.T) {
			// What is found is read row by row. SQLite is asked in parts of 64 and of 8, with a
			// statement prepared for each.
			const most = deliveries + 150
			fuse := torture.NewFuse(most, torture.Fails)
			again := must(store.OpenThrough(ctx, url, fuse.Driver))(t)
			defer again.Close()
			fuse.Light()
			ok(t, again.Settle(ctx, h.node, told, storetest.Now))
			if at := fuse.Burnt(); at != "" {
				t.Errorf("it took more than %d calls", most)
			}
		})
		t.Run("need not be told at all, as is known before", func(t *testing.T) {
			later := h.outcome(h.node, store.Leased{ID: told[0].DeliveryID, RunID: run.ID, Tries: 1}, mailing.Sent, storetest.Now.Add(time.Minute))
			untried := store.Outcome{DeliveryID: told[1].DeliveryID, Epoch: h.node.Epoch, State: mailing.Waiting}
			missing := must(h.Unrecorded(ctx, append(slices.Clone(told), later, untried)))(t)
			if len(missing) != 2 || missing[0].Attempt != later.Attempt || missing[1].Attempt != nil {
				t.Errorf("%+v are not on record, want the later attempt and the one without", missing)
			}
		})
		t.Run("changes nothing", func(t *testing.T) {
			checkCounts(t, h.Store, run.ID)
			log := must(h.Log(ctx, store.LogFilter{RunID: run.ID, Limit: 10 * deliveries}))(t)
			if len(log) != deliveries {
				t.Errorf("%d attempts are on record, want %d", len(log), deliveries)
			}
		})
	})
}
