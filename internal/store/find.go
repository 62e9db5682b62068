package store

import (
	"context"
	"database/sql"
	"slices"
	"strconv"
	"strings"

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

// lookedThrough is among how many contacts a search looks for a part of a word: each is
// read, and a hundred thousand take longer than a person who types waits. Chosen.
const lookedThrough = 20_000

// FindContacts finds contacts by address, name and comment, or by their names alone:
// id, owner, address and names of each. Those come first whose address begins with what was
// typed, by an index; the others are found among the latest of the owner, or, when owner is
// 0, among some of everybody's.
func (s *Store) FindContacts(ctx context.Context, owner int64, typed string, byName bool, most int64) ([]mailing.Contact, error) {
	var list []mailing.Contact
	if beginning := mailing.SearchText(typed); owner != 0 && !byName && !strings.Contains(beginning, " ") {
		var p predicate
		p.and("c.owner_id = ?", owner)
		p.and("c.email >= ?", beginning)
		p.and("c.email < ?", beginning+"\U0010FFFF")
		p.and(`c.email like ? escape '\'`, likeEscaper.Replace(beginning)+"%")
		p.values = append(p.values, most)
		found, err := s.contactsFound(ctx, "contacts c"+p.where()+" order by c.email limit $"+strconv.Itoa(len(p.values)), p.values)
		if err != nil {
			return nil, wrap(err, "find contacts")
		}
		list = found
	}
	from, values := lookThrough(owner, typed, byName, most)
	others, err := s.contactsFound(ctx, from, values)
	for _, c := range others {
		isNew := !slices.ContainsFunc(list, func(known mailing.Contact) bool { return known.ID == c.ID })
		if isNew && int64(len(list)) < most {
			list = append(list, c)
		}
	}
	return list, wrap(err, "find contacts")
}

// lookThrough is the search for a part of a word.
func lookThrough(owner int64, typed string, byName bool, most int64) (from string, values []any) {
	var all, p predicate
	order := ""
	if owner != 0 {
		all.and("owner_id = ?", owner)
		order = " order by created_at desc, id desc"
	}
	part := "(select * from contacts" + all.where() + order + " limit " + strconv.Itoa(lookedThrough) + ") c"
	p.values = all.values
	if byName {
		p.searchNames(contactNames, typed)
	} else {
		p.search("c.search", typed)
	}
	p.values = append(p.values, most)
	return part + p.where() + " order by c.created_at desc, c.id desc limit $" + strconv.Itoa(len(p.values)), p.values
}

func (s *Store) contactsFound(ctx context.Context, from string, values []any) ([]mailing.Contact, error) {
	rows, err := s.read.QueryContext(ctx, "select c.id, c.owner_id, c.email, c.first_name, c.last_name from "+from, values...)
	if err != nil {
		return nil, err
	}
	return collect(rows, func(rows *sql.Rows) (c mailing.Contact, err error) {
		return c, rows.Scan(&c.ID, &c.OwnerID, &c.Email, &c.FirstName, &c.LastName)
	})
}
