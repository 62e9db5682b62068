package web_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"vestnik/internal/app"
	"vestnik/internal/browser"
	"vestnik/internal/web"
	"vestnik/internal/web/assets"
)

// The walk goes to every page in a browser. It asks web.Routes where there are any, and
// the fixtures of the matrix of access for things to show: a new page is walked by itself.
// Each is seen by who may see it with the most on it; by a stranger, too, where anybody
// may; by somebody who has nothing yet; and, where it is a form, once sent empty.

// stop is one page of the walk, as somebody sees it.
type stop struct {
	name   string // "GET /clients/{id} admin"
	path   string
	client *client
	empty  bool // the form on the page is sent, with nothing in it
}

// pagesSetting is an environment variable for who works on a page: the walk then goes
// only to routes that match this regular expression.
const pagesSetting = "VESTNIK_PAGES"

// walk calls look for every stop while what it shows is as its fixture has made it.
func (w *accessWorld) walk(t *testing.T, routes []web.Route, look func(stop)) {
	t.Helper()
	only := regexp.MustCompile(os.Getenv(pagesSetting))
	patterns := map[string]bool{}
	for _, route := range routes {
		patterns[route.Pattern] = true
	}
	for _, route := range routes {
		if !strings.HasPrefix(route.Pattern, "GET ") || !only.MatchString(route.Pattern) {
			continue
		}
		eyes := [][]string{{"admin", "user", "anonymous"}}
		if route.Access == web.Everybody {
			eyes = append(eyes, []string{"anonymous"})
		}
		if !strings.Contains(route.Pattern, "/{") {
			eyes = append(eyes, []string{"user"})
		}
		seen := ""
		for _, visitors := range eyes {
			s := w.stop(t, route, visitors)
			if s.client == nil || s.name == seen {
				continue
			}
			look(s)
			seen = s.name
			if patterns["POST"+strings.TrimPrefix(route.Pattern, "GET")] && visitors[0] == eyes[0][0] {
				s.name, s.empty = s.name+", sent empty", true
				look(s)
			}
		}
	}
	look(stop{name: "no page", path: "/there-is-no-such-page", client: w.h.planted(w.accounts["user"])})
	look(stop{name: "no page anonymous", path: "/there-is-no-such-page", client: w.h.visitor()})
}

// stop is the route's page as the first of the visitors sees it who does; without a
// client when none does: what it answers with is no page, or leads to another.
func (w *accessWorld) stop(t *testing.T, route web.Route, visitors []string) stop {
	t.Helper()
	for _, visitor := range visitors {
		whose := "-"
		if _, owned := thingPath(route.Pattern, things{}); owned {
			if whose = "own"; visitor == "anonymous" {
				continue
			}
		}
		v := w.visit(t, route, visitor, whose)
		answer := v.client.get(v.path)
		if v.spent {
			delete(w.sets, v.owner)
		}
		if answer.status == http.StatusOK && isPage(answer) {
			return stop{name: route.Pattern + " " + visitor, path: v.path, client: v.client}
		}
	}
	return stop{}
}

// isPage tells a whole page from a part of one, a file, and a mail.
func isPage(p *page) bool { return len(p.find("main#main")) == 1 }

// walker is a browser on the walk.
type walker struct {
	t    *testing.T
	tab  context.Context
	base string

	mu     sync.Mutex
	at     stop
	wrongs []string
	loaded float64 // bytes of the page and all that belongs to it
}

// view is a language and a window to walk in.
type view struct {
	lang          string
	width, height int64
}

// pagePatience is how long a page may take to be there, and to be looked through, on a
// slow machine that does other things. Chosen.
const pagePatience = time.Minute

// servedWorld is the world of the matrix with a shop in it, in a language, behind a real
// address.
func servedWorld(t *testing.T, lang string) (w *accessWorld, base string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	base = fmt.Sprintf("http://localhost:%d", listener.Addr().(*net.TCPAddr).Port)
	h := newAccessHarness(t, func(c *app.Config, _ *web.Options) { c.BaseURL = base })
	w = newAccessWorld(h)
	w.sets[w.accounts["admin"].ID] = h.open(w.accounts["admin"], lang)
	h.exec("update accounts set lang = $1", lang)
	server := httptest.NewUnstartedServer(h.web)
	server.Listener.Close()
	server.Listener = listener
	server.Start()
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	return w, base
}

// newWalker opens a browser.
func newWalker(t *testing.T, base string, v view) *walker {
	t.Helper()
	k := &walker{t: t, base: base}
	running, quit := chromedp.NewExecAllocator(context.Background(), append(
		browser.Options(browser.Need(t, "chromium", "apt-get install chromium"), v.lang), chromedp.WindowSize(int(v.width), int(v.height)))...)
	t.Cleanup(quit)
	var leave context.CancelFunc
	k.tab, leave = chromedp.NewContext(running, chromedp.WithListener(k.notice))
	t.Cleanup(leave)
	// The tab lives as long as the context of its first steps.
	if err := chromedp.Do(k.tab, browser.Window(v.width, v.height, "light"), k.cold(v.lang)); err != nil {
		t.Fatal(err)
	}
	return k
}

// cold has the browser load everything each time, as on a first visit, and speak lang.
func (k *walker) cold(lang string) chromedp.Action[chromedp.Void] {
	return func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
		_, err := cdp.Call(ctx, t, network.SetCacheDisabled, network.SetCacheDisabledParams{CacheDisabled: true})
		if err == nil {
			_, err = cdp.Call(ctx, t, network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{
				Headers: network.Headers{"Accept-Language": lang},
			})
		}
		return chromedp.Void{}, err
	}
}

// notice gathers what the browser tells while a page is looked at.
func (k *walker) notice(event any) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if e, ok := event.(*network.EventLoadingFinished); ok {
		k.loaded += e.EncodedDataLength
	}
	wrong := browser.Complaint(event, k.base)
	if strings.Contains(wrong, "Blocked script execution in '"+k.base+"/demo/") {
		return // a mail holds a script, and was kept from running it
	}
	if wrong == "" || strings.Contains(wrong, " answers 4") && (k.at.empty || strings.HasPrefix(k.at.name, "no page")) {
		return
	}
	k.wrongs = append(k.wrongs, wrong)
}

// do takes steps on the page.
func (k *walker) do(steps ...chromedp.Action[chromedp.Void]) error {
	ctx, cancel := context.WithTimeout(k.tab, pagePatience)
	defer cancel()
	return chromedp.Do(ctx, steps...)
}

// open goes to a stop as the one who sees it. It reports false when the empty form was
// taken, or was none, so that there is no page to look at.
func (k *walker) open(s stop) bool {
	k.t.Helper()
	k.mu.Lock()
	k.at, k.loaded, k.wrongs = s, 0, nil
	k.mu.Unlock()
	ctx, cancel := context.WithTimeout(k.tab, pagePatience)
	defer cancel()
	if err := chromedp.Do(ctx, k.cookies(s.client)); err != nil {
		k.t.Fatal(err)
	}
	if _, err := chromedp.RunResponse(ctx, chromedp.Navigate(k.base+s.path)); err != nil {
		k.t.Fatalf("%s: open %s: %v", s.name, s.path, err)
	}
	if !s.empty {
		return true
	}
	// As somebody would whose browser checks nothing.
	sends, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`(() => {
		window.sent = [...document.querySelectorAll("main form[method=post]")].find(f => f.querySelector("[required]:not([type=radio])") && new URL(f.action).pathname === location.pathname)
		if (!sent) return false
		for (const field of sent.querySelectorAll("input:not([type=hidden],[type=radio],[type=checkbox]), textarea")) field.value = ""
		return true
	})()`))
	if err != nil {
		k.t.Fatalf("%s: %v", s.name, err)
	}
	if !sends {
		return false
	}
	if _, err := chromedp.RunResponse(ctx, chromedp.Evaluate[chromedp.Void](`HTMLFormElement.prototype.submit.call(sent)`)); err != nil {
		k.t.Fatalf("%s: send the form: %v", s.name, err)
	}
	complains, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`!!document.querySelector(".field-error, .note.tone-danger")`))
	if err != nil {
		k.t.Fatalf("%s: %v", s.name, err)
	}
	return complains
}

// cookies are those of the client, and no others.
func (k *walker) cookies(c *client) chromedp.Action[chromedp.Void] {
	return func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
		if _, err := cdp.Call(ctx, t, network.ClearBrowserCookies, cdp.Empty{}); err != nil {
			return chromedp.Void{}, err
		}
		for _, cookie := range c.jar.Cookies(&url.URL{Scheme: "http", Host: c.host, Path: "/"}) {
			if cookie.Name == "lang" {
				continue // the browser's is what counts
			}
			_, err := cdp.Call(ctx, t, network.SetCookie, network.SetCookieParams{Name: cookie.Name, Value: cookie.Value, URL: k.base + "/"})
			if err != nil {
				return chromedp.Void{}, err
			}
		}
		return chromedp.Void{}, nil
	}
}

// judge tells what was wrong with the page.
func (k *walker) judge(s stop) {
	k.t.Helper()
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, wrong := range slices.Compact(k.wrongs) {
		k.t.Errorf("%s: %s", s.name, wrong)
	}
}

// maxFirstLoad is how many bytes a page may be, with all that belongs to it, to somebody
// who comes for the first time. On a slow phone (1.6 Mbit/s) that is a second and a half.
const maxFirstLoad = 300_000

func TestEveryPageInABrowser(t *testing.T) {
	needsBundle(t)
	axe, err := axeScript()
	if err != nil {
		browser.Lacks(t, "axe-core is not there; make it with \"npm ci\"")
	}
	browser.NeedSystem(t)
	for _, v := range []view{{"ru", 1280, 900}, {"en", 390, 844}} {
		t.Run(fmt.Sprintf("in %s, %d pixels wide", v.lang, v.width), func(t *testing.T) {
			t.Parallel()
			w, base := servedWorld(t, v.lang)
			k := newWalker(t, base, v)
			stops, largest := 0, 0.0
			started := time.Now()
			w.walk(t, w.h.web.Routes(), func(s stop) {
				if !k.open(s) {
					return
				}
				stops++
				k.check(s, v, axe)
				largest = max(largest, k.loaded)
				k.judge(s)
			})
			if stops < 60 && os.Getenv(pagesSetting) == "" {
				t.Errorf("only %d pages were seen", stops)
			}
			t.Logf("%d pages in %s, the largest of %d bytes", stops, time.Since(started).Round(time.Second), int(largest))
		})
	}
}

// needsBundle skips what looks at the pages where there are no styles and scripts.
func needsBundle(t *testing.T) {
	t.Helper()
	if assets.URL("app.js") == "" {
		browser.Lacks(t, "the bundle of styles and scripts is not there; make it with \"make assets\"")
	}
}

// axeRules are asked in both themes, which differ in nothing but colours; all rules only
// in one of them. A target must be large enough for a finger (WCAG 2.2, 2.5.8), which axe
// looks at only when it is asked to. Frames hold mails, which are written by people.
const (
	axeAll     = `{iframes: false, preload: false, resultTypes: ["violations"], rules: {"target-size": {enabled: true}}}`
	axeColours = `{iframes: false, preload: false, resultTypes: ["violations"], runOnly: ["color-contrast", "link-in-text-block"]}`
)

// check looks through the page as it is: what is folded is opened first.
func (k *walker) check(s stop, v view, axe string) {
	k.t.Helper()
	ctx, cancel := context.WithTimeout(k.tab, pagePatience)
	defer cancel()
	found, err := chromedp.Run(ctx, chromedp.Evaluate[[]string](axe+`;
		document.querySelectorAll("main details:not([name])").forEach(d => d.open = true);
		`+axeTold+`; axe.run(document, `+axeAll+`).then(told)`, chromedp.EvalAwaitPromise))
	for _, violation := range found {
		k.t.Errorf("%s: %s", s.name, violation)
	}
	if err == nil {
		err = k.do(browser.Scheme("dark"))
	}
	if err == nil {
		found, err = chromedp.Run(ctx, chromedp.Evaluate[[]string](`axe.run(document, `+axeColours+`).then(told)`, chromedp.EvalAwaitPromise))
	}
	for _, violation := range found {
		k.t.Errorf("%s, dark: %s", s.name, violation)
	}
	var width int
	if err == nil {
		width, err = chromedp.Run(ctx, chromedp.Evaluate[int](`document.documentElement.scrollWidth`))
	}
	if int64(width) > v.width {
		k.t.Errorf("%s is %d pixels wide, and the screen %d", s.name, width, v.width)
	}
	if err == nil {
		err = k.do(browser.Scheme("light"))
	}
	if err != nil {
		k.t.Fatalf("%s: %v", s.name, err)
	}
	if k.loaded > maxFirstLoad {
		k.t.Errorf("%s: a first visit loads %d bytes, more than %d", s.name, int(k.loaded), maxFirstLoad)
	}
}

// axeTold makes sentences of what axe has found.
const axeTold = `
	function told(results) {
		return results.violations.flatMap(v => v.nodes.map(n =>
			v.id + ": " + v.help + "\n\t" + n.target.join(" ") + "\n\t" + n.html.slice(0, 300) + "\n\t" +
			[...n.any, ...n.all, ...n.none].map(c => c.message).join("; ")))
	}`
