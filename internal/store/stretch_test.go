package store_test

import (
	"testing"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/store"
	"vestnik/internal/store/storetest"
)

// TestALateWordIntoAStretch has a node tell of a try that a restored ledger has
// forgotten, while another has the delivery in a stretch.
func TestALateWordIntoAStretch(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := newHouse(t, s, 3)
		run := storetest.Run(t, s, h.mailing)
		told := h.outcomes(h.node, h.leaseAll(t, h.node, run.ID, now)[:2], mailing.Deferred, now)
		told[1] = h.outcome(h.node, store.Leased{ID: told[1].DeliveryID, RunID: run.ID, Email: told[1].Attempt.Email}, mailing.Sent, now)
		must(s.Writer().Exec("delete from leases"))(t)
		must(s.Writer().Exec("update runs set leased_to = 0"))(t)
		two := storetest.Node(t, s, "two")
		theirs := h.leaseAll(t, two, run.ID, now)
		equal(t, "the second has", len(theirs), 3)
		ok(t, s.Settle(ctx, h.node, told, now))
		third := h.leaseAll(t, storetest.Node(t, s, "three"), run.ID, now.Add(time.Hour))
		equal(t, "a third has", len(third), 0)
		equal(t, "what was sent is", h.delivery(t, run.ID, told[1].DeliveryID).State, mailing.Sent)
		equal(t, "attempts", len(must(s.Log(ctx, store.LogFilter{RunID: run.ID, Limit: 10}))(t)), 2)
		h.settleAll(t, two, theirs, mailing.Sent, now.Add(time.Minute))
		checkCounts(t, s, run.ID)
		equal(t, "state", must(s.Run(ctx, run.ID))(t).State, mailing.RunCompleted)
	})
}

// TestTurnsEnd leases all of a run but what is suppressed at its end, which is not to be
// looked at again and again.
func TestTurnsEnd(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := newHouse(t, s, 4)
		last := h.contacts[3]
		must(s.Suppress(ctx, mailing.Suppression{OwnerID: h.owner.ID, Email: last.Email, Reason: mailing.ReasonManual, CreatedAt: now}))(t)
		run := storetest.Run(t, s, h.mailing)
		turns := func() (left bool) {
			ok(t, s.Writer().QueryRow("select leased_to < filled_to from runs where id = $1", run.ID).Scan(&left))
			return left
		}
		equal(t, "leased first", len(must(s.Lease(ctx, h.node, run.ID, now, 2))(t)), 2)
		equal(t, "turns are left", turns(), true)
		equal(t, "leased then", len(must(s.Lease(ctx, h.node, run.ID, now, 2))(t)), 1)
		equal(t, "turns are left", turns(), false)
	})
}

// TestAnIdleRunIsNotWrittenTo has a node look after a run again and again of which
// nothing is due: each commit would be a write to the disk.
func TestAnIdleRunIsNotWrittenTo(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := newHouse(t, s, 3)
		run := storetest.Run(t, s, h.mailing)
		h.settleAll(t, h.node, h.leaseAll(t, h.node, run.ID, now), mailing.Deferred, now)
		tx := must(s.Writer().BeginTx(ctx, nil))(t)
		defer tx.Rollback()
		changes := func() (n int64) {
			query := "select total_changes()"
			if s.Postgres() {
				query = "select case when pg_current_xact_id_if_assigned() is null then 0 else 1 end"
			}
			ok(t, tx.QueryRow(query).Scan(&n))
			return n
		}
		before := changes()
		equal(t, "leased", len(must(s.LeaseIn(ctx, tx, h.node, run.ID, now, 10))(t)), 0)
		equal(t, "writes", changes()-before, 0)
	})
}
