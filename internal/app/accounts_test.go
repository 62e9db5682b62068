package app_test

import (
	"path"
	"runtime"
	"strings"
	"testing"
	"time"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
	"vestnik/internal/store/storetest"
)

var (
	stranger = app.Visitor{Address: "203.0.113.7"}
	local    = app.Visitor{Address: "127.0.0.1", Loopback: true}
)

func anna() app.Registration {
	return app.Registration{
		FirstName: " Анна ", LastName: "Петрова", Email: "Anna@Example.org", Password: password, Again: password,
		Lang: "ru", Zone: "Asia/Omsk",
	}
}

func register(t *testing.T, h *house, r app.Registration) {
	t.Helper()
	_, err := h.Register(t.Context(), stranger, r)
	must(t, err)
}

func signIn(t *testing.T, h *house, email, password string) error {
	t.Helper()
	_, err := h.SignIn(t.Context(), stranger, email, password)
	return err
}

func TestRegistration(t *testing.T) {
	t.Run("a person registers, confirms by the code and signs in", func(t *testing.T) {
		h := newHouse(t)
		email, err := h.Register(t.Context(), stranger, anna())
		if err != nil || email != "anna@example.org" {
			t.Fatalf("got %q, %v", email, err)
		}
		want(t, signIn(t, h, email, password), "account_unconfirmed")
		want(t, signIn(t, h, email, "another password"), "sign_in_wrong")
		want(t, h.Confirm(t.Context(), stranger, email, " "+h.last(t, "code")), "ok")
		a, err := h.SignIn(t.Context(), stranger, " ANNA@example.org", password)
		must(t, err)
		if !a.Active() || a.Role != mailing.RoleUser || a.Name() != "Анна Петрова" || a.Zone != "Asia/Omsk" || a.Lang != "ru" {
			t.Errorf("got %+v", a)
		}
	})
	t.Run("what the browser makes up about language and zone is replaced", func(t *testing.T) {
		h := newHouse(t)
		r := anna()
		r.Lang, r.Zone = "tlh", "Mars/Olympus"
		register(t, h, r)
		a, err := h.AccountByEmail(t.Context(), r.Email)
		must(t, err)
		if a.Lang != "en" || a.Zone != "Europe/Moscow" {
			t.Errorf("got %q, %q", a.Lang, a.Zone)
		}
	})
	t.Run("all that is wrong with the form is said at once", func(t *testing.T) {
		h := newHouse(t)
		_, err := h.Register(t.Context(), stranger, app.Registration{
			LastName: strings.Repeat("я", 101), Email: "anna@", Password: "short", Again: "other",
		})
		if got := fields(err); got != "again:passwords_differ email:email_domain_malformed first_name:required "+
			"last_name:text_too_long password:password_too_short" {
			t.Errorf("got %s", got)
		}
	})
	t.Run("a closed installation takes nobody", func(t *testing.T) {
		h := newHouse(t)
		h.SignUp = mailing.SignUpClosed
		_, err := h.Register(t.Context(), stranger, anna())
		want(t, err, "signup_closed")
	})
	t.Run("registering a confirmed address looks the same and changes nothing", func(t *testing.T) {
		h := newHouse(t)
		register(t, h, anna())
		must(t, h.Confirm(t.Context(), stranger, "anna@example.org", h.last(t, "code")))
		again := anna()
		again.FirstName, again.Password, again.Again = "Мария", "зелёный слон в лесу", "зелёный слон в лесу"
		email, err := h.Register(t.Context(), stranger, again)
		if err != nil || email != "anna@example.org" {
			t.Fatalf("got %q, %v", email, err)
		}
		if mails := h.mails(t); len(mails) != 2 || mails[1].subject != "Вы уже зарегистрированы" || mails[1].vars["first_name"] != "Анна" {
			t.Errorf("mails %v", mails)
		}
		want(t, signIn(t, h, "anna@example.org", password), "ok")
		want(t, signIn(t, h, "anna@example.org", again.Password), "sign_in_wrong")
	})
	t.Run("who never confirmed may register again in the same browser, and the last password counts", func(t *testing.T) {
		h := newHouse(t)
		mine := app.Visitor{Address: stranger.Address, Browser: "mine"}
		_, err := h.Register(t.Context(), mine, anna())
		must(t, err)
		old := h.last(t, "code")
		_, err = h.Register(t.Context(), mine, other())
		must(t, err)
		want(t, h.Confirm(t.Context(), mine, "anna@example.org", old), "code_wrong")
		must(t, h.Confirm(t.Context(), mine, "anna@example.org", h.last(t, "code")))
		want(t, signIn(t, h, "anna@example.org", otherPassword), "ok")
	})
	t.Run("a stranger cannot take the place of a superuser who is not active yet", func(t *testing.T) {
		h := newHouse(t)
		superuser(t, h)
		r := anna()
		r.Email, r.Password, r.Again = "admin@admin.com", "зелёный слон в лесу", "зелёный слон в лесу"
		register(t, h, r)
		must(t, h.ResendCode(t.Context(), stranger, r.Email))
		for _, m := range h.mails(t) {
			if m.vars["code"] != nil {
				t.Errorf("a code was mailed: %v", m)
			}
		}
		must(t, h.Confirm(t.Context(), local, r.Email, app.WellKnownCode))
		want(t, signIn(t, h, r.Email, password), "ok")
		want(t, signIn(t, h, r.Email, r.Password), "sign_in_wrong")
	})
}

func TestConfirmationCodes(t *testing.T) {
	confirm := func(t *testing.T, h *house, code string) error {
		t.Helper()
		return h.Confirm(t.Context(), stranger, "anna@example.org", code)
	}
	// wrong is a code that is not the right one.
	wrong := func(right string) string {
		if right == "000000" {
			return "000001"
		}
		return "000000"
	}
	t.Run("a wrong code says so, and the fifth ends the right one, too; none is no guess", func(t *testing.T) {
		h := newHouse(t)
		register(t, h, anna())
		code := h.last(t, "code")
		for range app.CodeTries {
			want(t, confirm(t, h, " "), "required")
			want(t, confirm(t, h, wrong(code)), "code_wrong")
		}
		want(t, confirm(t, h, code), "code_wrong")
	})
	t.Run("the fifth try may be the right one", func(t *testing.T) {
		h := newHouse(t)
		register(t, h, anna())
		code := h.last(t, "code")
		for range app.CodeTries - 1 {
			want(t, confirm(t, h, wrong(code)), "code_wrong")
		}
		want(t, confirm(t, h, code), "ok")
	})
	t.Run("a new code brings five tries and no new budget, and one waits longer and longer", func(t *testing.T) {
		h := newHouse(t)
		register(t, h, anna())
		for i := range int(app.CodeTriesDay.Most) {
			if i > 0 && i%app.CodeTries == 0 {
				must(t, h.ResendCode(t.Context(), stranger, "anna@example.org"))
			}
			want(t, confirm(t, h, wrong(h.last(t, "code"))), "code_wrong")
			if over := i + 1 - int(app.CodeTriesDay.Free); over >= 0 {
				want(t, confirm(t, h, h.last(t, "code")), "code_later")
				h.later(time.Second << over)
			}
		}
		must(t, h.ResendCode(t.Context(), stranger, "anna@example.org"))
		want(t, confirm(t, h, h.last(t, "code")), "code_later")
		h.now = h.now.Add(24 * time.Hour)
		must(t, h.ResendCode(t.Context(), stranger, "anna@example.org"))
		want(t, confirm(t, h, h.last(t, "code")), "ok")
	})
	t.Run("a code works for an hour and once", func(t *testing.T) {
		h := newHouse(t)
		register(t, h, anna())
		code := h.last(t, "code")
		h.now = h.now.Add(app.CodeLifetime)
		want(t, confirm(t, h, code), "code_wrong")
		must(t, h.ResendCode(t.Context(), stranger, "anna@example.org"))
		want(t, confirm(t, h, h.last(t, "code")), "ok")
		want(t, confirm(t, h, h.last(t, "code")), "code_wrong")
	})
	t.Run("known and unknown addresses are answered alike", func(t *testing.T) {
		h := newHouse(t)
		register(t, h, anna())
		storetest.Account(t, h.store, "active@example.org")
		before := len(h.mails(t))
		for _, email := range []string{"nobody@example.org", "active@example.org"} {
			want(t, h.Confirm(t.Context(), stranger, email, "000000"), "code_wrong")
			want(t, h.ResendCode(t.Context(), stranger, email), "ok")
		}
		want(t, h.Confirm(t.Context(), stranger, "no address", "000000"), "code_wrong")
		if after := len(h.mails(t)); after != before {
			t.Errorf("%d mails went out", after-before)
		}
	})
	t.Run("an address gets no more than six mails an hour", func(t *testing.T) {
		h := newHouse(t)
		register(t, h, anna())
		for range 2 * app.MailBudget {
			want(t, h.ResendCode(t.Context(), stranger, "anna@example.org"), "ok")
		}
		if n := len(h.mails(t)); n != app.MailBudget {
			t.Errorf("%d mails", n)
		}
		want(t, confirm(t, h, h.last(t, "code")), "ok")
	})
	t.Run("one network address cannot ask without end", func(t *testing.T) {
		h := newHouse(t)
		for range app.ClientBudget {
			must(t, h.ResendCode(t.Context(), stranger, "nobody@example.org"))
		}
		want(t, h.ResendCode(t.Context(), stranger, "nobody@example.org"), "too_many_requests")
		want(t, h.ResendCode(t.Context(), local, "nobody@example.org"), "ok")
	})
}

func superuser(t *testing.T, h *house) mailing.Account {
	t.Helper()
	a, err := h.CreateAccount(t.Context(), app.NewAccount{
		Email: "admin@admin.com", Password: password, Role: mailing.RoleAdmin, Lang: "ru", Code: app.WellKnownCode,
	})
	must(t, err)
	return a
}

func TestSuperuser(t *testing.T) {
	t.Run("the code 1234 activates the superuser on this machine", func(t *testing.T) {
		h := newHouse(t)
		superuser(t, h)
		want(t, signIn(t, h, "admin@admin.com", password), "account_unconfirmed")
		want(t, h.Confirm(t.Context(), local, "admin@admin.com", "1234"), "ok")
		a, err := h.SignIn(t.Context(), local, "admin@admin.com", password)
		if err != nil || a.Role != mailing.RoleAdmin {
			t.Errorf("got %+v, %v", a, err)
		}
	})
	for _, typed := range []string{"1234", " 1234 ", "12 34", "1\u00a02\t3 4", "12\x0034"} {
		t.Run("from elsewhere "+strings.ReplaceAll(typed, "\x00", "NUL")+" is wrong", func(t *testing.T) {
			h := newHouse(t)
			superuser(t, h)
			want(t, h.Confirm(t.Context(), stranger, "admin@admin.com", typed), "code_wrong")
		})
	}
	t.Run("made twice, it exists and nothing changes", func(t *testing.T) {
		h := newHouse(t)
		superuser(t, h)
		_, err := h.CreateAccount(t.Context(), app.NewAccount{
			Email: "Admin@admin.com", Password: "зелёный слон в лесу", Role: mailing.RoleUser, Code: "777777",
		})
		want(t, err, "account_exists")
		want(t, h.Confirm(t.Context(), local, "admin@admin.com", "1234"), "ok")
		want(t, signIn(t, h, "admin@admin.com", password), "ok")
	})
	t.Run("without a code an account is active at once", func(t *testing.T) {
		h := newHouse(t)
		_, err := h.CreateAccount(t.Context(), app.NewAccount{Email: "m@example.org", Password: password, Role: mailing.RoleManager})
		must(t, err)
		want(t, signIn(t, h, "m@example.org", password), "ok")
	})
	t.Run("all that is wrong is said at once", func(t *testing.T) {
		h := newHouse(t)
		_, err := h.CreateAccount(t.Context(), app.NewAccount{Email: "x", Password: "1", Role: "king"})
		if got := fields(err); got != "email:email_malformed password:password_too_short role:choice_unknown" {
			t.Errorf("got %s", got)
		}
	})
}

// active makes an account with a password.
func active(t *testing.T, h *house, email string) mailing.Account {
	t.Helper()
	a, err := h.CreateAccount(t.Context(), app.NewAccount{
		Email: email, FirstName: "Анна", Password: password, Role: mailing.RoleUser, Lang: "ru",
	})
	must(t, err)
	return a
}

func TestSignIn(t *testing.T) {
	t.Run("a wrong password, an unknown and a malformed address are answered alike", func(t *testing.T) {
		h := newHouse(t)
		active(t, h, "anna@example.org")
		want(t, signIn(t, h, "anna@example.org", "wrong password"), "sign_in_wrong")
		want(t, signIn(t, h, "nobody@example.org", password), "sign_in_wrong")
		want(t, signIn(t, h, "no address", password), "sign_in_wrong")
	})
	t.Run("a blocked person learns so with the right password only, and their session ends", func(t *testing.T) {
		h := newHouse(t)
		a := active(t, h, "anna@example.org")
		_, err := h.Account(t.Context(), a.ID)
		want(t, err, "ok")
		must(t, h.store.Block(t.Context(), a.ID, 0, "", h.now))
		want(t, signIn(t, h, a.Email, password), "account_blocked")
		want(t, signIn(t, h, a.Email, "wrong password"), "sign_in_wrong")
		_, err = h.Account(t.Context(), a.ID)
		want(t, err, "not_found")
	})
}

func reset(t *testing.T, h *house, link, password, again string) error {
	t.Helper()
	_, err := h.Reset(t.Context(), link, password, again)
	return err
}

func checkReset(h *house, link string) error {
	_, err := h.CheckReset(link)
	return err
}

func TestReset(t *testing.T) {
	const newPassword = "зелёный слон в лесу"
	ask := func(t *testing.T, h *house) string {
		t.Helper()
		must(t, h.RequestReset(t.Context(), stranger, "anna@example.org"))
		return path.Base(h.last(t, "link"))
	}
	t.Run("a link sets a new password once and signs out everywhere", func(t *testing.T) {
		h := newHouse(t)
		a := active(t, h, "anna@example.org")
		must(t, h.store.PutSession(t.Context(), mailing.Session{Key: "hash", AccountID: a.ID}, []byte("x"), h.now.Add(time.Hour)))
		link := ask(t, h)
		want(t, checkReset(h, link), "ok")
		want(t, reset(t, h, link, newPassword, "other"), "passwords_differ")
		want(t, reset(t, h, link, "short", "short"), "password_too_short")
		want(t, reset(t, h, link, newPassword, newPassword), "ok")
		if _, found, err := h.store.Session(t.Context(), "hash", h.now); found || err != nil {
			t.Errorf("the session is still there: %v, %v", found, err)
		}
		want(t, signIn(t, h, a.Email, password), "sign_in_wrong")
		want(t, signIn(t, h, a.Email, newPassword), "ok")
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		want(t, reset(t, h, link, password, password), "link_expired")
		runtime.ReadMemStats(&after)
		if spent := after.TotalAlloc - before.TotalAlloc; spent > 4<<20 { // a hash takes 19 MiB
			t.Errorf("a link that was used costs %d bytes, which is a hash", spent)
		}
	})
	t.Run("a link works for an hour", func(t *testing.T) {
		h := newHouse(t)
		active(t, h, "anna@example.org")
		link := ask(t, h)
		h.now = h.now.Add(app.ResetLifetime)
		want(t, checkReset(h, link), "link_expired")
		want(t, reset(t, h, link, newPassword, newPassword), "link_expired")
	})
	t.Run("a changed link does nothing", func(t *testing.T) {
		h := newHouse(t)
		active(t, h, "anna@example.org")
		link := []byte(ask(t, h))
		link[len(link)/2] ^= 1
		want(t, reset(t, h, string(link), newPassword, newPassword), "link_invalid")
	})
	t.Run("a newer link replaces the older", func(t *testing.T) {
		h := newHouse(t)
		active(t, h, "anna@example.org")
		old := ask(t, h)
		link := ask(t, h)
		want(t, reset(t, h, old, newPassword, newPassword), "link_expired")
		want(t, reset(t, h, link, newPassword, newPassword), "ok")
	})
	t.Run("a request that is one too many does not void the link that was mailed", func(t *testing.T) {
		h := newHouse(t)
		active(t, h, "anna@example.org")
		var link string
		for range app.MailBudget + 1 {
			link = ask(t, h)
		}
		if n := len(h.mails(t)); n != app.MailBudget {
			t.Errorf("%d mails", n)
		}
		want(t, reset(t, h, link, newPassword, newPassword), "ok")
	})
	t.Run("unknown, waiting and blocked people get the same answer and no mail", func(t *testing.T) {
		h := newHouse(t)
		register(t, h, anna())
		blocked := active(t, h, "blocked@example.org")
		must(t, h.store.Block(t.Context(), blocked.ID, 0, "", h.now))
		before := len(h.mails(t))
		for _, email := range []string{"nobody@example.org", "anna@example.org", blocked.Email} {
			want(t, h.RequestReset(t.Context(), stranger, email), "ok")
		}
		if after := len(h.mails(t)); after != before {
			t.Errorf("%d mails went out", after-before)
		}
	})
}

func TestProfile(t *testing.T) {
	t.Run("a profile is stored, and the e-mail stays", func(t *testing.T) {
		h := newHouse(t)
		a := storetest.Account(t, h.store, "anna@example.org")
		must(t, h.UpdateProfile(t.Context(), a, app.Profile{
			FirstName: " Аня ", LastName: "П.", Phone: "+7 (912) 345-67-89", Lang: "en", Zone: "Asia/Tokyo",
		}))
		got, err := h.Account(t.Context(), a.ID)
		if err != nil || got.Name() != "Аня П." || got.Phone != "+7 (912) 345-67-89" || got.Zone != "Asia/Tokyo" || got.Email != a.Email {
			t.Errorf("got %+v, %v", got, err)
		}
	})
	t.Run("all that is wrong is said at once", func(t *testing.T) {
		h := newHouse(t)
		a := storetest.Account(t, h.store, "anna@example.org")
		err := h.UpdateProfile(t.Context(), a, app.Profile{Phone: "call me", Lang: "de", Zone: "Local"})
		if got := fields(err); got != "first_name:required lang:choice_unknown phone:phone_malformed zone:zone_unknown" {
			t.Errorf("got %s", got)
		}
	})
	t.Run("the language can be switched by who has no name", func(t *testing.T) {
		h := newHouse(t)
		a := superuser(t, h)
		must(t, h.Confirm(t.Context(), local, a.Email, app.WellKnownCode))
		must(t, h.SetLang(t.Context(), a, "en"))
		want(t, h.SetLang(t.Context(), a, "de"), "choice_unknown")
		if got, err := h.Account(t.Context(), a.ID); err != nil || got.Lang != "en" {
			t.Errorf("got %q, %v", got.Lang, err)
		}
	})
	t.Run("people are listed for those who may see them", func(t *testing.T) {
		h := newHouse(t)
		for role, code := range map[mailing.Role]string{
			mailing.RoleUser: "not_found", mailing.RoleManager: "ok", mailing.RoleAdmin: "ok",
		} {
			_, _, err := h.Accounts(t.Context(), h.person(t, string(role)+"@example.org", role), app.AccountFilter{}, app.Page{Limit: 10})
			want(t, err, code)
		}
	})
}
