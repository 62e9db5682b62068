package authtest

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/binary"
	"fmt"
	"time"
)

// Code is what an app with the secret shows at a time (RFC 6238).
func Code(secret []byte, at time.Time) string {
	var step [8]byte
	binary.BigEndian.PutUint64(step[:], uint64(at.Unix()/30))
	mac := hmac.New(sha1.New, secret)
	mac.Write(step[:])
	sum := mac.Sum(nil)
	offset := sum[19] & 0x0f
	return fmt.Sprintf("%06d", binary.BigEndian.Uint32(sum[offset:])&0x7fffffff%1_000_000)
}
