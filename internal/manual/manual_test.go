package manual

import (
	"io/fs"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"vestnik/docs"
)

func TestDocuments(t *testing.T) {
	for _, name := range guides {
		for _, lang := range []string{English, Russian} {
			if d, found := Find(name, lang); !found || d.Lang != lang {
				t.Errorf("the guide %s is not there in %s", name, lang)
			}
		}
	}
	if len(Others(English)) < 5 {
		t.Errorf("only %d documents are for who runs the service", len(Others(English)))
	}
	for _, d := range append(Guides(Russian), append(Guides(English), Others(Russian)...)...) {
		if d.Title == "" || d.Lead == "" || d.Name != "glossary" && len(d.Parts) == 0 || strings.Contains(d.HTML, "raw HTML omitted") {
			t.Errorf("%s in %s has the title %q, the lead %q and %d parts", d.Name, d.Lang, d.Title, d.Lead, len(d.Parts))
		}
	}
	if d, found := Find("glossary", Russian); !found || d.Lang != English {
		t.Error("what is not there in Russian is not shown in English")
	}
	if _, found := Find("no-such", English); found {
		t.Error("a document that is not there is found")
	}
}

// address finds where links lead.
var address = regexp.MustCompile(`href="([^"]*)"`)

func TestLinksBetweenDocuments(t *testing.T) {
	l, err := read(docs.Files)
	if err != nil {
		t.Fatal(err)
	}
	links := 0
	for name, inLangs := range l.documents {
		for lang, d := range inLangs {
			for _, match := range address.FindAllStringSubmatch(d.HTML, -1) {
				if strings.Contains(match[1], "://") || !strings.HasPrefix(match[1], Path) && !strings.HasPrefix(match[1], "#") {
					continue
				}
				links++
				if target := match[1]; !Leads(target) && !Leads(Path+"/"+name+target) {
					t.Errorf("%s in %s leads to %s, which is not there", name, lang, target)
				}
			}
		}
	}
	if links < 10 {
		t.Errorf("only %d links were found", links)
	}
}

func TestReading(t *testing.T) {
	files := fstest.MapFS{
		"a.md":    {Data: []byte("# One\n\nПо-русски: [a.ru.md](a.ru.md).\n\nThe *lead* of\nit.\n\n## Two, three\n\n[b](b.md#x) [up](../up.md) [out](https://example.org/)\n\n## Two, three\n\n`<b>`\n")},
		"a.ru.md": {Data: []byte("# Один\n\nНачало.\n\n## Два\n\n## Ещё\n\n| а |\n|---|\n| б |\n")},
		"b.md":    {Data: []byte("# B\n\nText.\n\n## X\n")},
	}
	l, err := read(files)
	if err != nil {
		t.Fatal(err)
	}
	english, russian := l.documents["a"][English], l.documents["a"][Russian]
	if english.Title != "One" || english.Lead != "The lead of it." || russian.Title != "Один" {
		t.Errorf("%+v", english)
	}
	for i, want := range []string{"two-three", "two-three-1"} {
		if english.Parts[i].Anchor != want || russian.Parts[i].Anchor != want {
			t.Errorf("part %d: %+v, %+v, want the anchor %s", i, english.Parts[i], russian.Parts[i], want)
		}
	}
	for part, want := range map[string]bool{
		`href="/docs/b#x"`: true, "up": true, "../up": false, `href="https://example.org/"`: true, "<h1": false,
		`<h2 id="two-three">`: true, "По-русски": false, "&lt;b&gt;": true,
	} {
		if strings.Contains(english.HTML, part) != want {
			t.Errorf("that %q is in it should be %v:\n%s", part, want, english.HTML)
		}
	}
	if !strings.Contains(russian.HTML, `<div class="prose-table" tabindex="0"><table>`) {
		t.Errorf("a table cannot be scrolled:\n%s", russian.HTML)
	}
	for _, other := range []string{"# Один\n\n## Два\n", "# Один\n\n### Два\n\n## Ещё\n", "# Один\n\n## Два\n\n## Ещё\n\n## Лишнее\n"} {
		files["a.ru.md"] = &fstest.MapFile{Data: []byte(other)}
		if _, err := read(files); err == nil {
			t.Errorf("an outline of its own was not noticed: %q", other)
		}
	}
	if _, err := read(fs.FS(fstest.MapFS{})); err != nil {
		t.Error(err)
	}
}

func TestLeads(t *testing.T) {
	for link, want := range map[string]bool{
		"/docs": true, "/docs/reports": true, "/docs/reports#in-doubt": true, "/docs/reports#no-such": false, "/docs/no-such": false,
	} {
		if Leads(link) != want {
			t.Errorf("%s", link)
		}
	}
}
