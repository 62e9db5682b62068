package web_test

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"vestnik/internal/app"
	"vestnik/internal/auth"
	"vestnik/internal/mailing"
	"vestnik/internal/store"
	"vestnik/internal/store/storetest"
	"vestnik/internal/web"
)

// things are one of each kind that somebody can own. A relay is nobody's own, and
// only there for those who manage relays. An account is its own.
type things struct {
	contact, message, free, mailing, run, delivery, imported, relay, account int64
}

// missing things are not there.
var missing = things{1, 2, 3, 4, 5, 6, 7, 8, 9}

// thingPaths are the beginnings of paths whose {id} names somebody's thing.
func (t things) paths() map[string]int64 {
	return map[string]int64{
		"/clients/{id}": t.contact, "/messages/{id}": t.message, "/messages/{id}/delete": t.free, "/mailings/{id}": t.mailing,
		"/runs/{id}": t.run, "/clients/imports/{id}": t.imported, "/relays/{id}": t.relay,
		"/admin/users/{id}": t.account,
	}
}

// thingPath fills the thing into a route's path; false for one that names nobody's.
func thingPath(pattern string, of things) (string, bool) {
	_, path, _ := strings.Cut(pattern, " ")
	var longest string
	for prefix := range of.paths() {
		if strings.HasPrefix(path, prefix) && len(prefix) > len(longest) {
			longest = prefix
		}
	}
	if longest == "" {
		return path, false
	}
	path = strings.Replace(path, "{id}", strconv.FormatInt(of.paths()[longest], 10), 1)
	path = strings.Replace(path, "{cause}", string(mailing.CauseMailboxUnknown), 1)
	return strings.Replace(path, "{delivery}", strconv.FormatInt(of.delivery, 10), 1), true
}

// accessWorld is a house with one visitor of each kind, each with things of their own.
type accessWorld struct {
	h        *harness
	accounts map[string]mailing.Account // by visitor; none for anonymous
	other    mailing.Account            // whose things are foreign to all
	sets     map[int64]things           // by owner; made anew when something was done to them
	made     int
}

// newAccessHarness is one in which everything can be done that can be done at all.
func newAccessHarness(t *testing.T, adjust ...func(*app.Config, *web.Options)) *harness {
	t.Helper()
	h := newHarness(t, append([]func(*app.Config, *web.Options){named, withJobs}, adjust...)...)
	h.exec("create table river_job (kind text not null, state text not null)") // all that the pages read of River's
	h.exec("insert into river_job (kind, state) values ('sweep', 'retryable')")
	return h
}

func newAccessWorld(h *harness) *accessWorld {
	w := &accessWorld{h: h, accounts: map[string]mailing.Account{}, sets: map[int64]things{}}
	h.checkRelay = func(_ app.RelaySettings, step func(string, error)) { step("connect", nil) }
	roles := map[string]mailing.Role{"manager": mailing.RoleManager, "admin": mailing.RoleAdmin}
	for _, visitor := range visitors[1:] {
		role := mailing.RoleUser
		if roles[visitor] != "" {
			role = roles[visitor]
		}
		w.accounts[visitor] = h.account(visitor+"@example.org", role)
	}
	w.other = h.account("other@example.org", mailing.RoleUser)
	h.exec("update accounts set confirmed_at = 0 where email = 'unconfirmed@example.org'")
	h.exec("update accounts set blocked_at = 1 where email = 'blocked@example.org'")
	h.install()
	h.keep("anna@example.org", "Код", letter)
	return w
}

func (h *harness) exec(statement string, values ...any) {
	h.t.Helper()
	if _, err := h.store.Writer().Exec(statement, values...); err != nil {
		h.t.Fatal(err)
	}
}

// fresh is a name that nobody has yet.
func (w *accessWorld) fresh() string {
	w.made++
	return fmt.Sprintf("a%d", w.made)
}

// of returns the owner's things.
func (w *accessWorld) of(owner mailing.Account) things {
	if set, there := w.sets[owner.ID]; there {
		return set
	}
	w.sets[owner.ID] = w.h.things(owner, w.fresh())
	return w.sets[owner.ID]
}

// things makes one of each for the owner.
func (h *harness) things(owner mailing.Account, name string) things {
	h.t.Helper()
	contact := storetest.Contact(h.t, h.store, owner.ID, name+"@example.com")
	message := storetest.Message(h.t, h.store, mailing.Message{OwnerID: owner.ID})
	free := storetest.Message(h.t, h.store, mailing.Message{OwnerID: owner.ID})
	m := storetest.Mailing(h.t, h.store, mailing.Mailing{OwnerID: owner.ID, MessageID: message.ID}, contact.ID)
	run := storetest.Run(h.t, h.store, m)
	deliveries, _, err := h.store.Deliveries(ctx, store.DeliveryFilter{RunID: run.ID}, store.Page{Limit: 1})
	if err != nil || len(deliveries) != 1 {
		h.t.Fatalf("the run has %d deliveries: %v", len(deliveries), err)
	}
	imported, err := h.app.ImportContacts(ctx, owner, "list.csv", strings.NewReader("email\nbroken\n"))
	if err != nil {
		h.t.Fatal(err)
	}
	relay, err := h.app.CreateRelay(ctx, app.Operator, someRelay(name, 10))
	if err != nil {
		h.t.Fatal(err)
	}
	return things{contact.ID, message.ID, free.ID, m.ID, run.ID, deliveries[0].ID, imported.ID, relay, owner.ID}
}

// state is all that can be changed of somebody's things, as one text.
func (w *accessWorld) state(of things) string {
	contact, err1 := w.h.store.Contact(ctx, of.contact)
	message, err2 := w.h.store.Message(ctx, of.message)
	m, err3 := w.h.store.Mailing(ctx, of.mailing)
	run, err4 := w.h.store.Run(ctx, of.run)
	relay, err5 := w.h.store.Relay(ctx, of.relay)
	account, err6 := w.h.store.Account(ctx, of.account)
	return fmt.Sprintf("%+v %+v %+v %+v %+v %+v %v %v %v %v %v %v",
		contact, message, m, run, relay, account, err1, err2, err3, err4, err5, err6)
}

// visit is one visit of the matrix, before it is made.
type visit struct {
	*accessWorld
	client *client
	who    mailing.Account // ID 0: nobody
	owner  int64           // whose things are visited
	of     things
	peer   mailing.Account // in the place of the foreign person; ID 0: nobody is
	path   string
	form   url.Values
	file   string            // sent in place of the form
	files  map[string][]byte // sent with the form, by field
	spent  bool              // the things are of no more use afterwards
	after  func()            // what the next visit must not find
}

func (w *accessWorld) visit(t *testing.T, route web.Route, visitor, whose string) *visit {
	t.Helper()
	v := &visit{accessWorld: w, who: w.accounts[visitor], of: missing}
	owner := w.other
	if whose == "own" {
		owner = v.who
	}
	if whose == "own" || whose == "foreign" || slices.Contains(peers, whose) {
		v.owner, v.of = owner.ID, w.of(owner)
	}
	if slices.Contains(peers, whose) {
		v.meet(mailing.Role(whose))
	}
	v.path, _ = thingPath(route.Pattern, v.of)
	v.path = strings.TrimSuffix(v.path, "{$}")
	if whose == "everyone" {
		v.path += "?scope=all"
	}
	v.client = w.h.planted(v.who)
	prepare, known := accessFixtures[route.Pattern]
	if !known && !strings.HasPrefix(route.Pattern, "GET ") {
		t.Fatalf("%s changes something: accessFixtures must say what to send", route.Pattern)
	}
	if known {
		prepare(v)
	}
	if strings.Contains(v.path, "{") {
		t.Fatalf("%s names something that this test does not know; see thingPaths and accessFixtures", route.Pattern)
	}
	return v
}

// meet puts somebody with the role in the place of the foreign person, for this visit only:
// a second admin would be why the first may go.
func (v *visit) meet(role mailing.Role) {
	v.h.t.Helper()
	v.peer = v.h.account(v.fresh()+"@example.net", role)
	v.of.account = v.peer.ID
	v.after = func() { v.h.exec("update accounts set role = 'user' where id = $1", v.peer.ID) }
}

// planted is a browser that holds a session of the account, which has just proved who
// it is, whether or not it could sign in now; of nobody for no account.
func (h *harness) planted(account mailing.Account) *client {
	h.t.Helper()
	c := h.visitor()
	if account.ID == 0 {
		return c
	}
	c.account = account
	now, err := h.store.Account(ctx, account.ID)
	if err != nil {
		h.t.Fatal(err)
	}
	token := rand.Text()
	expires := time.Now().Add(time.Hour)
	data, err := web.SessionCodec{}.Encode(expires, map[string]any{
		"account": strconv.FormatInt(account.ID, 10), "era": strconv.FormatInt(now.Era, 10), "proof": ago(0),
	})
	if err != nil {
		h.t.Fatal(err)
	}
	of := mailing.Session{Key: sessionHash(token), AccountID: account.ID, FirstSeen: time.Now(), LastSeen: time.Now()}
	if err := h.store.PutSession(ctx, of, data, expires); err != nil {
		h.t.Fatal(err)
	}
	home := &url.URL{Scheme: "http", Host: c.host, Path: "/"}
	c.jar.SetCookies(home, []*http.Cookie{{Name: "session", Value: token}})
	return c
}

// fill puts a value into the path.
func (v *visit) fill(name, value string) { v.path = strings.Replace(v.path, "{"+name+"}", value, 1) }

// does fails the test if what had to be prepared was not.
func (v *visit) does(err error) {
	v.h.t.Helper()
	if err != nil {
		v.h.t.Fatal(err)
	}
}

// real reports whether the things are there, so that something can be done to them.
func (v *visit) real() bool { return v.of != missing }

// owned is the account whose things are visited.
func (v *visit) owned() mailing.Account {
	account, err := v.h.store.Account(ctx, v.owner)
	v.does(err)
	return account
}

// put has the mailing be in a status, by its owner.
func (v *visit) put(status mailing.Status) {
	if !v.real() {
		return
	}
	v.spent = true
	v.h.exec("update mailings set status = $2, stop_by = owner_id, next_at = 0 where id = $1", v.of.mailing, string(status))
}

// keys are those of the harness.
func keys() auth.Keys { return auth.NewKeys([]byte(strings.Repeat("k", auth.MinSecret))) }
