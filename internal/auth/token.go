package auth

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"unicode"
)

// tokenSize is the size of a random token in bytes: 256 bits, so that its hash
// needs no salt and no slowness.
const tokenSize = 32

// codeDigits is how long a confirmation code is. Six digits are what people
// know; the few guesses allowed, not the length, keep it safe.
const codeDigits = 6

// NewToken returns 256 random bits in base64url, 43 characters: the secret of
// a session, an API key or a link that is used once.
func NewToken() string {
	random := make([]byte, tokenSize)
	rand.Read(random) // never fails (documented since Go 1.24)
	return base64.RawURLEncoding.EncodeToString(random)
}

// HashToken returns what is stored of a token, so that a copy of the database
// opens no session: its SHA-256 in 64 hexadecimal digits.
func HashToken(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// NewCode returns a confirmation code of six digits, each of the million as
// likely as any other.
func NewCode() string {
	n, err := rand.Int(rand.Reader, big.NewInt(1_000_000))
	if err != nil {
		panic(err) // the reader of crypto/rand never fails (since Go 1.24)
	}
	return fmt.Sprintf("%0*d", codeDigits, n)
}

// NewLongCode is NewCode with two digits more: many may be good at a time, and a guess is
// still not likelier to hit one.
func NewLongCode() string { return NewCode() + NewCode()[codeDigits-2:] }

// HashCode returns what is stored of a code: a keyed hash in 64 hexadecimal
// digits, good for this account and this purpose alone. The key matters: all
// codes without one could be tried in a second by who has the database.
func (k Keys) HashCode(purpose string, account int64, code string) string {
	return k.roots()[0].hashCode(purpose, account, code)
}

// CodeMatches reports whether stored is the hash of the code that was typed,
// in a time that tells nothing about where they differ. Spaces do not count:
// mail programs and people put them in.
func (k Keys) CodeMatches(stored, purpose string, account int64, typed string) bool {
	_, matches := k.find(func(r *root) bool { return hmac.Equal([]byte(stored), []byte(r.hashCode(purpose, account, typed))) })
	return matches
}

func (r *root) hashCode(purpose string, account int64, code string) string {
	sum := r.mac("code "+purpose, []byte(strconv.FormatInt(account, 10)), []byte(withoutSpaces(code)))
	return hex.EncodeToString(sum[:])
}

func withoutSpaces(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return r
	}, text)
}
