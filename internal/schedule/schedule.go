// Package schedule opens the runs that are due: exactly one for each occurrence,
// however many nodes look.
package schedule

import (
	"cmp"
	"context"
	"log/slog"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/store"
)

// Scheduler opens runs. It keeps nothing; several may work on one database.
type Scheduler struct {
	Store *store.Store
	Log   *slog.Logger
	// LateLimit is by how much an occurrence that was missed, because nothing
	// was running, may be late and still be sent.
	LateLimit time.Duration
	// OpenRun has a run's deliveries written down in the background.
	OpenRun func(ctx context.Context, runID int64) error
}

// dueAtOnce is how many due mailings are read at once. Chosen: few enough to keep
// in memory, enough that reading takes no time beside opening.
const dueAtOnce = 200

// OpenDue opens a run for every mailing whose time has come, and gives up what
// runs that are too late by now have not tried. A mailing that cannot be opened
// does not hold up the others; the first error is returned. While the database is
// held, nothing is opened and nothing given up: it may be a copy, and what it takes
// for late was sent in time.
func (s *Scheduler) OpenDue(ctx context.Context, now time.Time) error {
	hold, err := s.Store.Hold(ctx)
	if err != nil || hold.On() {
		return err
	}
	first := s.expire(ctx, now)
	var last mailing.Mailing
	for {
		due, err := s.Store.DueMailings(ctx, now, last, dueAtOnce)
		if err != nil {
			return cmp.Or(first, err)
		}
		for _, m := range due {
			if err := s.open(ctx, m, now); err != nil {
				s.Log.Error("run cannot be opened", "mailing", m.ID, "error", err)
				first = cmp.Or(first, err)
			}
		}
		if len(due) < dueAtOnce {
			return first
		}
		last = due[len(due)-1].Mailing
	}
}

// expire skips what has not been tried within the late limit, so that the end of
// an outage does not bring mail that nobody expects any more.
func (s *Scheduler) expire(ctx context.Context, now time.Time) error {
	skipped, err := s.Store.ExpireUntried(ctx, now.Add(-s.LateLimit), now)
	if skipped > 0 {
		s.Log.Warn("deliveries were not tried in time", "skipped", skipped)
	}
	return err
}

// open opens the run of one mailing, or notes that its time was missed.
func (s *Scheduler) open(ctx context.Context, due store.Due, now time.Time) error {
	if due.Err != nil {
		return due.Err
	}
	m := due.Mailing
	message, err := s.Store.Message(ctx, m.MessageID)
	if err != nil {
		return err
	}
	owner, err := s.Store.Account(ctx, m.OwnerID)
	if err != nil {
		return err
	}
	stuck, err := s.Store.HasStuckRun(ctx, m.ID)
	if err != nil {
		return err
	}
	run, next, err := Plan(m, owner, now, s.LateLimit, stuck)
	if err != nil {
		return err
	}
	content := store.ContentOf(message)
	id, opened, err := s.Store.OpenScheduledRun(ctx, run, content, next, m)
	if err != nil || !opened {
		return err
	}
	if run.State == mailing.RunMissed {
		s.Log.Warn("occurrence was missed", "mailing", m.ID, "run", id, "scheduled_for", run.ScheduledFor, "behind_another", stuck)
		return nil
	}
	s.Log.Info("run is open", "mailing", m.ID, "run", id, "scheduled_for", run.ScheduledFor)
	return s.OpenRun(ctx, id)
}

// Plan decides what to do about a mailing that is due: the run to open and the
// mailing as it is then. Of several occurrences that were missed only the last
// counts, so that there is never a burst; one that is late by more than the
// limit, or whose mailing is stuck in the run before it, is put on record as
// missed. The next occurrence comes from the rule and
// now, never from when anything was sent.
func Plan(m mailing.Mailing, owner mailing.Account, now time.Time, lateLimit time.Duration, stuck bool) (mailing.Run, mailing.Mailing, error) {
	occurrence := m.NextAt
	if last, n := m.Rule.Missed(m.NextAt, now); n > 0 {
		occurrence = last
	}
	run := mailing.NewRun(m, owner, mailing.RunScheduled, occurrence, now)
	m.NextAt, _ = m.Rule.Next(now)
	if stuck || now.Sub(occurrence) > lateLimit {
		run.State, run.FinishedAt = mailing.RunMissed, now
		return run, m, nil
	}
	m.LastAt = now
	status, err := m.After(mailing.EventOpen)
	m.Status = status
	return run, m, err
}

// Fill writes down all deliveries of a run that is opening. Sending begins with
// the first of them. It may be called again after any failure, and by several at
// once: they share the work.
func (s *Scheduler) Fill(ctx context.Context, runID int64) error {
	run, err := s.Store.Run(ctx, runID)
	if err != nil {
		return err
	}
	if run.State != mailing.RunOpening {
		return nil
	}
	for {
		done, err := s.Store.FillRun(ctx, runID, time.Now())
		if err != nil || done {
			return err
		}
	}
}
