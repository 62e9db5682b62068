package web_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
)

func TestWritingTheBlog(t *testing.T) {
	h := newHarness(t)
	admin := h.account("admin@example.org", mailing.RoleAdmin)
	c := h.signIn(admin)
	typed := url.Values{"title": {"Чай"}, "body": {"Первый *сбор*"}, "read": {"0"}}
	with := func(changes url.Values) url.Values {
		form := url.Values{}
		for _, from := range []url.Values{typed, changes} {
			for name, value := range from {
				form[name] = value
			}
		}
		return form
	}
	h.run("a preview shows what stands in the editor, and stores nothing", func(t *testing.T) {
		p := c.sendFiles("/admin/blog/preview", typed, nil).expect(http.StatusOK).shows("h1", "Чай").shows(".prose em", "сбор").lacks("script")
		if policy := p.header.Get("Content-Security-Policy"); !strings.Contains(policy, "frame-ancestors 'self'") || strings.Contains(policy, "script") {
			t.Errorf("it is sent with %q", policy)
		}
		c.sendFiles("/admin/blog/preview", with(url.Values{"body": {strings.Repeat("[", 3000)}}), nil).expect(http.StatusUnprocessableEntity).one(".note")
		c.get("/admin/blog").shows(".nothing-title", "Записей пока нет")
	})
	h.run("what is wrong stands beside its field, and nothing that was typed is lost", func(t *testing.T) {
		p := c.sendFiles("/admin/blog/new", with(url.Values{"title": {" "}, "date": {"2026-02-31"}, "do": {"publish"}}), nil)
		p.expect(http.StatusUnprocessableEntity).shows("#field-date-error", "Дата").shows("#field-body", "Первый *сбор*")
		p = c.sendFiles("/admin/blog/new", with(url.Values{"title": {""}, "do": {"publish"}}), map[string][]byte{"picture": []byte("no picture")})
		p.expect(http.StatusUnprocessableEntity).shows("#field-picture-error", "не картинка").shows("#field-body", "Первый *сбор*")
	})
	h.run("without a script a picture goes to the end of the text, and another above it", func(t *testing.T) {
		p := c.sendFiles("/admin/blog/new", with(url.Values{"do": {"pictures"}}), map[string][]byte{"picture": drawing(t, 50, 20), "cover_file": drawing(t, 60, 20)})
		p.expect(http.StatusOK).shows("#field-body", "Первый *сбор* ![](/pictures/")
		c.get(p.attr(".cover-shown img", "src")).expect(http.StatusOK)
		p = c.submit(p, "#editor", url.Values{"drop_cover": {"on"}, "do": {"save"}})
		c.follow(p).shows(".flash", "Черновик сохранён").lacks(".cover-shown img").shows("#field-body", "![](/pictures/")
	})
	h.run("the script of the editor is answered with what to insert, or why not", func(t *testing.T) {
		var answer struct{ Markdown, Problem string }
		p := c.sendFiles("/admin/blog/pictures", nil, map[string][]byte{"picture": drawing(t, 50, 20)}).expect(http.StatusOK)
		if err := json.Unmarshal([]byte(p.body), &answer); err != nil || !strings.HasPrefix(answer.Markdown, "![](/pictures/") {
			t.Errorf("got %s, %v", p.body, err)
		}
		p = c.sendFiles("/admin/blog/pictures", nil, map[string][]byte{"picture": []byte("no")}).expect(http.StatusUnprocessableEntity)
		if err := json.Unmarshal([]byte(p.body), &answer); err != nil || !strings.Contains(answer.Problem, "не картинка") {
			t.Errorf("got %s, %v", p.body, err)
		}
	})
	h.run("a date to come is kept in the writer's zone, and comes by itself", func(t *testing.T) {
		p := c.sendFiles("/admin/blog/new", with(url.Values{"title": {"Завтра"}, "date": {"2126-02-03"}, "time": {"10:30"}, "do": {"publish"}}), nil)
		p = c.follow(p).shows(".flash", "в назначенное время")
		if p.attr("#field-date", "value") != "2126-02-03" || p.attr("#field-time", "value") != "10:30" {
			t.Error("another moment is in the form")
		}
		stored, err := h.store.PostBySlug(t.Context(), "zavtra")
		if err != nil || !stored.PublishedAt.Equal(time.Date(2126, 2, 3, 7, 30, 0, 0, time.UTC)) {
			t.Errorf("it is %v, %v", stored.PublishedAt, err)
		}
		c.get("/admin/blog?state=scheduled").shows("tbody", "Завтра").shows(".state", "Запланирована")
		c.get("/admin/blog?state=published").shows(".nothing-title", "не нашлось")
	})
	h.run("the list publishes, takes back and deletes", func(t *testing.T) {
		list := c.get("/admin/blog?q=чай").shows("tbody .state", "Черновик")
		c.follow(c.submit(list, `tbody form[action^=/admin/blog/]:has-text(Опубликовать)`, nil)).shows(".flash", "опубликована")
		h.visitor().get("/blog/chay").expect(http.StatusOK)
		c.follow(c.submit(c.get("/admin/blog?q=чай"), `tbody form:has-text(Снять)`, nil)).shows(".flash", "Черновик")
		h.visitor().get("/blog/chay").expect(http.StatusNotFound)
		c.follow(c.submit(c.get("/admin/blog?q=чай"), ".ask-actions", nil)).shows(".flash", "удалена")
		c.get("/admin/blog?q=чай").lacks("tbody")
	})
	h.run("saving leaves the moment of publication alone", func(t *testing.T) {
		post := h.post(admin, app.PostForm{Title: "Мята", Body: "текст"})
		path := c.get("/admin/blog?q=мята").attr("tbody td a", "href")
		c.follow(c.submit(c.get(path), "#editor", url.Values{"title": {"Мята и мёд"}, "do": {"save"}})).shows("h1", "Мята и мёд")
		now, err := h.store.Post(t.Context(), post.ID)
		if err != nil || !now.PublishedAt.Equal(post.PublishedAt.Truncate(time.Millisecond)) || now.Slug != "myata" {
			t.Errorf("it is %+v, %v", now, err)
		}
	})
	h.run("of two who write at once the second is told, keeps their text, and may replace", func(t *testing.T) {
		path := c.get("/admin/blog?q=мята").attr("tbody td a", "href")
		mine, theirs := c.get(path), c.get(path)
		c.submit(theirs, "#editor", url.Values{"body": {"их текст"}, "do": {"save"}}).expect(http.StatusSeeOther)
		p := c.submit(mine, "#editor", url.Values{"body": {"мой текст"}, "do": {"save"}})
		p.expect(http.StatusConflict).shows("#field-title-error", "кто-то другой").shows("#field-body", "мой текст")
		c.follow(c.submit(p, "#editor", url.Values{"do": {"save"}})).shows("#field-body", "мой текст")
	})
	h.run("nobody else sees these pages", func(t *testing.T) {
		for _, role := range []mailing.Role{mailing.RoleUser, mailing.RoleManager} {
			other := h.signIn(h.account(string(role)+"@example.org", role))
			for _, path := range []string{"/admin/blog", "/admin/blog/new"} {
				other.get(path).expect(http.StatusNotFound)
			}
			for _, path := range []string{"/admin/blog/new", "/admin/blog/preview", "/admin/blog/pictures"} {
				other.sendFiles(path, typed, map[string][]byte{"picture": drawing(t, 5, 5)}).expect(http.StatusNotFound)
			}
			other.get("/blog").lacks("a[href^=/admin/blog]")
		}
	})
}
