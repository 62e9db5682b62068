package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestKeyCommands(t *testing.T) {
	s := newShell(t)
	s.runWith(t.Context(), "open sesame\n", "relay", "add", "post", "--host", "smtp.example.org", "--username", "me", "--password-stdin", "--from-email", "news@example.org").want(0)
	before := s.base() // as a service that runs
	defer before.Close()
	link := strings.TrimPrefix(before.App.UnsubscribeURL(1, 1, "anna@example.org"), before.App.BaseURL+"/unsubscribe/")
	works := func(t *testing.T, want bool) {
		t.Helper()
		b := s.in(t).base()
		defer b.Close()
		_, err := b.App.Subscription(t.Context(), link)
		if known := !strings.Contains(errorText(err), "link_invalid"); known != want {
			t.Errorf("a link that was mailed before: %v", err)
		}
		if relays, err := b.App.RelaysInUse(t.Context()); err != nil || relays[0].Password != "open sesame" {
			t.Errorf("the password: %v", err)
		}
	}
	t.Run("the key is rotated beside a service that runs, and links go on to work", func(t *testing.T) {
		s.in(t).run("key", "rotate").want(0).says("vestnik key drop").complains("secret.key")
		works(t, true)
		relays, err := before.App.RelaysInUse(t.Context())
		if err != nil || relays[0].Password != "open sesame" {
			t.Errorf("the service that runs: %v", err)
		}
	})
	t.Run("a second time, too", func(t *testing.T) {
		done := object[keyJSON](s.in(t).run("key", "rotate", "--json").want(0))
		if done.Secrets != 3 || done.Resealed != 1 || len(done.Unopened) != 0 {
			t.Errorf("got %+v", done)
		}
		works(t, true)
	})
	t.Run("dropped, the old ones open nothing", func(t *testing.T) {
		if done := object[keyJSON](s.in(t).run("key", "drop", "--json").want(0)); done.Dropped != 2 || done.Secrets != 1 {
			t.Errorf("got %+v", done)
		}
		works(t, false)
		s.in(t).run("key", "drop").want(0).says("0")
	})
	t.Run("a rotation that broke off after the file was written is finished", func(t *testing.T) {
		file := filepath.Join(filepath.Dir(before.Config.SecretFile()), "secret.key")
		old, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, append([]byte(strings.Repeat("n", 40)+"\n\n"), old...), 0o600); err != nil {
			t.Fatal(err)
		}
		if done := object[keyJSON](s.in(t).run("key", "rotate", "--json").want(0)); done.Secrets != 2 || done.Resealed != 1 {
			t.Errorf("got %+v", done)
		}
	})
	t.Run("a secret that is a setting is rotated by who sets it", func(t *testing.T) {
		old, fresh := strings.Repeat("o", 40), strings.Repeat("f", 40)
		shell := newShell(t, "VESTNIK_SECRET_KEY="+old)
		shell.run("key", "rotate").want(exitConflict).complains("VESTNIK_OLD_SECRET_KEYS")
		shell.in(t, "VESTNIK_SECRET_KEY="+fresh).run("relay", "list").want(exitFault).complains("VESTNIK_SECRET_KEY")
		both := newShell(t, shell.env[2:]...)
		both.env = append(shell.env, "VESTNIK_SECRET_KEY="+fresh, "VESTNIK_OLD_SECRET_KEYS="+old)
		both.run("key", "rotate").want(0).says("vestnik key drop")
		shell.in(t).run("relay", "list").want(exitFault)
		shell.in(t, "VESTNIK_SECRET_KEY="+fresh).run("relay", "list").want(0)
	})
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
