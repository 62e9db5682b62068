package server_test

import (
	"database/sql"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/smtpsink"
	"vestnik/internal/store/storetest"
	"vestnik/internal/torture"
)

// cutDatabase ends every connection to the PostgreSQL database and lets none in
// for as long as the outage lasts, as a restart of the server would.
func cutDatabase(t *testing.T, databaseURL string, outage time.Duration) {
	t.Helper()
	u, err := url.Parse(databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	name := strings.TrimPrefix(u.Path, "/")
	u.Path = "/postgres"
	admin, err := sql.Open("pgx", u.String())
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	exec := func(statement string, values ...any) {
		if _, err := admin.ExecContext(t.Context(), statement, values...); err != nil {
			t.Fatal(err)
		}
	}
	exec("alter database " + name + " allow_connections false")
	exec("select pg_terminate_backend(pid) from pg_stat_activity where datname = $1", name)
	<-time.After(outage)
	exec("alter database " + name + " allow_connections true")
}

// diskBytes is room for what 10,000 mails leave behind, several times over.
const diskBytes = "64m"

// smallDisk mounts a small disk of its own, or skips the test where the machine
// does not let us.
func smallDisk(t *testing.T) string {
	t.Helper()
	needSystem(t)
	dir := t.TempDir()
	if err := syscall.Mount("vestnik-test", dir, "tmpfs", 0, "size="+diskBytes); err != nil {
		t.Skipf("a small disk cannot be mounted here: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Errorf("unmount %s: %v", dir, err)
		}
	})
	return dir
}

// fill writes a file until the disk is full.
func fill(t *testing.T, dir string) (ballast string) {
	t.Helper()
	ballast = filepath.Join(dir, "ballast")
	file, err := os.Create(ballast)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for size := 1 << 20; size > 0; {
		if _, err := file.Write(make([]byte, size)); errors.Is(err, syscall.ENOSPC) {
			size /= 2
		} else if err != nil {
			t.Fatal(err)
		}
	}
	return ballast
}

func TestFullDisk(t *testing.T) {
	t.Parallel()
	t.Run("that of the database and of the journal", func(t *testing.T) {
		disk := smallDisk(t)
		testFullDisk(t, "the disk of database and journal is full", disk, filepath.Join(disk, "data"), "no space left on device")
	})
	t.Run("that of the database alone", func(t *testing.T) {
		testFullDisk(t, "the disk of the database is full", smallDisk(t), t.TempDir(), "database or disk is full")
	})
}

func testFullDisk(t *testing.T, fault, disk, dataDir, complaint string) {
	h := newHouse(t, "sqlite:"+filepath.Join(disk, "vestnik.db"))
	h.dir = dataDir
	storetest.Contacts(t, h.store, h.owner.ID, many)
	s := newSink(t, smtpsink.Options{Delay: roundTrip})
	p := h.serve(s.Addr())
	run := h.sendNow(h.mailing(mailing.NeverTwice))
	s.awaitMore(t, many/4)
	ballast := fill(t, disk)
	t.Run("stops the sending when it is full, and the log says so", func(t *testing.T) {
		p := *p
		p.t = t
		p.says(complaint, 20*time.Second)
		if s.Count() == many {
			t.Error("all was sent before")
		}
	})
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	t.Run("lets it go on by itself with space again, and nothing is lost or doubled", func(t *testing.T) {
		h := h.in(t)
		h.awaitEnd(run, 2*time.Minute)
		r := h.reckon(run, s.Copies(), 1)
		if len(r.InDoubt) > 0 || s.Count() != many {
			t.Errorf("%d are in doubt and %d sent, want 0 and %d", len(r.InDoubt), s.Count(), many)
		}
		p.stop()
		line := torture.Line{Fault: fault, Database: torture.Database(h.url)}
		line.Add(r, 0)
		torture.Record(t, line)
	})
}

func TestReadOnlyDisk(t *testing.T) {
	t.Parallel()
	disk := smallDisk(t)
	h := newHouse(t, "sqlite:"+filepath.Join(disk, "vestnik.db"))
	if err := h.base.Close(); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("", disk, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	t.Run("a database that may only be read is named", func(t *testing.T) {
		h.in(t).cannotStart(nil, "database", filepath.Join(disk, "vestnik.db"))
	})
	t.Run("a data folder that may only be read is named", func(t *testing.T) {
		h.in(t).cannotStart([]string{
			"DATABASE_URL=" + storetest.SQLiteURL(t), "VESTNIK_DATA_DIR=" + disk,
		}, disk, "read-only file system")
	})
}
