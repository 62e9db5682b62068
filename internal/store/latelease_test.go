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
	url := storetest.PostgresURL(t)
	h := newHouse(t, storetest.Open(t, url), 3)
	run := storetest.Run(t, h.Store, h.mailing)
	tx := must(h.Writer().BeginTx(ctx, nil))(t)
	defer tx.Rollback()
	_, err := tx.ExecContext(ctx, store.LeaseStatement(h.Store), run.ID, storetest.Now.UnixMilli(), 3, h.node.ID, h.node.Epoch)
	ok(t, err)
	left := make(chan []store.Left)
	go func() {
		var list []store.Left
		node, err := h.StartNode(ctx, h.node.Name, storetest.Now, storetest.Now.Add(time.Hour))
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
}
