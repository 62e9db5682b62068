package store_test

import (
	"sync/atomic"
	"testing"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/store"
	"vestnik/internal/store/storetest"
)

func TestQuota(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := newHouse(t, s, 100)
		ok(t, s.SetPerDay(ctx, h.owner.ID, 30))
		owner := must(s.Account(ctx, h.owner.ID))(t)
		run := storetest.Run(t, s, h.mailing)
		lease := func(t *testing.T, most int, at time.Time) []store.Leased {
			t.Helper()
			return must(s.Lease(ctx, h.node, run.ID, at, most))(t)
		}
		var first []store.Leased
		t.Run("no more have their turn than a day's limit", func(t *testing.T) {
			first = lease(t, 20, now)
			equal(t, "at first", len(first), 20)
			equal(t, "what is left", len(lease(t, 20, now.Add(time.Hour))), 10)
			equal(t, "nothing", len(lease(t, 20, now.Add(2*time.Hour))), 0)
			use := must(s.QuotaUse(ctx, owner, now.Add(2*time.Hour)))(t)
			equal(t, "use", use, store.QuotaUse{PerDay: 30, Used: 30, From: now.Add(24 * time.Hour)})
		})
		t.Run("what is tried again does not count again", func(t *testing.T) {
			at := now.Add(3 * time.Hour)
			h.settleAll(t, h.node, first[:5], mailing.Deferred, at)
			equal(t, "tried again", len(lease(t, 20, at.Add(time.Hour))), 5)
		})
		t.Run("another run of the same owner has no limit of its own, and single mails have none", func(t *testing.T) {
			other := storetest.Run(t, s, storetest.Mailing(t, s, mailing.Mailing{OwnerID: owner.ID}))
			equal(t, "of another run", len(must(s.Lease(ctx, h.node, other.ID, now.Add(4*time.Hour), 10))(t)), 0)
			single := mailing.Run{OwnerID: owner.ID, Kind: mailing.RunTest, State: mailing.RunOpening, ScheduledFor: now, Lang: "ru", Doubt: mailing.NeverTwice, CreatedAt: now}
			id := must(s.OpenSingleRun(ctx, store.Single{Run: single, Content: store.Content{Subject: "Проба"}, Email: "test@example.org"}))(t)
			equal(t, "a test", len(must(s.Lease(ctx, h.node, id, now.Add(4*time.Hour), 10))(t)), 1)
		})
		t.Run("a lower limit takes longer, a higher one or none holds at once", func(t *testing.T) {
			ok(t, s.SetPerDay(ctx, owner.ID, 10))
			owner = must(s.Account(ctx, owner.ID))(t)
			use := must(s.QuotaUse(ctx, owner, now.Add(4*time.Hour)))(t)
			equal(t, "from", use.From, now.Add(25*time.Hour))
			ok(t, s.SetPerDay(ctx, owner.ID, 33))
			equal(t, "of a higher one", len(lease(t, 20, now.Add(5*time.Hour))), 3)
		})
		t.Run("when the day is over there is room again", func(t *testing.T) {
			equal(t, "a minute too early", len(lease(t, 100, now.Add(24*time.Hour-time.Minute))), 0)
			equal(t, "after the first", len(lease(t, 100, now.Add(24*time.Hour))), 20)
			ok(t, s.SetPerDay(ctx, owner.ID, 0))
			equal(t, "without a limit", len(lease(t, 100, now.Add(24*time.Hour))), 47)
		})
		t.Run("a run that waits for its owner's day is not too late", func(t *testing.T) {
			ok(t, s.SetPerDay(ctx, owner.ID, 1))
			m := storetest.Mailing(t, s, mailing.Mailing{OwnerID: owner.ID})
			r := storetest.OpeningRun(m)
			r.Kind = mailing.RunScheduled
			next := m
			next.NextAt = now.Add(24 * time.Hour)
			id, opened, err := s.OpenScheduledRun(ctx, r, store.Content{Subject: "Новости"}, next, m)
			ok(t, err)
			equal(t, "opened", opened, true)
			storetest.Fill(t, s, id)
			late := r.ScheduledFor.Add(48 * time.Hour)
			equal(t, "skipped", must(s.ExpireUntried(ctx, late, late))(t), 0)
			ok(t, s.SetPerDay(ctx, owner.ID, 0))
			equal(t, "skipped without a limit", must(s.ExpireUntried(ctx, late, late))(t), 100)
		})
	})
}

func TestQuotaOfTwoNodes(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := newHouse(t, s, 200)
		ok(t, s.SetPerDay(ctx, h.owner.ID, 50))
		nodes := []store.Node{h.node, storetest.Node(t, s, "two")}
		runs := []int64{storetest.Run(t, s, h.mailing).ID, storetest.Run(t, s, storetest.Mailing(t, s, mailing.Mailing{OwnerID: h.owner.ID})).ID}
		var all atomic.Int64
		for _, err := range atOnce(8, func(i int) error {
			for range 5 {
				list, err := s.Lease(ctx, nodes[i%2], runs[i/2%2], now, 7)
				all.Add(int64(len(list)))
				if err != nil {
					return err
				}
			}
			return nil
		}) {
			ok(t, err)
		}
		equal(t, "together", all.Load(), 50)
	})
}

func TestQuotaCountsWhatIsSentOnly(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := newHouse(t, s, 10)
		ok(t, s.SetPerDay(ctx, h.owner.ID, 8))
		run := storetest.Run(t, s, h.mailing)
		for _, c := range h.contacts[:5] { // they leave after the run was written down
			_, err := s.Suppress(ctx, mailing.Suppression{OwnerID: h.owner.ID, Email: c.Email, Reason: mailing.ReasonUnsubscribed, CreatedAt: now})
			ok(t, err)
		}
		mailable := 0
		for range 3 {
			for _, l := range h.leaseAll(t, h.node, run.ID, now) {
				if l.Unmailable == "" {
					mailable++
				}
			}
		}
		equal(t, "mailable", mailable, 5)
	})
}
