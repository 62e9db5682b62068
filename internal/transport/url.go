package transport

import (
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"vestnik/internal/mailing"
)

// The ports: relaying between servers (RFC 5321, section 4.5.4.2), submission
// by people who sign in (RFC 6409), and the same with implicit TLS (RFC 8314).
const (
	portRelay      = 25
	portSubmission = 587
	portSubmitTLS  = 465
)

// ParseURL reads where to send from one line:
//
//	smtp://user:password@host:port?tls=starttls-required&helo=name&verify=false&messages=100
//	smtps://user:password@host
//
// What is left out is chosen as the standards counsel: smtps is implicit TLS on
// port 465. smtp with a user is port 587, and STARTTLS is required unless the
// host is this machine. smtp without a user is port 25 with STARTTLS where it
// is offered. User and password are percent-encoded.
//
// The error is an *mailing.Error of kind Invalid: smtp_url_malformed,
// smtp_url_scheme, smtp_url_host_missing, smtp_url_port, smtp_url_tls,
// smtp_url_password_missing, smtp_url_verify, smtp_url_messages, smtp_url_parameter or
// smtp_helo_malformed. It never holds the password.
func ParseURL(text string) (*Relay, error) {
	// What url.Parse says about a malformed URL repeats it with its password,
	// so it is not passed on.
	u, err := url.Parse(strings.TrimSpace(text))
	if err != nil || u.Opaque != "" || u.Fragment != "" || strings.Trim(u.Path, "/") != "" {
		return nil, mailing.Fault(mailing.Invalid, "smtp_url_malformed")
	}
	if u.Scheme != "smtp" && u.Scheme != "smtps" {
		return nil, mailing.Fault(mailing.Invalid, "smtp_url_scheme", "scheme", u.Scheme)
	}
	if u.Hostname() == "" {
		return nil, mailing.Fault(mailing.Invalid, "smtp_url_host_missing")
	}
	r := &Relay{Host: u.Hostname(), Username: u.User.Username()}
	password, given := u.User.Password()
	if given != (r.Username != "") {
		return nil, mailing.Fault(mailing.Invalid, "smtp_url_password_missing")
	}
	r.Password = password
	if err := r.readParameters(u.Query(), u.Scheme == "smtps"); err != nil {
		return nil, err
	}
	if r.Port, err = r.readPort(u.Port()); err != nil {
		return nil, err
	}
	return r, nil
}

func (r *Relay) readParameters(parameters url.Values, implicit bool) error {
	for name := range parameters {
		value := parameters.Get(name)
		switch name {
		case "tls":
			r.TLS = TLSMode(value)
		case "helo":
			r.HeloName = value
		case "verify":
			verify, err := strconv.ParseBool(value)
			if err != nil {
				return mailing.Fault(mailing.Invalid, "smtp_url_verify", "value", value)
			}
			r.InsecureSkipVerify = !verify
		case "messages":
			messages, err := strconv.Atoi(value)
			if err != nil || messages < 1 {
				return mailing.Fault(mailing.Invalid, "smtp_url_messages", "value", value)
			}
			r.Messages = messages
		default:
			return mailing.Fault(mailing.Invalid, "smtp_url_parameter", "name", name)
		}
	}
	if !validHelo(r.HeloName) {
		return mailing.Fault(mailing.Invalid, "smtp_helo_malformed", "name", r.HeloName)
	}
	return r.chooseTLS(implicit)
}

func (r *Relay) chooseTLS(implicit bool) error {
	switch {
	case implicit && (r.TLS == "" || r.TLS == TLSImplicit):
		r.TLS = TLSImplicit
	case implicit:
		return mailing.Fault(mailing.Invalid, "smtp_url_tls", "tls", string(r.TLS))
	case r.TLS == "" && r.Username != "" && !isLoopbackName(r.Host):
		r.TLS = TLSRequired
	case r.TLS == "":
		r.TLS = TLSOpportunistic
	case !r.TLS.known():
		return mailing.Fault(mailing.Invalid, "smtp_url_tls", "tls", string(r.TLS))
	}
	return nil
}

func (r *Relay) readPort(text string) (int, error) {
	switch {
	case text != "":
		port, err := strconv.ParseUint(text, 10, 16)
		if err != nil || port == 0 {
			return 0, mailing.Fault(mailing.Invalid, "smtp_url_port", "port", text)
		}
		return int(port), nil
	case r.TLS == TLSImplicit:
		return portSubmitTLS, nil
	case r.Username != "":
		return portSubmission, nil
	}
	return portRelay, nil
}

func isLoopbackName(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// validHelo reports whether name can stand in EHLO: a domain or an address literal
// (RFC 5321, section 4.1.1.1). Empty is valid and means our address.
func validHelo(name string) bool {
	if literal, ok := strings.CutPrefix(name, "["); ok {
		literal, closed := strings.CutSuffix(literal, "]")
		v6, is6 := strings.CutPrefix(literal, "IPv6:")
		addr, err := netip.ParseAddr(v6)
		return closed && err == nil && addr.Is6() == is6 && addr.Zone() == ""
	}
	labels := strings.Split(name, ".")
	return name == "" || len(name) <= 255 && !slices.ContainsFunc(labels, func(l string) bool { return !helloLabel.MatchString(l) })
}

// helloLabel is a part of a domain (RFC 5321, section 4.1.2; RFC 1035, section 2.3.4).
var helloLabel = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$`)
