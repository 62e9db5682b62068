// Package jobs is all work in the background except sending: opening the runs
// that are due, writing down their deliveries, sweeping up. River keeps the jobs
// in the same database as everything else, elects the node that makes the
// periodic ones, and tries again what went wrong.
package jobs

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"
	"github.com/riverqueue/river/rivertype"

	"vestnik/internal/app"
	"vestnik/internal/schedule"
	"vestnik/internal/store"
)

// How often a node looks. Due mailings are promised within a minute; five
// seconds cost nothing. Runs that nobody fills any more, because a node died,
// are found within half a minute.
const (
	openEvery   = 5 * time.Second
	resumeEvery = 30 * time.Second
	sweepEvery  = time.Hour
)

// client is River's, whatever its database.
type client interface {
	Start(ctx context.Context) error
	Stop(ctx context.Context) error
	StopAndCancel(ctx context.Context) error
	Insert(ctx context.Context, args river.JobArgs, opts *river.InsertOpts) (*rivertype.JobInsertResult, error)
	JobList(ctx context.Context, params *river.JobListParams) (*river.JobListResult, error)
	JobGet(ctx context.Context, id int64) (*rivertype.JobRow, error)
}

// Queue is the open job queue.
type Queue struct {
	client  client
	acts    acts
	migrate func(ctx context.Context) error
	close   func()
}

// Work is what the jobs call.
type Work struct {
	Scheduler *schedule.Scheduler
	App       *app.App
	Store     *store.Store
}

// Open opens the queue in the store's database. With work nil it only takes in
// jobs, for a process that has others do them.
func Open(ctx context.Context, s *store.Store, databaseURL string, work *Work, log *slog.Logger) (*Queue, error) {
	if !s.Postgres() {
		return open[*sql.Tx](riversqlite.New(s.Writer()), work, log, func() {})
	}
	pool, err := pgxpool.New(ctx, databaseURL)
	if err != nil {
		return nil, fmt.Errorf("jobs: open: %w", err)
	}
	return open(riverpgxv5.New(pool), work, log, pool.Close)
}

func open[TTx any](driver riverdriver.Driver[TTx], work *Work, log *slog.Logger, done func()) (*Queue, error) {
	config := &river.Config{Logger: slog.New(calm{log.Handler()})}
	if work != nil {
		config.Workers = workers(work)
		config.Queues = map[string]river.QueueConfig{
			river.QueueDefault: {MaxWorkers: 4},
			fillQueue:          {MaxWorkers: 2},
			reportQueue:        {MaxWorkers: 1},
		}
		config.PeriodicJobs = periodic()
		config.JobTimeout = jobTimeout
		// A job of a dead node is given to another one after this; meanwhile the
		// ledger heals by itself, see resumeOpening.
		config.RescueStuckJobsAfter = jobTimeout + time.Minute
		config.CompletedJobRetentionPeriod = time.Hour // there are many and they say little
	}
	c, err := river.NewClient(driver, config)
	if err != nil {
		done()
		return nil, fmt.Errorf("jobs: open: %w", err)
	}
	migrate := func(ctx context.Context) error {
		migrator, err := rivermigrate.New(driver, &rivermigrate.Config{Logger: slog.New(slog.DiscardHandler)})
		if err == nil {
			_, err = migrator.Migrate(ctx, rivermigrate.DirectionUp, nil)
		}
		if err != nil {
			return fmt.Errorf("jobs: migrate: %w", err)
		}
		return nil
	}
	return &Queue{client: c, acts: actsOf(c), migrate: migrate, close: done}, nil
}

// migrationTries is more than River has migrations, each of which may be lost to
// another process once.
const migrationTries = 20

// Migrate brings the queue's tables up to date. River takes no lock: of two
// processes that start on a new database at once, one finds its step done by the
// other and fails, and then has to go on behind it.
func (q *Queue) Migrate(ctx context.Context) error {
	for try := 1; ; try++ {
		err := q.migrate(ctx)
		if err == nil || try == migrationTries || ctx.Err() != nil {
			return err
		}
	}
}

// Start begins to work.
func (q *Queue) Start(ctx context.Context) error {
	if err := q.client.Start(ctx); err != nil {
		return fmt.Errorf("jobs: start: %w", err)
	}
	return nil
}

// softly is how long running jobs are left to end by themselves before they are cut
// off. Most take far less; one that writes down the deliveries of a large run takes
// longer, and goes on at the next start, or on another node. Chosen.
const softly = time.Second

// Stop waits a moment for running jobs, then cuts off those that are left, which are
// done again, and waits until they have ended or ctx has.
func (q *Queue) Stop(ctx context.Context) error {
	soft, cancel := context.WithTimeout(ctx, softly)
	defer cancel()
	err := q.client.Stop(soft)
	if err != nil && ctx.Err() == nil {
		err = q.client.StopAndCancel(ctx)
	}
	if err != nil {
		return fmt.Errorf("jobs: stop: %w", err)
	}
	return nil
}

// Close lets go of the database.
func (q *Queue) Close() { q.close() }

// OpenRun has a run's deliveries written down soon.
func (q *Queue) OpenRun(ctx context.Context, runID int64) error {
	_, err := q.client.Insert(ctx, fillRunArgs{RunID: runID}, nil)
	if err != nil {
		return fmt.Errorf("jobs: open run %d: %w", runID, err)
	}
	return nil
}

// jobTimeout is far above what opening a run of millions takes.
const jobTimeout = 15 * time.Minute

// fillQueue is for jobs that may take minutes, so that what is due does not wait
// for a place behind them.
const fillQueue = "fill"

type (
	openDueArgs struct{}
	fillRunArgs struct {
		RunID int64 `json:"run_id" river:"unique"`
	}
	resumeOpeningArgs struct{}
	sweepArgs         struct{}
)

func (openDueArgs) Kind() string       { return "open_due_runs" }
func (fillRunArgs) Kind() string       { return "fill_run" }
func (resumeOpeningArgs) Kind() string { return "resume_opening_runs" }
func (sweepArgs) Kind() string         { return "sweep" }

// InsertOpts keeps one job for a run.
func (fillRunArgs) InsertOpts() river.InsertOpts {
	return river.InsertOpts{Queue: fillQueue, UniqueOpts: river.UniqueOpts{ByArgs: true}}
}

func (resumeOpeningArgs) InsertOpts() river.InsertOpts {
	return river.InsertOpts{Queue: fillQueue}
}

func workers(w *Work) *river.Workers {
	all := river.NewWorkers()
	river.AddWorker(all, river.WorkFunc(func(ctx context.Context, _ *river.Job[openDueArgs]) error {
		return w.Scheduler.OpenDue(ctx, time.Now())
	}))
	river.AddWorker(all, river.WorkFunc(func(ctx context.Context, job *river.Job[fillRunArgs]) error {
		return w.Scheduler.Fill(ctx, job.Args.RunID)
	}))
	river.AddWorker(all, river.WorkFunc(func(ctx context.Context, job *river.Job[makeReportArgs]) error {
		return w.App.MakeReport(ctx, job.Args.RunID)
	}))
	river.AddWorker(all, river.WorkFunc(func(ctx context.Context, _ *river.Job[resumeOpeningArgs]) error {
		return w.resumeOpening(ctx)
	}))
	river.AddWorker(all, river.WorkFunc(func(ctx context.Context, _ *river.Job[sweepArgs]) error {
		return w.App.Sweep(ctx)
	}))
	return all
}

// resumeOpening goes on where a node that died left runs half written down.
func (w *Work) resumeOpening(ctx context.Context) error {
	runs, err := w.Store.OpeningRuns(ctx)
	if err != nil {
		return err
	}
	var all error
	for _, id := range runs {
		all = errors.Join(all, w.Scheduler.Fill(ctx, id))
	}
	return all
}

func periodic() []*river.PeriodicJob {
	every := func(interval time.Duration, args river.JobArgs) *river.PeriodicJob {
		return river.NewPeriodicJob(river.PeriodicInterval(interval), func() (river.JobArgs, *river.InsertOpts) {
			// One that went wrong is not tried again: the next one is soon there.
			return args, &river.InsertOpts{MaxAttempts: 1}
		}, &river.PeriodicJobOpts{RunOnStart: true})
	}
	return []*river.PeriodicJob{
		every(openEvery, openDueArgs{}), every(resumeEvery, resumeOpeningArgs{}), every(sweepEvery, sweepArgs{}),
	}
}
