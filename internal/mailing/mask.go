package mailing

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaskEmail leaves of an address what tells it from others at a glance and does not
// let anybody write to it: "a…@e….org". What is no address becomes a single "…".
func MaskEmail(email string) string {
	local, domain, ok := strings.Cut(DisplayEmail(email), "@")
	if !ok || local == "" || domain == "" {
		return "…"
	}
	masked := firstLetter(local) + "…@" + firstLetter(domain) + "…"
	if i := strings.LastIndex(domain, "."); i > 0 {
		masked += domain[i:]
	}
	return masked
}

func firstLetter(text string) string {
	_, size := utf8.DecodeRuneInString(text)
	return text[:size]
}

// addressLike finds what may be an address in what a mail server says.
var addressLike = regexp.MustCompile(`[^\s<>()\[\]"',:;@=]+@[^\s<>()\[\]"',:;@]+`)

// MaskText masks all addresses in a text about a mail to the address: that one, in
// whatever case and also without its domain, and others.
func MaskText(text, email string) string {
	text = addressLike.ReplaceAllStringFunc(text, MaskEmail)
	local, _, _ := strings.Cut(email, "@")
	return maskWord(text, local)
}

// maskWord masks a word wherever it stands alone, in whatever case. A single letter
// tells nothing.
func maskWord(text, word string) string {
	if utf8.RuneCountInString(word) < 2 {
		return text
	}
	found := regexp.MustCompile("(?i)" + regexp.QuoteMeta(word))
	var out strings.Builder
	for rest := text; ; {
		at := found.FindStringIndex(rest)
		if at == nil {
			out.WriteString(rest)
			return out.String()
		}
		before, _ := utf8.DecodeLastRuneInString(rest[:at[0]])
		after, _ := utf8.DecodeRuneInString(rest[at[1]:])
		out.WriteString(rest[:at[0]])
		if isWordRune(before) || isWordRune(after) {
			out.WriteString(rest[at[0]:at[1]])
		} else {
			out.WriteString(firstLetter(rest[at[0]:at[1]]) + "…")
		}
		rest = rest[at[1]:]
	}
}

func isWordRune(r rune) bool {
	return r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r))
}
