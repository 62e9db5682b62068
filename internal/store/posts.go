package store

import (
	"context"
	"database/sql"
	"strconv"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/store/sqlc"
)

// CreatePost adds a post that shows the pictures, and returns it with its id and a
// slug that no other has: that of p, or one with a number behind it.
func (s *Store) CreatePost(ctx context.Context, p mailing.Post, pictures []string) (mailing.Post, error) {
	wanted := p.Slug
	for number := 2; ; number++ {
		p.ID = NewID()
		err := s.do(ctx, func(q *sqlc.Queries) error { return createPost(ctx, q, p, pictures) })
		if !isDuplicate(err) {
			return p, wrap(err, "create post")
		}
		p.Slug = wanted + "-" + strconv.Itoa(number)
	}
}

func createPost(ctx context.Context, q *sqlc.Queries, p mailing.Post, pictures []string) error {
	made(ctx, p.ID)
	err := q.CreatePost(ctx, sqlc.CreatePostParams{
		ID: p.ID, Slug: p.Slug, Title: p.Title, Lead: p.Lead, Cover: p.Cover, AuthorID: nullID(p.AuthorID),
		PublishedAt: millis(p.PublishedAt), Search: mailing.SearchText(p.Title), CreatedAt: millis(p.CreatedAt), Body: p.Body,
	})
	if err != nil {
		return err
	}
	return putPostPictures(ctx, q, p, pictures)
}

func putPostPictures(ctx context.Context, q *sqlc.Queries, p mailing.Post, pictures []string) error {
	for _, hash := range pictures {
		if err := q.PutPostPicture(ctx, sqlc.PutPostPictureParams{PostID: p.ID, Hash: hash}); err != nil {
			return err
		}
	}
	return nil
}

// Post returns a post, published or not.
func (s *Store) Post(ctx context.Context, id int64) (mailing.Post, error) {
	row, err := found(s.r.Post(ctx, id))
	return postOf(row), wrap(err, "post")
}

// PostBySlug is Post by its name in addresses.
func (s *Store) PostBySlug(ctx context.Context, slug string) (mailing.Post, error) {
	row, err := found(s.r.PostBySlug(ctx, slug))
	return postOf(row), wrap(err, "post by slug")
}

// UpdatePost stores a post that was last changed at was, and which pictures it shows.
// Its slug, its author and its views stay. One that somebody else has changed since is
// a conflict.
func (s *Store) UpdatePost(ctx context.Context, p mailing.Post, was time.Time, pictures []string) error {
	return wrap(s.do(ctx, func(q *sqlc.Queries) error {
		err := changed(q.UpdatePost(ctx, sqlc.UpdatePostParams{
			ID: p.ID, Title: p.Title, Lead: p.Lead, Cover: p.Cover, PublishedAt: millis(p.PublishedAt),
			Search: mailing.SearchText(p.Title), UpdatedAt: millis(p.UpdatedAt), Body: p.Body, Was: millis(was),
		}))
		if err != nil {
			return err
		}
		if err := dropPostPictures(ctx, q, p.ID, p.UpdatedAt); err != nil {
			return err
		}
		return putPostPictures(ctx, q, p, pictures)
	}), "update post")
}

// dropPostPictures notes that pictures were in use until now: who takes one out of a
// text may want it back.
func dropPostPictures(ctx context.Context, q *sqlc.Queries, id int64, now time.Time) error {
	if err := q.TouchPostPictures(ctx, sqlc.TouchPostPicturesParams{PostID: id, UsedAt: millis(now)}); err != nil {
		return err
	}
	return q.DropPostPictures(ctx, id)
}

// DeletePost removes a post. Its pictures go when nothing else shows them.
func (s *Store) DeletePost(ctx context.Context, id int64) error {
	return wrap(s.do(ctx, func(q *sqlc.Queries) error { return there(q.DeletePost(ctx, id)) }), "delete post")
}

// PostRow is a post in a list, without its Body.
type PostRow struct {
	mailing.Post
	AuthorName string // empty when the account is gone
}

var postList = list{
	fields: `p.id, p.slug, p.title, p.lead, p.cover, coalesce(p.author_id, 0), p.published_at, p.views, p.created_at,
p.updated_at, coalesce(a.first_name || ' ' || a.last_name, '')`,
	from: "posts p left join accounts a on a.id = p.author_id",
	columns: map[string]string{
		"": "p.published_at", "published": "p.published_at", "updated": "p.updated_at", "title": "p.search", "views": "p.views",
	},
	tiebreak: "p.id",
}

// PostFilter narrows a list of posts.
type PostFilter struct {
	State mailing.PostState // at the moment Now; empty: any
	Now   time.Time
	IDs   []int64 // only these; nil: any
}

func (f PostFilter) predicate() (p predicate) {
	now := millis(f.Now)
	switch f.State {
	case mailing.PostDraft:
		p.and("p.published_at = ?", 0)
	case mailing.PostScheduled:
		p.and("p.published_at > ?", now)
	case mailing.PostPublished:
		p.and("p.published_at > ?", 0)
		p.and("p.published_at <= ?", now)
	}
	if f.IDs != nil {
		ids := "0"
		for _, id := range f.IDs {
			ids += ", " + strconv.FormatInt(id, 10)
		}
		p.conditions = append(p.conditions, "p.id in ("+ids+")")
	}
	return p
}

// Posts lists posts, sorted by published, updated, title or views.
func (s *Store) Posts(ctx context.Context, f PostFilter, page Page) ([]PostRow, int64, error) {
	p := f.predicate()
	p.search("p.search", page.Search)
	rows, total, err := s.rows(ctx, postList, p, page)
	if err != nil {
		return nil, 0, wrap(err, "list posts")
	}
	posts, err := collect(rows, func(rows *sql.Rows) (r PostRow, err error) {
		var published, created, updated int64
		err = rows.Scan(&r.ID, &r.Slug, &r.Title, &r.Lead, &r.Cover, &r.AuthorID, &published, &r.Views, &created,
			&updated, &r.AuthorName)
		r.PublishedAt, r.CreatedAt, r.UpdatedAt = instant(published), instant(created), instant(updated)
		return r, err
	})
	return posts, total, wrap(err, "list posts")
}

// RandomPosts returns the ids of posts that are published, picked at random. Only an
// index is read for it.
func (s *Store) RandomPosts(ctx context.Context, most int, now time.Time) ([]int64, error) {
	ids, err := s.r.RandomPosts(ctx, sqlc.RandomPostsParams{Now: millis(now), Most: int32(most)})
	return ids, wrap(err, "random posts")
}

func postOf(row sqlc.Post) mailing.Post {
	return mailing.Post{
		ID: row.ID, Slug: row.Slug, Title: row.Title, Body: row.Body, Lead: row.Lead, Cover: row.Cover, AuthorID: row.AuthorID.Int64,
		PublishedAt: instant(row.PublishedAt), Views: row.Views, CreatedAt: instant(row.CreatedAt), UpdatedAt: instant(row.UpdatedAt),
	}
}
