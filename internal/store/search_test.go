package store_test

import (
	"fmt"
	"strings"
	"testing"

	"vestnik/internal/mailing"
	"vestnik/internal/store"
	"vestnik/internal/store/storetest"
)

// A header of 64 KB has room for so many words. SQLite takes no question that long, and
// PostgreSQL none with three forms of each.
const wordsInAnAddress = 32_000

func TestASearchIsBounded(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		owner := storetest.Account(t, s, "anna@example.com").ID
		long := strings.Repeat("я", 200)
		must(s.CreateContact(ctx, mailing.Contact{
			OwnerID: owner, Email: "client@example.org", FirstName: "а б в г д е ж з и", LastName: long, CreatedAt: now, UpdatedAt: now,
		}))(t)
		other := func(n int) string { return fmt.Sprintf(" слово%d", n) }
		many := strings.Repeat(other(1), wordsInAnAddress)
		for _, byName := range []bool{false, true} {
			for typed, want := range map[string]int{
				"а" + strings.Repeat(" а", wordsInAnAddress): 1, // once is enough
				"а а а б в г д е ж з и" + many:               0, // the tenth counts
				"а а а б в г д е ж з и я" + many:             1, // an eleventh does not
				long + "нет":                                         1, // nor does the 201st letter
				strings.Repeat("я", 199) + "нет":                     0,
				strings.Repeat("а ", 100) + strings.Repeat("нет", 9): 1,
			} {
				what := fmt.Sprintf("%.40s…, by name %v", typed, byName)
				_, total, err := s.Contacts(ctx, store.ContactFilter{Owner: owner, ByName: byName}, store.Page{Search: typed, Limit: 9})
				ok(t, err)
				equal(t, what, total, int64(want))
			}
		}
		everywhere := strings.Repeat("a ", wordsInAnAddress)
		must(s.Log(ctx, store.LogFilter{Email: everywhere, Limit: 9}))(t)
		must(s.Deeds(ctx, store.DeedFilter{Email: everywhere, Limit: 9}))(t)
	})
}
