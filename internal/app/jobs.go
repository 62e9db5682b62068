package app

import (
	"context"
	"database/sql"
	"strconv"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/store"
)

// Job is one piece of background work.
type Job struct {
	ID        int64
	Kind      string
	State     string    // as River calls it: "available", "running", "retryable", …
	Args      string    // JSON
	Attempt   int       // how often it was tried
	Most      int       // how often it is tried
	At        time.Time // when it ended, began, or is to begin, by its state
	CreatedAt time.Time
	Errors    []JobError // of the tries that failed, the latest first
}

// JobError is what went wrong in one try.
type JobError struct {
	At   time.Time
	Text string
}

// JobFilter narrows a list of jobs. Empty is any.
type JobFilter struct {
	Kind, State string
	Before      int64 // only jobs older than this one; 0: from the newest
	Limit       int
}

// JobQueue is the background work, as package jobs keeps it. Retry and Cancel do so in
// tx where the queue's tables are reached by the same connections as all others; else
// right before it is committed.
type JobQueue interface {
	Jobs(ctx context.Context, f JobFilter) ([]Job, error)
	Job(ctx context.Context, id int64) (Job, error)
	Retry(ctx context.Context, tx *sql.Tx, id int64) error
	Cancel(ctx context.Context, tx *sql.Tx, id int64) error
}

// JobStates are the states of a job, as River calls them, in the order in which it goes
// through them.
func JobStates() []string {
	return []string{"available", "scheduled", "pending", "running", "retryable", "completed", "cancelled", "discarded"}
}

// Retryable reports whether the job may be tried again now.
func (j Job) Retryable() bool {
	switch j.State {
	case "retryable", "scheduled", "cancelled", "discarded", "completed":
		return true
	}
	return false
}

// Cancellable reports whether the job is still to be done, or is being done.
func (j Job) Cancellable() bool {
	switch j.State {
	case "available", "scheduled", "pending", "running", "retryable":
		return true
	}
	return false
}

// Jobs lists background jobs, newest first.
func (a *App) Jobs(ctx context.Context, actor mailing.Account, f JobFilter) ([]Job, error) {
	if err := mayManageService(actor); err != nil {
		return nil, err
	}
	return a.JobQueue.Jobs(ctx, f)
}

// JobCounts counts background jobs by kind and state.
func (a *App) JobCounts(ctx context.Context, actor mailing.Account) ([]store.JobCount, error) {
	if err := mayManageService(actor); err != nil {
		return nil, err
	}
	return a.store.JobCounts(ctx)
}

// RetryJob has a job done again, now.
func (a *App) RetryJob(ctx context.Context, actor mailing.Account, id int64) error {
	return a.jobDeed(ctx, actor, id, "job.retry", "available", Job.Retryable, JobQueue.Retry)
}

// CancelJob has a job not done any more. One that is running is asked to stop.
func (a *App) CancelJob(ctx context.Context, actor mailing.Account, id int64) error {
	return a.jobDeed(ctx, actor, id, "job.cancel", "cancelled", Job.Cancellable, JobQueue.Cancel)
}

func (a *App) jobDeed(ctx context.Context, actor mailing.Account, id int64, action mailing.Action, becomes string,
	can func(Job) bool, do func(JobQueue, context.Context, *sql.Tx, int64) error,
) error {
	if err := mayManageService(actor); err != nil {
		return err
	}
	job, err := a.JobQueue.Job(ctx, id)
	if err != nil {
		return err
	}
	if !can(job) {
		return mailing.Fault(mailing.Conflict, "changed_meanwhile")
	}
	ctx = a.doing(ctx, actor, mailing.Deed{
		Action: action, Thing: mailing.Thing{Kind: mailing.ThingService, ID: id, Name: job.Kind + " " + strconv.FormatInt(id, 10)},
		Before: mailing.Facts{"state": job.State}, After: mailing.Facts{"state": becomes},
	})
	return a.store.Beside(ctx, func(tx *sql.Tx) error { return do(a.JobQueue, ctx, tx, id) })
}
