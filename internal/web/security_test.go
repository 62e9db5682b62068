package web_test

import (
	"context"
	"encoding/base32"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"vestnik/internal/app"
	"vestnik/internal/auth/authtest"
	"vestnik/internal/mailing"
	"vestnik/internal/web"
)

// named is a service at an address where browsers allow passkeys.
func named(c *app.Config, _ *web.Options) { c.BaseURL = "http://localhost:8000" }

// codeOf is what an app with the secret shows, so many steps from now. Tests take a
// later step each time, since none is good twice; one ahead of the clock is good, too.
func codeOf(t *testing.T, secret string, step int) string {
	t.Helper()
	raw, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(strings.ReplaceAll(secret, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return authtest.Code(raw, time.Now().Add(time.Duration(step)*30*time.Second))
}

// withTOTP switches codes from an app on for the account.
func (h *harness) withTOTP(account mailing.Account) (secret string, recovery []string) {
	h.t.Helper()
	begun := h.app.BeginTOTP(account)
	recovery, err := h.app.EnableTOTP(context.Background(), app.Visitor{}, account, begun.Draft, codeOf(h.t, begun.Secret, 0))
	if err != nil {
		h.t.Fatal(err)
	}
	return begun.Secret, recovery
}

// changeSessions changes what the sessions of an account hold.
func (h *harness) changeSessions(account mailing.Account, change func(values map[string]string)) {
	h.t.Helper()
	ctx := context.Background()
	list, err := h.store.AccountSessions(ctx, account.ID, time.Now())
	if err != nil || len(list) == 0 {
		h.t.Fatalf("%d sessions, %v", len(list), err)
	}
	for _, s := range list {
		data, _, err := h.store.Session(ctx, s.Key, time.Now())
		if err != nil {
			h.t.Fatal(err)
		}
		var record struct {
			Deadline time.Time         `json:"deadline"`
			Values   map[string]string `json:"values"`
		}
		if err := json.Unmarshal(data, &record); err != nil {
			h.t.Fatal(err)
		}
		change(record.Values)
		if data, err = json.Marshal(record); err != nil {
			h.t.Fatal(err)
		}
		of, expires := web.SessionOf(s.Key, data, record.Deadline)
		if err := h.store.PutSession(ctx, of, data, expires); err != nil {
			h.t.Fatal(err)
		}
	}
}

// ago is a moment in a session.
func ago(d time.Duration) string { return strconv.FormatInt(time.Now().Add(-d).UnixMilli(), 10) }

// stale has the last proof of who is there be too old.
func (h *harness) stale(account mailing.Account) {
	h.t.Helper()
	h.changeSessions(account, func(values map[string]string) { values["proof"] = ago(11 * time.Minute) })
}

func TestSignInInTwoSteps(t *testing.T) {
	h := newHarness(t)
	anna := h.account("anna@example.org", mailing.RoleUser)
	h.account("boris@example.org", mailing.RoleUser)
	secret, recovery := h.withTOTP(anna)
	login := url.Values{"email": {anna.Email}, "password": {password}}
	halfIn := func() (*client, *page) {
		c := h.visitor()
		return c, c.follow(c.post("/login?next=%2Fclients", login).expect(http.StatusSeeOther)).expect(http.StatusOK)
	}
	h.run("the password alone gives no right at all", func(t *testing.T) {
		c, p := halfIn()
		p.shows("h1", "Второй шаг").lacks(".sidebar")
		if got := c.get("/clients").location(); !strings.HasPrefix(got, "/login") {
			t.Errorf("the list of clients leads to %q", got)
		}
	})
	h.run("a wrong password is answered alike, whether there is a second factor or not", func(t *testing.T) {
		wrong := func(email string) string {
			p := h.visitor().post("/login", url.Values{"email": {email}, "password": {"not the password"}})
			return strings.ReplaceAll(p.expect(http.StatusUnprocessableEntity).body, email, "")
		}
		if wrong("anna@example.org") != wrong("boris@example.org") {
			t.Error("the answers differ")
		}
	})
	h.run("with a code of the app one is in, and where one wanted to go", func(t *testing.T) {
		c, p := halfIn()
		const form = "form:has-text(Код из приложения)"
		c.submit(p, form, url.Values{"code": {"000000"}}).expect(http.StatusUnprocessableEntity).shows("#field-code-error", "Неверный код!")
		code := codeOf(t, secret, 1)
		in := c.submit(p, form, url.Values{"code": {code}})
		if in.location() != "/clients" {
			t.Fatalf("it leads to %q: %s", in.location(), in.text(".field-error"))
		}
		c.follow(in).expect(http.StatusOK)
		c, p = halfIn()
		c.submit(p, form, url.Values{"code": {code}}).expect(http.StatusUnprocessableEntity)
	})
	h.run("with a recovery code one is in, once", func(t *testing.T) {
		const form = "details.otherwise form"
		c, p := halfIn()
		c.submit(p, form, url.Values{"recovery": {recovery[0]}}).expect(http.StatusSeeOther)
		c.get("/profile").expect(http.StatusOK)
		c, p = halfIn()
		again := c.submit(p, form, url.Values{"recovery": {recovery[0]}}).expect(http.StatusUnprocessableEntity)
		again.shows("#field-recovery-error", "Неверный код!").one("details[open]")
	})
	h.run("a recovery code will do in the field for the other, and what is wrong stands beside it", func(t *testing.T) {
		const form = "form:has-text(Код из приложения)"
		c, p := halfIn()
		p.shows(form, "Резервный код тоже подойдёт")
		c.submit(p, form, url.Values{"code": {"abcd-efgh"}}).expect(http.StatusUnprocessableEntity).shows("#field-code-error", "Неверный код").lacks("details[open]")
		c.submit(p, form, url.Values{"code": {recovery[1]}}).expect(http.StatusSeeOther)
		c.get("/profile").expect(http.StatusOK)
	})
	h.run("who is half way in goes back when the password was changed meanwhile", func(t *testing.T) {
		c, p := halfIn()
		hash, err := passwordHash()
		if err != nil {
			t.Fatal(err)
		}
		if err := h.store.SetPassword(context.Background(), anna.ID, hash); err != nil {
			t.Fatal(err)
		}
		back := c.submit(p, "details.otherwise form", url.Values{"recovery": {recovery[1]}})
		if back.location() != "/login?next=%2Fclients" {
			t.Errorf("it leads to %q", back.location())
		}
	})
	h.run("who is half way in goes back when the account was blocked meanwhile", func(t *testing.T) {
		c, p := halfIn()
		if err := h.store.Block(context.Background(), anna.ID, 0, "", time.Now()); err != nil {
			t.Fatal(err)
		}
		back := c.submit(p, "details.otherwise form", url.Values{"recovery": {recovery[2]}})
		if back.location() != "/login?next=%2Fclients" {
			t.Errorf("it leads to %q", back.location())
		}
		if err := h.store.Unblock(context.Background(), anna.ID); err != nil {
			t.Fatal(err)
		}
	})
	h.run("who is half way in goes back when the factors were reset meanwhile, and is then let in", func(t *testing.T) {
		c, p := halfIn()
		if err := h.app.ResetFactors(context.Background(), app.Operator, anna.ID); err != nil {
			t.Fatal(err)
		}
		back := c.submit(p, "details.otherwise form", url.Values{"recovery": {recovery[3]}})
		if back.location() != "/login?next=%2Fclients" {
			t.Errorf("it leads to %q", back.location())
		}
		c.post("/login", login).expect(http.StatusSeeOther)
		c.get("/clients").expect(http.StatusOK)
	})
}

func TestStrangersAskForPasskeys(t *testing.T) {
	h := newHarness(t, named)
	rows := func(when string, values ...any) (n int) {
		h.t.Helper()
		query := "select count(*) from sessions where account_id is null and " + when
		if err := h.store.Writer().QueryRowContext(context.Background(), query, values...).Scan(&n); err != nil {
			h.t.Fatal(err)
		}
		return n
	}
	h.run("a question is kept for a quarter of an hour, from the last on", func(t *testing.T) {
		c := h.visitor().fromFar()
		c.post("/login/passkey/ask", nil).expect(http.StatusOK)
		first := time.Now()
		c.post("/login/passkey/ask", nil).expect(http.StatusOK)
		if n := rows("expires_at >= $1 and expires_at <= $2", first.Add(15*time.Minute-time.Second).UnixMilli(), time.Now().Add(15*time.Minute).UnixMilli()); n != 1 {
			t.Errorf("%d sessions last so long", n)
		}
	})
	h.run("a household asks so often", func(t *testing.T) {
		for range app.PasskeyBudget - 2 {
			h.visitor().fromFar().post("/login/passkey/ask", nil).expect(http.StatusOK)
		}
		before := rows("ended = 0")
		h.visitor().fromFar().post("/login/passkey/ask", nil).expect(http.StatusTooManyRequests)
		if after := rows("ended = 0"); after != before {
			t.Errorf("there were %d sessions, and are %d", before, after)
		}
		h.visitor().post("/login/passkey/ask", nil).expect(http.StatusOK)
	})
}

func TestPasskeysOnPages(t *testing.T) {
	h := newHarness(t, named)
	anna := h.account("anna@example.org", mailing.RoleUser)
	d := authtest.NewDevice("http://localhost:8000")
	// ask sends the question of a form to the device, as the script does, and then the form.
	ask := func(c *client, on *page, changes url.Values, answer func(options string) string) *page {
		const form = "form[data-passkey]"
		question := c.post(on.attr(form, "data-passkey-ask"), nil).expect(http.StatusOK)
		if changes == nil {
			changes = url.Values{}
		}
		changes.Set(on.attr(form+" input[data-passkey-answer]", "name"), answer(question.body))
		return c.submit(on, form, changes)
	}
	prove := func(options string) string { return d.Prove(t, options) }
	h.run("one is added, with recovery codes", func(t *testing.T) {
		c := h.signIn(anna)
		p := c.get("/profile/security/passkeys").expect(http.StatusOK)
		added := ask(c, p, url.Values{"name": {"Телефон"}}, func(options string) string { return d.Make(t, options) })
		added.expect(http.StatusOK).shows(".flash", "Телефон").shows(".take-text", "-")
		if got := len(strings.Fields(added.text(".take-text"))); got != app.RecoveryCodes {
			t.Errorf("%d recovery codes are shown", got)
		}
		c.get("/profile/security").shows(".guard-key", "Телефон").shows(".guard-key", "ещё не использовался")
	})
	h.run("it lets in without a password", func(t *testing.T) {
		c := h.visitor()
		in := ask(c, c.get("/login?next=%2Fmessages"), nil, prove)
		if in.location() != "/messages" {
			t.Fatalf("it leads to %q: %s", in.location(), in.text(".note"))
		}
		c.follow(in).expect(http.StatusOK)
	})
	h.run("an answer is good once", func(t *testing.T) {
		c := h.visitor()
		var kept string
		ask(c, c.get("/login"), nil, func(options string) string { kept = prove(options); return kept }).expect(http.StatusSeeOther)
		c.post("/login/passkey", url.Values{"answer": {kept}}).expect(http.StatusUnprocessableEntity)
	})
	h.run("after the password it is the second step", func(t *testing.T) {
		c := h.visitor()
		p := c.follow(c.post("/login", url.Values{"email": {anna.Email}, "password": {password}}))
		p.expect(http.StatusOK).lacks("#field-code")
		ask(c, p, nil, prove).expect(http.StatusSeeOther)
		c.get("/profile").expect(http.StatusOK)
	})
	h.run("it proves once more who is there", func(t *testing.T) {
		c := h.visitor()
		ask(c, c.get("/login"), nil, prove).expect(http.StatusSeeOther)
		h.stale(anna)
		p := c.follow(c.get("/profile/security/totp")).expect(http.StatusOK)
		if to := ask(c, p, nil, prove).location(); to != "/profile/security/totp" {
			t.Errorf("it leads to %q", to)
		}
		c.get("/profile/security/totp").expect(http.StatusOK)
	})
	h.run("it is renamed and removed", func(t *testing.T) {
		c := h.visitor()
		ask(c, c.get("/login"), nil, prove).expect(http.StatusSeeOther)
		p := c.get("/profile/security")
		c.follow(c.submit(p, `form[action=/profile/security/passkeys/rename]`, url.Values{"name": {"Ключ"}})).shows(".guard-key", "Ключ")
		c.follow(c.submit(p, `form[action=/profile/security/passkeys/remove]`, nil)).lacks(".guard-key")
		if needed, err := h.app.NeedsFactor(context.Background(), anna.ID); needed || err != nil {
			t.Errorf("a second factor is still asked for: %v", err)
		}
	})
	h.run("where browsers allow none, nothing offers them", func(t *testing.T) {
		h := newHarness(t)
		h.visitor().get("/login").lacks("form[data-passkey]")
		c := h.signIn(h.account("anna@example.org", mailing.RoleUser))
		c.get("/profile/security").lacks(`a[href=/profile/security/passkeys]`).shows("main", "VESTNIK_BASE_URL")
	})
}

func TestProofs(t *testing.T) {
	h := newHarness(t)
	admin := h.account("admin@example.org", mailing.RoleAdmin)
	relay := url.Values{
		"name": {"Наш сервер"}, "host": {"smtp.example.org"}, "port": {"587"}, "tls": {"none"}, "username": {"herald"},
		"password": {"тайна сервера"}, "from_email": {"herald@example.org"}, "weight": {"10"}, "connections": {"2"}, "enabled": {"on"},
	}
	relays := func() []app.RelaySettings {
		list, err := h.app.Relays(context.Background(), admin)
		if err != nil {
			h.t.Fatal(err)
		}
		return list
	}
	const form = "form:has-text(Ваш пароль)"
	h.run("who signed in a moment ago is not asked", func(t *testing.T) {
		h.signIn(admin).get("/profile/security/totp").expect(http.StatusOK).one("img.scan-code")
	})
	h.run("a page is shown after the proof", func(t *testing.T) {
		c := h.signIn(admin)
		h.stale(admin)
		p := c.follow(c.get("/profile/security/totp")).expect(http.StatusOK)
		c.submit(p, form, url.Values{"proof_answer": {"not the password"}}).expect(http.StatusUnprocessableEntity).
			shows(".field-error", "Пароль не подходит.")
		on := c.submit(p, form, url.Values{"proof_answer": {password}})
		if on.location() != "/profile/security/totp" {
			t.Fatalf("it leads to %q", on.location())
		}
		c.follow(on).expect(http.StatusOK)
	})
	h.run("a form goes on to what it was for, with all that was typed", func(t *testing.T) {
		c := h.signIn(admin)
		h.stale(admin)
		p := c.post("/relays/new", relay).expect(http.StatusForbidden).shows("h1", "Подтвердите")
		if strings.Contains(p.body, "тайна сервера") || len(relays()) != 0 {
			t.Error("the password of the relay stands in the page, or it was made without a proof")
		}
		wrong := c.submit(p, form, url.Values{"proof_answer": {"not the password"}}).expect(http.StatusUnprocessableEntity)
		c.follow(c.submit(wrong, form, url.Values{"proof_answer": {password}})).expect(http.StatusOK).shows("main", "Наш сервер")
		if list := relays(); len(list) != 1 || list[0].Username != "herald" || list[0].Weight != 10 || !list[0].Enabled {
			t.Errorf("made: %+v", list)
		}
		c.post("/domains", url.Values{"domain": {"example.org"}}).expect(http.StatusSeeOther) // not asked again
	})
	h.run("a form is carried to where it was sent, by who sent it", func(t *testing.T) {
		c := h.signIn(admin)
		h.stale(admin)
		carried := c.post("/relays/new", relay).attr(form+" [name=proof_form]", "value")
		proof := url.Values{"proof": {"password"}, "proof_answer": {password}, "proof_form": {carried}}
		c.post("/domains", proof).expect(http.StatusUnprocessableEntity)
		other := h.signIn(h.account("other@example.org", mailing.RoleAdmin))
		other.post("/relays/new", proof).expect(http.StatusUnprocessableEntity)
		if len(relays()) != 1 {
			t.Error("it was carried")
		}
	})
	h.run("a code of the app is a proof", func(t *testing.T) {
		c := h.signIn(admin)
		secret, _ := h.withTOTP(admin)
		h.stale(admin)
		p := c.post("/profile/security/codes", nil).expect(http.StatusForbidden)
		codes := c.submit(p, "details.otherwise form", url.Values{"proof_answer": {codeOf(t, secret, 1)}}).expect(http.StatusOK)
		if got := len(strings.Fields(codes.text(".take-text"))); got != app.RecoveryCodes {
			t.Errorf("%d recovery codes are shown", got)
		}
	})
	h.run("exports, secrets, roles and second factors ask for a proof", func(t *testing.T) {
		fresh := map[string]bool{}
		for _, route := range h.web.Routes() {
			fresh[route.Pattern] = route.Fresh
		}
		for _, pattern := range []string{
			"GET /logs.csv", "POST /relays/new", "POST /relays/{id}", "POST /relays/test", "POST /domains", "POST /domains/delete",
			"POST /admin/users/{id}/role", "POST /admin/users/{id}/reset-factors",
			"POST /profile/security/totp/disable", "POST /profile/security/codes", "POST /profile/security/passkeys",
		} {
			if !fresh[pattern] {
				t.Errorf("%s does not", pattern)
			}
		}
	})
}

func TestSecurityPage(t *testing.T) {
	h := newHarness(t)
	anna := h.account("anna@example.org", mailing.RoleUser)
	h.run("codes from an app are set up, and switched off", func(t *testing.T) {
		c := h.signIn(anna)
		c.get("/profile").one(`a[href=/profile/security]`)
		p := c.get("/profile/security/totp").expect(http.StatusOK)
		secret := p.text(".take-text")
		wrong := c.submit(p, "form[action=/profile/security/totp]", url.Values{"code": {"000000"}}).expect(http.StatusUnprocessableEntity)
		if wrong.text(".take-text") != secret {
			t.Error("the secret is another one after a wrong code")
		}
		on := c.submit(wrong, "form[action=/profile/security/totp]", url.Values{"code": {codeOf(t, secret, 0)}}).expect(http.StatusOK)
		on.shows(".flash", "включены").shows(".note-title", "больше мы их не покажем")
		p = c.get("/profile/security").shows(".guard", "Включены").shows(".guard", "Осталось 10")
		c.follow(c.submit(p, "form[action=/profile/security/totp/disable]", nil)).shows(".guard", "Выключены")
	})
	h.run("the password is changed, and all others are out", func(t *testing.T) {
		c, other := h.signIn(anna), h.signIn(anna)
		p := c.get("/profile/security")
		wrong := c.submit(p, "#password", url.Values{"old": {"x"}, "password": {"новый пароль дня"}, "again": {"новый пароль дня"}})
		wrong.expect(http.StatusUnprocessableEntity).shows("#field-old-error", "Пароль не подходит.")
		c.follow(c.submit(p, "#password", url.Values{"old": {password}, "password": {"новый пароль дня"}, "again": {"новый пароль дня"}})).
			shows(".flash", "Пароль изменён")
		if got := other.get("/profile").location(); !strings.HasPrefix(got, "/login") {
			t.Errorf("the other is still in: %q", got)
		}
		c.get("/profile").expect(http.StatusOK)
	})
}

func TestSessionList(t *testing.T) {
	h := newHarness(t)
	anna := h.account("anna@example.org", mailing.RoleUser)
	phone := h.visitor()
	phone.header.Set("User-Agent", "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1")
	phone.fromFar().post("/login", url.Values{"email": {anna.Email}, "password": {password}}).expect(http.StatusSeeOther)
	c := h.signIn(anna)
	h.run("a person sees where they are signed in", func(t *testing.T) {
		p := c.get("/profile/security")
		p.shows("tbody", "Safari · iPhone").shows("tbody", "203.0.113.9").shows("tbody", "Неизвестное устройство этот")
		if got := len(p.find("tbody tr")); got != 2 {
			t.Errorf("%d sessions are listed", got)
		}
	})
	h.run("and ends one", func(t *testing.T) {
		p := c.get("/profile/security")
		c.follow(c.submit(p, "tbody form", nil)).shows(".flash", "Сеанс завершён.").lacks("tbody form")
		if got := phone.get("/profile").location(); !strings.HasPrefix(got, "/login") {
			t.Errorf("the phone is still in: %q", got)
		}
	})
	h.run("or all others", func(t *testing.T) {
		other := h.signIn(anna)
		c.submit(c.get("/profile/security"), `form[action=/profile/security/sessions/end_others]`, nil).expect(http.StatusSeeOther)
		if got := other.get("/profile").location(); !strings.HasPrefix(got, "/login") {
			t.Errorf("the other is still in: %q", got)
		}
	})
	h.run("a visit is written down once in a few minutes", func(t *testing.T) {
		seen := func() time.Time {
			list, err := h.store.AccountSessions(context.Background(), anna.ID, time.Now())
			if err != nil || len(list) != 1 {
				t.Fatalf("%d sessions, %v", len(list), err)
			}
			return list[0].LastSeen
		}
		first := seen()
		c.get("/profile")
		if got := seen(); !got.Equal(first) {
			t.Errorf("it was written again: %s, %s", first, got)
		}
		h.changeSessions(anna, func(values map[string]string) { values["seen"] = ago(6 * time.Minute) })
		c.get("/profile")
		if got := seen(); got.Before(first) {
			t.Errorf("it was not written: %s", got)
		}
	})
	h.run("who was not here for two weeks is out", func(t *testing.T) {
		h.changeSessions(anna, func(values map[string]string) { values["seen"] = ago(14 * 24 * time.Hour) })
		if got := c.get("/profile").location(); !strings.HasPrefix(got, "/login") {
			t.Errorf("they are still in: %q", got)
		}
	})
}

func TestSessionOf(t *testing.T) {
	born := time.Now().Truncate(time.Millisecond)
	deadline := born.Add(90 * 24 * time.Hour)
	ms := func(at time.Time) string { return strconv.FormatInt(at.UnixMilli(), 10) }
	seen := born.Add(time.Hour)
	cases := []struct {
		name    string
		values  map[string]any
		account int64
		seen    time.Time
		expires time.Time
	}{
		{"of nobody", map[string]any{"flashes": "[]"}, 0, time.Time{}, born.Add(15 * time.Minute)},
		{"half way in", map[string]any{"pending": "7"}, 7, time.Time{}, born.Add(10 * time.Minute)},
		{"signed in", map[string]any{"account": "7", "seen": ms(seen)}, 7, seen, seen.Add(14 * 24 * time.Hour)},
		{"near its end", map[string]any{"account": "7", "seen": ms(deadline.Add(-time.Hour))}, 7, deadline.Add(-time.Hour), deadline},
	}
	for _, c := range cases {
		t.Run("a session "+c.name, func(t *testing.T) {
			data, err := web.SessionCodec{}.Encode(deadline, c.values)
			if err != nil {
				t.Fatal(err)
			}
			of, expires := web.SessionOf("key", data, deadline)
			if of.Key != "key" || of.AccountID != c.account || !of.LastSeen.Equal(c.seen) || !expires.Equal(c.expires) {
				t.Errorf("got %+v until %s", of, expires)
			}
		})
	}
}
