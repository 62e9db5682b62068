package mx

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/transport"
)

// maxTries is how many addresses Open tries. Chosen, as Postfix has it
// (smtp_mx_address_limit); RFC 5321, section 5.1 asks for two at least.
const maxTries = 5

// silentFor is how long one that did not answer is tried last. Chosen: the first
// retry of a delivery is due after that.
const silentFor = 5 * time.Minute

// Open connects to the first host that answers, in the order of RFC 5321, section
// 5.1, and says hello. A host that refuses us is passed over like one that is
// silent. TLS is used where it is offered, without a look at the certificate
// (RFC 7435), and given up where the handshake breaks; with a policy to enforce
// it is required, for a host that the policy names, with a certificate that was
// checked (RFC 8461, section 5).
//
// The error is a *transport.OpenError about one of the hosts: the first that
// asked us to come later; else the first that refused; else the first. What the
// policy forbids is answered "451 4.7.5" in the server's place.
func (r *Route) Open(ctx context.Context) (*transport.Session, error) {
	opening := &opening{route: r, tries: maxTries}
	for _, host := range r.order() {
		if session := opening.host(ctx, host); session != nil {
			return session, nil
		}
		if ctx.Err() != nil || opening.tries == 0 {
			break
		}
	}
	return nil, opening.why
}

// opening is one Open.
type opening struct {
	route *Route
	tries int // addresses that may still be tried
	why   *transport.OpenError
}

// failed keeps the error that tells most; that the caller gave up tells more than
// all.
func (o *opening) failed(ctx context.Context, err *transport.OpenError) {
	if o.why == nil || weight(err) > weight(o.why) || errors.Is(ctx.Err(), context.Canceled) {
		o.why = err
	}
}

// weight prefers answers, and of these "later", since one server that asks to
// come later is reason enough to do so.
func weight(err *transport.OpenError) int {
	switch {
	case err.Reply.Transient():
		return 2
	case err.Reply.Permanent():
		return 1
	}
	return 0
}

// host tries the addresses of one host; it returns nil when none will do.
func (o *opening) host(ctx context.Context, host Host) *transport.Session {
	router := o.route.router
	addresses, failed := o.addresses(ctx, host)
	if failed != nil {
		o.failed(ctx, failed)
		return nil
	}
	silent := true
	for _, address := range router.orderAddresses(addresses)[:min(len(addresses), o.tries)] {
		session, failed := o.address(ctx, host, address)
		if failed == nil {
			router.silent.forget(host.Name)
			return session
		}
		o.failed(ctx, failed)
		if ctx.Err() != nil {
			return nil
		}
		silent = silent && isSilence(failed)
	}
	if silent {
		router.silent.keep(host.Name, struct{}{}, time.Now().Add(silentFor))
	}
	return nil
}

// addresses are those of a host that the policy permits.
func (o *opening) addresses(ctx context.Context, host Host) ([]netip.Addr, *transport.OpenError) {
	router := o.route.router
	if policy := o.route.Policy; policy.enforced() && !policy.names(host.Name) {
		return nil, forbidden(router.hostPort(host), "the host is not one of those that it names",
			mailing.Fault(mailing.Unavailable, "smtp_policy_host", "host", router.hostPort(host)))
	}
	if host.literal.IsValid() {
		return []netip.Addr{host.literal}, nil
	}
	addresses, _, err := router.addresses(ctx, host.Name)
	if len(addresses) > 0 {
		return addresses, nil
	}
	failed := &transport.OpenError{Stage: transport.StageConnect, Host: router.hostPort(host), Err: err}
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
	case err == nil || errors.Is(err, errNotPublic):
		failed.Err = mailing.Fault(mailing.Invalid, "smtp_host_unknown", "host", host.Name).Because(err)
	default:
		failed.Reply = unknown(host.Name, err).reply
		failed.Err = mailing.Fault(mailing.Unavailable, "smtp_dns_failed", "host", host.Name).Because(err)
	}
	return nil, failed
}

// address tries one address, a second time in clear where the policy permits it
// and TLS is what went wrong: such a server meant well, and mail in clear is what
// it would have got without STARTTLS.
func (o *opening) address(ctx context.Context, host Host, address netip.Addr) (*transport.Session, *transport.OpenError) {
	o.tries--
	enforced := o.route.Policy.enforced()
	mode := transport.TLSOpportunistic
	if enforced {
		mode = transport.TLSRequired
	}
	session, failed := o.dial(ctx, host, address, mode)
	if failed != nil && !enforced && isBrokenTLS(failed) && ctx.Err() == nil {
		session, failed = o.dial(ctx, host, address, transport.TLSNone)
	}
	switch silent := o.route.router.silent; {
	case failed == nil:
		silent.forget(address.String())
	case isSilence(failed) && ctx.Err() == nil:
		silent.keep(address.String(), struct{}{}, time.Now().Add(silentFor))
	case enforced && failed.Stage == transport.StageTLS && ctx.Err() == nil:
		return nil, forbidden(failed.Host, whatLacks(failed.Err), failed.Err)
	}
	return session, failed
}

func (o *opening) dial(ctx context.Context, host Host, address netip.Addr, mode transport.TLSMode) (*transport.Session, *transport.OpenError) {
	options := &o.route.router.options
	relay := &transport.Relay{
		Host: host.Name, Port: options.Port, TLS: mode,
		HeloName: options.HeloName, RootCAs: options.RootCAs, Timeouts: options.Timeouts,
		Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return options.Dial(ctx, network, net.JoinHostPort(address.String(), strconv.Itoa(options.Port)))
		},
	}
	session, err := relay.Open(ctx)
	var failed *transport.OpenError
	if err != nil && !errors.As(err, &failed) {
		failed = &transport.OpenError{Stage: transport.StageConnect, Host: relay.Address(), Err: err}
	}
	return session, failed
}

// isSilence reports whether nobody spoke SMTP with us at all.
func isSilence(failed *transport.OpenError) bool {
	return failed.Reply.Code == 0 && (failed.Stage == transport.StageConnect || failed.Stage == transport.StageBanner)
}

// isBrokenTLS reports whether it broke in the handshake or at the first words
// after it. A refusal is an answer and not that.
func isBrokenTLS(failed *transport.OpenError) bool {
	return failed.Reply.Code == 0 && (failed.Stage == transport.StageTLS || failed.TLS != "")
}

// whatLacks says what of "TLS with a certificate that is right" a host lacks.
func whatLacks(err error) string {
	switch mailing.CodeOf(err) {
	case "smtp_tls_not_offered":
		return "the host offers no TLS"
	case "smtp_tls_bad_certificate":
		return "the host's certificate cannot be trusted"
	}
	return "TLS with the host came to nothing"
}

// forbidden is the answer in place of a server to which the policy lets nothing
// be sent. 4.7.5 is the failure of a cryptographic protection (RFC 3463, section
// 3.8); by RFC 8461, section 5 it is never for good.
func forbidden(host, why string, cause error) *transport.OpenError {
	return &transport.OpenError{
		Stage: transport.StageTLS, Host: host, Err: cause,
		Reply: mailing.Reply{
			Code: 451, Enhanced: "4.7.5",
			Text: fmt.Sprintf("%s%s: the domain's MTA-STS policy forbids it: %s", ourWords, host, why),
		},
	}
}
