package liquid

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// escape is how an output is made harmless where it stands.
type escape struct {
	kind     escapeKind
	unquoted bool // in an attribute's value without quotes
}

type escapeKind uint8

const (
	escapeNone     escapeKind = iota // plain text and headers
	escapeText                       // text and values of attributes
	escapeURLStart                   // a URL from its beginning
	escapeURLRest                    // a URL whose scheme another output began
	escapeStrict                     // scripts, styles, comments, names: letters and digits
)

// write puts a value into HTML.
func (e escape) write(v any) string {
	if m, ok := v.(markup); ok && e.kind == escapeText && !e.unquoted {
		return m.html
	}
	s := clean(toText(v), false)
	switch e.kind {
	case escapeNone:
		return s
	case escapeStrict:
		return strings.Map(strictRune, s)
	case escapeURLStart:
		s = harmlessURL(s)
	case escapeURLRest:
		s = strings.ReplaceAll(s, ":", "%3A")
	}
	s = escapeHTML(s)
	if e.unquoted {
		s = unquotedEscaper.Replace(s)
	}
	return s
}

var (
	htmlEscaper     = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&#34;", "'", "&#39;")
	lineEnds        = strings.NewReplacer("\r\n", "\n", "\r", "\n")
	unquotedEscaper = strings.NewReplacer(" ", "&#32;", "\t", "&#9;", "\n", "&#10;", "\r", "&#13;", "\f", "&#12;", "=", "&#61;", "`", "&#96;")
)

// escapeHTML makes s harmless in text and in quoted values.
func escapeHTML(s string) string {
	if !strings.ContainsAny(s, "&<>\"'") {
		return s
	}
	return htmlEscaper.Replace(s)
}

// strictRune keeps what means nothing in any language.
func strictRune(r rune) rune {
	if unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune(" _-.,#%", r) {
		return r
	}
	return -1
}

// harmlessURL returns the URL, or "#" when its scheme could run a script.
func harmlessURL(url string) string {
	url = strings.TrimSpace(url)
	end := strings.IndexAny(url, ":/?#")
	if end < 0 || url[end] != ':' {
		return url
	}
	switch strings.ToLower(url[:end]) {
	case "http", "https", "mailto", "tel", "sms", "cid":
		return url
	}
	return "#"
}

// clean replaces what is not valid UTF-8 and removes control characters. Tabs
// and line breaks stay, the latter as LF; on one line they become spaces.
func clean(s string, oneLine bool) string {
	dirty := false
	for i := 0; i < len(s) && !dirty; i++ {
		c := s[i]
		dirty = c < ' ' && (oneLine || c != '\n' && c != '\t') || c >= 0x7f
	}
	if !dirty {
		return s
	}
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\ufffd")
	}
	if !oneLine && strings.IndexByte(s, '\r') >= 0 {
		s = lineEnds.Replace(s)
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t' || r == '\r':
			if oneLine {
				return ' '
			}
		case oneLine && (r == '\u0085' || r == '\u2028' || r == '\u2029'):
			return ' '
		case unicode.IsControl(r):
			return -1
		}
		return r
	}, s)
}
