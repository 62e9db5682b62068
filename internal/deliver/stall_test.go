package deliver

import (
	"log/slog"
	"testing"
	"time"

	"vestnik/internal/store"
)

// TestAStalledLaneComesBack has nothing move in a lane for long: while something is on its
// wire it gets no more, and without that, it is not the server that was silent.
func TestAStalledLaneComesBack(t *testing.T) {
	now := time.Now()
	for name, c := range map[string]struct {
		busy  int32
		moved bool
		want  bool
	}{
		"something is on the wire":      {1, false, true},
		"an answer came to it":          {1, true, false},
		"nothing is on the wire by now": {0, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEngine(Config{Log: slog.New(slog.DiscardHandler), StallAfter: time.Second})
			e.outcomes = make(chan store.Outcome, 1)
			l := newLane(e, &Road{Name: "one"}, 1, 10)
			l.since = now
			l.bulk <- job{}
			l.busy.Store(1)
			l.watch(now.Add(2 * time.Second))
			equal(t, "stalled", l.stalled, true)
			equal(t, "handed back", len(e.outcomes), 1)
			l.busy.Store(c.busy)
			if c.moved {
				l.moved.Store(now.Add(3 * time.Second).UnixNano())
			}
			l.watch(now.Add(3 * time.Second))
			equal(t, "stalled then", l.stalled, c.want)
		})
	}
}
