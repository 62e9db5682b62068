package cache

import (
	"context"
	"time"
)

// Slots are moments at which one mail each may leave.
type Slots struct {
	In    time.Duration // until the first; without any, until it is worth while to ask again
	Every time.Duration // between one and the next
	Count int
}

// Slots reserves up to most slots of a meter that all nodes share, so that no more than
// perSecond come in a second from all of them. live is how many nodes there are that
// send. It reports false when nobody shares the meter, and each of those nodes has its
// part of the limit.
//
// A node that has lost Redis waits, before it takes its part, until the others know of
// it: so long they take its share, too.
func (c *Cache) Slots(ctx context.Context, meter string, perSecond, most, live int) (t Slots, shared bool) {
	if c == nil || c.link == nil {
		return Slots{}, false
	}
	for ctx.Err() == nil && !c.link.isAway() {
		err := c.link.ask(ctx, func(ctx context.Context, r *remote) (err error) {
			t.In, t.Every, err = r.take(ctx, meter, perSecond, most, live)
			return err
		})
		if err == nil {
			t.Count = most
			return t, true
		}
	}
	if left := c.link.unnoticed(time.Now()); live > 1 && left > 0 {
		return Slots{In: left}, true
	}
	return Slots{}, false
}

// unnoticed is for how long other nodes may still take this one for present, after it
// has lost Redis.
func (l *link) unnoticed(now time.Time) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.away {
		return 0
	}
	return l.changed.Add(presentFor).Sub(now)
}
