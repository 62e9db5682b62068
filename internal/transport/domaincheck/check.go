// Package domaincheck looks at what a sending domain says of itself in DNS: who may send
// in its name (SPF, RFC 7208), what its mails are signed by (DKIM, RFC 6376), what is to
// become of mails that prove nothing (DMARC, RFC 7489), where bounces go (MX), and
// whether our addresses are called by our name (PTR). It asks name servers and nobody
// else, and says what is missing together with the record to publish.
package domaincheck

import (
	"context"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"vestnik/internal/mailing"
	"vestnik/internal/transport/mx"
)

// check is one look at one domain.
type check struct {
	mailing.DomainQuestion
	dns      *mx.Resolver
	findings []mailing.Finding

	allowed bool     // SPF lets our mails through, as far as can be told
	hidden  []string // servers in a private network, of whose public address nothing is known
	signed  bool     // a key that signs here is published
}

// Check answers the question. What a name server does not say is a finding, too; it ends
// when ctx does.
func Check(ctx context.Context, resolver *mx.Resolver, q mailing.DomainQuestion) []mailing.Finding {
	c := &check{DomainQuestion: q, dns: resolver}
	c.spf(ctx)
	c.dkim(ctx)
	c.dmarc(ctx)
	c.mx(ctx)
	c.ptr(ctx)
	return c.findings
}

// find notes a finding. Params come in pairs.
func (c *check) find(topic mailing.Topic, condition mailing.Condition, code string, params ...string) *mailing.Finding {
	f := mailing.Finding{Topic: topic, Condition: condition, Code: code, Params: map[string]string{"domain": mailing.DisplayDomain(c.Domain)}}
	for i := 0; i+1 < len(params); i += 2 {
		f.Params[params[i]] = params[i+1]
	}
	c.findings = append(c.findings, f)
	return &c.findings[len(c.findings)-1]
}

// publish adds the record that mends what was found.
func publish(f *mailing.Finding, name, record string) { f.Name, f.Record = name, record }

// unknown notes that the name servers do not say.
func (c *check) unknown(topic mailing.Topic) { c.find(topic, mailing.Unknown, "unknown") }

// service is a mail service that says by which record its servers are allowed.
type service struct {
	host    string // of the server that takes mails, or what it ends with after a dot
	include string
	// ownEnvelope: it sends by a return path of its own, so SPF is its own business.
	ownEnvelope bool
}

// services are those whose help pages name the record; others are looked up by their
// addresses, from which they may or may not send.
var services = []service{
	{host: "smtp.yandex.ru", include: "_spf.yandex.net"},
	{host: "smtp.yandex.com", include: "_spf.yandex.net"},
	{host: "smtp.mail.ru", include: "_spf.mail.ru"},
	{host: "smtp.gmail.com", include: "_spf.google.com"},
	{host: "smtp-relay.gmail.com", include: "_spf.google.com"},
	{host: "smtp.office365.com", include: "spf.protection.outlook.com"},
	{host: ".amazonaws.com", ownEnvelope: true}, // "Complying with SPF" of the SES guide
}

func serviceOf(host string) (service, bool) {
	i := slices.IndexFunc(services, func(s service) bool {
		return s.host == host || strings.HasPrefix(s.host, ".") && strings.HasSuffix(host, s.host)
	})
	if i < 0 {
		return service{}, false
	}
	return services[i], true
}

// spf looks whether mails of the domain may come from where they leave.
func (c *check) spf(ctx context.Context) {
	record, err := findSPF(ctx, c.dns, c.Domain)
	if err != nil {
		c.unknown(mailing.TopicSPF)
		return
	}
	if record.several {
		c.find(mailing.TopicSPF, mailing.Bad, "spf_several")
		return
	}
	w := &walk{dns: c.dns}
	if record.text != "" && !c.walk(ctx, w) {
		return
	}
	lacking, parts, err := c.lacking(ctx, w, record.text != "")
	switch {
	case err != nil:
		c.unknown(mailing.TopicSPF)
	case record.text == "":
		c.spfMissing(parts)
	case len(lacking) > 0:
		c.spfLacks(record.text, lacking, parts)
	case len(c.hidden) > 0:
		c.find(mailing.TopicSPF, mailing.Unknown, "spf_hidden", "hosts", strings.Join(c.hidden, ", "))
	default:
		c.allowed = true
		c.find(mailing.TopicSPF, mailing.Good, "spf_fits", "count", strconv.Itoa(w.lookups))
	}
	if slices.ContainsFunc(strings.Fields(record.text), func(term string) bool { return term == "+all" || term == "all" }) {
		c.find(mailing.TopicSPF, mailing.Attention, "spf_open")
	}
}

// walk goes through the record and reports whether receivers can.
func (c *check) walk(ctx context.Context, w *walk) bool {
	_, err := w.evaluate(ctx, c.Domain)
	switch {
	case err != nil && err != errTooMany:
		c.unknown(mailing.TopicSPF)
	case w.malformed != "":
		c.find(mailing.TopicSPF, mailing.Bad, "spf_malformed", "term", w.malformed)
	case w.empty != "":
		c.find(mailing.TopicSPF, mailing.Bad, "spf_empty", "name", w.empty)
	case w.lookups > maxLookups:
		c.find(mailing.TopicSPF, mailing.Bad, "spf_lookups", "count", strconv.Itoa(w.lookups), "max", strconv.Itoa(maxLookups))
	case w.voids > maxVoids:
		c.find(mailing.TopicSPF, mailing.Bad, "spf_voids", "count", strconv.Itoa(w.voids))
	default:
		return true
	}
	return false
}

// lack is a way out that the record does not allow.
type lack struct {
	way   mailing.DomainWay
	known bool // by which addresses or record it would be allowed
}

// lacking lists the ways that the record does not allow, and what to add for them.
func (c *check) lacking(ctx context.Context, w *walk, has bool) (lacking []lack, parts []string, err error) {
	for _, way := range c.Ways {
		known, is := serviceOf(way.Host)
		if !way.Direct && is {
			if !known.ownEnvelope && !(has && slices.Contains(w.included, known.include)) {
				lacking, parts = append(lacking, lack{way, true}), append(parts, "include:"+known.include)
			}
			continue
		}
		addresses, err := c.addresses(ctx, way.Host)
		if err != nil {
			return nil, nil, err
		}
		if slices.ContainsFunc(addresses, func(a netip.Addr) bool { return a.IsPrivate() || !a.IsGlobalUnicast() }) {
			c.hidden = append(c.hidden, way.Host)
			continue
		}
		allowed, certain := has && len(addresses) > 0, way.Direct
		for _, address := range addresses {
			of := &walk{dns: c.dns, address: address}
			said, err := of.evaluate(ctx, c.Domain)
			if err != nil {
				return nil, nil, err
			}
			if said != spfPass {
				allowed, certain = false, certain && !of.macros
				parts = append(parts, ipTerm(address))
			}
		}
		if !allowed {
			lacking = append(lacking, lack{way, certain})
		}
	}
	slices.Sort(parts)
	return lacking, slices.Compact(parts), nil
}

// addresses are those of a host, which may be an address itself.
func (c *check) addresses(ctx context.Context, host string) ([]netip.Addr, error) {
	if address, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{address.Unmap()}, nil
	}
	return c.dns.Addresses(ctx, host)
}

func ipTerm(address netip.Addr) string {
	if address.Is4() {
		return "ip4:" + address.String()
	}
	return "ip6:" + address.String()
}

func (c *check) spfMissing(parts []string) {
	if len(parts) == 0 && len(c.hidden) == 0 && len(c.Ways) > 0 && !slices.ContainsFunc(c.Ways, func(way mailing.DomainWay) bool {
		known, _ := serviceOf(way.Host)
		return way.Direct || !known.ownEnvelope
	}) {
		c.allowed = true
		c.find(mailing.TopicSPF, mailing.Good, "spf_elsewhere")
		return
	}
	f := c.find(mailing.TopicSPF, mailing.Bad, "spf_missing")
	if len(parts) > 0 {
		publish(f, c.Domain, "v=spf1 "+strings.Join(parts, " ")+" ~all")
	}
}

// spfLacks tells which ways are not allowed. A server that we do not know may send from
// other addresses than it takes mails at, so for it nothing is certain.
func (c *check) spfLacks(record string, lacking []lack, parts []string) {
	names, condition := make([]string, len(lacking)), mailing.Attention
	for i, l := range lacking {
		names[i] = l.way.Host
		if l.known {
			condition = mailing.Bad
		}
	}
	code := "spf_lacks"
	if condition == mailing.Attention {
		code = "spf_perhaps"
	}
	f := c.find(mailing.TopicSPF, condition, code, "hosts", strings.Join(names, ", "))
	if len(parts) > 0 {
		terms := strings.Fields(record)
		publish(f, c.Domain, strings.Join(slices.Concat(terms[:1], parts, terms[1:]), " "))
	}
}
