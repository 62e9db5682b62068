package web_test

import (
	"context"
	"net/http"
	"net/netip"
	"net/url"
	"testing"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
	"vestnik/internal/web"
)

// spend uses up the visitor's budget.
func (c *client) spend() {
	c.h.t.Helper()
	for range app.ClientBudget + 1 {
		if c.tries() == http.StatusTooManyRequests {
			return
		}
	}
	c.h.t.Fatal("there is no end of it")
}

// tries asks for something that the budget is for and returns the status.
func (c *client) tries() int {
	c.h.t.Helper()
	return c.post("/reset", url.Values{"email": {"nobody@example.org"}}).status
}

// stranger comes from remote, which says that it asks for those hops.
func (h *harness) stranger(remote string, hops ...string) *client {
	c := h.visitor()
	c.remote, c.header["X-Forwarded-For"] = remote, hops
	return c
}

func TestBudgetsBehindProxies(t *testing.T) {
	const proxy, inner = "10.0.0.5:4000", "10.0.0.9"
	h := newHarness(t, func(_ *app.Config, o *web.Options) {
		o.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	})
	spent := func(c *client) {
		h.t.Helper()
		if got := c.tries(); got != http.StatusTooManyRequests {
			h.t.Errorf("%s for %s gets %d, though the budget is gone", c.remote, c.header["X-Forwarded-For"], got)
		}
	}
	fresh := func(c *client) {
		h.t.Helper()
		if got := c.tries(); got == http.StatusTooManyRequests {
			h.t.Errorf("%s for %s has no budget of its own", c.remote, c.header["X-Forwarded-For"])
		}
	}
	h.stranger(proxy, "203.0.113.1").spend()
	h.run("visitors of a trusted proxy have a budget each", func(t *testing.T) {
		spent(h.stranger(proxy, "203.0.113.1"))
		fresh(h.stranger(proxy, "203.0.113.2"))
	})
	h.run("what a visitor says of themselves changes nothing", func(t *testing.T) {
		spent(h.stranger(proxy, "198.51.100.1, 203.0.113.1"))
		spent(h.stranger(proxy, "198.51.100.2", "203.0.113.1, "+inner))
		spent(h.stranger("203.0.113.1:9", "198.51.100.3"))
	})
	h.run("what is no address ends the way back", func(t *testing.T) {
		spent(h.stranger(proxy, "unknown, 203.0.113.1"))
		fresh(h.stranger(proxy, "203.0.113.1, unknown"))
	})
	h.stranger("[2001:db8:1:2::1]:9").spend()
	h.run("a network of IPv6 has one budget", func(t *testing.T) {
		spent(h.stranger("[2001:db8:1:2:ffff::7]:9"))
		spent(h.stranger(proxy, "2001:db8:1:2::3"))
		fresh(h.stranger("[2001:db8:1:3::1]:9"))
	})
}

func TestUnstorableText(t *testing.T) {
	h := newHarness(t)
	c := h.signIn(h.account("anna@example.org", mailing.RoleManager))
	h.run("no search breaks on bytes that are no text", func(t *testing.T) {
		for _, path := range []string{"/clients", "/messages", "/mailings", "/logs", "/users", "/demo"} {
			if p := c.get(path + "?q=a%00b%FF&status=%00%FF&sort=%00&scope=%FF"); p.status >= http.StatusInternalServerError {
				t.Errorf("%s answers %d", path, p.status)
			}
		}
	})
	h.run("a form is stored without them", func(t *testing.T) {
		form := url.Values{"email": {"ivan@example.com"}, "first_name": {"И\x00ван"}, "comment": {"a\xffb"}}
		c.post("/clients/new", form).expect(http.StatusSeeOther)
		found, _, err := h.app.Contacts(context.Background(), c.account, app.ContactFilter{}, app.Page{Limit: 1})
		if err != nil || len(found) != 1 || found[0].FirstName != "Иван" || found[0].Comment != "a\uFFFDb" {
			t.Errorf("it is %+v, %v", found, err)
		}
	})
	h.run("a status that is none narrows nothing", func(t *testing.T) {
		c.get("/clients?status=odd").shows(".rows tbody", "ivan@example.com")
		c.get("/clients?status=manual").lacks(".rows")
	})
}
