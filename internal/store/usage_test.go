package store_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"vestnik/internal/store"
	"vestnik/internal/store/storetest"
)

func TestUsage(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		take := func(t *testing.T, road int64, perHour, perDay, most int, at time.Time) (int, time.Time) {
			t.Helper()
			got, from, err := s.TakeUsage(ctx, road, perHour, perDay, most, at)
			ok(t, err)
			return got, from
		}
		t.Run("an hour's limit is that of any sixty minutes", func(t *testing.T) {
			got, _ := take(t, 1, 100, 0, 70, now)
			equal(t, "at first", got, 70)
			got, _ = take(t, 1, 100, 0, 70, now.Add(10*time.Minute))
			equal(t, "what is left", got, 30)
			got, from := take(t, 1, 100, 0, 70, now.Add(20*time.Minute))
			equal(t, "nothing", got, 0)
			equal(t, "until the first are an hour old", from.Truncate(time.Minute).UTC(), now.Add(time.Hour).Truncate(time.Minute).UTC())
			got, _ = take(t, 1, 100, 0, 100, from)
			equal(t, "then", got, 70)
		})
		t.Run("the day's limit counts besides", func(t *testing.T) {
			for hour, want := range []int{100, 100, 50, 0} {
				got, _ := take(t, 2, 100, 250, 100, now.Add(time.Duration(hour)*time.Hour))
				equal(t, "in an hour", got, want)
			}
			got, _ := take(t, 2, 100, 250, 100, now.Add(24*time.Hour))
			equal(t, "a day later", got, 100)
		})
		t.Run("roads do not share limits, and what is given back can be taken", func(t *testing.T) {
			take(t, 3, 10, 0, 10, now)
			got, _ := take(t, 4, 10, 0, 10, now)
			equal(t, "by another road", got, 10)
			ok(t, s.ReturnUsage(ctx, 3, 4, now))
			got, _ = take(t, 3, 10, 0, 10, now)
			equal(t, "after four were given back", got, 4)
		})
		t.Run("of many who take at once, all together get no more than the limit", func(t *testing.T) {
			var all sync.WaitGroup
			var sum atomic.Int64
			for range 8 {
				all.Go(func() {
					for range 10 {
						got, _, err := s.TakeUsage(ctx, 5, 100, 0, 7, now)
						if err != nil {
							t.Error(err)
						}
						sum.Add(int64(got))
					}
				})
			}
			all.Wait()
			equal(t, "together", sum.Load(), 100)
		})
	})
}

func TestLiveNodes(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		before, err := s.CountLiveNodes(ctx, now)
		ok(t, err)
		storetest.Node(t, s, "one that lives")
		_, err = s.StartNode(ctx, "one that died", now, now.Add(-time.Minute))
		ok(t, err)
		after, err := s.CountLiveNodes(ctx, now)
		ok(t, err)
		equal(t, "more nodes", after-before, 1)
	})
}
