package deliver

import (
	"context"
	"math"
	"sync"
	"time"
)

// lanes are all ways out of this node. Only the one who feeds changes them.
type lanes struct {
	*Engine
	ctx     context.Context
	leaving sync.WaitGroup // lanes that are closed and finish what they have

	mu   sync.Mutex
	open []*lane // replaced, never changed
}

// all returns the lanes that are open.
func (l *lanes) all() []*lane {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.open
}

func (l *lanes) replace(open []*lane) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open = open
}

// follow opens a lane for every road that is new, closes those that are gone, and
// looks how the others are doing.
func (l *lanes) follow(now time.Time) {
	gone := map[*Road]*lane{}
	for _, lane := range l.all() {
		gone[lane.road] = lane
	}
	var open []*lane
	for _, road := range l.Roads() {
		lane := gone[road]
		if lane == nil {
			lane = l.openLane(l.ctx, road)
		}
		delete(gone, road)
		lane.pace.adapt(lane.sent.Load(), now)
		if road.Connections > 0 {
			lane.speed.share(int(l.nodes.Load()))
		}
		lane.watch(now)
		lane.sweepSites(now, false)
		open = append(open, lane)
	}
	for _, lane := range gone {
		l.retire(lane)
	}
	l.replace(open)
	l.Engine.hindrances.look(open, now)
}

func (l *lanes) retire(lane *lane) {
	lane.close()
	lane.sweepSites(time.Now(), true)
	l.leaving.Go(lane.workers.Wait)
}

// close closes all lanes and waits for them.
func (l *lanes) close() {
	for _, lane := range l.all() {
		l.retire(lane)
	}
	l.replace(nil)
	l.leaving.Wait()
}

// queued is how many bulk mails wait in all lanes.
func (l *lanes) queued() int {
	sum := 0
	for _, lane := range l.all() {
		sum += len(lane.bulk)
	}
	return sum
}

// room is how many mails can be given now so that each lane has its share, and how
// many there could be if all lanes were empty. A lane that does not keep up, was in
// trouble, or has a limit by the second takes what it can and has no say in it.
func (l *lanes) room(urgent bool, now time.Time) (room, capacity int) {
	sharing, others := l.standings(urgent, now)
	weights := 0
	for _, s := range sharing {
		if !s.isLimited() {
			weights += s.weight()
		}
	}
	if weights > 0 {
		room, capacity = math.MaxInt, math.MaxInt
	}
	for _, s := range sharing {
		if s.isLimited() {
			others = append(others, s)
			continue
		}
		room = min(room, s.room*weights/s.weight())
		capacity = min(capacity, s.capacity*weights/s.weight())
	}
	for _, s := range others {
		room, capacity = room+s.room, capacity+s.capacity
	}
	return room, capacity
}

// standing is how a lane is doing.
type standing struct {
	*lane
	room, capacity int
}

// standings are those of the lanes that share all mails by weight, and of those with
// room for one that tries whether their trouble is over.
func (l *lanes) standings(urgent bool, now time.Time) (sharing, trying []standing) {
	for _, lane := range l.all() {
		queue := lane.bulk
		if urgent {
			queue = lane.urgent
		}
		s := standing{lane: lane, capacity: lane.capacity(queue, now)}
		s.room = max(s.capacity-len(queue), 0)
		switch {
		case s.capacity == 0 || !lane.keepsUp(now):
		case lane.gate.isTrying():
			trying = append(trying, s)
		default:
			sharing = append(sharing, s)
		}
	}
	return sharing, trying
}

// give puts a mail into a lane with room, which there must be.
func (l *lanes) give(j job, urgent bool, now time.Time) {
	lane := l.choose(urgent, j.Tries == 0, now)
	if lane == nil {
		l.outcomes <- l.handBack(&j) // its lane has got into trouble since it was leased
		return
	}
	lane.gate.leased(now)
	if urgent {
		lane.urgent <- j
	} else {
		lane.bulk <- j
	}
}

// choose picks a lane with room: each as often as its road's weight says, and in
// turn; with weights 2 and 1, it is A, B, A. A mail that is fresh first tries a lane
// in trouble whose single mail is due; one that has been tried only when there is no
// other, or it might never get through.
func (l *lanes) choose(urgent, fresh bool, now time.Time) *lane {
	sharing, trying := l.standings(urgent, now)
	for _, s := range trying {
		if s.room > 0 && (fresh || len(sharing) == 0) {
			return s.lane
		}
	}
	var best *lane
	total := 0
	for _, s := range sharing {
		if s.room == 0 {
			continue
		}
		total += s.weight()
		s.credit += s.weight()
		if best == nil || s.credit > best.credit {
			best = s.lane
		}
	}
	if best != nil {
		best.credit -= total
	}
	return best
}
