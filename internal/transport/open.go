package transport

import (
	"context"
	"crypto/tls"
	"net"
	"strconv"
	"strings"

	"vestnik/internal/mailing"
)

// extensions is what the server announced in its answer to EHLO.
type extensions struct {
	pipelining bool     // RFC 2920
	eightBit   bool     // RFC 6152
	utf8       bool     // RFC 6531
	startTLS   bool     // RFC 3207
	size       bool     // RFC 1870
	maxSize    int      // octets; 0: not told
	auth       []string // upper case, RFC 4954
}

// Open connects, says hello, encrypts and signs in as the relay asks. The error
// is an *OpenError. The session must be closed.
func (r *Relay) Open(ctx context.Context) (*Session, error) {
	return r.open(ctx, func(Stage) {})
}

// open calls passed after each stage that was done.
func (r *Relay) open(ctx context.Context, passed func(Stage)) (*Session, error) {
	s := &Session{relay: r, limits: r.Timeouts.orDefaults(), host: r.Address(), at: StageConnect}
	err := s.establish(ctx, passed)
	if err == nil {
		return s, nil
	}
	s.Cut()
	failed := &OpenError{Stage: s.at, Host: s.host, TLS: s.tls, Err: r.fault(ctx, s.at, err)}
	if said, ok := err.(*refusal); ok {
		failed.Reply = said.reply
	}
	return nil, failed
}

// establish leaves in s.at the stage that came to nothing.
func (s *Session) establish(ctx context.Context, passed func(Stage)) error {
	if !validHelo(s.relay.HeloName) {
		return mailing.Fault(mailing.Invalid, "smtp_helo_malformed", "name", s.relay.HeloName)
	}
	if !s.relay.TLS.known() {
		return mailing.Fault(mailing.Invalid, "smtp_url_tls", "tls", string(s.relay.TLS))
	}
	conn, err := s.relay.dial(ctx)
	if err != nil {
		return err
	}
	passed(StageConnect)
	s.wire = newWire(conn)
	s.host = hostWithAddress(s.relay, conn)
	unwatch := s.wire.watch(ctx)
	defer unwatch()

	steps := []func(func(Stage)) error{s.greet, s.hello, s.startTLS, s.authenticate}
	if s.relay.TLS == TLSImplicit {
		steps = []func(func(Stage)) error{s.implicitTLS, s.greet, s.hello, s.authenticate}
	}
	for _, step := range steps {
		if err := step(passed); err != nil {
			return err
		}
	}
	if !unwatch() {
		return ctx.Err()
	}
	return nil
}

// hostWithAddress names both what was asked for and where that led.
func hostWithAddress(r *Relay, conn net.Conn) string {
	remote, ok := conn.RemoteAddr().(*net.TCPAddr)
	if !ok || remote.IP.Equal(net.ParseIP(r.Host)) {
		return r.Address()
	}
	return r.Address() + " [" + remote.IP.String() + "]"
}

func (s *Session) greet(passed func(Stage)) error {
	s.at = StageBanner
	reply, err := s.wire.reply(s.limits.Banner)
	if err != nil {
		return err
	}
	if err := expectBefore(reply, 220); err != nil {
		return err
	}
	passed(StageBanner)
	return nil
}

// expectBefore checks an answer before AUTH: the code, a refusal, or garbage.
func expectBefore(reply mailing.Reply, code int) error {
	switch {
	case reply.Code == code:
		return nil
	case reply.Transient() || reply.Permanent():
		return &refusal{mailing.Unavailable, "smtp_refused", reply}
	}
	return garbage("answered %s, not %d", reply, code)
}

// hello says EHLO, and HELO to a server that does not know it (RFC 5321, section
// 3.2).
func (s *Session) hello(passed func(Stage)) error {
	s.at = StageEHLO
	name := s.relay.HeloName
	if name == "" {
		name = addressLiteral(s.wire.raw.LocalAddr())
	}
	reply, err := s.command(s.limits.EHLO, "EHLO "+name)
	if err != nil {
		return err
	}
	s.offers = extensions{}
	if reply.Code == 500 || reply.Code == 502 {
		if reply, err = s.command(s.limits.EHLO, "HELO "+name); err != nil {
			return err
		}
	} else {
		s.offers = readExtensions(reply.Text)
	}
	if err := expectBefore(reply, 250); err != nil {
		return err
	}
	passed(StageEHLO)
	return nil
}

// addressLiteral is how a client without a name of its own says hello (RFC 5321,
// sections 4.1.1.1 and 4.1.3).
func addressLiteral(local net.Addr) string {
	tcp, ok := local.(*net.TCPAddr)
	switch {
	case !ok:
		return "[127.0.0.1]"
	case tcp.IP.To4() != nil:
		return "[" + tcp.IP.String() + "]"
	}
	return "[IPv6:" + tcp.IP.String() + "]"
}

func readExtensions(text string) extensions {
	var e extensions
	for i, line := range strings.Split(text, "\n") {
		words := strings.Fields(strings.ToUpper(line))
		if i == 0 || len(words) == 0 {
			continue
		}
		switch keyword := words[0]; {
		case keyword == "PIPELINING":
			e.pipelining = true
		case keyword == "8BITMIME":
			e.eightBit = true
		case keyword == "SMTPUTF8":
			e.utf8 = true
		case keyword == "STARTTLS":
			e.startTLS = true
		case keyword == "SIZE":
			e.size = true
			if len(words) > 1 {
				e.maxSize, _ = strconv.Atoi(words[1])
			}
		case keyword == "AUTH":
			e.auth = append(e.auth, words[1:]...)
		case strings.HasPrefix(keyword, "AUTH="): // how it stood before RFC 2554
			e.auth = append(append(e.auth, keyword[len("AUTH="):]), words[1:]...)
		}
	}
	return e
}

// startTLS encrypts as the mode asks. A server that offers STARTTLS and then
// refuses it is spoken to in clear where that is allowed; a handshake that
// breaks leaves no connection to go on with (RFC 3207, section 4.1).
func (s *Session) startTLS(passed func(Stage)) error {
	if s.relay.TLS == TLSNone {
		return nil
	}
	required := s.relay.TLS == TLSRequired
	if !s.offers.startTLS && !required {
		return nil
	}
	s.at = StageTLS
	if !s.offers.startTLS {
		return s.relay.problem(mailing.Invalid, "smtp_tls_not_offered", nil)
	}
	reply, err := s.command(s.limits.TLS, "STARTTLS")
	if err != nil {
		return err
	}
	if reply.Code != 220 {
		if !required && reply.Code >= 400 && reply.Code != 421 {
			return nil
		}
		return expectBefore(reply, 220)
	}
	if s.wire.unasked() {
		// Somebody in between put words into the server's mouth, to be
		// believed after the handshake (CVE-2011-0411).
		return garbage("more than the answer to STARTTLS in clear")
	}
	if err := s.handshake(); err != nil {
		return err
	}
	passed(StageTLS)
	// What was announced in clear counts no more (RFC 3207, section 4.2).
	return s.hello(func(Stage) {})
}

func (s *Session) implicitTLS(passed func(Stage)) error {
	s.at = StageTLS
	if err := s.handshake(); err != nil {
		return err
	}
	passed(StageTLS)
	return nil
}

func (s *Session) handshake() error {
	if err := s.wire.limit(s.limits.TLS, s.wire.raw.SetDeadline); err != nil {
		return err
	}
	secure := tls.Client(s.wire.raw, s.relay.tlsConfig())
	if err := secure.Handshake(); err != nil {
		return err
	}
	s.wire.encrypt(secure)
	s.tls = strings.ReplaceAll(tls.VersionName(secure.ConnectionState().Version), " ", "")
	return nil
}
