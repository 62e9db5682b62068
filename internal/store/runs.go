package store

import (
	"context"
	"database/sql"
	"strconv"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/store/sqlc"
)

// Content is what a run freezes.
type Content struct {
	Subject string
	Format  mailing.Format
	Body    string
}

// ContentOf is what a run of the message freezes.
func ContentOf(m mailing.Message) Content {
	return Content{Subject: m.Subject, Format: m.Format, Body: m.Body}
}

// OpenScheduledRun opens the run of one occurrence and moves the mailing to its
// next, in one transaction. It reports false, and changes nothing, when somebody
// else has changed the mailing meanwhile. It also reports false when the mailing
// was set back to an occurrence that has been opened; then the mailing moves on
// all the same, or it would be due for ever. m holds the new status, NextAt and
// LastAt; was is the mailing the decision was made on.
func (s *Store) OpenScheduledRun(ctx context.Context, r mailing.Run, content Content, m, was mailing.Mailing) (int64, bool, error) {
	r.ID = NewID()
	var opened bool
	err := s.inTx(ctx, func(q *sqlc.Queries, _ *sql.Tx) error {
		if err := notHeld(ctx, q); err != nil {
			return err
		}
		err := changed(q.OpenedMailing(ctx, sqlc.OpenedMailingParams{
			ID: m.ID, Status: string(m.Status), NextAt: millis(m.NextAt), LastAt: millis(m.LastAt),
			WasNextAt: millis(was.NextAt), WasStatus: string(was.Status),
		}))
		if err != nil {
			return err
		}
		err = createRun(ctx, q, r, content)
		opened = err == nil
		if err != nil && mailing.KindOf(err) != mailing.Conflict {
			return err
		}
		return q.FinishMailing(ctx, m.ID)
	})
	if mailing.KindOf(err) == mailing.Conflict {
		return 0, false, nil
	}
	if err != nil || !opened {
		return 0, false, wrap(err, "open scheduled run")
	}
	return r.ID, true, nil
}

// OpenManualRun opens a run of the mailing by hand; its schedule stays as it is. Until its
// GoesAt nothing of it goes out, and TakeBack undoes it.
// One that was opened by hand after since is a conflict, "sent_just_now"; while the
// database is held, every one is, "database_held".
func (s *Store) OpenManualRun(ctx context.Context, r mailing.Run, content Content, since time.Time) (int64, error) {
	r.ID = NewID()
	tellAfter(ctx, "run", strconv.FormatInt(r.ID, 10))
	return r.ID, wrap(s.inTx(ctx, func(q *sqlc.Queries, _ *sql.Tx) error {
		if err := notHeld(ctx, q); err != nil {
			return err
		}
		// The mailing first, as everywhere: whoever deletes it meanwhile waits.
		err := changed(q.TouchMailing(ctx, sqlc.TouchMailingParams{ID: r.MailingID, LastAt: millis(r.CreatedAt)}))
		if err != nil {
			return err
		}
		recent, err := q.ManualRunsSince(ctx, sqlc.ManualRunsSinceParams{MailingID: nullID(r.MailingID), Since: millis(since)})
		if err != nil {
			return err
		}
		if recent > 0 {
			return mailing.Fault(mailing.Conflict, "sent_just_now")
		}
		return createRun(ctx, q, r, content)
	}), "open manual run")
}

func createRun(ctx context.Context, q *sqlc.Queries, r mailing.Run, content Content) error {
	version, err := freeze(ctx, q, content.Subject, content.Format, content.Body, r.CreatedAt)
	if err != nil {
		return err
	}
	return changed(q.CreateRun(ctx, sqlc.CreateRunParams{
		ID: r.ID, MailingID: nullID(r.MailingID), OwnerID: r.OwnerID, Kind: string(r.Kind),
		ScheduledFor: millis(r.ScheduledFor), State: string(r.State), VersionID: version,
		AudienceKind: string(r.Audience), FromName: r.FromName,
		ReplyTo: r.ReplyTo, Lang: r.Lang, Priority: int64(r.Priority), Weight: string(r.Weight), Doubt: string(r.Doubt),
		Unsubscribe: flag(r.Unsubscribe), CreatedAt: millis(r.CreatedAt), FinishedAt: millis(r.FinishedAt), GoesAt: millis(r.GoesAt),
	}))
}

// fillChunk is how many deliveries one statement writes down: many, and yet far from
// the write lock's time-out. The first chunk is small, so that sending begins at once:
// 10,000 took PostgreSQL half a second on a busy machine.
const (
	firstFillChunk = 1_000
	fillChunk      = 10_000
)

// FillRun writes down the next deliveries of a run that is opening, in the order
// of contact ids, and reports whether all are there now. It goes on where it
// was, whoever calls it, and may be called again after any failure. Of two who
// call it at once, one does a part and the other none.
func (s *Store) FillRun(ctx context.Context, id int64, now time.Time) (done bool, err error) {
	var before int64
	err = s.inTx(ctx, func(q *sqlc.Queries, tx *sql.Tx) error {
		done = false
		if s.dialect.fill != "" {
			if _, err := tx.ExecContext(ctx, s.dialect.fill); err != nil {
				return err
			}
		}
		run, err := found(q.Run(ctx, id))
		if err != nil {
			return err
		}
		if mailing.RunState(run.State) != mailing.RunOpening {
			done = true
			return nil
		}
		before = run.FilledTo
		to, err := fillEnd(ctx, q, run)
		if err != nil {
			return err
		}
		if to == 0 {
			done = true
			return finishOpening(ctx, q, run, now)
		}
		return fill(ctx, q, run, to, now)
	})
	// To have the statement itself pass over what is there already took PostgreSQL a
	// third of its time.
	if isDuplicate(err) {
		err = s.filledMeanwhile(ctx, id, before, err)
	}
	if mailing.KindOf(err) == mailing.Conflict {
		return false, nil
	}
	return done && err == nil, wrap(err, "fill run")
}

// filledMeanwhile returns a conflict when somebody else has filled the run since before,
// and else the error.
func (s *Store) filledMeanwhile(ctx context.Context, id, before int64, err error) error {
	run, unread := s.r.Run(ctx, id)
	switch {
	case unread != nil:
		return unread
	case run.FilledTo == before:
		return err
	}
	return changed(0, nil)
}

func fillEnd(ctx context.Context, q *sqlc.Queries, run sqlc.Run) (int64, error) {
	chunk := int64(fillChunk)
	if run.FilledTo == 0 {
		chunk = firstFillChunk
	}
	switch mailing.Audience(run.AudienceKind) {
	case mailing.AudienceChosen:
		return q.FillEndChosen(ctx, sqlc.FillEndChosenParams{
			MailingID: run.MailingID.Int64, AfterID: run.FilledTo, Most: chunk,
		})
	case mailing.AudienceFailed:
		return q.FillEndFailed(ctx, sqlc.FillEndFailedParams{
			AgainOf: run.AgainOf.Int64, AfterID: contact(run.FilledTo), Most: chunk,
		})
	}
	return q.FillEndAll(ctx, sqlc.FillEndAllParams{OwnerID: run.OwnerID, AfterID: run.FilledTo, Most: chunk})
}

func fill(ctx context.Context, q *sqlc.Queries, run sqlc.Run, to int64, now time.Time) error {
	var err error
	switch mailing.Audience(run.AudienceKind) {
	case mailing.AudienceChosen:
		_, err = q.FillChosen(ctx, sqlc.FillChosenParams{
			RunID: run.ID, MailingID: run.MailingID.Int64, AfterID: run.FilledTo, ToID: to, Now: millis(now),
		})
	case mailing.AudienceFailed:
		_, err = q.FillFailed(ctx, sqlc.FillFailedParams{
			RunID: run.ID, AgainOf: run.AgainOf.Int64, Root: run.AgainRoot, AfterID: contact(run.FilledTo), ToID: contact(to), Now: millis(now),
		})
	default:
		_, err = q.FillAll(ctx, sqlc.FillAllParams{
			RunID: run.ID, OwnerID: run.OwnerID, AfterID: run.FilledTo, ToID: to, Now: millis(now),
		})
	}
	if err != nil {
		return err
	}
	count, err := q.CountFilled(ctx, sqlc.CountFilledParams{
		RunID: run.ID, AfterID: contact(run.FilledTo), ToID: contact(to),
	})
	if err != nil {
		return err
	}
	return changed(q.Filled(ctx, sqlc.FilledParams{
		ID: run.ID, Audience: count.Audience, Skipped: count.Skipped, FilledTo: to, WasFilledTo: run.FilledTo,
	}))
}

func finishOpening(ctx context.Context, q *sqlc.Queries, run sqlc.Run, now time.Time) error {
	if err := q.OpenedRun(ctx, run.ID); err != nil {
		return err
	}
	return finishRun(ctx, q, run.ID, run.MailingID.Int64, now)
}

// finishRun completes the run, and its mailing, when nothing is left of them.
func finishRun(ctx context.Context, q *sqlc.Queries, runID, mailingID int64, now time.Time) error {
	n, err := q.FinishRun(ctx, sqlc.FinishRunParams{ID: runID, FinishedAt: millis(now)})
	if err != nil || n == 0 || mailingID == 0 {
		return err
	}
	return finishMailing(ctx, q, mailingID)
}

// finishMailing completes the mailing when no run and no occurrence is left. The
// lock is a statement of its own, so that of two runs that end at once the second
// sees the end of the first.
func finishMailing(ctx context.Context, q *sqlc.Queries, id int64) error {
	if err := q.LockMailing(ctx, id); err != nil {
		return err
	}
	return q.FinishMailing(ctx, id)
}

// ExpireUntried skips what scheduled runs that were due before the moment have not
// tried yet, ends what is done by that, and returns how many it skipped. A run of
// which anything has gone out goes on, however long it takes.
func (s *Store) ExpireUntried(ctx context.Context, before, now time.Time) (int64, error) {
	runs, err := s.r.RunsWithUntried(ctx, millis(before))
	if err != nil {
		return 0, wrap(err, "find runs that are too late")
	}
	var all int64
	for _, run := range runs {
		n, err := s.expireRun(ctx, run, now)
		if err != nil {
			return all, wrap(err, "expire deliveries")
		}
		all += n
	}
	return all, nil
}

func (s *Store) expireRun(ctx context.Context, run sqlc.RunsWithUntriedRow, now time.Time) (skipped int64, err error) {
	err = s.inTx(ctx, func(q *sqlc.Queries, _ *sql.Tx) (err error) {
		skipped = 0
		if untried, err := q.LockUntried(ctx, run.ID); err != nil || untried == 0 {
			return err
		}
		reason := string(mailing.ReasonExpired)
		skipped, err = q.SkipUntried(ctx, sqlc.SkipUntriedParams{RunID: run.ID, Reason: reason, SettledAt: millis(now)})
		if err != nil {
			return err
		}
		unleased, err := q.SkipUnleased(ctx, sqlc.SkipUnleasedParams{RunID: run.ID, Reason: reason, SettledAt: millis(now)})
		skipped += unleased
		if err != nil || skipped == 0 {
			return err
		}
		if err := changed(q.CountRun(ctx, sqlc.CountRunParams{ID: run.ID, Skipped: skipped})); err != nil {
			return err
		}
		return finishRun(ctx, q, run.ID, run.MailingID, now)
	})
	return skipped, err
}

// HasStuckRun reports whether a scheduled run of the mailing is open of which
// nothing has got anywhere: no mail of it was sent, refused or put in doubt.
func (s *Store) HasStuckRun(ctx context.Context, mailingID int64) (bool, error) {
	n, err := s.r.CountStuckRuns(ctx, nullID(mailingID))
	return n > 0, wrap(err, "look for a stuck run")
}

// CancelRun skips what was not sent yet. Deliveries that a node holds at this
// moment still end as they end.
func (s *Store) CancelRun(ctx context.Context, id int64, now time.Time) error {
	return wrap(s.inTx(ctx, func(q *sqlc.Queries, _ *sql.Tx) error {
		run, err := found(q.Run(ctx, id))
		if err != nil {
			return err
		}
		if !mailing.RunState(run.State).Open() {
			return errUnchanged
		}
		if err := cancelRun(ctx, q, id, now); err != nil {
			return err
		}
		if !run.MailingID.Valid {
			return nil
		}
		return finishMailing(ctx, q, run.MailingID.Int64)
	}), "cancel run")
}

func cancelRun(ctx context.Context, q *sqlc.Queries, id int64, now time.Time) error {
	n, err := q.CancelRun(ctx, sqlc.CancelRunParams{ID: id, FinishedAt: millis(now)})
	if err != nil || n == 0 {
		return err
	}
	reason := string(mailing.ReasonCancelled)
	skipped, err := q.SkipWaiting(ctx, sqlc.SkipWaitingParams{RunID: id, Reason: reason, SettledAt: millis(now)})
	if err != nil {
		return err
	}
	unleased, err := q.SkipUnleased(ctx, sqlc.SkipUnleasedParams{RunID: id, Reason: reason, SettledAt: millis(now)})
	if err != nil {
		return err
	}
	return changed(q.CountRun(ctx, sqlc.CountRunParams{ID: id, Skipped: skipped + unleased}))
}

// HaltRun stops a run because the server refuses us, and says why; an empty why
// lets it go on.
func (s *Store) HaltRun(ctx context.Context, id int64, why string) error {
	return wrap(s.do(ctx, func(q *sqlc.Queries) error {
		return orUnchanged(q.HaltRun(ctx, sqlc.HaltRunParams{ID: id, Halt: storable(why)}))
	}), "halt run")
}

// ClearHalts lets all halted runs go on.
func (s *Store) ClearHalts(ctx context.Context) error {
	return wrap(s.w.ClearHalts(ctx), "clear halts")
}

// Run returns a run, whoever owns it.
func (s *Store) Run(ctx context.Context, id int64) (mailing.Run, error) {
	row, err := found(s.r.Run(ctx, id))
	return runOf(row), wrap(err, "run")
}

// RunsOfMailing lists a mailing's runs, newest first.
func (s *Store) RunsOfMailing(ctx context.Context, mailingID, most int64) ([]mailing.Run, error) {
	rows, err := s.r.RunsOfMailing(ctx, sqlc.RunsOfMailingParams{MailingID: nullID(mailingID), Most: most})
	list := make([]mailing.Run, len(rows))
	for i, row := range rows {
		list[i] = runOf(row)
	}
	return list, wrap(err, "runs of mailing")
}

// OpeningRuns lists the runs whose deliveries are not all written down.
func (s *Store) OpeningRuns(ctx context.Context) ([]int64, error) {
	ids, err := s.r.OpeningRuns(ctx)
	return ids, wrap(err, "opening runs")
}

// LiveRun is a run with work left, and whether it may go on now.
type LiveRun struct {
	mailing.Run
	Held bool // its mailing is paused, disabled or its owner blocked, it is halted, or the database is held
}

// LiveRuns lists the open runs, by priority and age.
func (s *Store) LiveRuns(ctx context.Context) ([]LiveRun, error) {
	rows, err := s.r.LiveRuns(ctx)
	if err != nil {
		return nil, wrap(err, "live runs")
	}
	list := make([]LiveRun, len(rows))
	for i, row := range rows {
		list[i].Run = runOf(row.Run)
		// Who is blocked is still told so.
		blocked := row.BlockedAt != 0 && list[i].Kind != mailing.RunSystem
		list[i].Held = blocked || row.Run.Halt != "" || !mailing.Status(row.MailingStatus).Live() ||
			mailing.Hold{At: instant(row.HeldAt)}.Holds(list[i].Run)
	}
	return list, nil
}

// CountDeliveries counts a run's deliveries by state, from the rows themselves.
func (s *Store) CountDeliveries(ctx context.Context, runID int64) (map[mailing.DeliveryState]int64, error) {
	rows, err := s.r.CountDeliveries(ctx, runID)
	counts := make(map[mailing.DeliveryState]int64, len(rows))
	for _, row := range rows {
		counts[mailing.DeliveryState(row.State)] = row.Deliveries
	}
	return counts, wrap(err, "count deliveries")
}

// RunSubjects returns the subjects of those of the runs that are the owner's (0:
// everybody's), by run.
func (s *Store) RunSubjects(ctx context.Context, owner int64, ids []int64) (map[int64]string, error) {
	rows, err := s.read.QueryContext(ctx, `select r.id, v.subject from runs r join versions v on v.id = r.version_id
where cast($2 as bigint) in (0, r.owner_id) and r.id in (select id from `+s.dialect.rows("id bigint")+` v)`,
		jsonIDs(ids), owner)
	if err != nil {
		return nil, wrap(err, "subjects of runs")
	}
	subjects := make(map[int64]string, len(ids))
	_, err = collect(rows, func(rows *sql.Rows) (none struct{}, err error) {
		var id int64
		var subject string
		err = rows.Scan(&id, &subject)
		subjects[id] = subject
		return none, err
	})
	return subjects, wrap(err, "subjects of runs")
}

func runOf(row sqlc.Run) mailing.Run {
	return mailing.Run{
		ID: row.ID, MailingID: row.MailingID.Int64, OwnerID: row.OwnerID, Kind: mailing.RunKind(row.Kind),
		ScheduledFor: instant(row.ScheduledFor), State: mailing.RunState(row.State), VersionID: row.VersionID,
		Audience: mailing.Audience(row.AudienceKind), FromName: row.FromName, ReplyTo: row.ReplyTo, Lang: row.Lang,
		Priority: mailing.Priority(row.Priority), Weight: mailing.Weight(row.Weight), Doubt: mailing.Doubt(row.Doubt), Unsubscribe: row.Unsubscribe != 0,
		Counts: mailing.Counts{
			Audience: row.Audience, Sent: row.Sent, Failed: row.Failed, Skipped: row.Skipped, InDoubt: row.InDoubt,
		},
		Halt: row.Halt, CreatedAt: instant(row.CreatedAt), FinishedAt: instant(row.FinishedAt),
		GoesAt: instant(row.GoesAt), Begun: row.LeasedTo > 0, AgainOf: row.AgainOf.Int64, AgainRoot: row.AgainRoot.Int64,
	}
}
