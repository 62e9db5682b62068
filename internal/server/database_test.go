package server_test

import (
	"context"
	"database/sql"
	"strings"
	"testing"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/smtpsink"
	"vestnik/internal/store/storetest"
	"vestnik/internal/torture"
)

// unsettled is what the log says as long as the database is away.
const unsettled = "outcomes cannot be settled"

// throughTrouble sends a run to its end while the database is in trouble again and
// again. Each time the sending must pause and say so, and go on by itself: nothing
// is lost, doubled or in doubt. trouble returns when it is over.
func (h *house) throughTrouble(times int, fault string, trouble func()) {
	h.t.Helper()
	storetest.Contacts(h.t, h.store, h.owner.ID, many)
	s := newSink(h.t, smtpsink.Options{Delay: roundTrip})
	p := h.serve(s.Addr())
	run := h.sendNow(h.mailing(mailing.NeverTwice))
	line := torture.Line{Fault: fault, Database: torture.Database(h.url)}
	for i := range times {
		s.await(h.t, 1+many*i/times)
		line.Times++
		told := strings.Count(p.log.String(), unsettled)
		trouble()
		over := time.Now()
		await(h.t, 20*time.Second, "the log says that "+unsettled, func() bool { return strings.Count(p.log.String(), unsettled) > told })
		s.forget()
		// What was in hand still left while the database was away, at the end perhaps all.
		await(h.t, time.Minute, "mails leave again, or all have left", func() bool { return !s.againAt().IsZero() || s.Count() == many })
		if s.Count() == many {
			break
		}
		line.Recovery = max(line.Recovery, s.againAt().Sub(over))
	}
	await(h.t, 20*time.Second, "the database answers", func() bool { return h.store.Ping(h.t.Context()) == nil })
	h.awaitEnd(run, 2*time.Minute)
	r := h.reckon(run, s.Copies(), 1)
	if len(r.InDoubt) > 0 || s.Count() != many {
		h.t.Errorf("%d are in doubt and %d sent, want 0 and %d", len(r.InDoubt), s.Count(), many)
	}
	p.stop()
	line.Count(r)
	torture.Record(h.t, line)
}

func TestDatabaseServerStops(t *testing.T) {
	t.Parallel()
	t.Run("a PostgreSQL that stops like a crash and is started again costs nothing", func(t *testing.T) {
		server, url := storetest.OwnPostgres(t)
		newHouse(t, url).throughTrouble(torture.Times(2, 10), "the database server stops for 3 s", func() {
			if err := server.Halt(); err != nil {
				t.Fatal(err)
			}
			<-time.After(3 * time.Second) // the trouble itself
			if err := server.Resume(); err != nil {
				t.Fatal(err)
			}
		})
	})
}

func TestDatabaseOutage(t *testing.T) {
	t.Parallel()
	t.Run("a database that goes away again and again stops the sending for as long, and costs nothing", func(t *testing.T) {
		// Long enough for every part of the service to notice, far shorter than a lease.
		const short = 3 * time.Second
		testOutages(t, torture.Times(2, 10), short)
	})
	t.Run("a database that is away for longer than a node's lease holds costs nothing either", func(t *testing.T) {
		needSystem(t)
		const long = 70 * time.Second
		testOutages(t, 1, long)
	})
}

func testOutages(t *testing.T, times int, outage time.Duration) {
	t.Helper()
	url := storetest.PostgresURL(t)
	newHouse(t, url).throughTrouble(times, "the database cuts all connections for "+outage.String(), func() {
		cutDatabase(t, url, outage)
	})
}

func TestLockedDatabase(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, url string) {
		t.Run("a database that somebody else has locked for longer than anybody waits costs nothing", func(t *testing.T) {
			// A node waits ten seconds for an answer.
			held := time.Duration(torture.Times(12, 30)) * time.Second
			newHouse(t, url).throughTrouble(torture.Times(1, 2), "somebody locks the database for "+held.String(), func() {
				lockDatabase(t, url, held)
			})
		})
	})
}

// lockDatabase has what a node writes locked for so long.
func lockDatabase(t *testing.T, url string, held time.Duration) {
	t.Helper()
	driver, source := "pgx", url
	begin, lock := "begin", "lock table deliveries in access exclusive mode"
	if path, ok := strings.CutPrefix(url, "sqlite:"); ok {
		driver, source = "sqlite", "file:"+path+"?_pragma=busy_timeout(100)"
		begin, lock = "begin immediate", "select 1"
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	ctx := context.Background()
	conn, err := db.Conn(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	await(t, 20*time.Second, "the lock is ours", func() bool { // SQLite gives it to whoever asks at the right moment
		_, err := conn.ExecContext(ctx, begin)
		return err == nil
	})
	if _, err := conn.ExecContext(ctx, lock); err != nil {
		t.Fatal(err)
	}
	<-time.After(held) // the trouble itself
	if _, err := conn.ExecContext(ctx, "rollback"); err != nil {
		t.Fatal(err)
	}
}
