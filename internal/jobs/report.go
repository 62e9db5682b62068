package jobs

import (
	"context"
	"fmt"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
)

// reportQueue has one place on each node: reports are made in the time that is left.
const reportQueue = "report"

type makeReportArgs struct {
	RunID int64 `json:"run_id" river:"unique"`
}

func (makeReportArgs) Kind() string { return "make_report" }

// InsertOpts keeps one job for a run, as long as it is not done: the run may change
// afterwards.
func (makeReportArgs) InsertOpts() river.InsertOpts {
	return river.InsertOpts{Queue: reportQueue, UniqueOpts: river.UniqueOpts{ByArgs: true, ByState: []rivertype.JobState{
		rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateRetryable,
		rivertype.JobStateRunning, rivertype.JobStateScheduled,
	}}}
}

// ReportSoon has a run's report made soon.
func (q *Queue) ReportSoon(ctx context.Context, runID int64) error {
	if _, err := q.client.Insert(ctx, makeReportArgs{RunID: runID}, nil); err != nil {
		return fmt.Errorf("jobs: report of run %d: %w", runID, err)
	}
	return nil
}
