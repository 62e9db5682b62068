package liquid

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// operand is a literal or the path to a variable.
type operand struct {
	literal any    // when root is empty
	root    string // the variable's first name
	steps   []step
}

// step goes from a value to a part of it: .key or [index].
type step struct {
	key   string
	index *operand // nil for .key
}

// blank is the literal that equals everything without content.
type blank struct{}

// pipeline is an operand and the filters that it goes through.
type pipeline struct {
	operand operand
	filters []filterCall
}

type filterCall struct {
	filter   filter
	args     []operand
	standsIn bool // its result is never empty for want of a value
}

// condition is one comparison, and the word that joins it to the next.
type condition struct {
	left, right operand
	operator    string // "" when left alone decides
	join        string // "and", "or"; "" on the last
}

// What a path may be: a[b[c[…]]] and a.b.c…; chosen, nobody needs four.
const (
	maxIndexDepth = 8
	maxPathSteps  = 16
)

// scanner reads the expressions of one token.
type scanner struct {
	source string
	pos    int
	line   int
	seen   *[]Variable // where variables are noted
}

func (s *scanner) syntax() error {
	return fault("liquid_syntax", s.line, "near", shorten(s.source))
}

func (s *scanner) skipSpace() {
	for s.pos < len(s.source) && strings.IndexByte(" \t\r\n", s.source[s.pos]) >= 0 {
		s.pos++
	}
}

// atEnd reports whether nothing but space is left.
func (s *scanner) atEnd() bool {
	s.skipSpace()
	return s.pos == len(s.source)
}

// accept consumes text when it comes next.
func (s *scanner) accept(text string) bool {
	s.skipSpace()
	if !strings.HasPrefix(s.source[s.pos:], text) {
		return false
	}
	s.pos += len(text)
	return true
}

// acceptWord consumes a whole word when it comes next.
func (s *scanner) acceptWord(word string) bool {
	s.skipSpace()
	if s.peekWord() != word {
		return false
	}
	s.pos += len(word)
	return true
}

// peekWord returns the name at the position, or "".
func (s *scanner) peekWord() string {
	rest := s.source[s.pos:]
	for i, r := range rest {
		letter := r == '_' || unicode.IsLetter(r)
		inner := r == '-' || unicode.IsDigit(r) || unicode.IsMark(r)
		if !letter && (i == 0 || !inner) {
			return rest[:i]
		}
	}
	return rest
}

func (s *scanner) word() string {
	s.skipSpace()
	word := s.peekWord()
	s.pos += len(word)
	return word
}

// operand reads a literal or a path.
func (s *scanner) operand(depth int) (operand, error) {
	s.skipSpace()
	if s.pos == len(s.source) || depth > maxIndexDepth {
		return operand{}, s.syntax()
	}
	switch c := s.source[s.pos]; {
	case c == '"' || c == '\'':
		return s.stringLiteral(c)
	case c == '-' || c >= '0' && c <= '9':
		return s.number()
	}
	name := s.word()
	switch name {
	case "":
		return operand{}, s.syntax()
	case "true", "false":
		return operand{literal: name == "true"}, nil
	case "nil", "null":
		return operand{}, nil
	case "blank", "empty":
		return operand{literal: blank{}}, nil
	}
	return s.path(name, depth)
}

func (s *scanner) stringLiteral(quote byte) (operand, error) {
	start := s.pos + 1
	end := strings.IndexByte(s.source[start:], quote)
	if end < 0 {
		return operand{}, s.syntax()
	}
	s.pos = start + end + 1
	return operand{literal: s.source[start : start+end]}, nil
}

// number reads 12, -12 or 1.5; the two dots of a range are no part of it.
func (s *scanner) number() (operand, error) {
	start := s.pos
	if s.source[s.pos] == '-' {
		s.pos++
	}
	s.digits()
	rest := s.source[s.pos:]
	if len(rest) > 1 && rest[0] == '.' && rest[1] >= '0' && rest[1] <= '9' {
		s.pos++
		s.digits()
		f, err := strconv.ParseFloat(s.source[start:s.pos], 64)
		if err != nil {
			return operand{}, s.syntax()
		}
		return operand{literal: f}, nil
	}
	n, err := strconv.ParseInt(s.source[start:s.pos], 10, 64)
	if err != nil {
		return operand{}, s.syntax()
	}
	return operand{literal: n}, nil
}

func (s *scanner) digits() {
	for s.pos < len(s.source) && s.source[s.pos] >= '0' && s.source[s.pos] <= '9' {
		s.pos++
	}
}

// path reads what follows a variable's first name and notes the variable.
func (s *scanner) path(root string, depth int) (operand, error) {
	o := operand{root: root}
	full := root
	for s.pos < len(s.source) {
		switch rest := s.source[s.pos:]; {
		case len(o.steps) == maxPathSteps:
			return o, s.syntax()
		case rest[0] == '.' && !strings.HasPrefix(rest, ".."):
			s.pos++
			key := s.peekWord()
			if key == "" {
				return o, s.syntax()
			}
			s.pos += len(key)
			o.steps = append(o.steps, step{key: key})
			full += "." + key
		case rest[0] == '[':
			s.pos++
			index, err := s.operand(depth + 1)
			if err != nil {
				return o, err
			}
			if !s.accept("]") {
				return o, s.syntax()
			}
			o.steps = append(o.steps, step{index: &index})
		default:
			s.note(root, full)
			return o, nil
		}
	}
	s.note(root, full)
	return o, nil
}

func (s *scanner) note(root, path string) {
	*s.seen = append(*s.seen, Variable{Name: root, Path: path, Line: s.line})
}

// pipeline reads an operand and its filters up to the end.
func (s *scanner) pipeline() (pipeline, error) {
	var p pipeline
	var err error
	if p.operand, err = s.operand(0); err != nil {
		return p, err
	}
	for s.accept("|") {
		call, err := s.filter()
		if err != nil {
			return p, err
		}
		p.filters = append(p.filters, call)
	}
	if !s.atEnd() {
		return p, s.syntax()
	}
	return p, nil
}

// filter reads "name: argument, argument".
func (s *scanner) filter() (filterCall, error) {
	name := s.word()
	if name == "" {
		return filterCall{}, s.syntax()
	}
	known, ok := filters[name]
	if !ok {
		return filterCall{}, fault("liquid_unknown_filter", s.line, "filter", shorten(name))
	}
	call := filterCall{filter: known}
	for more := s.accept(":"); more; more = s.accept(",") {
		arg, err := s.operand(0)
		if err != nil {
			return call, err
		}
		call.args = append(call.args, arg)
	}
	call.standsIn = name == "default" && len(call.args) > 0
	if len(call.args) < known.least || len(call.args) > known.most {
		return call, s.syntax()
	}
	return call, nil
}

// operators in the order to try them: the longer first.
var operators = [...]string{"==", "!=", "<>", "<=", ">=", "<", ">"}

// conditions reads "a == b and c or d" up to the end.
func (s *scanner) conditions() ([]condition, error) {
	var all []condition
	for {
		c, err := s.comparison()
		if err != nil {
			return nil, err
		}
		switch {
		case s.acceptWord("and"):
			c.join = "and"
		case s.acceptWord("or"):
			c.join = "or"
		case s.atEnd():
			return append(all, c), nil
		default:
			return nil, s.syntax()
		}
		all = append(all, c)
	}
}

func (s *scanner) comparison() (condition, error) {
	var c condition
	var err error
	if c.left, err = s.operand(0); err != nil {
		return c, err
	}
	if s.acceptWord("contains") {
		c.operator = "contains"
	} else {
		for _, op := range operators {
			if s.accept(op) {
				c.operator = op
				break
			}
		}
	}
	if c.operator == "" {
		return c, nil
	}
	c.right, err = s.operand(0)
	return c, err
}

// operandList reads "a, b or c" up to the end, as a when tag has it.
func (s *scanner) operandList() ([]operand, error) {
	var all []operand
	for {
		o, err := s.operand(0)
		if err != nil {
			return nil, err
		}
		all = append(all, o)
		if s.atEnd() {
			return all, nil
		}
		if !s.accept(",") && !s.acceptWord("or") {
			return nil, s.syntax()
		}
	}
}

// capitalFirst upcases the first letter of s, which is in lower case.
func capitalFirst(s string) string {
	first, size := utf8.DecodeRuneInString(s)
	if size == 0 || first == utf8.RuneError {
		return s
	}
	return string(unicode.ToTitle(first)) + s[size:]
}
