package web_test

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
	"vestnik/internal/smtpsink"
	"vestnik/internal/transport"
)

// tryRelay tries a relay as the server does, but trusts nobody's certificate.
func tryRelay(s app.RelaySettings, step func(string, error)) {
	relay := &transport.Relay{
		Host: s.Host, Port: s.Port, TLS: transport.TLSMode(s.TLS), Username: s.Username, Password: s.Password,
	}
	// What goes wrong has been told by step.
	_ = relay.Check(context.Background(), s.FromEmail, "", func(name transport.Step, err error) { step(string(name), err) })
}

// relayForm is a form for a server of the test.
func relayForm(t *testing.T, sink *smtpsink.Server) url.Values {
	t.Helper()
	host, port, _ := strings.Cut(sink.Addr(), ":")
	return url.Values{
		"host": {host}, "port": {port}, "tls": {"none"}, "username": {"anna"}, "password": {"sesame"},
		"from_name": {"Анна"}, "from_email": {"anna@example.org"},
	}
}

func TestRelay(t *testing.T) {
	h := newHarness(t)
	h.checkRelay = tryRelay
	admin := h.signIn(h.account("admin@example.org", mailing.RoleAdmin))
	sink, err := smtpsink.Start(smtpsink.Options{Username: "anna", Password: "sesame"})
	if err != nil {
		t.Fatal(err)
	}
	defer sink.Close()
	form := relayForm(t, sink)

	h.run("only admins come to it", func(t *testing.T) {
		c := h.signIn(h.account("manager@example.org", mailing.RoleManager))
		for _, path := range []string{"/relay", "/relay/test", "/relay/delete"} {
			c.post(path, form).expect(http.StatusNotFound)
		}
		c.get("/relay").expect(http.StatusNotFound).lacks(".sidebar a[href=/relay]")
		admin.get("/relay").expect(http.StatusOK).one(".sidebar a[href=/relay]")
	})
	h.run("a preset fills the server in", func(t *testing.T) {
		for preset, want := range map[string]string{
			"yandex": "smtp.yandex.ru 465 implicit", "mailru": "smtp.mail.ru 465 implicit", "gmail": "smtp.gmail.com 587 starttls-required",
			"outlook": "smtp-mail.outlook.com 587 starttls-required", "ses": "email-smtp.eu-central-1.amazonaws.com 587 starttls-required",
		} {
			got := fieldsOf(admin.get("/relay?preset=" + preset).one("#relay"))
			if is := got.Get("host") + " " + got.Get("port") + " " + got.Get("tls"); is != want {
				t.Errorf("%s gives %s", preset, is)
			}
		}
		checkTranslated(t, admin.get("/relay?preset=outlook"))
	})
	h.run("a test says how far it came and stores nothing", func(t *testing.T) {
		wrong := url.Values{}
		for name, values := range form {
			wrong[name] = values
		}
		wrong["password"] = []string{"open"}
		p := admin.post("/relay/test", wrong).expect(http.StatusOK)
		p.shows(".stage.tone-success", "Ответ почтового сервера").shows(".stage.tone-danger", "Имя пользователя и пароль").shows(".stage-problem", "127.0.0.1")
		if got := p.text(".stage.tone-neutral span:has-text(Адрес)"); got != "Адрес отправителя Адрес получателя" {
			t.Errorf("the steps that were not taken are %q", got)
		}
		if p.attr("#relay [name=host]", "value") != "127.0.0.1" || strings.Contains(p.body, `"open"`) {
			t.Error("the server is lost, or the password stands in the page")
		}
		checkTranslated(t, p)
		if _, stored, err := h.app.RelayInUse(context.Background()); stored || err != nil {
			t.Errorf("stored: %v, %v", stored, err)
		}
	})
	h.run("a test that passes says so", func(t *testing.T) {
		p := admin.lang("en").post("/relay/test", form).expect(http.StatusOK)
		p.shows(".note.tone-success", "ready to take mail").lacks(".stage.tone-danger, .stage.tone-neutral")
		admin.lang("ru")
	})
	h.run("what is wrong stands beside its field", func(t *testing.T) {
		for _, path := range []string{"/relay", "/relay/test"} {
			p := admin.post(path, url.Values{"port": {"mail"}, "tls": {"none"}, "from_email": {"anna"}}).expect(http.StatusUnprocessableEntity)
			p.shows("#field-host-error", "Заполните").shows("#field-port-error", "Порт").shows("#field-from_email-error", "anna")
			if path == "/relay/test" {
				p.shows("#relay-test", "Порт")
			} else {
				p.lacks("#relay-test .note")
			}
			if got := p.attr("#field-port", "value"); got != "mail" {
				t.Errorf("the port is %q", got)
			}
		}
	})
	h.run("it is saved, without showing the password again, and given up", func(t *testing.T) {
		p := admin.follow(admin.post("/relay", form)).expect(http.StatusOK).shows(".flash", "сохранён")
		relay, stored, err := h.app.RelayInUse(context.Background())
		if err != nil || !stored || relay.Password != "sesame" || strconv.Itoa(relay.Port) != form.Get("port") {
			t.Fatalf("stored is %+v, %v, %v", relay, stored, err)
		}
		if strings.Contains(p.body, "sesame") || p.attr("#field-host", "value") != relay.Host {
			t.Error("the password stands in the page, or the server does not")
		}
		admin.submit(p, "#relay", url.Values{"from_name": {"Other"}, "password": {""}}).expect(http.StatusSeeOther)
		if relay, _, _ = h.app.RelayInUse(context.Background()); relay.Password != "sesame" || relay.FromName != "Other" {
			t.Errorf("stored is %+v", relay)
		}
		admin.follow(admin.submit(p, "form[action=/relay/delete]", nil)).shows(".flash", "демо-ящике")
		if _, stored, _ = h.app.RelayInUse(context.Background()); stored {
			t.Error("it is still stored")
		}
	})
}
