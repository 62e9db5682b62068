package app_test

import (
	"context"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
	"vestnik/internal/store"
	"vestnik/internal/store/storetest"
)

// things are one of each that the owner has.
type things struct {
	contact, message, free, mailing, run, delivery, refused int64
}

// furnished makes a house with an owner who has one of each thing.
func furnished(t *testing.T) (*house, mailing.Account, things) {
	t.Helper()
	h := newHouse(t)
	owner := h.person(t, "owner@example.org", mailing.RoleUser)
	var has things
	has.contact = storetest.Contact(t, h.store, owner.ID, "client@example.org").ID
	has.message = storetest.Message(t, h.store, mailing.Message{OwnerID: owner.ID}).ID
	has.free = storetest.Message(t, h.store, mailing.Message{OwnerID: owner.ID, Subject: "Черновик"}).ID
	m := storetest.Mailing(t, h.store, mailing.Mailing{OwnerID: owner.ID, MessageID: has.message})
	has.mailing = m.ID
	has.run = storetest.Run(t, h.store, m).ID
	deliveries, _, err := h.store.Deliveries(t.Context(), store.DeliveryFilter{RunID: has.run}, store.Page{Limit: 1})
	must(t, err)
	has.delivery = deliveries[0].ID
	report, err := h.ImportContacts(t.Context(), owner, "clients.csv", strings.NewReader("email\nnonsense\n"))
	must(t, err)
	has.refused = report.ID
	h.later(2 * time.Minute) // the run by hand is not of this moment any more
	return h, owner, has
}

func form(message int64) app.MailingForm {
	return app.MailingForm{
		MessageID: message, Audience: mailing.AudienceAll, Doubt: mailing.NeverTwice, Rule: tomorrow(),
	}
}

func tomorrow() mailing.Rule {
	return mailing.Rule{
		Frequency: mailing.Once, Start: mailing.DateOf(storetest.Now.AddDate(0, 0, 1)),
		At: mailing.Clock{Hour: 10}, Zone: "Europe/Moscow",
	}
}

var (
	page    = app.Page{Limit: 10}
	letter  = app.MessageForm{Subject: "Тема", Format: mailing.FormatText, Body: "Текст"}
	visible = [4]string{"ok", "not_found", "ok", "ok"}
	changes = [4]string{"ok", "not_found", "forbidden", "ok"}
	private = [4]string{"ok", "not_found", "not_found", "not_found"}
)

// deeds are all that may be done to a thing, with the answers that its owner,
// another user, a manager and an admin get.
var deeds = []struct {
	name    string
	do      func(ctx context.Context, h *house, who mailing.Account, of things) error
	answers [4]string
}{
	{"see a contact", func(ctx context.Context, h *house, who mailing.Account, of things) error {
		_, err := h.Contact(ctx, who, of.contact)
		return err
	}, visible},
	{"see a contact's past", func(ctx context.Context, h *house, who mailing.Account, of things) error {
		contact, err := h.store.Contact(ctx, of.contact)
		if err == nil {
			_, _, err = h.ContactTimeline(ctx, who, contact, h.Now(), 10)
		}
		return err
	}, visible},
	{"edit a contact", func(ctx context.Context, h *house, who mailing.Account, of things) error {
		_, err := h.UpdateContact(ctx, who, of.contact, mailing.Contact{Email: "new@example.org"})
		return err
	}, changes},
	{"delete a contact", func(ctx context.Context, h *house, who mailing.Account, of things) error {
		return h.DeleteContact(ctx, who, of.contact)
	}, changes},
	{"suppress a contact", func(ctx context.Context, h *house, who mailing.Account, of things) error {
		return second(h.SuppressContact(ctx, who, of.contact))
	}, changes},
	{"unsuppress a contact", func(ctx context.Context, h *house, who mailing.Account, of things) error {
		return h.UnsuppressContact(ctx, who, of.contact)
	}, changes},
	{"preview for a contact", func(ctx context.Context, h *house, who mailing.Account, of things) error {
		_, err := h.PreviewMessage(ctx, who, letter, of.contact)
		return err
	}, visible},
	{"send a test for a contact", func(ctx context.Context, h *house, who mailing.Account, of things) error {
		return h.SendTest(ctx, who, letter, "test@example.org", of.contact)
	}, visible},
	{"see a message", func(ctx context.Context, h *house, who mailing.Account, of things) error {
		_, err := h.Message(ctx, who, of.message)
		return err
	}, visible},
	{"edit a message", func(ctx context.Context, h *house, who mailing.Account, of things) error {
		_, err := h.UpdateMessage(ctx, who, of.message, letter)
		return err
	}, changes},
	{"delete a message", func(ctx context.Context, h *house, who mailing.Account, of things) error {
		return h.DeleteMessage(ctx, who, of.free)
	}, changes},
	{"see a mailing", func(ctx context.Context, h *house, who mailing.Account, of things) error {
		_, err := h.Mailing(ctx, who, of.mailing)
		return err
	}, visible},
	{"see the contacts chosen for a mailing", func(ctx context.Context, h *house, who mailing.Account, of things) error {
		_, err := h.ChosenContacts(ctx, who, of.mailing)
		return err
	}, changes},
	{"ask whose a mailing is", func(ctx context.Context, h *house, who mailing.Account, of things) error {
		_, err := h.MailingOwner(ctx, who, of.mailing)
		return err
	}, changes},
	{"edit a mailing", func(ctx context.Context, h *house, who mailing.Account, of things) error {
		_, err := h.UpdateMailing(ctx, who, of.mailing, form(of.message))
		return err
	}, changes},
	{"delete a mailing", func(ctx context.Context, h *house, who mailing.Account, of things) error {
		return h.DeleteMailing(ctx, who, of.mailing)
	}, changes},
	{"pause a mailing", func(ctx context.Context, h *house, who mailing.Account, of things) error {
		return h.PauseMailing(ctx, who, of.mailing)
	}, changes},
	{"resume a mailing", func(ctx context.Context, h *house, who mailing.Account, of things) error {
		return h.ResumeMailing(ctx, who, of.mailing)
	}, [4]string{"mailing_status", "not_found", "forbidden", "mailing_status"}},
	{"disable a mailing, saying why", func(ctx context.Context, h *house, who mailing.Account, of things) error {
		return h.DisableMailing(ctx, who, of.mailing, "Жалобы")
	}, visible},
	{"disable a mailing, not saying why", func(ctx context.Context, h *house, who mailing.Account, of things) error {
		return h.DisableMailing(ctx, who, of.mailing, " ")
	}, [4]string{"ok", "not_found", "required", "required"}},
	{"enable a mailing", func(ctx context.Context, h *house, who mailing.Account, of things) error {
		return h.EnableMailing(ctx, who, of.mailing)
	}, [4]string{"mailing_status", "not_found", "mailing_status", "mailing_status"}},
	{"send a mailing", func(ctx context.Context, h *house, who mailing.Account, of things) error {
		if err := h.store.CancelRun(ctx, of.run, h.now); err != nil && mailing.KindOf(err) != mailing.NotFound {
			return err
		}
		_, err := h.SendNow(ctx, who, of.mailing)
		return err
	}, changes},
	{"see a run", func(ctx context.Context, h *house, who mailing.Account, of things) error {
		_, err := h.Run(ctx, who, of.run)
		return err
	}, visible},
	{"see a run's deliveries", func(ctx context.Context, h *house, who mailing.Account, of things) error {
		_, _, err := h.Deliveries(ctx, who, of.run, nil, page)
		return err
	}, visible},
	{"see a delivery", func(ctx context.Context, h *house, who mailing.Account, of things) error {
		_, err := h.Delivery(ctx, who, of.run, of.delivery)
		return err
	}, visible},
	{"cancel a run", func(ctx context.Context, h *house, who mailing.Account, of things) error {
		return h.CancelRun(ctx, who, of.run)
	}, changes},
	{"let a run go on", func(ctx context.Context, h *house, who mailing.Account, of things) error {
		return h.ContinueRun(ctx, who, of.run)
	}, changes},
	{"end a doubt that is none", func(ctx context.Context, h *house, who mailing.Account, of things) error {
		return h.ResolveDoubt(ctx, who, of.run, of.delivery, "sent")
	}, [4]string{"changed_meanwhile", "not_found", "forbidden", "changed_meanwhile"}},
	{"take back a run that went at once", func(ctx context.Context, h *house, who mailing.Account, of things) error {
		return h.UndoSend(ctx, who, of.run)
	}, [4]string{"undo_too_late", "not_found", "forbidden", "undo_too_late"}},
	{"send a run again that goes on", func(ctx context.Context, h *house, who mailing.Account, of things) error {
		_, err := h.SendAgain(ctx, who, of.run, false)
		return err
	}, [4]string{"again_open", "not_found", "forbidden", "again_open"}},
	{"end all doubts of a run", func(ctx context.Context, h *house, who mailing.Account, of things) error {
		_, err := h.ResolveDoubts(ctx, who, of.run, nil, "sent")
		return err
	}, changes},
	{"see an import", func(ctx context.Context, h *house, who mailing.Account, of things) error {
		_, err := h.Import(ctx, who, of.refused)
		return err
	}, private},
	{"see refused lines", func(ctx context.Context, h *house, who mailing.Account, of things) error {
		_, err := h.ImportRefusals(ctx, who, of.refused, 0, 10)
		return err
	}, private},
	{"export refused lines", func(ctx context.Context, h *house, who mailing.Account, of things) error {
		return h.ExportRefusals(ctx, who, of.refused, io.Discard, words)
	}, private},
}

func TestWhoMay(t *testing.T) {
	roles := []mailing.Role{mailing.RoleUser, mailing.RoleUser, mailing.RoleManager, mailing.RoleAdmin}
	names := []string{"its owner", "another user", "a manager", "an admin"}
	for _, deed := range deeds {
		for i, answerWanted := range deed.answers {
			t.Run(names[i]+" wants to "+deed.name+": "+answerWanted, func(t *testing.T) {
				h, who, has := furnished(t)
				if i > 0 {
					who = h.person(t, "actor@example.org", roles[i])
				}
				want(t, deed.do(t.Context(), h, who, has), answerWanted)
			})
		}
		t.Run("to "+deed.name+" that is not there is answered as another's", func(t *testing.T) {
			h, owner, _ := furnished(t)
			want(t, deed.do(t.Context(), h, owner, things{1, 1, 1, 1, 1, 1, 1}), "not_found")
		})
	}
}

func TestWhoSeesEverybodysThings(t *testing.T) {
	lists := []struct {
		name string
		list func(ctx context.Context, h *house, who mailing.Account, everyone bool) (int, error)
		all  int // of everybody
		may  [3]string
	}{
		{"contacts", func(ctx context.Context, h *house, who mailing.Account, everyone bool) (int, error) {
			list, _, err := h.Contacts(ctx, who, app.ContactFilter{Everyone: everyone}, page)
			return len(list), err
		}, 1, [3]string{"forbidden", "ok", "ok"}},
		{"messages", func(ctx context.Context, h *house, who mailing.Account, everyone bool) (int, error) {
			list, _, err := h.Messages(ctx, who, everyone, page)
			return len(list), err
		}, 2, [3]string{"forbidden", "forbidden", "ok"}},
		{"mailings", func(ctx context.Context, h *house, who mailing.Account, everyone bool) (int, error) {
			list, _, err := h.Mailings(ctx, who, app.MailingFilter{Everyone: everyone}, page)
			return len(list), err
		}, 1, [3]string{"forbidden", "ok", "ok"}},
		{"numbers", func(ctx context.Context, h *house, who mailing.Account, everyone bool) (int, error) {
			n, err := h.Numbers(ctx, who, everyone)
			return int(n.Mailings + n.Active + n.Clients), err
		}, 3, [3]string{"forbidden", "ok", "ok"}},
		{"attempts", func(ctx context.Context, h *house, who mailing.Account, everyone bool) (int, error) {
			list, err := h.Log(ctx, who, app.LogFilter{Everyone: everyone, AttemptFilter: store.LogFilter{Limit: 10}})
			return len(list), err
		}, 0, [3]string{"forbidden", "ok", "ok"}},
		{"deliveries in hand", func(ctx context.Context, h *house, who mailing.Account, everyone bool) (int, error) {
			list, _, err := h.InHand(ctx, who, everyone, page)
			return len(list), err
		}, 0, [3]string{"forbidden", "ok", "ok"}},
	}
	for _, l := range lists {
		t.Run("everybody's "+l.name+" are shown to those who may see them", func(t *testing.T) {
			h, owner, _ := furnished(t)
			if n, err := l.list(t.Context(), h, owner, false); n != l.all || err != nil {
				t.Errorf("the owner sees %d, %v", n, err)
			}
			for i, role := range []mailing.Role{mailing.RoleUser, mailing.RoleManager, mailing.RoleAdmin} {
				who := h.person(t, string(role)+"@example.org", role)
				if n, err := l.list(t.Context(), h, who, false); n != 0 || err != nil {
					t.Errorf("%s: of their own %d, %v", role, n, err)
				}
				n, err := l.list(t.Context(), h, who, true)
				if answer(err) != l.may[i] || err == nil && n != l.all {
					t.Errorf("%s: of all %d, %v", role, n, err)
				}
			}
		})
	}
	t.Run("the imports of others are in no list", func(t *testing.T) {
		h, owner, has := furnished(t)
		list, err := h.Imports(t.Context(), owner)
		if err != nil || len(list) != 1 || list[0].ID != has.refused {
			t.Errorf("the owner sees %v, %v", list, err)
		}
		list, err = h.Imports(t.Context(), h.person(t, "admin@example.org", mailing.RoleAdmin))
		if err != nil || len(list) != 0 {
			t.Errorf("an admin sees %v, %v", list, err)
		}
	})
	t.Run("contacts of others are left out of what is deleted together", func(t *testing.T) {
		h, owner, has := furnished(t)
		for _, role := range []mailing.Role{mailing.RoleUser, mailing.RoleAdmin} {
			n, err := h.DeleteContacts(t.Context(), h.person(t, string(role)+"@example.org", role), []int64{has.contact})
			if n != 0 || err != nil {
				t.Errorf("%s deleted %d, %v", role, n, err)
			}
		}
		if n, err := h.DeleteContacts(t.Context(), owner, []int64{has.contact, 1}); n != 1 || err != nil {
			t.Errorf("the owner deleted %d, %v", n, err)
		}
	})
}

func TestAllowed(t *testing.T) {
	h, owner, has := furnished(t)
	m, err := h.store.Mailing(t.Context(), has.mailing)
	must(t, err)
	manager := h.person(t, "manager@example.org", mailing.RoleManager)
	with := func(s mailing.Status, by int64) mailing.Mailing {
		changed := m
		changed.Status, changed.StopBy = s, by
		return changed
	}
	cases := []struct {
		name string
		who  mailing.Account
		m    mailing.Mailing
		want app.Actions
	}{
		{"an owner has all that makes sense", owner, m, app.Actions{Edit: true, Delete: true, Send: true, Pause: true, Disable: true}},
		{"a manager may disable", manager, m, app.Actions{Disable: true}},
		{"what is paused is resumed and not sent", owner, with(mailing.StatusPaused, owner.ID), app.Actions{Edit: true, Delete: true, Resume: true, Disable: true}},
		{"what is completed is not paused", owner, with(mailing.StatusCompleted, 0), app.Actions{Edit: true, Delete: true, Send: true, Disable: true}},
		{"who disabled may enable", owner, with(mailing.StatusDisabled, owner.ID), app.Actions{Edit: true, Delete: true, Enable: true}},
		{"what a manager disabled the owner may not enable", owner, with(mailing.StatusDisabled, manager.ID), app.Actions{Edit: true, Delete: true}},
		{"a manager may enable", manager, with(mailing.StatusDisabled, manager.ID), app.Actions{Enable: true}},
		{"a stranger may nothing", mailing.Account{ID: 5, Role: mailing.RoleUser}, m, app.Actions{}},
		{"nobody at all may nothing", mailing.Account{}, m, app.Actions{}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := app.Allowed(c.who, c.m); got != c.want {
				t.Errorf("got %+v", got)
			}
		})
	}
}

func TestDemoMailbox(t *testing.T) {
	h := newHouse(t)
	must(t, h.store.PutDemoMail(t.Context(), store.DemoMail{
		Sender: "a@x.ru", Recipient: "b@x.ru", Subject: "Код", Data: []byte("Subject: Code\r\n\r\n1234\r\n"), At: h.now,
	}, 10))
	cases := []struct {
		name  string
		actor mailing.Account
		from  app.Visitor
		want  string
	}{
		{"anybody reads the demo mailbox on the machine itself", mailing.Account{}, local, "ok"},
		{"an admin reads it from anywhere", h.person(t, "admin@example.org", mailing.RoleAdmin), stranger, "ok"},
		{"a manager from elsewhere does not", h.person(t, "manager@example.org", mailing.RoleManager), stranger, "not_found"},
		{"a stranger does not", mailing.Account{}, stranger, "not_found"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			list, _, err := h.DemoMails(t.Context(), c.actor, c.from, page)
			want(t, err, c.want)
			_, err = h.DemoMail(t.Context(), c.actor, c.from, 1)
			want(t, err, c.want)
			if c.want == "ok" && len(list) != 1 {
				t.Errorf("%d mails", len(list))
			}
		})
	}
}

func TestUnsubscribe(t *testing.T) {
	link := func(h *house, owner int64) string {
		_, token, _ := strings.Cut(h.UnsubscribeURL(owner, 7, "client@example.org"), "/unsubscribe/")
		return token
	}
	t.Run("opening a link changes nothing", func(t *testing.T) {
		h, owner, has := furnished(t)
		s, err := h.Subscription(t.Context(), link(h, owner.ID))
		if err != nil || s.Over || s.Email != "client@example.org" || s.Sender != "Анна Петрова" {
			t.Errorf("got %+v, %v", s, err)
		}
		if c, err := h.Contact(t.Context(), owner, has.contact); err != nil || c.Suppression.Reason != "" {
			t.Errorf("the contact is %q, %v", c.Suppression.Reason, err)
		}
	})
	t.Run("unsubscribing holds, also when asked for twice and years later", func(t *testing.T) {
		h, owner, has := furnished(t)
		token := link(h, owner.ID)
		first := h.now.AddDate(5, 0, 0)
		for range 2 {
			h.now = h.now.AddDate(5, 0, 0)
			s, err := h.Unsubscribe(t.Context(), token)
			if err != nil || !s.Over {
				t.Fatalf("got %+v, %v", s, err)
			}
		}
		if s, err := h.Subscription(t.Context(), token); err != nil || !s.Over {
			t.Errorf("got %+v, %v", s, err)
		}
		c, err := h.Contact(t.Context(), owner, has.contact)
		if err != nil || c.Suppression.Reason != mailing.ReasonUnsubscribed || !c.Suppression.CreatedAt.Equal(first) {
			t.Errorf("the contact is %+v, %v", c.Suppression, err)
		}
		want(t, h.UnsuppressContact(t.Context(), owner, has.contact), "contact_unsubscribed")
	})
	t.Run("the owner may lift what they entered by hand", func(t *testing.T) {
		h, owner, has := furnished(t)
		must(t, second(h.SuppressContact(t.Context(), owner, has.contact)))
		must(t, h.UnsuppressContact(t.Context(), owner, has.contact))
		if c, err := h.Contact(t.Context(), owner, has.contact); err != nil || c.Suppression.Reason != "" {
			t.Errorf("the contact is %q, %v", c.Suppression.Reason, err)
		}
	})
	t.Run("who deletes and imports a contact again does not mail it", func(t *testing.T) {
		h, owner, has := furnished(t)
		_, err := h.Unsubscribe(t.Context(), link(h, owner.ID))
		must(t, err)
		must(t, h.DeleteContact(t.Context(), owner, has.contact))
		_, err = h.ImportContacts(t.Context(), owner, "again.csv", strings.NewReader("client@example.org\n"))
		must(t, err)
		if reach, err := h.Reach(t.Context(), owner); err != nil || reach.Contacts != 1 || reach.Suppressed[mailing.ReasonUnsubscribed] != 1 {
			t.Errorf("reach %+v, %v", reach, err)
		}
	})
	t.Run("a changed link is refused and does nothing", func(t *testing.T) {
		h, owner, _ := furnished(t)
		token := []byte(link(h, owner.ID))
		for i := 0; i < len(token); i += 5 {
			changed := slices.Clone(token)
			changed[i] = map[bool]byte{true: 'B', false: 'A'}[changed[i] == 'A']
			_, err := h.Unsubscribe(t.Context(), string(changed))
			want(t, err, "link_invalid")
		}
		if n := h.rows(t, "select count(*) from suppressions"); n != 0 {
			t.Errorf("%d addresses are suppressed", n)
		}
	})
	t.Run("a link made for something else is refused", func(t *testing.T) {
		h := newHouse(t)
		active(t, h, "anna@example.org")
		must(t, h.RequestReset(t.Context(), stranger, "anna@example.org"))
		_, token, _ := strings.Cut(h.last(t, "link"), "/reset/")
		_, err := h.Subscription(t.Context(), token)
		want(t, err, "link_invalid")
	})
	t.Run("when the owner is gone, so is the list", func(t *testing.T) {
		h := newHouse(t)
		_, err := h.Unsubscribe(t.Context(), link(h, 42))
		want(t, err, "not_found")
	})
}

// second is the error of what returns something else, too.
func second[T any](_ T, err error) error { return err }
