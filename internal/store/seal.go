package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"vestnik/internal/store/sqlc"
)

// SealedColumn is a column of sealed texts; an empty one is none.
type SealedColumn struct {
	Table, Column string
	About         []string // the columns that a seal is about
}

// SealedText is a text in a sealed column.
type SealedText struct {
	SealedColumn
	AboutValues []string // of the columns of About
	Sealed      string
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
				// No two seals are the same, so that one is as good as an id.
				statement := fmt.Sprintf(`update %s set %s = $1 where %s = $2`, column.Table, column.Column, column.Column)
				if _, err := tx.ExecContext(ctx, statement, again, text.Sealed); err != nil {
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
	statement := fmt.Sprintf(`select %s, %s from %s where %s <> ''`, c.Column, strings.Join(c.About, ", "), c.Table, c.Column)
	rows, err := tx.QueryContext(ctx, statement)
	if err != nil {
		return nil, err
	}
	return collect(rows, func(rows *sql.Rows) (SealedText, error) {
		text := SealedText{SealedColumn: c, AboutValues: make([]string, len(c.About))}
		into := []any{&text.Sealed}
		for i := range text.AboutValues {
			into = append(into, &text.AboutValues[i])
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
