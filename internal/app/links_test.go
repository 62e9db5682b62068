package app_test

import (
	"slices"
	"testing"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
	"vestnik/internal/store/storetest"
)

func TestLinksAreLocal(t *testing.T) {
	for base, want := range map[string]bool{
		"http://127.0.0.1:8000": true, "http://localhost:8000": true, "http://[::1]:8000": true, "http://192.168.1.7": true,
		"http://mailer": true, "http://shop.localhost": true, "http://printer.local": true, "http://0.0.0.0:8000": true,
		"https://mail.example.org": false, "http://93.184.216.34": false, "https://[2606:2800::1]": false,
	} {
		h := newHouse(t)
		h.App.BaseURL = base
		if got := h.LinksAreLocal(); got != want {
			t.Errorf("of %s it says %t", base, got)
		}
	}
}

func TestLinksThatLeadNowhereAreToldBeforeMailsLeave(t *testing.T) {
	h := newHouse(t)
	anna := h.person(t, "anna@example.org", mailing.RoleUser)
	admin := h.person(t, "admin@example.org", mailing.RoleAdmin)
	form := app.MailingForm{MessageID: storetest.Message(t, h.store, mailing.Message{OwnerID: anna.ID}).ID, Audience: mailing.AudienceAll, Now: true}
	tells := func(demo bool) bool {
		t.Helper()
		v, err := h.ReviewMailing(t.Context(), anna, app.ReviewForm{MailingForm: form, Demo: demo})
		must(t, err)
		return slices.ContainsFunc(v.Checks, func(c app.Check) bool { return c.Code == "links_local" && c.Level == app.CheckWarns })
	}
	vital := func() bool {
		t.Helper()
		all, err := h.Health(t.Context(), admin)
		must(t, err)
		return slices.ContainsFunc(all, func(v app.Vital) bool { return v.Part == "relay" && v.Says == "links_local" })
	}
	if h.App.BaseURL = "http://127.0.0.1:8000"; !tells(false) || tells(true) {
		t.Error("it is not told, or where mails stay here")
	}
	if vital() {
		t.Error("health warns though no mail leaves")
	}
	h.addRelay(t, relay())
	if !vital() {
		t.Error("health says nothing")
	}
	if h.App.BaseURL = "https://mail.example.org"; tells(false) || vital() {
		t.Error("it is told of links that lead somewhere")
	}
}
