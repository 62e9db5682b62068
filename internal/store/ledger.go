package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/store/sqlc"
)

// Outcome is what became of a delivery that a node held. State Waiting hands it
// back untried.
type Outcome struct {
	DeliveryID int64
	Epoch      int64 // of the lease it was sent under
	Tries      int64 // before this one
	State      mailing.DeliveryState
	Reason     mailing.Reason
	DueAt      time.Time        // when Waiting or Deferred
	Attempt    *mailing.Attempt // nil when nothing was tried
	Suppress   bool             // the address is to be suppressed as bounced
}

// dueAt is by the clock once a delivery was in hand, even when nobody says so: 0 is
// for what waits for its turn.
func (o Outcome) dueAt(now time.Time) int64 {
	if o.State.Final() || !o.DueAt.IsZero() {
		return millis(o.DueAt)
	}
	return millis(now)
}

// Settle writes down outcomes in one transaction: the deliveries, their attempts,
// the counts of their runs, and the end of runs and mailings that are done. An
// outcome with an attempt is applied once, however often it is told: an attempt
// is known by its delivery, time (in milliseconds) and node. One for a delivery
// that another node holds by now is kept as an attempt only. Outcomes of one
// delivery are applied in their order.
func (s *Store) Settle(ctx context.Context, n Node, outcomes []Outcome, now time.Time) error {
	if len(outcomes) == 0 {
		return nil
	}
	if err := s.prepare(ctx); err != nil {
		return wrap(err, "settle")
	}
	err := s.settleAll(ctx, n, outcomes, now, true)
	if errors.Is(err, errNotHeld) {
		err = s.settleAll(ctx, n, outcomes, now, false)
	}
	if mailing.KindOf(err) == mailing.Conflict { // a run went meanwhile, and by now its deliveries
		err = s.settleAll(ctx, n, outcomes, now, false)
	}
	return wrap(err, "settle")
}

// errNotHeld undoes a settlement that took for held what is not.
var errNotHeld = errors.New("store: not all of the deliveries are held")

func (s *Store) settleAll(ctx context.Context, n Node, outcomes []Outcome, now time.Time, allHeld bool) error {
	return s.inTx(ctx, func(q *sqlc.Queries, tx *sql.Tx) error {
		b := settlement{store: s, q: q, tx: tx, node: n, now: now, tally: runTally{}, allHeld: allHeld}
		for rest := outcomes; len(rest) > 0; {
			var round []Outcome
			round, rest = onePerDelivery(rest)
			if err := b.settle(ctx, round); err != nil {
				return err
			}
		}
		return b.tally.store(ctx, q, now)
	})
}

// onePerDelivery parts the first outcome of each delivery from those told after
// it, since one statement changes a row once.
func onePerDelivery(outcomes []Outcome) (first, rest []Outcome) {
	seen := make(map[int64]bool, len(outcomes))
	first = make([]Outcome, 0, len(outcomes))
	for _, o := range outcomes {
		if seen[o.DeliveryID] {
			rest = append(rest, o)
			continue
		}
		seen[o.DeliveryID] = true
		first = append(first, o)
	}
	return first, rest
}

// settlement is one call of Settle.
type settlement struct {
	store *Store
	q     *sqlc.Queries
	tx    *sql.Tx
	node  Node
	now   time.Time
	tally runTally

	// allHeld: what was accepted at the first try is taken for held, as it nearly
	// always is, or it is undone.
	allHeld bool
}

func (b settlement) settle(ctx context.Context, outcomes []Outcome) error {
	outcomes, accepted := b.partAccepted(outcomes)
	if err := b.settleAccepted(ctx, accepted); err != nil {
		return err
	}
	applied, err := b.settleHeld(ctx, outcomes)
	if err != nil {
		return err
	}
	held, late := accepted, []Outcome(nil)
	for _, o := range outcomes {
		runID, ok := applied[o.DeliveryID]
		if !ok {
			late = append(late, o)
			continue
		}
		held = append(held, o)
		b.tally.add(runID, o.State, 1)
	}
	if err := b.record(ctx, held); err != nil {
		return err
	}
	late, err = b.store.unrecorded(ctx, b.tx, late)
	if err != nil {
		return err
	}
	for _, o := range late {
		if err := b.settleLate(ctx, o); err != nil {
			return err
		}
	}
	return nil
}

// partAccepted parts what was accepted at the first try, which is most, from the rest.
func (b settlement) partAccepted(outcomes []Outcome) (rest, accepted []Outcome) {
	if !b.allHeld {
		return outcomes, nil
	}
	for _, o := range outcomes {
		if o.State == mailing.Sent && o.Attempt != nil && o.Tries == 0 && o.Epoch == b.node.Epoch && o.Reason == "" {
			accepted = append(accepted, o)
		} else {
			rest = append(rest, o)
		}
	}
	return rest, accepted
}

// acceptedStatement is settleStatement for what was accepted at the first try. It is
// handed ids only and returns nothing, which takes SQLite half of the time.
var acceptedStatement = tableStatement{
	columns: []string{"id bigint"},
	values:  5,
	text: `update deliveries set state = 3, reason = '', due_at = 0, tries = 1, settled_at = $1, vars = ''
where id in (select id from v) and tries = 0 and (
    +state = 2 and +lease_node = $2 and lease_epoch = $3
    or +state = 0 and due_at = 0 and exists (
        select 1 from leases l
        where l.run_id = deliveries.run_id and l.to_id >= deliveries.contact_id and l.after_id < deliveries.contact_id
            and l.node_id = $4 and l.epoch = $5
    )
)`,
}

func (b settlement) settleAccepted(ctx context.Context, accepted []Outcome) error {
	if len(accepted) == 0 {
		return nil
	}
	rows := make([][]any, len(accepted))
	for i, o := range accepted {
		rows[i] = []any{o.DeliveryID}
		b.tally.add(o.Attempt.RunID, mailing.Sent, 1)
	}
	n := b.node
	changed, err := acceptedStatement.exec(ctx, b.store, b.tx, rows, millis(b.now), n.ID, n.Epoch, n.ID, n.Epoch)
	if err == nil && changed < int64(len(rows)) {
		return errNotHeld
	}
	return err
}

// settleStatement updates the deliveries that the node still holds, by themselves or
// in a stretch. The number of tries tells one lease from a later one of the same node:
// what is told again from its journal says nothing about that. The plus signs keep
// SQLite from going through all that the node holds and, for each, through all
// outcomes: with 500 of each that took fifty times as long.
var settleStatement = tableStatement{
	columns: []string{
		"id bigint", "epoch bigint", "tries bigint", "state bigint", "reason text", "due_at bigint", "tried bigint",
		"settled_at bigint", "forget bigint",
	},
	values: 3,
	text: `update deliveries
set state = v.state, reason = v.reason, due_at = v.due_at, tries = deliveries.tries + v.tried, settled_at = v.settled_at,
    vars = case when v.forget = 1 then '' else vars end,
    lease_node = case when v.forget = 1 then lease_node else $1 end,
    lease_epoch = case when v.forget = 1 then lease_epoch else v.epoch end
from v
where deliveries.id = v.id and deliveries.tries = v.tries and (
    +deliveries.state = 2 and +deliveries.lease_node = $2 and deliveries.lease_epoch = v.epoch
    or +deliveries.state = 0 and deliveries.due_at = 0 and exists (
        select 1 from leases l
        where l.run_id = deliveries.run_id and l.to_id >= deliveries.contact_id and l.after_id < deliveries.contact_id
            and l.node_id = $3 and l.epoch = v.epoch
    )
)
returning deliveries.id, deliveries.run_id`,
}

// settleHeld updates the deliveries that the node still holds and returns the run
// of each.
func (b settlement) settleHeld(ctx context.Context, outcomes []Outcome) (map[int64]int64, error) {
	if len(outcomes) == 0 {
		return nil, nil
	}
	rows := make([][]any, len(outcomes))
	for i, o := range outcomes {
		rows[i] = []any{
			o.DeliveryID, o.Epoch, o.Tries, int64(o.State), string(o.Reason), o.dueAt(b.now),
			flag(o.Attempt != nil), settledAt(o.State, b.now), flag(forgetsVars(o.State)),
		}
	}
	applied := make(map[int64]int64, len(outcomes))
	err := settleStatement.run(ctx, b.store, b.tx, rows, func(updated *sql.Rows) error {
		var id, runID int64
		err := updated.Scan(&id, &runID)
		applied[id] = runID
		return err
	}, b.node.ID, b.node.ID, b.node.ID)
	return applied, err
}

var recordedStatement = tableStatement{
	columns: []string{"id bigint", "at bigint", "node text"},
	text: `select v.id, v.at from v
where exists (select 1 from attempts a where a.delivery_id = v.id and a.at = v.at and a.node = v.node)`,
}

// unrecorded leaves out the outcomes whose attempt is on record already.
func (s *Store) unrecorded(ctx context.Context, tx *sql.Tx, outcomes []Outcome) ([]Outcome, error) {
	var rows [][]any
	for _, o := range outcomes {
		if o.Attempt != nil {
			rows = append(rows, []any{o.DeliveryID, o.Attempt.At.UnixMilli(), o.Attempt.Node})
		}
	}
	if len(rows) == 0 {
		return outcomes, nil
	}
	type key struct {
		id, at int64
	}
	recorded := map[key]bool{}
	err := recordedStatement.run(ctx, s, tx, rows, func(found *sql.Rows) error {
		var k key
		err := found.Scan(&k.id, &k.at)
		recorded[k] = true
		return err
	})
	return slices.DeleteFunc(outcomes, func(o Outcome) bool {
		return o.Attempt != nil && recorded[key{o.DeliveryID, o.Attempt.At.UnixMilli()}]
	}), err
}

// Unrecorded returns the outcomes that the ledger may not have yet. A node that comes
// back knows up to fifteen thousand from its journal, most of which the ledger took in
// long ago: to tell them all took PostgreSQL nine seconds.
func (s *Store) Unrecorded(ctx context.Context, outcomes []Outcome) (missing []Outcome, err error) {
	if err := s.prepare(ctx); err != nil {
		return nil, wrap(err, "compare with the record")
	}
	err = s.inTx(ctx, func(_ *sqlc.Queries, tx *sql.Tx) (err error) {
		missing, err = s.unrecorded(ctx, tx, slices.Clone(outcomes))
		return err
	})
	return missing, wrap(err, "compare with the record")
}

// settleLate takes in an outcome for a delivery that the node does not hold any
// more. One that was taken over from it and that nobody has touched since becomes
// what the node says. The attempt, which is not on record, is a fact either way.
func (b settlement) settleLate(ctx context.Context, o Outcome) error {
	row, err := b.q.Delivery(ctx, o.DeliveryID)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	if o.Attempt != nil && o.Attempt.RunID != row.RunID {
		return nil // of another database, or of a part of its life that is forgotten
	}
	if mailing.IsErased(row.Email) {
		o = ofErased(o, row.Email)
	}
	b.tally.add(row.RunID, o.State, 0) // the run must be there, even when nothing counts
	free, err := b.takenOver(ctx, row, o)
	if err != nil {
		return err
	}
	if free {
		if _, err := changeFree(ctx, b.q, b.tally, row, o, b.now); err != nil {
			return err
		}
	}
	return b.record(ctx, []Outcome{o})
}

// takenOver reports whether the outcome is the word that was missing when the
// delivery was taken over from the node. So it is when the ledger knows of no lease
// at all: then it is an older copy of itself, and the node's journal knows better. One
// that another node has in a stretch by now is not to be tried by a third.
func (b settlement) takenOver(ctx context.Context, row sqlc.Delivery, o Outcome) (bool, error) {
	if mailing.DeliveryState(row.State) == mailing.Waiting && row.LeaseEpoch == 0 {
		switch {
		case o.Attempt == nil:
			return false, nil
		case o.State.Final():
			return true, nil
		}
		if err := b.q.LockRun(ctx, row.RunID); err != nil { // or it would be leased meanwhile
			return false, err
		}
		inHand, err := b.q.IsInStretch(ctx, row.ID)
		return !inHand, err
	}
	if row.LeaseNode != b.node.ID || row.LeaseEpoch != o.Epoch {
		return false, nil
	}
	switch mailing.DeliveryState(row.State) {
	case mailing.InDoubt:
		return o.State != mailing.InDoubt, nil
	case mailing.Waiting:
		return o.Attempt != nil, nil
	default:
		return false, nil
	}
}

// changeFree changes a delivery that nobody holds and reports whether it was
// still as row says.
func changeFree(ctx context.Context, q *sqlc.Queries, tally runTally, row sqlc.Delivery, o Outcome, now time.Time) (bool, error) {
	n, err := q.ChangeFreeDelivery(ctx, sqlc.ChangeFreeDeliveryParams{
		ID: row.ID, State: int64(o.State), Reason: string(o.Reason), DueAt: o.dueAt(now),
		Tried: flag(o.Attempt != nil), SettledAt: settledAt(o.State, now), Forget: flag(forgetsVars(o.State)),
		WasState: row.State, WasLeaseNode: row.LeaseNode, WasLeaseEpoch: row.LeaseEpoch,
	})
	if err != nil || n == 0 {
		return false, err
	}
	tally.add(row.RunID, mailing.DeliveryState(row.State), -1)
	tally.add(row.RunID, o.State, 1)
	tally.reopen(row.RunID, o.State)
	return true, nil
}

// record writes down the attempts, and the addresses that they found dead.
func (b settlement) record(ctx context.Context, outcomes []Outcome) error {
	var attempts, bounced []*mailing.Attempt
	for _, o := range outcomes {
		if o.Attempt == nil {
			continue
		}
		attempts = append(attempts, o.Attempt)
		if o.Suppress {
			bounced = append(bounced, o.Attempt)
		}
	}
	if err := b.suppress(ctx, bounced); err != nil {
		return err
	}
	return b.store.insertAttempts(ctx, b.tx, attempts)
}

func (b settlement) suppress(ctx context.Context, bounced []*mailing.Attempt) error {
	// In one order on every node, so that two of them do not wait for each other.
	slices.SortFunc(bounced, func(a, b *mailing.Attempt) int {
		return cmp.Or(cmp.Compare(a.OwnerID, b.OwnerID), cmp.Compare(a.Email, b.Email))
	})
	for _, a := range bounced {
		_, err := b.q.Suppress(ctx, suppressParams(mailing.Suppression{
			OwnerID: a.OwnerID, Email: a.Email, Reason: mailing.ReasonBounced,
			Detail: a.Reply.String(), CreatedAt: b.now,
		}))
		if err != nil {
			return err
		}
	}
	return nil
}

// forgetsVars reports whether the values of merge fields, which may be secret,
// are of no use in this state: what is in doubt may yet be sent again.
func forgetsVars(state mailing.DeliveryState) bool {
	return state.Final() && state != mailing.InDoubt
}

func settledAt(state mailing.DeliveryState, now time.Time) int64 {
	if state.Final() {
		return millis(now)
	}
	return 0
}

// ResolveDoubt ends a delivery's doubt by a person's word: Sent or Failed, or
// Waiting to send it again.
func (s *Store) ResolveDoubt(ctx context.Context, runID, deliveryID int64, state mailing.DeliveryState, now time.Time) error {
	return wrap(s.inTx(ctx, func(q *sqlc.Queries, _ *sql.Tx) error {
		row, err := found(q.Delivery(ctx, deliveryID))
		if err != nil {
			return err
		}
		if row.RunID != runID {
			return mailing.Fault(mailing.NotFound, "not_found")
		}
		if mailing.DeliveryState(row.State) != mailing.InDoubt {
			return mailing.Fault(mailing.Conflict, "changed_meanwhile")
		}
		tally := runTally{}
		done, err := changeFree(ctx, q, tally, row, Outcome{State: state, DueAt: now}, now)
		if err != nil {
			return err
		}
		if !done {
			return mailing.Fault(mailing.Conflict, "changed_meanwhile")
		}
		return tally.store(ctx, q, now)
	}), "resolve doubt")
}
