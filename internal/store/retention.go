package store

import (
	"context"
	"time"

	"vestnik/internal/store/sqlc"
)

// Retention says how old a thing may become; zero: of any age.
type Retention struct {
	Details time.Duration                       // of what was sent to whom: deliveries and attempts of runs that are over
	Reduce  func(report string) (string, error) // what stays of a run's report without its details; nil: all
	Demo    time.Duration                       // mails in the demo mailbox
	Imports time.Duration                       // reports of imports
}

// sweepBatch is how many rows one transaction deletes: on a busy machine a tenth of a
// second's work, so that sending does not wait for it. Chosen.
const sweepBatch = 1000

// SweepOld deletes what is older than it may become, in small steps. What a run counted
// stays true: its numbers are its own. It goes on next time where ctx ended.
func (s *Store) SweepOld(ctx context.Context, r Retention, now time.Time) error {
	if r.Details > 0 {
		if err := s.sweepDetails(ctx, r, now.Add(-r.Details)); err != nil {
			return wrap(err, "sweep details of runs")
		}
	}
	if r.Demo > 0 {
		err := untilNone(func() (int64, error) {
			return s.w.DeleteDemoMailsBefore(ctx, sqlc.DeleteDemoMailsBeforeParams{Before: millis(now.Add(-r.Demo)), Most: sweepBatch})
		})
		if err != nil {
			return wrap(err, "sweep demo mails")
		}
	}
	if r.Imports > 0 {
		if err := s.sweepImports(ctx, now.Add(-r.Imports)); err != nil {
			return wrap(err, "sweep reports of imports")
		}
	}
	return nil
}

func (s *Store) sweepDetails(ctx context.Context, r Retention, before time.Time) error {
	for {
		runs, err := s.r.FinishedRunsBefore(ctx, sqlc.FinishedRunsBeforeParams{Before: millis(before), Most: 100})
		if err != nil || len(runs) == 0 {
			return err
		}
		for _, id := range runs {
			if err := s.reduceReport(ctx, id, r.Reduce); err != nil {
				return err
			}
			if err := s.deleteDetails(ctx, id); err != nil {
				return err
			}
		}
	}
}

// reduceReport comes before the details go: with the last of them the run is not looked at
// any more.
func (s *Store) reduceReport(ctx context.Context, run int64, reduce func(string) (string, error)) error {
	report, err := s.Report(ctx, run)
	if err != nil || report == "" || reduce == nil {
		return err
	}
	if report, err = reduce(report); err != nil {
		return err
	}
	return s.w.ChangeReport(ctx, sqlc.ChangeReportParams{RunID: run, Body: report})
}

// deleteDetails deletes the attempts and deliveries of a run, which stays.
func (s *Store) deleteDetails(ctx context.Context, run int64) error {
	err := untilNone(func() (int64, error) {
		return s.w.DeleteAttemptsOfRun(ctx, sqlc.DeleteAttemptsOfRunParams{RunID: run, Most: sweepBatch})
	})
	if err != nil {
		return err
	}
	return untilNone(func() (int64, error) {
		return s.w.DeleteDeliveriesOfRun(ctx, sqlc.DeleteDeliveriesOfRunParams{RunID: run, Most: sweepBatch})
	})
}

func (s *Store) sweepImports(ctx context.Context, before time.Time) error {
	imports, err := s.r.ImportsBefore(ctx, millis(before))
	if err != nil {
		return err
	}
	for _, id := range imports {
		if err := s.deleteRefusals(ctx, id); err != nil {
			return err
		}
		if err := s.w.DeleteImport(ctx, id); err != nil {
			return err
		}
	}
	return nil
}

// deleteRefusals deletes the refused lines of an import.
func (s *Store) deleteRefusals(ctx context.Context, importID int64) error {
	return untilNone(func() (int64, error) {
		return s.w.DeleteRefusalsOfImport(ctx, sqlc.DeleteRefusalsOfImportParams{ImportID: importID, Most: sweepBatch})
	})
}

func untilNone(step func() (int64, error)) error {
	for {
		if n, err := step(); err != nil || n == 0 {
			return err
		}
	}
}
