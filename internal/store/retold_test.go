package store_test

import (
	"testing"

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
			// What is found is read row by row. SQLite asks in parts of 64 and of 8, with a
			// statement prepared for each.
			const most = deliveries + 100
			fuse := torture.NewFuse(most, torture.Fails)
			again := must(store.OpenThrough(ctx, url, fuse.Driver))(t)
			defer again.Close()
			fuse.Light()
			ok(t, again.Settle(ctx, h.node, told, storetest.Now))
			if at := fuse.Burnt(); at != "" {
				t.Errorf("it took more than %d calls", most)
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
