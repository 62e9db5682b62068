package web_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/html"

	"vestnik/internal/app"
	"vestnik/internal/auth"
	"vestnik/internal/i18n"
	"vestnik/internal/mailing"
	"vestnik/internal/store"
	"vestnik/internal/store/storetest"
	"vestnik/internal/web"
)

func TestMain(m *testing.M) { storetest.Main(m) }

const (
	baseURL  = "http://127.0.0.1:8000"
	password = "correct horse battery"
)

// harness is the whole of the pages over a real app and a real database.
type harness struct {
	t     *testing.T
	store *store.Store
	app   *app.App
	web   *web.Web
	texts *i18n.Catalog
	log   *strings.Builder // all that was logged

	demo       bool // whether mails go to the demo mailbox; at first they do
	checkRelay func(app.RelaySettings, func(string, error))
	findings   []mailing.Finding // what DNS says of any domain
	node       store.Node
}

// exampleSet is a small one.
func exampleSet(string) (app.ExampleSet, error) {
	return app.ExampleSet{
		Contacts: []mailing.Contact{{Email: "anna@example.org", FirstName: "Anna"}, {Email: "ben@example.org"}},
		Message:  app.MessageForm{Subject: "Welcome", Format: mailing.FormatText, Body: "Hello"},
	}, nil
}

// newHarness starts the pages, bound to a loopback address. Each of adjust may
// change what they are started with.
func newHarness(t *testing.T, adjust ...func(*app.Config, *web.Options)) *harness {
	t.Helper()
	h := &harness{t: t, store: storetest.New(t), demo: true, log: &strings.Builder{}}
	var err error
	if h.texts, err = i18n.New(); err != nil {
		t.Fatal(err)
	}
	config := app.Config{
		BaseURL: baseURL, Zone: "Europe/Moscow", SignUp: mailing.SignUpOpen,
		CheckRelay: func(_ context.Context, r app.RelaySettings, step func(string, error)) { h.checkRelay(r, step) },
		MailRelay:  func(context.Context, app.RelaySettings, string, []byte) error { return nil },
		AskDNS:     func(context.Context, mailing.DomainQuestion) []mailing.Finding { return h.findings },
		Examples:   exampleSet,
	}
	options := web.Options{
		Catalog: h.texts, Sessions: sessionStore{h.store}, Version: "1.2.3", Loopback: true,
		Log:  slog.New(slog.NewTextHandler(h.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Demo: func() bool { return h.demo },
	}
	for _, change := range adjust {
		change(&config, &options)
	}
	h.app = app.New(config, h.store, auth.NewKeys([]byte(strings.Repeat("k", auth.MinSecret))))
	options.App = h.app
	h.web = web.New(options)
	return h
}

// run is t.Run for a part of the test that uses the harness: what fails, fails in
// that part.
func (h *harness) run(name string, part func(t *testing.T)) {
	h.t.Helper()
	whole := h.t
	whole.Run(name, func(t *testing.T) {
		h.t = t
		defer func() { h.t = whole }()
		part(t)
	})
}

// passwordHash is that of password; to make one takes a while.
var passwordHash = sync.OnceValues(func() (string, error) {
	return auth.NewHasher(1).Hash(context.Background(), password)
})

// account makes an active account with the password, who reads Russian.
func (h *harness) account(email string, role mailing.Role) mailing.Account {
	h.t.Helper()
	hash, err := passwordHash()
	if err != nil {
		h.t.Fatal(err)
	}
	now := time.Now()
	a := mailing.Account{
		Email: email, FirstName: "Анна", LastName: "Петрова", Role: role, Lang: "ru", Zone: "Europe/Moscow",
		ConfirmedAt: now, CreatedAt: now,
	}
	if a.ID, err = h.store.CreateAccount(context.Background(), a, hash); err != nil {
		h.t.Fatal(err)
	}
	return a
}

// vars are the merge fields of the latest mail of ours to an address that is
// still to be sent, such as "code" and "link". It takes all such mails.
func (h *harness) vars(email string) map[string]any {
	h.t.Helper()
	ctx := context.Background()
	if h.node.ID == 0 {
		var err error
		if h.node, err = h.store.StartNode(ctx, "test", time.Now(), time.Now().Add(time.Hour)); err != nil {
			h.t.Fatal(err)
		}
	}
	runs, err := h.store.LiveRuns(ctx)
	if err != nil {
		h.t.Fatal(err)
	}
	var latest store.Leased
	for _, run := range runs {
		leased, err := h.store.Lease(ctx, h.node, run.ID, time.Now(), 100)
		if err != nil {
			h.t.Fatal(err)
		}
		for _, d := range leased {
			if d.Email == email && d.Vars != "" && d.ID > latest.ID {
				latest = d
			}
		}
	}
	if latest.ID == 0 {
		return nil
	}
	vars, err := h.app.OpenVars(email, latest.Vars)
	if err != nil {
		h.t.Fatal(err)
	}
	return vars
}

// client is a browser: it keeps cookies and speaks one language.
type client struct {
	h        *harness
	jar      http.CookieJar
	account  mailing.Account // who is signed in; ID 0: nobody
	language string
	remote   string // network address and port it comes from
	host     string // name it asks for
	header   http.Header
}

// visitor is somebody at this machine who is not signed in and reads Russian.
func (h *harness) visitor() *client {
	h.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		h.t.Fatal(err)
	}
	return &client{h: h, jar: jar, language: "ru", remote: "127.0.0.1:49152", host: "127.0.0.1:8000", header: http.Header{}}
}

// signIn is somebody who has signed in by the form.
func (h *harness) signIn(account mailing.Account) *client {
	h.t.Helper()
	c := h.visitor()
	answer := c.post("/login", url.Values{"email": {account.Email}, "password": {password}})
	if answer.status != http.StatusSeeOther {
		h.t.Fatalf("%s could not sign in: %d %s", account.Email, answer.status, answer.text(".note"))
	}
	c.account = account
	return c
}

// lang switches to a language, also for the account.
func (c *client) lang(language string) *client {
	c.h.t.Helper()
	c.language = language
	if c.account.ID != 0 {
		if err := c.h.app.SetLang(context.Background(), c.account, language); err != nil {
			c.h.t.Fatal(err)
		}
	}
	return c
}

// fromFar makes the client come from another machine.
func (c *client) fromFar() *client {
	c.remote, c.host = "203.0.113.9:49152", "mail.example.org"
	return c
}

// get asks for a page and does not follow where it redirects to. A part of the page, which
// the path may name, is the browser's business.
func (c *client) get(path string) *page {
	c.h.t.Helper()
	path, _, _ = strings.Cut(path, "#")
	return c.do(http.MethodGet, path, nil, "")
}

// post sends a form and does not follow where it redirects to.
func (c *client) post(path string, form url.Values) *page {
	c.h.t.Helper()
	return c.do(http.MethodPost, path, strings.NewReader(form.Encode()), "application/x-www-form-urlencoded")
}

// submit sends the form that the selector finds on a page, as it stands there,
// with the changes.
func (c *client) submit(on *page, selector string, changes url.Values) *page {
	c.h.t.Helper()
	form := on.one(selector)
	values := fieldsOf(form)
	for name, value := range changes {
		values[name] = value
	}
	action := attribute(form, "action")
	if action == "" {
		action = on.path
	}
	if strings.EqualFold(attribute(form, "method"), "post") {
		return c.post(action, values)
	}
	return c.get(action + "?" + values.Encode())
}

// follow goes where a page redirects to.
func (c *client) follow(from *page) *page {
	c.h.t.Helper()
	if from.location() == "" {
		c.h.t.Fatalf("%s redirects nowhere: %d %s", from.path, from.status, from.text(".note, .field-error, .nothing-title"))
	}
	return c.get(from.location())
}

// do sends any request. The path begins with a slash.
func (c *client) do(method, path string, body io.Reader, contentType string) *page {
	c.h.t.Helper()
	in := httptest.NewRequest(method, path, body)
	in.Host, in.RemoteAddr = c.host, c.remote
	for name, values := range c.header {
		in.Header[name] = values
	}
	in.Header.Set("Accept-Language", c.language)
	if contentType != "" {
		in.Header.Set("Content-Type", contentType)
	}
	home := &url.URL{Scheme: "http", Host: c.host, Path: "/"}
	for _, cookie := range c.jar.Cookies(home) {
		in.AddCookie(cookie)
	}
	out := httptest.NewRecorder()
	c.h.web.ServeHTTP(out, in)
	c.jar.SetCookies(home, out.Result().Cookies())
	return c.h.page(path, out)
}

// page is an answer.
type page struct {
	h      *harness
	path   string // as it was asked for
	status int
	header http.Header
	body   string
	doc    *html.Node
}

func (h *harness) page(path string, out *httptest.ResponseRecorder) *page {
	h.t.Helper()
	p := &page{h: h, path: path, status: out.Code, header: out.Header(), body: out.Body.String()}
	doc, err := html.Parse(strings.NewReader(p.body))
	if err != nil {
		h.t.Fatal(err)
	}
	p.doc = doc
	return p
}

// location is where the page redirects to; empty when it does not.
func (p *page) location() string { return p.header.Get("Location") }

// find returns the elements that a selector matches, in document order. It knows
// what selector_test.go says.
func (p *page) find(selector string) []*html.Node {
	p.h.t.Helper()
	return selectAll(p.h.t, p.doc, selector)
}

// one returns the only element that the selector matches.
func (p *page) one(selector string) *html.Node {
	p.h.t.Helper()
	found := p.find(selector)
	if len(found) != 1 {
		p.h.t.Fatalf("%s (%d): %q matches %d elements, want one", p.path, p.status, selector, len(found))
	}
	return found[0]
}

// text returns the texts of what the selector matches, joined by a space, with
// runs of spaces as one; empty when it matches nothing.
func (p *page) text(selector string) string {
	p.h.t.Helper()
	var texts []string
	for _, n := range p.find(selector) {
		texts = append(texts, textOf(n))
	}
	return strings.Join(texts, " ")
}

// attr returns an attribute of the only element that the selector matches.
func (p *page) attr(selector, name string) string {
	p.h.t.Helper()
	return attribute(p.one(selector), name)
}

// expect fails unless the page has the status.
func (p *page) expect(status int) *page {
	p.h.t.Helper()
	if p.status != status {
		p.h.t.Fatalf("%s answered %d %s, want %d", p.path, p.status, p.text(".note, .field-error, .nothing-title"), status)
	}
	return p
}

// shows fails unless the text of what the selector matches holds want.
func (p *page) shows(selector, want string) *page {
	p.h.t.Helper()
	if got := p.text(selector); !strings.Contains(got, want) {
		p.h.t.Errorf("%s (%d): %q says %q, want %q in it", p.path, p.status, selector, got, want)
	}
	return p
}

// lacks fails if the selector matches anything.
func (p *page) lacks(selector string) *page {
	p.h.t.Helper()
	if n := len(p.find(selector)); n > 0 {
		p.h.t.Errorf("%s (%d): %q matches %d elements, want none", p.path, p.status, selector, n)
	}
	return p
}

// sessionStore keeps sessions in the database, as the server does.
type sessionStore struct{ s *store.Store }

func (k sessionStore) FindCtx(ctx context.Context, token string) ([]byte, bool, error) {
	return k.s.Session(ctx, token, time.Now())
}

func (k sessionStore) CommitCtx(ctx context.Context, token string, data []byte, expires time.Time) error {
	of, expires := web.SessionOf(token, data, expires)
	return k.s.PutSession(ctx, of, data, expires)
}

func (k sessionStore) DeleteCtx(ctx context.Context, token string) error {
	return k.s.DeleteSession(ctx, token)
}

func (k sessionStore) Find(string) ([]byte, bool, error) { return nil, false, errNoContext }

func (k sessionStore) Commit(string, []byte, time.Time) error { return errNoContext }

func (k sessionStore) Delete(string) error { return errNoContext }

var errNoContext = fmt.Errorf("scs calls a store without a context")
