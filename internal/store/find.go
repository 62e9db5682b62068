package store

import (
	"context"
	"database/sql"
	"strconv"

	"vestnik/internal/mailing"
)

// newestOf ends a search of a kind. Of an owner, the newest come first, by an
// index; of everybody (owner 0) any come: to sort all takes longer than a person waits.
func (p *predicate) newestOf(owner int64, alias string, most int64) string {
	order := ""
	if owner != 0 {
		p.and(alias+".owner_id = ?", owner)
		order = " order by " + alias + ".created_at desc, " + alias + ".id desc"
	}
	p.values = append(p.values, most)
	return p.where() + order + " limit $" + strconv.Itoa(len(p.values))
}

// FindMailings finds mailings by their subjects, of an owner or, when owner is 0, of
// everybody: id, owner, subject and status of each.
func (s *Store) FindMailings(ctx context.Context, owner int64, typed string, most int64) ([]MailingRow, error) {
	var p predicate
	p.search("g.search", typed)
	tail := p.newestOf(owner, "m", most)
	rows, err := s.read.QueryContext(ctx, "select m.id, m.owner_id, g.subject, m.status from mailings m join messages g on g.id = m.message_id"+tail, p.values...)
	if err != nil {
		return nil, wrap(err, "find mailings")
	}
	list, err := collect(rows, func(rows *sql.Rows) (m MailingRow, err error) {
		return m, rows.Scan(&m.ID, &m.OwnerID, &m.Subject, &m.Status)
	})
	return list, wrap(err, "find mailings")
}

// FindMessages finds messages by their subjects, without their texts.
func (s *Store) FindMessages(ctx context.Context, owner int64, typed string, most int64) ([]mailing.Message, error) {
	var p predicate
	p.search("g.search", typed)
	tail := p.newestOf(owner, "g", most)
	rows, err := s.read.QueryContext(ctx, "select g.id, g.owner_id, g.subject, g.format from messages g"+tail, p.values...)
	if err != nil {
		return nil, wrap(err, "find messages")
	}
	list, err := collect(rows, func(rows *sql.Rows) (m mailing.Message, err error) {
		return m, rows.Scan(&m.ID, &m.OwnerID, &m.Subject, &m.Format)
	})
	return list, wrap(err, "find messages")
}

// FindContacts finds contacts by address, name and comment, or by their names alone:
// id, owner, address and names of each.
func (s *Store) FindContacts(ctx context.Context, owner int64, typed string, byName bool, most int64) ([]mailing.Contact, error) {
	var p predicate
	if byName {
		p.searchNames(contactNames, typed)
	} else {
		p.search("c.search", typed)
	}
	tail := p.newestOf(owner, "c", most)
	rows, err := s.read.QueryContext(ctx, "select c.id, c.owner_id, c.email, c.first_name, c.last_name from contacts c"+tail, p.values...)
	if err != nil {
		return nil, wrap(err, "find contacts")
	}
	list, err := collect(rows, func(rows *sql.Rows) (c mailing.Contact, err error) {
		return c, rows.Scan(&c.ID, &c.OwnerID, &c.Email, &c.FirstName, &c.LastName)
	})
	return list, wrap(err, "find contacts")
}
