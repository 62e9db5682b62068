package liquid

import (
	"strings"

	"vestnik/internal/mailing"
)

// Template is a compiled template. It does not change and may be rendered by
// many goroutines at once.
type Template struct {
	nodes     []node
	statics   []string
	variables []Variable
	header    bool
	lang      string
}

// Variable is a variable that a template asks its caller for. Variables that
// assign or for make are not among them.
type Variable struct {
	Name string // the first name: "mailing"
	Path string // as far as it is constant: "mailing.name"
	Line int
}

// Compile compiles a template.
func Compile(source string, o Options) (*Template, error) {
	tokens, err := Tokens(source, o.Context == HTML)
	if err != nil {
		return nil, err
	}
	return Build(tokens, o)
}

// Build compiles tokens. A caller may have changed their texts or put others
// between them.
func Build(tokens []Token, o Options) (*Template, error) {
	p := parser{tokens: tokens}
	nodes, err := p.block(nil, 0)
	if err != nil {
		return nil, err
	}
	t := &Template{
		nodes: nodes, statics: p.statics, lang: o.Lang,
		variables: p.outside(), header: o.Context == Header,
	}
	if o.Context == HTML {
		a := htmlAnalysis{statics: p.statics}
		a.walk(t.nodes, place{})
	}
	return t, nil
}

// Statics returns the literal texts by the number that a Sink gets.
func (t *Template) Statics() []string { return t.statics }

// Fixed returns how many of the Statics every rendering begins with, counted
// from the first, and whether that is all that it consists of.
func (t *Template) Fixed() (count int, all bool) {
	for _, n := range t.nodes {
		if _, literal := n.(*static); !literal {
			return count, false
		}
		count++
	}
	return count, true
}

// Variables lists every use of a variable from outside, in the order of the
// source.
func (t *Template) Variables() []Variable { return t.variables }

// node is a part of a template: *static, *output, *branches, *loop or *assign.
type node any

type static struct {
	index int
}

type output struct {
	line int
	pipeline
	escape escape
}

// branches is if, unless and case: the first that holds is rendered.
type branches struct {
	line int
	list []branch
}

type branch struct {
	conditions []condition // none: the else
	negated    bool        // unless
	body       []node
}

type loop struct {
	line          int
	variable      string
	list          operand // or the range
	from, to      *operand
	limit, offset *operand
	reversed      bool
	body          []node
	otherwise     []node // when there is nothing to go through
}

type assign struct {
	line int
	name string
	pipeline
}

type parser struct {
	tokens  []Token
	pos     int
	statics []string
	seen    []Variable
	local   map[string]bool // made by assign and for
}

// outside returns the variables that the template does not make itself.
func (p *parser) outside() []Variable {
	var list []Variable
	for _, v := range p.seen {
		if !p.local[v.Name] && v.Name != "forloop" {
			list = append(list, v)
		}
	}
	return list
}

func (p *parser) own(name string) {
	if p.local == nil {
		p.local = map[string]bool{}
	}
	p.local[name] = true
}

func (p *parser) scan(t *Token) *scanner {
	return &scanner{source: t.Text, line: t.Line, seen: &p.seen}
}

// enders are the tags that end or divide a block, by the name of its opener.
var enders = map[string][]string{
	"if":     {"elsif", "else", "endif"},
	"unless": {"elsif", "else", "endunless"},
	"case":   {"when", "else", "endcase"},
	"for":    {"else", "endfor"},
}

// block parses until a tag that ends the block of opener, and leaves it as the
// token before the position. At the top, where opener is nil, it parses to the
// end.
func (p *parser) block(opener *Token, depth int) ([]node, error) {
	if depth > MaxDepth {
		return nil, fault("liquid_too_deep", opener.Line, "max", MaxDepth)
	}
	var nodes []node
	for p.pos < len(p.tokens) {
		t := &p.tokens[p.pos]
		p.pos++
		if t.Kind == Text {
			nodes = p.text(nodes)
			continue
		}
		if t.Kind == Tag && opener != nil && endsBlock(opener.Name, t.Name) {
			return nodes, nil
		}
		n, err := p.node(t, opener, depth)
		if err != nil {
			return nil, err
		}
		nodes = append(nodes, n)
	}
	if opener != nil {
		return nil, unclosed(opener)
	}
	return nodes, nil
}

func unclosed(opener *Token) *mailing.Error {
	return fault("liquid_unclosed", opener.Line, "tag", opener.Name)
}

func endsBlock(opener, name string) bool {
	for _, ender := range enders[opener] {
		if ender == name {
			return true
		}
	}
	return false
}

// text appends the literal text before the position, together with those that
// follow it at once.
func (p *parser) text(nodes []node) []node {
	var all strings.Builder
	all.WriteString(p.tokens[p.pos-1].Text)
	for ; p.pos < len(p.tokens) && p.tokens[p.pos].Kind == Text; p.pos++ {
		all.WriteString(p.tokens[p.pos].Text)
	}
	p.statics = append(p.statics, all.String())
	return append(nodes, &static{index: len(p.statics) - 1})
}

// node parses one output or tag, with all that belongs to it.
func (p *parser) node(t, opener *Token, depth int) (node, error) {
	if t.Kind == Output {
		pipe, err := p.scan(t).pipeline()
		return &output{line: t.Line, pipeline: pipe}, err
	}
	switch t.Name {
	case "if", "unless":
		return p.parseIf(t, depth)
	case "case":
		return p.parseCase(t, depth)
	case "for":
		return p.parseFor(t, depth)
	case "assign":
		return p.parseAssign(t)
	}
	return nil, stray(t, opener)
}

// stray explains a tag that cannot stand where it stands.
func stray(t, opener *Token) *mailing.Error {
	for _, names := range enders {
		for _, name := range names {
			if name != t.Name {
				continue
			}
			if opener != nil && strings.HasPrefix(name, "end") {
				return unclosed(opener)
			}
			return fault("liquid_syntax", t.Line, "near", t.Name)
		}
	}
	return fault("liquid_unknown_tag", t.Line, "tag", shorten(t.Name))
}

// ended returns the tag that ended the block just parsed.
func (p *parser) ended() *Token { return &p.tokens[p.pos-1] }

func (p *parser) parseIf(t *Token, depth int) (node, error) {
	n := &branches{line: t.Line}
	conditions, err := p.scan(t).conditions()
	if err != nil {
		return nil, err
	}
	current := branch{conditions: conditions, negated: t.Name == "unless"}
	for afterElse := false; ; {
		if current.body, err = p.block(t, depth+1); err != nil {
			return nil, err
		}
		n.list = append(n.list, current)
		end := p.ended()
		current = branch{}
		switch {
		case end.Name == "end"+t.Name:
			return n, nil
		case afterElse:
			return nil, fault("liquid_syntax", end.Line, "near", end.Name)
		case end.Name == "else":
			afterElse = true
		default:
			if current.conditions, err = p.scan(end).conditions(); err != nil {
				return nil, err
			}
		}
	}
}

func (p *parser) parseCase(t *Token, depth int) (node, error) {
	s := p.scan(t)
	subject, err := s.operand(0)
	if err != nil {
		return nil, err
	}
	if !s.atEnd() {
		return nil, s.syntax()
	}
	if _, err := p.block(t, depth+1); err != nil { // what stands before the first when is dropped
		return nil, err
	}
	n := &branches{line: t.Line}
	for {
		end := p.ended()
		if end.Name == "endcase" {
			return n, nil
		}
		var current branch
		if end.Name == "when" {
			if current.conditions, err = p.when(end, subject); err != nil {
				return nil, err
			}
		}
		if current.body, err = p.block(t, depth+1); err != nil {
			return nil, err
		}
		n.list = append(n.list, current)
	}
}

// when turns the values of a when tag into conditions joined by or.
func (p *parser) when(t *Token, subject operand) ([]condition, error) {
	values, err := p.scan(t).operandList()
	if err != nil {
		return nil, err
	}
	list := make([]condition, len(values))
	for i, v := range values {
		list[i] = condition{left: subject, operator: "==", right: v, join: "or"}
	}
	list[len(list)-1].join = ""
	return list, nil
}

func (p *parser) parseFor(t *Token, depth int) (node, error) {
	n := &loop{line: t.Line}
	s := p.scan(t)
	n.variable = s.word()
	if n.variable == "" || !s.acceptWord("in") {
		return nil, s.syntax()
	}
	if err := n.source(s); err != nil {
		return nil, err
	}
	if err := n.modifiers(s); err != nil {
		return nil, err
	}
	p.own(n.variable)
	var err error
	if n.body, err = p.block(t, depth+1); err != nil {
		return nil, err
	}
	if p.ended().Name == "endfor" {
		return n, nil
	}
	if n.otherwise, err = p.block(t, depth+1); err != nil {
		return nil, err
	}
	if end := p.ended(); end.Name != "endfor" {
		return nil, fault("liquid_syntax", end.Line, "near", end.Name)
	}
	return n, nil
}

// source reads what a loop goes through: a variable or (from..to).
func (n *loop) source(s *scanner) (err error) {
	if !s.accept("(") {
		n.list, err = s.operand(0)
		return err
	}
	from, err := s.operand(0)
	if err != nil {
		return err
	}
	if !s.accept("..") {
		return s.syntax()
	}
	to, err := s.operand(0)
	if err != nil {
		return err
	}
	if !s.accept(")") {
		return s.syntax()
	}
	n.from, n.to = &from, &to
	return nil
}

// modifiers reads reversed, limit: n and offset: n, in any order.
func (n *loop) modifiers(s *scanner) error {
	for !s.atEnd() {
		s.accept(",")
		var target **operand
		switch {
		case s.acceptWord("reversed"):
			n.reversed = true
			continue
		case s.acceptWord("limit"):
			target = &n.limit
		case s.acceptWord("offset"):
			target = &n.offset
		default:
			return s.syntax()
		}
		if !s.accept(":") {
			return s.syntax()
		}
		value, err := s.operand(0)
		if err != nil {
			return err
		}
		*target = &value
	}
	return nil
}

func (p *parser) parseAssign(t *Token) (node, error) {
	s := p.scan(t)
	n := &assign{line: t.Line, name: s.word()}
	if n.name == "" || !s.accept("=") {
		return nil, s.syntax()
	}
	var err error
	if n.pipeline, err = s.pipeline(); err != nil {
		return nil, err
	}
	p.own(n.name)
	return n, nil
}
