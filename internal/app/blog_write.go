package app

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"

	"vestnik/internal/compose"
	"vestnik/internal/mailing"
	"vestnik/internal/picture"
	"vestnik/internal/store"
)

// leadLength is how much of a post stands in lists and in what search engines show.
// Chosen; they show 150 to 300 characters.
const leadLength = 280

// PostForm is what a person who writes for the blog gives.
type PostForm struct {
	Title   string
	Body    string
	Cover   string    // the Hash of a picture that AddPicture has returned; may be empty
	Publish bool      // false: a draft
	At      time.Time // from when it is published; zero: now, or as it was
	Read    time.Time // when what was changed here was last changed before
}

func mayWriteBlog(actor mailing.Account) error {
	if !actor.Role.May(mailing.WriteBlog) {
		return mailing.Fault(mailing.NotFound, "not_found")
	}
	return nil
}

// PostFilter narrows the list of posts for those who write.
type PostFilter struct{ State mailing.PostState }

// Posts lists all posts, whoever wrote them.
func (a *App) Posts(ctx context.Context, actor mailing.Account, f PostFilter, page Page) ([]PostRow, int64, error) {
	if err := mayWriteBlog(actor); err != nil {
		return nil, 0, err
	}
	return a.store.Posts(ctx, store.PostFilter{State: f.State, Now: a.Now()}, page)
}

// Post returns a post to be changed.
func (a *App) Post(ctx context.Context, actor mailing.Account, id int64) (mailing.Post, error) {
	if err := mayWriteBlog(actor); err != nil {
		return mailing.Post{}, err
	}
	return a.store.Post(ctx, id)
}

// PreviewPost returns what a text will look like.
func (a *App) PreviewPost(actor mailing.Account, body string) (html string, err error) {
	if err := mayWriteBlog(actor); err != nil {
		return "", err
	}
	return compose.ArticleHTML(body, "")
}

// AddPicture keeps a picture for a post that is being written, and returns its Hash.
func (a *App) AddPicture(ctx context.Context, actor mailing.Account, file io.Reader) (hash string, err error) {
	if err := mayWriteBlog(actor); err != nil {
		return "", err
	}
	p, err := a.takePicture(ctx, actor, file, picture.Article)
	if err != nil {
		return "", err
	}
	ctx = a.doing(ctx, actor, mailing.Deed{Action: "picture.add", Thing: mailing.Thing{Kind: mailing.ThingPicture, Name: p.Hash}})
	return p.Hash, wrap(a.store.PutPicture(ctx, p, a.Now()), "add picture")
}

// CreatePost adds a post of the actor's.
func (a *App) CreatePost(ctx context.Context, actor mailing.Account, f PostForm) (mailing.Post, error) {
	if err := mayWriteBlog(actor); err != nil {
		return mailing.Post{}, err
	}
	now := a.Now()
	p := mailing.Post{AuthorID: max(actor.ID, 0), CreatedAt: now, UpdatedAt: now} // the operator has no account
	pictures, err := a.fillPost(ctx, &p, f)
	if err != nil {
		return mailing.Post{}, err
	}
	p.Slug = mailing.Slug(p.Title)
	d := mailing.Deed{Action: "post.create", Thing: mailing.Thing{Kind: mailing.ThingPost, Name: p.Title}, Owner: p.AuthorID}
	d.After = known(postFacts(p))
	return a.store.CreatePost(a.doing(ctx, actor, d), p, pictures)
}

// UpdatePost changes a post. One that somebody else has changed since it was read is a
// conflict.
func (a *App) UpdatePost(ctx context.Context, actor mailing.Account, id int64, f PostForm) (mailing.Post, error) {
	p, err := a.Post(ctx, actor, id)
	if err != nil {
		return mailing.Post{}, err
	}
	was := p
	pictures, err := a.fillPost(ctx, &p, f)
	if err != nil {
		return mailing.Post{}, err
	}
	return p, a.changePost(ctx, actor, was, p, f.Read, pictures)
}

// PublishPost shows a post as it is from now on, or makes it a draft again.
func (a *App) PublishPost(ctx context.Context, actor mailing.Account, id int64, publish bool) (mailing.Post, error) {
	p, err := a.Post(ctx, actor, id)
	if err != nil {
		return mailing.Post{}, err
	}
	was := p
	p.PublishedAt = time.Time{}
	if publish {
		p.PublishedAt = a.Now()
	}
	return p, a.changePost(ctx, actor, was, p, was.UpdatedAt, shownPictures(p))
}

// changePost stores a change, named by what it means for readers. No change is none.
func (a *App) changePost(ctx context.Context, actor mailing.Account, was, p mailing.Post, read time.Time, pictures []string) error {
	d := mailing.Deed{Action: "post.update", Thing: mailing.Thing{Kind: mailing.ThingPost, ID: p.ID, Name: was.Title}, Owner: p.AuthorID}
	switch {
	case was.PublishedAt.IsZero() && !p.PublishedAt.IsZero():
		d.Action = "post.publish"
	case !was.PublishedAt.IsZero() && p.PublishedAt.IsZero():
		d.Action = "post.unpublish"
	}
	if d.Before, d.After = changes(postFacts(was), postFacts(p)); len(d.After) == 0 {
		return nil
	}
	p.UpdatedAt = a.Now()
	if !p.UpdatedAt.After(was.UpdatedAt) {
		p.UpdatedAt = was.UpdatedAt.Add(time.Millisecond) // it tells versions apart
	}
	return wrap(a.store.UpdatePost(a.doing(ctx, actor, d), p, read, pictures), "change post")
}

// DeletePost removes a post for good.
func (a *App) DeletePost(ctx context.Context, actor mailing.Account, id int64) error {
	p, err := a.Post(ctx, actor, id)
	if err != nil {
		return err
	}
	d := mailing.Deed{Action: "post.delete", Thing: mailing.Thing{Kind: mailing.ThingPost, ID: p.ID, Name: p.Title}, Owner: p.AuthorID}
	d.Before = postFacts(p)
	return wrap(a.store.DeletePost(a.doing(ctx, actor, d), id), "delete post")
}

// fillPost puts what was typed into a post, and returns the pictures that it shows.
func (a *App) fillPost(ctx context.Context, p *mailing.Post, f PostForm) ([]string, error) {
	p.Title, p.Body, p.Cover = mailing.CleanLine(f.Title), strings.ReplaceAll(f.Body, "\r\n", "\n"), f.Cover
	switch {
	case !f.Publish:
		p.PublishedAt = time.Time{}
	case !f.At.IsZero():
		p.PublishedAt = f.At
	case p.PublishedAt.IsZero():
		p.PublishedAt = a.Now()
	}
	var problems mailing.Problems
	if err := problems.AddError("", p.Check()); err != nil {
		return nil, err
	}
	_, err := compose.ArticleHTML(p.Body, "")
	if err := problems.AddError("body", err); err != nil {
		return nil, err
	}
	if p.Cover != "" {
		there, err := a.store.HasPicture(ctx, p.Cover)
		if err != nil {
			return nil, err
		}
		if !there {
			problems.Add("cover", "picture_gone")
		}
	}
	p.Lead = compose.ArticleLead(p.Body, leadLength)
	return shownPictures(*p), problems.Err()
}

// pictureName finds the names of pictures in a text, in links to them, too.
var pictureName = regexp.MustCompile(regexp.QuoteMeta(compose.PicturePath) + `([0-9a-f]{32})`)

func shownPictures(p mailing.Post) []string {
	var pictures []string
	if p.Cover != "" {
		pictures = append(pictures, p.Cover)
	}
	for _, match := range pictureName.FindAllStringSubmatch(p.Body, -1) {
		if !slices.Contains(pictures, match[1]) {
			pictures = append(pictures, match[1])
		}
	}
	return pictures
}

// postFacts are what the audit log knows of a post. Of the text it knows the hash: it
// would double in size with every correction.
func postFacts(p mailing.Post) mailing.Facts {
	published := ""
	if !p.PublishedAt.IsZero() {
		published = p.PublishedAt.UTC().Format(time.RFC3339)
	}
	return mailing.Facts{
		"title": p.Title, "text": fmt.Sprintf("sha256 %x", sha256.Sum256([]byte(p.Body))), "cover": p.Cover, "published": published,
	}
}
