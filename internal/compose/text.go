package compose

import (
	"strconv"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"vestnik/internal/compose/liquid"
)

// htmlToText makes the plain text twin of HTML, at the time of compiling and
// with the merge fields in place. It goes by the tags as they are written and
// builds no tree, for a tree would move merge fields that stand between the
// rows of a table. Every Liquid tag is kept, in order, so that what was
// balanced stays so; fields in attributes that text does not show are dropped.
func htmlToText(tokens []liquid.Token) []liquid.Token {
	source, m := mark(tokens)
	w := textWriter{marks: m}
	written := &marks{prefix: sentinel + m.prefix, tokens: m.tokens}
	z := html.NewTokenizer(strings.NewReader(source))
	for read := 0; ; {
		kind := z.Next()
		if kind == html.ErrorToken { // the end, perhaps within a tag
			w.tags(source[read:])
			return written.restore(w.out.String())
		}
		raw := string(z.Raw())
		read += len(raw)
		switch kind {
		case html.TextToken:
			w.text(string(z.Text()))
		case html.StartTagToken, html.SelfClosingTagToken:
			w.open(z.Token(), raw)
		case html.EndTagToken:
			w.close(z.Token())
			w.tags(raw)
		default:
			w.tags(raw)
		}
	}
}

// sentinel stands before the marks in written text, so that letters which come
// together only there make no mark; and around tags in Markdown. It is a
// noncharacter (Unicode 23.7) and removed from literal text.
const sentinel = "\ufdd0"

// textWriter writes text as a person would type it. Breaks and spaces wait
// until there is something to separate, which puts them inside of the block
// that a Liquid tag opens: a paragraph left out takes its break with it.
type textWriter struct {
	marks   *marks
	out     strings.Builder
	breaks  int    // line ends that wait
	space   bool   // a space waits
	cell    bool   // the mark between two cells waits
	started bool   // something has been written
	bullet  bool   // the last thing written is a list's bullet
	hidden  string // the element whose content is not shown
	quotes  int    // depth of blockquotes
	pre     int    // depth of preformatted text
	lists   []int  // the next number of each open list; 0 in one with bullets
	link    *link
}

// link is an open <a>. There is at most one: HTML has no links in links.
type link struct {
	href  string
	start int // of its text
}

// text writes text between tags.
func (w *textWriter) text(s string) {
	if w.hidden != "" {
		w.tags(s)
		return
	}
	s = strings.ReplaceAll(s, sentinel, "")
	for s != "" {
		start, end, token := w.marks.next(s)
		w.words(s[:start])
		switch {
		case token == nil:
		case token.Kind == liquid.Tag:
			w.tag(s[start:end], token)
		default:
			w.write(sentinel + s[start:end])
		}
		s = s[end:]
	}
}

// words writes literal text, white space collapsed except in <pre>.
func (w *textWriter) words(s string) {
	for s != "" {
		end := strings.IndexAny(s, " \t\r\n\f")
		if end != 0 {
			if end < 0 {
				end = len(s)
			}
			w.write(s[:end])
			s = s[end:]
			continue
		}
		switch {
		case w.pre > 0 && s[0] == '\n':
			w.breaks++
		case w.pre > 0:
			w.write(s[:1])
		default:
			w.space = true
		}
		s = s[1:]
	}
}

// write writes something visible, after what waits.
func (w *textWriter) write(s string) {
	switch {
	case w.breaks > 0:
		if w.started {
			w.out.WriteString(strings.Repeat("\n", w.breaks))
		}
		w.startLine()
	case !w.started:
		w.startLine()
	case w.cell:
		w.out.WriteString(" | ")
	case w.space && !w.bullet:
		w.out.WriteByte(' ')
	}
	w.breaks, w.space, w.cell, w.bullet, w.started = 0, false, false, false, true
	w.out.WriteString(s)
}

func (w *textWriter) startLine() {
	const deepest = 10 // levels that are shown
	w.out.WriteString(strings.Repeat("> ", min(w.quotes, deepest)))
	if len(w.lists) > 1 {
		w.out.WriteString(strings.Repeat("  ", min(len(w.lists), deepest)-1))
	}
}

// tag writes a Liquid tag, which is not visible. Of the empty line before a
// loop one break goes in front of it, so that its items are not set apart; and
// the items of a loop at the very beginning need a break between them too.
func (w *textWriter) tag(name string, token *liquid.Token) {
	if token.Name == "for" {
		if w.breaks > 1 {
			w.breaks = 1
			if w.started {
				w.out.WriteByte('\n')
			}
		}
		w.started = true
	}
	w.out.WriteString(sentinel + name)
}

// tags writes the Liquid tags in raw, but for those in the excepted texts.
func (w *textWriter) tags(raw string, except ...string) {
	for raw != "" {
		start, end, token := w.marks.next(raw)
		if token != nil && token.Kind == liquid.Tag && !strings.Contains(strings.Join(except, " "), raw[start:end]) {
			w.tag(raw[start:end], token)
		}
		raw = raw[end:]
	}
}

// lineBreaks makes sure of that many line ends before what comes next.
func (w *textWriter) lineBreaks(count int) {
	if count == 0 { // an element within a line
		return
	}
	if !w.bullet {
		w.breaks = max(w.breaks, count)
	}
	w.space, w.cell = false, false
}

// open handles a start tag.
func (w *textWriter) open(t html.Token, raw string) {
	switch t.DataAtom {
	case atom.A:
		href := w.showable(attribute(t, "href"))
		w.tags(raw, href)
		w.link = &link{href: href, start: w.out.Len()}
		return
	case atom.Img:
		alt := w.showable(attribute(t, "alt"))
		w.tags(raw, alt)
		if alt != "" {
			w.text(alt)
		}
		return
	}
	w.tags(raw)
	switch t.DataAtom {
	case atom.Style, atom.Script, atom.Title, atom.Textarea, atom.Iframe:
		if t.Type == html.StartTagToken {
			w.hidden = t.Data
		}
	case atom.Br:
		w.breaks = min(w.breaks+1, 2)
		w.space = false
	case atom.Hr:
		w.lineBreaks(2)
		w.write("----------")
		w.lineBreaks(2)
	case atom.Li:
		w.item()
	case atom.Ul, atom.Ol:
		w.openList(t.DataAtom)
	case atom.Td, atom.Th:
		w.cell = w.breaks == 0 && w.started
	case atom.Blockquote:
		w.lineBreaks(2)
		w.quotes++
	case atom.Pre:
		w.lineBreaks(2)
		w.pre++
	default:
		w.lineBreaks(breaksAround(t.DataAtom))
	}
}

func (w *textWriter) openList(kind atom.Atom) {
	if len(w.lists) == 0 {
		w.lineBreaks(2)
	} else {
		w.lineBreaks(1)
	}
	first := 0
	if kind == atom.Ol {
		first = 1
	}
	w.lists = append(w.lists, first)
}

// item begins an item of a list.
func (w *textWriter) item() {
	w.lineBreaks(1)
	bullet := "- "
	if last := len(w.lists) - 1; last >= 0 && w.lists[last] > 0 {
		bullet = strconv.Itoa(w.lists[last]) + ". "
		w.lists[last]++
	}
	w.write(bullet)
	w.bullet = true
}

// close handles an end tag.
func (w *textWriter) close(t html.Token) {
	if w.hidden != "" {
		if t.Data == w.hidden {
			w.hidden = ""
		}
		return
	}
	switch t.DataAtom {
	case atom.A:
		w.closeLink()
	case atom.Ul, atom.Ol:
		if len(w.lists) > 0 {
			w.lists = w.lists[:len(w.lists)-1]
		}
		w.bullet = false
		w.lineBreaks(2)
		if len(w.lists) > 0 {
			w.breaks = 1
		}
	case atom.Blockquote:
		w.quotes = max(w.quotes-1, 0)
		w.lineBreaks(2)
	case atom.Pre:
		w.pre = max(w.pre-1, 0)
		w.lineBreaks(2)
	case atom.Li:
		w.bullet = false
		w.lineBreaks(1)
	default:
		w.lineBreaks(breaksAround(t.DataAtom))
	}
}

// closeLink writes where a link leads, unless its text says so.
func (w *textWriter) closeLink() {
	l := w.link
	w.link = nil
	if l == nil || l.href == "" || strings.HasPrefix(l.href, "#") {
		return
	}
	shown := strings.TrimSpace(strings.ReplaceAll(w.out.String()[l.start:], sentinel, ""))
	switch {
	case shown == "":
		w.text(l.href)
	case strings.HasSuffix(w.unmarked(shown), w.unmarked(strings.TrimPrefix(strings.TrimPrefix(l.href, "mailto:"), "tel:"))):
	default:
		w.space, w.breaks = true, 0
		w.write("(")
		w.text(l.href)
		w.write(")")
	}
}

// unmarked is s with what its merge fields say in place of their marks: each has a mark of
// its own, also where two of them are the same.
func (w *textWriter) unmarked(s string) string {
	var out strings.Builder
	for {
		start, end, token := w.marks.next(s)
		out.WriteString(s[:start])
		if token == nil {
			return out.String()
		}
		out.WriteString("{{" + token.Name + " " + strings.TrimSpace(token.Text) + "}}")
		s = s[end:]
	}
}

// showable returns an attribute's value, or "" when the Liquid tags in it are
// not whole blocks: it is shown elsewhere than it stands.
func (w *textWriter) showable(value string) string {
	depth := 0
	for rest := value; rest != ""; {
		_, end, token := w.marks.next(rest)
		rest = rest[end:]
		if token == nil || token.Kind != liquid.Tag {
			continue
		}
		switch token.Name {
		case "if", "unless", "case", "for":
			depth++
		case "endif", "endunless", "endcase", "endfor":
			depth--
		case "assign":
			return ""
		}
		if depth < 0 || depth == 0 && !strings.HasPrefix(token.Name, "end") {
			return ""
		}
	}
	if depth != 0 {
		return ""
	}
	return strings.TrimSpace(value)
}

func attribute(t html.Token, name string) string {
	for _, a := range t.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// breaksAround is how many line ends an element has before and after it.
func breaksAround(kind atom.Atom) int {
	switch kind {
	case atom.P, atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6, atom.Table, atom.Dl:
		return 2
	case atom.Div, atom.Tr, atom.Section, atom.Article, atom.Header, atom.Footer, atom.Main, atom.Nav,
		atom.Aside, atom.Address, atom.Figure, atom.Figcaption, atom.Form, atom.Dt, atom.Dd, atom.Center, atom.Body:
		return 1
	}
	return 0
}
