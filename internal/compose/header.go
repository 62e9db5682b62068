package compose

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Header is one field of a message's header, with its value in plain text.
type Header struct {
	Name  string
	Value string
}

// The lengths of lines, without CRLF.
const (
	foldAt    = 78  // RFC 5322, section 2.1.1: should
	maxLine   = 998 // RFC 5322, section 2.1.1: must
	wordLine  = 76  // a line with an encoded word (RFC 2047, section 2)
	wordFrame = len("=?utf-8?B??=")
)

// oneLine makes s fit for a header: valid UTF-8, line breaks and tabs as
// spaces, no other control characters, none of the invisible characters that
// end a line in Unicode, and no space around it.
func oneLine(s string) string {
	if isPrintable(s) {
		return strings.TrimSpace(s)
	}
	s = strings.ToValidUTF8(s, "\ufffd")
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		switch {
		case r == '\r' || r == '\n' || r == '\t' || r == '\u0085' || r == '\u2028' || r == '\u2029':
			return ' '
		case unicode.IsControl(r):
			return -1
		}
		return r
	}, s))
}

// isPrintable reports whether s is ASCII without control characters.
func isPrintable(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return true
}

// appendField appends "Name: value" for an unstructured value (RFC 5322,
// section 3.6.5), encoded (RFC 2047) when it is not ASCII and folded when it
// is long.
func appendField(dst []byte, name, value string) []byte {
	value = oneLine(value)
	dst = append(append(dst, name...), ": "...)
	switch plain := isPrintable(value) && !strings.Contains(value, "=?"); {
	case plain && len(name)+2+len(value) <= foldAt:
		dst = append(dst, value...)
	case plain && canFold(value, wordLine-len(name)-2):
		dst = appendFolded(dst, len(name)+2, value)
	default:
		dst = appendWords(dst, len(name)+2, value)
	}
	return append(dst, "\r\n"...)
}

// canFold reports whether words are parted by single spaces, so that folding
// loses none, and are short enough to fit.
func canFold(value string, first int) bool {
	for i, word := range strings.Split(value, " ") {
		if word == "" || len(word) > wordLine-1 || i == 0 && len(word) > first {
			return false
		}
	}
	return true
}

// appendFolded appends words, with a line end before each that does not fit.
func appendFolded(dst []byte, col int, value string) []byte {
	for i, word := range strings.Split(value, " ") {
		switch {
		case i == 0:
		case col+1+len(word) > foldAt:
			dst, col = append(dst, "\r\n "...), 1
		default:
			dst = append(dst, ' ')
			col++
		}
		dst = append(dst, word...)
		col += len(word)
	}
	return dst
}

// appendWords appends s as encoded words (RFC 2047), in base64 or, when that
// is shorter, in the Q encoding. Every word holds whole characters.
func appendWords(dst []byte, col int, s string) []byte {
	quoted := quotedLength(s) <= base64.StdEncoding.EncodedLen(len(s))
	for first := true; s != ""; first = false {
		if !first {
			dst, col = append(dst, "\r\n "...), 1
		}
		size := fittingBytes(s, wordLine-col-wordFrame, quoted)
		if size == 0 { // not even one character fits on what is left
			dst, col = append(bytes.TrimRight(dst, " "), "\r\n "...), 1
			size = fittingBytes(s, wordLine-col-wordFrame, quoted)
		}
		dst = appendWord(dst, s[:size], quoted)
		s = s[size:]
	}
	return dst
}

// fittingBytes counts the bytes of the whole characters that fit into room.
func fittingBytes(s string, room int, quoted bool) int {
	if !quoted {
		room = room / 4 * 3
	}
	size := 0
	for size < len(s) {
		_, width := utf8.DecodeRuneInString(s[size:])
		cost := width
		if quoted {
			cost = quotedLength(s[size : size+width])
		}
		if cost > room {
			break
		}
		room -= cost
		size += width
	}
	return size
}

func appendWord(dst []byte, s string, quoted bool) []byte {
	if !quoted {
		dst = append(dst, "=?utf-8?B?"...)
		dst = base64.StdEncoding.AppendEncode(dst, []byte(s))
		return append(dst, "?="...)
	}
	dst = append(dst, "=?utf-8?Q?"...)
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == ' ':
			dst = append(dst, '_')
		case isWordSafe(c):
			dst = append(dst, c)
		default:
			dst = append(dst, '=', upperHex[c>>4], upperHex[c&15])
		}
	}
	return append(dst, "?="...)
}

// quotedLength is the length of s in the Q encoding.
func quotedLength(s string) int {
	length := 0
	for i := 0; i < len(s); i++ {
		if c := s[i]; c == ' ' || isWordSafe(c) {
			length++
		} else {
			length += 3
		}
	}
	return length
}

// isWordSafe reports whether a byte stands for itself in an encoded word, even
// in a phrase (RFC 2047, section 5, rule 3).
func isWordSafe(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' ||
		c == '!' || c == '*' || c == '+' || c == '-' || c == '/'
}

// appendMailbox appends "Name: "display" <addr>" (RFC 5322, section 3.4).
func appendMailbox(dst []byte, field, display, addr string) []byte {
	start := len(dst)
	dst = append(append(dst, field...), ": "...)
	display = cutDisplay(oneLine(display))
	if display == "" {
		if len(field)+2+len(addr) > foldAt {
			dst = append(dst[:len(dst)-1], "\r\n "...)
		}
		dst = append(dst, addr...)
		return append(dst, "\r\n"...)
	}
	dst = appendPhrase(dst, len(field)+2, display)
	col := len(dst) - max(start, bytes.LastIndexByte(dst, '\n')+1)
	if col+3+len(addr) > wordLine {
		dst = append(dst, "\r\n"...)
	}
	dst = append(append(dst, " <"...), addr...)
	return append(dst, ">\r\n"...)
}

// appendPhrase appends a name as a quoted string or, where that is long or not
// possible, as encoded words, which can be folded.
func appendPhrase(dst []byte, col int, display string) []byte {
	const quotedMost = 60 // characters between the quotes; chosen
	escapes := strings.Count(display, `"`) + strings.Count(display, `\`)
	if !isPrintable(display) || len(display)+escapes > quotedMost || strings.Contains(display, "=?") {
		return appendWords(dst, col, display)
	}
	dst = append(dst, '"')
	for i := 0; i < len(display); i++ {
		if display[i] == '"' || display[i] == '\\' {
			dst = append(dst, '\\')
		}
		dst = append(dst, display[i])
	}
	return append(dst, '"')
}

// cutDisplay shortens a name that is a book: servers cut long fields where they
// like (Postfix: header_size_limit), and then the address behind it is gone.
func cutDisplay(display string) string {
	const most = 255 // characters; as many as of a subject, more than two names have
	if len(display) <= most || utf8.RuneCountInString(display) <= most {
		return display
	}
	return strings.TrimSpace(string([]rune(display)[:most-1])) + "…"
}

// appendAngled appends "Name: <value>" and keeps the value in one piece. A
// value that does not fit gets a line of its own.
func appendAngled(dst []byte, name, value string) []byte {
	dst = append(append(dst, name...), ':')
	if len(name)+4+len(value) > foldAt {
		dst = append(dst, "\r\n"...)
	}
	dst = append(append(dst, " <"...), value...)
	return append(dst, ">\r\n"...)
}

// appendExtra appends a field that a caller adds. Its tokens are kept whole as
// long as a line can hold them, for the value may have a structure.
func appendExtra(dst []byte, h Header) ([]byte, error) {
	if !isFieldName(h.Name) {
		return dst, fmt.Errorf("compose: header name %q is not possible", h.Name)
	}
	value := oneLine(h.Value)
	if isPrintable(value) && len(h.Name)+2+len(value) <= maxLine {
		words := strings.Join(strings.Fields(value), " ")
		dst = append(append(dst, h.Name...), ": "...)
		dst = appendFolded(dst, len(h.Name)+2, words)
		return append(dst, "\r\n"...), nil
	}
	return appendField(dst, h.Name, value), nil
}

// isFieldName checks a field's name (RFC 5322, section 3.6.8).
func isFieldName(name string) bool {
	for i := 0; i < len(name); i++ {
		if name[i] <= ' ' || name[i] >= 0x7f || name[i] == ':' {
			return false
		}
	}
	return name != "" && len(name) <= 60
}
