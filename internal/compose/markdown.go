package compose

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	extast "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/renderer/html"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"

	"vestnik/internal/compose/liquid"
	"vestnik/internal/mailing"
)

// markdownToHTML renders Markdown (CommonMark with tables, strikethrough and
// bare links) around merge fields. A line break is a line break: people who
// write letters mean it. HTML in it stays, as in the format HTML.
func markdownToHTML(tokens []liquid.Token) ([]liquid.Token, error) {
	source, m := mark(tokens)
	if err := checkComplexity(source); err != nil {
		return nil, err
	}
	md := goldmark.New(
		goldmark.WithExtensions(extension.Table, extension.Strikethrough, extension.Linkify),
		goldmark.WithParserOptions(parser.WithASTTransformers(util.Prioritized(inlineStyles{}, 1000))),
		goldmark.WithRendererOptions(html.WithUnsafe(), html.WithHardWraps()),
	)
	var out bytes.Buffer
	if err := md.Convert([]byte(m.fenceTags(m.hideTagLines(source))), &out); err != nil {
		return nil, fmt.Errorf("compose: render Markdown: %w", err)
	}
	rendered := m.showTagLines(strings.NewReplacer(sentinel, "", escapedSentinel, "").Replace(out.String()))
	rendered = strings.ReplaceAll(rendered, "<pre><code", `<pre style="`+preStyle+`"><code`)
	converted := m.restore(rendered)
	return converted, sameTags(tokens, converted)
}

// What Markdown may have of things that take goldmark time in the square of
// their number. At these limits each takes well below a second (measured);
// without them a body of 1 MB can take an hour.
const (
	maxBrackets = 2000 // opening ones
	maxTables   = 200  // lines below a table's head
	maxNesting  = 20   // quotations and list items begun on one line
	maxEmphasis = 1000 // runs of "*", "_" and "~" in one paragraph
)

// checkComplexity refuses Markdown beyond these limits: markdown_too_complex.
func checkComplexity(source string) error {
	brackets, tables, emphasis, number := 0, 0, 0, 0
	for line := range strings.SplitSeq(source, "\n") {
		number++
		brackets += strings.Count(line, "[")
		if strings.Contains(line, "-") && strings.Trim(line, " \t|:->") == "" {
			tables++
		}
		if endsParagraph(line) {
			emphasis = 0
		}
		emphasis += emphasisRuns(line)
		if brackets > maxBrackets || tables > maxTables || emphasis > maxEmphasis || nesting(line) > maxNesting {
			return mailing.Fault(mailing.Invalid, "markdown_too_complex", "line", number)
		}
	}
	return nil
}

// endsParagraph reports whether a line surely does not go on with the paragraph
// above it: it is blank, or begins a bullet (CommonMark 0.31.2, sections 4.9 and
// 5.3). Whatever is less sure counts as going on.
func endsParagraph(line string) bool {
	text := strings.TrimLeft(line, " ")
	if strings.TrimSpace(text) == "" {
		return true
	}
	bullet := len(text) > 2 && strings.IndexByte("-+*", text[0]) >= 0 && text[1] == ' '
	return bullet && len(line)-len(text) <= 3 && strings.TrimSpace(text[2:]) != ""
}

// emphasisRuns counts the places where emphasis may begin or end.
func emphasisRuns(line string) int {
	runs := 0
	var before byte
	for i := range len(line) {
		if c := line[i]; strings.IndexByte("*_~", c) >= 0 && c != before {
			runs++
		}
		before = line[i]
	}
	return runs
}

// nesting counts the marks of quotations and lists that a line begins with.
func nesting(line string) int {
	if strings.Trim(line, "-*_ \t") == "" { // a rule
		return 0
	}
	depth := 0
	for i := 0; i < len(line); i++ {
		c := line[i]
		ends := i+1 == len(line) || line[i+1] == ' ' || line[i+1] == '\t'
		switch {
		case c == ' ' || c == '\t' || c >= '0' && c <= '9':
		case c == '>' || ends && strings.IndexByte("-*+.)", c) >= 0:
			depth++
		default:
			return depth
		}
	}
	return depth
}

// escapedSentinel is the sentinel in a URL.
const escapedSentinel = "%EF%B7%90"

// fenceTags puts the sentinel around tags, where a bare link ends: it would
// be shown twice, as text and as URL, and with it a tag that has to be closed.
func (m *marks) fenceTags(source string) string {
	var b strings.Builder
	for source != "" {
		start, end, token := m.next(source)
		b.WriteString(strings.ReplaceAll(source[:start], sentinel, ""))
		if token != nil && token.Kind == liquid.Tag {
			b.WriteString(sentinel + source[start:end] + sentinel)
		} else {
			b.WriteString(source[start:end])
		}
		source = source[end:]
	}
	return b.String()
}

// sameTags checks that Markdown has kept all tags in order. A link definition
// is dropped or repeated, and a tag in it with it: liquid_misplaced.
func sameTags(written, converted []liquid.Token) error {
	rest := converted
	for _, t := range written {
		if t.Kind != liquid.Tag {
			continue
		}
		rest = fromTag(rest)
		if len(rest) == 0 || rest[0] != t {
			return misplaced(t)
		}
		rest = rest[1:]
	}
	if rest = fromTag(rest); len(rest) > 0 {
		return misplaced(rest[0])
	}
	return nil
}

// fromTag drops the tokens before the first tag.
func fromTag(tokens []liquid.Token) []liquid.Token {
	for i := range tokens {
		if tokens[i].Kind == liquid.Tag {
			return tokens[i:]
		}
	}
	return nil
}

func misplaced(t liquid.Token) error {
	return mailing.Fault(mailing.Invalid, "liquid_misplaced", "line", t.Line, "tag", t.Name)
}

// hideTagLines makes HTML comments of tags that have a line to themselves.
// Else {% for %} above a list would become a paragraph, and its end a part of
// the last item.
func (m *marks) hideTagLines(source string) string {
	lines := strings.SplitAfter(source, "\n")
	var b strings.Builder
	for _, line := range lines {
		if !m.onlyTags(line) {
			b.WriteString(line)
			continue
		}
		b.WriteString(line[:len(line)-len(strings.TrimLeft(line, " \t"))])
		for rest := line; rest != ""; {
			start, end, token := m.next(rest)
			if token != nil {
				b.WriteString("<!--" + rest[start:end] + "-->")
			}
			rest = rest[end:]
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// onlyTags reports whether a line consists of tags and white space.
func (m *marks) onlyTags(line string) bool {
	found := false
	for line != "" {
		start, end, token := m.next(line)
		if strings.TrimSpace(line[:start]) != "" || token != nil && token.Kind != liquid.Tag {
			return false
		}
		found = found || token != nil
		line = line[end:]
	}
	return found
}

// showTagLines undoes hideTagLines, also where the comments were code.
func (m *marks) showTagLines(rendered string) string {
	var b strings.Builder
	for rendered != "" {
		start, end, token := m.next(rendered)
		before, rest := rendered[:start], rendered[end:]
		if token != nil && token.Kind == liquid.Tag {
			before, rest = cutAround(before, rest, "<!--", "-->")
			before, rest = cutAround(before, rest, "&lt;!--", "--&gt;")
		}
		b.WriteString(before)
		b.WriteString(rendered[start:end])
		rendered = rest
	}
	return b.String()
}

// cutAround removes open from the end of before and shut from the start of
// after, when both are there.
func cutAround(before, after, open, shut string) (string, string) {
	cutBefore, opened := strings.CutSuffix(before, open)
	cutAfter, closed := strings.CutPrefix(after, shut)
	if opened && closed {
		return cutBefore, cutAfter
	}
	return before, after
}

const preStyle = "margin:0 0 16px;padding:12px 16px;overflow:auto;border:1px solid #d8dee4;border-radius:6px;" +
	"font:14px/1.5 Consolas,Menlo,monospace;white-space:pre-wrap"

// inlineStyles gives elements their style. Mail programs know little of style
// sheets, so it stands on every element; colours are left to the shell, for a
// dark one differs in nothing else.
type inlineStyles struct{}

// Transform implements parser.ASTTransformer.
func (inlineStyles) Transform(doc *ast.Document, _ text.Reader, _ parser.Context) {
	// The walker returns no error, so neither does Walk.
	_ = ast.Walk(doc, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if style := styleOf(n); entering && style != "" {
			n.SetAttributeString("style", []byte(style))
		}
		return ast.WalkContinue, nil
	})
}

func styleOf(n ast.Node) string {
	switch n.Kind() {
	case ast.KindParagraph:
		return "margin:0 0 16px"
	case ast.KindHeading:
		return headingStyle(n.(*ast.Heading).Level)
	case ast.KindList:
		return "margin:0 0 16px;padding:0 0 0 24px"
	case ast.KindListItem:
		return "margin:0 0 6px"
	case ast.KindBlockquote:
		return "margin:0 0 16px;padding:0 0 0 16px;border-left:3px solid #c4ccd4"
	case ast.KindThematicBreak:
		return "margin:24px 0;border:0;border-top:1px solid #d8dee4"
	case ast.KindImage:
		return "max-width:100%;height:auto;border:0"
	case ast.KindCodeSpan:
		return "font:0.9em Consolas,Menlo,monospace"
	case extast.KindTable:
		return "margin:0 0 16px;border-collapse:collapse"
	case extast.KindTableCell:
		return "padding:6px 12px;border:1px solid #d8dee4"
	}
	return ""
}

func headingStyle(level int) string {
	switch level {
	case 1:
		return "margin:0 0 16px;font-size:26px;line-height:1.25"
	case 2:
		return "margin:24px 0 12px;font-size:21px;line-height:1.3"
	}
	return "margin:20px 0 10px;font-size:17px;line-height:1.35"
}
