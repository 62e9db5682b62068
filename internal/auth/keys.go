package auth

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"sync"
)

// MinSecret is the least length of the installation's secret in bytes: that of
// the hash behind it, below which keys are discouraged (RFC 2104, section 3).
const MinSecret = 32

// Key is a key for one purpose.
type Key [32]byte

// Keys derives a key for each purpose from the installation's secret, so that
// what was made for one purpose is worth nothing for another. A purpose is a
// constant in the code, like "unsubscribe". Keys are safe for concurrent use.
type Keys struct {
	root    []byte
	derived *sync.Map // purpose → Key: a link of every mail is signed
}

// NewKeys extracts the root of all keys from secret (HKDF-Extract, RFC 5869).
// It panics when secret has fewer than MinSecret bytes: LoadSecret and the
// settings have checked that before.
func NewKeys(secret []byte) Keys {
	if len(secret) < MinSecret {
		panic("auth: the secret is too short")
	}
	root, err := hkdf.Extract(sha256.New, secret, []byte("vestnik"))
	if err != nil {
		panic(err) // only a FIPS policy refuses, and it has no say over SHA-256
	}
	return Keys{root: root, derived: &sync.Map{}}
}

// Key returns the key of a purpose (HKDF-Expand, RFC 5869).
func (k Keys) Key(purpose string) Key {
	if k.root == nil {
		panic("auth: Keys must be made by NewKeys")
	}
	if key, known := k.derived.Load(purpose); known {
		return key.(Key)
	}
	material, err := hkdf.Expand(sha256.New, k.root, purpose, len(Key{}))
	if err != nil {
		panic(err) // 32 bytes are far from the limit of 255 hashes
	}
	k.derived.Store(purpose, Key(material))
	return Key(material)
}

// MAC authenticates parts for a purpose with HMAC-SHA-256. Where one part ends
// and the next begins counts: "ab", "c" and "a", "bc" differ.
func (k Keys) MAC(purpose string, parts ...[]byte) [sha256.Size]byte {
	key := k.Key("mac " + purpose)
	mac := hmac.New(sha256.New, key[:])
	for _, part := range parts {
		var length [8]byte
		binary.BigEndian.PutUint64(length[:], uint64(len(part)))
		mac.Write(length[:])
		mac.Write(part)
	}
	return [sha256.Size]byte(mac.Sum(nil))
}
