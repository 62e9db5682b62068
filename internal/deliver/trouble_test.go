package deliver

import (
	"context"
	"database/sql"
	"strings"
	"testing"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"vestnik/internal/mailing"
	"vestnik/internal/smtpsink"
	"vestnik/internal/store"
	"vestnik/internal/store/storetest"
)

// TestTheDatabaseIsAway takes it away in the middle of a run.
func TestTheDatabaseIsAway(t *testing.T) {
	t.Parallel()
	for name, away := range map[string]func(t *testing.T, url string){
		"sqlite is locked by others":           lockSQLite,
		"postgres cuts all connections, often": cutPostgres,
	} {
		t.Run(name, func(t *testing.T) {
			url := ""
			if strings.HasPrefix(name, "sqlite") {
				url = storetest.SQLiteURL(t)
			} else {
				url = storetest.PostgresURL(t)
			}
			const recipients = 1500
			w := newWorld(t, storetest.Open(t, url), recipients, slow)
			id := w.open(t, w.mailing(t, mailing.Mailing{}))
			w.start(t)
			w.atWork(t)
			away(t, url)
			w.complete(t, id)
			w.check(t, 1, id)
			equal(t, "mails", w.sink.Count(), recipients)
		})
	}
}

// lockSQLite holds the lock for longer than a settlement waits for it.
func lockSQLite(t *testing.T, url string) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+strings.TrimPrefix(url, "sqlite:")+"?_pragma=busy_timeout(100)")
	ok(t, err)
	defer db.Close()
	conn, err := db.Conn(background)
	ok(t, err)
	defer conn.Close()
	eventually(t, "the lock is ours", func() bool { // SQLite gives it to whoever asks at the right moment
		_, err := conn.ExecContext(background, "begin immediate")
		return err == nil
	})
	<-time.After(answerWithin + 2*time.Second) // this is the trouble itself, not a wait for something
	_, err = conn.ExecContext(background, "rollback")
	ok(t, err)
}

// cutPostgres cuts whatever is under way, fifty times.
func cutPostgres(t *testing.T, url string) {
	t.Helper()
	db, err := sql.Open("pgx", url)
	ok(t, err)
	defer db.Close()
	for range 50 {
		_, err := db.Exec(`select pg_terminate_backend(pid) from pg_stat_activity
where datname = current_database() and pid <> pg_backend_pid()`)
		ok(t, err)
		<-time.After(20 * time.Millisecond)
	}
}

// TestStoppingWithoutTheDatabase must neither hang nor lose: the journal tells at
// the next start.
func TestStoppingWithoutTheDatabase(t *testing.T) {
	t.Parallel()
	url := storetest.SQLiteURL(t)
	const recipients = 1500
	w := newWorld(t, storetest.Open(t, url), recipients, slow)
	id := w.open(t, w.mailing(t, mailing.Mailing{}))
	broken, err := store.Open(background, url)
	ok(t, err)
	r := w.start(t, func(c *Config) { c.Store = broken })
	w.atWork(t)
	ok(t, broken.Close())
	r.cancel()
	asked := time.Now()
	_ = r.wait(t)
	if took := time.Since(asked); took > unsettledFor+15*time.Second {
		t.Errorf("it took %s", took)
	}
	w.start(t)
	w.complete(t, id)
	w.check(t, 1, id)
	equal(t, "in doubt", w.run(t, id).Counts.InDoubt, 0)
	equal(t, "mails", w.sink.Count(), recipients)
}

// BenchmarkEngine sends to 20,000 recipients with 50 workers, a mail of 4 KB each.
func BenchmarkEngine(b *testing.B) {
	for _, database := range []string{"sqlite", "postgres"} {
		b.Run(database, func(b *testing.B) {
			url := ""
			if database == "sqlite" {
				url = storetest.SQLiteURL(b)
			} else {
				url = storetest.PostgresURL(b)
			}
			benchmarkEngine(b, storetest.Open(b, url))
		})
	}
}

func benchmarkEngine(b *testing.B, s *store.Store) {
	const recipients = 20_000
	w := newWorld(b, s, recipients, smtpsink.Options{CountOnly: true})
	message := storetest.Message(b, s, mailing.Message{OwnerID: w.owner.ID, Body: longBody})
	m := w.mailing(b, mailing.Mailing{MessageID: message.ID})
	pool := w.pool(b, w.relay(), 50)
	for b.Loop() {
		b.StopTimer()
		id := w.open(b, m)
		b.StartTimer()
		ctx, cancel := context.WithCancel(background)
		c := w.config(pool)
		c.Workers = 50
		done := make(chan error)
		go func() { done <- Run(ctx, c) }()
		eventually(b, "the run is completed", func() bool {
			<-time.After(20 * time.Millisecond)
			return w.run(b, id).State == mailing.RunCompleted
		})
		cancel()
		ok(b, <-done)
	}
	b.ReportMetric(float64(b.N)*recipients/b.Elapsed().Seconds(), "mails/s")
}
