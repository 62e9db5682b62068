package store_test

import (
	"context"
	"testing"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/store"
	"vestnik/internal/store/storetest"
)

// TestANodeThatFreezesInATransaction holds the locks of a transaction as a node does
// that is stopped in the middle of settling. SQLite gives up no lock of a process
// that lives; there is one node then.
func TestANodeThatFreezesInATransaction(t *testing.T) {
	t.Parallel() // it takes ten seconds, and nothing else meanwhile
	url := storetest.PostgresURL(t)
	h := newHouse(t, storetest.Open(t, url), 3)
	run := storetest.Run(t, h.Store, h.mailing)
	list := h.leaseAll(t, h.node, run.ID, storetest.Now)
	frozen := must(must(store.Open(ctx, url))(t).Writer().BeginTx(ctx, nil))(t)
	_, err := frozen.ExecContext(ctx, "update runs set halt = '' where id = $1", run.ID)
	ok(t, err)
	patient, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	if err := h.Settle(patient, h.node, h.outcomes(h.node, list, mailing.Sent, storetest.Now), storetest.Now); err != nil {
		t.Errorf("nobody else can settle: %v", err)
	}
}
