package mailing

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestNormalizeEmail(t *testing.T) {
	local64 := strings.Repeat("a", 64)
	// A domain of 189 octets, so that with local64 and @ the address has 254.
	domain189 := strings.Repeat(strings.Repeat("d", 62)+".", 3)[:187] + ".ru"
	domain189 = domain189[len(domain189)-189:]
	good := []struct{ name, typed, want string }{
		{"an address stays as it is", "anna@example.org", "anna@example.org"},
		{"case does not count", "Anna.PETROVA@Example.ORG", "anna.petrova@example.org"},
		{"spaces around it do not count", " \t anna@example.org\r\n", "anna@example.org"},
		{"invisible characters around it do not count", "\ufeff\u200banna@example.org\u200e", "anna@example.org"},
		{"a dot at the end of the domain is the root", "anna@example.org.", "anna@example.org"},
		{"a domain in Cyrillic becomes A-labels", "anna@Почта.РФ", "anna@xn--80a1acny.xn--p1ai"},
		{"a local part in Cyrillic stays", "Пример@почта.рф", "пример@xn--80a1acny.xn--p1ai"},
		{"A-labels stay", "anna@xn--80a1acny.xn--p1ai", "anna@xn--80a1acny.xn--p1ai"},
		{"German names are mapped", "anna@MÜNCHEN.de", "anna@xn--mnchen-3ya.de"},
		{"decomposed letters are composed", "и\u0306@example.org", "й@example.org"},
		{"all signs of an atom may be there", "a!#$%&'*+-/=?^_`{|}~b@example.org", "a!#$%&'*+-/=?^_`{|}~b@example.org"},
		{"plus addresses differ", "anna+news@example.org", "anna+news@example.org"},
		{"one letter each is enough", "a@b.ru", "a@b.ru"},
		{"digits may begin a label", "a@1c.ru", "a@1c.ru"},
		{"localhost needs no dot", "root@localhost", "root@localhost"},
		{"64 octets before the @ are allowed", local64 + "@example.org", local64 + "@example.org"},
		{"254 octets in all are allowed", local64 + "@" + domain189, local64 + "@" + domain189},
	}
	for _, c := range good {
		t.Run(c.name, func(t *testing.T) {
			if got, err := NormalizeEmail(c.typed); got != c.want || err != nil {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
	bad := []struct{ name, typed, code string }{
		{"nothing", "", "email_empty"},
		{"white space", " \t\n", "email_empty"},
		{"invisible characters alone", "\u200b", "email_empty"},
		{"a name", "anna", "email_malformed"},
		{"two @", `"a"@b@c`, "email_malformed"},
		{"two addresses", "a@x.ru, b@x.ru", "email_malformed"},
		{"a name with an address", "Anna <anna@example.org>", "email_malformed"},
		{"a quoted local part", `"anna"@example.org`, "email_malformed"},
		{"a comment", "anna(home)@example.org", "email_malformed"},
		{"nothing before the @", "@example.org", "email_malformed"},
		{"a dot in front", ".anna@example.org", "email_malformed"},
		{"a dot before the @", "anna.@example.org", "email_malformed"},
		{"two dots together", "an..na@example.org", "email_malformed"},
		{"a space inside", "an na@example.org", "email_malformed"},
		{"a no-break space inside", "an\u00a0na@example.org", "email_malformed"},
		{"a line break inside", "anna\r\nBcc: x@example.org", "email_malformed"},
		{"a NUL", "an\x00na@example.org", "email_malformed"},
		{"bytes that are no UTF-8", "an\xffna@example.org", "email_malformed"},
		{"a comma for a dot", "anna@example,org", "email_domain_malformed"},
		{"nothing after the @", "anna@", "email_domain_malformed"},
		{"a domain without a dot", "anna@example", "email_domain_malformed"},
		{"two dots at the end", "anna@example.org..", "email_domain_malformed"},
		{"an empty label", "anna@example..org", "email_domain_malformed"},
		{"a dot after the @", "anna@.example.org", "email_domain_malformed"},
		{"a hyphen that begins a label", "anna@-example.org", "email_domain_malformed"},
		{"a hyphen that ends a label", "anna@example-.org", "email_domain_malformed"},
		{"an underscore", "anna@exa_mple.org", "email_domain_malformed"},
		{"a space in the domain", "anna@exam ple.org", "email_domain_malformed"},
		{"a line break in the domain", "anna@example.org\nx", "email_domain_malformed"},
		{"an address literal", "anna@[192.0.2.1]", "email_domain_malformed"},
		{"an IP address", "anna@192.0.2.1", "email_domain_malformed"},
		{"a label of 64 octets", "anna@" + strings.Repeat("d", 64) + ".ru", "email_domain_malformed"},
		{"65 octets before the @", local64 + "a@example.org", "email_too_long"},
		{"33 Cyrillic letters, which are 66 octets", strings.Repeat("я", 33) + "@example.org", "email_too_long"},
		{"255 octets in all", local64 + "@d" + domain189, "email_too_long"},
	}
	for _, c := range bad {
		t.Run(c.name+" is refused", func(t *testing.T) {
			got, err := NormalizeEmail(c.typed)
			if got != "" || CodeOf(err) != c.code || KindOf(err) != Invalid {
				t.Errorf("got %q, %v, want %s", got, err, c.code)
			}
		})
	}
}

func TestNormalizeDomain(t *testing.T) {
	for typed, want := range map[string]string{
		" Example.ORG. ": "example.org", "@example.org": "example.org", "почта.рф": "xn--80a1acny.xn--p1ai",
		"localhost": "localhost", "news.example.org": "news.example.org",
		"example": "", "a b.org": "", "anna@example.org": "", "https://example.org": "", "127.0.0.1": "", "a;b.org": "",
	} {
		got, err := NormalizeDomain(typed)
		if got != want || (want == "") != (CodeOf(err) == "domain_malformed") {
			t.Errorf("%q becomes %q, %v; want %q", typed, got, err, want)
		}
	}
	if _, err := NormalizeDomain(" @ "); CodeOf(err) != "required" {
		t.Errorf("nothing is %v", err)
	}
	if got := DisplayDomain("xn--80a1acny.xn--p1ai"); got != "почта.рф" {
		t.Errorf("it is shown as %q", got)
	}
}

func TestDisplayEmail(t *testing.T) {
	for email, want := range map[string]string{
		"anna@example.org":              "anna@example.org",
		"пример@xn--80a1acny.xn--p1ai":  "пример@почта.рф",
		"anna@xn--mnchen-3ya.de":        "anna@münchen.de",
		"anna@xn--\u00ff.de":            "anna@xn--\u00ff.de", // no punycode
		"no address":                    "no address",
		"anna@sub.xn--80a1acny.example": "anna@sub.почта.example",
	} {
		t.Run(email+" is shown as "+want, func(t *testing.T) {
			if got := DisplayEmail(email); got != want {
				t.Errorf("got %q", got)
			}
		})
	}
}

func FuzzNormalizeEmail(f *testing.F) {
	for _, seed := range []string{
		"anna@example.org", `"a"@b@c`, "пример@почта.рф", "a@b.ru.", " A@xn--80a1acny.xn--p1ai ", "a@[1.2.3.4]", "\u200ba@x.y",
		"a@\u00ad.ru", "İ@example.org", "a@ß.de", "a@xn--a.ru", "ſ@x.ru", "K@x.ru",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		email, err := NormalizeEmail(typed)
		if err != nil {
			if KindOf(err) != Invalid || email != "" {
				t.Fatalf("%q: %q, %v", typed, email, err)
			}
			return
		}
		again, err := NormalizeEmail(email)
		if again != email || err != nil {
			t.Fatalf("%q becomes %q, and that %q, %v", typed, email, again, err)
		}
		// What goes between "<" and ">" on the wire must not break out of it.
		if strings.Count(email, "@") != 1 || strings.ContainsAny(email, " <>\"\\(),:;[]\r\n\t\x00") {
			t.Fatalf("%q becomes %q", typed, email)
		}
		if len(email) > MaxAddressBytes || !utf8.ValidString(email) {
			t.Fatalf("%q becomes %q", typed, email)
		}
		if back, err := NormalizeEmail(DisplayEmail(email)); back != email || err != nil {
			t.Fatalf("%q is shown as %q, and that becomes %q, %v", email, DisplayEmail(email), back, err)
		}
	})
}

func BenchmarkNormalizeEmail(b *testing.B) {
	for b.Loop() {
		NormalizeEmail("Anna.Petrova@example.org")
	}
}
