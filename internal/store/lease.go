package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/store/sqlc"
)

// Node is one running process that sends. Its lease on deliveries holds while it
// keeps itself alive; a new start of the same node has a higher epoch.
type Node struct {
	ID    int64
	Name  string
	Epoch int64
}

// StartNode registers a start of the named node.
func (s *Store) StartNode(ctx context.Context, name string, now, aliveUntil time.Time) (Node, error) {
	row, err := s.w.StartNode(ctx, sqlc.StartNodeParams{
		ID: NewID(), Name: name, AliveUntil: millis(aliveUntil), StartedAt: millis(now),
	})
	return Node{ID: row.ID, Name: name, Epoch: row.Epoch}, wrap(err, "start node")
}

// KeepNodeAlive extends the node's leases. It reports false when a later start
// of the same node has taken over: then this one must send nothing more.
func (s *Store) KeepNodeAlive(ctx context.Context, n Node, until time.Time) (bool, error) {
	rows, err := s.w.KeepNodeAlive(ctx, sqlc.KeepNodeAliveParams{
		ID: n.ID, Epoch: n.Epoch, AliveUntil: millis(until),
	})
	return rows > 0, wrap(err, "keep node alive")
}

// Leased is a delivery that a node holds, with what is needed to make its mail.
type Leased struct {
	ID        int64
	RunID     int64
	ContactID int64 // 0 for single mails
	Email     string
	Tries     int64 // tries before this one
	Vars      string
	CreatedAt time.Time

	FirstName, LastName, Comment string
	Unmailable                   mailing.Reason // not to be mailed after all; empty: mail it
}

// Lease takes up to most deliveries of a run for the node: what is due by the clock,
// the longest due first, and then those whose turn it is; they come in no order. A
// node whose later start has taken over gets none. Nothing is taken unless all of it
// is answered, since a lease that nobody knows of would last as long as the node.
func (s *Store) Lease(ctx context.Context, n Node, runID int64, now time.Time, most int) ([]Leased, error) {
	if err := s.prepare(ctx); err != nil {
		return nil, wrap(err, "lease")
	}
	var list []Leased
	err := s.inTx(ctx, func(q *sqlc.Queries, tx *sql.Tx) (err error) {
		list, err = s.lease(ctx, q, tx, n, runID, now, most)
		return err
	})
	if err != nil {
		return nil, wrap(err, "lease")
	}
	return list, nil
}

func (s *Store) lease(ctx context.Context, q *sqlc.Queries, tx *sql.Tx, n Node, runID int64, now time.Time, most int) ([]Leased, error) {
	// Most of the time a run only waits for what is to be tried again. To look first
	// spares it locks, which would be written to disk.
	due, err := q.WhatIsDue(ctx, sqlc.WhatIsDueParams{ID: runID, Now: millis(now)})
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var next turn
	day := quota{due.OwnerID, due.PerDay}
	usedUp, err := day.isUsedUp(ctx, q, now)
	if err != nil {
		return nil, err
	}
	if due.Turns && !usedUp { // before its deliveries are locked, as those who cancel a run do it
		if next, err = s.lockTurn(ctx, tx, n, runID); err != nil {
			return nil, err
		}
	}
	var list []Leased
	if due.ByClock {
		if list, err = s.takeDue(ctx, tx, n, runID, now, most); err != nil {
			return nil, err
		}
		if err := s.addContacts(ctx, tx, list); err != nil {
			return nil, err
		}
	}
	if next.after == next.filled || len(list) == most {
		return list, nil
	}
	if most, err = day.most(ctx, q, most-len(list), now); err != nil || most == 0 {
		return list, err
	}
	turns, err := s.takeTurns(ctx, q, tx, n, runID, next, most)
	if err != nil {
		return nil, err
	}
	return append(list, turns...), day.use(ctx, q, turns, now)
}

// turn is whose turn it is in a run: those whose contacts come after the one, and are
// written down up to the other.
type turn struct{ after, filled int64 }

// lockTurn has nobody else move the turn on. There is none in a run that is cancelled,
// and for a node that is replaced.
func (s *Store) lockTurn(ctx context.Context, tx *sql.Tx, n Node, runID int64) (t turn, err error) {
	var setting string
	err = tx.QueryRowContext(ctx, s.dialect.turn, runID, n.ID, n.Epoch).Scan(&t.after, &t.filled, &setting)
	if errors.Is(err, sql.ErrNoRows) {
		return turn{}, nil
	}
	return t, err
}

// takeTurns leases the next stretch of a run's deliveries, in the order of their
// contacts. Not one row of theirs is changed: that, once for
// the lease and once for the outcome, took half of the ledger's time.
func (s *Store) takeTurns(ctx context.Context, q *sqlc.Queries, tx *sql.Tx, n Node, runID int64, next turn, most int) ([]Leased, error) {
	rows, err := tx.QueryContext(ctx, turnsQuery, runID, next.after, most)
	if err != nil {
		return nil, err
	}
	turns, err := collect(rows, func(rows *sql.Rows) (Leased, error) { return scanTurn(rows, runID) })
	if err != nil {
		return nil, err
	}
	to := next.filled // behind the last of them none is left that could be sent
	if len(turns) > 0 {
		last := turns[len(turns)-1].ContactID
		if len(turns) == most {
			to = last
		}
		err := q.CreateLease(ctx, sqlc.CreateLeaseParams{RunID: runID, AfterID: next.after, ToID: last, NodeID: n.ID, Epoch: n.Epoch})
		if err != nil {
			return nil, err
		}
	}
	return turns, q.LeasedTo(ctx, sqlc.LeasedToParams{ID: runID, LeasedTo: to})
}

// turnsQuery finds people as peopleStatement does.
const turnsQuery = `select d.id, d.contact_id, d.email, d.created_at,
    coalesce(c.first_name, ''), coalesce(c.last_name, ''), coalesce(c.comment, ''),
    case when c.id is null then 'deleted' else coalesce(s.reason, '') end
from deliveries d
left join contacts c on c.id = d.contact_id and c.email = d.email
left join suppressions s on s.owner_id = c.owner_id and s.email = c.email
where d.run_id = $1 and d.contact_id > $2 and d.state = 0 and d.due_at = 0
order by d.contact_id limit $3`

func scanTurn(rows *sql.Rows, runID int64) (Leased, error) {
	l := Leased{RunID: runID}
	var created int64
	err := rows.Scan(&l.ID, &l.ContactID, &l.Email, &created, &l.FirstName, &l.LastName, &l.Comment, &l.Unmailable)
	l.CreatedAt = instant(created)
	return l, err
}

// EndSpentLeases forgets the node's leases of stretches all of whose deliveries have
// an outcome.
func (s *Store) EndSpentLeases(ctx context.Context, n Node) error {
	spent, err := s.r.SpentLeases(ctx, n.ID)
	if err != nil || len(spent) == 0 {
		return wrap(err, "find spent leases")
	}
	return wrap(s.inTx(ctx, func(q *sqlc.Queries, _ *sql.Tx) error {
		for _, l := range spent {
			_, err := q.DeleteLease(ctx, sqlc.DeleteLeaseParams{RunID: l.RunID, ToID: l.ToID, NodeID: n.ID, Epoch: l.Epoch})
			if err != nil {
				return err
			}
		}
		return nil
	}), "end spent leases")
}

func (s *Store) takeDue(ctx context.Context, tx *sql.Tx, n Node, runID int64, now time.Time, most int) ([]Leased, error) {
	rows, err := tx.QueryContext(ctx, s.dialect.lease, runID, millis(now), most, n.ID, n.Epoch)
	if err != nil {
		return nil, err
	}
	return collect(rows, func(rows *sql.Rows) (Leased, error) {
		l := Leased{RunID: runID}
		var created int64
		err := rows.Scan(&l.ID, &l.ContactID, &l.Email, &l.Tries, &l.Vars, &created)
		l.CreatedAt = instant(created)
		return l, err
	})
}

var peopleStatement = tableStatement{
	columns: []string{"id bigint", "email text"},
	text: `select c.id, c.first_name, c.last_name, c.comment, coalesce(s.reason, '')
from v
join contacts c on c.id = v.id and c.email = v.email
left join suppressions s on s.owner_id = c.owner_id and s.email = v.email`,
}

// addContacts fills in the people. A contact that is gone, has another address
// by now or is suppressed makes its delivery unmailable.
func (s *Store) addContacts(ctx context.Context, tx *sql.Tx, list []Leased) error {
	var people [][]any
	at := make(map[int64]*Leased, len(list))
	for i := range list {
		if l := &list[i]; l.ContactID != 0 {
			people = append(people, []any{l.ContactID, l.Email})
			at[l.ContactID] = l
			l.Unmailable = mailing.ReasonDeleted
		}
	}
	if len(people) == 0 {
		return nil
	}
	return peopleStatement.run(ctx, s, tx, people, func(rows *sql.Rows) error {
		var id int64
		var first, last, comment string
		var reason mailing.Reason
		err := rows.Scan(&id, &first, &last, &comment, &reason)
		if l := at[id]; l != nil {
			l.FirstName, l.LastName, l.Comment, l.Unmailable = first, last, comment, reason
		}
		return err
	})
}

// Left is a delivery that an earlier start of a node leased and did not settle.
type Left struct {
	ID, RunID, MailingID, OwnerID int64
	Email                         string
	Epoch, Tries                  int64
	Doubt                         mailing.Doubt
}

// LeftByNode lists what earlier starts of the node left unsettled, with those
// that others have put in doubt since because they could not know better.
func (s *Store) LeftByNode(ctx context.Context, n Node) ([]Left, error) {
	rows, err := s.r.LeftByNode(ctx, sqlc.LeftByNodeParams{NodeID: n.ID, BeforeEpoch: n.Epoch})
	list := make([]Left, len(rows))
	for i, row := range rows {
		list[i] = Left{
			ID: row.ID, RunID: row.RunID, MailingID: row.MailingID, OwnerID: row.OwnerID,
			Email: row.Email, Epoch: row.LeaseEpoch, Tries: row.Tries, Doubt: mailing.Doubt(row.Doubt),
		}
	}
	return list, wrap(err, "deliveries left by node")
}

// NeverLeased returns those of the deliveries that wait and were in nobody's hand
// yet, in no order, with neither epoch nor tries.
func (s *Store) NeverLeased(ctx context.Context, ids []int64) ([]Left, error) {
	rows, err := s.read.QueryContext(ctx, `select d.id, d.run_id, coalesce(r.mailing_id, 0), r.owner_id, d.email, r.doubt
from deliveries d join runs r on r.id = d.run_id
where d.state = 0 and d.lease_epoch = 0 and d.id in (select id from `+s.dialect.rows("id bigint")+` v)`, jsonIDs(ids))
	if err != nil {
		return nil, wrap(err, "deliveries never leased")
	}
	list, err := collect(rows, func(rows *sql.Rows) (l Left, err error) {
		err = rows.Scan(&l.ID, &l.RunID, &l.MailingID, &l.OwnerID, &l.Email, &l.Doubt)
		return l, err
	})
	return list, wrap(err, "deliveries never leased")
}
