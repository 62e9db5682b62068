package store_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/store"
	"vestnik/internal/store/storetest"
)

// somePost is a published post.
func somePost(author int64) mailing.Post {
	return mailing.Post{
		Slug: "tea", Title: "Чай", Body: "Первый урожай", Lead: "Первый урожай", AuthorID: author,
		PublishedAt: now, CreatedAt: now, UpdatedAt: now,
	}
}

func TestPosts(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		anna := storetest.Account(t, s, "anna@example.com")
		made := must(s.CreatePost(ctx, somePost(anna.ID), []string{"aa", "bb", "aa"}))(t)
		t.Run("a post is as it was written", func(t *testing.T) {
			equal(t, "post", must(s.Post(ctx, made.ID))(t), made)
			equal(t, "by its slug", must(s.PostBySlug(ctx, "tea"))(t), made)
			_, err := s.PostBySlug(ctx, "coffee")
			wantCode(t, err, "not_found")
		})
		t.Run("no two have the same slug, however many write at once", func(t *testing.T) {
			slugs := make([]string, 4)
			ok(t, errors.Join(atOnce(4, func(i int) error {
				p, err := s.CreatePost(ctx, somePost(anna.ID), nil)
				slugs[i] = p.Slug
				return err
			})...))
			slices.Sort(slugs)
			equalList(t, "slugs", slugs, []string{"tea-2", "tea-3", "tea-4", "tea-5"})
		})
		t.Run("a change keeps slug, author and views", func(t *testing.T) {
			p := made
			p.Slug, p.Title, p.AuthorID, p.Views, p.UpdatedAt = "other", "Кофе", 0, 99, now.Add(time.Second)
			ok(t, s.UpdatePost(ctx, p, made.UpdatedAt, []string{"bb"}))
			got := must(s.Post(ctx, made.ID))(t)
			equal(t, "slug", got.Slug, "tea")
			equal(t, "title", got.Title, "Кофе")
			equal(t, "author", got.AuthorID, anna.ID)
			equal(t, "views", got.Views, 0)
			wantCode(t, s.UpdatePost(ctx, p, made.UpdatedAt, nil), "changed_meanwhile")
		})
		t.Run("it stays when its author is gone", func(t *testing.T) {
			boris := storetest.Account(t, s, "boris@example.com")
			p := must(s.CreatePost(ctx, somePost(boris.ID), nil))(t)
			must(s.Writer().Exec("delete from accounts where id = $1", boris.ID))(t)
			equal(t, "author", must(s.Post(ctx, p.ID))(t).AuthorID, 0)
			list, _, err := s.Posts(ctx, store.PostFilter{IDs: []int64{p.ID}}, store.Page{Limit: 10})
			ok(t, err)
			equal(t, "name", list[0].AuthorName, "")
		})
		t.Run("what is deleted is gone", func(t *testing.T) {
			ok(t, s.DeletePost(ctx, made.ID))
			wantCode(t, s.DeletePost(ctx, made.ID), "not_found")
			equal(t, "pictures of posts", count(t, s, "post_pictures"), 0)
		})
	})
}

func count(t *testing.T, s *store.Store, table string) (n int) {
	t.Helper()
	ok(t, s.Writer().QueryRow("select count(*) from "+table).Scan(&n))
	return n
}

func TestListsOfPosts(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		anna := storetest.Account(t, s, "anna@example.com")
		for title, at := range map[string]time.Time{
			"Черновик": {}, "Завтра": now.Add(24 * time.Hour), "Сегодня": now, "Вчера": now.Add(-24 * time.Hour),
		} {
			p := somePost(anna.ID)
			p.Title, p.PublishedAt = title, at
			must(s.CreatePost(ctx, p, nil))(t)
		}
		for state, want := range map[mailing.PostState]string{
			"": "Завтра Сегодня Вчера Черновик", mailing.PostDraft: "Черновик",
			mailing.PostScheduled: "Завтра", mailing.PostPublished: "Сегодня Вчера",
		} {
			list, total, err := s.Posts(ctx, store.PostFilter{State: state, Now: now}, store.Page{Desc: true, Limit: 10})
			ok(t, err)
			var titles []string
			for _, p := range list {
				titles = append(titles, p.Title)
			}
			equal(t, "posts that are "+string(state), strings.Join(titles, " "), want)
			equal(t, "total", total, int64(len(list)))
			equal(t, "author", list[0].AuthorName, "Анна Петрова")
		}
		list, _, err := s.Posts(ctx, store.PostFilter{}, store.Page{Search: "ВЧЕР", Limit: 10})
		ok(t, err)
		equal(t, "found", len(list), 1)
		none, _, err := s.Posts(ctx, store.PostFilter{IDs: []int64{}}, store.Page{Limit: 10})
		ok(t, err)
		equal(t, "of no ids", len(none), 0)
	})
}

func TestRandomPosts(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		equal(t, "of none", len(must(s.RandomPosts(ctx, 3, now))(t)), 0)
		hidden := somePost(0)
		hidden.PublishedAt = time.Time{}
		must(s.CreatePost(ctx, hidden, nil))(t)
		hidden.PublishedAt = now.Add(time.Hour)
		must(s.CreatePost(ctx, hidden, nil))(t)
		seen := map[int64]bool{}
		published := map[int64]bool{}
		for range 5 {
			published[must(s.CreatePost(ctx, somePost(0), nil))(t).ID] = true
		}
		for range 60 { // that one of five is never among three in 60 picks: once in 10^23
			ids := must(s.RandomPosts(ctx, 3, now))(t)
			equal(t, "picked", len(ids), 3)
			for _, id := range ids {
				seen[id] = true
				equal(t, "it is published", published[id], true)
			}
		}
		equal(t, "all have their turn", len(seen), 5)
	})
}

// TestPlanOfRandomPosts asks SQLite whether it reads posts for the pick, or only the index.
func TestPlanOfRandomPosts(t *testing.T) {
	s := storetest.New(t)
	_, query, _ := strings.Cut(string(must(os.ReadFile("queries/posts.sql"))(t)), "-- name: RandomPosts :many\n")
	query, _, _ = strings.Cut(query, ";")
	query = strings.NewReplacer("@now", "1", "@most", "3").Replace(query)
	var id, parent, unused int64
	var step string
	ok(t, s.Writer().QueryRow("explain query plan "+query).Scan(&id, &parent, &unused, &step))
	if !strings.Contains(step, "USING COVERING INDEX posts_published") {
		t.Errorf("posts are picked by %s", step)
	}
}

func TestViews(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		p, other := must(s.CreatePost(ctx, somePost(0), nil))(t), must(s.CreatePost(ctx, somePost(0), nil))(t)
		views := func(id int64) int64 { return must(s.Post(ctx, id))(t).Views }
		t.Run("a visitor counts once a day and post, however many nodes hear of it at once", func(t *testing.T) {
			ok(t, errors.Join(atOnce(8, func(i int) error {
				return s.CountView(ctx, p.ID, 100, fmt.Append(nil, "address ", i%2), []byte("browser"))
			})...))
			equal(t, "views", views(p.ID), 2)
			ok(t, s.CountView(ctx, other.ID, 100, []byte("address 0"), []byte("browser")))
			ok(t, s.CountView(ctx, p.ID, 101, []byte("address 0"), []byte("browser")))
			equal(t, "views of the other", views(other.ID), 1)
			equal(t, "views on the next day", views(p.ID), 3)
		})
		t.Run("a day has one key, whoever makes it", func(t *testing.T) {
			secrets := make([]string, 4)
			ok(t, errors.Join(atOnce(4, func(i int) error {
				secret, err := s.VisitSecret(ctx, 100, fmt.Append(nil, "secret ", i))
				secrets[i] = string(secret)
				return err
			})...))
			equal(t, "keys", len(slices.Compact(secrets)), 1)
			must(s.VisitSecret(ctx, 101, []byte("tomorrow")))(t)
		})
		t.Run("of a day that is over nothing is known but the number", func(t *testing.T) {
			ok(t, s.SweepBlog(ctx, 101, now))
			equal(t, "visits", count(t, s, "visits"), 1)
			equal(t, "keys", count(t, s, "visit_days"), 1)
			equal(t, "views", views(p.ID), 3)
		})
		t.Run("what is gone is not counted", func(t *testing.T) {
			ok(t, s.DeletePost(ctx, other.ID))
			wantCode(t, s.CountView(ctx, other.ID, 102, []byte("address 0"), []byte("browser")), "not_found")
			equal(t, "visits", count(t, s, "visits"), 1)
		})
	})
}

func TestViewsOfOneAddress(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		p := must(s.CreatePost(ctx, somePost(0), nil))(t)
		read := func(day int64, address byte, browser int) error {
			// The first browser is the last in the order of bytes.
			return s.CountView(ctx, p.ID, day, bytes.Repeat([]byte{address}, 32), bytes.Repeat([]byte{255 - byte(browser)}, 32))
		}
		views := func() int64 { return must(s.Post(ctx, p.ID))(t).Views }
		for i := range 50 {
			ok(t, read(1, 7, i))
		}
		equal(t, "views of one that says it is many browsers", views(), 5)
		equal(t, "visits", count(t, s, "visits"), 5)
		ok(t, errors.Join(read(1, 6, 0), read(1, 8, 0), read(1, 255, 0)))
		equal(t, "with its neighbours", views(), 8)
		ok(t, read(2, 7, 0))
		equal(t, "on the next day", views(), 9)
	})
}

func TestPictures(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		put := func(hash string, at time.Time) {
			ok(t, s.PutPicture(ctx, store.Picture{
				Hash: hash, Type: "image/png", Width: 2, Height: 1, Small: []byte("small"), Large: []byte("\x00large"),
			}, at))
		}
		put("a", now)
		kind, data, err := s.LargePicture(ctx, "a")
		ok(t, err)
		equal(t, "large", kind+" "+string(data), "image/png \x00large")
		_, data, err = s.SmallPicture(ctx, "a")
		ok(t, err)
		equal(t, "small", string(data), "small")
		_, _, err = s.SmallPicture(ctx, "b")
		wantCode(t, err, "not_found")

		t.Run("what nothing shows is deleted after a while", func(t *testing.T) {
			anna := storetest.Account(t, s, "anna@example.com")
			later := now.Add(8 * 24 * time.Hour)
			ok(t, s.SetAvatar(ctx, anna.ID, store.Picture{Hash: "face", Small: []byte("s"), Large: []byte("l")}, now))
			equal(t, "avatar", must(s.Account(ctx, anna.ID))(t).Avatar, "face")
			put("shown", now)
			put("again", now)
			put("again", later) // uploaded a second time
			p := must(s.CreatePost(ctx, somePost(anna.ID), []string{"shown"}))(t)
			for range 2 {
				ok(t, s.PutAccountPicture(ctx, anna.ID, store.Picture{Hash: "mailed", Small: []byte("s"), Large: []byte("l")}, now))
			}
			equal(t, "mailed", len(must(s.AccountPictures(ctx, anna.ID))(t)), 1)
			ok(t, s.SweepBlog(ctx, 0, later))
			for hash, want := range map[string]bool{"a": false, "face": true, "shown": true, "again": true, "mailed": true} {
				equal(t, hash, must(s.HasPicture(ctx, hash))(t), want)
			}
			p.UpdatedAt = later
			ok(t, s.UpdatePost(ctx, p, now, nil))
			ok(t, s.SetAvatar(ctx, anna.ID, store.Picture{}, later))
			ok(t, s.SweepBlog(ctx, 0, later.Add(time.Hour)))
			equal(t, "face", must(s.HasPicture(ctx, "face"))(t), false)
			equal(t, "just taken out of a text", must(s.HasPicture(ctx, "shown"))(t), true)
			ok(t, s.SweepBlog(ctx, 0, later.Add(8*24*time.Hour)))
			equal(t, "a week later", must(s.HasPicture(ctx, "shown"))(t), false)
			equal(t, "shown by mails", must(s.HasPicture(ctx, "mailed"))(t), true)
			must(s.Writer().Exec("delete from accounts where id = $1", anna.ID))(t)
			ok(t, s.SweepBlog(ctx, 0, later.Add(8*24*time.Hour)))
			equal(t, "of nobody", must(s.HasPicture(ctx, "mailed"))(t), false)
		})
		wantCode(t, s.SetAvatar(ctx, 1, store.Picture{}, now), "not_found")
	})
}
