package store

import (
	"context"
	"database/sql"
	"strings"

	"vestnik/internal/mailing"
)

// RunRow is a line of a list of runs.
type RunRow struct {
	mailing.Run
	Subject       string
	OwnerName     string
	MailingStatus mailing.Status // empty when it is deleted
}

var runList = list{
	fields: `r.id, coalesce(r.mailing_id, 0), r.owner_id, r.kind, r.scheduled_for, r.state, r.audience, r.sent, r.failed,
r.skipped, r.in_doubt, r.halt, r.created_at, r.finished_at, v.subject, a.first_name || ' ' || a.last_name, coalesce(m.status, '')`,
	from: `runs r left join versions v on v.id = r.version_id left join accounts a on a.id = r.owner_id
left join mailings m on m.id = r.mailing_id`,
	columns:  map[string]string{"": "r.created_at"},
	tiebreak: "r.id",
}

// RunsOfMailings lists the latest runs of an owner's mailings, newest first; of
// everybody's when ownerID is 0. Single mails are left out.
func (s *Store) RunsOfMailings(ctx context.Context, ownerID, most int64) ([]RunRow, error) {
	return s.runsWhere(ctx, ownerID, most)
}

func scanRun(rows *sql.Rows) (r RunRow, err error) {
	var scheduled, created, finished int64
	err = rows.Scan(&r.ID, &r.MailingID, &r.OwnerID, &r.Kind, &scheduled, &r.State, &r.Counts.Audience,
		&r.Counts.Sent, &r.Counts.Failed, &r.Counts.Skipped, &r.Counts.InDoubt, &r.Halt, &created, &finished,
		&r.Subject, &r.OwnerName, &r.MailingStatus)
	r.ScheduledFor, r.CreatedAt, r.FinishedAt = instant(scheduled), instant(created), instant(finished)
	r.OwnerName = strings.TrimSpace(r.OwnerName)
	return r, err
}
