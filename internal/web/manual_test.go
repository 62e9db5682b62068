package web_test

import (
	"net/http"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"vestnik/internal/manual"
	"vestnik/internal/web/ui"
)

func TestManual(t *testing.T) {
	h := newHarness(t)
	stranger := h.visitor().fromFar()
	h.run("anybody finds what there is to read, in their language", func(t *testing.T) {
		stranger.get("/docs").expect(http.StatusOK).shows("h1", "Справка").shows(".document-list", "Расписания").shows(".document-list", "по-английски")
		stranger.lang("en").get("/docs").shows("h1", "Help").shows(".document-list", "Schedules").lacks(".document-note")
		stranger.lang("ru")
	})
	h.run("a document has its parts, and leads on to the next", func(t *testing.T) {
		p := stranger.get("/docs/schedules").expect(http.StatusOK).shows("h1", "Расписания").shows(".document-parts", "31-е число").
			shows(".article-end", "Дальше: Как попасть во «Входящие»")
		p.one("h2#the-31st")
		if lang := p.attr(".prose", "lang"); lang != "ru" {
			t.Errorf("its language is %q", lang)
		}
	})
	h.run("what is not translated says so, and whose language it is in", func(t *testing.T) {
		p := stranger.get("/docs/redis").expect(http.StatusOK).shows(".note", "Этой страницы пока нет по-русски").shows("h1", "Redis")
		if lang := p.attr(".prose", "lang"); lang != "en" {
			t.Errorf("its language is %q", lang)
		}
		stranger.lang("en").get("/docs/redis").lacks(".note")
		stranger.lang("ru")
	})
	h.run("a document that is not there is a page that is not there", func(t *testing.T) {
		for _, path := range []string{"/docs/no-such", "/docs/..%2fREADME", "/docs/schedules.ru"} {
			stranger.get(path).expect(http.StatusNotFound)
		}
	})
	h.run("every document can be read", func(t *testing.T) {
		for _, d := range append(manual.Guides("ru"), manual.Others("ru")...) {
			p := stranger.get("/docs/" + d.Name).expect(http.StatusOK)
			for _, link := range deadLinks(p.doc) {
				t.Errorf("%s leads to %s, which is not there", p.path, link)
			}
		}
	})
	h.run("every hard word leads to its place", func(t *testing.T) {
		for _, topic := range ui.Topics() {
			if !manual.Leads(topic.Path) || !strings.Contains(topic.Path, "#") {
				t.Errorf("%s is not there", topic.Path)
			}
		}
	})
}

// deadLinks are the links on a page that lead to documents which are not there, or to
// places that are not in them.
func deadLinks(doc *html.Node) (dead []string) {
	for n := range doc.Descendants() {
		link := ""
		if n.Type == html.ElementNode && n.Data == "a" {
			link = attribute(n, "href")
		}
		if (link == manual.Path || strings.HasPrefix(link, manual.Path+"/") || strings.HasPrefix(link, manual.Path+"#")) && !manual.Leads(link) {
			dead = append(dead, link)
		}
	}
	return dead
}
