package dkim

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-msgauth/dkim"
	"pgregory.net/rapid"
)

var update = flag.Bool("update", false, "write the golden file in testdata")

const message = "From: =?utf-8?B?0JLQtdGB0YLQvdC40Lo=?= <news@example.com>\r\n" +
	"To: anna@example.org\r\nSubject: A subject that is so long that it had to be folded onto a second\r\n line\r\n" +
	"Date: Tue, 03 Nov 2026 07:05:09 +0300\r\nMessage-ID: <42.7@example.com>\r\n" +
	"List-Unsubscribe:\r\n <https://news.example.com/u/abc>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" +
	"X-Other: is not signed\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n" +
	"Hello,\tAnna! \r\n\r\nBye.\r\n\r\n"

var at = time.Date(2026, 11, 3, 7, 5, 9, 0, time.FixedZone("MSK", 3*60*60))

// world is a domain with keys, and the DNS that has their records.
type world struct {
	*Signer
	records map[string]string
}

func newWorld(t testing.TB, domain string, keys ...Key) world {
	t.Helper()
	signer, err := NewSigner(domain, keys...)
	if err != nil {
		t.Fatal(err)
	}
	w := world{signer, map[string]string{}}
	for _, k := range keys {
		w.records[RecordName(domain, k.Selector)] = Record(k.Private.Algorithm(), k.Private.Public())
	}
	return w
}

// both is a world of example.com with the keys of RFC 8463.
func both(t *testing.T) world {
	t.Helper()
	rsaKey, err := ParsePrivateKey([]byte(rfcRSAKey))
	if err != nil {
		t.Fatal(err)
	}
	return newWorld(t, "example.com", Key{"brisbane", rfcEd25519Key(t)}, Key{"test", rsaKey})
}

type failer interface {
	Helper()
	Fatal(...any)
}

// signed is the message with its signatures.
func (w world) signed(t failer, text string, opening *Opening) string {
	t.Helper()
	fields, err := w.Sign(nil, []byte(text), opening, at)
	if err != nil {
		t.Fatal(err)
	}
	return string(fields) + text
}

// faults are what the verifier of go-msgauth has against each signature.
func (w world) faults(t failer, text string) []error {
	t.Helper()
	found, err := dkim.VerifyWithOptions(strings.NewReader(text), &dkim.VerifyOptions{
		LookupTXT: func(name string) ([]string, error) {
			if record, ok := w.records[name]; ok {
				return []string{record}, nil
			}
			return nil, errors.New("no such name: " + name)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	faults := make([]error, len(found))
	for i, v := range found {
		faults[i] = v.Err
	}
	return faults
}

func TestSignaturesAreAsBefore(t *testing.T) {
	got := both(t).signed(t, message, nil)
	const path = "testdata/signed.eml"
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("differs from %s (go test -update writes it):\n%s", path, got)
	}
}

func TestSignatures(t *testing.T) {
	w := both(t)
	text := w.signed(t, message, nil)
	header, _, _ := strings.Cut(text, "From: ")
	t.Run("two keys give two signatures, which another program verifies", func(t *testing.T) {
		faults := w.faults(t, text)
		if len(faults) != 2 || errors.Join(faults...) != nil {
			t.Errorf("it has %d, with the faults %v", len(faults), faults)
		}
	})
	t.Run("lines are at most 78 characters long", func(t *testing.T) {
		for _, line := range strings.Split(header, "\r\n") {
			if len(line) > 78 {
				t.Errorf("%q has %d", line, len(line))
			}
		}
	})
	t.Run("there are no tags for the length, an end or an identity", func(t *testing.T) {
		for _, tag := range []string{" l=", " x=", " i="} {
			if strings.Contains(header, tag) {
				t.Errorf("there is%s", tag)
			}
		}
	})
	t.Run("what stands before it stays", func(t *testing.T) {
		got, err := w.Sign([]byte("before"), []byte(message), nil, at)
		if err != nil || string(got) != "before"+header {
			t.Errorf("it gives %q, %v", got, err)
		}
	})
	t.Run("a message without a time has none in its signature", func(t *testing.T) {
		got, err := w.Sign(nil, []byte(message), nil, time.Time{})
		if err != nil || strings.Contains(string(got), "t=") || errors.Join(w.faults(t, string(got)+message)...) != nil {
			t.Errorf("it gives %q, %v", got, err)
		}
	})
	t.Run("a domain without keys adds nothing", func(t *testing.T) {
		if got := newWorld(t, "example.com").signed(t, message, nil); got != message {
			t.Errorf("it adds something: %s", got)
		}
	})
}

func TestASignatureEndsWithAnyChange(t *testing.T) {
	w := both(t)
	text := w.signed(t, message, nil)
	for name, change := range map[string][2]string{
		"a letter of the body":                 {"Bye", "Bya"},
		"a letter of the subject":              {"A subject", "a subject"},
		"a letter of a field that is not ours": {"charset=utf-8", "charset=utf-7"},
		"a second From on top":                 {"\r\nFrom: ", "\r\nFrom: evil@example.net\r\nFrom: "},
		"a second Subject below":               {"MIME-Version: 1.0", "Subject: Win\r\nMIME-Version: 1.0"},
		"a second To":                          {"MIME-Version: 1.0", "To: Win\r\nMIME-Version: 1.0"},
		"a second Date":                        {"MIME-Version: 1.0", "Date: Win\r\nMIME-Version: 1.0"},
		"a second List-Unsubscribe":            {"MIME-Version: 1.0", "List-Unsubscribe: <https://evil.example>\r\nMIME-Version: 1.0"},
		"a second List-Unsubscribe-Post":       {"MIME-Version: 1.0", "List-Unsubscribe-Post: x\r\nMIME-Version: 1.0"},
		"another address to unsubscribe at":    {"/u/abc", "/u/abd"},
		"another time of the signature":        {" t=1", " t=2"},
	} {
		t.Run(name, func(t *testing.T) {
			changed := strings.ReplaceAll(text, change[0], change[1])
			if changed == text {
				t.Fatal("nothing is changed")
			}
			for i, fault := range w.faults(t, changed) {
				if fault == nil {
					t.Errorf("signature %d still holds", i)
				}
			}
		})
	}
	t.Run("but not with what servers do to a message on the way", func(t *testing.T) {
		bent := strings.Replace("Received: from us by them\r\n"+text, "To: anna", "to:  anna", 1)
		bent = strings.Replace(bent, "Bye.\r\n\r\n", "Bye. \r\n", 1)
		if faults := w.faults(t, bent); errors.Join(faults...) != nil {
			t.Errorf("the faults are %v", faults)
		}
	})
}

func TestFieldsMayComeSeveralTimes(t *testing.T) {
	w := both(t)
	text := w.signed(t, "From: a@example.com\r\nReply-To: b@example.com\r\nFROM : c@example.com\r\nreply-to: d@example.com\r\n\r\nx\r\n", nil)
	if faults := w.faults(t, text); len(faults) != 2 || errors.Join(faults...) != nil {
		t.Errorf("the faults are %v", faults)
	}
	if !strings.Contains(text, "h=From:From:From:To:") || !strings.Contains(text, "Reply-To:Reply-To;") {
		t.Errorf("the field is\n%s", text)
	}
}

func TestNamesThatAreRefused(t *testing.T) {
	key := rfcEd25519Key(t)
	for _, name := range []string{"", ".", "a..b", "a b", "a;b", "почта.рф", "Example.com", "-a.b", "a\r\nb", strings.Repeat("a", 64), strings.Repeat("a.", 120) + "example.com"} {
		if _, err := NewSigner(name, Key{"s", key}); err == nil {
			t.Errorf("the domain %q is possible", name)
		}
		if _, err := NewSigner("example.com", Key{name, key}); err == nil {
			t.Errorf("the selector %q is possible", name)
		}
	}
}

// checkAnyMessage checks that what is signed is verified by others, with an
// opening and without.
func checkAnyMessage(t failer, w world, header, body string) {
	t.Helper()
	text := header + "\r\n" + body
	plain := w.signed(t, text, nil)
	if faults := w.faults(t, plain); len(faults) != 2 || errors.Join(faults...) != nil {
		t.Fatal("the faults are", faults, "of", plain)
	}
	if w.signed(t, text, NewOpening([]byte(body[:len(body)/2]))) != plain {
		t.Fatal("the signature differs with an opening of", text)
	}
}

func TestAnyMessageIsVerifiedByAnotherProgram(t *testing.T) {
	w := both(t)
	value := rapid.SampledFrom([]string{"x", " ", "\t", "  ", "\r\n y", "\r\n\t z", ":", "é", "=?utf-8?Q?a?="})
	fieldName := rapid.SampledFrom([]string{"Subject", "to", "DATE", "List-ID", "X-Any", "Content-Type", "Reply-To", "Message-ID"})
	rapid.Check(t, func(t *rapid.T) {
		header := "From: a@example.com\r\n"
		for _, name := range rapid.SliceOfN(fieldName, 0, 8).Draw(t, "names") {
			header += name + ": " + strings.Join(rapid.SliceOfN(value, 0, 5).Draw(t, "value"), "") + "x\r\n"
		}
		checkAnyMessage(t, w, header, lines().Draw(t, "body")+"\r\n")
	})
}

func FuzzSign(f *testing.F) {
	f.Add("Subject: x", "Hello \r\n\r\n")
	f.Add("to :\r\n y", "\r\n \t\r\n")
	signer, err := NewSigner("example.com")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, header, body string) { // whatever it is, nothing breaks
		if _, err := signer.Sign(nil, []byte(header+"\r\n\r\n"+body), NewOpening([]byte(body)), at); err != nil {
			t.Error(err)
		}
		opened := hashBody(&kept{}, nil, []byte(body), nil)
		if again := hashBody(&kept{}, nil, opened, nil); !bytes.Equal(opened, again) {
			t.Errorf("%q becomes %q and then %q", body, opened, again)
		}
	})
}

// BenchmarkSign signs a message of 4 KB that nothing is known of in advance.
func BenchmarkSign(b *testing.B) {
	header, _, _ := strings.Cut(message, "Hello")
	text := []byte(header + strings.Repeat("Lorem ipsum dolor sit amet, consectetur adipiscing elit.\r\n", 60))
	_, body := split(text)
	for name, w := range map[string]world{
		"hash only": newWorld(b, "example.com"),
		"ed25519":   newWorld(b, "example.com", Key{"e", newKey(b, Ed25519)}),
		"rsa":       newWorld(b, "example.com", Key{"r", newKey(b, RSA)}),
	} {
		for opened, opening := range map[string]*Opening{"": nil, ", same body": NewOpening(body)} {
			b.Run(name+opened, func(b *testing.B) {
				b.ReportAllocs()
				var out []byte
				for b.Loop() {
					var err error
					if out, err = w.Sign(out[:0], text, opening, at); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
