package store_test

import (
	"fmt"
	"testing"
	"time"

	"vestnik/internal/mailing"
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

// TestAVersionGoesWhileARunIsOpenedWithIt has PostgreSQL, where both go on at once, erase
// the account whose run was the last of a version. SQLite has one writer.
func TestAVersionGoesWhileARunIsOpenedWithIt(t *testing.T) {
	// opened is a house with a run, and what opens the same words for another owner.
	opened := func(t *testing.T) (house, mailing.Run, mailing.Run) {
		h := newHouse(t, storetest.Open(t, storetest.PostgresURL(t)), 1)
		other := storetest.Account(t, h.Store, "other@example.com")
		run := must(h.Run(ctx, must(h.OpenManualRun(ctx, storetest.OpeningRun(h.mailing), content, now))(t)))(t)
		return h, run, storetest.OpeningRun(storetest.Mailing(t, h.Store, mailing.Mailing{OwnerID: other.ID}))
	}
	hasWords := func(t *testing.T, h house, run int64) {
		t.Helper()
		must(h.Version(ctx, must(h.Run(ctx, run))(t).VersionID))(t)
	}
	t.Run("opening comes first", func(t *testing.T) {
		h, run, next := opened(t)
		tx := must(h.Writer().Begin())(t)
		defer tx.Rollback()
		must(tx.Exec(`insert into runs select (r).* from (select jsonb_populate_record(r, jsonb_build_object('id', $1::bigint, 'mailing_id',
$2::bigint, 'owner_id', $3::bigint)) as r from runs r where id = $4) s`, 1, next.MailingID, next.OwnerID, run.ID))(t)
		ok(t, h.BeginErasureNow(ctx, h.owner.ID, now))
		erased := make(chan error, 1)
		go func() { erased <- h.EraseAccount(ctx, h.owner.ID, now) }()
		time.Sleep(300 * time.Millisecond) // it waits by now
		ok(t, tx.Commit())
		ok(t, <-erased)
		hasWords(t, h, 1)
	})
	t.Run("erasing comes first", func(t *testing.T) {
		h, run, next := opened(t)
		tx := must(h.Writer().Begin())(t)
		defer tx.Rollback()
		must(tx.Exec("lock table runs in share mode"))(t)
		told := make(chan error, 1)
		var id int64
		go func() {
			var err error
			id, err = h.OpenManualRun(ctx, next, content, now)
			told <- err
		}()
		time.Sleep(300 * time.Millisecond) // it has found the version, and waits
		must(tx.Exec("delete from runs where id = $1", run.ID))(t)
		must(tx.Exec("delete from versions where id = $1", run.VersionID))(t)
		ok(t, tx.Commit())
		ok(t, <-told)
		hasWords(t, h, id)
	})
}
