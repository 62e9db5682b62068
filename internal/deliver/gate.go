package deliver

import (
	"sync"
	"time"
)

// gate closes the way out for a while when the relay has trouble with us, not
// with one mail. Then a single mail tries whether it has passed.
type gate struct {
	mu     sync.Mutex
	closed time.Time // until when
	delay  time.Duration
	next   time.Time // when the next single mail may try
}

// The delays grow from one second, since most trouble is a restart, to a minute,
// so that a relay which is back is soon in use. Chosen.
const (
	firstDelay = time.Second
	lastDelay  = time.Minute
)

// open reports whether mails may leave now.
func (g *gate) open(now time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return !now.Before(g.closed)
}

// limit is how many of the wanted may be leased: one as long as the last try was
// in vain, and none while that one may still be under way.
func (g *gate) limit(wanted int, now time.Time) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.delay == 0:
		return wanted
	case now.Before(g.next):
		return 0
	default:
		return min(wanted, 1)
	}
}

// until is when the gate opens again; zero when it is open.
func (g *gate) until() time.Time {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.closed
}

// isTrying reports whether the last try was in vain.
func (g *gate) isTrying() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.delay > 0
}

// leased notes that a mail is on its way to the gate.
func (g *gate) leased(now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.next = now.Add(g.delay)
}

// shut closes the gate after trouble and returns until when, and whether it was
// open before.
func (g *gate) shut(now time.Time) (until time.Time, first bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if now.Before(g.closed) { // the others that were on the wire
		return g.closed, false
	}
	first = g.delay == 0
	g.delay = min(max(2*g.delay, firstDelay), lastDelay)
	g.closed = now.Add(g.delay)
	g.next = g.closed
	return g.closed, first
}

// passed notes that the relay took a mail, or refused it for its own sake.
func (g *gate) passed() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.delay, g.closed, g.next = 0, time.Time{}, time.Time{}
}

// refusals counts, run by run, how many mails in a row the server refused because
// of us.
type refusals struct {
	mu    sync.Mutex
	inRow map[int64]int
}

// haltAfter is how many such refusals in a row halt a run: one may be an odd
// recipient, ten are not (chosen).
const haltAfter = 10

// refused notes one and reports whether the run is to be halted.
func (r *refusals) refused(runID int64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.inRow == nil {
		r.inRow = map[int64]int{}
	}
	r.inRow[runID]++
	if r.inRow[runID] < haltAfter {
		return false
	}
	delete(r.inRow, runID)
	return true
}

// accepted notes a mail that was taken.
func (r *refusals) accepted(runID int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.inRow, runID)
}
