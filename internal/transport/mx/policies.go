package mx

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// Limits of fetching a policy.
const (
	maxPolicyBytes = 64 << 10         // as RFC 8461, section 3.3 suggests
	policyTimeout  = 20 * time.Second // chosen; it suggests a minute, but mail is waiting
	// refetchAfter is when a policy is fetched anew although its id is the same:
	// daily, so that it never runs out (RFC 8461, section 10.2).
	refetchAfter = 24 * time.Hour
	// retryAfter is when one that could not be fetched is tried again: after five
	// minutes at least (RFC 8461, section 3.3).
	retryAfter = 5 * time.Minute
	// maxPolicies: chosen; some 5 MB.
	maxPolicies = 10_000
)

// policies knows the MTA-STS policies of domains.
type policies struct {
	router  *Router
	client  *http.Client
	held    *cache[*Policy] // by domain, as long as each holds
	fetched *cache[*Policy] // by domain and id; nil: in vain
}

func newPolicies(r *Router) *policies {
	p := &policies{router: r, held: newCache[*Policy](maxPolicies), fetched: newCache[*Policy](maxPolicies)}
	p.client = &http.Client{
		Timeout: policyTimeout,
		// "HTTP 3xx redirects MUST NOT be followed" (RFC 8461, section 3.3).
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DialContext:       r.dialWeb,
			TLSClientConfig:   &tls.Config{RootCAs: r.options.RootCAs, MinVersion: tls.VersionTLS12},
			DisableKeepAlives: true, // one answer a day from each
		},
	}
	return p
}

// of returns the policy of a domain; nil when there is none. One that is held
// outlives the lack of an announcement and failures to fetch (RFC 8461, sections
// 3.1 and 5.1), or else whoever can suppress an answer could switch it off. The
// error is that ctx ended.
func (p *policies) of(ctx context.Context, domain string) (*Policy, error) {
	id, err := p.announced(ctx, domain)
	if err != nil {
		return nil, err
	}
	if id != "" {
		fresh, err := p.fetched.find(ctx, domain+" "+id, func(ctx context.Context) (*Policy, time.Time, error) {
			return p.fetchAndHold(ctx, domain)
		})
		if err != nil {
			return nil, err
		}
		if fresh != nil {
			return fresh, nil
		}
	}
	held, _ := p.held.look(domain)
	return held, nil
}

// announced returns the id of the domain's policy; empty when DNS has none or
// does not say.
func (p *policies) announced(ctx context.Context, domain string) (id string, err error) {
	found, err := p.router.dns.lookUp(ctx, "_mta-sts."+domain, dns.TypeTXT)
	if err != nil {
		return "", err
	}
	var texts []string
	for _, record := range found.records {
		if txt, ok := record.(*dns.TXT); ok {
			texts = append(texts, strings.Join(txt.Txt, ""))
		}
	}
	return parseAnnouncement(texts), nil
}

func (p *policies) fetchAndHold(ctx context.Context, domain string) (*Policy, time.Time, error) {
	policy, err := p.fetch(ctx, domain)
	now := time.Now()
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, now, context.Cause(ctx)
	case err != nil:
		return nil, now.Add(retryAfter), nil
	}
	p.held.keep(domain, policy, now.Add(policy.MaxAge))
	return policy, now.Add(max(min(policy.MaxAge, refetchAfter), retryAfter)), nil
}

// fetch gets the policy as RFC 8461, section 3.3 says.
func (p *policies) fetch(ctx context.Context, domain string) (*Policy, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://mta-sts."+domain+"/.well-known/mta-sts.txt", nil)
	if err != nil {
		return nil, err
	}
	response, err := p.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("answered %s", response.Status)
	}
	if kind, _, err := mime.ParseMediaType(response.Header.Get("Content-Type")); err != nil || kind != "text/plain" {
		return nil, fmt.Errorf("content type %q", response.Header.Get("Content-Type"))
	}
	text, err := io.ReadAll(io.LimitReader(response.Body, maxPolicyBytes+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxPolicyBytes {
		return nil, fmt.Errorf("more than %d octets", maxPolicyBytes)
	}
	return parsePolicy(text)
}

// dialWeb connects to a web server by our own DNS and its rules about addresses.
func (r *Router) dialWeb(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	addresses, err := r.webAddresses(ctx, host)
	if err != nil {
		return nil, err
	}
	for _, one := range r.orderAddresses(addresses)[:min(len(addresses), maxTries)] {
		var conn net.Conn
		if conn, err = r.options.Dial(ctx, network, net.JoinHostPort(one.String(), port)); err == nil {
			return conn, nil
		}
	}
	return nil, err
}

func (r *Router) webAddresses(ctx context.Context, host string) ([]netip.Addr, error) {
	addresses, _, err := r.addresses(ctx, host)
	if err == nil && len(addresses) == 0 {
		err = errors.New("no such host")
	}
	return addresses, err
}
