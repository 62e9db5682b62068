package main

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"testing"

	"vestnik/internal/app"
	"vestnik/internal/smtpsink"
)

// addRelay adds a mail server under a name, with more flags.
func (s *shell) addRelay(name string, more ...string) result {
	s.Helper()
	return s.run(append([]string{"relay", "add", name, "--host", "smtp.example.org", "--from-email", "news@example.org"}, more...)...)
}

func TestRelayAdd(t *testing.T) {
	t.Run("a mail server is added with what is usual, and listed", func(t *testing.T) {
		s := newShell(t)
		s.addRelay("Own").want(0).says("“Own” was added")
		s.run("--lang", "ru", "relay", "add", "Почта", "--host", "smtp.example.org", "--from-email", "news@example.org", "--username", "anna",
			"--smtp-password", "sesame", "--max-connections", "2", "--per-hour", "500", "--weight", "20", "--off").want(0).says("«Почта»", "выключен")
		s.run("relay", "list").want(0).says("NAME", "Own", "smtp.example.org:25", "no limits", "Switched on",
			"smtp.example.org:587", "up to 2 connections, 500 mails an hour", "Switched off")
		s.run("--lang", "ru", "relay", "list").want(0).says("НАЗВАНИЕ", "до 2 соединений, 500 писем в час")
	})
	t.Run("as JSON it is what list prints, too, and holds no password", func(t *testing.T) {
		s := newShell(t)
		made := s.runWith(context.Background(), "sesame\n", "relay", "add", "Own", "--host", "smtp.example.org", "--from-email", "news@example.org",
			"--username", "anna", "--password-stdin", "--json").want(0)
		r := object[relayJSON](made)
		if r.Kind != "smtp" || r.Port != 587 || r.TLS != "starttls-required" || r.Weight != 10 || !r.Enabled || r.TroubleAt != nil {
			t.Errorf("it is %+v", r)
		}
		equal(t, "list", s.run("relay", "list", "--json").want(0).out, "["+strings.TrimSpace(made.out)+"]\n")
		equal(t, "fields", strings.Join(fields(made), " "), "connections enabled from_email from_name helo_name host id kind messages name "+
			"per_day per_hour per_second port tls trouble trouble_at username weight")
		relays, err := s.base().App.RelaysInUse(t.Context())
		if err != nil || relays[0].Password != "sesame" || strings.Contains(made.out, "sesame") {
			t.Errorf("in use are %+v, %v", relays, err)
		}
	})
	t.Run("port and encryption go together", func(t *testing.T) {
		s := newShell(t)
		for name, c := range map[string]struct {
			flags []string
			want  string
		}{
			"a": {[]string{"--port", "465"}, "465 implicit"},
			"b": {[]string{"--tls", "implicit"}, "465 implicit"},
			"c": {[]string{"--port", "2525", "--tls", "none"}, "2525 none"},
			"d": {nil, "25 starttls"},
		} {
			r := object[relayJSON](s.addRelay(name, append(c.flags, "--json")...).want(0))
			equal(t, name, strconv.Itoa(r.Port)+" "+r.TLS, c.want)
		}
	})
	t.Run("sending directly needs a name to greet with, and no server", func(t *testing.T) {
		s := newShell(t)
		add := []string{"relay", "add", "Direct", "--mx", "--from-email", "news@example.org"}
		s.run(add...).want(exitInvalid).complains("--helo-name: ")
		r := object[relayJSON](s.run(append(add, "--helo-name", "mail.example.org", "--json")...).want(0))
		equal(t, "kind", r.Kind, "mx")
		s.run("relay", "list").want(0).says("Directly (MX)", "mail.example.org")
		s.run(append(add, "--helo-name", "mail.example.org", "--host", "smtp.example.org")...).want(exitUsage).complains("--mx", "--host")
	})
	t.Run("what cannot be used is told, by the flag", func(t *testing.T) {
		s := newShell(t)
		s.addRelay("Own", "--weight", "0", "--max-connections=-1").want(exitInvalid).complains("--weight: ", "--max-connections: ")
		s.run("relay", "add", "Own", "--from-email", "news@example.org").want(exitInvalid).complains("--host: ")
		s.addRelay("Own", "--smtp-password", "x").want(exitUsage).complains("--username")
		s.addRelay("Own", "--username", "anna", "--password-stdin").want(exitInvalid).complains("standard input")
		s.addRelay("Own").want(0)
		s.addRelay("Own").want(exitConflict).complains("“Own”")
	})
}

func TestRelayTest(t *testing.T) {
	sink, err := smtpsink.Start(smtpsink.Options{Username: "anna", Password: "sesame"})
	if err != nil {
		t.Fatal(err)
	}
	defer sink.Close()
	s := newShell(t)
	add := func(name, password string) {
		s.run("relay", "add", name, "--host", "127.0.0.1", "--port", strconv.Itoa(sink.Port()), "--tls", "none", "--from-email", "news@example.org",
			"--username", "anna", "--smtp-password", password).want(0)
	}
	add("right", "sesame")
	add("wrong", "open")
	t.Run("it tells every step, with the stored password", func(t *testing.T) {
		s.in(t).run("relay", "test", "right").want(0).says("Connection: passed", "User name and password: passed", "Recipient address: passed")
		equal(t, "mails sent", sink.Count(), 0)
	})
	t.Run("it ends with the step that fails", func(t *testing.T) {
		r := s.in(t).run("relay", "test", "wrong").want(exitInvalid).says("Connection: passed", "User name and password: The server 127.0.0.1")
		if strings.Contains(r.out, "Sender address") {
			t.Errorf("it goes on: %s", r.out)
		}
		steps := object[[]relayStepJSON](s.in(t).run("relay", "test", "wrong", "--json").want(exitInvalid))
		last := steps[len(steps)-1]
		if last.Step != "auth" || last.Passed || last.Code != "smtp_auth_refused" || last.Reason == "" || !steps[0].Passed {
			t.Errorf("the steps are %+v", steps)
		}
	})
	t.Run("one that is not there is told", func(t *testing.T) {
		for _, deed := range []string{"test", "resume", "remove"} {
			s.in(t).run("relay", deed, "none").want(exitNotFound).complains("“none”")
		}
	})
}

func TestRelayResumeAndRemove(t *testing.T) {
	t.Run("one that was stopped is listed with the reason, and goes on", func(t *testing.T) {
		s := newShell(t)
		id := object[relayJSON](s.addRelay("Own", "--json").want(0)).ID
		if err := s.base().App.StopRelay(t.Context(), id, "535 5.7.8 no"); err != nil {
			t.Fatal(err)
		}
		s.run("relay", "list").want(0).says("Stopped: 535 5.7.8 no")
		if r := object[[]relayJSON](s.run("relay", "list", "--json").want(0))[0]; r.Trouble != "535 5.7.8 no" || r.TroubleAt == nil {
			t.Errorf("it is %+v", r)
		}
		s.run("relay", "resume", "Own").want(0).says("“Own”")
		s.run("relay", "list").want(0).says("Switched on")
	})
	t.Run("one that is removed is gone", func(t *testing.T) {
		s := newShell(t)
		s.addRelay("one").want(0)
		s.addRelay("two").want(0)
		s.run("relay", "remove", "one").want(0).says("“one” was deleted")
		relays, err := s.base().App.RelaysInUse(t.Context())
		if err != nil || slices.ContainsFunc(relays, func(r app.RelaySettings) bool { return r.Name == "one" }) || len(relays) != 1 {
			t.Errorf("in use are %+v, %v", relays, err)
		}
	})
	t.Run("without any, list says where mail goes, and prints no data", func(t *testing.T) {
		r := newShell(t).run("relay", "list").want(0).complains("SMTP_URL")
		equal(t, "standard output", r.out, "")
		equal(t, "JSON", newShell(t).run("relay", "list", "--json").want(0).out, "[]\n")
	})
}
