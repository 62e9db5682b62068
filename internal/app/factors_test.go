package app_test

import (
	"encoding/base32"
	"fmt"
	"strings"
	"testing"
	"time"

	"vestnik/internal/app"
	"vestnik/internal/auth"
	"vestnik/internal/auth/authtest"
	"vestnik/internal/mailing"
)

// codeOf is what an app with the secret shows at the time of the house, or so many
// steps later.
func (h *house) codeOf(t *testing.T, secret string, steps int) string {
	t.Helper()
	raw, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(strings.ReplaceAll(secret, " ", ""))
	must(t, err)
	return authtest.Code(raw, h.now.Add(time.Duration(steps)*30*time.Second))
}

// withTOTP switches codes from an app on and returns its secret and the recovery codes.
func (h *house) withTOTP(t *testing.T, who mailing.Account) (secret string, recovery []string) {
	t.Helper()
	begun := h.BeginTOTP(who)
	recovery, err := h.EnableTOTP(t.Context(), stranger, who, begun.Draft, h.codeOf(t, begun.Secret, 0))
	must(t, err)
	return begun.Secret, recovery
}

// withPasskey adds a passkey of a name and returns the device that holds it.
func (h *house) withPasskey(t *testing.T, who mailing.Account, name string) *authtest.Device {
	t.Helper()
	d := authtest.NewDevice(h.BaseURL)
	asked, err := h.BeginPasskey(t.Context(), who)
	must(t, err)
	_, err = h.AddPasskey(t.Context(), who, asked.State, d.Make(t, asked.Options), name)
	must(t, err)
	return d
}

// deedsOf are the actions in the audit log, oldest first, with what they changed.
func (h *house) deedsOf(t *testing.T, who mailing.Account) []string {
	t.Helper()
	rows, err := h.store.Writer().QueryContext(t.Context(),
		"select action, was, became, from_address, actor_id from deeds where owner_id = $1 order by number", who.ID)
	must(t, err)
	defer rows.Close()
	var list []string
	for rows.Next() {
		var action, was, became, from string
		var actor int64
		must(t, rows.Scan(&action, &was, &became, &from, &actor))
		list = append(list, strings.TrimSpace(fmt.Sprint(action, " ", was, became)))
	}
	must(t, rows.Err())
	return list
}

// told fails unless the person got these mails since the last call, by their subjects.
func (h *house) told(t *testing.T, seen *int, subjects ...string) {
	t.Helper()
	mails := h.mails(t)
	var got []string
	for _, m := range mails[*seen:] {
		got = append(got, m.subject)
	}
	*seen = len(mails)
	if strings.Join(got, "|") != strings.Join(subjects, "|") {
		t.Errorf("mails: %q, want %q", got, subjects)
	}
}

func TestTOTP(t *testing.T) {
	h := newHouse(t)
	anna := h.person(t, "anna@example.org", mailing.RoleUser)
	boris := h.person(t, "boris@example.org", mailing.RoleUser)
	seen := 0
	begun := h.BeginTOTP(anna)
	t.Run("nothing is asked for until the app has shown that it works", func(t *testing.T) {
		_, err := h.EnableTOTP(t.Context(), stranger, anna, begun.Draft, "000000")
		want(t, err, "code_wrong")
		needed, err := h.NeedsFactor(t.Context(), anna.ID)
		if err != nil || needed {
			t.Errorf("needed: %v, %v", needed, err)
		}
	})
	t.Run("the secret is the same when the code was mistyped, and nobody else's", func(t *testing.T) {
		again, err := h.ResumeTOTP(anna, begun.Draft)
		if err != nil || again.Secret != begun.Secret || again.Link != begun.Link {
			t.Errorf("got %+v, %v", again, err)
		}
		_, err = h.ResumeTOTP(boris, begun.Draft)
		want(t, err, "totp_draft_lost")
	})
	var recovery []string
	t.Run("with the right code it is on, and there are recovery codes", func(t *testing.T) {
		var err error
		recovery, err = h.EnableTOTP(t.Context(), stranger, anna, begun.Draft, h.codeOf(t, begun.Secret, 0))
		must(t, err)
		f, err := h.Factors(t.Context(), anna.ID)
		if err != nil || !f.Any() || f.Recovery != app.RecoveryCodes || len(recovery) != app.RecoveryCodes {
			t.Errorf("got %+v, %v, %d codes", f, err, len(recovery))
		}
		h.told(t, &seen, "Вход по кодам из приложения включён")
		if n := h.rows(t, "select count(*) from totp where secret_sealed like '%"+strings.ReplaceAll(begun.Secret, " ", "")+"%'"); n != 0 {
			t.Error("the secret can be read in the database")
		}
	})
	t.Run("a code is good once, for the step of the clock and those beside it", func(t *testing.T) {
		want(t, h.ProveCode(t.Context(), stranger, anna, h.codeOf(t, begun.Secret, 0)), "code_wrong") // it confirmed
		next := h.codeOf(t, begun.Secret, 1)
		must(t, h.ProveCode(t.Context(), stranger, anna, next))
		want(t, h.ProveCode(t.Context(), stranger, anna, next), "code_wrong")
		h.later(5 * time.Minute)
		want(t, h.ProveCode(t.Context(), stranger, anna, h.codeOf(t, begun.Secret, -2)), "code_wrong")
		must(t, h.ProveCode(t.Context(), stranger, anna, h.codeOf(t, begun.Secret, -1)))
		want(t, h.ProveCode(t.Context(), stranger, boris, h.codeOf(t, begun.Secret, 0)), "code_wrong")
	})
	t.Run("recovery codes are good once, and the person is told of each", func(t *testing.T) {
		h.later(2 * time.Hour)
		must(t, h.ProveRecovery(t.Context(), stranger, anna, " "+strings.ToUpper(recovery[3])))
		want(t, h.ProveRecovery(t.Context(), stranger, anna, recovery[3]), "code_wrong")
		want(t, h.ProveRecovery(t.Context(), stranger, boris, recovery[4]), "code_wrong")
		h.told(t, &seen, "Вход по резервному коду")
	})
	t.Run("they are made anew", func(t *testing.T) {
		fresh, err := h.RenewRecoveryCodes(t.Context(), anna)
		must(t, err)
		want(t, h.ProveRecovery(t.Context(), stranger, anna, recovery[5]), "code_wrong")
		must(t, h.ProveRecovery(t.Context(), stranger, anna, fresh[0]))
		h.told(t, &seen, "Созданы новые резервные коды", "Вход по резервному коду")
		_, err = h.RenewRecoveryCodes(t.Context(), boris)
		want(t, err, "factors_none")
	})
	t.Run("it can be switched off", func(t *testing.T) {
		must(t, h.DisableTOTP(t.Context(), anna))
		want(t, h.DisableTOTP(t.Context(), anna), "not_found")
		h.told(t, &seen, "Вход по кодам из приложения выключен")
	})
	t.Run("each of these is one line in the audit log", func(t *testing.T) {
		got := strings.Join(h.deedsOf(t, anna), ", ")
		if got != "account.enable_totp, account.use_recovery_code, account.renew_recovery_codes, account.use_recovery_code, account.disable_totp" {
			t.Error(got)
		}
	})
}

func TestGuesses(t *testing.T) {
	h := newHouse(t)
	anna := h.person(t, "anna@example.org", mailing.RoleUser)
	secret, _ := h.withTOTP(t, anna)
	h.later(time.Hour)
	t.Run("an hour has so many, of codes and recovery codes together", func(t *testing.T) {
		for i := range app.FactorHour {
			if i%2 == 0 {
				want(t, h.ProveCode(t.Context(), stranger, anna, "000000"), "code_wrong")
			} else {
				want(t, h.ProveRecovery(t.Context(), stranger, anna, "aaaaa-aaaaa"), "code_wrong")
			}
		}
		want(t, h.ProveCode(t.Context(), stranger, anna, h.codeOf(t, secret, 0)), "factor_budget")
	})
	t.Run("who is in already is asked by another budget", func(t *testing.T) {
		must(t, h.ProveCodeAgain(t.Context(), stranger, anna, h.codeOf(t, secret, 0)))
	})
	t.Run("a day has so many", func(t *testing.T) {
		for range app.FactorDay/app.FactorHour - 1 {
			h.later(time.Hour)
			for range app.FactorHour {
				want(t, h.ProveCode(t.Context(), stranger, anna, "000000"), "code_wrong")
			}
		}
		h.later(time.Hour)
		want(t, h.ProveCode(t.Context(), stranger, anna, h.codeOf(t, secret, 0)), "factor_budget")
		h.later(24 * time.Hour)
		must(t, h.ProveCode(t.Context(), stranger, anna, h.codeOf(t, secret, 0)))
	})
}

func TestStrangersCannotUseUpTheOwnersGuesses(t *testing.T) {
	const guesses = 10_000
	h := newHouse(t)
	anna := h.person(t, "anna@example.org", mailing.RoleUser)
	secret, recovery := h.withTOTP(t, anna)
	hers := app.Visitor{Address: "203.0.113.7", Device: h.RememberDevice(stranger, anna)}
	h.later(time.Hour)
	// compared counts how many guesses are, of those from a thousand addresses within a day.
	compared := func(from func(int) app.Visitor) (n int) {
		for i := range guesses {
			prove := func() error { return h.ProveCode(t.Context(), from(i), anna, "000000") }
			if i%2 == 0 {
				prove = func() error { return h.ProveRecovery(t.Context(), from(i), anna, "aaaaa-aaaaa") }
			}
			switch err := prove(); answer(err) {
			case "code_wrong":
				n++
			case "factor_budget":
			default:
				t.Fatal(err)
			}
			h.later(24 * time.Hour / (2 * guesses))
		}
		return n
	}
	t.Run("of ten thousand guesses in a day, no more are compared than the account has", func(t *testing.T) {
		if n := compared(from); n != app.FactorDay {
			t.Errorf("%d were", n)
		}
	})
	t.Run("the owner gets in on a known device by the app and by recovery codes, and strangers do not", func(t *testing.T) {
		want(t, h.ProveCode(t.Context(), stranger, anna, h.codeOf(t, secret, 0)), "factor_budget")
		must(t, h.ProveCode(t.Context(), hers, anna, h.codeOf(t, secret, 0)))
		must(t, h.ProveRecovery(t.Context(), hers, anna, recovery[0]))
	})
	t.Run("a known device has no more", func(t *testing.T) {
		h.later(48 * time.Hour)
		if n := compared(func(int) app.Visitor { return hers }); n != app.FactorDay {
			t.Errorf("%d were", n)
		}
	})
	t.Run("right codes use up nothing", func(t *testing.T) {
		h.later(48 * time.Hour)
		for range 2 * app.FactorDay {
			h.later(time.Minute)
			must(t, h.ProveCode(t.Context(), stranger, anna, h.codeOf(t, secret, 0)))
		}
	})
	useUp := func(from app.Visitor) {
		for range app.FactorHour {
			want(t, h.ProveCode(t.Context(), from, anna, "000000"), "code_wrong")
		}
		want(t, h.ProveCode(t.Context(), from, anna, "000000"), "factor_budget")
	}
	t.Run("a new password brings new guesses, by mail and by the profile", func(t *testing.T) {
		h.later(48 * time.Hour)
		for what, set := range map[string]func() error{
			"by mail": func() error { return h.store.SetPassword(t.Context(), anna.ID, "hash") },
			"by profile": func() error {
				now, err := h.store.Account(t.Context(), anna.ID)
				must(t, err)
				_, err = h.store.ChangePassword(t.Context(), now, "hash", "here")
				return err
			},
		} {
			useUp(stranger)
			must(t, set())
			h.later(time.Minute)
			if err := h.ProveCode(t.Context(), stranger, anna, h.codeOf(t, secret, 0)); err != nil {
				t.Errorf("%s: %v", what, err)
			}
		}
	})
	t.Run("but whoever sets one again and again has no more than a hundred a day", func(t *testing.T) {
		h.later(48 * time.Hour)
		n := 0
		for i := range app.FactorDayAll {
			device := app.Visitor{Address: from(i).Address, Device: h.RememberDevice(from(i), anna)} // as a reset makes it
			for range 5 {
				if answer(h.ProveCode(t.Context(), device, anna, "000000")) == "code_wrong" {
					n++
				}
			}
			must(t, h.store.SetPassword(t.Context(), anna.ID, "hash"))
		}
		if n != app.FactorDayAll {
			t.Errorf("%d were compared", n)
		}
	})
}

func TestNeighboursCannotUseUpProofs(t *testing.T) {
	h := newHouse(t)
	anna := active(t, h, "anna@example.org")
	secret, recovery := h.withTOTP(t, anna)
	d := h.withPasskey(t, anna, "Телефон")
	h.later(time.Hour)
	for range app.ClientBudget {
		must(t, h.RequestReset(t.Context(), stranger, "nobody@example.org"))
	}
	want(t, h.RequestReset(t.Context(), stranger, "nobody@example.org"), "too_many_requests")
	for range 2 * app.ClientBudget {
		asked, err := h.AskToSignIn(t.Context(), stranger)
		must(t, err)
		_, err = h.SignInByPasskey(t.Context(), asked.State, "nonsense")
		want(t, err, "passkey_refused")
	}
	for what, prove := range map[string]func() error{
		"a code":           func() error { return h.ProveCode(t.Context(), stranger, anna, h.codeOf(t, secret, 0)) },
		"a code again":     func() error { return h.ProveCodeAgain(t.Context(), stranger, anna, h.codeOf(t, secret, 0)) },
		"a recovery code":  func() error { return h.ProveRecovery(t.Context(), stranger, anna, recovery[0]) },
		"the password":     func() error { return h.ProvePassword(t.Context(), stranger, anna, password) },
		"a passkey":        func() error { return proveBy(t, h, anna, d) },
		"only the passkey": func() error { _, err := signInBy(t, h, d); return err },
	} {
		if err := prove(); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		h.later(time.Minute) // for a code of the next step
	}
	t.Run("who is in has a budget of failures, and each known device one", func(t *testing.T) {
		hers := app.Visitor{Address: "203.0.113.9", Device: h.RememberDevice(stranger, anna)}
		for range 2 * app.ProofHour {
			must(t, h.ProvePassword(t.Context(), stranger, anna, password))
		}
		for range app.ProofHour {
			want(t, h.ProvePassword(t.Context(), stranger, anna, wrongPassword), "password_wrong")
		}
		want(t, h.ProvePassword(t.Context(), stranger, anna, password), "factor_budget")
		must(t, h.ProvePassword(t.Context(), hers, anna, password))
	})
}

func proveBy(t *testing.T, h *house, who mailing.Account, d *authtest.Device) error {
	t.Helper()
	asked, err := h.AskPasskey(t.Context(), who)
	if err != nil {
		return err
	}
	return h.ProvePasskey(t.Context(), who, asked.State, d.Prove(t, asked.Options))
}

func signInBy(t *testing.T, h *house, d *authtest.Device) (mailing.Account, error) {
	t.Helper()
	asked, err := h.AskToSignIn(t.Context(), stranger)
	must(t, err)
	return h.SignInByPasskey(t.Context(), asked.State, d.Prove(t, asked.Options))
}

func TestPasskeys(t *testing.T) {
	h := newHouse(t)
	anna := h.person(t, "anna@example.org", mailing.RoleUser)
	boris := h.person(t, "boris@example.org", mailing.RoleUser)
	seen := 0
	d := h.withPasskey(t, anna, " Телефон ")
	h.told(t, &seen, "Добавлен ключ доступа: {{ passkey }}")
	prove := func(who mailing.Account) error { return proveBy(t, h, who, d) }
	signIn := func() (mailing.Account, error) { return signInBy(t, h, d) }
	t.Run("it is a second factor, and in place of a password", func(t *testing.T) {
		must(t, prove(anna))
		want(t, prove(boris), "factors_none")
		got, err := signIn()
		if err != nil || got.ID != anna.ID {
			t.Errorf("got %+v, %v", got, err)
		}
		f, err := h.Factors(t.Context(), anna.ID)
		if err != nil || f.Recovery != app.RecoveryCodes || f.Passkeys[0].Name != "Телефон" || !f.Passkeys[0].UsedAt.Equal(h.now) {
			t.Errorf("got %+v, %v", f, err)
		}
	})
	t.Run("the answer to one question is none to another", func(t *testing.T) {
		asked, err := h.AskPasskey(t.Context(), anna)
		must(t, err)
		_, err = h.SignInByPasskey(t.Context(), asked.State, d.Prove(t, asked.Options))
		want(t, err, "passkey_late")
	})
	t.Run("an answer that comes late is refused", func(t *testing.T) {
		asked, err := h.AskPasskey(t.Context(), anna)
		must(t, err)
		h.later(6 * time.Minute)
		want(t, h.ProvePasskey(t.Context(), anna, asked.State, d.Prove(t, asked.Options)), "passkey_late")
	})
	t.Run("it belongs to one account", func(t *testing.T) {
		f, err := h.Factors(t.Context(), anna.ID)
		must(t, err)
		want(t, h.RenamePasskey(t.Context(), boris, f.Passkeys[0].ID, "Мой"), "not_found")
		want(t, h.RemovePasskey(t.Context(), boris, f.Passkeys[0].ID), "not_found")
	})
	t.Run("it has a name", func(t *testing.T) {
		f, err := h.Factors(t.Context(), anna.ID)
		must(t, err)
		want(t, h.RenamePasskey(t.Context(), anna, f.Passkeys[0].ID, " "), "required")
		must(t, h.RenamePasskey(t.Context(), anna, f.Passkeys[0].ID, "Ключ"))
		must(t, h.RenamePasskey(t.Context(), anna, f.Passkeys[0].ID, "Ключ")) // changes nothing
	})
	t.Run("who is blocked is not let in by it", func(t *testing.T) {
		must(t, h.store.Block(t.Context(), anna.ID, 0, "", h.now))
		_, err := signIn()
		want(t, err, "account_blocked")
		must(t, h.store.Unblock(t.Context(), anna.ID))
	})
	t.Run("it can be removed, and opens nothing then", func(t *testing.T) {
		f, err := h.Factors(t.Context(), anna.ID)
		must(t, err)
		must(t, h.RemovePasskey(t.Context(), anna, f.Passkeys[0].ID))
		h.told(t, &seen, "Удалён ключ доступа: {{ passkey }}")
		_, err = signIn()
		want(t, err, "passkey_refused")
	})
	t.Run("each of these is one line in the audit log", func(t *testing.T) {
		got := strings.Join(h.deedsOf(t, anna), ", ")
		if got != `account.add_passkey {"name":"Телефон"}, account.rename_passkey {"name":"Телефон"}{"name":"Ключ"}, account.remove_passkey {"name":"Ключ"}` {
			t.Error(got)
		}
	})
	t.Run("at an address where browsers allow none, nobody is asked", func(t *testing.T) {
		elsewhere := app.New(app.Config{BaseURL: "http://127.0.0.1:8000"}, h.store, auth.NewKeys([]byte(strings.Repeat("k", auth.MinSecret))))
		_, err := elsewhere.AskToSignIn(t.Context(), stranger)
		want(t, err, "passkeys_nowhere")
	})
}

func TestFactorsAndPasswords(t *testing.T) {
	h := newHouse(t)
	anna := active(t, h, "anna@example.org")
	h.withTOTP(t, anna)
	t.Run("a wrong password is answered alike, whether there is a second factor or not", func(t *testing.T) {
		active(t, h, "boris@example.org")
		_, with := h.SignIn(t.Context(), stranger, "anna@example.org", "not the password")
		_, without := h.SignIn(t.Context(), stranger, "boris@example.org", "not the password")
		want(t, with, "sign_in_wrong")
		want(t, without, "sign_in_wrong")
	})
	t.Run("a new password by a link leaves the second factor on", func(t *testing.T) {
		must(t, h.RequestReset(t.Context(), stranger, "anna@example.org"))
		link := h.last(t, "link")
		_, err := h.Reset(t.Context(), link[strings.LastIndex(link, "/")+1:], "совсем другой пароль", "совсем другой пароль")
		must(t, err)
		needed, err := h.NeedsFactor(t.Context(), anna.ID)
		if err != nil || !needed {
			t.Errorf("needed: %v, %v", needed, err)
		}
	})
}

func TestResetFactors(t *testing.T) {
	h := newHouse(t)
	anna := h.person(t, "anna@example.org", mailing.RoleUser)
	admin := h.person(t, "admin@example.org", mailing.RoleAdmin)
	h.withTOTP(t, anna)
	h.withPasskey(t, anna, "Телефон")
	seen := len(h.mails(t))
	t.Run("nobody but an admin may, and no admin for themselves", func(t *testing.T) {
		want(t, h.ResetFactors(t.Context(), h.person(t, "manager@example.org", mailing.RoleManager), anna.ID), "not_found")
		want(t, h.ResetFactors(t.Context(), anna, anna.ID), "not_found")
		h.withTOTP(t, admin)
		want(t, h.ResetFactors(t.Context(), admin, admin.ID), "factors_own")
		h.told(t, &seen, "Вход по кодам из приложения включён")
	})
	t.Run("all of them are gone, and the person is told", func(t *testing.T) {
		must(t, h.ResetFactors(t.Context(), admin, anna.ID))
		f, err := h.Factors(t.Context(), anna.ID)
		if err != nil || f.Any() || f.Recovery != 0 {
			t.Errorf("got %+v, %v", f, err)
		}
		h.told(t, &seen, "Второй шаг входа сброшен")
		list := h.deedsOf(t, anna)
		if got := list[len(list)-1]; got != `account.reset_factors {"passkeys":"1","totp":"true"}{"passkeys":"0","totp":"false"}` {
			t.Error(got)
		}
	})
	t.Run("what is not there is not reset", func(t *testing.T) {
		want(t, h.ResetFactors(t.Context(), app.Operator, anna.ID), "factors_none")
		want(t, h.ResetFactors(t.Context(), app.Operator, 1), "not_found")
	})
}

func TestChangePassword(t *testing.T) {
	h := newHouse(t)
	anna := active(t, h, "anna@example.org")
	for _, key := range []string{"here", "there"} {
		must(t, h.store.PutSession(t.Context(), mailing.Session{Key: key, AccountID: anna.ID, LastSeen: h.now}, []byte("x"), h.now.Add(time.Hour)))
	}
	seen := len(h.mails(t))
	change := func(old, fresh, again string) error {
		_, err := h.ChangePassword(t.Context(), stranger, anna, "here", app.PasswordChange{Old: old, New: fresh, Again: again})
		return err
	}
	t.Run("what is wrong is told", func(t *testing.T) {
		want(t, change("not the password", "совсем другой пароль", "совсем другой пароль"), "password_wrong")
		err := change(password, "short", "shorter")
		if got := fields(err); got != "again:passwords_differ password:password_too_short" {
			t.Errorf("got %s", got)
		}
		want(t, change(password, "anna@example.org", "anna@example.org"), "password_personal")
	})
	t.Run("it signs out everywhere else, and the person is told", func(t *testing.T) {
		must(t, change(password, "совсем другой пароль", "совсем другой пароль"))
		_, err := h.SignIn(t.Context(), stranger, "anna@example.org", "совсем другой пароль")
		must(t, err)
		list, err := h.Sessions(t.Context(), anna)
		if err != nil || len(list) != 1 || list[0].Key != "here" {
			t.Errorf("sessions: %+v, %v", list, err)
		}
		h.told(t, &seen, "Пароль изменён")
	})
	t.Run("with a password that was right until somebody set another, nothing is changed", func(t *testing.T) {
		want(t, change("совсем другой пароль", "ещё один пароль", "ещё один пароль"), "changed_meanwhile")
		_, err := h.EndOtherSessions(t.Context(), anna, "here")
		want(t, err, "changed_meanwhile")
		_, err = h.SignIn(t.Context(), stranger, "anna@example.org", "совсем другой пароль")
		must(t, err)
	})
	t.Run("old passwords are guessed so often", func(t *testing.T) {
		h.later(time.Hour)
		for range app.ProofHour {
			want(t, change("not the password", "ещё один пароль", "ещё один пароль"), "password_wrong")
		}
		want(t, h.ProvePassword(t.Context(), stranger, anna, "совсем другой пароль"), "factor_budget")
	})
	t.Run("nor is the day's limit escaped by waiting for the next hour", func(t *testing.T) {
		h := newHouse(t)
		anna := active(t, h, "anna@example.org")
		for range app.ProofDay / app.ProofHour {
			for range app.ProofHour {
				want(t, h.ProvePassword(t.Context(), stranger, anna, "not the password"), "password_wrong")
			}
			h.later(time.Hour)
		}
		want(t, h.ProvePassword(t.Context(), stranger, anna, password), "factor_budget")
		h.later(24 * time.Hour)
		want(t, h.ProvePassword(t.Context(), stranger, anna, password), "ok")
	})
	t.Run("the passwords are not in the audit log", func(t *testing.T) {
		got := strings.Join(h.deedsOf(t, anna), ", ")
		if !strings.HasSuffix(got, `account.change_password {"password":"•••"}{"password":"•••"}`) {
			t.Error(got)
		}
	})
}

func TestSessions(t *testing.T) {
	h := newHouse(t)
	anna := h.person(t, "anna@example.org", mailing.RoleUser)
	boris := h.person(t, "boris@example.org", mailing.RoleUser)
	for i, key := range []string{"one", "two", "three"} {
		must(t, h.store.PutSession(t.Context(), mailing.Session{
			Key: key, AccountID: anna.ID, LastSeen: h.now.Add(time.Duration(i) * time.Second),
		}, []byte("x"), h.now.Add(time.Hour)))
	}
	seen := len(h.mails(t))
	list, err := h.Sessions(t.Context(), anna)
	must(t, err)
	t.Run("others' are not there", func(t *testing.T) {
		want(t, h.EndSession(t.Context(), boris, list[0].ID), "not_found")
	})
	t.Run("one is ended, and all others", func(t *testing.T) {
		must(t, h.EndSession(t.Context(), anna, list[0].ID))
		_, err := h.EndOtherSessions(t.Context(), anna, "one")
		must(t, err)
		left, err := h.Sessions(t.Context(), anna)
		if err != nil || len(left) != 1 || left[0].Key != "one" {
			t.Errorf("left: %+v, %v", left, err)
		}
		h.told(t, &seen, "Завершены сеансы", "Завершены сеансы")
		if got := strings.Join(h.deedsOf(t, anna), ", "); got != "account.end_session, account.end_other_sessions" {
			t.Error(got)
		}
	})
}

func TestNoticesAreWhole(t *testing.T) {
	h := newHouse(t)
	for _, lang := range []string{"ru", "en"} {
		anna := h.person(t, lang+"@example.org", mailing.RoleUser)
		anna.Lang = lang
		_, recovery := h.withTOTP(t, anna)
		h.withPasskey(t, anna, "Phone")
		must(t, h.ProveRecovery(t.Context(), stranger, anna, recovery[0]))
	}
	for _, m := range h.mails(t) {
		t.Run(m.subject+" to "+m.to+" says what it needs", func(t *testing.T) {
			if m.vars["link"] != h.BaseURL+"/profile/security" {
				t.Errorf("it leads to %v", m.vars["link"])
			}
		})
	}
}
