package web

import (
	"net/http"
	"strings"
	"time"

	"vestnik/internal/app"
	"vestnik/internal/i18n"
	"vestnik/internal/mailing"
	"vestnik/internal/web/ui"
)

// postsPerPage fills rows of two and of three; homePosts is one row.
const (
	postsPerPage = 12
	homePosts    = 3
)

func (w *Web) blogRoutes() []Route {
	return []Route{
		{Pattern: "GET /blog", Access: Everybody, Serve: listArticles},
		{Pattern: "GET /blog/{slug}", Access: Everybody, Serve: readArticle},
		{Pattern: "GET " + feedPath, Access: Everybody, Serve: feed},
	}
}

// listArticles shows what is published, to anybody.
func listArticles(r *request) error {
	list, page := r.list("/blog", postsPerPage)
	posts, total, err := r.App.BlogPosts(r.in.Context(), page)
	if err != nil {
		return err
	}
	list.Total = int(total)
	p := r.page(r.T("nav.blog"))
	p.Head = blogHead(p, r.App.BaseURL, "/blog", r.T("blog.lead"))
	return r.render(http.StatusOK, blogPage(p, list, posts, r.writes()))
}

// writes reports whether the visitor may write for the blog.
func (r *request) writes() bool { return r.actor.Role.May(mailing.WriteBlog) }

// readArticle shows a post, and counts it as read. That it cannot be counted is no
// reason not to show it.
func readArticle(r *request) error {
	article, err := r.App.Article(r.in.Context(), r.actor, r.in.PathValue("slug"))
	if err != nil {
		return err
	}
	if isReader(r.in) {
		err := r.App.CountView(r.in.Context(), r.actor, article.Post, r.from.Address, r.in.UserAgent())
		if err != nil {
			r.Log.Warn("view was not counted", "post", article.ID, "error", err)
		}
	}
	p := r.page(article.Title)
	p.Head = articleHead(p, r.App.BaseURL, article)
	return r.render(http.StatusOK, articlePage(p, article, r.writes()))
}

// machineWords stand in the names that programs give themselves, in lower case. That
// of a browser has none of them, but for the phones of one maker.
var machineWords = []string{
	"bot", "crawl", "spider", "slurp", "archiv", "preview", "fetch", "scan", "monitor", "check", "lighthouse", "headless",
	"phantom", "selenium", "curl", "wget", "python", "java/", "perl", "php", "ruby", "node", "axios", "go-http", "httpclient",
	"okhttp", "libwww", "feed", "rss", "facebookexternalhit", "whatsapp", "bytespider", "postman", "insomnia",
}

const phoneMaker = "cubot"

// isReader reports whether a request looks like a person who reads a page: not a
// program, and not a browser that loads pages ahead that nobody may ever look at.
func isReader(in *http.Request) bool {
	agent := strings.ReplaceAll(strings.ToLower(in.UserAgent()), phoneMaker, "")
	if in.Method != http.MethodGet || agent == "" || in.Header.Get("Accept-Language") == "" {
		return false
	}
	for _, word := range machineWords {
		if strings.Contains(agent, word) {
			return false
		}
	}
	for _, name := range []string{"Sec-Purpose", "Purpose", "X-Purpose", "X-Moz"} {
		purpose := strings.ToLower(in.Header.Get(name))
		if strings.Contains(purpose, "prefetch") || strings.Contains(purpose, "preview") || strings.Contains(purpose, "prerender") {
			return false
		}
	}
	return true
}

func articlePath(slug string) string { return "/blog/" + slug }

// articleMeta says in a line when a post was published, how often it was read, and who
// wrote it.
func articleMeta(p ui.Page, post mailing.Post, author string) string {
	parts := []string{p.Date(post.PublishedAt), p.N("blog.views", post.Views)}
	if author = strings.TrimSpace(author); author != "" {
		parts = append(parts, author)
	}
	return strings.Join(parts, " · ")
}

// localeOf is the language as Open Graph writes it.
func localeOf(p ui.Page) string {
	if p.Lang() == i18n.Russian {
		return "ru_RU"
	}
	return "en_US"
}

// timestamp is a moment as machines read it (RFC 3339).
func timestamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// blogPosts are some posts for the home page; none when there is no blog, or it cannot
// be read: the page has more to say.
func (r *request) blogPosts() []app.PostRow {
	posts, err := r.App.RandomPosts(r.in.Context(), homePosts)
	if err != nil {
		r.Log.Error("posts for the home page cannot be read", "error", err)
	}
	return posts
}
