package web_test

import (
	"context"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

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
		"kind": {"smtp"}, "host": {host}, "port": {port}, "tls": {"none"}, "username": {"anna"}, "password": {"sesame"},
		"from_name": {"Анна"}, "from_email": {"anna@example.org"}, "weight": {"10"}, "enabled": {"on"},
	}
}

// relays are those that are set up, as those who send see them.
func (h *harness) relays() []app.RelaySettings {
	h.t.Helper()
	relays, err := h.app.RelaysInUse(context.Background())
	if err != nil {
		h.t.Fatal(err)
	}
	return relays
}

// addRelay sets up a relay beside the pages.
func (h *harness) addRelay(r app.RelaySettings) string {
	h.t.Helper()
	id, err := h.app.CreateRelay(context.Background(), app.Operator, r)
	if err != nil {
		h.t.Fatal(err)
	}
	return "/relays/" + strconv.FormatInt(id, 10)
}

// someRelay is a relay that need not be there.
func someRelay(name string, weight int) app.RelaySettings {
	return app.RelaySettings{
		Kind: app.RelaySMTP, Name: name, Host: "smtp.example.org", Port: 587, TLS: "none", FromEmail: "news@example.org",
		Weight: weight, Enabled: true,
	}
}

// refusedBy has a site refuse what a node sends directly.
func (h *harness) refusedBy(relay int64, site, node string) {
	h.t.Helper()
	err := h.store.PutSiteTrouble(context.Background(), app.SiteTrouble{
		RelayID: relay, Node: node, Site: site, Name: site, Why: "550 5.7.1 " + site, Since: time.Now(), Until: time.Now().Add(time.Hour),
	})
	if err != nil {
		h.t.Fatal(err)
	}
}

func TestRelayForm(t *testing.T) {
	h := newHarness(t)
	h.checkRelay = tryRelay
	admin := h.signIn(h.account("admin@example.org", mailing.RoleAdmin))
	sink, err := smtpsink.Start(smtpsink.Options{Username: "anna", Password: "sesame"})
	if err != nil {
		t.Fatal(err)
	}
	defer sink.Close()
	form := relayForm(t, sink)

	h.run("a preset fills the server in", func(t *testing.T) {
		for preset, want := range map[string]string{
			"yandex": "smtp.yandex.ru 465 implicit", "mailru": "smtp.mail.ru 465 implicit", "gmail": "smtp.gmail.com 587 starttls-required",
			"microsoft": "smtp.office365.com 587 starttls-required", "unisender": "smtp.go1.unisender.ru 587 starttls-required", "ses": "email-smtp.eu-central-1.amazonaws.com 587 starttls-required",
		} {
			got := fieldsOf(admin.get("/relays/new?preset=" + preset).one("#relay"))
			if is := got.Get("host") + " " + got.Get("port") + " " + got.Get("tls"); is != want || got.Get("name") == "" {
				t.Errorf("%s gives %s", preset, is)
			}
		}
		p := admin.get("/relays/new?preset=microsoft").shows("#relay .note", "10 000")
		if got := p.attr("[data-preset-note=microsoft] a", "rel"); got != "noopener noreferrer" {
			t.Errorf("the link to the help is %q", got)
		}
		if day, at := p.attr("#field-per_day", "value"), p.attr("#field-connections", "value"); day != "10000" || at != "3" {
			t.Errorf("the limits are %q a day and %q at once", day, at)
		}
		checkTranslated(t, p)
	})
	h.run("a test says how far it came and stores nothing", func(t *testing.T) {
		p := admin.post("/relays/test", with(maps.Clone(form), "password", "open")).expect(http.StatusOK)
		p.shows(".stage.tone-success", "Ответ почтового сервера").shows(".stage.tone-danger", "Имя пользователя и пароль").shows(".stage-problem", "127.0.0.1")
		if got := p.text(".stage.tone-neutral span:has-text(Адрес)"); got != "Адрес отправителя Адрес получателя" {
			t.Errorf("the steps that were not taken are %q", got)
		}
		p.shows(".stage.tone-neutral:has-text(Письмо)", "admin@example.org")
		if p.attr("#relay [name=host]", "value") != "127.0.0.1" || strings.Contains(p.body, `"open"`) {
			t.Error("the server is lost, or the password stands in the page")
		}
		checkTranslated(t, p)
		if got := h.relays(); len(got) > 0 {
			t.Errorf("stored is %+v", got)
		}
	})
	h.run("a test that passes says so", func(t *testing.T) {
		p := admin.lang("en").post("/relays/test", form).expect(http.StatusOK)
		p.shows(".note.tone-success", "Ready to send").lacks(".stage.tone-danger, .stage.tone-neutral")
		admin.lang("ru")
	})
	h.run("what is wrong stands beside its field, as it was typed", func(t *testing.T) {
		for _, path := range []string{"/relays/new", "/relays/test"} {
			p := admin.post(path, url.Values{
				"port": {"mail"}, "tls": {"none"}, "password": {"x"}, "from_email": {"anna"}, "helo_name": {"a b"}, "weight": {"0"}, "per_hour": {"many"},
			}).expect(http.StatusUnprocessableEntity)
			p.shows("#field-host-error", "Заполните").shows("#field-port-error", "Порт").shows("#field-from_email-error", "anna")
			p.shows("#field-helo_name-error", "«a b»").shows("#field-weight-error", "от 1 до 100").shows("#field-per_hour-error", "целое число")
			p.shows("#field-password-error", "ещё раз")
			if path == "/relays/test" {
				p.shows("#relay-test", "Порт").lacks("#relay-test:has-text(ещё раз)")
			} else {
				p.lacks("#relay-test .note")
			}
			for field, typed := range map[string]string{"port": "mail", "per_hour": "many", "weight": "0", "per_day": ""} {
				if got := p.attr("#field-"+field, "value"); got != typed {
					t.Errorf("%s is %q", field, got)
				}
			}
		}
	})
	h.run("it is saved, and opened without showing the password again", func(t *testing.T) {
		p := admin.follow(admin.post("/relays/new", with(maps.Clone(form), "name", "Почта", "per_day", "500"))).expect(http.StatusOK).shows(".flash", "«Почта» сохранён")
		relay := h.relays()[0]
		if relay.Password != "sesame" || strconv.Itoa(relay.Port) != form.Get("port") || relay.PerDay != 500 || relay.Connections != 0 {
			t.Fatalf("stored is %+v", relay)
		}
		path := p.attr("#list tbody a", "href")
		p = admin.get(path).expect(http.StatusOK)
		if strings.Contains(p.body, "sesame") || p.attr("#field-host", "value") != relay.Host || p.attr("#field-per_day", "value") != "500" {
			t.Error("the password stands in the page, or what was saved does not")
		}
		admin.submit(p, "#relay", url.Values{"from_name": {"Other"}, "password": {""}, "per_day": {""}}).expect(http.StatusSeeOther)
		if relay = h.relays()[0]; relay.Password != "sesame" || relay.FromName != "Other" || relay.PerDay != 0 {
			t.Errorf("stored is %+v", relay)
		}
		p = admin.post("/relays/test", with(fieldsOf(p.one("#relay")), "password", ""))
		p.expect(http.StatusOK).shows(".note.tone-success", "готово").lacks(".stage.tone-danger")
	})
	h.run("a name that is taken is told beside its field", func(t *testing.T) {
		admin.post("/relays/new", with(maps.Clone(form), "name", "Почта")).expect(http.StatusConflict).shows("#field-name-error", "«Почта»").
			shows("#field-password-error", "ещё раз")
	})
	h.run("without the password it is not saved", func(t *testing.T) {
		admin.post("/relays/new", with(maps.Clone(form), "name", "Другая", "password", "")).expect(http.StatusUnprocessableEntity).
			shows("#field-password-error", "сотрите имя пользователя")
	})
	h.run("the last one cannot be switched off", func(t *testing.T) {
		path := admin.get("/relays").attr("#list tbody a", "href")
		admin.post(path, with(maps.Clone(form), "enabled", "")).expect(http.StatusConflict).shows("#field-enabled-error", "единственный")
	})
	h.run("a new one begins with the sender of the others", func(t *testing.T) {
		if got := admin.get("/relays/new").attr("#field-from_email", "value"); got != "anna@example.org" {
			t.Errorf("it is %q", got)
		}
	})
}

func TestDirectForm(t *testing.T) {
	h := newHarness(t)
	admin := h.signIn(h.account("admin@example.org", mailing.RoleAdmin))
	form := url.Values{
		"kind": {"mx"}, "helo_name": {"mail.example.org"}, "from_email": {"news@example.org"}, "weight": {"5"}, "enabled": {"on"},
	}
	h.run("the page tells what sending directly takes", func(t *testing.T) {
		for _, lang := range []string{"en", "ru"} {
			p := admin.lang(lang).get("/relays/new?kind=mx").expect(http.StatusOK)
			p.shows(".needs", "25").shows(".needs", "PTR").shows(".needs", "SPF").shows(".needs", "DKIM").one(".needs a[href=/domains]")
			p.lacks("#field-host, #field-password")
			checkTranslated(t, p)
		}
	})
	h.run("a test takes its own steps", func(t *testing.T) {
		h.checkRelay = func(_ app.RelaySettings, step func(string, error)) {
			step("helo", nil)
			step("reverse", mailing.Fault(mailing.Invalid, "direct_no_way_back", "address", "192.0.2.7", "name", "mail.example.org"))
		}
		p := admin.post("/relays/test", form).expect(http.StatusOK)
		p.shows(".stage.tone-success", "IP-адрес").shows(".stage-problem", "192.0.2.7").shows(".stage.tone-neutral", "Порт 25")
		checkTranslated(t, p)
	})
	h.run("it needs a name to greet with, and is saved", func(t *testing.T) {
		admin.post("/relays/new", with(maps.Clone(form), "helo_name", "")).expect(http.StatusUnprocessableEntity).shows("#field-helo_name-error", "Заполните")
		p := admin.follow(admin.post("/relays/new", form)).shows(".flash", "mail.example.org")
		p.shows("#list tbody", "Напрямую")
		if got := h.relays(); len(got) != 1 || got[0].Kind != app.RelayMX || got[0].Host != "" {
			t.Errorf("stored is %+v", got)
		}
		admin.get(p.attr("#list tbody a", "href")).shows(".needs", "PTR").lacks("#field-host")
	})
}

func TestRelayList(t *testing.T) {
	h := newHarness(t)
	admin := h.signIn(h.account("admin@example.org", mailing.RoleAdmin))
	user := h.signIn(h.account("user@example.org", mailing.RoleUser))
	h.run("only admins come to it", func(t *testing.T) {
		c := h.signIn(h.account("manager@example.org", mailing.RoleManager))
		for _, path := range []string{"/relays/new", "/relays/test"} {
			c.post(path, url.Values{"kind": {"mx"}}).expect(http.StatusNotFound)
		}
		c.get("/relays/new").expect(http.StatusNotFound)
		c.get("/relays").expect(http.StatusNotFound).lacks(".tab[href=/relays]")
		admin.get("/relays").expect(http.StatusOK).one(".tab[href=/relays]")
	})
	h.run("without any it says where mails go", func(t *testing.T) {
		admin.get("/relays").shows(".note-title", "никуда не уходят").one(".nothing a[href=/relays/new]")
		h.demo = false
		admin.get("/relays").shows(".note-title", "SMTP_URL")
	})
	var one, two string
	h.run("each is shown with its share, its limits and its state", func(t *testing.T) {
		one = h.addRelay(someRelay("Первый", 30))
		admin.get("/relays").shows("#list tbody", "Без ограничений").lacks("#list .cell-number .moment-note")
		limited := someRelay("Второй", 10)
		limited.Connections, limited.Messages, limited.PerSecond, limited.PerHour, limited.PerDay = 2, 21, 1, 500, 2004
		two = h.addRelay(limited)
		off := someRelay("Третий", 100)
		off.Enabled = false
		h.addRelay(off)
		p := admin.get("/relays").shows("#list tbody", "75,0 % писем").shows("#list tbody", "25,0 % писем").shows(".state.tone-neutral", "Выключен")
		p.shows("#list tbody", "До 2 соединений, 21 письмо за соединение, 1 письмо в секунду, 500 писем в час, 2 004 письма в сутки")
		p.shows(".note", "Ссылки в письмах никуда не ведут") // here they lead to this machine
		checkTranslated(t, p)
		checkTranslated(t, admin.lang("en").get("/relays").shows("#list tbody", "Up to 2 connections, 21 mails over a connection, 1 mail a second"))
		admin.lang("ru")
	})
	h.run("one that was stopped is told on all pages of admins, with the reason on its own", func(t *testing.T) {
		if err := h.app.StopRelay(context.Background(), h.relays()[0].ID, "535 5.7.8 no"); err != nil {
			t.Fatal(err)
		}
		for _, path := range []string{"/", "/clients", "/no/such/page"} {
			p := admin.get(path).shows(".alarm", "«Первый»")
			if got := p.attr(".alarm a", "href"); got != one {
				t.Errorf("it leads to %q", got)
			}
			user.get(path).lacks(".alarm")
		}
		checkTranslated(t, admin.lang("en").get("/").shows(".alarm", "Mend it"))
		admin.lang("ru")
		p := admin.get("/relays").shows(".state.tone-danger", "Остановлен").shows("#list tbody", "535 5.7.8 no").lacks("#list .cell-number .moment-note")
		checkTranslated(t, p)
		p = admin.get(one).shows(".note.tone-danger .code", "535 5.7.8 no").lacks(".alarm")
		checkTranslated(t, p)
		admin.follow(admin.submit(p, `form.post`, nil)).shows(".flash", "продолжается").lacks(".alarm")
		if got := h.relays()[0]; got.Trouble != "" {
			t.Errorf("it is %+v", got)
		}
	})
	h.run("that sites refuse one is told on all pages of admins, with the answers on its own", func(t *testing.T) {
		direct := app.RelaySettings{Kind: app.RelayMX, Name: "Прямой", HeloName: "mail.example.org", FromEmail: "news@example.org", Weight: 1, Enabled: true}
		path := h.addRelay(direct)
		relays := h.relays()
		for i, site := range []string{"Mail.ru", "Google", "Яндекс", "GMX", "GMX"} {
			h.refusedBy(relays[len(relays)-1].ID, site, "узел-"+strconv.Itoa(i))
		}
		p := admin.get("/clients").shows(".alarm", "«Прямой»: 4 почтовые службы не хотят принимать нашу почту: GMX, Google, Mail.ru, …")
		if got := p.attr(".alarm a", "href"); got != path {
			t.Errorf("it leads to %q", got)
		}
		user.get("/clients").lacks(".alarm")
		p = admin.get(path).lacks(".alarm").shows(".rows", "узел-3").shows(".relay-answer", "550 5.7.1 GMX")
		checkTranslated(t, p)
		checkTranslated(t, admin.lang("en").get(path))
		checkTranslated(t, admin.get("/").shows(".alarm", "4 mail services do not want"))
		admin.lang("ru").follow(admin.submit(admin.get(path), "#relay", nil)).lacks(".alarm")
		admin.follow(admin.submit(admin.get(path), "#relay-delete form", nil))
	})
	h.run("one is deleted, and the last with a warning", func(t *testing.T) {
		p := admin.get(one).shows("#relay-delete", "остальными путями")
		admin.follow(admin.submit(p, "#relay-delete form", nil)).shows(".flash", "«Первый» удалён")
		admin.get(one).expect(http.StatusNotFound)
		admin.post(one+"/resume", nil).expect(http.StatusNotFound)
		p = admin.get(two).shows("#relay-delete", "демо-ящике")
		admin.follow(admin.submit(p, "#relay-delete form", nil)).shows(".note-title", "SMTP_URL").shows("#list tbody", "Третий")
		if got := h.relays(); len(got) != 0 {
			t.Errorf("in use are %+v", got)
		}
	})
}

// TestWhatWasPlannedGoesOutForReal tells an admin who ends the demo mode what was planned in it.
func TestWhatWasPlannedGoesOutForReal(t *testing.T) {
	h := newHarness(t)
	anna := newRoom(h, "anna@example.org", 1)
	saved(t, anna.post("/mailings/new", anna.filled()).expect(http.StatusSeeOther))
	admin := h.signIn(h.account("admin@example.org", mailing.RoleAdmin))
	form := url.Values{"kind": {"smtp"}, "host": {"smtp.example.org"}, "port": {"587"}, "tls": {"none"}, "from_email": {"news@example.org"}, "weight": {"10"}, "enabled": {"on"}}
	admin.follow(admin.post("/relays/new", form).expect(http.StatusSeeOther)).shows(".flash", "1 запланированная рассылка теперь уйдёт по-настоящему")
	h.demo = false
	form.Set("name", "Второй")
	admin.follow(admin.post("/relays/new", form).expect(http.StatusSeeOther)).lacks(".flash.tone-warning")
}
