package dkim

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// kept collects what is written instead of hashing it.
type kept struct{ bytes.Buffer }

func (k *kept) Sum(b []byte) []byte { return append(b, k.Bytes()...) }
func (k *kept) Size() int           { return k.Len() }
func (k *kept) BlockSize() int      { return 1 }

// relaxedBody is the text that is hashed for a body.
func relaxedBody(body string) string {
	return string(hashBody(&kept{}, nil, []byte(body), nil))
}

func TestRelaxedBody(t *testing.T) {
	cases := []struct{ name, body, want string }{
		{"the example of RFC 6376, section 3.4.5", " C \r\nD \t E\r\n\r\n\r\n", " C\r\nD E\r\n"},
		{"an empty body stays empty (section 3.4.4)", "", ""},
		{"a line end alone is empty", "\r\n", ""},
		{"empty lines with white space are empty", " \r\n\t\r\n  \r\n", ""},
		{"a line end is added where there is none", "C", "C\r\n"},
		{"white space without a line end is cut off, too", "C \t ", "C\r\n"},
		{"white space in front stays, as one space", "\t\t C\r\n", " C\r\n"},
		{"empty lines in the middle stay", "C\r\n \r\n\r\nD\r\n", "C\r\n\r\n\r\nD\r\n"},
		{"a tab is a space", "C\tD\r\n", "C D\r\n"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := relaxedBody(c.body); got != c.want {
				t.Errorf("%q becomes %q, want %q", c.body, got, c.want)
			}
		})
	}
	t.Run("the hash of no body is the one of RFC 6376, section 3.4.4", func(t *testing.T) {
		sum := hashBody(sha256.New(), nil, nil, nil)
		if got := base64.StdEncoding.EncodeToString(sum); got != "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=" {
			t.Errorf("it is %s", got)
		}
	})
}

func TestRelaxedField(t *testing.T) {
	cases := []struct{ name, field, want string }{
		{"the first of RFC 6376, section 3.4.5", "A: X\r\n", "a:X\r\n"},
		{"the second of RFC 6376, section 3.4.5", "B : Y\t\r\n\tZ  \r\n", "b:Y Z\r\n"},
		{"a value on lines of its own", "List-Unsubscribe:\r\n <https://example.com>\r\n", "list-unsubscribe:<https://example.com>\r\n"},
		{"an empty value", "Subject: \r\n", "subject:\r\n"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := string(appendRelaxedField(nil, []byte(c.field))); got != c.want {
				t.Errorf("%q becomes %q, want %q", c.field, got, c.want)
			}
		})
	}
}

// lines are bodies made of what relaxed canonicalisation is about.
func lines() *rapid.Generator[string] {
	piece := rapid.SampledFrom([]string{"a", "b=", " ", "  ", "\t", "\r\n", "\r\n\r\n", "é", "."})
	return rapid.Custom(func(t *rapid.T) string {
		return strings.Join(rapid.SliceOfN(piece, 0, 30).Draw(t, "pieces"), "")
	})
}

func TestAnOpeningChangesNoHash(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		shared, rest := lines().Draw(t, "shared"), lines().Draw(t, "rest")
		opening := NewOpening([]byte(shared))
		h := sha256.New()
		for _, body := range []string{shared + rest, rest, shared} {
			want := sha256.Sum256([]byte(relaxedBody(body)))
			if got := hashBody(h, nil, []byte(body), opening); !bytes.Equal(got, want[:]) {
				t.Fatalf("the hash of %q differs with the opening %q", body, shared)
			}
		}
	})
}

func TestAnOpeningIsUsed(t *testing.T) {
	// One with a state of something else gives another hash, so it is looked at.
	opening, other := NewOpening([]byte("a\r\nb\r\n")), NewOpening([]byte("c\r\nd\r\n"))
	opening.state = other.state
	h := sha256.New()
	if bytes.Equal(hashBody(h, nil, []byte("a\r\nb\r\n"), opening), hashBody(h, nil, []byte("a\r\nb\r\n"), nil)) {
		t.Error("it is not")
	}
	if NewOpening([]byte("only a line\r\n\r\n")) != nil {
		t.Error("less than a line is an opening")
	}
}
