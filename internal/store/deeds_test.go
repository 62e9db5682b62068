package store_test

import (
	"errors"
	"testing"

	"vestnik/internal/mailing"
	"vestnik/internal/store"
	"vestnik/internal/store/storetest"
)

func TestDeeds(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := newHouse(t, s, 1)
		deed := mailing.Deed{
			At: now, Actor: h.owner.ID, Email: h.owner.Email, Action: "mailing.pause",
			Thing: mailing.Thing{Kind: mailing.ThingMailing, ID: h.mailing.ID}, Owner: h.owner.ID,
			Before: mailing.Facts{"status": "created"}, After: mailing.Facts{"status": "paused"},
		}
		pause := func(was mailing.Status) error {
			m := h.mailing
			m.Status = mailing.StatusPaused
			return s.SetMailingStatus(store.WithDeed(ctx, deed), m, was)
		}
		count := func() (n int) {
			ok(t, s.Writer().QueryRow("select count(*) from deeds").Scan(&n))
			return n
		}
		ok(t, pause(h.mailing.Status))
		equal(t, "deeds", count(), 1)
		wantCode(t, pause(h.mailing.Status), "changed_meanwhile")
		equal(t, "deeds after what was not done", count(), 1)

		for _, statement := range []string{"update deeds set email = 'x'", "delete from deeds"} {
			if _, err := s.Writer().Exec(statement); err == nil {
				t.Errorf("%s was let", statement)
			}
		}
		errs := atOnce(8, func(int) error { return pause(mailing.StatusPaused) })
		ok(t, errors.Join(errs...))
		var chain, last string
		ok(t, s.Writer().QueryRow("select c.hash, d.hash from deed_chain c join deeds d on d.number = c.number").Scan(&chain, &last))
		equal(t, "deeds", count(), 9)
		equal(t, "the end of the chain", chain, last)
	})
}
