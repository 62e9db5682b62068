package jobs

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"vestnik/internal/app"
	"vestnik/internal/auth"
	"vestnik/internal/mailing"
	"vestnik/internal/schedule"
	"vestnik/internal/store"
	"vestnik/internal/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }

var background = context.Background()

// patience is how long tests wait for what must happen: far longer than it takes.
const patience = 60 * time.Second

// log is where River's words go, unless somebody wants to see them.
func log() *slog.Logger {
	if os.Getenv("VESTNIK_TEST_LOG") != "" {
		return slog.New(slog.NewTextHandler(os.Stderr, nil))
	}
	return slog.New(slog.NewTextHandler(io.Discard, nil))
}

// start opens a queue that works until the test ends, with a scheduler that is
// wired to it as the program's is.
func start(t *testing.T, s *store.Store, url string) *Queue {
	t.Helper()
	sched := &schedule.Scheduler{Store: s, Log: log(), LateLimit: 24 * time.Hour}
	work := &Work{
		Scheduler: sched, Store: s,
		App: app.New(app.Config{}, s, auth.NewKeys([]byte(strings.Repeat("k", auth.MinSecret)))),
	}
	q := openQueue(t, s, url, work)
	sched.OpenRun = q.OpenRun
	ok(t, q.Start(background))
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(background, patience)
		defer cancel()
		if err := q.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
	return q
}

func openQueue(t *testing.T, s *store.Store, url string, work *Work) *Queue {
	t.Helper()
	q, err := Open(background, s, url, work, log())
	ok(t, err)
	t.Cleanup(q.Close)
	ok(t, q.Migrate(background))
	return q
}

// house is an owner with contacts.
func house(t *testing.T, s *store.Store, contacts int) mailing.Account {
	t.Helper()
	owner := storetest.Account(t, s, fmt.Sprintf("owner%d@example.com", store.NewID()))
	storetest.Contacts(t, s, owner.ID, contacts)
	return owner
}

// dueNow is a mailing that is due at this moment.
func dueNow(t *testing.T, s *store.Store, owner int64) mailing.Mailing {
	t.Helper()
	return storetest.Mailing(t, s, mailing.Mailing{OwnerID: owner, NextAt: time.Now().Add(-time.Second)})
}

func openingRun(t *testing.T, s *store.Store, m mailing.Mailing) int64 {
	t.Helper()
	id, err := s.OpenManualRun(background, storetest.OpeningRun(m), store.Content{Subject: "s", Format: mailing.FormatText, Body: "b"}, storetest.Now)
	ok(t, err)
	return id
}

// filled waits until the run has all its deliveries.
func filled(t *testing.T, s *store.Store, id, audience int64) {
	t.Helper()
	eventually(t, "the run is filled", func() bool {
		run, err := s.Run(background, id)
		ok(t, err)
		return run.State == mailing.RunSending && run.Counts.Audience == audience
	})
}

// theRun waits until the mailing has a run and returns it.
func theRun(t *testing.T, s *store.Store, m mailing.Mailing) mailing.Run {
	t.Helper()
	var list []mailing.Run
	eventually(t, "the mailing has a run", func() bool {
		var err error
		list, err = s.RunsOfMailing(background, m.ID, 10)
		ok(t, err)
		return len(list) > 0
	})
	if len(list) != 1 {
		t.Fatalf("the mailing has %d runs", len(list))
	}
	return list[0]
}

func TestDueMailingsGoOutByThemselves(t *testing.T) {
	storetest.EachURL(t, func(t *testing.T, url string) {
		s := storetest.Open(t, url)
		owner := house(t, s, 25)
		start(t, s, url)
		m := dueNow(t, s, owner.ID)
		began := time.Now()
		run := theRun(t, s, m)
		filled(t, s, run.ID, 25)
		if took := time.Since(began); took > time.Minute {
			t.Errorf("it took %s, promised is a minute", took)
		}
		equal(t, "the kind", run.Kind, mailing.RunScheduled)
	})
}

func TestOpenRun(t *testing.T) {
	storetest.EachURL(t, func(t *testing.T, url string) {
		s := storetest.Open(t, url)
		owner := house(t, s, 25)
		id := openingRun(t, s, storetest.Mailing(t, s, mailing.Mailing{OwnerID: owner.ID, NextAt: time.Now().Add(time.Hour)}))
		taker := openQueue(t, s, url, nil)
		for range 5 {
			ok(t, taker.OpenRun(background, id))
		}
		t.Run("five times is one job", func(t *testing.T) {
			var jobs int
			ok(t, s.Writer().QueryRow("select count(*) from river_job where kind = 'fill_run'").Scan(&jobs))
			equal(t, "jobs", jobs, 1)
		})
		t.Run("jobs that were taken in before are done", func(t *testing.T) {
			start(t, s, url)
			filled(t, s, id, 25)
		})
	})
}

// TestResumeOpening has a run that a node left half written down, without a job.
func TestResumeOpening(t *testing.T) {
	storetest.EachURL(t, func(t *testing.T, url string) {
		s := storetest.Open(t, url)
		const contacts = 10_100 // more than one statement writes down
		owner := house(t, s, contacts)
		m := storetest.Mailing(t, s, mailing.Mailing{OwnerID: owner.ID, NextAt: time.Now().Add(time.Hour)})
		id := openingRun(t, s, m)
		done, err := s.FillRun(background, id, time.Now())
		ok(t, err)
		run, err := s.Run(background, id)
		ok(t, err)
		if done || run.Counts.Audience == 0 || run.Counts.Audience == contacts {
			t.Fatalf("the run is not half written down: %+v", run.Counts)
		}
		start(t, s, url)
		filled(t, s, id, contacts)
	})
}

// TestLongJobsHaveAQueueOfTheirOwn, or what is due would wait behind them.
func TestLongJobsHaveAQueueOfTheirOwn(t *testing.T) {
	equal(t, "the queue of runs to be filled", fillRunArgs{}.InsertOpts().Queue, fillQueue)
	equal(t, "the queue of those to be resumed", resumeOpeningArgs{}.InsertOpts().Queue, fillQueue)
}

// TestTwoNodes has two queues on one database open each run once.
func TestTwoNodes(t *testing.T) {
	storetest.EachURL(t, func(t *testing.T, url string) {
		first, second := storetest.Open(t, url), storetest.Open(t, url)
		owner := house(t, first, 25)
		start(t, first, url)
		start(t, second, url)
		var mailings []mailing.Mailing
		for range 10 {
			mailings = append(mailings, dueNow(t, first, owner.ID))
		}
		for _, m := range mailings {
			filled(t, first, theRun(t, second, m).ID, 25)
		}
	})
}

func TestTheQueueAsAWhole(t *testing.T) {
	storetest.EachURL(t, func(t *testing.T, url string) {
		s := storetest.Open(t, url)
		t.Run("migrating twice changes nothing", func(t *testing.T) {
			q := openQueue(t, s, url, nil)
			ok(t, q.Migrate(background))
		})
		t.Run("it can be started again after a stop", func(t *testing.T) {
			owner := house(t, s, 3)
			t.Run("first", func(t *testing.T) { start(t, s, url) })
			start(t, s, url)
			filled(t, s, theRun(t, s, dueNow(t, s, owner.ID)).ID, 3)
		})
	})
}

// eventually waits until the sentence is true.
func eventually(t testing.TB, sentence string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !is(); {
		if time.Now().After(deadline) {
			t.Fatalf("not true after %s: %s", patience, sentence)
		}
		<-time.After(5 * time.Millisecond)
	}
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func equal[T comparable](t testing.TB, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}
