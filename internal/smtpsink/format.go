package smtpsink

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

// CheckMessage lists what is wrong with the format of a message: its header
// (RFC 5322; of lists RFC 2369, 2919 and 8058), its encoded words (RFC 2047)
// and its parts (RFC 2045, 2046 and 2231). It is stricter than the standards
// where a careful sender is: it wants all fields that a mailing has, and lines
// of 78 characters where they could be folded. With utf8 the header may hold
// UTF-8 (RFC 6532). Each kind of breach is told once.
func CheckMessage(data []byte, utf8 bool) []string {
	i := inspection{utf8: utf8}
	fields, body, ok := i.cutHeader(data)
	if !ok {
		return i.found
	}
	i.checkFields(fields)
	i.checkPart(fields, body, 0)
	return i.found
}

// inspection collects what is found in one message.
type inspection struct {
	utf8  bool
	found []string
}

func (i *inspection) object(format string, args ...any) {
	if what := fmt.Sprintf(format, args...); !slices.Contains(i.found, what) {
		i.found = append(i.found, what)
	}
}

// field is a field of a header with its value as it stands, folds and all.
type field struct {
	name  string
	value string // unfolded: without CRLF, with the white space after it
}

// Lengths of lines, without CRLF.
const (
	shouldLine = 78 // RFC 5322, section 2.1.1
	codedLine  = 76 // RFC 2045, sections 6.7 and 6.8; RFC 2047, section 2
	codedWord  = 75 // RFC 2047, section 2
)

// cutHeader parts the header of a message or part from its body.
func (i *inspection) cutHeader(data []byte) (fields []field, body []byte, ok bool) {
	var value []byte // of the last field so far
	finish := func() {
		if len(fields) > 0 {
			fields[len(fields)-1].value = string(value)
		}
	}
	for rest := data; ; {
		line, after, found := bytes.Cut(rest, []byte("\r\n"))
		if !found {
			i.object("header without an empty line behind it")
			return fields, nil, false
		}
		rest = after
		if len(line) == 0 {
			finish()
			return fields, rest, true
		}
		text := string(line)
		i.checkHeaderLine(text)
		switch name, first, isField := strings.Cut(text, ":"); {
		case text[0] == ' ' || text[0] == '\t':
			if len(fields) == 0 {
				i.object("header that begins with a continued line")
				continue
			}
			value = append(value, text...)
		case !isField || !isFieldName(name):
			i.object("line in the header that is no field: %.40q", text)
		default:
			finish()
			fields, value = append(fields, field{name: name}), append(value[:0], first...)
		}
	}
}

// isFieldName checks a name (RFC 5322, section 3.6.8).
func isFieldName(name string) bool {
	return name != "" && !strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r >= 127 })
}

func (i *inspection) checkHeaderLine(line string) {
	name, value, _ := strings.Cut(line, ":")
	if line[0] == ' ' || line[0] == '\t' {
		name, value = "a continued line", line
	}
	if len(line) > maxLineBytes {
		i.object("%s has more than 998 octets", name)
	}
	// A break is possible before white space that has text on both sides.
	if len(line) > shouldLine && strings.ContainsAny(strings.TrimSpace(value), " \t") {
		i.object("%s has more than 78 characters and could be folded", name)
	}
	if strings.TrimSpace(line) == "" {
		i.object("line of white space in the header")
	} else if strings.TrimSpace(value) != "" && strings.TrimRight(line, " \t") != line {
		i.object("%s ends in white space", name)
	}
	for at := range len(line) {
		switch c := line[at]; {
		case c == 127 || c < ' ' && c != '\t':
			i.object("%s has a control character", name)
		case c > 127 && !i.utf8:
			i.object("%s is not ASCII", name)
		}
	}
	if words := encodedWords(line); len(words) > 0 && len(line) > codedLine {
		i.object("%s has an encoded word on a line of more than 76 characters", name)
	}
}
