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

// Keys derives a key for each purpose from the installation's secrets, so that
// what was made for one purpose is worth nothing for another. A purpose is a
// constant in the code, like "unsubscribe". Keys are safe for concurrent use.
//
// Of several secrets the first signs and seals; all verify and open. So a secret can
// be replaced while what it has signed is out in the world.
type Keys struct{ ring *ring }

// root is what the keys of one secret are derived from.
type root struct {
	extracted []byte
	derived   sync.Map // purpose → Key: a link of every mail is signed
}

// NewKeys makes keys of secrets, the first of which signs and seals. It panics when
// one has fewer than MinSecret bytes: LoadSecrets and the settings have checked that
// before.
func NewKeys(secret []byte, older ...[]byte) Keys {
	k := Keys{&ring{}}
	k.ring.use(append([][]byte{secret}, older...))
	return k
}

// newRoot extracts the root of all keys from secret (HKDF-Extract, RFC 5869).
func newRoot(secret []byte) *root {
	if len(secret) < MinSecret {
		panic("auth: the secret is too short")
	}
	extracted, err := hkdf.Extract(sha256.New, secret, []byte("vestnik"))
	if err != nil {
		panic(err) // only a FIPS policy refuses, and it has no say over SHA-256
	}
	return &root{extracted: extracted}
}

// Key returns the key of a purpose, by the first secret.
func (k Keys) Key(purpose string) Key { return k.roots()[0].key(purpose) }

// roots are those of all secrets.
func (k Keys) roots() []*root {
	if k.ring == nil {
		panic("auth: Keys must be made by NewKeys")
	}
	return *k.ring.roots.Load()
}

// find returns the first root that is right, and false if none is. When none is, the
// secrets may have been replaced a moment ago by another process.
func (k Keys) find(right func(*root) bool) (*root, bool) {
	for {
		for _, r := range k.roots() {
			if right(r) {
				return r, true
			}
		}
		if !k.ring.renew() {
			return nil, false
		}
	}
}

// key is that of a purpose (HKDF-Expand, RFC 5869).
func (r *root) key(purpose string) Key {
	if key, known := r.derived.Load(purpose); known {
		return key.(Key)
	}
	material, err := hkdf.Expand(sha256.New, r.extracted, purpose, len(Key{}))
	if err != nil {
		panic(err) // 32 bytes are far from the limit of 255 hashes
	}
	r.derived.Store(purpose, Key(material))
	return Key(material)
}

// MAC authenticates parts for a purpose with HMAC-SHA-256. Where one part ends
// and the next begins counts: "ab", "c" and "a", "bc" differ. It is by the first secret.
func (k Keys) MAC(purpose string, parts ...[]byte) [sha256.Size]byte {
	return k.roots()[0].mac(purpose, parts...)
}

// MACMatches reports whether one of the secrets made the MAC, and whether that is the
// first of them, in a time that tells nothing about where they differ.
func (k Keys) MACMatches(mac []byte, purpose string, parts ...[]byte) (known, first bool) {
	by, known := k.find(func(r *root) bool {
		own := r.mac(purpose, parts...)
		return hmac.Equal(mac, own[:])
	})
	return known, known && by == k.roots()[0]
}

func (r *root) mac(purpose string, parts ...[]byte) [sha256.Size]byte {
	key := r.key("mac " + purpose)
	mac := hmac.New(sha256.New, key[:])
	for _, part := range parts {
		var length [8]byte
		binary.BigEndian.PutUint64(length[:], uint64(len(part)))
		mac.Write(length[:])
		mac.Write(part)
	}
	return [sha256.Size]byte(mac.Sum(nil))
}
