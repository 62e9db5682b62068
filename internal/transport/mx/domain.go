package mx

import (
	"net/netip"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// domainProfile makes A-labels as mailing.NormalizeEmail does.
var domainProfile = idna.New(
	idna.MapForLookup(), idna.BidiRule(), idna.Transitional(false), idna.VerifyDNSLength(true),
)

// domainName gives the form in which a domain is asked for and compared:
// A-labels in lower case (RFC 5890), without a last dot.
func domainName(domain string) (string, error) {
	name, err := domainProfile.ToASCII(strings.TrimSuffix(domain, "."))
	// What is no UTF-8 would become a name of replacement characters.
	if err != nil || !isHostName(name) || strings.ContainsRune(domain, utf8.RuneError) {
		return "", refuse(501, "5.1.3", "%q is no domain name", domain)
	}
	return name, nil
}

// hostName gives the form in which names in DNS are compared.
func hostName(name string) string { return strings.ToLower(strings.TrimSuffix(name, ".")) }

// isHostName reports whether name has letters, digits, hyphens, underscores and
// dots only. The standards have no underscore in names of hosts (RFC 1123,
// section 2.1), but there are mail servers with one. Other characters, which DNS
// allows, are not for logs and handshakes.
func isHostName(name string) bool {
	if name == "" || len(name) > 253 {
		return false
	}
	for _, c := range []byte(name) {
		if !('a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-' || c == '_' || c == '.') {
			return false
		}
	}
	return !strings.HasPrefix(name, ".") && !strings.HasSuffix(name, ".") && !strings.Contains(name, "..")
}

// parseLiteral reads "[192.0.2.1]" and "[IPv6:2001:db8::1]" (RFC 5321, section
// 4.1.3).
func parseLiteral(domain string) (netip.Addr, bool) {
	inside, opened := strings.CutPrefix(domain, "[")
	inside, closed := strings.CutSuffix(inside, "]")
	if !opened || !closed {
		return netip.Addr{}, false
	}
	const tag = "ipv6:"
	six := len(inside) > len(tag) && strings.EqualFold(inside[:len(tag)], tag)
	if six {
		inside = inside[len(tag):]
	}
	address, err := netip.ParseAddr(inside)
	if err != nil || address.Zone() != "" || six != address.Is6() {
		return netip.Addr{}, false
	}
	return address, true
}
