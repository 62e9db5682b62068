package store_test

import (
	"testing"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/store"
	"vestnik/internal/store/storetest"
)

func TestARunTakesAlongWhatIsOfIt(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := newHouse(t, s, 3)
		kept := storetest.Run(t, s, storetest.Mailing(t, s, mailing.Mailing{OwnerID: h.owner.ID}))
		gone := storetest.Run(t, s, h.mailing)
		for _, run := range []mailing.Run{kept, gone} {
			h.settleAll(t, h.node, h.leaseAll(t, h.node, run.ID, now), mailing.Sent, now)
		}
		must(s.Writer().Exec("delete from runs where id = $1", gone.ID))(t)
		for _, table := range []string{"deliveries", "attempts", "leases"} {
			for id, want := range map[int64]bool{kept.ID: true, gone.ID: false} {
				var n int
				ok(t, s.Writer().QueryRow("select count(*) from "+table+" where run_id = $1", id).Scan(&n))
				if table != "leases" || !want {
					equal(t, table, n > 0, want)
				}
			}
		}
	})
}

// TestARunGoesWhileItIsSettled deletes a run while a node tells what it holds of it, and
// another what it no longer holds.
func TestARunGoesWhileItIsSettled(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := newHouse(t, s, 4)
		run := storetest.Run(t, s, h.mailing)
		leased := h.leaseAll(t, h.node, run.ID, now)
		h.settleAll(t, h.node, leased[:2], mailing.Sent, now)
		two := storetest.Node(t, s, "two")

		tx := must(s.Writer().Begin())(t)
		must(tx.Exec("delete from runs where id = $1", run.ID))(t)
		told := make(chan error, 2)
		go func() { told <- s.Settle(ctx, h.node, h.outcomes(h.node, leased[2:], mailing.Sent, now), now) }()
		go func() { told <- s.Settle(ctx, two, h.outcomes(two, leased[:2], mailing.Sent, now), now) }()
		time.Sleep(100 * time.Millisecond) // both wait for the deletion by now
		ok(t, tx.Commit())
		ok(t, <-told)
		ok(t, <-told)
		for _, table := range []string{"deliveries", "attempts"} {
			var left int
			ok(t, s.Writer().QueryRow("select count(*) from "+table+" where run_id = $1", run.ID).Scan(&left))
			equal(t, table, left, 0)
		}
	})
}
