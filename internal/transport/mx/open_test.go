package mx

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/smtpsink"
	"vestnik/internal/transport"
)

// internet leads from public addresses to sinks on this machine. Where no sink
// is, nobody listens.
type internet struct {
	t     *testing.T
	zones *zones

	mu     sync.Mutex
	sinks  map[string]string // "192.0.2.1:25" to where it listens
	dialed []string
}

func newInternet(t *testing.T, lines ...string) *internet {
	return &internet{t: t, zones: newZones(t, lines...), sinks: map[string]string{}}
}

func (n *internet) sink(address string, options smtpsink.Options) *smtpsink.Server {
	n.t.Helper()
	sink, err := smtpsink.Start(options)
	if err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(func() {
		if err := sink.Close(); err != nil {
			n.t.Error(err)
		}
	})
	n.lead(net.JoinHostPort(address, "25"), sink.Addr())
	return sink
}

func (n *internet) lead(from, to string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.sinks[from] = to
}

func (n *internet) dial(ctx context.Context, network, address string) (net.Conn, error) {
	n.mu.Lock()
	n.dialed = append(n.dialed, address)
	to, known := n.sinks[address]
	n.mu.Unlock()
	if !known {
		return nil, &net.OpError{Op: "dial", Net: network, Err: errors.New("nobody listens on " + address)}
	}
	return new(net.Dialer).DialContext(ctx, network, to)
}

// dials returns what was dialed since it was last asked.
func (n *internet) dials() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	all := strings.Join(n.dialed, " ")
	n.dialed = nil
	return all
}

func (n *internet) router(change ...func(*Options)) *Router {
	return n.zones.router(append(change, func(o *Options) { o.Dial = n.dial })...)
}

func (n *internet) route(r *Router, domain string) *Route {
	n.t.Helper()
	route, err := r.Route(n.t.Context(), domain)
	if err != nil {
		n.t.Fatal(err)
	}
	return route
}

// send sends a mail over a session and returns its result.
func send(t *testing.T, session *transport.Session, err error) transport.Result {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	envelope := transport.Envelope{From: "news@us.test", To: "anna@shop.test"}
	result, err := session.Send(t.Context(), envelope, []byte("Subject: hi\r\n\r\nHello.\r\n"), nil)
	if err != nil || !result.Reply.Accepted() {
		t.Fatalf("%+v, %v", result, err)
	}
	return result
}

// openError is the error of an Open that must fail.
func openError(t *testing.T, route *Route) *transport.OpenError {
	t.Helper()
	session, err := route.Open(t.Context())
	if err == nil {
		session.Cut()
		t.Fatal("a session was opened")
	}
	var failed *transport.OpenError
	if !errors.As(err, &failed) {
		t.Fatalf("%T: %v", err, err)
	}
	return failed
}

// twoHosts are a domain's better and worse host.
var twoHosts = []string{
	"shop.test. 60 IN MX 10 a.test.", "a.test. 60 IN A 192.0.2.1",
	"shop.test. 60 IN MX 20 b.test.", "b.test. 60 IN A 192.0.2.2",
}

func TestOpen(t *testing.T) {
	t.Run("the better host gets the mail", func(t *testing.T) {
		n := newInternet(t, twoHosts...)
		n.sink("192.0.2.1", smtpsink.Options{})
		n.sink("192.0.2.2", smtpsink.Options{})
		session, err := n.route(n.router(), "shop.test").Open(t.Context())
		if result := send(t, session, err); !strings.HasPrefix(result.Host, "a.test:25 ") {
			t.Errorf("it went to %s", result.Host)
		}
	})
	t.Run("the other one gets it when the better does not answer, and for a while first", func(t *testing.T) {
		n := newInternet(t, twoHosts...)
		n.sink("192.0.2.2", smtpsink.Options{})
		r := n.router()
		for _, want := range []string{"192.0.2.1:25 192.0.2.2:25", "192.0.2.2:25"} {
			session, err := n.route(r, "shop.test").Open(t.Context())
			send(t, session, err)
			if got := n.dials(); got != want {
				t.Errorf("dialed %s, want %s", got, want)
			}
		}
	})
	t.Run("a host that is back is the first again", func(t *testing.T) {
		n := newInternet(t, twoHosts...)
		r := n.router()
		openError(t, n.route(r, "shop.test"))
		n.sink("192.0.2.1", smtpsink.Options{})
		for range 2 { // found by being tried last, then first
			session, err := n.route(r, "shop.test").Open(t.Context())
			send(t, session, err)
		}
		n.dials()
		session, err := n.route(r, "shop.test").Open(t.Context())
		send(t, session, err)
		if got := n.dials(); got != "192.0.2.1:25" {
			t.Errorf("dialed %s", got)
		}
	})
	t.Run("all addresses of a host are tried", func(t *testing.T) {
		n := newInternet(t, "shop.test. 60 IN AAAA 2001:db8::1", "shop.test. 60 IN A 192.0.2.1", "shop.test. 60 IN A 192.0.2.2")
		n.sink("192.0.2.2", smtpsink.Options{})
		session, err := n.route(n.router(), "shop.test").Open(t.Context())
		send(t, session, err)
	})
	t.Run("IPv6 is used", func(t *testing.T) {
		n := newInternet(t, "shop.test. 60 IN AAAA 2001:db8::1")
		n.sink("2001:db8::1", smtpsink.Options{})
		session, err := n.route(n.router(), "shop.test").Open(t.Context())
		send(t, session, err)
	})
	t.Run("an address literal needs no DNS", func(t *testing.T) {
		n := newInternet(t)
		n.sink("192.0.2.1", smtpsink.Options{})
		session, err := n.route(n.router(), "[192.0.2.1]").Open(t.Context())
		send(t, session, err)
	})
	t.Run("a private address of a host with a public one is not dialed", func(t *testing.T) {
		n := newInternet(t, "shop.test. 60 IN A 192.0.2.1", "shop.test. 60 IN A 10.0.0.1")
		openError(t, n.route(n.router(), "shop.test"))
		if got := n.dials(); got != "192.0.2.1:25" {
			t.Errorf("dialed %s", got)
		}
	})
	t.Run("five addresses are tried at most", func(t *testing.T) {
		lines := []string{"shop.test. 60 IN MX 1 b.test.", "b.test. 60 IN A 198.51.100.1"}
		for _, last := range strings.Fields("1 2 3 4 5 6 7 8") {
			lines = append(lines, "a.test. 60 IN A 192.0.2."+last)
		}
		n := newInternet(t, append(lines, "shop.test. 60 IN MX 0 a.test.")...)
		openError(t, n.route(n.router(), "shop.test"))
		if got := strings.Fields(n.dials()); len(got) != maxTries {
			t.Errorf("dialed %v", got)
		}
	})
	t.Run("a cancelled caller gets the cause and nothing is remembered", func(t *testing.T) {
		n := newInternet(t, twoHosts...)
		n.sink("192.0.2.1", smtpsink.Options{Answer: at(smtpsink.StageConnect, smtpsink.Reply{Action: smtpsink.Stall})})
		r := n.router()
		ctx, cancel := context.WithCancelCause(t.Context())
		cause := errors.New("the run was paused")
		timer := time.AfterFunc(50*time.Millisecond, func() { cancel(cause) })
		defer timer.Stop()
		if _, err := n.route(r, "shop.test").Open(ctx); !errors.Is(err, cause) {
			t.Errorf("got %v", err)
		}
		if got := n.dials(); got != "192.0.2.1:25" {
			t.Errorf("dialed %s", got)
		}
		if _, silent := r.silent.look("a.test"); silent {
			t.Error("the host counts as silent")
		}
	})
	t.Run("the cause also when another host has refused before", func(t *testing.T) {
		n := newInternet(t, twoHosts...)
		n.sink("192.0.2.1", smtpsink.Options{Answer: at(smtpsink.StageConnect, smtpsink.Reply{Code: 421, Text: "later"})})
		n.sink("192.0.2.2", smtpsink.Options{Answer: at(smtpsink.StageConnect, smtpsink.Reply{Action: smtpsink.Stall})})
		ctx, cancel := context.WithCancelCause(t.Context())
		cause := errors.New("the run was paused")
		timer := time.AfterFunc(100*time.Millisecond, func() { cancel(cause) })
		defer timer.Stop()
		if _, err := n.route(n.router(), "shop.test").Open(ctx); !errors.Is(err, cause) {
			t.Errorf("got %v", err)
		}
	})
}

// at answers at one stage only.
func at(stage smtpsink.Stage, reply smtpsink.Reply) func(smtpsink.Stage, smtpsink.Envelope) smtpsink.Reply {
	return func(now smtpsink.Stage, _ smtpsink.Envelope) smtpsink.Reply {
		if now == stage {
			return reply
		}
		return smtpsink.Reply{}
	}
}

func TestAHostThatRefusesIsPassedOver(t *testing.T) {
	later := smtpsink.Reply{Code: 421, Enhanced: "4.7.0", Text: "slow down"}
	never := smtpsink.Reply{Code: 554, Enhanced: "5.7.1", Text: "you are on our block list"}
	cases := []struct {
		name   string
		first  smtpsink.Reply
		second *smtpsink.Reply // nil: accepts
		want   string          // code; empty: a session
	}{
		{"by 4yz", later, nil, ""},
		{"by 5yz", never, nil, ""},
		{"of two refusals the one that says later counts", never, &later, "421 4.7.0 slow down"},
		{"also when it was the first", later, &never, "421 4.7.0 slow down"},
		{"of two that say never the first counts", never, &smtpsink.Reply{Code: 521, Text: "no mail here"}, "554 5.7.1 you are on our block list"},
		{"a refusal tells more than silence", never, &smtpsink.Reply{Action: smtpsink.Drop}, "554 5.7.1 you are on our block list"},
		{"also when silence came first", smtpsink.Reply{Action: smtpsink.Drop}, &never, "554 5.7.1 you are on our block list"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			n := newInternet(t, twoHosts...)
			n.sink("192.0.2.1", smtpsink.Options{Answer: at(smtpsink.StageConnect, c.first)})
			second := smtpsink.Options{}
			if c.second != nil {
				second.Answer = at(smtpsink.StageConnect, *c.second)
			}
			n.sink("192.0.2.2", second)
			route := n.route(n.router(), "shop.test")
			if c.want == "" {
				session, err := route.Open(t.Context())
				if result := send(t, session, err); !strings.HasPrefix(result.Host, "b.test:25") {
					t.Errorf("it went to %s", result.Host)
				}
				return
			}
			if failed := openError(t, route); failed.Reply.String() != c.want {
				t.Errorf("got %q, want %q", failed.Reply, c.want)
			}
		})
	}
}

func TestDNSThatFailsLaterDefers(t *testing.T) {
	n := newInternet(t, twoHosts...)
	route := n.route(n.router(), "shop.test")
	route.router = n.router() // one that has forgotten
	n.zones.fail("a.test.", errors.New("unreachable"))
	n.zones.fail("b.test.", errors.New("unreachable"))
	failed := openError(t, route)
	if failed.Reply.Code != 451 || failed.Reply.Enhanced != "4.4.3" || mailing.CodeOf(failed) != "smtp_dns_failed" {
		t.Errorf("%+v", failed)
	}
	n.zones.empty()
	route.router = n.router()
	if failed := openError(t, route); failed.Reply.Code != 451 {
		t.Errorf("%+v", failed)
	}
}

// certificate makes one for the name.
func certificate(t *testing.T, name string) *tls.Config {
	t.Helper()
	config, _, err := smtpsink.SelfSigned(name)
	if err != nil {
		t.Fatal(err)
	}
	return config
}

func TestOpportunisticTLS(t *testing.T) {
	wrong := certificate(t, "other.test")
	old := &tls.Config{Certificates: wrong.Certificates, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}
	cases := []struct {
		name        string
		options     smtpsink.Options
		tls         bool
		connections int
	}{
		{"is used with any certificate", smtpsink.Options{TLS: wrong}, true, 1},
		{"is not used where it is not offered", smtpsink.Options{}, false, 1},
		{"is given up where the handshake breaks", smtpsink.Options{TLS: old}, false, 2},
		{"is given up where it is offered and refused", smtpsink.Options{TLS: wrong, Answer: at(smtpsink.StageStartTLS, smtpsink.Reply{Code: 454, Text: "not now"})}, false, 1},
		{"is given up where the server hangs up at it", smtpsink.Options{TLS: wrong, Answer: at(smtpsink.StageStartTLS, smtpsink.Reply{Action: smtpsink.Drop})}, false, 2},
		{"is given up where the server hangs up after it", smtpsink.Options{TLS: wrong, Answer: func(stage smtpsink.Stage, e smtpsink.Envelope) smtpsink.Reply {
			if stage == smtpsink.StageEHLO && e.TLS {
				return smtpsink.Reply{Action: smtpsink.Drop}
			}
			return smtpsink.Reply{}
		}}, false, 2},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			n := newInternet(t, "shop.test. 60 IN A 192.0.2.1")
			sink := n.sink("192.0.2.1", c.options)
			session, err := n.route(n.router(), "shop.test").Open(t.Context())
			if result := send(t, session, err); (result.TLS != "") != c.tls || sink.Connections() != c.connections {
				t.Errorf("TLS %q over %d connections, want %v over %d", result.TLS, sink.Connections(), c.tls, c.connections)
			}
		})
	}
}
