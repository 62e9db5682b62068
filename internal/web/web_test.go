package web_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"vestnik/internal/mailing"
	"vestnik/internal/web"
	"vestnik/internal/web/assets"
)

// example is an address of a route.
func example(pattern string) (method, path string) {
	method, path, _ = strings.Cut(pattern, " ")
	path = strings.ReplaceAll(path, "{$}", "")
	return method, regexp.MustCompile(`\{[a-z]+\}`).ReplaceAllString(path, "17")
}

func TestRoutes(t *testing.T) {
	h := newHarness(t)
	visitor, user := h.visitor().fromFar(), h.signIn(h.account("anna@example.org", mailing.RoleUser))
	for _, route := range h.web.Routes() {
		method, path := example(route.Pattern)
		h.run(route.Pattern+" lets in whom it should", func(t *testing.T) {
			if route.Access != web.Everybody && route.Access != web.SignedIn {
				t.Fatal("it does not say whom")
			}
			p := visitor.do(method, path, strings.NewReader(""), "application/x-www-form-urlencoded")
			isSent := p.status == http.StatusSeeOther && strings.HasPrefix(p.location(), "/login?next=")
			if isSent != (route.Access == web.SignedIn) {
				t.Errorf("a visitor gets %d %s", p.status, p.location())
			}
		})
		h.run(route.Pattern+" never breaks", func(t *testing.T) {
			if strings.HasSuffix(path, "/logout") || strings.HasSuffix(path, "/events") {
				return // would end the session, or never end
			}
			p := user.do(method, path, strings.NewReader(""), "application/x-www-form-urlencoded")
			if p.status >= http.StatusInternalServerError {
				t.Errorf("a user gets %d %s", p.status, p.text(".nothing-title"))
			}
			checkTranslated(t, p)
		})
	}
}

// keyShape is how a text shows that is missing.
var keyShape = regexp.MustCompile(`^[a-z_]+(\.[a-z0-9_]+)+$`)

// checkTranslated fails if a page shows a key in place of a text.
func checkTranslated(t *testing.T, p *page) {
	t.Helper()
	for _, n := range p.find("h1, h2, p, a, button, label, span, option, dt, th") {
		if text := textOf(n); keyShape.MatchString(text) {
			t.Errorf("%s shows %q", p.path, text)
		}
	}
}

func TestFrame(t *testing.T) {
	h := newHarness(t)
	h.run("an address that nothing has is answered by a page", func(t *testing.T) {
		h.visitor().get("/no/such/page").expect(http.StatusNotFound).shows(".nothing-title", "нет")
		h.visitor().lang("en").get("/clients/../no").expect(http.StatusTemporaryRedirect)
		h.visitor().lang("en").post("/", nil).expect(http.StatusNotFound).one("a.btn[href=/]")
	})
	h.run("every answer keeps browsers from loading anything foreign", func(t *testing.T) {
		for _, path := range []string{"/", "/login", "/no/such/page", assets.URL("app.css")} {
			policy := h.visitor().get(path).header.Get("Content-Security-Policy")
			if !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") {
				t.Errorf("%s is sent with %q", path, policy)
			}
		}
	})
	h.run("pages are not kept by browsers, files are", func(t *testing.T) {
		if got := h.visitor().get("/login").header.Get("Cache-Control"); got != "no-store" {
			t.Errorf("a page is sent with %q", got)
		}
		if got := h.visitor().get(assets.URL("app.css")).header.Get("Cache-Control"); got != assets.CacheControl {
			t.Errorf("a file is sent with %q", got)
		}
	})
	h.run("who only looks gets no cookie", func(t *testing.T) {
		if got := h.visitor().get("/login").header.Get("Set-Cookie"); got != "" {
			t.Errorf("it is %q", got)
		}
	})
	h.run("a form from another site is refused", func(t *testing.T) {
		c := h.signIn(h.account("anna@example.org", mailing.RoleUser))
		c.header.Set("Sec-Fetch-Site", "cross-site")
		c.post("/logout", nil).expect(http.StatusForbidden)
		c.header.Del("Sec-Fetch-Site")
		c.header.Set("Origin", "https://evil.example")
		c.post("/logout", nil).expect(http.StatusForbidden)
		c.header.Del("Origin")
		c.get("/profile").expect(http.StatusOK)
	})
	h.run("a form that is too large is refused in words", func(t *testing.T) {
		form := url.Values{"email": {strings.Repeat("a", 1<<17)}}
		h.visitor().post("/login", form).expect(http.StatusRequestEntityTooLarge).shows(".nothing-title", "64 КБ")
	})
}

func TestRequestLog(t *testing.T) {
	h := newHarness(t)
	h.run("the secrets in links do not get into the log", func(t *testing.T) {
		c := h.visitor()
		for _, path := range []string{"/reset/sesame-1", "/unsubscribe/sesame-2", "/demo?q=sesame-3"} {
			c.get(path)
		}
		if log := h.log.String(); strings.Contains(log, "sesame") || !strings.Contains(log, `route="GET /reset/{token}"`) {
			t.Errorf("the log is\n%s", log)
		}
	})
}

func TestDatabaseGone(t *testing.T) {
	h := newHarness(t)
	c := h.signIn(h.account("anna@example.org", mailing.RoleUser))
	h.visitor().get("/healthz").expect(http.StatusOK)
	if err := h.store.Close(); err != nil {
		t.Fatal(err)
	}
	h.run("files are served without the database", func(t *testing.T) {
		c.get(assets.URL("app.css")).expect(http.StatusOK)
	})
	h.run("watchdogs are told", func(t *testing.T) {
		h.visitor().get("/healthz").expect(http.StatusServiceUnavailable)
	})
	h.run("a person gets an apology with the number that the log has", func(t *testing.T) {
		p := c.get("/profile").expect(http.StatusInternalServerError)
		id := regexp.MustCompile(`\(([A-Z2-7]{12})\)`).FindStringSubmatch(p.body)
		if id == nil || !strings.Contains(h.log.String(), "request="+id[1]) || strings.Contains(p.body, "sql") {
			t.Errorf("the answer is %q", p.body)
		}
	})
	h.run("a visitor gets a page that says nothing of the cause", func(t *testing.T) {
		p := h.visitor().post("/reset", url.Values{"email": {"a@example.org"}}).expect(http.StatusInternalServerError)
		p.shows(".nothing-title", "сломалось").shows(".nothing-text", "Номер запроса")
	})
}
