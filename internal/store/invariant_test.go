package store_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"vestnik/internal/mailing"
	"vestnik/internal/store"
	"vestnik/internal/store/storetest"
)

// ledger is the world of the state machine: one run, two nodes that may die and
// come back, and all that they have ever told.
type ledger struct {
	house
	run     mailing.Run
	nodes   [2]store.Node
	at      time.Time
	held    [2][]store.Leased // what each node believes it holds
	told    [2][]store.Outcome
	tellers [2][]store.Node // who told each of told
}

// TestCountsAreThoseOfTheRows checks after every step of a random life of a run
// that audience = sent + failed + skipped + in doubt + what is still to do, that
// the counts are those of the rows, and that every attempt is on record once.
func TestCountsAreThoseOfTheRows(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := newHouse(t, s, 12)
		second := storetest.Node(t, s, "two")
		at := now
		rapid.Check(t, func(r *rapid.T) {
			at = at.Add(10 * 24 * time.Hour)
			doubt := rapid.SampledFrom([]mailing.Doubt{mailing.NeverTwice, mailing.NeverMissed}).Draw(r, "doubt")
			m := storetest.Mailing(t, s, mailing.Mailing{OwnerID: h.owner.ID, Doubt: doubt})
			l := &ledger{house: h, run: storetest.Run(t, s, m), nodes: [2]store.Node{h.node, second}, at: at}
			l.mailing = m
			r.Repeat(map[string]func(*rapid.T){
				"lease": l.lease, "settle": l.settle, "replay": l.replay, "die and take over": l.die,
				"start again": l.restart, "resolve": l.resolve, "cancel": l.cancel, "time passes": l.wait,
				"forget what is spent": l.forget,
				"":                     l.check,
			})
		})
	})
}

func (l *ledger) pick(r *rapid.T) int { return rapid.IntRange(0, 1).Draw(r, "node") }

func (l *ledger) wait(r *rapid.T) {
	l.at = l.at.Add(time.Duration(rapid.IntRange(1, 400).Draw(r, "seconds")) * time.Second)
}

func (l *ledger) lease(r *rapid.T) {
	i := l.pick(r)
	list := must(l.Lease(ctx, l.nodes[i], l.run.ID, l.at, rapid.IntRange(1, 6).Draw(r, "most")))(r)
	l.held[i] = append(l.held[i], list...)
}

func (l *ledger) settle(r *rapid.T) {
	i := l.pick(r)
	if len(l.held[i]) == 0 {
		r.Skip("it holds nothing")
	}
	n := rapid.IntRange(1, len(l.held[i])).Draw(r, "how many")
	var batch []store.Outcome
	for _, leased := range l.held[i][:n] {
		state := rapid.SampledFrom([]mailing.DeliveryState{
			mailing.Sent, mailing.Sent, mailing.Failed, mailing.Deferred, mailing.Skipped, mailing.Waiting, mailing.InDoubt,
		}).Draw(r, "outcome")
		l.at = l.at.Add(time.Millisecond)
		batch = append(batch, l.outcome(l.nodes[i], leased, state, l.at))
	}
	l.held[i] = slices.Clone(l.held[i][n:])
	ok(r, l.Settle(ctx, l.nodes[i], batch, l.at))
	for _, o := range batch {
		if o.Attempt != nil {
			l.told[i], l.tellers[i] = append(l.told[i], o), append(l.tellers[i], l.nodes[i])
		}
	}
}

// replay tells outcomes again that the node told at any time before.
func (l *ledger) replay(r *rapid.T) {
	i := l.pick(r)
	if len(l.told[i]) == 0 {
		r.Skip("it has told nothing")
	}
	k := rapid.IntRange(0, len(l.told[i])-1).Draw(r, "which")
	ok(r, l.Settle(ctx, l.tellers[i][k], []store.Outcome{l.told[i][k], l.told[i][k]}, l.at))
}

// die lets one node die; it does not know of it, and may tell more afterwards.
func (l *ledger) die(r *rapid.T) {
	i := l.pick(r)
	if _, err := l.KeepNodeAlive(ctx, l.nodes[i], l.at.Add(-time.Second)); err != nil {
		r.Fatal(err)
	}
	if _, err := l.KeepNodeAlive(ctx, l.nodes[1-i], l.at.Add(time.Hour)); err != nil {
		r.Fatal(err)
	}
	must(l.TakeOver(ctx, l.at, 100))(r)
}

// restart starts the node anew, which finds in its journal what it held.
func (l *ledger) restart(r *rapid.T) {
	i := l.pick(r)
	was := l.nodes[i]
	l.nodes[i] = must(l.StartNode(ctx, was.Name, l.at, l.at.Add(time.Hour)))(r)
	l.held[i] = nil
	for _, held := range must(l.LeftByNode(ctx, l.nodes[i]))(r) {
		state := rapid.SampledFrom([]mailing.DeliveryState{mailing.Waiting, mailing.InDoubt}).Draw(r, "journal")
		before := was
		before.Epoch = held.Epoch
		o := store.Outcome{DeliveryID: held.ID, Epoch: held.Epoch, Tries: held.Tries, State: state, DueAt: l.at}
		ok(r, l.Settle(ctx, before, []store.Outcome{o}, l.at))
	}
}

func (l *ledger) resolve(r *rapid.T) {
	list, _, err := l.Deliveries(ctx, store.DeliveryFilter{RunID: l.run.ID, States: []mailing.DeliveryState{mailing.InDoubt}}, store.Page{Limit: 100})
	ok(r, err)
	if len(list) == 0 {
		r.Skip("nothing is in doubt")
	}
	d := list[rapid.IntRange(0, len(list)-1).Draw(r, "which")]
	state := rapid.SampledFrom([]mailing.DeliveryState{mailing.Sent, mailing.Failed, mailing.Waiting}).Draw(r, "word")
	ok(r, l.ResolveDoubt(ctx, l.run.ID, d.ID, state, l.at))
}

func (l *ledger) forget(r *rapid.T) {
	before := must(storetest.InHand(l.Store, l.run.ID))(r)
	ok(r, l.EndSpentLeases(ctx, l.nodes[l.pick(r)]))
	if after := must(storetest.InHand(l.Store, l.run.ID))(r); after != before {
		r.Fatalf("%d deliveries were in hand and %d are", before, after)
	}
}

func (l *ledger) cancel(r *rapid.T) {
	if rapid.IntRange(0, 9).Draw(r, "one in ten") != 0 {
		r.Skip("not now")
	}
	ok(r, l.CancelRun(ctx, l.run.ID, l.at))
}

func (l *ledger) check(t *rapid.T) {
	t.Helper()
	checkCounts(t, l.Store, l.run.ID)
	seen := map[string]bool{}
	tries := map[int64]int64{}
	for _, a := range must(l.Log(ctx, store.LogFilter{RunID: l.run.ID, Limit: 10_000}))(t) {
		key := fmt.Sprint(a.DeliveryID, a.At, a.Node)
		if seen[key] {
			t.Fatalf("the attempt %s is on record twice", key)
		}
		seen[key] = true
		tries[a.DeliveryID]++
	}
	told := len(l.told[0]) + len(l.told[1])
	if len(seen) != told {
		t.Fatalf("%d attempts were told and %d are on record", told, len(seen))
	}
	list, _, err := l.Deliveries(ctx, store.DeliveryFilter{RunID: l.run.ID}, store.Page{Limit: 100})
	ok(t, err)
	for _, d := range list {
		if d.Tries > tries[d.ID] {
			t.Fatalf("delivery %d counts %d tries and %d are on record", d.ID, d.Tries, tries[d.ID])
		}
		if d.State.Final() == d.SettledAt.IsZero() {
			t.Fatalf("delivery %d is %s and was settled at %v", d.ID, d.State, d.SettledAt)
		}
	}
}
