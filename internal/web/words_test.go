package web_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/net/html"
)

// dotted is what the key of a text looks like, and so does the name of a file or a host.
var dotted = regexp.MustCompile(`[a-z_]+(?:\.[a-z0-9_]+)+`)

// sections are the beginnings of all keys, up to the first dot.
var sections = sync.OnceValues(func() (map[string]bool, error) {
	files, err := filepath.Glob(filepath.Join("..", "i18n", "locales", "ru", "*.json"))
	if err != nil {
		return nil, err
	}
	all := map[string]bool{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		keys := map[string]json.RawMessage{}
		if err := json.Unmarshal(text, &keys); err != nil {
			return nil, err
		}
		for key := range keys {
			section, _, _ := strings.Cut(key, ".")
			all[section] = true
		}
	}
	return all, nil
})

// namesOfFiles end in these, and are no keys: "clients.csv".
var namesOfFiles = []string{"csv", "db", "html", "json", "key", "md", "png", "txt", "xml"}

// checkWords wants a page to say what it says in words, and no link into the documents to
// be dead.
func checkWords(t *testing.T, p *page, who string) {
	t.Helper()
	if !strings.HasPrefix(p.header.Get("Content-Type"), "text/html") {
		return
	}
	for _, key := range keysOn(t, p.doc) {
		t.Errorf("%s: the page shows %q in place of a text", who, key)
	}
	for _, link := range deadLinks(p.doc) {
		t.Errorf("%s: the page leads to %s, which is not there", who, link)
	}
}

// keysOn are the keys of texts that a page shows in place of the texts, and what is left
// of a text that was put together wrongly.
func keysOn(t *testing.T, doc *html.Node) (found []string) {
	t.Helper()
	known, err := sections()
	if err != nil || len(known) < 10 {
		t.Fatalf("the keys have %d sections, %v", len(known), err)
	}
	for _, text := range shownBy(doc) {
		if strings.Contains(text, "%!") || strings.Contains(text, "<no value>") {
			found = append(found, text)
		}
		for _, at := range dotted.FindAllStringIndex(text, -1) {
			key := text[at[0]:at[1]]
			section, rest, _ := strings.Cut(key, ".")
			inPath := at[0] > 0 && strings.ContainsRune("/@.-", rune(text[at[0]-1])) || strings.HasPrefix(text[at[1]:], "@")
			if known[section] && !inPath && !slices.Contains(namesOfFiles, rest) {
				found = append(found, key)
			}
		}
	}
	return found
}

// shownBy are the texts that a person sees or hears, without what they have typed
// themselves.
func shownBy(doc *html.Node) (texts []string) {
	for n := range doc.Descendants() {
		switch {
		case n.Type == html.TextNode && !slices.Contains([]string{"script", "style", "textarea", "code"}, n.Parent.Data):
			texts = append(texts, n.Data)
		case n.Type == html.ElementNode:
			for _, name := range []string{"aria-label", "title", "placeholder", "alt", "data-label", "aria-description"} {
				texts = append(texts, attribute(n, name))
			}
		}
	}
	return texts
}

func TestKeysOnPages(t *testing.T) {
	for text, want := range map[string]bool{
		"<p>clients.title</p>":                       true,
		`<button aria-label="action.save"></button>`: true,
		"<p>%!s(MISSING)</p>":                        true,
		"<p>see clients.csv, or demo.example@example.org, at www.demo.org</p>": false,
		"<p>The end.This is no key</p>":                                        false,
		"<code>role.user</code>":                                               false,
	} {
		doc, err := html.Parse(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		if got := keysOn(t, doc); len(got) > 0 != want {
			t.Errorf("%s shows %q", text, got)
		}
	}
}
