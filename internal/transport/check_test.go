package transport

import (
	"context"
	"net"
	"strings"
	"testing"

	"vestnik/internal/mailing"
	"vestnik/internal/smtpsink"
)

func TestCheckGoesStepByStep(t *testing.T) {
	t.Parallel()
	config, roots, err := smtpsink.SelfSigned("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	no := smtpsink.Reply{Code: 550, Enhanced: "5.7.1", Text: "no"}
	tests := []struct {
		name, from, to string
		told           smtpsink.Stage
		tls            TLSMode
		user           string
		want           string
	}{
		{"all is well", mail.From, mail.To, "", TLSRequired, "anna", "resolve connect greeting tls auth sender recipient"},
		{"TLS comes first when implicit", mail.From, mail.To, "", TLSImplicit, "anna", "resolve connect tls greeting auth sender recipient"},
		{"what does not apply is not reported", mail.From, "", "", TLSNone, "", "resolve connect greeting sender"},
		{"refused at the door", mail.From, "", smtpsink.StageConnect, TLSNone, "", "resolve connect greeting=smtp_refused"},
		{"refused at hello", mail.From, "", smtpsink.StageEHLO, TLSNone, "", "resolve connect greeting=smtp_refused"},
		{"TLS refused", mail.From, "", smtpsink.StageStartTLS, TLSRequired, "", "resolve connect greeting tls=smtp_refused"},
		{"password refused", mail.From, "", smtpsink.StageAuth, TLSRequired, "anna", "resolve connect greeting tls auth=smtp_auth_refused"},
		{"sender refused", mail.From, mail.To, smtpsink.StageMail, TLSNone, "", "resolve connect greeting sender=smtp_sender_refused"},
		{"recipient refused", mail.From, mail.To, smtpsink.StageRcpt, TLSNone, "", "resolve connect greeting sender recipient=smtp_recipient_refused"},
		{"a sender that cannot be", "x", "", "", TLSNone, "", "resolve connect greeting sender=smtp_sender_refused"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			sink := startSink(t, smtpsink.Options{
				TLS: config, ImplicitTLS: test.tls == TLSImplicit, Username: test.user, Password: secret, Strict: true,
				Answer: func(at smtpsink.Stage, _ smtpsink.Envelope) smtpsink.Reply {
					if at == test.told {
						return no
					}
					return smtpsink.Reply{}
				},
			})
			relay := relayTo(sink)
			relay.TLS, relay.RootCAs, relay.Username, relay.Password = test.tls, roots, test.user, secret
			var steps []string
			err := relay.Check(t.Context(), test.from, test.to, func(step Step, err error) {
				noSecret(t, err)
				if err != nil {
					step += Step("=" + mailing.CodeOf(err))
				}
				steps = append(steps, string(step))
			})
			if got := strings.Join(steps, " "); got != test.want || (err != nil) != strings.Contains(test.want, "=") {
				t.Errorf("got %s, %v; want %s", got, err, test.want)
			}
			if sink.Count() != 0 || len(sink.Violations()) > 0 {
				t.Errorf("%d sent, violations %q", sink.Count(), sink.Violations())
			}
		})
	}
}

func TestCheckTellsANameFromAnAddress(t *testing.T) {
	t.Parallel()
	relay := &Relay{Host: "smtp.shop.test", Port: 25, Dial: func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", IsNotFound: true}}
	}}
	var steps []Step
	err := relay.Check(t.Context(), mail.From, "", func(step Step, _ error) { steps = append(steps, step) })
	if mailing.CodeOf(err) != "smtp_host_unknown" || len(steps) != 1 || steps[0] != StepResolve {
		t.Errorf("got %v, %v", steps, err)
	}
}

func TestCheckTellsWhyNobodyIsReached(t *testing.T) {
	t.Parallel()
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := closed.Addr().(*net.TCPAddr).Port
	closed.Close()
	config, _, err := smtpsink.SelfSigned("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	plain, later := startSink(t, smtpsink.Options{}), startSink(t, smtpsink.Options{TLS: config})
	for _, test := range []struct {
		name string
		port int
		tls  TLSMode
		want string
	}{
		{"nobody listens", port, TLSNone, "resolve connect=smtp_port_refused"},
		{"TLS at once, but there is none", plain.Port(), TLSImplicit, "resolve connect tls=smtp_tls_none"},
		{"TLS at once, but it begins later", later.Port(), TLSImplicit, "resolve connect tls=smtp_tls_later"},
		{"STARTTLS, but there is none", plain.Port(), TLSRequired, "resolve connect greeting tls=smtp_tls_not_offered"},
	} {
		t.Run(test.name, func(t *testing.T) {
			relay := &Relay{Host: "127.0.0.1", Port: test.port, TLS: test.tls, Username: "anna", Password: secret}
			var steps []string
			err := relay.Check(t.Context(), mail.From, "", func(step Step, err error) {
				noSecret(t, err)
				if err != nil {
					step += Step("=" + mailing.CodeOf(err))
				}
				steps = append(steps, string(step))
			})
			if got := strings.Join(steps, " "); got != test.want || err == nil {
				t.Errorf("got %s, %v; want %s", got, err, test.want)
			}
		})
	}
}
