package store_test

import (
	"testing"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/store"
	"vestnik/internal/store/storetest"
)

func TestContactsByIDsAreTheOwnersOnly(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		anna := storetest.Account(t, s, "anna@example.com").ID
		boris := storetest.Account(t, s, "boris@example.com").ID
		c := storetest.Contact(t, s, anna, "ivan@example.com")
		storetest.Contact(t, s, anna, "pavel@example.com")
		d := storetest.Contact(t, s, boris, "ivan@example.com")
		there := must(s.ContactsByIDs(ctx, anna, []int64{d.ID, c.ID, 1}))(t)
		if len(there) != 1 {
			t.Fatalf("got %+v", there)
		}
		equal(t, "contact", there[0], c)
		equal(t, "contacts of no ids", len(must(s.ContactsByIDs(ctx, anna, nil))(t)), 0)
	})
}

func TestLatestMailingsComeFirst(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		anna := storetest.Account(t, s, "anna@example.com").ID
		boris := storetest.Account(t, s, "boris@example.com").ID
		m := storetest.Message(t, s, mailing.Message{OwnerID: anna, Subject: "Осень"})
		storetest.Mailing(t, s, mailing.Mailing{OwnerID: anna, MessageID: m.ID, CreatedAt: now})
		last := storetest.Mailing(t, s, mailing.Mailing{OwnerID: anna, MessageID: m.ID, CreatedAt: now.Add(time.Hour)})
		latest := must(s.LatestMailings(ctx, anna, 1))(t)
		if len(latest) != 1 || latest[0].ID != last.ID || latest[0].Subject != "Осень" || !latest[0].CreatedAt.Equal(last.CreatedAt) {
			t.Errorf("got %+v", latest)
		}
		equal(t, "of everybody", len(must(s.LatestMailings(ctx, 0, 9))(t)), 2)
		equal(t, "of somebody else", len(must(s.LatestMailings(ctx, boris, 9))(t)), 0)
	})
}
