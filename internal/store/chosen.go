package store

import (
	"context"
	"database/sql"
	"strconv"

	"vestnik/internal/mailing"
)

// ContactsByIDs returns those of the ids that are the owner's contacts, in no
// order.
func (s *Store) ContactsByIDs(ctx context.Context, ownerID int64, ids []int64) ([]mailing.Contact, error) {
	rows, err := s.read.QueryContext(ctx, `select `+contactList.fields+` from `+contactList.from+`
where c.owner_id = $2 and c.id in (select id from `+s.dialect.rows("id bigint")+` v)`, jsonIDs(ids), ownerID)
	if err != nil {
		return nil, wrap(err, "contacts by ids")
	}
	contacts, err := collect(rows, scanContact)
	return contacts, wrap(err, "contacts by ids")
}

// LatestMailings lists the mailings of an owner (0: everybody's) that were made
// last, newest first, each with no more than its id, subject and time of creation.
func (s *Store) LatestMailings(ctx context.Context, ownerID, most int64) ([]MailingRow, error) {
	var p predicate
	if ownerID != 0 {
		p.and("m.owner_id = ?", ownerID)
	}
	p.values = append(p.values, most)
	rows, err := s.read.QueryContext(ctx, `select m.id, g.subject, m.created_at
from mailings m join messages g on g.id = m.message_id`+p.where()+
		` order by m.created_at desc, m.id desc limit $`+strconv.Itoa(len(p.values)), p.values...)
	if err != nil {
		return nil, wrap(err, "latest mailings")
	}
	mailings, err := collect(rows, func(rows *sql.Rows) (m MailingRow, err error) {
		var created int64
		err = rows.Scan(&m.ID, &m.Subject, &created)
		m.CreatedAt = instant(created)
		return m, err
	})
	return mailings, wrap(err, "latest mailings")
}
