package mx

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// file makes a policy file of lines.
func file(lines ...string) string { return strings.Join(lines, "\r\n") + "\r\n" }

func TestParsePolicy(t *testing.T) {
	week := 7 * 24 * time.Hour
	cases := []struct {
		name, text string
		want       Policy
	}{
		{
			"the example of RFC 8461, section 3.2", file("version: STSv1", "mode: enforce", "mx: mail.example.com", "mx: *.example.net", "mx: backupmx.example.com", "max_age: 604800"),
			Policy{PolicyEnforce, []string{"mail.example.com", "*.example.net", "backupmx.example.com"}, week},
		},
		{
			"line feeds alone end lines too, and the last may have none", "version: STSv1\nmode: testing\nmx: a.test\nmax_age: 604800",
			Policy{PolicyTesting, []string{"a.test"}, week},
		},
		{
			"blanks around values, and none", file("version:STSv1", "mode:   enforce  ", "mx:\ta.test", "max_age: 604800 "),
			Policy{PolicyEnforce, []string{"a.test"}, week},
		},
		{
			"what is unknown is passed over", file("version: STSv1", "mode: enforce", "x-new_1.field: Hello: world", "mx: a.test", "max_age: 604800"),
			Policy{PolicyEnforce, []string{"a.test"}, week},
		},
		{
			"of what is there twice the first counts", file("version: STSv1", "version: STSv2", "mode: enforce", "mode: none", "mx: a.test", "max_age: 604800", "max_age: 1"),
			Policy{PolicyEnforce, []string{"a.test"}, week},
		},
		{"names in capitals", file("version: STSv1", "mode: enforce", "mx: *.A.Test", "max_age: 604800"), Policy{PolicyEnforce, []string{"*.a.test"}, week}},
		{"mode none needs no hosts", file("version: STSv1", "mode: none", "max_age: 0"), Policy{PolicyNone, nil, 0}},
		{"a blank line at the end", file("version: STSv1", "mode: none", "max_age: 604800", ""), Policy{PolicyNone, nil, week}},
		{"a year at most", file("version: STSv1", "mode: none", "max_age: 9999999999"), Policy{PolicyNone, nil, maxPolicyAge}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, err := parsePolicy([]byte(c.text))
			if err != nil {
				t.Fatal(err)
			}
			if got.Mode != c.want.Mode || got.MaxAge != c.want.MaxAge || !slices.Equal(got.MX, c.want.MX) {
				t.Errorf("got %+v, want %+v", *got, c.want)
			}
		})
	}
}

func TestParsePolicyRefuses(t *testing.T) {
	cases := map[string]string{
		"nothing":                       "",
		"a page":                        "<!doctype html><title>Not found</title>",
		"another version":               file("version: STSv2", "mode: none", "max_age: 1"),
		"no version":                    file("mode: none", "max_age: 1"),
		"no mode":                       file("version: STSv1", "mx: a.test", "max_age: 1"),
		"another mode":                  file("version: STSv1", "mode: strict", "mx: a.test", "max_age: 1"),
		"no age":                        file("version: STSv1", "mode: enforce", "mx: a.test"),
		"a negative age":                file("version: STSv1", "mode: enforce", "mx: a.test", "max_age: -1"),
		"an age in words":               file("version: STSv1", "mode: enforce", "mx: a.test", "max_age: week"),
		"an age with a sign":            file("version: STSv1", "mode: enforce", "mx: a.test", "max_age: +100"),
		"an age of eleven digits":       file("version: STSv1", "mode: enforce", "mx: a.test", "max_age: 00000000001"),
		"no hosts":                      file("version: STSv1", "mode: enforce", "max_age: 1"),
		"a star in the middle":          file("version: STSv1", "mode: enforce", "mx: mail.*.test", "max_age: 1"),
		"a star alone":                  file("version: STSv1", "mode: enforce", "mx: *", "max_age: 1"),
		"an empty host":                 file("version: STSv1", "mode: enforce", "mx: ", "max_age: 1"),
		"a blank line in the middle":    file("version: STSv1", "", "mode: none", "max_age: 1"),
		"a line without a colon":        file("version: STSv1", "mode none", "max_age: 1"),
		"a blank before the colon":      file("version : STSv1", "mode: none", "max_age: 1"),
		"control characters in a value": "version: STSv1\nmode: none\nmax_age: 1\nx: a\x00b",
	}
	for name, text := range cases {
		t.Run(name, func(t *testing.T) {
			if got, err := parsePolicy([]byte(text)); err == nil {
				t.Errorf("read as %+v", got)
			}
		})
	}
}

func TestPolicyNames(t *testing.T) {
	policy := &Policy{Mode: PolicyEnforce, MX: []string{"mail.example.com", "*.example.net"}}
	cases := map[string]bool{
		"mail.example.com": true, "a.example.net": true,
		"example.net": false, "a.b.example.net": false, ".example.net": false, "aexample.net": false,
		"xmail.example.com": false, "example.com": false, "mail.example.com.evil.test": false,
	}
	for host, want := range cases {
		if got := policy.names(host); got != want {
			t.Errorf("%s: %v, want %v", host, got, want)
		}
	}
}

func TestParseAnnouncement(t *testing.T) {
	cases := []struct {
		name  string
		texts []string
		want  string
	}{
		{"the example of RFC 8461, section 3.1", []string{"v=STSv1; id=20160831085700Z;"}, "20160831085700Z"},
		{"without blanks and the last semicolon", []string{"v=STSv1;id=1"}, "1"},
		{"with what is unknown", []string{"v=STSv1; x=y; id=1; z=2"}, "1"},
		{"among other texts", []string{"v=spf1 -all", "v=STSv1; id=1"}, "1"},
		{"two of them", []string{"v=STSv1; id=1", "v=STSv1; id=2"}, ""},
		{"none", nil, ""},
		{"another version", []string{"v=STSv2; id=1"}, ""},
		{"no id", []string{"v=STSv1;"}, ""},
		{"an empty id", []string{"v=STSv1; id=;"}, ""},
		{"an id with other characters", []string{"v=STSv1; id=2016-08;"}, ""},
		{"an id of 33", []string{"v=STSv1; id=" + strings.Repeat("1", 33)}, ""},
		{"an id of 32", []string{"v=STSv1; id=" + strings.Repeat("1", 32)}, strings.Repeat("1", 32)},
		{"a field that is none", []string{"v=STSv1; id=1; what"}, ""},
	}
	for _, c := range cases {
		if got := parseAnnouncement(c.texts); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func FuzzParsePolicy(f *testing.F) {
	f.Add([]byte(file("version: STSv1", "mode: enforce", "mx: mail.example.com", "mx: *.example.net", "max_age: 604800")))
	f.Add([]byte("version: STSv1\nmode: none\nmax_age: 9999999999\n\n"))
	f.Add([]byte("version:STSv1\rmode: testing\nmx: *.\nmax_age: 1"))
	f.Add([]byte(":\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		policy, err := parsePolicy(text)
		if err != nil {
			return
		}
		if policy.MaxAge < 0 || policy.MaxAge > maxPolicyAge {
			t.Errorf("it holds for %v", policy.MaxAge)
		}
		if policy.Mode != PolicyNone && len(policy.MX) == 0 {
			t.Errorf("%s without a host", policy.Mode)
		}
		if policy.enforced() {
			for _, pattern := range policy.MX {
				if host := strings.Replace(pattern, "*", "a", 1); !policy.names(host) || strings.ContainsAny(host, " \r\n*") {
					t.Errorf("%q does not name %q", pattern, host)
				}
			}
		}
	})
}

func FuzzParseAnnouncement(f *testing.F) {
	f.Add("v=STSv1; id=20160831085700Z;")
	f.Add("v=STSv1;id=;id=1;;")
	f.Fuzz(func(t *testing.T, text string) {
		if id := parseAnnouncement([]string{text}); len(id) > 32 || !isAlphanumeric(id) {
			t.Errorf("id %q", id)
		}
	})
}
