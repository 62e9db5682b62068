package ui

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/a-h/templ"
	"golang.org/x/net/html"

	"vestnik/internal/i18n"
	"vestnik/internal/mailing"
)

func pageIn(t *testing.T, lang string) Page {
	t.Helper()
	catalog, err := i18n.New()
	if err != nil {
		t.Fatal(err)
	}
	return Page{
		Printer: catalog.For(lang),
		Title:   "Gallery",
		Person:  &Person{Name: "Анна Кузнецова", Email: "anna@example.org", Role: mailing.RoleManager},
		Path:    "/mailings/7?tab=clients",
		Now:     time.Date(2026, 3, 31, 12, 0, 0, 0, time.UTC),
		Flashes: []Flash{{Tone: Success, Text: "Saved"}, {Tone: Danger, Text: "Not sent"}},
		Version: "1.2.3",
	}
}

// elements renders a component and returns its elements in document order.
func elements(t *testing.T, c templ.Component) []*html.Node {
	t.Helper()
	var out bytes.Buffer
	if err := c.Render(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	doc, err := html.Parse(&out)
	if err != nil {
		t.Fatal(err)
	}
	var all []*html.Node
	for n := range doc.Descendants() {
		if n.Type == html.ElementNode {
			all = append(all, n)
		}
	}
	return all
}

// attr returns an attribute, "" when there is none.
func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func text(n *html.Node) string {
	var out strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			out.WriteString(d.Data)
		}
	}
	return strings.TrimSpace(out.String())
}

// byID returns the elements with ids and fails for an id that is there twice.
func byID(t *testing.T, all []*html.Node) map[string]*html.Node {
	t.Helper()
	ids := map[string]*html.Node{}
	for _, n := range all {
		id := attr(n, "id")
		if id == "" {
			continue
		}
		if ids[id] != nil {
			t.Errorf("two elements have the id %q", id)
		}
		ids[id] = n
	}
	return ids
}

func TestGallery(t *testing.T) {
	for _, lang := range i18n.Languages() {
		t.Run(lang, func(t *testing.T) {
			all := elements(t, Gallery(pageIn(t, lang)))
			if len(all) < 300 {
				t.Fatalf("the gallery has only %d elements", len(all))
			}
			t.Run("nothing breaks the content security policy", func(t *testing.T) { keepsPolicy(t, all) })
			t.Run("every id is there once and every reference to one leads somewhere", func(t *testing.T) { refersWell(t, all) })
			t.Run("every field and every button has a name", func(t *testing.T) { isNamed(t, all) })
			t.Run("no translation is missing", func(t *testing.T) { isTranslated(t, all) })
			t.Run("headings skip no level and the first is the only h1", func(t *testing.T) { isOutlined(t, all) })
			if attr(all[0], "lang") != lang {
				t.Errorf("<html lang=%q>", attr(all[0], "lang"))
			}
		})
	}
}

func keepsPolicy(t *testing.T, all []*html.Node) {
	for _, n := range all {
		if n.Data == "style" || n.Data == "script" && attr(n, "src") == "" {
			t.Errorf("inline <%s>", n.Data)
		}
		for _, a := range n.Attr {
			isHandler := strings.HasPrefix(a.Key, "on") || strings.HasPrefix(a.Key, "hx-on")
			if a.Key == "style" || isHandler || strings.HasPrefix(strings.TrimSpace(a.Val), "javascript:") {
				t.Errorf("<%s %s=%q>", n.Data, a.Key, a.Val)
			}
			isAddress := slices.Contains([]string{"href", "src", "action"}, a.Key)
			if isAddress && (strings.Contains(a.Val, "://") || strings.HasPrefix(a.Val, "//")) {
				t.Errorf("<%s %s=%q> leads to another host", n.Data, a.Key, a.Val)
			}
		}
	}
}

func refersWell(t *testing.T, all []*html.Node) {
	ids := byID(t, all)
	for _, n := range all {
		for _, name := range []string{"for", "form", "popovertarget", "aria-describedby", "aria-labelledby", "data-reveal", "data-select-all"} {
			for _, id := range strings.Fields(attr(n, name)) {
				if ids[id] == nil {
					t.Errorf("<%s %s=%q>: there is no such id", n.Data, name, id)
				}
			}
		}
	}
}

func isNamed(t *testing.T, all []*html.Node) {
	labelled := map[string]bool{}
	for _, n := range all {
		if n.Data == "label" && text(n) != "" {
			labelled[attr(n, "for")] = true
		}
	}
	for _, n := range all {
		if slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == "hidden" }) {
			continue
		}
		switch n.Data {
		case "input", "select", "textarea":
			if attr(n, "type") != "hidden" && !labelled[attr(n, "id")] && attr(n, "aria-label") == "" {
				t.Errorf("the field %q has no label", attr(n, "name"))
			}
		case "button", "a", "summary", "th", "progress":
			if text(n) == "" && attr(n, "aria-label") == "" && attr(n, "class") != "cell-select" {
				t.Errorf("a <%s class=%q> says nothing", n.Data, attr(n, "class"))
			}
		}
	}
}

func isTranslated(t *testing.T, all []*html.Node) {
	for _, n := range all {
		words := []string{attr(n, "aria-label"), attr(n, "title"), attr(n, "placeholder")}
		for c := range n.ChildNodes() {
			if c.Type == html.TextNode {
				words = append(words, strings.TrimSpace(c.Data))
			}
		}
		for _, w := range words {
			for _, section := range []string{"ui.", "nav.", "action.", "field.", "status.", "role.", "error."} {
				if strings.HasPrefix(w, section) {
					t.Errorf("<%s> shows the key %q", n.Data, w)
				}
			}
		}
	}
}

// isOutlined leaves out dialogs, which have an outline of their own.
func isOutlined(t *testing.T, all []*html.Node) {
	last := byte('0')
	for _, n := range all {
		isHeading := len(n.Data) == 2 && n.Data[0] == 'h' && n.Data[1] >= '1' && n.Data[1] <= '6'
		if !isHeading || attr(n.Parent, "role") == "dialog" {
			continue
		}
		level := n.Data[1]
		if level > last+1 || level == '1' && last != '0' {
			t.Errorf("<%s>%s after an h%c", n.Data, text(n), last)
		}
		last = level
	}
}
