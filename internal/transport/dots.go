package transport

import "bytes"

// windowBytes is how far the end of a line is looked for at once: more than a
// line may have (RFC 5321, section 4.5.3.1.6: 1,000 octets), and little enough
// that a message without ends of lines does not take quadratic time.
const windowBytes = 1024

// stuffer turns a message into what goes between DATA and the final dot: every
// line ends in CRLF whatever ended it before (RFC 5321, section 2.3.8), and a
// line that begins with a dot gets a second one (section 4.5.2).
type stuffer struct {
	rest   []byte
	inLine bool // the last octet given out did not end a line
}

// fill appends to out as many lines as fit below limit octets. limit must be
// some windows larger than out.
func (s *stuffer) fill(out []byte, limit int) []byte {
	if !s.inLine && len(out)+len(s.rest) <= limit && isReady(s.rest) {
		out = append(out, s.rest...)
		s.rest = nil
		return out
	}
	for len(s.rest) > 0 && len(out)+windowBytes+3 <= limit {
		text, consumed, ended := cutLine(s.rest)
		if !s.inLine && len(text) > 0 && text[0] == '.' {
			out = append(out, '.')
		}
		out = append(out, text...)
		if ended {
			out = append(out, '\r', '\n')
		}
		s.inLine = !ended
		s.rest = s.rest[consumed:]
	}
	return out
}

// isReady reports whether text can go out as it is: whole lines that end in CRLF,
// none of which begins with a dot. What we compose nearly always is.
func isReady(text []byte) bool {
	if len(text) == 0 || text[0] == '.' || text[len(text)-1] != '\n' {
		return false
	}
	lines := 0
	for from := 0; from < len(text); lines++ {
		end := from + bytes.IndexByte(text[from:], '\n')
		if end == 0 || text[end-1] != '\r' || end+1 < len(text) && text[end+1] == '.' {
			return false
		}
		from = end + 1
	}
	return bytes.Count(text, []byte{'\r'}) == lines
}

// done reports whether all was given out.
func (s *stuffer) done() bool { return len(s.rest) == 0 }

// finish appends the end of the last line if it has none, and the final dot.
func (s *stuffer) finish(out []byte) []byte {
	if s.inLine {
		out = append(out, '\r', '\n')
	}
	return append(out, finalDot...)
}

const finalDot = ".\r\n"

// cutLine gives the text of the first line, or as much as the window shows, how
// much of rest that is with its end, and whether the end was there. CRLF, LF
// and CR end a line.
func cutLine(rest []byte) (text []byte, consumed int, ended bool) {
	window := rest[:min(len(rest), windowBytes)]
	lf := bytes.IndexByte(window, '\n')
	if lf >= 0 {
		window = window[:lf]
	}
	cr := bytes.IndexByte(window, '\r')
	switch {
	case cr < 0 && lf < 0:
		return window, len(window), false
	case cr < 0:
		return window, lf + 1, true
	case cr+1 < len(rest) && rest[cr+1] == '\n':
		return window[:cr], cr + 2, true
	}
	return window[:cr], cr + 1, true
}
