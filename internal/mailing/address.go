package mailing

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"
)

// Limits of an address in octets (RFC 5321, sections 4.5.3.1.1 to 4.5.3.1.3: a
// path is 256 octets including "<" and ">").
const (
	MaxLocalPartBytes = 64
	MaxAddressBytes   = 254
)

var domainProfile = idna.New(
	idna.MapForLookup(), idna.BidiRule(), idna.Transitional(false), idna.VerifyDNSLength(true),
)

// NormalizeEmail checks an address and returns the form it is stored, compared
// and sent in: trimmed, lower case (RFC 5321, section 2.4 lets local parts
// differ by case; no mailbox provider we know does), the domain as A-labels
// (RFC 5890). Quoted local parts, comments and address literals are valid in
// RFC 5321 but in a list of clients they are typing errors, and are refused. A
// domain needs a dot, except "localhost". The error is an *Error of kind
// Invalid.
func NormalizeEmail(typed string) (string, error) {
	typed = strings.Trim(norm.NFC.String(strings.TrimSpace(typed)), "\u200B\u200E\u200F\uFEFF")
	if typed == "" {
		return "", Fault(Invalid, "email_empty")
	}
	if !utf8.ValidString(typed) || strings.Count(typed, "@") != 1 {
		return "", Fault(Invalid, "email_malformed", "email", typed)
	}
	local, domain, _ := strings.Cut(typed, "@")
	local = strings.ToLower(local)
	if !validLocalPart(local) {
		return "", Fault(Invalid, "email_malformed", "email", typed)
	}
	ascii, ok := normalDomain(domain)
	if !ok {
		return "", Fault(Invalid, "email_domain_malformed", "email", typed, "domain", domain)
	}
	email := local + "@" + ascii
	if len(local) > MaxLocalPartBytes || len(email) > MaxAddressBytes {
		return "", Fault(Invalid, "email_too_long", "email", typed, "max", MaxAddressBytes)
	}
	return email, nil
}

// NormalizeDomain checks a domain that mails are sent as and returns it as
// NormalizeEmail does. An "@" in front of it is left out. The error is an *Error
// of kind Invalid.
func NormalizeDomain(typed string) (string, error) {
	domain := strings.TrimPrefix(strings.TrimSpace(norm.NFC.String(typed)), "@")
	if domain == "" {
		return "", Fault(Invalid, "required")
	}
	ascii, ok := normalDomain(domain)
	if !ok {
		return "", Fault(Invalid, "domain_malformed", "domain", typed)
	}
	return ascii, nil
}

// normalDomain is the domain as A-labels; false when it is none.
func normalDomain(domain string) (string, bool) {
	ascii, err := domainProfile.ToASCII(strings.TrimSuffix(domain, "."))
	return ascii, err == nil && validDomain(ascii)
}

// validLocalPart reports whether s is a dot-string (RFC 5321, section 4.1.2, with
// the UTF-8 of RFC 6531, section 3.3).
func validLocalPart(s string) bool {
	if s == "" || strings.HasPrefix(s, ".") || strings.HasSuffix(s, ".") || strings.Contains(s, "..") {
		return false
	}
	for _, r := range s {
		if r == utf8.RuneError || unicode.IsSpace(r) || unicode.IsControl(r) {
			return false
		}
		if r < utf8.RuneSelf && !isAtomText(r) && r != '.' {
			return false
		}
	}
	return true
}

func isAtomText(r rune) bool {
	return 'a' <= r && r <= 'z' || '0' <= r && r <= '9' || strings.ContainsRune("!#$%&'*+-/=?^_`{|}~", r)
}

func validDomain(ascii string) bool {
	if ascii == "localhost" {
		return true
	}
	labels := strings.Split(ascii, ".")
	if len(labels) < 2 {
		return false
	}
	for _, label := range labels {
		if !validLabel(label) {
			return false
		}
	}
	// A last label of digits only is the shape of an IP address, not of a
	// domain (RFC 3696, section 2).
	return strings.Trim(labels[len(labels)-1], "0123456789") != ""
}

func validLabel(label string) bool {
	if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
		return false
	}
	for _, r := range label {
		if r != '-' && !('a' <= r && r <= 'z' || '0' <= r && r <= '9') {
			return false
		}
	}
	return true
}

// DisplayEmail gives the address as people write it: its domain in their script.
func DisplayEmail(email string) string {
	local, domain, found := strings.Cut(email, "@")
	if !found {
		return email
	}
	return local + "@" + DisplayDomain(domain)
}

// DisplayDomain gives a domain in its script.
func DisplayDomain(domain string) string {
	if !strings.Contains(domain, "xn--") {
		return domain
	}
	shown, err := idna.Display.ToUnicode(domain)
	if err != nil {
		return domain
	}
	return shown
}
