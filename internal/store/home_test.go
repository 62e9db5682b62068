package store_test

import (
	"context"
	"database/sql"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vestnik/internal/store"
	"vestnik/internal/store/storetest"
)

const otherMachine = "0123456789abcdef0123456789abcdef"

// machineFile is a file with the identity of a machine.
func machineFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "machine-id")
	ok(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

// copyFile copies the bytes of a file into another, which is made if it is not there.
func copyFile(t *testing.T, from, to string) {
	t.Helper()
	in := must(os.Open(from))(t)
	defer in.Close()
	out := must(os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600))(t)
	must(io.Copy(out, in))(t)
	ok(t, out.Close())
}

func TestHomeOfAFile(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "vestnik.db")
	ok(t, os.WriteFile(path, []byte("one"), 0o600))
	machine := machineFile(t, strings.Repeat("a", 32)+"\n")
	home := must(store.FileHome(path, machine))(t)

	t.Run("it stays while the file is written, by whatever way it is reached", func(t *testing.T) {
		ok(t, os.WriteFile(path, []byte("another"), 0o600))
		equal(t, "home", must(store.FileHome(path, machine))(t), home)
		link := filepath.Join(t.TempDir(), "link")
		ok(t, os.Symlink(folder, link))
		equal(t, "home", must(store.FileHome(filepath.Join(link, "vestnik.db"), machine))(t), home)
		t.Chdir(folder)
		equal(t, "home", must(store.FileHome("vestnik.db", machine))(t), home)
	})
	t.Run("it is another one on another machine, and in another folder", func(t *testing.T) {
		for what, other := range map[string][2]string{
			"machine": {path, machineFile(t, otherMachine)},
			"none":    {path, filepath.Join(folder, "no such file")},
			"place":   {filepath.Join(t.TempDir(), "vestnik.db"), machine},
		} {
			copyFile(t, path, other[0]+".copy")
			if other[0] != path {
				copyFile(t, path, other[0])
			}
			equal(t, "same "+what, must(store.FileHome(other[0], other[1]))(t) == home, false)
		}
	})
	t.Run("a container has no identity, and what stands in place of it is none", func(t *testing.T) {
		none := must(store.FileHome(path, filepath.Join(folder, "no such file")))(t)
		for _, text := range []string{"", "uninitialized\n", "\n"} {
			equal(t, "home", must(store.FileHome(path, machineFile(t, text)))(t), none)
		}
	})
	t.Run("it is another one when a copy is put in the file's place", func(t *testing.T) {
		copyFile(t, path, path+".old")
		ok(t, os.Rename(path+".old", path))
		equal(t, "same", must(store.FileHome(path, machine))(t) == home, false)
	})
	t.Run("the identity of the machine cannot be read from it", func(t *testing.T) {
		equal(t, "readable", strings.Contains(home, "aaaa"), false)
		equal(t, "length", len(home), 32)
	})
}

func TestHomeOfAPostgresDatabase(t *testing.T) {
	url := storetest.PostgresURL(t)
	s := storetest.Open(t, url)
	home := must(s.Home(ctx))(t)

	t.Run("it is the same on every connection", func(t *testing.T) {
		equal(t, "home", must(storetest.Open(t, url).Home(ctx))(t), home)
		must(s.Writer().Exec("vacuum full installation"))(t)
		equal(t, "home", must(s.Home(ctx))(t), home)
	})
	t.Run("it is another one of another database", func(t *testing.T) {
		equal(t, "same", must(storetest.Open(t, storetest.PostgresURL(t)).Home(ctx))(t) == home, false)
	})
	t.Run("it is another one when the tables were made anew", func(t *testing.T) {
		recreate(t, s.Writer())
		equal(t, "same", must(s.Home(ctx))(t) == home, false)
	})
	t.Run("who may not ask for the cluster gets one that differs by database, and stays", func(t *testing.T) {
		must(s.Writer().Exec("revoke execute on function pg_control_system() from public; create role guest_" + must(s.Home(ctx))(t)[:8]))(t)
		lesser := storetest.Open(t, url)
		lesser.Writer().SetMaxOpenConns(1)
		must(lesser.Writer().Exec("set role guest_" + must(s.Home(ctx))(t)[:8]))(t)
		first := must(lesser.Home(ctx))(t)
		equal(t, "same as with the cluster", first == must(s.Home(ctx))(t), false)
		equal(t, "home", must(lesser.Home(ctx))(t), first)
	})
}

// recreate makes the table installation anew, as a restore into the same database
// does.
func recreate(t *testing.T, db *sql.DB) {
	t.Helper()
	for _, statement := range []string{
		"create table kept as select * from installation", "drop table installation", "alter table kept rename to installation",
	} {
		must(db.ExecContext(context.Background(), statement))(t)
	}
}
