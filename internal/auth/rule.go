package auth

import (
	"cmp"
	_ "embed"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"vestnik/internal/mailing"
)

// Bounds of a password, in characters: "at least 8 characters in length", and
// "at least 64 characters" must be permitted (NIST SP 800-63B, section
// 5.1.1.2). Our upper bound keeps hashing cheap. By the same section there is
// no rule about what kinds of characters it is made of.
const (
	MinPassword = 8
	MaxPassword = 128
)

// fewestLetters is how many different characters a password must have, against
// the "repetitive" ones that NIST SP 800-63B names: 11111111, абабабаб.
const fewestLetters = 3

// leastOwn is how many letters of a password must be the person's own: what is left of
// "Petrova-1985" without the name are digits and a dash.
const leastOwn = 4

// leastContext is how long a word must be to be looked for in passwords. Shorter ones stand
// in too many others by accident; chosen.
const leastContext = 4

// serviceNames are what this service is called.
var serviceNames = []string{"vestnik", "вестник", "vestnic", "mailing", "рассылка"}

// commonPasswords are those that attackers try first and that are long enough
// to pass the other rules, one a line, in lower case. Most are the ones of the list of
// zxcvbn (Copyright (c) 2012-2016 Dan Wheeler and Dropbox, Inc., MIT License), which counts
// what was published in breaches; those in Russian and on its keyboard are ours.
//
//go:embed common_passwords.txt
var commonPasswords string

// common are the lines of commonPasswords.
var common = sync.OnceValue(func() map[string]bool {
	words := map[string]bool{}
	for line := range strings.Lines(commonPasswords) {
		words[strings.TrimRight(line, "\r\n")] = true
	}
	return words
})

// CheckPassword checks a new password against the rules. Context are texts
// that it must not be made of: e-mail address, names, the service's address. The error is a
// *mailing.Error without a field: password_too_short (min), password_too_long
// (max), password_common, password_personal (word).
func CheckPassword(password string, context ...string) error {
	normal := norm.NFC.String(password)
	length := utf8.RuneCountInString(normal)
	lower := strings.ToLower(normal)
	switch {
	case length < MinPassword:
		return mailing.Fault(mailing.Invalid, "password_too_short", "min", MinPassword)
	case length > MaxPassword:
		return mailing.Fault(mailing.Invalid, "password_too_long", "max", MaxPassword)
	case isCommon(lower), isRepetition(lower), isSequence(lower):
		return mailing.Fault(mailing.Invalid, "password_common")
	}
	if word := madeOf(lower, context); word != "" {
		return mailing.Fault(mailing.Invalid, "password_personal", "word", word)
	}
	return nil
}

// isCommon reports whether attackers try the password first, also with digits and
// marks behind it: "password2026!".
func isCommon(lower string) bool {
	bare := strings.TrimRightFunc(lower, func(r rune) bool { return !unicode.IsLetter(r) })
	return common()[lower] || common()[bare]
}

// isRepetition reports whether the password is one to three characters over and over, or
// made of too few.
func isRepetition(lower string) bool {
	letters := []rune(lower)
	different := map[rune]bool{}
	for _, letter := range letters {
		different[letter] = true
	}
	if len(different) < fewestLetters {
		return true
	}
	for i, letter := range letters {
		if letter != letters[i%3] {
			return false
		}
	}
	return true
}

// isSequence reports whether each character follows the one before it, or each precedes it.
func isSequence(lower string) bool {
	letters := []rune(lower)
	step := letters[1] - letters[0]
	for i := 1; i < len(letters); i++ {
		if letters[i]-letters[i-1] != step {
			return false
		}
	}
	return step == 1 || step == -1
}

// madeOf returns a word of the context that the password holds, if too little is left
// without all of them; else an empty text.
func madeOf(lower string, context []string) string {
	first, left := "", lower
	for _, word := range contextWords(context) {
		if strings.Contains(left, word) {
			left = strings.ReplaceAll(left, word, " ")
			first = cmp.Or(first, word)
		}
	}
	own := 0
	for _, letter := range left {
		if unicode.IsLetter(letter) {
			own++
		}
	}
	if own >= leastOwn {
		return ""
	}
	return first
}

// contextWords are the texts and the words in them, the longest first, so that a word
// within another does not break it up.
func contextWords(texts []string) []string {
	words := slices.Clone(serviceNames)
	for _, text := range texts {
		text = strings.ToLower(norm.NFC.String(text))
		local, _, _ := strings.Cut(text, "@")
		words = append(words, text, local)
		words = append(words, strings.FieldsFunc(text, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })...)
	}
	words = slices.DeleteFunc(words, func(word string) bool { return utf8.RuneCountInString(word) < leastContext })
	slices.SortFunc(words, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	return words
}
