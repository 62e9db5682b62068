package auth

import (
	_ "embed"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"vestnik/internal/mailing"
)

// Bounds of a password, in characters: "at least 8 characters in length", and
// "at least 64 characters" must be permitted (NIST SP 800-63B, section
// 5.1.1.2). Our upper bound keeps hashing cheap. By the same section there is
// no rule about what kinds of characters it is made of.
const (
	MinPassword = 8
	MaxPassword = 128
)

// fewestLetters is how many different characters a password must have, against
// the "repetitive" ones that NIST SP 800-63B names: 11111111, абабабаб.
const fewestLetters = 3

// commonPasswords are those that attackers try first and that are long enough
// to pass the other rules, one a line, in lower case.
//
//go:embed common_passwords.txt
var commonPasswords string

// CheckPassword checks a new password against the rules. Personal are texts
// that it must not repeat, like the e-mail address. The error is a
// *mailing.Error without a field: password_too_short (min), password_too_long
// (max), password_common.
func CheckPassword(password string, personal ...string) error {
	normal := norm.NFC.String(password)
	length := utf8.RuneCountInString(normal)
	switch {
	case length < MinPassword:
		return mailing.Fault(mailing.Invalid, "password_too_short", "min", MinPassword)
	case length > MaxPassword:
		return mailing.Fault(mailing.Invalid, "password_too_long", "max", MaxPassword)
	case isCommon(normal), isPersonal(normal, personal):
		return mailing.Fault(mailing.Invalid, "password_common")
	}
	return nil
}

func isCommon(password string) bool {
	lower := strings.ToLower(password)
	letters := map[rune]bool{}
	for _, letter := range lower {
		letters[letter] = true
	}
	if len(letters) < fewestLetters {
		return true
	}
	for line := range strings.Lines(commonPasswords) {
		if strings.TrimRight(line, "\r\n") == lower {
			return true
		}
	}
	return false
}

// isPersonal reports whether the password is one of the texts, or the part of
// an address before the @.
func isPersonal(password string, personal []string) bool {
	for _, text := range personal {
		local, _, _ := strings.Cut(text, "@")
		if text != "" && (strings.EqualFold(password, text) || strings.EqualFold(password, local)) {
			return true
		}
	}
	return false
}
