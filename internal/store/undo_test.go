package store_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/store"
	"vestnik/internal/store/storetest"
)

// waiting opens a run by hand that goes out ten seconds from now, and writes it down.
func (h house) waiting(t testing.TB, opened time.Time) mailing.Run {
	t.Helper()
	r := storetest.OpeningRun(h.mailing)
	r.CreatedAt, r.GoesAt = opened, opened.Add(10*time.Second)
	id := must(h.OpenManualRun(ctx, r, content, opened.Add(-time.Minute)))(t)
	storetest.Fill(t, h.Store, id)
	return must(h.Run(ctx, id))(t)
}

func TestTakeBack(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := newHouse(t, s, 5)
		first := storetest.Run(t, s, h.mailing)
		h.settleAll(t, h.node, h.leaseAll(t, h.node, first.ID, now), mailing.Sent, now)
		before := must(s.Mailing(ctx, h.mailing.ID))(t)
		run := h.waiting(t, now.Add(time.Hour))
		equal(t, "it goes out", run.GoesAt, now.Add(time.Hour+10*time.Second))
		equal(t, "when it was sent last", must(s.Mailing(ctx, h.mailing.ID))(t).LastAt, run.CreatedAt)

		ok(t, s.TakeBack(ctx, run.ID, now.Add(time.Hour)))
		t.Run("it is as if it had never been sent", func(t *testing.T) {
			after := must(s.Mailing(ctx, h.mailing.ID))(t)
			if after.LastAt != before.LastAt || after.NextAt != before.NextAt || after.Status != before.Status {
				t.Errorf("the mailing was %+v, is %+v", before, after)
			}
			r := must(s.Run(ctx, run.ID))(t)
			equal(t, "state", r.State, mailing.RunTakenBack)
			equal(t, "counts", r.Counts, mailing.Counts{})
			equal(t, "live runs", len(must(s.LiveRuns(ctx))(t)), 0)
			equal(t, "leased", len(h.leaseAll(t, h.node, run.ID, now.Add(2*time.Hour))), 0)
		})
		t.Run("whom it was meant for is forgotten", func(t *testing.T) {
			ok(t, s.SweepTakenBack(ctx))
			equal(t, "deliveries", len(must(s.CountDeliveries(ctx, run.ID))(t)), 0)
			equal(t, "of the run before", must(s.CountDeliveries(ctx, first.ID))(t)[mailing.Sent], 5)
		})
		t.Run("once more it is said yes to, and changes nothing", func(t *testing.T) {
			ok(t, s.TakeBack(ctx, run.ID, now.Add(3*time.Hour)))
			equal(t, "when", must(s.Run(ctx, run.ID))(t).FinishedAt, now.Add(time.Hour))
		})
		t.Run("the mailing can be sent again at once", func(t *testing.T) {
			again := h.waiting(t, now.Add(time.Hour+time.Second))
			h.leaseAll(t, h.node, again.ID, now.Add(2*time.Hour))
			t.Run("and is not taken back once somebody had their turn", func(t *testing.T) {
				wantCode(t, s.TakeBack(ctx, again.ID, now.Add(2*time.Hour)), "undo_too_late")
				equal(t, "state", must(s.Run(ctx, again.ID))(t).State, mailing.RunSending)
			})
		})
		t.Run("what went at once is not taken back", func(t *testing.T) {
			other := storetest.Mailing(t, s, mailing.Mailing{OwnerID: h.owner.ID})
			wantCode(t, s.TakeBack(ctx, storetest.Run(t, s, other).ID, now), "undo_too_late")
		})
	})
}

func TestTakeBackEndsAMailingThatOnlyItKeptGoing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := newHouse(t, s, 1)
		run := h.waiting(t, now)
		m := h.mailing
		m.NextAt, m.Status = time.Time{}, mailing.StatusRunning
		ok(t, s.SetMailingStatus(ctx, m, mailing.StatusCreated))
		ok(t, s.TakeBack(ctx, run.ID, now))
		m = must(s.Mailing(ctx, m.ID))(t)
		equal(t, "status", m.Status, mailing.StatusCompleted)
		equal(t, "when it was sent last", m.LastAt, time.Time{})
	})
}

// TestTakeBackWhileItGoesOut has a person take runs back at the moment in which nodes lease
// of them and others write them down: each goes out as a whole or not at all.
func TestTakeBackWhileItGoesOut(t *testing.T) {
	storetest.EachURL(t, func(t *testing.T, url string) {
		stores := []*store.Store{storetest.Open(t, url), storetest.Open(t, url)}
		h := newHouse(t, stores[0], 30)
		nodes := []store.Node{h.node, storetest.Node(t, stores[1], "two")}
		undone := 0
		for try := range 40 {
			r := storetest.OpeningRun(h.mailing)
			r.GoesAt = now
			id := must(stores[0].OpenManualRun(ctx, r, content, now))(t)
			if try%2 == 0 {
				storetest.Fill(t, stores[0], id)
			} else if _, err := stores[0].FillRun(ctx, id, now); err != nil {
				t.Fatal(err)
			}
			leased, errs := h.leaseAgainstUndo(stores, nodes, id, time.Duration(try%5)*200*time.Microsecond)
			ok(t, errs[0])
			ok(t, errs[1])
			ok(t, errs[3])
			switch code := mailing.CodeOf(errs[2]); {
			case errs[2] == nil:
				undone++
				equal(t, fmt.Sprintf("try %d: leased of what was taken back", try), leased, 0)
				equal(t, "state", must(stores[0].Run(ctx, id))(t).State, mailing.RunTakenBack)
			case code != "undo_too_late":
				t.Fatal(errs[2])
			case leased == 0:
				t.Errorf("try %d: it was too late, and nothing was leased", try)
			}
		}
		t.Logf("%d of 40 were taken back", undone)
	})
}

// leaseAgainstUndo has two nodes lease all of the run, one goes on to write it down, and a
// person take it back after a while. It returns how many were leased, and the errors: of the
// nodes, the person, and who writes.
func (h house) leaseAgainstUndo(stores []*store.Store, nodes []store.Node, id int64, wait time.Duration) (leased int, errs []error) {
	counts := make([]int, 2)
	errs = atOnce(4, func(i int) error {
		switch i {
		case 2:
			<-time.After(wait)
			return stores[1].TakeBack(ctx, id, now)
		case 3:
			_, err := stores[0].FillRun(ctx, id, now)
			return err
		}
		list, err := stores[i].Lease(ctx, nodes[i], id, now, 10)
		counts[i] = len(list)
		return err
	})
	return counts[0] + counts[1], errs
}

// failing is a run of seven: one was sent, one is in doubt, and five failed; of those one has
// unsubscribed since, one's mailbox is not there, one was deleted, and two may be mailed.
func failing(t *testing.T, s *store.Store) (house, mailing.Run) {
	t.Helper()
	h := newHouse(t, s, 7)
	run := storetest.Run(t, s, h.mailing)
	list := h.leaseAll(t, h.node, run.ID, now)
	by := map[string]store.Leased{}
	for _, l := range list {
		by[l.Email] = l
	}
	for i, c := range h.contacts {
		state := mailing.Failed
		switch i {
		case 0:
			state = mailing.Sent
		case 1:
			state = mailing.InDoubt
		}
		o := h.outcome(h.node, by[c.Email], state, now)
		o.Suppress = i == 3
		ok(t, s.Settle(ctx, h.node, []store.Outcome{o}, now))
	}
	must(s.Suppress(ctx, mailing.Suppression{OwnerID: h.owner.ID, Email: h.contacts[2].Email, Reason: mailing.ReasonUnsubscribed, CreatedAt: now}))(t)
	must(s.DeleteContacts(ctx, h.owner.ID, []int64{h.contacts[4].ID}))(t)
	return h, must(s.Run(ctx, run.ID))(t)
}

// audience are the numbers of the contacts that a run goes to.
func (h house) audience(t *testing.T, runID int64) (numbers []int) {
	t.Helper()
	list, _, err := h.Deliveries(ctx, store.DeliveryFilter{RunID: runID}, store.Page{Sort: "email", Limit: 100})
	ok(t, err)
	for _, d := range list {
		for i, c := range h.contacts {
			if c.Email == d.Email {
				numbers = append(numbers, i)
			}
		}
	}
	return numbers
}

func TestOpenAgainRun(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h, run := failing(t, s)
		equal(t, "whom it would get", must(s.AgainReach(ctx, run))(t), store.AgainReach{Mailed: 2, Dead: 1, Unsubscribed: 1, Gone: 1})
		id := must(s.OpenAgainRun(ctx, store.Again{Of: run, GoesAt: now.Add(time.Second)}, now))(t)
		storetest.Fill(t, s, id)
		again := must(s.Run(ctx, id))(t)
		t.Run("it goes to those who failed and may be mailed, and says the same", func(t *testing.T) {
			equalList(t, "contacts", h.audience(t, id), []int{5, 6})
			equal(t, "kind", again.Kind, mailing.RunAgain)
			equal(t, "text", again.VersionID, run.VersionID)
			equal(t, "of", again.AgainOf, run.ID)
			equal(t, "goes", again.GoesAt, now.Add(time.Second))
			equal(t, "audience", again.Counts.Audience, 2)
			equal(t, "what sent it again", must(s.AgainRuns(ctx, run))(t)[0].ID, id)
		})
		t.Run("a second one is refused, also when the first is over", func(t *testing.T) {
			_, err := s.OpenAgainRun(ctx, store.Again{Of: run}, now.Add(time.Second))
			wantCode(t, err, "again_done")
			list := h.leaseAll(t, h.node, id, now)
			h.settleAll(t, h.node, list[:1], mailing.Sent, now)
			h.settleAll(t, h.node, list[1:], mailing.Failed, now)
			_, err = s.OpenAgainRun(ctx, store.Again{Of: run}, now.Add(time.Second))
			wantCode(t, err, "again_done")
		})
		t.Run("what fails again can be sent again from there", func(t *testing.T) {
			again := must(s.Run(ctx, id))(t)
			third := must(s.OpenAgainRun(ctx, store.Again{Of: again}, now.Add(time.Minute)))(t)
			storetest.Fill(t, s, third)
			equal(t, "how many", len(h.audience(t, third)), 1)
			equal(t, "root", must(s.Run(ctx, third))(t).AgainRoot, run.ID)
		})
	})
}

func TestSendingAgainReachesNobodyTwice(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h, run := failing(t, s)
		first := must(s.OpenAgainRun(ctx, store.Again{Of: run, Dead: true}, now))(t)
		storetest.Fill(t, s, first)
		equalList(t, "with the mailbox that was not there", h.audience(t, first), []int{3, 5, 6})
		list := h.leaseAll(t, h.node, first, now)
		h.settleAll(t, h.node, list[:1], mailing.Sent, now)
		h.settleAll(t, h.node, list[1:2], mailing.Failed, now)
		h.settleAll(t, h.node, list[2:], mailing.Deferred, now)
		ok(t, s.CancelRun(ctx, first, now))
		equal(t, "whom it would get", must(s.AgainReach(ctx, run))(t), store.AgainReach{Mailed: 2, Unsubscribed: 1, Gone: 1, Got: 1})
		second := must(s.OpenAgainRun(ctx, store.Again{Of: run}, now.Add(time.Minute)))(t)
		t.Run("while it goes on, what failed in the cancelled one is not sent by a third", func(t *testing.T) {
			_, err := s.OpenAgainRun(ctx, store.Again{Of: must(s.Run(ctx, first))(t)}, now.Add(time.Minute))
			wantCode(t, err, "again_open")
		})
		storetest.Fill(t, s, second)
		for _, n := range h.audience(t, second) {
			if h.contacts[n].Email == list[0].Email {
				t.Errorf("%s gets it twice", list[0].Email)
			}
		}
		h.settleAll(t, h.node, h.leaseAll(t, h.node, second, now), mailing.Sent, now)
		t.Run("and afterwards nobody is left", func(t *testing.T) {
			_, err := s.OpenAgainRun(ctx, store.Again{Of: must(s.Run(ctx, first))(t)}, now.Add(time.Hour))
			wantCode(t, err, "again_nobody")
		})
	})
}

func TestSendingAgainWaitsForWhatACancelledRunHasInHand(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h, run := failing(t, s)
		first := must(s.OpenAgainRun(ctx, store.Again{Of: run}, now))(t)
		storetest.Fill(t, s, first)
		list := h.leaseAll(t, h.node, first, now)
		ok(t, s.CancelRun(ctx, first, now))
		_, err := s.OpenAgainRun(ctx, store.Again{Of: run}, now.Add(time.Minute))
		wantCode(t, err, "again_open")
		h.settleAll(t, h.node, list, mailing.Failed, now)
		second := must(s.OpenAgainRun(ctx, store.Again{Of: run}, now.Add(time.Minute)))(t)
		storetest.Fill(t, s, second)
		equal(t, "who gets it", len(h.audience(t, second)), len(list))
	})
}

func TestADoubleClickSendsAgainOnce(t *testing.T) {
	storetest.EachURL(t, func(t *testing.T, url string) {
		stores := []*store.Store{storetest.Open(t, url), storetest.Open(t, url)}
		_, run := failing(t, stores[0])
		opened := 0
		for _, err := range atOnce(8, func(i int) error {
			_, err := stores[i%2].OpenAgainRun(ctx, store.Again{Of: run}, now.Add(time.Duration(i)*time.Millisecond))
			return err
		}) {
			if err == nil {
				opened++
			} else {
				wantCode(t, err, "again_done")
			}
		}
		equal(t, "runs", opened, 1)
	})
}

func TestResolveDoubts(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := newHouse(t, s, 6)
		run := storetest.Run(t, s, h.mailing)
		list := h.leaseAll(t, h.node, run.ID, now)
		h.settleAll(t, h.node, list, mailing.InDoubt, now)
		other := storetest.Run(t, s, storetest.Mailing(t, s, mailing.Mailing{OwnerID: h.owner.ID}))
		theirs := h.leaseAll(t, h.node, other.ID, now)
		h.settleAll(t, h.node, theirs, mailing.InDoubt, now)
		ids := func(of ...store.Leased) (ids []int64) {
			for _, l := range of {
				ids = append(ids, l.ID)
			}
			return ids
		}
		t.Run("those that are named have arrived, but not another run's", func(t *testing.T) {
			n := must(s.ResolveDoubts(ctx, run.ID, ids(list[0], list[1], theirs[0]), mailing.Sent, now))(t)
			equal(t, "resolved", n, 2)
			equal(t, "counts", must(s.Run(ctx, run.ID))(t).Counts, mailing.Counts{Audience: 6, Sent: 2, InDoubt: 4})
			equal(t, "of the other", must(s.Run(ctx, other.ID))(t).Counts.InDoubt, 6)
		})
		t.Run("once more changes nothing", func(t *testing.T) {
			equal(t, "resolved", must(s.ResolveDoubts(ctx, run.ID, ids(list[0]), mailing.Waiting, now))(t), 0)
			equal(t, "of none", must(s.ResolveDoubts(ctx, run.ID, []int64{}, mailing.Waiting, now))(t), 0)
			equal(t, "state", must(s.Run(ctx, run.ID))(t).State, mailing.RunCompleted)
		})
		t.Run("all of the rest goes again, but not to who was erased", func(t *testing.T) {
			must(s.Writer().Exec("update deliveries set email = $1 where id = $2", mailing.Pseudonym("abc"), list[2].ID))(t)
			equal(t, "resolved", must(s.ResolveDoubts(ctx, run.ID, nil, mailing.Waiting, now))(t), 3)
			r := must(s.Run(ctx, run.ID))(t)
			equal(t, "state", r.State, mailing.RunSending)
			equal(t, "in doubt", r.Counts.InDoubt, 1)
			equal(t, "leased", len(h.leaseAll(t, h.node, run.ID, now.Add(time.Minute))), 3)
		})
	})
}

// dump is everything in the rows of a table with the id.
func dump(t *testing.T, s *store.Store, query string, id int64) string {
	t.Helper()
	rows, err := s.Writer().QueryContext(context.Background(), query, id)
	ok(t, err)
	defer rows.Close()
	columns := must(rows.Columns())(t)
	text := ""
	for rows.Next() {
		values := make([]any, len(columns))
		for i := range values {
			values[i] = new(any)
		}
		ok(t, rows.Scan(values...))
		for i, column := range columns {
			text += fmt.Sprintf("%s=%v ", column, *values[i].(*any))
		}
		text += "\n"
	}
	ok(t, rows.Err())
	return text
}

func TestRestore(t *testing.T) {
	asItWas := func(m mailing.Mailing) (mailing.Mailing, error) { return m, nil }
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := newHouse(t, s, 3)
		message := storetest.Message(t, s, mailing.Message{OwnerID: h.owner.ID, Body: "Строка\nи \"кавычки\" \\ ☂"})
		m := storetest.Mailing(t, s, mailing.Mailing{OwnerID: h.owner.ID, MessageID: message.ID, FromName: "Анна"}, h.contacts[0].ID, h.contacts[1].ID)
		c := h.contacts[0]
		all := func() string {
			return dump(t, s, "select * from contacts where id = $1", c.ID) + dump(t, s, "select * from messages where id = $1", message.ID) +
				dump(t, s, "select * from mailings where id = $1", m.ID) + dump(t, s, "select * from mailing_drafts where mailing_id = $1", m.ID) + dump(t, s, "select * from mailing_contacts where mailing_id = $1 order by contact_id", m.ID)
		}
		draft := mailing.Draft{MailingID: m.ID, OwnerID: h.owner.ID, Form: "subject=Новое", Writer: "page", UpdatedAt: now}
		ok(t, s.SaveDraft(ctx, draft, m.UpdatedAt))
		was := all()
		trash := func(batch int64) context.Context { return store.WithTrash(ctx, batch, now) }

		must(s.DeleteContacts(trash(1), h.owner.ID, []int64{c.ID}))(t)
		ok(t, s.DeleteMailing(trash(2), m.ID, now))
		ok(t, s.DeleteMessage(trash(3), message.ID))
		t.Run("a mailing does not come back without its message", func(t *testing.T) {
			_, err := s.Restore(ctx, 2, now, asItWas)
			wantCode(t, err, "undo_message_gone")
		})
		for _, batch := range []int64{3, 2, 1} {
			equal(t, "brought back", must(s.Restore(ctx, batch, now.Add(59*time.Minute), asItWas))(t), 1)
		}
		if is := all(); is != was {
			t.Errorf("it was\n%s\nand is\n%s", was, is)
		}
		t.Run("only once", func(t *testing.T) {
			_, err := s.Restore(ctx, 2, now, asItWas)
			wantCode(t, err, "undo_over")
		})
		t.Run("not after an hour", func(t *testing.T) {
			must(s.DeleteContacts(trash(4), h.owner.ID, []int64{h.contacts[1].ID}))(t)
			_, err := s.Restore(ctx, 4, now.Add(time.Hour+time.Millisecond), asItWas)
			wantCode(t, err, "undo_over")
			ok(t, s.SweepTrash(ctx, now.Add(2*time.Hour)))
			equal(t, "what is kept", dump(t, s, "select * from trash where batch = $1", 4), "")
		})
		t.Run("not over a client who has come back meanwhile, but the others", func(t *testing.T) {
			equal(t, "deleted", must(s.DeleteContacts(trash(5), h.owner.ID, []int64{c.ID, h.contacts[2].ID}))(t), 2)
			storetest.Contact(t, s, h.owner.ID, c.Email)
			equal(t, "brought back", must(s.Restore(ctx, 5, now, asItWas))(t), 1)
		})
		t.Run("not who was erased", func(t *testing.T) {
			must(s.DeleteContacts(trash(6), h.owner.ID, []int64{h.contacts[2].ID}))(t)
			ok(t, s.ErasePerson(ctx, store.Person{OwnerID: h.owner.ID, Email: h.contacts[2].Email, Pseudonym: mailing.Pseudonym("x")}, now))
			_, err := s.Restore(ctx, 6, now, asItWas)
			wantCode(t, err, "undo_over")
		})
	})
}

func TestWhoIsErasedDoesNotComeBackByAnUndoAtThatMoment(t *testing.T) {
	asItWas := func(m mailing.Mailing) (mailing.Mailing, error) { return m, nil }
	storetest.EachURL(t, func(t *testing.T, url string) {
		stores := []*store.Store{storetest.Open(t, url), storetest.Open(t, url)}
		owner := storetest.Account(t, stores[0], "anna@example.com")
		for i := range 20 {
			c := storetest.Contact(t, stores[0], owner.ID, fmt.Sprintf("client%d@example.com", i))
			batch := int64(100 + i)
			must(stores[0].DeleteContacts(store.WithTrash(ctx, batch, now), owner.ID, []int64{c.ID}))(t)
			person := store.Person{OwnerID: owner.ID, Email: c.Email, Pseudonym: mailing.Pseudonym(fmt.Sprint(i))}
			errs := atOnce(2, func(n int) error {
				if n == 0 {
					return stores[0].ErasePerson(ctx, person, now)
				}
				_, err := stores[1].Restore(ctx, batch, now, asItWas)
				return err
			})
			ok(t, errs[0])
			if errs[1] != nil {
				wantCode(t, errs[1], "undo_over")
			}
			_, err := stores[0].ContactByEmail(ctx, owner.ID, c.Email)
			wantCode(t, err, "not_found")
		}
	})
}

func TestAMailingThatIsBeingSentIsNotDeletedUndoably(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := newHouse(t, s, 2)
		run := storetest.Run(t, s, h.mailing)
		undoable := store.WithTrash(ctx, 7, now)
		wantCode(t, s.DeleteMailing(undoable, h.mailing.ID, now), "mailing_sending")
		equal(t, "its run", must(s.Run(ctx, run.ID))(t).State, mailing.RunSending)
		ok(t, s.DeleteMailing(ctx, h.mailing.ID, now))
		equal(t, "its run", must(s.Run(ctx, run.ID))(t).State, mailing.RunCancelled)
	})
}
