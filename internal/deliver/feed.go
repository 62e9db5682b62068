package deliver

import (
	"context"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"vestnik/internal/mailing"
)

// A lane takes no more than it sends in about a second: what a node holds when it
// dies is in doubt for the others. The bounds are chosen: so many that a lease is
// rare beside the mails, so few that nothing waits long in one node's hands.
const (
	minLookahead = 64
	maxLookahead = 2000
	urgentBatch  = 20

	// maxInHand is with how many mails in all its lanes a node leases no more, so that
	// its memory does not grow with the number of domains. Chosen.
	maxInHand = 20_000
)

// restAfterNone is how long a run that had nothing due is left alone.
const restAfterNone = 500 * time.Millisecond

// While a run is opening, writing down its deliveries goes first, and only so many of
// them are leased every so often: beside a sending at full speed, a million recipients
// were written down in 44 s on PostgreSQL, on two cores, now in 13. The last mail leaves
// no later for it. Chosen: what fifty connections send to a server that answers in 20 ms.
const (
	openingBatch = 600
	openingEvery = 250 * time.Millisecond
)

// feeder leases what is due and gives it to those who send.
type feeder struct {
	*Engine
	resting  map[int64]time.Time // until when, by run
	clashing []job               // leased while still in hand; see hands
	unsure   bool                // the ledger may hold leases for us that we know nothing of
	more     bool                // a bulk run had as much as was asked for, and may have more
}

// feed leases what is due and has it sent, until ctx ends; then it waits for what is
// on the wire. It returns what it leased while it was still in hand.
func (e *Engine) feed(ctx context.Context) (clashing []job) {
	f := feeder{Engine: e, resting: map[int64]time.Time{}}
	f.lanes.Engine, f.lanes.ctx = e, ctx
	defer f.lanes.close()
	for every(ctx, f.pause()) {
		f.lanes.follow(time.Now())
		if !e.alive() {
			continue
		}
		if err := f.once(ctx); err != nil && ctx.Err() == nil {
			e.Log.Error("node cannot lease deliveries", "node", e.node.Name, "error", err)
			every(ctx, time.Second) // the database is away; it is asked again in a while
		}
	}
	return f.clashing
}

// pause is short while there is room to fill and something to fill it with.
func (f *feeder) pause() time.Duration {
	if f.more && f.lanes.queued() < minLookahead/2 {
		return time.Millisecond
	}
	return feedEvery
}

// once gives urgent runs what they ask for, and shares the room among the others, so
// that a small mailing does not wait behind a large one.
func (f *feeder) once(ctx context.Context) error {
	if err := f.reclaim(ctx); err != nil {
		return err
	}
	now := time.Now()
	maps.DeleteFunc(f.resting, func(_ int64, until time.Time) bool { return !now.Before(until) })
	var bulk []*mailing.Run
	for _, run := range f.live.current() {
		switch _, rests := f.resting[run.ID]; {
		case rests:
		case run.Priority > mailing.PriorityBulk:
			room, _ := f.lanes.room(true, now)
			leased, err := f.lease(ctx, run, room)
			if err != nil {
				return err
			}
			f.give(leased, true, now)
		default:
			bulk = append(bulk, run)
		}
	}
	f.more = f.more && len(bulk) > 0
	room, capacity := f.lanes.room(false, now)
	if len(bulk) == 0 || f.hands.count() > maxInHand || room < (capacity+1)/2 {
		return nil
	}
	leased, err := f.leaseShares(ctx, bulk, room)
	f.give(leased, false, now)
	return err
}

// leaseShares leases so many of the runs in all. Their owners share alike, so that
// nobody starves another by having many mailings, and an owner's runs by weight. They
// come mixed, or the last run's would wait until all of the others' are sent.
func (f *feeder) leaseShares(ctx context.Context, bulk []*mailing.Run, room int) (leased []job, err error) {
	f.more = false
	runs := map[int64][]sharer{}
	for _, run := range bulk {
		runs[run.OwnerID] = append(runs[run.OwnerID], sharer{run.Weight.Parts(), func(most int) (int, error) {
			own, err := f.lease(ctx, run, most)
			leased = append(leased, own...)
			return len(own), err
		}})
	}
	var owners []sharer
	for _, own := range runs {
		owners = append(owners, sharer{1, func(most int) (int, error) { return share(own, most) }})
	}
	_, err = share(owners, room)
	if len(bulk) > 1 {
		rand.Shuffle(len(leased), func(i, k int) { leased[i], leased[k] = leased[k], leased[i] })
	}
	return leased, err
}

// lease leases at most so many of the run. It is not cut off when the node is asked
// to stop: nobody would know what the ledger made of it.
func (f *feeder) lease(ctx context.Context, run *mailing.Run, most int) ([]job, error) {
	now := time.Now()
	if most < 1 || ctx.Err() != nil {
		return nil, nil
	}
	if run.State == mailing.RunOpening && run.Priority == mailing.PriorityBulk {
		most = min(most, openingBatch)
		f.resting[run.ID] = now.Add(openingEvery)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), answerWithin)
	defer cancel()
	leased, err := f.Store.Lease(ctx, f.node, run.ID, now, most)
	if err != nil {
		f.unsure = true
		return nil, err
	}
	if len(leased) == 0 {
		f.resting[run.ID] = now.Add(restAfterNone)
		return nil, nil
	}
	f.more = f.more || run.Priority == mailing.PriorityBulk && len(leased) == most
	jobs := make([]job, 0, len(leased))
	for _, l := range leased {
		j := job{Leased: l, run: run, leasedAt: now}
		if f.hands.take(l.ID) {
			jobs = append(jobs, j)
		} else {
			f.clashing = append(f.clashing, j)
		}
	}
	return jobs, nil
}

// give puts what was leased into the lanes that had room at now. How long the leasing
// took is not held against them.
func (f *feeder) give(leased []job, urgent bool, now time.Time) {
	for _, j := range leased {
		f.lanes.give(j, urgent, now)
	}
}

// reclaim hands back what the ledger has on our name and we do not send: what we
// leased while it was in hand, now that its outcome is told; and, after the
// answer to a lease was lost, what we know nothing of.
func (f *feeder) reclaim(ctx context.Context) error {
	f.clashing = slices.DeleteFunc(f.clashing, func(j job) bool { return f.takeBack(&j) })
	if !f.unsure {
		return nil
	}
	// A lease that is still to be committed has the row of the node.
	if _, err := f.keepAlive(ctx, time.Now().Add(aliveFor)); err != nil {
		return err
	}
	known := f.hands.all() // before the ledger is asked: only this goroutine adds to them
	upToNow := f.node
	upToNow.Epoch++
	left, err := f.Store.LeftByNode(ctx, upToNow)
	if err != nil {
		return err
	}
	for _, l := range left {
		if _, ours := known[l.ID]; !ours && l.Epoch == f.node.Epoch {
			j := job{}
			j.ID, j.Tries = l.ID, l.Tries
			f.takeBack(&j)
		}
	}
	f.unsure = false
	return nil
}

// takeBack hands a delivery back unless it is in hand.
func (f *feeder) takeBack(j *job) bool {
	if !f.hands.take(j.ID) {
		return false
	}
	f.outcomes <- f.handBack(j)
	return true
}
