package schedule_test

import (
	"sync"
	"testing"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/store"
	"vestnik/internal/store/storetest"
	"vestnik/internal/torture"
)

// TestClock has two schedulers look at once at every tick of a clock that goes
// through a change of the time, and that jumps by a day forward and back.
func TestClock(t *testing.T) {
	newYork, err := time.LoadLocation("America/New_York")
	ok(t, err)
	at := func(month time.Month, day, hour, minute int) time.Time {
		return time.Date(2026, month, day, hour, minute, 0, 0, newYork)
	}
	for _, c := range []struct {
		name  string
		rule  mailing.Clock
		first time.Time
		// want are the instants of the occurrences.
		want []time.Time
		// jumps are the moments at which the clock shows tomorrow for one tick.
		jumps []time.Time
	}{
		{
			name: "the night without half past two", rule: mailing.Clock{Hour: 2, Minute: 30}, first: at(time.March, 7, 0, 0),
			want: []time.Time{at(time.March, 7, 2, 30), at(time.March, 8, 3, 0), at(time.March, 9, 2, 30)},
		},
		{
			name: "the night with two half past ones", rule: mailing.Clock{Hour: 1, Minute: 30}, first: at(time.October, 31, 0, 0),
			want: []time.Time{at(time.October, 31, 1, 30), at(time.November, 1, 1, 30), at(time.November, 2, 1, 30)},
		},
		{
			name: "a jump by a day, and back", rule: mailing.Clock{Hour: 12}, first: at(time.June, 1, 0, 0),
			want:  []time.Time{at(time.June, 1, 12, 0), at(time.June, 2, 12, 0), at(time.June, 3, 12, 0)},
			jumps: []time.Time{at(time.June, 1, 6, 0), at(time.June, 2, 18, 0)},
		},
	} {
		t.Run("each occurrence is opened exactly once: "+c.name, func(t *testing.T) {
			storetest.EachURL(t, func(t *testing.T, url string) {
				stores := []*store.Store{storetest.Open(t, url), storetest.Open(t, url)}
				owner := storetest.Account(t, stores[0], "anna@example.com") // without contacts: runs are completed at once
				m := storetest.Mailing(t, stores[0], mailing.Mailing{OwnerID: owner.ID, NextAt: c.want[0], Rule: mailing.Rule{
					Frequency: mailing.Daily, Interval: 1, Start: mailing.DateOf(c.first), At: c.rule, Zone: "America/New_York",
				}})
				tick := time.Duration(torture.Times(15, 1)) * time.Minute
				for now := c.first; now.Before(c.first.AddDate(0, 0, len(c.want))); now = now.Add(tick) {
					for _, jump := range c.jumps {
						if now.Equal(jump) {
							lookBoth(t, stores, now.AddDate(0, 0, 1))
						}
					}
					lookBoth(t, stores, now)
				}
				checkOccurrences(t, runs(t, stores[0], m), c.want)
				torture.Record(t, torture.Line{Fault: "the clock: " + c.name, Database: torture.Database(url), Times: len(c.want)})
			})
		})
	}
}

// lookBoth has two schedulers look at the same moment.
func lookBoth(t *testing.T, stores []*store.Store, now time.Time) {
	t.Helper()
	var both sync.WaitGroup
	for _, s := range stores {
		both.Go(func() {
			if err := scheduler(s).OpenDue(ctx, now); err != nil {
				t.Error(err)
			}
		})
	}
	both.Wait()
}

func checkOccurrences(t *testing.T, list []mailing.Run, want []time.Time) {
	t.Helper()
	opened := map[int64]int{}
	for _, run := range list {
		opened[run.ScheduledFor.Unix()]++
		equal(t, "the state of the run of "+run.ScheduledFor.String(), run.State, mailing.RunCompleted)
	}
	equal(t, "runs", len(list), len(want))
	for _, occurrence := range want {
		equal(t, "times that "+occurrence.String()+" was opened", opened[occurrence.Unix()], 1)
	}
}
