package server_test

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"
)

// typingStory is somebody who changes a mailing by hand, and back again.
type typingStory struct {
	*storyVisitor
	path string // of the mailing
}

func TestTypingStory(t *testing.T) {
	t.Parallel()
	storyNeeds(t)
	for _, lang := range []string{"ru", "en"} {
		t.Run("a person types a change back in "+lang, func(t *testing.T) {
			t.Parallel()
			if lang == "en" {
				needSystem(t) // a browser computes for long
			}
			c := storySettings(t)
			m := storyPeople(t, c, lang)
			s := typingStory{newStoryVisitor(t, storyService(t, c), lang), fmt.Sprintf("/mailings/%d", m.ID)}
			(&managerStory{storyVisitor: s.storyVisitor}).signIn(storyOwner)
			s.typeBack()
			s.discard()
			s.misread()
		})
	}
}

func (s *typingStory) says(key string) {
	s.t.Helper()
	s.until("the page says "+key, `document.getElementById("saved").innerText.trim() === `+storyJS(s.T(key)))
}

// typeBack changes the name of the sender and undoes that by hand: there is nothing to apply,
// and nothing on the page has moved meanwhile, also on a phone.
func (s *typingStory) typeBack() {
	const top = `Math.round(document.getElementById("field-from_name").getBoundingClientRect().top + scrollY)`
	for _, width := range []int64{1280, 390} {
		s.window(width, 900, "light")
		s.open(s.path + "/edit?at=content")
		s.holds("nothing is said at first", `document.getElementById("saved").textContent === ""`)
		s.holds("where the field stands is noted", `(window.fieldTop = `+top+`) > 0`)
		s.fill("from_name", "Чайная лавка")
		s.says("mailing_page.saved_pending")
		s.holds("nothing has moved", `window.fieldTop === `+top)
		s.set("from_name", "")
		s.says("mailing_page.unchanged")
		s.holds("nothing has moved back", `window.fieldTop === `+top)
	}
	s.look("typed-back")
	s.window(1280, 900, "light")
	s.open(s.path)
	s.holds("there is nothing to apply", `!document.body.innerText.includes(`+storyJS(s.T("mailing_page.pending"))+`)`)
}

// discard goes on from a draft that was dropped, and throws the changes away on the mailing's page.
func (s *typingStory) discard() {
	s.open(s.path + "/edit?at=content")
	s.fill("from_name", "Чай")
	s.says("mailing_page.saved_pending")
	s.open(s.path + "/edit?at=content")
	s.set("from_name", "")
	s.says("mailing_page.unchanged")
	s.fill("from_name", "Лавка")
	s.says("mailing_page.saved_pending")
	s.open(s.path)
	s.look("pending-changes")
	s.click(`main [popovertarget="discard"]`)
	s.sees(s.T("mailing_page.discard_question"))
	s.follow("discard", chromedp.Click(chromedp.CSS("#discard [type=submit]")))
	s.sees(s.T("mailing_page.discarded"))
}

// misread types a date that is none, and sees that at its field.
func (s *typingStory) misread() {
	s.open(s.path + "/edit?at=schedule")
	s.fill("skip", "32.13.2027")
	s.until("the field is marked", `document.getElementById("field-skip").getAttribute("aria-invalid") === "true"`)
	s.holds("the error stands at it, and describes it", `document.getElementById("field-skip").getAttribute("aria-describedby") === "field-skip-error field-skip-hint"
		&& document.getElementById("field-skip-error").innerText.includes("32.13.2027")`)
	s.look("misread")
	s.set("skip", "08.03.2199")
	s.until("it is well again", `!document.querySelector("#field-skip[aria-invalid], #field-skip-error")`)
	s.holds("the hint describes it still", `document.getElementById("field-skip").getAttribute("aria-describedby") === "field-skip-hint"`)
}
