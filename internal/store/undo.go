package store

import (
	"context"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/store/sqlc"
)

// TakeBack takes back a run as if it had never been opened: nobody gets anything of it, its
// mailing is as it was, and the run stays on record with nothing sent. It is a conflict,
// "undo_too_late", as soon as a node has been given anything of the run, whose row the one
// who gives locks as well (takeTurns): of the two, one finds what the other has done.
func (s *Store) TakeBack(ctx context.Context, id int64, now time.Time) error {
	err := s.do(ctx, func(q *sqlc.Queries) error {
		run, err := found(q.Run(ctx, id))
		if err != nil {
			return err
		}
		if err := q.LockMailing(ctx, run.MailingID.Int64); err != nil { // first, as everywhere
			return err
		}
		n, err := q.TakeBackRun(ctx, sqlc.TakeBackRunParams{ID: id, FinishedAt: millis(now)})
		if err != nil {
			return err
		}
		if n == 0 {
			return tooLate(ctx, q, id)
		}
		err = q.RestoreLastAt(ctx, sqlc.RestoreLastAtParams{ID: run.MailingID.Int64, OpenedAt: run.CreatedAt})
		if err != nil {
			return err
		}
		return q.FinishMailing(ctx, run.MailingID.Int64) // the run alone may have kept it going
	})
	return wrap(err, "take back run")
}

// tooLate is why a run was not taken back; that it was before is no error.
func tooLate(ctx context.Context, q *sqlc.Queries, id int64) error {
	run, err := q.Run(ctx, id)
	if err != nil {
		return err
	}
	if mailing.RunState(run.State) == mailing.RunTakenBack {
		return errUnchanged
	}
	return mailing.Fault(mailing.Conflict, "undo_too_late")
}

// SweepTakenBack forgets, in small steps, for whom the runs were meant that were taken back.
// It goes on next time where ctx ended.
func (s *Store) SweepTakenBack(ctx context.Context) error {
	for {
		runs, err := s.r.TakenBackRuns(ctx, sweepBatch)
		if err != nil || len(runs) == 0 {
			return wrap(err, "runs that were taken back")
		}
		for _, id := range runs {
			if err := s.deleteDetails(ctx, id); err != nil {
				return wrap(err, "sweep runs that were taken back")
			}
			if err := s.w.ForgetFilled(ctx, id); err != nil {
				return wrap(err, "sweep runs that were taken back")
			}
		}
	}
}
