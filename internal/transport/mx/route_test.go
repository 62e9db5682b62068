package mx

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/miekg/dns"

	"vestnik/internal/mailing"
	"vestnik/internal/transport"
)

// router is one that knows only what is in the zones.
func (z *zones) router(change ...func(*Options)) *Router {
	options := Options{Exchange: z.exchange, NameServers: []string{"192.0.2.53:53"}}
	for _, c := range change {
		c(&options)
	}
	return NewRouter(options)
}

// hostNames are the hosts of a route: "10 a.test, 20 b.test".
func hostNames(route *Route) string {
	var names []string
	for _, host := range route.Hosts {
		names = append(names, fmt.Sprint(host.Preference, " ", host.Name))
	}
	return strings.Join(names, ", ")
}

func TestRoute(t *testing.T) {
	cases := []struct {
		name   string
		domain string
		lines  []string
		want   string
	}{
		{
			"hosts come by preference", "shop.test",
			[]string{"shop.test. 60 IN MX 20 b.test.", "shop.test. 60 IN MX 10 a.test.", "a.test. 60 IN A 192.0.2.1"},
			"10 a.test, 20 b.test",
		},
		{"without MX records the domain is the host", "shop.test", []string{"shop.test. 60 IN A 192.0.2.1"}, "0 shop.test"},
		{"so it is with nothing but an IPv6 address", "shop.test", []string{"shop.test. 60 IN AAAA 2001:db8::1"}, "0 shop.test"},
		{
			"a domain that is an alias has the hosts of the other", "shop.test",
			[]string{"shop.test. 60 IN CNAME b.test.", "b.test. 60 IN MX 10 mx.b.test.", "mx.b.test. 60 IN A 192.0.2.1"},
			"10 mx.b.test",
		},
		{
			"a host that is an alias is tolerated", "shop.test",
			[]string{"shop.test. 60 IN MX 10 a.test.", "a.test. 60 IN CNAME b.test.", "b.test. 60 IN A 192.0.2.1"},
			"10 a.test",
		},
		{
			"case makes no difference", "SHOP.Test.",
			[]string{"shop.test. 60 IN MX 10 MX.Test.", "mx.test. 60 IN A 192.0.2.1"},
			"10 mx.test",
		},
		{
			"a domain in Cyrillic is asked for in A-labels", "почта.test",
			[]string{"xn--80a1acny.test. 60 IN MX 10 a.test.", "a.test. 60 IN A 192.0.2.1"},
			"10 a.test",
		},
		{
			"a host named twice counts once, by the better preference", "shop.test",
			[]string{"shop.test. 60 IN MX 20 a.test.", "shop.test. 60 IN MX 10 a.test.", "shop.test. 60 IN MX 15 b.test.", "a.test. 60 IN A 192.0.2.1"},
			"10 a.test, 15 b.test",
		},
		{
			"a null MX among others counts for nothing", "shop.test",
			[]string{"shop.test. 60 IN MX 0 .", "shop.test. 60 IN MX 10 a.test.", "a.test. 60 IN A 192.0.2.1"},
			"10 a.test",
		},
		{
			"one host with a public address is enough", "shop.test",
			[]string{"shop.test. 60 IN MX 10 a.test.", "shop.test. 60 IN MX 20 b.test.", "a.test. 60 IN A 127.0.0.1", "b.test. 60 IN A 192.0.2.1"},
			"10 a.test, 20 b.test",
		},
		{"an IPv4 literal", "[192.0.2.7]", nil, "0 192.0.2.7"},
		{"an IPv6 literal", "[IPv6:2001:db8::7]", nil, "0 2001:db8::7"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			route, err := newZones(t, c.lines...).router().Route(t.Context(), c.domain)
			if err != nil {
				t.Fatal(err)
			}
			if got := hostNames(route); got != c.want {
				t.Errorf("hosts %s, want %s", got, c.want)
			}
		})
	}
}

// refused is the reply in the place of servers that were not found.
func refused(t *testing.T, r *Router, domain string) mailing.Reply {
	t.Helper()
	route, err := r.Route(t.Context(), domain)
	var said *RouteError
	if !errors.As(err, &said) {
		t.Fatalf("route %+v, error %v, want a RouteError", route, err)
	}
	return said.Reply
}

func TestNoRoute(t *testing.T) {
	cases := []struct {
		name   string
		domain string
		lines  []string
		want   string // code and enhanced code
	}{
		{"a null MX is a refusal", "shop.test", []string{"shop.test. 60 IN MX 0 .", "shop.test. 60 IN A 192.0.2.1"}, "556 5.1.10"},
		{"no such domain", "shop.test", nil, "550 5.1.2"},
		{"a domain without any address", "shop.test", []string{"shop.test. 60 IN TXT x"}, "550 5.1.2"},
		{"hosts that do not exist", "shop.test", []string{"shop.test. 60 IN MX 10 a.test."}, "550 5.1.2"},
		{"MX records of which none names a host", "shop.test", []string{`shop.test. 60 IN MX 10 a\\b.test.`, "shop.test. 60 IN MX 0 ."}, "550 5.1.2"},
		{"an alias of nothing", "shop.test", []string{"shop.test. 60 IN CNAME gone.test."}, "550 5.1.2"},
		{"nothing but loopback addresses", "shop.test", []string{"shop.test. 60 IN MX 10 a.test.", "a.test. 60 IN A 127.0.0.1", "a.test. 60 IN AAAA ::1"}, "550 5.4.4"},
		{"nothing but private addresses", "shop.test", []string{"shop.test. 60 IN A 10.0.0.25"}, "550 5.4.4"},
		{"a private literal", "[192.168.1.1]", nil, "550 5.4.4"},
		{"no domain at all", "", nil, "501 5.1.3"},
		{"a malformed domain", "shop..test", nil, "501 5.1.3"},
		{"what would go into a command", "shop.test>\r\nQUIT", nil, "501 5.1.3"},
		{"a malformed literal", "[192.0.2]", nil, "501 5.1.3"},
		{"an IPv6 literal without its tag", "[2001:db8::7]", nil, "501 5.1.3"},
		{"an IPv4 literal with the tag of the other", "[IPv6:192.0.2.7]", nil, "501 5.1.3"},
		{"a literal with a zone", "[IPv6:fe80::1%eth0]", nil, "501 5.1.3"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			reply := refused(t, newZones(t, c.lines...).router(), c.domain)
			if got := fmt.Sprint(reply.Code, " ", reply.Enhanced); got != c.want {
				t.Errorf("%s, want %s", reply, c.want)
			}
			if result := (&RouteError{Domain: c.domain, Reply: reply}).Result(); strings.ContainsAny(result.Host+reply.Text, "\r\n") {
				t.Errorf("%q at %q would break lines", reply.Text, result.Host)
			}
			if !strings.HasPrefix(reply.Text, "not sent: ") {
				t.Errorf("the text does not say that it is ours: %s", reply.Text)
			}
		})
	}
}

func TestDNSThatDoesNotSayIsNeverARefusal(t *testing.T) {
	shop := []string{"shop.test. 60 IN MX 10 a.test.", "shop.test. 60 IN MX 20 b.test.", "a.test. 60 IN A 10.0.0.1"}
	cases := []struct {
		name string
		fail func(*zones)
	}{
		{"SERVFAIL for the MX", func(z *zones) { z.answerCode("MX shop.test.", dns.RcodeServerFailure) }},
		{"REFUSED for the MX", func(z *zones) { z.answerCode("MX shop.test.", dns.RcodeRefused) }},
		{"a timeout for the MX", func(z *zones) { z.fail("MX shop.test.", context.DeadlineExceeded) }},
		{"nonsense for the MX", func(z *zones) { z.fail("MX shop.test.", dns.ErrBuf) }},
		{"SERVFAIL for the address of one host", func(z *zones) { z.answerCode("b.test.", dns.RcodeServerFailure) }},
		{"SERVFAIL for one kind of address", func(z *zones) { z.answerCode("AAAA b.test.", dns.RcodeServerFailure) }},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			z := newZones(t, shop...)
			c.fail(z)
			reply := refused(t, z.router(), "shop.test")
			if reply.Code != 451 || reply.Enhanced != "4.4.3" {
				t.Errorf("%s, want 451 4.4.3", reply)
			}
			if verdict := mailing.Judge(reply, string(transport.StageRcpt)); verdict.Result != mailing.AttemptDeferred {
				t.Errorf("the verdict is %+v", verdict)
			}
		})
	}
	t.Run("a caller whose time runs out learns the same", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			r := NewRouter(Options{NameServers: []string{"192.0.2.53:53"}, Exchange: silence})
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			_, err := r.Route(ctx, "shop.test")
			var said *RouteError
			if !errors.As(err, &said) || said.Reply.Code != 451 {
				t.Errorf("got %v", err)
			}
		})
	})
	t.Run("a caller who gives up gets the cause", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			r := NewRouter(Options{NameServers: []string{"192.0.2.53:53"}, Exchange: silence})
			ctx, cancel := context.WithCancelCause(t.Context())
			cause := errors.New("the run was paused")
			time.AfterFunc(time.Second, func() { cancel(cause) })
			if _, err := r.Route(ctx, "shop.test"); !errors.Is(err, cause) {
				t.Errorf("got %v", err)
			}
		})
	})
}

func silence(ctx context.Context, _, _ string, _ *dns.Msg) (*dns.Msg, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestARefusalIsJudgedAsOneToRCPT(t *testing.T) {
	r := newZones(t, "null.test. 60 IN MX 0 .", "inner.test. 60 IN A 10.0.0.1").router()
	cases := []struct {
		domain string
		want   mailing.Verdict
	}{
		{"null.test", mailing.Verdict{Result: mailing.AttemptFailed, Blame: mailing.BlameMailbox}},
		{"gone.test", mailing.Verdict{Result: mailing.AttemptFailed, Blame: mailing.BlameMailbox}},
		{"inner.test", mailing.Verdict{Result: mailing.AttemptFailed, Blame: mailing.BlameMessage}},
	}
	for _, c := range cases {
		_, err := r.Route(t.Context(), c.domain)
		var said *RouteError
		if !errors.As(err, &said) {
			t.Fatal(err)
		}
		result := said.Result()
		if got := mailing.Judge(result.Reply, string(result.Stage)); got != c.want || result.Host != c.domain {
			t.Errorf("%s: %+v at %s, want %+v", c.domain, got, result.Host, c.want)
		}
	}
}

func TestWeAreNotOurOwnMailServer(t *testing.T) {
	lines := []string{
		"shop.test. 60 IN MX 10 a.test.", "shop.test. 60 IN MX 20 Us.test.", "shop.test. 60 IN MX 20 b.test.",
		"shop.test. 60 IN MX 30 c.test.", "a.test. 60 IN A 192.0.2.1", "us.test. 60 IN A 192.0.2.2",
	}
	us := func(o *Options) { o.OwnNames = []string{"US.test."} }
	t.Run("what is preferred no more than we are is left out", func(t *testing.T) {
		route, err := newZones(t, lines...).router(us).Route(t.Context(), "shop.test")
		if err != nil || hostNames(route) != "10 a.test" {
			t.Errorf("route %+v, %v", route, err)
		}
	})
	t.Run("when nothing is left it is a loop", func(t *testing.T) {
		reply := refused(t, newZones(t, lines[1:]...).router(us), "shop.test")
		if reply.Code != 550 || reply.Enhanced != "5.4.6" {
			t.Errorf("%s", reply)
		}
	})
	t.Run("a domain without MX records that is our name is one too", func(t *testing.T) {
		if reply := refused(t, newZones(t, lines...).router(us), "us.test"); reply.Enhanced != "5.4.6" {
			t.Errorf("%s", reply)
		}
	})
}

func TestHostsOfEqualPreferenceTakeTurns(t *testing.T) {
	route, err := newZones(t,
		"shop.test. 60 IN MX 10 a.test.", "shop.test. 60 IN MX 10 b.test.", "shop.test. 60 IN MX 20 c.test.",
		"a.test. 60 IN A 192.0.2.1").router().Route(t.Context(), "shop.test")
	if err != nil {
		t.Fatal(err)
	}
	first := map[string]int{}
	for range 200 { // that one is never first happens once in 10^60
		order := route.order()
		first[order[0].Name]++
		if order[2].Name != "c.test" {
			t.Fatalf("order %v", order)
		}
	}
	if first["a.test"] == 0 || first["b.test"] == 0 {
		t.Errorf("first were %v", first)
	}
}

func TestFamiliesOfAddressesTakeTurns(t *testing.T) {
	r := newZones(t).router()
	six := []netip.Addr{netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("2001:db8::2"), netip.MustParseAddr("2001:db8::3")}
	four := netip.MustParseAddr("192.0.2.1")
	order := r.orderAddresses(append(six, four))
	if len(order) != 4 || !order[0].Is6() || order[1] != four {
		t.Errorf("order %v", order)
	}
	r.silent.keep(order[0].String(), struct{}{}, time.Now().Add(time.Hour))
	if again := r.orderAddresses(append(six, four)); again[3] != order[0] {
		t.Errorf("the silent %s is not last in %v", order[0], again)
	}
}

func TestRouteKeys(t *testing.T) {
	r := newZones(t,
		"a.test. 60 IN MX 10 mx.host.test.", "b.test. 60 IN MX 10 mx.host.test.", "c.test. 60 IN MX 10 other.host.test.",
		"mx.host.test. 60 IN A 192.0.2.1", "other.host.test. 60 IN A 192.0.2.2").router()
	route := func(domain string) *Route {
		found, err := r.Route(t.Context(), domain)
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	a, b, c := route("a.test"), route("b.test"), route("c.test")
	if a.Site.Key != c.Site.Key {
		t.Errorf("hosts of one domain belong to %s and %s", a.Site.Key, c.Site.Key)
	}
	if a.Key != b.Key {
		t.Errorf("the same hosts have the keys %q and %q", a.Key, b.Key)
	}
	if a.Key == c.Key {
		t.Errorf("other hosts have the same key %q", a.Key)
	}
	strict := newRoute(r, "a.test", &path{site: a.Site, hosts: a.Hosts}, &Policy{Mode: PolicyEnforce, MX: []string{"mx.host.test"}})
	if strict.Key == a.Key {
		t.Error("a session without a checked certificate would serve a domain that asks for one")
	}
}

func TestAllDomainsOfAProviderAreOneSite(t *testing.T) {
	r := newZones(t,
		"gmail.test. 60 IN MX 5 gmail-smtp-in.l.google.com.", "gmail-smtp-in.l.google.com. 60 IN A 192.0.2.1",
		"shop.test. 60 IN MX 1 aspmx.l.google.com.", "shop.test. 60 IN MX 0 backup.google.test.", "aspmx.l.google.com. 60 IN A 192.0.2.2",
		"firm.test. 60 IN MX 1 smtp.google.com.", "smtp.google.com. 60 IN A 192.0.2.3").router()
	site := func(domain string) *Site {
		route, err := r.Route(t.Context(), domain)
		if err != nil {
			t.Fatal(err)
		}
		return route.Site
	}
	if a, b := site("gmail.test"), site("firm.test"); a.Key != "google" || b.Key != "google" || a.Limits != b.Limits {
		t.Errorf("sites %s and %s", a.Key, b.Key)
	}
	if got := site("shop.test").Key; got != "google.test" {
		t.Errorf("a domain whose best host is elsewhere belongs to %s", got)
	}
}

func TestARouteIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		z := newZones(t, "shop.test. 1800 IN MX 10 a.test.", "a.test. 300 IN A 192.0.2.1")
		r := z.router()
		for range 100 {
			if _, err := r.Route(t.Context(), "shop.test"); err != nil {
				t.Fatal(err)
			}
		}
		if n := z.questions("MX shop.test."); n != 1 {
			t.Errorf("the MX was asked for %d times", n)
		}
		z.empty()
		z.add(t, "shop.test. 1800 IN MX 10 b.test.", "b.test. 300 IN A 192.0.2.2")
		time.Sleep(time.Hour)
		route, err := r.Route(t.Context(), "shop.test")
		if err != nil || hostNames(route) != "10 b.test" {
			t.Errorf("after an hour: %+v, %v", route, err)
		}
	})
}

func TestIsPublic(t *testing.T) {
	cases := map[string]bool{
		"8.8.8.8": true, "2a00:1450::1": true, "192.0.2.1": true, "2001:db8::1": true, "172.32.0.1": true,
		"127.0.0.1": false, "::1": false, "0.0.0.0": false, "::": false, "0.1.2.3": false,
		"10.1.2.3": false, "172.16.0.1": false, "192.168.0.1": false, "169.254.169.254": false,
		"100.64.0.1": false, "192.0.0.1": false, "198.18.0.1": false, "224.0.0.1": false, "240.0.0.1": false, "255.255.255.255": false,
		"fe80::1": false, "fc00::1": false, "fd00::1": false, "ff02::1": false, "fec0::1": false, "::7f00:1": false,
		"::ffff:10.0.0.1": false, "::ffff:100.64.0.1": false, "::ffff:8.8.8.8": true, "64:ff9b::a00:1": false, "64:ff9b::808:808": true,
		"64:ff9b:1::1": false, "2002:a00:1::1": false, "2002:808:808::1": true,
	}
	for text, want := range cases {
		if got := transport.IsPublic(netip.MustParseAddr(text)); got != want {
			t.Errorf("%s: %v, want %v", text, got, want)
		}
	}
}

func FuzzDomainName(f *testing.F) {
	for _, seed := range []string{"shop.test", "почта.рф", "a..b", "[192.0.2.1]", "xn--a", "a\r\nb", strings.Repeat("a", 300), "ＳＨＯＰ.test"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, domain string) {
		name, err := domainName(domain)
		if err != nil {
			return
		}
		if !isHostName(name) {
			t.Errorf("%q became %q", domain, name)
		}
		if again, err := domainName(name); err != nil || again != name {
			t.Errorf("%q became %q and then %q, %v", domain, name, again, err)
		}
	})
}

// BenchmarkRoute is what a mail pays whose route is known.
func BenchmarkRoute(b *testing.B) {
	r := newZones(b, "shop.test. 600 IN MX 10 a.test.", "a.test. 600 IN A 192.0.2.1").router()
	for b.Loop() {
		if _, err := r.Route(b.Context(), "shop.test"); err != nil {
			b.Fatal(err)
		}
	}
}
