package store_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/store"
	"vestnik/internal/store/storetest"
)

var content = store.Content{Subject: "Новости", Format: mailing.FormatText, Body: "Здравствуйте!"}

// occurrence is the run of the mailing's next occurrence and the mailing as it is
// after that, a day on.
func occurrence(m mailing.Mailing) (mailing.Run, mailing.Mailing) {
	r := storetest.OpeningRun(m)
	r.Kind, r.ScheduledFor = mailing.RunScheduled, m.NextAt
	next := m
	next.Status, next.LastAt, next.NextAt = mailing.StatusRunning, m.NextAt, m.NextAt.AddDate(0, 0, 1)
	return r, next
}

func TestOpenScheduledRun(t *testing.T) {
	storetest.EachURL(t, func(t *testing.T, url string) {
		s := storetest.Open(t, url)
		h := newHouse(t, s, 2)
		t.Run("of many who try at once one wins", func(t *testing.T) {
			stores := []*store.Store{s, storetest.Open(t, url)}
			wins := make([]int64, 8)
			for _, err := range atOnce(len(wins), func(i int) error {
				r, next := occurrence(h.mailing)
				id, won, err := stores[i%2].OpenScheduledRun(ctx, r, content, next, h.mailing)
				if won {
					wins[i] = id
				}
				return err
			}) {
				ok(t, err)
			}
			var winners []int64
			for _, id := range wins {
				if id != 0 {
					winners = append(winners, id)
				}
			}
			equal(t, "winners", len(winners), 1)
			runs := must(s.RunsOfMailing(ctx, h.mailing.ID, 10))(t)
			equal(t, "runs", len(runs), 1)
			equal(t, "the winner's run", runs[0].ID, winners[0])
			equal(t, "for", runs[0].ScheduledFor, now)
			m := must(s.Mailing(ctx, h.mailing.ID))(t)
			equal(t, "next", m.NextAt, now.AddDate(0, 0, 1))
			equal(t, "last", m.LastAt, now)
			equal(t, "status", m.Status, mailing.StatusRunning)
		})
		t.Run("a mailing that was set back to an opened occurrence moves on", func(t *testing.T) {
			back := must(s.Mailing(ctx, h.mailing.ID))(t)
			was := back
			back.NextAt = now
			ok(t, s.UpdateMailing(ctx, back, was, nil))
			r, next := occurrence(back)
			_, won, err := s.OpenScheduledRun(ctx, r, content, next, back)
			ok(t, err)
			equal(t, "opened", won, false)
			equal(t, "runs", len(must(s.RunsOfMailing(ctx, back.ID, 10))(t)), 1)
			equal(t, "due", len(must(s.DueMailings(ctx, now, mailing.Mailing{}, 10))(t)), 0)
		})
		t.Run("not after somebody paused it", func(t *testing.T) {
			m := storetest.Mailing(t, s, mailing.Mailing{OwnerID: h.owner.ID})
			paused := m
			paused.Status = mailing.StatusPaused
			ok(t, s.SetMailingStatus(ctx, paused, m.Status))
			r, next := occurrence(m)
			_, won, err := s.OpenScheduledRun(ctx, r, content, next, m)
			ok(t, err)
			equal(t, "opened", won, false)
			equal(t, "runs", len(must(s.RunsOfMailing(ctx, m.ID, 10))(t)), 0)
		})
		t.Run("the same words are one version", func(t *testing.T) {
			m := storetest.Mailing(t, s, mailing.Mailing{OwnerID: h.owner.ID})
			r := storetest.OpeningRun(m)
			first := must(s.Run(ctx, must(s.OpenManualRun(ctx, r, content, r.CreatedAt))(t)))(t)
			r.ScheduledFor = r.ScheduledFor.Add(time.Second)
			second := must(s.Run(ctx, must(s.OpenManualRun(ctx, r, content, r.CreatedAt))(t)))(t)
			equal(t, "version", second.VersionID, first.VersionID)
			v := must(s.Version(ctx, first.VersionID))(t)
			equal(t, "version", v, mailing.Version{ID: v.ID, Subject: content.Subject, Format: content.Format, Body: content.Body})
		})
	})
}

func TestARunKeepsTheWeightItWasOpenedWith(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := newHouse(t, s, 1)
		m := storetest.Mailing(t, s, mailing.Mailing{OwnerID: h.owner.ID, Weight: mailing.WeightHigh})
		run := storetest.Run(t, s, m)
		equal(t, "when it is opened", run.Weight, mailing.WeightHigh)
		m.Weight = mailing.WeightLow
		ok(t, s.UpdateMailing(ctx, m, m, nil))
		equal(t, "after an edit", must(s.LiveRuns(ctx))(t)[0].Weight, mailing.WeightHigh)
		equal(t, "of the next run", mailing.NewRun(must(s.Mailing(ctx, m.ID))(t), h.owner, mailing.RunManual, now, now).Weight, mailing.WeightLow)
	})
}

func TestMissedRunIsOnRecordOnly(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := newHouse(t, s, 2)
		r, next := occurrence(h.mailing)
		r.State, r.FinishedAt, next.NextAt = mailing.RunMissed, now, time.Time{}
		id, won, err := s.OpenScheduledRun(ctx, r, content, next, h.mailing)
		ok(t, err)
		equal(t, "recorded", won, true)
		equal(t, "state", must(s.Run(ctx, id))(t).State, mailing.RunMissed)
		equal(t, "live runs", len(must(s.LiveRuns(ctx))(t)), 0)
		equal(t, "the mailing", must(s.Mailing(ctx, h.mailing.ID))(t).Status, mailing.StatusCompleted)
	})
}

func TestFillRun(t *testing.T) {
	storetest.EachURL(t, func(t *testing.T, url string) {
		s := storetest.Open(t, url)
		const contacts = 25_000
		h := newHouse(t, s, contacts)
		t.Run("chunk by chunk, by several at once, each person once", func(t *testing.T) {
			id := must(s.OpenManualRun(ctx, storetest.OpeningRun(h.mailing), content, now))(t)
			first := must(s.FillRun(ctx, id, now))(t)
			equal(t, "done after one chunk", first, false)
			equal(t, "audience after the first chunk", must(s.Run(ctx, id))(t).Counts.Audience, 1_000)
			equal(t, "leased while opening", len(must(s.Lease(ctx, h.node, id, now, 5))(t)), 5)

			stores := []*store.Store{s, storetest.Open(t, url), storetest.Open(t, url)}
			for _, err := range atOnce(len(stores), func(i int) error {
				for {
					done, err := stores[i].FillRun(ctx, id, now)
					if done || err != nil {
						return err
					}
				}
			}) {
				ok(t, err)
			}
			run := must(s.Run(ctx, id))(t)
			equal(t, "audience", run.Counts.Audience, contacts)
			equal(t, "state", run.State, mailing.RunSending)
			checkCounts(t, s, id)
			equal(t, "opening runs", len(must(s.OpeningRuns(ctx))(t)), 0)
			ok(t, s.CancelRun(ctx, id, now))
		})
		t.Run("a cancelled run is filled no further", func(t *testing.T) {
			id := must(s.OpenManualRun(ctx, storetest.OpeningRun(h.mailing), content, now))(t)
			must(s.FillRun(ctx, id, now))(t)
			ok(t, s.CancelRun(ctx, id, now))
			equal(t, "done", must(s.FillRun(ctx, id, now))(t), true)
			equal(t, "counts", must(s.Run(ctx, id))(t).Counts, mailing.Counts{Audience: 1_000, Skipped: 1_000})
		})
		t.Run("people who come and go meanwhile do not upset the counts", func(t *testing.T) {
			id := must(s.OpenManualRun(ctx, storetest.OpeningRun(h.mailing), content, now))(t)
			must(s.FillRun(ctx, id, now))(t)
			gone := make([]int64, 100)
			for i := range gone {
				gone[i] = h.contacts[i].ID
			}
			must(s.DeleteContacts(ctx, h.owner.ID, gone))(t)
			for _, email := range []string{"new1@example.com", "new2@example.com", "new3@example.com"} {
				storetest.Contact(t, s, h.owner.ID, email)
			}
			storetest.Fill(t, s, id)
			checkCounts(t, s, id)
			audience := must(s.Run(ctx, id))(t).Counts.Audience
			if audience < contacts-100 || audience > contacts+3 {
				t.Errorf("the audience is %d", audience)
			}
			ok(t, s.CancelRun(ctx, id, now))
		})
	})
}

func TestFillRunSkipsTheSuppressed(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := newHouse(t, s, 5)
		other := storetest.Account(t, s, "boris@example.com")
		foreign := storetest.Contact(t, s, other.ID, "client000001@example.com")
		for _, c := range h.contacts[:2] {
			must(s.Suppress(ctx, mailing.Suppression{
				OwnerID: h.owner.ID, Email: c.Email, Reason: mailing.ReasonUnsubscribed, CreatedAt: now,
			}))(t)
		}
		must(s.Suppress(ctx, mailing.Suppression{
			OwnerID: other.ID, Email: h.contacts[3].Email, Reason: mailing.ReasonManual, CreatedAt: now,
		}))(t)
		t.Run("of all", func(t *testing.T) {
			run := storetest.Run(t, s, h.mailing)
			equal(t, "counts", run.Counts, mailing.Counts{Audience: 5, Skipped: 2})
			skipped, _, err := s.Deliveries(ctx, store.DeliveryFilter{RunID: run.ID, States: []mailing.DeliveryState{mailing.Skipped}}, store.Page{Sort: "email", Limit: 10})
			ok(t, err)
			equal(t, "address", skipped[0].Email, h.contacts[0].Email)
			equal(t, "reason", skipped[0].Reason, mailing.ReasonUnsubscribed)
			equal(t, "settled", skipped[0].SettledAt, now)
			reach := must(s.Reach(ctx, h.mailing))(t)
			equal(t, "contacts", reach.Contacts, 5)
			equal(t, "suppressed", reach.Skipped(), 2)
		})
		t.Run("of those chosen, none of whom is another's", func(t *testing.T) {
			m := storetest.Mailing(t, s, mailing.Mailing{OwnerID: h.owner.ID},
				h.contacts[0].ID, h.contacts[4].ID, foreign.ID, 1<<50)
			equal(t, "chosen", len(must(s.MailingContacts(ctx, m.ID))(t)), 2)
			equal(t, "counts", storetest.Run(t, s, m).Counts, mailing.Counts{Audience: 2, Skipped: 1})
			reach := must(s.Reach(ctx, m))(t)
			equal(t, "contacts", reach.Contacts, 2)
			equal(t, "suppressed", reach.Skipped(), 1)
		})
		t.Run("and is complete when nobody is left", func(t *testing.T) {
			m := storetest.Mailing(t, s, mailing.Mailing{OwnerID: h.owner.ID}, h.contacts[0].ID)
			run := storetest.Run(t, s, m)
			equal(t, "state", run.State, mailing.RunCompleted)
			equal(t, "end", run.FinishedAt, now)
		})
	})
}

func TestMailingIsCompletedWithItsLastRun(t *testing.T) {
	storetest.EachURL(t, func(t *testing.T, url string) {
		s := storetest.Open(t, url)
		h := newHouse(t, s, 1)
		last := func(t *testing.T) mailing.Mailing {
			m := storetest.Mailing(t, s, mailing.Mailing{OwnerID: h.owner.ID, Status: mailing.StatusRunning})
			was := m
			m.NextAt = time.Time{}
			ok(t, s.UpdateMailing(ctx, m, was, nil))
			return m
		}
		t.Run("when the last delivery is settled", func(t *testing.T) {
			m := last(t)
			run := storetest.Run(t, s, m)
			equal(t, "status", must(s.Mailing(ctx, m.ID))(t).Status, mailing.StatusRunning)
			h.settleAll(t, h.node, h.leaseAll(t, h.node, run.ID, now), mailing.Sent, now)
			equal(t, "status", must(s.Mailing(ctx, m.ID))(t).Status, mailing.StatusCompleted)
		})
		t.Run("when it is cancelled", func(t *testing.T) {
			m := last(t)
			ok(t, s.CancelRun(ctx, storetest.Run(t, s, m).ID, now))
			equal(t, "status", must(s.Mailing(ctx, m.ID))(t).Status, mailing.StatusCompleted)
		})
		t.Run("not while another occurrence is to come", func(t *testing.T) {
			m := storetest.Mailing(t, s, mailing.Mailing{OwnerID: h.owner.ID, Status: mailing.StatusRunning})
			run := storetest.Run(t, s, m)
			h.settleAll(t, h.node, h.leaseAll(t, h.node, run.ID, now), mailing.Sent, now)
			equal(t, "status", must(s.Mailing(ctx, m.ID))(t).Status, mailing.StatusRunning)
		})
		t.Run("when several runs of it end at the same moment", func(t *testing.T) {
			stores := []*store.Store{s, storetest.Open(t, url)}
			third := storetest.Open(t, url)
			for range 20 {
				m := last(t)
				runs := []mailing.Run{storetest.Run(t, s, m), storetest.Run(t, s, m)}
				leased := [][]store.Leased{
					h.leaseAll(t, h.node, runs[0].ID, now), h.leaseAll(t, h.node, runs[1].ID, now),
				}
				// Both wait for the counts of their runs, and go on together.
				tx := must(third.Writer().Begin())(t)
				must(tx.Exec("update runs set halt = halt where mailing_id = $1", m.ID))(t)
				release := make(chan error, 1)
				go func() { release <- errors.Join(awaitBlocked(stores[0], 2), tx.Commit()) }()
				for _, err := range atOnce(2, func(i int) error {
					return stores[i].Settle(ctx, h.node, h.outcomes(h.node, leased[i], mailing.Sent, now), now)
				}) {
					ok(t, err)
				}
				ok(t, <-release)
				if status := must(s.Mailing(ctx, m.ID))(t).Status; status != mailing.StatusCompleted {
					t.Fatalf("both runs are done and the mailing is %s", status)
				}
			}
		})
	})
}

// awaitBlocked returns when n transactions wait for another's lock. Of SQLite
// nobody can know that, and there it does not matter: it has one writer.
func awaitBlocked(s *store.Store, n int) error {
	deadline, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for blocked := 0; s.Postgres() && blocked < n; {
		err := s.Writer().QueryRowContext(deadline, `select count(*) from pg_stat_activity
where datname = current_database() and wait_event_type = 'Lock'`).Scan(&blocked)
		if err != nil {
			return err
		}
	}
	return nil
}

func TestLiveRuns(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := newHouse(t, s, 1)
		bulk := storetest.Run(t, s, h.mailing)
		system := must(s.OpenSingleRun(ctx, store.Single{Run: mailing.Run{
			OwnerID: h.owner.ID, Kind: mailing.RunSystem, ScheduledFor: now, State: mailing.RunOpening,
			Priority: mailing.PrioritySystem, Doubt: mailing.NeverMissed, CreatedAt: now,
		}, Content: content, Email: "anna@example.com"}))(t)
		held := func(t *testing.T) (ids []int64, held []bool) {
			for _, r := range must(s.LiveRuns(ctx))(t) {
				ids, held = append(ids, r.ID), append(held, r.Held)
			}
			return ids, held
		}
		ids, on := held(t)
		equalList(t, "runs, the urgent first", ids, []int64{system, bulk.ID})
		equalList(t, "held", on, []bool{false, false})

		t.Run("are held while they are halted", func(t *testing.T) {
			ok(t, s.HaltRun(ctx, bulk.ID, "535 5.7.8 bad\x00 password"))
			_, on := held(t)
			equalList(t, "held", on, []bool{false, true})
			equal(t, "why", must(s.Run(ctx, bulk.ID))(t).Halt, "535 5.7.8 bad\uFFFD password")
			ok(t, s.HaltRun(ctx, bulk.ID, ""))
			_, on = held(t)
			equalList(t, "held", on, []bool{false, false})
		})
		t.Run("are held while their mailing is paused", func(t *testing.T) {
			m := h.mailing
			m.Status, m.StopBy, m.StopWhy, m.StoppedAt = mailing.StatusPaused, h.owner.ID, "отпуск", now
			ok(t, s.SetMailingStatus(ctx, m, mailing.StatusCreated))
			_, on := held(t)
			equalList(t, "held", on, []bool{false, true})
			wantCode(t, s.SetMailingStatus(ctx, m, mailing.StatusCreated), "changed_meanwhile")
			ok(t, s.SetMailingStatus(ctx, h.mailing, mailing.StatusPaused))
		})
		t.Run("are held while their owner is blocked, but for what we have to tell the owner", func(t *testing.T) {
			ok(t, s.Block(ctx, h.owner.ID, 0, "", now))
			_, on := held(t)
			equalList(t, "held", on, []bool{false, true})
			equal(t, "due mailings", len(must(s.DueMailings(ctx, now, mailing.Mailing{}, 10))(t)), 0)
			ok(t, s.Unblock(ctx, h.owner.ID))
			equal(t, "due mailings", len(must(s.DueMailings(ctx, now, mailing.Mailing{}, 10))(t)), 1)
		})
		t.Run("end with their mailing", func(t *testing.T) {
			ok(t, s.DeleteMailing(ctx, h.mailing.ID, now))
			ids, _ := held(t)
			equalList(t, "runs", ids, []int64{system})
			r := must(s.Run(ctx, bulk.ID))(t)
			equal(t, "state", r.State, mailing.RunCancelled)
			equal(t, "counts", r.Counts, mailing.Counts{Audience: 1, Skipped: 1})
			_, err := s.OpenManualRun(ctx, storetest.OpeningRun(h.mailing), content, now)
			wantCode(t, err, "changed_meanwhile")
			ids, _ = held(t)
			equalList(t, "runs", ids, []int64{system})
		})
	})
}

func TestADeletedMailingLeavesNoRunOpen(t *testing.T) {
	storetest.EachURL(t, func(t *testing.T, url string) {
		stores := []*store.Store{storetest.Open(t, url), storetest.Open(t, url)}
		h := newHouse(t, stores[0], 1)
		for range 25 {
			m := storetest.Mailing(t, stores[0], mailing.Mailing{OwnerID: h.owner.ID})
			r, next := occurrence(m)
			for _, err := range atOnce(3, func(i int) error {
				switch i {
				case 0:
					return stores[0].DeleteMailing(ctx, m.ID, now)
				case 1:
					_, _, err := stores[1].OpenScheduledRun(ctx, r, content, next, m)
					return err
				default:
					_, err := stores[1].OpenManualRun(ctx, storetest.OpeningRun(m), content, now)
					if mailing.CodeOf(err) == "changed_meanwhile" {
						return nil
					}
					return err
				}
			}) {
				ok(t, err)
			}
			if live := must(stores[0].LiveRuns(ctx))(t); len(live) != 0 {
				t.Fatalf("the mailing is deleted and %d of its runs are open", len(live))
			}
		}
	})
}

func TestRunSubjects(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := newHouse(t, s, 0)
		boris := storetest.Account(t, s, "boris@example.com")
		theirs := storetest.Run(t, s, storetest.Mailing(t, s, mailing.Mailing{OwnerID: boris.ID})).ID
		own := storetest.Run(t, s, h.mailing).ID
		ids := []int64{own, theirs, 1}
		t.Run("an owner gets those of their own runs", func(t *testing.T) {
			subjects := must(s.RunSubjects(ctx, h.owner.ID, ids))(t)
			equal(t, "how many", len(subjects), 1)
			equal(t, "own", subjects[own], "Новости")
		})
		t.Run("nobody in particular gets all", func(t *testing.T) {
			subjects := must(s.RunSubjects(ctx, 0, ids))(t)
			equal(t, "how many", len(subjects), 2)
			equal(t, "theirs", subjects[theirs], "Новости")
		})
	})
}
