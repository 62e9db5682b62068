package mailing

import "testing"

func TestMask(t *testing.T) {
	for email, want := range map[string]string{
		"anna@example.org":             "a…@e….org",
		"a@b.co":                       "a…@b….co",
		"яна@xn--80a1acny.xn--p1ai":    "я…@п….рф",
		"ivan.petrov@mail.example.org": "i…@m….org",
		"root@localhost":               "r…@l…",
		"a…@e….org":                    "a…@e….org", // masked twice is masked once
		"nonsense":                     "…",
		"":                             "…",
	} {
		if got := MaskEmail(email); got != want {
			t.Errorf("%q is masked as %q, want %q", email, got, want)
		}
	}
	for text, want := range map[string]string{
		"550 5.1.1 <Anna@Example.org>: no such user":          "550 5.1.1 <A…@E….org>: no such user",
		"550 5.1.1 user ANNA unknown":                         "550 5.1.1 user A… unknown",
		"550 hannah and annals are others":                    "550 hannah and annals are others",
		"451 anna@example.org,boris@example.com: later; anna": "451 a…@e….org,b…@e….com: later; a…",
		"250 2.0.0 Ok: queued as 4F1":                         "250 2.0.0 Ok: queued as 4F1",
		"":                                                    "",
	} {
		if got := MaskText(text, "anna@example.org"); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
}
