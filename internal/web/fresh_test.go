package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"vestnik/internal/app"
	"vestnik/internal/cache"
	"vestnik/internal/mailing"
	"vestnik/internal/store/storetest"
	"vestnik/internal/web"
)

func TestWhoHasChangedSomethingIsShownWhatIsTrue(t *testing.T) {
	begun := time.Now()
	c, err := cache.Open(cache.Options{Now: func() time.Time { return begun }}) // nothing expires
	if err != nil {
		t.Fatal(err)
	}
	h := newHarness(t, func(config *app.Config, _ *web.Options) { config.Cache = c })
	anna := h.account("anna@example.org", mailing.RoleUser)
	one, two := h.signIn(anna), h.signIn(anna)
	marked := func(p *page) bool { return strings.Contains(strings.Join(p.header["Set-Cookie"], "\n"), "fresh=1") }
	clients := ".stat:has-text(клиентов) .stat-value"
	one.get("/").shows(clients, "0")
	storetest.Contact(t, h.store, anna.ID, "new@example.com") // as by another node

	h.run("to look around marks nobody", func(t *testing.T) {
		if p := one.get("/").shows(clients, "0"); marked(p) {
			t.Error("a visit marks")
		}
		if p := h.visitor().post("/profile", url.Values{}); marked(p) {
			t.Error("a stranger is marked")
		}
	})
	h.run("to send a form marks who sends it, for ten seconds, and nobody else", func(t *testing.T) {
		p := one.post("/profile", url.Values{"lang": {"ru"}, "first_name": {"Anna"}, "zone": {"UTC"}}).expect(http.StatusSeeOther)
		if !marked(p) || !strings.Contains(strings.Join(p.header["Set-Cookie"], "\n"), "Max-Age=10;") {
			t.Errorf("cookies: %q", p.header["Set-Cookie"])
		}
		two.get("/").shows(clients, "0")
		one.get("/").shows(clients, "1")
	})
	h.run("what they were shown is what the others are shown from then on", func(t *testing.T) {
		two.get("/").shows(clients, "1")
	})
}
