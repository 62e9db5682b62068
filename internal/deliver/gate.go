package deliver

import (
	"math/rand/v2"
	"sync"
	"time"

	"vestnik/internal/store"
)

// gate closes the way out for a while when the relay has trouble with us, not
// with one mail. Then a single mail tries whether it has passed.
type gate struct {
	mu     sync.Mutex
	closed time.Time // until when
	delay  time.Duration
	next   time.Time // when the next single mail may try

	refusals int  // of a site's policy, in a row
	told     bool // the ledger has them as a trouble
}

// The delays grow from one second, since most trouble is a restart, to a minute,
// so that a relay which is back is soon in use. Chosen.
const (
	firstDelay = time.Second
	lastDelay  = time.Minute
)

// A site whose policy refuses us takes every try amiss, and thinks better of us within
// hours at best. So the delays grow four times as long each time, to an hour, and
// differ by a quarter up or down, so that nodes and sites do not come all at once.
// Chosen.
const (
	policyGrowth = 4
	policyDelay  = time.Hour
)

// troubleAfter is how many refusals of a site in a row are a trouble to be told: one
// may be an odd recipient. Chosen.
const troubleAfter = 3

// troubleFor is for how long a site is remembered to which no mail went since it
// refused us.
const troubleFor = store.SiteTroubleFor

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

// leased notes that a mail is on its way to the gate. It may come to nothing, so that
// another is let to it after a minute.
func (g *gate) leased(now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.next = now.Add(min(g.delay, lastDelay))
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
	// What a policy has made longer stays so until a mail has passed.
	g.delay = max(g.delay, min(max(2*g.delay, firstDelay), lastDelay))
	g.closed = now.Add(g.delay)
	g.next = g.closed
	return g.closed, first
}

// refuse closes the gate after a refusal by a site's policy, and returns until when,
// and the number of it in a row; 0: the gate was closed already.
func (g *gate) refuse(now time.Time) (until time.Time, inRow int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if now.Before(g.closed) {
		return g.closed, 0
	}
	g.refusals++
	g.delay = min(max(policyGrowth*g.delay, firstDelay), policyDelay)
	g.closed = now.Add(g.delay*3/4 + rand.N(g.delay/2))
	g.next = g.closed
	return g.closed, g.refusals
}

// tell notes that the ledger has been told of the trouble.
func (g *gate) tell() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.told = true
}

// isTold reports whether the ledger should have a trouble.
func (g *gate) isTold() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.told
}

// isRefused reports whether a site's policy refused us lately.
func (g *gate) isRefused(now time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.refusals > 0 && now.Sub(g.closed) < troubleFor
}

// passed notes that the relay took a mail, or refused it for its own sake. It reports
// whether that ends a trouble that was told.
func (g *gate) passed() (wasTold bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	wasTold = g.told
	g.delay, g.closed, g.next, g.refusals, g.told = 0, time.Time{}, time.Time{}, 0, false
	return wasTold
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
