package web_test

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"image"
	"image/png"
	"mime/multipart"
	"net/http"
	"net/mail"
	"net/textproto"
	"net/url"
	"strings"
	"testing"
	"time"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
)

const firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"

// drawing is a PNG file.
func drawing(t *testing.T, w, h int) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := png.Encode(&out, image.NewGray(image.Rect(0, 0, w, h))); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// sendFiles sends a form with files, by the names of their fields.
func (c *client) sendFiles(path string, form url.Values, files map[string][]byte) *page {
	c.h.t.Helper()
	var body bytes.Buffer
	parts := multipart.NewWriter(&body)
	for name, values := range form {
		for _, value := range values {
			if err := parts.WriteField(name, value); err != nil {
				c.h.t.Fatal(err)
			}
		}
	}
	for name, file := range files {
		part, err := parts.CreatePart(textproto.MIMEHeader{
			"Content-Disposition": {fmt.Sprintf(`form-data; name=%q; filename="x.html"`, name)}, "Content-Type": {"text/html"},
		})
		if err == nil {
			_, err = part.Write(file)
		}
		if err != nil {
			c.h.t.Fatal(err)
		}
	}
	if err := parts.Close(); err != nil {
		c.h.t.Fatal(err)
	}
	return c.do(http.MethodPost, path, &body, parts.FormDataContentType())
}

// post makes a published post of an admin, and returns it.
func (h *harness) post(admin mailing.Account, form app.PostForm) mailing.Post {
	h.t.Helper()
	form.Publish = true
	p, err := h.app.CreatePost(h.t.Context(), admin, form)
	if err != nil {
		h.t.Fatal(err)
	}
	return p
}

func TestPictures(t *testing.T) {
	h := newHarness(t)
	admin := h.account("admin@example.org", mailing.RoleAdmin)
	hash, err := h.app.AddPicture(t.Context(), admin, bytes.NewReader(drawing(t, 2000, 1000)))
	if err != nil {
		t.Fatal(err)
	}
	stranger := h.visitor().fromFar()
	h.run("anybody who knows its name sees a picture, and keeps it", func(t *testing.T) {
		for path, width := range map[string]int{"/pictures/" + hash: 1600, "/pictures/" + hash + "/small": 720} {
			p := stranger.get(path).expect(http.StatusOK)
			config, err := png.DecodeConfig(strings.NewReader(p.body))
			if err != nil || config.Width != width {
				t.Errorf("%s: %+v, %v", path, config, err)
			}
			for name, want := range map[string]string{
				"Content-Type": "image/png", "X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'; sandbox",
				"Cache-Control": "public, max-age=31536000, immutable", "Cross-Origin-Resource-Policy": "cross-origin", "Set-Cookie": "",
			} {
				if got := p.header.Get(name); got != want {
					t.Errorf("%s: %s is %q", path, name, got)
				}
			}
			again := h.visitor()
			again.header.Set("If-None-Match", p.header.Get("ETag"))
			again.get(path).expect(http.StatusNotModified)
		}
	})
	h.run("no other name is a picture", func(t *testing.T) {
		for _, path := range []string{"/pictures/0123", "/pictures/" + hash + "/large", "/pictures/", "/pictures/%00"} {
			stranger.get(path).expect(http.StatusNotFound)
		}
	})
}

func TestAvatar(t *testing.T) {
	h := newHarness(t)
	anna := h.account("anna@example.org", mailing.RoleUser)
	c := h.signIn(anna)
	h.run("without a picture there are initials, in a colour that is no style", func(t *testing.T) {
		c.get("/profile").shows(".topbar .face", "АП").shows(".face-large", "АП").lacks("[style], img.face")
	})
	h.run("a picture is taken by its content, and shown", func(t *testing.T) {
		p := c.follow(c.sendFiles("/profile/avatar", nil, map[string][]byte{"avatar": drawing(t, 500, 400)})).shows(".flash", "Аватар сохранён")
		c.get(p.attr(".topbar img.face", "src")).expect(http.StatusOK)
		c.get(p.attr("img.face-large", "src")).expect(http.StatusOK)
		manager := h.signIn(h.account("manager@example.org", mailing.RoleManager))
		manager.get("/admin/users").one(`.person img.face[src="` + p.attr(".topbar img.face", "src") + `"]`)
	})
	h.run("what is no picture is told beside the field, and the face stays", func(t *testing.T) {
		p := c.sendFiles("/profile/avatar", nil, map[string][]byte{"avatar": []byte("<svg onload=alert(1)>")})
		p.expect(http.StatusUnprocessableEntity).shows("#field-avatar-error", "не картинка").one(".topbar img.face")
		c.sendFiles("/profile/avatar", nil, nil).expect(http.StatusUnprocessableEntity).one("#field-avatar-error")
		c.post("/profile/avatar", nil).expect(http.StatusUnprocessableEntity).one("#field-avatar-error")
		large := make([]byte, app.MaxPictureBytes+2<<20)
		c.lang("en").sendFiles("/profile/avatar", nil, map[string][]byte{"avatar": large}).expect(http.StatusUnprocessableEntity).shows("#field-avatar-error", "12 MB")
	})
	h.run("it can be removed", func(t *testing.T) {
		c.follow(c.post("/profile/avatar/delete", nil)).shows(".flash", "removed").lacks("img.face")
	})
}

func TestThemeFollowsThePerson(t *testing.T) {
	h := newHarness(t)
	anna := h.account("anna@example.org", mailing.RoleUser)
	h.signIn(anna).post("/preferences", url.Values{"theme": {"dark"}}).expect(http.StatusSeeOther)
	elsewhere := h.signIn(anna)
	if got := elsewhere.get("/").attr("html", "data-bs-theme"); got != "dark" {
		t.Errorf("on another device it is %q", got)
	}
	p := elsewhere.get("/profile")
	elsewhere.submit(p, "form[action=/profile]", url.Values{"theme": {"light"}}).expect(http.StatusSeeOther)
	elsewhere.post("/logout", nil)
	if got := elsewhere.get("/login").attr("html", "data-bs-theme"); got != "light" {
		t.Errorf("after signing out it is %q", got)
	}
	if got := h.signIn(anna).get("/profile").attr("html", "data-bs-theme"); got != "light" {
		t.Errorf("changed in the profile it is %q", got)
	}
}

func TestReadingTheBlog(t *testing.T) {
	h := newHarness(t)
	admin := h.account("admin@example.org", mailing.RoleAdmin)
	stranger := h.visitor().fromFar()
	h.run("a blog without posts says so, and the home page says nothing", func(t *testing.T) {
		stranger.get("/blog").expect(http.StatusOK).shows(".nothing-title", "Записей пока нет")
		stranger.get("/").lacks("#blog")
		h.signIn(admin).get("/").lacks("#blog").one(".sidebar-link[href=/blog]")
	})
	hash, err := h.app.AddPicture(t.Context(), admin, bytes.NewReader(drawing(t, 100, 50)))
	if err != nil {
		t.Fatal(err)
	}
	h.post(admin, app.PostForm{
		Title: `Чай "Утро" & <b>`, Body: "Первый *сбор*. <script>alert(1)</script>\n\n[x](javascript:alert(1))", Cover: hash,
	})
	h.run("anybody reads a post, and programs are told what it is", func(t *testing.T) {
		p := stranger.follow(&page{h: h, header: http.Header{"Location": {stranger.get("/blog").attr(".post-title a", "href")}}})
		p.expect(http.StatusOK).shows("h1", `Чай "Утро" & <b>`).shows(".prose em", "сбор").lacks("main script, .prose a").shows(".post-meta", "Анна Петрова")
		if p.path != "/blog/chay-utro-b" {
			t.Errorf("its address is %s", p.path)
		}
		for selector, want := range map[string]string{
			"meta[name=description]": "Первый сбор. alert(1) x", `meta[property="og:title"]`: `Чай "Утро" & <b>`, `meta[property="og:type"]`: "article",
			`meta[property="og:url"]`: baseURL + "/blog/chay-utro-b", `meta[property="og:image"]`: baseURL + "/pictures/" + hash,
			`meta[property="og:locale"]`: "ru_RU",
		} {
			if got := p.attr(selector, "content"); got != want {
				t.Errorf("%s is %q", selector, got)
			}
		}
		if got := p.attr("link[rel=alternate]", "href"); got != "/blog/feed.xml" {
			t.Errorf("the feed is at %q", got)
		}
		stranger.lang("en").get("/blog/chay-utro-b").shows(".post-meta", "0 views").one(`a[href="/blog"]:has-text(All posts)`)
	})
	h.run("what is not published is not there", func(t *testing.T) {
		draft, err := h.app.CreatePost(t.Context(), admin, app.PostForm{Title: "Секрет", Body: "текст"})
		if err != nil {
			t.Fatal(err)
		}
		h.post(admin, app.PostForm{Title: "Завтра", Body: "текст", At: time.Now().Add(24 * time.Hour)})
		for _, path := range []string{"/blog/" + draft.Slug, "/blog/zavtra", "/blog/no-such", "/blog/%D0%AF"} {
			stranger.get(path).expect(http.StatusNotFound)
		}
		for _, path := range []string{"/blog", "/blog/feed.xml", "/"} {
			if p := stranger.get(path); strings.Contains(p.body, "Секрет") || strings.Contains(p.body, "Завтра") {
				t.Errorf("%s tells of it", path)
			}
		}
		writer := h.signIn(admin)
		writer.get("/blog/"+draft.Slug).expect(http.StatusOK).shows(".note", "Черновик").one("meta[name=robots]")
	})
	h.run("the home page shows three, to anybody", func(t *testing.T) {
		for i := range 5 {
			h.post(admin, app.PostForm{Title: fmt.Sprint("Запись ", i), Body: "Её начало."})
		}
		for _, c := range []*client{h.visitor(), h.signIn(h.account("user@example.org", mailing.RoleUser))} {
			p := c.get("/").shows("#blog .post-lead", "Её начало.").shows("#blog .post-more", "Подробнее").shows("#blog .post-meta", "0 просмотров")
			if n := len(p.find("#blog .post-card")); n != 3 {
				t.Errorf("there are %d", n)
			}
		}
	})
	h.run("a long list has pages", func(t *testing.T) {
		for i := range 10 {
			h.post(admin, app.PostForm{Title: fmt.Sprint("Ещё ", i), Body: "текст"})
		}
		first := stranger.lang("ru").get("/blog")
		if n := len(first.find(".post-card")); n != 12 {
			t.Errorf("the first has %d", n)
		}
		if n := len(stranger.get("/blog?page=2").find(".post-card")); n != 4 {
			t.Errorf("the second has %d", n)
		}
	})
}

// machines are programs, and browsers that load ahead.
var machines = []http.Header{
	{"User-Agent": {"Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"}},
	{"User-Agent": {"Mozilla/5.0 (compatible; YandexBot/3.0)"}},
	{"User-Agent": {"curl/8.5.0"}},
	{"User-Agent": {"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 HeadlessChrome/140.0"}},
	{"User-Agent": {"TelegramBot (like TwitterBot)"}},
	{"User-Agent": {""}},
	{"User-Agent": {firefox}, "Sec-Purpose": {"prefetch;prerender"}},
	{"User-Agent": {firefox}, "Purpose": {"prefetch"}},
	{"User-Agent": {firefox}, "X-Moz": {"prefetch"}},
	{"User-Agent": {firefox}, "X-Purpose": {"preview"}},
}

func TestViewsOfPosts(t *testing.T) {
	h := newHarness(t)
	admin := h.account("admin@example.org", mailing.RoleAdmin)
	post := h.post(admin, app.PostForm{Title: "Чай", Body: "текст"})
	as := func(c *client, header http.Header) *client {
		c.header = header.Clone()
		return c
	}
	views := func() int64 {
		p, err := h.app.Post(t.Context(), admin, post.ID)
		if err != nil {
			t.Fatal(err)
		}
		return p.Views
	}
	h.run("a hundred reloads and fifty machines are one view", func(t *testing.T) {
		reader := as(h.visitor().fromFar(), http.Header{"User-Agent": {firefox}})
		for range 100 {
			reader.get("/blog/chay").expect(http.StatusOK)
		}
		for i := range 50 {
			machine := as(h.visitor().fromFar(), machines[i%len(machines)])
			machine.remote = fmt.Sprintf("198.51.100.%d:4000", i)
			machine.get("/blog/chay").expect(http.StatusOK)
		}
		if n := views(); n != 1 {
			t.Errorf("there are %d views", n)
		}
	})
	h.run("nobody is counted who only asks for the head, or speaks no language", func(t *testing.T) {
		c := as(h.visitor(), http.Header{"User-Agent": {firefox}})
		c.remote = "198.51.100.77:1"
		c.do(http.MethodHead, "/blog/chay", nil, "").expect(http.StatusOK)
		c.language = ""
		c.get("/blog/chay").expect(http.StatusOK)
		if n := views(); n != 1 {
			t.Errorf("there are %d views", n)
		}
	})
	h.run("the writer is not counted, others are", func(t *testing.T) {
		as(h.signIn(admin), http.Header{"User-Agent": {"Mozilla/5.0 (writer)"}}).get("/blog/chay")
		if n := views(); n != 1 {
			t.Errorf("there are %d views", n)
		}
		for i, browser := range []string{firefox, "Mozilla/5.0 (Linux; Android 13; CUBOT KINGKONG 7) Chrome/140.0"} {
			c := as(h.visitor().fromFar(), http.Header{"User-Agent": {browser}})
			c.remote = fmt.Sprintf("203.0.113.%d:4000", 20+i)
			c.get("/blog/chay")
		}
		h.visitor().lang("ru").get("/blog").shows(".post-meta", "3 просмотра")
	})
}

// parsedFeed is RSS 2.0 as its readers take it.
type parsedFeed struct {
	XMLName xml.Name `xml:"rss"`
	Version string   `xml:"version,attr"`
	Channel struct {
		Title       string `xml:"title"`
		Description string `xml:"description"`
		Links       []struct {
			XMLName xml.Name
			Text    string `xml:",chardata"`
			Href    string `xml:"href,attr"`
			Rel     string `xml:"rel,attr"`
		} `xml:"link"`
		Items []struct {
			Title       string `xml:"title"`
			Link        string `xml:"link"`
			GUID        string `xml:"guid"`
			PubDate     string `xml:"pubDate"`
			Description string `xml:"description"`
			Text        string `xml:"http://purl.org/rss/1.0/modules/content/ encoded"`
			Creator     string `xml:"http://purl.org/dc/elements/1.1/ creator"`
		} `xml:"item"`
	} `xml:"channel"`
}

func TestFeed(t *testing.T) {
	h := newHarness(t)
	admin := h.account("admin@example.org", mailing.RoleAdmin)
	read := func(c *client) (*page, parsedFeed) {
		p := c.get("/blog/feed.xml").expect(http.StatusOK)
		var f parsedFeed
		decoder := xml.NewDecoder(strings.NewReader(p.body))
		decoder.Strict = true
		if err := decoder.Decode(&f); err != nil {
			t.Fatal(err)
		}
		return p, f
	}
	h.run("a feed of nothing is one", func(t *testing.T) {
		p, f := read(h.visitor().lang("en"))
		if f.Version != "2.0" || f.Channel.Title != "Vestnik: blog" || f.Channel.Description == "" || len(f.Channel.Items) != 0 {
			t.Errorf("it is %+v", f)
		}
		if got := p.header.Get("Content-Type"); got != "application/rss+xml; charset=utf-8" {
			t.Errorf("it is sent as %s", got)
		}
	})
	hash, err := h.app.AddPicture(t.Context(), admin, bytes.NewReader(drawing(t, 100, 50)))
	if err != nil {
		t.Fatal(err)
	}
	at := time.Now().Add(-time.Hour).Truncate(time.Second)
	h.post(admin, app.PostForm{Title: "Чай & <вода>", Body: "Текст ]]> [сюда](/blog)\x0b", Cover: hash, At: at})
	h.run("a post is in it with whole addresses and its text", func(t *testing.T) {
		p, f := read(h.visitor().fromFar())
		if len(f.Channel.Items) != 1 || len(f.Channel.Links) != 2 {
			t.Fatalf("it is %+v", f)
		}
		if page, self := f.Channel.Links[0], f.Channel.Links[1]; page.Text != baseURL+"/blog" || self.XMLName.Space != "http://www.w3.org/2005/Atom" ||
			self.Href != baseURL+"/blog/feed.xml" || self.Rel != "self" {
			t.Errorf("its addresses are %+v", f.Channel.Links)
		}
		item := f.Channel.Items[0]
		published, err := mail.ParseDate(item.PubDate) // RFC 822 with years of four digits, as RSS wants
		if err != nil || !published.Equal(at) {
			t.Errorf("it was published at %q, %v", item.PubDate, err)
		}
		if item.Title != "Чай & <вода>" || item.Link != baseURL+"/blog/chay-voda" || item.GUID != item.Link || item.Creator != "Анна Петрова" {
			t.Errorf("it is %+v", item)
		}
		for _, want := range []string{`<img src="` + baseURL + "/pictures/" + hash + `"`, "]]&gt;", `<a href="` + baseURL + `/blog">сюда</a>`} {
			if !strings.Contains(item.Text, want) {
				t.Errorf("the text is %q, without %q", item.Text, want)
			}
		}
		again := h.visitor().fromFar()
		again.header.Set("If-None-Match", p.header.Get("ETag"))
		again.get("/blog/feed.xml").expect(http.StatusNotModified)
	})
}
