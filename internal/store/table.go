package store

import (
	"context"
	"database/sql"
	"strconv"
	"strings"
)

// tableStatement is a statement over v, a table of numbers and strings that is
// handed to it with each call. It is for what happens for every mail: a table as
// JSON is simpler, see dialect.rows, and took SQLite three times as long
// (35 µs against 10 µs for the row of an attempt).
type tableStatement struct {
	columns []string // of v: "name type", where the type is bigint or text
	values  int      // how many parameters the statement has besides: $1, $2 and so on, each once and in order
	text    string   // begins behind "with v as (…)"
}

// tableParts are how many rows SQLite is handed at once, each value a parameter: of
// 1, 10, 50 and 100, the last two took least, and were alike. What is left goes in
// smaller parts, so that there are few statements to keep prepared.
var tableParts = []int{64, 8, 1}

// tableStatements are all there are.
var tableStatements = []*tableStatement{
	&peopleStatement, &acceptedStatement, &settleStatement, &recordedStatement, &attemptStatement, &alikeStatement,
}

// run runs the statement over the rows, whose strings are made storable in place,
// and calls scan for every row that it returns. The rows are done in order; with
// SQLite in parts, for which the store must be prepared.
func (st *tableStatement) run(ctx context.Context, s *Store, tx *sql.Tx, rows [][]any, scan func(*sql.Rows) error, values ...any) error {
	return st.do(s, rows, values, func(text string, prepared *sql.Stmt, values []any) error {
		if prepared != nil {
			return scanAll(scan)(tx.StmtContext(ctx, prepared).QueryContext(ctx, values...))
		}
		return scanAll(scan)(tx.QueryContext(ctx, text, values...))
	})
}

// exec is run for a statement that returns no rows, and says how many it changed.
func (st *tableStatement) exec(ctx context.Context, s *Store, tx *sql.Tx, rows [][]any, values ...any) (changed int64, err error) {
	err = st.do(s, rows, values, func(text string, prepared *sql.Stmt, values []any) (err error) {
		var result sql.Result
		if prepared != nil {
			result, err = tx.StmtContext(ctx, prepared).ExecContext(ctx, values...)
		} else {
			result, err = tx.ExecContext(ctx, text, values...)
		}
		if err != nil {
			return err
		}
		n, err := result.RowsAffected()
		changed += n
		return err
	})
	return changed, err
}

// do calls call for each part of the rows with a statement, prepared or as text, and
// the values of all its parameters.
func (st *tableStatement) do(s *Store, rows [][]any, values []any, call func(text string, prepared *sql.Stmt, values []any) error) error {
	for _, row := range rows {
		for i, value := range row {
			if text, ok := value.(string); ok {
				row[i] = storable(text)
			}
		}
	}
	if s.Postgres() {
		return call(st.unnested(), nil, append(values, st.transposed(rows)...))
	}
	for _, size := range tableParts {
		for ; len(rows) >= size; rows = rows[size:] {
			if err := call("", s.prepared[preparedKey{st, size}], listed(rows[:size], values)); err != nil {
				return err
			}
		}
	}
	return nil
}

// listed are the values of a listed statement's parameters.
func listed(rows [][]any, values []any) []any {
	all := make([]any, 0, len(rows)*len(rows[0])+len(values))
	for _, row := range rows {
		all = append(all, row...)
	}
	return append(all, values...)
}

// scanAll calls scan for every row of an answer.
func scanAll(scan func(*sql.Rows) error) func(*sql.Rows, error) error {
	return func(rows *sql.Rows, err error) error {
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			if err := scan(rows); err != nil {
				return err
			}
		}
		return rows.Err()
	}
}

// preparedKey names a statement for a part of a table.
type preparedKey struct {
	statement *tableStatement
	rows      int
}

// prepare prepares the statements that SQLite is handed tables with, once the schema
// is there: to prepare one takes as long as to run it.
func (s *Store) prepare(ctx context.Context) error {
	if s.Postgres() {
		return nil // its driver keeps what it has prepared
	}
	s.preparing.Lock()
	defer s.preparing.Unlock()
	if s.prepared != nil {
		return nil
	}
	prepared := map[preparedKey]*sql.Stmt{}
	for _, st := range tableStatements {
		for _, size := range tableParts {
			statement, err := s.write.PrepareContext(ctx, st.listed(size))
			if err != nil {
				return err
			}
			prepared[preparedKey{st, size}] = statement
		}
	}
	s.prepared = prepared
	return nil
}

// listed is the statement for so many rows, whose values are parameters, before all
// others. They have no names: SQLite goes through all names to find one, which for
// a thousand parameters took as long as the rest.
func (st *tableStatement) listed(rows int) string {
	var b strings.Builder
	b.WriteString("with v (")
	for i, column := range st.columns {
		name, _, _ := strings.Cut(column, " ")
		writeListed(&b, i, name)
	}
	b.WriteString(") as (values ")
	for row := range rows {
		writeListed(&b, row, "(")
		for i := range st.columns {
			writeListed(&b, i, "?")
		}
		b.WriteString(")")
	}
	text := st.text
	for number := range st.values {
		text = strings.Replace(text, "$"+strconv.Itoa(number+1), "?", 1)
	}
	return b.String() + ") " + text
}

func writeListed(b *strings.Builder, index int, text string) {
	if index > 0 {
		b.WriteString(", ")
	}
	b.WriteString(text)
}

// unnested is the statement for any number of rows, whose columns are parameters.
func (st *tableStatement) unnested() string {
	var names, arrays []string
	for i, column := range st.columns {
		name, sqlType, _ := strings.Cut(column, " ")
		names = append(names, name)
		arrays = append(arrays, "cast($"+strconv.Itoa(st.values+i+1)+" as "+sqlType+"[])")
	}
	return "with v as (select * from unnest(" + strings.Join(arrays, ", ") + ") as v (" + strings.Join(names, ", ") + ")) " + st.text
}

// transposed gives the columns of rows.
func (st *tableStatement) transposed(rows [][]any) []any {
	columns := make([]any, len(st.columns))
	for i, column := range st.columns {
		if strings.HasSuffix(column, " text") {
			columns[i] = columnOf[string](rows, i)
		} else {
			columns[i] = columnOf[int64](rows, i)
		}
	}
	return columns
}

func columnOf[T any](rows [][]any, index int) []T {
	column := make([]T, len(rows))
	for i, row := range rows {
		column[i] = row[index].(T)
	}
	return column
}
