package mx

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"

	"vestnik/internal/mailing"
	"vestnik/internal/smtpsink"
	"vestnik/internal/transport"
)

// policyHost is a web server for shop.test's policy at 192.0.2.80.
type policyHost struct {
	*httptest.Server
	own     *tls.Config
	fetches atomic.Int32

	mu     sync.Mutex
	answer http.HandlerFunc
}

// policyLines announce a policy of shop.test.
var policyLines = []string{
	`_mta-sts.shop.test. 60 IN TXT "v=STSv1; id=1;"`,
	"mta-sts.shop.test. 60 IN A 192.0.2.80",
}

func (n *internet) policyHost(name string) *policyHost {
	host := &policyHost{own: certificate(n.t, name)}
	host.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host.fetches.Add(1)
		host.mu.Lock()
		defer host.mu.Unlock()
		if r.URL.Path != "/.well-known/mta-sts.txt" || r.Host != "mta-sts.shop.test" {
			http.NotFound(w, r)
			return
		}
		host.answer(w, r)
	}))
	host.Config.ErrorLog = log.New(io.Discard, "", 0)
	host.TLS = host.own.Clone()
	host.StartTLS()
	n.t.Cleanup(host.Close)
	n.lead("192.0.2.80:443", host.Listener.Addr().String())
	return host
}

func (h *policyHost) set(answer http.HandlerFunc) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.answer = answer
}

func (h *policyHost) setPolicy(lines ...string) { h.set(plain(file(lines...))) }

func plain(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Write([]byte(text))
	}
}

// trust makes a router trust these certificates and no others.
func trust(configs ...*tls.Config) func(*Options) {
	return func(o *Options) {
		o.RootCAs = x509.NewCertPool()
		for _, config := range configs {
			certificate, err := x509.ParseCertificate(config.Certificates[0].Certificate[0])
			if err != nil {
				panic(err)
			}
			o.RootCAs.AddCert(certificate)
		}
	}
}

func enforce(hosts ...string) []string {
	lines := []string{"version: STSv1", "mode: enforce", "max_age: 604800"}
	for _, host := range hosts {
		lines = append(lines, "mx: "+host)
	}
	return lines
}

func TestAPolicyIsFetchedAndHeld(t *testing.T) {
	n := newInternet(t, append(policyLines, twoHosts...)...)
	host := n.policyHost("mta-sts.shop.test")
	host.setPolicy(enforce("a.test")...)
	r := n.router(trust(host.own))
	for range 3 {
		policy := n.route(r, "shop.test").Policy
		if !policy.enforced() || !policy.names("a.test") || policy.MaxAge != 7*24*time.Hour {
			t.Fatalf("policy %+v", policy)
		}
	}
	if got := host.fetches.Load(); got != 1 {
		t.Errorf("fetched %d times", got)
	}
}

func TestAPolicyThatCannotBeFetchedIsNone(t *testing.T) {
	good := plain(file(enforce("a.test")...))
	cases := map[string]http.HandlerFunc{
		"not found": http.NotFound,
		"an error":  func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) },
		"a redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/.well-known/mta-sts.txt?again", http.StatusFound)
		},
		"HTML": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			w.Write([]byte(file(enforce("a.test")...)))
		},
		"no type": func(w http.ResponseWriter, r *http.Request) {
			w.Header()["Content-Type"] = nil
			w.Write([]byte(file(enforce("a.test")...)))
		},
		"too much":  plain(file(enforce("a.test")...) + "x: " + strings.Repeat("x", maxPolicyBytes)),
		"malformed": plain("version: STSv1\r\n"),
		"cut off": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "10000")
			good(w, r)
		},
	}
	for name, answer := range cases {
		t.Run(name, func(t *testing.T) {
			n := newInternet(t, append(policyLines, twoHosts...)...)
			host := n.policyHost("mta-sts.shop.test")
			host.set(answer)
			r := n.router(trust(host.own))
			for range 3 {
				if policy := n.route(r, "shop.test").Policy; policy != nil {
					t.Errorf("policy %+v", policy)
				}
			}
			if got := host.fetches.Load(); got != 1 {
				t.Errorf("fetched %d times in a row", got)
			}
		})
	}
	t.Run("a certificate for another name", func(t *testing.T) {
		n := newInternet(t, append(policyLines, twoHosts...)...)
		host := n.policyHost("shop.test")
		host.set(good)
		if policy := n.route(n.router(trust(host.own)), "shop.test").Policy; policy != nil || host.fetches.Load() > 0 {
			t.Errorf("policy %+v", policy)
		}
	})
	t.Run("a certificate that nobody vouches for", func(t *testing.T) {
		n := newInternet(t, append(policyLines, twoHosts...)...)
		n.policyHost("mta-sts.shop.test").set(good)
		if policy := n.route(n.router(trust()), "shop.test").Policy; policy != nil {
			t.Errorf("policy %+v", policy)
		}
	})
	t.Run("a host on a private network is not even connected to", func(t *testing.T) {
		n := newInternet(t, append(twoHosts, policyLines[0], "mta-sts.shop.test. 60 IN A 127.0.0.1")...)
		if policy := n.route(n.router(), "shop.test").Policy; policy != nil || n.dials() != "" {
			t.Errorf("policy %+v, dialed", policy)
		}
	})
	t.Run("DNS that does not say whether there is one", func(t *testing.T) {
		n := newInternet(t, twoHosts...)
		n.zones.answerCode("_mta-sts.shop.test.", dns.RcodeServerFailure)
		if policy := n.route(n.router(), "shop.test").Policy; policy != nil {
			t.Errorf("policy %+v", policy)
		}
	})
}

func TestAHeldPolicyOutlivesTrouble(t *testing.T) {
	cases := []struct {
		name    string
		trouble func(*internet, *policyHost)
	}{
		{"the announcement is gone", func(n *internet, _ *policyHost) { n.zones.empty(); n.zones.add(n.t, twoHosts...) }},
		{"DNS does not say", func(n *internet, _ *policyHost) {
			n.zones.answerCode("_mta-sts.shop.test.", dns.RcodeServerFailure)
		}},
		{"a new one is announced and cannot be fetched", func(n *internet, h *policyHost) {
			n.zones.empty()
			n.zones.add(n.t, append(twoHosts, `_mta-sts.shop.test. 60 IN TXT "v=STSv1; id=2;"`, policyLines[1])...)
			h.set(http.NotFound)
		}},
		{"it is time to fetch again and the host is gone", func(_ *internet, h *policyHost) { h.set(http.NotFound) }},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			n := newInternet(t, append(policyLines, twoHosts...)...)
			host := n.policyHost("mta-sts.shop.test")
			host.setPolicy(enforce("a.test")...)
			r := n.router(trust(host.own))
			n.route(r, "shop.test")
			c.trouble(n, host)
			r.dns.kept, r.policies.fetched = newCache[answer](10), newCache[*Policy](10) // as after a day
			if policy := n.route(r, "shop.test").Policy; !policy.enforced() {
				t.Errorf("policy %+v", policy)
			}
		})
	}
	t.Run("a new one takes its place", func(t *testing.T) {
		n := newInternet(t, append(policyLines, twoHosts...)...)
		host := n.policyHost("mta-sts.shop.test")
		host.setPolicy(enforce("a.test")...)
		r := n.router(trust(host.own))
		n.route(r, "shop.test")
		host.setPolicy("version: STSv1", "mode: none", "max_age: 604800")
		n.zones.empty()
		n.zones.add(t, append(twoHosts, `_mta-sts.shop.test. 60 IN TXT "v=STSv1; id=2;"`, policyLines[1])...)
		r.dns.kept = newCache[answer](10)
		if policy := n.route(r, "shop.test").Policy; policy.enforced() || policy.Mode != PolicyNone {
			t.Errorf("policy %+v", policy)
		}
	})
}

func TestAPolicyIsFetchedOnceForMany(t *testing.T) {
	n := newInternet(t, append(policyLines, twoHosts...)...)
	host := n.policyHost("mta-sts.shop.test")
	host.setPolicy(enforce("a.test")...)
	r := n.router(trust(host.own))
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if route, err := r.Route(context.Background(), "shop.test"); err != nil || !route.Policy.enforced() {
				t.Errorf("route %+v, %v", route, err)
			}
		})
	}
	all.Wait()
	if got := host.fetches.Load(); got != 1 {
		t.Errorf("fetched %d times", got)
	}
}

func TestEnforcedPolicy(t *testing.T) {
	right, other := certificate(t, "a.test"), certificate(t, "other.test")
	cases := []struct {
		name    string
		policy  []string
		options smtpsink.Options
		code    string // of the error; empty: a session over TLS
	}{
		{"a certificate for the host is right", enforce("a.test"), smtpsink.Options{TLS: right}, ""},
		{"also for a host named by a star", enforce("*.test"), smtpsink.Options{TLS: right}, ""},
		{"one for another name is not", enforce("a.test"), smtpsink.Options{TLS: other}, "smtp_tls_bad_certificate"},
		{"nor is none", enforce("a.test"), smtpsink.Options{}, "smtp_tls_not_offered"},
		{"nor is STARTTLS that is refused", enforce("a.test"), smtpsink.Options{TLS: right, Answer: at(smtpsink.StageStartTLS, smtpsink.Reply{Code: 454, Text: "not now"})}, "smtp_refused"},
		{"nor is a handshake that breaks", enforce("a.test"), smtpsink.Options{TLS: right, Answer: at(smtpsink.StageStartTLS, smtpsink.Reply{Action: smtpsink.Drop})}, "smtp_tls_failed"},
		{"a host that is not named gets nothing", enforce("mail.a.test"), smtpsink.Options{TLS: right}, "smtp_policy_host"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			n := newInternet(t, append(policyLines, "shop.test. 60 IN MX 10 a.test.", "a.test. 60 IN A 192.0.2.1")...)
			host := n.policyHost("mta-sts.shop.test")
			host.setPolicy(c.policy...)
			sink := n.sink("192.0.2.1", c.options)
			route := n.route(n.router(trust(host.own, right, other)), "shop.test")
			if c.code == "" {
				session, err := route.Open(t.Context())
				if result := send(t, session, err); result.TLS == "" {
					t.Error("sent in clear")
				}
				return
			}
			failed := openError(t, route)
			checkForbidden(t, failed)
			if got := mailing.CodeOf(failed); got != c.code {
				t.Errorf("code %s, want %s: %v", got, c.code, failed)
			}
			if sink.Count() != 0 || sink.Connections() > 1 {
				t.Errorf("%d mails over %d connections", sink.Count(), sink.Connections())
			}
		})
	}
}

// checkForbidden checks what mail gets that a policy lets go nowhere: a
// deferral that says why.
func checkForbidden(t *testing.T, failed *transport.OpenError) {
	t.Helper()
	if failed.Reply.Code != 451 || failed.Reply.Enhanced != "4.7.5" || !strings.Contains(failed.Reply.Text, "MTA-STS") {
		t.Errorf("reply %s", failed.Reply)
	}
	if verdict := mailing.Judge(failed.Reply, string(failed.Stage)); verdict.Result != mailing.AttemptDeferred {
		t.Errorf("verdict %+v", verdict)
	}
}

func TestAHostThatThePolicyForbidsIsPassedOver(t *testing.T) {
	right := certificate(t, "b.test")
	n := newInternet(t, append(policyLines, twoHosts...)...)
	host := n.policyHost("mta-sts.shop.test")
	host.setPolicy(enforce("b.test")...)
	n.sink("192.0.2.1", smtpsink.Options{})
	n.sink("192.0.2.2", smtpsink.Options{TLS: right})
	session, err := n.route(n.router(trust(host.own, right)), "shop.test").Open(t.Context())
	if result := send(t, session, err); !strings.HasPrefix(result.Host, "b.test") {
		t.Errorf("it went to %s", result.Host)
	}
	if strings.Contains(n.dials(), "192.0.2.1:25") {
		t.Error("the host that the policy does not name was connected to")
	}
}

func TestAPolicyInTestingModeChangesNothing(t *testing.T) {
	other := certificate(t, "other.test")
	for _, options := range []smtpsink.Options{{}, {TLS: other}} {
		n := newInternet(t, append(policyLines, twoHosts...)...)
		host := n.policyHost("mta-sts.shop.test")
		host.setPolicy("version: STSv1", "mode: testing", "mx: elsewhere.test", "max_age: 604800")
		n.sink("192.0.2.1", options)
		route := n.route(n.router(trust(host.own)), "shop.test")
		if route.Policy == nil || route.Policy.Mode != PolicyTesting {
			t.Fatalf("policy %+v", route.Policy)
		}
		session, err := route.Open(t.Context())
		send(t, session, err)
	}
}

func TestAnErrorOfTheWebIsNotOneOfTheRoute(t *testing.T) {
	n := newInternet(t, append(policyLines, twoHosts...)...)
	r := n.router()
	if _, err := r.policies.fetch(t.Context(), "shop.test"); err == nil || errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if _, err := r.Route(t.Context(), "shop.test"); err != nil {
		t.Error(err)
	}
}
