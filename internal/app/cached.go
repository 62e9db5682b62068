package app

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"vestnik/internal/cache"
	"vestnik/internal/mailing"
	"vestnik/internal/store"
)

// keptFor is how old what comes out of the cache gets at most, whoever changed what it
// is about, and wherever. Who changes something by a use case here sees that at once;
// this is for all the rest: other nodes that share no Redis, commands beside the
// service, mailings that complete in the background. Chosen: a few seconds are no
// lie yet, and hundreds of people who look cost one question.
const keptFor = 5 * time.Second

// Tags of what is kept. Each use case that changes what is kept forgets its tag, when
// the change is stored and even if that went wrong, since the answer alone may be lost.
const (
	tagEverybody = "numbers"
	tagAccounts  = "accounts"
)

func tagOwner(id int64) string { return "numbers:" + strconv.FormatInt(id, 10) }

func tagRun(id int64) string { return "run:" + strconv.FormatInt(id, 10) }

// FreshFor is for how long a person who has changed something is to be shown what is
// in the database, since they may come to a node that does not know of it: as long as
// anything is kept, and as much again for the change itself.
const FreshFor = 2 * keptFor

// WithFresh has the use cases of the context look at the database itself, until
// FreshFor is over.
func WithFresh(ctx context.Context) context.Context {
	return cache.Fresh(ctx, time.Now().Add(FreshFor))
}

// numbers are those of an owner, or with 0 everybody's.
func (a *App) numbers(ctx context.Context, owner int64) (store.Numbers, error) {
	return cache.Read(ctx, a.Cache, numbersKey(owner), func(ctx context.Context) (store.Numbers, error) {
		return a.store.Numbers(ctx, owner)
	})
}

// numbersKey is that of an owner's numbers, or with 0 of everybody's.
func numbersKey(owner int64) cache.Key {
	if owner == 0 {
		return cache.Key{Tag: tagEverybody, Lifetime: keptFor}
	}
	return cache.Key{Tag: tagOwner(owner), Lifetime: keptFor}
}

// numbersChanged is called, deferred, by what adds or removes clients or mailings of an
// owner, or changes an address or a mailing's status.
func (a *App) numbersChanged(ctx context.Context, owner int64) {
	a.Cache.Forget(ctx, tagOwner(owner), tagEverybody)
}

// counted is a part of a list. Of a whole list the number is kept: a hundred thousand are
// not counted anew each time somebody looks at fifty. What is listed is not more than that,
// and where the list ends is seen.
func counted[T any](page Page, isWhole bool, read func(Page) ([]T, int64, error), number func() (int64, error)) ([]T, int64, error) {
	if page.Uncounted || !isWhole {
		return read(page)
	}
	page.Uncounted = true
	list, _, err := read(page)
	if err != nil {
		return nil, 0, err
	}
	end := page.Offset + int64(len(list))
	isPast := len(list) == 0 && page.Offset > 0
	if int64(len(list)) < page.Limit && !isPast {
		return list, end, nil
	}
	total, err := number()
	if isPast {
		return list, total, err
	}
	return list, max(total, end), err
}

// accountPage is a part of the list of people.
type accountPage struct {
	Accounts []mailing.Account
	Total    int64
}

func (a *App) accounts(ctx context.Context, f AccountFilter, page Page) ([]mailing.Account, int64, error) {
	key := cache.Key{Tag: tagAccounts, Name: nameOf(f, page), Lifetime: keptFor}
	part, err := cache.Read(ctx, a.Cache, key, func(ctx context.Context) (p accountPage, err error) {
		p.Accounts, p.Total, err = a.store.Accounts(ctx, f, page)
		return p, err
	})
	return part.Accounts, part.Total, err
}

// nameOf tells parts of the list apart.
func nameOf(f AccountFilter, p Page) string { return fmt.Sprintf("%#v %#v", f, p) }

// accountsChanged is called, deferred, by what changes anything about an account that
// the list of people shows.
func (a *App) accountsChanged(ctx context.Context) { a.Cache.Forget(ctx, tagAccounts) }

// RunsMoved is told by a node that sends, about once a second, of which runs it has
// settled anything, and which have come to their end and may have completed their
// mailing.
func (a *App) RunsMoved(ctx context.Context, moved []int64, ended []mailing.Run) {
	var tags []string
	for _, id := range moved {
		tags = append(tags, tagRun(id))
	}
	for _, run := range ended {
		tags = append(tags, tagRun(run.ID), tagOwner(run.OwnerID), tagEverybody)
	}
	if len(tags) > 0 {
		a.Cache.Forget(ctx, tags...)
	}
	a.reportsDue(ctx, ended)
}
