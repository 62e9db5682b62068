package transport

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"net"
	"net/url"
	"strconv"
	"time"
)

// TLSMode says whether and how the connection is encrypted.
type TLSMode string

// The modes.
const (
	// TLSNone never encrypts.
	TLSNone TLSMode = "none"
	// TLSOpportunistic uses STARTTLS where it is offered and goes on in clear
	// where it is not (RFC 7435). The certificate is checked only when there is a
	// password to protect.
	TLSOpportunistic TLSMode = "starttls"
	// TLSRequired uses STARTTLS, checks the certificate, and sends nothing
	// otherwise.
	TLSRequired TLSMode = "starttls-required"
	// TLSImplicit speaks TLS from the first octet, as on port 465 (RFC 8314,
	// section 3.3), and checks the certificate.
	TLSImplicit TLSMode = "implicit"
)

func (m TLSMode) known() bool {
	switch m {
	case "", TLSNone, TLSOpportunistic, TLSRequired, TLSImplicit:
		return true
	}
	return false
}

// Timeouts are how long one may take. A field that is 0 stands for its default.
type Timeouts struct {
	Connect time.Duration
	Banner  time.Duration
	EHLO    time.Duration // also RSET
	TLS     time.Duration // STARTTLS and the handshake, each
	Auth    time.Duration // each step
	Mail    time.Duration
	Rcpt    time.Duration
	Data    time.Duration // the answer to DATA
	Block   time.Duration // writing one piece of the message, of 64 KiB at most
	Dot     time.Duration
	Quit    time.Duration
}

// defaultTimeouts are those of RFC 5321, section 4.5.3.2, where it has one:
// banner, MAIL, RCPT, DATA, block and dot. EHLO, TLS and AUTH come before MAIL
// and are given what it gives. A minute to connect is half of what Linux tries.
// The answer to QUIT means nothing to us; five seconds are chosen.
var defaultTimeouts = Timeouts{
	Connect: time.Minute,
	Banner:  5 * time.Minute,
	EHLO:    5 * time.Minute,
	TLS:     5 * time.Minute,
	Auth:    5 * time.Minute,
	Mail:    5 * time.Minute,
	Rcpt:    5 * time.Minute,
	Data:    2 * time.Minute,
	Block:   3 * time.Minute,
	Dot:     10 * time.Minute,
	Quit:    5 * time.Second,
}

func (t Timeouts) orDefaults() Timeouts {
	fill := func(field *time.Duration, standard time.Duration) {
		if *field == 0 {
			*field = standard
		}
	}
	fill(&t.Connect, defaultTimeouts.Connect)
	fill(&t.Banner, defaultTimeouts.Banner)
	fill(&t.EHLO, defaultTimeouts.EHLO)
	fill(&t.TLS, defaultTimeouts.TLS)
	fill(&t.Auth, defaultTimeouts.Auth)
	fill(&t.Mail, defaultTimeouts.Mail)
	fill(&t.Rcpt, defaultTimeouts.Rcpt)
	fill(&t.Data, defaultTimeouts.Data)
	fill(&t.Block, defaultTimeouts.Block)
	fill(&t.Dot, defaultTimeouts.Dot)
	fill(&t.Quit, defaultTimeouts.Quit)
	return t
}

// Relay is a mail server and how to speak to it. It is not changed by anything
// here and may be used by many at once.
type Relay struct {
	Host string // a name or an IP address; certificates are checked against it
	Port int
	TLS  TLSMode // empty: TLSOpportunistic

	Username, Password string // empty Username: no AUTH
	HeloName           string // who we say we are; empty: our address, "[192.0.2.7]"

	Messages int // mails that one session should carry, for PoolOptions; 0: not told

	RootCAs            *x509.CertPool // nil: those of the system
	InsecureSkipVerify bool           // trust any certificate, even with a password

	// Dial makes the connection; nil: net.Dialer.
	Dial     func(ctx context.Context, network, address string) (net.Conn, error)
	Timeouts Timeouts
}

// Address is "host:port".
func (r *Relay) Address() string { return net.JoinHostPort(r.Host, strconv.Itoa(r.Port)) }

// String describes the relay as a URL without the password.
func (r Relay) String() string {
	u := url.URL{Scheme: "smtp", Host: r.Address()}
	if r.TLS == TLSImplicit {
		u.Scheme = "smtps"
	} else if r.TLS != "" {
		u.RawQuery = "tls=" + string(r.TLS)
	}
	if r.Username != "" {
		u.User = url.User(r.Username)
	}
	return u.String()
}

// GoString is String, so that no way of formatting shows the password.
func (r Relay) GoString() string { return r.String() }

// LogValue is String for the log.
func (r Relay) LogValue() slog.Value { return slog.StringValue(r.String()) }

func (r *Relay) dial(ctx context.Context) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, r.Timeouts.orDefaults().Connect)
	defer cancel()
	if r.Dial != nil {
		return r.Dial(ctx, "tcp", r.Address())
	}
	var dialer net.Dialer
	return dialer.DialContext(ctx, "tcp", r.Address())
}

func (r *Relay) tlsConfig() *tls.Config {
	return &tls.Config{
		ServerName:         r.Host,
		RootCAs:            r.RootCAs,
		MinVersion:         tls.VersionTLS12, // RFC 8996 retired what was before
		InsecureSkipVerify: !r.verifies(),
	}
}

// verifies reports whether the certificate is checked.
func (r *Relay) verifies() bool {
	if r.InsecureSkipVerify {
		return false
	}
	return r.TLS == TLSRequired || r.TLS == TLSImplicit || r.Username != ""
}
