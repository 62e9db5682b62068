package compose

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// lineLimit is the longest line of quoted-printable text without its soft
// break: 76 characters with the "=" (RFC 2045, section 6.7, rule 5).
const lineLimit = 75

const upperHex = "0123456789ABCDEF"

// appendQuoted appends s in quoted-printable (RFC 2045, section 6.7), which
// begins at column col, and returns the column where it ends; that is never
// beyond lineLimit, so that a soft break still fits. Line ends of any kind
// become CRLF. White space at the end of s is encoded, for a line end may
// follow, and so is the F of "From " at the beginning of a line, before which
// servers put a ">" (RFC 2049, section 3), to the harm of signatures. Characters
// are not split between lines; what is no UTF-8 becomes U+FFFD.
func appendQuoted(dst []byte, col int, s string) (out []byte, endCol int) {
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c == 'F' && (col == 0 || col == lineLimit) && strings.HasPrefix(s[i:], "From "):
			if col > 0 {
				dst = append(dst, "=\r\n"...)
			}
			dst, col = append(dst, "=46"...), len("=46")
			i++
		case c > ' ' && c < 0x7f && c != '=', (c == ' ' || c == '\t') && i+1 < len(s) && s[i+1] != '\n' && s[i+1] != '\r':
			if col == lineLimit {
				dst, col = append(dst, "=\r\n"...), 0
			}
			dst = append(dst, c)
			col++
			i++
		case c == '\r' && i+1 < len(s) && s[i+1] == '\n':
			i++
		case c == '\r' || c == '\n':
			dst, col = append(dst, "\r\n"...), 0
			i++
		default:
			size, encoded := 1, s[i:i+1]
			if c >= utf8.RuneSelf {
				var r rune
				r, size = utf8.DecodeRuneInString(s[i:])
				if encoded = s[i : i+size]; r == utf8.RuneError {
					encoded = "\ufffd"
				}
			}
			if col+3*len(encoded) > lineLimit {
				dst, col = append(dst, "=\r\n"...), 0
			}
			for _, b := range []byte(encoded) {
				dst = append(dst, '=', upperHex[b>>4], upperHex[b&15])
			}
			col += 3 * len(encoded)
			i += size
		}
	}
	return dst, col
}

// chunk is a literal text that has been encoded from column 0.
type chunk struct {
	bytes  []byte
	first  int  // characters before its first line end
	last   int  // characters after its last line end
	broken bool // it has a line end
}

func encodeChunk(s string) chunk {
	encoded, last := appendQuoted(nil, 0, s)
	c := chunk{bytes: encoded, first: len(encoded), last: last}
	if i := bytes.IndexByte(encoded, '\r'); i >= 0 {
		c.first, c.broken = i, true
	}
	return c
}

// quotedSink writes one body in quoted-printable. It is a liquid.Sink.
type quotedSink struct {
	dst    []byte
	col    int
	chunks []chunk
}

// Static appends an encoded chunk, on a line of its own when its first line no
// longer fits.
func (q *quotedSink) Static(index int) {
	c := &q.chunks[index]
	limit := lineLimit
	if c.broken { // the "=" of its soft break is counted in first
		limit++
	}
	if q.col > 0 && q.col+c.first > limit {
		q.dst, q.col = append(q.dst, "=\r\n"...), 0
	}
	q.dst = append(q.dst, c.bytes...)
	if c.broken {
		q.col = c.last
	} else {
		q.col += c.last
	}
}

// Dynamic encodes what differs between recipients.
func (q *quotedSink) Dynamic(s string) {
	q.dst, q.col = appendQuoted(q.dst, q.col, s)
}

// end finishes the last line.
func (q *quotedSink) end() {
	if q.col > 0 {
		q.dst, q.col = append(q.dst, "\r\n"...), 0
	}
}

// plainSink collects text without encoding it.
type plainSink struct {
	dst     []byte
	statics []string
}

// Static implements liquid.Sink.
func (p *plainSink) Static(index int) { p.dst = append(p.dst, p.statics[index]...) }

// Dynamic implements liquid.Sink.
func (p *plainSink) Dynamic(s string) { p.dst = append(p.dst, s...) }
