package store_test

import (
	"fmt"
	"testing"

	"vestnik/internal/store"
	"vestnik/internal/store/storetest"
)

// TestAnAccountGoesPieceByPiece has SQLite, which has one writer, refuse that the account
// takes along in one transaction what it may have a million of.
func TestAnAccountGoesPieceByPiece(t *testing.T) {
	s := storetest.New(t)
	h := newHouse(t, s, 2500)
	other := storetest.Account(t, s, "other@example.com")
	for _, owner := range []int64{h.owner.ID, other.ID} {
		id := must(s.CreateImport(ctx, owner, "list.csv", now))(t)
		ok(t, s.UpdateImport(ctx, store.Import{ID: id}, []store.Refusal{{Line: 1, Value: "a"}, {Line: 2, Value: "b"}}))
		ok(t, s.ErasePerson(ctx, store.Person{OwnerID: owner, Email: "x@example.com", Pseudonym: "x"}, now))
	}
	for _, table := range []string{"contacts", "suppressions", "erasures", "import_refusals"} {
		of := "owner_id = old.id"
		if table == "import_refusals" {
			of = "import_id in (select id from imports where " + of + ")"
		}
		must(s.Writer().Exec(fmt.Sprintf(`create trigger no_%s before delete on accounts
when exists (select 1 from %s where %s) begin select raise(abort, '%s are left'); end`, table, table, of, table)))(t)
	}
	ok(t, s.BeginErasureNow(ctx, h.owner.ID, now))
	ok(t, s.EraseAccount(ctx, h.owner.ID, now))
	for table, want := range map[string]int{"contacts": 0, "suppressions": 1, "erasures": 1, "import_refusals": 2} {
		var n int
		ok(t, s.Writer().QueryRow("select count(*) from "+table).Scan(&n))
		equal(t, table, n, want)
	}
}
