package store_test

import (
	"testing"
	"time"

	"vestnik/internal/store"
	"vestnik/internal/store/storetest"
)

// TestALeaseThatIsCommittedLate has a node die while PostgreSQL is about to commit
// its lease, and start again. SQLite has one writer, who ends with its process.
func TestALeaseThatIsCommittedLate(t *testing.T) {
	for name, prepare := range map[string]func(h house, runID int64){
		"of a stretch":            func(house, int64) {},
		"of what is due by clock": func(h house, runID int64) { h.handBack(t, h.node, runID, now) },
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, storetest.Open(t, storetest.PostgresURL(t)), 3)
			run := storetest.Run(t, h.Store, h.mailing)
			prepare(h, run.ID)
			tx := must(h.Writer().BeginTx(ctx, nil))(t)
			defer tx.Rollback()
			leased := must(h.LeaseIn(ctx, tx, h.node, run.ID, now, 3))(t)
			equal(t, "leased", len(leased), 3)
			left := make(chan []store.Left)
			go func() {
				var list []store.Left
				node, err := h.StartNode(ctx, h.node.Name, now, now.Add(time.Hour))
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
				t.Errorf("the next start sees %d of the 3 deliveries, and nobody else ever will", len(found))
			}
		})
	}
}
