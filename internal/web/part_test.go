package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"vestnik/internal/mailing"
)

// partly has the requests be those of a script on the page at path.
func (c *client) partly(path string) *client {
	c.header.Set("HX-Request", "true")
	c.header.Set("HX-Current-URL", "http://127.0.0.1:8000"+path)
	return c
}

func TestPartsOfPages(t *testing.T) {
	h := newHarness(t)
	admin := h.account("admin@example.org", mailing.RoleAdmin)
	h.run("who has to prove who they are sends the form as a whole", func(t *testing.T) {
		c := h.signIn(admin).partly("/relays/new")
		h.stale(admin)
		p := c.post("/relays/test", url.Values{"kind": {"smtp"}}).expect(http.StatusNoContent)
		if got := p.header.Get("HX-Trigger"); got != "send-whole" {
			t.Errorf("the script is told %q", got)
		}
	})
	h.run("who has to prove who they are is led there", func(t *testing.T) {
		c := h.signIn(admin).partly("/profile?a=b")
		h.stale(admin)
		p := c.get("/profile/security/totp").expect(http.StatusNoContent)
		if got := p.header.Get("HX-Redirect"); got != "/profile/confirm?next=%2Fprofile%3Fa%3Db" {
			t.Errorf("the script is led to %q", got)
		}
	})
	h.run("who is signed out by now signs in and comes back to the page", func(t *testing.T) {
		for method, path := range map[string]string{http.MethodGet: "/clients?q=a", http.MethodPost: "/relays/test"} {
			p := h.visitor().partly("/clients?page=2").do(method, path, nil, "").expect(http.StatusNoContent)
			if got := p.header.Get("HX-Redirect"); got != "/login?next=%2Fclients%3Fpage%3D2" {
				t.Errorf("%s leads to %q", method, got)
			}
		}
		p := h.visitor().partly("//evil.example.org/x").get("/clients")
		if got := p.header.Get("HX-Redirect"); strings.Contains(got, "evil") {
			t.Errorf("it leads to %q", got)
		}
	})
	h.run("what went wrong is said on the page, which stays", func(t *testing.T) {
		p := h.signIn(admin).partly("/clients").get("/mailings/1").expect(http.StatusNotFound)
		p.shows(`[hx-swap-oob] .flash`, h.texts.For("ru").Error(mailing.Fault(mailing.NotFound, "not_found")))
		if got := p.header.Get("HX-Reswap"); got != "none" || strings.Contains(p.body, "<main") {
			t.Errorf("swapped is %q: %s", got, p.body)
		}
	})
}
