package app_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
)

func TestRelayAdvice(t *testing.T) {
	for _, c := range []struct {
		name, host string
		port       int
		tls, step  string
		code       string
		reply      string
		want       string
	}{
		{"a wrong password", "smtp.example.org", 587, "starttls-required", "auth", "smtp_auth_refused", "535 5.7.8 authentication failed", "wrong_password"},
		{"Gmail asks for an app password", "smtp.gmail.com", 587, "starttls-required", "auth", "smtp_auth_refused", "534 5.7.9 Application-specific password required", "app_password"},
		{"Yandex takes app passwords only", "smtp.yandex.ru", 465, "implicit", "auth", "smtp_auth_refused", "535 5.7.8 Error: authentication failed", "app_password"},
		{"Mail.ru says so by words", "mail.example.org", 465, "implicit", "auth", "smtp_auth_refused", "535 5.7.0 NEOBHODIM parol prilozheniya", "app_password"},
		{"Microsoft has SMTP off", "smtp.office365.com", 587, "starttls-required", "auth", "smtp_auth_refused", "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant", "smtp_auth_off"},
		{"a port that is blocked", "smtp.example.org", 587, "starttls-required", "connect", "smtp_no_answer", "", "port_blocked"},
		{"port 25 is blocked", "smtp.example.org", 25, "starttls", "connect", "smtp_no_answer", "", "port_25"},
		{"TLS on the port of STARTTLS", "smtp.example.org", 587, "implicit", "tls", "smtp_tls_failed", "", "use_starttls"},
		{"STARTTLS on the port of TLS", "smtp.example.org", 465, "starttls-required", "greeting", "smtp_no_answer", "", "use_implicit"},
		{"a server without STARTTLS", "smtp.example.org", 587, "starttls-required", "tls", "smtp_tls_not_offered", "", "no_encryption"},
		{"a server in clear", "smtp.example.org", 2525, "implicit", "tls", "smtp_tls_none", "", "no_encryption"},
		{"TLS comes later", "smtp.example.org", 2525, "implicit", "tls", "smtp_tls_later", "", "use_starttls"},
		{"nobody listens", "smtp.example.org", 2626, "starttls-required", "connect", "smtp_port_refused", "", "port_refused"},
		{"a certificate for another name", "smtp.example.org", 587, "starttls-required", "tls", "smtp_tls_bad_certificate", "", "certificate"},
		{"a sender of somebody else", "smtp.example.org", 587, "starttls-required", "sender", "smtp_sender_refused", "553 5.7.1 Sender address rejected: not owned by user", "sender"},
		{"the sandbox of SES", "email-smtp.eu-central-1.amazonaws.com", 587, "starttls-required", "delivered", "relay_mail_refused", "554 Message rejected: Email address is not verified.", "sandbox"},
		{"greylisting", "smtp.example.org", 587, "starttls-required", "recipient", "smtp_recipient_refused", "451 4.7.1 Greylisted, try again later", "greylisted"},
		{"a mail taken for spam", "smtp.example.org", 465, "implicit", "delivered", "relay_mail_refused", "554 5.7.1 Message rejected under suspicion of SPAM", "spam"},
		{"what says all itself", "smtp.example.org", 587, "starttls-required", "resolve", "smtp_host_unknown", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := app.RelaySettings{Kind: app.RelaySMTP, Host: c.host, Port: c.port, TLS: c.tls}
			if got := app.RelayAdvice(r, c.step, mailing.Fault(mailing.Invalid, c.code, "reply", c.reply)); got != c.want {
				t.Errorf("the advice is %q", got)
			}
		})
	}
	if got := app.RelayAdvice(app.RelaySettings{}, "auth", errors.New("our fault")); got != "" {
		t.Errorf("for our own fault it is %q", got)
	}
}

func TestTestingARelayWithAMail(t *testing.T) {
	h, admin, id := withRelay(t)
	r := relay()
	r.ID, r.Password = id, ""
	steps := func(t *testing.T, r app.RelaySettings) string {
		t.Helper()
		var all []string
		must(t, h.TestRelayWithMail(t.Context(), admin, r, func(name string, err error) { all = append(all, name+":"+answer(err)) }))
		return strings.Join(all, " ")
	}
	t.Run("the last step is a mail to whoever tests", func(t *testing.T) {
		if got := steps(t, r); got != ":ok delivered:ok" {
			t.Errorf("the steps are %q", got)
		}
		if len(h.mailed) != 1 || h.mailed[0].by != "Почта" || h.mailed[0].to != admin.Email || !strings.Contains(h.mailed[0].message, "<herald@example.org>") {
			t.Errorf("mailed is %+v", h.mailed)
		}
		if h.tried[0].Password != "тайна" {
			t.Error("it was tried without its password")
		}
		deeds, err := h.Deeds(t.Context(), admin, app.AuditFilter{Everyone: true, Action: "relay.test", Limit: 9})
		must(t, err)
		if len(deeds) != 1 {
			t.Errorf("the deeds are %+v", deeds)
		}
	})
	t.Run("it is signed when the sender's domain has keys", func(t *testing.T) {
		_, err := h.CreateSigningKeys(t.Context(), admin, app.SigningForm{Domain: "example.org", Selector: "v1", Algorithm: "ed25519"})
		must(t, err)
		steps(t, r)
		if m := h.mailed[len(h.mailed)-1].message; !strings.HasPrefix(m, "DKIM-Signature:") {
			t.Errorf("the mail begins with %.60q", m)
		}
	})
	t.Run("that it was sent is written down also when whoever tests has hung up", func(t *testing.T) {
		before := h.rows(t, "select count(*) from deeds where action = 'relay.test'")
		hungUp, hangUp := context.WithCancel(t.Context())
		must(t, h.TestRelayWithMail(hungUp, admin, r, func(name string, _ error) {
			if name == app.StepDelivered {
				hangUp()
			}
		}))
		if n := h.rows(t, "select count(*) from deeds where action = 'relay.test'"); n != before+1 {
			t.Errorf("%d deeds tell of it", n-before)
		}
	})
	t.Run("no mail goes after a step that failed, nor for settings that are incomplete", func(t *testing.T) {
		h.failing, h.mailed = "auth", nil
		if got := steps(t, r); got != ":ok auth:smtp_auth_refused" || len(h.mailed) > 0 {
			t.Errorf("the steps are %q, and mailed is %v", got, h.mailed)
		}
		broken := r
		broken.Host = ""
		err := h.TestRelayWithMail(t.Context(), admin, broken, func(string, error) { t.Error("a step was taken") })
		if fields(err) != "host:required" {
			t.Errorf("the error is %v", err)
		}
		want(t, h.TestRelayWithMail(t.Context(), h.person(t, "u@example.org", mailing.RoleUser), r, nil), "not_found")
	})
}
