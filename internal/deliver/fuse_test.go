package deliver

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/smtpsink"
	"vestnik/internal/store"
	"vestnik/internal/store/storetest"
	"vestnik/internal/torture"
	"vestnik/internal/transport"
)

// A run under a fuse is small, so that it makes few calls, but has more recipients
// than workers and more workers than one.
const (
	fewRecipients = 6
	fewWorkers    = 2
)

var (
	databaseCalls = []torture.Kind{torture.Connect, torture.Begin, torture.Exec, torture.Query, torture.Next, torture.Commit}
	networkCalls  = []torture.Kind{torture.Dial, torture.Read, torture.Write}
)

// breakage is what is broken at the n-th call, for all n.
type breakage struct {
	name    string
	effect  torture.Effect
	kinds   []torture.Kind // that are counted
	doubt   mailing.Doubt
	inDoubt int // most that one breakage may put in doubt
	again   int // most that it may send again

	nodes *testing.T // at whose end all nodes have ended
}

// TestBrokenAtTheNthCall breaks the first call that a node makes, the second, and so
// on, until a run is over before that. The short form leaves most of them out.
func TestBrokenAtTheNthCall(t *testing.T) {
	t.Parallel()
	whole := t // dead nodes insist for a while, all at once at its end
	for _, b := range []breakage{
		{name: "a call of the database fails", effect: torture.Fails, kinds: databaseCalls},
		{name: "an answer of the database is lost", effect: torture.Lost, kinds: databaseCalls},
		{name: "a call of the network fails", effect: torture.Fails, kinds: networkCalls, inDoubt: 1},
		{name: "an answer of the network is lost", effect: torture.Lost, kinds: networkCalls, inDoubt: 1},
		{name: "an answer of the network is lost, never missed", effect: torture.Lost, kinds: networkCalls, doubt: mailing.NeverMissed, again: 1},
		{name: "kill at a call", effect: torture.Dies, kinds: slices.Concat(databaseCalls, networkCalls), inDoubt: fewWorkers},
		{
			name: "kill at a call, never missed", effect: torture.Dies, kinds: slices.Concat(databaseCalls, networkCalls),
			doubt: mailing.NeverMissed, again: fewWorkers,
		},
	} {
		t.Run(b.name, func(t *testing.T) {
			storetest.EachURL(t, func(t *testing.T, url string) {
				t.Parallel()
				b.nodes = whole
				b.test(t, url)
			})
		})
	}
}

// leaveOut is how many calls the short form goes ahead at a time, from one that
// chance chooses.
const leaveOut = 19

func (b breakage) test(t *testing.T, url string) {
	s := storetest.Open(t, url)
	line := torture.Line{Fault: "n-th call: " + b.name, Database: torture.Database(url)}
	broken := map[torture.Kind]int{}
	step := torture.Times(leaveOut, 1)
	for n := 1 + rand.IntN(step); ; n += step {
		fuse := torture.NewFuse(n, b.effect)
		r, took := b.strike(t, url, s, fuse)
		if len(r.InDoubt) > b.inDoubt || r.Again > b.again {
			t.Errorf("call %d, a %s: %d are in doubt and %d were sent again, want at most %d and %d",
				n, fuse.Burnt(), len(r.InDoubt), r.Again, b.inDoubt, b.again)
		}
		if t.Failed() {
			t.Fatalf("call %d, a %s, was broken", n, fuse.Burnt())
		}
		if fuse.Burnt() == "" {
			break
		}
		broken[fuse.Burnt()]++
		line.Add(r, took)
	}
	t.Logf("broken: %v", broken)
	for _, kind := range b.kinds {
		if torture.Long() && broken[kind] == 0 {
			t.Errorf("no %s was broken", kind)
		}
	}
	torture.Record(t, line)
}

// strike sends a run through a node under the fuse, which is started again when it
// ends or dies. It returns what came of it, and how long after the breakage.
func (b breakage) strike(t *testing.T, url string, s *store.Store, fuse *torture.Fuse) (torture.Reckoning, time.Duration) {
	t.Helper()
	w := newWorld(t, s, fewRecipients, smtpsink.Options{})
	id := w.open(t, w.mailing(t, mailing.Mailing{Doubt: b.doubt}))
	fused, err := store.OpenThrough(background, url, fuse.Driver)
	ok(t, err)
	// Nothing is connected yet, or a quick run never would be under the fuse.
	fused.Writer().SetMaxIdleConns(0)
	fused.Writer().SetMaxIdleConns(fewWorkers)
	relay := w.relay()
	relay.Dial = fuse.Dial
	fuse.Count(b.kinds...)
	fuse.Light()
	n := b.launch(t, w, fused, relay)
	var burnt time.Time
	dead := false
	completed := within(patience, func() bool {
		if burnt.IsZero() && fuse.Burnt() != "" {
			burnt = time.Now()
		}
		switch {
		case b.effect == torture.Dies && !burnt.IsZero() && !dead:
			dead = true
			w.dir = copyDir(t, w.dir)
			n.cancel() // of what is dead nothing reaches the world any more
			fuse.Release()
			n = b.launch(t, w, s, w.relay())
		case n.ended():
			n = b.launch(t, w, fused, relay) // it could not start, and is started again
		}
		return w.run(t, id).State == mailing.RunCompleted
	})
	if !completed {
		t.Fatalf("after a broken %s the run is not completed within %s: %v", fuse.Burnt(), patience, w.states(t, id))
	}
	took := time.Since(burnt)
	fuse.Snuff()
	n.cancel()
	if err := n.wait(t); err != nil && !errors.Is(err, context.Canceled) { // it may be still starting
		t.Error(err)
	}
	ok(t, fused.Close())
	w.checkCounts(t, id)
	r := torture.Reckon(w.deliveries(t, id), w.sink.Copies(), 1+b.again)
	for _, sentence := range r.Complaints() {
		t.Error(sentence)
	}
	return r, took
}

// launched is a node that may fail to start.
type launched struct {
	cancel context.CancelFunc
	done   chan struct{}
	err    error // when done is closed
}

func (b breakage) launch(t *testing.T, w *world, s *store.Store, relay *transport.Relay) *launched {
	t.Helper()
	c := w.config(w.pool(t, relay, fewWorkers))
	c.Store, c.Workers = s, fewWorkers
	ctx, cancel := context.WithCancel(background)
	n := &launched{cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(n.done)
		n.err = Run(ctx, c)
	}()
	b.nodes.Cleanup(func() {
		cancel()
		<-n.done
	})
	return n
}

func (n *launched) ended() bool {
	select {
	case <-n.done:
		return true
	default:
		return false
	}
}

func (n *launched) wait(t *testing.T) error {
	t.Helper()
	select {
	case <-n.done:
		return n.err
	case <-time.After(patience):
		t.Fatal("the node does not end")
		return nil
	}
}
