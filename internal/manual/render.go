package manual

import (
	"bytes"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"unicode"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/text"
)

// heading is one of a document's outline.
type heading struct {
	level  int
	anchor string
}

// render makes a document of its file. Outline is that of the English one, for one in
// another language; nil for the English one itself.
func render(files fs.FS, name, lang string, outline []heading) (Document, []heading, error) {
	file := name + ".md"
	if lang != English {
		file = name + "." + lang + ".md"
	}
	source, err := fs.ReadFile(files, file)
	if err != nil {
		return Document{}, nil, fmt.Errorf("manual: %w", err)
	}
	md := goldmark.New(goldmark.WithExtensions(extension.Table))
	root := md.Parser().Parse(text.NewReader(source))
	d := Document{Name: name, Lang: lang}
	d.takeTitle(root, source)
	dropOtherLanguage(root, source, name)
	d.takeLead(root, source)
	found, err := d.anchor(root, source, outline)
	if err != nil {
		return Document{}, nil, fmt.Errorf("manual: %s: %w", file, err)
	}
	relink(root)
	var out bytes.Buffer
	if err := md.Renderer().Render(&out, source, root); err != nil {
		return Document{}, nil, fmt.Errorf("manual: render %s: %w", file, err)
	}
	d.HTML = scrolled.Replace(out.String())
	return d, found, nil
}

// scrolled drops what is no text, and lets those without a mouse scroll what is wider than the page (WCAG 2.2, 2.1.1).
var scrolled = strings.NewReplacer(
	"<!-- raw HTML omitted -->", "", // what programs write between
	"<pre>", `<pre tabindex="0">`,
	"<table>", `<div class="prose-table" tabindex="0"><table>`, "</table>", "</table></div>",
)

// takeTitle takes the first heading out of the document: it is that of the page.
func (d *Document) takeTitle(root ast.Node, source []byte) {
	if h, ok := root.FirstChild().(*ast.Heading); ok && h.Level == 1 {
		d.Title = words(h, source)
		root.RemoveChild(root, h)
	}
}

// dropOtherLanguage drops the line that leads readers of files to the other language:
// the pages have a switch for that.
func dropOtherLanguage(root ast.Node, source []byte, name string) {
	first, ok := root.FirstChild().(*ast.Paragraph)
	if !ok {
		return
	}
	for n := first.FirstChild(); n != nil; n = n.NextSibling() {
		if link, ok := n.(*ast.Link); ok && strings.TrimSuffix(strings.TrimSuffix(string(link.Destination), ".md"), ".ru") == name {
			root.RemoveChild(root, first)
			return
		}
	}
}

func (d *Document) takeLead(root ast.Node, source []byte) {
	if p, ok := root.FirstChild().(*ast.Paragraph); ok {
		d.Lead = words(p, source)
	}
}

// anchor gives all headings one, and returns the outline.
func (d *Document) anchor(root ast.Node, source []byte, outline []heading) (found []heading, err error) {
	taken := map[string]int{}
	for n := root.FirstChild(); n != nil; n = n.NextSibling() {
		h, ok := n.(*ast.Heading)
		if !ok {
			continue
		}
		title := words(h, source)
		anchor := slug(title)
		if outline != nil {
			if len(found) >= len(outline) || outline[len(found)].level != h.Level {
				return nil, fmt.Errorf("%q stands nowhere in the English outline", title)
			}
			anchor = outline[len(found)].anchor
		} else if taken[anchor]++; taken[anchor] > 1 {
			anchor += "-" + strconv.Itoa(taken[anchor]-1)
		}
		h.SetAttributeString("id", []byte(anchor))
		found = append(found, heading{h.Level, anchor})
		if h.Level == 2 {
			d.Parts = append(d.Parts, Part{anchor, title})
		}
	}
	if outline != nil && len(found) != len(outline) {
		return nil, fmt.Errorf("it has %d headings, and the English one %d", len(found), len(outline))
	}
	return found, nil
}

// slug is a title in an address, as the sites that keep sources make it.
func slug(title string) string {
	var b strings.Builder
	for _, letter := range strings.ToLower(title) {
		switch {
		case unicode.IsLetter(letter), unicode.IsDigit(letter), letter == '-', letter == '_':
			b.WriteRune(letter)
		case letter == ' ':
			b.WriteByte('-')
		}
	}
	return b.String()
}

// relink has links between the files of the folder lead to their pages. What is not in
// the folder has no page: of a link to it, the words stay.
func relink(root ast.Node) {
	var links []*ast.Link // gathered first: the walk is lost when a node is replaced
	// The walker returns no error, so neither does Walk.
	_ = ast.Walk(root, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if link, ok := n.(*ast.Link); ok && entering {
			links = append(links, link)
		}
		return ast.WalkContinue, nil
	})
	for _, link := range links {
		place, anchor, hasAnchor := strings.Cut(string(link.Destination), "#")
		name, isFile := strings.CutSuffix(place, ".md")
		switch {
		case strings.Contains(place, ":") || strings.HasPrefix(place, "/"), place == "" && hasAnchor:
			continue
		case !isFile || strings.Contains(name, "/"):
			unlink(link)
			continue
		}
		address := Path + "/" + strings.TrimSuffix(name, "."+Russian)
		if hasAnchor {
			address += "#" + anchor
		}
		link.Destination = []byte(address)
	}
}

// unlink puts the words of a link in its place.
func unlink(link *ast.Link) {
	parent := link.Parent()
	for child := link.FirstChild(); child != nil; child = link.FirstChild() {
		parent.InsertBefore(parent, link, child)
	}
	parent.RemoveChild(parent, link)
}

// words is the text of a node without its marks.
func words(n ast.Node, source []byte) string {
	var b strings.Builder
	_ = ast.Walk(n, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if t, ok := n.(*ast.Text); ok && entering {
			b.Write(t.Segment.Value(source))
			if t.SoftLineBreak() || t.HardLineBreak() {
				b.WriteByte(' ')
			}
		}
		return ast.WalkContinue, nil
	})
	return strings.Join(strings.Fields(b.String()), " ")
}
