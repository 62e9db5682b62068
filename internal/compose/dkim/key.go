package dkim

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
)

// Algorithm is a kind of key, by its name in a DNS record.
type Algorithm string

// The algorithms that exist. Every verifier knows RSA (RFC 8301, section 3.1);
// Ed25519 is younger, smaller and much faster, and far from all know it (RFC
// 8463), so that it is an addition to RSA and no replacement.
const (
	RSA     Algorithm = "rsa"
	Ed25519 Algorithm = "ed25519"
)

// Lengths of RSA keys in bits (RFC 8301, section 3.2).
const (
	minRSABits  = 1024 // signers must not use shorter ones
	madeRSABits = 2048 // signers should use no shorter ones
)

// PrivateKey is what signatures are made with. It does not change and is safe
// for concurrent use.
type PrivateKey struct {
	signer crypto.Signer // *rsa.PrivateKey or ed25519.PrivateKey
}

// NewPrivateKey makes a key.
func NewPrivateKey(a Algorithm) (PrivateKey, error) {
	switch a {
	case RSA:
		key, err := rsa.GenerateKey(rand.Reader, madeRSABits)
		if err != nil {
			return PrivateKey{}, fmt.Errorf("dkim: make RSA key: %w", err)
		}
		return PrivateKey{key}, nil
	case Ed25519:
		_, key, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			return PrivateKey{}, fmt.Errorf("dkim: make Ed25519 key: %w", err)
		}
		return PrivateKey{key}, nil
	}
	return PrivateKey{}, fmt.Errorf("dkim: there is no algorithm %q", a)
}

// ParsePrivateKey reads a key in PKCS #8 (RFC 5958), as DER or as PEM; PEM may
// hold an RSA key in PKCS #1, too, as OpenDKIM makes them.
func ParsePrivateKey(data []byte) (PrivateKey, error) {
	parse := x509.ParsePKCS8PrivateKey
	if block, _ := pem.Decode(data); block != nil {
		data = block.Bytes
		if block.Type == "RSA PRIVATE KEY" {
			parse = func(der []byte) (any, error) { return x509.ParsePKCS1PrivateKey(der) }
		}
	}
	key, err := parse(data)
	if err != nil {
		return PrivateKey{}, fmt.Errorf("dkim: read private key: %w", err)
	}
	switch key := key.(type) {
	case *rsa.PrivateKey:
		if key.N.BitLen() < minRSABits {
			return PrivateKey{}, fmt.Errorf("dkim: RSA key of %d bits is shorter than %d", key.N.BitLen(), minRSABits)
		}
		return PrivateKey{key}, nil
	case ed25519.PrivateKey:
		return PrivateKey{key}, nil
	}
	return PrivateKey{}, errors.New("dkim: private key is neither RSA nor Ed25519")
}

// DER returns the key in PKCS #8. It is as secret as the key.
func (k PrivateKey) DER() []byte {
	der, err := x509.MarshalPKCS8PrivateKey(k.signer)
	if err != nil {
		panic(err) // both kinds of keys can be written
	}
	return der
}

// Algorithm returns the kind of the key.
func (k PrivateKey) Algorithm() Algorithm {
	if _, ok := k.signer.(*rsa.PrivateKey); ok {
		return RSA
	}
	return Ed25519
}

// hash is what the signature is told it is made of. With Ed25519 the hash is
// signed as if it were the message (RFC 8463, section 3).
func (k PrivateKey) hash() crypto.Hash {
	if k.Algorithm() == Ed25519 {
		return 0
	}
	return crypto.SHA256
}

// Public returns the public half as it stands in a DNS record: an RSA key with
// the name of its algorithm around it (RFC 6376, appendix C), an Ed25519 key
// bare (RFC 8463, section 4.2), in base64.
func (k PrivateKey) Public() string {
	public := k.signer.Public()
	if bare, ok := public.(ed25519.PublicKey); ok {
		return base64.StdEncoding.EncodeToString(bare)
	}
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		panic(err) // an RSA key can be written
	}
	return base64.StdEncoding.EncodeToString(der)
}

// RecordName is where in DNS a verifier looks for a key (RFC 6376, section
// 3.6.2.1).
func RecordName(domain, selector string) string { return selector + "._domainkey." + domain }

// Record is the TXT record that publishes the public half of a key (RFC 6376,
// section 3.6.1). It allows SHA-256 only, so that nobody can pass off a
// signature with the broken SHA-1 (RFC 8301, section 3.1).
func Record(a Algorithm, public string) string {
	return "v=DKIM1; h=sha256; k=" + string(a) + "; p=" + public
}

// maxString is the longest string in a TXT record (RFC 1035, section 3.3.14). A
// verifier joins several without anything between them (RFC 6376, section
// 3.6.2.2).
const maxString = 255

// ZoneText is a TXT record as it is written into a zone file (RFC 1035, section
// 5.1): in quotes, and in several strings when it is too long for one.
func ZoneText(record string) string {
	if len(record) <= maxString {
		return `"` + record + `"`
	}
	var text strings.Builder
	for record != "" {
		size := min(len(record), maxString)
		text.WriteString(` "` + record[:size] + `"`)
		record = record[size:]
	}
	return "(" + text.String() + " )"
}
