package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"vestnik/internal/store/sqlc"
)

// SealedColumn is a column of sealed texts; an empty one is none.
type SealedColumn struct {
	Table, Column string
	Key           []string // the columns by which a row is found
	About         []string // the columns that a seal is about
}

// SealedText is a text in a sealed column.
type SealedText struct {
	SealedColumn
	AboutValues []string // of the columns of About
	Sealed      string
	keyValues   []any // of the columns of Key
}

// update is the statement that puts another text, $1, in place of one, $2, in the row with
// the key. By the text alone it would go through the table for each.
func (c SealedColumn) update() string {
	statement := fmt.Sprintf(`update %s set %s = $1 where %s = $2`, c.Table, c.Column, c.Column)
	for i, key := range c.Key {
		statement += fmt.Sprintf(" and %s = $%d", key, i+3)
	}
	return statement
}

// Reseal replaces the sealed texts of the columns by what reseal makes of each, or
// leaves one as it is for "", and stores the check of the key that they are sealed by,
// all in one transaction. It returns how many were replaced.
func (s *Store) Reseal(ctx context.Context, columns []SealedColumn, reseal func(SealedText) (string, error), keyCheck string) (n int, err error) {
	err = s.inTx(ctx, func(_ *sqlc.Queries, tx *sql.Tx) error {
		n = 0
		for _, column := range columns {
			texts, err := sealedTexts(ctx, tx, column)
			if err != nil {
				return err
			}
			for _, text := range texts {
				again, err := reseal(text)
				if err != nil {
					return err
				}
				if again == "" {
					continue
				}
				values := append([]any{again, text.Sealed}, text.keyValues...)
				if _, err := tx.ExecContext(ctx, column.update(), values...); err != nil {
					return err
				}
				n++
			}
		}
		_, err := tx.ExecContext(ctx, `update installation set key_check = $1`, keyCheck)
		return err
	})
	return n, wrap(err, "seal anew")
}

func sealedTexts(ctx context.Context, tx *sql.Tx, c SealedColumn) ([]SealedText, error) {
	fields := slices.Concat([]string{c.Column}, c.About, c.Key)
	statement := fmt.Sprintf(`select %s from %s where %s <> ''`, strings.Join(fields, ", "), c.Table, c.Column)
	rows, err := tx.QueryContext(ctx, statement)
	if err != nil {
		return nil, err
	}
	return collect(rows, func(rows *sql.Rows) (SealedText, error) {
		text := SealedText{SealedColumn: c, AboutValues: make([]string, len(c.About)), keyValues: make([]any, len(c.Key))}
		into := []any{&text.Sealed}
		for i := range text.AboutValues {
			into = append(into, &text.AboutValues[i])
		}
		for i := range text.keyValues {
			into = append(into, &text.keyValues[i])
		}
		return text, rows.Scan(into...)
	})
}

// Columns lists the columns of all tables as "table.column".
func (s *Store) Columns(ctx context.Context) ([]string, error) {
	statement := `select m.name || '.' || c.name from sqlite_master m join pragma_table_info(m.name) c where m.type = 'table'`
	if s.Postgres() {
		statement = `select table_name || '.' || column_name from information_schema.columns where table_schema = current_schema()`
	}
	rows, err := s.read.QueryContext(ctx, statement)
	if err != nil {
		return nil, wrap(err, "list columns")
	}
	return collect(rows, func(rows *sql.Rows) (name string, err error) { return name, rows.Scan(&name) })
}

// KeyCheck is the check of the key that the sealed texts are sealed by.
func (s *Store) KeyCheck(ctx context.Context) (string, error) {
	row, err := s.w.Installation(ctx)
	return row.KeyCheck, wrap(err, "key check")
}
