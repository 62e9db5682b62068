package deliver

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/store"
)

// passes says when so many mails pass a quota, since it was made.
func passes(t *testing.T, q *quota, mails int) (at []time.Duration) {
	t.Helper()
	begun := time.Now()
	for range mails {
		if !q.pause(t.Context(), time.Now()) {
			t.Fatal("the lane is closed")
		}
		at = append(at, time.Since(begun))
	}
	return at
}

// quotaOf is a quota of 20 a second of one of two nodes, by a meter.
func quotaOf(meter func(context.Context, int64, int, int, int) (Slots, bool)) *quota {
	e := &Engine{Config: Config{Slots: meter}}
	e.nodes.Store(2)
	return &quota{lane: &lane{Engine: e, road: &Road{ID: 7}, limits: Limits{PerSecond: 20}, closing: make(chan struct{})}}
}

func TestSlots(t *testing.T) {
	const ms = time.Millisecond
	cases := []struct {
		name  string
		meter func() func(context.Context, int64, int, int, int) (Slots, bool)
		want  []time.Duration
	}{
		{"without a meter a node has its part", func() func(context.Context, int64, int, int, int) (Slots, bool) {
			return nil
		}, []time.Duration{0, 100 * ms, 200 * ms, 300 * ms}},
		{"a meter that nobody shares leaves it its part, too", func() func(context.Context, int64, int, int, int) (Slots, bool) {
			return func(context.Context, int64, int, int, int) (Slots, bool) { return Slots{}, false }
		}, []time.Duration{0, 100 * ms, 200 * ms, 300 * ms}},
		{"from a shared one it takes slots as they are", func() func(context.Context, int64, int, int, int) (Slots, bool) {
			in := 10 * ms
			return func(_ context.Context, road int64, perSecond, most, nodes int) (Slots, bool) {
				if road != 7 || perSecond != 20 || most != 1 || nodes != 2 {
					return Slots{}, false
				}
				return Slots{In: in, Every: 20 * ms, Count: 2}, true
			}
		}, []time.Duration{10 * ms, 30 * ms, 40 * ms, 60 * ms}},
		{"while there are none it waits, and then asks again", func() func(context.Context, int64, int, int, int) (Slots, bool) {
			asked := 0
			return func(context.Context, int64, int, int, int) (Slots, bool) {
				asked++
				switch asked {
				case 1:
					return Slots{In: 3 * time.Second}, true
				case 2:
					return Slots{}, false
				}
				return Slots{Every: 50 * ms, Count: 1}, true
			}
		}, []time.Duration{3000 * ms, 3000 * ms}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				if got := passes(t, quotaOf(c.meter()), len(c.want)); !slices.Equal(got, c.want) {
					t.Errorf("mails pass at %v, want %v", got, c.want)
				}
			})
		})
	}
}

func TestSlotsThatAreOver(t *testing.T) {
	const ms = time.Millisecond
	t.Run("slots that nothing came for are not made up for", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			asked := 0
			q := quotaOf(func(context.Context, int64, int, int, int) (Slots, bool) {
				asked++
				return Slots{Every: ms, Count: 50}, true
			})
			passes(t, q, 1)
			<-time.After(time.Second)
			if passes(t, q, 1); asked != 2 {
				t.Errorf("the meter was asked %d times, want 2", asked)
			}
		})
	})
	t.Run("a lane that is closed waits no more", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			q := quotaOf(func(context.Context, int64, int, int, int) (Slots, bool) { return Slots{In: time.Hour}, true })
			time.AfterFunc(time.Second, func() { close(q.closing) })
			begun := time.Now()
			if q.pause(t.Context(), begun) || time.Since(begun) != time.Second {
				t.Errorf("it waits for %s", time.Since(begun))
			}
		})
	})
}

func TestOthersHearOfRunsOnceASecondAndOfTheLastWord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told [][]int64
		var ended []int64
		e := &Engine{Config: Config{RunsMoved: func(_ context.Context, moved []int64, over []mailing.Run) {
			slices.Sort(moved)
			told = append(told, moved)
			for _, run := range over {
				ended = append(ended, run.ID)
			}
		}}}
		open := func(held bool, ids ...int64) (runs []store.LiveRun) {
			for _, id := range ids {
				runs = append(runs, store.LiveRun{Run: mailing.Run{ID: id}, Held: held})
			}
			return runs
		}
		settle := func(runID int64) {
			e.moves.settle([]store.Outcome{{Attempt: &mailing.Attempt{RunID: runID}}, {}})
		}
		tell := func() { e.tellMoves(t.Context(), time.Now()) }
		e.moves.look(open(false, 1, 2))
		settle(1)
		tell()
		for range 9 { // within the same second
			settle(2)
			tell()
			<-time.After(100 * time.Millisecond)
		}
		<-time.After(100 * time.Millisecond)
		tell()
		<-time.After(time.Second)
		tell()                      // nothing new
		e.moves.look(open(true, 2)) // 1 has ended, 2 is held
		tell()
		want := [][]int64{{1}, {2}, {2}}
		if !slices.EqualFunc(told, want, slices.Equal[[]int64]) || !slices.Equal(ended, []int64{1}) {
			t.Errorf("told of %v and of the end of %v", told, ended)
		}
	})
}
