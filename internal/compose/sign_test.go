package compose

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	msgauth "github.com/emersion/go-msgauth/dkim"

	"vestnik/internal/compose/dkim"
	"vestnik/internal/mailing"
)

// signingWorld is a domain with two keys, and the DNS records that go with them.
type signingWorld struct {
	signer  *dkim.Signer
	records map[string]string
}

func newSigningWorld(t testing.TB, algorithms ...dkim.Algorithm) signingWorld {
	t.Helper()
	const domain = "example.com"
	w := signingWorld{records: map[string]string{}}
	var keys []dkim.Key
	for _, a := range algorithms {
		private, err := dkim.NewPrivateKey(a)
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, dkim.Key{Selector: string(a), Private: private})
		w.records[dkim.RecordName(domain, string(a))] = dkim.Record(a, private.Public())
	}
	var err error
	if w.signer, err = dkim.NewSigner(domain, keys...); err != nil {
		t.Fatal(err)
	}
	return w
}

// check fails unless both signatures of the message hold.
func (w signingWorld) check(t testing.TB, data []byte) {
	t.Helper()
	found, err := msgauth.VerifyWithOptions(bytes.NewReader(data), &msgauth.VerifyOptions{
		LookupTXT: func(name string) ([]string, error) { return []string{w.records[name]}, nil },
	})
	if err != nil || len(found) != len(w.records) {
		t.Fatalf("%d signatures, %v, of\n%s", len(found), err, data)
	}
	for _, v := range found {
		if v.Err != nil {
			t.Fatalf("%v in\n%s", v.Err, data)
		}
	}
}

// someLetters are texts of all kinds, the same ones every time.
func someLetters(count int) []Source {
	chance := rand.New(rand.NewPCG(6376, 8463))
	pieces := []string{
		"Здравствуйте, {{ first_name }}! ", "Plain words. ", "  two  spaces  ", "\t", "\n", "\n\n", "\n.\n", "🎉👩‍👩‍👧 ", "שלום مرحبا ",
		"{% for i in items %}{{ i }} {% endfor %}", "{{ comment }}", "=", strings.Repeat("x", 120), " \n", "<b>bold</b> ", "**bold** ", "From me\n",
	}
	formats := []mailing.Format{mailing.FormatText, mailing.FormatMarkdown, mailing.FormatHTML}
	draw := func(n int) string {
		var text strings.Builder
		for range 1 + chance.IntN(n) {
			text.WriteString(pieces[chance.IntN(len(pieces))])
		}
		return text.String()
	}
	letters := make([]Source, count)
	for i := range letters {
		subject := strings.NewReplacer("\n", "", "\t", "").Replace(draw(2))
		letters[i] = someSource(formats[i%len(formats)], "Тема "+subject, "Text "+draw(40))
	}
	return letters
}

func (w signingWorld) render(t testing.TB, s Source) (signed, unsigned []byte) {
	t.Helper()
	unsigned = []byte(mustRender(t, mustCompile(t, s), someRecipient()))
	s.Signer = w.signer
	return []byte(mustRender(t, mustCompile(t, s), someRecipient())), unsigned
}

func TestSignedMessages(t *testing.T) {
	w := newSigningWorld(t, dkim.Ed25519, dkim.RSA)
	t.Run("a signature stands in front and changes nothing else", func(t *testing.T) {
		for _, s := range goldenSources {
			signed, unsigned := w.render(t, s)
			if !bytes.HasPrefix(signed, []byte("DKIM-Signature: v=1;")) || !bytes.HasSuffix(signed, unsigned) {
				t.Errorf("the message is\n%s", signed)
			}
			checkWire(t, signed)
			w.check(t, signed)
		}
	})
	t.Run("messages of all kinds are verified by another program", func(t *testing.T) {
		for _, s := range someLetters(40) {
			signed, _ := w.render(t, s)
			w.check(t, signed)
		}
	})
	t.Run("the same inputs give the same bytes", func(t *testing.T) {
		s := goldenSources["html"]
		first, _ := w.render(t, s)
		if second, _ := w.render(t, s); !bytes.Equal(first, second) {
			t.Error("two renderings differ")
		}
	})
	t.Run("it is appended to what was there", func(t *testing.T) {
		s := goldenSources["text"]
		s.Signer = w.signer
		tmpl := mustCompile(t, s)
		alone := mustRender(t, tmpl, someRecipient())
		after, err := tmpl.Render([]byte("before"), someRecipient())
		if err != nil || string(after) != "before"+alone {
			t.Errorf("Render appended something else: %v\n%s", err, after)
		}
	})
	t.Run("what a program added may be signed, too", func(t *testing.T) {
		s := goldenSources["text"]
		s.Signer = w.signer
		r := someRecipient()
		r.Headers = []Header{{"Auto-Submitted", "auto-generated"}, {"X-Note", "long " + strings.Repeat("words ", 40)}}
		w.check(t, []byte(mustRender(t, mustCompile(t, s), r)))
	})
}

// someVersion is a recipient of whom everything differs from someRecipient.
func someVersion() Recipient {
	return Recipient{
		Email: "boris@example.net", FirstName: "Boris", Comment: "tea", UnsubscribeURL: "https://example.com/u/2",
		MessageID: "43.8@example.com", Date: time.Date(2027, 1, 2, 3, 4, 5, 0, time.UTC),
		Vars: map[string]any{"mailing": map[string]any{"name": "Other"}, "items": []any{"x"}},
	}
}

func TestWhatBodiesHaveInCommonIsHashedOnce(t *testing.T) {
	plain := func(format mailing.Format, body string) Source {
		return Source{Subject: "s", Body: body, Format: format, From: Address{Email: "a@example.com"}}
	}
	bodyOf := func(s Source, r Recipient) string {
		_, body, _ := strings.Cut(mustRender(t, mustCompile(t, s), r), "\r\n\r\n")
		return body
	}
	t.Run("the beginning is that of every body", func(t *testing.T) {
		for _, s := range someLetters(200) {
			common := string(mustCompile(t, s).commonBody())
			for _, r := range []Recipient{someRecipient(), someVersion()} {
				if body := bodyOf(s, r); !strings.HasPrefix(body, common) {
					t.Fatalf("not so with\n%s\nof\n%s", common, body)
				}
			}
		}
	})
	for _, format := range []mailing.Format{mailing.FormatText, mailing.FormatMarkdown, mailing.FormatHTML} {
		t.Run("of a message without merge fields in "+string(format)+" it is all", func(t *testing.T) {
			s := plain(format, "Привет\n\nи пока\n")
			if common := string(mustCompile(t, s).commonBody()); common != bodyOf(s, someRecipient()) {
				t.Errorf("it is only %q", common)
			}
			s.Signer = newSigningWorld(t, dkim.Ed25519).signer
			if mustCompile(t, s).opening == nil {
				t.Error("but it is not hashed in advance")
			}
		})
		t.Run("in "+string(format)+" it goes up to the first merge field", func(t *testing.T) {
			s := plain(format, "one\n\n{{ comment }}two\n")
			common := string(mustCompile(t, s).commonBody())
			if !strings.Contains(common, "one") || strings.Contains(common, "two") {
				t.Errorf("it is %q", common)
			}
		})
	}
}

// BenchmarkRenderSigned renders and signs a message of 4 KB: with a body that
// differs from its first line on, and with one that is the same for all.
func BenchmarkRenderSigned(b *testing.B) {
	filler := strings.Repeat("Lorem ipsum dolor sit amet, consectetur adipiscing elit.\n", 60)
	for _, body := range []struct{ name, text string }{{"own body", "{{ first_name }}\n" + filler}, {"same body", filler}} {
		for _, with := range []struct {
			name       string
			algorithms []dkim.Algorithm
		}{
			{"unsigned", nil},
			{"ed25519", []dkim.Algorithm{dkim.Ed25519}},
			{"rsa", []dkim.Algorithm{dkim.RSA}},
			{"both", []dkim.Algorithm{dkim.Ed25519, dkim.RSA}},
		} {
			b.Run(body.name+"/"+with.name, func(b *testing.B) {
				s := Source{Subject: "Новости", Body: body.text, Format: mailing.FormatText, From: Address{Email: "a@example.com"}}
				if with.algorithms != nil {
					s.Signer = newSigningWorld(b, with.algorithms...).signer
				}
				renderAll(b, mustCompile(b, s))
			})
		}
	}
}

func renderAll(b *testing.B, tmpl *Template) {
	b.ReportAllocs()
	r := someRecipient()
	r.Email = "anna@example.com"
	var buffer []byte
	for b.Loop() {
		var err error
		if buffer, err = tmpl.Render(buffer[:0], r); err != nil {
			b.Fatal(err)
		}
	}
}
