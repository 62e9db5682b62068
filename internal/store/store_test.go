package store_test

import (
	"context"
	"database/sql"
	"errors"
	"testing"

	"vestnik/internal/store"
	"vestnik/internal/store/storetest"
)

// TestACancelledTransactionSaysSo ends the context in the middle: database/sql then only
// says that the transaction is over.
func TestACancelledTransactionSaysSo(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		within, cancel := context.WithCancel(ctx)
		err := s.Beside(within, func(tx *sql.Tx) error {
			cancel()
			for {
				if _, err := tx.Exec("select 1"); err != nil {
					return err
				}
			}
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("the error is %v", err)
		}
	})
}
