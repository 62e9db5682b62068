package mx

import (
	"context"
	"crypto/x509"
	"net"
	"time"

	"vestnik/internal/transport"
)

// Options say how a Router works. The zero value asks the name servers of
// /etc/resolv.conf and connects to port 25.
type Options struct {
	HeloName string // who we say we are, as in transport.Relay; it should have a PTR record

	// OwnNames are the names of this machine in MX records. Mail is never handed
	// to them nor to what is preferred less: that would be a loop (RFC 5321,
	// section 5.1).
	OwnNames []string
	// AllowPrivate permits connections to loopback and private addresses. It is
	// for networks whose DNS is trusted, and for tests.
	AllowPrivate bool

	NameServers       []string      // "host:port"; none: those of /etc/resolv.conf
	NameServerTimeout time.Duration // for each answer; 0: that of /etc/resolv.conf
	Exchange          Exchange      // asks them; nil: over the network

	// Dial makes connections to "address:port", for mail and for policies; nil:
	// net.Dialer.
	Dial     func(ctx context.Context, network, address string) (net.Conn, error)
	RootCAs  *x509.CertPool     // nil: those of the system
	Port     int                // of mail servers; 0: 25
	Timeouts transport.Timeouts // 0 in Connect: half a minute
}

// smtpPort is where mail servers listen for each other (RFC 5321, section
// 4.5.4.2).
const smtpPort = 25

// connectTimeout is half of what a relay gets: chosen, as Postfix has it
// (smtp_connect_timeout); there are other hosts to try.
const connectTimeout = 30 * time.Second

// How many things are remembered, each chosen: some 10 MB for a list with a
// hundred thousand domains, of which most are at a few providers.
const (
	maxPaths  = 50_000
	maxSilent = 10_000
)

// Router finds routes. It may be used by many at once.
type Router struct {
	options   Options
	dns       *resolver
	providers *providers
	policies  *policies
	paths     *cache[*path]
	silent    *cache[struct{}] // hosts and addresses that did not answer lately
}

// NewRouter makes a router. It asks nobody yet.
func NewRouter(options Options) *Router {
	if options.Port == 0 {
		options.Port = smtpPort
	}
	if options.Timeouts.Connect == 0 {
		options.Timeouts.Connect = connectTimeout
	}
	if options.Dial == nil {
		options.Dial = new(net.Dialer).DialContext
	}
	own := make([]string, len(options.OwnNames))
	for i, name := range options.OwnNames {
		own[i] = hostName(name)
	}
	options.OwnNames = own
	r := &Router{options: options, dns: newResolver(&options), providers: loadProviders(), paths: newCache[*path](maxPaths), silent: newCache[struct{}](maxSilent)}
	r.policies = newPolicies(r)
	return r
}

// Route finds the way to the mail servers of a domain, which is what stands after
// the "@" of an address: a name in any script, or an address literal (RFC 5321,
// section 4.1.3). The error is a *RouteError, or the cause of a cancelled ctx.
func (r *Router) Route(ctx context.Context, domain string) (*Route, error) {
	route, err := r.route(ctx, domain)
	if err == nil {
		return route, nil
	}
	return nil, routeError(ctx, domain, err)
}

func (r *Router) route(ctx context.Context, domain string) (*Route, error) {
	if address, ok := parseLiteral(domain); ok {
		return r.routeToLiteral(domain, address)
	}
	name, err := domainName(domain)
	if err != nil {
		return nil, err
	}
	way, err := r.paths.find(ctx, name, func(ctx context.Context) (*path, time.Time, error) {
		return r.findPath(ctx, name)
	})
	if err != nil {
		return nil, err
	}
	policy, err := r.policies.of(ctx, name)
	if err != nil {
		return nil, err
	}
	return newRoute(r, name, way, policy), nil
}
