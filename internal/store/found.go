package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// MailingIDs lists the ids of the mailings that a list finds and that were there at the
// moment, in the order of the ids and after the one that is given, most of them at once.
func (s *Store) MailingIDs(ctx context.Context, f MailingFilter, search string, until time.Time, after, most int64) ([]int64, error) {
	p := f.predicate(search)
	p.and("m.created_at <= ?", millis(until))
	p.and("m.id > ?", after)
	ids, err := s.ids(ctx, "m.id from mailings m join messages g on g.id = m.message_id", p, most)
	return ids, wrap(err, "ids of mailings")
}

// ContactIDs lists the ids of the contacts that a list finds, as MailingIDs does.
func (s *Store) ContactIDs(ctx context.Context, f ContactFilter, search string, until time.Time, after, most int64) ([]int64, error) {
	p := f.predicate(search)
	p.and("c.created_at <= ?", millis(until))
	p.and("c.id > ?", after)
	ids, err := s.ids(ctx, "c.id from "+contactList.from, p, most)
	return ids, wrap(err, "ids of contacts")
}

// MessageIDs lists the ids of the messages that a list finds, as MailingIDs does.
func (s *Store) MessageIDs(ctx context.Context, owner int64, search string, until time.Time, after, most int64) ([]int64, error) {
	p := predicate{}
	if owner != 0 {
		p.and("owner_id = ?", owner)
	}
	p.search("search", search)
	p.and("created_at <= ?", millis(until))
	p.and("id > ?", after)
	ids, err := s.ids(ctx, "id from messages", p, most)
	return ids, wrap(err, "ids of messages")
}

// ids reads the first column, by which it sorts.
func (s *Store) ids(ctx context.Context, fields string, p predicate, most int64) ([]int64, error) {
	rows, err := s.read.QueryContext(ctx, fmt.Sprintf("select %s%s order by 1 limit %d", fields, p.where(), max(most, 0)), p.values...)
	if err != nil {
		return nil, err
	}
	return collect(rows, func(rows *sql.Rows) (id int64, err error) { return id, rows.Scan(&id) })
}

// MessageUses counts the mailings that send each of the messages, by the message.
func (s *Store) MessageUses(ctx context.Context, ids []int64) (map[int64]int64, error) {
	uses := map[int64]int64{}
	if len(ids) == 0 {
		return uses, nil
	}
	rows, err := s.read.QueryContext(ctx, "select message_id, count(*) from mailings where message_id in (select id from "+
		s.dialect.rows("id bigint")+" v) group by message_id", jsonIDs(ids))
	if err != nil {
		return nil, wrap(err, "uses of messages")
	}
	_, err = collect(rows, func(rows *sql.Rows) (none struct{}, err error) {
		var id, count int64
		err = rows.Scan(&id, &count)
		uses[id] = count
		return none, err
	})
	return uses, wrap(err, "uses of messages")
}
