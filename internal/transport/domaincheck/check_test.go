package domaincheck_test

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"vestnik/internal/mailing"
	"vestnik/internal/transport/domaincheck"
	"vestnik/internal/transport/mx"
)

// zone is what the only name server of a test knows: lines of a zone file. A name that
// begins with "broken." is one that it cannot tell about.
type zone []string

func (z zone) exchange(_ context.Context, _, _ string, question *dns.Msg) (*dns.Msg, error) {
	reply := new(dns.Msg)
	reply.SetReply(question)
	asked := question.Question[0]
	if strings.Contains(asked.Name, "broken.") {
		reply.Rcode = dns.RcodeServerFailure
		return reply, nil
	}
	known := false
	for _, line := range z {
		record, err := dns.NewRR(line)
		if err != nil {
			return nil, err
		}
		if strings.EqualFold(record.Header().Name, asked.Name) {
			known = true
			if record.Header().Rrtype == asked.Qtype {
				reply.Answer = append(reply.Answer, record)
			}
		}
	}
	if !known {
		reply.Rcode = dns.RcodeNameError
	}
	return reply, nil
}

// check asks the zone, and returns the findings as "topic code condition".
func (z zone) check(t *testing.T, q mailing.DomainQuestion) (short []string, findings []mailing.Finding) {
	t.Helper()
	resolver := mx.NewResolver(mx.Options{NameServers: []string{"192.0.2.53:53"}, NameServerTimeout: time.Minute, Exchange: z.exchange})
	findings = domaincheck.Check(t.Context(), resolver, q)
	for _, f := range findings {
		short = append(short, fmt.Sprintf("%s %s %s", f.Topic, f.Code, f.Condition))
	}
	return short, findings
}

func txt(name, text string) string {
	var parts []string
	for text != "" {
		size := min(len(text), 200)
		parts, text = append(parts, `"`+text[:size]+`"`), text[size:]
	}
	return name + ". 60 IN TXT " + strings.Join(parts, " ")
}

func direct(host string) mailing.DomainWay { return mailing.DomainWay{Direct: true, Host: host} }

func server(host string) mailing.DomainWay { return mailing.DomainWay{Host: host} }

const ourKey = "v=DKIM1; h=sha256; k=rsa; p=MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A"

// home is a domain that sends directly and has all records.
var home = zone{
	txt("example.org", "v=spf1 ip4:203.0.113.7 ip6:2001:db8::/32 -all"), txt("example.org", "something else"),
	txt("v1._domainkey.example.org", ourKey),
	txt("_dmarc.example.org", "v=DMARC1; p=reject; rua=mailto:d@example.org"),
	"example.org. 60 IN MX 10 mail.example.org.",
	"mail.example.org. 60 IN A 203.0.113.7",
	"mail.example.org. 60 IN AAAA 2001:db8::7",
	"7.113.0.203.in-addr.arpa. 60 IN PTR Mail.example.org.",
	"7.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa. 60 IN PTR mail.example.org.",
}

var homeQuestion = mailing.DomainQuestion{
	Domain: "example.org", Ways: []mailing.DomainWay{direct("mail.example.org")},
	Keys: []mailing.DomainKey{{Name: "v1._domainkey.example.org", Record: ourKey}},
}

func TestADomainThatIsRight(t *testing.T) {
	got, findings := home.check(t, homeQuestion)
	want := []string{
		"spf spf_fits good", "dkim dkim_published good", "dmarc dmarc_strict good", "mx mx_there good", "ptr ptr_fits good", "ptr ptr_fits good",
	}
	if !slices.Equal(got, want) {
		t.Errorf("found is %q", got)
	}
	if c := (mailing.DomainCheck{Findings: findings}).Condition(); c != mailing.Good {
		t.Errorf("it is %s", c)
	}
}

func TestADomainWithoutAnything(t *testing.T) {
	z := zone{"mail.example.org. 60 IN A 203.0.113.7"}
	got, findings := z.check(t, homeQuestion)
	want := []string{
		"spf spf_missing bad", "dkim dkim_missing bad", "dmarc dmarc_missing attention", "mx mx_missing bad", "ptr ptr_missing bad",
	}
	if !slices.Equal(got, want) {
		t.Errorf("found is %q", got)
	}
	for i, record := range []string{"v=spf1 ip4:203.0.113.7 ~all", ourKey, "v=DMARC1; p=none"} {
		if findings[i].Record != record || findings[i].Name == "" {
			t.Errorf("to publish for %s is %q at %q", findings[i].Topic, findings[i].Record, findings[i].Name)
		}
	}
}

// TestEachTopic changes the domain that is right in one place each.
func TestEachTopic(t *testing.T) {
	long := "v=spf1"
	var many zone
	for i := range 11 {
		long += fmt.Sprintf(" include:i%d.example.net", i)
		many = append(many, txt(fmt.Sprintf("i%d.example.net", i), "v=spf1 -all"))
	}
	for name, c := range map[string]struct {
		without string // part of the lines that are not there
		with    zone
		want    string
		record  string
	}{
		"two records":          {with: zone{txt("example.org", "V=SPF1 -all")}, want: "spf spf_several bad"},
		"a record that is not": {without: "v=spf1", with: zone{txt("example.org", "v=spf10 -all")}, want: "spf spf_missing bad", record: "v=spf1 ip4:203.0.113.7 ip6:2001:db8::7 ~all"},
		"another address": {
			without: "v=spf1", with: zone{txt("example.org", "v=spf1 ip4:198.51.100.0/24 ip6:2001:db8::7 -all")},
			want: "spf spf_lacks bad", record: "v=spf1 ip4:203.0.113.7 ip4:198.51.100.0/24 ip6:2001:db8::7 -all",
		},
		"by name":                     {without: "v=spf1", with: zone{txt("example.org", "v=spf1 a:mail.example.org -all")}, want: "spf spf_fits good"},
		"by the mail servers":         {without: "v=spf1", with: zone{txt("example.org", "v=spf1 mx/24//64 -all")}, want: "spf spf_fits good"},
		"by another's record":         {without: "v=spf1", with: zone{txt("example.org", "v=spf1 redirect=other.example"), txt("other.example", "v=spf1 ip4:203.0.113.7 ip6:2001:db8::7 -all")}, want: "spf spf_fits good"},
		"by an included record":       {without: "v=spf1", with: zone{txt("example.org", "v=spf1 include:other.example -all"), txt("other.example", "v=spf1 +ip4:203.0.113.0/24 +ip6:2001:db8::7 ?all")}, want: "spf spf_fits good"},
		"a soft fail":                 {without: "v=spf1", with: zone{txt("example.org", "v=spf1 ~ip4:203.0.113.7 ip6:2001:db8::7 -all")}, want: "spf spf_lacks bad"},
		"by what depends on the mail": {without: "v=spf1", with: zone{txt("example.org", "v=spf1 exists:%{i}._spf.example.org -all")}, want: "spf spf_perhaps attention"},
		"anybody":                     {without: "v=spf1", with: zone{txt("example.org", "v=spf1 +all")}, want: "spf spf_open attention"},
		"nonsense":                    {without: "v=spf1", with: zone{txt("example.org", "v=spf1 ip4:300.1.1.1 -all")}, want: "spf spf_malformed bad"},
		"an unknown mechanism":        {without: "v=spf1", with: zone{txt("example.org", "v=spf1 ipv4:203.0.113.7 -all")}, want: "spf spf_malformed bad"},
		"an empty include":            {without: "v=spf1", with: zone{txt("example.org", "v=spf1 include:gone.example ~all")}, want: "spf spf_empty bad"},
		"a circle":                    {without: "v=spf1", with: zone{txt("example.org", "v=spf1 include:example.org ~all")}, want: "spf spf_lookups bad"},
		"eleven lookups":              {without: "v=spf1", with: append(many, txt("example.org", long+" ip4:203.0.113.7 -all")), want: "spf spf_lookups bad"},
		"three void lookups":          {without: "v=spf1", with: zone{txt("example.org", "v=spf1 ip4:203.0.113.7 a:x.example a:y.example mx:z.example ~all")}, want: "spf spf_voids bad"},
		"spf untold":                  {without: "v=spf1", with: zone{txt("example.org", "v=spf1 include:broken.example ~all")}, want: "spf unknown unknown"},

		"another key":  {without: "_domainkey", with: zone{txt("v1._domainkey.example.org", "v=DKIM1; p=AAAA")}, want: "dkim dkim_differs bad", record: ourKey},
		"a folded key": {without: "_domainkey", with: zone{txt("v1._domainkey.example.org", "k=rsa; p=MIIBIjANBgkqhkiG 9w0BAQEFAAOCAQ8A;")}, want: "dkim dkim_published good"},
		"two keys":     {with: zone{txt("v1._domainkey.example.org", "v=DKIM1; p=AAAA")}, want: "dkim dkim_differs bad"},

		"no policy":          {without: "DMARC1", with: zone{txt("_dmarc.example.org", "v=DMARC1; p=none")}, want: "dmarc dmarc_none good"},
		"two policies":       {with: zone{txt("_dmarc.example.org", "v=DMARC1; p=none")}, want: "dmarc dmarc_malformed bad"},
		"a broken policy":    {without: "DMARC1", with: zone{txt("_dmarc.example.org", "v=DMARC1; p=perhaps")}, want: "dmarc dmarc_malformed bad"},
		"a policy unmatched": {without: "example.org. 60 IN TXT \"v=spf1", with: zone{txt("v1._domainkey.example.org", "v=DKIM1; p=AAAA")}, want: "dmarc dmarc_unaligned bad"},

		"no mail at all": {without: "IN MX", with: zone{"example.org. 60 IN MX 0 ."}, want: "mx mx_refuses bad"},
		"a lost server":  {without: "IN MX", with: zone{"example.org. 60 IN MX 1 gone.example.org."}, want: "mx mx_nowhere bad"},
		"no MX":          {without: "IN MX", with: zone{"example.org. 60 IN A 203.0.113.7"}, want: "mx mx_implicit attention"},

		"another name that leads back": {without: "in-addr", with: zone{"7.113.0.203.in-addr.arpa. 60 IN PTR host7.example.net.", "host7.example.net. 60 IN A 203.0.113.7"}, want: "ptr ptr_other attention"},
		"another name that does not":   {without: "in-addr", with: zone{"7.113.0.203.in-addr.arpa. 60 IN PTR host7.example.net."}, want: "ptr ptr_unconfirmed bad"},
		"no address":                   {without: "mail.example.org. 60 IN A", want: "ptr ptr_no_address bad"},
	} {
		t.Run(name, func(t *testing.T) {
			z := slices.DeleteFunc(slices.Clone(home), func(line string) bool { return c.without != "" && strings.Contains(line, c.without) })
			got, findings := append(z, c.with...).check(t, homeQuestion)
			i := slices.Index(got, c.want)
			if i < 0 {
				t.Fatalf("found is %q", got)
			}
			if c.record != "" && findings[i].Record != c.record {
				t.Errorf("to publish is %q", findings[i].Record)
			}
		})
	}
}

func TestWaysThroughServers(t *testing.T) {
	for name, c := range map[string]struct {
		spf  string
		way  mailing.DomainWay
		more zone
		want []string
	}{
		"a service's record is included": {
			spf: "v=spf1 redirect=_spf.yandex.net", way: server("smtp.yandex.ru"), more: zone{txt("_spf.yandex.net", "v=spf1 ip4:203.0.113.0/24 ~all")},
			want: []string{"spf spf_fits good", "dkim dkim_by_server unknown"},
		},
		"a service's record is not": {
			spf: "v=spf1 ip4:203.0.113.9 ~all", way: server("smtp.yandex.ru"),
			want: []string{"spf spf_lacks bad", "dkim dkim_by_server unknown"},
		},
		"a service looks after it itself": {
			way:  server("email-smtp.eu-central-1.amazonaws.com"),
			want: []string{"spf spf_elsewhere good", "dkim dkim_by_server unknown"},
		},
		"a server that may send from elsewhere": {
			spf: "v=spf1 ip4:203.0.113.9 ~all", way: server("smtp.example.net"), more: zone{"smtp.example.net. 60 IN A 198.51.100.1"},
			want: []string{"spf spf_perhaps attention", "dkim dkim_by_server unknown"},
		},
		"a server in a private network": {
			spf: "v=spf1 ip4:203.0.113.9 ~all", way: server("10.0.0.25"), want: []string{"spf spf_hidden unknown", "dkim dkim_by_server unknown"},
		},
		"a server by its address": {
			spf: "v=spf1 ip4:203.0.113.9 ~all", way: server("203.0.113.9"), want: []string{"spf spf_fits good", "dkim dkim_by_server unknown"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			z := c.more
			if c.spf != "" {
				z = append(z, txt("example.org", c.spf))
			}
			got, _ := z.check(t, mailing.DomainQuestion{Domain: "example.org", Ways: []mailing.DomainWay{c.way}})
			if !slices.Equal(got[:2], c.want) {
				t.Errorf("found is %q", got)
			}
		})
	}
}

func TestThePolicyOfTheDomainAbove(t *testing.T) {
	z := zone{txt("_dmarc.example.co.uk", "v=DMARC1; p=quarantine"), txt("news.example.co.uk", "v=spf1 ip4:203.0.113.9 -all")}
	got, _ := z.check(t, mailing.DomainQuestion{Domain: "news.example.co.uk", Ways: []mailing.DomainWay{server("203.0.113.9")}})
	if !slices.Contains(got, "dmarc dmarc_strict good") {
		t.Errorf("found is %q", got)
	}
}

func TestNobodyAnswers(t *testing.T) {
	got, _ := zone{}.check(t, mailing.DomainQuestion{Domain: "broken.example", Ways: []mailing.DomainWay{direct("broken.example")}, Keys: []mailing.DomainKey{{Name: "v1._domainkey.broken.example", Record: ourKey}}})
	for _, found := range got {
		if !strings.HasSuffix(found, "unknown unknown") {
			t.Errorf("found is %q", found)
		}
	}
	if len(got) != 5 {
		t.Errorf("there are %d findings", len(got))
	}
}

// FuzzSPF reads records that anybody may publish.
func FuzzSPF(f *testing.F) {
	for _, record := range []string{
		"v=spf1 -all", "v=spf1 a/33//200 mx:%{d} include: ip4: ip6:x redirect= exists:%{i}.x ptr +", "v=spf1 ?a:x/24 ~mx//64 -ip4:1.2.3.4/8",
		"v=spf1 include:example.org redirect=example.org", "v=spf1 = : / -", "v=spf1 all all",
	} {
		f.Add(record)
	}
	f.Fuzz(func(t *testing.T, record string) {
		if strings.ContainsAny(record, "\"\\\r\n\x00;") || !strings.HasPrefix(record, "v=spf1") {
			t.Skip("no text of a zone file, or no record")
		}
		z := func(_ context.Context, _, _ string, question *dns.Msg) (*dns.Msg, error) {
			reply := new(dns.Msg)
			reply.SetReply(question)
			header := dns.RR_Header{Name: question.Question[0].Name, Rrtype: question.Question[0].Qtype, Class: dns.ClassINET, Ttl: 60}
			switch question.Question[0].Qtype {
			case dns.TypeTXT:
				reply.Answer = []dns.RR{&dns.TXT{Hdr: header, Txt: []string{record}}}
			case dns.TypeA:
				reply.Answer = []dns.RR{&dns.A{Hdr: header, A: netip.MustParseAddr("203.0.113.7").AsSlice()}}
			}
			return reply, nil
		}
		resolver := mx.NewResolver(mx.Options{NameServers: []string{"192.0.2.53:53"}, NameServerTimeout: time.Minute, Exchange: z})
		found := domaincheck.Check(t.Context(), resolver, mailing.DomainQuestion{Domain: "example.org", Ways: []mailing.DomainWay{direct("mail.example.org")}})
		if len(found) < 4 {
			t.Errorf("%q gives %v", record, found)
		}
	})
}
