package app

import (
	"context"
	"crypto/rand"
	"strings"
	"time"

	"vestnik/internal/compose"
	"vestnik/internal/mailing"
	"vestnik/internal/store"
)

// Article is a post as it is read.
type Article struct {
	mailing.Post
	AuthorName string // empty when the account is gone
	HTML       string // safe to be shown as it is
}

// BlogPosts lists what is published, latest first.
func (a *App) BlogPosts(ctx context.Context, page Page) ([]PostRow, int64, error) {
	page.Search, page.Sort, page.Desc = "", "", true
	return a.store.Posts(ctx, store.PostFilter{State: mailing.PostPublished, Now: a.Now()}, page)
}

// Article returns a post by its slug. What is not published is there for those who
// write only.
func (a *App) Article(ctx context.Context, actor mailing.Account, slug string) (Article, error) {
	p, err := a.store.PostBySlug(ctx, slug)
	if err != nil {
		return Article{}, err
	}
	if p.State(a.Now()) != mailing.PostPublished {
		if err := mayWriteBlog(actor); err != nil {
			return Article{}, err
		}
	}
	return a.article(ctx, p, "")
}

func (a *App) article(ctx context.Context, p mailing.Post, base string) (article Article, err error) {
	article.Post = p
	if article.HTML, err = compose.ArticleHTML(p.Body, base); err != nil {
		return Article{}, err
	}
	author, err := a.store.Account(ctx, p.AuthorID)
	if mailing.KindOf(err) == mailing.NotFound {
		err = nil
	}
	article.AuthorName = fullName(author.FirstName, author.LastName)
	return article, wrap(err, "article")
}

// fullName is what strangers may know of a person: never the e-mail.
func fullName(first, last string) string { return strings.TrimSpace(first + " " + last) }

// LatestArticles returns what is published for readers elsewhere, latest first: with
// whole addresses.
func (a *App) LatestArticles(ctx context.Context, most int) ([]Article, error) {
	rows, _, err := a.BlogPosts(ctx, Page{Limit: int64(most)})
	if err != nil {
		return nil, err
	}
	articles := make([]Article, 0, len(rows))
	for _, row := range rows {
		p, err := a.store.Post(ctx, row.ID)
		if mailing.KindOf(err) == mailing.NotFound {
			continue // just deleted
		}
		if err != nil {
			return nil, err
		}
		article, err := a.article(ctx, p, a.BaseURL)
		if err != nil {
			return nil, err
		}
		articles = append(articles, article)
	}
	return articles, nil
}

// RandomPosts returns some of what is published, picked at random.
func (a *App) RandomPosts(ctx context.Context, most int) ([]PostRow, error) {
	now := a.Now()
	ids, err := a.store.RandomPosts(ctx, most, now)
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	filter := store.PostFilter{State: mailing.PostPublished, Now: now, IDs: ids}
	rows, _, err := a.store.Posts(ctx, filter, Page{Desc: true, Limit: int64(most)})
	return rows, err
}

const purposeVisit = "visit"

// visitDay is the day, in UTC, on which a visitor counts once.
func visitDay(now time.Time) int64 { return now.Unix() / (24 * 60 * 60) }

// CountView counts that somebody with an address and a browser reads a post: once a
// day, some browsers an address, and neither its author nor what is not published. The
// database gets hashes under a key of the day, which it forgets with the day, and so nobody
// can tell then who it was.
func (a *App) CountView(ctx context.Context, actor mailing.Account, p mailing.Post, address, browser string) error {
	now := a.Now()
	if p.State(now) != mailing.PostPublished || actor.ID != 0 && actor.ID == p.AuthorID {
		return nil
	}
	fresh := make([]byte, 32)
	rand.Read(fresh) // never fails (crypto/rand)
	secret, err := a.store.VisitSecret(ctx, visitDay(now), fresh)
	if err != nil {
		return wrap(err, "count view")
	}
	at := a.keys.MAC(purposeVisit, secret, []byte(address))
	with := a.keys.MAC(purposeVisit, secret, []byte(address), []byte(browser))
	return wrap(a.store.CountView(ctx, p.ID, visitDay(now), at[:], with[:]), "count view")
}
