package auth

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"errors"
	"strings"
)

// sealPrefix marks the format of a sealed text: AES-256-GCM, a random nonce of
// 96 bits in front, base64url. Another algorithm will have another prefix.
const sealPrefix = "v1:"

// ErrSealed says that a sealed text cannot be opened: it was altered, it
// belongs to something else, or the installation's secret has changed.
var ErrSealed = errors.New("auth: sealed text cannot be opened; was the secret key changed?")

// Seal encrypts plain for a purpose. About names the thing it belongs to, like
// "relay 7": the sealed text can be opened only with the same name, so that it
// cannot be moved to another row. One purpose may seal 2^32 texts (NIST SP
// 800-38D, section 8.3).
func (k Keys) Seal(purpose, about string, plain []byte) string {
	box := k.roots()[0].sealer(purpose)
	sealed := box.Seal(nil, nil, plain, []byte(about))
	return sealPrefix + base64.RawURLEncoding.EncodeToString(sealed)
}

// Open returns what Seal encrypted for the same purpose about the same thing.
// The error is ErrSealed.
func (k Keys) Open(purpose, about, sealed string) ([]byte, error) {
	text, known := strings.CutPrefix(sealed, sealPrefix)
	if !known {
		return nil, ErrSealed
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil {
		return nil, ErrSealed
	}
	var plain []byte
	_, opened := k.find(func(r *root) bool {
		plain, err = r.sealer(purpose).Open(nil, nil, raw, []byte(about))
		return err == nil
	})
	if !opened {
		return nil, ErrSealed
	}
	return plain, nil
}

func (r *root) sealer(purpose string) cipher.AEAD {
	key := r.key("seal " + purpose)
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic(err) // a key of 32 bytes always fits
	}
	box, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic(err) // an AES block always fits
	}
	return box
}
