package mailing

import (
	"errors"
	"testing"
	"time"
)

func TestTransitions(t *testing.T) {
	events := []Event{EventOpen, EventFinish, EventPause, EventResume, EventDisable, EventEnable, EventEdit}
	// What follows each event, in the order above, when an occurrence is to come
	// and nothing was sent yet; "" where the event may not happen.
	table := map[Status][7]Status{
		StatusCreated:   {StatusRunning, StatusCompleted, StatusPaused, "", StatusDisabled, "", StatusCreated},
		StatusRunning:   {StatusRunning, StatusCompleted, StatusPaused, "", StatusDisabled, "", StatusCreated},
		StatusCompleted: {"", "", StatusPaused, "", StatusDisabled, "", StatusCreated},
		StatusPaused:    {"", "", "", StatusCreated, StatusDisabled, "", StatusPaused},
		StatusDisabled:  {"", "", "", "", "", StatusCreated, StatusDisabled},
	}
	next := time.Date(2026, time.November, 24, 9, 0, 0, 0, time.UTC)
	for _, status := range Statuses() {
		for i, event := range events {
			want := table[status][i]
			if want == "" {
				t.Run(string(event)+" is refused to what is "+string(status), func(t *testing.T) {
					got, err := Mailing{Status: status, NextAt: next}.After(event)
					var fault *Error
					if !errors.As(err, &fault) || fault.Code != "mailing_status" || fault.Kind != Conflict || got != status || status.Allows(event) {
						t.Fatalf("got %s, %v", got, err)
					}
					if fault.Params["status"] != string(status) || fault.Params["event"] != string(event) {
						t.Errorf("params %v", fault.Params)
					}
				})
				continue
			}
			t.Run(string(event)+" makes "+string(status)+" "+string(want), func(t *testing.T) {
				if got, err := (Mailing{Status: status, NextAt: next}).After(event); got != want || err != nil || !status.Allows(event) {
					t.Errorf("got %s, %v", got, err)
				}
			})
		}
	}
	t.Run("the table above knows every status", func(t *testing.T) {
		if len(table) != len(Statuses()) || len(transitions) != len(table) {
			t.Errorf("%d, %d and %d", len(table), len(Statuses()), len(transitions))
		}
	})
	for _, c := range []struct {
		from  Status
		event Event
	}{
		{StatusPaused, EventResume},
		{StatusDisabled, EventEnable},
		{StatusCreated, EventEdit},
		{StatusRunning, EventEdit},
		{StatusCompleted, EventEdit},
	} {
		t.Run(string(c.event)+" of "+string(c.from)+" goes on as running when something was sent", func(t *testing.T) {
			m := Mailing{Status: c.from, NextAt: next, LastAt: next.AddDate(0, 0, -1)}
			if got, err := m.After(c.event); got != StatusRunning || err != nil {
				t.Errorf("got %s, %v", got, err)
			}
		})
		t.Run(string(c.event)+" of "+string(c.from)+" completes it when no occurrence is left", func(t *testing.T) {
			if got, err := (Mailing{Status: c.from}).After(c.event); got != StatusCompleted || err != nil {
				t.Errorf("got %s, %v", got, err)
			}
		})
	}
	t.Run("an unknown status or event is refused", func(t *testing.T) {
		for _, m := range []Mailing{{Status: "lost"}, {}} {
			if _, err := m.After(EventOpen); CodeOf(err) != "mailing_status" {
				t.Errorf("%q: %v", m.Status, err)
			}
		}
		if StatusCreated.Allows("explode") {
			t.Error("it explodes")
		}
	})
}

func TestLiveStatuses(t *testing.T) {
	for status, want := range map[Status]bool{
		StatusCreated: true, StatusRunning: true, StatusCompleted: true, StatusPaused: false, StatusDisabled: false,
	} {
		if status.Live() != want {
			t.Errorf("%s: Live() = %v", status, !want)
		}
	}
}

func TestNewRun(t *testing.T) {
	t.Run("a run freezes what the mailing and its owner are now", func(t *testing.T) {
		now := time.Date(2026, time.November, 23, 9, 0, 0, 0, time.UTC)
		m := Mailing{ID: 7, OwnerID: 5, FromName: "Анна", ReplyTo: "a@x.ru", Doubt: NeverMissed, Weight: WeightHigh}
		want := Run{
			MailingID: 7, OwnerID: 5, Kind: RunScheduled, ScheduledFor: now.Add(-time.Minute), State: RunOpening,
			FromName: "Анна", ReplyTo: "a@x.ru", Lang: "ru", Weight: WeightHigh, Doubt: NeverMissed, Unsubscribe: true, CreatedAt: now,
		}
		if got := NewRun(m, Account{ID: 5, Lang: "ru"}, RunScheduled, now.Add(-time.Minute), now); got != want {
			t.Errorf("got %+v", got)
		}
	})
	t.Run("what is not final is waiting", func(t *testing.T) {
		c := Counts{Audience: 20, Sent: 5, Failed: 4, Skipped: 3, InDoubt: 2}
		if c.Final() != 14 || c.Waiting() != 6 {
			t.Errorf("final %d, waiting %d", c.Final(), c.Waiting())
		}
	})
	t.Run("a run is open until it has ended in some way", func(t *testing.T) {
		for state, want := range map[RunState]bool{
			RunOpening: true, RunSending: true, RunCompleted: false, RunCancelled: false, RunTakenBack: false, RunMissed: false,
		} {
			if state.Open() != want {
				t.Errorf("%s: Open() = %v", state, !want)
			}
		}
	})
	t.Run("a code goes before a test, and a test before a mailing", func(t *testing.T) {
		if PrioritySystem <= PriorityTest || PriorityTest <= PriorityBulk {
			t.Error("it does not")
		}
	})
}
