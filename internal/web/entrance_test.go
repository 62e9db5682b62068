package web_test

import (
	"context"
	"net/http"
	"net/url"
	"path"
	"strings"
	"testing"
	"time"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
	"vestnik/internal/store"
	"vestnik/internal/web"
)

// cookies are all that an answer sets, by name.
func (p *page) cookies() map[string]*http.Cookie {
	all := map[string]*http.Cookie{}
	for _, cookie := range (&http.Response{Header: p.header}).Cookies() {
		all[cookie.Name] = cookie
	}
	return all
}

func TestCookies(t *testing.T) {
	for _, secure := range []bool{true, false} {
		h := newHarness(t, func(_ *app.Config, o *web.Options) { o.Secure = secure })
		anna := h.account("anna@example.org", mailing.RoleUser)
		prefix := map[bool]string{true: "__Host-"}[secure]
		form := url.Values{"email": {anna.Email}, "password": {password}}
		seen := map[string]bool{}
		for _, answer := range []*page{
			h.visitor().post("/login", form),
			h.visitor().post("/preferences", url.Values{"lang": {"en"}, "theme": {"dark"}}),
			h.visitor().post("/confirm_code/x@example.org/resend", nil),
		} {
			for name, c := range answer.cookies() {
				seen[name] = true
				if !strings.HasPrefix(name, prefix) || c.Path != "/" || c.Domain != "" || c.Secure != secure || c.SameSite != http.SameSiteLaxMode {
					t.Errorf("secure %v: %s is %s", secure, answer.path, c)
				}
				if c.HttpOnly != (name != prefix+"theme") {
					t.Errorf("%s: scripts read it: %v", name, !c.HttpOnly)
				}
			}
		}
		for _, name := range []string{"session", "device", "lang", "theme"} {
			if !seen[prefix+name] {
				t.Errorf("secure %v: there is no %s among %v", secure, name, seen)
			}
		}
	}
}

func TestPasswordFields(t *testing.T) {
	h := newHarness(t)
	h.installed()
	anna := h.account("anna@example.org", mailing.RoleUser)
	reset := "/reset/" + h.resetToken(anna.Email)
	invited, err := h.app.Invite(context.Background(), app.Operator, app.Invite{Emails: "guest@example.org", Role: mailing.RoleUser, Lang: "ru"})
	if err != nil {
		t.Fatal(err)
	}
	first, err := h.app.FirstLink(context.Background())
	if err != nil || first == "" {
		t.Fatalf("the link of the first account is %q, %v", first, err)
	}
	for where, c := range map[string]struct {
		p                  *page
		username, password string
	}{
		"signing in":          {h.visitor().get("/login"), "username", "current-password"},
		"registering":         {h.visitor().get("/register"), "email", "new-password"},
		"a new password":      {h.visitor().get(reset), "username", "new-password"},
		"an invitation":       {h.visitor().get(strings.TrimPrefix(invited[0].Link, baseURL)), "username", "new-password"},
		"the first account":   {h.visitor().get(strings.TrimPrefix(first, baseURL)), "username", "new-password"},
		"a change of address": {h.signIn(anna).get("/profile/email"), "username", "current-password"},
	} {
		h.run(where+" helps keepers of passwords, and people who paste", func(t *testing.T) {
			c.p.expect(http.StatusOK)
			fields := c.p.find("input[type=password]")
			if len(fields) == 0 || len(c.p.find("[data-reveal]")) != len(fields) {
				t.Errorf("%d fields, %d ways to see them", len(fields), len(c.p.find("[data-reveal]")))
			}
			for _, field := range fields {
				if attribute(field, "autocomplete") != c.password || has(field, "onpaste") || has(field, "maxlength") || has(field, "pattern") {
					t.Errorf("a field is %v", field.Attr)
				}
			}
			if len(c.p.find("input[autocomplete="+c.username+"]")) == 0 {
				t.Error("they are not told whose password it is")
			}
			if c.password == "new-password" {
				c.p.one("[data-strength=field-password]")
			}
		})
	}
}

// installed writes down what the server does at its first start.
func (h *harness) installed() {
	h.t.Helper()
	if _, err := h.store.Installation(context.Background(), store.Installation{Instance: "i", KeyCheck: "k"}, time.Now()); err != nil {
		h.t.Fatal(err)
	}
}

// mailed is vars, but takes no mails of others.
func (h *harness) mailed(email string) map[string]any {
	h.t.Helper()
	var sealed string
	row := h.store.Writer().QueryRow("select vars from deliveries where email = $1 order by id desc limit 1", email)
	if err := row.Scan(&sealed); err != nil {
		h.t.Fatal(err)
	}
	vars, err := h.app.OpenVars(email, sealed)
	if err != nil {
		h.t.Fatal(err)
	}
	return vars
}

func (h *harness) resetToken(email string) string {
	h.t.Helper()
	h.visitor().post("/reset", url.Values{"email": {email}}).expect(http.StatusOK)
	return path.Base(h.vars(email)["link"].(string))
}

func TestGuessesAtTheDoor(t *testing.T) {
	h := newHarness(t)
	anna := h.account("anna@example.org", mailing.RoleUser)
	owner := h.signIn(anna)
	owner.post("/logout", nil).expect(http.StatusSeeOther)
	wrong := url.Values{"email": {anna.Email}, "password": {"wrong password"}}
	thief := h.visitor().fromFar()
	var last *page
	for range app.PasswordTries.Free + 1 {
		last = thief.post("/login", wrong)
	}
	h.run("who guesses is told in words and in numbers how long to wait", func(t *testing.T) {
		last.expect(http.StatusTooManyRequests).shows(".note", "Подождите 1 с")
		if got := last.header.Get("Retry-After"); got != "1" {
			t.Errorf("Retry-After is %q", got)
		}
	})
	h.run("the owner signs in on a device that is known, and on no other", func(t *testing.T) {
		right := url.Values{"email": {anna.Email}, "password": {password}}
		for range 3 { // the wait is long by then
			time.Sleep(1100 * time.Millisecond)
			thief.post("/login", wrong)
		}
		h.visitor().post("/login", right).expect(http.StatusTooManyRequests)
		owner.post("/login", right).expect(http.StatusSeeOther)
	})
	h.run("after a reset by mail the device is known", func(t *testing.T) {
		c := h.visitor()
		link := "/reset/" + h.resetToken(anna.Email)
		fresh := url.Values{"password": {"a better password"}, "again": {"a better password"}}
		c.post(link, fresh).expect(http.StatusSeeOther)
		c.post("/login", url.Values{"email": {anna.Email}, "password": {"a better password"}}).expect(http.StatusSeeOther)
	})
}

func TestConfirmingByTheLinkInTheMail(t *testing.T) {
	h := newHarness(t)
	h.visitor().post("/register", registration("ivan@example.org")).expect(http.StatusSeeOther)
	open := strings.TrimPrefix(h.vars("ivan@example.org")["open"].(string), baseURL)
	for range 20 {
		h.visitor().fromFar().post("/confirm_code/ivan@example.org/", url.Values{"code": {"000000"}})
	}
	h.run("it asks, and confirms whatever strangers have guessed meanwhile", func(t *testing.T) {
		c := h.visitor().fromFar()
		p := c.get(open).expect(http.StatusOK)
		c.follow(c.submit(p, "form[action^=/confirm_code]:has-text(Код)", nil)).shows(".flash", "E-mail подтверждён")
		c.submit(p, "form[action^=/confirm_code]:has-text(Код)", nil).expect(http.StatusUnprocessableEntity).shows(".note", "уже не действует")
	})
}

func TestSignUpModes(t *testing.T) {
	h := newHarness(t, func(c *app.Config, _ *web.Options) {
		c.SignUp, c.SignUpDomains = mailing.SignUpDomains, []string{"example.org", "xn--80a1acny.xn--p1ai"}
	})
	h.run("of some domains only their people register, and others are told which", func(t *testing.T) {
		c := h.visitor()
		c.get("/register").expect(http.StatusOK).shows("#field-email-hint", "example.org, почта.рф")
		for _, email := range []string{"a@example.com", "a@mail.example.org", "a@example.org.evil.example"} {
			c.post("/register", registration(email)).expect(http.StatusUnprocessableEntity).shows("#field-email-error", "example.org, почта.рф")
		}
		for _, email := range []string{"a@EXAMPLE.org", "b@почта.рф", "c@xn--80a1acny.xn--p1ai"} {
			c.post("/register", registration(email)).expect(http.StatusSeeOther)
		}
	})
	h = newHarness(t, func(c *app.Config, _ *web.Options) { c.SignUp = mailing.SignUpInvitation })
	h.run("where one is invited, nobody registers, and pages say so", func(t *testing.T) {
		c := h.visitor()
		c.get("/register").expect(http.StatusForbidden).shows(".nothing-title", "по приглашению")
		c.post("/register", registration("a@example.org")).expect(http.StatusForbidden)
		c.get("/login").lacks("a[href=/register]").shows("main", "по приглашению")
	})
}

func TestFirst(t *testing.T) {
	h := newHarness(t)
	h.installed()
	link, err := h.app.FirstLink(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	link = strings.TrimPrefix(link, baseURL)
	form := registration("boss@example.org")
	form["lang"], form["zone"], form["examples"] = []string{"en"}, []string{"Asia/Omsk"}, nil
	h.run("without the token nothing is made", func(t *testing.T) {
		login := h.visitor().get("/login").expect(http.StatusOK)
		if login.attr("#to-first", "href") != "/first" {
			t.Error("the page of signing in does not say how to begin")
		}
		h.visitor().get("/first").expect(http.StatusOK).lacks("form[action^=/first]")
		for _, path := range []string{"/first/x", link[:len(link)-3] + "AAA"} {
			h.visitor().get(path).expect(http.StatusNotFound)
			h.visitor().post(path, form).expect(http.StatusNotFound)
		}
		if empty, err := h.app.IsEmpty(context.Background()); !empty || err != nil {
			t.Errorf("there is an account: %v", err)
		}
	})
	h.run("with it one admin is made, who is signed in", func(t *testing.T) {
		c := h.visitor()
		p := c.get(link).expect(http.StatusOK)
		bad := url.Values{"email": {"boss@example.org"}, "password": {"Сидоров2026"}, "again": {"x"}, "first_name": {"Иван"}, "last_name": {"Сидоров"}}
		c.submit(p, "form[action^=/first]", bad).expect(http.StatusUnprocessableEntity).
			shows("#field-password-error", "сидоров").shows("#field-again-error", "не совпадают")
		home := c.follow(c.submit(p, "form[action^=/first]", form)).expect(http.StatusOK)
		home.shows(".flash", "you are the administrator").one(".sidebar a[href=/admin]")
	})
	h.run("then it is gone", func(t *testing.T) {
		h.visitor().get(link).expect(http.StatusNotFound)
		form.Set("email", "thief@example.org")
		h.visitor().post(link, form).expect(http.StatusNotFound)
		h.visitor().get("/first").expect(http.StatusNotFound)
		h.visitor().get("/login").lacks("#to-first")
		if link, err := h.app.FirstLink(context.Background()); link != "" || err != nil {
			t.Errorf("the link is %q, %v", link, err)
		}
	})
}

func TestInvitations(t *testing.T) {
	h := newHarness(t)
	admin := h.signIn(h.account("admin@example.org", mailing.RoleAdmin))
	page := func() *page { return admin.get("/admin/invitations").expect(http.StatusOK) }
	h.run("only who may invite sees the page", func(t *testing.T) {
		for _, role := range []mailing.Role{mailing.RoleUser, mailing.RoleManager} {
			c := h.signIn(h.account(string(role)+"@example.org", role))
			c.get("/admin/invitations").expect(http.StatusNotFound)
			c.post("/admin/invitations", url.Values{"emails": {"x@example.org"}, "role": {"user"}, "lang": {"ru"}}).expect(http.StatusNotFound)
		}
	})
	h.run("several are invited at once, or none", func(t *testing.T) {
		form := url.Values{"emails": {"one@example.org, broken two@example.org"}, "role": {"manager"}, "lang": {"en"}}
		p := admin.submit(page(), "form#invite", form).expect(http.StatusUnprocessableEntity).shows("#field-emails-error", "broken")
		if p.text("textarea") != form.Get("emails") {
			t.Error("what was typed is lost")
		}
		page().lacks("table")
		form.Set("emails", "one@example.org, two@example.org\none@example.org")
		admin.follow(admin.submit(page(), "form#invite", form)).shows(".flash", "2 приглашения").shows("tbody", "two@example.org")
	})
	h.run("the one who was invited sets name and password and is in", func(t *testing.T) {
		link := strings.TrimPrefix(h.mailed("one@example.org")["link"].(string), baseURL)
		c := h.visitor()
		p := c.get(link).expect(http.StatusOK).shows("h1", "Welcome")
		if p.attr("[name=email]", "value") != "one@example.org" {
			t.Error("it does not say for whom")
		}
		form := registration("thief@example.org")
		form.Set("again", "other")
		c.submit(p, "form[action^=/invitation]", form).expect(http.StatusUnprocessableEntity).one("#field-again-error")
		form.Set("again", password)
		c.follow(c.submit(p, "form[action^=/invitation]", form)).shows(".menu-head", "one@example.org").one(".sidebar a[href=/admin]")
		h.visitor().get(link).expect(http.StatusUnprocessableEntity).shows(".nothing-text", "Приглашение больше не действует")
		h.visitor().post(link, form).expect(http.StatusUnprocessableEntity)
	})
	h.run("it is sent again by a new link, and taken back", func(t *testing.T) {
		old := strings.TrimPrefix(h.mailed("two@example.org")["link"].(string), baseURL)
		admin.follow(admin.submit(page(), "tbody form[action^=/admin/invitations]:has-text(Повторить)", nil)).shows(".flash", "новая ссылка")
		fresh := strings.TrimPrefix(h.mailed("two@example.org")["link"].(string), baseURL)
		h.visitor().get(old).expect(http.StatusUnprocessableEntity)
		h.visitor().get(fresh).expect(http.StatusOK)
		admin.follow(admin.submit(page(), "tbody form.ask-actions", nil)).shows(".flash", "отозвано").lacks("table")
		h.visitor().get(fresh).expect(http.StatusUnprocessableEntity)
	})
}

func TestChangeOfAddress(t *testing.T) {
	h := newHarness(t)
	c := h.signIn(h.account("anna@example.org", mailing.RoleUser))
	elsewhere := h.signIn(c.account)
	ask := func(email string) *page {
		return c.submit(c.get("/profile/email"), "form#email", url.Values{"email": {email}, "password": {password}})
	}
	link := func(email string) string {
		h.t.Helper()
		link, ok := h.mailed(email)["link"].(string)
		if !ok {
			h.t.Fatalf("%s got no link", email)
		}
		return strings.TrimPrefix(link, baseURL)
	}
	answer := func(by *client, link, word string) *page {
		return by.submit(by.get(link).expect(http.StatusOK), "form#question", url.Values{"answer": {word}})
	}
	h.run("it needs the password and another address", func(t *testing.T) {
		c.post("/profile/email", url.Values{"email": {"new@example.org"}, "password": {"wrong password"}}).
			expect(http.StatusUnprocessableEntity).shows("#field-password-error", "не подходит")
		c.post("/profile/email", url.Values{"email": {"ANNA@example.org"}}).expect(http.StatusUnprocessableEntity).
			shows("#field-email-error", "нынешний").one("#field-password-error")
	})
	h.run("the old mailbox may say no, and then nothing has changed", func(t *testing.T) {
		c.follow(ask("new@example.org")).expect(http.StatusOK).shows("main", "new@example.org")
		old, fresh := link("anna@example.org"), link("new@example.org")
		answer(h.visitor(), old, "no").shows(".nothing-text", "знает ваш пароль").one("a[href=/reset]")
		h.visitor().get(fresh).expect(http.StatusUnprocessableEntity).shows(".nothing-text", "больше не действует")
		c.get("/profile/email").one("form#email")
	})
	h.run("the person may take it back", func(t *testing.T) {
		ask("new@example.org")
		fresh := link("new@example.org")
		c.follow(c.submit(c.get("/profile/email"), "form.post:has-text(Отменить)", nil)).shows(".flash", "отменена").one("form#email")
		h.visitor().get(fresh).expect(http.StatusUnprocessableEntity)
	})
	h.run("with both it takes effect, and ends sessions elsewhere", func(t *testing.T) {
		ask("new@example.org")
		old, fresh := link("anna@example.org"), link("new@example.org")
		answer(h.visitor(), fresh, "yes").shows(".nothing-title", "Подтверждено").shows(".nothing-text", "из прежнего ящика")
		c.get("/profile/email").shows(".stage.tone-success", "new@example.org").shows(".stage.tone-neutral", "anna@example.org")
		c.follow(answer(c, old, "yes")).expect(http.StatusOK).shows(".flash", "new@example.org")
		if got := c.get("/profile").attr("[name=email]", "value"); got != "new@example.org" {
			t.Errorf("the address is %q", got)
		}
		elsewhere.get("/profile").expect(http.StatusSeeOther)
		h.visitor().post("/login", url.Values{"email": {"anna@example.org"}, "password": {password}}).expect(http.StatusUnprocessableEntity)
		h.visitor().post("/login", url.Values{"email": {"new@example.org"}, "password": {password}}).expect(http.StatusSeeOther)
	})
	h.run("an address that is taken meanwhile is a clear error", func(t *testing.T) {
		ask("late@example.org")
		old, fresh := link("new@example.org"), link("late@example.org")
		h.account("late@example.org", mailing.RoleUser)
		answer(h.visitor(), old, "yes").shows(".nothing-text", "late@example.org")
		answer(h.visitor(), fresh, "yes").expect(http.StatusConflict).shows(".nothing-title", "late@example.org")
		c.get("/profile/email").one("form#email")
	})
	h.run("whose the address is already does not show", func(t *testing.T) {
		c.follow(ask("late@example.org")).expect(http.StatusOK).shows("main", "late@example.org")
		if vars := h.mailed("late@example.org"); vars["link"] != nil || vars["site"] == nil {
			t.Errorf("its mailbox got %v", vars)
		}
	})
}
