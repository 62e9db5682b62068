package storetest_test

import (
	"context"
	"testing"

	"vestnik/internal/mailing"
	"vestnik/internal/store"
	"vestnik/internal/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }

func TestStores(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		t.Run("what one test writes is there", func(t *testing.T) {
			owner := storetest.Account(t, s, "anna@example.com")
			storetest.Contacts(t, s, owner.ID, 3)
			run := storetest.Run(t, s, storetest.Mailing(t, s, mailing.Mailing{OwnerID: owner.ID}))
			if run.Counts.Audience != 3 || run.State != mailing.RunSending {
				t.Errorf("the run is %s with an audience of %d, want sending and 3", run.State, run.Counts.Audience)
			}
		})
	})
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		t.Run("the next test sees nothing of it", func(t *testing.T) {
			n, err := s.CountAccounts(context.Background())
			if err != nil || n != 0 {
				t.Errorf("there are %d accounts, %v; want none", n, err)
			}
		})
	})
}
