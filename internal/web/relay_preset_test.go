package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"vestnik/internal/mailing"
)

// pressed are the presets that are shown as chosen.
func (p *page) pressed() string {
	p.h.t.Helper()
	var keys []string
	for _, chip := range p.find(`[name=preset][aria-pressed=true]`) {
		keys = append(keys, attribute(chip, "value"))
	}
	return strings.Join(keys, " ")
}

func TestAPresetKeepsWhatWasTyped(t *testing.T) {
	h := newHarness(t)
	admin := h.signIn(h.account("admin@example.org", mailing.RoleAdmin))
	fresh := admin.get("/relays/new").expect(http.StatusOK)
	if got := fresh.pressed(); got != "" {
		t.Errorf("before a choice %q is chosen", got)
	}
	// choose presses the button of a preset as a browser without scripts does.
	choose := func(on *page, key string, typed url.Values) *page {
		h.t.Helper()
		form := fieldsOf(on.one("#relay"))
		for name, values := range typed {
			form[name] = values
		}
		form.Set("preset", key)
		return admin.post("/relays/preset", form).expect(http.StatusOK)
	}
	values := func(p *page) string {
		f := fieldsOf(p.one("#relay"))
		return strings.Join([]string{f.Get("host"), f.Get("port"), f.Get("tls"), f.Get("username"), f.Get("name"), f.Get("per_day"), f.Get("per_hour")}, "|")
	}
	p := choose(fresh, "yandex", url.Values{"username": {"anna"}, "password": {"s3same"}, "per_hour": {"70"}})
	h.run("all but the password, which no page shows", func(t *testing.T) {
		if got := values(p); got != "smtp.yandex.ru|465|implicit|anna|Яндекс|500|70" || p.pressed() != "yandex" {
			t.Errorf("it is %s, and chosen is %q", got, p.pressed())
		}
		if strings.Contains(p.body, "s3same") {
			t.Error("the password stands in the page")
		}
		p.shows("#field-password-error", "ещё раз")
		if hidden := len(p.find("[data-preset-note][hidden]")); hidden != 5 {
			t.Errorf("%d notes on other presets are hidden", hidden)
		}
	})
	h.run("what the preset before has filled in goes with it, what a person has typed does not", func(t *testing.T) {
		p = choose(p, "mailru", nil)
		if got := values(p); got != "smtp.mail.ru|465|implicit|anna|Mail.ru||70" {
			t.Errorf("it is %s", got)
		}
		p = choose(p, "gmail", url.Values{"name": {"Наша почта"}, "per_day": {"40"}})
		if got := values(p); got != "smtp.gmail.com|587|starttls-required|anna|Наша почта|40|70" {
			t.Errorf("it is %s", got)
		}
	})
	h.run("one's own server looks chosen, and its name is awaited", func(t *testing.T) {
		p = choose(p, "own", nil)
		if got := values(p); got != "|587|starttls-required|anna|Наша почта|40|70" || p.pressed() != "own" {
			t.Errorf("it is %s, and chosen is %q", got, p.pressed())
		}
		p.one("#field-host[autofocus]")
		p = choose(p, "own", url.Values{"host": {"mail.example.org"}, "port": {"2525"}})
		if got := values(p); !strings.HasPrefix(got, "mail.example.org|2525|") || p.pressed() != "own" {
			t.Errorf("it is %s, and chosen is %q", got, p.pressed())
		}
	})
	h.run("Enter saves, and chooses nothing", func(t *testing.T) {
		if first := p.find(`#relay [type=submit]`)[0]; attribute(first, "formaction") != "" || attribute(first, "name") != "" {
			t.Error("the first button, which Enter presses, does not save")
		}
	})
	h.run("of a relay that is there only the way to it changes", func(t *testing.T) {
		p := choose(admin.get(h.addRelay(someRelay("Наш сервер", 10))), "gmail", nil)
		if got := values(p); !strings.HasPrefix(got, "smtp.gmail.com|587|starttls-required|") || !strings.Contains(got, "|Наш сервер||") {
			t.Errorf("it is %s", got)
		}
	})
}
