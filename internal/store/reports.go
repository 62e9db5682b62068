package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/store/sqlc"
)

// RunTally is how many deliveries in a part of a run are alike.
type RunTally struct {
	Domain     string // of the recipients
	State      mailing.DeliveryState
	Reason     mailing.Reason
	Slot       int64 // number of the time slot in which they were sent or failed, from 1970 on; else 0
	Deliveries int64
	Tried      int64 // of these, those that were tried
	Tries      int64
}

// tallyChunk is how many deliveries are counted at once. Chosen: some hundredths of a
// second.
const tallyChunk = 10_000

// NoContact comes before all contacts: it is where a walk through a run begins.
const NoContact = -1

// TallyRun counts the next deliveries of a run behind the contact, which is NoContact at
// first, and returns up to which; done says that there are no more.
func (s *Store) TallyRun(ctx context.Context, runID, after int64, slot time.Duration) (list []RunTally, to int64, done bool, err error) {
	if to, err = s.tallyEnd(ctx, runID, after); err != nil || to == after {
		return nil, to, err == nil, wrap(err, "tally run")
	}
	which := "contact_id > $3 and contact_id <= $4"
	if after == NoContact {
		which = "contact_id is null and cast($3 as bigint) < cast($4 as bigint)" // single mails
	}
	rows, err := s.read.QueryContext(ctx, fmt.Sprintf(`select %s as domain, state, reason,
    case when state = 3 or state = 4 then settled_at / $2 else 0 end as slot,
    count(*), count(case when tries > 0 then 1 end), cast(sum(tries) as bigint)
from deliveries where run_id = $1 and %s group by 1, 2, 3, 4`, s.dialect.domain, which),
		runID, slot.Milliseconds(), after, to)
	if err != nil {
		return nil, after, false, wrap(err, "tally run")
	}
	list, err = collect(rows, func(rows *sql.Rows) (t RunTally, err error) {
		return t, rows.Scan(&t.Domain, &t.State, &t.Reason, &t.Slot, &t.Deliveries, &t.Tried, &t.Tries)
	})
	return list, to, false, wrap(err, "tally run")
}

func (s *Store) tallyEnd(ctx context.Context, runID, after int64) (to int64, err error) {
	if after == NoContact {
		return 0, nil
	}
	err = s.read.QueryRowContext(ctx, `select coalesce(max(contact_id), $2) from (
    select contact_id from deliveries where run_id = $1 and contact_id > $2 order by contact_id limit $3
) chunk`, runID, after, tallyChunk).Scan(&to)
	return to, err
}

// apart are the states that the index of that name is about.
var apart = []mailing.DeliveryState{mailing.Deferred, mailing.Failed, mailing.Skipped, mailing.InDoubt}

// DeliveriesApart lists a run's deliveries of one of the states deferred, failed, skipped
// and in doubt, by id, behind the one.
func (s *Store) DeliveriesApart(ctx context.Context, runID int64, state mailing.DeliveryState, after, most int64) ([]mailing.Delivery, error) {
	// The state stands in the text, so that SQLite sees that the index holds all of it.
	return s.runDeliveries(ctx, fmt.Sprintf("d.state = %d and d.id > $2 order by d.id limit $3", state), runID, after, most)
}

// DeliveriesAfter lists a run's deliveries by contact, behind the contact, which is
// NoContact at first: then it lists those without one.
func (s *Store) DeliveriesAfter(ctx context.Context, runID, contact, most int64) ([]mailing.Delivery, error) {
	if contact == NoContact {
		return s.runDeliveries(ctx, "d.contact_id is null and d.id > $2 order by d.id limit $3", runID, 0, most)
	}
	return s.runDeliveries(ctx, "d.contact_id > $2 order by d.contact_id limit $3", runID, contact, most)
}

// waitingByClock and waitingForTurn are what of a run waits, each by the index that holds
// no other: by the latter a run that has its last deliveries left is not gone through.
const (
	waitingByClock = "d.state < 2 and d.due_at > 0"
	waitingForTurn = `d.state = 0 and d.due_at = 0 and d.contact_id > coalesce(
    (select min(l.after_id) from leases l where l.run_id = $1), (select r.leased_to from runs r where r.id = $1))`
)

// WaitingDeliveries lists a part of what of a run waits: first what is tried again, and
// when, then what waits for its turn. What is tried again at this moment is left out.
func (s *Store) WaitingDeliveries(ctx context.Context, runID int64, page Page) ([]mailing.Delivery, error) {
	offset, limit := max(page.Offset, 0), max(page.Limit, 0)
	list, err := s.runDeliveries(ctx, waitingByClock+" order by d.due_at, d.id limit $3 offset $2", runID, offset, limit)
	if err != nil || int64(len(list)) == limit {
		return list, err
	}
	byClock := offset + int64(len(list))
	if offset > 0 && len(list) == 0 {
		err := s.read.QueryRowContext(ctx, "select count(*) from deliveries d where d.run_id = $1 and "+waitingByClock, runID).Scan(&byClock)
		if err != nil {
			return nil, wrap(err, "count what waits by the clock")
		}
	}
	rest, err := s.runDeliveries(ctx, waitingForTurn+" order by d.contact_id limit $3 offset $2",
		runID, max(offset-byClock, 0), limit-int64(len(list)))
	return append(list, rest...), err
}

// CountDeferred counts those of a run that are tried again.
func (s *Store) CountDeferred(ctx context.Context, runID int64) (int64, error) {
	n, err := s.r.CountDeferred(ctx, runID)
	return n, wrap(err, "count deferred")
}

// RunDeliveries lists a part of a run's deliveries of the states (nil: all), the latest
// contacts first. Unlike Deliveries it counts and sorts nothing.
func (s *Store) RunDeliveries(ctx context.Context, runID int64, states []mailing.DeliveryState, page Page) ([]mailing.Delivery, error) {
	order := "d.contact_id"
	var in []string
	for _, state := range states {
		in = append(in, fmt.Sprintf("d.state = %d", state))
	}
	condition := ""
	if len(in) > 0 {
		condition = "(" + strings.Join(in, " or ") + ") and "
	}
	if len(states) == 1 && slices.Contains(apart, states[0]) {
		order = "d.id"
	}
	return s.runDeliveries(ctx, condition+"$2 >= 0 order by "+order+" desc limit $3 offset $2",
		runID, max(page.Offset, 0), max(page.Limit, 0))
}

func (s *Store) runDeliveries(ctx context.Context, rest string, values ...any) ([]mailing.Delivery, error) {
	rows, err := s.read.QueryContext(ctx, "select "+deliveryList.fields+" from deliveries d where d.run_id = $1 and "+rest, values...)
	if err != nil {
		return nil, wrap(err, "deliveries of run")
	}
	list, err := collect(rows, scanDelivery)
	return list, wrap(err, "deliveries of run")
}

// LastAttempts returns the last attempt at each of the deliveries, by their ids.
func (s *Store) LastAttempts(ctx context.Context, ids []int64) (map[int64]mailing.Attempt, error) {
	last := make(map[int64]mailing.Attempt, len(ids))
	if len(ids) == 0 {
		return last, nil
	}
	rows, err := s.read.QueryContext(ctx, attemptFields+` where id in (
    select max(a.id) from `+s.dialect.rows("id bigint")+` v join attempts a on a.delivery_id = v.id group by a.delivery_id
)`, jsonIDs(ids))
	if err != nil {
		return nil, wrap(err, "last attempts")
	}
	_, err = collect(rows, func(rows *sql.Rows) (none struct{}, err error) {
		a, err := scanAttempt(rows)
		last[a.DeliveryID] = a
		return none, err
	})
	return last, wrap(err, "last attempts")
}

// PutOff lists those of the run's next attempts behind the one that a server has put off,
// and says up to which it has looked; done says that there are no more.
func (s *Store) PutOff(ctx context.Context, runID, after int64) (list []mailing.Attempt, to int64, done bool, err error) {
	err = s.read.QueryRowContext(ctx, `select coalesce(max(id), $2) from (
    select id from attempts where run_id = $1 and id > $2 order by id limit $3
) chunk`, runID, after, tallyChunk).Scan(&to)
	if err != nil || to == after {
		return nil, to, err == nil, wrap(err, "attempts that were put off")
	}
	rows, err := s.read.QueryContext(ctx, attemptFields+
		" where run_id = $1 and id > $2 and id <= $3 and result = 'deferred'", runID, after, to)
	if err != nil {
		return nil, after, false, wrap(err, "attempts that were put off")
	}
	list, err = collect(rows, scanAttempt)
	return list, to, false, wrap(err, "attempts that were put off")
}

// Report returns what PutReport has kept of a run; empty: nothing.
func (s *Store) Report(ctx context.Context, runID int64) (string, error) {
	body, err := found(s.r.Report(ctx, runID))
	if mailing.KindOf(err) == mailing.NotFound {
		return "", nil
	}
	return body, wrap(err, "report")
}

// PutReport keeps a run's report, in place of an earlier one.
func (s *Store) PutReport(ctx context.Context, runID int64, body string, now time.Time) error {
	return wrap(s.do(ctx, func(q *sqlc.Queries) error {
		return q.PutReport(ctx, sqlc.PutReportParams{RunID: runID, Body: body, MadeAt: millis(now)})
	}), "put report")
}

// Lately is what the latest attempts at a run have brought.
type Lately struct {
	Since time.Time // of the first of them; zero: there are none
	Final int64     // deliveries that they ended
}

// latelyAttempts is how many count: at a thousand a second the last half of one, in
// which batches of outcomes even out. Chosen.
const latelyAttempts = 500

// RunMoment is what changes about a run while it is open.
type RunMoment struct {
	Deferred int64     // tried, and due again later
	NextDue  time.Time // when the next is due that is due by the clock; zero: none is
	Lately   Lately
}

// RunMoment looks at the run without going through it.
func (s *Store) RunMoment(ctx context.Context, runID int64) (m RunMoment, err error) {
	if m.Deferred, err = s.r.CountDeferred(ctx, runID); err != nil {
		return m, wrap(err, "count deferred")
	}
	next, err := s.r.NextByClock(ctx, runID)
	if err != nil {
		return m, wrap(err, "next by the clock")
	}
	lately, err := s.r.Lately(ctx, sqlc.LatelyParams{RunID: runID, Most: latelyAttempts})
	m.NextDue, m.Lately = instant(next), Lately{Since: instant(lately.Since), Final: lately.Final}
	return m, wrap(err, "latest attempts")
}

// RunsAround returns the runs of a mailing up to the one that was due then, this one
// included, the latest first, and the next one; zero: there is none. Left out are those that
// were taken back or missed.
func (s *Store) RunsAround(ctx context.Context, mailingID int64, due time.Time, most int64) (upTo []mailing.Run, next mailing.Run, err error) {
	rows, err := s.r.RunsUpTo(ctx, sqlc.RunsUpToParams{MailingID: nullID(mailingID), ScheduledFor: millis(due), Most: most})
	if err != nil {
		return nil, next, wrap(err, "runs up to")
	}
	for _, row := range rows {
		upTo = append(upTo, runOf(row))
	}
	after, err := s.r.RunsAfter(ctx, sqlc.RunsAfterParams{MailingID: nullID(mailingID), ScheduledFor: millis(due), Most: 1})
	for _, row := range after {
		next = runOf(row)
	}
	return upTo, next, wrap(err, "runs after")
}
