package server_test

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/smtpsink"
	"vestnik/internal/store/storetest"
	"vestnik/internal/torture"
)

// The tests of several nodes run alone, since a node that gets nothing to compute is
// taken for dead, and one that is dead is waited for half a minute.

func TestTwoNodes(t *testing.T) {
	t.Run("two nodes on one database share 10,000 mails and send none twice", func(t *testing.T) {
		h := newHouse(t, storetest.PostgresURL(t))
		storetest.Contacts(t, h.store, h.owner.ID, many)
		s := newSink(t, smtpsink.Options{Delay: roundTrip})
		for _, p := range []*process{h.serve(s.Addr()), h.secondNode().serve(s.Addr())} {
			p.says("pages are served", 30*time.Second)
		}
		asked := time.Now()
		run := h.sendNow(h.mailing(mailing.NeverTwice))
		h.awaitEnd(run, time.Minute)
		report(t, "two nodes", many, asked, s.firstAt())
		if inDoubt := h.account(run, s.Copies(), 1); len(inDoubt) > 0 || s.Count() != many {
			t.Errorf("%d are in doubt and %d sent, want 0 and %d", len(inDoubt), s.Count(), many)
		}
		share := map[string]int{}
		for _, a := range h.log(run) {
			share[a.Node]++
		}
		t.Logf("shares: %v", share)
		if len(share) != 2 {
			t.Errorf("%d nodes have sent, want 2", len(share))
		}
		for node, n := range share {
			if n < many/10 {
				t.Errorf("node %s has sent only %d", node, n)
			}
		}
	})
}

// secondNode is the same installation on another machine.
func (h *house) secondNode() *house {
	of := *h
	of.dir = h.t.TempDir()
	return &of
}

// takenOverWithin is a minute, as promised, and in the short form half of one more for a
// machine that is busy.
var takenOverWithin = time.Duration(torture.Times(90, 60)) * time.Second

func TestTakeOver(t *testing.T) {
	needSystem(t) // a dead node is believed dead after half a minute
	h := newHouse(t, storetest.PostgresURL(t))
	storetest.Contacts(t, h.store, h.owner.ID, many)
	s := newSink(t, smtpsink.Options{Delay: roundTrip})
	h.serve(s.Addr())
	other := h.secondNode()
	victim := other.serve(s.Addr())
	victim.says("pages are served", 30*time.Second)
	run := h.sendNow(h.mailing(mailing.NeverTwice))
	s.awaitMore(t, many/3)
	victim.kill()
	killed := time.Now()
	h.awaitEnd(run, 2*time.Minute)
	took := time.Since(killed)

	t.Run("the other node brings the run to its end within a minute", func(t *testing.T) {
		if took > takenOverWithin {
			t.Errorf("it took %s", took)
		}
	})
	r := h.reckon(run, s.Copies(), 1)
	before := r.InDoubt
	line := torture.Line{Fault: "a node is killed for good", Database: torture.Database(h.url)}
	line.Add(r, took)
	torture.Record(t, line)
	t.Run("when the killed node comes back, its journal tells what became of its mails, and none is sent twice", func(t *testing.T) {
		h := h.in(t)
		back := other.in(t).serve(s.Addr())
		await(t, time.Minute, "no more are in doubt than were on the wire", func() bool {
			return h.run(run).Counts.InDoubt <= connections
		})
		h.awaitEnd(run, time.Minute)
		after := h.account(run, s.Copies(), 1)
		h.checkDoubtLog(run, after)
		t.Logf("taken over in %s; in doubt: %d before the return, %d after it", took.Round(time.Millisecond), len(before), len(after))
		if len(before) > 0 && len(after) < len(before) && !strings.Contains(back.log.String(), "stopped in the middle") {
			t.Error("the log does not say that the node was stopped in the middle of sending")
		}
	})
}

// pauseProcess stops the process as a machine does that sleeps, and wakes it.
func pauseProcess(t *testing.T, p *process, signal syscall.Signal) {
	t.Helper()
	if err := p.cmd.Process.Signal(signal); err != nil {
		t.Fatal(err)
	}
}

// senders are the nodes that have sent mails of a run.
func (h *house) senders(run int64) map[string]bool {
	nodes := map[string]bool{}
	for _, a := range h.log(run) {
		nodes[a.Node] = true
	}
	return nodes
}

// holders is how many nodes have mails of a run in hand.
func (h *house) holders(run int64) (n int) {
	h.t.Helper()
	if err := h.store.Writer().QueryRow("select count(distinct node_id) from leases where run_id = $1", run).Scan(&n); err != nil {
		h.t.Fatal(err)
	}
	return n
}

// newestNode is the node that has come last.
func (h *house) newestNode() (id int64) {
	h.t.Helper()
	if err := h.store.Writer().QueryRow("select id from nodes order by started_at desc, id desc limit 1").Scan(&id); err != nil {
		h.t.Fatal(err)
	}
	return id
}

// holds reports whether a node has mails of a run in hand.
func (h *house) holds(node, run int64) bool {
	h.t.Helper()
	var n int
	if err := h.store.Writer().QueryRow("select count(*) from leases where run_id = $1 and node_id = $2", run, node).Scan(&n); err != nil {
		h.t.Fatal(err)
	}
	return n > 0
}

// TestFrozenNode has one of three nodes frozen past its lease and woken, and one
// killed for good meanwhile.
func TestFrozenNode(t *testing.T) {
	needSystem(t) // a node that does not move is believed dead after half a minute
	h := newHouse(t, storetest.PostgresURL(t))
	storetest.Contacts(t, h.store, h.owner.ID, many)
	s := newSink(t, smtpsink.Options{Delay: roundTrip})
	h.serve(s.Addr()).says("pages are served", 30*time.Second)
	frozen := h.secondNode().serve(s.Addr())
	frozen.says("pages are served", 30*time.Second)
	second := h.newestNode()
	killed := h.secondNode().serve(s.Addr())
	killed.says("pages are served", 30*time.Second)
	run := h.sendNow(h.mailing(mailing.NeverTwice))
	// While it opens, a node often has nothing in hand, and a node without anything in hand
	// knows nothing that it could tell.
	await(t, 30*time.Second, "all three have mails in hand, at full speed", func() bool {
		return len(h.senders(run)) == 3 && h.run(run).State == mailing.RunSending && h.holders(run) == 3
	})
	t.Cleanup(func() { frozen.kill() })
	await(t, 30*time.Second, "it is frozen with mails in hand", func() bool {
		pauseProcess(t, frozen, syscall.SIGSTOP)
		time.Sleep(200 * time.Millisecond) // what it had asked of the database is done
		if h.holds(second, run) {
			return true
		}
		pauseProcess(t, frozen, syscall.SIGCONT) // between two handfuls
		return false
	})
	s.awaitMore(t, many/4)
	killed.kill()
	since := time.Now()
	h.awaitEnd(run, 2*time.Minute)
	took := time.Since(since)
	t.Run("the third node brings the run to its end within a minute", func(t *testing.T) {
		if took > takenOverWithin {
			t.Errorf("it took %s", took)
		}
	})
	asleep := h.run(run).Counts.InDoubt
	pauseProcess(t, frozen, syscall.SIGCONT)
	t.Run("the frozen node, woken, tells what it knows, sends nothing of what was taken from it, and goes on", func(t *testing.T) {
		h := h.in(t)
		last, since := asleep, time.Now()
		await(t, time.Minute, "it has told what it knew", func() bool {
			c := h.run(run).Counts
			if c.InDoubt != last {
				last, since = c.InDoubt, time.Now()
			}
			return last < asleep && c.Waiting() == 0 && time.Since(since) > 5*time.Second
		})
		r := h.reckon(run, s.Copies(), 1)
		t.Logf("in doubt: %d while it slept, %d after it", asleep, len(r.InDoubt))
		line := torture.Line{Fault: "a node freezes past its lease, another is killed", Database: torture.Database(h.url)}
		line.Add(r, took)
		torture.Record(t, line)
		next := h.sendNow(h.mailing(mailing.NeverTwice))
		h.awaitEnd(next, time.Minute)
		if nodes := h.senders(next); len(nodes) != 2 {
			t.Errorf("%d nodes have sent the next run, want 2", len(nodes))
		}
	})
}
