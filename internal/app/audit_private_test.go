package app_test

import (
	"strings"
	"testing"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
	"vestnik/internal/store"
)

// What stands in the audit log stands there for ever, also when the person is erased.
func TestDeedsHoldNothingThatMustBeForgotten(t *testing.T) {
	h, owner, has := furnished(t)
	log := trail{h: h}
	log.last(t, 1) // the import that the owner came with
	ctx := app.WithOrigin(t.Context(), "198.51.100.7")
	t.Run("no client that a server names", func(t *testing.T) {
		must(t, h.store.HaltRun(ctx, has.run, "550 client@example.org is not wanted here"))
		must(t, h.ContinueRun(ctx, owner, has.run))
		if d := log.last(t, 1); d.Action != "run.continue" || d.Before["halt"] != "550 c…@e….org is not wanted here" {
			t.Errorf("got %s %s", d.Action, facts(d))
		}
	})
	t.Run("not where a reader was who leaves the list", func(t *testing.T) {
		_, token, _ := strings.Cut(h.UnsubscribeURL(owner.ID, has.run, "client@example.org"), "/unsubscribe/")
		_, err := h.Unsubscribe(ctx, token)
		must(t, err)
		if d := log.last(t, 1); d.Action != "contact.unsubscribe" || d.From != "" || d.Email != "c…@e….org" {
			t.Errorf("got %+v", d)
		}
	})
	t.Run("no name and phone of a person", func(t *testing.T) {
		must(t, h.UpdateProfile(ctx, owner, app.Profile{FirstName: "Мария", LastName: owner.LastName, Phone: "+7 900 1", Lang: "ru", Zone: owner.Zone, Theme: "dark"}))
		want := "first_name:•••>••• phone:>••• theme:>dark"
		if d := log.last(t, 1); d.Action != "account.update_profile" || facts(d) != want {
			t.Errorf("got %s %s, want %s", d.Action, facts(d), want)
		}
		_, err := h.CreateAccount(ctx, app.NewAccount{
			Email: "petr@example.org", FirstName: "Пётр", LastName: "Петров", Password: "a long enough one 7", Role: mailing.RoleUser,
		})
		must(t, err)
		if d := log.last(t, 1); d.After["first_name"] != mailing.Masked || d.After["last_name"] != mailing.Masked || d.After["email"] != "petr@example.org" {
			t.Errorf("got %s %s", d.Action, facts(d))
		}
	})
}

func TestAnOwnerSeesWhereStrangersWereAtTheirAccountOnly(t *testing.T) {
	h, owner, has := furnished(t)
	stranger := func(kind mailing.ThingKind, id int64) {
		t.Helper()
		must(t, h.store.Note(store.WithDeed(t.Context(), mailing.Deed{
			Action: "account.sign_in", Thing: mailing.Thing{Kind: kind, ID: id}, Owner: owner.ID, From: "198.51.100.7", At: h.now,
		})))
	}
	stranger(mailing.ThingAccount, owner.ID)
	stranger(mailing.ThingContact, has.contact)
	stranger(mailing.ThingContact, owner.ID) // an id is one only among its kind
	deeds, err := h.Deeds(t.Context(), owner, app.AuditFilter{Limit: 3})
	must(t, err)
	if len(deeds) != 3 || deeds[0].From != "" || deeds[1].From != "" || deeds[2].From == "" {
		t.Errorf("got %+v", deeds)
	}
}
