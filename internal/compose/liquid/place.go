package liquid

import "strings"

// place is where in an HTML document a piece of a template stands. It follows
// the tokenizer of the HTML standard as far as escaping needs it.
type place struct {
	mode    mode
	quote   byte   // of an attribute's value; 0 for none
	tag     string // the element's name, in lower case; "/" before a closing one
	attr    string // the attribute's name, in lower case
	settled bool   // the scheme of a URL can no longer change
	dynamic bool   // an output has been written to the value
}

type mode uint8

const (
	inText     mode = iota
	afterOpen       // after "<"
	inTagName       // <td
	inTag           // <td ·
	inAttrName      // <td al
	afterAttr       // <td align ·
	beforeVal       // <td align=
	inVal           // <td align="l
	inRaw           // the content of script and style
	inComment       // <!-- ·
	inMarkup        // <!doctype ·
	mixed           // unknown: branches came from different places
)

// maxName is how much of a tag's or attribute's name is kept; longer than all
// that matter.
const maxName = 16

// advance returns the place after text.
func (p place) advance(text string) place {
	for i := 0; i < len(text); {
		switch p.mode {
		case inText:
			open := strings.IndexByte(text[i:], '<')
			if open < 0 {
				return p
			}
			i += open + 1
			p = place{mode: afterOpen}
		case inRaw:
			end := indexFold(text[i:], "</"+p.tag)
			if end < 0 {
				return p
			}
			i += end + 2 + len(p.tag)
			p = place{mode: inTag, tag: "/"}
		case inComment:
			end := strings.Index(text[i:], "-->")
			if end < 0 {
				return p
			}
			i += end + 3
			p = place{}
		case mixed:
			return p
		case afterOpen:
			if strings.HasPrefix(text[i:], "!--") {
				i += 3
				p = place{mode: inComment}
				continue
			}
			p = p.step(text[i])
			i++
		default:
			p = p.step(text[i])
			i++
		}
	}
	return p
}

// step takes one byte of a tag.
func (p place) step(c byte) place {
	switch p.mode {
	case afterOpen:
		switch {
		case c == '!' || c == '?':
			return place{mode: inMarkup}
		case c == '/' || isLetter(c):
			return place{mode: inTagName, tag: string(lower(c))}
		case c == '<':
			return p
		}
		return place{}
	case inMarkup:
		if c == '>' {
			return place{}
		}
		return p
	case inVal:
		return p.stepValue(c)
	}
	if c == '>' {
		return p.endTag()
	}
	return p.stepTag(c)
}

// stepTag takes one byte between "<" and ">", outside of values.
func (p place) stepTag(c byte) place {
	space := isSpace(c) || c == '/' && p.mode != beforeVal
	switch p.mode {
	case inTagName:
		if space {
			return place{mode: inTag, tag: p.tag}
		}
		p.tag = appendName(p.tag, c)
	case inTag, afterAttr:
		switch {
		case space:
		case c == '=' && p.mode == afterAttr:
			p.mode = beforeVal
		default:
			p.mode, p.attr = inAttrName, string(lower(c))
		}
	case inAttrName:
		switch {
		case c == '=':
			p.mode = beforeVal
		case space:
			p.mode = afterAttr
		default:
			p.attr = appendName(p.attr, c)
		}
	case beforeVal:
		switch {
		case space:
		case c == '"' || c == '\'':
			p.mode, p.quote = inVal, c
		default:
			p.mode, p.quote = inVal, 0
			return p.stepValue(c)
		}
	}
	return p
}

// stepValue takes one byte of an attribute's value.
func (p place) stepValue(c byte) place {
	switch {
	case p.quote != 0 && c == p.quote, p.quote == 0 && isSpace(c):
		return place{mode: inTag, tag: p.tag}
	case p.quote == 0 && c == '>':
		return p.endTag()
	case strings.IndexByte("/?#:", c) >= 0:
		p.settled = true
	}
	return p
}

// endTag returns the place after the ">" of a tag.
func (p place) endTag() place {
	if p.tag == "script" || p.tag == "style" {
		return place{mode: inRaw, tag: p.tag}
	}
	return place{}
}

// afterOutput returns the place after an output.
func (p place) afterOutput() place {
	switch p.mode {
	case afterOpen:
		p.mode = inTagName
	case inTag, afterAttr:
		p.mode, p.attr = inAttrName, "?"
	case beforeVal:
		p.mode, p.quote, p.dynamic = inVal, 0, true
	case inVal:
		p.dynamic = true
	}
	return p
}

// join returns what is known where branches meet that ended at p and q.
func (p place) join(q place) place {
	if p == q {
		return p
	}
	if p.betweenAttrs() && q.betweenAttrs() {
		joined := place{mode: inTag, tag: p.tag}
		if p.tag != q.tag {
			joined.tag = "?"
		}
		return joined
	}
	if p.mode == beforeVal && q.mode == inVal && q.quote == 0 {
		p.mode = inVal
	}
	if q.mode == beforeVal && p.mode == inVal && p.quote == 0 {
		q.mode = inVal
	}
	if p.mode == inVal && q.mode == inVal {
		settled, dynamic := p.settled && q.settled, p.dynamic || q.dynamic
		p.settled, q.settled, p.dynamic, q.dynamic = settled, settled, dynamic, dynamic
		if p == q {
			return p
		}
	}
	return place{mode: mixed}
}

func (p place) betweenAttrs() bool {
	return p.mode == inTagName || p.mode == inTag || p.mode == inAttrName || p.mode == afterAttr
}

// escape returns how an output is to be escaped here.
func (p place) escape() escape {
	switch p.mode {
	case inText:
		return escape{kind: escapeText}
	case beforeVal, inVal:
	default:
		return escape{kind: escapeStrict}
	}
	e := escape{kind: escapeText, unquoted: p.quote == 0}
	switch {
	case p.attr == "style" || p.attr == "srcdoc" || p.attr == "srcset" || strings.HasPrefix(p.attr, "on"):
		e.kind = escapeStrict
	case !isURLAttr(p.attr) || p.settled:
	case p.dynamic:
		e.kind = escapeURLRest
	default:
		e.kind = escapeURLStart
	}
	return e
}

func isURLAttr(name string) bool {
	switch name {
	case "href", "src", "action", "formaction", "background", "cite", "poster", "data", "xlink:href":
		return true
	}
	return false
}

// htmlAnalysis finds the escaping of every output of an HTML template.
type htmlAnalysis struct {
	statics []string
	loops   int // that we are in
}

// walk goes through nodes that begin at p and returns where they end.
func (a *htmlAnalysis) walk(nodes []node, p place) place {
	for _, n := range nodes {
		switch n := n.(type) {
		case *static:
			p = p.advance(a.statics[n.index])
		case *output:
			n.escape = p.escape()
			p = p.afterOutput()
		case *branches:
			p = a.branches(n, p)
		case *loop:
			p = a.loop(n, p)
		}
	}
	return p
}

func (a *htmlAnalysis) branches(n *branches, p place) place {
	var end place
	exhaustive := false
	for i := range n.list {
		e := a.walk(n.list[i].body, p)
		if i == 0 {
			end = e
		} else {
			end = end.join(e)
		}
		exhaustive = exhaustive || len(n.list[i].conditions) == 0
	}
	if !exhaustive && len(n.list) > 0 {
		end = end.join(p)
	}
	if len(n.list) == 0 {
		return p
	}
	return end
}

// loop walks a body as often as its end changes what is known at its start. A
// second join with the same end changes nothing, so two rounds suffice; in
// loops of loops one does, or the rounds would multiply.
func (a *htmlAnalysis) loop(n *loop, p place) place {
	const precise = 3 // loops within loops; deeper is "mixed" when in doubt
	a.loops++
	start := p
	rounds := 2
	if a.loops > precise {
		rounds = 1
	}
	for joined := start.join(a.walk(n.body, start)); joined != start; joined = start.join(a.walk(n.body, start)) {
		start = joined
		if rounds--; rounds == 0 {
			start = place{mode: mixed}
		}
	}
	a.loops--
	if len(n.otherwise) == 0 {
		return start
	}
	return start.join(a.walk(n.otherwise, p))
}

func isSpace(c byte) bool  { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' }
func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

func appendName(name string, c byte) string {
	if len(name) >= maxName {
		return name
	}
	return name + string(lower(c))
}

// indexFold finds the ASCII text sub in s without regard to case.
func indexFold(s, sub string) int {
	for i := 0; i+len(sub) <= len(s); i++ {
		if s[i] == sub[0] && strings.EqualFold(s[i:i+len(sub)], sub) {
			return i
		}
	}
	return -1
}
