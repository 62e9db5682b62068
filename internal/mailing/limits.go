package mailing

// Limits are how much a relay may be given. 0 is no limit.
type Limits struct {
	Connections int // at once
	Messages    int // over one connection
	PerSecond   int
	PerHour     int
	PerDay      int
}
