package liquid

import (
	"html"
	"strings"
)

// Kind tells what a token is.
type Kind uint8

// The kinds of token.
const (
	Text   Kind = iota // literal text
	Output             // {{ … }}
	Tag                // {% … %}
)

// Token is a piece of a template. Comments are gone, raw blocks are Text, and
// white space control has been applied.
type Token struct {
	Kind Kind
	Text string // the literal text; or what stands between the braces, after a tag's name
	Name string // the name of a Tag
	Line int    // the line it begins on, from 1
}

// Tokens splits a template. With entities, what stands between braces has its
// HTML entities resolved, for visual editors turn {% if a > 1 %} into
// {% if a &gt; 1 %}.
func Tokens(source string, entities bool) ([]Token, error) {
	if len(source) > MaxSource {
		return nil, fault("liquid_too_long", 1)
	}
	l := lexer{source: source, line: 1, entities: entities}
	for l.pos < len(l.source) {
		if err := l.next(); err != nil {
			return nil, err
		}
	}
	return l.tokens, nil
}

type lexer struct {
	source   string
	pos      int
	line     int // of pos
	entities bool
	trim     bool // the token before ended with "-}}" or "-%}"
	tokens   []Token
}

// next reads the text up to the next opening brace, and what the brace opens.
func (l *lexer) next() error {
	open := indexOpen(l.source[l.pos:])
	if open < 0 {
		l.text(l.source[l.pos:], false)
		l.pos = len(l.source)
		return nil
	}
	inner := l.pos + open + 2
	trimLeft := strings.HasPrefix(l.source[inner:], "-")
	l.text(l.source[l.pos:l.pos+open], trimLeft)
	l.moveTo(l.pos + open)

	closer := "}}"
	if l.source[inner-1] == '%' {
		closer = "%}"
	}
	end := strings.Index(l.source[inner:], closer)
	if end < 0 {
		return fault("liquid_unclosed", l.line, "tag", l.source[inner-2:inner])
	}
	body := l.source[inner : inner+end]
	if trimLeft {
		body = body[1:]
	}
	body, l.trim = strings.CutSuffix(body, "-")
	line := l.line
	l.moveTo(inner + end + 2)
	return l.inside(closer == "%}", body, line)
}

// indexOpen finds the first "{{" or "{%".
func indexOpen(s string) int {
	for from := 0; ; {
		i := strings.IndexByte(s[from:], '{')
		if i < 0 || from+i+1 >= len(s) {
			return -1
		}
		i += from
		if s[i+1] == '{' || s[i+1] == '%' {
			return i
		}
		from = i + 1
	}
}

// inside makes the token of what stood between braces.
func (l *lexer) inside(tag bool, body string, line int) error {
	if l.entities && strings.IndexByte(body, '&') >= 0 {
		body = html.UnescapeString(body)
	}
	body = strings.TrimSpace(strings.ReplaceAll(body, "\u00a0", " "))
	if !tag {
		l.tokens = append(l.tokens, Token{Kind: Output, Text: body, Line: line})
		return nil
	}
	name, rest := cutName(body)
	switch name {
	case "raw", "comment":
		return l.literal(name, line)
	case "":
		if strings.HasPrefix(rest, "#") { // an inline comment
			return nil
		}
		return fault("liquid_syntax", line, "near", shorten(rest))
	}
	l.tokens = append(l.tokens, Token{Kind: Tag, Name: name, Text: rest, Line: line})
	return nil
}

// cutName splits a tag into its name and the rest.
func cutName(body string) (name, rest string) {
	end := 0
	for end < len(body) && isNameByte(body[end]) {
		end++
	}
	return body[:end], strings.TrimSpace(body[end:])
}

func isNameByte(c byte) bool {
	return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

// literal reads up to the end of a raw or comment block: nothing in it is a
// token.
func (l *lexer) literal(name string, line int) error {
	for from := l.pos; ; {
		i := strings.Index(l.source[from:], "{%")
		if i < 0 {
			return fault("liquid_unclosed", line, "tag", name)
		}
		start := from + i
		length, trimLeft, trimRight := closing(l.source[start+2:], "end"+name)
		if length == 0 {
			from = start + 2
			continue
		}
		if name == "raw" {
			l.text(l.source[l.pos:start], trimLeft)
		}
		l.moveTo(start + 2 + length)
		l.trim = trimRight
		return nil
	}
}

// closing measures "- endraw -%}" at the start of s; 0 when it is not there.
func closing(s, name string) (length int, trimLeft, trimRight bool) {
	rest, trimLeft := strings.CutPrefix(s, "-")
	rest, found := strings.CutPrefix(strings.TrimLeft(rest, " \t\r\n"), name)
	if !found {
		return 0, false, false
	}
	rest, trimRight = strings.CutPrefix(strings.TrimLeft(rest, " \t\r\n"), "-")
	rest, found = strings.CutPrefix(rest, "%}")
	if !found {
		return 0, false, false
	}
	return len(s) - len(rest), trimLeft, trimRight
}

// text adds a literal text, trimmed as the tokens around it ask.
func (l *lexer) text(s string, trimRight bool) {
	const space = " \t\r\n"
	line := l.line
	if l.trim {
		trimmed := strings.TrimLeft(s, space)
		line += strings.Count(s[:len(s)-len(trimmed)], "\n")
		s = trimmed
	}
	l.trim = false
	if trimRight {
		s = strings.TrimRight(s, space)
	}
	if s != "" {
		l.tokens = append(l.tokens, Token{Kind: Text, Text: s, Line: line})
	}
}

// moveTo sets the position and counts the lines on the way.
func (l *lexer) moveTo(pos int) {
	l.line += strings.Count(l.source[l.pos:pos], "\n")
	l.pos = pos
}

// shorten cuts a piece of source to what fits into a sentence.
func shorten(s string) string {
	const most = 40 // characters; chosen, nothing depends on it
	count := 0
	for i := range s {
		if count == most {
			return s[:i] + "…"
		}
		count++
	}
	return s
}
