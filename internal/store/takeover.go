package store

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/store/sqlc"
)

// stretchesAtOnce is how many leases of stretches one TakeOver ends at most. Nearly all
// are spent.
const stretchesAtOnce = 100

// TakeOver ends leases of nodes that are dead and returns how many deliveries those
// held: up to most, and those of the stretch that goes beyond. Nobody here can know which of them were
// sent, so each is put in doubt, or made due again where the run would rather send
// twice. When the dead node comes back, its journal tells.
func (s *Store) TakeOver(ctx context.Context, now time.Time, most int64) (int, error) {
	var taken int64
	err := s.inTx(ctx, func(q *sqlc.Queries, _ *sql.Tx) error {
		t := takeOver{q: q, now: now, tally: runTally{}}
		if err := t.endLeases(ctx, most); err != nil {
			return err
		}
		if err := t.endStretches(ctx, most); err != nil {
			return err
		}
		taken = t.taken
		return t.tally.store(ctx, q, now)
	})
	if err != nil {
		return 0, wrap(err, "take over from dead nodes")
	}
	return int(taken), nil
}

// takeOver is one call of TakeOver.
type takeOver struct {
	q     *sqlc.Queries
	now   time.Time
	tally runTally
	taken int64
}

func (t *takeOver) endLeases(ctx context.Context, most int64) error {
	rows, err := t.q.Orphans(ctx, sqlc.OrphansParams{Now: millis(t.now), Most: most})
	if err != nil {
		return err
	}
	// In one order on every node, so that two of them do not wait for each other.
	slices.SortFunc(rows, func(a, b sqlc.OrphansRow) int { return cmp.Compare(a.ID, b.ID) })
	for _, row := range rows {
		state := afterDeath(row.Doubt)
		n, err := t.q.EndLease(ctx, sqlc.EndLeaseParams{
			ID: row.ID, LeaseNode: row.LeaseNode, LeaseEpoch: row.LeaseEpoch,
			State: int64(state), DueAt: millis(t.now), SettledAt: settledAt(state, t.now),
		})
		if err != nil {
			return err
		}
		t.count(row.RunID, state, n)
	}
	return nil
}

// endStretches deletes each lease first: of two nodes that take over the same one, the
// second finds it gone.
func (t *takeOver) endStretches(ctx context.Context, most int64) error {
	rows, err := t.q.OrphanLeases(ctx, sqlc.OrphanLeasesParams{Now: millis(t.now), Most: stretchesAtOnce})
	if err != nil {
		return err
	}
	for _, l := range rows {
		if t.taken >= most {
			return nil
		}
		n, err := t.q.DeleteLease(ctx, sqlc.DeleteLeaseParams{RunID: l.RunID, ToID: l.ToID, NodeID: l.NodeID, Epoch: l.Epoch})
		if err != nil {
			return err
		}
		if n == 0 {
			continue
		}
		state := afterDeath(l.Doubt)
		n, err = t.q.EndTurns(ctx, sqlc.EndTurnsParams{
			RunID: l.RunID, AfterID: contact(l.AfterID), ToID: contact(l.ToID), LeaseNode: l.NodeID, LeaseEpoch: l.Epoch,
			State: int64(state), DueAt: millis(t.now), SettledAt: settledAt(state, t.now),
		})
		if err != nil {
			return err
		}
		t.count(l.RunID, state, n)
	}
	return nil
}

func (t *takeOver) count(runID int64, state mailing.DeliveryState, n int64) {
	if n > 0 {
		t.taken += n
		t.tally.add(runID, state, n)
	}
}

// contact is the place of a contact in a run; 0 is before all of them.
func contact(id int64) sql.NullInt64 { return sql.NullInt64{Int64: id, Valid: true} }

func afterDeath(doubt string) mailing.DeliveryState {
	if mailing.Doubt(doubt) == mailing.NeverMissed {
		return mailing.Waiting
	}
	return mailing.InDoubt
}
