package jobs

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
)

// Queue shows itself to admins.
var _ app.JobQueue = (*Queue)(nil)

// acts are what a person may do with a job. They do so in tx if the queue is reached by
// the store's own connections, as on SQLite, where there is only one that writes.
type acts struct {
	retry, cancel func(ctx context.Context, tx *sql.Tx, id int64) error
}

func actsOf[TTx any](c *river.Client[TTx]) acts {
	type act func(context.Context, int64) (*rivertype.JobRow, error)
	type actTx func(context.Context, TTx, int64) (*rivertype.JobRow, error)
	either := func(alone act, inTx actTx) func(context.Context, *sql.Tx, int64) error {
		return func(ctx context.Context, tx *sql.Tx, id int64) (err error) {
			if ours, ok := any(tx).(TTx); ok {
				_, err = inTx(ctx, ours, id)
			} else {
				_, err = alone(ctx, id)
			}
			return there(err, id)
		}
	}
	return acts{either(c.JobRetry, c.JobRetryTx), either(c.JobCancel, c.JobCancelTx)}
}

// there wraps an error, and says of a job that is gone that it is not there.
func there(err error, id int64) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, rivertype.ErrNotFound):
		return mailing.Fault(mailing.NotFound, "not_found")
	}
	return fmt.Errorf("jobs: job %d: %w", id, err)
}

// Retry implements app.JobQueue.
func (q *Queue) Retry(ctx context.Context, tx *sql.Tx, id int64) error {
	return q.acts.retry(ctx, tx, id)
}

// Cancel implements app.JobQueue.
func (q *Queue) Cancel(ctx context.Context, tx *sql.Tx, id int64) error {
	return q.acts.cancel(ctx, tx, id)
}

// Jobs implements app.JobQueue.
func (q *Queue) Jobs(ctx context.Context, f app.JobFilter) ([]app.Job, error) {
	p := river.NewJobListParams().OrderBy(river.JobListOrderByID, river.SortOrderDesc).First(max(f.Limit, 1))
	if f.Kind != "" {
		p = p.Kinds(f.Kind)
	}
	if f.State != "" {
		p = p.States(rivertype.JobState(f.State))
	}
	if f.Before != 0 {
		p = p.After(river.JobListCursorFromJob(&rivertype.JobRow{ID: f.Before}))
	}
	found, err := q.client.JobList(ctx, p)
	if err != nil {
		return nil, fmt.Errorf("jobs: list: %w", err)
	}
	list := make([]app.Job, len(found.Jobs))
	for i, row := range found.Jobs {
		list[i] = jobOf(row)
	}
	return list, nil
}

// Job implements app.JobQueue.
func (q *Queue) Job(ctx context.Context, id int64) (app.Job, error) {
	row, err := q.client.JobGet(ctx, id)
	if err != nil {
		return app.Job{}, there(err, id)
	}
	return jobOf(row), nil
}

func jobOf(row *rivertype.JobRow) app.Job {
	job := app.Job{
		ID: row.ID, Kind: row.Kind, State: string(row.State), Args: string(row.EncodedArgs),
		Attempt: row.Attempt, Most: row.MaxAttempts, CreatedAt: row.CreatedAt, At: row.ScheduledAt,
	}
	switch {
	case row.FinalizedAt != nil:
		job.At = *row.FinalizedAt
	case row.State == rivertype.JobStateRunning && row.AttemptedAt != nil:
		job.At = *row.AttemptedAt
	}
	for _, e := range row.Errors {
		job.Errors = append([]app.JobError{{At: e.At, Text: e.Error}}, job.Errors...)
	}
	return job
}
