package auth

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1"
	"crypto/subtle"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// What apps that make codes take for granted; few heed anything else.
const (
	totpStep   = 30 // seconds (RFC 6238, section 5.2)
	totpDigits = 6
	totpSecret = 20 // bytes (RFC 4226, section 4, R6)
	// totpDrift is by how many steps the clock of a phone may be wrong, or a person
	// slow: "at most one time step is allowed" (RFC 6238, section 5.2).
	totpDrift = 1
)

var totpText = base32.StdEncoding.WithPadding(base32.NoPadding)

// NewTOTPSecret returns a random secret for an app that makes codes (RFC 6238).
func NewTOTPSecret() []byte {
	secret := make([]byte, totpSecret)
	rand.Read(secret) // never fails (documented since Go 1.24)
	return secret
}

// TOTPText is a secret as a person types it into an app: base32 in groups of four.
func TOTPText(secret []byte) string {
	var groups []string
	for text := totpText.EncodeToString(secret); text != ""; {
		n := min(4, len(text))
		groups, text = append(groups, text[:n]), text[n:]
	}
	return strings.Join(groups, " ")
}

// TOTPLink is what a QR code holds for an app. The format is that of Google
// Authenticator, which all apps read.
func TOTPLink(issuer, account string, secret []byte) string {
	label := url.PathEscape(issuer) + ":" + url.PathEscape(account)
	return "otpauth://totp/" + label + "?secret=" + totpText.EncodeToString(secret) + "&issuer=" + url.QueryEscape(issuer)
}

// MatchTOTP returns the time step whose code was typed, if it is one after used. That
// step is then to be used up, so that no code is taken twice.
func MatchTOTP(secret []byte, typed string, now time.Time, used int64) (step int64, matches bool) {
	typed = withoutSpaces(typed)
	current := now.Unix() / totpStep
	for candidate := current - totpDrift; candidate <= current+totpDrift; candidate++ {
		right := subtle.ConstantTimeCompare([]byte(typed), []byte(hotp(secret, candidate, totpDigits))) == 1
		if right && candidate > used {
			step, matches = candidate, true
		}
	}
	return step, matches
}

// hotp is the code of a counter (RFC 4226, section 5.3).
func hotp(secret []byte, counter int64, digits int) string {
	mac := hmac.New(sha1.New, secret) // what apps take for granted; its collisions do not matter here
	var message [8]byte
	binary.BigEndian.PutUint64(message[:], uint64(counter))
	mac.Write(message[:])
	sum := mac.Sum(nil)
	offset := sum[len(sum)-1] & 0x0f
	number := strconv.FormatUint(uint64(binary.BigEndian.Uint32(sum[offset:])&0x7fffffff), 10)
	number = fmt.Sprintf("%0*s", digits, number)
	return number[len(number)-digits:]
}

// recoveryLetters is how long a recovery code is: 50 bits, each good once and with few
// guesses allowed.
const recoveryLetters = 10

// NewRecoveryCode returns a code to sign in with when the second factor is lost, such
// as "k3v7a-x2mqd".
func NewRecoveryCode() string {
	text := strings.ToLower(rand.Text()[:recoveryLetters])
	return text[:recoveryLetters/2] + "-" + text[recoveryLetters/2:]
}

// HashRecoveryCode returns what is stored of a recovery code. Case, spaces and hyphens
// do not count.
func (k Keys) HashRecoveryCode(account int64, code string) string {
	return k.roots()[0].hashRecoveryCode(account, code)
}

// RecoveryCodeHashes are what may be stored of a recovery code, by each of the secrets.
func (k Keys) RecoveryCodeHashes(account int64, code string) []string {
	var hashes []string
	for _, r := range k.roots() {
		hashes = append(hashes, r.hashRecoveryCode(account, code))
	}
	return hashes
}

func (r *root) hashRecoveryCode(account int64, code string) string {
	return r.hashCode("recovery", account, strings.ToLower(strings.ReplaceAll(code, "-", "")))
}
