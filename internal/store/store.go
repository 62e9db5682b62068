// Package store keeps everything Vestnik knows in one SQLite file or one
// PostgreSQL database. It holds all SQL of the program and no rule: who may do
// what is decided in app, what follows what in mailing.
//
// Times are Unix milliseconds, passed in by the caller, so that both databases
// agree and tests decide what time it is. A zero time is 0. Ids of things that
// appear in addresses are random, so that they tell nobody how many there are.
package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"database/sql/driver"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/store/sqlc"
)

// Store is an open database. It is safe for concurrent use.
type Store struct {
	write   *sql.DB // SQLite: one connection, since one may write at a time
	read    *sql.DB // SQLite: read-only connections; PostgreSQL: the same pool
	dialect dialect
	path    string // of the file; empty for PostgreSQL
	w, r    *sqlc.Queries

	preparing sync.Mutex
	prepared  map[preparedKey]*sql.Stmt // once it is made, it does not change
}

// Open opens the database that url names: "sqlite:PATH" or "postgres://…". The
// schema is brought up to date by Migrate.
func Open(ctx context.Context, url string) (*Store, error) { return OpenThrough(ctx, url, nil) }

// OpenThrough is Open with something between the store and the driver of its
// database, where tests break it. Nil: nothing.
func OpenThrough(ctx context.Context, url string, between func(driver.Driver) driver.Driver) (*Store, error) {
	s, err := open(url, between)
	if err != nil {
		return nil, fmt.Errorf("store: open database: %w", err)
	}
	if err := s.connect(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("store: reach database: %w", err), s.Close())
	}
	s.w, s.r = sqlc.New(s.write), sqlc.New(s.read)
	return s, nil
}

// connectTries and connectPause make half a minute, far longer than SQLite takes
// to make a file.
const (
	connectTries = 600
	connectPause = 50 * time.Millisecond
)

// connect makes the first connection. While another process makes the file of the
// database and turns on its write-ahead log, SQLite answers "busy" at once and
// does not heed busy_timeout.
func (s *Store) connect(ctx context.Context) error {
	for try := 1; ; try++ {
		err := s.write.PingContext(ctx)
		if try == connectTries || !isBusy(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(connectPause):
		}
	}
}

// Close closes all connections.
func (s *Store) Close() error {
	return errors.Join(s.read.Close(), s.write.Close())
}

// Writer is the pool that may write, for the job queue, which keeps its tables
// in the same database.
func (s *Store) Writer() *sql.DB { return s.write }

// Postgres reports whether the database is PostgreSQL.
func (s *Store) Postgres() bool { return s.dialect.name == postgres.name }

// Ping reports whether the database answers.
func (s *Store) Ping(ctx context.Context) error {
	if err := s.write.PingContext(ctx); err != nil {
		return fmt.Errorf("store: reach database: %w", err)
	}
	return nil
}

// deadlockTries is how often a transaction is tried that PostgreSQL undoes
// because it and another wait for each other. Of two, one always gets through, so
// that chosen is more than is ever needed.
const deadlockTries = 10

// inTx runs do in a transaction and commits when it returns nil, with the deed of the
// context (see WithDeed). What do sets outside must be set from the beginning each time, since it may run again.
func (s *Store) inTx(ctx context.Context, do func(*sqlc.Queries, *sql.Tx) error) error {
	for try := 1; ; try++ {
		err := s.tryTx(ctx, do)
		if errors.Is(err, sql.ErrTxDone) && ctx.Err() != nil {
			err = ctx.Err() // which undoes the transaction behind our back
		}
		if try == deadlockTries || !isDeadlock(err) && !isVersionGone(err) {
			return err
		}
	}
}

func (s *Store) tryTx(ctx context.Context, do func(*sqlc.Queries, *sql.Tx) error) error {
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // after a commit it does nothing
	q := s.w.WithTx(tx)
	if err := do(q, tx); err != nil {
		if errors.Is(err, errUnchanged) {
			return nil
		}
		return err
	}
	written, err := writeDeed(ctx, q)
	if err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	written()
	return nil
}

// errUnchanged is for a transaction that finds nothing to change: it is undone, which
// is no error, and leaves no deed.
var errUnchanged = errors.New("nothing to change")

// maxID keeps ids exact in JSON numbers, which are doubles (RFC 8259, section 6).
const maxID = 1 << 52

// NewID returns a random id above 0. Two of a million are the same once in ten
// thousand tries; inserts that may clash are tried again by their callers.
func NewID() int64 {
	var b [8]byte
	rand.Read(b[:]) // never fails (crypto/rand)
	return int64(binary.LittleEndian.Uint64(b[:])%(maxID-1)) + 1
}

func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func instant(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

func nullID(id int64) sql.NullInt64 { return sql.NullInt64{Int64: id, Valid: id != 0} }

func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// found turns "no rows" into the error that says there is no such thing.
func found[T any](row T, err error) (T, error) {
	if errors.Is(err, sql.ErrNoRows) {
		return row, mailing.Fault(mailing.NotFound, "not_found")
	}
	return row, err
}

// changed turns "no row was changed" into a conflict: somebody else was first.
func changed(rows int64, err error) error {
	if err == nil && rows == 0 {
		return mailing.Fault(mailing.Conflict, "changed_meanwhile")
	}
	return err
}

// orUnchanged turns "no row was changed" into the end of a transaction that finds
// nothing to change.
func orUnchanged(rows int64, err error) error {
	if err == nil && rows == 0 {
		return errUnchanged
	}
	return err
}

// there turns "no row was changed" into the error that says there is no such
// thing.
func there(rows int64, err error) error {
	if err == nil && rows == 0 {
		return mailing.Fault(mailing.NotFound, "not_found")
	}
	return err
}
