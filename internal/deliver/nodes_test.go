package deliver

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/smtpsink"
	"vestnik/internal/store"
	"vestnik/internal/store/storetest"
	"vestnik/internal/transport"
)

// trap is a way out that, once it is set, keeps every mail at one point of its
// way for ever: this is where a kill finds it.
type trap struct {
	sender Sender
	at     string // "leased", "intended" or "answered"

	set     atomic.Bool
	caught  atomic.Int64
	release chan struct{}
	once    sync.Once
}

var errKilled = errors.New("killed")

func (p *trap) stop() error {
	p.caught.Add(1)
	<-p.release
	return errKilled
}

// Carry keeps mails at the point.
func (p *trap) Carry(ctx context.Context, m transport.Mail, next func() transport.Mail) {
	wrapped(p.send).Carry(ctx, m, next)
}

func (p *trap) send(ctx context.Context, env transport.Envelope, message []byte, beforeDot func() error) (transport.Result, error) {
	result, err := sendBy(ctx, p.sender, env, message, func() error {
		if p.set.Load() && p.at == "leased" {
			return p.stop()
		}
		if err := beforeDot(); err != nil {
			return err
		}
		if p.set.Load() && p.at == "intended" {
			return p.stop()
		}
		return nil
	})
	if p.set.Load() && p.at == "answered" && err == nil {
		return result, p.stop()
	}
	return result, err
}

// spring opens the trap, so that the test can end.
func (p *trap) spring() { p.once.Do(func() { close(p.release) }) }

// startTrapped starts an engine whose mails, once the trap is set, are all caught.
func (w *world) startTrapped(t *testing.T, at string) (*running, *trap) {
	t.Helper()
	p := &trap{sender: w.pool(t, w.relay(), workers), at: at, release: make(chan struct{})}
	r := w.start(t, func(c *Config) { c.Roads = roadOver(c, p) })
	t.Cleanup(p.spring)
	return r, p
}

func (p *trap) catchAll(t testing.TB) {
	t.Helper()
	p.set.Store(true)
	eventually(t, "all workers are caught", func() bool { return p.caught.Load() == workers })
}

// TestKills kills a node while its mails are at one point of their way, and
// starts it again on the same journal.
func TestKills(t *testing.T) {
	t.Parallel()
	for _, c := range []killing{
		{at: "leased", doubt: mailing.NeverTwice, inDoubt: 0, mails: 300},
		{at: "intended", doubt: mailing.NeverTwice, inDoubt: workers, mails: 300 - workers},
		{at: "answered", doubt: mailing.NeverTwice, inDoubt: workers, mails: 300},
		{at: "leased", doubt: mailing.NeverMissed, inDoubt: 0, mails: 300},
		{at: "intended", doubt: mailing.NeverMissed, inDoubt: 0, mails: 300},
		{at: "answered", doubt: mailing.NeverMissed, inDoubt: 0, mails: 300 + workers},
	} {
		t.Run(string(c.doubt)+", "+c.at, func(t *testing.T) {
			storetest.Each(t, c.test)
		})
	}
}

// killing is where a kill finds the mails of a node, and what comes of it.
type killing struct {
	at      string
	doubt   mailing.Doubt
	inDoubt int64
	mails   int // that the server has in the end
}

func (c killing) test(t *testing.T, s *store.Store) {
	const recipients = 300
	w := newWorld(t, s, recipients, smtpsink.Options{})
	id := w.open(t, w.mailing(t, mailing.Mailing{Doubt: c.doubt}))
	_, killed := w.startTrapped(t, c.at)
	w.atWork(t)
	killed.catchAll(t)
	answered := int64(w.sink.Count())
	if c.at == "answered" {
		answered -= workers
	}
	eventually(t, "what was answered before is settled", func() bool { return w.run(t, id).Counts.Sent == answered })
	w.dir = copyDir(t, w.dir)
	w.start(t)
	run := w.complete(t, id)
	equal(t, "in doubt", run.Counts.InDoubt, c.inDoubt)
	equal(t, "sent", run.Counts.Sent, recipients-c.inDoubt)
	allowed := 1
	if c.mails > recipients {
		allowed = 2
	}
	w.check(t, allowed, id)
	equal(t, "mails", w.sink.Count(), c.mails)
}

func TestTwoNodesShareARun(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		const recipients = 2000
		w := newWorld(t, s, recipients, smtpsink.Options{})
		id := w.open(t, w.mailing(t, mailing.Mailing{}))
		first := w.start(t)
		w.dir = t.TempDir()
		second := w.start(t)
		w.complete(t, id)
		w.check(t, 1, id)
		equal(t, "mails", w.sink.Count(), recipients)
		if first.sent() == 0 || second.sent() == 0 {
			t.Errorf("they sent %d and %d", first.sent(), second.sent())
		}
	})
}

// TestANodeThatFreezes has all mails of a node stop right after the server took
// them, and the node look dead. What it held is in doubt until it tells.
func TestANodeThatFreezes(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		const recipients = 300
		w := newWorld(t, s, recipients, smtpsink.Options{})
		id := w.open(t, w.mailing(t, mailing.Mailing{}))
		frozen, p := w.startTrapped(t, "answered")
		w.atWork(t)
		p.catchAll(t)
		dir := w.dir
		w.dir = t.TempDir()
		w.start(t)
		run := w.completeWithout(t, id, frozen.node)
		if held := run.Counts.InDoubt; held < workers {
			t.Errorf("%d deliveries are in doubt, want the %d that were caught at least", held, workers)
		}
		w.check(t, 1, id)

		w.dir = copyDir(t, dir) // it is killed and comes back
		w.start(t)
		run = w.complete(t, id)
		equal(t, "in doubt", run.Counts.InDoubt, workers)
		w.check(t, 1, id)
		equal(t, "mails", w.sink.Count(), recipients)
	})
}

// completeWithout waits until the run is completed while the node looks dead.
func (w *world) completeWithout(t testing.TB, runID int64, dead store.Node) mailing.Run {
	t.Helper()
	eventually(t, "the run is completed", func() bool {
		_, err := w.KeepNodeAlive(background, dead, time.Now().Add(-time.Hour))
		ok(t, err)
		return w.run(t, runID).State == mailing.RunCompleted
	})
	return w.run(t, runID)
}

// TestANodeThatWakesUp is as before, but the node was only asleep.
func TestANodeThatWakesUp(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		const recipients = 300
		w := newWorld(t, s, recipients, smtpsink.Options{})
		id := w.open(t, w.mailing(t, mailing.Mailing{}))
		frozen, p := w.startTrapped(t, "answered")
		w.atWork(t)
		p.catchAll(t)
		w.dir = t.TempDir()
		w.start(t)
		w.completeWithout(t, id, frozen.node)
		p.set.Store(false)
		p.spring()
		run := w.run(t, id)
		eventually(t, "it has told what it knew", func() bool {
			run = w.run(t, id)
			return run.State == mailing.RunCompleted && run.Counts.Waiting() == 0 && run.Counts.InDoubt == 0
		})
		equal(t, "sent", run.Counts.Sent, recipients)
		w.check(t, 1, id)
	})
}

// TestAnswersThatAreLost has the ledger hold leases of which the node never heard.
func TestAnswersThatAreLost(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		newFeeder := func(t *testing.T) (*feeder, *mailing.Run) {
			t.Helper()
			w := newWorld(t, s, 4, smtpsink.Options{})
			id := w.open(t, w.mailing(t, mailing.Mailing{}))
			run := w.run(t, id)
			return w.idleFeeder(t, 100), &run
		}
		lease := func(t *testing.T, f *feeder, run *mailing.Run, most int) {
			t.Helper()
			leased, err := f.lease(background, run, most)
			ok(t, err)
			f.give(leased, false, time.Now())
		}
		told := func(t *testing.T, f *feeder) []store.Outcome {
			t.Helper()
			var list []store.Outcome
			for len(f.outcomes) > 0 {
				list = append(list, <-f.outcomes)
			}
			ok(t, f.tell(background, list))
			f.hands.letGo(list)
			return list
		}
		t.Run("a lease that nobody knows of is handed back", func(t *testing.T) {
			f, run := newFeeder(t)
			lease(t, f, run, 2)
			_, err := s.Lease(background, f.node, run.ID, time.Now(), 2) // the answer is lost
			ok(t, err)
			ok(t, f.reclaim(background))
			equal(t, "handed back while all is well", len(told(t, f)), 0)
			f.unsure = true
			ok(t, f.reclaim(background))
			equal(t, "handed back", len(told(t, f)), 2)
			inHand, err := storetest.InHand(s, run.ID)
			ok(t, err)
			equal(t, "in hand", inHand, 2)
			equal(t, "unsure any more", f.unsure, false)
		})
		t.Run("what is leased while in hand is not sent from two hands", func(t *testing.T) {
			f, run := newFeeder(t)
			lease(t, f, run, 1)
			bulk := f.lanes.all()[0].bulk
			j := <-bulk
			back := []store.Outcome{f.handBack(&j)}
			ok(t, f.tell(background, back)) // and its answer is lost
			for len(f.clashing) == 0 {
				lease(t, f, run, 1)
			}
			for range len(bulk) {
				if other := <-bulk; other.ID == j.ID {
					t.Fatal("it is given to a second pair of hands")
				}
			}
			ok(t, f.reclaim(background))
			equal(t, "handed back while in hand", len(told(t, f)), 0)
			ok(t, f.tell(background, back)) // told again
			f.hands.letGo(back)
			ok(t, f.reclaim(background))
			equal(t, "handed back afterwards", len(told(t, f)), 1)
			equal(t, "clashing", len(f.clashing), 0)
			again, err := s.Lease(background, f.node, run.ID, time.Now(), 10)
			ok(t, err)
			found := false
			for _, l := range again {
				found = found || l.ID == j.ID
			}
			if !found {
				t.Error("it is not to be leased any more")
			}
		})
	})
}
