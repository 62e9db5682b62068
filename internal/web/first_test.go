package web_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
	"vestnik/internal/smtpsink"
	"vestnik/internal/web"
)

// firstFormOf opens the page of the first account in a language.
func (h *harness) firstFormOf(c *client) *page {
	h.t.Helper()
	h.installed()
	link, err := h.app.FirstLink(context.Background())
	if err != nil || link == "" {
		h.t.Fatalf("the link is %q, %v", link, err)
	}
	return c.get(strings.TrimPrefix(link, baseURL)).expect(http.StatusOK)
}

func TestFirstPage(t *testing.T) {
	form := registration("boss@example.org")
	form.Set("zone", "Asia/Omsk")
	t.Run("it speaks as the browser does, and leads to the examples", func(t *testing.T) {
		h := newHarness(t)
		c := h.visitor().lang("en")
		p := h.firstFormOf(c).shows("h1", "Welcome")
		if got := p.attr("#field-zone", "data-zone"); got != "Europe/Moscow" {
			t.Errorf("the zone that is guessed is %q", got)
		}
		if p.attr("#field-lang option[selected]", "value") != "en" {
			t.Error("the language is not the browser's")
		}
		p.one("#field-examples[checked]")
		if !strings.Contains(p.body, "/zone") {
			t.Error("the script that finds the browser's zone is not loaded")
		}
		demo := c.follow(c.submit(p, "form[action^=/first]", form)).expect(http.StatusOK)
		demo.shows(".flash", "on its way").one("#mails[hx-trigger]")
		checkTranslated(t, demo)
		c.follow(c.submit(demo, "form[action=/examples/remove]", nil)).shows(".flash", "are gone")
		c.get("/clients").lacks("tbody")
		c.follow(c.submit(c.get("/demo").lacks("form[action=/examples/remove]"), "form[action=/examples]", nil)).shows(".flash", "on its way")
		c.post("/examples", nil).expect(http.StatusConflict)
	})
	t.Run("what was typed stays when something is wrong, and no zone takes its place", func(t *testing.T) {
		h := newHarness(t)
		c := h.visitor()
		p := c.submit(h.firstFormOf(c), "form[action^=/first]", url.Values{"zone": {"Asia/Omsk"}, "examples": nil, "email": {"x"}})
		p.expect(http.StatusUnprocessableEntity).lacks("#field-zone[data-zone], #field-examples[checked]")
		if got := p.attr("#field-zone option[selected]", "value"); got != "Asia/Omsk" {
			t.Errorf("the zone is %q", got)
		}
	})
	t.Run("where mails leave there are no examples", func(t *testing.T) {
		h := newHarness(t)
		h.demo = false
		c := h.visitor()
		p := h.firstFormOf(c).lacks("#field-examples")
		form.Set("examples", "on")
		home := c.follow(c.submit(p, "form[action^=/first]", form)).expect(http.StatusOK)
		if home.path != "/" {
			t.Errorf("it leads to %q", home.path)
		}
		c.get("/clients").lacks("tbody")
		c.post("/examples", nil).expect(http.StatusConflict)
	})
}

func TestConfirmingLetsIn(t *testing.T) {
	h := newHarness(t)
	t.Run("the browser that registered is in at once, by the zone that it told", func(t *testing.T) {
		c := h.visitor()
		form := registration("ivan@example.org")
		form.Set("zone", "Asia/Omsk")
		c.post("/register", form)
		code := url.Values{"code": {h.vars("ivan@example.org")["code"].(string)}}
		home := c.follow(c.post("/confirm_code/ivan@example.org/", code).expect(http.StatusSeeOther)).expect(http.StatusOK)
		home.shows(".flash", "вы вошли").one("form[action=/logout]")
		if got := c.get("/profile").attr("#field-zone option[selected]", "value"); got != "Asia/Omsk" {
			t.Errorf("the zone is %q", got)
		}
	})
	t.Run("another one is asked to sign in", func(t *testing.T) {
		h.visitor().post("/register", registration("eva@example.org"))
		phone := h.visitor()
		code := url.Values{"code": {h.vars("eva@example.org")["code"].(string)}}
		login := phone.follow(phone.post("/confirm_code/eva@example.org/", code).expect(http.StatusSeeOther))
		login.shows(".flash", "войдите").lacks("form[action=/logout]")
	})
}

func TestTheRelayTestIsShownAsItGoesOn(t *testing.T) {
	h := newHarness(t)
	h.checkRelay = tryRelay
	admin := h.signIn(h.account("admin@example.org", mailing.RoleAdmin))
	sink, err := smtpsink.Start(smtpsink.Options{Username: "anna", Password: "sesame"})
	if err != nil {
		t.Fatal(err)
	}
	defer sink.Close()
	form := relayForm(t, sink)
	live := func(t *testing.T, form url.Values) []string {
		t.Helper()
		admin.header = http.Header{"Accept": {"text/html, text/event-stream"}}
		defer func() { admin.header = nil }()
		p := admin.post("/relays/test", form)
		if p.header.Get("Content-Type") != "text/event-stream" {
			t.Fatalf("the answer is %d %s", p.status, p.header.Get("Content-Type"))
		}
		return strings.Split(strings.TrimSpace(p.body), "\n\n")
	}
	t.Run("an event for the beginning, for each step and for the end", func(t *testing.T) {
		events := live(t, form)
		most := 0
		for i, event := range events {
			done, busy := strings.Count(event, "stage tone-success"), strings.Count(event, "stage tone-busy")
			if done < most || i == 0 && (done != 0 || busy != 1) || i == len(events)-1 && busy != 0 {
				t.Errorf("event %d has %d steps done and %d under way", i, done, busy)
			}
			most = done
		}
		if most != 6 || len(events) < 7 {
			t.Errorf("%d steps are told in %d events", most, len(events))
		}
		if last := events[len(events)-1]; !strings.Contains(last, "admin@example.org") || !strings.Contains(last, "note tone-success") {
			t.Errorf("it ends with %s", last)
		}
	})
	t.Run("a wrong password ends it, with what to do", func(t *testing.T) {
		events := live(t, with(url.Values{"x": nil}, "password", "open", "kind", "smtp", "host", form.Get("host"), "port", form.Get("port"),
			"tls", "none", "username", "anna", "from_email", "anna@example.org", "weight", "10"))
		last := events[len(events)-1]
		if last == ": the same" { // what ends the test is not told twice
			last = events[len(events)-2]
		}
		if !strings.Contains(last, "stage tone-danger") || !strings.Contains(last, "stage-advice") || strings.Contains(last, "tone-busy") {
			t.Errorf("it ends with %s", last)
		}
	})
	t.Run("what cannot be tested is answered by the page", func(t *testing.T) {
		admin.header = http.Header{"Accept": {"text/html, text/event-stream"}}
		defer func() { admin.header = nil }()
		admin.post("/relays/test", with(url.Values{}, "kind", "smtp")).expect(http.StatusUnprocessableEntity).shows("#relay-test", "Заполните")
	})
}

func TestDomainCheckPage(t *testing.T) {
	h := newHarness(t)
	admin := h.signIn(h.account("admin@example.org", mailing.RoleAdmin))
	relay := someRelay("Почта", 10)
	relay.FromEmail = "news@my-shop.example"
	h.addRelay(relay)
	h.findings = []mailing.Finding{
		{Topic: mailing.TopicSPF, Condition: mailing.Bad, Code: "spf_missing", Params: map[string]string{"domain": "my-shop.example"}, Name: "my-shop.example", Record: "v=spf1 ip4:203.0.113.7 ~all"},
		{Topic: mailing.TopicDMARC, Condition: mailing.Attention, Code: "dmarc_missing", Params: map[string]string{"domain": "my-shop.example"}, Name: "_dmarc.my-shop.example", Record: "v=DMARC1; p=none"},
		{Topic: mailing.TopicMX, Condition: mailing.Good, Code: "mx_there", Params: map[string]string{"domain": "my-shop.example", "host": "<b>mx</b>"}},
	}
	h.run("the sender's domain stands there before it was checked", func(t *testing.T) {
		admin.get("/domains").expect(http.StatusOK).shows("main", "ещё не проверялся").lacks(".finding")
		admin.get("/").one("#set-up .tone-neutral a[href=/domains]")
	})
	h.run("the check says what is missing, with the record to copy", func(t *testing.T) {
		p := admin.follow(admin.submit(admin.get("/domains"), "form.post[action=/domains/check]", nil)).expect(http.StatusOK)
		p.shows(".finding.tone-danger", "Записи SPF нет").shows(".finding.tone-danger .take-text", "my-shop.example").
			shows(".finding.tone-warning", "DMARC").shows(".finding.tone-success", "<b>mx</b>").lacks(".finding b")
		p.one("time[data-relative]")
		checkTranslated(t, p)
		admin.get("/").one("#set-up .tone-neutral a[href=/domains]")
	})
	h.run("once nothing is wrong the step is done", func(t *testing.T) {
		h.findings = h.findings[1:]
		admin.post("/domains/check", url.Values{"domain": {"my-shop.example"}}).expect(http.StatusSeeOther)
		admin.get("/").lacks("#set-up a[href=/domains]")
	})
	h.run("another domain is checked by its name", func(t *testing.T) {
		p := admin.follow(admin.post("/domains/check", url.Values{"other": {"почта.рф"}}))
		p.shows("main", "почта.рф")
		admin.lang("en").post("/domains/check", url.Values{"other": {"no domain"}}).expect(http.StatusUnprocessableEntity).one("#field-other-error")
	})
}

func TestAFullDemoMailboxSaysSo(t *testing.T) {
	h := newHarness(t, func(c *app.Config, _ *web.Options) { c.DemoKeep = 2 })
	h.keep("a@example.org", "One", letter)
	h.visitor().get("/demo").lacks(".note")
	h.keep("a@example.org", "Two", letter)
	h.visitor().get("/demo").shows(".note", "полон")
	h.visitor().lang("en").get("/demo").shows(".note", "is full")
	h.visitor().get("/demo?q=One").lacks(".note")
}
