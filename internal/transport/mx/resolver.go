package mx

import (
	"context"
	"net/netip"
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// Resolver answers the questions that a check of a domain asks. It is made for one
// check and remembers its answers; the next check asks anew. It speaks to the name
// servers only, whatever the records say.
type Resolver struct{ r *resolver }

// NewResolver takes name servers and patience as NewRouter does.
func NewResolver(options Options) *Resolver { return &Resolver{newResolver(&options)} }

// TXT returns the text records of a name, each in one piece (RFC 7208, section 3.3); nil
// when there is none. An error means that nobody could say.
func (r *Resolver) TXT(ctx context.Context, name string) ([]string, error) {
	records, err := r.records(ctx, name, dns.TypeTXT)
	var texts []string
	for _, record := range records {
		texts = append(texts, strings.Join(record.(*dns.TXT).Txt, ""))
	}
	return texts, err
}

// Addresses returns the addresses of a name, of both kinds.
func (r *Resolver) Addresses(ctx context.Context, name string) ([]netip.Addr, error) {
	four, err := r.records(ctx, name, dns.TypeA)
	if err != nil {
		return nil, err
	}
	six, err := r.records(ctx, name, dns.TypeAAAA)
	var addresses []netip.Addr
	for _, record := range slices.Concat(four, six) {
		var address netip.Addr
		switch record := record.(type) {
		case *dns.A:
			address, _ = netip.AddrFromSlice(record.A)
		case *dns.AAAA:
			address, _ = netip.AddrFromSlice(record.AAAA)
		}
		if address.IsValid() {
			addresses = append(addresses, address.Unmap())
		}
	}
	return addresses, err
}

// Exchangers returns the names of a domain's mail servers, the preferred ones first. The
// name "" stands for "takes no mail" (RFC 7505).
func (r *Resolver) Exchangers(ctx context.Context, domain string) ([]string, error) {
	records, err := r.records(ctx, domain, dns.TypeMX)
	slices.SortStableFunc(records, func(a, b dns.RR) int {
		return int(a.(*dns.MX).Preference) - int(b.(*dns.MX).Preference)
	})
	var names []string
	for _, record := range records {
		names = append(names, hostName(record.(*dns.MX).Mx))
	}
	return names, err
}

// Names returns what an address is called by its PTR records.
func (r *Resolver) Names(ctx context.Context, address netip.Addr) ([]string, error) {
	reverse, err := dns.ReverseAddr(address.String())
	if err != nil {
		return nil, err
	}
	records, err := r.records(ctx, reverse, dns.TypePTR)
	var names []string
	for _, record := range records {
		names = append(names, hostName(record.(*dns.PTR).Ptr))
	}
	return names, err
}

func (r *Resolver) records(ctx context.Context, name string, kind uint16) ([]dns.RR, error) {
	if _, ok := dns.IsDomainName(name); !ok {
		return nil, nil
	}
	found, err := r.r.lookUp(ctx, strings.ToLower(name), kind)
	if err == nil {
		err = found.failure
	}
	return slices.Clone(found.records), err
}
