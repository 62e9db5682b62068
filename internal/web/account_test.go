package web_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
	"vestnik/internal/web"
)

// registration is a form that is filled in well.
func registration(email string) url.Values {
	return url.Values{
		"first_name": {"Иван"}, "last_name": {"Сидоров"}, "email": {email}, "password": {password}, "again": {password},
	}
}

const otherPassword = "зелёный слон в лесу"

func TestRegistration(t *testing.T) {
	h := newHarness(t)
	h.run("a person registers, confirms the code and signs in", func(t *testing.T) {
		c := h.visitor()
		answer := c.submit(c.get("/register").expect(http.StatusOK), "form[action=/register]", registration("Ivan@Example.org"))
		if answer.location() != "/confirm_code/ivan@example.org/" {
			t.Fatalf("it leads to %q", answer.location())
		}
		c.post("/login", url.Values{"email": {"ivan@example.org"}, "password": {password}}).
			expect(http.StatusForbidden).shows("#to-confirm", "Ввести код")
		confirm := c.follow(answer).expect(http.StatusOK).shows(".page-lead", "ivan@example.org")

		wrong := c.submit(confirm, "form[action^=/confirm_code]:has-text(Код)", url.Values{"code": {"000000"}})
		wrong.expect(http.StatusUnprocessableEntity).shows(".field-error", "Неверный код!")

		code, _ := h.vars("ivan@example.org")["code"].(string)
		answer = c.submit(confirm, "form[action^=/confirm_code]:has-text(Код)", url.Values{"code": {" " + code + " "}})
		c.follow(answer).expect(http.StatusOK).shows(".flash", "вы вошли").shows(".menu-head", "Иван Сидоров")

		c = h.visitor()
		answer = c.submit(c.get("/login"), "form[action=/login]", url.Values{"email": {"ivan@example.org"}, "password": {password}})
		c.follow(answer).expect(http.StatusOK).shows(".menu-head", "Иван Сидоров")
	})
	h.run("what is wrong stands beside its field and what was typed is kept, but for passwords", func(t *testing.T) {
		form := registration("ivan@")
		form.Set("again", "another horse battery")
		form.Set("first_name", "")
		p := h.visitor().lang("en").post("/register", form).expect(http.StatusUnprocessableEntity)
		p.shows("#field-first_name-error", "Fill in this field").shows("#field-email-error", "ivan@").shows("#field-again-error", "differ")
		if p.attr("[name=last_name]", "value") != "Сидоров" || strings.Contains(p.body, password) {
			t.Error("the last name is lost, or the password stands in the page")
		}
	})
	h.run("whichever code is typed where one registered, it confirms what one typed there", func(t *testing.T) {
		hers, his := h.visitor(), h.visitor()
		theirs := registration("eva@example.org")
		theirs.Set("password", otherPassword)
		theirs.Set("again", otherPassword)
		hers.post("/register", registration("eva@example.org"))
		his.post("/register", theirs)
		code, _ := h.vars("eva@example.org")["code"].(string) // of the latest mail, which is the stranger's
		hers.post("/confirm_code/eva@example.org/", url.Values{"code": {code}}).expect(http.StatusSeeOther)
		his.post("/login", url.Values{"email": {"eva@example.org"}, "password": {otherPassword}}).expect(http.StatusUnprocessableEntity)
		hers.post("/login", url.Values{"email": {"eva@example.org"}, "password": {password}}).expect(http.StatusSeeOther)
	})
	h.run("an address that is taken is answered like any other", func(t *testing.T) {
		h.account("anna@example.org", mailing.RoleUser)
		c := h.visitor()
		taken := c.post("/register", registration("anna@example.org"))
		free := c.post("/register", registration("free@example.org"))
		if taken.status != free.status || taken.location() != "/confirm_code/anna@example.org/" {
			t.Errorf("taken: %d %s, free: %d %s", taken.status, taken.location(), free.status, free.location())
		}
		c.post("/login", url.Values{"email": {"anna@example.org"}, "password": {password}}).expect(http.StatusSeeOther)
	})
	h.run("a new code replaces the old one", func(t *testing.T) {
		c := h.visitor()
		c.post("/register", registration("boris@example.org")).expect(http.StatusSeeOther)
		old := h.vars("boris@example.org")["code"].(string)
		again := c.submit(c.get("/confirm_code/boris@example.org/"), "form.post", nil)
		c.follow(again).expect(http.StatusOK).shows(".flash", "новый код")
		fresh := h.vars("boris@example.org")["code"].(string)
		if old != fresh {
			c.post("/confirm_code/boris@example.org/", url.Values{"code": {old}}).expect(http.StatusUnprocessableEntity)
		}
		c.post("/confirm_code/boris@example.org/", url.Values{"code": {fresh}}).expect(http.StatusSeeOther)
	})
	h.run("an address without its last slash is completed, and one that is no e-mail leads nowhere", func(t *testing.T) {
		c := h.visitor()
		if p := c.get("/confirm_code/a@example.org"); p.location() != "/confirm_code/a@example.org/" {
			t.Errorf("it leads to %q", p.location())
		}
		c.get("/confirm_code/nobody/").expect(http.StatusNotFound)
	})
	h.run("only who may read the demo mailbox is sent there for the code", func(t *testing.T) {
		path := "/confirm_code/a@example.org/"
		link := `a[href="/demo?q=a%40example.org"]`
		h.visitor().get(path).one(link)
		h.visitor().fromFar().get(path).lacks(link)
		h.demo = false
		h.visitor().get(path).lacks(link)
		h.demo = true
	})
}

func TestClosedRegistration(t *testing.T) {
	h := newHarness(t, func(c *app.Config, _ *web.Options) { c.SignUp = mailing.SignUpClosed })
	h.run("where registration is closed no page offers it", func(t *testing.T) {
		c := h.visitor()
		c.get("/register").expect(http.StatusForbidden).shows(".nothing-title", "Регистрация закрыта")
		c.post("/register", registration("a@example.org")).expect(http.StatusForbidden)
		c.get("/").expect(http.StatusOK).lacks("a[href=/register]")
		c.get("/login").expect(http.StatusOK).lacks("a[href=/register]")
	})
}

func TestSignIn(t *testing.T) {
	h := newHarness(t)
	anna := h.account("anna@example.org", mailing.RoleUser)
	h.run("a person signs in and out", func(t *testing.T) {
		c := h.signIn(anna)
		for _, path := range []string{"/login", "/register"} {
			if p := c.get(path); p.location() != "/" {
				t.Errorf("%s leads to %q", path, p.location())
			}
		}
		c.post("/logout", nil).expect(http.StatusSeeOther)
		c.get("/profile").expect(http.StatusSeeOther)
	})
	h.run("a wrong password and an unknown address get the same answer", func(t *testing.T) {
		c := h.visitor()
		wrong := c.post("/login", url.Values{"email": {"anna@example.org"}, "password": {"wrong"}}).expect(http.StatusUnprocessableEntity)
		unknown := c.post("/login", url.Values{"email": {"nobody@example.org"}, "password": {"wrong"}}).expect(http.StatusUnprocessableEntity)
		if wrong.text(".note") != unknown.text(".note") || wrong.text(".note") == "" {
			t.Errorf("%q and %q", wrong.text(".note"), unknown.text(".note"))
		}
	})
	h.run("who asked for a page comes to it after signing in", func(t *testing.T) {
		c := h.visitor()
		login := c.follow(c.get("/mailings?status=running"))
		form := url.Values{"email": {"anna@example.org"}, "password": {password}}
		if p := c.submit(login, "form[action=/login]", form); p.location() != "/mailings?status=running" {
			t.Errorf("it leads to %q", p.location())
		}
	})
	h.run("signing in leads to no other site", func(t *testing.T) {
		for _, next := range []string{"https://evil.example", "//evil.example", `/\evil.example`, "evil", "/\t/evil.example"} {
			form := url.Values{"email": {"anna@example.org"}, "password": {password}, "next": {next}}
			if p := h.visitor().post("/login", form); p.location() != "/" {
				t.Errorf("%q leads to %q", next, p.location())
			}
		}
	})
	h.run("signing in changes the token of the session", func(t *testing.T) {
		c := h.visitor()
		c.post("/confirm_code/x@example.org/resend", nil) // leaves a message, so there is a session
		before := sessionCookie(c)
		c.post("/login", url.Values{"email": {"anna@example.org"}, "password": {password}}).expect(http.StatusSeeOther)
		if after := sessionCookie(c); before == "" || after == "" || before == after {
			t.Errorf("before %q, after %q", before, after)
		}
	})
	h.run("a blocked person is told so, and is signed out at once", func(t *testing.T) {
		c := h.signIn(anna)
		if err := h.store.Block(context.Background(), anna.ID, 0, "", time.Now()); err != nil {
			t.Fatal(err)
		}
		if p := c.get("/profile"); p.location() != "/login?next=%2Fprofile" {
			t.Errorf("it leads to %q", p.location())
		}
		c.post("/login", url.Values{"email": {"anna@example.org"}, "password": {password}}).
			expect(http.StatusForbidden).shows(".note", "заблокирован")
	})
}

func sessionCookie(c *client) string {
	for _, cookie := range c.jar.Cookies(&url.URL{Scheme: "http", Host: c.host, Path: "/"}) {
		if cookie.Name == "session" {
			return cookie.Value
		}
	}
	return ""
}

func TestReset(t *testing.T) {
	h := newHarness(t)
	anna := h.account("anna@example.org", mailing.RoleUser)
	h.run("a new password is set by a link, once, and signs out everywhere", func(t *testing.T) {
		elsewhere := h.signIn(anna)
		c := h.visitor()
		sent := c.submit(c.get("/reset").expect(http.StatusOK), "form[action=/reset]", url.Values{"email": {"anna@example.org"}})
		sent.expect(http.StatusOK).shows(".nothing-title", "Проверьте почту")
		link := strings.TrimPrefix(h.vars("anna@example.org")["link"].(string), baseURL)

		form := url.Values{"password": {"short"}, "again": {"other"}}
		c.submit(c.get(link).expect(http.StatusOK), "form[action^=/reset/]", form).expect(http.StatusUnprocessableEntity).
			shows("#field-password-error", "короткий").shows("#field-again-error", "не совпадают")
		form = url.Values{"password": {"a better password"}, "again": {"a better password"}}
		c.follow(c.post(link, form)).shows(".flash", "Новый пароль сохранён")

		elsewhere.get("/profile").expect(http.StatusSeeOther)
		c.post("/login", url.Values{"email": {"anna@example.org"}, "password": {"a better password"}}).expect(http.StatusSeeOther)
		c.post(link, form).expect(http.StatusUnprocessableEntity).one("a.btn[href=/reset]")
	})
	h.run("an unknown address is answered like a known one", func(t *testing.T) {
		h.visitor().lang("en").post("/reset", url.Values{"email": {"nobody@example.org"}}).
			expect(http.StatusOK).shows(".nothing-title", "Check your mail")
		h.visitor().post("/reset", url.Values{"email": {"nobody"}}).expect(http.StatusUnprocessableEntity).shows(".field-error", "nobody")
	})
	h.run("a link that is not ours leads to a new one", func(t *testing.T) {
		h.visitor().get("/reset/abc").expect(http.StatusUnprocessableEntity).one("a.btn[href=/reset]")
	})
}
