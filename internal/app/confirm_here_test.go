package app_test

import (
	"testing"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
)

func TestConfirmingSignsInWhereItWasRegistered(t *testing.T) {
	const email = "anna@example.org"
	hers, his := app.Visitor{Address: "203.0.113.7", Browser: "hers"}, app.Visitor{Address: "198.51.100.1", Browser: "his"}
	phone := app.Visitor{Address: "203.0.113.8"}
	entered := func(t *testing.T, h *house, from app.Visitor, code, proof string) string {
		t.Helper()
		account, err := h.ConfirmHere(t.Context(), from, email, code, proof)
		must(t, err)
		if account.ID == 0 {
			return ""
		}
		return account.FirstName
	}
	t.Run("in the browser that registered, by code and by link", func(t *testing.T) {
		for _, byLink := range []bool{false, true} {
			h := newHouse(t)
			code, proof := registeredBy(t, h, hers, anna())
			if !byLink {
				proof = ""
			}
			if got := entered(t, h, hers, code, proof); got != "Анна" {
				t.Errorf("by link %v: in comes %q", byLink, got)
			}
		}
	})
	t.Run("not on another device, whose holder may have typed no password", func(t *testing.T) {
		h := newHouse(t)
		code, _ := registeredBy(t, h, hers, anna())
		if got := entered(t, h, phone, code, ""); got != "" || h.whose(t) != "Анна" {
			t.Errorf("in comes %q", got)
		}
	})
	t.Run("a stranger's browser is not let in by the code that its registration caused", func(t *testing.T) {
		h := newHouse(t)
		code, _ := registeredBy(t, h, his, other())
		if got := entered(t, h, phone, code, ""); got != "" {
			t.Errorf("in comes %q", got)
		}
		account, err := h.ConfirmHere(t.Context(), his, email, "000000", "")
		want(t, err, "code_wrong")
		if account.ID != 0 {
			t.Error("a wrong code lets somebody in")
		}
	})
	t.Run("the stranger's code in her browser lets her in by what she registered", func(t *testing.T) {
		h := newHouse(t)
		registeredBy(t, h, hers, anna())
		code, _ := registeredBy(t, h, his, other())
		if got := entered(t, h, hers, code, ""); got != "Анна" || h.whose(t) != "Анна" {
			t.Errorf("in comes %q", got)
		}
	})
	t.Run("the operator's code lets in nobody who registered the superuser's address", func(t *testing.T) {
		h := newHouse(t)
		_, err := h.CreateAccount(t.Context(), app.NewAccount{Email: email, FirstName: "Admin", Password: otherPassword, Role: mailing.RoleAdmin, Lang: "en", Code: "operator"})
		must(t, err)
		_, err = h.Register(t.Context(), hers, anna())
		must(t, err)
		if got := entered(t, h, hers, "operator", ""); got != "" {
			t.Errorf("in comes %q", got)
		}
		want(t, signIn(t, h, email, otherPassword), "ok")
	})
	t.Run("nor anybody who is blocked meanwhile", func(t *testing.T) {
		h := newHouse(t)
		code, _ := registeredBy(t, h, hers, anna())
		a, err := h.AccountByEmail(t.Context(), email)
		must(t, err)
		admin := h.person(t, "admin@example.org", mailing.RoleAdmin)
		must(t, h.store.Block(t.Context(), a.ID, admin.ID, "why", h.now))
		if got := entered(t, h, hers, code, ""); got != "" {
			t.Errorf("in comes %q", got)
		}
	})
}
