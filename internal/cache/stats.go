package cache

import "time"

// State is how a process stands with Redis.
type State string

// The states.
const (
	Alone State = "alone" // no Redis is set up
	Up    State = "up"    // it is in use
	Away  State = "away"  // it is set up and does not answer
)

// Stats are what an operator wants to know, of this process, since it started.
type Stats struct {
	State   State
	Address string        // of Redis, without name and password
	Since   time.Time     // when it went away, or came back; zero: it has been there all the time
	Latency time.Duration // of its last answer; 0: there was none yet

	Hits, Misses   int64
	Entries, Bytes int // kept in this process
}

// HitRate is the part of the questions that were answered without computing, from 0
// to 1; 0 when there were none.
func (s Stats) HitRate() float64 {
	if s.Hits == 0 {
		return 0
	}
	return float64(s.Hits) / float64(s.Hits+s.Misses)
}

// Stats returns how the cache is doing.
func (c *Cache) Stats() Stats {
	if c == nil {
		return Stats{State: Alone}
	}
	s := Stats{State: Alone, Hits: c.hits.Load(), Misses: c.misses.Load()}
	s.Entries, s.Bytes = c.local.size()
	if c.link == nil {
		return s
	}
	c.link.mu.Lock()
	defer c.link.mu.Unlock()
	s.State, s.Address, s.Since, s.Latency = Up, c.link.remote.address, c.link.changed, c.link.latency
	if c.link.away {
		s.State = Away
	}
	return s
}
