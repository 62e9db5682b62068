package deliver

import (
	"context"
	"time"
)

// Slots are moments at which one mail each may leave by a road.
type Slots struct {
	In    time.Duration // until the first; without any, until it is worth while to ask again
	Every time.Duration // between one and the next
	Count int
}

// slots are what this node may send by a second's limit. The zero value has none.
type slots struct {
	next  time.Time // when the next mail may go
	every time.Duration
	left  int // of those that were reserved
}

// slotsAhead is for how long slots are reserved at once: the meter is asked twenty times
// a second at most, however fast the road is. A slot that is later used by less than this
// still counts, so that in no second there are more by a twentieth than the limit says.
// Chosen.
const slotsAhead = 50 * time.Millisecond

// pause keeps the mails as far apart as the second's limit wants. It reports false when
// the lane is closed.
func (q *quota) pause(ctx context.Context, now time.Time) bool {
	for q.limits.PerSecond > 0 {
		at, ok := q.slot(ctx, now)
		if !q.wait(at.Sub(now)) {
			return false
		}
		if ok {
			return true
		}
		now = time.Now()
	}
	return true
}

// slot takes the next slot and returns when it is; without one, it returns when to ask
// again.
func (q *quota) slot(ctx context.Context, now time.Time) (at time.Time, ok bool) {
	nodes := max(q.nodes.Load(), 1)
	if q.site != nil {
		return q.part(now, 1), true // a site's limits are those of one machine
	}
	if q.Slots == nil {
		return q.part(now, nodes), true
	}
	if q.slots.left == 0 || now.Sub(q.slots.next) > slotsAhead {
		perSecond := q.limits.PerSecond
		most := max(perSecond*int(slotsAhead)/int(time.Second), 1)
		got, shared := q.Slots(ctx, q.road.ID, perSecond, most, int(nodes))
		if !shared {
			q.slots.left = 0
			return q.part(now, nodes), true
		}
		q.slots = slots{next: time.Now().Add(got.In), every: got.Every, left: got.Count}
		if got.Count == 0 {
			return q.slots.next, false
		}
	}
	at = q.slots.next
	q.slots.next, q.slots.left = at.Add(q.slots.every), q.slots.left-1
	return at, true
}

// part takes a slot of this node's part of the limit, which so many share.
func (q *quota) part(now time.Time, nodes int64) time.Time {
	at := later(q.slots.next, now)
	q.slots.next = at.Add(time.Second * time.Duration(nodes) / time.Duration(q.limits.PerSecond))
	return at
}

// wait reports false when the lane is closed meanwhile.
func (q *quota) wait(d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-q.closing:
		return false
	}
}
