package auth

import (
	"bytes"
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"vestnik/internal/mailing"
)

func rawStd(raw []byte) string { return base64.RawStdEncoding.EncodeToString(raw) }

var (
	testSecret = []byte("an installation's secret, 32 bytes or more")
	noon       = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
)

func TestKeys(t *testing.T) {
	keys, others := NewKeys(testSecret), NewKeys([]byte(strings.Repeat("x", 32)))
	t.Run("a purpose has always the same key", func(t *testing.T) {
		if keys.Key("unsubscribe") != NewKeys(testSecret).Key("unsubscribe") {
			t.Error("it has two")
		}
	})
	t.Run("another purpose or secret has another key", func(t *testing.T) {
		if keys.Key("unsubscribe") == keys.Key("click") || keys.Key("click") == others.Key("click") {
			t.Error("they share one")
		}
	})
	t.Run("where a part ends counts", func(t *testing.T) {
		whole := keys.MAC("x", []byte("ab"), []byte("c"))
		if whole == keys.MAC("x", []byte("a"), []byte("bc")) || whole == keys.MAC("x", []byte("abc")) {
			t.Error("it does not")
		}
		if whole != keys.MAC("x", []byte("ab"), []byte("c")) || whole == keys.MAC("y", []byte("ab"), []byte("c")) {
			t.Error("the same differs, or two purposes agree")
		}
	})
	t.Run("a short secret is a programmer's mistake", func(t *testing.T) {
		defer func() {
			if recover() == nil {
				t.Error("it was taken")
			}
		}()
		NewKeys(make([]byte, MinSecret-1))
	})
}

func TestTokens(t *testing.T) {
	t.Run("a token is 43 characters that need no escaping in a URL", func(t *testing.T) {
		token := NewToken()
		if len(token) != 43 || strings.Trim(token, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			t.Errorf("token = %q", token)
		}
		if token == NewToken() {
			t.Error("two are the same")
		}
	})
	t.Run("the stored hash of a token is its SHA-256", func(t *testing.T) {
		// The example of FIPS 180-2, appendix B.1.
		if got := HashToken("abc"); got != "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" {
			t.Errorf("hash = %s", got)
		}
	})
}

func TestCodes(t *testing.T) {
	keys := NewKeys(testSecret)
	t.Run("a code has six digits and each digit comes up in each place", func(t *testing.T) {
		var seen [codeDigits][10]bool
		// A digit is missing somewhere after 1,000 codes with a chance of 10^-44.
		for range 1000 {
			code := NewCode()
			if len(code) != codeDigits || strings.Trim(code, "0123456789") != "" {
				t.Fatalf("code = %q", code)
			}
			for place, digit := range code {
				seen[place][digit-'0'] = true
			}
		}
		for place := range seen {
			for digit, came := range seen[place] {
				if !came {
					t.Errorf("%d never came in place %d", digit, place)
				}
			}
		}
	})
	stored := keys.HashCode("confirm", 7, "012345")
	cases := []struct {
		name, purpose string
		account       int64
		typed         string
		want          bool
	}{
		{"the right code matches", "confirm", 7, "012345", true},
		{"spaces in a code do not count", "confirm", 7, " 012 345\u00a0", true},
		{"a leading zero counts", "confirm", 7, "12345", false},
		{"another code does not match", "confirm", 7, "012346", false},
		{"a code is good for one account", "confirm", 8, "012345", false},
		{"a code is good for one purpose", "reset", 7, "012345", false},
		{"nothing typed does not match", "confirm", 7, "", false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := keys.CodeMatches(stored, c.purpose, c.account, c.typed); got != c.want {
				t.Errorf("got %v", got)
			}
		})
	}
	t.Run("no code matches when none is stored", func(t *testing.T) {
		if keys.CodeMatches("", "confirm", 7, "") {
			t.Error("one did")
		}
	})
	t.Run("another installation cannot check the code", func(t *testing.T) {
		if NewKeys([]byte(strings.Repeat("x", 32))).CodeMatches(stored, "confirm", 7, "012345") {
			t.Error("it can")
		}
	})
}

func TestSignedLinks(t *testing.T) {
	keys := NewKeys(testSecret)
	payload := []byte("delivery 42")
	token := keys.Sign("unsubscribe", payload, noon)
	code := func(purpose, token string, now time.Time) string {
		got, err := keys.Verify(purpose, token, now)
		if err == nil && !bytes.Equal(got, payload) {
			t.Errorf("payload = %q", got)
		}
		if err != nil && got != nil {
			t.Errorf("payload %q comes with %v", got, err)
		}
		return mailing.CodeOf(err)
	}
	cases := []struct {
		name, purpose, token string
		now                  time.Time
		want                 string
	}{
		{"a link opens until its expiry", "unsubscribe", token, noon.Add(-time.Second), ""},
		{"a link has expired at its expiry", "unsubscribe", token, noon, "link_expired"},
		{"a link without expiry opens for ever", "unsubscribe", keys.Sign("unsubscribe", payload, time.Time{}), noon.AddDate(100, 0, 0), ""},
		{"an expiry before 1970 is not taken for none", "unsubscribe", keys.Sign("unsubscribe", payload, time.Unix(-5, 0)), noon, "link_expired"},
		{"a link is good for one purpose", "click", token, noon.Add(-time.Second), "link_invalid"},
		{"nothing is no link", "unsubscribe", "", noon, "link_invalid"},
		{"a cut link is no link", "unsubscribe", token[:len(token)-1], noon, "link_invalid"},
		{"a link with a tail is no link", "unsubscribe", token + "A", noon, "link_invalid"},
		{"a huge link is no link", "unsubscribe", strings.Repeat("A", mostToken+1), noon, "link_invalid"},
		{"padding is no link", "unsubscribe", token + "=", noon, "link_invalid"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := code(c.purpose, c.token, c.now); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
	t.Run("no letter of a link can be changed", func(t *testing.T) {
		for i := range token {
			for _, letter := range "Aq-_" {
				changed := token[:i] + string(letter) + token[i+1:]
				if changed != token && code("unsubscribe", changed, noon.Add(-time.Hour)) != "link_invalid" {
					t.Fatalf("letter %d can", i)
				}
			}
		}
	})
	t.Run("a link to a delivery is short", func(t *testing.T) {
		if short := keys.Sign("click", make([]byte, 12), time.Time{}); len(short) > 40 {
			t.Errorf("%d characters", len(short))
		}
	})
	t.Run("whatever is signed comes back", func(t *testing.T) {
		rapid.Check(t, func(t *rapid.T) {
			want := rapid.SliceOfN(rapid.Byte(), 0, 200).Draw(t, "payload")
			expires := time.Unix(rapid.Int64Range(1, 1<<40).Draw(t, "expires"), 0)
			got, err := keys.Verify("p", keys.Sign("p", want, expires), expires.Add(-time.Second))
			if err != nil || !bytes.Equal(got, want) {
				t.Fatalf("got %q, %v", got, err)
			}
		})
	})
}

func TestSealedTexts(t *testing.T) {
	keys := NewKeys(testSecret)
	plain := []byte("пароль от сервера")
	sealed := keys.Seal("smtp password", "relay 7", plain)
	t.Run("what was sealed can be opened", func(t *testing.T) {
		if got, err := keys.Open("smtp password", "relay 7", sealed); err != nil || !bytes.Equal(got, plain) {
			t.Errorf("got %q, %v", got, err)
		}
	})
	t.Run("nothing can be sealed too", func(t *testing.T) {
		if got, err := keys.Open("p", "", keys.Seal("p", "", nil)); err != nil || len(got) != 0 {
			t.Errorf("got %q, %v", got, err)
		}
	})
	t.Run("the same text never seals to the same", func(t *testing.T) {
		if again := keys.Seal("smtp password", "relay 7", plain); again == sealed || strings.Contains(again, string(plain)) {
			t.Errorf("got %s", again)
		}
	})
	refused := map[string]struct{ purpose, about, sealed string }{
		"a seal moved to another row":     {"smtp password", "relay 8", sealed},
		"a seal used for another purpose": {"variables", "relay 7", sealed},
		"a seal without its prefix":       {"smtp password", "relay 7", strings.TrimPrefix(sealed, "v1:")},
		"a seal of a format to come":      {"smtp password", "relay 7", "v2:" + strings.TrimPrefix(sealed, "v1:")},
		"a cut seal":                      {"smtp password", "relay 7", sealed[:20]},
		"an empty seal":                   {"smtp password", "relay 7", "v1:"},
		"a plain text":                    {"smtp password", "relay 7", "hunter2"},
	}
	for name, c := range refused {
		t.Run(name+" stays shut", func(t *testing.T) {
			if got, err := keys.Open(c.purpose, c.about, c.sealed); !errors.Is(err, ErrSealed) || got != nil {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
	t.Run("no letter of a seal can be changed", func(t *testing.T) {
		for i := len(sealPrefix); i < len(sealed); i++ {
			changed := sealed[:i] + "A" + sealed[i+1:]
			if _, err := keys.Open("smtp password", "relay 7", changed); changed != sealed && err == nil {
				t.Fatalf("letter %d can", i)
			}
		}
	})
	t.Run("another installation cannot open it", func(t *testing.T) {
		if _, err := NewKeys([]byte(strings.Repeat("x", 32))).Open("smtp password", "relay 7", sealed); !errors.Is(err, ErrSealed) {
			t.Errorf("got %v", err)
		}
	})
}

func FuzzVerify(f *testing.F) {
	keys := NewKeys(testSecret)
	token := keys.Sign("p", []byte("payload"), noon)
	f.Add(token)
	f.Add(token[1:])
	f.Add("AQAA")
	f.Fuzz(func(t *testing.T, candidate string) {
		_, err := keys.Verify("p", candidate, noon.Add(-time.Hour))
		if (err == nil) != (candidate == token) {
			t.Errorf("Verify(%q): %v", candidate, err)
		}
	})
}

func BenchmarkSign(b *testing.B) {
	keys, payload := NewKeys(testSecret), make([]byte, 12)
	for b.Loop() {
		keys.Sign("click", payload, time.Time{})
	}
}

func BenchmarkSeal(b *testing.B) {
	keys, plain := NewKeys(testSecret), make([]byte, 100)
	for b.Loop() {
		keys.Seal("variables", "delivery 7", plain)
	}
}
