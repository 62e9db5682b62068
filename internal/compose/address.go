package compose

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"

	"vestnik/internal/mailing"
)

// The longest address and its parts, in octets (RFC 5321, section 4.5.3.1). A
// path has 256 with its angle brackets.
const (
	maxAddress = 254
	maxLocal   = 64
	maxDomain  = 255
)

// WireAddress returns an address as it goes to a mail server: the name of the
// host in ASCII (IDNA), the rest as it is. With needsUTF8 the part before the
// "@" is not ASCII, and the server must offer SMTPUTF8 (RFC 6531). An address
// that cannot be written is a *mailing.Error with the code email_invalid.
func WireAddress(email string) (address string, needsUTF8 bool, err error) {
	at := strings.LastIndexByte(email, '@')
	if at < 0 {
		return "", false, addressFault(email)
	}
	local, domain := email[:at], email[at+1:]
	if !isPrintable(domain) {
		if domain, err = idna.Lookup.ToASCII(domain); err != nil {
			return "", false, addressFault(email).Because(err)
		}
	}
	local, ok := wireLocal(local)
	if !ok || !isDomain(domain) || len(local)+1+len(domain) > maxAddress {
		return "", false, addressFault(email)
	}
	return local + "@" + domain, !isPrintable(local), nil
}

func addressFault(email string) *mailing.Error {
	return mailing.Fault(mailing.Invalid, "email_invalid", "email", oneLine(email))
}

// wireLocal checks the part before the "@". Dots in odd places, which some
// providers once allowed, are quoted; a quoted part is taken as it is.
func wireLocal(local string) (wire string, ok bool) {
	if local == "" || len(local) > maxLocal || !utf8.ValidString(local) {
		return "", false
	}
	if len(local) > 2 && local[0] == '"' && local[len(local)-1] == '"' {
		inner := local[1 : len(local)-1]
		return local, isPrintable(inner) && !strings.ContainsAny(inner, `"\`)
	}
	for i := 0; i < len(local); i++ {
		if c := local[i]; c != '.' && c < utf8.RuneSelf && !isAtext(c) {
			return "", false
		}
	}
	if oneLine(local) != local { // control characters beyond ASCII
		return "", false
	}
	if local[0] == '.' || local[len(local)-1] == '.' || strings.Contains(local, "..") {
		return `"` + local + `"`, isPrintable(local)
	}
	return local, true
}

// isAtext is the atext of RFC 5322, section 3.2.3.
func isAtext(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' ||
		strings.IndexByte("!#$%&'*+-/=?^_`{|}~", c) >= 0
}

// isDomain checks a host's name in ASCII, or an address literal (RFC 5321,
// section 4.1.3). Underscores are let through: such hosts do get mail.
func isDomain(domain string) bool {
	if domain == "" || len(domain) > maxDomain {
		return false
	}
	if inner, ok := strings.CutPrefix(domain, "["); ok {
		inner, ok = strings.CutSuffix(inner, "]")
		return ok && inner != "" && onlyBytes(inner, ".:")
	}
	for _, label := range strings.Split(domain, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' || !onlyBytes(label, "-_") {
			return false
		}
	}
	return true
}

// onlyBytes reports whether s has only ASCII letters, digits and others.
func onlyBytes(s, others string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i]
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte(others, c) >= 0) {
			return false
		}
	}
	return true
}
