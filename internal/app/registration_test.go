package app_test

import (
	"strings"
	"testing"
	"time"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
	"vestnik/internal/store"
)

const otherPassword = "зелёный слон в лесу"

// other is a registration of Anna's address by somebody else.
func other() app.Registration {
	r := anna()
	r.FirstName, r.Password, r.Again, r.Lang = "Злодей", otherPassword, otherPassword, "en"
	return r
}

// registeredBy registers and returns the code and the proof in the link that were mailed.
func registeredBy(t *testing.T, h *house, from app.Visitor, r app.Registration) (code, proof string) {
	t.Helper()
	_, err := h.Register(t.Context(), from, r)
	must(t, err)
	_, proof, _ = strings.Cut(h.last(t, "open"), "?proof=")
	return h.last(t, "code"), proof
}

// whose says whose registration of Anna's address was confirmed; empty for nobody's.
func (h *house) whose(t *testing.T) string {
	t.Helper()
	a, err := h.AccountByEmail(t.Context(), "anna@example.org")
	must(t, err)
	if !a.Active() {
		return ""
	}
	mine, others := answer(signIn(t, h, a.Email, password)), answer(signIn(t, h, a.Email, otherPassword))
	switch {
	case mine == "ok" && others != "ok" && a.FirstName == "Анна" && a.Lang == "ru":
		return "Анна"
	case mine != "ok" && others == "ok" && a.FirstName == "Злодей" && a.Lang == "en":
		return "Злодей"
	}
	t.Fatalf("%s is let in by her password: %s, by the other: %s", a.FirstName, mine, others)
	return ""
}

func TestSeveralRegisterOneAddress(t *testing.T) {
	email := "anna@example.org"
	hers, his := app.Visitor{Address: "203.0.113.7", Browser: "hers"}, app.Visitor{Address: "198.51.100.1", Browser: "his"}
	phone := app.Visitor{Address: "203.0.113.8"}
	for _, order := range []string{"the owner first", "the stranger first"} {
		for _, way := range []string{"code", "link"} {
			for _, c := range []struct {
				what      string
				from      app.Visitor
				herMail   bool
				confirmed string
			}{
				{"her mail elsewhere", phone, true, "Анна"},
				{"her mail in her browser", hers, true, "Анна"},
				{"the stranger's mail in her browser", hers, false, "Анна"},
				{"the stranger's mail elsewhere", phone, false, "Злодей"}, // the mail asks to use her browser
			} {
				t.Run(order+": the "+way+" of "+c.what+" confirms what "+c.confirmed+" registered", func(t *testing.T) {
					h := newHouse(t)
					var codes, proofs [2]string
					register := []func(){
						func() { codes[0], proofs[0] = registeredBy(t, h, hers, anna()) },
						func() { codes[1], proofs[1] = registeredBy(t, h, his, other()) },
					}
					if order != "the owner first" {
						register[0], register[1] = register[1], register[0]
					}
					register[0]()
					register[1]()
					code, proof := codes[0], proofs[0]
					if !c.herMail {
						code, proof = codes[1], proofs[1]
					}
					if way == "code" {
						must(t, h.Confirm(t.Context(), c.from, email, code))
					} else {
						must(t, h.ConfirmByLink(t.Context(), c.from, email, proof))
					}
					if got := h.whose(t); got != c.confirmed {
						t.Errorf("it is %s's", got)
					}
					for i := range codes {
						want(t, h.Confirm(t.Context(), phone, email, codes[i]), "code_wrong")
						want(t, h.ConfirmByLink(t.Context(), phone, email, proofs[i]), "code_link_expired")
					}
					if n := h.rows(t, "select count(*) from registrations") + h.rows(t, "select count(*) from codes"); n != 0 {
						t.Errorf("%d registrations and codes are left", n)
					}
				})
			}
		}
	}
	t.Run("with no mail left for this hour nothing is changed, and her code still confirms hers", func(t *testing.T) {
		h := newHouse(t)
		code, _ := registeredBy(t, h, hers, anna())
		for range 2 * app.MailBudget {
			_, err := h.Register(t.Context(), phone, other())
			must(t, err)
		}
		if n := h.rows(t, "select count(*) from registrations"); n != app.MailBudget || len(h.mails(t)) != app.MailBudget {
			t.Errorf("%d registrations, %d mails", n, len(h.mails(t)))
		}
		must(t, h.Confirm(t.Context(), phone, email, code))
		if got := h.whose(t); got != "Анна" {
			t.Errorf("it is %s's", got)
		}
	})
	t.Run("who got no mail, since others had used them up, confirms nothing of theirs", func(t *testing.T) {
		h := newHouse(t)
		registeredBy(t, h, his, other())
		for range app.MailBudget {
			must(t, h.ResendCode(t.Context(), his, email))
		}
		code := h.last(t, "code")
		_, err := h.Register(t.Context(), hers, anna())
		must(t, err)
		want(t, h.Confirm(t.Context(), hers, email, code), "code_of_another")
		_, proof, _ := strings.Cut(h.last(t, "open"), "?proof=")
		want(t, h.ConfirmByLink(t.Context(), hers, email, proof), "code_of_another")
		h.later(time.Hour)
		must(t, h.ResendCode(t.Context(), hers, email))
		if got := h.mails(t); got[len(got)-1].subject != "Register once more" {
			t.Errorf("she got %q", got[len(got)-1].subject)
		}
		code, _ = registeredBy(t, h, hers, anna())
		must(t, h.Confirm(t.Context(), hers, email, code))
		if got := h.whose(t); got != "Анна" {
			t.Errorf("it is %s's", got)
		}
	})
	t.Run("a new code is for what was registered where it is asked for, and nobody else's code ends", func(t *testing.T) {
		h := newHouse(t)
		old, _ := registeredBy(t, h, hers, anna())
		theirs, _ := registeredBy(t, h, his, other())
		must(t, h.ResendCode(t.Context(), hers, email))
		code := h.last(t, "code")
		want(t, h.Confirm(t.Context(), phone, email, old), "code_wrong")
		must(t, h.ResendCode(t.Context(), his, email))
		want(t, h.Confirm(t.Context(), phone, email, theirs), "code_wrong")
		must(t, h.Confirm(t.Context(), phone, email, code))
		if got := h.whose(t); got != "Анна" {
			t.Errorf("it is %s's", got)
		}
	})
	t.Run("where nothing was registered and several wait, the mail has no code and asks to register again", func(t *testing.T) {
		h := newHouse(t)
		registeredBy(t, h, hers, anna())
		registeredBy(t, h, his, other())
		must(t, h.ResendCode(t.Context(), phone, email))
		mails := h.mails(t)
		if m := mails[len(mails)-1]; m.to != email || m.vars["code"] != nil || m.subject != "Зарегистрируйтесь ещё раз" {
			t.Errorf("got %v", m)
		}
	})
	t.Run("codes beside others have two digits more, so that guesses hit no likelier", func(t *testing.T) {
		h := newHouse(t)
		first, _ := registeredBy(t, h, hers, anna())
		second, _ := registeredBy(t, h, his, other())
		if len(first) != 6 || len(second) != 8 {
			t.Errorf("the codes are %s and %s", first, second)
		}
	})
	t.Run("who registered second and signs in too early is told to confirm", func(t *testing.T) {
		h := newHouse(t)
		registeredBy(t, h, his, other())
		registeredBy(t, h, hers, anna())
		_, err := h.SignIn(t.Context(), hers, email, password)
		want(t, err, "account_unconfirmed")
		_, err = h.SignIn(t.Context(), hers, email, otherPassword)
		want(t, err, "sign_in_wrong")
	})
	t.Run("a registration is forgotten after seven days, and another is asked for", func(t *testing.T) {
		h := newHouse(t)
		registeredBy(t, h, hers, anna())
		h.later(store.RegistrationLifetime)
		must(t, h.ResendCode(t.Context(), hers, email))
		if mails := h.mails(t); mails[len(mails)-1].vars["code"] != nil {
			t.Error("a code was mailed")
		}
		must(t, h.Sweep(t.Context()))
		if n := h.rows(t, "select count(*) from registrations"); n != 0 {
			t.Errorf("%d are left", n)
		}
		code, _ := registeredBy(t, h, hers, anna())
		must(t, h.Confirm(t.Context(), hers, email, code))
	})
	t.Run("who comes by invitation ends what others registered", func(t *testing.T) {
		h := newHouse(t)
		code, proof := registeredBy(t, h, his, other())
		_, err := h.AcceptInvitation(t.Context(), invite(t, h, h.person(t, "admin@example.org", mailing.RoleAdmin), email, mailing.RoleUser), newcomer())
		must(t, err)
		want(t, h.Confirm(t.Context(), his, email, code), "code_wrong")
		want(t, h.ConfirmByLink(t.Context(), his, email, proof), "code_link_expired")
		want(t, signIn(t, h, email, otherPassword), "sign_in_wrong")
	})
}

func TestMailsToStrangersSayNothingThatSomebodyTyped(t *testing.T) {
	const typed = "You have won! https://example.net"
	h := newHouse(t)
	r := anna()
	r.FirstName, r.LastName = typed, typed
	_, err := h.Register(t.Context(), stranger, r)
	must(t, err)
	must(t, h.ResendCode(t.Context(), stranger, r.Email))
	h.later(store.RegistrationLifetime)
	must(t, h.ResendCode(t.Context(), stranger, r.Email))
	mover := active(t, h, "boris@example.org")
	mover.FirstName, mover.LastName = typed, typed
	must(t, h.AskEmailChange(t.Context(), mover, "new@example.org", password))
	seen := 0
	for _, m := range h.mails(t) {
		if m.to == mover.Email { // it is theirs
			continue
		}
		seen++
		for name, value := range m.vars {
			if text, _ := value.(string); strings.Contains(text, "won") {
				t.Errorf("%q to %s has %s: %q", m.subject, m.to, name, text)
			}
		}
		if strings.Contains(m.body, "_name") {
			t.Errorf("%q to %s greets by a name: %s", m.subject, m.to, m.body)
		}
	}
	if seen != 4 {
		t.Errorf("%d mails to strangers", seen)
	}
}
