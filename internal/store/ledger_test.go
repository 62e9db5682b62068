package store_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/store"
	"vestnik/internal/store/storetest"
)

func TestLeaseTakesWhatIsDue(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := newHouse(t, s, 10)
		run := storetest.Run(t, s, h.mailing)

		t.Run("no more than asked for, with the person", func(t *testing.T) {
			list := must(s.Lease(ctx, h.node, run.ID, now, 4))(t)
			equal(t, "leased", len(list), 4)
			equal(t, "first name", list[0].FirstName, "Клиент")
			equal(t, "contact", list[0].ContactID != 0, true)
			equal(t, "tries", list[0].Tries, 0)
			equal(t, "made", list[0].CreatedAt, now)
			h.settleAll(t, h.node, list, mailing.Deferred, now)
		})
		t.Run("nothing before its time", func(t *testing.T) {
			h.settleAll(t, h.node, h.leaseAll(t, h.node, run.ID, now), mailing.Sent, now)
			equal(t, "leased a moment before", len(h.leaseAll(t, h.node, run.ID, now.Add(5*time.Minute-1))), 0)
			list := h.leaseAll(t, h.node, run.ID, now.Add(5*time.Minute))
			equal(t, "leased then", len(list), 4)
			equal(t, "tries", list[0].Tries, 1)
			h.settleAll(t, h.node, list, mailing.Sent, now)
		})
		t.Run("the longest due first", func(t *testing.T) {
			run := storetest.Run(t, s, h.mailing)
			list := h.leaseAll(t, h.node, run.ID, now)
			for i := range list {
				o := h.outcome(h.node, list[i], mailing.Deferred, now.Add(time.Duration(-i)*time.Minute))
				ok(t, s.Settle(ctx, h.node, []store.Outcome{o}, now))
			}
			for i := len(list) - 1; i >= 0; i-- {
				next := must(s.Lease(ctx, h.node, run.ID, now.Add(time.Hour), 1))(t)
				equal(t, "delivery", next[0].ID, list[i].ID)
			}
		})
	})
}

func TestLeaseKnowsWhoMayNotBeMailed(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := newHouse(t, s, 3)
		run := storetest.Run(t, s, h.mailing)
		must(s.Suppress(ctx, mailing.Suppression{
			OwnerID: h.owner.ID, Email: h.contacts[0].Email, Reason: mailing.ReasonUnsubscribed, CreatedAt: now,
		}))(t)
		must(s.DeleteContacts(ctx, h.owner.ID, []int64{h.contacts[1].ID}))(t)
		got := map[string]mailing.Reason{}
		for _, l := range h.leaseAll(t, h.node, run.ID, now) {
			got[l.Email] = l.Unmailable
		}
		equal(t, "who unsubscribed after the opening", got[h.contacts[0].Email], mailing.ReasonUnsubscribed)
		equal(t, "who was deleted after the opening", got[h.contacts[1].Email], mailing.ReasonDeleted)
		equal(t, "who did nothing", got[h.contacts[2].Email], mailing.Reason(""))
	})
}

func TestALeaseThatIsNotAnsweredIsNotTaken(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := newHouse(t, s, 3)
		run := storetest.Run(t, s, h.mailing)
		// The contacts cannot be read, so the caller never learns what it holds.
		must(s.Writer().Exec("alter table suppressions rename to hidden"))(t)
		if _, err := s.Lease(ctx, h.node, run.ID, now, 10); err == nil {
			t.Fatal("the lease succeeded without the table of suppressions")
		}
		equal(t, "held", must(s.CountDeliveries(ctx, run.ID))(t)[mailing.Sending], 0)
	})
}

func TestASupersededStartLeasesNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := newHouse(t, s, 3)
		run := storetest.Run(t, s, h.mailing)
		again := storetest.Node(t, s, "one")
		equal(t, "epoch of the second start", again.Epoch, h.node.Epoch+1)
		equal(t, "the same node", again.ID, h.node.ID)
		equal(t, "the first start is alive", must(s.KeepNodeAlive(ctx, h.node, now.Add(time.Hour)))(t), false)
		equal(t, "the second start is alive", must(s.KeepNodeAlive(ctx, again, now.Add(time.Hour)))(t), true)
		equal(t, "leased by the first start", len(h.leaseAll(t, h.node, run.ID, now)), 0)
		equal(t, "leased by the second start", len(h.leaseAll(t, again, run.ID, now)), 3)
	})
}

func TestNoDeliveryIsLeasedTwice(t *testing.T) {
	storetest.EachURL(t, func(t *testing.T, url string) {
		stores := []*store.Store{storetest.Open(t, url), storetest.Open(t, url)}
		const contacts, leasers = 2000, 8
		h := newHouse(t, stores[0], contacts)
		run := storetest.Run(t, stores[0], h.mailing)
		nodes := []store.Node{h.node, storetest.Node(t, stores[1], "two")}

		var mu sync.Mutex
		holders := map[int64]int{}
		for _, err := range atOnce(leasers, func(i int) error {
			for {
				list, err := stores[i%2].Lease(ctx, nodes[i%2], run.ID, now, 37)
				if err != nil || len(list) == 0 {
					return err
				}
				mu.Lock()
				for _, l := range list {
					holders[l.ID]++
				}
				mu.Unlock()
			}
		}) {
			ok(t, err)
		}
		equal(t, "deliveries leased", len(holders), contacts)
		for id, n := range holders {
			if n != 1 {
				t.Errorf("delivery %d was leased %d times", id, n)
			}
		}
	})
}

func TestSettleWritesItAllDown(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := newHouse(t, s, 4)
		run := storetest.Run(t, s, h.mailing)
		list := h.leaseAll(t, h.node, run.ID, now)
		refused := h.outcome(h.node, list[1], mailing.Failed, now)
		refused.Reason, refused.Suppress = mailing.ReasonRefused, true
		skipped := h.outcome(h.node, list[2], mailing.Skipped, now)
		skipped.Reason = mailing.ReasonUnsubscribed
		ok(t, s.Settle(ctx, h.node, []store.Outcome{
			h.outcome(h.node, list[0], mailing.Sent, now), refused, skipped,
			h.outcome(h.node, list[3], mailing.Deferred, now),
		}, now))

		equal(t, "counts", must(s.Run(ctx, run.ID))(t).Counts,
			mailing.Counts{Audience: 4, Sent: 1, Failed: 1, Skipped: 1})
		deferred := h.delivery(t, run.ID, list[3].ID)
		equal(t, "state", deferred.State, mailing.Deferred)
		equal(t, "due", deferred.DueAt, now.Add(5*time.Minute))
		equal(t, "tries", deferred.Tries, 1)
		equal(t, "settled", deferred.SettledAt.IsZero(), true)
		failed := h.delivery(t, run.ID, list[1].ID)
		equal(t, "reason", failed.Reason, mailing.ReasonRefused)
		equal(t, "settled", failed.SettledAt, now)

		c := must(s.ContactByEmail(ctx, h.owner.ID, list[1].Email))(t)
		equal(t, "suppressed because", c.Suppression.Reason, mailing.ReasonBounced)
		equal(t, "suppressed with", c.Suppression.Detail, "550 5.1.1 no such user")

		log := must(s.Log(ctx, store.LogFilter{DeliveryID: list[1].ID, Limit: 10}))(t)
		want := *refused.Attempt
		want.ID = log[0].ID
		equal(t, "attempt", log[0], want)

		h.settleAll(t, h.node, h.leaseAll(t, h.node, run.ID, now.Add(time.Hour)), mailing.Sent, now.Add(time.Hour))
		done := must(s.Run(ctx, run.ID))(t)
		equal(t, "state of the run", done.State, mailing.RunCompleted)
		equal(t, "end of the run", done.FinishedAt, now.Add(time.Hour))
		checkCounts(t, s, run.ID)
	})
}

func TestSettleAppliesAnOutcomeOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := newHouse(t, s, 5)
		t.Run("told again and again", func(t *testing.T) {
			run := storetest.Run(t, s, h.mailing)
			list := h.leaseAll(t, h.node, run.ID, now)
			for range 3 {
				h.settleAll(t, h.node, list, mailing.Sent, now)
			}
			equal(t, "counts", must(s.Run(ctx, run.ID))(t).Counts, mailing.Counts{Audience: 5, Sent: 5})
			equal(t, "attempts", len(must(s.Log(ctx, store.LogFilter{RunID: run.ID, Limit: 100}))(t)), 5)
		})
		t.Run("told twice in one batch", func(t *testing.T) {
			run := storetest.Run(t, s, h.mailing)
			list := h.leaseAll(t, h.node, run.ID, now)
			h.settleAll(t, h.node, append(list, list...), mailing.Sent, now)
			equal(t, "counts", must(s.Run(ctx, run.ID))(t).Counts, mailing.Counts{Audience: 5, Sent: 5})
			equal(t, "attempts", len(must(s.Log(ctx, store.LogFilter{RunID: run.ID, Limit: 100}))(t)), 5)
		})
		t.Run("told again when the same node holds the next try", func(t *testing.T) {
			run := storetest.Run(t, s, h.mailing)
			first := h.outcomes(h.node, h.leaseAll(t, h.node, run.ID, now), mailing.Deferred, now)
			ok(t, s.Settle(ctx, h.node, first, now))
			second := h.leaseAll(t, h.node, run.ID, now.Add(time.Hour))
			ok(t, s.Settle(ctx, h.node, first, now.Add(time.Hour)))
			d := h.delivery(t, run.ID, second[0].ID)
			equal(t, "state", d.State, mailing.Sending)
			equal(t, "tries", d.Tries, 1)
			equal(t, "attempts", len(must(s.Log(ctx, store.LogFilter{RunID: run.ID, Limit: 100}))(t)), 5)
		})
		t.Run("one of a delivery that is gone is dropped", func(t *testing.T) {
			ok(t, s.Settle(ctx, h.node, []store.Outcome{{DeliveryID: 1 << 50, Epoch: 1, State: mailing.Sent}}, now))
		})
	})
}

func TestSettleTakesAnyAnswer(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		answers := map[string]string{
			"Ok":                       "Ok",
			"":                         "",
			"два\nстроки \"в\" '1' \\": "два\nстроки \"в\" '1' \\",
			"<b>&amp;\u2028</b>":       "<b>&amp;\u2028</b>",
			"nul\x00 in it":            "nul\uFFFD in it",
			"not \xff UTF-8":           "not \uFFFD UTF-8",
			`\u0000 in letters`:        `\u0000 in letters`,
			"null":                     "null",
			"12345678901234567890":     "12345678901234567890",
			"emoji 😀":                  "emoji 😀",
		}
		h := newHouse(t, s, len(answers))
		run := storetest.Run(t, s, h.mailing)
		list := h.leaseAll(t, h.node, run.ID, now)
		i := 0
		for answer, kept := range answers {
			o := h.outcome(h.node, list[i], mailing.Failed, now)
			o.Attempt.Reply.Text, o.Suppress = answer, true
			ok(t, s.Settle(ctx, h.node, []store.Outcome{o}, now))
			log := must(s.Log(ctx, store.LogFilter{DeliveryID: list[i].ID, Limit: 1}))(t)
			equal(t, fmt.Sprintf("answer %q", answer), log[0].Reply.Text, kept)
			i++
		}
	})
}

func TestVarsAreForgottenWhenTheyAreOfNoUse(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := newHouse(t, s, 0)
		open := func(t *testing.T) (int64, store.Leased) {
			r := mailing.Run{
				OwnerID: h.owner.ID, Kind: mailing.RunSystem, ScheduledFor: now, State: mailing.RunOpening,
				Lang: "ru", Priority: mailing.PrioritySystem, Doubt: mailing.NeverTwice, CreatedAt: now,
			}
			id := must(s.OpenSingleRun(ctx, store.Single{
				Run: r, Content: store.Content{Subject: "Код", Format: mailing.FormatText, Body: "{{ code }}"}, Email: "anna@example.com", Vars: "sealed",
			}))(t)
			list := h.leaseAll(t, h.node, id, now)
			equal(t, "leased", len(list), 1)
			equal(t, "vars", list[0].Vars, "sealed")
			equal(t, "contact", list[0].ContactID, 0)
			equal(t, "unmailable", list[0].Unmailable, mailing.Reason(""))
			return id, list[0]
		}
		stored := func(t *testing.T, id int64) (vars string) {
			ok(t, s.Writer().QueryRow("select vars from deliveries where id = $1", id).Scan(&vars))
			return vars
		}
		t.Run("after the mail was sent", func(t *testing.T) {
			_, l := open(t)
			h.settleAll(t, h.node, []store.Leased{l}, mailing.Sent, now)
			equal(t, "vars", stored(t, l.ID), "")
		})
		t.Run("not while it is in doubt, and may be sent again", func(t *testing.T) {
			run, l := open(t)
			h.settleAll(t, h.node, []store.Leased{l}, mailing.InDoubt, now)
			ok(t, s.ResolveDoubt(ctx, run, l.ID, mailing.Waiting, now))
			again := h.leaseAll(t, h.node, run, now)
			equal(t, "vars", again[0].Vars, "sealed")
			h.settleAll(t, h.node, again, mailing.InDoubt, now.Add(time.Minute))
			ok(t, s.ResolveDoubt(ctx, run, l.ID, mailing.Sent, now))
			equal(t, "vars", stored(t, l.ID), "")
		})
		t.Run("when the run is cancelled", func(t *testing.T) {
			run, l := open(t)
			h.settleAll(t, h.node, []store.Leased{l}, mailing.Waiting, now)
			ok(t, s.CancelRun(ctx, run, now))
			equal(t, "vars", stored(t, l.ID), "")
		})
	})
}

func TestTakeOverFromDeadNodes(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := newHouse(t, s, 4)
		other := storetest.Node(t, s, "two")
		dead := now.Add(2 * time.Hour)
		t.Run("what a live node holds stays with it", func(t *testing.T) {
			run := storetest.Run(t, s, h.mailing)
			h.leaseAll(t, other, run.ID, now)
			equal(t, "taken", must(s.TakeOver(ctx, now, 100))(t), 0)
			ok(t, s.CancelRun(ctx, run.ID, now))
			must(s.TakeOver(ctx, dead, 100))(t)
		})
		t.Run("never twice puts it in doubt", func(t *testing.T) {
			run := storetest.Run(t, s, h.mailing)
			list := h.leaseAll(t, other, run.ID, now)
			equal(t, "taken", must(s.TakeOver(ctx, dead, 3))(t), 4)
			equal(t, "taken then", must(s.TakeOver(ctx, dead, 3))(t), 0)
			equal(t, "counts", must(s.Run(ctx, run.ID))(t).Counts, mailing.Counts{Audience: 4, InDoubt: 4})
			equal(t, "the run", must(s.Run(ctx, run.ID))(t).State, mailing.RunCompleted)

			// The dead come back and their journal tells.
			h.settleAll(t, other, list[:2], mailing.Sent, dead)
			h.settleAll(t, other, list[:2], mailing.Sent, dead)
			h.settleAll(t, other, list[2:3], mailing.Waiting, dead)
			equal(t, "counts", must(s.Run(ctx, run.ID))(t).Counts, mailing.Counts{Audience: 4, Sent: 2, InDoubt: 1})
			equal(t, "the run goes on", must(s.Run(ctx, run.ID))(t).State, mailing.RunSending)
			d := h.delivery(t, run.ID, list[0].ID)
			equal(t, "tries", d.Tries, 1)
			equal(t, "attempts", len(must(s.Log(ctx, store.LogFilter{RunID: run.ID, Limit: 100}))(t)), 2)
			h.settleAll(t, h.node, h.leaseAll(t, h.node, run.ID, dead.Add(time.Hour)), mailing.Sent, dead)
			checkCounts(t, s, run.ID)
			equal(t, "the run ends", must(s.Run(ctx, run.ID))(t).State, mailing.RunCompleted)
		})
		t.Run("what was leased one by one is taken a part at a time", func(t *testing.T) {
			run := storetest.Run(t, s, h.mailing)
			h.handBack(t, other, run.ID, now)
			equal(t, "leased", len(h.leaseAll(t, other, run.ID, now)), 4)
			equal(t, "taken first", must(s.TakeOver(ctx, dead, 3))(t), 3)
			equal(t, "taken then", must(s.TakeOver(ctx, dead, 3))(t), 1)
			checkCounts(t, s, run.ID)
		})
		t.Run("never missed makes it due again", func(t *testing.T) {
			m := storetest.Mailing(t, s, mailing.Mailing{OwnerID: h.owner.ID, Doubt: mailing.NeverMissed})
			run := storetest.Run(t, s, m)
			list := h.leaseAll(t, other, run.ID, now)
			equal(t, "taken", must(s.TakeOver(ctx, dead, 100))(t), 4)
			equal(t, "counts", must(s.Run(ctx, run.ID))(t).Counts, mailing.Counts{Audience: 4})

			// What is known to be sent by now need not be sent again.
			h.settleAll(t, other, list[:1], mailing.Sent, dead)
			again := h.leaseAll(t, h.node, run.ID, dead)
			equal(t, "leased again", len(again), 3)
			// Of one that another holds by now, the attempt is a fact and no more.
			held := slices.IndexFunc(list, func(l store.Leased) bool { return l.ID == again[0].ID })
			h.settleAll(t, other, list[held:held+1], mailing.Sent, dead)
			equal(t, "state", h.delivery(t, run.ID, again[0].ID).State, mailing.Sending)
			equal(t, "attempts", len(must(s.Log(ctx, store.LogFilter{RunID: run.ID, Limit: 100}))(t)), 2)
			h.settleAll(t, h.node, again, mailing.Sent, dead)
			checkCounts(t, s, run.ID)
		})
		t.Run("a late bounce still suppresses the address", func(t *testing.T) {
			run := storetest.Run(t, s, h.mailing)
			list := h.leaseAll(t, other, run.ID, now)
			must(s.TakeOver(ctx, dead, 100))(t)
			o := h.outcome(other, list[0], mailing.Failed, now)
			o.Suppress = true
			ok(t, s.Settle(ctx, other, []store.Outcome{o}, dead))
			c := must(s.ContactByEmail(ctx, h.owner.ID, list[0].Email))(t)
			equal(t, "suppressed because", c.Suppression.Reason, mailing.ReasonBounced)
		})
	})
}

func TestANodeFindsWhatItsEarlierStartHeld(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := newHouse(t, s, 2)
		run := storetest.Run(t, s, h.mailing)
		list := h.leaseAll(t, h.node, run.ID, now)
		equal(t, "held before the second start", len(must(s.LeftByNode(ctx, h.node))(t)), 0)
		again := storetest.Node(t, s, "one")
		held := must(s.LeftByNode(ctx, again))(t)
		equal(t, "held", len(held), 2)
		equal(t, "epoch", held[0].Epoch, h.node.Epoch)
		equal(t, "doubt", held[0].Doubt, mailing.NeverTwice)
		equal(t, "run", held[0].RunID, run.ID)
		h.settleAll(t, h.node, list[:1], mailing.Sent, now) // under the earlier epoch
		equal(t, "held then", len(must(s.LeftByNode(ctx, again))(t)), 1)
	})
}

func TestResolveDoubt(t *testing.T) {
	storetest.EachURL(t, func(t *testing.T, url string) {
		s := storetest.Open(t, url)
		h := newHouse(t, s, 3)
		run := storetest.Run(t, s, h.mailing)
		list := h.leaseAll(t, h.node, run.ID, now)
		h.settleAll(t, h.node, list, mailing.InDoubt, now)
		equal(t, "the run", must(s.Run(ctx, run.ID))(t).State, mailing.RunCompleted)

		t.Run("by one of those who try at once", func(t *testing.T) {
			second := storetest.Open(t, url)
			resolved := 0
			for _, err := range atOnce(8, func(i int) error {
				return []*store.Store{s, second}[i%2].ResolveDoubt(ctx, run.ID, list[0].ID, mailing.Sent, now)
			}) {
				if err == nil {
					resolved++
					continue
				}
				wantCode(t, err, "changed_meanwhile")
			}
			equal(t, "resolved", resolved, 1)
			equal(t, "counts", must(s.Run(ctx, run.ID))(t).Counts, mailing.Counts{Audience: 3, Sent: 1, InDoubt: 2})
		})
		t.Run("sending it again opens the run again", func(t *testing.T) {
			ok(t, s.ResolveDoubt(ctx, run.ID, list[1].ID, mailing.Waiting, now))
			r := must(s.Run(ctx, run.ID))(t)
			equal(t, "the run", r.State, mailing.RunSending)
			equal(t, "its end", r.FinishedAt.IsZero(), true)
			again := h.leaseAll(t, h.node, run.ID, now)
			equal(t, "leased", len(again), 1)
			h.settleAll(t, h.node, again, mailing.Sent, now.Add(time.Minute))
			equal(t, "the run", must(s.Run(ctx, run.ID))(t).State, mailing.RunCompleted)
			checkCounts(t, s, run.ID)
		})
		t.Run("of a delivery that is in none is a conflict", func(t *testing.T) {
			wantCode(t, s.ResolveDoubt(ctx, run.ID, list[0].ID, mailing.Failed, now), "changed_meanwhile")
			wantCode(t, s.ResolveDoubt(ctx, run.ID, 1<<50, mailing.Failed, now), "not_found")
			wantCode(t, s.ResolveDoubt(ctx, run.ID+1, list[2].ID, mailing.Failed, now), "not_found")
		})
	})
}

func TestCancelRun(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := newHouse(t, s, 6)
		run := storetest.Run(t, s, h.mailing)
		held := must(s.Lease(ctx, h.node, run.ID, now, 3))(t)
		ok(t, s.CancelRun(ctx, run.ID, now))
		ok(t, s.CancelRun(ctx, run.ID, now)) // changes nothing
		r := must(s.Run(ctx, run.ID))(t)
		equal(t, "state", r.State, mailing.RunCancelled)
		equal(t, "counts", r.Counts, mailing.Counts{Audience: 6, Skipped: 3})
		equal(t, "leased after it", len(h.leaseAll(t, h.node, run.ID, now)), 0)

		ok(t, s.Settle(ctx, h.node, []store.Outcome{
			h.outcome(h.node, held[0], mailing.Sent, now),
			h.outcome(h.node, held[1], mailing.Deferred, now),
			h.outcome(h.node, held[2], mailing.Waiting, now),
		}, now))
		equal(t, "counts", must(s.Run(ctx, run.ID))(t).Counts, mailing.Counts{Audience: 6, Sent: 1, Skipped: 5})
		equal(t, "why it was skipped", h.delivery(t, run.ID, held[1].ID).Reason, mailing.ReasonCancelled)
		equal(t, "state", must(s.Run(ctx, run.ID))(t).State, mailing.RunCancelled)
		wantCode(t, s.CancelRun(ctx, 1<<50, now), "not_found")
	})
}
