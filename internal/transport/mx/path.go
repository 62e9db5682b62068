package mx

import (
	"cmp"
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/miekg/dns"

	"vestnik/internal/transport"
)

// Host is a mail exchanger of a domain.
type Host struct {
	Name       string // lower case, or an address
	Preference uint16 // the lower the better

	literal netip.Addr // the only address; of an address literal
}

// path is what DNS says about the way to a domain.
type path struct {
	site  *Site
	hosts []Host // the best first; equal ones by name
}

// maxHosts is how many mail exchangers are looked at: chosen; the largest
// providers have five, and who has more can reach us by twenty.
const maxHosts = 20

// findPath goes by RFC 5321, section 5.1. It is content with one host that has an
// address: that there is a way is all it has to know, the other addresses are
// asked for when they are needed.
func (r *Router) findPath(ctx context.Context, domain string) (*path, time.Time, error) {
	hosts, until, err := r.exchangers(ctx, domain)
	if err != nil {
		return nil, until, err
	}
	if hosts = withoutUs(hosts, r.options.OwnNames); len(hosts) == 0 {
		return nil, until, refuse(550, "5.4.6", "this machine is the mail server of %s", domain)
	}
	addressUntil, err := r.reachable(ctx, domain, hosts)
	if err != nil {
		return nil, until, err
	}
	if addressUntil.Before(until) {
		until = addressUntil
	}
	return &path{site: r.providers.siteOf(hosts[0].Name), hosts: hosts}, until, nil
}

// exchangers are the hosts in the MX records, or, when there are none, the domain
// itself.
func (r *Router) exchangers(ctx context.Context, domain string) ([]Host, time.Time, error) {
	found, err := r.dns.lookUp(ctx, domain, dns.TypeMX)
	switch {
	case err != nil:
		return nil, found.until, err
	case found.failure != nil:
		return nil, found.until, unknown(domain, found.failure)
	case found.absent:
		return nil, found.until, refuse(550, "5.1.2", "there is no domain %s", domain)
	case len(found.records) == 0:
		return []Host{{Name: domain}}, found.until, nil
	}
	if only, ok := found.records[0].(*dns.MX); ok && len(found.records) == 1 && only.Mx == "." {
		return nil, found.until, refuse(556, "5.1.10", "%s takes no mail (null MX)", domain)
	}
	hosts := readExchangers(found.records)
	if len(hosts) == 0 {
		return nil, found.until, refuse(550, "5.1.2", "no MX record of %s names a host", domain)
	}
	return hosts, found.until, nil
}

func readExchangers(records []dns.RR) []Host {
	var hosts []Host
	for _, record := range records {
		if mx, ok := record.(*dns.MX); ok && isHostName(hostName(mx.Mx)) {
			hosts = append(hosts, Host{Name: hostName(mx.Mx), Preference: mx.Preference})
		}
	}
	slices.SortFunc(hosts, func(a, b Host) int {
		return cmp.Or(cmp.Compare(a.Preference, b.Preference), strings.Compare(a.Name, b.Name))
	})
	seen := map[string]bool{}
	hosts = slices.DeleteFunc(hosts, func(h Host) bool {
		again := seen[h.Name]
		seen[h.Name] = true
		return again
	})
	return hosts[:min(len(hosts), maxHosts)]
}

// withoutUs leaves what is preferred to this machine: the rest hands its mail to
// us.
func withoutUs(hosts []Host, own []string) []Host {
	us := slices.IndexFunc(hosts, func(h Host) bool { return slices.Contains(own, h.Name) })
	if us < 0 {
		return hosts
	}
	end := slices.IndexFunc(hosts, func(h Host) bool { return h.Preference >= hosts[us].Preference })
	return hosts[:end]
}

// reachable checks that one of the hosts has an address that we may connect to,
// and says until when that is known.
func (r *Router) reachable(ctx context.Context, domain string, hosts []Host) (time.Time, error) {
	var failure error
	private := false
	for _, host := range hosts {
		addresses, until, err := r.addresses(ctx, host.Name)
		switch {
		case len(addresses) > 0:
			return until, nil
		case ctx.Err() != nil:
			return until, err
		case errors.Is(err, errNotPublic):
			private = true
		case err != nil:
			failure = err
		}
	}
	switch {
	case failure != nil:
		return time.Time{}, unknown(domain, failure)
	case private:
		return time.Time{}, refuse(550, "5.4.4", "the mail servers of %s have only private addresses", domain)
	}
	return time.Time{}, refuse(550, "5.1.2", "no mail server of %s has an address", domain)
}

// errNotPublic says that a host has only addresses we do not connect to.
var errNotPublic = errors.New("only private addresses")

// addresses returns the addresses of a host and until when they hold: none
// without an error when DNS says that there are none.
func (r *Router) addresses(ctx context.Context, host string) (found []netip.Addr, until time.Time, err error) {
	until = time.Now().Add(maxTTL)
	private := false
	for _, kind := range []uint16{dns.TypeAAAA, dns.TypeA} {
		known, canceled := r.dns.lookUp(ctx, host, kind)
		if canceled != nil {
			return nil, until, canceled
		}
		if known.failure != nil {
			err = known.failure
		}
		if known.until.Before(until) {
			until = known.until
		}
		for _, address := range readAddresses(known.records) {
			if r.permits(address) {
				found = append(found, address)
			} else {
				private = true
			}
		}
	}
	switch {
	case len(found) > 0:
		return found, until, nil
	case err == nil && private:
		err = errNotPublic
	}
	return nil, until, err
}

// permits reports whether mail may go to an address. Whoever runs a domain chooses it.
func (r *Router) permits(address netip.Addr) bool {
	return transport.IsPublic(address) || r.options.AllowPrivate && transport.MayServe(address)
}

func readAddresses(records []dns.RR) []netip.Addr {
	var found []netip.Addr
	for _, record := range records {
		var ip net.IP
		switch r := record.(type) {
		case *dns.A:
			ip = r.A
		case *dns.AAAA:
			ip = r.AAAA
		}
		if address, ok := netip.AddrFromSlice(ip); ok {
			found = append(found, address.Unmap())
		}
	}
	return found
}

// routeToLiteral is the way to an address literal, which needs no DNS and has no
// policy.
func (r *Router) routeToLiteral(domain string, address netip.Addr) (*Route, error) {
	if !r.permits(address) {
		return nil, refuse(550, "5.4.4", "%s is a private address", domain)
	}
	host := Host{Name: address.Unmap().String(), literal: address.Unmap()}
	site := &Site{Key: domain, Name: domain, Limits: r.providers.unknown, providers: r.providers}
	return newRoute(r, domain, &path{site: site, hosts: []Host{host}}, nil), nil
}

// hostPort is "host:port" as attempts have it.
func (r *Router) hostPort(host Host) string {
	return net.JoinHostPort(host.Name, strconv.Itoa(r.options.Port))
}
