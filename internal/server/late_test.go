package server_test

import (
	"testing"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/smtpsink"
	"vestnik/internal/store/storetest"
)

// missedMailing is a daily mailing whose last four times, the latest an hour ago,
// passed while nothing was running.
func (h *house) missedMailing() mailing.Mailing {
	h.t.Helper()
	zone, err := time.LoadLocation("Europe/Moscow") // without changes of the clock
	if err != nil {
		h.t.Fatal(err)
	}
	latest := time.Now().In(zone).Add(-time.Hour).Truncate(time.Minute)
	first := latest.AddDate(0, 0, -3)
	return storetest.Mailing(h.t, h.store, mailing.Mailing{
		OwnerID: h.owner.ID, NextAt: first,
		Rule: mailing.Rule{
			Frequency: mailing.Daily, Interval: 1, Start: mailing.DateOf(first),
			At: mailing.Clock{Hour: latest.Hour(), Minute: latest.Minute()}, Zone: "Europe/Moscow",
		},
	})
}

// onlyRun waits for the mailing's run, and for its next occurrence to be ahead.
func (h *house) onlyRun(m mailing.Mailing) mailing.Run {
	h.t.Helper()
	ctx := h.t.Context()
	await(h.t, 30*time.Second, "the mailing has moved on", func() bool {
		now, err := h.store.Mailing(ctx, m.ID)
		return err == nil && now.NextAt.After(time.Now())
	})
	runs, err := h.store.RunsOfMailing(ctx, m.ID, 10)
	if err != nil || len(runs) != 1 {
		h.t.Fatalf("there are %d runs, %v; want 1", len(runs), err)
	}
	return runs[0]
}

func TestLateStart(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, url string) {
		h := newHouse(t, url)
		storetest.Contacts(t, h.store, h.owner.ID, 3)
		s := newSink(t, smtpsink.Options{})
		m := h.missedMailing()
		h.serve(s.Addr())
		t.Run("a daily mailing that was missed four times is sent once", func(t *testing.T) {
			h := h.in(t)
			run := h.onlyRun(m)
			h.awaitEnd(run.ID, 30*time.Second)
			h.account(run.ID, s.Copies(), 1)
			if s.Count() != 3 {
				t.Errorf("%d mails were sent, want 3", s.Count())
			}
		})
	})
}

func TestTooLateStart(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, url string) {
		h := newHouse(t, url)
		storetest.Contacts(t, h.store, h.owner.ID, 3)
		s := newSink(t, smtpsink.Options{})
		m := h.missedMailing()
		p := h.serve(s.Addr(), "VESTNIK_LATE_LIMIT=30m")
		t.Run("one that is later than the limit is put on record and not sent", func(t *testing.T) {
			run := h.in(t).onlyRun(m)
			if run.State != mailing.RunMissed {
				t.Errorf("the run is %s, want missed", run.State)
			}
			p.says("occurrence was missed", 10*time.Second)
			p.stop()
			if s.Count() != 0 {
				t.Errorf("%d mails were sent", s.Count())
			}
		})
	})
}
