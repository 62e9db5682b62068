package dkim

import (
	"bytes"
	"crypto/sha256"
	"encoding"
	"encoding/binary"
	"hash"
)

// Opening is what the bodies of several messages begin with, and the hash of it,
// worked out once. It does not change and is safe for concurrent use.
type Opening struct {
	text  []byte
	state []byte // of the hash behind text
}

// NewOpening hashes what bodies begin with: the whole body, where it is the same
// for all. It returns nil when that is not even one line, which spares nothing.
func NewOpening(shared []byte) *Opening {
	// White space at the end of a line may go on in what follows, and empty lines
	// count only when a line that is not empty follows.
	text := withoutBlankEnd(shared)
	text = text[:bytes.LastIndexByte(text, '\n')+1]
	if len(text) == 0 {
		return nil
	}
	h := sha256.New()
	writeRelaxed(h, text)
	state, err := h.(encoding.BinaryMarshaler).MarshalBinary()
	if err != nil {
		panic(err) // crypto/sha256 promises it
	}
	return &Opening{text: bytes.Clone(text), state: state}
}

// hashBody returns the hash of the body in the relaxed form (RFC 6376, section
// 3.4.4) and in h, which it overwrites. A body that does not begin with the
// opening is hashed from its beginning.
func hashBody(h hash.Hash, sum []byte, body []byte, opening *Opening) []byte {
	text := withoutBlankEnd(body)
	if opening != nil && bytes.HasPrefix(text, opening.text) {
		if err := h.(encoding.BinaryUnmarshaler).UnmarshalBinary(opening.state); err != nil {
			panic(err) // it was marshalled by the same package
		}
		text = text[len(opening.text):]
	} else {
		h.Reset()
	}
	if len(text) > 0 {
		writeRelaxed(h, text)
		h.Write(lineEnd)
	}
	return h.Sum(sum)
}

var (
	lineEnd    = []byte("\r\n")
	space      = []byte(" ")
	twoSpaces  = []byte("  ")
	spaceAndCR = []byte(" \r")
)

// withoutBlankEnd cuts off empty lines at the end, the last line end, and white
// space before it.
func withoutBlankEnd(body []byte) []byte {
	end := len(body)
	for end > 0 && (isSpace(body[end-1]) || end > 1 && body[end-1] == '\n' && body[end-2] == '\r') {
		if body[end-1] == '\n' {
			end--
		}
		end--
	}
	return body[:end]
}

// writeRelaxed writes text with every sequence of white space as one space, and
// without any at the ends of lines. Most text is so already, whole or but for a
// few lines, and what is so is written in one piece.
func writeRelaxed(h hash.Hash, text []byte) {
	if isRelaxed(text) {
		h.Write(text)
		return
	}
	start := 0
	for at := 0; at < len(text); {
		end := len(text)
		if size := bytes.IndexByte(text[at:], '\n'); size >= 0 {
			end = at + size + 1
		}
		if line := text[at:end]; !isRelaxed(line) {
			h.Write(text[start:at])
			writeRelaxedLine(h, line)
			start = end
		}
		at = end
	}
	h.Write(text[start:])
}

// isRelaxed reports whether text has no tab, and no space before another one or
// before a CR. It looks at eight bytes at once, since byte for byte this takes
// longer than the hash. It may report false without need.
func isRelaxed(text []byte) bool {
	if bytes.IndexByte(text, '\t') >= 0 {
		return false
	}
	for len(text) > 8 {
		these, next := binary.LittleEndian.Uint64(text), binary.LittleEndian.Uint64(text[1:])
		if marks(these, ' ')&(marks(next, ' ')|marks(next, '\r')) != 0 {
			return false
		}
		text = text[8:]
	}
	return !bytes.Contains(text, twoSpaces) && !bytes.Contains(text, spaceAndCR)
}

// marks has the highest bit of every byte set that is c. A byte above such a one
// may be marked, too.
func marks(word uint64, c byte) uint64 {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	zero := word ^ ones*uint64(c)
	return (zero - ones) &^ zero & highs
}

// writeRelaxedLine writes a line, which need not have an end.
func writeRelaxedLine(h hash.Hash, line []byte) {
	start := 0
	for i := 0; i < len(line); i++ {
		if !isSpace(line[i]) {
			continue
		}
		end := i + 1
		for end < len(line) && isSpace(line[end]) {
			end++
		}
		h.Write(line[start:i])
		if !bytes.Equal(line[end:], lineEnd) {
			h.Write(space)
		}
		start, i = end, end-1
	}
	h.Write(line[start:])
}

// appendRelaxedField appends one field, with its line end, in the relaxed form
// (RFC 6376, section 3.4.2): the name in lower case, unfolded, with single
// spaces, and none around the colon or at the end.
func appendRelaxedField(dst, field []byte) []byte {
	colon := max(bytes.IndexByte(field, ':'), 0)
	for _, c := range bytes.TrimRight(field[:colon], " \t") {
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		dst = append(dst, c)
	}
	dst = append(dst, ':')
	pending, begun := false, false
	for _, c := range field[colon+1:] {
		if isSpace(c) || c == '\r' || c == '\n' {
			pending = begun
			continue
		}
		if pending {
			dst = append(dst, ' ')
		}
		dst = append(dst, c)
		pending, begun = false, true
	}
	return append(dst, "\r\n"...)
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' }
