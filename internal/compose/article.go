package compose

import (
	"bytes"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/renderer/html"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// PicturePath is below which pages keep pictures. Articles show no others: a page
// loads nothing from other hosts.
const PicturePath = "/pictures/"

// linkSchemes are those of addresses that an article may link to. Without a scheme an
// address is a page of ours.
var linkSchemes = []string{"", "http", "https", "mailto", "tel"}

// ArticleHTML renders Markdown (CommonMark with tables, strikethrough and bare links)
// that is shown to anybody: HTML in it is left out, and so are links that are none to
// a page, and pictures of other hosts become links. Headings begin at the second level,
// below the title of the page. base goes before addresses on our own host, for readers
// elsewhere; for our pages it is empty. It may be markdown_too_complex.
func ArticleHTML(markdown, base string) (string, error) {
	if err := checkComplexity(markdown); err != nil {
		return "", err
	}
	md := goldmark.New(
		goldmark.WithExtensions(extension.Table, extension.Strikethrough, extension.Linkify),
		goldmark.WithParserOptions(parser.WithASTTransformers(util.Prioritized(articleRules{base}, 1000))),
		goldmark.WithRendererOptions(html.WithHardWraps()),
	)
	var out bytes.Buffer
	if err := md.Convert([]byte(markdown), &out); err != nil {
		return "", fmt.Errorf("compose: render article: %w", err)
	}
	return strings.ReplaceAll(out.String(), "<!-- raw HTML omitted -->", ""), nil
}

// articleRules makes of what may stand in Markdown what may stand in an article.
type articleRules struct{ base string }

// Transform implements parser.ASTTransformer.
func (rules articleRules) Transform(doc *ast.Document, source text.Reader, _ parser.Context) {
	var nodes []ast.Node // gathered first: the walk is lost when a node is replaced
	// The walker returns no error, so neither does Walk.
	_ = ast.Walk(doc, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if entering {
			nodes = append(nodes, n)
		}
		return ast.WalkContinue, nil
	})
	for _, n := range nodes {
		switch n := n.(type) {
		case *ast.Heading:
			n.Level = min(n.Level+1, 6)
		case *ast.Link:
			rules.link(n)
		case *ast.AutoLink:
			if !linksTo(string(n.URL(source.Source()))) {
				n.Parent().ReplaceChild(n.Parent(), n, ast.NewString(n.Label(source.Source())))
			}
		case *ast.Image:
			rules.image(n)
		}
	}
}

// link keeps only the words of a link that leads to no page.
func (rules articleRules) link(n *ast.Link) {
	if linksTo(string(n.Destination)) {
		n.Destination = rules.absolute(n.Destination)
		return
	}
	unwrap(n)
}

// image keeps our own pictures. Any other becomes a link to it, with its description.
func (rules articleRules) image(n *ast.Image) {
	if bytes.HasPrefix(n.Destination, []byte(PicturePath)) {
		n.Destination = rules.absolute(n.Destination)
		n.SetAttributeString("loading", []byte("lazy"))
		return
	}
	if !linksTo(string(n.Destination)) || n.ChildCount() == 0 || within(n, ast.KindLink) {
		unwrap(n)
		return
	}
	link := ast.NewLink()
	link.Destination, link.Title = rules.absolute(n.Destination), n.Title
	for child := n.FirstChild(); child != nil; child = n.FirstChild() {
		link.AppendChild(link, child)
	}
	n.Parent().ReplaceChild(n.Parent(), n, link)
}

func (rules articleRules) absolute(destination []byte) []byte {
	if rules.base != "" && bytes.HasPrefix(destination, []byte("/")) && !bytes.HasPrefix(destination, []byte("//")) {
		return append([]byte(rules.base), destination...)
	}
	return destination
}

// linksTo reports whether an address, entities in it resolved, is one that a page may
// link to.
func linksTo(address string) bool {
	u, err := url.Parse(strings.TrimSpace(string(util.URLEscape([]byte(address), true))))
	return err == nil && slices.Contains(linkSchemes, strings.ToLower(u.Scheme))
}

// unwrap puts what is in a node in its place.
func unwrap(n ast.Node) {
	parent := n.Parent()
	for child := n.FirstChild(); child != nil; child = n.FirstChild() {
		parent.InsertBefore(parent, n, child)
	}
	parent.RemoveChild(parent, n)
}

func within(n ast.Node, kind ast.NodeKind) bool {
	for n = n.Parent(); n != nil; n = n.Parent() {
		if n.Kind() == kind {
			return true
		}
	}
	return false
}

// ArticleLead is the beginning of an article as plain text, at most so many characters
// long, which ends behind a word. Headings, tables and code are left out, and so is
// what describes pictures.
func ArticleLead(markdown string, length int) string {
	source := []byte(markdown)
	doc := goldmark.New(goldmark.WithExtensions(extension.Table, extension.Strikethrough, extension.Linkify)).
		Parser().Parse(text.NewReader(source))
	var b strings.Builder
	_ = ast.Walk(doc, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		switch n := n.(type) {
		case *ast.Document, *ast.Paragraph, *ast.TextBlock, *ast.List, *ast.ListItem, *ast.Blockquote:
			b.WriteByte(' ')
		case *ast.Text:
			if entering {
				b.Write(n.Segment.Value(source))
			}
			if n.SoftLineBreak() || n.HardLineBreak() {
				b.WriteByte(' ')
			}
		case *ast.String:
			if entering {
				b.Write(n.Value)
			}
		case *ast.AutoLink:
			if entering {
				b.Write(n.Label(source))
			}
		default:
			if n.Type() == ast.TypeBlock || n.Kind() == ast.KindImage || n.Kind() == ast.KindRawHTML {
				return ast.WalkSkipChildren, nil
			}
		}
		if entering && b.Len() > 8*length {
			return ast.WalkStop, nil
		}
		return ast.WalkContinue, nil
	})
	unescaped := util.ResolveEntityNames(util.ResolveNumericReferences(util.UnescapePunctuations([]byte(b.String()))))
	return beginning(strings.Join(strings.Fields(string(unescaped)), " "), length)
}

// beginning cuts text behind a word.
func beginning(words string, length int) string {
	runes := []rune(words)
	if len(runes) <= length {
		return words
	}
	cut := string(runes[:length])
	if space := strings.LastIndexByte(cut, ' '); space > len(cut)/2 {
		cut = cut[:space]
	}
	return strings.TrimRight(cut, " ,.;:–—-") + "…"
}
