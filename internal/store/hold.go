package store

import (
	"context"
	"database/sql"
	"errors"
	"strconv"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/store/sqlc"
)

// Sighting is what a service remembers, outside of the database, of when it worked
// on it last.
type Sighting struct {
	Instance string    // whose database it was
	At       time.Time // the database knew of this moment
}

// CheckIn notes that a service works on the database at its home, and returns what
// to remember of it. A database that has been at another home, or does not know of
// the moment that was remembered, was restored or moved: it is held from now on,
// unless it is held already. A database that has had no home yet gets this one.
//
// The moments that the database knows of only grow, whatever the clocks of those
// who check in say.
func (s *Store) CheckIn(ctx context.Context, home string, last Sighting, now time.Time) (seen Sighting, hold mailing.Hold, err error) {
	err = s.inTx(ctx, func(q *sqlc.Queries, _ *sql.Tx) error {
		row, err := q.LockInstallation(ctx)
		if err != nil {
			return err
		}
		if last.Instance != row.Instance {
			last.At = time.Time{} // it was another database
		}
		if hold = holdOf(row); !hold.On() {
			hold = noticed(row, home, last, now)
		}
		at := max(row.SeenAt+1, millis(last.At)+1, millis(now))
		seen = Sighting{Instance: row.Instance, At: instant(at)}
		return q.CheckIn(ctx, sqlc.CheckInParams{
			Home: home, SeenAt: at, HeldAt: millis(hold.At), HeldWhy: string(hold.Why), HeldFrom: millis(hold.From),
		})
	})
	return seen, hold, wrap(err, "check in")
}

// noticed is the hold that a look at the database gives reason for; none if all is
// as it was.
func noticed(row sqlc.Installation, home string, last Sighting, now time.Time) mailing.Hold {
	hold := mailing.Hold{At: instant(millis(now)), From: instant(row.SeenAt)}
	switch {
	case row.SeenAt < millis(last.At):
		hold.Why = mailing.HoldOlder
	case row.Home != "" && row.Home != home:
		hold.Why = mailing.HoldMoved
	default:
		return mailing.Hold{}
	}
	return hold
}

// Hold returns what the database is under; the zero Hold when nothing is held.
func (s *Store) Hold(ctx context.Context) (mailing.Hold, error) {
	row, err := s.r.Installation(ctx)
	if errors.Is(err, sql.ErrNoRows) { // nobody has opened it yet
		return mailing.Hold{}, nil
	}
	return holdOf(row), wrap(err, "hold")
}

// StartHold holds the database because a person asks for it. One that is held
// already is a conflict, "hold_on".
func (s *Store) StartHold(ctx context.Context, now time.Time) (hold mailing.Hold, err error) {
	err = s.inTx(ctx, func(q *sqlc.Queries, _ *sql.Tx) error {
		row, err := q.LockInstallation(ctx)
		if err != nil {
			return err
		}
		if holdOf(row).On() {
			return mailing.Fault(mailing.Conflict, "hold_on")
		}
		hold = mailing.Hold{At: instant(millis(now)), Why: mailing.HoldAsked, From: instant(row.SeenAt)}
		return q.CheckIn(ctx, sqlc.CheckInParams{
			Home: row.Home, SeenAt: row.SeenAt, HeldAt: millis(hold.At), HeldWhy: string(hold.Why), HeldFrom: millis(hold.From),
		})
	})
	return hold, wrap(err, "start hold")
}

// HoldEnded says what the end of a hold has changed.
type HoldEnded struct {
	Cancelled int64 // runs
	Paused    int64 // mailings
}

// EndHold lets the database go, by the word of a person, who is by. Of a copy all
// that was held is cancelled, and every mailing paused, in the same transaction. A
// database that is not held is a conflict, "hold_over".
func (s *Store) EndHold(ctx context.Context, end mailing.HoldEnd, by int64, now time.Time) (done HoldEnded, err error) {
	err = s.inTx(ctx, func(q *sqlc.Queries, _ *sql.Tx) error {
		done = HoldEnded{}
		row, err := q.LockInstallation(ctx)
		if err != nil {
			return err
		}
		if !holdOf(row).On() {
			return mailing.Fault(mailing.Conflict, "hold_over")
		}
		if end == mailing.HoldCopy {
			if done, err = quiet(ctx, q, row.HeldAt, by, now); err != nil {
				return err
			}
		}
		tell(ctx, func(d *mailing.Deed) {
			d.After = withFact(d.After, "runs_cancelled", strconv.FormatInt(done.Cancelled, 10))
			d.After = withFact(d.After, "mailings_paused", strconv.FormatInt(done.Paused, 10))
		})
		return q.EndHold(ctx)
	})
	return done, wrap(err, "end hold")
}

// quiet pauses all mailings and cancels what is held: the mailings first, as
// everywhere.
func quiet(ctx context.Context, q *sqlc.Queries, heldAt, by int64, now time.Time) (done HoldEnded, err error) {
	done.Paused, err = q.PauseAll(ctx, sqlc.PauseAllParams{StopBy: by, StoppedAt: millis(now)})
	if err != nil {
		return done, err
	}
	runs, err := q.HeldRunIDs(ctx, heldAt)
	if err != nil {
		return done, err
	}
	for _, id := range runs {
		if err := cancelRun(ctx, q, id, now); err != nil {
			return done, err
		}
	}
	done.Cancelled = int64(len(runs))
	return done, nil
}

// notHeld is the conflict "database_held" while the database is held.
func notHeld(ctx context.Context, q *sqlc.Queries) error {
	held, err := q.HeldAt(ctx)
	if err == nil && held != 0 {
		return mailing.Fault(mailing.Conflict, "database_held")
	}
	return err
}

// HeldRun is a run that waits for the end of the hold.
type HeldRun struct {
	mailing.Run
	Subject string
	Email   string // of its owner
}

// HeldRuns lists the runs that the hold keeps waiting, the newest first, and says
// how many there are.
func (s *Store) HeldRuns(ctx context.Context, hold mailing.Hold, most int64) (list []HeldRun, total int64, err error) {
	rows, err := s.r.HeldRuns(ctx, sqlc.HeldRunsParams{HeldAt: millis(hold.At), Most: most})
	for _, row := range rows {
		total = row.Total
		list = append(list, HeldRun{Run: runOf(row.Run), Subject: row.Subject, Email: row.Email})
	}
	return list, total, wrap(err, "held runs")
}

// HeldMailing is a mailing whose time has come while the database is held.
type HeldMailing struct {
	ID, OwnerID int64
	NextAt      time.Time // the occurrence that is due
	Subject     string
	Email       string // of its owner
}

// HeldMailings lists the mailings that are due, the longest waiting first, and says
// how many there are.
func (s *Store) HeldMailings(ctx context.Context, now time.Time, most int64) (list []HeldMailing, total int64, err error) {
	rows, err := s.r.HeldMailings(ctx, sqlc.HeldMailingsParams{Now: millis(now), Most: most})
	for _, row := range rows {
		total = row.Total
		list = append(list, HeldMailing{
			ID: row.ID, OwnerID: row.OwnerID, NextAt: instant(row.NextAt), Subject: row.Subject, Email: row.Email,
		})
	}
	return list, total, wrap(err, "held mailings")
}

func holdOf(row sqlc.Installation) mailing.Hold {
	return mailing.Hold{
		At: instant(row.HeldAt), Why: mailing.HoldReason(row.HeldWhy), From: instant(row.HeldFrom),
	}
}
