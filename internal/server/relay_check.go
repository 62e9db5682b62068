package server

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
	"vestnik/internal/transport"
	"vestnik/internal/transport/mx"
)

// tryRelay tries a relay of any kind, for its page and the command line.
func (b *Base) tryRelay(ctx context.Context, s app.RelaySettings, step func(name string, err error)) {
	if s.Kind != app.RelayMX {
		b.checkRelay(ctx, s, step)
		return
	}
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	check := directCheck{
		addresses: func(ctx context.Context, name string) ([]netip.Addr, error) {
			return net.DefaultResolver.LookupNetIP(ctx, "ip", name)
		},
		names:  net.DefaultResolver.LookupAddr,
		router: mx.NewRouter(mx.Options{HeloName: s.HeloName}),
	}
	check.run(ctx, s, step)
}

// directCheck looks whether this machine can send directly.
type directCheck struct {
	addresses func(ctx context.Context, name string) ([]netip.Addr, error)
	names     func(ctx context.Context, address string) ([]string, error)
	router    *mx.Router
}

// run takes the steps in order, as far as they go well.
func (c directCheck) run(ctx context.Context, s app.RelaySettings, step func(name string, err error)) {
	addresses, err := c.addresses(ctx, s.HeloName)
	if err != nil || len(addresses) == 0 {
		step("helo", mailing.Fault(mailing.Invalid, "direct_name_unknown", "name", s.HeloName).Because(err))
		return
	}
	step("helo", nil)
	err = c.leadBack(ctx, addresses, s.HeloName)
	step("reverse", err)
	if err != nil {
		return
	}
	step("outside", c.reachOutside(ctx, s.FromEmail))
}

// leadBack wants a PTR record with the name for each of its addresses, since mails
// may leave from any.
func (c directCheck) leadBack(ctx context.Context, addresses []netip.Addr, name string) error {
	for _, address := range addresses {
		ip := address.Unmap().String()
		names, err := c.names(ctx, ip)
		if err != nil || !slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(strings.TrimSuffix(n, "."), name) }) {
			return mailing.Fault(mailing.Invalid, "direct_no_way_back", "address", ip, "name", name).Because(err)
		}
	}
	return nil
}

// reachOutside opens a session with the mail servers of the sender's own domain,
// the only ones that we may ask without a mail to hand over.
func (c directCheck) reachOutside(ctx context.Context, sender string) error {
	session, err := openRoute(ctx, c.router, sender)
	if err == nil {
		session.Close()
	}
	return err
}

// openRoute opens a session with the mail servers of an address.
func openRoute(ctx context.Context, router *mx.Router, email string) (*transport.Session, error) {
	_, domain, _ := strings.Cut(email, "@")
	route, err := router.Route(ctx, domain)
	var none *mx.RouteError
	if errors.As(err, &none) {
		return nil, mailing.Fault(mailing.Invalid, "direct_no_route", "domain", mailing.DisplayDomain(domain), "reply", none.Reply.String()).Because(err)
	}
	if err != nil {
		return nil, err
	}
	return route.Open(ctx)
}
