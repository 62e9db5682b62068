package app_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
	"vestnik/internal/store"
	"vestnik/internal/store/storetest"
)

func (h *house) status(t *testing.T, id int64) mailing.Mailing {
	t.Helper()
	m, err := h.store.Mailing(t.Context(), id)
	must(t, err)
	return m
}

func TestMailingForm(t *testing.T) {
	t.Run("a mailing waits for its first date", func(t *testing.T) {
		h, owner, has := furnished(t)
		m, err := h.CreateMailing(t.Context(), owner, form(has.message))
		must(t, err)
		at := time.Date(2026, time.November, 24, 7, 0, 0, 0, time.UTC)
		if got := h.status(t, m.ID); got.Status != mailing.StatusCreated || !got.NextAt.Equal(at) || got.OwnerID != owner.ID {
			t.Errorf("got %+v", got)
		}
	})
	t.Run("what is due stays due after an edit that leaves its dates alone", func(t *testing.T) {
		h, owner, has := furnished(t)
		f := form(has.message)
		f.Rule.Frequency = mailing.Daily
		m, err := h.CreateMailing(t.Context(), owner, f)
		must(t, err)
		h.now = m.NextAt.Add(time.Second)
		edited := f
		edited.FromName = "Анна"
		_, err = h.UpdateMailing(t.Context(), owner, m.ID, edited)
		must(t, err)
		if got := h.status(t, m.ID); !got.NextAt.Equal(m.NextAt) || got.FromName != "Анна" {
			t.Errorf("it is due at %s, was %s", got.NextAt, m.NextAt)
		}
		edited.Rule.At.Minute = 30
		_, err = h.UpdateMailing(t.Context(), owner, m.ID, edited)
		must(t, err)
		if got, want := h.status(t, m.ID).NextAt, m.NextAt.Add(30*time.Minute); !got.Equal(want) {
			t.Errorf("with another time it is due at %s, want %s", got, want)
		}
	})
	t.Run("a message of somebody else is refused as one that is not there", func(t *testing.T) {
		h, owner, has := furnished(t)
		other := h.person(t, "other@example.org", mailing.RoleUser)
		for _, id := range []int64{has.message, 1, 0} {
			_, err := h.CreateMailing(t.Context(), other, form(id))
			if got := fields(err); got != "message:message_none_chosen" {
				t.Errorf("message %d: got %s", id, got)
			}
		}
		foreign := storetest.Message(t, h.store, mailing.Message{OwnerID: other.ID}).ID
		admin := h.person(t, "admin@example.org", mailing.RoleAdmin)
		for _, who := range []mailing.Account{owner, admin} {
			_, err := h.UpdateMailing(t.Context(), who, has.mailing, form(foreign))
			if got := fields(err); got != "message:message_none_chosen" {
				t.Errorf("%s: got %s", who.Role, got)
			}
		}
	})
	t.Run("chosen contacts of others are left out", func(t *testing.T) {
		h, owner, has := furnished(t)
		other := h.person(t, "other@example.org", mailing.RoleUser)
		foreign := storetest.Contact(t, h.store, other.ID, "foreign@example.org").ID
		f := form(has.message)
		f.Audience, f.ContactIDs = mailing.AudienceChosen, []int64{foreign, has.contact}
		m, err := h.CreateMailing(t.Context(), owner, f)
		must(t, err)
		if ids, err := h.ChosenContacts(t.Context(), owner, m.ID); err != nil || !slices.Equal(ids, []int64{has.contact}) {
			t.Errorf("chosen %v, %v", ids, err)
		}
		_, err = h.UpdateMailing(t.Context(), h.person(t, "admin@example.org", mailing.RoleAdmin), m.ID, f)
		must(t, err)
		if ids, err := h.ChosenContacts(t.Context(), owner, m.ID); err != nil || !slices.Equal(ids, []int64{has.contact}) {
			t.Errorf("after an admin's edit %v, %v", ids, err)
		}
	})
	t.Run("contacts that are not given stay, and none at all are refused", func(t *testing.T) {
		h, owner, has := furnished(t)
		f := form(has.message)
		f.Audience = mailing.AudienceChosen
		_, err := h.CreateMailing(t.Context(), owner, f)
		if got := fields(err); got != "contacts:contacts_none_chosen" {
			t.Errorf("got %s", got)
		}
		f.ContactIDs = []int64{has.contact}
		m, err := h.CreateMailing(t.Context(), owner, f)
		must(t, err)
		f.ContactIDs = nil
		_, err = h.UpdateMailing(t.Context(), owner, m.ID, f)
		must(t, err)
		if ids, err := h.ChosenContacts(t.Context(), owner, m.ID); err != nil || len(ids) != 1 {
			t.Errorf("chosen %v, %v", ids, err)
		}
		f.ContactIDs = []int64{}
		_, err = h.UpdateMailing(t.Context(), owner, m.ID, f)
		if got := fields(err); got != "contacts:contacts_none_chosen" {
			t.Errorf("got %s", got)
		}
	})
	t.Run("all that is wrong is said at once", func(t *testing.T) {
		h, owner, _ := furnished(t)
		_, err := h.CreateMailing(t.Context(), owner, app.MailingForm{
			Audience: "some", Doubt: "?", Weight: "heavy", FromName: strings.Repeat("x", 101), ReplyTo: "x",
			Rule: mailing.Rule{Frequency: "hourly", Start: mailing.DateOf(h.now), Zone: "Europe/Moscow"},
		})
		if got := fields(err); got != "audience:choice_unknown doubt:choice_unknown frequency:frequency_unknown "+
			"from_name:text_too_long message:message_none_chosen reply_to:email_malformed weight:choice_unknown" {
			t.Errorf("got %s", got)
		}
	})
	t.Run("a date in the past is refused, ten minutes of slowness are not", func(t *testing.T) {
		h, owner, has := furnished(t)
		f := form(has.message)
		f.Rule.Start = mailing.DateOf(storetest.Now) // 10:00 in Moscow is 7:00 UTC
		h.now = time.Date(2026, time.November, 23, 7, 9, 59, 0, time.UTC)
		_, err := h.CreateMailing(t.Context(), owner, f)
		must(t, err)
		h.later(2 * time.Second)
		_, err = h.CreateMailing(t.Context(), owner, f)
		if got := fields(err); got != "start:schedule_past" {
			t.Errorf("got %s", got)
		}
	})
	t.Run("a repeated mailing with a start in the past begins with the next date to come", func(t *testing.T) {
		h, owner, has := furnished(t)
		f := form(has.message)
		f.Rule.Frequency, f.Rule.Start = mailing.Daily, mailing.DateOf(h.now.AddDate(0, -1, 0))
		m, err := h.CreateMailing(t.Context(), owner, f)
		if want := time.Date(2026, time.November, 24, 7, 0, 0, 0, time.UTC); err != nil || !m.NextAt.Equal(want) {
			t.Errorf("next at %v, %v", m.NextAt, err)
		}
	})
}

func TestStatusOfAMailing(t *testing.T) {
	t.Run("a pause ends where it began, from the next date on", func(t *testing.T) {
		h, owner, has := furnished(t)
		before := h.status(t, has.mailing)
		must(t, h.PauseMailing(t.Context(), owner, has.mailing))
		if m := h.status(t, has.mailing); m.Status != mailing.StatusPaused || m.StopBy != owner.ID || !m.StoppedAt.Equal(h.now) {
			t.Errorf("paused: %+v", m)
		}
		want(t, h.PauseMailing(t.Context(), owner, has.mailing), "mailing_status")
		_, err := h.SendNow(t.Context(), owner, has.mailing)
		want(t, err, "mailing_status")
		h.later(100 * time.Hour)
		must(t, h.ResumeMailing(t.Context(), owner, has.mailing))
		m := h.status(t, has.mailing)
		if m.Status != mailing.StatusRunning || m.StopBy != 0 || !m.StoppedAt.IsZero() || m.NextAt.Before(h.now) || !m.NextAt.After(before.NextAt) {
			t.Errorf("resumed: %+v", m)
		}
	})
	t.Run("what a manager disables says why and is enabled by managers and admins", func(t *testing.T) {
		h, owner, has := furnished(t)
		manager := h.person(t, "manager@example.org", mailing.RoleManager)
		must(t, h.DisableMailing(t.Context(), manager, has.mailing, " Жалобы\nклиентов "))
		v, err := h.Mailing(t.Context(), owner, has.mailing)
		if err != nil || v.Status != mailing.StatusDisabled || v.StopBy.ID != manager.ID || v.StopWhy != "Жалобы клиентов" {
			t.Errorf("got %+v, %v", v.Mailing, err)
		}
		want(t, h.EnableMailing(t.Context(), owner, has.mailing), "disabled_by_manager")
		_, err = h.SendNow(t.Context(), owner, has.mailing)
		want(t, err, "mailing_status")
		want(t, h.ResumeMailing(t.Context(), owner, has.mailing), "mailing_status")
		_, err = h.UpdateMailing(t.Context(), owner, has.mailing, form(has.message))
		must(t, err)
		if m := h.status(t, has.mailing); m.Status != mailing.StatusDisabled || m.StopBy != manager.ID {
			t.Errorf("after an edit: %+v", m)
		}
		want(t, h.EnableMailing(t.Context(), owner, has.mailing), "disabled_by_manager")
		want(t, h.EnableMailing(t.Context(), manager, has.mailing), "ok")
	})
	t.Run("an owner enables what they disabled", func(t *testing.T) {
		h, owner, has := furnished(t)
		must(t, h.DisableMailing(t.Context(), owner, has.mailing, ""))
		must(t, h.EnableMailing(t.Context(), owner, has.mailing))
		if m := h.status(t, has.mailing); !m.Status.Live() {
			t.Errorf("it is %s", m.Status)
		}
	})
	t.Run("a single sending that was paused half way runs on to its end", func(t *testing.T) {
		h, owner, has := furnished(t)
		m := h.status(t, has.mailing)
		m.Rule, m.Status, m.NextAt, m.LastAt = tomorrow(), mailing.StatusRunning, time.Time{}, h.now
		m.Rule.Start = mailing.DateOf(h.now)
		must(t, h.store.UpdateMailing(t.Context(), m, h.status(t, has.mailing), nil))
		must(t, h.PauseMailing(t.Context(), owner, has.mailing))
		must(t, h.ResumeMailing(t.Context(), owner, has.mailing))
		if got := h.status(t, has.mailing); got.Status != mailing.StatusRunning {
			t.Fatalf("resumed, it is %s", got.Status)
		}
		must(t, h.PauseMailing(t.Context(), owner, has.mailing)) // and may be paused again
		must(t, h.ResumeMailing(t.Context(), owner, has.mailing))
		must(t, h.CancelRun(t.Context(), owner, has.run))
		if got := h.status(t, has.mailing); got.Status != mailing.StatusCompleted {
			t.Errorf("at the end it is %s", got.Status)
		}
	})
	t.Run("a single sending whose time passed in a pause is completed", func(t *testing.T) {
		h, owner, has := furnished(t)
		m, err := h.CreateMailing(t.Context(), owner, form(has.message))
		must(t, err)
		must(t, h.PauseMailing(t.Context(), owner, m.ID))
		h.later(72 * time.Hour)
		must(t, h.ResumeMailing(t.Context(), owner, m.ID))
		if got := h.status(t, m.ID); got.Status != mailing.StatusCompleted || !got.NextAt.IsZero() {
			t.Errorf("it is %s, next at %v", got.Status, got.NextAt)
		}
	})
	t.Run("who decides by an old page is told so", func(t *testing.T) {
		h, _, has := furnished(t)
		m := h.status(t, has.mailing)
		m.Status = mailing.StatusPaused
		must(t, h.store.SetMailingStatus(t.Context(), m, h.status(t, has.mailing).Status))
		err := h.store.SetMailingStatus(t.Context(), m, mailing.StatusCreated)
		want(t, err, "changed_meanwhile")
	})
	t.Run("five dates are shown, from now on for what is paused", func(t *testing.T) {
		h, owner, has := furnished(t)
		v, err := h.Mailing(t.Context(), owner, has.mailing)
		if err != nil || len(v.Upcoming) != 5 || !v.Upcoming[0].Equal(v.NextAt) {
			t.Errorf("upcoming %v, %v", v.Upcoming, err)
		}
		must(t, h.PauseMailing(t.Context(), owner, has.mailing))
		h.later(1000 * time.Hour)
		v, err = h.Mailing(t.Context(), owner, has.mailing)
		if err != nil || len(v.Upcoming) != 5 || v.Upcoming[0].Before(h.now) {
			t.Errorf("paused: upcoming %v, %v", v.Upcoming, err)
		}
	})
}

func TestSendNow(t *testing.T) {
	// idle is a mailing of which nothing is being sent.
	idle := func(t *testing.T) (*house, mailing.Account, things) {
		t.Helper()
		h, owner, has := furnished(t)
		must(t, h.store.CancelRun(t.Context(), has.run, h.now))
		return h, owner, has
	}
	t.Run("a run is opened and the schedule stays", func(t *testing.T) {
		h, owner, has := idle(t)
		before := h.status(t, has.mailing)
		id, err := h.SendNow(t.Context(), owner, has.mailing)
		must(t, err)
		v, err := h.Run(t.Context(), owner, id)
		if err != nil || v.Kind != mailing.RunManual || v.Counts.Audience != 1 || v.Waiting != 1 || !v.May.Cancel || v.Subject != "Новости" {
			t.Errorf("got %+v, %v", v, err)
		}
		if after := h.status(t, has.mailing); !after.NextAt.Equal(before.NextAt) || after.Status != before.Status {
			t.Errorf("the mailing was %+v, is %+v", before, after)
		}
	})
	t.Run("a double click sends once", func(t *testing.T) {
		h, owner, has := idle(t)
		_, err := h.SendNow(t.Context(), owner, has.mailing)
		must(t, err)
		h.later(time.Millisecond)
		_, err = h.SendNow(t.Context(), owner, has.mailing)
		want(t, err, "sent_just_now")
		if n := h.rows(t, "select count(*) from runs where state in ('opening', 'sending')"); n != 1 {
			t.Errorf("%d runs are open", n)
		}
	})
	t.Run("what is written down later is left to the background", func(t *testing.T) {
		h, owner, has := idle(t)
		storetest.Contacts(t, h.store, h.person(t, "other@example.org", mailing.RoleUser).ID, 1)
		var told []int64
		h.OpenRun = func(_ context.Context, id int64) error {
			told = append(told, id)
			return nil
		}
		id, err := h.SendNow(t.Context(), owner, has.mailing)
		if err != nil || !slices.Equal(told, []int64{id}) {
			t.Errorf("told %v of %d, %v", told, id, err)
		}
	})
	t.Run("an edit while a run is open counts from the next run on", func(t *testing.T) {
		h, owner, has := idle(t)
		id, err := h.SendNow(t.Context(), owner, has.mailing)
		must(t, err)
		_, err = h.UpdateMessage(t.Context(), owner, has.message, app.MessageForm{
			Subject: "Другое", Format: mailing.FormatText, Body: "Совсем другое",
		})
		must(t, err)
		first, err := h.Run(t.Context(), owner, id)
		must(t, err)
		version, err := h.store.Version(t.Context(), first.VersionID)
		if err != nil || version.Subject != "Новости" || version.Body != "Здравствуйте!" {
			t.Errorf("the open run sends %+v, %v", version, err)
		}
		must(t, h.CancelRun(t.Context(), owner, id))
		h.later(time.Minute)
		id, err = h.SendNow(t.Context(), owner, has.mailing)
		must(t, err)
		if second, err := h.Run(t.Context(), owner, id); err != nil || second.Subject != "Другое" {
			t.Errorf("the next run sends %q, %v", second.Subject, err)
		}
	})
	t.Run("a deleted mailing cancels its run and stays in the log", func(t *testing.T) {
		h, owner, has := idle(t)
		id, err := h.SendNow(t.Context(), owner, has.mailing)
		must(t, err)
		must(t, h.DeleteMailing(t.Context(), owner, has.mailing))
		v, err := h.Run(t.Context(), owner, id)
		if err != nil || v.State != mailing.RunCancelled || v.Counts.Skipped != 1 || v.Mailing.ID != 0 {
			t.Errorf("got %+v, %v", v.Run, err)
		}
	})
	t.Run("a paused mailing holds its run", func(t *testing.T) {
		h, owner, has := idle(t)
		id, err := h.SendNow(t.Context(), owner, has.mailing)
		must(t, err)
		must(t, h.PauseMailing(t.Context(), owner, has.mailing))
		if v, err := h.Run(t.Context(), owner, id); err != nil || !v.Held {
			t.Errorf("held %v, %v", v.Held, err)
		}
	})
	t.Run("a run that the server halted goes on when told", func(t *testing.T) {
		h, owner, has := furnished(t)
		must(t, h.store.HaltRun(t.Context(), has.run, "535 no"))
		if v, err := h.Run(t.Context(), owner, has.run); err != nil || v.Halt != "535 no" || !v.May.Continue {
			t.Errorf("got %q, %+v, %v", v.Halt, v.May, err)
		}
		must(t, h.ContinueRun(t.Context(), owner, has.run))
		if v, err := h.Run(t.Context(), owner, has.run); err != nil || v.Halt != "" || v.May.Continue {
			t.Errorf("got %q, %+v, %v", v.Halt, v.May, err)
		}
	})
	t.Run("a doubt is ended by two words only, and only in its own run", func(t *testing.T) {
		h, owner, has := furnished(t)
		want(t, h.ResolveDoubt(t.Context(), owner, has.run, has.delivery, "perhaps"), "choice_unknown")
		other := h.person(t, "other@example.org", mailing.RoleUser)
		storetest.Contact(t, h.store, other.ID, "x@example.org")
		foreign := storetest.Run(t, h.store, storetest.Mailing(t, h.store, mailing.Mailing{OwnerID: other.ID}))
		want(t, h.ResolveDoubt(t.Context(), other, foreign.ID, has.delivery, "again"), "not_found")
	})
}

func TestMessages(t *testing.T) {
	t.Run("a message in use is kept", func(t *testing.T) {
		h, owner, has := furnished(t)
		want(t, h.DeleteMessage(t.Context(), owner, has.message), "message_in_use")
		must(t, h.DeleteMailing(t.Context(), owner, has.mailing))
		want(t, h.DeleteMessage(t.Context(), owner, has.message), "ok")
	})
	t.Run("line ends are one, and a message that cannot be sent is refused", func(t *testing.T) {
		h, owner, _ := furnished(t)
		m, err := h.CreateMessage(t.Context(), owner, app.MessageForm{Subject: "\x00 Те\x00ма ", Format: mailing.FormatText, Body: "а\x00\r\n\x00б"})
		if err != nil || m.Subject != "Тема" || m.Body != "а\nб" {
			t.Errorf("got %+v, %v", m, err)
		}
		_, err = h.CreateMessage(t.Context(), owner, app.MessageForm{Subject: "{{ name", Format: mailing.FormatText, Body: "{% if first_name %}"})
		if got := fields(err); got != "body:liquid_unclosed subject:liquid_unclosed" {
			t.Errorf("got %s", got)
		}
		_, err = h.CreateMessage(t.Context(), owner, app.MessageForm{Subject: "x", Body: "y", Format: "rtf"})
		want(t, err, "choice_unknown")
	})
	t.Run("a preview shows a contact's fields and names fields that nobody has", func(t *testing.T) {
		h, owner, has := furnished(t)
		f := app.MessageForm{Subject: "{{ first_name }}", Format: mailing.FormatText, Body: "{{ surname }}!"}
		p, err := h.PreviewMessage(t.Context(), owner, f, has.contact)
		if err != nil || p.Subject != "Иван" || len(p.Warnings) != 1 {
			t.Errorf("got %+v, %v", p, err)
		}
		if p, err = h.PreviewMessage(t.Context(), owner, f, 0); err != nil || p.Subject != "Анна" {
			t.Errorf("got %+v, %v", p, err)
		}
	})
	t.Run("a test goes to its address with the contact's fields, sixty an hour", func(t *testing.T) {
		h, owner, has := furnished(t)
		for range app.TestBudget {
			must(t, h.SendTest(t.Context(), owner, letter, "Me@example.org", has.contact))
		}
		want(t, h.SendTest(t.Context(), owner, letter, "me@example.org", 0), "too_many_requests")
		if m := h.mails(t)[0]; m.to != "me@example.org" || m.subject != "Тема" || m.vars["first_name"] != "Иван" {
			t.Errorf("got %+v", m)
		}
	})
	t.Run("a test says all that is wrong at once", func(t *testing.T) {
		h, owner, _ := furnished(t)
		err := h.SendTest(t.Context(), owner, app.MessageForm{Format: mailing.FormatText}, "x", 0)
		if got := fields(err); got != "body:body_empty subject:subject_empty to:email_malformed" {
			t.Errorf("got %s", got)
		}
	})
}

func TestContacts(t *testing.T) {
	t.Run("a contact is checked and stored as it is compared", func(t *testing.T) {
		h, owner, _ := furnished(t)
		c, err := h.CreateContact(t.Context(), owner, mailing.Contact{OwnerID: 42, Email: " Ivan@ПОЧТА.рф ", FirstName: "Иван\t"})
		if err != nil || c.Email != "ivan@xn--80a1acny.xn--p1ai" || c.OwnerID != owner.ID || c.FirstName != "Иван" {
			t.Errorf("got %+v, %v", c, err)
		}
		_, err = h.CreateContact(t.Context(), owner, mailing.Contact{Email: "ivan@почта.рф"})
		want(t, err, "contact_exists")
	})
	t.Run("two owners may know the same person", func(t *testing.T) {
		h, _, _ := furnished(t)
		_, err := h.CreateContact(t.Context(), h.person(t, "other@example.org", mailing.RoleUser), mailing.Contact{Email: "client@example.org"})
		want(t, err, "ok")
	})
	t.Run("an edit cannot take another contact's address", func(t *testing.T) {
		h, owner, has := furnished(t)
		storetest.Contact(t, h.store, owner.ID, "second@example.org")
		_, err := h.UpdateContact(t.Context(), owner, has.contact, mailing.Contact{Email: "Second@example.org"})
		want(t, err, "contact_exists")
	})
	t.Run("what is refused tells nothing of another's contact", func(t *testing.T) {
		h, _, has := furnished(t)
		c, err := h.UpdateContact(t.Context(), h.person(t, "other@example.org", mailing.RoleUser), has.contact, mailing.Contact{})
		if err == nil || c != (mailing.Contact{}) {
			t.Errorf("got %+v, %v", c, err)
		}
	})
	t.Run("contacts are found by any part, with ё as е", func(t *testing.T) {
		h, owner, _ := furnished(t)
		_, err := h.CreateContact(t.Context(), owner, mailing.Contact{Email: "p@x.ru", FirstName: "Пётр"})
		must(t, err)
		list, n, err := h.Contacts(t.Context(), owner, app.ContactFilter{}, store.Page{Search: "ПЕТР", Limit: 5})
		if err != nil || n != 1 || len(list) != 1 || list[0].FirstName != "Пётр" {
			t.Errorf("found %v, %d, %v", list, n, err)
		}
	})
}
