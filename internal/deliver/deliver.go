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
	"vestnik/internal/mailing"
	"vestnik/internal/store"
	"vestnik/internal/transport"
)

// Sender is a way out: a pool of sessions with a relay, or the demo mailbox.
type Sender interface {
	// Send is as transport.Pool.Send.
	Send(ctx context.Context, env transport.Envelope, message []byte, beforeDot func() error) (transport.Result, error)
}

// Road is the way out that is set up now, and as whom mails are sent by it.
type Road struct {
	Sender Sender
	From   compose.Address
}

// Config is what the composition root decides.
type Config struct {
	Store   *store.Store
	Log     *slog.Logger
	Dir     string // of the journals of this machine's nodes
	Workers int    // mails in the making and on the wire at once

	// Road returns the way out. It is asked for every mail.
	Road func() Road
	// UnsubscribeURL is the address by which a reader leaves the owner's list.
	UnsubscribeURL func(ownerID, runID int64, email string) string
	// OpenVars unseals the fields of a single mail.
	OpenVars func(email, sealed string) (map[string]any, error)
	// Backoff is mailing.Backoff but in tests.
	Backoff func(tries int64) time.Duration
}

// Times of a node. A lease must outlast a pause of the database by some way and
// yet free what a dead node held within a minute; between the two, chosen.
const (
	aliveFor   = 30 * time.Second
	aliveEvery = 5 * time.Second
	aliveSpare = 5 * time.Second // sending stops this long before the lease ends

	// watchEvery is how soon pause, disable and unsubscribe take effect; people
	// are promised a second.
	watchEvery = 250 * time.Millisecond
	// feedEvery is how soon a run that has just been opened is seen.
	feedEvery = 100 * time.Millisecond
	// settleEvery is how long an outcome waits for company.
	settleEvery = 20 * time.Millisecond
	settleBatch = 500
)

// Engine is the sending part of one node.
type Engine struct {
	Config
	node    store.Node
	journal *journal

	live   liveRuns
	gate   gate
	halts  refusals
	drafts drafts

	urgent, bulk chan job
	outcomes     chan store.Outcome
	aliveUntil   atomic.Pointer[time.Time]
	sent         atomic.Int64 // since the start, to size leases by
	stopping     atomic.Bool
}

// job is a delivery in this node's hands.
type job struct {
	store.Leased
	run *mailing.Run
}

// Run sends until ctx ends. Then it drains: what is on the wire is finished and
// settled, the rest is handed back. It returns early only when this node's place
// was taken or its journal cannot be written.
func Run(ctx context.Context, c Config) error {
	if c.Backoff == nil {
		c.Backoff = mailing.Backoff
	}
	e := &Engine{
		Config: c, urgent: make(chan job), bulk: make(chan job, maxLookahead),
		outcomes: make(chan store.Outcome, settleBatch),
	}
	if err := e.start(ctx); err != nil {
		return err
	}
	defer e.journal.close()
	return e.work(ctx)
}

func (e *Engine) work(ctx context.Context) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	// The heart beats until the last outcome is settled, so that nobody takes
	// over what this node is about to finish.
	beating, stopHeart := context.WithCancel(context.WithoutCancel(ctx))
	defer stopHeart()
	var heart, hands, ledger sync.WaitGroup
	heart.Go(func() { e.beat(beating, stop) })
	heart.Go(func() { e.watch(beating) })
	ledger.Go(func() { e.settle(context.WithoutCancel(ctx)) })
	for range e.Workers {
		hands.Go(func() { e.deliverAll(ctx, stop) })
	}
	e.feed(ctx)
	e.stopping.Store(true)
	close(e.urgent)
	close(e.bulk)
	hands.Wait()
	close(e.outcomes)
	ledger.Wait()
	stopHeart()
	heart.Wait()
	if cause := context.Cause(ctx); cause != nil && cause != context.Canceled {
		return cause
	}
	return nil
}

// beat keeps the node alive in the ledger.
func (e *Engine) beat(ctx context.Context, stop context.CancelCauseFunc) {
	for every(ctx, aliveEvery) {
		until := time.Now().Add(aliveFor)
		ours, err := e.Store.KeepNodeAlive(ctx, e.node, until)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			e.Log.Error("node cannot reach the database", "node", e.node.Name, "error", err)
		case !ours:
			stop(errReplaced)
			return
		default:
			e.aliveUntil.Store(&until)
		}
	}
}

// alive reports whether the node's leases hold for long enough to send one mail.
func (e *Engine) alive() bool {
	return time.Until(*e.aliveUntil.Load()) > aliveSpare
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
