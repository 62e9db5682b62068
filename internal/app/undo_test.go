package app_test

import (
	"testing"
	"time"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
	"vestnik/internal/store"
	"vestnik/internal/store/storetest"
)

// quietly is furnished with nothing being sent.
func quietly(t *testing.T) (*house, mailing.Account, things) {
	t.Helper()
	h, owner, has := furnished(t)
	must(t, h.store.CancelRun(t.Context(), has.run, h.now))
	return h, owner, has
}

// leaseAll has a node take all of a run that is due.
func (h *house) leaseAll(t *testing.T, runID int64) (store.Node, []store.Leased) {
	t.Helper()
	node := storetest.Node(t, h.store, "one")
	list, err := h.store.Lease(t.Context(), node, runID, h.now, 100)
	must(t, err)
	return node, list
}

func TestUndoSend(t *testing.T) {
	t.Run("what is sent undoably waits, and is taken back with nothing sent", func(t *testing.T) {
		h, owner, has := quietly(t)
		before := h.status(t, has.mailing)
		id, err := h.SendUndoably(t.Context(), owner, has.mailing)
		must(t, err)
		v, err := h.Run(t.Context(), owner, id)
		if err != nil || !v.GoesAt.Equal(h.now.Add(10*time.Second)) || !v.May.Undo || !v.May.Cancel {
			t.Errorf("it goes at %s, undo %v, %v", v.GoesAt, v.May.Undo, err)
		}
		log := trail{h: h}
		log.all(t)
		must(t, h.UndoSend(t.Context(), owner, id))
		if d := log.last(t, 1); d.Action != "run.undo" || facts(d) != "state:opening>taken_back" || d.Thing.ID != id {
			t.Errorf("the deed is %+v", d)
		}
		if after := h.status(t, has.mailing); !after.LastAt.Equal(before.LastAt) || !after.NextAt.Equal(before.NextAt) || after.Status != before.Status {
			t.Errorf("the mailing was %+v, is %+v", before, after)
		}
		if n := h.rows(t, "select count(*) from deliveries where run_id = $1", id); n != 0 {
			t.Errorf("it still knows whom it was for: %d", n)
		}
		must(t, h.UndoSend(t.Context(), owner, id)) // a double click
		log.last(t, 0)
		h.later(time.Second)
		_, err = h.SendUndoably(t.Context(), owner, has.mailing) // a double click it is not
		must(t, err)
	})
	t.Run("it is too late once a node has been given the first", func(t *testing.T) {
		h, owner, has := quietly(t)
		id, err := h.SendUndoably(t.Context(), owner, has.mailing)
		must(t, err)
		h.later(10 * time.Second)
		h.leaseAll(t, id)
		want(t, h.UndoSend(t.Context(), owner, id), "undo_too_late")
		if v, err := h.Run(t.Context(), owner, id); err != nil || v.May.Undo || !v.May.Cancel {
			t.Errorf("may %+v, %v", v.May, err)
		}
	})
	t.Run("in demo mode, where it reaches nobody, it waits shorter", func(t *testing.T) {
		h, owner, has := quietly(t)
		h.Demo = func() bool { return true }
		id, err := h.SendUndoably(t.Context(), owner, has.mailing)
		must(t, err)
		if v, err := h.Run(t.Context(), owner, id); err != nil || !v.GoesAt.Equal(h.now.Add(3*time.Second)) || !v.May.Undo {
			t.Errorf("it goes at %s, undo %v, %v", v.GoesAt, v.May.Undo, err)
		}
	})
	t.Run("an admin says how long it waits, or that it does not", func(t *testing.T) {
		h, owner, has := quietly(t)
		must(t, h.ChangeSettings(t.Context(), h.person(t, "boss@example.org", mailing.RoleAdmin), map[string]string{"undo_seconds": "0"}))
		id, err := h.SendUndoably(t.Context(), owner, has.mailing)
		must(t, err)
		if v, err := h.Run(t.Context(), owner, id); err != nil || !v.GoesAt.IsZero() || v.May.Undo {
			t.Errorf("it goes at %s, %v", v.GoesAt, err)
		}
	})
}

func TestARunIsPausedWithItsMailing(t *testing.T) {
	h, owner, has := quietly(t)
	past := tomorrow()
	past.Start = mailing.DateOf(storetest.Now.AddDate(0, 0, -7))
	m := storetest.Mailing(t, h.store, mailing.Mailing{OwnerID: owner.ID, MessageID: has.message, Rule: past})
	m.Status, m.NextAt = mailing.StatusCompleted, time.Time{}
	must(t, h.store.SetMailingStatus(t.Context(), m, mailing.StatusCreated))
	t.Run("what is completed and not being sent is not paused", func(t *testing.T) {
		want(t, h.PauseMailing(t.Context(), owner, m.ID), "mailing_status")
	})
	id, err := h.SendNow(t.Context(), owner, m.ID)
	must(t, err)
	may := func(who mailing.Account) app.RunActions {
		v, err := h.Run(t.Context(), who, id)
		must(t, err)
		return v.May
	}
	manager, admin := h.person(t, "m@example.org", mailing.RoleManager), h.person(t, "a@example.org", mailing.RoleAdmin)
	for name, c := range map[string]struct {
		who  mailing.Account
		want app.RunActions
	}{
		"its owner may pause and cancel it":       {owner, app.RunActions{Cancel: true, Pause: true}},
		"an admin may pause and cancel it":        {admin, app.RunActions{Cancel: true, Pause: true}},
		"a manager may only disable it, with why": {manager, app.RunActions{Disable: true}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := may(c.who); got != c.want {
				t.Errorf("may %+v, want %+v", got, c.want)
			}
		})
	}
	t.Run("paused, it can be resumed, and ends as it would have", func(t *testing.T) {
		must(t, h.PauseMailing(t.Context(), owner, m.ID))
		if got := may(owner); !got.Resume || got.Pause || !got.Cancel {
			t.Errorf("may %+v", got)
		}
		must(t, h.ResumeMailing(t.Context(), owner, m.ID))
		if got := h.status(t, m.ID).Status; got != mailing.StatusRunning {
			t.Errorf("it is %s", got)
		}
		must(t, h.CancelRun(t.Context(), owner, id))
		if got := h.status(t, m.ID).Status; got != mailing.StatusCompleted {
			t.Errorf("in the end it is %s", got)
		}
	})
}

// all takes every deed up to now for seen.
func (l *trail) all(t *testing.T) {
	t.Helper()
	l.last(t, l.h.rows(t, "select count(*) from deeds"))
}

// failed has the only delivery of the run fail.
func (h *house) failed(t *testing.T, id int64) {
	t.Helper()
	storetest.Fill(t, h.store, id)
	node, list := h.leaseAll(t, id)
	o := store.Outcome{
		DeliveryID: list[0].ID, Epoch: node.Epoch, State: mailing.Failed, Reason: mailing.ReasonRefused,
		Attempt: &mailing.Attempt{DeliveryID: list[0].ID, RunID: id, Email: list[0].Email, At: h.now, Node: node.Name, Result: mailing.AttemptFailed},
	}
	must(t, h.store.Settle(t.Context(), node, []store.Outcome{o}, h.now))
}

func TestSendAgain(t *testing.T) {
	h, owner, has := quietly(t)
	id, err := h.SendNow(t.Context(), owner, has.mailing)
	must(t, err)
	h.failed(t, id)
	v, reach, err := h.AgainReach(t.Context(), owner, id)
	if err != nil || !v.May.Again || reach != (app.AgainReach{Mailed: 1}) {
		t.Fatalf("may %+v, reach %+v, %v", v.May, reach, err)
	}
	for email, role := range map[string]mailing.Role{"other@example.org": mailing.RoleUser, "m@example.org": mailing.RoleManager} {
		t.Run("a "+string(role)+" may not", func(t *testing.T) {
			who := h.person(t, email, role)
			code := map[mailing.Role]string{mailing.RoleUser: "not_found", mailing.RoleManager: "forbidden"}[role]
			_, err := h.SendAgain(t.Context(), who, id, false)
			want(t, err, code)
			_, _, err = h.AgainReach(t.Context(), who, id)
			want(t, err, code)
			_, err = h.ResolveDoubts(t.Context(), who, id, nil, "sent")
			want(t, err, code)
		})
	}
	h.later(time.Second)
	log := trail{h: h}
	log.all(t)
	again, err := h.SendAgain(t.Context(), owner, id, false)
	must(t, err)
	d := log.last(t, 1)
	if d.Action != "run.again" || d.Thing.ID != id || d.After["count"] != "1" {
		t.Errorf("the deed is %+v", d)
	}
	t.Run("both runs know of each other, and the first is not sent again", func(t *testing.T) {
		first, err := h.Run(t.Context(), owner, id)
		must(t, err)
		if len(first.Again) != 1 || first.Again[0].ID != again || first.May.Again {
			t.Errorf("the first knows %+v, may %+v", first.Again, first.May)
		}
		second, err := h.Run(t.Context(), owner, again)
		if err != nil || second.AgainOf != id || second.Kind != mailing.RunAgain || second.Counts.Audience != 1 || !second.May.Undo {
			t.Errorf("the second is %+v, may %+v, %v", second.Run, second.May, err)
		}
		_, err = h.SendAgain(t.Context(), owner, id, false)
		want(t, err, "again_done")
	})
	t.Run("taken back, it can be sent again", func(t *testing.T) {
		must(t, h.UndoSend(t.Context(), owner, again))
		h.later(time.Second)
		_, err := h.SendAgain(t.Context(), owner, id, false)
		must(t, err)
	})
	t.Run("not while the mailing is paused", func(t *testing.T) {
		must(t, h.PauseMailing(t.Context(), owner, has.mailing))
		_, err := h.SendAgain(t.Context(), owner, id, false)
		want(t, err, "mailing_status")
	})
}

func TestUndoDeletion(t *testing.T) {
	t.Run("a contact comes back, by its owner's word only", func(t *testing.T) {
		h, owner, has := quietly(t)
		log := trail{h: h}
		ctx, id := h.Undoably(t.Context())
		must(t, h.DeleteContact(ctx, owner, has.contact))
		log.all(t)
		for _, role := range []mailing.Role{mailing.RoleUser, mailing.RoleManager} {
			_, err := h.UndoDeletion(t.Context(), h.person(t, string(role)+"@example.net", role), id)
			want(t, err, "undo_over")
		}
		log.last(t, 0)
		undone, err := h.UndoDeletion(t.Context(), owner, id)
		if err != nil || undone.Kind != mailing.ThingContact || undone.ThingID != has.contact || undone.Back != 1 {
			t.Errorf("back came %+v, %v", undone, err)
		}
		if d := log.last(t, 1); d.Action != "contact.restore" || d.Thing.ID != has.contact || d.Thing.Name != "c…@e….org" {
			t.Errorf("the deed is %+v", d)
		}
		its := store.DeliveryFilter{ContactID: has.contact, Owner: owner.ID}
		if _, total, err := h.store.Deliveries(t.Context(), its, store.Page{Limit: 1}); err != nil || total != 1 {
			t.Errorf("its history: %d, %v", total, err)
		}
		_, err = h.UndoDeletion(t.Context(), owner, id)
		want(t, err, "undo_over")
	})
	t.Run("a mailing takes up its schedule from now on", func(t *testing.T) {
		h, owner, has := quietly(t)
		before := h.status(t, has.mailing)
		ctx, id := h.Undoably(t.Context())
		must(t, h.DeleteMailing(ctx, owner, has.mailing))
		undone, err := h.UndoDeletion(t.Context(), owner, id)
		must(t, err)
		after := h.status(t, has.mailing)
		if !undone.Skipped.Equal(before.NextAt) || !after.NextAt.Equal(before.NextAt.AddDate(0, 0, 1)) || after.Status != before.Status {
			t.Errorf("skipped %s; it was %+v, is %+v", undone.Skipped, before, after)
		}
	})
	t.Run("one that was not due comes back as it was", func(t *testing.T) {
		h, owner, has := quietly(t)
		m, err := h.CreateMailing(t.Context(), owner, form(has.message))
		must(t, err)
		before := h.status(t, m.ID)
		ctx, id := h.Undoably(t.Context())
		must(t, h.DeleteMailing(ctx, owner, m.ID))
		undone, err := h.UndoDeletion(t.Context(), owner, id)
		must(t, err)
		if after := h.status(t, m.ID); !undone.Skipped.IsZero() || !after.NextAt.Equal(before.NextAt) || after.Status != before.Status {
			t.Errorf("it was %+v, is %+v", before, after)
		}
	})
	t.Run("one whose only date passed meanwhile is completed, and sends nothing", func(t *testing.T) {
		h, owner, has := quietly(t)
		m, err := h.CreateMailing(t.Context(), owner, form(has.message))
		must(t, err)
		h.now = m.NextAt.Add(-time.Minute)
		ctx, id := h.Undoably(t.Context())
		must(t, h.DeleteMailing(ctx, owner, m.ID))
		h.later(2 * time.Minute)
		_, err = h.UndoDeletion(t.Context(), owner, id)
		must(t, err)
		if after := h.status(t, m.ID); after.Status != mailing.StatusCompleted || !after.NextAt.IsZero() {
			t.Errorf("it is %+v", after)
		}
	})
	t.Run("a message comes back", func(t *testing.T) {
		h, owner, has := quietly(t)
		ctx, id := h.Undoably(t.Context())
		must(t, h.DeleteMessage(ctx, owner, has.free))
		_, err := h.UndoDeletion(t.Context(), owner, id)
		must(t, err)
		if m, err := h.Message(t.Context(), owner, has.free); err != nil || m.Subject != "Черновик" {
			t.Errorf("it is %+v, %v", m, err)
		}
	})
}
