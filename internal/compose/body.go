package compose

import (
	"html"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"vestnik/internal/compose/liquid"
	"vestnik/internal/mailing"
)

// compileBody makes the text of a message and, but for Text, its HTML.
func compileBody(s Source) (text, hyper *liquid.Template, err error) {
	body := strings.ReplaceAll(strings.ReplaceAll(s.Body, "\r\n", "\n"), "\r", "\n")
	tokens, err := liquid.Tokens(body, s.Format == mailing.FormatHTML)
	if err != nil {
		return nil, nil, err
	}
	// Merge fields are checked as they were written: after this, what is wrong
	// would be our own conversion.
	written, err := liquid.Build(tokens, liquid.Options{})
	if err != nil {
		return nil, nil, err
	}
	footer := s.Unsubscribe && !uses(written, "unsubscribe_url")
	plain := liquid.Options{Context: liquid.Plain, Lang: s.Lang}
	if s.Format == mailing.FormatText {
		if footer {
			tokens = append(tokens, textFooter(s.Lang)...)
		}
		text, err = liquid.Build(tokens, plain)
		return text, nil, err
	}
	content, enclose := tokens, inDocument
	if s.Format == mailing.FormatMarkdown {
		enclose = inShell
		if content, err = markdownToHTML(tokens); err != nil {
			return nil, nil, err
		}
	}
	content = picturesAt(s.Base, content)
	whole := enclose(content, footer, s.Lang)
	if hyper, err = liquid.Build(whole, liquid.Options{Context: liquid.HTML, Lang: s.Lang}); err != nil {
		return nil, nil, err
	}
	twin := htmlToText(content)
	if footer {
		twin = append(twin, textFooter(s.Lang)...)
	}
	text, err = liquid.Build(twin, plain)
	return text, hyper, err
}

// ourPicture finds the addresses of pictures that we keep, where markup or a style has one.
var ourPicture = regexp.MustCompile(`(["'(=])(` + regexp.QuoteMeta(PicturePath) + `[0-9a-f]{32})`)

// picturesAt has our pictures be found from anywhere, a mail being read elsewhere.
func picturesAt(base string, tokens []liquid.Token) []liquid.Token {
	if base == "" {
		return tokens
	}
	found := slices.Clone(tokens)
	for i, t := range found {
		if t.Kind == liquid.Text {
			found[i].Text = ourPicture.ReplaceAllString(t.Text, "${1}"+strings.ReplaceAll(base, "$", "$$")+"${2}")
		}
	}
	return found
}

func uses(t *liquid.Template, name string) bool {
	for _, v := range t.Variables() {
		if v.Name == name {
			return true
		}
	}
	return false
}

// marks stand for merge fields while Markdown or HTML around them is
// converted. They are ASCII letters, which no converter touches or splits.
type marks struct {
	prefix string
	tokens []liquid.Token // by number: all that are not text
}

// mark joins tokens into one text with marks in it.
func mark(tokens []liquid.Token) (string, *marks) {
	m := &marks{prefix: "vqz"}
	var literal strings.Builder
	for _, t := range tokens {
		if t.Kind == liquid.Text {
			literal.WriteString(t.Text)
		}
	}
	lower := strings.ToLower(literal.String())
	for resolved := html.UnescapeString(lower); strings.Contains(lower, m.prefix) || strings.Contains(resolved, m.prefix); {
		m.prefix += "x" // "vqzx…" still has no beginning that is also its end
	}
	var b strings.Builder
	for _, t := range tokens {
		if t.Kind == liquid.Text {
			b.WriteString(t.Text)
			continue
		}
		b.WriteString(m.name(len(m.tokens)))
		m.tokens = append(m.tokens, t)
	}
	return b.String(), m
}

// name is the mark of a number: its decimal digits as letters from a to j.
func (m *marks) name(number int) string {
	digits := []byte(strconv.Itoa(number))
	for i := range digits {
		digits[i] += 'a' - '0'
	}
	return m.prefix + string(digits) + "q"
}

// next finds the first mark in s: where it begins and ends, and its token.
func (m *marks) next(s string) (start, end int, token *liquid.Token) {
	for from := 0; ; {
		i := strings.Index(s[from:], m.prefix)
		if i < 0 {
			return len(s), len(s), nil
		}
		start = from + i
		end = start + len(m.prefix)
		number := 0
		for end < len(s) && s[end] >= 'a' && s[end] <= 'j' && number < len(m.tokens) {
			number = number*10 + int(s[end]-'a')
			end++
		}
		if end < len(s) && s[end] == 'q' && number < len(m.tokens) {
			return start, end + 1, &m.tokens[number]
		}
		from = start + 1
	}
}

// restore puts the merge fields back in place of their marks.
func (m *marks) restore(s string) []liquid.Token {
	var tokens []liquid.Token
	for s != "" {
		start, end, token := m.next(s)
		if start > 0 {
			tokens = append(tokens, liquid.Token{Kind: liquid.Text, Text: s[:start]})
		}
		if token != nil {
			tokens = append(tokens, *token)
		}
		s = s[end:]
	}
	return tokens
}
