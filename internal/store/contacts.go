package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/store/sqlc"
)

// CreateContact adds a contact and returns its id. An address the owner has
// already is a conflict, "contact_exists".
func (s *Store) CreateContact(ctx context.Context, c mailing.Contact) (int64, error) {
	id := NewID()
	made(ctx, id)
	err := s.do(ctx, func(q *sqlc.Queries) error {
		rows, err := q.CreateContact(ctx, sqlc.CreateContactParams{
			ID: id, OwnerID: c.OwnerID, Email: c.Email, FirstName: c.FirstName, LastName: c.LastName,
			Comment: c.Comment, Search: contactSearch(c), CreatedAt: millis(c.CreatedAt),
		})
		if err == nil && rows == 0 {
			return contactExists(c.Email)
		}
		return err
	})
	if err != nil {
		return 0, wrap(err, "create contact")
	}
	return id, nil
}

// Contact returns a contact, whoever owns it.
func (s *Store) Contact(ctx context.Context, id int64) (mailing.Contact, error) {
	row, err := found(s.r.Contact(ctx, id))
	return contactOf(row), wrap(err, "contact")
}

// ContactByEmail returns the owner's contact with the normalised address.
func (s *Store) ContactByEmail(ctx context.Context, ownerID int64, email string) (mailing.Contact, error) {
	row, err := found(s.r.ContactByEmail(ctx, sqlc.ContactByEmailParams{OwnerID: ownerID, Email: email}))
	return contactOf(sqlc.ContactRow(row)), wrap(err, "contact by e-mail")
}

// UpdateContact stores the fields of a contact.
func (s *Store) UpdateContact(ctx context.Context, c mailing.Contact) error {
	err := s.do(ctx, func(q *sqlc.Queries) error {
		return q.UpdateContact(ctx, sqlc.UpdateContactParams{
			ID: c.ID, Email: c.Email, FirstName: c.FirstName, LastName: c.LastName,
			Comment: c.Comment, Search: contactSearch(c), UpdatedAt: millis(c.UpdatedAt),
		})
	})
	if isDuplicate(err) {
		return contactExists(c.Email)
	}
	return wrap(err, "update contact")
}

// DeleteContacts removes those of the ids that are the owner's and returns how
// many were. Their deliveries and the suppression of their addresses stay. See WithTrash.
func (s *Store) DeleteContacts(ctx context.Context, ownerID int64, ids []int64) (n int64, err error) {
	err = s.inTx(ctx, func(q *sqlc.Queries, tx *sql.Tx) error {
		if err := throw(ctx, q, tx, mailing.ThingContact, ownerID, ids...); err != nil {
			return err
		}
		rows, err := tx.QueryContext(ctx, `delete from contacts
where owner_id = $2 and id in (select id from `+s.dialect.rows("id bigint")+` v) returning email`, jsonIDs(ids), ownerID)
		if err != nil {
			return err
		}
		emails, err := collect(rows, func(rows *sql.Rows) (email string, err error) { return email, rows.Scan(&email) })
		if n = int64(len(emails)); err != nil || n == 0 {
			return orUnchanged(n, err)
		}
		tell(ctx, func(d *mailing.Deed) { d.Before = manyBefore(d.Before, emails) })
		return nil
	})
	return n, wrap(err, "delete contacts")
}

// ImportContacts adds the contacts whose addresses the owner does not have yet
// and returns how many that were. All must have the same owner.
func (s *Store) ImportContacts(ctx context.Context, contacts []mailing.Contact) (int64, error) {
	if len(contacts) == 0 {
		return 0, nil
	}
	// In one order, so that two imports of the same people do not wait for each
	// other, and so that the index by address grows page by page.
	sorted := slices.SortedFunc(slices.Values(contacts), func(a, b mailing.Contact) int {
		return cmp.Compare(a.Email, b.Email)
	})
	rows := make([][]any, len(sorted))
	for i, c := range sorted {
		rows[i] = []any{
			NewID(), c.OwnerID, c.Email, c.FirstName, c.LastName, c.Comment, contactSearch(c),
			millis(c.CreatedAt), millis(c.CreatedAt),
		}
	}
	source := s.dialect.rows("id bigint", "owner_id bigint", "email text", "first_name text", "last_name text",
		"comment text", "search text", "created_at bigint", "updated_at bigint")
	added, err := s.exec(ctx, `insert into contacts
    (id, owner_id, email, first_name, last_name, comment, search, created_at, updated_at)
select id, owner_id, email, first_name, last_name, comment, search, created_at, updated_at from `+source+` v
where true on conflict (owner_id, email) do nothing`, jsonRows(rows))
	return added, wrap(err, "import contacts")
}

// Suppress leaves the address out of the owner's mailings from now on. It
// reports whether that is new. An earlier reason stays, but for a person's own word,
// which outweighs all others: the owner cannot take it back.
func (s *Store) Suppress(ctx context.Context, sup mailing.Suppression) (bool, error) {
	var n int64
	err := s.do(ctx, func(q *sqlc.Queries) (err error) {
		n, err = q.Suppress(ctx, suppressParams(sup))
		return orUnchanged(n, err)
	})
	return n > 0, wrap(err, "suppress")
}

// Unsuppress lets the address be mailed again. It is a conflict,
// "contact_unsubscribed", when the person themselves wants no mail.
func (s *Store) Unsuppress(ctx context.Context, ownerID int64, email string) error {
	var n int64
	err := s.do(ctx, func(q *sqlc.Queries) (err error) {
		n, err = q.Unsuppress(ctx, sqlc.UnsuppressParams{OwnerID: ownerID, Email: email})
		return orUnchanged(n, err)
	})
	if err != nil || n > 0 {
		return wrap(err, "unsuppress")
	}
	suppressed, err := s.Suppressed(ctx, ownerID, email)
	if err == nil && suppressed {
		return mailing.Fault(mailing.Conflict, "contact_unsubscribed")
	}
	return err
}

// Suppressed reports whether the address is left out of the owner's mailings.
func (s *Store) Suppressed(ctx context.Context, ownerID int64, email string) (bool, error) {
	_, err := found(s.r.Suppression(ctx, sqlc.SuppressionParams{OwnerID: ownerID, Email: email}))
	if mailing.KindOf(err) == mailing.NotFound {
		return false, nil
	}
	return err == nil, wrap(err, "suppression")
}

// SuppressionsSince lists the suppressions made at since or later, of all owners.
func (s *Store) SuppressionsSince(ctx context.Context, since time.Time) ([]mailing.Suppression, error) {
	rows, err := s.r.SuppressionsSince(ctx, millis(since))
	if err != nil {
		return nil, wrap(err, "new suppressions")
	}
	list := make([]mailing.Suppression, len(rows))
	for i, row := range rows {
		list[i] = mailing.Suppression{
			OwnerID: row.OwnerID, Email: row.Email, Reason: mailing.Reason(row.Reason),
			Detail: row.Detail, CreatedAt: instant(row.CreatedAt),
		}
	}
	return list, nil
}

// Import is the report of one import of contacts.
type Import struct {
	ID, OwnerID                     int64
	Filename                        string
	Total, Added, Existing, Refused int64
	Fault                           string // code of what ended it early; empty: nothing
	CreatedAt, FinishedAt           time.Time

	Untaken string // columns that nothing was read from; known to who imports, and not kept
}

// Refusal is a line of a CSV file that was not imported, and why.
type Refusal struct {
	Line   int64
	Value  string
	Code   string
	Params map[string]any
}

// CreateImport begins a report and returns its id, which the deed of the context tells.
func (s *Store) CreateImport(ctx context.Context, ownerID int64, filename string, now time.Time) (int64, error) {
	id := NewID()
	tellAfter(ctx, "import", strconv.FormatInt(id, 10))
	err := s.do(ctx, func(q *sqlc.Queries) error {
		return q.CreateImport(ctx, sqlc.CreateImportParams{
			ID: id, OwnerID: ownerID, Filename: storable(filename), CreatedAt: millis(now),
		})
	})
	return id, wrap(err, "create import")
}

// UpdateImport stores the numbers and adds refused lines.
func (s *Store) UpdateImport(ctx context.Context, i Import, refusals []Refusal) error {
	return wrap(s.inTx(ctx, func(q *sqlc.Queries, tx *sql.Tx) error {
		err := q.UpdateImport(ctx, sqlc.UpdateImportParams{
			ID: i.ID, Total: i.Total, Added: i.Added, Existing: i.Existing, Refused: i.Refused,
			Fault: i.Fault, FinishedAt: millis(i.FinishedAt),
		})
		if err != nil || len(refusals) == 0 {
			return err
		}
		return s.insertRefusals(ctx, tx, i.ID, refusals)
	}), "update import")
}

func (s *Store) insertRefusals(ctx context.Context, tx *sql.Tx, importID int64, refusals []Refusal) error {
	rows := make([][]any, len(refusals))
	for i, r := range refusals {
		params, err := json.Marshal(r.Params)
		if err != nil {
			return err
		}
		rows[i] = []any{importID, r.Line, r.Value, r.Code, string(params)}
	}
	source := s.dialect.rows("import_id bigint", "line bigint", "value text", "code text", "params text")
	_, err := tx.ExecContext(ctx, `insert into import_refusals (import_id, line, value, code, params)
select import_id, line, value, code, params from `+source+` v
where true on conflict (import_id, line) do nothing`, jsonRows(rows))
	return err
}

// Import returns the report with the id, whoever owns it.
func (s *Store) Import(ctx context.Context, id int64) (Import, error) {
	row, err := found(s.r.ImportReport(ctx, id))
	return importOf(row), wrap(err, "import")
}

// Imports lists the owner's latest imports, newest first.
func (s *Store) Imports(ctx context.Context, ownerID int64, most int64) ([]Import, error) {
	rows, err := s.r.Imports(ctx, sqlc.ImportsParams{OwnerID: ownerID, Most: most})
	list := make([]Import, len(rows))
	for i, row := range rows {
		list[i] = importOf(row)
	}
	return list, wrap(err, "imports")
}

// ImportRefusals lists refused lines after the given line, in order.
func (s *Store) ImportRefusals(ctx context.Context, importID, afterLine, most int64) ([]Refusal, error) {
	rows, err := s.r.ImportRefusals(ctx, sqlc.ImportRefusalsParams{
		ImportID: importID, AfterLine: afterLine, Most: most,
	})
	if err != nil {
		return nil, wrap(err, "import refusals")
	}
	list := make([]Refusal, len(rows))
	for i, row := range rows {
		list[i] = Refusal{Line: row.Line, Value: row.Value, Code: row.Code}
		if err := json.Unmarshal([]byte(row.Params), &list[i].Params); err != nil {
			return nil, wrap(err, "import refusals")
		}
	}
	return list, nil
}

func importOf(row sqlc.Import) Import {
	return Import{
		ID: row.ID, OwnerID: row.OwnerID, Filename: row.Filename, Total: row.Total, Added: row.Added,
		Existing: row.Existing, Refused: row.Refused, Fault: row.Fault,
		CreatedAt: instant(row.CreatedAt), FinishedAt: instant(row.FinishedAt),
	}
}

func contactOf(row sqlc.ContactRow) mailing.Contact {
	c := mailing.Contact{
		ID: row.ID, OwnerID: row.OwnerID, Email: row.Email, FirstName: row.FirstName, LastName: row.LastName,
		Comment: row.Comment, CreatedAt: instant(row.CreatedAt), UpdatedAt: instant(row.UpdatedAt),
	}
	if row.Reason != "" {
		c.Suppression = mailing.Suppression{
			OwnerID: row.OwnerID, Email: row.Email, Reason: mailing.Reason(row.Reason),
			Detail: row.Detail, CreatedAt: instant(row.SuppressedAt),
		}
	}
	return c
}

func contactExists(email string) error {
	return mailing.FieldFault(mailing.Conflict, "email", "contact_exists", "email", email)
}

func contactSearch(c mailing.Contact) string {
	return mailing.SearchText(c.Email, mailing.DisplayEmail(c.Email), c.FirstName, c.LastName, c.Comment)
}

func suppressParams(sup mailing.Suppression) sqlc.SuppressParams {
	return sqlc.SuppressParams{
		OwnerID: sup.OwnerID, Email: sup.Email, Reason: string(sup.Reason),
		Detail: storable(sup.Detail), CreatedAt: millis(sup.CreatedAt),
	}
}

// storable replaces what PostgreSQL does not keep in a text: bytes that are no
// UTF-8, and U+0000. Mail servers and uploaded files hold both.
func storable(text string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "\uFFFD")
}

// jsonRows is the parameter that dialect.rows reads. The values are numbers and
// strings, which always marshal; strings are made storable in place.
func jsonRows(rows [][]any) string {
	for _, row := range rows {
		for i, value := range row {
			if text, ok := value.(string); ok {
				row[i] = storable(text)
			}
		}
	}
	text, err := json.Marshal(rows)
	if err != nil {
		panic("store: rows of numbers and strings: " + err.Error())
	}
	return string(text)
}

func jsonIDs(ids []int64) string {
	rows := make([][]any, len(ids))
	for i, id := range ids {
		rows[i] = []any{id}
	}
	return jsonRows(rows)
}
