package schedule_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/schedule"
	"vestnik/internal/store"
	"vestnik/internal/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }

var (
	ctx = context.Background()
	now = storetest.Now // a Monday, noon in Moscow
)

const (
	day       = 24 * time.Hour
	lateLimit = day
)

// daily goes out at noon in Moscow, from the first of the month.
func daily(change ...func(*mailing.Rule)) mailing.Rule {
	r := mailing.Rule{
		Frequency: mailing.Daily, Interval: 1, Start: mailing.Date{Year: 2026, Month: time.November, Day: 1},
		At: mailing.Clock{Hour: 12}, Zone: "Europe/Moscow",
	}
	for _, f := range change {
		f(&r)
	}
	return r
}

func once(d mailing.Date) mailing.Rule {
	return mailing.Rule{Frequency: mailing.Once, Start: d, At: mailing.Clock{Hour: 12}, Zone: "Europe/Moscow"}
}

func TestPlan(t *testing.T) {
	weekly := daily(func(r *mailing.Rule) { r.Frequency, r.Weekdays = mailing.Weekly, []time.Weekday{time.Monday} })
	for _, c := range []struct {
		name   string
		rule   mailing.Rule
		nextAt time.Time
		now    time.Time

		scheduledFor time.Time
		stuck        bool
		missed       bool
		next         time.Time
		status       mailing.Status
	}{
		{
			name: "due now", rule: daily(), nextAt: now, now: now.Add(3 * time.Second),
			scheduledFor: now, next: now.Add(day), status: mailing.StatusRunning,
		},
		{
			name: "due this very moment", rule: daily(), nextAt: now, now: now,
			scheduledFor: now, next: now.Add(day), status: mailing.StatusRunning,
		},
		{
			name: "late within the limit is made up", rule: weekly, nextAt: now, now: now.Add(20 * time.Hour),
			scheduledFor: now, next: now.Add(7 * day), status: mailing.StatusRunning,
		},
		{
			name: "late by the limit itself is made up", rule: weekly, nextAt: now, now: now.Add(day),
			scheduledFor: now, next: now.Add(7 * day), status: mailing.StatusRunning,
		},
		{
			name: "late beyond the limit is missed, and the mailing goes on", rule: weekly, nextAt: now,
			now: now.Add(day + time.Second), scheduledFor: now, missed: true, next: now.Add(7 * day),
			status: mailing.StatusCreated,
		},
		{
			name: "of a week off only the last day counts", rule: daily(), nextAt: now.Add(-7 * day), now: now.Add(time.Hour),
			scheduledFor: now, next: now.Add(day), status: mailing.StatusRunning,
		},
		{
			name: "a late opening does not move the next one", rule: daily(), nextAt: now, now: now.Add(23*time.Hour + 59*time.Minute),
			scheduledFor: now, next: now.Add(day), status: mailing.StatusRunning,
		},
		{
			name: "behind a run that is stuck it is missed", rule: daily(), nextAt: now, now: now.Add(time.Second),
			stuck: true, scheduledFor: now, missed: true, next: now.Add(day), status: mailing.StatusCreated,
		},
		{
			name: "the only one", rule: once(mailing.DateOf(now)), nextAt: now, now: now.Add(time.Minute),
			scheduledFor: now, status: mailing.StatusRunning,
		},
		{
			name: "the only one, missed", rule: once(mailing.DateOf(now)), nextAt: now, now: now.Add(3 * day),
			scheduledFor: now, missed: true, status: mailing.StatusCreated,
		},
		{
			name:   "the last one by its count",
			rule:   daily(func(r *mailing.Rule) { r.Count = 23 }),
			nextAt: now, now: now.Add(time.Second), scheduledFor: now, status: mailing.StatusRunning,
		},
		{
			name:   "the last but one by its count",
			rule:   daily(func(r *mailing.Rule) { r.Count = 24 }),
			nextAt: now, now: now.Add(time.Second), scheduledFor: now, next: now.Add(day), status: mailing.StatusRunning,
		},
		{
			name:   "the last one by its end",
			rule:   daily(func(r *mailing.Rule) { r.Until = mailing.DateOf(now) }),
			nextAt: now, now: now.Add(time.Second), scheduledFor: now, status: mailing.StatusRunning,
		},
		{
			name:   "after the end, the last one counts",
			rule:   daily(func(r *mailing.Rule) { r.Until = mailing.DateOf(now) }),
			nextAt: now.Add(-3 * day), now: now.Add(5 * time.Hour), scheduledFor: now, status: mailing.StatusRunning,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := mailing.Mailing{ID: 7, OwnerID: 3, Rule: c.rule, Status: mailing.StatusCreated, NextAt: c.nextAt, Doubt: mailing.NeverMissed}
			run, after, err := schedule.Plan(m, mailing.Account{ID: 3, Lang: "ru"}, c.now, lateLimit, c.stuck)
			ok(t, err)
			equal(t, "scheduled for", run.ScheduledFor, c.scheduledFor)
			equal(t, "missed", run.State == mailing.RunMissed, c.missed)
			equal(t, "finished", !run.FinishedAt.IsZero(), c.missed)
			equal(t, "the next", after.NextAt, c.next)
			equal(t, "the status", after.Status, c.status)
			equal(t, "opened last", after.LastAt.Equal(c.now), !c.missed)
			equal(t, "the language", run.Lang, "ru")
			equal(t, "what is done in doubt", run.Doubt, mailing.NeverMissed)
		})
	}
}

func scheduler(s *store.Store) *schedule.Scheduler {
	sched := &schedule.Scheduler{Store: s, Log: slog.New(slog.DiscardHandler), LateLimit: lateLimit}
	sched.OpenRun = sched.Fill
	return sched
}

func runs(t *testing.T, s *store.Store, m mailing.Mailing) []mailing.Run {
	t.Helper()
	list, err := s.RunsOfMailing(ctx, m.ID, 100)
	ok(t, err)
	return list
}

func runOf(t *testing.T, s *store.Store, id int64) mailing.Run {
	t.Helper()
	run, err := s.Run(ctx, id)
	ok(t, err)
	return run
}

func TestOpenDue(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		owner := storetest.Account(t, s, "anna@example.com")
		storetest.Contacts(t, s, owner.ID, 5)
		sched := scheduler(s)
		t.Run("opens and fills what is due, and nothing else", func(t *testing.T) {
			due := storetest.Mailing(t, s, mailing.Mailing{OwnerID: owner.ID})
			later := storetest.Mailing(t, s, mailing.Mailing{OwnerID: owner.ID, NextAt: now.Add(time.Minute)})
			paused := storetest.Mailing(t, s, mailing.Mailing{OwnerID: owner.ID})
			stopped := paused
			stopped.Status = mailing.StatusPaused
			ok(t, s.SetMailingStatus(ctx, stopped, paused.Status))
			ok(t, sched.OpenDue(ctx, now))
			opened := runs(t, s, due)
			equal(t, "runs", len(opened), 1)
			equal(t, "its state", opened[0].State, mailing.RunSending)
			equal(t, "its audience", opened[0].Counts.Audience, 5)
			equal(t, "runs of what is due later", len(runs(t, s, later)), 0)
			equal(t, "runs of what is paused", len(runs(t, s, paused)), 0)
			ok(t, sched.OpenDue(ctx, now))
			equal(t, "runs after another look", len(runs(t, s, due)), 1)
		})
		t.Run("opens nothing of a blocked owner", func(t *testing.T) {
			boris := storetest.Account(t, s, "boris@example.com")
			m := storetest.Mailing(t, s, mailing.Mailing{OwnerID: boris.ID})
			ok(t, s.Block(ctx, boris.ID, 0, "", now))
			ok(t, sched.OpenDue(ctx, now))
			equal(t, "runs", len(runs(t, s, m)), 0)
			ok(t, s.Unblock(ctx, boris.ID))
			ok(t, sched.OpenDue(ctx, now))
			equal(t, "runs when he is let go on", len(runs(t, s, m)), 1)
		})
		t.Run("puts on record what was missed, and goes on", func(t *testing.T) {
			monday := daily(func(r *mailing.Rule) { r.Frequency, r.Weekdays = mailing.Weekly, []time.Weekday{time.Monday} })
			m := storetest.Mailing(t, s, mailing.Mailing{OwnerID: owner.ID, Rule: monday})
			ok(t, sched.OpenDue(ctx, now.Add(3*day)))
			list := runs(t, s, m)
			equal(t, "runs", len(list), 1)
			equal(t, "its state", list[0].State, mailing.RunMissed)
			equal(t, "its audience", list[0].Counts.Audience, 0)
			m, err := s.Mailing(ctx, m.ID)
			ok(t, err)
			equal(t, "the next", m.NextAt, now.Add(7*day))
			equal(t, "the status", m.Status, mailing.StatusCreated)
		})
		t.Run("completes a single one that was missed", func(t *testing.T) {
			m := storetest.Mailing(t, s, mailing.Mailing{OwnerID: owner.ID, Rule: once(mailing.DateOf(now))})
			ok(t, sched.OpenDue(ctx, now.Add(3*day)))
			m, err := s.Mailing(ctx, m.ID)
			ok(t, err)
			equal(t, "the status", m.Status, mailing.StatusCompleted)
			equal(t, "the state of its run", runs(t, s, m)[0].State, mailing.RunMissed)
		})
		t.Run("completes the last occurrence when its run is done, not before", func(t *testing.T) {
			m := storetest.Mailing(t, s, mailing.Mailing{OwnerID: owner.ID, Rule: once(mailing.DateOf(now))})
			ok(t, sched.OpenDue(ctx, now))
			m, err := s.Mailing(ctx, m.ID)
			ok(t, err)
			equal(t, "the status while it is sent", m.Status, mailing.StatusRunning)
			node := storetest.Node(t, s, "one")
			leased, err := s.Lease(ctx, node, runs(t, s, m)[0].ID, time.Now().Add(time.Hour), 100)
			ok(t, err)
			var outcomes []store.Outcome
			for _, l := range leased {
				outcomes = append(outcomes, store.Outcome{DeliveryID: l.ID, Epoch: node.Epoch, State: mailing.Sent})
			}
			equal(t, "deliveries", len(outcomes), 5)
			ok(t, s.Settle(ctx, node, outcomes, now))
			m, err = s.Mailing(ctx, m.ID)
			ok(t, err)
			equal(t, "the status when it is sent", m.Status, mailing.StatusCompleted)
		})
		t.Run("an outage of the mail server does not end in a burst", func(t *testing.T) {
			m := storetest.Mailing(t, s, mailing.Mailing{OwnerID: owner.ID})
			ok(t, sched.OpenDue(ctx, now))
			first := runs(t, s, m)[0]
			ok(t, sched.OpenDue(ctx, now.Add(day)))
			list := runs(t, s, m)
			equal(t, "runs", len(list), 2)
			equal(t, "the state of the second", list[0].State, mailing.RunMissed)
			equal(t, "the counts of the first, at its limit", runOf(t, s, first.ID).Counts, mailing.Counts{Audience: 5})
			ok(t, sched.OpenDue(ctx, now.Add(day+time.Second)))
			equal(t, "the counts of the first", runOf(t, s, first.ID).Counts, mailing.Counts{Audience: 5, Skipped: 5})
			equal(t, "its state", runOf(t, s, first.ID).State, mailing.RunCompleted)
			ok(t, sched.OpenDue(ctx, now.Add(2*day)))
			equal(t, "the state of the third", runs(t, s, m)[0].State, mailing.RunSending)
		})
		t.Run("in a database that was restored it opens nothing and gives nothing up, until a person lets it", func(t *testing.T) {
			_, err := s.Installation(ctx, store.Installation{Instance: "one"}, now)
			ok(t, err)
			late := storetest.Mailing(t, s, mailing.Mailing{OwnerID: owner.ID})
			ok(t, sched.OpenDue(ctx, now))
			due := storetest.Mailing(t, s, mailing.Mailing{OwnerID: owner.ID})
			_, err = s.StartHold(ctx, now)
			ok(t, err)
			ok(t, sched.OpenDue(ctx, now.Add(2*day)))
			equal(t, "runs of what is due", len(runs(t, s, due)), 0)
			equal(t, "counts of what is late", runs(t, s, late)[0].Counts, mailing.Counts{Audience: 5})
			_, err = s.EndHold(ctx, mailing.HoldGoOn, owner.ID, now)
			ok(t, err)
			ok(t, sched.OpenDue(ctx, now.Add(2*day)))
			equal(t, "runs of what is due, then", len(runs(t, s, due)), 1)
			equal(t, "counts of what was late", runs(t, s, late)[len(runs(t, s, late))-1].Counts, mailing.Counts{Audience: 5, Skipped: 5})
		})
		t.Run("those that cannot be opened hold up nobody, however many they are", func(t *testing.T) {
			anna := storetest.Account(t, s, "gleb@example.com")
			message := storetest.Message(t, s, mailing.Message{OwnerID: anna.ID})
			for range 201 {
				m := storetest.Mailing(t, s, mailing.Mailing{OwnerID: anna.ID, MessageID: message.ID, NextAt: now.Add(-time.Hour)})
				_, err := s.Writer().Exec("update mailings set rule = '?' where id = $1", m.ID)
				ok(t, err)
			}
			good := storetest.Mailing(t, s, mailing.Mailing{OwnerID: anna.ID, MessageID: message.ID})
			if err := sched.OpenDue(ctx, now); err == nil {
				t.Error("nothing is said about those that cannot be opened")
			}
			equal(t, "runs of the other", len(runs(t, s, good)), 1)
			_, err := s.Writer().Exec("delete from mailings where owner_id = $1", anna.ID)
			ok(t, err)
		})
		t.Run("one that cannot be filled does not hold up the others", func(t *testing.T) {
			first := storetest.Mailing(t, s, mailing.Mailing{OwnerID: owner.ID, NextAt: now.Add(-time.Minute)})
			second := storetest.Mailing(t, s, mailing.Mailing{OwnerID: owner.ID})
			failing := scheduler(s)
			broken := errors.New("the queue is away")
			failed := 0
			failing.OpenRun = func(ctx context.Context, id int64) error {
				if failed++; failed == 1 {
					return broken
				}
				return failing.Fill(ctx, id)
			}
			if err := failing.OpenDue(ctx, now); !errors.Is(err, broken) {
				t.Errorf("the error is %v, want the first one", err)
			}
			equal(t, "the state of the first", runs(t, s, first)[0].State, mailing.RunOpening)
			equal(t, "the state of the second", runs(t, s, second)[0].State, mailing.RunSending)
		})
	})
}

// TestOpenDueIsExact has many schedulers on two nodes look at the same moment.
func TestOpenDueIsExact(t *testing.T) {
	storetest.EachURL(t, func(t *testing.T, url string) {
		nodes := []*store.Store{storetest.Open(t, url), storetest.Open(t, url)}
		owner := storetest.Account(t, nodes[0], "anna@example.com")
		storetest.Contacts(t, nodes[0], owner.ID, 20)
		var mailings []mailing.Mailing
		for range 10 {
			mailings = append(mailings, storetest.Mailing(t, nodes[0], mailing.Mailing{OwnerID: owner.ID}))
		}
		begin := make(chan struct{})
		var all sync.WaitGroup
		for i := range 8 {
			all.Go(func() {
				<-begin
				if err := scheduler(nodes[i%2]).OpenDue(ctx, now); err != nil {
					t.Error(err)
				}
			})
		}
		close(begin)
		all.Wait()
		for _, m := range mailings {
			list := runs(t, nodes[0], m)
			if len(list) != 1 || list[0].Counts.Audience != 20 || list[0].State != mailing.RunSending {
				t.Errorf("mailing %d has the runs %+v, want one to 20 people", m.ID, list)
			}
		}
	})
}

func TestFill(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		owner := storetest.Account(t, s, "anna@example.com")
		contacts := storetest.Contacts(t, s, owner.ID, 30)
		open := func(t *testing.T, m mailing.Mailing) int64 {
			t.Helper()
			id, err := s.OpenManualRun(ctx, storetest.OpeningRun(m), store.Content{Subject: "s", Format: mailing.FormatText, Body: "b"}, now)
			ok(t, err)
			return id
		}
		t.Run("writes down the chosen only", func(t *testing.T) {
			id := open(t, storetest.Mailing(t, s, mailing.Mailing{OwnerID: owner.ID}, contacts[0].ID, contacts[4].ID))
			ok(t, scheduler(s).Fill(ctx, id))
			list, _, err := s.Deliveries(ctx, store.DeliveryFilter{RunID: id}, store.Page{Limit: 100})
			ok(t, err)
			var emails []string
			for _, d := range list {
				emails = append(emails, d.Email)
			}
			slices.Sort(emails)
			if !slices.Equal(emails, []string{contacts[0].Email, contacts[4].Email}) {
				t.Errorf("the recipients are %v", emails)
			}
		})
		t.Run("several at once do it once", func(t *testing.T) {
			id := open(t, storetest.Mailing(t, s, mailing.Mailing{OwnerID: owner.ID}))
			var all sync.WaitGroup
			for range 6 {
				all.Go(func() {
					if err := scheduler(s).Fill(ctx, id); err != nil {
						t.Error(err)
					}
				})
			}
			all.Wait()
			run, err := s.Run(ctx, id)
			ok(t, err)
			equal(t, "the audience", run.Counts.Audience, 30)
			equal(t, "the state", run.State, mailing.RunSending)
		})
		t.Run("leaves a run alone that is filled, or cancelled", func(t *testing.T) {
			id := open(t, storetest.Mailing(t, s, mailing.Mailing{OwnerID: owner.ID}))
			ok(t, s.CancelRun(ctx, id, now))
			ok(t, scheduler(s).Fill(ctx, id))
			run, err := s.Run(ctx, id)
			ok(t, err)
			equal(t, "the audience", run.Counts.Audience, 0)
		})
		t.Run("a run that is not there is not found", func(t *testing.T) {
			equal(t, "the kind of the error", mailing.KindOf(scheduler(s).Fill(ctx, 12345)), mailing.NotFound)
		})
	})
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
