package store_test

import (
	"testing"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/store"
	"vestnik/internal/store/storetest"
)

// installed makes the database one that was set up.
func installed(t *testing.T, s *store.Store) {
	t.Helper()
	must(s.Installation(ctx, store.Installation{Instance: "ours"}, now))(t)
}

func TestCheckIn(t *testing.T) {
	hour := func(n int) time.Time { return now.Add(time.Duration(n) * time.Hour) }
	cases := []struct {
		name string
		home string         // where it is seen; it has been at "here" at hour 1, and knows of hour 5
		last store.Sighting // what is remembered
		at   time.Time
		why  mailing.HoldReason
	}{
		{"a start where it was holds nothing", "here", store.Sighting{Instance: "ours", At: hour(5)}, hour(6), ""},
		{"a process that remembers less than the database holds nothing", "here", store.Sighting{Instance: "ours", At: hour(1)}, hour(6), ""},
		{"a process that remembers nothing holds nothing", "here", store.Sighting{}, hour(6), ""},
		{"a process that remembers another database holds nothing", "here", store.Sighting{Instance: "theirs", At: hour(9)}, hour(6), ""},
		{"a clock that is behind holds nothing", "here", store.Sighting{Instance: "ours", At: hour(5)}, hour(2), ""},
		{"elsewhere it is held", "there", store.Sighting{}, hour(6), mailing.HoldMoved},
		{"one that does not know what it has known is held", "here", store.Sighting{Instance: "ours", At: hour(5).Add(time.Millisecond)}, hour(6), mailing.HoldOlder},
		{"one that is older and elsewhere is called older", "there", store.Sighting{Instance: "ours", At: hour(7)}, hour(8), mailing.HoldOlder},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			storetest.Each(t, func(t *testing.T, s *store.Store) {
				installed(t, s)
				for _, at := range []time.Time{hour(1), hour(5)} {
					_, hold, err := s.CheckIn(ctx, "here", store.Sighting{}, at)
					ok(t, err)
					equal(t, "held at first", hold, mailing.Hold{})
				}
				seen, hold, err := s.CheckIn(ctx, c.home, c.last, c.at)
				ok(t, err)
				equal(t, "why", hold.Why, c.why)
				equal(t, "held", hold.On(), c.why != "")
				equal(t, "in the database", must(s.Hold(ctx))(t), hold)
				if hold.On() {
					equal(t, "since", hold.At, c.at)
					equal(t, "from", hold.From, hour(5))
				}
				equal(t, "remembers whose it is", seen.Instance, "ours")
				equal(t, "knows of more than it did", seen.At.After(hour(5)), true)
				again, still, err := s.CheckIn(ctx, c.home, seen, c.at)
				ok(t, err)
				equal(t, "hold at the next look", still, hold)
				equal(t, "knows of more again", again.At.After(seen.At), true)
			})
		})
	}
}

func TestCheckInAtOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		installed(t, s)
		t.Run("of many who come at once to a new database, nobody holds it", func(t *testing.T) {
			for _, err := range atOnce(8, func(int) error {
				_, hold, err := s.CheckIn(ctx, "here", store.Sighting{}, now)
				equal(t, "held", hold.On(), false)
				return err
			}) {
				ok(t, err)
			}
		})
		t.Run("many who go on at once hold nothing either", func(t *testing.T) {
			for _, err := range atOnce(8, func(int) error {
				var last store.Sighting
				for range 10 {
					seen, hold, err := s.CheckIn(ctx, "here", last, now)
					if err != nil {
						return err
					}
					equal(t, "held", hold.On(), false)
					last = seen
				}
				return nil
			}) {
				ok(t, err)
			}
		})
		t.Run("of those who come after a restore, the first one's hold counts for all", func(t *testing.T) {
			last := store.Sighting{Instance: "ours", At: now.Add(time.Hour)}
			_, hold, err := s.CheckIn(ctx, "here", last, now.Add(2*time.Hour))
			ok(t, err)
			_, second, err := s.CheckIn(ctx, "there", last, now.Add(3*time.Hour))
			ok(t, err)
			equal(t, "hold", second, hold)
			must(s.EndHold(ctx, mailing.HoldGoOn, 7, now.Add(4*time.Hour)))(t)
			_, third, err := s.CheckIn(ctx, "there", last, now.Add(5*time.Hour))
			ok(t, err)
			equal(t, "held again by a node that was away", third.On(), false)
		})
	})
}

// heldHouse is a house with a run, a mailing that is due, a code from before and
// one from after, under a hold since an hour from now.
func heldHouse(t *testing.T, s *store.Store) (h house, run, before, after int64) {
	t.Helper()
	installed(t, s)
	h = newHouse(t, s, 4)
	run = storetest.Run(t, s, h.mailing).ID
	code := func(at time.Time) int64 {
		return must(s.OpenSingleRun(ctx, store.Single{Run: mailing.Run{
			OwnerID: h.owner.ID, Kind: mailing.RunSystem, ScheduledFor: at, State: mailing.RunOpening,
			Priority: mailing.PrioritySystem, Doubt: mailing.NeverMissed, CreatedAt: at,
		}, Content: content, Email: "anna@example.com"}))(t)
	}
	before = code(now)
	must(s.StartHold(ctx, now.Add(time.Hour)))(t)
	after = code(now.Add(2 * time.Hour))
	return h, run, before, after
}

func TestHold(t *testing.T) {
	later := now.Add(48 * time.Hour)
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h, run, before, after := heldHouse(t, s)
		t.Run("what was open waits, and a code that was asked for since does not", func(t *testing.T) {
			held := map[int64]bool{}
			for _, r := range must(s.LiveRuns(ctx))(t) {
				held[r.ID] = r.Held
			}
			equal(t, "runs", len(held), 3)
			equal(t, "the mailing's", held[run], true)
			equal(t, "the code from before", held[before], true)
			equal(t, "the code from after", held[after], false)
		})
		t.Run("nothing is opened, by schedule or by hand", func(t *testing.T) {
			_, err := s.OpenManualRun(ctx, storetest.OpeningRun(h.mailing), content, now)
			wantCode(t, err, "database_held")
			moved := h.mailing
			moved.NextAt = later
			r := mailing.NewRun(h.mailing, h.owner, mailing.RunScheduled, h.mailing.NextAt, later)
			_, opened, err := s.OpenScheduledRun(ctx, r, content, moved, h.mailing)
			ok(t, err)
			equal(t, "opened", opened, false)
			equal(t, "next", must(s.Mailing(ctx, h.mailing.ID))(t).NextAt, h.mailing.NextAt)
		})
		t.Run("what is concerned can be listed", func(t *testing.T) {
			hold := must(s.Hold(ctx))(t)
			runs, total, err := s.HeldRuns(ctx, hold, 1)
			ok(t, err)
			equal(t, "listed", len(runs), 1)
			equal(t, "all", total, 2)
			runs, _, err = s.HeldRuns(ctx, hold, 10)
			ok(t, err)
			waiting := map[int64]int64{}
			for _, r := range runs {
				waiting[r.ID] = r.Counts.Waiting()
				equal(t, "owner", r.Email, h.owner.Email)
			}
			equal(t, "left of the run", waiting[run], 4)
			equal(t, "left of the code", waiting[before], 1)
			mailings, total, err := s.HeldMailings(ctx, h.mailing.NextAt, 10)
			ok(t, err)
			equal(t, "due", total, 1)
			equal(t, "due is", mailings[0].ID, h.mailing.ID)
			_, total, err = s.HeldMailings(ctx, h.mailing.NextAt.Add(-time.Second), 10)
			ok(t, err)
			equal(t, "due a second earlier", total, 0)
		})
		t.Run("a second hold is a conflict", func(t *testing.T) {
			_, err := s.StartHold(ctx, later)
			wantCode(t, err, "hold_on")
		})
		t.Run("when it goes on, all is as it was", func(t *testing.T) {
			equal(t, "changed", must(s.EndHold(ctx, mailing.HoldGoOn, h.owner.ID, later))(t), store.HoldEnded{})
			for _, r := range must(s.LiveRuns(ctx))(t) {
				equal(t, "held", r.Held, false)
			}
			must(s.OpenManualRun(ctx, storetest.OpeningRun(h.mailing), content, now.Add(time.Minute)))(t)
			_, err := s.EndHold(ctx, mailing.HoldCopy, h.owner.ID, later)
			wantCode(t, err, "hold_over")
			checkCounts(t, s, run)
		})
	})
}

func TestACopyIsQuiet(t *testing.T) {
	later := now.Add(48 * time.Hour)
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h, run, before, after := heldHouse(t, s)
		dead := must(s.StartNode(ctx, "dead", now, now.Add(time.Second)))(t)
		inHand := must(s.Lease(ctx, dead, run, now, 1))(t)
		off := storetest.Mailing(t, s, mailing.Mailing{OwnerID: h.owner.ID, Status: mailing.StatusDisabled})
		done := must(s.EndHold(ctx, mailing.HoldCopy, h.owner.ID, later))(t)
		equal(t, "changed", done, store.HoldEnded{Cancelled: 2, Paused: 1})

		t.Run("every mailing is paused by who said so", func(t *testing.T) {
			m := must(s.Mailing(ctx, h.mailing.ID))(t)
			equal(t, "status", m.Status, mailing.StatusPaused)
			equal(t, "by", m.StopBy, h.owner.ID)
			equal(t, "at", m.StoppedAt, later)
			equal(t, "disabled one", must(s.Mailing(ctx, off.ID))(t).Status, mailing.StatusDisabled)
			equal(t, "due", len(must(s.DueMailings(ctx, later, mailing.Mailing{}, 10))(t)), 0)
		})
		t.Run("what was not sent is skipped, and what a dead node held is in doubt", func(t *testing.T) {
			equal(t, "taken over", must(s.TakeOver(ctx, later, 10))(t), 1)
			equal(t, "state", h.delivery(t, run, inHand[0].ID).State, mailing.InDoubt)
			r := must(s.Run(ctx, run))(t)
			equal(t, "state", r.State, mailing.RunCancelled)
			equal(t, "counts", r.Counts, mailing.Counts{Audience: 4, Skipped: 3, InDoubt: 1})
			equal(t, "code from before", must(s.Run(ctx, before))(t).State, mailing.RunCancelled)
			checkCounts(t, s, run)
			checkCounts(t, s, before)
		})
		t.Run("a code that was asked for since still goes out", func(t *testing.T) {
			live := must(s.LiveRuns(ctx))(t)
			equal(t, "runs", len(live), 1)
			equal(t, "run", live[0].ID, after)
			equal(t, "held", live[0].Held, false)
		})
	})
}

func TestAnOlderLedgerTakesTheWordOfTheJournal(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := newHouse(t, s, 3)
		run := storetest.Run(t, s, h.mailing)
		list, _, err := s.Deliveries(ctx, store.DeliveryFilter{RunID: run.ID}, store.Page{Limit: 10})
		ok(t, err)
		told := func(runID int64, d mailing.Delivery) store.Outcome {
			return h.outcome(store.Node{ID: 99, Name: "one", Epoch: 7}, store.Leased{ID: d.ID, RunID: runID, Email: d.Email}, mailing.Sent, now)
		}
		t.Run("what it knows of no lease of was sent if the journal says so", func(t *testing.T) {
			ok(t, s.Settle(ctx, h.node, []store.Outcome{told(run.ID, list[0])}, now))
			equal(t, "state", h.delivery(t, run.ID, list[0].ID).State, mailing.Sent)
			checkCounts(t, s, run.ID)
		})
		t.Run("what is told of another run is about another delivery", func(t *testing.T) {
			ok(t, s.Settle(ctx, h.node, []store.Outcome{told(run.ID+1, list[1])}, now))
			equal(t, "state", h.delivery(t, run.ID, list[1].ID).State, mailing.Waiting)
			equal(t, "attempts", len(must(s.Log(ctx, store.LogFilter{RunID: run.ID, Limit: 10}))(t)), 1)
		})
	})
}
