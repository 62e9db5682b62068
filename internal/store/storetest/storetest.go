// Package storetest gives tests a real, migrated database of their own: SQLite
// in a temporary file, and PostgreSQL from a private server that lives as long as
// the test process. It also makes the accounts, contacts and mailings that tests
// begin with.
//
// PostgreSQL takes part when VESTNIK_TEST_POSTGRES=1 is set, as "make test" does;
// then its absence is a failure and not a skip. A package whose tests use it
// should have
//
//	func TestMain(m *testing.M) { storetest.Main(m) }
//
// so that the server is gone when the tests are.
package storetest

import (
	"context"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"testing"

	"vestnik/internal/store"
)

// Main runs the tests of a package, stops PostgreSQL if one of them started it,
// and exits. Without it the server stops by itself a moment after the process.
func Main(m *testing.M) {
	if err := runMoreAtOnce(); err != nil {
		os.Stderr.WriteString("storetest: " + err.Error() + "\n")
		os.Exit(1)
	}
	code := m.Run()
	if err := stopPostgres(); err != nil {
		os.Stderr.WriteString("storetest: stop PostgreSQL: " + err.Error() + "\n")
		code = max(code, 1)
	}
	os.Exit(code)
}

// atOnce is how many parallel tests run at once on each core, unless -parallel says
// otherwise. They wait for answers, pauses and time limits most of the time. Chosen:
// with twice as many, runs of ten thousand mails keep a machine of two cores so busy
// that nodes are late to say that they live.
const atOnce = 2

func runMoreAtOnce() error {
	flag.Parse()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "test.parallel" })
	if given {
		return nil
	}
	return flag.Set("test.parallel", strconv.Itoa(atOnce*runtime.GOMAXPROCS(0)))
}

// New returns an open store on a fresh SQLite database.
func New(t testing.TB) *store.Store {
	t.Helper()
	return Open(t, SQLiteURL(t))
}

// Open opens the database at url and closes it when the test ends.
func Open(t testing.TB, url string) *store.Store {
	t.Helper()
	s, err := store.Open(context.Background(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close store: %v", err)
		}
	})
	return s
}

// Each runs the test once on each database, as the subtests "sqlite" and
// "postgres", each with a store of its own.
func Each(t *testing.T, test func(t *testing.T, s *store.Store)) {
	t.Helper()
	EachURL(t, func(t *testing.T, url string) { test(t, Open(t, url)) })
}

// EachURL is Each for tests that open the database themselves, or several times.
func EachURL(t *testing.T, test func(t *testing.T, url string)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { test(t, SQLiteURL(t)) })
	t.Run("postgres", func(t *testing.T) { test(t, PostgresURL(t)) })
}

// SQLiteURL returns the address of a fresh, migrated SQLite database, which
// several processes may open.
func SQLiteURL(t testing.TB) string {
	t.Helper()
	file, err := sqliteTemplate()
	if err != nil {
		t.Fatalf("make the template database: %v", err)
	}
	path := filepath.Join(t.TempDir(), "vestnik.db")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	return "sqlite:" + path
}

// EmptySQLiteURL returns the address of a SQLite database that is not there yet,
// for tests of the migrations.
func EmptySQLiteURL(t testing.TB) string {
	t.Helper()
	return "sqlite:" + filepath.Join(t.TempDir(), "vestnik.db")
}

// sqliteTemplate is a migrated database file. Copying it takes a millisecond,
// migrating fifty.
var sqliteTemplate = sync.OnceValues(func() (_ []byte, err error) {
	folder, err := os.MkdirTemp("", "vestnik-sqlite-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	path := filepath.Join(folder, "template.db")
	if err := migrate("sqlite:" + path); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
})

// migrate closes the database, too, which on SQLite leaves all of it in one file.
func migrate(url string) error {
	ctx := context.Background()
	s, err := store.Open(ctx, url)
	if err != nil {
		return err
	}
	return errors.Join(s.Migrate(ctx), s.Close())
}
