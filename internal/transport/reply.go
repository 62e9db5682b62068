package transport

import (
	"bufio"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"vestnik/internal/mailing"
)

// Limits of what we read as one reply. RFC 5321, section 4.5.3.1.5 allows 512
// octets a line; servers exceed it with long explanations, so eight times as
// much is read. The other two are chosen, far above what servers send.
const (
	maxReplyLineBytes = 4096
	maxReplyLines     = 100
	maxReplyBytes     = 64 << 10
)

// garbageError says that what came is not a reply by RFC 5321, section 4.2, or
// not one that can follow what we said.
type garbageError struct{ what string }

func (e *garbageError) Error() string { return e.what }

func garbage(format string, args ...any) error {
	return &garbageError{what: fmt.Sprintf(format, args...)}
}

// readReply reads one reply with all its lines. in must have a buffer of
// maxReplyLineBytes. The error is that of reading, or a *garbageError.
func readReply(in *bufio.Reader) (mailing.Reply, error) {
	var reply mailing.Reply
	var text []byte
	for lines := 1; ; lines++ {
		line, err := in.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			return mailing.Reply{}, garbage("a reply line of more than %d octets: %q", maxReplyLineBytes, line[:80])
		}
		if err != nil {
			return mailing.Reply{}, err
		}
		code, rest, more, ok := cutReplyLine(line)
		if !ok {
			return mailing.Reply{}, garbage("not a reply: %q", line[:min(len(line), 80)])
		}
		if lines > 1 && code != reply.Code {
			return mailing.Reply{}, garbage("a reply with two codes, %d and %d", reply.Code, code)
		}
		reply.Code = code
		enhanced, rest := cutEnhanced(code, rest)
		if reply.Enhanced == "" {
			reply.Enhanced = string(enhanced)
		}
		if lines == 1 && !more {
			reply.Text = cleanText(rest)
			return reply, nil
		}
		text = append(append(text, rest...), '\n')
		if !more {
			reply.Text = cleanText(text[:len(text)-1])
			return reply, nil
		}
		if lines == maxReplyLines || len(text) > maxReplyBytes {
			return mailing.Reply{}, garbage("a reply without end")
		}
	}
}

// cutReplyLine takes "250-text\r\n" apart. The first digit is 2 to 5 (RFC 5321,
// section 4.2.1); about the second we are tolerant, since servers invent codes
// like 571. A code alone is complete.
func cutReplyLine(line []byte) (code int, text []byte, more, ok bool) {
	line = line[:len(line)-1]
	if n := len(line); n > 0 && line[n-1] == '\r' {
		line = line[:n-1]
	}
	if len(line) < 3 || line[0] < '2' || line[0] > '5' || !isDigit(line[1]) || !isDigit(line[2]) {
		return 0, nil, false, false
	}
	code = int(line[0]-'0')*100 + int(line[1]-'0')*10 + int(line[2]-'0')
	if len(line) == 3 {
		return code, nil, false, true
	}
	if line[3] != ' ' && line[3] != '-' {
		return 0, nil, false, false
	}
	return code, line[4:], line[3] == '-', true
}

// cutEnhanced takes "5.1.1 text" apart (RFC 3463, section 2: one digit, then one
// to three, then one to three). It is an enhanced code only when its class is
// that of the reply (RFC 2034, section 4); else all is text.
func cutEnhanced(code int, line []byte) (enhanced, text []byte) {
	if len(line) < 5 || int(line[0]-'0') != code/100 || line[0] == '3' || line[1] != '.' {
		return nil, line
	}
	subject := digits(line[2:])
	end := 2 + subject
	if subject == 0 || end >= len(line) || line[end] != '.' {
		return nil, line
	}
	detail := digits(line[end+1:])
	end += 1 + detail
	if detail == 0 || end < len(line) && line[end] != ' ' {
		return nil, line
	}
	return line[:end], line[min(end+1, len(line)):]
}

// digits counts the digits line begins with; 0 when there are more than three.
func digits(line []byte) int {
	n := 0
	for n < len(line) && isDigit(line[n]) {
		n++
	}
	if n > 3 {
		return 0
	}
	return n
}

func isDigit(b byte) bool { return '0' <= b && b <= '9' }

// cleanText makes valid UTF-8 without control characters of what a server said;
// lines stay. It ends up in a database and on pages.
func cleanText(said []byte) string {
	if isPlain(said) {
		return string(said)
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == utf8.RuneError:
			return r
		case r == '\t':
			return ' '
		case unicode.IsControl(r) || unicode.Is(unicode.Cf, r):
			return -1
		}
		return r
	}, string(said))
}

func isPlain(said []byte) bool {
	for _, b := range said {
		if b != '\n' && (b < ' ' || b > '~') {
			return false
		}
	}
	return true
}
