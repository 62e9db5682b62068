package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// rule is one piece of a style sheet. An at-rule that holds rules (@media) has
// children, one that ends in a semicolon (@charset) has neither, and all else
// has its declarations, as they stand.
type rule struct {
	prelude  string // selectors, or the at-rule with its condition
	children []rule
	body     string
	bare     bool // no block at all
}

// nests reports whether the block of an at-rule holds rules.
func nests(prelude string) bool {
	for _, name := range []string{"@media", "@supports", "@layer", "@container"} {
		if strings.HasPrefix(prelude, name) {
			return true
		}
	}
	return false
}

// parseStyle takes a comment-free style sheet apart.
func parseStyle(text string) ([]rule, error) {
	var rules []rule
	for text = strings.TrimSpace(text); text != ""; text = strings.TrimSpace(text) {
		stop := endOf(text, "{;")
		if stop == len(text) {
			return nil, fmt.Errorf("style sheet ends inside of %.60q", text)
		}
		r := rule{prelude: strings.TrimSpace(text[:stop])}
		if text[stop] == ';' {
			r.bare = true
			rules, text = append(rules, r), text[stop+1:]
			continue
		}
		end := stop + 1 + endOf(text[stop+1:], "}")
		if end >= len(text) {
			return nil, fmt.Errorf("block of %.60q has no end", r.prelude)
		}
		r.body, text = text[stop+1:end], text[end+1:]
		if nests(r.prelude) {
			children, err := parseStyle(r.body)
			if err != nil {
				return nil, err
			}
			r.children, r.body = children, ""
		}
		rules = append(rules, r)
	}
	return rules, nil
}

// endOf returns where the first of the stops stands outside of strings,
// brackets and nested blocks, or len(text).
func endOf(text, stops string) int {
	depth := 0
	for i := 0; i < len(text); i++ {
		c := text[i]
		if depth == 0 && strings.IndexByte(stops, c) >= 0 {
			return i
		}
		switch c {
		case '\\':
			i++
		case '"', '\'':
			i += 1 + endOfString(text[i+1:], c)
		case '(', '[', '{':
			depth++
		case ')', ']', '}':
			depth--
		}
	}
	return len(text)
}

func endOfString(text string, quote byte) int {
	for i := 0; i < len(text); i++ {
		if text[i] == '\\' {
			i++
		} else if text[i] == quote {
			return i
		}
	}
	return len(text)
}

// splitOutside cuts text at a separator that stands outside of brackets.
func splitOutside(text, separator string) []string {
	var parts []string
	for {
		stop := endOf(text, separator)
		parts = append(parts, strings.TrimSpace(text[:stop]))
		if stop == len(text) {
			return parts
		}
		text = text[stop+1:]
	}
}

// printStyle puts a style sheet together again.
func printStyle(rules []rule) string {
	var out strings.Builder
	for _, r := range rules {
		out.WriteString(r.prelude)
		switch {
		case r.bare:
			out.WriteString(";")
		case nests(r.prelude):
			out.WriteString("{" + printStyle(r.children) + "}")
		default:
			out.WriteString("{" + r.body + "}")
		}
		out.WriteString("\n")
	}
	return out.String()
}

// dropUnused leaves out the selectors that name a class or a data attribute
// that stands nowhere in our sources, then the rules that have none left.
func dropUnused(rules []rule, words map[string]bool) []rule {
	var kept []rule
	for _, r := range rules {
		switch {
		case nests(r.prelude):
			r.children = dropUnused(r.children, words)
			if len(r.children) == 0 {
				continue
			}
		case !strings.HasPrefix(r.prelude, "@"):
			selectors := slices.DeleteFunc(splitOutside(r.prelude, ","), func(s string) bool {
				return !selects(s, words)
			})
			if len(selectors) == 0 {
				continue
			}
			r.prelude = strings.Join(selectors, ",")
		}
		kept = append(kept, r)
	}
	return kept
}

var (
	inBrackets    = regexp.MustCompile(`\([^()]*\)`)
	classOf       = regexp.MustCompile(`\.(-?[_a-zA-Z](?:[\w-]|\\.)*)`)
	dataAttribute = regexp.MustCompile(`\[(data-[\w-]+)`)
)

// selects reports whether a selector can match anything that our sources write.
// What stands in brackets, as in :not(.x), is not looked at: a selector that is
// kept in vain costs some bytes, one that is dropped wrongly costs the look.
func selects(selector string, words map[string]bool) bool {
	for bare := ""; bare != selector; {
		bare = selector
		selector = inBrackets.ReplaceAllString(selector, "")
	}
	for _, m := range classOf.FindAllStringSubmatch(selector, -1) {
		if !words[strings.ReplaceAll(m[1], `\`, "")] {
			return false
		}
	}
	for _, m := range dataAttribute.FindAllStringSubmatch(selector, -1) {
		if !words[m[1]] {
			return false
		}
	}
	return true
}

var (
	variableUse   = regexp.MustCompile(`var\(\s*(--[\w-]+)`)
	animationUse  = regexp.MustCompile(`animation(?:-name)?:([^;}]+)`)
	keyframesName = regexp.MustCompile(`^@keyframes\s+([\w-]+)`)
)

// dropIdle leaves out custom properties that nothing reads and keyframes that
// nothing plays, again and again until nothing more goes. What our scripts
// and pages name counts as read.
func dropIdle(rules []rule, words map[string]bool) []rule {
	for {
		text := printStyle(rules)
		read := map[string]bool{}
		for _, m := range variableUse.FindAllStringSubmatch(text, -1) {
			read[m[1]] = true
		}
		played := map[string]bool{}
		for _, m := range animationUse.FindAllStringSubmatch(text, -1) {
			for _, name := range strings.FieldsFunc(m[1], func(r rune) bool { return r == ' ' || r == ',' }) {
				played[name] = true
			}
		}
		rules = dropIdleOnce(rules, func(name string) bool { return read[name] || words[name] }, played)
		if printStyle(rules) == text {
			return rules
		}
	}
}

func dropIdleOnce(rules []rule, read func(string) bool, played map[string]bool) []rule {
	var kept []rule
	for _, r := range rules {
		name := keyframesName.FindStringSubmatch(r.prelude)
		switch {
		case name != nil && !played[name[1]]:
			continue
		case nests(r.prelude):
			r.children = dropIdleOnce(r.children, read, played)
			if len(r.children) == 0 {
				continue
			}
		case name == nil && !r.bare && !strings.HasPrefix(r.prelude, "@"):
			r.body = dropVariables(r.body, read)
			if r.body == "" {
				continue
			}
		}
		kept = append(kept, r)
	}
	return kept
}

func dropVariables(body string, read func(string) bool) string {
	declarations := slices.DeleteFunc(splitOutside(body, ";"), func(d string) bool {
		name, _, _ := strings.Cut(d, ":")
		name = strings.TrimSpace(name)
		return d == "" || strings.HasPrefix(name, "--") && !read(name)
	})
	return strings.Join(declarations, ";")
}
