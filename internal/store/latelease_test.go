package store_test

import (
	"testing"
	"time"

	"vestnik/internal/store"
	"vestnik/internal/store/storetest"
)

// TestALeaseThatIsCommittedLate has PostgreSQL commit a lease when the node has given up
// on it, or has died and starts again. SQLite has one writer, who ends with its process.
func TestALeaseThatIsCommittedLate(t *testing.T) {
	atOnce := func(house, int64) {}
	byClock := func(h house, runID int64) { h.handBack(t, h.node, runID, now) }
	again := func(h house) (store.Node, error) {
		return h.StartNode(ctx, h.node.Name, now, now.Add(time.Hour))
	}
	itself := func(h house) (store.Node, error) {
		_, err := h.KeepNodeAlive(ctx, h.node, now.Add(time.Hour))
		upToNow := h.node
		upToNow.Epoch++
		return upToNow, err
	}
	for name, c := range map[string]struct {
		prepare func(h house, runID int64)
		next    func(h house) (store.Node, error)
	}{
		"of a stretch, for the next start":            {atOnce, again},
		"of what is due by clock, for the next start": {byClock, again},
		"of a stretch, for the same start":            {atOnce, itself},
		"of what is due by clock, for the same start": {byClock, itself},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, storetest.Open(t, storetest.PostgresURL(t)), 3)
			run := storetest.Run(t, h.Store, h.mailing)
			c.prepare(h, run.ID)
			tx := must(h.Writer().BeginTx(ctx, nil))(t)
			defer tx.Rollback()
			leased := must(h.LeaseIn(ctx, tx, h.node, run.ID, now, 3))(t)
			equal(t, "leased", len(leased), 3)
			left := make(chan []store.Left)
			go func() {
				var list []store.Left
				node, err := c.next(h)
				if err == nil {
					list, err = h.LeftByNode(ctx, node)
				}
				if err != nil {
					t.Error(err)
				}
				left <- list
			}()
			var found []store.Left
			select {
			case found = <-left:
			case <-time.After(300 * time.Millisecond): // it waits, as it should
				ok(t, tx.Commit())
				found = <-left
			}
			if len(found) != 3 {
				t.Errorf("it sees %d of the 3 deliveries, and nobody else ever will", len(found))
			}
		})
	}
}
