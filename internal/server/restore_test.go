package server_test

import (
	"context"
	"io"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vestnik/internal/app"
	"vestnik/internal/config"
	"vestnik/internal/mailing"
	"vestnik/internal/server"
	"vestnik/internal/smtpsink"
	"vestnik/internal/store"
	"vestnik/internal/store/storetest"
)

// noticed is what the log says of a database that was restored or moved.
const noticed = "the database was restored or moved"

// reopen opens the use cases over the database at url, with the data folder of
// services in dir.
func (h *house) reopen(url, dir string) *house {
	h.t.Helper()
	of := *h
	of.url, of.dir = url, dir
	c, err := config.Load(of.settings("VESTNIK_DATA_DIR="+h.t.TempDir()), nil)
	if err != nil {
		h.t.Fatal(err)
	}
	of.base, err = server.Open(h.t.Context(), c, slog.New(slog.DiscardHandler), false)
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { of.base.Close() })
	of.store = of.base.Store
	return &of
}

// backup makes a backup of the database while it is used, and returns how it is
// restored: into an empty database, or over the one that was backed up.
func (h *house) backup() (restore func(url string)) {
	h.t.Helper()
	file := filepath.Join(h.t.TempDir(), "backup")
	if strings.HasPrefix(h.url, "sqlite:") {
		if err := h.store.Backup(h.t.Context(), file); err != nil {
			h.t.Fatal(err)
		}
		return func(url string) {
			over := strings.TrimPrefix(url, "sqlite:")
			for _, of := range []string{"-wal", "-shm"} {
				os.Remove(over + of)
			}
			overwrite(h.t, file, over)
		}
	}
	dump := needProgram(h.t, "pg_dump", "postgresql-client")
	psql := needProgram(h.t, "psql", "postgresql-client")
	command(h.t, dump, "--clean", "--if-exists", "--file="+file, h.url)
	return func(url string) {
		command(h.t, psql, "--quiet", "--set=ON_ERROR_STOP=1", "--output=/dev/null", "--file="+file, url)
	}
}

// overwrite writes the bytes of one file over another, or into a new one.
func overwrite(t *testing.T, from, to string) {
	t.Helper()
	in, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(out, in); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
}

// emptyURL is the address of a database of the same kind as that of the house,
// which has no tables yet.
func (h *house) emptyURL() string {
	if strings.HasPrefix(h.url, "sqlite:") {
		return "sqlite:" + filepath.Join(h.t.TempDir(), "vestnik.db")
	}
	return storetest.EmptyPostgresURL(h.t)
}

// age makes the backup a day old: who worked on it is gone for long, and the
// other mailing is due.
func (h *house) age(due mailing.Mailing) {
	h.t.Helper()
	h.exec("update nodes set alive_until = 1")
	h.exec("delete from river_leader")
	h.exec("update mailings set next_at = $1 where id = $2", time.Now().Add(-time.Hour).UnixMilli(), due.ID)
}

func (h *house) exec(statement string, values ...any) {
	h.t.Helper()
	if _, err := h.store.Writer().ExecContext(context.Background(), statement, values...); err != nil {
		h.t.Fatal(err)
	}
}

// awaitRound waits until the scheduler of the service that runs now has looked once
// more for what is due, from its beginning to its end.
func (h *house) awaitRound() {
	h.t.Helper()
	rounds := func() (n int) {
		err := h.store.Writer().QueryRowContext(context.Background(),
			"select count(*) from river_job where kind = 'open_due_runs' and state = 'completed'").Scan(&n)
		if err != nil {
			h.t.Fatal(err)
		}
		return n
	}
	before := rounds()
	await(h.t, time.Minute, "the scheduler has looked once more", func() bool { return rounds() > before })
}

// backedUp is a house in the middle of a run, of which a backup was made that
// knows of everybody: some who were sent their mail, some in hand and some who wait.
type backedUp struct {
	*house
	service *process
	sink    *sink
	mailing mailing.Mailing // that is sent
	run     int64
	due     mailing.Mailing // to one client of another owner, tomorrow
	restore func(url string)
}

// someRecipients are far more than a node has in hand.
const someRecipients = 6000

func newBackedUp(t *testing.T, url string) *backedUp {
	t.Helper()
	b := &backedUp{house: newHouse(t, url), sink: newSink(t, smtpsink.Options{Delay: roundTrip})}
	storetest.Contacts(t, b.store, b.owner.ID, someRecipients)
	boris := storetest.Account(t, b.store, "boris@example.org")
	storetest.Contact(t, b.store, boris.ID, "due@example.org")
	b.due = storetest.Mailing(t, b.store, mailing.Mailing{OwnerID: boris.ID, NextAt: time.Now().Add(24 * time.Hour)})
	b.mailing = b.house.mailing(mailing.NeverTwice)
	b.service = b.serve(b.sink.Addr())
	b.run = b.sendNow(b.mailing)
	await(t, time.Minute, "everybody is written down", func() bool { return b.house.run(b.run).State != mailing.RunOpening })
	b.sink.awaitMore(t, someRecipients/12)
	b.restore = b.backup()
	b.awaitEnd(b.run, time.Minute)
	return b
}

// restored is a database that was restored, with the service on it that has
// noticed.
type restored struct {
	*house
	of      *backedUp
	sink    *sink
	before  map[string]mailing.DeliveryState // by recipient, as the backup has it
	service *process
}

// restoredAs starts a service on the restored database of the house.
func (b *backedUp) restoredAs(h *house) *restored {
	b.t.Helper()
	r := &restored{house: h, of: b, sink: newSink(h.t, smtpsink.Options{}), before: map[string]mailing.DeliveryState{}}
	h.age(b.due)
	for _, d := range h.deliveries(b.run) {
		r.before[d.Email] = d.State
	}
	inHand, _, err := h.store.InHand(h.t.Context(), 0, store.Page{Limit: someRecipients})
	if err != nil {
		h.t.Fatal(err)
	}
	for _, d := range inHand {
		r.before[d.Email] = mailing.Sending
	}
	r.service = h.serve(r.sink.Addr())
	r.service.says(noticed, 30*time.Second)
	return r
}

// elsewhere restores the backup into another database, with another data folder.
func (b *backedUp) elsewhere() *restored {
	b.t.Helper()
	b.service.stop()
	url := b.emptyURL()
	b.restore(url)
	return b.restoredAs(b.reopen(url, b.t.TempDir()))
}

// inPlace restores it over the database itself.
func (b *backedUp) inPlace() *restored {
	b.t.Helper()
	b.base.Close()
	b.restore(b.url)
	return b.restoredAs(b.reopen(b.url, b.dir))
}

// checkQuiet checks that the service sends nothing but a link for who has lost the
// password, and nothing by hand.
func (r *restored) checkQuiet() {
	r.t.Helper()
	sent := r.sink.Count()
	if err := r.base.App.RequestReset(r.t.Context(), app.Visitor{}, r.owner.Email); err != nil {
		r.t.Fatal(err)
	}
	await(r.t, 2*time.Minute, "the link has left", func() bool { return r.sink.Copies()[r.owner.Email] == 1 })
	r.awaitRound()
	if n := r.sink.Count() - sent; n != 1 {
		r.t.Errorf("%d mails have left, want the link alone", n)
	}
	if _, err := r.base.App.SendNow(r.t.Context(), r.owner, r.of.mailing.ID); mailing.CodeOf(err) != "database_held" {
		r.t.Errorf("to send by hand is answered with %v", err)
	}
}

// decide says what the database is.
func (r *restored) decide(end mailing.HoldEnd) {
	r.t.Helper()
	if _, err := r.base.App.EndHold(r.t.Context(), app.Operator, end); err != nil {
		r.t.Fatal(err)
	}
	r.service.says("the hold is over", 30*time.Second)
}

// checkKnown is the oracle for what the backup could know: of those whom it has
// for sent, nobody gets another mail; who was in hand is in doubt; all others get
// one.
func (r *restored) checkKnown() {
	r.t.Helper()
	known := maps.Clone(r.sink.Copies())
	var sent, inHand int
	for email, state := range r.before {
		switch state {
		case mailing.Sent:
			known[email]++
			sent++
		case mailing.Sending:
			inHand++
		}
	}
	inDoubt := r.account(r.of.run, r.ofTheRun(known), 1)
	if len(inDoubt) != inHand || inHand == 0 || sent == 0 {
		r.t.Errorf("%d are in doubt, want the %d that were in hand when the backup was made", len(inDoubt), inHand)
	}
	r.t.Logf("the backup knew of %d sent and %d in hand; after it went on, %d are in doubt", sent, inHand, len(inDoubt))
}

// ofTheRun leaves out the mails of others: the owner's code, and what was due.
func (r *restored) ofTheRun(copies map[string]int) map[string]int {
	delete(copies, r.owner.Email)
	delete(copies, "due@example.org")
	return copies
}

// checkDue checks that what was due while the database was held goes out once.
func (r *restored) checkDue() {
	r.t.Helper()
	await(r.t, time.Minute, "what was due has left", func() bool { return r.sink.Copies()["due@example.org"] == 1 })
	runs, err := r.store.RunsOfMailing(r.t.Context(), r.of.due.ID, 10)
	if err != nil || len(runs) != 1 || runs[0].Kind != mailing.RunScheduled {
		r.t.Errorf("its runs are %+v, %v", runs, err)
	}
}

func TestRestoredElsewhere(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, url string) {
		t.Run("a backup sends nothing elsewhere until a person says that it goes on", func(t *testing.T) {
			r := newBackedUp(t, url).elsewhere()
			r.checkQuiet()
			r.decide(mailing.HoldGoOn)
			r.awaitEnd(r.of.run, time.Minute)
			r.checkKnown()
			r.checkDue()
			r.service.stop()
		})
	})
}

func TestRestoredAsACopy(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, url string) {
		t.Run("of a copy nothing is ever sent, though it is started anew", func(t *testing.T) {
			r := newBackedUp(t, url).elsewhere()
			r.checkQuiet()
			r.decide(mailing.HoldCopy)
			sent := r.sink.Count()
			r.service.stop()
			again := r.serve(r.sink.Addr())
			r.checkFree(again)
			r.awaitRound()
			if n := r.sink.Count() - sent; n != 0 {
				t.Errorf("%d mails have left", n)
			}
			await(t, time.Minute, "nothing is in hand", func() bool { return r.house.run(r.of.run).Counts.Waiting() == 0 })
			if run := r.house.run(r.of.run); run.State != mailing.RunCancelled || run.Counts.Waiting() != 0 || run.Counts.Skipped == 0 {
				t.Errorf("the run is %s, %+v", run.State, run.Counts)
			}
			for _, id := range []int64{r.of.mailing.ID, r.of.due.ID} {
				if m, err := r.store.Mailing(t.Context(), id); err != nil || m.Status != mailing.StatusPaused {
					t.Errorf("a mailing is %s, %v", m.Status, err)
				}
			}
			again.stop()
		})
	})
}

func TestRestoredInPlace(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, url string) {
		t.Run("an older copy over the database is noticed, and held also at the next start", func(t *testing.T) {
			b := newBackedUp(t, url)
			b.service.stop()
			r := b.inPlace()
			r.checkQuiet()
			r.service.stop()
			if log := r.service.log.String(); !strings.Contains(log, "why=older") {
				t.Errorf("the log does not say why: %s", log)
			}
			r.service = r.serve(r.sink.Addr())
			r.service.says(noticed, 30*time.Second)
			r.decide(mailing.HoldGoOn)
			r.awaitEnd(b.run, time.Minute)
			r.checkKnown()
			r.checkDue()
			r.service.stop()
		})
	})
}

func TestRestoredInPlaceAfterAKill(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, url string) {
		t.Run("an older copy learns from the journal of a killed node whom it has mailed since, and nobody is mailed twice", func(t *testing.T) {
			b := newBackedUp(t, url)
			for range 2 { // the data folder is told after the database: of the first by the time of the second
				at := b.seen()
				await(t, time.Minute, "the service has checked in since the backup", func() bool { return b.seen().After(at) })
			}
			b.service.kill()
			r := b.inPlace()
			r.checkQuiet()
			r.decide(mailing.HoldGoOn)
			r.awaitEnd(b.run, time.Minute)
			r.checkDue()
			copies := maps.Clone(b.sink.Copies())
			for email, n := range r.sink.Copies() {
				copies[email] += n
			}
			inDoubt := r.account(b.run, r.ofTheRun(copies), 1)
			if len(inDoubt) == someRecipients || r.house.run(b.run).Counts.Sent < someRecipients/2 {
				t.Errorf("%d are in doubt; the journal has told nothing", len(inDoubt))
			}
			t.Logf("%d are in doubt, since the journal does not repeat what was settled before the kill", len(inDoubt))
			r.service.stop()
		})
	})
}

func TestRestoredUnderARunningService(t *testing.T) {
	t.Parallel()
	t.Run("a database that is restored under a running service is noticed by it", func(t *testing.T) {
		h := newHouse(t, storetest.PostgresURL(t))
		p := h.serve(newSink(t, smtpsink.Options{}).Addr())
		p.says("pages are served", 30*time.Second)
		restore := h.backup()
		at := h.seen()
		await(t, time.Minute, "the service has checked in since the backup", func() bool { return h.seen().After(at) })
		restore(h.url)
		p.says(noticed, 30*time.Second)
	})
}

// seen is the moment that the database knows of.
func (h *house) seen() time.Time {
	h.t.Helper()
	var at int64
	err := h.store.Writer().QueryRowContext(context.Background(), "select seen_at from installation").Scan(&at)
	if err != nil {
		h.t.Fatal(err)
	}
	return time.UnixMilli(at)
}

// checkFree checks that the service has come up, or is up, and holds nothing.
func (h *house) checkFree(p *process) {
	h.t.Helper()
	p.says("pages are served", 30*time.Second)
	hold, err := h.store.Hold(h.t.Context())
	if err != nil || hold.On() || strings.Contains(p.log.String(), noticed) {
		h.t.Errorf("it is held: %+v, %v", hold, err)
	}
}

func TestNothingIsHeldOnOrdinaryDays(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, dbURL string) {
		h := newHouse(t, dbURL)
		addr := newSink(t, smtpsink.Options{}).Addr()
		var p *process
		begin := func(t *testing.T) {
			p = h.in(t).serve(addr)
			h.in(t).checkFree(p)
		}
		t.Run("two processes that are started at once on a new database", func(t *testing.T) {
			other := h.in(t).secondNode()
			processes := []*process{h.in(t).serve(addr), other.serve(addr), h.in(t).serve(addr)}
			for _, p := range processes {
				h.in(t).checkFree(p)
			}
			for _, p := range processes {
				p.stop()
			}
		})
		t.Run("a restart", func(t *testing.T) {
			begin(t)
			p.stop()
			begin(t)
		})
		t.Run("a kill", func(t *testing.T) {
			p.kill()
			begin(t)
			p.kill()
		})
		t.Run("another boot of the machine", func(t *testing.T) {
			locks, err := filepath.Glob(filepath.Join(h.dir, "nodes", "*", "lock"))
			if err != nil || len(locks) == 0 {
				t.Fatalf("nodes: %v, %v", locks, err)
			}
			for _, lock := range locks {
				text, err := os.ReadFile(lock)
				if err != nil {
					t.Fatal(err)
				}
				name, _, _ := strings.Cut(string(text), "\n")
				if err := os.WriteFile(lock, []byte(name+"\nanother boot\n"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			begin(t)
			p.stop()
		})
		t.Run("a data folder that was lost", func(t *testing.T) {
			h.dir = h.t.TempDir()
			begin(t)
			p.stop()
		})
		t.Run("a memory that a power failure has emptied", func(t *testing.T) {
			if err := os.Truncate(filepath.Join(h.dir, "seen"), 0); err != nil {
				t.Fatal(err)
			}
			begin(t)
			p.stop()
		})
		t.Run("a database from before homes were written down", func(t *testing.T) {
			h.exec("update installation set home = '', seen_at = 0")
			h.dir = h.t.TempDir()
			begin(t)
			p.stop()
		})
		t.Run("a process with the pages alone, and one that sends alone", func(t *testing.T) {
			pages := h.in(t).serve(addr, "VESTNIK_ROLES=web")
			h.in(t).checkFree(pages)
			sender := h.in(t).secondNode().serve(addr, "VESTNIK_ROLES=scheduler,worker")
			for range 2 {
				at := h.seen()
				await(t, time.Minute, "they check in", func() bool { return h.seen().After(at) })
			}
			h.in(t).checkFree(pages)
			if strings.Contains(sender.log.String(), noticed) {
				t.Errorf("the one that sends has held it: %s", sender.log.tail(1000))
			}
			sender.stop()
			pages.stop()
		})
	})
}
