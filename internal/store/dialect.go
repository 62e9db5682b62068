package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"vestnik/internal/store/sqlc"
)

// dialect is all that differs between the databases.
type dialect struct {
	name  string
	title string // as people call it
	clock string // asks for its time, in milliseconds
	facts string // asks for its version and its size in bytes
	lease string // what is due by the clock
	fill  string // before a run is written down; empty: nothing
	turn  string // whose turn it is in a run, to be moved on by nobody else until the end of the transaction
	// field reads element i of a JSON array as the SQL type, which is bigint or
	// text; each gives the rows of a JSON array of arrays.
	field func(i int, sqlType string) string
	each  string
	// domain is the part of an address behind the @.
	domain string
}

// onlyByIndex has the rest of a transaction find rows one by one, by their indexes. By
// statistics that are older than the last import, or than a run that was just written
// down, PostgreSQL gathered, sorted or merged all of a million people for each few: half
// a second to write down the next ten thousand, two to lease the next 500.
const onlyByIndex = `set_config('enable_bitmapscan', 'off', true) || set_config('enable_mergejoin', 'off', true)
    || set_config('enable_hashjoin', 'off', true) || set_config('enable_material', 'off', true)
    || set_config('max_parallel_workers_per_gather', '0', true)`

var postgres = dialect{
	name:  "postgres",
	title: "PostgreSQL",
	clock: "select cast(extract(epoch from clock_timestamp()) * 1000 as bigint)",
	facts: "select current_setting('server_version'), pg_database_size(current_database())",
	// The picked rows are materialized so that the limit is kept when the plan
	// is a nested loop; other nodes' picks are skipped, not waited for. The next start
	// of the node waits for a lease of the one before that is still to be committed:
	// else it would not see what that one took, which nobody would send.
	lease: `with picked as materialized (
    select id from deliveries where run_id = $1 and state < 2 and due_at > 0 and due_at <= $2
        and exists (select 1 from nodes where nodes.id = $4 and epoch = $5 for share)
    order by due_at, id limit $3 for update skip locked
)
update deliveries d set state = 2, lease_node = $4, lease_epoch = $5
from picked where d.id = picked.id
returning d.id, coalesce(d.contact_id, 0), d.email, d.tries, d.vars, d.created_at`,
	fill: "select " + onlyByIndex,
	turn: `select leased_to, filled_to, ` + onlyByIndex + ` from runs
where id = $1 and (state = 'opening' or state = 'sending')
    and exists (select 1 from nodes where nodes.id = $2 and epoch = $3 for share)
for no key update`,
	field: func(i int, sqlType string) string { return fmt.Sprintf("cast(value ->> %d as %s)", i, sqlType) },
	each:  "jsonb_array_elements(cast($1 as jsonb)) as each_row (value)",

	domain: "split_part(email, '@', 2)",
}

var sqliteDialect = dialect{
	name:  "sqlite3",
	title: "SQLite",
	clock: "select cast(unixepoch('subsec') * 1000 as integer)",
	facts: "select sqlite_version(), page_count * page_size from pragma_page_count, pragma_page_size",
	lease: `update deliveries set state = 2, lease_node = $4, lease_epoch = $5
where id in (
    select id from deliveries where run_id = $1 and state < 2 and due_at > 0 and due_at <= $2
        and exists (select 1 from nodes where nodes.id = $4 and epoch = $5)
    order by due_at, id limit $3
)
returning id, coalesce(contact_id, 0), email, tries, vars, created_at`,
	turn: `select leased_to, filled_to, '' from runs
where id = $1 and (state = 'opening' or state = 'sending')
    and exists (select 1 from nodes where nodes.id = $2 and epoch = $3)`,
	field: func(i int, _ string) string { return fmt.Sprintf("json_extract(value, '$[%d]')", i) },
	each:  "json_each($1)",

	domain: "substr(email, instr(email, '@') + 1)",
}

// exec runs one statement that changes many rows and returns how many.
func (s *Store) exec(ctx context.Context, statement string, values ...any) (n int64, err error) {
	err = s.inTx(ctx, func(_ *sqlc.Queries, tx *sql.Tx) error {
		result, err := tx.ExecContext(ctx, statement, values...)
		if err != nil {
			return err
		}
		n, err = result.RowsAffected()
		return err
	})
	return n, err
}

// rows is a from-item over the JSON array of arrays in $1. Each column is given
// as "name type".
func (d dialect) rows(columns ...string) string {
	var fields []string
	for i, column := range columns {
		name, sqlType, _ := strings.Cut(column, " ")
		fields = append(fields, d.field(i, sqlType)+" as "+name)
	}
	return "(select " + strings.Join(fields, ", ") + " from " + d.each + ")"
}

// pools opens a pool of connections of a driver.
type pools func(driverName, dataSource string) (*sql.DB, error)

func open(databaseURL string, between func(driver.Driver) driver.Driver) (*Store, error) {
	pool := pools(sql.Open)
	if between != nil {
		pool = func(name, source string) (*sql.DB, error) { return openThrough(name, source, between) }
	}
	if path, ok := strings.CutPrefix(databaseURL, "sqlite:"); ok {
		return openSQLite(strings.TrimPrefix(path, "//"), pool)
	}
	db, err := pool("pgx", withIdleLimit(databaseURL))
	if err != nil {
		return nil, err
	}
	// Sixteen connections a node keep every room busy on the machines measured;
	// PostgreSQL allows a hundred by default, for all nodes.
	db.SetMaxOpenConns(16)
	db.SetMaxIdleConns(16)
	return &Store{write: db, read: db, dialect: postgres}, nil
}

// idleLimit is how long PostgreSQL lets a transaction stand still in which nobody asks
// anything, in milliseconds. A node that freezes in the middle of one keeps the locks,
// and with them everybody else from the run, until it wakes; ours take less than a
// second. Chosen: as long as a node waits for the database.
const idleLimit = "10000"

// withIdleLimit adds the limit to the address of a database, unless it has one. Of an
// address that is none the driver complains, who shows no password.
func withIdleLimit(databaseURL string) string {
	u, err := url.Parse(databaseURL)
	if err != nil {
		return databaseURL
	}
	settings := u.Query()
	if name := "idle_in_transaction_session_timeout"; !settings.Has(name) {
		settings.Set(name, idleLimit)
	}
	u.RawQuery = settings.Encode()
	return u.String()
}

// openSQLite follows what SQLite's own documentation advises for a server: WAL,
// so that readers do not wait; every commit on disk before it is answered; one
// writer, whose transactions take the lock at once and so never fail half way.
func openSQLite(path string, pool pools) (*Store, error) {
	common := url.Values{"_pragma": {
		"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)",
		"cache_size(-32000)", "temp_store(MEMORY)",
	}}
	writer, reader := url.Values{"_txlock": {"immediate"}}, url.Values{}
	writer["_pragma"] = common["_pragma"]
	reader["_pragma"] = append(common["_pragma"][:len(common["_pragma"]):len(common["_pragma"])], "query_only(1)")
	write, err := pool("sqlite", fileURL(path)+writer.Encode())
	if err != nil {
		return nil, err
	}
	write.SetMaxOpenConns(1)
	read, err := pool("sqlite", fileURL(path)+reader.Encode())
	if err != nil {
		return nil, errors.Join(err, write.Close())
	}
	read.SetMaxOpenConns(4)
	return &Store{write: write, read: read, dialect: sqliteDialect, path: path}, nil
}

// fileURL is how SQLite is told of a file; its parameters follow.
func fileURL(path string) string { return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" }

// openThrough is sql.Open with something between the pool and the driver.
func openThrough(name, source string, between func(driver.Driver) driver.Driver) (*sql.DB, error) {
	direct, err := sql.Open(name, source)
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(connector{between(direct.Driver()), source}), direct.Close()
}

// connector makes connections by a driver that is not registered.
type connector struct {
	driver driver.Driver
	source string
}

// Connect implements driver.Connector.
func (c connector) Connect(context.Context) (driver.Conn, error) { return c.driver.Open(c.source) }

// Driver implements driver.Connector.
func (c connector) Driver() driver.Driver { return c.driver }

// isDeadlock reports whether err says that the transaction was undone because it
// and another waited for each other, and may be tried again.
func isDeadlock(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && (pg.Code == "40P01" || pg.Code == "40001") // deadlock_detected, serialization_failure
}

// isVersionGone reports whether err says that a version was deleted because nobody's run had
// it, while a run was opened with it: whoever of the two is told so may try again, and then
// sees what the other has done. Another broken reference stays broken.
func isVersionGone(err error) bool {
	var pg *pgconn.PgError
	return errors.Is(err, errVersionGone) ||
		errors.As(err, &pg) && pg.Code == "23503" && pg.ConstraintName == "runs_version_id_fkey" // foreign_key_violation
}

// isBusy reports whether err says that another process has SQLite's lock.
func isBusy(err error) bool {
	var lite *sqlite.Error
	return errors.As(err, &lite) && lite.Code()&0xff == sqlite3.SQLITE_BUSY // the rest says why
}

// isForbidden reports whether err says that the role may not do that.
func isForbidden(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == "42501" // insufficient_privilege
}

// isDuplicate reports whether err says that a unique value is there already.
func isDuplicate(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code == "23505" // unique_violation
	}
	var lite *sqlite.Error
	return errors.As(err, &lite) &&
		(lite.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE || lite.Code() == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY)
}
