package store_test

import (
	"strings"
	"testing"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/store"
	"vestnik/internal/store/storetest"
)

// TestPlans asks SQLite how it finds what may be little among millions.
func TestPlans(t *testing.T) {
	s := storetest.New(t)
	plan := func(query string, values []any) string {
		rows, err := s.Writer().Query("explain query plan "+query, values...)
		ok(t, err)
		defer rows.Close()
		var steps []string
		for rows.Next() {
			var id, parent, unused int64
			var step string
			ok(t, rows.Scan(&id, &parent, &unused, &step))
			steps = append(steps, step)
		}
		ok(t, rows.Err())
		return strings.Join(steps, "\n")
	}
	for _, owner := range []int64{0, 7} {
		got := plan(store.InHandQuery(owner))
		if !strings.Contains(got, "deliveries_leased") || !strings.Contains(got, "run_id=? AND contact_id>?") || strings.Contains(got, "SCAN h\n") {
			t.Errorf("what is in hand of owner %d is found by\n%s", owner, got)
		}
	}
	for index, f := range map[string]store.LogFilter{
		"attempts_owner":    {Owner: 7, Limit: 50},
		"attempts_mailing":  {Owner: 7, MailingID: 8, Limit: 50},
		"attempts_run":      {Owner: 7, RunID: 8, Limit: 50},
		"attempts_delivery": {Owner: 7, DeliveryID: 8, Limit: 50},
	} {
		if got := plan(store.LogQuery(f)); !strings.Contains(got, index+" ") {
			t.Errorf("the log of %+v is found by\n%s", f, got)
		}
	}
	for owner, index := range map[int64]string{0: "runs_created", 7: "runs_owner_created"} {
		if got := plan(store.SentQuery(owner)); !strings.Contains(got, index+" ") {
			t.Errorf("what owner %d has sent is found by\n%s", owner, got)
		}
	}
	const status = mailing.StatusPaused
	byNext, newest := store.Page{Sort: "next", Limit: 5}, store.Page{Desc: true, Limit: 5}
	for index, one := range map[string]func() (string, []any){
		"mailings_coming": func() (string, []any) {
			return store.MailingsQuery(store.MailingFilter{Owner: 7, Coming: true}, byNext)
		},
		"mailings_stopped": func() (string, []any) {
			return store.MailingsQuery(store.MailingFilter{Owner: 7, Status: status, Halted: true}, newest)
		},
		"mailings_owner_created": func() (string, []any) { return store.MailingsQuery(store.MailingFilter{Owner: 7}, newest) },
		"runs_under_way":         func() (string, []any) { return store.RunsQuery(7, true) },
		"runs_owner_created":     func() (string, []any) { return store.RunsQuery(7, false) },
	} {
		if got := plan(one()); !strings.Contains(got, index+" ") || strings.Contains(got, "TEMP B-TREE") {
			t.Errorf("what the home page tells is not found by %s but by\n%s", index, got)
		}
	}
	if got := plan(store.ContactAttemptsQuery()); !strings.Contains(got, "deliveries_contact ") || !strings.Contains(got, "attempts_delivery ") {
		t.Errorf("the attempts to mail a contact are found by\n%s", got)
	}
	if got := plan(store.SealQuery(store.SealedColumn{Table: "deliveries", Column: "vars", Key: []string{"id"}})); !strings.HasPrefix(got, "SEARCH") {
		t.Errorf("what is sealed anew is found by\n%s", got)
	}
}

func TestInHand(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := newHouse(t, s, 5)
		run := storetest.Run(t, s, h.mailing)
		list := h.leaseAll(t, h.node, run.ID, now)
		h.settleAll(t, h.node, list[:2], mailing.Sent, now)
		h.settleAll(t, h.node, list[2:3], mailing.InDoubt, now)
		for owner, want := range map[int64]int64{0: 2, h.owner.ID: 2, 1: 0} {
			got, total, err := s.InHand(ctx, owner, store.Page{Sort: "email", Limit: 1})
			ok(t, err)
			equal(t, "total", total, want)
			equal(t, "on the page", int64(len(got)), min(want, 1))
		}
	})
}

func TestExpireUntried(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := newHouse(t, s, 4)
		limit, later := now.Add(time.Millisecond), now.Add(24*time.Hour)
		open := func(kind mailing.RunKind) (mailing.Mailing, int64) {
			m := storetest.Mailing(t, s, mailing.Mailing{OwnerID: h.owner.ID})
			r, next := occurrence(m)
			r.Kind, next.NextAt = kind, time.Time{}
			id, _, err := s.OpenScheduledRun(ctx, r, content, next, m)
			ok(t, err)
			storetest.Fill(t, s, id)
			return m, id
		}
		t.Run("skips what was not tried and ends the run and its mailing", func(t *testing.T) {
			m, id := open(mailing.RunScheduled)
			equal(t, "stuck", must(s.HasStuckRun(ctx, m.ID))(t), true)
			equal(t, "skipped before the limit", must(s.ExpireUntried(ctx, now, later))(t), 0)
			list := h.leaseAll(t, h.node, id, now)
			h.settleAll(t, h.node, list[:1], mailing.Deferred, now)
			h.settleAll(t, h.node, list[1:], mailing.Waiting, now) // handed back
			equal(t, "skipped", must(s.ExpireUntried(ctx, limit, later))(t), 3)
			equal(t, "reason", h.delivery(t, id, list[1].ID).Reason, mailing.ReasonExpired)
			equal(t, "skipped again", must(s.ExpireUntried(ctx, limit, later))(t), 0)
			h.settleAll(t, h.node, h.leaseAll(t, h.node, id, now.Add(time.Hour)), mailing.Sent, later)
			checkCounts(t, s, id)
			equal(t, "state", must(s.Run(ctx, id))(t).State, mailing.RunCompleted)
			equal(t, "the mailing", must(s.Mailing(ctx, m.ID))(t).Status, mailing.StatusCompleted)
		})
		t.Run("leaves a run of which anything has gone out", func(t *testing.T) {
			m, id := open(mailing.RunScheduled)
			list := h.leaseAll(t, h.node, id, now)
			h.settleAll(t, h.node, list[:1], mailing.Sent, now)
			h.settleAll(t, h.node, list[1:], mailing.Waiting, now)
			equal(t, "stuck", must(s.HasStuckRun(ctx, m.ID))(t), false)
			equal(t, "skipped", must(s.ExpireUntried(ctx, limit, later))(t), 0)
		})
		t.Run("leaves what a person wants sent again", func(t *testing.T) {
			_, id := open(mailing.RunScheduled)
			list := h.leaseAll(t, h.node, id, now)
			doubted := h.outcome(h.node, list[0], mailing.InDoubt, now)
			doubted.Attempt = nil
			ok(t, s.Settle(ctx, h.node, []store.Outcome{doubted}, now))
			h.settleAll(t, h.node, list[1:], mailing.Sent, now)
			ok(t, s.ResolveDoubt(ctx, id, list[0].ID, mailing.Waiting, later))
			equal(t, "skipped", must(s.ExpireUntried(ctx, limit, later))(t), 0)
		})
		t.Run("leaves what was sent by hand", func(t *testing.T) {
			m, _ := open(mailing.RunManual)
			equal(t, "skipped", must(s.ExpireUntried(ctx, limit, later))(t), 0)
			equal(t, "stuck", must(s.HasStuckRun(ctx, m.ID))(t), false)
		})
	})
}

func TestRecipientsAreFrozen(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := newHouse(t, s, 5)
		chosen := []int64{h.contacts[0].ID, h.contacts[1].ID}
		m := storetest.Mailing(t, s, mailing.Mailing{OwnerID: h.owner.ID}, chosen...)
		id := must(s.OpenManualRun(ctx, storetest.OpeningRun(m), content, now))(t)
		t.Run("they cannot be changed while a run is opening", func(t *testing.T) {
			everybody := m
			everybody.Audience = mailing.AudienceAll
			wantCode(t, s.UpdateMailing(ctx, everybody, m, nil), "run_opening")
			wantCode(t, s.UpdateMailing(ctx, m, m, chosen[:1]), "run_opening")
			equal(t, "chosen", len(must(s.MailingContacts(ctx, m.ID))(t)), 2)
		})
		t.Run("all else can", func(t *testing.T) {
			m.FromName = "Анна"
			ok(t, s.UpdateMailing(ctx, m, m, []int64{chosen[1], chosen[0], chosen[0]}))
			ok(t, s.UpdateMailing(ctx, m, m, nil))
			equal(t, "name", must(s.Mailing(ctx, m.ID))(t).FromName, "Анна")
		})
		t.Run("a run goes to those it was opened for, whatever the mailing says now", func(t *testing.T) {
			must(s.Writer().Exec("update mailings set audience = 'all' where id = $1", m.ID))(t)
			storetest.Fill(t, s, id)
			run := must(s.Run(ctx, id))(t)
			equal(t, "audience", run.Counts.Audience, 2)
			equal(t, "kind", run.Audience, mailing.AudienceChosen)
		})
		t.Run("they can be changed when all are written down", func(t *testing.T) {
			ok(t, s.UpdateMailing(ctx, m, m, chosen[:1]))
		})
	})
}

// TestLeaseLooksAtTheAddressItMails has contacts who take another address after
// their deliveries were written down.
func TestLeaseLooksAtTheAddressItMails(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := newHouse(t, s, 2)
		run := storetest.Run(t, s, h.mailing)
		moved := h.contacts[0]
		must(s.Suppress(ctx, mailing.Suppression{
			OwnerID: h.owner.ID, Email: moved.Email, Reason: mailing.ReasonUnsubscribed, CreatedAt: now,
		}))(t)
		moved.Email = "elsewhere@example.com"
		ok(t, s.UpdateContact(ctx, moved))
		for _, l := range h.leaseAll(t, h.node, run.ID, now) {
			want := mailing.Reason("")
			if l.ContactID == moved.ID {
				want = mailing.ReasonDeleted
			}
			equal(t, l.Email, l.Unmailable, want)
		}
	})
}
