// Package manual is the documents of the project as pages: what is written in docs, in
// Markdown, becomes HTML whose headings can be linked to.
package manual

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"

	"vestnik/docs"
)

// The languages in which documents are written. Each is there in English.
const (
	English = "en"
	Russian = "ru"
)

// guides are the documents for who writes mailings, in the order in which one reads
// them. All others are for who runs the service.
var guides = []string{
	"getting-started", "importing-clients", "writing-messages", "schedules", "deliverability", "reports", "roles",
}

// Document is one of them in one language.
type Document struct {
	Name  string // in addresses: "schedules"
	Lang  string // that it is written in
	Title string
	Lead  string // the first paragraph, as plain text
	HTML  string // all but the title
	Parts []Part // in their order
}

// Part is a heading of the second level.
type Part struct{ Anchor, Title string }

// Path is below which the pages show documents. Links between documents lead there.
const Path = "/docs"

// library has all documents, by name and language.
type library struct {
	names     []string
	documents map[string]map[string]Document
	anchors   map[string]map[string]bool // by name; they are the same in both languages
}

// opened renders the documents once.
var opened = sync.OnceValue(func() library {
	l, err := read(docs.Files)
	if err != nil {
		panic(err) // the program was built over broken documents
	}
	return l
})

// Find returns a document in the language, or in English when there is none in it.
func Find(name, lang string) (Document, bool) {
	l := opened()
	if d, found := l.documents[name][lang]; found {
		return d, true
	}
	d, found := l.documents[name][English]
	return d, found
}

// Guides are the documents for who writes mailings, in the order to read them in.
func Guides(lang string) []Document { return named(guides, lang) }

// Others are the documents for who runs the service, by name.
func Others(lang string) []Document {
	return named(slices.DeleteFunc(slices.Clone(opened().names), func(name string) bool {
		return slices.Contains(guides, name)
	}), lang)
}

func named(names []string, lang string) (list []Document) {
	for _, name := range names {
		if d, found := Find(name, lang); found {
			list = append(list, d)
		}
	}
	return list
}

// Leads reports whether an address below Path leads to a document and, when it names an
// anchor, to one that is there.
func Leads(address string) bool {
	place, anchor, _ := strings.Cut(address, "#")
	if place == Path {
		return anchor == ""
	}
	anchors, found := opened().anchors[strings.TrimPrefix(place, Path+"/")]
	return found && (anchor == "" || anchors[anchor])
}

// read renders all documents of a folder. A Russian one has the outline of the English
// one, whose anchors its headings take, so that a link leads to the same place in both.
func read(files fs.FS) (library, error) {
	l := library{documents: map[string]map[string]Document{}, anchors: map[string]map[string]bool{}}
	all, err := fs.Glob(files, "*.md")
	if err != nil {
		return l, fmt.Errorf("manual: %w", err)
	}
	for _, file := range all {
		name := strings.TrimSuffix(file, path.Ext(file))
		if strings.HasSuffix(name, "."+Russian) {
			continue
		}
		english, anchors, err := render(files, name, English, nil)
		if err != nil {
			return l, err
		}
		l.names = append(l.names, name)
		l.documents[name] = map[string]Document{English: english}
		l.anchors[name] = map[string]bool{}
		for _, a := range anchors {
			l.anchors[name][a.anchor] = true
		}
		if _, err := fs.Stat(files, name+"."+Russian+".md"); err != nil {
			continue
		}
		russian, _, err := render(files, name, Russian, anchors)
		if err != nil {
			return l, err
		}
		l.documents[name][Russian] = russian
	}
	return l, nil
}
