package web

import (
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"vestnik/internal/app"
)

// visitor says where a request comes from. Loopback needs all four: the service
// is bound to it, the visitor comes from it, asks for it by name, and no proxy on
// this machine brings somebody else.
func (w *Web) visitor(in *http.Request) app.Visitor {
	peer, err := netip.ParseAddrPort(in.RemoteAddr)
	if err != nil {
		return app.Visitor{Address: in.RemoteAddr, Device: w.cookie(in, deviceCookie)}
	}
	near := peer.Addr().Unmap()
	return app.Visitor{
		Address:  household(w.behindProxies(near, in.Header)),
		Device:   w.cookie(in, deviceCookie),
		Loopback: w.Loopback && near.IsLoopback() && loopbackHost(in.Host) && !forwarded(in.Header),
	}
}

// behindProxies is who asks the trusted proxies. Each adds whom it was asked by at
// the right of X-Forwarded-For, so what stands left of the first stranger is only
// that stranger's word.
func (w *Web) behindProxies(near netip.Addr, header http.Header) netip.Addr {
	hops := strings.Join(header.Values("X-Forwarded-For"), ",")
	for hops != "" && w.trusts(near) {
		i := strings.LastIndex(hops, ",")
		hop, err := netip.ParseAddr(strings.TrimSpace(hops[i+1:]))
		if err != nil {
			break
		}
		near, hops = hop.Unmap(), hops[:max(i, 0)]
	}
	return near
}

func (w *Web) trusts(addr netip.Addr) bool {
	return slices.ContainsFunc(w.TrustedProxies, func(p netip.Prefix) bool { return p.Contains(addr.WithZone("")) })
}

// household is what has one budget: an address of IPv4, a /64 of IPv6, which is
// the least that a customer gets (RFC 6177, section 2).
func household(addr netip.Addr) string {
	if addr.Is4() {
		return addr.String()
	}
	prefix, err := addr.Prefix(64)
	if err != nil {
		return addr.String()
	}
	return prefix.String()
}

// forwarded reports whether a request says that it came through a proxy (RFC 7239;
// RFC 9110, section 7.6.3; the rest is custom).
func forwarded(header http.Header) bool {
	return slices.ContainsFunc([]string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-Ip", "Via"},
		func(name string) bool { return len(header.Values(name)) > 0 })
}

func loopbackHost(hostport string) bool {
	host := (&url.URL{Host: hostport}).Hostname()
	if host == "localhost" {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}
