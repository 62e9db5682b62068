package app_test

import (
	"context"
	"database/sql/driver"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"vestnik/internal/app"
	"vestnik/internal/cache"
	"vestnik/internal/cache/cachetest"
	"vestnik/internal/mailing"
	"vestnik/internal/store"
	"vestnik/internal/store/storetest"
)

// counting counts what the database is asked.
type counting struct {
	driver.Driver
	asked *atomic.Int64
}

func (d counting) Open(name string) (driver.Conn, error) {
	c, err := d.Driver.Open(name)
	if err != nil {
		return nil, err
	}
	return countingConn{c.(modernConn), d.asked}, nil
}

type modernConn interface {
	driver.Conn
	driver.ConnPrepareContext
	driver.ConnBeginTx
	driver.ExecerContext
	driver.QueryerContext
	driver.Pinger
	driver.SessionResetter
}

type countingConn struct {
	modernConn
	asked *atomic.Int64
}

func (c countingConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	c.asked.Add(1)
	return c.modernConn.QueryContext(ctx, query, args)
}

// cachedHouse is a house whose cache forgets nothing by time: what is stale stays so.
type cachedHouse struct {
	*house
	t                  *testing.T
	queries            *atomic.Int64
	owner, other, boss mailing.Account
}

func newCachedHouse(t *testing.T, c *cache.Cache) *cachedHouse {
	t.Helper()
	queries := &atomic.Int64{}
	s, err := store.OpenThrough(t.Context(), storetest.SQLiteURL(t), func(real driver.Driver) driver.Driver {
		return counting{real, queries}
	})
	must(t, err)
	t.Cleanup(func() { s.Close() })
	h := &cachedHouse{house: over(s), t: t, queries: queries}
	h.App.Cache = c
	h.owner = h.person(t, "owner@example.org", mailing.RoleUser)
	h.other = h.person(t, "other@example.org", mailing.RoleUser)
	h.boss = h.person(t, "boss@example.org", mailing.RoleAdmin)
	return h
}

// timeless makes a cache for which no time passes.
func timeless(t *testing.T, location string) *cache.Cache {
	t.Helper()
	c, err := cache.Open(cache.Options{
		Location: location, Space: t.Name(), Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return storetest.Now },
	})
	must(t, err)
	t.Cleanup(func() { c.Close() })
	return c
}

// otherNode is the same installation with the cache of another node.
func (h *cachedHouse) otherNode(c *cache.Cache) *cachedHouse {
	of := *h
	of.house = over(h.store)
	of.App.Cache = c
	return &of
}

// shown is all that is kept, as people see it.
type shown struct {
	owner, other, all app.Numbers
	people            []mailing.Account
	count             int64
}

func (h *cachedHouse) shown(t testing.TB) (v shown) {
	t.Helper()
	for _, of := range []struct {
		to       *app.Numbers
		who      mailing.Account
		everyone bool
	}{{&v.owner, h.owner, false}, {&v.other, h.other, false}, {&v.all, h.boss, true}} {
		n, err := h.Numbers(context.Background(), of.who, of.everyone)
		must(t, err)
		*of.to = n
	}
	var err error
	v.people, v.count, err = h.Accounts(context.Background(), h.boss, app.AccountFilter{}, page)
	must(t, err)
	return v
}

// truth is what shown would be without a cache.
func (h *cachedHouse) truth(t testing.TB) shown {
	t.Helper()
	return h.otherNode(nil).shown(t)
}

func TestWhatIsKeptCostsNoQuery(t *testing.T) {
	h := newCachedHouse(t, timeless(t, ""))
	first := h.shown(t)
	h.queries.Store(0)
	for range 10 {
		if again := h.shown(t); !reflect.DeepEqual(again, first) {
			t.Fatalf("got %+v, want %+v", again, first)
		}
	}
	if n := h.queries.Load(); n != 0 {
		t.Errorf("the database is asked %d times, want 0", n)
	}
	t.Run("of another page, another search or another order it does", func(t *testing.T) {
		for _, p := range []struct {
			app.AccountFilter
			app.Page
		}{
			{Page: app.Page{Limit: 10, Offset: 1}},
			{Page: app.Page{Limit: 10, Search: "boss"}},
			{Page: app.Page{Limit: 10, Sort: "email"}},
			{Page: app.Page{Limit: 10, Desc: true}},
			{Page: app.Page{Limit: 9}},
			{app.AccountFilter{Role: mailing.RoleAdmin}, page},
			{app.AccountFilter{Standing: mailing.StandingBlocked}, page},
		} {
			h.queries.Store(0)
			want, total, err := h.otherNode(nil).Accounts(t.Context(), h.boss, p.AccountFilter, p.Page)
			must(t, err)
			asked := h.queries.Swap(0)
			got, n, err := h.Accounts(t.Context(), h.boss, p.AccountFilter, p.Page)
			must(t, err)
			if h.queries.Load() != asked || asked == 0 || n != total || !reflect.DeepEqual(got, want) {
				t.Errorf("%+v: %d queries, %d people of %d", p, h.queries.Load(), len(got), n)
			}
		}
	})
	t.Run("who may not see it gets none of it", func(t *testing.T) {
		_, _, err := h.Accounts(t.Context(), h.owner, app.AccountFilter{}, page)
		want(t, err, "not_found")
		_, err = h.Numbers(t.Context(), h.owner, true)
		want(t, err, "forbidden")
	})
	t.Run("a change costs the owner and everybody one look, and other owners none", func(t *testing.T) {
		_, err := h.CreateContact(t.Context(), h.owner, mailing.Contact{Email: "new@example.com"})
		must(t, err)
		h.queries.Store(0)
		h.shown(t)
		if n := h.queries.Load(); n != 6 { // three numbers each
			t.Errorf("the database is asked %d times, want 6", n)
		}
	})
}

func TestAChangeIsSeenAtOnce(t *testing.T) {
	for _, c := range cachedChanges {
		t.Run("when "+c.name, func(t *testing.T) {
			h := newCachedHouse(t, timeless(t, ""))
			if c.ready != nil {
				c.ready(t, h)
			}
			h.App.Cache = timeless(t, "") // nothing is known of what was prepared
			before := h.shown(t)
			must(t, c.do(t.Context(), h))
			truth := h.truth(t)
			if reflect.DeepEqual(truth, before) {
				t.Fatal("nothing has changed, so nothing is tested")
			}
			if got := h.shown(t); !reflect.DeepEqual(got, truth) {
				t.Errorf("shown is\n%+v, want\n%+v", got, truth)
			}
		})
	}
}

func TestAChangeIsSeenAtOnceOnAnotherNode(t *testing.T) {
	t.Run("with Redis by everybody", func(t *testing.T) {
		r := cachetest.Start(t)
		for _, c := range cachedChanges {
			h := newCachedHouse(t, nil)
			if c.ready != nil {
				c.ready(t, h)
			}
			t.Run("when "+c.name, func(t *testing.T) {
				h := h.otherNode(timeless(t, r.Location()))
				h.App.Cache = timeless(t, r.Location())
				other := h.otherNode(timeless(t, r.Location()))
				h.shown(t)
				before := other.shown(t)
				must(t, c.do(t.Context(), h))
				truth := h.truth(t)
				if got := other.shown(t); !reflect.DeepEqual(got, truth) || reflect.DeepEqual(got, before) {
					t.Errorf("shown is\n%+v, want\n%+v", got, truth)
				}
			})
		}
	})
	t.Run("without Redis by who made it, and by the others when what is kept has expired", func(t *testing.T) {
		h := newCachedHouse(t, timeless(t, ""))
		now := storetest.Now
		c, err := cache.Open(cache.Options{Now: func() time.Time { return now }})
		must(t, err)
		other := h.otherNode(c)
		before, err := other.Numbers(t.Context(), h.owner, false)
		must(t, err)
		_, err = h.CreateContact(t.Context(), h.owner, mailing.Contact{Email: "new@example.com"})
		must(t, err)
		clients := func(ctx context.Context) int64 {
			n, err := other.Numbers(ctx, h.owner, false)
			must(t, err)
			return n.Clients
		}
		if got := clients(t.Context()); got != before.Clients {
			t.Fatalf("without being asked, the other node says %d", got)
		}
		now = now.Add(5 * time.Second)
		if got := clients(t.Context()); got != before.Clients+1 {
			t.Errorf("after five seconds the others see %d", got)
		}
		_, err = h.CreateContact(t.Context(), h.owner, mailing.Contact{Email: "newer@example.com"})
		must(t, err)
		now = time.Now() // which the mark is reckoned by
		before, err = other.Numbers(app.WithFresh(t.Context()), h.owner, false)
		must(t, err)
		if before.Clients != 2 {
			t.Errorf("who made the change sees %d", before.Clients)
		}
	})
}

func TestHowLongAListIsComesOutOfWhatIsKept(t *testing.T) {
	h := newCachedHouse(t, timeless(t, ""))
	for i := range 5 {
		_, err := h.CreateContact(t.Context(), h.owner, mailing.Contact{Email: fmt.Sprintf("client%d@example.com", i)})
		must(t, err)
	}
	total := func(offset, limit, listed int64) int64 {
		t.Helper()
		list, total, err := h.Contacts(t.Context(), h.owner, app.ContactFilter{}, app.Page{Sort: "email", Offset: offset, Limit: limit})
		must(t, err)
		if int64(len(list)) != listed {
			t.Errorf("behind %d, %d are listed, want %d", offset, len(list), listed)
		}
		return total
	}
	for _, c := range [][3]int64{{0, 2, 2}, {2, 2, 2}, {4, 2, 1}, {8, 2, 0}, {0, 5, 5}, {0, 50, 5}} {
		if got := total(c[0], c[1], c[2]); got != 5 {
			t.Errorf("%v: the list has %d", c, got)
		}
	}
	// What another node has added is seen where the list ends, at once.
	storetest.Contact(t, h.store, h.owner.ID, "other@example.com")
	if kept, seen := total(0, 2, 2), total(4, 50, 2); kept != 5 || seen != 6 {
		t.Errorf("the list has %d, and %d by its end", kept, seen)
	}
}

// forgotten says of each statement that changes what is kept who forgets it. What changes
// nothing that is shown says so.
var forgotten = map[string]string{
	"CreateAccount": "putRegistration, storeAccount", "ConfirmAccount": "activate", "ConfirmRegistration": "activate",
	"SetPassword": "is not shown", "EndEra": "is not shown", "ShutRegistration": "eraseAccount", "UpdateProfile": "UpdateProfile, SetLang",
	"SetRole": "GrantRole", "BlockAccount": "BlockUser", "UnblockAccount": "UnblockUser", "SetPerDay": "LimitUser",
	"DeleteContactByEmail": "erase", "DeleteContactsOf": "eraseAccount", "DeleteAccount": "eraseAccount", "SetAvatar": "no use case yet", "SetTheme": "no use case yet",
	"SignedIn": "SignedIn", "JoinUnconfirmed": "AcceptInvitation", "MoveAccount": "move", "LockActiveAdmins": "changes nothing",
	"LockAccount":   "changes nothing",
	"CreateContact": "CreateContact", "UpdateContact": "UpdateContact",
	"PauseAll": "EndHold, for who ended it", "CreateMailing": "CreateMailing", "UpdateMailing": "UpdateMailing",
	"SetMailingStatus": "turn", "OpenedMailing": "changes no number but by FinishMailing", "TouchMailing": "is not shown",
	"RestoreLastAt": "is not shown",
	"LockMailing":   "changes nothing", "FinishMailing": "RunsMoved; else it is late by keptFor", "DeleteMailing": "DeleteMailing",
}

func TestEveryStatementThatChangesWhatIsKeptIsKnown(t *testing.T) {
	files, err := filepath.Glob("../store/queries/*.sql")
	must(t, err)
	changing := regexp.MustCompile(`(?i)\b(insert into|update|delete from) (contacts|mailings|accounts)\b`)
	known := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		must(t, err)
		for _, statement := range strings.Split(string(text), "-- name: ")[1:] {
			name, _, _ := strings.Cut(statement, " ")
			switch {
			case !changing.MatchString(statement):
			case forgotten[name] == "":
				t.Errorf("%s in %s changes what is kept: who forgets it, by numbersChanged or accountsChanged? Add it to the list", name, file)
			default:
				known++
			}
		}
	}
	if known != len(forgotten) {
		t.Errorf("%d statements of the list are there, want %d", known, len(forgotten))
	}
}
