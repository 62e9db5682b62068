package deliver

import (
	"context"
	"errors"
	"slices"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/store"
)

var errReplaced = errors.New("deliver: a later start of this node has taken its place")

// start takes up this node's place and settles what its last start left behind.
func (e *Engine) start(ctx context.Context) error {
	var err error
	if e.journal, err = openJournal(e.Dir); err != nil {
		return err
	}
	if err := e.register(ctx); err != nil {
		return errors.Join(err, e.journal.close())
	}
	if err := e.recover(ctx); err != nil {
		return errors.Join(err, e.journal.close())
	}
	e.countNodes(ctx)
	// The gates that knew of them went with the last start.
	if err := e.Store.EndTroublesOfNode(ctx, e.node.Name); err != nil {
		return errors.Join(err, e.journal.close())
	}
	if err := e.look(ctx); err != nil {
		return errors.Join(err, e.journal.close())
	}
	return nil
}

func (e *Engine) register(ctx context.Context) (err error) {
	now := time.Now()
	until := now.Add(aliveFor)
	e.node, err = e.Store.StartNode(ctx, e.journal.name, now, until)
	e.aliveUntil.Store(&until)
	return err
}

// recover tells the ledger what the journal knows, and what follows from what it
// does not.
func (e *Engine) recover(ctx context.Context) error {
	entries, err := e.journal.read()
	if err != nil {
		return err
	}
	var known []store.Outcome
	for _, entry := range entries {
		if entry.outcome != nil {
			known = append(known, *entry.outcome)
		}
	}
	if known, err = e.Store.Unrecorded(ctx, known); err != nil {
		return err
	}
	if err := e.tell(ctx, known); err != nil {
		return err
	}
	hold, err := e.Store.Hold(ctx)
	if err != nil {
		return err
	}
	if hold.On() {
		if err := e.recoverForgotten(ctx, entries); err != nil {
			return err
		}
	}
	if err := e.recoverLeft(ctx, entries, e.journal.sameBoot && !hold.On()); err != nil {
		return err
	}
	if err := e.Store.EndSpentLeases(ctx, e.node); err != nil {
		return err
	}
	return e.journal.begin()
}

// recoverLeft settles what the ledger has as left by an earlier start. Where the
// journal is whole, a lease without an intent was not tried. After a power failure
// it may not be; and after a restore the ledger is older than the journal, and what
// it takes for leased may have been sent since.
//
// It comes after the known outcomes are told: a delivery whose outcome was known,
// deferred, may have been leased once more since. Then it is still left, and its
// outcome says nothing of that.
func (e *Engine) recoverLeft(ctx context.Context, entries map[int64]entry, whole bool) error {
	left, err := e.Store.LeftByNode(ctx, e.node)
	if err != nil {
		return err
	}
	now := time.Now()
	unfinished := make([]store.Outcome, len(left))
	cutOff := 0
	for i, l := range left {
		entry, ok := entries[l.ID]
		intended := ok && entry.outcome == nil && entry.epoch == l.Epoch && entry.tries == l.Tries || !whole
		unfinished[i] = e.unfinished(l, intended, now)
		if intended {
			cutOff++
		}
	}
	if len(left) > 0 {
		e.Log.Warn("node was stopped in the middle of sending", "node", e.node.Name, "cut_off", cutOff, "handed_back", len(left)-cutOff)
	}
	return e.tell(ctx, unfinished)
}

// recoverForgotten puts in doubt what this node intended and a restored ledger does
// not even know to have been leased: the journal does not tell outcomes that the
// ledger had before it was restored.
func (e *Engine) recoverForgotten(ctx context.Context, entries map[int64]entry) error {
	var intended []int64
	for id, entry := range entries {
		if entry.outcome == nil {
			intended = append(intended, id)
		}
	}
	forgotten, err := e.Store.NeverLeased(ctx, intended)
	if err != nil {
		return err
	}
	now := time.Now()
	unfinished := make([]store.Outcome, len(forgotten))
	for i, l := range forgotten {
		l.Epoch, l.Tries = entries[l.ID].epoch, entries[l.ID].tries
		unfinished[i] = e.unfinished(l, true, now)
	}
	if len(forgotten) > 0 {
		e.Log.Warn("database has forgotten what the node was about to send", "node", e.node.Name, "deliveries", len(forgotten))
	}
	return e.tell(ctx, unfinished)
}

func (e *Engine) tell(ctx context.Context, outcomes []store.Outcome) error {
	for batch := range slices.Chunk(outcomes, settleBatch) {
		err := e.Store.Settle(ctx, e.node, batch, time.Now())
		for mailing.KindOf(err) == mailing.Conflict { // a run went meanwhile
			err = e.Store.Settle(ctx, e.node, batch, time.Now())
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// unfinished is the outcome of a delivery whose sending was cut off. One that was
// not intended was not sent; of the others nobody can know (RFC 1047).
func (e *Engine) unfinished(l store.Left, intended bool, now time.Time) store.Outcome {
	o := store.Outcome{DeliveryID: l.ID, Epoch: l.Epoch, Tries: l.Tries, State: mailing.Waiting, DueAt: now}
	if !intended {
		return o
	}
	o.Attempt = &mailing.Attempt{
		DeliveryID: l.ID, RunID: l.RunID, MailingID: l.MailingID, OwnerID: l.OwnerID, Email: l.Email,
		At: now, Node: e.node.Name, Stage: "dot", Result: mailing.AttemptInDoubt,
		Reply: mailing.Reply{Text: "the service was cut off before the answer came"},
	}
	if l.Doubt == mailing.NeverTwice {
		o.State = mailing.InDoubt
	}
	return o
}
