package server_test

import (
	"strings"
	"testing"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/smtpsink"
	"vestnik/internal/store/storetest"
)

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
		if took > time.Minute {
			t.Errorf("it took %s", took)
		}
	})
	before := h.account(run, s.Copies(), 1)
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
