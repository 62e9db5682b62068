package store_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/store"
	"vestnik/internal/store/storetest"
)

// mixedRun is a run of which two deliveries each were sent, failed, deferred, put in doubt
// and skipped, and two wait.
func mixedRun(t *testing.T, h house) (run mailing.Run, list []store.Leased) {
	t.Helper()
	for _, c := range h.contacts[10:12] {
		must(h.Suppress(ctx, mailing.Suppression{OwnerID: h.owner.ID, Email: c.Email, Reason: mailing.ReasonUnsubscribed, CreatedAt: now}))(t)
	}
	run = storetest.Run(t, h.Store, h.mailing)
	list = must(h.Lease(ctx, h.node, run.ID, now, 8))(t)
	for i, state := range []mailing.DeliveryState{mailing.Sent, mailing.Failed, mailing.Deferred, mailing.InDoubt} {
		h.settleAll(t, h.node, list[2*i:2*i+2], state, now.Add(time.Duration(i)*time.Minute))
	}
	return must(h.Run(ctx, run.ID))(t), list
}

func TestTallyRun(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := newHouse(t, s, 12)
		run, _ := mixedRun(t, h)
		rows := must(s.CountDeliveries(ctx, run.ID))(t)
		counts := map[mailing.DeliveryState]int64{}
		var tried, tries, skipped int64
		slots := map[mailing.DeliveryState]int64{}
		steps := 0
		for after, done := int64(store.NoContact), false; !done; steps++ {
			list, to, end, err := s.TallyRun(ctx, run.ID, after, time.Minute)
			ok(t, err)
			for _, tally := range list {
				equal(t, "domain", tally.Domain, "example.com")
				counts[tally.State] += tally.Deliveries
				tried += tally.Tried
				tries += tally.Tries
				slots[tally.State] = tally.Slot
				if tally.Reason == mailing.ReasonUnsubscribed {
					skipped += tally.Deliveries
				}
			}
			after, done = to, end
		}
		equal(t, "the counts", fmt.Sprint(counts), fmt.Sprint(rows))
		equal(t, "tried", tried, 8)
		equal(t, "tries", tries, 8)
		equal(t, "unsubscribed", skipped, 2)
		equal(t, "slot of those sent", slots[mailing.Sent], now.Unix()/60)
		equal(t, "slot of those that failed", slots[mailing.Failed], now.Unix()/60+1)
		equal(t, "slot of those in doubt", slots[mailing.InDoubt], 0)
		equal(t, "steps", steps, 3) // without a contact, all, no more
	})
}

func TestDeliveriesApart(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := newHouse(t, s, 12)
		run, leased := mixedRun(t, h)
		t.Run("they are found by their state, with the last attempts", func(t *testing.T) {
			for state, want := range map[mailing.DeliveryState]int{mailing.Failed: 2, mailing.Deferred: 2, mailing.InDoubt: 2, mailing.Skipped: 2} {
				list := must(s.DeliveriesApart(ctx, run.ID, state, 0, 10))(t)
				equal(t, state.String(), len(list), want)
				behind := must(s.DeliveriesApart(ctx, run.ID, state, list[0].ID, 10))(t)
				equal(t, "behind the first", len(behind), want-1)
			}
		})
		t.Run("of several attempts it is the last", func(t *testing.T) {
			later := now.Add(time.Hour)
			again := h.leaseAll(t, h.node, run.ID, later)
			h.settleAll(t, h.node, again, mailing.Failed, later)
			last := must(s.LastAttempts(ctx, []int64{leased[4].ID, leased[0].ID, 1 << 40}))(t)
			equal(t, "how many have one", len(last), 2)
			equal(t, "of the one that was tried again", last[leased[4].ID].Result, mailing.AttemptFailed)
			equal(t, "of the one that was sent", last[leased[0].ID].Result, mailing.AttemptAccepted)
		})
		t.Run("attempts that were put off are listed once", func(t *testing.T) {
			var putOff int
			for after, done := int64(0), false; !done; {
				list, to, end, err := s.PutOff(ctx, run.ID, after)
				ok(t, err)
				putOff += len(list)
				after, done = to, end
			}
			equal(t, "put off", putOff, 2)
		})
		t.Run("a part of the run is listed as the whole is", func(t *testing.T) {
			for _, states := range [][]mailing.DeliveryState{nil, {mailing.Sent}, {mailing.Failed}, {mailing.Waiting, mailing.Deferred, mailing.Sending}} {
				whole, total, err := s.Deliveries(ctx, store.DeliveryFilter{RunID: run.ID, States: states}, store.Page{Limit: 100})
				ok(t, err)
				part := must(s.RunDeliveries(ctx, run.ID, states, store.Page{Limit: 100}))(t)
				equal(t, fmt.Sprint("of ", states), int64(len(part)), total)
				equal(t, "all", len(whole), len(part))
				if len(part) > 1 {
					equal(t, "the second page", must(s.RunDeliveries(ctx, run.ID, states, store.Page{Limit: 1, Offset: 1}))(t)[0].ID, part[1].ID)
				}
			}
		})
		t.Run("what waits is listed with what is tried again first", func(t *testing.T) {
			r, _ := mixedRun(t, h)
			all := must(s.WaitingDeliveries(ctx, r.ID, store.Page{Limit: 10}))(t)
			var got []string
			for _, d := range all {
				got = append(got, d.State.String())
			}
			equal(t, "they", strings.Join(got, " "), "deferred deferred waiting waiting")
			for i := range all {
				one := must(s.WaitingDeliveries(ctx, r.ID, store.Page{Limit: 1, Offset: int64(i)}))(t)
				equal(t, fmt.Sprint("number ", i), one[0].ID, all[i].ID)
			}
			equal(t, "behind the last", len(must(s.WaitingDeliveries(ctx, r.ID, store.Page{Limit: 1, Offset: 4}))(t)), 0)
		})
		t.Run("all are listed by contact", func(t *testing.T) {
			equal(t, "without a contact", len(must(s.DeliveriesAfter(ctx, run.ID, store.NoContact, 5))(t)), 0)
			first := must(s.DeliveriesAfter(ctx, run.ID, 0, 5))(t)
			equal(t, "behind the fifth", len(must(s.DeliveriesAfter(ctx, run.ID, first[4].ContactID, 50))(t)), 7)
		})
	})
}

func TestRunMoment(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := newHouse(t, s, 12)
		run, _ := mixedRun(t, h)
		m := must(s.RunMoment(ctx, run.ID))(t)
		equal(t, "deferred", m.Deferred, must(s.CountDeliveries(ctx, run.ID))(t)[mailing.Deferred])
		equal(t, "next due", m.NextDue, now.Add(7*time.Minute))
		equal(t, "since", m.Lately.Since, now)
		equal(t, "final", m.Lately.Final, 4)
		empty := must(s.RunMoment(ctx, 1))(t)
		equal(t, "of nothing", empty, store.RunMoment{})
	})
}

func TestReport(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := newHouse(t, s, 2)
		run := storetest.Run(t, s, h.mailing)
		equal(t, "at first", must(s.Report(ctx, run.ID))(t), "")
		ok(t, s.PutReport(ctx, run.ID, "one", now))
		ok(t, s.PutReport(ctx, run.ID, "two", now))
		equal(t, "then", must(s.Report(ctx, run.ID))(t), "two")
	})
}

func TestRunsAround(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := newHouse(t, s, 1)
		var ids []int64
		for i := range 4 {
			r := storetest.OpeningRun(h.mailing)
			r.ScheduledFor = now.Add(time.Duration(i) * time.Hour)
			r.CreatedAt, r.GoesAt = r.ScheduledFor, now.Add(24*time.Hour)
			ids = append(ids, must(s.OpenManualRun(ctx, r, content, r.CreatedAt))(t))
		}
		latest, next, err := s.RunsAround(ctx, h.mailing.ID, now.Add(2*time.Hour), 2)
		ok(t, err)
		equal(t, "how many", len(latest), 2)
		equal(t, "the one", latest[0].ID, ids[2])
		equal(t, "the one before", latest[1].ID, ids[1])
		equal(t, "the next", next.ID, ids[3])
		_, next, err = s.RunsAround(ctx, h.mailing.ID, now.Add(3*time.Hour), 2)
		ok(t, err)
		equal(t, "after the last", next.ID, 0)
		for _, id := range []int64{ids[1], ids[3]} {
			ok(t, s.TakeBack(ctx, id, now))
		}
		latest, next, err = s.RunsAround(ctx, h.mailing.ID, now.Add(2*time.Hour), 2)
		ok(t, err)
		equal(t, "before one that was taken back", latest[1].ID, ids[0])
		equal(t, "after it nothing goes out", next.ID, 0)
		latest, _, err = s.RunsAround(ctx, h.mailing.ID, now.Add(time.Hour), 2)
		ok(t, err)
		equal(t, "the one itself", latest[0].ID, ids[1])
	})
}

func TestHindrances(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		one := storetest.Node(t, s, "one")
		two := storetest.Node(t, s, "two")
		ok(t, ignored(s.KeepNodeAlive(ctx, one, now.Add(time.Hour))))
		ok(t, ignored(s.KeepNodeAlive(ctx, two, now.Add(time.Minute))))
		silent := store.Hindrance{Node: "one", RoadID: 7, Kind: store.HindranceSilent, Name: "relay", Since: now}
		ok(t, s.PutHindrances(ctx, "one", []store.Hindrance{silent}, now))
		ok(t, s.PutHindrances(ctx, "two", []store.Hindrance{{RoadID: 7, Site: "google", Kind: store.HindranceClosed, Name: "Gmail", Why: "421 later", Since: now, Until: now.Add(time.Minute)}}, now))
		equal(t, "of both", len(must(s.Hindrances(ctx, now))(t)), 2)
		list := must(s.Hindrances(ctx, now.Add(30*time.Minute)))(t)
		equal(t, "of the one that lives", len(list), 1)
		equal(t, "it", list[0], silent)
		ok(t, s.PutHindrances(ctx, "one", nil, now.Add(30*time.Minute)))
		equal(t, "when they are over", len(must(s.Hindrances(ctx, now))(t)), 0)
	})
}

func ignored(_ bool, err error) error { return err }

// TestReportPlans asks SQLite how it finds those of a run that are apart.
func TestReportPlans(t *testing.T) {
	s := storetest.New(t)
	for _, query := range []string{
		"select * from deliveries d where d.run_id = $1 and d.state = 4 and d.id > $2 order by d.id limit $3",
		"select * from deliveries d where d.run_id = $1 and (d.state = 6) and $2 >= 0 order by d.id desc limit $3 offset $2",
		"select count(*) from deliveries where run_id = $1 and state = 1",
	} {
		rows := must(s.Writer().Query("explain query plan "+query, 1, 1, 1))(t)
		var steps []string
		for rows.Next() {
			var id, parent, unused int64
			var step string
			ok(t, rows.Scan(&id, &parent, &unused, &step))
			steps = append(steps, step)
		}
		ok(t, rows.Close())
		plan := strings.Join(steps, "\n")
		if !strings.Contains(plan, "deliveries_apart") || strings.Contains(plan, "TEMP B-TREE") {
			t.Errorf("%s is found by\n%s", query, plan)
		}
	}
}
