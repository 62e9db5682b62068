package deliver

import (
	"sync"
	"time"
)

// speed is how many mails of a lane may be on the wire at once. It is halved when
// the server says that we are too fast, and grows by one again for every so many
// mails that it takes: additive increase, multiplicative decrease, as TCP finds the
// speed of a line (RFC 5681, section 3.1).
type speed struct {
	most int // there are so many workers

	mu      sync.Mutex
	wake    *sync.Cond
	width   int // may work at once
	limit   int // to which width may grow
	working int
	taken   int       // mails since width last changed
	slowed  time.Time // when width was last halved
	ended   bool
}

// Times and numbers of a lane that is slowed. Chosen: the answers to what was on the
// wire when the server first complained come within slowOnce and say nothing new;
// and at one more for every growAfter mails of each worker, full speed is back
// within minutes.
const (
	slowOnce  = 2 * time.Second
	growAfter = 20
)

func newSpeed(most int) speed {
	return speed{most: most, width: most, limit: most}
}

// enter waits until one more may work, or the lane is closed; then all may, to hand
// back what is left.
func (s *speed) enter() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.working >= s.width && !s.ended {
		s.cond().Wait()
	}
	s.working++
}

// leave lets another one work.
func (s *speed) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.working--
	s.cond().Signal()
}

// tooMany reports whether one of those who work should leave.
func (s *speed) tooMany() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.working > s.width && !s.ended
}

// slow halves the speed after a complaint. It reports whether the lane is slower
// now, and whether it is by this complaint.
func (s *speed) slow(now time.Time) (slower, first bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now.Sub(s.slowed) < slowOnce {
		return true, false
	}
	if s.width == 1 {
		return false, false
	}
	s.width, s.taken, s.slowed = s.width/2, 0, now
	return true, true
}

// accepted notes that the server took a mail.
func (s *speed) accepted() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.width >= s.limit {
		return
	}
	if s.taken++; s.taken >= growAfter*s.width {
		s.width++
		s.taken = 0
		s.cond().Signal()
	}
}

// share leaves so many of all connections to this node. What was found to be too much
// stays too much.
func (s *speed) share(nodes int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	limit := max(s.most/max(nodes, 1), 1)
	if s.width >= s.limit || s.width > limit {
		s.width = limit // at full speed before, and so it stays
		s.cond().Broadcast()
	}
	s.limit = limit
}

// end lets everybody work, so that they see that the lane is closed.
func (s *speed) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
	s.cond().Broadcast()
}

func (s *speed) cond() *sync.Cond {
	if s.wake == nil {
		s.wake = sync.NewCond(&s.mu)
	}
	return s.wake
}
