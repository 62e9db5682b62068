package app

import (
	"net/netip"
	"net/url"
	"strings"
)

// LinksAreLocal reports whether links in mails lead to where no recipient gets: to the
// machine of whoever clicks them, or into a network of its own.
func (a *App) LinksAreLocal() bool {
	base, err := url.Parse(a.BaseURL)
	if err != nil {
		return true
	}
	host := strings.ToLower(base.Hostname())
	if address, err := netip.ParseAddr(host); err == nil {
		return !address.IsGlobalUnicast() || address.IsPrivate()
	}
	return !strings.Contains(host, ".") || strings.HasSuffix(host, ".localhost") || strings.HasSuffix(host, ".local")
}
