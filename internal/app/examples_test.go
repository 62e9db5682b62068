package app_test

import (
	"testing"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
	"vestnik/internal/store/storetest"
)

func TestExamples(t *testing.T) {
	has := func(t *testing.T, h *house, who mailing.Account) bool {
		t.Helper()
		there, err := h.HasExamples(t.Context(), who)
		must(t, err)
		return there
	}
	t.Run("they are a mailing that is due at once, and can be removed", func(t *testing.T) {
		h := newHouse(t)
		who := h.person(t, "anna@example.org", mailing.RoleUser)
		must(t, h.AddExamples(t.Context(), who, true))
		list, _, err := h.Mailings(t.Context(), who, app.MailingFilter{}, app.Page{Limit: 9})
		must(t, err)
		if len(list) != 1 || list[0].NextAt.After(h.now) {
			t.Fatalf("the mailings are %+v", list)
		}
		if !has(t, h, who) || has(t, h, h.person(t, "boris@example.org", mailing.RoleUser)) {
			t.Error("it is not told who has examples")
		}
		must(t, h.RemoveExamples(t.Context(), who))
		if n := h.rows(t, "select (select count(*) from contacts) + (select count(*) from messages) + (select count(*) from mailings)"); n != 0 || has(t, h, who) {
			t.Errorf("%d things are left", n)
		}
		must(t, h.RemoveExamples(t.Context(), who))
	})
	t.Run("what is a person's own stays, and what they need", func(t *testing.T) {
		h := newHouse(t)
		who := h.person(t, "anna@example.org", mailing.RoleUser)
		_, err := h.CreateContact(t.Context(), who, mailing.Contact{Email: "eva@example.com", FirstName: "Eva"})
		must(t, err)
		must(t, h.AddExamples(t.Context(), who, true))
		messages, _, err := h.Messages(t.Context(), who, false, app.Page{Limit: 9})
		must(t, err)
		_, err = h.CreateMailing(t.Context(), who, app.MailingForm{
			MessageID: messages[0].ID, Audience: mailing.AudienceAll, Doubt: mailing.NeverTwice,
			Rule: mailing.Rule{Frequency: mailing.Daily, Interval: 1, Start: mailing.DateOf(h.now), At: mailing.Clock{Hour: 9}, Zone: "Europe/Moscow"},
		})
		must(t, err)
		must(t, h.RemoveExamples(t.Context(), who))
		for table, want := range map[string]int{"contacts": 1, "messages": 1, "mailings": 1} {
			if n := h.rows(t, "select count(*) from "+table); n != want {
				t.Errorf("there are %d %s", n, table)
			}
		}
	})
	t.Run("their mailings are paused when the first relay is there, and others are not", func(t *testing.T) {
		h := newHouse(t)
		who, other := h.person(t, "anna@example.org", mailing.RoleUser), h.person(t, "boris@example.org", mailing.RoleAdmin)
		must(t, h.AddExamples(t.Context(), who, true))
		own := storetest.Mailing(t, h.store, mailing.Mailing{OwnerID: other.ID})
		off := direct()
		off.Enabled = false
		h.addRelay(t, off)
		example := func() app.MailingRow {
			list, _, err := h.Mailings(t.Context(), who, app.MailingFilter{}, app.Page{Limit: 9})
			must(t, err)
			return list[0]
		}
		if m := example(); !m.Status.Live() {
			t.Errorf("before mails leave it is %s", m.Status)
		}
		// Whatever comes between the two, they are paused before the relay is stored.
		taken := relay()
		taken.Name = "sendmail"
		off.Name, off.HeloName = taken.Name, "other.example.org"
		h.addRelay(t, off)
		if _, err := h.CreateRelay(t.Context(), other, taken); err == nil {
			t.Fatal("a name is there twice")
		}
		if m := example(); m.Status != mailing.StatusPaused {
			t.Errorf("when the relay could not be stored it is %s", m.Status)
		}
		for range 2 {
			r := relay()
			r.Name = h.now.String()
			h.addRelay(t, r)
			if m := example(); m.Status != mailing.StatusPaused || m.StopWhy != app.ExamplesLeave {
				t.Errorf("it is %s since %q", m.Status, m.StopWhy)
			}
		}
		if m, err := h.store.Mailing(t.Context(), own.ID); err != nil || m.Status != own.Status {
			t.Errorf("the other is %s, %v", m.Status, err)
		}
		must(t, h.ResumeMailing(t.Context(), who, example().ID))
		must(t, h.PauseExamples(t.Context(), who))
		if m := example(); !m.Status.Live() {
			t.Errorf("one that its owner wants to go on is %s", m.Status)
		}
		must(t, h.RemoveExamples(t.Context(), who))
	})
	t.Run("there are none where mails leave", func(t *testing.T) {
		h := newHouse(t)
		want(t, h.AddExamples(t.Context(), h.person(t, "anna@example.org", mailing.RoleUser), false), "examples_leave")
		if n := h.rows(t, "select count(*) from contacts"); n != 0 {
			t.Errorf("there are %d clients", n)
		}
	})
}
