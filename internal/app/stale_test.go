package app_test

import (
	"testing"
	"time"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
	"vestnik/internal/store"
	"vestnik/internal/store/storetest"
)

func TestUnconfirmedRegistrationsAreSwept(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := over(s)
		there := func(email string) bool {
			return h.rows(t, "select count(*) from accounts where email = $1", email) == 1
		}
		register(t, h, anna())
		confirmed, blocked, owner := active(t, h, "confirmed@example.org"), anna0("blocked@example.org"), anna0("owner@example.org")
		register(t, h, blocked)
		register(t, h, owner)
		waiting := superuser(t, h)
		accountID := func(email string) int64 { return int64(h.rows(t, "select id from accounts where email = $1", email)) }
		must(t, s.Block(t.Context(), accountID(blocked.Email), 7, "a nuisance", h.now))
		storetest.Contact(t, s, accountID(owner.Email), "client@example.org")

		h.later(store.RegistrationLifetime - time.Second)
		must(t, h.Sweep(t.Context()))
		if !there("anna@example.org") {
			t.Fatal("it is gone before its time")
		}
		h.later(time.Second)
		register(t, h, anna())
		must(t, h.Sweep(t.Context()))
		if !there("anna@example.org") {
			t.Fatal("it is gone while a registration waits")
		}
		h.later(store.RegistrationLifetime)
		must(t, h.Sweep(t.Context()))
		for email, want := range map[string]bool{
			"anna@example.org": false, confirmed.Email: true, blocked.Email: true, owner.Email: true, waiting.Email: true,
		} {
			if there(email) != want {
				t.Errorf("%s is there: %v", email, !want)
			}
		}
		// Whoever confirms in the last moment stays.
		want(t, s.ShutRegistration(t.Context(), confirmed.ID, h.now), "changed_meanwhile")
		_, err := h.CreateAccount(t.Context(), app.NewAccount{
			Email: "anna@example.org", FirstName: "Анна", Password: password, Role: mailing.RoleUser, Lang: "ru",
		})
		must(t, err)
	})
}
