package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestPersonCommands(t *testing.T) {
	s := newShell(t)
	s.run("user", "create", "--email", "owner@example.org", "--first-name", "Olga").want(0)
	s.run("contacts", "import", "--owner", "owner@example.org", s.file("clients.csv", "email\nanna@example.org\n")).want(0)
	zip := filepath.Join(t.TempDir(), "anna.zip")
	t.Run("a client's data is written into a new file", func(t *testing.T) {
		s.in(t).run("person", "export", "--owner", "owner@example.org", "Anna@example.org", zip).want(0).says(zip)
		if info, err := os.Stat(zip); err != nil || info.Mode().Perm() != 0o600 || info.Size() == 0 {
			t.Errorf("the file is %v, %v", info, err)
		}
		s.in(t).run("person", "export", "--owner", "owner@example.org", "anna@example.org", zip).want(exitConflict)
		s.in(t).run("person", "export", "--owner", "nobody@example.org", "anna@example.org", zip+"2").want(exitNotFound)
		s.in(t).run("person", "export", "--owner", "owner@example.org", "broken", zip+"2").want(exitInvalid)
		if _, err := os.Stat(zip + "2"); err == nil {
			t.Error("a file is left of an export that was refused")
		}
	})
	t.Run("a client is forgotten, and known no more when imported again", func(t *testing.T) {
		s.in(t).run("person", "erase", "--owner", "owner@example.org", "anna@example.org").want(0)
		s.in(t).run("contacts", "import", "--owner", "owner@example.org", s.file("again.csv", "email\nanna@example.org\n")).want(0).says("Added: 1")
		s.in(t).run("person", "erase", "--owner", "owner@example.org", "nobody").want(exitInvalid)
	})
	t.Run("an account is exported and erased", func(t *testing.T) {
		s.in(t).run("user", "export", "owner@example.org", filepath.Join(t.TempDir(), "owner.zip")).want(0)
		s.in(t).run("user", "erase", "owner@example.org").want(0)
		s.in(t).run("user", "erase", "owner@example.org").want(exitNotFound)
	})
	t.Run("the last admin stays", func(t *testing.T) {
		s.in(t).run("user", "create", "--email", "admin@example.org", "--first-name", "Ada", "--role", "admin").want(0)
		s.in(t).run("user", "erase", "admin@example.org").want(exitConflict)
	})
}
