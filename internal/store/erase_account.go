package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/store/sqlc"
)

// PlanErasure has the account be erased at a moment; one that is planned already stays.
func (s *Store) PlanErasure(ctx context.Context, accountID int64, now, at time.Time) error {
	return wrap(s.do(ctx, func(q *sqlc.Queries) error {
		return q.PlanErasure(ctx, sqlc.PlanErasureParams{AccountID: accountID, AskedAt: millis(now), EraseAt: millis(at)})
	}), "plan erasure")
}

// CancelErasure takes that back. It is a conflict when nothing is planned, or it has begun.
func (s *Store) CancelErasure(ctx context.Context, accountID int64) error {
	return wrap(s.do(ctx, func(q *sqlc.Queries) error { return changed(q.CancelErasure(ctx, accountID)) }), "cancel erasure")
}

// PlannedErasure is when the account is to be erased; zero: it is not.
func (s *Store) PlannedErasure(ctx context.Context, accountID int64) (time.Time, error) {
	at, err := s.r.PlannedErasure(ctx, accountID)
	if errors.Is(err, sql.ErrNoRows) {
		return time.Time{}, nil
	}
	return instant(at), wrap(err, "planned erasure")
}

// DueErasures lists the accounts whose time has come.
func (s *Store) DueErasures(ctx context.Context, now time.Time) ([]int64, error) {
	ids, err := s.r.DueErasures(ctx, millis(now))
	return ids, wrap(err, "due erasures")
}

// BeginErasure begins to erase an account whose time has come: it is blocked, and from now
// on only EraseAccount is left to be done, as often as it takes. One that has begun already
// is left as it is. It is a conflict when it was taken back, "changed_meanwhile", and when
// the account is the last admin's, "last_admin".
func (s *Store) BeginErasure(ctx context.Context, id int64, now time.Time) error {
	return wrap(s.do(ctx, func(q *sqlc.Queries) error { return beginErasure(ctx, q, id, now) }), "begin erasure")
}

// BeginErasureNow is BeginErasure of an account that nobody has planned to erase, or for
// later.
func (s *Store) BeginErasureNow(ctx context.Context, id int64, now time.Time) error {
	return wrap(s.do(ctx, func(q *sqlc.Queries) error {
		if _, err := found(q.Account(ctx, id)); err != nil {
			return err
		}
		if err := q.PlanErasureNow(ctx, sqlc.PlanErasureNowParams{AccountID: id, Now: millis(now)}); err != nil {
			return err
		}
		return beginErasure(ctx, q, id, now)
	}), "begin erasure")
}

func beginErasure(ctx context.Context, q *sqlc.Queries, id int64, now time.Time) error {
	n, err := q.BeginErasure(ctx, sqlc.BeginErasureParams{AccountID: id, Now: millis(now)})
	if err != nil {
		return err
	}
	if n == 0 {
		if err := changed(q.ErasureBegun(ctx, id)); err != nil {
			return err
		}
		return errUnchanged
	}
	return exceptBlocked(block(ctx, q, id, 0, "", now))
}

// exceptBlocked leaves out the error that the account is blocked already.
func exceptBlocked(err error) error {
	if mailing.CodeOf(err) == "changed_meanwhile" {
		return nil
	}
	return err
}

// EraseAccount goes on with what BeginErasure has begun: it cancels the account's runs and
// removes everything of it, piece by piece, so that nobody waits for long, and itself in
// the end. It may be called again after any failure. When another process does the same
// and is faster, what it does not find is an error "not_found".
func (s *Store) EraseAccount(ctx context.Context, id int64, now time.Time) error {
	if err := exceptBlocked(s.Block(ctx, id, 0, "", now)); err != nil { // somebody may have unblocked it
		return err
	}
	runs, err := s.r.OpenRunsOfOwner(ctx, id)
	if err != nil {
		return wrap(err, "open runs of owner")
	}
	for _, run := range runs {
		if err := s.CancelRun(ctx, run, now); err != nil {
			return err
		}
	}
	if err := s.eraseRuns(ctx, id); err != nil {
		return wrap(err, "erase runs")
	}
	if err := s.eraseMany(ctx, id); err != nil {
		return wrap(err, "erase clients")
	}
	return wrap(s.inTx(ctx, func(q *sqlc.Queries, _ *sql.Tx) error {
		account, err := found(q.Account(ctx, id))
		if err != nil {
			return err
		}
		if err := q.DeleteDemoMailsTo(ctx, account.Email); err != nil {
			return err
		}
		email := likeText(account.Email)
		if err := q.DeleteBudgetsOf(ctx, sqlc.DeleteBudgetsOfParams{OfMails: "%:" + email, OfTries: "% of " + email}); err != nil {
			return err
		}
		if err := q.DeleteInvitationsBy(ctx, id); err != nil { // by whom nobody invites any more
			return err
		}
		return q.DeleteAccount(ctx, id)
	}), "erase account")
}

// eraseRuns deletes an owner's runs with all that was sent, and the texts that nobody
// else's run has.
func (s *Store) eraseRuns(ctx context.Context, owner int64) error {
	for {
		runs, err := s.w.RunsOfOwner(ctx, sqlc.RunsOfOwnerParams{OwnerID: owner, Most: sweepBatch})
		if err != nil || len(runs) == 0 {
			return err
		}
		for _, run := range runs {
			if err := s.deleteDetails(ctx, run.ID); err != nil {
				return err
			}
			err := s.inTx(ctx, func(q *sqlc.Queries, _ *sql.Tx) error {
				if err := q.DeleteLeasesOfRun(ctx, run.ID); err != nil {
					return err
				}
				if err := q.DeleteRun(ctx, run.ID); err != nil {
					return err
				}
				return q.DeleteVersionIfUnused(ctx, run.VersionID)
			})
			if err != nil {
				return err
			}
		}
	}
}

// eraseMany deletes what an owner has many of; the rest goes with the account.
func (s *Store) eraseMany(ctx context.Context, owner int64) error {
	imports, err := s.r.ImportsOf(ctx, owner)
	if err != nil {
		return err
	}
	for _, id := range imports {
		if err := s.deleteRefusals(ctx, id); err != nil {
			return err
		}
	}
	return errors.Join(
		untilNone(func() (int64, error) {
			return s.w.DeleteContactsOf(ctx, sqlc.DeleteContactsOfParams{OwnerID: owner, Most: sweepBatch})
		}),
		untilNone(func() (int64, error) {
			return s.w.DeleteSuppressionsOf(ctx, sqlc.DeleteSuppressionsOfParams{OwnerID: owner, Most: sweepBatch})
		}),
		untilNone(func() (int64, error) {
			return s.w.DeleteErasuresOf(ctx, sqlc.DeleteErasuresOfParams{OwnerID: owner, Most: sweepBatch})
		}),
	)
}

// Note writes down the deed of the context alone: of a deed that changes nothing here.
func (s *Store) Note(ctx context.Context) error {
	return wrap(s.do(ctx, func(*sqlc.Queries) error { return nil }), "note deed")
}

// MayGo refuses the last admin, a conflict "last_admin": nobody could make another.
func (s *Store) MayGo(ctx context.Context, id int64) error {
	return wrap(s.do(ctx, func(q *sqlc.Queries) error { return notLastAdmin(ctx, q, id) }), "ask whether an account may go")
}
