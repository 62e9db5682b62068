package deliver

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/smtpsink"
	"vestnik/internal/store"
	"vestnik/internal/store/storetest"
)

// TestRecovery kills a node at each step of a delivery and starts it again.
func TestRecovery(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		for _, doubt := range []mailing.Doubt{mailing.NeverTwice, mailing.NeverMissed} {
			t.Run(string(doubt), func(t *testing.T) { testRecovery(t, s, doubt) })
		}
	})
}

func testRecovery(t *testing.T, s *store.Store, doubt mailing.Doubt) {
	unknown := mailing.InDoubt
	if doubt == mailing.NeverMissed {
		unknown = mailing.Waiting
	}
	for _, c := range []struct {
		name      string
		otherBoot bool
		restored  bool
		write     func(t *testing.T, e *Engine, l store.Leased)
		want      mailing.DeliveryState
		attempts  int
	}{
		{name: "leased and nothing more is untried", want: mailing.Waiting, write: func(*testing.T, *Engine, store.Leased) {}},
		{
			name: "after a power failure all that was leased is in doubt", otherBoot: true, want: unknown, attempts: 1,
			write: func(*testing.T, *Engine, store.Leased) {},
		},
		{
			name: "in a database that was restored all that was leased is in doubt", restored: true, want: unknown, attempts: 1,
			write: func(*testing.T, *Engine, store.Leased) {},
		},
		{
			name: "concluded is so in a database that was restored, too", restored: true, want: mailing.Sent, attempts: 1,
			write: func(t *testing.T, e *Engine, l store.Leased) { conclude(t, e, l, mailing.Sent) },
		},
		{
			name: "intended is in doubt", want: unknown, attempts: 1,
			write: func(t *testing.T, e *Engine, l store.Leased) { ok(t, e.journal.intend(l.ID, e.node.Epoch, 0, nil)) },
		},
		{
			name: "concluded is what was concluded", want: mailing.Sent, attempts: 1,
			write: func(t *testing.T, e *Engine, l store.Leased) { conclude(t, e, l, mailing.Sent) },
		},
		{
			name: "concluded is so after a power failure, too", otherBoot: true, want: mailing.Sent, attempts: 1,
			write: func(t *testing.T, e *Engine, l store.Leased) { conclude(t, e, l, mailing.Sent) },
		},
		{
			name: "concluded and taken over by others is what was concluded", want: mailing.Sent, attempts: 1,
			write: func(t *testing.T, e *Engine, l store.Leased) {
				conclude(t, e, l, mailing.Sent)
				takeOver(t, e)
			},
		},
		{
			name: "leased and taken over by others is untried", want: mailing.Waiting,
			write: func(t *testing.T, e *Engine, _ store.Leased) { takeOver(t, e) },
		},
		{
			name: "deferred, settled and leased once more is untried again", want: mailing.Waiting, attempts: 1,
			write: leaseOnceMore,
		},
		{
			name: "deferred, settled, leased and intended once more is in doubt", want: unknown, attempts: 2,
			write: func(t *testing.T, e *Engine, l store.Leased) {
				leaseOnceMore(t, e, l)
				ok(t, e.journal.intend(l.ID, e.node.Epoch, 1, nil))
			},
		},
		{
			name: "deferred, settled, leased and intended once more is in doubt, though its worker was late to write down the first try",
			want: unknown, attempts: 2,
			write: func(t *testing.T, e *Engine, l store.Leased) {
				o := outcome(t, e, l, mailing.Deferred)
				ok(t, e.journal.intend(l.ID, e.node.Epoch, 0, nil))
				ok(t, e.tell(background, []store.Outcome{o}))
				leaseOne(t, e, l.RunID)
				ok(t, e.journal.intend(l.ID, e.node.Epoch, 1, nil))
				ok(t, e.journal.intend(1<<40, e.node.Epoch, 0, &o))
			},
		},
		{
			name: "deferred, settled and leased once more before a power failure is in doubt", otherBoot: true,
			want: unknown, attempts: 2, write: leaseOnceMore,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, s, 1, smtpsink.Options{})
			id := w.open(t, w.mailing(t, mailing.Mailing{Doubt: doubt}))
			killed := newEngine(w.config(nil))
			ok(t, killed.start(background))
			t.Cleanup(func() { _ = killed.journal.close() })
			c.write(t, killed, leaseOne(t, killed, id))
			if c.otherBoot {
				ok(t, os.WriteFile(filepath.Join(killed.journal.dir, "lock"), []byte(killed.journal.name+"\nearlier\n"), 0o600))
			}
			if c.restored {
				w.hold(t)
			}
			w.dir = copyDir(t, w.dir)
			restarted := newEngine(w.config(nil))
			ok(t, restarted.start(background))
			t.Cleanup(func() { _ = restarted.journal.close() })
			equal(t, "the node", restarted.node.ID, killed.node.ID)
			d := w.deliveries(t, id)[0]
			equal(t, "the state", d.State, c.want)
			equal(t, "attempts", len(w.attempts(t, id)), c.attempts)
			w.checkCounts(t, id)
		})
	}
}

// hold holds the database until the test ends.
func (w *world) hold(t *testing.T) {
	t.Helper()
	_, err := w.Installation(background, store.Installation{Instance: "one"}, time.Now())
	ok(t, err)
	_, err = w.StartHold(background, time.Now())
	ok(t, err)
	t.Cleanup(func() {
		if _, err := w.EndHold(background, mailing.HoldGoOn, w.owner.ID, time.Now()); mailing.CodeOf(err) != "hold_over" {
			ok(t, err)
		}
	})
}

// TestRecoveryInAnOlderLedger has a node send under a ledger that is then put back
// to before the leases.
func TestRecoveryInAnOlderLedger(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, 4, smtpsink.Options{})
		id := w.open(t, w.mailing(t, mailing.Mailing{}))
		killed := newEngine(w.config(nil))
		ok(t, killed.start(background))
		t.Cleanup(func() { _ = killed.journal.close() })
		leased, err := s.Lease(background, killed.node, id, time.Now().Add(time.Minute), 3)
		ok(t, err)
		conclude(t, killed, leased[0], mailing.Sent)
		ok(t, killed.journal.intend(leased[1].ID, killed.node.Epoch, 0, nil))
		_, err = s.Writer().Exec("delete from leases")
		ok(t, err)
		_, err = s.Writer().Exec("update runs set leased_to = 0")
		ok(t, err)
		w.hold(t)
		w.dir = copyDir(t, w.dir)
		restarted := newEngine(w.config(nil))
		ok(t, restarted.start(background))
		t.Cleanup(func() { _ = restarted.journal.close() })
		states := map[int64]mailing.DeliveryState{}
		for _, d := range w.deliveries(t, id) {
			states[d.ID] = d.State
		}
		equal(t, "what was concluded", states[leased[0].ID], mailing.Sent)
		equal(t, "what was intended", states[leased[1].ID], mailing.InDoubt)
		equal(t, "what was leased and no more", states[leased[2].ID], mailing.Waiting)
		equal(t, "attempts", len(w.attempts(t, id)), 2)
		w.checkCounts(t, id)
	})
}

func leaseOne(t *testing.T, e *Engine, runID int64) store.Leased {
	t.Helper()
	list, err := e.Store.Lease(background, e.node, runID, time.Now().Add(time.Minute), 1)
	ok(t, err)
	equal(t, "leased", len(list), 1)
	return list[0]
}

func conclude(t *testing.T, e *Engine, l store.Leased, state mailing.DeliveryState) store.Outcome {
	t.Helper()
	o := outcome(t, e, l, state)
	ok(t, e.journal.intend(l.ID, e.node.Epoch, 0, nil))
	ok(t, e.journal.conclude(&o))
	return o
}

func outcome(t *testing.T, e *Engine, l store.Leased, state mailing.DeliveryState) store.Outcome {
	t.Helper()
	run, err := e.Store.Run(background, l.RunID)
	ok(t, err)
	j := job{Leased: l, run: &run}
	o := store.Outcome{DeliveryID: l.ID, Epoch: e.node.Epoch, Tries: l.Tries, State: state, Attempt: e.attempt(&j, time.Now(), mailing.AttemptAccepted)}
	if state == mailing.Deferred {
		o.DueAt, o.Attempt.Result = time.Now(), mailing.AttemptDeferred
	}
	return o
}

func leaseOnceMore(t *testing.T, e *Engine, l store.Leased) {
	t.Helper()
	o := conclude(t, e, l, mailing.Deferred)
	ok(t, e.tell(background, []store.Outcome{o}))
	leaseOne(t, e, l.RunID)
}

func takeOver(t *testing.T, e *Engine) {
	t.Helper()
	_, err := e.Store.KeepNodeAlive(background, e.node, time.Now().Add(-time.Hour))
	ok(t, err)
	n, err := e.Store.TakeOver(background, time.Now(), 10)
	ok(t, err)
	equal(t, "taken over", n, 1)
}
