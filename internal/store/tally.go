package store

import (
	"context"
	"maps"
	"slices"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/store/sqlc"
)

// runTally gathers what a batch changes in the counts of runs.
type runTally map[int64]*runChange

type runChange struct {
	counts mailing.Counts
	reopen bool
}

func (t runTally) add(runID int64, state mailing.DeliveryState, n int64) {
	change := t[runID]
	if change == nil {
		change = &runChange{}
		t[runID] = change
	}
	switch state {
	case mailing.Sent:
		change.counts.Sent += n
	case mailing.Failed:
		change.counts.Failed += n
	case mailing.Skipped:
		change.counts.Skipped += n
	case mailing.InDoubt:
		change.counts.InDoubt += n
	}
}

// reopen notes that a delivery of a run that may be completed is due again.
func (t runTally) reopen(runID int64, state mailing.DeliveryState) {
	if !state.Final() {
		t[runID].reopen = true
	}
}

// store changes the runs. One that was deleted meanwhile is a conflict, so that
// nothing of it is left behind: on PostgreSQL no foreign key would say so.
func (t runTally) store(ctx context.Context, q *sqlc.Queries, now time.Time) error {
	// In one order on every node, so that two of them cannot wait for each other.
	for _, runID := range slices.Sorted(maps.Keys(t)) {
		change := t[runID]
		c := change.counts
		err := changed(q.CountRun(ctx, sqlc.CountRunParams{
			ID: runID, Sent: c.Sent, Failed: c.Failed, Skipped: c.Skipped, InDoubt: c.InDoubt,
		}))
		if err != nil {
			return err
		}
		if change.reopen {
			if err := q.ReopenRun(ctx, runID); err != nil {
				return err
			}
		}
		if err := closeRun(ctx, q, runID, now); err != nil {
			return err
		}
	}
	return nil
}

// closeRun ends what is done. In a cancelled run, what would be tried again is
// skipped instead.
func closeRun(ctx context.Context, q *sqlc.Queries, runID int64, now time.Time) error {
	run, err := q.Run(ctx, runID)
	if err != nil {
		return err
	}
	if mailing.RunState(run.State) != mailing.RunCancelled {
		return finishRun(ctx, q, runID, run.MailingID.Int64, now)
	}
	skipped, err := q.SkipWaiting(ctx, sqlc.SkipWaitingParams{
		RunID: runID, Reason: string(mailing.ReasonCancelled), SettledAt: millis(now),
	})
	if err != nil || skipped == 0 {
		return err
	}
	return changed(q.CountRun(ctx, sqlc.CountRunParams{ID: runID, Skipped: skipped}))
}
