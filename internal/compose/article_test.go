package compose_test

import (
	"strings"
	"testing"

	"golang.org/x/net/html"

	"vestnik/internal/compose"
	"vestnik/internal/mailing"
)

func TestArticleHTML(t *testing.T) {
	for _, c := range []struct{ name, markdown, want string }{
		{"headings stand below the title", "# Чай\n\n###### Мелко", "<h2>Чай</h2>\n<h6>Мелко</h6>\n"},
		{"a line break is one", "раз\nдва", "<p>раз<br>\nдва</p>\n"},
		{"HTML is left out", "до <b onclick=x>жирно</b>\n\n<script>alert(1)</script>\n\nпосле", "<p>до жирно</p>\n\n<p>после</p>\n"},
		{"a link to a page stays", "[сюда](https://example.org/?a=1&b=2)", `<p><a href="https://example.org/?a=1&amp;b=2">сюда</a></p>` + "\n"},
		{"a link that runs a script is only words", "[сюда](javascript:alert(1)) [и](JaVaScRiPt:alert(1)) [т](data:text/html,x)", "<p>сюда и т</p>\n"},
		{"one that hides behind an entity is, too", "[сюда](java&#115;cript&colon;alert(1))", "<p>сюда</p>\n"},
		{"and one in pointed brackets", "<vbscript:msgbox>", "<p>vbscript:msgbox</p>\n"},
		{"a bare link is one", "см. https://example.org", `<p>см. <a href="https://example.org">https://example.org</a></p>` + "\n"},
		{"our own picture is shown", "![Поле](/pictures/abc)", `<p><img src="/pictures/abc" alt="Поле" loading="lazy"></p>` + "\n"},
		{"another's is a link", "![Поле](https://x.org/p.png)", `<p><a href="https://x.org/p.png">Поле</a></p>` + "\n"},
		{"another's in a link is words", "[![Поле](https://x.org/p.png)](/blog)", `<p><a href="/blog">Поле</a></p>` + "\n"},
		{"another's without words is nothing", "a ![](//x.org/p.png)", "<p>a </p>\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := compose.ArticleHTML(c.markdown, "")
			if err != nil || got != c.want {
				t.Errorf("got %q, %v\nwant %q", got, err, c.want)
			}
		})
	}
	t.Run("elsewhere our own addresses are whole", func(t *testing.T) {
		got, err := compose.ArticleHTML("![a](/pictures/b) [c](/blog) [d](//e.org)", "https://f.org")
		want := `<p><img src="https://f.org/pictures/b" alt="a" loading="lazy"> <a href="https://f.org/blog">c</a> <a href="//e.org">d</a></p>` + "\n"
		if err != nil || got != want {
			t.Errorf("got %q, %v", got, err)
		}
	})
	t.Run("what takes too long is refused", func(t *testing.T) {
		if _, err := compose.ArticleHTML(strings.Repeat("[", 5000), ""); mailing.CodeOf(err) != "markdown_too_complex" {
			t.Errorf("got %v", err)
		}
	})
}

func FuzzArticleHTML(f *testing.F) {
	for _, seed := range []string{
		"# a\n\n* b\n\n> c", "[a](javascript:b)", "![a](/pictures/b \"c\")", "<script>a</script>", "|a|\n|-|\n|<img src=x onerror=y>|", "<a:b>", "[a]\n\n[a]: data:x",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, markdown string) {
		out, err := compose.ArticleHTML(markdown, "")
		if err != nil {
			return
		}
		doc, err := html.Parse(strings.NewReader(out))
		if err != nil {
			t.Fatal(err)
		}
		for n := range doc.Descendants() {
			if n.Type == html.ElementNode && strings.Contains(" script style iframe object embed form svg link meta base ", " "+n.Data+" ") {
				t.Errorf("%q makes %q", markdown, out)
			}
			for _, a := range n.Attr {
				value := strings.ToLower(strings.Join(strings.Fields(a.Val), ""))
				if strings.HasPrefix(a.Key, "on") || strings.HasPrefix(value, "javascript:") || a.Key == "src" && !strings.HasPrefix(a.Val, compose.PicturePath) {
					t.Errorf("%q makes %q", markdown, out)
				}
			}
		}
		compose.ArticleLead(markdown, 100)
	})
}

func TestArticleLead(t *testing.T) {
	for _, c := range []struct {
		name, markdown, want string
		length               int
	}{
		{"is its words", "# Чай\n\nПервый **урожай**\nуже `здесь`:\n\n- белый\n- [красный](/red)", "Первый урожай уже здесь: белый красный", 100},
		{"leaves out pictures, code and HTML", "![Поле](/pictures/a) раз\n\n```\nкод\n```\n\n<div>два</div>\n\nтри<br>", "раз три", 100},
		{"ends behind a word", "Один два, три четыре", "Один два…", 12},
		{"cuts a word that is too long", strings.Repeat("а", 50), strings.Repeat("а", 20) + "…", 20},
		{"knows entities and escapes", `Соль \& перец &mdash; &#35;1`, "Соль & перец — #1", 100},
		{"of nothing is empty", "", "", 100},
	} {
		t.Run("the beginning "+c.name, func(t *testing.T) {
			if got := compose.ArticleLead(c.markdown, c.length); got != c.want {
				t.Errorf("got %q", got)
			}
		})
	}
}
