package deliver

import (
	"log/slog"
	"testing"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/store"
	"vestnik/internal/store/storetest"
)

// TestNoHourHasMoreThanItsLimit leaves a road idle with some of its limit granted: what is
// used after an hour counts in that, and what is given back does not make room twice.
func TestNoHourHasMoreThanItsLimit(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		const perHour = 100
		e := &Engine{Config: Config{Store: s, Log: slog.New(slog.DiscardHandler)}}
		q := quota{lane: &lane{Engine: e, road: &Road{ID: 7}, quotaID: 7, limits: Limits{PerHour: perHour}, closing: make(chan struct{})}}
		allowed := func(at time.Time) (mails int) {
			for range 3 * perHour {
				if _, ok := q.take(background, at); ok {
					mails++
				}
			}
			return mails
		}
		start := storetest.Now
		_, first := q.take(background, start)
		equal(t, "one may go", first, true)
		equal(t, "mails in the hour after the next", allowed(start.Add(65*time.Minute)), perHour)
		equal(t, "mails right after it", allowed(start.Add(124*time.Minute)), 0)
	})
}

func TestExpired(t *testing.T) {
	now := storetest.Now
	for name, c := range map[string]struct {
		tries int64
		age   time.Duration
		want  bool
	}{
		"a mail of this week":                          {30, mailing.Lifetime - time.Hour, false},
		"one that was tried for its lifetime":          {30, mailing.Lifetime + time.Hour, true},
		"one that waited for its turn, at its second":  {1, mailing.Lifetime + time.Hour, false},
		"one that waited for its turn, tried for long": {leastTries, mailing.Lifetime + time.Hour, true},
	} {
		t.Run(name, func(t *testing.T) {
			j := &job{}
			j.Tries, j.CreatedAt = c.tries, now.Add(-c.age)
			equal(t, "expired", expired(j, now), c.want)
		})
	}
}
