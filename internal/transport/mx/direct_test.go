package mx

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"vestnik/internal/mailing"
	"vestnik/internal/transport"
)

// sender is a router as in real life, but that the world is a private network
// and its certificates have an authority of their own.
func sender(t *testing.T) *Router {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(os.Getenv(folderSetting), "authority.pem"))
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(text) {
		t.Fatal("no authority")
	}
	return NewRouter(Options{
		HeloName: "sender.test", AllowPrivate: true, RootCAs: roots,
		Timeouts: transport.Timeouts{Connect: 2 * time.Second},
	})
}

// awaitDNS waits until the name server is up.
func awaitDNS(t *testing.T) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; {
		_, err := sender(t).Route(t.Context(), "preference.test") // a new one remembers no failure
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

// deliver sends a mail to a domain. What stands in the way becomes the result,
// as the engine will have it.
func deliver(t *testing.T, r *Router, domain, to string) transport.Result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	route, err := r.Route(ctx, domain)
	var unroutable *RouteError
	if errors.As(err, &unroutable) {
		return unroutable.Result()
	}
	if err != nil {
		t.Fatal(err)
	}
	session, err := route.Open(ctx)
	var failed *transport.OpenError
	if errors.As(err, &failed) {
		return transport.Result{Reply: failed.Reply, Host: failed.Host, Stage: failed.Stage, TLS: failed.TLS}
	}
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	result, err := session.Send(ctx, transport.Envelope{From: "news@sender.test", To: to}, []byte("Subject: hi\r\n\r\nHello.\r\n"), nil)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// addressAt is an address as the ledger has it.
func addressAt(t *testing.T, domain string) string {
	t.Helper()
	if strings.HasPrefix(domain, "[") {
		return "anna@" + domain
	}
	address, err := mailing.NormalizeEmail("anna@" + domain)
	if err != nil {
		t.Fatal(err)
	}
	return address
}

// TestDirectly is run by TestInNamespaces.
func TestDirectly(t *testing.T) {
	if os.Getenv(roleSetting) != roleSender {
		t.Skip("run by TestInNamespaces in a network namespace")
	}
	awaitDNS(t)
	cases := []struct {
		name, domain string
		host         string // how it begins; empty: any
		reply        string // how it begins
		result       mailing.AttemptResult
	}{
		{"the preferred host gets the mail", "preference.test", "one.hosts.test:25 [", "250 taken by one in clear", mailing.AttemptAccepted},
		{"when the first refuses connections the second gets it", "refused.test", "two.hosts.test:25 [10.77.0.12]", "250 taken by two", mailing.AttemptAccepted},
		{"when the first is gone the second gets it", "gone.test", "two.hosts.test:25", "250 taken by two", mailing.AttemptAccepted},
		{"when the first is busy the second gets it", "busy.test", "two.hosts.test:25", "250 taken by two", mailing.AttemptAccepted},
		{"a domain without MX records is its own host", "implicit.test", "implicit.test:25", "250 taken by two", mailing.AttemptAccepted},
		{"an MX record may lead to an alias", "alias.test", "alias.hosts.test:25", "250 taken by two", mailing.AttemptAccepted},
		{"a host with nothing but an IPv6 address gets it", "six.test", "six.hosts.test:25 [fd77::11]", "250 taken by one", mailing.AttemptAccepted},
		{"a domain in Cyrillic gets it", "почта.test", "two.hosts.test:25", "250 taken by two", mailing.AttemptAccepted},
		{"the best of sixty MX records gets it", "many.test", "two.a-host-with-quite-a-long-name-0.hosts.test:25", "250 taken by two", mailing.AttemptAccepted},
		{"an address literal gets it", "[10.77.0.12]", "10.77.0.12:25", "250 taken by two", mailing.AttemptAccepted},

		{"a null MX is a refusal", "null.test", "", "556 5.1.10", mailing.AttemptFailed},
		{"a domain that does not exist is a refusal", "nowhere.test", "", "550 5.1.2", mailing.AttemptFailed},
		{"a domain without an address is a refusal", "silent-host.test", "", "550 5.1.2", mailing.AttemptFailed},
		{"SERVFAIL is a deferral", "servfail.test", "", "451 4.4.3", mailing.AttemptDeferred},
		{"SERVFAIL for the only host is a deferral", "half.test", "", "451 4.4.3", mailing.AttemptDeferred},
		{"name servers that are silent are a deferral", "silent.test", "", "451 4.4.3", mailing.AttemptDeferred},

		{"a certificate that nobody vouches for is enough without a policy", "selfsigned.test", "", "250 taken by selfsigned over TLS", mailing.AttemptAccepted},
		{"an enforced policy is content with a right certificate", "strict.test", "secure.hosts.test:25", "250 taken by secure over TLS", mailing.AttemptAccepted},
		{"an enforced policy and a certificate that nobody vouches for", "wrong.test", "selfsigned.hosts.test:25", "451 4.7.5 not sent: selfsigned.hosts.test:25 [10.77.0.13]: the domain's MTA-STS policy forbids it: the host's certificate cannot be trusted", mailing.AttemptDeferred},
		{"an enforced policy and no TLS", "plain.test", "two.hosts.test:25", "451 4.7.5 not sent: two.hosts.test:25 [10.77.0.12]: the domain's MTA-STS policy forbids it: the host offers no TLS", mailing.AttemptDeferred},
		{"an enforced policy that does not name the host", "unnamed.test", "secure.hosts.test:25", "451 4.7.5 not sent", mailing.AttemptDeferred},
		{"a policy on trial changes nothing", "trying.test", "two.hosts.test:25", "250 taken by two in clear", mailing.AttemptAccepted},
	}
	r := sender(t)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got := deliver(t, r, c.domain, addressAt(t, c.domain))
			if !strings.HasPrefix(got.Host, c.host) || !strings.HasPrefix(got.Reply.String(), c.reply) {
				t.Errorf("%s at %s says %q, want %q at %s", c.domain, got.Host, got.Reply, c.reply, c.host)
			}
			if verdict := mailing.Judge(got.Reply, string(got.Stage)); verdict.Result != c.result {
				t.Errorf("%q at %s is %s, want %s", got.Reply, got.Stage, verdict.Result, c.result)
			}
			t.Logf("%s %s: %s", got.Host, got.TLS, got.Reply)
		})
	}
	t.Run("hosts of equal preference share the mail", func(t *testing.T) {
		takers := map[string]int{}
		for range 60 { // that one gets all happens once in 10^17
			takers[deliver(t, r, "equal.test", "anna@equal.test").Reply.Text]++
		}
		if len(takers) != 2 {
			t.Errorf("taken: %v", takers)
		}
		t.Log(takers)
	})
	t.Run("greylisting is known and lets the second try through", func(t *testing.T) {
		route, err := r.Route(t.Context(), "grey.test")
		if err != nil {
			t.Fatal(err)
		}
		first := deliver(t, r, "grey.test", "anna@grey.test")
		if got := route.Site.Read(first.Reply); got.Meaning != Greylisted || got.RetryAfter < 6*time.Minute {
			t.Errorf("%q is read as %+v", first.Reply, got)
		}
		if second := deliver(t, r, "grey.test", "anna@grey.test"); !second.Reply.Accepted() {
			t.Errorf("the second try: %q", second.Reply)
		}
	})
	t.Run("what is too much for a datagram comes over TCP", func(t *testing.T) {
		networks := map[string]int{}
		counting := func(ctx context.Context, network, server string, question *dns.Msg) (*dns.Msg, error) {
			networks[network]++
			return ask(ctx, network, server, question)
		}
		route, err := NewRouter(Options{AllowPrivate: true, Exchange: counting}).Route(t.Context(), "many.test")
		if err != nil || len(route.Hosts) != maxHosts || networks["tcp"] != 1 {
			t.Errorf("route %+v over %v, %v", route, networks, err)
		}
	})
	t.Run("without leave a private network is not connected to", func(t *testing.T) {
		result := deliver(t, NewRouter(Options{}), "preference.test", "anna@preference.test")
		if got := fmt.Sprint(result.Reply.Code, " ", result.Reply.Enhanced); got != "550 5.4.4" {
			t.Errorf("%s", result.Reply)
		}
	})
}
