package server

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"testing"

	"github.com/miekg/dns"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
	"vestnik/internal/smtpsink"
	"vestnik/internal/transport/mx"
)

// zone answers every question of a router with what a zone file says.
func zone(records ...string) mx.Exchange {
	return func(_ context.Context, _, _ string, question *dns.Msg) (*dns.Msg, error) {
		answer := new(dns.Msg).SetReply(question)
		for _, record := range records {
			rr, err := dns.NewRR(record)
			if err != nil {
				return nil, err
			}
			if asked := question.Question[0]; rr.Header().Name == asked.Name && rr.Header().Rrtype == asked.Qtype {
				answer.Answer = append(answer.Answer, rr)
			}
		}
		return answer, nil
	}
}

func TestDirectCheck(t *testing.T) {
	t.Parallel()
	sink, err := smtpsink.Start(smtpsink.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer sink.Close()
	ours := []netip.Addr{netip.MustParseAddr("192.0.2.7"), netip.MustParseAddr("2001:db8::7")}
	whole := map[string][]string{"192.0.2.7": {"other.example.org.", "Mail.Example.ORG."}, "2001:db8::7": {"mail.example.org."}}
	served := zone("example.org. 60 IN MX 10 mx.example.org.", "mx.example.org. 60 IN A 127.0.0.1")
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close() // nobody listens there any more
	for _, c := range []struct {
		name  string
		names map[string][]string
		addrs []netip.Addr
		dns   mx.Exchange
		port  int
		want  []string // steps with the codes of their errors
	}{
		{"who has all that it takes passes", whole, ours, served, sink.Port(), []string{"helo:", "reverse:", "outside:"}},
		{"a name without an address is told", whole, nil, served, sink.Port(), []string{"helo:direct_name_unknown"}},
		{
			"an address whose record names somebody else is told",
			map[string][]string{"192.0.2.7": {"mail.example.org."}, "2001:db8::7": {"x.example."}},
			ours, served, sink.Port(),
			[]string{"helo:", "reverse:direct_no_way_back"},
		},
		{"an address without a record is told", nil, ours, served, sink.Port(), []string{"helo:", "reverse:direct_no_way_back"}},
		{"a sender's domain without a mail server is told", whole, ours, zone(), sink.Port(), []string{"helo:", "reverse:", "outside:direct_no_route"}},
		{
			"a port that is closed is told", whole, ours, served, closed.Addr().(*net.TCPAddr).Port,
			[]string{"helo:", "reverse:", "outside:smtp_port_refused"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			check := directCheck{
				addresses: func(context.Context, string) ([]netip.Addr, error) { return c.addrs, nil },
				names: func(_ context.Context, address string) ([]string, error) {
					if c.names == nil {
						return nil, errors.New("no such record")
					}
					return c.names[address], nil
				},
				router: mx.NewRouter(mx.Options{Exchange: c.dns, NameServers: []string{"192.0.2.53:53"}, AllowPrivate: true, Port: c.port}),
			}
			var got []string
			check.run(t.Context(), app.RelaySettings{Kind: app.RelayMX, HeloName: "mail.example.org", FromEmail: "news@example.org"},
				func(name string, err error) { got = append(got, name+":"+mailing.CodeOf(err)) })
			if !slices.Equal(got, c.want) {
				t.Errorf("the steps are %v, want %v", got, c.want)
			}
		})
	}
	if sink.Count() > 0 {
		t.Error("the check has sent a mail")
	}
}
