package server_test

import (
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

func TestRowsStory(t *testing.T) {
	t.Parallel()
	storyNeeds(t)
	for _, lang := range []string{"ru", "en"} {
		t.Run("somebody reads a list, and signs in by the keyboard, in "+lang, func(t *testing.T) {
			c := storySettings(t)
			m := storyPeople(t, c, lang)
			base := storyService(t, c)
			s := rowsStory{managerStory{storyVisitor: newStoryVisitor(t, base, lang), mailing: m}}
			s.signInByKeys()
			s.row()
			s.menus()
		})
	}
}

// rowsStory is somebody who uses the keyboard, and then looks at a list.
type rowsStory struct{ managerStory }

// signInByKeys types from field to field, and does not stop at what shows the password.
func (s *rowsStory) signInByKeys() {
	s.open("/login")
	s.until("the address has the focus", `document.activeElement.name === "email"`)
	s.do("type the address and go on", chromedp.KeyEvent(storyOwner), chromedp.KeyEvent(kb.Tab))
	s.holds("the password is next", `document.activeElement.name === "password"`)
	s.do("type the password and go on", chromedp.KeyEvent(storyPassword), chromedp.KeyEvent(kb.Tab))
	s.holds("the button that sends is next", `document.activeElement.type === "submit"`)
	s.do("go on over what else there is", chromedp.KeyEvent(kb.Tab), chromedp.KeyEvent(kb.Tab))
	s.holds("the keyboard can show the password, too, and sees where it is",
		`document.activeElement.matches(".reveal-all") && document.activeElement.offsetHeight >= 24`)
	s.do("show it", chromedp.KeyEvent(" "))
	s.until("it is shown", `document.getElementById("field-password").type === "text" && document.activeElement.getAttribute("aria-pressed") === "true"`)
	s.look("sign-in-keys")
	s.click("[data-reveal]")
	s.until("the eye hides it", `document.getElementById("field-password").type === "password"`)
	s.follow("sign in", chromedp.Click(chromedp.CSS(`main form[action="/login"] button[type=submit]`)))
}

const rowButtons = `[...document.querySelectorAll("main tbody .btn-row")]`

// row looks at what can be done with a client: beside each other and low where there is room,
// in words on a phone.
func (s *rowsStory) row() {
	s.window(1280, 900, "light")
	s.open("/clients")
	s.holds("the buttons stand beside each other", rowButtons+`.length === 2 && new Set(`+rowButtons+`.map(b => b.getBoundingClientRect().top)).size === 1`)
	s.holds("the row is low", `document.querySelector("main tbody tr").offsetHeight <= 70`)
	s.holds("they are large enough (WCAG 2.2, 2.5.8)", rowButtons+`.every(b => b.offsetWidth >= 24 && b.offsetHeight >= 24)`)
	s.holds("they say what they do", rowButtons+`.every(b => b.title && b.getAttribute("aria-label").startsWith(b.title))`)
	s.holds("no words are seen", rowButtons+`.every(b => b.querySelector(".btn-words").offsetWidth <= 1)`)
	s.window(390, 844, "dark")
	s.holds("a phone shows the words", rowButtons+`.every(b => b.querySelector(".btn-words").offsetWidth > 20)`)
	s.window(1280, 900, "light")
}

// menus opens those of the head line, where no choice takes two lines.
func (s *rowsStory) menus() {
	s.open("/")
	for _, menu := range []string{"details:has(> form[data-theme-switch])", "details:has(> .btn-tool-person)"} {
		s.click(".topbar-tools " + menu + " > summary")
		s.until("the menu is open", `!!document.querySelector(".topbar-tools `+menu+`[open]")`)
		s.holds("each choice takes one line", `[...document.querySelectorAll(".topbar-tools `+menu+` .menu-item")].every(i => i.offsetHeight > 0 && i.offsetHeight < 48)`)
	}
	s.holds("the numbers are at one height", `new Set([...document.querySelectorAll(".stats .stat-value")].map(v => Math.round(v.getBoundingClientRect().top))).size === 1`)
	s.look("menu-person")
}
