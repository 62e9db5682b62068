package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"vestnik/internal/mailing"
)

// Page says which part of a list is wanted. Search is what a person typed.
type Page struct {
	Search string
	Sort   string // a column the list offers; anything else is its default
	Desc   bool
	Offset int64
	Limit  int64

	Uncounted bool // how long the whole is is not wanted, and 0
}

// predicate gathers the conditions of a list and their parameters.
type predicate struct {
	conditions []string
	values     []any
}

// and adds a condition, in which ? stands for the value.
func (p *predicate) and(condition string, value any) {
	p.values = append(p.values, value)
	p.conditions = append(p.conditions, strings.ReplaceAll(condition, "?", fmt.Sprintf("$%d", len(p.values))))
}

// search adds, for every word of what was typed up to a bound, that the column holds it.
func (p *predicate) search(column, typed string) {
	for _, word := range searchWords(mailing.SearchText(typed)) {
		p.and(column+` like ? escape '\'`, "%"+likeEscaper.Replace(word)+"%")
	}
}

// searchNames is search in what is stored as people write it: each word all small,
// all large, or with a large first letter.
func (p *predicate) searchNames(names, typed string) {
	for _, word := range searchWords(mailing.CleanLine(typed)) {
		first, size := utf8.DecodeRuneInString(word)
		var either []string
		for _, form := range []string{strings.ToLower(word), strings.ToUpper(word), string(unicode.ToUpper(first)) + strings.ToLower(word[size:])} {
			p.values = append(p.values, "%"+likeEscaper.Replace(form)+"%")
			either = append(either, fmt.Sprintf(`%s like $%d escape '\'`, names, len(p.values)))
		}
		p.conditions = append(p.conditions, "("+strings.Join(either, " or ")+")")
	}
}

// likeEscaper makes letters of what stands for others in a pattern.
var likeEscaper = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

func (p *predicate) where() string {
	if len(p.conditions) == 0 {
		return ""
	}
	return " where " + strings.Join(p.conditions, " and ")
}

// list is a query in parts; columns maps what may be sorted by to SQL, "" being
// the default. What is joined to its table stands to the right of a left join, even if
// it is always there: SQLite may go through the left side only first, where the index is
// that the list is sorted by, and not through the few accounts.
type list struct {
	fields, from string
	columns      map[string]string
	tiebreak     string
}

// rows returns the wanted part of the list and how long the whole is.
func (s *Store) rows(ctx context.Context, l list, p predicate, page Page) (*sql.Rows, int64, error) {
	var total int64
	if !page.Uncounted {
		err := s.read.QueryRowContext(ctx, "select count(*) from "+l.from+p.where(), p.values...).Scan(&total)
		if err != nil {
			return nil, 0, err
		}
		if total <= page.Offset {
			page.Limit = 0 // and nothing is gone through again
		}
	}
	rows, err := s.read.QueryContext(ctx, l.query(p, page), p.values...)
	return rows, total, err
}

func (l list) query(p predicate, page Page) string {
	column, ok := l.columns[page.Sort]
	if !ok {
		column = l.columns[""]
	}
	direction := ""
	if page.Desc {
		direction = " desc"
	}
	return fmt.Sprintf("select %s from %s%s order by %s%s, %s%s limit %d offset %d",
		l.fields, l.from, p.where(), column, direction, l.tiebreak, direction, max(page.Limit, 0), max(page.Offset, 0))
}

// collect reads all rows with scan.
func collect[T any](rows *sql.Rows, scan func(*sql.Rows) (T, error)) ([]T, error) {
	defer rows.Close()
	var items []T
	for rows.Next() {
		item, err := scan(rows)
		if err != nil {
			return nil, err
		}
		items = append(items, item)
	}
	return items, rows.Err()
}

var contactList = list{
	fields: `c.id, c.owner_id, c.email, c.first_name, c.last_name, c.comment, c.created_at, c.updated_at,
coalesce(s.reason, ''), coalesce(s.detail, ''), coalesce(s.created_at, 0)`,
	from: "contacts c left join suppressions s on s.owner_id = c.owner_id and s.email = c.email",
	columns: map[string]string{
		"": "c.created_at", "email": "c.email", "first_name": "c.first_name", "last_name": "c.last_name",
		"created": "c.created_at", "status": "coalesce(s.reason, '')",
	},
	tiebreak: "c.id",
}

// contactNames is what is searched where addresses must not be.
const contactNames = "c.first_name || ' ' || c.last_name"

// ContactFilter narrows a list of contacts.
type ContactFilter struct {
	Owner     int64          // 0: everybody's
	Reason    mailing.Reason // of their suppression; empty: any
	Mailable  bool           // only those that may be mailed
	MailingID int64          // only those chosen for it; 0: any
	ByName    bool           // addresses and comments are not searched
}

// Contacts lists contacts, sorted by email, first_name, last_name, status or created.
func (s *Store) Contacts(ctx context.Context, f ContactFilter, page Page) ([]mailing.Contact, int64, error) {
	rows, total, err := s.rows(ctx, contactList, f.predicate(page.Search), page)
	if err != nil {
		return nil, 0, wrap(err, "list contacts")
	}
	contacts, err := collect(rows, scanContact)
	return contacts, total, wrap(err, "list contacts")
}

func (f ContactFilter) predicate(search string) (p predicate) {
	if f.Owner != 0 {
		p.and("c.owner_id = ?", f.Owner)
	}
	if f.Reason != "" {
		p.and("s.reason = ?", string(f.Reason))
	}
	if f.Mailable {
		p.conditions = append(p.conditions, "s.reason is null")
	}
	if f.MailingID != 0 {
		p.and("c.id in (select contact_id from mailing_contacts where mailing_id = ?)", f.MailingID)
	}
	if f.ByName {
		p.searchNames(contactNames, search)
	} else {
		p.search("c.search", search)
	}
	return p
}

func scanContact(rows *sql.Rows) (mailing.Contact, error) {
	var c mailing.Contact
	var created, updated, suppressed int64
	err := rows.Scan(&c.ID, &c.OwnerID, &c.Email, &c.FirstName, &c.LastName, &c.Comment, &created, &updated,
		&c.Suppression.Reason, &c.Suppression.Detail, &suppressed)
	c.CreatedAt, c.UpdatedAt, c.Suppression.CreatedAt = instant(created), instant(updated), instant(suppressed)
	if c.Suppression.Reason != "" {
		c.Suppression.OwnerID, c.Suppression.Email = c.OwnerID, c.Email
	}
	return c, err
}

var messageList = list{
	fields:   "id, owner_id, subject, format, body, created_at, updated_at",
	from:     "messages",
	columns:  map[string]string{"": "created_at", "subject": "search", "created": "created_at", "updated": "updated_at"},
	tiebreak: "id",
}

// Messages lists messages of an owner (0: everybody's), sorted by subject,
// created or updated.
func (s *Store) Messages(ctx context.Context, owner int64, page Page) ([]mailing.Message, int64, error) {
	var p predicate
	if owner != 0 {
		p.and("owner_id = ?", owner)
	}
	p.search("search", page.Search)
	rows, total, err := s.rows(ctx, messageList, p, page)
	if err != nil {
		return nil, 0, wrap(err, "list messages")
	}
	messages, err := collect(rows, func(rows *sql.Rows) (m mailing.Message, err error) {
		var created, updated int64
		err = rows.Scan(&m.ID, &m.OwnerID, &m.Subject, &m.Format, &m.Body, &created, &updated)
		m.CreatedAt, m.UpdatedAt = instant(created), instant(updated)
		return m, err
	})
	return messages, total, wrap(err, "list messages")
}

// MailingRow is a line of the table of mailings.
type MailingRow struct {
	mailing.Mailing
	Subject    string
	Chosen     int64 // contacts picked, when Audience is chosen
	OwnerName  string
	OwnerEmail string
}

var mailingList = list{
	fields: `m.id, m.owner_id, m.message_id, m.audience, m.rule, m.doubt, m.weight, m.from_name, m.reply_to, m.status,
m.next_at, m.last_at, m.stop_by, m.stop_why, m.stopped_at, m.created_at, m.updated_at, g.subject,
(select count(*) from mailing_contacts mc where mc.mailing_id = m.id), a.first_name || ' ' || a.last_name, a.email`,
	from: "mailings m left join messages g on g.id = m.message_id left join accounts a on a.id = m.owner_id",
	columns: map[string]string{
		"": "m.created_at", "created": "m.created_at", "next": "m.next_at", "last": "m.last_at",
		"status": "m.status", "subject": "g.search",
	},
	tiebreak: "m.id",
}

// MailingFilter narrows a list of mailings.
type MailingFilter struct {
	Owner  int64 // 0: everybody's
	Status mailing.Status
	Active bool // only those that the home page counts as active
	Coming bool // only those that will be sent: live, with a next occurrence
	Halted bool // only those that were paused or disabled
	Others bool // of those, only what somebody else than the owner has stopped
}

// Mailings lists mailings, sorted by created, next, last, status or subject.
func (s *Store) Mailings(ctx context.Context, f MailingFilter, page Page) ([]MailingRow, int64, error) {
	rows, total, err := s.rows(ctx, mailingList, f.predicate(page.Search), page)
	if err != nil {
		return nil, 0, wrap(err, "list mailings")
	}
	mailings, err := collect(rows, scanMailing)
	return mailings, total, wrap(err, "list mailings")
}

func (f MailingFilter) predicate(search string) (p predicate) {
	if f.Owner != 0 {
		p.and("m.owner_id = ?", f.Owner)
	}
	if f.Status != "" {
		p.and("m.status = ?", string(f.Status))
	}
	if f.Coming {
		p.conditions = append(p.conditions, "m.next_at > 0")
	}
	if f.Coming || f.Active {
		p.conditions = append(p.conditions, "m.status in ('created', 'running')")
	}
	if f.Others {
		p.conditions = append(p.conditions, "m.stop_by <> m.owner_id")
	}
	if f.Halted { // as the index of them says it
		p.conditions = append(p.conditions, "m.status in ('paused', 'disabled')")
	}
	p.search("g.search", search)
	return p
}

func scanMailing(rows *sql.Rows) (m MailingRow, err error) {
	var rule string
	var next, last, stopped, created, updated int64
	err = rows.Scan(&m.ID, &m.OwnerID, &m.MessageID, &m.Audience, &rule, &m.Doubt, &m.Weight, &m.FromName, &m.ReplyTo, &m.Status,
		&next, &last, &m.StopBy, &m.StopWhy, &stopped, &created, &updated, &m.Subject,
		&m.Chosen, &m.OwnerName, &m.OwnerEmail)
	if err != nil {
		return m, err
	}
	m.NextAt, m.LastAt, m.StoppedAt = instant(next), instant(last), instant(stopped)
	m.CreatedAt, m.UpdatedAt = instant(created), instant(updated)
	m.OwnerName = strings.TrimSpace(m.OwnerName)
	return m, json.Unmarshal([]byte(rule), &m.Rule)
}

var deliveryList = list{
	fields:   "d.id, d.run_id, coalesce(d.contact_id, 0), d.email, d.state, d.reason, d.tries, d.due_at, d.settled_at",
	from:     "deliveries d join runs r on r.id = d.run_id",
	columns:  map[string]string{"": "d.id", "email": "d.email", "state": "d.state", "settled": "d.settled_at"},
	tiebreak: "d.id",
}

// DeliveryFilter narrows a list of deliveries. One of the ids must be set.
type DeliveryFilter struct {
	ID        int64 // 0: any
	RunID     int64
	ContactID int64
	Owner     int64                   // of the run; 0: everybody's
	States    []mailing.DeliveryState // nil: any
}

// Deliveries lists deliveries, sorted by email, state, settled or age.
func (s *Store) Deliveries(ctx context.Context, f DeliveryFilter, page Page) ([]mailing.Delivery, int64, error) {
	var p predicate
	if f.ID != 0 {
		p.and("d.id = ?", f.ID)
	}
	if f.RunID != 0 {
		p.and("d.run_id = ?", f.RunID)
	}
	if f.ContactID != 0 {
		p.and("d.contact_id = ?", f.ContactID)
	}
	if f.Owner != 0 {
		p.and("r.owner_id = ?", f.Owner)
	}
	if f.States != nil {
		var in []string
		for _, state := range f.States {
			in = append(in, fmt.Sprint(int64(state)))
		}
		p.conditions = append(p.conditions, "d.state in ("+strings.Join(in, ", ")+")")
	}
	p.search("d.email", page.Search)
	rows, total, err := s.rows(ctx, deliveryList, p, page)
	if err != nil {
		return nil, 0, wrap(err, "list deliveries")
	}
	deliveries, err := collect(rows, scanDelivery)
	return deliveries, total, wrap(err, "list deliveries")
}

func scanDelivery(rows *sql.Rows) (d mailing.Delivery, err error) {
	var due, settled int64
	err = rows.Scan(&d.ID, &d.RunID, &d.ContactID, &d.Email, &d.State, &d.Reason, &d.Tries, &due, &settled)
	d.DueAt, d.SettledAt = instant(due), instant(settled)
	return d, err
}

// inHandList begins with what a node holds, which is little and has an index by
// node. SQLite keeps the order of a cross join, and with plus signs it does not go through
// all deliveries because they are sorted by id.
var inHandList = list{
	fields: "d.id, d.run_id, coalesce(d.contact_id, 0), d.email, 2, d.reason, d.tries, d.due_at, d.settled_at",
	from: `(
    select h.id, h.run_id, h.contact_id, h.email, h.reason, h.tries, h.due_at, h.settled_at from deliveries h where h.state = 2
    union all
    select h.id, h.run_id, h.contact_id, h.email, h.reason, h.tries, h.due_at, h.settled_at
    from leases l cross join deliveries h
    where h.run_id = l.run_id and h.contact_id > l.after_id and h.contact_id <= l.to_id and h.state = 0 and h.due_at = 0
) d cross join runs r`,
	columns:  map[string]string{"": "+d.id", "email": "d.email", "settled": "d.settled_at"},
	tiebreak: "+d.id",
}

func inHandPredicate(owner int64, search string) predicate {
	p := predicate{conditions: []string{"r.id = d.run_id"}}
	if owner != 0 {
		p.and("r.owner_id = ?", owner)
	}
	p.search("d.email", search)
	return p
}

// InHand lists the deliveries that nodes hold at this moment, of the owner's runs
// or, when owner is 0, of everybody's. They are sorted as Deliveries sorts them.
func (s *Store) InHand(ctx context.Context, owner int64, page Page) ([]mailing.Delivery, int64, error) {
	rows, total, err := s.rows(ctx, inHandList, inHandPredicate(owner, page.Search), page)
	if err != nil {
		return nil, 0, wrap(err, "list deliveries in hand")
	}
	deliveries, err := collect(rows, scanDelivery)
	return deliveries, total, wrap(err, "list deliveries in hand")
}

var demoList = list{
	fields:   "id, sender, recipient, subject, at",
	from:     "demo_mails",
	columns:  map[string]string{"": "id", "recipient": "recipient", "subject": "subject"},
	tiebreak: "id",
}

// DemoMails lists kept mails without their data.
func (s *Store) DemoMails(ctx context.Context, page Page) ([]DemoMail, int64, error) {
	var p predicate
	p.search("search", page.Search)
	rows, total, err := s.rows(ctx, demoList, p, page)
	if err != nil {
		return nil, 0, wrap(err, "list demo mails")
	}
	mails, err := collect(rows, func(rows *sql.Rows) (m DemoMail, err error) {
		var at int64
		err = rows.Scan(&m.ID, &m.Sender, &m.Recipient, &m.Subject, &at)
		m.At = instant(at)
		return m, err
	})
	return mails, total, wrap(err, "list demo mails")
}

// LogFilter narrows the log.
type LogFilter struct {
	Owner      int64 // 0: everybody's
	MailingID  int64
	RunID      int64
	DeliveryID int64
	Result     mailing.AttemptResult
	Email      string // part of the address
	From, To   time.Time
	Before     int64 // only attempts older than this one; 0: from the newest
	Limit      int64
}

// Log lists attempts, newest first. It is paged by Before, since counting or
// skipping millions of lines takes longer than a person waits.
func (s *Store) Log(ctx context.Context, f LogFilter) ([]mailing.Attempt, error) {
	query, values := f.query()
	rows, err := s.read.QueryContext(ctx, query, values...)
	if err != nil {
		return nil, wrap(err, "log")
	}
	attempts, err := collect(rows, scanAttempt)
	return attempts, wrap(err, "log")
}

func (f LogFilter) query() (string, []any) {
	p := f.predicate()
	return fmt.Sprintf(`%s%s order by id desc limit %d`, attemptFields, p.where(), max(f.Limit, 0)), p.values
}

// attemptFields begins a query of what scanAttempt reads.
const attemptFields = `select id, delivery_id, run_id, mailing_id, owner_id, email, at,
duration_us, node, host, tls, stage, result, code, enhanced, reply
from attempts`

func (f LogFilter) predicate() (p predicate) {
	// The plus sign keeps the databases from going through all that is the owner's
	// where there is an index that leads to fewer.
	owner := "owner_id = ?"
	if f.MailingID != 0 || f.RunID != 0 || f.DeliveryID != 0 {
		owner = "+owner_id = ?"
	}
	for _, c := range []struct {
		condition string
		value     int64
	}{
		{owner, f.Owner},
		{"mailing_id = ?", f.MailingID},
		{"run_id = ?", f.RunID},
		{"delivery_id = ?", f.DeliveryID},
		{"id < ?", f.Before},
		{"at >= ?", millis(f.From)},
		{"at < ?", millis(f.To)},
	} {
		if c.value != 0 {
			p.and(c.condition, c.value)
		}
	}
	if f.Result != "" {
		p.and("result = ?", string(f.Result))
	}
	p.search("email", f.Email)
	return p
}

func scanAttempt(rows *sql.Rows) (a mailing.Attempt, err error) {
	var at, duration int64
	err = rows.Scan(&a.ID, &a.DeliveryID, &a.RunID, &a.MailingID, &a.OwnerID, &a.Email, &at,
		&duration, &a.Node, &a.Host, &a.TLS, &a.Stage, &a.Result, &a.Reply.Code, &a.Reply.Enhanced, &a.Reply.Text)
	a.At, a.Duration = instant(at), time.Duration(duration)*time.Microsecond
	return a, err
}
