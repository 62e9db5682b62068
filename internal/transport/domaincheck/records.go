package domaincheck

import (
	"context"
	"net/netip"
	"slices"
	"strings"

	"github.com/emersion/go-msgauth/dmarc"
	"golang.org/x/net/publicsuffix"

	"vestnik/internal/mailing"
)

// dkim looks whether the keys that sign here are published as they are.
func (c *check) dkim(ctx context.Context) {
	for _, key := range c.Keys {
		selector, _, _ := strings.Cut(key.Name, ".")
		texts, err := c.dns.TXT(ctx, key.Name)
		there := slices.ContainsFunc(texts, func(text string) bool { return publicKey(text) == publicKey(key.Record) })
		switch {
		case err != nil:
			c.unknown(mailing.TopicDKIM)
		case len(texts) == 0:
			publish(c.find(mailing.TopicDKIM, mailing.Bad, "dkim_missing", "selector", selector), key.Name, key.Record)
		case !there || len(texts) > 1: // of several none counts (RFC 6376, section 3.6.2.2)
			publish(c.find(mailing.TopicDKIM, mailing.Bad, "dkim_differs", "selector", selector), key.Name, key.Record)
		default:
			c.signed = true
			c.find(mailing.TopicDKIM, mailing.Good, "dkim_published", "selector", selector)
		}
	}
	if len(c.Keys) > 0 {
		return
	}
	if slices.ContainsFunc(c.Ways, func(way mailing.DomainWay) bool { return !way.Direct }) {
		c.find(mailing.TopicDKIM, mailing.Unknown, "dkim_by_server")
		return
	}
	c.find(mailing.TopicDKIM, mailing.Bad, "dkim_none")
}

// publicKey is the key in a record; people's control panels fold it as they like.
func publicKey(record string) string {
	for _, tag := range strings.Split(record, ";") {
		if name, value, ok := strings.Cut(tag, "="); ok && strings.TrimSpace(name) == "p" {
			return strings.Join(strings.Fields(value), "")
		}
	}
	return ""
}

// dmarc looks for the policy, of the domain or of the one that it belongs to (RFC 7489,
// section 6.6.3), and whether our mails stand up to it: they need SPF or DKIM by this
// domain, which both of ours are where they are right.
func (c *check) dmarc(ctx context.Context) {
	record, err := c.findDMARC(ctx, c.Domain)
	if parent, e := publicsuffix.EffectiveTLDPlusOne(c.Domain); err == nil && record == "" && e == nil && parent != c.Domain {
		record, err = c.findDMARC(ctx, parent)
	}
	if err != nil {
		c.unknown(mailing.TopicDMARC)
		return
	}
	policy, err := dmarc.Parse(record)
	switch {
	case record == "":
		publish(c.find(mailing.TopicDMARC, mailing.Attention, "dmarc_missing"), "_dmarc."+c.Domain, "v=DMARC1; p=none")
	case err != nil || record == severalRecords:
		c.find(mailing.TopicDMARC, mailing.Bad, "dmarc_malformed")
	case policy.Policy == dmarc.PolicyNone:
		c.find(mailing.TopicDMARC, mailing.Good, "dmarc_none")
	case c.signed || c.allowed:
		c.find(mailing.TopicDMARC, mailing.Good, "dmarc_strict", "policy", string(policy.Policy))
	case len(c.Keys) == 0 && slices.ContainsFunc(c.Ways, func(way mailing.DomainWay) bool { return !way.Direct }):
		c.find(mailing.TopicDMARC, mailing.Attention, "dmarc_by_server", "policy", string(policy.Policy))
	default:
		c.find(mailing.TopicDMARC, mailing.Bad, "dmarc_unaligned", "policy", string(policy.Policy))
	}
}

// severalRecords stands for more than one, of which none counts.
const severalRecords = "several"

func (c *check) findDMARC(ctx context.Context, domain string) (string, error) {
	texts, err := c.dns.TXT(ctx, "_dmarc."+domain)
	texts = slices.DeleteFunc(texts, func(text string) bool { return !strings.HasPrefix(text, "v=DMARC1") })
	switch {
	case err != nil || len(texts) == 0:
		return "", err
	case len(texts) > 1:
		return severalRecords, nil
	}
	return texts[0], nil
}

// mx looks whether bounces and replies can arrive. Without an MX record they go to the
// domain's own address (RFC 5321, section 5.1).
func (c *check) mx(ctx context.Context) {
	hosts, err := c.dns.Exchangers(ctx, c.Domain)
	if err != nil {
		c.unknown(mailing.TopicMX)
		return
	}
	if slices.Contains(hosts, "") {
		c.find(mailing.TopicMX, mailing.Bad, "mx_refuses")
		return
	}
	implicit := len(hosts) == 0
	if implicit {
		hosts = []string{c.Domain}
	}
	for _, host := range hosts {
		addresses, err := c.dns.Addresses(ctx, host)
		switch {
		case err != nil:
			c.unknown(mailing.TopicMX)
			return
		case len(addresses) == 0:
			continue
		case implicit:
			c.find(mailing.TopicMX, mailing.Attention, "mx_implicit")
			return
		}
		c.find(mailing.TopicMX, mailing.Good, "mx_there", "host", host)
		return
	}
	if implicit {
		c.find(mailing.TopicMX, mailing.Bad, "mx_missing")
		return
	}
	c.find(mailing.TopicMX, mailing.Bad, "mx_nowhere", "host", hosts[0])
}

// ptr looks, for what is sent directly, whether our addresses are called by a name that
// leads back to them: receivers turn others away.
func (c *check) ptr(ctx context.Context) {
	for _, way := range c.Ways {
		if !way.Direct {
			continue
		}
		addresses, err := c.dns.Addresses(ctx, way.Host)
		switch {
		case err != nil:
			c.unknown(mailing.TopicPTR)
			continue
		case len(addresses) == 0:
			c.find(mailing.TopicPTR, mailing.Bad, "ptr_no_address", "name", way.Host)
			continue
		}
		for _, address := range addresses {
			c.ptrOf(ctx, way, address)
		}
	}
}

func (c *check) ptrOf(ctx context.Context, way mailing.DomainWay, address netip.Addr) {
	names, err := c.dns.Names(ctx, address)
	ip := address.String()
	switch {
	case err != nil:
		c.unknown(mailing.TopicPTR)
		return
	case len(names) == 0:
		c.find(mailing.TopicPTR, mailing.Bad, "ptr_missing", "address", ip, "name", way.Host)
		return
	case slices.Contains(names, strings.ToLower(way.Host)):
		c.find(mailing.TopicPTR, mailing.Good, "ptr_fits", "address", ip, "name", way.Host)
		return
	}
	for _, name := range names {
		if back, err := c.dns.Addresses(ctx, name); err == nil && slices.Contains(back, address) {
			c.find(mailing.TopicPTR, mailing.Attention, "ptr_other", "address", ip, "is", name, "name", way.Host)
			return
		}
	}
	c.find(mailing.TopicPTR, mailing.Bad, "ptr_unconfirmed", "address", ip, "is", names[0], "name", way.Host)
}
