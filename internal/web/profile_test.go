package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"vestnik/internal/mailing"
)

func TestProfile(t *testing.T) {
	h := newHarness(t)
	c := h.signIn(h.account("anna@example.org", mailing.RoleUser))
	h.run("a person changes their profile, but for the e-mail", func(t *testing.T) {
		changes := url.Values{
			"first_name": {"Ann"}, "phone": {"+7 912 345-67-89"}, "lang": {"en"}, "zone": {"Asia/Tokyo"}, "email": {"other@example.org"},
		}
		p := c.follow(c.submit(c.get("/profile").expect(http.StatusOK), "form[action=/profile]", changes))
		p.shows(".flash", "The profile is saved.").shows(".menu-head", "Ann Петрова anna@example.org")
		for name, want := range map[string]string{"phone": "+7 912 345-67-89", "email": "anna@example.org"} {
			if got := p.attr("form[action=/profile] [name="+name+"]", "value"); got != want {
				t.Errorf("%s is %q, want %q", name, got, want)
			}
		}
		if got := p.attr("#field-zone option[selected]", "value"); got != "Asia/Tokyo" {
			t.Errorf("the zone is %q", got)
		}
		if !has(p.one("#field-email"), "readonly") {
			t.Error("the e-mail looks as if it could be changed")
		}
	})
	h.run("what is wrong stands beside its field and what was typed is kept", func(t *testing.T) {
		p := c.submit(c.get("/profile"), "form[action=/profile]", url.Values{"zone": {"Europe/Atlantis"}, "phone": {"call me"}, "first_name": {""}})
		p.expect(http.StatusUnprocessableEntity).shows("#field-zone-error", "Europe/Atlantis").shows("main .note", "3")
		p.shows("#field-phone-error", "phone").shows("#field-first_name-error", "Fill in")
		if got := p.attr("#field-zone option[selected]", "value"); got != "Europe/Atlantis" {
			t.Errorf("the zone is %q", got)
		}
		c.get("/profile").shows(".menu-head", "Ann Петрова")
	})
	h.run("zones are offered by city in the person's language", func(t *testing.T) {
		c.lang("ru")
		p := c.get("/profile").shows(`#field-zone option[value="Europe/Moscow"]`, "Москва (UTC+03:00)")
		p.one(`#field-zone option[value="America/Port-au-Prince"]`)
		c.lang("en").get("/profile").shows(`#field-zone option[value="Europe/Moscow"]`, "Moscow (UTC+03:00)")
	})
}

func TestPreferences(t *testing.T) {
	h := newHarness(t)
	h.run("a visitor's choice of language is kept", func(t *testing.T) {
		c := h.visitor()
		p := c.post("/preferences", url.Values{"lang": {"en"}, "back": {"/login?next=%2Fclients"}})
		if p.location() != "/login?next=%2Fclients" {
			t.Errorf("it leads to %q", p.location())
		}
		c.follow(p).shows("h1", "Sign in")
	})
	h.run("a person's choice of language goes with them to another browser", func(t *testing.T) {
		anna := h.account("anna@example.org", mailing.RoleUser)
		h.signIn(anna).post("/preferences", url.Values{"lang": {"en"}, "back": {"/"}}).expect(http.StatusSeeOther)
		h.signIn(anna).get("/").shows("h1", "Home")
	})
	h.run("the theme is kept where scripts can read it", func(t *testing.T) {
		c := h.visitor()
		p := c.post("/preferences", url.Values{"theme": {"dark"}, "back": {"/"}})
		if cookie := p.header.Get("Set-Cookie"); !strings.HasPrefix(cookie, "theme=dark;") || strings.Contains(cookie, "HttpOnly") {
			t.Errorf("the cookie is %q", cookie)
		}
		if got := c.follow(p).attr("html", "data-bs-theme"); got != "dark" {
			t.Errorf("the theme is %q", got)
		}
	})
	h.run("what nobody offered changes nothing, and nobody is sent to another site", func(t *testing.T) {
		c := h.visitor()
		p := c.post("/preferences", url.Values{"lang": {"tlh"}, "theme": {"<script>"}, "back": {"https://evil.example"}})
		if p.location() != "/" {
			t.Errorf("it leads to %q", p.location())
		}
		if got := c.follow(p).attr("html", "data-bs-theme"); got != "auto" || c.get("/login").attr("html", "lang") != "ru" {
			t.Errorf("the theme is %q", got)
		}
	})
}
