package web_test

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"vestnik/internal/mailing"
	"vestnik/internal/store"
	"vestnik/internal/web"
)

// inlines says what of a page runs or styles without being a file: what the policy has
// browsers leave out, so that a page with it would not work, and what an attacker needs.
func inlines(n *html.Node) []string {
	var found []string
	if n.Type == html.ElementNode {
		switch n.Data {
		case "style":
			found = append(found, "<style>")
		case "script":
			if attribute(n, "src") == "" {
				found = append(found, "<script> with a text")
			}
		case "base", "object", "embed", "applet":
			found = append(found, "<"+n.Data+">")
		}
		for _, a := range n.Attr {
			value := strings.ToLower(strings.TrimSpace(a.Val))
			switch {
			case a.Key == "style", strings.HasPrefix(a.Key, "on"), strings.HasPrefix(a.Key, "hx-on"):
				found = append(found, "<"+n.Data+" "+a.Key+">")
			case strings.HasPrefix(value, "javascript:"), strings.HasPrefix(value, "vbscript:"), strings.HasPrefix(value, "data:text/html"):
				found = append(found, "<"+n.Data+" "+a.Key+"="+a.Val+">")
			case a.Key == "src" && !strings.HasPrefix(value, "/") && !strings.HasPrefix(value, "data:image/"):
				found = append(found, "<"+n.Data+" src="+a.Val+">")
			}
		}
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		found = append(found, inlines(c)...)
	}
	return found
}

// everyPage asks for every address that the service has by GET, with things of each kind
// where it names one, as an admin, who sees all.
func everyPage(t *testing.T, h *harness, look func(route web.Route, p *page)) {
	t.Helper()
	admin := h.account("admin@example.org", mailing.RoleAdmin)
	has := h.things(admin, "shown")
	if err := h.store.PutDemoMail(context.Background(), store.DemoMail{Recipient: "a@example.org", Subject: "Hi", Data: []byte("Subject: Hi\r\nContent-Type: text/html\r\n\r\n<b style='color:red' onclick='x()'>Hi</b>"), At: time.Now()}, 10); err != nil {
		t.Fatal(err)
	}
	mails, _, err := h.store.DemoMails(context.Background(), store.Page{Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	c, visitor := h.signIn(admin), h.visitor()
	looked := 0
	for _, route := range h.web.Routes() {
		method, path := example(route.Pattern)
		if method != http.MethodGet || strings.HasSuffix(path, "/events") {
			continue
		}
		if named, ok := thingPath(route.Pattern, has); ok {
			path = named
		}
		if strings.HasPrefix(path, "/demo/17") {
			path = strings.Replace(path, "17", strconv.FormatInt(mails[0].ID, 10), 1)
		}
		path = strings.ReplaceAll(path, "{$}", "")
		look(route, c.get(path))
		look(route, visitor.get(path))
		looked++
	}
	if looked < 40 {
		t.Errorf("only %d addresses were looked at", looked)
	}
}

func TestNoPageHasAnythingInline(t *testing.T) {
	h := newHarness(t)
	pages := 0
	everyPage(t, h, func(route web.Route, p *page) {
		policy := p.header.Get("Content-Security-Policy")
		if !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe-eval") {
			t.Errorf("%s is sent with the policy %q", p.path, policy)
		}
		if strings.Contains(policy, "sandbox") { // a mail, in a frame that runs nothing
			if strings.Contains(policy, "allow-scripts") || strings.Contains(policy, "script-src") {
				t.Errorf("%s, a mail, is sent with the policy %q", p.path, policy)
			}
			return
		}
		if strings.Contains(policy, "unsafe-inline") && !strings.HasSuffix(route.Pattern, "/preview") {
			t.Errorf("%s is sent with the policy %q", p.path, policy)
		}
		if strings.HasPrefix(p.header.Get("Content-Type"), "text/html") {
			pages++
			for _, what := range inlines(p.doc) {
				if what == "<iframe srcdoc>" {
					continue
				}
				t.Errorf("%s (%d) has %s", p.path, p.status, what)
			}
		}
	})
	if pages < 60 {
		t.Errorf("only %d pages were looked at", pages)
	}
}

func TestPersonalAnswersAreKeptNowhere(t *testing.T) {
	h := newHarness(t)
	everyPage(t, h, func(route web.Route, p *page) {
		if p.status == http.StatusSeeOther || p.status == http.StatusMovedPermanently {
			if cached := p.header.Get("Cache-Control"); cached != "" && cached != "no-store" && !strings.Contains(cached, "no-cache") {
				t.Errorf("%s redirects with %q", p.path, cached)
			}
			return
		}
		public := map[string]bool{"GET /blog/feed.xml": true}[route.Pattern] // is asked for again and again
		if got := p.header.Get("Cache-Control"); got != "no-store" && !(public && got == "no-cache") {
			t.Errorf("%s (%d) is sent with Cache-Control %q", p.path, p.status, got)
		}
		if p.header.Get("X-Content-Type-Options") != "nosniff" || p.header.Get("X-Frame-Options") == "" || p.header.Get("Referrer-Policy") == "" {
			t.Errorf("%s is sent with %v", p.path, p.header)
		}
	})
}

// TestNoLinkLeadsAway tries what people use to send visitors of one site to another.
func TestNoLinkLeadsAway(t *testing.T) {
	h := newHarness(t)
	for i, next := range []string{
		"https://evil.example/", "//evil.example", "/\\evil.example", "\\\\evil.example", "/\t/evil.example", "http:evil.example",
		"javascript:alert(1)", "///evil.example", "/%2F/evil.example\r\nLocation: https://evil.example", "/%5cevil.example", "@evil.example", "",
	} {
		anna := h.account("anna"+strconv.Itoa(i)+"@example.org", mailing.RoleUser)
		for path, form := range map[string]url.Values{
			"/login?" + url.Values{"next": {next}}.Encode(): {"email": {anna.Email}, "password": {password}},
			"/login":       {"email": {anna.Email}, "password": {password}, "next": {next}},
			"/preferences": {"theme": {"dark"}, "back": {next}},
		} {
			p := h.visitor().post(path, form)
			to, err := url.Parse(p.location())
			if p.status != http.StatusSeeOther || err != nil || to.Host != "" || to.Scheme != "" || strings.HasPrefix(p.location(), "//") ||
				strings.HasPrefix(p.location(), "/\\") || !strings.HasPrefix(p.location(), "/") {
				t.Errorf("%s with %q leads to %q (%d)", path, next, p.location(), p.status)
			}
		}
	}
}

// TestSessionIsNotFixed plants a session in a visitor's browser before they sign in.
func TestSessionIsNotFixed(t *testing.T) {
	h := newHarness(t)
	anna := h.account("anna@example.org", mailing.RoleUser)
	session := func(c *client) string {
		for _, cookie := range c.jar.Cookies(&url.URL{Scheme: "http", Host: c.host, Path: "/"}) {
			if strings.Contains(cookie.Name, "session") {
				return cookie.Value
			}
		}
		return ""
	}
	plant := func(c *client, token string) {
		c.jar.SetCookies(&url.URL{Scheme: "http", Host: c.host, Path: "/"}, []*http.Cookie{{Name: "session", Value: token, Path: "/"}})
	}
	h.run("one that the attacker made up", func(t *testing.T) {
		c := h.visitor()
		plant(c, "attackers-own-token")
		c.post("/login", url.Values{"email": {anna.Email}, "password": {password}}).expect(http.StatusSeeOther)
		if session(c) == "attackers-own-token" || session(c) == "" {
			t.Errorf("the session is %q", session(c))
		}
		thief := h.visitor()
		plant(thief, "attackers-own-token")
		thief.get("/profile").expect(http.StatusSeeOther)
	})
	h.run("one that the service gave the attacker", func(t *testing.T) {
		attacker := h.visitor()
		attacker.post("/login", url.Values{"email": {anna.Email}, "password": {"wrong"}})
		attacker.post("/reset", url.Values{"email": {anna.Email}})
		planted := session(attacker)
		if planted == "" {
			attacker = h.signIn(h.account("eve@example.org", mailing.RoleUser))
			planted = session(attacker)
		}
		c := h.visitor()
		plant(c, planted)
		c.post("/login", url.Values{"email": {anna.Email}, "password": {password}}).expect(http.StatusSeeOther)
		if session(c) == planted {
			t.Error("the session is the planted one")
		}
		if p := attacker.get("/profile"); p.status == http.StatusOK && strings.Contains(p.body, anna.Email) {
			t.Error("the attacker is signed in as the victim")
		}
	})
	h.run("a session that ended opens nothing any more", func(t *testing.T) {
		c := h.signIn(anna)
		old := session(c)
		c.post("/logout", nil)
		thief := h.visitor()
		plant(thief, old)
		thief.get("/profile").expect(http.StatusSeeOther)
	})
}

// TestLineBreaksEndNoHeader puts them wherever somebody may write what ends in a header.
func TestLineBreaksEndNoHeader(t *testing.T) {
	h := newHarness(t)
	admin := h.account("admin@example.org", mailing.RoleAdmin)
	c := h.signIn(admin)
	const evil = "x\r\nBcc: eve@example.org\r\nSet-Cookie: planted=1\r\n\r\n<b>"
	everyLocation := func(p *page) {
		t.Helper()
		for name, values := range p.header {
			for _, value := range values {
				if strings.ContainsAny(name+value, "\r\n") || strings.Contains(name, "planted") || name == "Bcc" {
					t.Errorf("%s answers with %s: %q", p.path, name, value)
				}
			}
		}
		if len(p.header.Values("Set-Cookie")) > 0 && strings.Contains(strings.Join(p.header.Values("Set-Cookie"), ";"), "planted=1") {
			t.Errorf("%s sets the cookie", p.path)
		}
	}
	for _, route := range h.web.Routes() {
		method, path := example(route.Pattern)
		if strings.HasSuffix(path, "/logout") || strings.HasSuffix(path, "/events") {
			continue
		}
		form := url.Values{}
		for _, name := range []string{"email", "first_name", "last_name", "next", "back", "lang", "theme", "subject", "name", "from_name", "reply_to", "q", "sort", "zone", "domain", "selector"} {
			form.Set(name, evil)
		}
		if method == http.MethodGet {
			everyLocation(c.get(path + "?" + form.Encode()))
		} else {
			everyLocation(c.post(path, form))
		}
	}
}
