package auth

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"time"

	"vestnik/internal/mailing"
)

// A signed token is base64url of
//
//	format (1 byte) | expiry (uvarint, Unix seconds, 0 for never) | payload | tag
//
// where the tag is HMAC-SHA-256 of all before it, cut to 128 bits, the least
// that RFC 2104, section 5, recommends: short links are opened more reliably.
const (
	signFormat = 1
	tagSize    = 16
)

// mostToken bounds what is decoded of a link that anybody can send. Browsers
// and proxies carry 2,000 characters everywhere; chosen.
const mostToken = 2000

// Sign returns a token for links that carries payload, readable by everyone,
// changeable by no one, valid for this purpose alone and until expires, or for
// ever when that is the zero time. Expiry counts in whole seconds.
func (k Keys) Sign(purpose string, payload []byte, expires time.Time) string {
	body := make([]byte, 0, 1+binary.MaxVarintLen64+len(payload)+tagSize)
	body = append(body, signFormat)
	body = binary.AppendUvarint(body, expirySeconds(expires))
	body = append(body, payload...)
	return base64.RawURLEncoding.EncodeToString(append(body, k.roots()[0].tag(purpose, body)...))
}

// Verify returns the payload of a token that Sign made for this purpose. The
// error is a *mailing.Error: link_invalid for anything else, link_expired from
// its expiry on.
func (k Keys) Verify(purpose, token string, now time.Time) ([]byte, error) {
	invalid := mailing.Fault(mailing.Invalid, "link_invalid")
	if len(token) > mostToken {
		return nil, invalid
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(raw) < 2+tagSize || raw[0] != signFormat {
		return nil, invalid
	}
	body, tag := raw[:len(raw)-tagSize], raw[len(raw)-tagSize:]
	if _, signed := k.find(func(r *root) bool { return hmac.Equal(tag, r.tag(purpose, body)) }); !signed {
		return nil, invalid
	}
	expires, size := binary.Uvarint(body[1:])
	if size <= 0 {
		return nil, invalid
	}
	if expires != 0 && now.Unix() >= int64(expires) {
		return nil, mailing.Fault(mailing.Invalid, "link_expired")
	}
	return bytes.Clone(body[1+size:]), nil
}

func (r *root) tag(purpose string, body []byte) []byte {
	key := r.key("sign " + purpose)
	mac := hmac.New(sha256.New, key[:])
	mac.Write(body)
	return mac.Sum(nil)[:tagSize]
}

// expirySeconds keeps a time before 1970 apart from "never": it has expired.
func expirySeconds(expires time.Time) uint64 {
	if expires.IsZero() {
		return 0
	}
	return uint64(max(expires.Unix(), 1))
}
