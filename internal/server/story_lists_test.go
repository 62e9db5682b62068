package server_test

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"vestnik/internal/app"
	"vestnik/internal/config"
	"vestnik/internal/mailing"
	"vestnik/internal/server"
)

// storyMany is how many mailings the owner of long lists has: more than a page shows.
const storyMany = 60

func TestListsStory(t *testing.T) {
	t.Parallel()
	storyNeeds(t)
	for _, lang := range []string{"ru", "en"} {
		t.Run("somebody goes about their lists in "+lang, func(t *testing.T) {
			c := storySettings(t)
			m := storyPeople(t, c, lang)
			storyMailings(t, c, m)
			base := storyService(t, c)
			s := listsStory{managerStory{storyVisitor: newStoryVisitor(t, base, lang), mailing: m}}
			s.signIn(storyOwner)
			s.jump()
			s.keys()
			s.pauseFew()
			s.pauseAll()
			s.columns()
			s.messages()
			s.timeline()
		})
	}
}

// listsStory is somebody with long lists.
type listsStory struct{ managerStory }

// storyMailings gives the owner of a mailing many more of the same message.
func storyMailings(t *testing.T, c config.Config, m mailing.Mailing) {
	t.Helper()
	base, err := server.Open(t.Context(), c, slog.New(slog.DiscardHandler), false)
	if err != nil {
		t.Fatal(err)
	}
	defer base.Close()
	owner, err := base.Store.Account(t.Context(), m.OwnerID)
	if err != nil {
		t.Fatal(err)
	}
	for range storyMany {
		_, err := base.App.CreateMailing(t.Context(), owner, app.MailingForm{
			MessageID: m.MessageID, Audience: mailing.AudienceAll, Doubt: mailing.NeverTwice, Rule: m.Rule,
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// key presses a key on the page, wherever the focus is.
func (s *listsStory) key(what, keys string, more ...chromedp.KeyOption) {
	s.t.Helper()
	s.do(what, chromedp.KeyEvent(keys, more...))
}

const (
	paletteOpen   = `document.getElementById("palette").open`
	paletteChosen = `document.querySelector('#palette-list [aria-selected="true"]')`
)

// jump goes to a page and to a client by the keyboard alone.
func (s *listsStory) jump() {
	s.key("open the palette", "k", chromedp.KeyModifiers(chromedp.ModifierCtrl))
	s.until("it is open and offers something", paletteOpen+` && !!`+paletteChosen)
	s.holds("the field has the focus and names what is chosen",
		`document.activeElement.getAttribute("aria-activedescendant") === `+paletteChosen+`.id`)
	s.look("palette")
	first, err := storyAsk[string](s.storyVisitor, paletteChosen+`.id`)
	if err != nil {
		s.fail("read what is chosen", err)
	}
	s.key("go down", kb.ArrowDown)
	s.until("the next one is chosen", paletteChosen+`.id !== `+storyJS(first))
	s.key("go up", kb.ArrowUp)
	s.until("the first one is again", paletteChosen+`.id === `+storyJS(first))
	s.key("close it", kb.Escape)
	s.until("it is closed", `!`+paletteOpen)
	s.click("[data-palette-open]")
	s.until("the button opens it, too", paletteOpen)
	s.key("look for a client", "vera")
	s.until("she is found", paletteChosen+`?.href.includes("/clients/")`)
	s.look("palette-found")
	s.follow("open her", chromedp.KeyEvent(kb.Enter))
	s.sees("vera@example.com", s.T("timeline.title"))
	s.look("client")
	s.key("open the palette", "k", chromedp.KeyModifiers(chromedp.ModifierCtrl))
	s.until("it is open", paletteOpen)
	// Enter comes before the answer does, and opens what was typed and not what was there.
	s.follow("type and press Enter at once", chromedp.KeyEvent(s.T("nav.mailings")), chromedp.KeyEvent(kb.Enter))
	s.until("the mailings are there", `location.pathname === "/mailings"`)
}

// keys looks up the keys and goes to the search by one.
func (s *listsStory) keys() {
	s.key("ask for the keys", "?", chromedp.KeyModifiers(chromedp.ModifierShift))
	s.sees(s.T("shortcuts.title"))
	s.look("shortcuts")
	s.click("[data-shortcuts-single]")
	s.key("close them", kb.Escape)
	s.until("they are closed", `!document.getElementById("shortcuts").open`)
	s.key("press a key that is switched off", "/")
	s.holds("nothing happens", `document.activeElement.type !== "search"`)
	s.do("switch it on", chromedp.Evaluate[chromedp.Void](`localStorage.clear()`))
	s.key("go to the search", "/")
	s.until("the search has the focus", `document.activeElement.type === "search"`)
	// A key that is sent by itself types all the same.
	s.do("empty it", chromedp.Evaluate[chromedp.Void](`document.activeElement.value = ""`))
	s.key("type", "нет такой")
	s.sees(s.T("mailings.none_found"))
	s.until("it is said to who does not see it", `document.querySelector("[data-list-says]").textContent === `+storyJS(s.T("mailings.none_found")))
	s.until("the address knows", `new URLSearchParams(location.search).get("q") === "нет такой"`)
	s.open("/mailings")
}

// pauseFew pauses two mailings and is told so.
func (s *listsStory) pauseFew() {
	s.holds("nothing can be done to nothing", `document.querySelector("form.bulk").offsetParent === null`)
	s.do("tick two", chromedp.Evaluate[chromedp.Void](`[...document.querySelectorAll("td.cell-select input")].slice(0, 2).forEach(box => box.click())`))
	s.until("two are chosen", `document.querySelector("[data-bulk-count]").textContent === "2"`)
	s.look("mailings-chosen")
	s.press(s.T("action.pause"))
	s.sees(s.N("mailings.many.pause", 2))
	s.sees(s.N("list.found", storyMany+1))
}

// pauseAll pauses all that there are, of which two are already.
func (s *listsStory) pauseAll() {
	s.click("[data-select-all]")
	s.until("the whole page is chosen and more is offered", `!document.querySelector("[data-bulk-all]").hidden`)
	s.click("[data-bulk-all] input")
	s.until("all are counted", fmt.Sprintf(`document.querySelector("[data-bulk-count]").textContent === "%d"`, storyMany+1))
	s.press(s.T("action.pause"))
	s.sees(s.N("mailings.many.pause", storyMany-1), s.T("status.paused"), strings.TrimSuffix(s.N("list.refused", 2, "why", ""), " "))
	s.look("mailings-paused")
	s.click("[data-select-all]")
	s.click(`[popovertarget="delete-chosen"]`)
	s.until("it asks first, and says how many", `document.querySelector("#delete-chosen [data-bulk-count]").textContent === "50" && document.getElementById("delete-chosen").matches(":popover-open")`)
	s.look("mailings-delete")
	s.follow("yes", chromedp.Click(chromedp.CSS(`#delete-chosen [type=submit]`)))
	s.sees(s.N("mailings.many.delete", 50), s.N("list.found", storyMany+1-50))
}

// columns leaves a column out, which the browser remembers.
func (s *listsStory) columns() {
	s.click(".column-picker summary")
	s.look("columns")
	s.click(`.column-picker [value="created"]`)
	s.follow("show", chromedp.Click(chromedp.CSS(`.column-picker .btn-primary`)))
	s.open("/mailings")
	s.holds("the column is not there", `![...document.querySelectorAll(".rows th")].some(th => th.textContent.includes(`+storyJS(s.T("field.created"))+`))`)
	s.click(".column-picker summary")
	s.follow("as before", chromedp.Click(chromedp.CSS(`.column-picker [value="default"]`)))
	s.holds("the column is there", `[...document.querySelectorAll(".rows th")].some(th => th.textContent.includes(`+storyJS(s.T("field.created"))+`))`)
}

// messages looks at them as they are and begins with one that is ready.
func (s *listsStory) messages() {
	s.turnTo("/messages")
	s.until("the small picture is there", `!!document.querySelector(".thumb iframe")`)
	s.look("messages")
	s.open("/messages/starters")
	s.look("starters")
	s.press(s.T("messages.starter.invitation"))
	s.until("the editor holds it", `document.getElementById("field-body").value.includes("<table")`)
	s.press(s.T("action.save"))
	s.sees(s.T("messages.created"))
	s.look("starter-saved")
}

// timeline sees the client change.
func (s *listsStory) timeline() {
	s.open("/clients")
	s.press("Вера")
	s.press(s.T("clients.suppress"))
	s.sees(s.T("timeline.title"), s.T("deed.contact.suppress"), s.T("timeline.by", "who", s.T("mailings.you")))
	s.look("timeline")
	s.open("/")
	s.sees(s.T("home.sent")) // what one has stopped oneself needs no attention
	s.look("home")
}
