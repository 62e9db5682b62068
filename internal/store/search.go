package store

import (
	"slices"
	"strings"
)

// A search is for no more than what people type: each word is looked for in every row of a
// list, twice, and an address has room for thousands. Both are chosen: an address and a
// name are three words.
const (
	searchRunes = 200
	searchFor   = 10
)

// searchWords are the words that a text is searched for, each once. What is beyond the
// bounds is left out, so that more is found and nothing is missed.
func searchWords(text string) []string {
	if runes := []rune(text); len(runes) > searchRunes {
		text = string(runes[:searchRunes])
	}
	var words []string
	for word := range strings.FieldsSeq(text) {
		if len(words) == searchFor {
			break
		}
		if !slices.Contains(words, word) {
			words = append(words, word)
		}
	}
	return words
}
