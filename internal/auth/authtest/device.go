// Package authtest is a device with passkeys in software, for tests: it answers as a
// browser with a security key does (Web Authentication Level 3).
package authtest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"testing"
)

// Device holds one passkey. What is public may be changed to have it lie.
type Device struct {
	Origin   string // of the page that asks: "https://mail.example.org"
	Verifies bool   // it makes sure who holds it
	Count    uint32 // of its signatures; counted up by each

	id, handle []byte
	party      string
	key        *ecdsa.PrivateKey
}

// NewDevice is an empty device before a page of the site.
func NewDevice(origin string) *Device { return &Device{Origin: origin, Verifies: true} }

// Flags of what the device says (section 6.1).
const (
	userPresent  = 1 << 0
	userVerified = 1 << 2
	hasNewKey    = 1 << 6
)

var text = base64.RawURLEncoding

// Make answers options to make a passkey.
func (d *Device) Make(t testing.TB, options string) string {
	t.Helper()
	var o struct {
		Challenge string
		RP        struct{ ID string }
		User      struct{ ID string }
	}
	parse(t, options, &o)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	d.id = make([]byte, 16)
	rand.Read(d.id)
	d.key, d.party = key, o.RP.ID
	if d.handle, err = text.DecodeString(o.User.ID); err != nil {
		t.Fatal(err)
	}
	data := d.data(hasNewKey)
	data = append(data, make([]byte, 16)...) // whose make it is, is not told
	data = binary.BigEndian.AppendUint16(data, uint16(len(d.id)))
	data = append(append(data, d.id...), d.public(t)...)
	// CBOR: {"fmt": "none", "attStmt": {}, "authData": data}
	object := append([]byte("\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x59"), byte(len(data)>>8), byte(len(data)))
	return d.answer(t, map[string]any{
		"clientDataJSON":    text.EncodeToString(d.client("webauthn.create", o.Challenge)),
		"attestationObject": text.EncodeToString(append(object, data...)),
	})
}

// Prove answers options to prove that the passkey is there.
func (d *Device) Prove(t testing.TB, options string) string {
	t.Helper()
	var o struct{ Challenge string }
	parse(t, options, &o)
	d.Count++
	client, data := d.client("webauthn.get", o.Challenge), d.data(0)
	hash := sha256.Sum256(client)
	signed := sha256.Sum256(append(data, hash[:]...))
	signature, err := ecdsa.SignASN1(rand.Reader, d.key, signed[:])
	if err != nil {
		t.Fatal(err)
	}
	return d.answer(t, map[string]any{
		"clientDataJSON": text.EncodeToString(client), "authenticatorData": text.EncodeToString(data),
		"signature": text.EncodeToString(signature), "userHandle": text.EncodeToString(d.handle),
	})
}

func (d *Device) client(deed, challenge string) []byte {
	data, _ := json.Marshal(map[string]any{"type": deed, "challenge": challenge, "origin": d.Origin, "crossOrigin": false})
	return data
}

// data is what the device says and signs.
func (d *Device) data(flags byte) []byte {
	flags |= userPresent
	if d.Verifies {
		flags |= userVerified
	}
	party := sha256.Sum256([]byte(d.party))
	return binary.BigEndian.AppendUint32(append(party[:], flags), d.Count)
}

// public is the key in CBOR: {1: 2, 3: -7, -1: 1, -2: x, -3: y} (RFC 9053, section 7.1.1).
func (d *Device) public(t testing.TB) []byte {
	point, err := d.key.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	x, y := point[1:33], point[33:]
	out := append([]byte("\xa5\x01\x02\x03\x26\x20\x01\x21\x58\x20"), x...)
	return append(append(out, "\x22\x58\x20"...), y...)
}

func (d *Device) answer(t testing.TB, response map[string]any) string {
	id := text.EncodeToString(d.id)
	data, err := json.Marshal(map[string]any{
		"id": id, "rawId": id, "type": "public-key", "clientExtensionResults": map[string]any{}, "response": response,
	})
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func parse(t testing.TB, options string, into any) {
	t.Helper()
	if err := json.Unmarshal([]byte(options), into); err != nil {
		t.Fatalf("%s: %v", options, err)
	}
}
