package app_test

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"slices"
	"strings"
	"testing"
	"time"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
)

// blog is a house with somebody who writes.
func blog(t *testing.T) (*house, mailing.Account) {
	t.Helper()
	h := newHouse(t)
	return h, h.person(t, "admin@example.org", mailing.RoleAdmin)
}

var text = app.PostForm{Title: "Новый  урожай", Body: "Первый *сбор*\r\nуже здесь.", Publish: true}

// lastDeed is the latest line of the audit log: what was done, what was and what became.
func (h *house) lastDeedLine(t *testing.T) string {
	t.Helper()
	var action, kind, was, became string
	must(t, h.store.Writer().QueryRow("select action, kind, was, became from deeds order by number desc limit 1").Scan(&action, &kind, &was, &became))
	return action + " " + kind + " " + was + " " + became
}

func (h *house) deeds(t *testing.T) int { return h.rows(t, "select count(*) from deeds") }

func drawing(t *testing.T, side int) *bytes.Buffer {
	t.Helper()
	var out bytes.Buffer
	must(t, png.Encode(&out, image.NewRGBA(image.Rect(0, 0, side, side))))
	return &out
}

func TestWritingPosts(t *testing.T) {
	h, admin := blog(t)
	var p mailing.Post
	t.Run("a post gets its address from the title and its lead from the text", func(t *testing.T) {
		var err error
		p, err = h.CreatePost(t.Context(), admin, text)
		must(t, err)
		if p.Slug != "novyy-urozhay" || p.Title != "Новый урожай" || p.Lead != "Первый сбор уже здесь." || !p.PublishedAt.Equal(h.now) {
			t.Errorf("got %+v", p)
		}
		if got := h.lastDeedLine(t); !strings.HasPrefix(got, "post.create post ") || !strings.Contains(got, `"title":"Новый урожай"`) {
			t.Errorf("the log says %s", got)
		}
		if n := h.rows(t, "select count(*) from deeds where thing_id = $1", p.ID); n != 1 {
			t.Errorf("%d deeds name it", n)
		}
	})
	t.Run("a new title keeps the address", func(t *testing.T) {
		f := text
		f.Title, f.Read = "Другое имя", p.UpdatedAt
		_, err := h.UpdatePost(t.Context(), admin, p.ID, f)
		must(t, err)
		article, err := h.Article(t.Context(), mailing.Account{}, "novyy-urozhay")
		must(t, err)
		if article.Title != "Другое имя" || article.AuthorName != "Анна Петрова" || article.HTML != "<p>Первый <em>сбор</em><br>\nуже здесь.</p>\n" {
			t.Errorf("got %+v", article)
		}
		if got := h.lastDeedLine(t); got != `post.update post {"title":"Новый урожай"} {"title":"Другое имя"}` {
			t.Errorf("the log says %s", got)
		}
	})
	t.Run("two who change it at once do not undo each other", func(t *testing.T) {
		f := text
		f.Read = p.UpdatedAt
		_, err := h.UpdatePost(t.Context(), admin, p.ID, f)
		want(t, err, "changed_meanwhile")
	})
	t.Run("a change that is none is in no log", func(t *testing.T) {
		before := h.deeds(t)
		now, err := h.Post(t.Context(), admin, p.ID)
		must(t, err)
		_, err = h.UpdatePost(t.Context(), admin, p.ID, app.PostForm{Title: now.Title, Body: now.Body, Publish: true, Read: now.UpdatedAt})
		must(t, err)
		if got := h.deeds(t); got != before {
			t.Errorf("%d deeds more", got-before)
		}
	})
	t.Run("publishing and taking back are deeds of their own", func(t *testing.T) {
		_, err := h.PublishPost(t.Context(), admin, p.ID, false)
		must(t, err)
		if got := h.lastDeedLine(t); got != `post.unpublish post {"published":"2026-11-23T09:00:00Z"} {"published":""}` {
			t.Errorf("the log says %s", got)
		}
		h.later(time.Hour)
		_, err = h.PublishPost(t.Context(), admin, p.ID, true)
		must(t, err)
		if got := h.lastDeedLine(t); got != `post.publish post {"published":""} {"published":"2026-11-23T10:00:00Z"}` {
			t.Errorf("the log says %s", got)
		}
	})
	t.Run("what is wrong is told by field", func(t *testing.T) {
		_, err := h.CreatePost(t.Context(), admin, app.PostForm{Body: " "})
		if got := fields(err); got != "body:required title:required" {
			t.Errorf("got %s", got)
		}
		_, err = h.CreatePost(t.Context(), admin, app.PostForm{Title: "a", Body: strings.Repeat("[", 3000), Cover: "0123456789abcdef0123456789abcdef"})
		if got := fields(err); got != "body:markdown_too_complex cover:picture_gone" {
			t.Errorf("got %s", got)
		}
	})
	t.Run("deleting leaves what was in the log", func(t *testing.T) {
		must(t, h.DeletePost(t.Context(), admin, p.ID))
		if got := h.lastDeedLine(t); !strings.HasPrefix(got, "post.delete post ") || !strings.Contains(got, "Другое имя") {
			t.Errorf("the log says %s", got)
		}
		want(t, h.DeletePost(t.Context(), admin, p.ID), "not_found")
	})
}

func TestWhoWritesTheBlog(t *testing.T) {
	h, admin := blog(t)
	draft := text
	draft.Publish = false
	p, err := h.CreatePost(t.Context(), admin, draft)
	must(t, err)
	for role, code := range map[mailing.Role]string{mailing.RoleUser: "not_found", mailing.RoleManager: "not_found", mailing.RoleAdmin: "ok"} {
		t.Run(string(role)+": "+code, func(t *testing.T) {
			who := h.person(t, "a-"+string(role)+"@example.org", role)
			_, _, err := h.Posts(t.Context(), who, app.PostFilter{}, page)
			want(t, err, code)
			_, err = h.Article(t.Context(), who, p.Slug)
			want(t, err, code)
			_, err = h.PreviewPost(who, "text")
			want(t, err, code)
			_, err = h.AddPicture(t.Context(), who, drawing(t, 3))
			want(t, err, code)
			_, err = h.CreatePost(t.Context(), who, text)
			want(t, err, code)
			again, err := h.Post(t.Context(), who, p.ID)
			want(t, err, code)
			_, err = h.UpdatePost(t.Context(), who, p.ID, app.PostForm{Title: "a", Body: "b", Read: again.UpdatedAt})
			want(t, err, code)
			_, err = h.PublishPost(t.Context(), who, p.ID, true)
			want(t, err, code)
			want(t, h.DeletePost(t.Context(), who, p.ID), code)
		})
		if code == "ok" { // for those who come after
			p, err = h.CreatePost(t.Context(), admin, draft)
			must(t, err)
		}
	}
}

func TestWhatVisitorsRead(t *testing.T) {
	h, admin := blog(t)
	post := func(title string, publish bool, at time.Time) mailing.Post {
		p, err := h.CreatePost(t.Context(), admin, app.PostForm{Title: title, Body: "[дальше](/blog)", Publish: publish, At: at})
		must(t, err)
		return p
	}
	post("Draft", false, time.Time{})
	tomorrow := post("Tomorrow", true, h.now.Add(24*time.Hour))
	post("Old", true, h.now.AddDate(-1, 0, 0))
	post("New", true, time.Time{})
	titles := func() (all []string) {
		list, total, err := h.BlogPosts(t.Context(), page)
		must(t, err)
		for _, p := range list {
			all = append(all, p.Title)
		}
		if int(total) != len(all) {
			t.Errorf("%d in all", total)
		}
		return all
	}
	if got := titles(); !slices.Equal(got, []string{"New", "Old"}) {
		t.Errorf("now there are %v", got)
	}
	_, err := h.Article(t.Context(), mailing.Account{}, tomorrow.Slug)
	want(t, err, "not_found")
	picked, err := h.RandomPosts(t.Context(), 3)
	if err != nil || len(picked) != 2 {
		t.Errorf("picked %v, %v", picked, err)
	}
	h.later(24 * time.Hour)
	if got := titles(); !slices.Equal(got, []string{"Tomorrow", "New", "Old"}) {
		t.Errorf("tomorrow there are %v", got)
	}
	latest, err := h.LatestArticles(t.Context(), 2)
	if err != nil || len(latest) != 2 || latest[0].Title != "Tomorrow" || !strings.Contains(latest[0].HTML, `href="https://mail.example.org/blog"`) {
		t.Errorf("got %+v, %v", latest, err)
	}
}

func TestCountingViews(t *testing.T) {
	h, admin := blog(t)
	p, err := h.CreatePost(t.Context(), admin, text)
	must(t, err)
	read := func(who mailing.Account, address, browser string) {
		t.Helper()
		must(t, h.CountView(t.Context(), who, p, address, browser))
	}
	views := func(want int64) {
		t.Helper()
		now, err := h.Post(t.Context(), admin, p.ID)
		must(t, err)
		if now.Views != want {
			t.Errorf("%d views, want %d", now.Views, want)
		}
	}
	for range 5 {
		read(mailing.Account{}, "192.0.2.1", "Firefox")
	}
	views(1)
	read(mailing.Account{}, "192.0.2.1", "Chrome")
	read(mailing.Account{}, "192.0.2.2", "Firefox")
	views(3)
	read(admin, "192.0.2.3", "Firefox")
	views(3)
	read(h.person(t, "user@example.org", mailing.RoleUser), "192.0.2.4", "Firefox")
	views(4)
	h.later(24 * time.Hour)
	read(mailing.Account{}, "192.0.2.1", "Firefox")
	views(5)
	must(t, h.Sweep(t.Context()))
	if days, visits := h.rows(t, "select count(*) from visit_days"), h.rows(t, "select count(*) from visits"); days != 1 || visits != 1 {
		t.Errorf("of the day before %d keys and %d visits are left over", days-1, visits-1)
	}
	p.PublishedAt = time.Time{}
	read(mailing.Account{}, "192.0.2.9", "Firefox")
	views(5)
}

func TestPicturesOfPeople(t *testing.T) {
	h := newHouse(t)
	anna := h.person(t, "anna@example.org", mailing.RoleUser)
	must(t, h.SetAvatar(t.Context(), anna, drawing(t, 300)))
	anna, err := h.Account(t.Context(), anna.ID)
	must(t, err)
	kind, small, err := h.Picture(t.Context(), anna.Avatar, true)
	must(t, err)
	if config, err := png.DecodeConfig(bytes.NewReader(small)); err != nil || kind != "image/png" || config.Width != 96 {
		t.Errorf("got %s, %+v, %v", kind, config, err)
	}
	if got, wanted := h.lastDeedLine(t), fmt.Sprintf(`account.update account {"avatar":""} {"avatar":"%s"}`, anna.Avatar); got != wanted {
		t.Errorf("the log says %s", got)
	}
	want(t, h.SetAvatar(t.Context(), anna, strings.NewReader("<svg/>")), "picture_unknown")
	must(t, h.RemoveAvatar(t.Context(), anna))
	if now, err := h.Account(t.Context(), anna.ID); err != nil || now.Avatar != "" {
		t.Errorf("the avatar is %q, %v", now.Avatar, err)
	}
	t.Run("nobody fills the database with pictures", func(t *testing.T) {
		for range app.PictureBudget - 2 {
			want(t, h.SetAvatar(t.Context(), anna, strings.NewReader("x")), "picture_unknown")
		}
		want(t, h.SetAvatar(t.Context(), anna, drawing(t, 300)), "too_many_requests")
		h.later(time.Hour)
		must(t, h.SetAvatar(t.Context(), anna, drawing(t, 300)))
	})
}

func TestTheme(t *testing.T) {
	h := newHouse(t)
	anna := h.person(t, "anna@example.org", mailing.RoleUser)
	must(t, h.SetTheme(t.Context(), anna, "dark"))
	anna, err := h.Account(t.Context(), anna.ID)
	must(t, err)
	if got := h.lastDeedLine(t); anna.Theme != "dark" || got != `account.update_profile account {"theme":""} {"theme":"dark"}` {
		t.Errorf("the theme is %s, the log says %s", anna.Theme, got)
	}
	must(t, h.SetTheme(t.Context(), anna, "dark"))
	if n := h.deeds(t); n != 1 {
		t.Errorf("%d deeds", n)
	}
	want(t, h.SetTheme(t.Context(), anna, "pink"), "choice_unknown")
	must(t, h.UpdateProfile(t.Context(), anna, app.Profile{FirstName: "Анна", LastName: "Петрова", Lang: "ru", Zone: "Europe/Moscow", Theme: "light"}))
	if got := h.lastDeedLine(t); got != `account.update_profile account {"theme":"dark"} {"theme":"light"}` {
		t.Errorf("the log says %s", got)
	}
}
