package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"vestnik/internal/mailing"
)

// SentSlot is how many mails went out by runs that began in a quarter of an hour, by
// which all time zones differ.
type SentSlot struct {
	Slot  int64 // quarters since 1970
	Mails int64
}

// SlotLength is that of a SentSlot.
const SlotLength = 15 * time.Minute

// SentSince counts what mailings of an owner have sent, or of everybody when owner is 0,
// by runs that began since then. It reads runs, which count what they send, and so asks
// no attempts, of which there are millions.
func (s *Store) SentSince(ctx context.Context, owner int64, since time.Time) ([]SentSlot, error) {
	rows, err := s.read.QueryContext(ctx, sentQuery(owner), sentValues(owner, since)...)
	if err != nil {
		return nil, wrap(err, "count what was sent")
	}
	slots, err := collect(rows, func(rows *sql.Rows) (slot SentSlot, err error) {
		return slot, rows.Scan(&slot.Slot, &slot.Mails)
	})
	return slots, wrap(err, "count what was sent")
}

func sentQuery(owner int64) string {
	whose := ""
	if owner != 0 {
		whose = " and owner_id = $3"
	}
	return `select created_at / $1 as slot, cast(sum(sent) as bigint) from runs
where created_at >= $2 and sent > 0 and kind in ('scheduled', 'manual', 'again')` + whose + ` group by 1 order by 1`
}

func sentValues(owner int64, since time.Time) []any {
	values := []any{SlotLength.Milliseconds(), millis(since)}
	if owner != 0 {
		values = append(values, owner)
	}
	return values
}

// OpenRuns lists runs of mailings that are under way, the newest first; of everybody
// when owner is 0, as in those below.
func (s *Store) OpenRuns(ctx context.Context, owner, most int64) ([]RunRow, error) {
	return s.runsWhere(ctx, owner, most, underWay)
}

// underWay is as the index of those runs says it.
const underWay = "(r.state = 'opening' or r.state = 'sending')"

// DoubtedRuns lists runs with deliveries that wait for a person's word.
func (s *Store) DoubtedRuns(ctx context.Context, owner, most int64) ([]RunRow, error) {
	return s.runsWhere(ctx, owner, most, "r.in_doubt > 0")
}

// FailedRuns lists runs that began since then and came to their end without one mail that
// was accepted.
func (s *Store) FailedRuns(ctx context.Context, owner int64, since time.Time, most int64) ([]RunRow, error) {
	p := predicate{}
	p.and("r.created_at >= ?", millis(since))
	return s.runsOf(ctx, p, owner, most, "r.state = 'completed'", "r.sent = 0", "r.failed > 0")
}

func (s *Store) runsWhere(ctx context.Context, owner, most int64, conditions ...string) ([]RunRow, error) {
	return s.runsOf(ctx, predicate{}, owner, most, conditions...)
}

func (s *Store) runsOf(ctx context.Context, p predicate, owner, most int64, conditions ...string) ([]RunRow, error) {
	rows, _, err := s.rows(ctx, runList, p.ofRuns(owner, conditions...), Page{Desc: true, Limit: most, Uncounted: true})
	if err != nil {
		return nil, wrap(err, "list runs")
	}
	runs, err := collect(rows, scanRun)
	return runs, wrap(err, "list runs")
}

// ofRuns adds conditions, and that the runs are of mailings of the owner, if that is not 0.
func (p predicate) ofRuns(owner int64, conditions ...string) predicate {
	p.conditions = append(p.conditions, conditions...)
	p.conditions = append(p.conditions, "r.kind in ('scheduled', 'manual', 'again')")
	if owner != 0 {
		p.and("r.owner_id = ?", owner)
	}
	return p
}

// ContactAttempts lists the attempts to mail a contact of the owner before then, newest
// first. It begins with the contact's deliveries, which are few: SQLite keeps the order of
// a cross join.
func (s *Store) ContactAttempts(ctx context.Context, owner, contact int64, before time.Time, most int64) ([]mailing.Attempt, error) {
	rows, err := s.read.QueryContext(ctx, contactAttemptsQuery, contact, millis(before), owner, most)
	if err != nil {
		return nil, wrap(err, "attempts to mail a contact")
	}
	attempts, err := collect(rows, scanAttempt)
	return attempts, wrap(err, "attempts to mail a contact")
}

const contactAttemptsQuery = `select a.id, a.delivery_id, a.run_id, a.mailing_id, a.owner_id, a.email, a.at,
a.duration_us, a.node, a.host, a.tls, a.stage, a.result, a.code, a.enhanced, a.reply
from deliveries d cross join attempts a
where d.contact_id = $1 and a.delivery_id = d.id and a.at < $2 and a.owner_id = $3 order by a.at desc, a.id desc limit $4`

// ContactSkips lists the deliveries to a contact of the owner that were given up without
// an attempt, before then, newest first.
func (s *Store) ContactSkips(ctx context.Context, owner, contact int64, before time.Time, most int64) ([]mailing.Delivery, error) {
	rows, err := s.read.QueryContext(ctx, "select "+deliveryList.fields+" from "+deliveryList.from+`
where d.contact_id = $1 and d.state = 5 and d.settled_at < $2 and r.owner_id = $3 order by d.settled_at desc, d.id desc limit $4`,
		contact, millis(before), owner, most)
	if err != nil {
		return nil, wrap(err, "deliveries that were skipped")
	}
	deliveries, err := collect(rows, scanDelivery)
	return deliveries, wrap(err, "deliveries that were skipped")
}

// ImportAt returns the import of the owner that was under way then, which is how a contact
// that was added at that moment came; the zero Import when there was none.
func (s *Store) ImportAt(ctx context.Context, owner int64, at time.Time) (Import, error) {
	var i Import
	var created, finished int64
	err := s.read.QueryRowContext(ctx, `select id, filename, created_at, finished_at from imports
where owner_id = $1 and created_at = $2 limit 1`, owner, millis(at)).Scan(&i.ID, &i.Filename, &created, &finished)
	if errors.Is(err, sql.ErrNoRows) {
		return Import{}, nil
	}
	i.OwnerID, i.CreatedAt, i.FinishedAt = owner, instant(created), instant(finished)
	return i, wrap(err, "import of a contact")
}
