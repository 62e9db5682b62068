package mailing

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// CleanLine makes what a person typed into one line: valid UTF-8 in NFC, every
// run of white space and control characters one space, none at the ends.
func CleanLine(typed string) string {
	fields := strings.FieldsFunc(norm.NFC.String(strings.ToValidUTF8(typed, "\uFFFD")), func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r)
	})
	return strings.Join(fields, " ")
}

// SearchText folds what is to be found, and what is looked for, to one form:
// lower case in every script, ё as е, since people type one for the other. It
// is computed here because SQLite folds the case of ASCII only.
func SearchText(parts ...string) string {
	return strings.ReplaceAll(strings.ToLower(CleanLine(strings.Join(parts, " "))), "ё", "е")
}

func tooLong(problems *Problems, field, value string, maxRunes int) {
	if utf8.RuneCountInString(value) > maxRunes {
		problems.Add(field, "text_too_long", "max", maxRunes)
	}
}
