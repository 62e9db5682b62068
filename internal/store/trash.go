package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"vestnik/internal/mailing"
	"vestnik/internal/store/sqlc"
)

// TrashKept is how long what was deleted may be brought back. Chosen: who has looked away
// from the page comes back within that time, and who asks to be forgotten does not wait long.
const TrashKept = time.Hour

type trashKey struct{}

// bin is where a deletion of a context puts what it deletes.
type bin struct {
	batch int64
	at    time.Time
}

// WithTrash has what the next deletion of the context removes be kept from the moment on, for
// TrashKept and under the id, to be brought back by Restore. What could not be brought back as
// it was is then not deleted, which is a conflict: see DeleteMailing.
func WithTrash(ctx context.Context, batch int64, at time.Time) context.Context {
	return context.WithValue(ctx, trashKey{}, bin{batch, at})
}

// keepsTrash reports whether what is deleted is to be kept.
func keepsTrash(ctx context.Context) bool {
	_, ok := ctx.Value(trashKey{}).(bin)
	return ok
}

// trashed is a row as it was, by column, and the ids that led to it or to which it led.
type trashed struct {
	Row   map[string]any
	Draft map[string]any // what was typed of a mailing and not applied; nil: nothing
	Links []int64
}

// trashTables are the tables whose rows may be brought back, by kind of thing.
var trashTables = map[mailing.ThingKind]struct{ name, links string }{
	mailing.ThingContact: {"contacts", "select mailing_id from mailing_contacts where contact_id = $1"},
	mailing.ThingMessage: {"messages", ""},
	mailing.ThingMailing: {"mailings", "select contact_id from mailing_contacts where mailing_id = $1"},
}

// throw puts the things into the trash that the context names, if it does: they are about to be
// deleted in the same transaction. What is not there is left out.
// With an owner, so is what is not theirs.
func throw(ctx context.Context, q *sqlc.Queries, tx *sql.Tx, kind mailing.ThingKind, ownerID int64, ids ...int64) error {
	to, ok := ctx.Value(trashKey{}).(bin)
	if !ok {
		return nil
	}
	for _, id := range ids {
		t, err := readTrash(ctx, tx, kind, id)
		if err != nil {
			return err
		}
		owner, ok := t.Row["owner_id"].(int64)
		if !ok || ownerID != 0 && owner != ownerID {
			continue
		}
		content, err := json.Marshal(t)
		if err != nil {
			return err
		}
		email, _ := t.Row["email"].(string)
		err = q.PutTrash(ctx, sqlc.PutTrashParams{
			Batch: to.batch, Kind: string(kind), ThingID: id, OwnerID: owner, Email: email, Content: string(content), DeletedAt: millis(to.at),
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func readTrash(ctx context.Context, tx *sql.Tx, kind mailing.ThingKind, id int64) (t trashed, err error) {
	table := trashTables[kind]
	// Nobody changes it between this look and its deletion.
	if _, err := tx.ExecContext(ctx, "update "+table.name+" set owner_id = owner_id where id = $1", id); err != nil {
		return t, err
	}
	rows, err := tx.QueryContext(ctx, "select * from "+table.name+" where id = $1", id)
	if err != nil {
		return t, err
	}
	found, err := collect(rows, scanRow)
	if err != nil || len(found) == 0 {
		return t, err
	}
	t.Row = found[0]
	if kind == mailing.ThingMailing {
		if t.Draft, err = readDraft(ctx, tx, id); err != nil {
			return t, err
		}
	}
	if table.links == "" {
		return t, nil
	}
	if rows, err = tx.QueryContext(ctx, table.links, id); err != nil {
		return t, err
	}
	t.Links, err = collect(rows, func(rows *sql.Rows) (id int64, err error) { return id, rows.Scan(&id) })
	return t, err
}

func readDraft(ctx context.Context, tx *sql.Tx, mailingID int64) (map[string]any, error) {
	rows, err := tx.QueryContext(ctx, "select * from mailing_drafts where mailing_id = $1", mailingID)
	if err != nil {
		return nil, err
	}
	found, err := collect(rows, scanRow)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return found[0], nil
}

// scanRow reads a row of numbers and texts, whatever its columns: a column that is added to a
// table later comes back, too.
func scanRow(rows *sql.Rows) (map[string]any, error) {
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	values := make([]any, len(columns))
	for i := range values {
		values[i] = new(any)
	}
	if err := rows.Scan(values...); err != nil {
		return nil, err
	}
	row := make(map[string]any, len(columns))
	for i, column := range columns {
		value := *values[i].(*any)
		if text, ok := value.([]byte); ok {
			value = string(text)
		}
		row[column] = value
	}
	return row, nil
}

// Trash is what was deleted at once.
type Trash struct {
	Batch   int64
	Kind    mailing.ThingKind
	OwnerID int64
	ThingID int64  // of the only one; 0: there are several
	Name    string // what the audit log calls it
	Email   string // of the only client; empty: it is another thing, or there are several
	Count   int64
}

// Trash returns what is kept under the id at the moment. When nothing is, it is an error
// "undo_over".
func (s *Store) Trash(ctx context.Context, batch int64, now time.Time) (Trash, error) {
	rows, err := s.trash(ctx, s.r, batch, now)
	if err != nil {
		return Trash{}, wrap(err, "trash")
	}
	t := Trash{Batch: batch, Kind: mailing.ThingKind(rows[0].Kind), OwnerID: rows[0].OwnerID, Count: int64(len(rows))}
	if len(rows) == 1 {
		t.ThingID, t.Email = rows[0].ThingID, rows[0].Email
		t.Name, err = s.nameOfTrash(ctx, rows[0])
	}
	return t, wrap(err, "name of trash")
}

// nameOfTrash is a message's subject, and of a mailing that of its message if that is still
// there; of a contact the masked address.
func (s *Store) nameOfTrash(ctx context.Context, row sqlc.Trash) (string, error) {
	t, err := readContent(row)
	if err != nil {
		return "", err
	}
	switch mailing.ThingKind(row.Kind) {
	case mailing.ThingContact:
		return mailing.MaskEmail(row.Email), nil
	case mailing.ThingMessage:
		return t.Row["subject"].(string), nil
	}
	m, err := s.Message(ctx, t.Row["message_id"].(int64))
	if mailing.KindOf(err) == mailing.NotFound {
		return "", nil
	}
	return m.Subject, err
}

func (s *Store) trash(ctx context.Context, q *sqlc.Queries, batch int64, now time.Time) ([]sqlc.Trash, error) {
	rows, err := q.Trash(ctx, sqlc.TrashParams{Batch: batch, Since: millis(now.Add(-TrashKept))})
	if err == nil && len(rows) == 0 {
		err = mailing.Fault(mailing.Conflict, "undo_over")
	}
	return rows, err
}

// TrashedEmails are the addresses of the clients that are kept under the id.
func (s *Store) TrashedEmails(ctx context.Context, batch int64, now time.Time) (emails []string, err error) {
	rows, err := s.trash(ctx, s.r, batch, now)
	for _, row := range rows {
		if mailing.ThingKind(row.Kind) == mailing.ThingContact {
			emails = append(emails, row.Email)
		}
	}
	return emails, err
}

// Restore brings back what is kept under the id, with the ids and links that it had, and
// returns how many that were: not a client whose address is there again. A mailing comes back
// as revive makes it of what it was. When nothing is kept, it is a conflict, "undo_over".
func (s *Store) Restore(ctx context.Context, batch int64, now time.Time, revive func(mailing.Mailing) (mailing.Mailing, error)) (n int64, err error) {
	err = s.inTx(ctx, func(q *sqlc.Queries, tx *sql.Tx) error {
		n = 0
		rows, err := s.trash(ctx, q, batch, now)
		if err != nil {
			return err
		}
		if err := q.LockAccount(ctx, rows[0].OwnerID); err != nil { // see ErasePerson
			return err
		}
		if rows, err = s.trash(ctx, q, batch, now); err != nil {
			return err
		}
		// Of two who bring it back at once, the second finds nothing to drop.
		if dropped, err := q.DropTrash(ctx, batch); err != nil || dropped == 0 {
			return orFault(err, "undo_over")
		}
		for _, row := range rows {
			isMailing := mailing.ThingKind(row.Kind) == mailing.ThingMailing
			if isMailing { // a draft by that id is of somebody who took it for free
				if err := q.DeleteDraft(ctx, row.ThingID); err != nil {
					return err
				}
			}
			back, err := s.putBack(ctx, tx, row)
			if err != nil {
				return err
			}
			n += back
			if isMailing {
				if err := reviveMailing(ctx, q, row.ThingID, revive); err != nil {
					return err
				}
			}
		}
		if n == 0 {
			return mailing.Fault(mailing.Conflict, "undo_replaced")
		}
		return nil
	})
	if isBrokenLink(err) {
		err = mailing.Fault(mailing.Conflict, "undo_message_gone")
	}
	return n, wrap(err, "restore")
}

func orFault(err error, code string) error {
	if err == nil {
		err = mailing.Fault(mailing.Conflict, code)
	}
	return err
}

// readContent reads a row as it was, with whole numbers: ids are exact.
func readContent(row sqlc.Trash) (t trashed, err error) {
	read := json.NewDecoder(strings.NewReader(row.Content))
	read.UseNumber()
	if err := read.Decode(&t); err != nil {
		return t, err
	}
	return t, errors.Join(wholeNumbers(t.Row), wholeNumbers(t.Draft))
}

func wholeNumbers(row map[string]any) (err error) {
	for column, value := range row {
		if number, ok := value.(json.Number); ok {
			if row[column], err = number.Int64(); err != nil {
				return err
			}
		}
	}
	return nil
}

// putBack inserts one row and its links, and returns 0 if another has its place.
func (s *Store) putBack(ctx context.Context, tx *sql.Tx, row sqlc.Trash) (int64, error) {
	kind := mailing.ThingKind(row.Kind)
	t, err := readContent(row)
	if err != nil {
		return 0, err
	}
	n, err := insertRow(ctx, tx, trashTables[kind].name, t.Row)
	if err != nil || n == 0 {
		return n, err
	}
	if t.Draft != nil {
		if _, err := insertRow(ctx, tx, "mailing_drafts", t.Draft); err != nil {
			return 0, err
		}
	}
	if len(t.Links) == 0 {
		return n, nil
	}
	return n, s.putBackLinks(ctx, tx, kind, row, t.Links)
}

// insertRow inserts a row unless another has its place, and returns how many it inserted.
func insertRow(ctx context.Context, tx *sql.Tx, table string, row map[string]any) (int64, error) {
	columns := slices.Sorted(maps.Keys(row))
	values, places := make([]any, len(columns)), make([]string, len(columns))
	for i, column := range columns {
		values[i], places[i] = row[column], fmt.Sprintf("$%d", i+1)
	}
	result, err := tx.ExecContext(ctx, "insert into "+table+" ("+strings.Join(columns, ", ")+
		") values ("+strings.Join(places, ", ")+") on conflict do nothing", values...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// putBackLinks chooses the contact for the mailings again, or the contacts for the mailing,
// that are still there.
func (s *Store) putBackLinks(ctx context.Context, tx *sql.Tx, kind mailing.ThingKind, row sqlc.Trash, links []int64) error {
	choose := "select cast($2 as bigint), c.id from contacts c where c.owner_id = $3 and c.id in (select id from "
	if kind == mailing.ThingContact {
		choose = "select m.id, cast($2 as bigint) from mailings m where m.owner_id = $3 and m.id in (select id from "
	}
	_, err := tx.ExecContext(ctx, "insert into mailing_contacts (mailing_id, contact_id) "+choose+s.dialect.rows("id bigint")+
		" v) on conflict (mailing_id, contact_id) do nothing", jsonIDs(links), row.ThingID, row.OwnerID)
	return err
}

func reviveMailing(ctx context.Context, q *sqlc.Queries, id int64, revive func(mailing.Mailing) (mailing.Mailing, error)) error {
	row, err := found(q.Mailing(ctx, id))
	if err != nil {
		return err
	}
	was, err := mailingOf(row)
	if err != nil {
		return err
	}
	m, err := revive(was)
	if err != nil || m.Status == was.Status && m.NextAt.Equal(was.NextAt) {
		return err
	}
	return changed(q.SetMailingStatus(ctx, sqlc.SetMailingStatusParams{
		ID: id, Status: string(m.Status), NextAt: millis(m.NextAt), StopBy: m.StopBy, StopWhy: m.StopWhy,
		StoppedAt: millis(m.StoppedAt), WasStatus: string(was.Status),
	}))
}

// SweepTrash forgets what is not kept any more.
func (s *Store) SweepTrash(ctx context.Context, now time.Time) error {
	return wrap(untilNone(func() (int64, error) {
		return s.w.SweepTrash(ctx, sqlc.SweepTrashParams{Before: millis(now.Add(-TrashKept)), Most: sweepBatch})
	}), "sweep trash")
}

// isBrokenLink reports whether err says that what a row refers to is not there.
func isBrokenLink(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code == "23503" // foreign_key_violation
	}
	var lite *sqlite.Error
	return errors.As(err, &lite) && lite.Code() == sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY
}
