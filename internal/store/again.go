package store

import (
	"context"
	"database/sql"
	"strconv"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/store/sqlc"
)

// AgainReach says of those whose mail failed who would get it if it were sent again.
type AgainReach struct {
	Mailed       int64 // who would
	Dead         int64 // their server said that there is no such mailbox
	Unsubscribed int64 // or left out for another reason
	Gone         int64 // deleted or erased, or with another address by now
	Got          int64 // by a run that sent it again before
}

// Failed is how many there are in all.
func (r AgainReach) Failed() int64 { return r.Mailed + r.Dead + r.Unsubscribed + r.Gone + r.Got }

// AgainReach counts who would get the run's mail if it were sent again to those who failed.
func (s *Store) AgainReach(ctx context.Context, run mailing.Run) (AgainReach, error) {
	reach, err := againReach(ctx, s.r, run.ID, nullID(run.Root()))
	return reach, wrap(err, "reach of sending again")
}

func againReach(ctx context.Context, q *sqlc.Queries, runID int64, root sql.NullInt64) (reach AgainReach, err error) {
	rows, err := q.AgainReach(ctx, sqlc.AgainReachParams{RunID: runID, Root: root})
	for _, row := range rows {
		switch row.Reason {
		case "":
			reach.Mailed += row.Deliveries
		case "sent":
			reach.Got += row.Deliveries
		case string(mailing.ReasonDeleted), string(mailing.ReasonErased):
			reach.Gone += row.Deliveries
		case string(mailing.ReasonBounced):
			reach.Dead += row.Deliveries
		default:
			reach.Unsubscribed += row.Deliveries
		}
	}
	return reach, err
}

// Again is how a run is sent again to those who failed.
type Again struct {
	Of     mailing.Run
	Dead   bool // also to addresses that bounced; from now on they are mailed again
	GoesAt time.Time
}

// OpenAgainRun opens a run that sends another, which is over, again to those who failed, and
// returns its id. It is a conflict, "again_done", when that was done already; "again_open"
// while the run, or one that sends the same again, goes on or has mails in hand; and "again_nobody".
func (s *Store) OpenAgainRun(ctx context.Context, a Again, now time.Time) (int64, error) {
	id := NewID()
	tellAfter(ctx, "run", strconv.FormatInt(id, 10))
	return id, wrap(s.do(ctx, func(q *sqlc.Queries) error {
		if err := notHeld(ctx, q); err != nil {
			return err
		}
		// The mailing first, as everywhere. It also keeps two from doing the same at once.
		err := changed(q.TouchMailing(ctx, sqlc.TouchMailingParams{ID: a.Of.MailingID, LastAt: millis(now)}))
		if err != nil {
			return err
		}
		row, err := found(q.Run(ctx, a.Of.ID))
		if err != nil {
			return err
		}
		run := runOf(row)
		if err := mayGoAgain(ctx, q, run); err != nil {
			return err
		}
		if a.Dead {
			if _, err := q.TrustDead(ctx, sqlc.TrustDeadParams{OwnerID: run.OwnerID, RunID: run.ID}); err != nil {
				return err
			}
		}
		reach, err := againReach(ctx, q, run.ID, nullID(run.Root()))
		if err != nil {
			return err
		}
		if reach.Mailed == 0 {
			return mailing.Fault(mailing.Conflict, "again_nobody")
		}
		tellAfter(ctx, "count", strconv.FormatInt(reach.Mailed, 10))
		n, err := q.CreateAgainRun(ctx, sqlc.CreateAgainRunParams{ID: id, Now: millis(now), GoesAt: millis(a.GoesAt), AgainOf: run.ID})
		if err == nil && n == 0 {
			err = mailing.Fault(mailing.Conflict, "again_done")
		}
		return err
	}), "open run again")
}

func mayGoAgain(ctx context.Context, q *sqlc.Queries, run mailing.Run) error {
	if done, err := q.AgainRuns(ctx, sqlc.AgainRunsParams{Root: nullID(run.Root()), AgainOf: nullID(run.ID)}); err != nil {
		return err
	} else if len(done) > 0 && mailing.RunState(done[0].State) != mailing.RunCancelled {
		return mailing.Fault(mailing.Conflict, "again_done")
	}
	open, err := q.OpenRunsOfFamily(ctx, nullID(run.Root()))
	if err != nil {
		return err
	}
	if run.State.Open() || run.Counts.Waiting() > 0 || open > 0 {
		return mailing.Fault(mailing.Conflict, "again_open")
	}
	return nil
}

// AgainRuns lists the latest runs that sent the run again, newest first, with their ids, states
// and beginnings only.
func (s *Store) AgainRuns(ctx context.Context, run mailing.Run) ([]mailing.Run, error) {
	rows, err := s.r.AgainRuns(ctx, sqlc.AgainRunsParams{Root: nullID(run.Root()), AgainOf: nullID(run.ID)})
	list := make([]mailing.Run, len(rows))
	for i, row := range rows {
		list[i] = mailing.Run{ID: row.ID, State: mailing.RunState(row.State), CreatedAt: instant(row.CreatedAt), AgainOf: run.ID}
	}
	return list, wrap(err, "runs that sent a run again")
}

// ResolveDoubts is ResolveDoubt for several deliveries of the run, or with no ids for all of
// it that are in doubt. It leaves out what is not in doubt any more, and does not send again to
// who was erased. It returns how many it resolved.
func (s *Store) ResolveDoubts(ctx context.Context, runID int64, ids []int64, state mailing.DeliveryState, now time.Time) (n int64, err error) {
	o := Outcome{State: state, DueAt: now}
	var p predicate
	if ids != nil {
		p.and("id in (select id from "+s.dialect.rows("id bigint")+" v)", jsonIDs(ids))
	}
	p.and("run_id = ?", runID)
	p.conditions = append(p.conditions, "state = 6")
	if !state.Final() {
		p.and("email not like ?", "%"+mailing.Pseudonym(""))
	}
	set := predicate{values: p.values}
	set.and("state = ?", int64(state))
	set.and("due_at = ?", o.dueAt(now))
	set.and("settled_at = ?", settledAt(state, now))
	statement := "update deliveries set reason = '', lease_node = 0"
	for _, field := range set.conditions {
		statement += ", " + field
	}
	if forgetsVars(state) {
		statement += ", vars = ''"
	}
	err = s.inTx(ctx, func(q *sqlc.Queries, tx *sql.Tx) error {
		if err := q.LockRun(ctx, runID); err != nil {
			return err
		}
		result, err := tx.ExecContext(ctx, statement+p.where(), set.values...)
		if err != nil {
			return err
		}
		if n, err = result.RowsAffected(); err != nil || n == 0 {
			return orUnchanged(n, err)
		}
		tellAfter(ctx, "count", strconv.FormatInt(n, 10))
		tally := runTally{}
		tally.add(runID, mailing.InDoubt, -n)
		tally.add(runID, state, n)
		tally.reopen(runID, state)
		return tally.store(ctx, q, now)
	})
	return n, wrap(err, "resolve doubts")
}
