package store_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"vestnik/internal/store/storetest"
)

func TestBackup(t *testing.T) {
	s := storetest.New(t)
	h := newHouse(t, s, 3)
	path := filepath.Join(t.TempDir(), "backup of today.db")

	t.Run("it holds all that was there, for nobody else to read", func(t *testing.T) {
		ok(t, s.Backup(ctx, path))
		equal(t, "mode", must(os.Stat(path))(t).Mode().Perm(), 0o600)
		restored := storetest.Open(t, "sqlite:"+path)
		ok(t, restored.Migrate(ctx))
		equal(t, "owner", must(restored.Account(ctx, h.owner.ID))(t).Email, h.owner.Email)
		equal(t, "clients", must(restored.Numbers(ctx, 0))(t).Clients, 3)
	})
	t.Run("it is made beside somebody who writes", func(t *testing.T) {
		tx := must(s.Writer().Begin())(t)
		defer tx.Rollback()
		must(tx.Exec("delete from contacts"))(t)
		beside := filepath.Join(t.TempDir(), "beside.db")
		ok(t, s.Backup(ctx, beside))
		equal(t, "clients", must(storetest.Open(t, "sqlite:"+beside).Numbers(ctx, 0))(t).Clients, 3)
	})
	t.Run("a file that is there stays as it is", func(t *testing.T) {
		before := must(os.ReadFile(path))(t)
		wantCode(t, s.Backup(ctx, path), "file_exists")
		equal(t, "file", string(must(os.ReadFile(path))(t)), string(before))
	})
	t.Run("one that fails leaves nothing behind", func(t *testing.T) {
		cut, cancel := context.WithCancel(ctx)
		cancel()
		folder := t.TempDir()
		if s.Backup(cut, filepath.Join(folder, "none.db")) == nil {
			t.Error("it is said to be made")
		}
		equal(t, "files", len(must(os.ReadDir(folder))(t)), 0)
	})
	t.Run("of PostgreSQL it says that there are other means", func(t *testing.T) {
		wantCode(t, storetest.Open(t, storetest.PostgresURL(t)).Backup(ctx, path+"2"), "backup_postgres")
	})
}
