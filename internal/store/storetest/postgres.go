package storetest

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"

	"vestnik/internal/pgserver"
)

// postgresSetting is the environment variable that lets tests use PostgreSQL.
const postgresSetting = "VESTNIK_TEST_POSTGRES"

// PostgresURL returns the address of a fresh, migrated PostgreSQL database, which
// several processes may open. It skips the test unless VESTNIK_TEST_POSTGRES=1 is
// set, and fails it when PostgreSQL cannot be started.
func PostgresURL(t testing.TB) string {
	t.Helper()
	return postgresURL(t, templateName)
}

// EmptyPostgresURL returns the address of a PostgreSQL database without tables,
// for tests of the migrations.
func EmptyPostgresURL(t testing.TB) string {
	t.Helper()
	return postgresURL(t, "template0")
}

// OwnPostgres starts a PostgreSQL server for the test alone, which may halt it, with
// an empty database. What is committed survives that.
func OwnPostgres(t testing.TB) (server *pgserver.Server, url string) {
	t.Helper()
	needPostgres(t)
	// Without fsync only a crash of the machine loses anything.
	server, err := pgserver.Start("fsync=off")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	name, err := server.Create("template0")
	if err != nil {
		t.Fatal(err)
	}
	return server, server.URL(name)
}

func needPostgres(t testing.TB) {
	t.Helper()
	if os.Getenv(postgresSetting) != "1" {
		t.Skipf("set %s=1 to run this test on PostgreSQL, too", postgresSetting)
	}
}

func postgresURL(t testing.TB, template string) string {
	t.Helper()
	needPostgres(t)
	server, err := shared.start()
	if err != nil {
		t.Fatal(err)
	}
	name, err := server.Create(template)
	if err != nil {
		t.Fatalf("make a PostgreSQL database: %v", err)
	}
	t.Cleanup(func() {
		if err := server.Drop(name); err != nil {
			t.Error(err)
		}
	})
	return server.URL(name)
}

// shared is the one server of this process, started by the first test that
// needs it.
var shared serverOnce

type serverOnce struct {
	once   sync.Once
	server *pgserver.Server
	err    error
}

func (s *serverOnce) start() (*pgserver.Server, error) {
	s.once.Do(func() { s.server, s.err = startPostgres() })
	return s.server, s.err
}

// stopPostgres stops the server if there is one. None can be started after it.
func stopPostgres() error {
	shared.once.Do(func() {})
	if shared.server == nil {
		return nil
	}
	return shared.server.Stop()
}

// templateName is the migrated database that all others are copied from: the
// first that is made.
const templateName = "vestnik_1"

// startPostgres starts a server without the means to survive a power cut, which
// cost most of its time.
func startPostgres() (*pgserver.Server, error) {
	server, err := pgserver.Start("shared_buffers=64MB", "fsync=off", "synchronous_commit=off", "full_page_writes=off",
		"autovacuum=off", "deadlock_timeout=200ms", "max_connections=1000") // as many tests run at once, each with several pools
	if err != nil {
		return nil, fmt.Errorf("%s=1 is set, but PostgreSQL does not start: %w", postgresSetting, err)
	}
	name, err := server.Create("template0")
	if err == nil {
		err = migrate(server.URL(name))
	}
	if err != nil {
		return nil, errors.Join(err, server.Stop())
	}
	return server, nil
}
