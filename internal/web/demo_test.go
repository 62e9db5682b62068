package web_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/store"
)

const letter = "From: Vestnik <news@example.com>\r\nTo: anna@example.org\r\n" +
	"Subject: =?utf-8?B?0JrQvtC0INC/0L7QtNGC0LLQtdGA0LbQtNC10L3QuNGPOiAxMjM0NTY=?=\r\n" +
	"List-Unsubscribe: <mailto:out@example.com>, <http://127.0.0.1:8000/unsubscribe/token>\r\n" +
	"MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n" +
	"--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nplain words\r\n" +
	"--b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n" +
	`<p>rich words <a href="http://127.0.0.1:8000/confirm_code/anna@example.org/">Confirm <b>here</b></a>` +
	`<a href="javascript:alert(1)">bad</a><script>alert(1)</script></p>` + "\r\n--b--\r\n"

// keep puts a mail into the demo mailbox.
func (h *harness) keep(recipient, subject, data string) {
	h.t.Helper()
	err := h.store.PutDemoMail(context.Background(), store.DemoMail{
		Sender: "news@example.com", Recipient: recipient, Subject: subject, Data: []byte(data), At: time.Now(),
	}, 1000)
	if err != nil {
		h.t.Fatal(err)
	}
}

func TestDemoMailbox(t *testing.T) {
	h := newHarness(t)
	h.run("an empty mailbox says what will be in it", func(t *testing.T) {
		h.visitor().get("/demo").expect(http.StatusOK).shows(".nothing-text", "коды подтверждения")
	})
	h.keep("anna@example.org", "Код подтверждения: 123456", letter)
	h.keep("boris@example.org", "Plain", "Subject: Plain\r\nTo: boris@example.org\r\n\r\nonly words\r\n")
	mail := h.visitor().get("/demo?q=anna").attr("tbody a", "href")

	h.run("who sits at the machine finds a code before there is an account", func(t *testing.T) {
		h.visitor().get("/demo").expect(http.StatusOK).shows("tbody tr", "Код подтверждения: 123456").shows("tbody", "boris@example.org")
		h.visitor().lang("en").get("/demo?q=anna").shows(".pager", "1–1 of 1")
		h.visitor().get("/demo?q=nobody").expect(http.StatusOK).shows(".nothing-title", "нет")
	})
	h.run("from elsewhere only an admin may read it", func(t *testing.T) {
		user := h.signIn(h.account("user@example.org", mailing.RoleUser))
		admin := h.signIn(h.account("admin@example.org", mailing.RoleAdmin))
		for _, path := range []string{"/demo", mail, mail + "/html", mail + "/source"} {
			h.visitor().fromFar().get(path).expect(http.StatusNotFound)
			user.remote = "203.0.113.9:1"
			p := user.get(path).expect(http.StatusNotFound)
			if path == "/demo" {
				p.shows("main", "только администраторам")
			}
			admin.remote = "203.0.113.9:1"
			admin.get(path).expect(http.StatusOK)
		}
	})
	h.run("once mails leave, what was kept is for an admin only", func(t *testing.T) {
		h.demo = false
		defer func() { h.demo = true }()
		for _, path := range []string{"/demo", mail, mail + "/html", mail + "/source"} {
			h.visitor().get(path).expect(http.StatusNotFound)
		}
		boss := h.signIn(h.account("boss@example.org", mailing.RoleAdmin))
		boss.get(mail).expect(http.StatusOK)
		boss.get("/demo").expect(http.StatusOK).shows("main", "уходят через почтовый сервер").lacks("main:has-text(никому не уходят)")
		user := h.signIn(h.account("seller@example.org", mailing.RoleUser))
		for lang, words := range map[string]string{"ru": "закрыт", "en": "closed"} {
			p := user.lang(lang).get("/demo").expect(http.StatusNotFound).shows("main", words)
			p.one("main #mails a[href=/logs]")
			checkTranslated(t, p)
		}
		user.lang("ru")
		for _, path := range []string{"/demo", mail} {
			user.get(path).expect(http.StatusNotFound).shows("#mails", "по-настоящему").shows("#mails", "только администраторы").shows("#mails", "в логах")
			h.visitor().get(path).expect(http.StatusNotFound).shows("#mails", "в своей почте").one("#mails a[href=/login]")
		}
		boss.get("/demo/4711").expect(http.StatusNotFound).lacks("#mails")
	})
	h.run("whom a proxy on this machine brings is not at it", func(t *testing.T) {
		for _, name := range []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP", "Via"} {
			c := h.visitor()
			c.header.Set(name, "127.0.0.1")
			c.get("/demo").expect(http.StatusNotFound)
		}
	})
	h.run("a visitor from this machine who asks for another name is not at it", func(t *testing.T) {
		c := h.visitor()
		c.host = "rebound.example"
		c.get("/demo").expect(http.StatusNotFound)
	})
	h.run("a mail is shown in a frame that can do nothing but open a link in a tab of its own", func(t *testing.T) {
		const tabsOnly = "allow-popups allow-popups-to-escape-sandbox"
		p := h.visitor().get(mail).expect(http.StatusOK).shows("h1", "Код подтверждения: 123456").shows(".facts", "anna@example.org")
		if frame := p.one("iframe"); !has(frame, "sandbox") || attribute(frame, "sandbox") != tabsOnly {
			t.Errorf("its sandbox is %q", attribute(frame, "sandbox"))
		}
		if strings.Contains(p.body, "alert(1)") {
			t.Error("the mail's script stands in the page")
		}
		html := h.visitor().get(p.attr("iframe", "src")).expect(http.StatusOK)
		policy := html.header.Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", "sandbox", "frame-ancestors 'self'"} {
			if !strings.Contains(policy, want) {
				t.Errorf("the policy %q lacks %q", policy, want)
			}
		}
		if !strings.HasSuffix(policy, "sandbox "+tabsOnly) || strings.Contains(policy, "script-src") {
			t.Errorf("the policy is %q", policy)
		}
		if html.one("base"); html.attr("base", "target") != "_blank" {
			t.Error("links open in the frame, where no page may be")
		}
		html.shows("p", "rich words")
	})
	h.run("links of the mail can be followed beside the frame", func(t *testing.T) {
		p := h.visitor().get(mail)
		if got := p.attr("#list-unsubscribe", "href"); got != baseURL+"/unsubscribe/token" {
			t.Errorf("unsubscribing leads to %q", got)
		}
		if got := p.attr("#links a", "href"); got != baseURL+"/confirm_code/anna@example.org/" {
			t.Errorf("the link leads to %q", got)
		}
		p.shows("#links a", "Confirm here")
	})
	h.run("text and source can be looked at", func(t *testing.T) {
		h.visitor().get(mail+"?view=text").expect(http.StatusOK).shows(".code", "plain words").lacks("iframe")
		h.visitor().get(mail+"?view=source").expect(http.StatusOK).shows(".code", "boundary=b")
		source := h.visitor().get(mail + "/source").expect(http.StatusOK)
		if source.body != letter || !strings.HasPrefix(source.header.Get("Content-Type"), "text/plain") {
			t.Errorf("the source is %s %q", source.header.Get("Content-Type"), source.body)
		}
	})
	h.run("a mail without HTML shows its text", func(t *testing.T) {
		path := h.visitor().get("/demo?q=boris").attr("tbody a", "href")
		h.visitor().get(path).expect(http.StatusOK).shows(".code", "only words").lacks("iframe")
	})
	h.run("every page says that no mail leaves, to those who may look", func(t *testing.T) {
		h.visitor().get("/login").one("a.demo-chip[href=/demo]")
		h.visitor().fromFar().get("/login").lacks("a.demo-chip")
		h.demo = false
		h.visitor().get("/login").lacks("a.demo-chip")
	})
}

// TestTheMailOfARun goes from a run to a mail of it.
func TestTheMailOfARun(t *testing.T) {
	h := newHarness(t)
	h.keep("vera@example.org", "Старое", letter)
	h.keep("vera@example.org", "Новое", letter)
	h.keep("anna@example.org", "Чужое", letter)
	anna := h.signIn(h.account("anna@example.org", mailing.RoleUser))
	want := anna.get("/demo?q=Новое").attr("tbody a", "href")
	if got := anna.get("/demo?q=vera@example.org&newest=yes").expect(http.StatusSeeOther).location(); got != want {
		t.Errorf("it leads to %s, want %s", got, want)
	}
	anna.get("/demo?q=nobody@example.org&newest=yes").expect(http.StatusOK)
}
