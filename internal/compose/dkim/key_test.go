package dkim

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"strings"
	"testing"
)

func newKey(t testing.TB, a Algorithm) PrivateKey {
	t.Helper()
	key, err := NewPrivateKey(a)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestKeys(t *testing.T) {
	for _, a := range []Algorithm{RSA, Ed25519} {
		t.Run("an "+string(a)+" key is the same after it was written and read", func(t *testing.T) {
			key := newKey(t, a)
			if key.Algorithm() != a {
				t.Errorf("it is %s", key.Algorithm())
			}
			text := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key.DER()})
			for _, data := range [][]byte{key.DER(), text} {
				read, err := ParsePrivateKey(data)
				if err != nil || read.Public() != key.Public() || read.Algorithm() != a {
					t.Errorf("it reads as %v, %v", read.Algorithm(), err)
				}
			}
		})
	}
	t.Run("keys that are made have 2048 bits", func(t *testing.T) {
		if bits := newKey(t, RSA).signer.(*rsa.PrivateKey).N.BitLen(); bits != 2048 {
			t.Errorf("they have %d", bits)
		}
	})
	t.Run("an RSA key as OpenDKIM makes it is read", func(t *testing.T) {
		key := newKey(t, RSA)
		der := x509.MarshalPKCS1PrivateKey(key.signer.(*rsa.PrivateKey))
		read, err := ParsePrivateKey(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: der}))
		if err != nil || read.Public() != key.Public() {
			t.Errorf("it is not: %v", err)
		}
	})
	t.Run("there is no third algorithm", func(t *testing.T) {
		if _, err := NewPrivateKey("dsa"); err == nil {
			t.Error("there is")
		}
	})
}

func TestKeysThatAreRefused(t *testing.T) {
	t.Setenv("GODEBUG", "rsa1024min=0")
	short, err := rsa.GenerateKey(rand.Reader, 512)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(short)
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{
		"an RSA key below 1024 bits": der, "no key at all": []byte("key"), "nothing": nil,
	} {
		t.Run(name, func(t *testing.T) {
			if key, err := ParsePrivateKey(data); err == nil {
				t.Errorf("it is read as %s", key.Algorithm())
			}
		})
	}
}

func TestRecords(t *testing.T) {
	t.Run("a record says what verifiers need", func(t *testing.T) {
		if got := Record(Ed25519, "MCow"); got != "v=DKIM1; h=sha256; k=ed25519; p=MCow" {
			t.Errorf("it is %q", got)
		}
		if got := RecordName("example.com", "s1"); got != "s1._domainkey.example.com" {
			t.Errorf("its name is %q", got)
		}
	})
	t.Run("a short record is one string of a zone file", func(t *testing.T) {
		if got := ZoneText("v=DKIM1"); got != `"v=DKIM1"` {
			t.Errorf("it is %s", got)
		}
	})
	t.Run("a long one is several, none longer than 255", func(t *testing.T) {
		record := Record(RSA, newKey(t, RSA).Public())
		text := ZoneText(record)
		inner, ok := strings.CutPrefix(text, `( "`)
		inner, closed := strings.CutSuffix(inner, `" )`)
		parts := strings.Split(inner, `" "`)
		if !ok || !closed || len(parts) != 2 || strings.Join(parts, "") != record {
			t.Fatalf("it is %s", text)
		}
		for _, part := range parts {
			if len(part) > 255 {
				t.Errorf("a string has %d octets", len(part))
			}
		}
	})
}
