package transport

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"

	"vestnik/internal/mailing"
)

// OpenError says why there is no session. Err, and so errors.As on the
// OpenError, is an *mailing.Error with one of these codes, or the cause of a
// cancelled context:
//
//	smtp_no_answer            nothing came in time, or the way there is closed
//	smtp_port_refused         the machine is there, but nobody listens on that port
//	smtp_host_unknown         there is no such name
//	smtp_dns_failed           the name could not be looked up
//	smtp_refused              the server answered 4yz or 5yz before AUTH
//	smtp_garbage              what answers there does not speak SMTP
//	smtp_connection_lost      it hung up
//	smtp_tls_not_offered      no STARTTLS though it is required
//	smtp_tls_failed           the handshake came to nothing
//	smtp_tls_later            of Check: TLS begins with STARTTLS here, not at once
//	smtp_tls_none             of Check: it speaks in clear and offers no STARTTLS
//	smtp_tls_bad_certificate  the certificate is not to be trusted for this host
//	smtp_auth_not_offered     neither PLAIN nor LOGIN
//	smtp_auth_needs_tls       the password would go in clear
//	smtp_auth_refused         wrong user or password
//	smtp_helo_malformed       HeloName cannot be said
//	smtp_url_tls              there is no such TLSMode
//
// Their parameters are "host" and, where the server said something, "reply".
type OpenError struct {
	Stage Stage
	Reply mailing.Reply // the refusal; Code 0 when there was none
	Host  string        // as in Result
	TLS   string        // as in Result
	Err   error
}

func (e *OpenError) Error() string {
	return fmt.Sprintf("transport: open session with %s: %s: %v", e.Host, e.Stage, e.Err)
}

func (e *OpenError) Unwrap() error { return e.Err }

// refusal is an answer that ends the opening of a session.
type refusal struct {
	kind  mailing.Kind
	code  string
	reply mailing.Reply
}

func (e *refusal) Error() string { return e.reply.String() }

// fault says in terms of the set-up page what went wrong at a stage. Of a
// cancelled context it gives the cause; a context whose time ran out is a
// server that did not answer in time.
func (r *Relay) fault(ctx context.Context, stage Stage, err error) error {
	var known *mailing.Error
	var ours *abandoned
	var said *refusal
	var name *net.DNSError
	var noSMTP *garbageError
	switch {
	case errors.As(err, &ours):
		return ours.err
	case errors.As(err, &known):
		return err
	case stage != StageDot && errors.Is(ctx.Err(), context.Canceled):
		return context.Cause(ctx)
	case errors.As(err, &said):
		return r.problem(said.kind, said.code, err, "reply", said.reply.String())
	case errors.As(err, &noSMTP):
		return r.problem(mailing.Unavailable, "smtp_garbage", err)
	case errors.As(err, &name) && name.IsNotFound:
		return r.problem(mailing.Invalid, "smtp_host_unknown", err)
	case errors.As(err, &name) && !name.IsTimeout:
		return r.problem(mailing.Unavailable, "smtp_dns_failed", err)
	case isCertificate(err):
		return r.problem(mailing.Invalid, "smtp_tls_bad_certificate", err)
	case stage == StageConnect && errors.Is(err, syscall.ECONNREFUSED):
		return r.problem(mailing.Unavailable, "smtp_port_refused", err)
	case stage == StageConnect || isTimeout(err) || ctx.Err() != nil:
		return r.problem(mailing.Unavailable, "smtp_no_answer", err)
	case stage == StageTLS:
		return r.problem(mailing.Unavailable, "smtp_tls_failed", err)
	}
	return r.problem(mailing.Unavailable, "smtp_connection_lost", err)
}

func (r *Relay) problem(kind mailing.Kind, code string, cause error, params ...any) error {
	return mailing.Fault(kind, code, append([]any{"host", r.Address()}, params...)...).Because(cause)
}

func isTimeout(err error) bool {
	var network net.Error
	return errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded) ||
		errors.As(err, &network) && network.Timeout()
}

func isCertificate(err error) bool {
	var verification *tls.CertificateVerificationError
	var name x509.HostnameError
	var authority x509.UnknownAuthorityError
	var invalid x509.CertificateInvalidError
	return errors.As(err, &verification) || errors.As(err, &name) ||
		errors.As(err, &authority) || errors.As(err, &invalid)
}
