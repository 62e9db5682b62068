package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestBackup(t *testing.T) {
	s := newShell(t)
	s.run("user", "create", "--email", "anna@example.org", "--first-name", "Анна", "--last-name", "Петрова").want(0)
	file := filepath.Join(t.TempDir(), "backup.db")
	t.Run("a backup is made, and the secret key that goes with it is named", func(t *testing.T) {
		r := s.in(t).run("backup", file).want(0).says(file).complains("secret.key")
		equal(t, "exit code", r.code, 0)
		made := object[backupJSON](s.in(t).run("backup", "--json", file+"2").want(0))
		size, err := os.Stat(made.File)
		if err != nil || made.File != file+"2" || made.SizeBytes != size.Size() {
			t.Errorf("it is %+v, %v", made, err)
		}
	})
	t.Run("a file that is there is not written over", func(t *testing.T) {
		s.in(t).run("backup", file).want(exitConflict).complains("already", file)
		s.in(t).run("--lang", "ru", "backup", file).want(exitConflict).complains("уже есть")
	})
	t.Run("it is a whole database", func(t *testing.T) {
		s.in(t, "DATABASE_URL=sqlite:"+file).run("user", "create", "--email", "anna@example.org",
			"--first-name", "Анна", "--last-name", "Петрова").want(exitConflict)
	})
}

func TestHoldCommands(t *testing.T) {
	s := newShell(t)
	t.Run("on ordinary days nothing is held, and there is nothing to end", func(t *testing.T) {
		s.in(t).run("hold", "show").want(0).says("Nothing is held")
		held := object[holdJSON](s.in(t).run("hold", "show", "--json").want(0))
		if held.Held || held.Since != nil || held.Runs == nil || held.Mailings == nil {
			t.Errorf("it is %+v", held)
		}
		s.in(t).run("hold", "end", "go-on").want(exitConflict).complains("not on hold")
	})
	id := s.furnish("boris@example.org")
	s.run("mailing", "send", id).want(0)
	t.Run("a person holds the database, and then nothing is sent by hand", func(t *testing.T) {
		s.in(t).run("hold", "start").want(0).says("until you decide").complains("holds the database")
		s.in(t).run("hold", "start").want(exitConflict).complains("already")
		s.in(t).run("mailing", "send", id).want(exitConflict).complains("restored or moved")
	})
	t.Run("what waits is shown", func(t *testing.T) {
		s.in(t).run("hold", "show").want(0).says("by a person's wish", anna, "LEFT").complains("vestnik hold end")
		s.in(t).run("--lang", "ru", "hold", "show").want(0).says("по решению человека", "Запуски, которые шли: 1")
		held := object[holdJSON](s.in(t).run("hold", "show", "--json").want(0))
		if !held.Held || held.Why != "asked" || held.Since == nil || held.RunsAll != 1 || len(held.Runs) != 1 || held.Runs[0].Waiting != 1 {
			t.Errorf("it is %+v", held)
		}
	})
	t.Run("an unknown word is a usage error", func(t *testing.T) {
		s.in(t).run("hold", "end", "perhaps").want(exitUsage).complains("go-on")
	})
	t.Run("a copy is quiet", func(t *testing.T) {
		done := object[holdEndJSON](s.in(t).run("hold", "end", "copy", "--json").want(0).complains("has decided"))
		equal(t, "changed", done, holdEndJSON{End: "copy", RunsCancelled: 1, MailingsPaused: 1})
		s.in(t).run("mailing", "send", id).want(exitConflict)
	})
	t.Run("the other end is that it goes on", func(t *testing.T) {
		s.in(t).run("hold", "start", "--json").want(0)
		s.in(t).run("hold", "end", "go-on").want(0).says("It goes on")
		s.in(t).run("hold", "show").want(0).says("Nothing is held")
	})
}
