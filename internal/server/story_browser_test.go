package server_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"vestnik/internal/app"
	"vestnik/internal/browser"
	"vestnik/internal/config"
	"vestnik/internal/i18n"
	"vestnik/internal/server"
	"vestnik/internal/web/assets"
)

// screensSetting is the environment variable with the folder that pictures of
// the pages go to. Without it none are taken.
const screensSetting = "VESTNIK_SCREENS"

// storyPatience is how long a person in a story waits for a page or a word on
// it: what a slow machine with other tests on it needs. Chosen.
const storyPatience = 45 * time.Second

// How often a person in a story looks for what they wait for, and how often they load
// the page again for it. A browser computes for each: seldom enough to leave the machine
// to others, and chosen.
const (
	storyLooksEvery   = 50 * time.Millisecond
	storyReloadsEvery = 3 * time.Second
)

// The windows that pages are looked at in, in CSS pixels: a small notebook, and
// the width most phones have.
const (
	storyWide, storyWideHeight   = 1280, 900
	storyPhone, storyPhoneHeight = 390, 844
)

// storyNeeds skips a story where there is no browser for it, or no scripts for the
// pages. Where everything is to be tested, it fails.
func storyNeeds(t *testing.T) (chromium string) {
	t.Helper()
	chromium = needProgram(t, "chromium", "chromium")
	if assets.URL("app.js") != "" {
		return chromium
	}
	why := "the bundle of scripts is not there; make it with \"npm ci && go run ./build/assets\""
	if systemTests() {
		t.Fatalf("%s=1 is set, but %s", systemSetting, why)
	}
	t.Skip(why)
	return ""
}

// storyUndo is for how many seconds what was sent can be taken back: as long as a busy machine
// may need to press the button.
const storyUndo = 15

// storyService runs a service in this process and returns the address of its
// pages. Nothing may go wrong in its log.
func storyService(t *testing.T, c config.Config) string {
	t.Helper()
	base, err := server.Open(t.Context(), c, slog.New(slog.DiscardHandler), false)
	if err == nil {
		err = base.App.ChangeSettings(t.Context(), app.Operator, map[string]string{"undo_seconds": strconv.Itoa(storyUndo)})
		base.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	var lines output
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- server.Run(ctx, c, slog.New(slog.NewTextHandler(&lines, nil)), "story") }()
	t.Cleanup(func() {
		text := lines.String()
		stop()
		if err := <-ended; err != nil {
			t.Errorf("the service ended with: %v", err)
		}
		if t.Failed() || strings.Contains(text, "level=ERROR") {
			t.Errorf("log of the service:\n%s", text)
		}
	})
	await(t, storyPatience, "the service answers", func() bool {
		answer, err := http.Get(c.BaseURL + "/healthz")
		if err != nil {
			return false
		}
		answer.Body.Close()
		return answer.StatusCode == http.StatusOK
	})
	return c.BaseURL
}

// storySettings are those of a service with everything of its own; more win over
// them.
func storySettings(t *testing.T, more ...string) config.Config {
	t.Helper()
	c, err := config.Load(append([]string{"VESTNIK_ADDR=" + freeAddr(t), "VESTNIK_DATA_DIR=" + t.TempDir()}, more...), nil)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// storyVisitor is a person in front of a browser. The words that they look for
// are those of the interface in their language.
type storyVisitor struct {
	*i18n.Printer
	t     *testing.T
	tab   context.Context
	base  string // address of the pages
	title string // of the story, for pictures
	shots int

	mu      sync.Mutex
	refused bool // answers with an error status are right just now
	wrongs  []string
}

// newStoryVisitor opens a browser in a language on a machine without any
// network but itself.
func newStoryVisitor(t *testing.T, base, lang string) *storyVisitor {
	t.Helper()
	catalog, err := i18n.New()
	if err != nil {
		t.Fatal(err)
	}
	v := &storyVisitor{Printer: catalog.For(lang), t: t, base: base, title: filepath.Base(t.Name())}
	running, quit := chromedp.NewExecAllocator(context.Background(),
		append(browser.Options(storyNeeds(t), lang), chromedp.Env("TZ=Europe/Moscow"), chromedp.WindowSize(storyWide, storyWideHeight))...)
	t.Cleanup(quit)
	var leave context.CancelFunc
	v.tab, leave = chromedp.NewContext(running, chromedp.WithListener(v.notice))
	t.Cleanup(leave)
	t.Cleanup(v.judge)
	// The tab lives as long as the context of its first steps.
	if err := chromedp.Do(v.tab); err != nil {
		t.Fatal(err)
	}
	v.window(storyWide, storyWideHeight, "light")
	return v
}

// notice listens to the browser for what no page may do: complain, fail to load
// something, or ask another host.
func (v *storyVisitor) notice(event any) {
	if wrong := browser.Complaint(event, v.base); wrong != "" {
		v.wrong("%s", wrong)
	}
}

func (v *storyVisitor) wrong(format string, args ...any) {
	v.mu.Lock()
	defer v.mu.Unlock()
	text := fmt.Sprintf(format, args...)
	if v.refused && strings.Contains(text, " answers 4") {
		return
	}
	v.wrongs = append(v.wrongs, text)
}

// judge fails the test for what notice has heard.
func (v *storyVisitor) judge() {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, text := range slices.Compact(v.wrongs) {
		v.t.Errorf("the pages are not clean: %s", text)
	}
}

// refusing does what the service is to refuse.
func (v *storyVisitor) refusing(deed func()) {
	set := func(to bool) {
		v.mu.Lock()
		defer v.mu.Unlock()
		v.refused = to
	}
	set(true)
	deed()
	set(false)
}

// do takes steps on the page.
func (v *storyVisitor) do(what string, steps ...chromedp.Action[chromedp.Void]) {
	v.t.Helper()
	ctx, cancel := context.WithTimeout(v.tab, storyPatience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		v.fail(what, err)
	}
}

// follow takes steps that lead to another page, and waits until it is there.
func (v *storyVisitor) follow(what string, steps ...chromedp.Action[chromedp.Void]) {
	v.t.Helper()
	ctx, cancel := context.WithTimeout(v.tab, storyPatience)
	defer cancel()
	if _, err := chromedp.RunResponse(ctx, steps...); err != nil {
		v.fail(what, err)
	}
}

// fail ends the story with what is on the page, in words and as a picture.
func (v *storyVisitor) fail(what string, err error) {
	v.t.Helper()
	v.picture("failed")
	where, _ := storyAsk[string](v, `location.href`)
	text, _ := storyAsk[string](v, `document.body.innerText`)
	v.t.Fatalf("%s: %v\non %s, which says:\n%s", what, err, where, text)
}

// open goes to a page of the service by its address.
func (v *storyVisitor) open(path string) {
	v.t.Helper()
	v.follow("open "+path, chromedp.Navigate(v.base+path))
}

// turnTo goes to a page by the menu.
func (v *storyVisitor) turnTo(path string) {
	v.t.Helper()
	v.follow("menu "+path, chromedp.Click(chromedp.CSS(fmt.Sprintf(`.sidebar-link[href=%q]`, path))))
}

// administer goes to one of the admin pages by the menu and what opens in it.
func (v *storyVisitor) administer(path string) {
	v.t.Helper()
	v.turnTo("/admin")
	v.follow("section "+path, chromedp.Click(chromedp.CSS(fmt.Sprintf(`.sidebar-sections [href=%q]`, path))))
}

// press presses the first button or link with these words in the content of the
// page, and waits for the page it leads to.
func (v *storyVisitor) press(words string) {
	v.t.Helper()
	v.follow("press "+words, chromedp.Click(storyButton(words)))
}

// storyButton finds a button or a link by its words.
func storyButton(words string) chromedp.Search {
	return chromedp.Search(`(//main//*[self::button or self::a][not(@aria-hidden)][normalize-space(.)="` + words + `"])[1]`)
}

// click clicks what a CSS selector finds.
func (v *storyVisitor) click(selector string) {
	v.t.Helper()
	v.do("click "+selector, chromedp.Click(chromedp.CSS(selector)))
}

// fill types into a field by its name, after what stood there is gone.
func (v *storyVisitor) fill(name, text string) {
	v.t.Helper()
	field := chromedp.ID("field-" + name)
	v.do("fill in "+name, chromedp.WaitVisible(field), chromedp.Evaluate[chromedp.Void](fmt.Sprintf(
		`document.getElementById(%s).value = ""`, storyJS("field-"+name))), chromedp.SendKeys(field, text))
}

// set gives a field a value at once, as a picker for dates does.
func (v *storyVisitor) set(name, value string) {
	v.t.Helper()
	v.do("set "+name, chromedp.WaitVisible(chromedp.ID("field-"+name)), chromedp.Evaluate[chromedp.Void](fmt.Sprintf(
		`(f => { f.value = %s; f.dispatchEvent(new Event("input", {bubbles: true})) })(document.getElementById(%s))`,
		storyJS(value), storyJS("field-"+name))))
}

// choose takes the option of a select that begins with these words.
func (v *storyVisitor) choose(name, words string) {
	v.t.Helper()
	value, err := storyAsk[string](v, fmt.Sprintf(
		`[...document.getElementById(%s).options].find(o => o.text.startsWith(%s)).value`, storyJS("field-"+name), storyJS(words)))
	if err != nil {
		v.fail("choose "+words, err)
	}
	v.set(name, value)
}

// sees waits until all of these texts can be seen on the page. Case and spaces do
// not count, since style sheets change both.
func (v *storyVisitor) sees(texts ...string) {
	v.t.Helper()
	for _, text := range texts {
		v.until("see "+text, fmt.Sprintf(`document.body.innerText.replace(/\s+/g, " ").toLowerCase().includes(%s)`,
			storyJS(strings.ToLower(strings.Join(strings.Fields(text), " ")))))
	}
}

// until waits until a condition in JavaScript holds, on whatever page that is.
func (v *storyVisitor) until(what, condition string) {
	v.t.Helper()
	look := time.NewTicker(storyLooksEvery)
	defer look.Stop()
	for limit := time.Now().Add(storyPatience); ; <-look.C {
		holds, err := storyAsk[bool](v, condition)
		if err == nil && holds {
			return
		}
		if time.Now().After(limit) {
			v.fail(what, fmt.Errorf("not within %s: %v", storyPatience, err))
		}
	}
}

// holds checks a condition in JavaScript on the page as it is.
func (v *storyVisitor) holds(claim, condition string) {
	v.t.Helper()
	holds, err := storyAsk[bool](v, condition)
	if err != nil || !holds {
		v.fail("it is not true that "+claim, err)
	}
}

// text is what the first element of a CSS selector says.
func (v *storyVisitor) text(selector string) string {
	v.t.Helper()
	text, err := storyAsk[string](v, fmt.Sprintf(`document.querySelector(%s).innerText`, storyJS(selector)))
	if err != nil {
		v.fail("read "+selector, err)
	}
	return text
}

// address is that of the page.
func (v *storyVisitor) address() string {
	v.t.Helper()
	address, err := storyAsk[string](v, `location.href`)
	if err != nil {
		v.fail("read the address", err)
	}
	return address
}

// reloads loads the page again now and then, as people do, until a condition in
// JavaScript holds on it.
func (v *storyVisitor) reloads(claim, condition string, limit time.Time) {
	v.t.Helper()
	look := time.NewTicker(storyReloadsEvery)
	defer look.Stop()
	for {
		holds, err := storyAsk[bool](v, condition)
		if err == nil && holds {
			return
		}
		if time.Now().After(limit) {
			v.fail("it has not come true that "+claim, err)
		}
		<-look.C
		v.follow("reload", chromedp.Reload())
	}
}

// storyAsk asks the page for the value of an expression. An error may mean that
// the page is being left just now.
func storyAsk[T any](v *storyVisitor, expression string) (T, error) {
	ctx, cancel := context.WithTimeout(v.tab, storyPatience)
	defer cancel()
	return chromedp.Run(ctx, chromedp.Evaluate[T](expression))
}

// storyJS writes a value as JavaScript does.
func storyJS(value any) string { return browser.JS(value) }

// look looks at the page on a phone, where nothing may stand out at the side, and
// takes its pictures: wide and narrow, light and dark.
func (v *storyVisitor) look(name string) {
	v.t.Helper()
	v.window(storyPhone, storyPhoneHeight, "light")
	width, err := storyAsk[int](v, `document.documentElement.scrollWidth`)
	if err != nil {
		v.fail("look at "+name, err)
	}
	if width > storyPhone {
		v.t.Errorf("on a phone the page %q is %d pixels wide, and the screen %d", name, width, storyPhone)
	}
	v.picture(name + "-phone")
	if os.Getenv(screensSetting) != "" {
		v.window(storyPhone, storyPhoneHeight, "dark")
		v.picture(name + "-phone-dark")
		v.window(storyWide, storyWideHeight, "dark")
		v.picture(name + "-dark")
	}
	v.window(storyWide, storyWideHeight, "light")
	v.picture(name)
}

// window makes the window so large and the device light or dark. Nothing moves,
// so that pictures show pages at rest.
func (v *storyVisitor) window(width, height int64, scheme string) {
	v.t.Helper()
	v.do("resize the window", browser.Window(width, height, scheme))
}

// picture keeps a picture of the whole page, if pictures are wanted.
func (v *storyVisitor) picture(name string) {
	v.t.Helper()
	folder := os.Getenv(screensSetting)
	if folder == "" {
		return
	}
	ctx, cancel := context.WithTimeout(v.tab, storyPatience)
	defer cancel()
	// Else what sticks to the window would stand in the middle of the page.
	if err := chromedp.Do(ctx, chromedp.Evaluate[chromedp.Void](`scrollTo(0, 0)`)); err != nil {
		v.t.Errorf("no picture of %s: %v", name, err)
		return
	}
	data, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	if err != nil {
		v.t.Errorf("no picture of %s: %v", name, err)
		return
	}
	v.shots++
	file := filepath.Join(folder, fmt.Sprintf("%s-%02d-%s.png", v.title, v.shots, name))
	err = os.MkdirAll(folder, 0o755)
	if err == nil {
		err = os.WriteFile(file, data, 0o644)
	}
	if err != nil {
		v.t.Error(err)
	}
}
