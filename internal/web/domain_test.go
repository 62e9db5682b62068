package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"vestnik/internal/mailing"
)

func TestSendingDomains(t *testing.T) {
	h := newHarness(t)
	admin := h.signIn(h.account("admin@example.org", mailing.RoleAdmin))
	form := url.Values{"domain": {"Почта.рф"}, "selector": {"one"}, "algorithm": {"both"}}
	key := url.Values{"domain": {"xn--80a1acny.xn--p1ai"}, "selector": {"one"}}

	h.run("only admins come to it", func(t *testing.T) {
		c := h.signIn(h.account("manager@example.org", mailing.RoleManager))
		c.post("/domains", form).expect(http.StatusNotFound)
		c.post("/domains/use", key).expect(http.StatusNotFound)
		c.post("/domains/delete", key).expect(http.StatusNotFound)
		c.get("/domains").expect(http.StatusNotFound).lacks(".tab[href=/domains]")
	})
	h.run("without keys it says what they are for", func(t *testing.T) {
		p := admin.get("/domains").expect(http.StatusOK)
		p.shows(".nothing-title", "не подписываются").one(".tab[href=/domains]")
		if got := p.attr("#field-domain", "value"); got != "" {
			t.Errorf("the domain is %q", got)
		}
	})
	h.run("what is wrong stands beside its field, with what was typed", func(t *testing.T) {
		p := admin.post("/domains", url.Values{"domain": {"почта"}, "selector": {"a b"}, "algorithm": {"dsa"}}).expect(http.StatusUnprocessableEntity)
		p.shows("#field-domain-error", "«почта»").shows("#field-algorithm-error", "вариант")
		if got := p.attr("#field-selector", "value"); got != "a b" {
			t.Errorf("the selector is %q", got)
		}
		checkTranslated(t, p)
	})
	h.run("keys are made and their records shown", func(t *testing.T) {
		p := admin.follow(admin.post("/domains", form)).expect(http.StatusOK).shows(".flash", "почта.рф созданы")
		p.shows(".card-title", "почта.рф").lacks(".nothing-title")
		shown := p.text(".signing-key")
		for _, text := range []string{"one._domainkey.xn--80a1acny.xn--p1ai", "v=DKIM1; h=sha256; k=rsa; p=MII", `IN TXT ( "v=DKIM1;`, "k=ed25519; p=", "Подписывает"} {
			if !strings.Contains(shown, text) {
				t.Errorf("%q is not shown in %q", text, shown)
			}
		}
		p.lacks("form[action=/domains/use]")
		checkTranslated(t, p)
		checkTranslated(t, admin.lang("en").get("/domains").shows(".signing-key h3", "Key one"))
		admin.lang("ru")
	})
	h.run("a name that is taken is told beside its field", func(t *testing.T) {
		admin.post("/domains", form).expect(http.StatusConflict).shows("#field-selector-error", "«one»")
	})
	h.run("a later key signs when it is chosen", func(t *testing.T) {
		later := url.Values{"domain": {"почта.рф"}, "selector": {"two"}, "algorithm": {"rsa"}}
		p := admin.follow(admin.post("/domains", later)).shows(".state.tone-neutral", "Не подписывает")
		p = admin.follow(admin.submit(p, "form[action=/domains/use]", nil)).shows(".flash", "two")
		if got := p.attr("form[action=/domains/use] [name=selector]", "value"); got != "one" {
			t.Errorf("now %q is offered", got)
		}
	})
	h.run("a key is deleted", func(t *testing.T) {
		admin.follow(admin.post("/domains/delete", key)).shows(".flash", "one").lacks("form[action=/domains/delete] [value=one]")
		admin.post("/domains/delete", key).expect(http.StatusNotFound)
	})
	h.run("the domain that mails leave from is filled in until it has keys", func(t *testing.T) {
		admin.post("/relays/new", url.Values{
			"host": {"smtp.example.org"}, "port": {"587"}, "tls": {"none"}, "from_email": {"news@mail.example.org"}, "weight": {"1"}, "enabled": {"on"},
		}).expect(http.StatusSeeOther)
		if got := admin.get("/domains").attr("#field-domain", "value"); got != "mail.example.org" {
			t.Errorf("the domain is %q", got)
		}
		admin.post("/domains", url.Values{"domain": {"example.org"}, "algorithm": {"ed25519"}}).expect(http.StatusSeeOther)
		if got := admin.get("/domains").attr("#field-domain", "value"); got != "" {
			t.Errorf("the domain is %q, which is signed by the one above", got)
		}
	})
}
