package store_test

import (
	"testing"

	"vestnik/internal/mailing"
	"vestnik/internal/store"
	"vestnik/internal/store/storetest"
)

func TestARunTakesAlongWhatIsOfIt(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := newHouse(t, s, 3)
		kept := storetest.Run(t, s, storetest.Mailing(t, s, mailing.Mailing{OwnerID: h.owner.ID}))
		gone := storetest.Run(t, s, h.mailing)
		for _, run := range []mailing.Run{kept, gone} {
			h.settleAll(t, h.node, h.leaseAll(t, h.node, run.ID, now), mailing.Sent, now)
		}
		must(s.Writer().Exec("delete from runs where id = $1", gone.ID))(t)
		for _, table := range []string{"deliveries", "attempts", "leases"} {
			for id, want := range map[int64]bool{kept.ID: true, gone.ID: false} {
				var n int
				ok(t, s.Writer().QueryRow("select count(*) from "+table+" where run_id = $1", id).Scan(&n))
				if table != "leases" || !want {
					equal(t, table, n > 0, want)
				}
			}
		}
	})
}
