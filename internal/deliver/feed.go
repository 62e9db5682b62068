package deliver

import (
	"context"
	"time"

	"vestnik/internal/mailing"
)

// A node takes no more than it sends in about a second: what it holds when it
// dies is in doubt for the others. The bounds are chosen: so many that a lease is
// rare beside the mails, so few that nothing waits long in one node's hands.
const (
	minLookahead = 64
	maxLookahead = 2000
	urgentBatch  = 20
)

// restAfterNone is how long a run that had nothing due is left alone.
const restAfterNone = 500 * time.Millisecond

// feed leases what is due, until ctx ends.
func (e *Engine) feed(ctx context.Context) {
	pace := pace{last: time.Now(), lookahead: minLookahead}
	resting := map[int64]time.Time{}
	for every(ctx, e.pause()) {
		if !e.alive() || !e.gate.open(time.Now()) {
			continue
		}
		pace.adapt(e.sent.Load(), time.Now())
		if err := e.feedOnce(ctx, pace.lookahead, resting); err != nil && ctx.Err() == nil {
			e.Log.Error("node cannot lease deliveries", "node", e.node.Name, "error", err)
			every(ctx, time.Second) // the database is away; it is asked again in a while
		}
	}
}

// pause is short while there is room to fill and something to fill it with.
func (e *Engine) pause() time.Duration {
	if len(e.bulk) > 0 && len(e.bulk) < minLookahead/2 {
		return time.Millisecond
	}
	return feedEvery / 4
}

// feedOnce gives urgent runs what they ask for, and shares the room among the
// others alike, so that a small mailing does not wait behind a large one.
func (e *Engine) feedOnce(ctx context.Context, lookahead int, resting map[int64]time.Time) error {
	var bulk []*mailing.Run
	for _, run := range e.live.current() {
		switch {
		case time.Now().Before(resting[run.ID]):
		case run.Priority > mailing.PriorityBulk:
			if err := e.lease(ctx, run, e.gate.limit(urgentBatch), e.urgent, resting); err != nil {
				return err
			}
		default:
			bulk = append(bulk, run)
		}
	}
	room := lookahead - len(e.bulk)
	if len(bulk) == 0 || room < lookahead/2 {
		return nil
	}
	share := max(room/len(bulk), 1)
	for _, run := range bulk {
		if err := e.lease(ctx, run, e.gate.limit(share), e.bulk, resting); err != nil {
			return err
		}
	}
	return nil
}

func (e *Engine) lease(ctx context.Context, run *mailing.Run, most int, to chan<- job, resting map[int64]time.Time) error {
	now := time.Now()
	leased, err := e.Store.Lease(ctx, e.node, run.ID, now, most)
	if err != nil {
		return err
	}
	delete(resting, run.ID)
	if len(leased) == 0 {
		resting[run.ID] = now.Add(restAfterNone)
	}
	for _, l := range leased {
		to <- job{Leased: l, run: run}
	}
	return nil
}

// pace follows how fast mails leave.
type pace struct {
	sent      int64
	last      time.Time
	lookahead int
}

func (p *pace) adapt(sent int64, now time.Time) {
	passed := now.Sub(p.last)
	if passed < time.Second {
		return
	}
	rate := float64(sent-p.sent) / passed.Seconds()
	p.sent, p.last = sent, now
	p.lookahead = min(max(int(rate), minLookahead), maxLookahead)
}
