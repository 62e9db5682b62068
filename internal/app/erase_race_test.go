package app_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/store"
	"vestnik/internal/store/storetest"
)

func TestAnErasedAddressThatComesBackWhileItIsForgottenIsNotMailed(t *testing.T) {
	ways := map[string]func(*sent) error{
		"imported": func(h *sent) error {
			_, err := h.ImportContacts(context.Background(), h.owner, "again.csv", strings.NewReader("email\n"+annasMail+"\n"))
			return err
		},
		"created": func(h *sent) error {
			_, err := h.CreateContact(context.Background(), h.owner, mailing.Contact{Email: annasMail})
			return err
		},
	}
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := newSent(t, s)
		for name, comesBack := range ways {
			t.Run(name, func(t *testing.T) {
				must(t, h.ErasePerson(t.Context(), h.owner, h.owner.ID, annasMail))
				h.later(2 * time.Hour)
				before := h.now.Add(-time.Hour)
				due, err := s.ErasedInPart(t.Context(), before, 10)
				must(t, err)
				if len(due) != 1 || due[0].Email != annasMail {
					t.Fatalf("due are %+v", due)
				}
				must(t, comesBack(h))
				must(t, s.FinishErasure(t.Context(), due[0], before))
				c, err := s.ContactByEmail(t.Context(), h.owner.ID, annasMail)
				must(t, err)
				if c.Suppression.Reason != mailing.ReasonErased {
					t.Errorf("they may be mailed: %+v", c)
				}
			})
		}
		t.Run("nor an hour later, while they are a client", func(t *testing.T) {
			h.later(2 * time.Hour)
			must(t, s.FinishErasure(t.Context(), store.Person{OwnerID: h.owner.ID, Email: annasMail}, h.now))
			c, err := s.ContactByEmail(t.Context(), h.owner.ID, annasMail)
			must(t, err)
			if c.Suppression.Reason != mailing.ReasonErased {
				t.Errorf("they may be mailed: %+v", c)
			}
		})
	})
}
