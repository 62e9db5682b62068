package dkim

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"testing"
)

// The example of RFC 8463, appendix A: two keys, and a message signed with both.
const (
	rfcEd25519Seed = "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A="
	rfcRSAKey      = `-----BEGIN RSA PRIVATE KEY-----
MIICXQIBAAKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQi
Y/J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqM
KrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB
AoGAH0cxOhFZDgzXWhDhnAJDw5s4roOXN4OhjiXa8W7Y3rhX3FJqmJSPuC8N9vQm
6SVbaLAE4SG5mLMueHlh4KXffEpuLEiNp9Ss3O4YfLiQpbRqE7Tm5SxKjvvQoZZe
zHorimOaChRL2it47iuWxzxSiRMv4c+j70GiWdxXnxe4UoECQQDzJB/0U58W7RZy
6enGVj2kWF732CoWFZWzi1FicudrBFoy63QwcowpoCazKtvZGMNlPWnC7x/6o8Gc
uSe0ga2xAkEA8C7PipPm1/1fTRQvj1o/dDmZp243044ZNyxjg+/OPN0oWCbXIGxy
WvmZbXriOWoSALJTjExEgraHEgnXssuk7QJBALl5ICsYMu6hMxO73gnfNayNgPxd
WFV6Z7ULnKyV7HSVYF0hgYOHjeYe9gaMtiJYoo0zGN+L3AAtNP9huqkWlzECQE1a
licIeVlo1e+qJ6Mgqr0Q7Aa7falZ448ccbSFYEPD6oFxiOl9Y9se9iYHZKKfIcst
o7DUw1/hz2Ck4N5JrgUCQQCyKveNvjzkkd8HjYs0SwM0fPjK16//5qDZ2UiDGnOe
uEzxBDAr518Z8VFbR41in3W4Y3yCDgQlLlcETrS+zYcL
-----END RSA PRIVATE KEY-----`
	rfcBodyHash = "2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8="
	rfcBody     = "Hi.\n\nWe lost the game.  Are you hungry yet?\n\nJoe.\n"
)

// rfcFields are the fields in the order of the h= tag, those that are signed once
// more than they are there left out.
var rfcFields = []string{
	"From: Joe SixPack <joe@football.example.com>\r\n", "To: Suzie Q <suzie@shopping.example.net>\r\n",
	"Subject: Is dinner ready?\r\n", "Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\n",
	"Message-ID: <20030712040037.46341.5F8J@football.example.com>\r\n",
}

func rfcEd25519Key(t *testing.T) PrivateKey {
	t.Helper()
	seed, err := base64.StdEncoding.DecodeString(rfcEd25519Seed)
	if err != nil {
		t.Fatal(err)
	}
	return PrivateKey{ed25519.NewKeyFromSeed(seed)}
}

func TestTheExampleOfRFC8463(t *testing.T) {
	rsaKey, err := ParsePrivateKey([]byte(rfcRSAKey))
	if err != nil {
		t.Fatal(err)
	}
	t.Run("has the hash of the body", func(t *testing.T) {
		sum := hashBody(sha256.New(), nil, []byte(strings.ReplaceAll(rfcBody, "\n", "\r\n")), nil)
		if got := base64.StdEncoding.EncodeToString(sum); got != rfcBodyHash {
			t.Errorf("it is %s", got)
		}
	})
	t.Run("has the public keys", func(t *testing.T) {
		if got := rfcEd25519Key(t).Public(); got != "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=" {
			t.Errorf("the Ed25519 key is %s", got)
		}
		want := "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/b" +
			"yYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB"
		if got := rsaKey.Public(); got != want {
			t.Errorf("the RSA key is %s", got)
		}
	})
	for _, c := range []struct {
		key                        PrivateKey
		algorithm, selector, value string
	}{
		{
			rfcEd25519Key(t), "ed25519-sha256", "brisbane",
			"/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11BusFa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==",
		},
		{
			rsaKey, "rsa-sha256", "test",
			"F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3DhCVlUrSjV4BwcVcOF6+FF3Zo9Rpo1tFOeS9mPYQTnGdaSGsgeefOsk2Jz" +
				"dA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8=",
		},
	} {
		t.Run("has the "+c.algorithm+" signature", func(t *testing.T) {
			if got := rfcSignature(t, c.key, c.algorithm, c.selector); got != c.value {
				t.Errorf("it is %s", got)
			}
		})
	}
}

// rfcSignature signs the example as its field says, which has another order of
// tags than ours.
func rfcSignature(t *testing.T, key PrivateKey, algorithm, selector string) string {
	t.Helper()
	var text []byte
	for _, field := range rfcFields {
		text = appendRelaxedField(text, []byte(field))
	}
	own := "DKIM-Signature: v=1; a=" + algorithm + "; c=relaxed/relaxed;\r\n d=football.example.com; i=@football.example.com;\r\n" +
		" q=dns/txt; s=" + selector + "; t=1528637909; h=from : to :\r\n subject : date : message-id : from : subject : date;\r\n" +
		" bh=" + rfcBodyHash + ";\r\n b=\r\n"
	text = appendRelaxedField(text, []byte(own))
	sum := sha256.Sum256(text[:len(text)-2])
	signature, err := key.signer.Sign(nil, sum[:], key.hash())
	if err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(signature)
}
