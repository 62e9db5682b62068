package deliver

import (
	"context"
	"time"
)

// Limits are how many mails may leave by a road, from all nodes together; 0 is no
// limit.
type Limits struct {
	PerSecond int // one meter for all nodes, or shared out among those that live; see slots.go
	PerHour   int // in any 60 minutes, and
	PerDay    int // in any 24 hours: nodes take from one account in the ledger
}

func (l Limits) any() bool { return l.PerSecond > 0 || l.PerHour > 0 || l.PerDay > 0 }

// quota is what this node may still send by a road. It is for one goroutine.
type quota struct {
	*lane
	slots   slots
	granted int       // by the account in the ledger, and not used
	since   time.Time // when it was
}

// grantMost is how many mails a node takes off the account at once: few enough that
// a node that dies takes little with it, and enough that the account is no burden.
// Chosen.
const grantMost = 50

// grantFor is how long what was granted may be used: the account counts by minutes, and
// what is used later would be counted in an hour that may be over by then.
const grantFor = time.Minute

// take waits until one more mail may go. It reports false when that will not be soon,
// and from when on it may, or when the lane is closed.
func (q *quota) take(ctx context.Context, now time.Time) (from time.Time, ok bool) {
	if !q.pause(ctx, now) {
		return now, false
	}
	l := q.limits
	if l.PerHour <= 0 && l.PerDay <= 0 {
		return now, true
	}
	if now.Sub(q.since) > grantFor {
		q.giveBack(ctx)
	}
	if q.granted == 0 {
		if from, err := q.ask(ctx, now); err != nil || q.granted == 0 {
			return from, false
		}
	}
	q.granted--
	return now, true
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// ask takes more off the account. While the database is away, nothing is granted.
func (q *quota) ask(ctx context.Context, now time.Time) (from time.Time, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), answerWithin)
	defer cancel()
	l := q.limits
	most := grantMost
	if l.PerHour > 0 {
		most = min(most, l.PerHour)
	}
	q.since = now
	q.granted, from, err = q.Store.TakeUsage(ctx, q.quotaID, l.PerHour, l.PerDay, most, now)
	if err != nil {
		q.Log.Error("limits of a road cannot be read", "road", q.road.Name, "error", err)
		return now.Add(time.Second), err
	}
	return from, nil
}

// giveBack returns what was granted and not used.
func (q *quota) giveBack(ctx context.Context) {
	if q.granted == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), answerWithin)
	defer cancel()
	if err := q.Store.ReturnUsage(ctx, q.quotaID, q.granted, q.since); err != nil {
		q.Log.Warn("a road's unused limit is not given back", "road", q.road.Name, "mails", q.granted, "error", err)
	}
	q.granted = 0
}

// meter lets the mails of a lane with limits through to its workers, one by one, urgent
// ones first, until the lane is closed. What will not go soon is handed back.
func (l *lane) meter(ctx context.Context, urgent, bulk chan<- job) {
	defer close(urgent)
	defer close(bulk)
	q := quota{lane: l}
	defer q.giveBack(ctx)
	in := worker{lane: l, urgent: l.urgent, bulk: l.bulk}
	for {
		j, ok := in.await()
		if !ok {
			return
		}
		from, ok := q.take(ctx, time.Now())
		switch {
		case !ok:
			l.exhaust(from)
			l.outcomes <- l.handBack(&j)
		case j.run.Priority > 0:
			urgent <- j
		default:
			bulk <- j
		}
	}
}

// exhaust gives the lane nothing until then, and hands back what waits in it.
func (l *lane) exhaust(until time.Time) {
	if l.isClosed() {
		return
	}
	if l.exhausted.Swap(until.UnixNano()) < time.Now().UnixNano() {
		l.Log.Info("a road's limit is used up", "road", l.road.Name, "until", until)
	}
	l.empty(l.urgent)
	l.empty(l.bulk)
}
