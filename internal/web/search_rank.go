package web

import (
	"cmp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"vestnik/internal/mailing"
	"vestnik/internal/web/ui"
)

// fit is how well something fits what was typed; the smaller, the better.
type fit int

const (
	fitTitle fit = iota // the name of a page begins with it
	fitName             // a word in the name of a thing begins with it
	fitRest             // it is found by something else
	fitNot
)

// foundGroup are hits of a kind with how well the best of them fits.
type foundGroup struct {
	ui.HitGroup
	fit fit
}

// inOrder are the groups in which there is something, those with the best hits first.
func inOrder(all []foundGroup) (groups []ui.HitGroup) {
	slices.SortStableFunc(all, func(a, b foundGroup) int { return cmp.Compare(a.fit, b.fit) })
	for _, g := range all {
		if len(g.Hits) > 0 {
			groups = append(groups, g.HitGroup)
		}
	}
	return groups
}

// typedWords are the words of a search, as mailing.SearchText has them.
type typedWords []string

func searched(typed string) typedWords { return inWords(mailing.SearchText(typed)) }

func inWords(text string) []string {
	return strings.FieldsFunc(text, func(c rune) bool { return !unicode.IsLetter(c) && !unicode.IsNumber(c) })
}

// places are the best of those whose words begin with all that were typed. A part from
// within a word finds none: who looks for Vera does not mean the word "sERVER".
func (w typedWords) places(title string, places []place, most int) foundGroup {
	stems := w.stems()
	return best(title, most, places, func(p place) (ui.Hit, fit) {
		switch {
		case !stems.begin(p.Label, p.Note, p.words):
			return p.Hit, fitNot
		case strings.HasPrefix(mailing.SearchText(p.Label), strings.Join(stems, " ")):
			return p.Hit, fitTitle
		default:
			return p.Hit, fitRest
		}
	})
}

// guides are places of the help. They come last: who types the beginning of a name is
// more often after a person than after a chapter.
func (w typedWords) guides(title string, places []place) foundGroup {
	g := w.places(title, places, guidesFound)
	g.fit = fitRest
	return g
}

// things are what the search in the database found, where a part of a word is enough.
func (w typedWords) things(title string, hits []ui.Hit, more string) foundGroup {
	g := best(title, thingsFound, hits, func(h ui.Hit) (ui.Hit, fit) {
		if w.begin(h.Label, h.Note) {
			return h, fitName
		}
		return h, fitRest
	})
	g.More = more
	return g
}

// best gives the group of those that fit best, as judge says, and how well the first does.
func best[T any](title string, most int, all []T, judge func(T) (ui.Hit, fit)) foundGroup {
	g := foundGroup{HitGroup: ui.HitGroup{Title: title}, fit: fitNot}
	byFit := map[fit][]ui.Hit{}
	for _, one := range all {
		hit, how := judge(one)
		byFit[how] = append(byFit[how], hit)
		g.fit = min(g.fit, how)
	}
	g.Hits = slices.Concat(byFit[fitTitle], byFit[fitName], byFit[fitRest])
	g.Hits = g.Hits[:min(len(g.Hits), most)]
	return g
}

// begin reports whether each of the words begins one of the texts'.
func (w typedWords) begin(texts ...string) bool {
	parts := inWords(mailing.SearchText(texts...))
	for _, word := range w {
		if !slices.ContainsFunc(parts, func(part string) bool { return strings.HasPrefix(part, word) }) {
			return false
		}
	}
	return true
}

// stemRunes is how much of a word is left at least: less says too little. Chosen.
const stemRunes = 4

// stems are the words without the vowels at their ends, so that a Russian noun finds
// itself in other cases and numbers.
func (w typedWords) stems() typedWords {
	var stems typedWords
	for _, word := range w {
		stem := word
		for utf8.RuneCountInString(stem) > stemRunes && strings.ContainsRune("аеийоуыьэюя", lastRune(stem)) {
			stem = strings.TrimSuffix(stem, string(lastRune(stem)))
		}
		stems = append(stems, stem)
	}
	return stems
}

func lastRune(text string) rune {
	last, _ := utf8.DecodeLastRuneInString(text)
	return last
}
