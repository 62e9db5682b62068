package mx

import "net/netip"

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

// isPublic reports whether an address may be a stranger's mail server. Whoever
// runs a domain chooses the addresses we connect to; they must not be able to
// choose one behind our firewall.
func isPublic(address netip.Addr) bool {
	address = address.Unmap()
	if !address.IsGlobalUnicast() || address.IsPrivate() {
		return false // loopback, link-local, multicast, unspecified, RFC 1918, RFC 4193
	}
	for _, network := range notPublic {
		if network.Contains(address) {
			return false
		}
	}
	octets := address.As16()
	switch {
	case nat64.Contains(address):
		return isPublic(netip.AddrFrom4([4]byte(octets[12:])))
	case sixToFour.Contains(address):
		return isPublic(netip.AddrFrom4([4]byte(octets[2:6])))
	}
	return true
}
