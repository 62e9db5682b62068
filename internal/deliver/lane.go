package deliver

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// lane is a road as this node uses it, with a queue, a gate and workers of its own:
// what holds it up holds up no other.
type lane struct {
	*Engine
	ctx     context.Context
	road    *Road
	site    *Destination // whose mail servers are at its end; nil: the road's
	limits  Limits
	quotaID int64 // of the account in the ledger that its limits are kept in
	sites   sites // when the road is a direct one

	urgent, bulk chan job
	gate         *gate
	speed        speed
	workers      sync.WaitGroup
	closing      chan struct{} // closed with the lane
	busy         atomic.Int32  // who have a mail in hand
	sent         atomic.Int64  // since it was opened
	exhausted    atomic.Int64  // until when its limits are used up, Unix nanoseconds
	moved        atomic.Int64  // when a server said anything last, Unix nanoseconds
	complaint    atomic.Pointer[string]

	// For the one who feeds only; of a site's lane, under its road's sites.mu.
	given      time.Time          // when it was given a mail last
	booked     map[int64]*booking // of mails that found no room, by owner
	throughput float64            // mails a second, when mails wait; 0: not known
	waited     bool               // mails did at the last sweep
	pace       pace
	since      time.Time // when there was nothing to send last
	stalled    bool      // nothing has moved for StallAfter, and not since then
	still      int64     // moved, when it stalled
	credit     int       // towards being chosen; see lanes.choose
}

// stallAfter is how long a lane with mails to send may have no answer until others
// get what waits in it. Chosen: well above what a busy server takes, and well below
// the minutes that a conversation is given.
const stallAfter = 20 * time.Second

// openLane starts the lane of a road. Once ctx has ended, what is in it is handed
// back.
func (e *Engine) openLane(ctx context.Context, road *Road) *lane {
	connections := road.Connections
	if connections <= 0 {
		connections = e.Workers
	}
	l := newLane(e, road, connections, maxLookahead)
	l.limits, l.quotaID = road.Limits, road.ID
	l.start(ctx)
	return l
}

func newLane(e *Engine, road *Road, connections, queue int) *lane {
	now := time.Now()
	return &lane{
		Engine: e, road: road, gate: &gate{}, speed: newSpeed(connections), pace: newPace(now), since: now, given: now,
		closing: make(chan struct{}), urgent: make(chan job, urgentBatch), bulk: make(chan job, queue),
	}
}

// start starts those who work in the lane.
func (l *lane) start(ctx context.Context) {
	l.ctx = ctx
	var urgent, bulk <-chan job = l.urgent, l.bulk
	if l.limits.any() {
		urgent, bulk = l.metered(ctx)
	}
	work, hands := l.deliverAll, l.speed.most
	if l.road.Router != nil && l.site == nil {
		work, hands = l.routeAll, routers
	}
	for range hands {
		l.workers.Go(func() { work(ctx, urgent, bulk) })
	}
}

// metered starts the lane's meter and returns what comes out of it.
func (l *lane) metered(ctx context.Context) (urgent, bulk <-chan job) {
	u, b := make(chan job), make(chan job)
	l.workers.Go(func() { l.meter(ctx, u, b) })
	return u, b
}

// isClosed reports whether what is in the lane is to be handed back.
func (l *lane) isClosed() bool {
	select {
	case <-l.closing:
		return true
	default:
		return false
	}
}

// close takes no more in. What is on the wire is finished, the rest handed back.
func (l *lane) close() {
	close(l.closing)
	l.speed.end()
	close(l.urgent)
	close(l.bulk)
}

// capacity is how many mails may wait in one of the lane's queues now: one that tries
// it as long as the last try was in vain, and none while that one is under way.
func (l *lane) capacity(queue chan job, now time.Time) int {
	if l.stalled || now.UnixNano() < l.exhausted.Load() {
		return 0
	}
	most := min(l.pace.lookahead, cap(queue))
	if second := l.limits.PerSecond; second > 0 {
		most = min(most, 2*second) // more would only wait here
	}
	return l.gate.limit(most, now)
}

// lagAfter is how long a lane with mails to send may have no answer until the others
// do not wait for it any more. Chosen.
const lagAfter = time.Second

// keepsUp reports whether answers come to what the lane has.
func (l *lane) keepsUp(now time.Time) bool { return l.stillFor(now) < lagAfter }

// stillFor is for how long nothing has moved although there was something to send.
func (l *lane) stillFor(now time.Time) time.Duration {
	return now.Sub(time.Unix(0, max(l.moved.Load(), l.since.UnixNano())))
}

// isLimited reports whether the lane is as slow as it is told to be.
func (l *lane) isLimited() bool { return l.limits.PerSecond > 0 }

// weight is the lane's share, beside those of others.
func (l *lane) weight() int { return max(l.road.Weight, 1) }

// watch looks whether the lane has stalled. Then what waits in it is handed back, and
// it is given nothing until an answer comes to what it has on the wire; with nothing
// there, none would come. So it is when the ledger was away for long, which holds up
// those who send as a silent server does.
func (l *lane) watch(now time.Time) {
	moved := l.moved.Load()
	if l.stalled && moved == l.still && l.busy.Load() > 0 {
		return
	}
	l.stalled = false
	if len(l.bulk)+len(l.urgent) == 0 || now.UnixNano() < l.exhausted.Load() {
		l.since = now
	}
	if l.stillFor(now) < l.StallAfter {
		return
	}
	l.stalled, l.still = true, moved
	l.Log.Warn("mail server does not answer; what waits for it is handed back", "node", l.node.Name, "road", l.road.Name)
	l.empty(l.urgent)
	l.empty(l.bulk)
}

func (l *lane) empty(queue <-chan job) {
	for {
		select {
		case j, ok := <-queue:
			if !ok {
				return
			}
			l.outcomes <- l.handBack(&j)
		default:
			return
		}
	}
}

// adaptEvery is how long the mails that left are counted: a fifth of a second is
// soon enough to be at full speed when a run has just begun. Chosen.
const adaptEvery = 200 * time.Millisecond

// pace follows how fast mails leave by a lane.
type pace struct {
	sent      int64
	last      time.Time
	rate      float64 // mails a second, lately
	lookahead int     // how many may wait
}

func newPace(now time.Time) pace { return pace{last: now, lookahead: minLookahead} }

func (p *pace) adapt(sent int64, now time.Time) {
	passed := now.Sub(p.last)
	if passed < adaptEvery {
		return
	}
	p.rate = float64(sent-p.sent) / passed.Seconds()
	p.sent, p.last = sent, now
	p.lookahead = min(max(int(p.rate), minLookahead), maxLookahead)
}
