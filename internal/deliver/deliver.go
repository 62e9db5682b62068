// Package deliver sends what is due. A node leases deliveries from the ledger in
// batches, makes each mail, sends it, and settles what came of it.
//
// What happens to one delivery, and why in this order:
//
//  1. It is leased: no other node takes it while this one is alive.
//  2. Right before the final dot, the node looks once more whether it may be
//     sent, and writes its intent into the journal, a file of its own. From here
//     on a crash leaves the delivery in doubt; before, it leaves it untried.
//  3. The server's answer is written into the journal. From here on a crash
//     loses nothing and doubles nothing.
//  4. The ledger is told, in batches; then the journal forgets.
//
// A delivery that is in doubt is held and listed, or sent again byte for byte,
// as its run demands.
package deliver

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"vestnik/internal/compose"
	"vestnik/internal/compose/dkim"
	"vestnik/internal/mailing"
	"vestnik/internal/store"
	"vestnik/internal/transport"
)

// Sender is a way out: a pool of sessions with a relay, or the demo mailbox.
type Sender interface {
	// Carry is as transport.Pool.Carry.
	Carry(ctx context.Context, m transport.Mail, next func() transport.Mail)
}

// Road is a way out, and as whom mails are sent by it. It does not change: what is
// set up anew is another Road.
type Road struct {
	ID          int64  // of the relay; 0: that of the settings, or the demo mailbox
	Name        string // for the log
	Sender      Sender
	From        compose.Address
	Weight      int // its share of the mails beside other roads; below 1 it is 1
	Connections int // mails on the wire at once, from all nodes; below 1: Config.Workers from each
	Limits      Limits
	// Router finds the way for each recipient, in place of Sender.
	Router Router
}

// Config is what the composition root decides.
type Config struct {
	Store   *store.Store
	Log     *slog.Logger
	Dir     string // of the journals of this machine's nodes
	Workers int    // mails on the wire at once, by a road that does not say

	// Roads returns the ways out that may be used now, each the same until it is
	// changed. It is asked all the time.
	Roads func() []*Road
	// StopRoad is told when a road refuses our name and password, which it will do
	// until a person mends it. From then on Roads should not return it.
	StopRoad func(ctx context.Context, road *Road, why string) error
	// Signer returns who signs the mails of a domain; nil: nobody. It is asked for
	// every mail, and gives the same one until the keys change. It may be missing.
	Signer func(domain string) *dkim.Signer
	// Slots reserves the next moments, up to most, at which mails may leave by a road with
	// a limit by the second that all nodes share. It reports false when they do not share it
	// now; then each of the nodes that live has its part. It may be missing.
	Slots func(ctx context.Context, roadID int64, perSecond, most, nodes int) (Slots, bool)
	// RunsMoved is told about once a second what was settled anything of, and which runs
	// have come to their end. It may be missing.
	RunsMoved func(ctx context.Context, moved []int64, ended []mailing.Run)
	// BaseURL is where readers find the pictures of mails: scheme and host.
	BaseURL string
	// UnsubscribeURL is the address by which a reader leaves the owner's list.
	UnsubscribeURL func(ownerID, runID int64, email string) string
	// OpenVars unseals the fields of a single mail.
	OpenVars func(email, sealed string) (map[string]any, error)
	// Settled is told of outcomes that the ledger has taken in, and how long that took. It
	// may be missing.
	Settled func(batch []store.Outcome, took time.Duration)
	// Backoff is mailing.Backoff but in tests.
	Backoff func(tries int64) time.Duration
	// RemakeAfter is remakeAfter but in tests.
	RemakeAfter time.Duration
	// StallAfter is stallAfter but in tests.
	StallAfter time.Duration
}

// Times of a node. A lease must outlast a pause of the database by some way and
// yet free what a dead node held within a minute; between the two, chosen.
const (
	aliveFor   = 30 * time.Second
	aliveEvery = 5 * time.Second
	aliveSpare = 5 * time.Second // sending stops this long before the lease ends

	// clockSkew is by how much the clocks of nodes on one database may differ.
	// Chosen: what keeps its time by NTP differs by far less, and a dead node's
	// deliveries are still free within a minute.
	clockSkew = 20 * time.Second

	// answerWithin is how long the database may take; after that it counts as
	// away. Chosen: as long as SQLite waits for its lock.
	answerWithin = 10 * time.Second

	// watchEvery is how soon pause, disable and unsubscribe take effect; people
	// are promised a second.
	watchEvery = 250 * time.Millisecond
	// feedEvery is how soon a run that has just been opened is seen.
	feedEvery = 25 * time.Millisecond
	// settleEvery is how long an outcome waits for company.
	settleEvery = 50 * time.Millisecond
	settleBatch = 1000
)

// Engine is the sending part of one node.
type Engine struct {
	Config
	node    store.Node
	journal *journal

	live   liveRuns
	moves  moves
	halts  refusals
	drafts drafts

	hands hands

	lanes      lanes
	hindrances hindrances
	outcomes   chan store.Outcome
	aliveUntil atomic.Pointer[time.Time]
	nodes      atomic.Int64 // that live, this one included
	stopping   atomic.Bool
	quit       context.CancelFunc
	failure    atomic.Pointer[error] // why the node stopped by itself
}

// job is a delivery in this node's hands.
type job struct {
	store.Leased
	run         *mailing.Run
	leasedAt    time.Time
	destination *Destination // by a direct road
}

// Run sends until ctx ends. Then it drains: what is on the wire is finished and
// settled, the rest is handed back. It returns early only when this node's place
// was taken or its journal cannot be mended.
func Run(ctx context.Context, c Config) error {
	e := newEngine(c)
	if err := e.start(ctx); err != nil {
		return err
	}
	defer e.journal.close()
	return e.work(ctx)
}

func newEngine(c Config) *Engine {
	if c.RemakeAfter == 0 {
		c.RemakeAfter = remakeAfter
	}
	if c.Backoff == nil {
		c.Backoff = mailing.Backoff
	}
	if c.StallAfter == 0 {
		c.StallAfter = stallAfter
	}
	return &Engine{Config: c, outcomes: make(chan store.Outcome, settleBatch)}
}

func (e *Engine) work(ctx context.Context) error {
	ctx, e.quit = context.WithCancel(ctx)
	defer e.quit()
	// Not only when the feed has ended: that may wait for a worker, who waits for
	// the ledger, which is told without end unless the node is stopping.
	defer context.AfterFunc(ctx, func() { e.stopping.Store(true) })()
	// The heart beats until the last outcome is settled, so that nobody takes
	// over what this node is about to finish.
	beating, stopHeart := context.WithCancel(context.WithoutCancel(ctx))
	defer stopHeart()
	var heart, ledger sync.WaitGroup
	heart.Go(func() { e.beat(beating) })
	heart.Go(func() { e.watch(beating) })
	allTold := false
	ledger.Go(func() { allTold = e.settle(context.WithoutCancel(ctx)) })
	clashing := e.feed(ctx)
	for i := range clashing { // all that is in hand has its outcome before these
		e.outcomes <- e.handBack(&clashing[i])
	}
	close(e.outcomes)
	ledger.Wait()
	stopHeart()
	heart.Wait()
	if failure := e.failure.Load(); failure != nil {
		return *failure
	}
	if allTold {
		e.endSpentLeases(context.WithoutCancel(ctx))
		e.sayGoodbye(ctx)
	}
	return nil
}

// sayGoodbye ends the node's leases, of which it holds none any more, so that the
// other nodes do not go on to share with it.
func (e *Engine) sayGoodbye(ctx context.Context) {
	if _, err := e.keepAlive(context.WithoutCancel(ctx), time.Now()); err != nil {
		e.Log.Warn("node cannot say that it has stopped", "node", e.node.Name, "error", err)
	}
}

// fail has the node drain and Run return err. The first one counts.
func (e *Engine) fail(err error) {
	e.failure.CompareAndSwap(nil, &err)
	e.quit()
}

// beat keeps the node alive in the ledger.
func (e *Engine) beat(ctx context.Context) {
	for every(ctx, aliveEvery) {
		until := time.Now().Add(aliveFor)
		ours, err := e.keepAlive(ctx, until)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			e.Log.Error("node cannot reach the database", "node", e.node.Name, "error", err)
		case !ours:
			e.fail(errReplaced)
			return
		default:
			e.aliveUntil.Store(&until)
			e.countNodes(ctx)
			e.endSpentLeases(ctx)
		}
	}
}

// countNodes looks how many nodes share the limits of roads.
func (e *Engine) countNodes(ctx context.Context) {
	n, err := e.Store.CountLiveNodes(ctx, time.Now())
	if err != nil {
		return // the heart has said that the database is away, or will
	}
	e.nodes.Store(int64(n))
}

// endSpentLeases keeps few those that the next start would have to look through.
func (e *Engine) endSpentLeases(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	if err := e.Store.EndSpentLeases(ctx, e.node); err != nil && ctx.Err() == nil {
		e.Log.Warn("node cannot end leases that are spent", "node", e.node.Name, "error", err)
	}
}

func (e *Engine) keepAlive(ctx context.Context, until time.Time) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	return e.Store.KeepNodeAlive(ctx, e.node, until)
}

// alive reports whether the node's leases hold for long enough to send one mail.
// It looks at the wall clock, too: the other one stands still while the machine
// sleeps, and the other nodes do not wait for that.
func (e *Engine) alive() bool {
	now, until := time.Now(), *e.aliveUntil.Load()
	return until.Sub(now) > aliveSpare && until.Round(0).Sub(now.Round(0)) > aliveSpare
}

// every waits for the interval and reports false when ctx ends.
func every(ctx context.Context, interval time.Duration) bool {
	timer := time.NewTimer(interval)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
