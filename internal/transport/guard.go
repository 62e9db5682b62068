package transport

import (
	"context"
	"net"
	"net/netip"
	"syscall"

	"vestnik/internal/mailing"
)

// notPublic are the networks, besides those that netip knows, that lead to this
// machine or its neighbours (IANA's registries of special-purpose addresses). What
// is reserved for documentation leads nowhere and is left out.
var notPublic = [...]netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),      // this network (RFC 791)
	netip.MustParsePrefix("100.64.0.0/10"),  // shared by a provider's customers (RFC 6598)
	netip.MustParsePrefix("192.0.0.0/24"),   // protocol assignments (RFC 6890)
	netip.MustParsePrefix("198.18.0.0/15"),  // benchmarks (RFC 2544)
	netip.MustParsePrefix("240.0.0.0/4"),    // reserved (RFC 1112), and broadcast
	netip.MustParsePrefix("::/96"),          // IPv4-compatible, given up (RFC 4291)
	netip.MustParsePrefix("64:ff9b:1::/48"), // a network's own NAT64 (RFC 8215)
	netip.MustParsePrefix("fec0::/10"),      // site-local, given up (RFC 3879)
}

// nat64 and sixToFour carry an IPv4 address inside (RFC 6052, RFC 3056).
var (
	nat64     = netip.MustParsePrefix("64:ff9b::/96")
	sixToFour = netip.MustParsePrefix("2002::/16")
)

// IsPublic reports whether an address may be a stranger's mail server. Whoever
// runs a domain chooses the addresses we connect to; they must not be able to
// choose one behind our firewall.
func IsPublic(address netip.Addr) bool {
	address = address.Unmap()
	if !address.IsGlobalUnicast() || address.IsPrivate() {
		return false // loopback, link-local, multicast, unspecified, RFC 1918, RFC 4193
	}
	for _, network := range notPublic {
		if network.Contains(address) {
			return false
		}
	}
	inner, carried := carriedIPv4(address)
	return !carried || IsPublic(inner)
}

// carriedIPv4 is where an address of IPv6 leads that stands for one of IPv4.
func carriedIPv4(address netip.Addr) (netip.Addr, bool) {
	octets := address.As16()
	switch {
	case nat64.Contains(address):
		return netip.AddrFrom4([4]byte(octets[12:])), true
	case sixToFour.Contains(address):
		return netip.AddrFrom4([4]byte(octets[2:6])), true
	}
	return address, false
}

// metadata are addresses at which clouds tell any program on a machine the
// machine's own keys, besides the usual one, which is link-local.
var metadata = [...]netip.Addr{
	netip.MustParseAddr("fd00:ec2::254"),   // Amazon, over IPv6
	netip.MustParseAddr("100.100.100.200"), // Alibaba
	netip.MustParseAddr("192.0.0.192"),     // Oracle
}

// MayServe reports whether a mail server can be at an address at all: never at one
// that only this machine's own network card answers for (link-local; there clouds
// hand out keys, at 169.254.169.254), at none or at everybody.
func MayServe(address netip.Addr) bool {
	address = address.WithZone("").Unmap()
	if inner, carried := carriedIPv4(address); carried {
		return MayServe(inner)
	}
	for _, known := range metadata {
		if address == known {
			return false
		}
	}
	broadcast := netip.AddrFrom4([4]byte{255, 255, 255, 255})
	return address.IsValid() && !address.IsUnspecified() && !address.IsLinkLocalUnicast() && !address.IsMulticast() && address != broadcast
}

// Guard keeps connections to servers that people name away from where they must not
// lead (CWE-918). It looks at the address that is being connected to, after DNS has
// answered, so that a name which leads elsewhere the second time is of no use.
type Guard struct {
	// Private permits loopback and private addresses, where many an installation has
	// its mail server.
	Private bool
}

// Dial is for Relay.Dial. What the guard refuses is a mailing.Error, "smtp_address_forbidden".
func (g Guard) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	dialer := net.Dialer{Control: g.control}
	return dialer.DialContext(ctx, network, address)
}

func (g Guard) control(_, hostPort string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(hostPort)
	if err == nil && MayServe(to.Addr()) && (g.Private || IsPublic(to.Addr())) {
		return nil
	}
	return mailing.Fault(mailing.Forbidden, "smtp_address_forbidden", "address", hostPort)
}
