package server_test

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"
)

// writerStory is somebody who writes messages and does not finish them.
type writerStory struct {
	*storyVisitor
	first, second string // texts that are typed
}

func TestWriterStory(t *testing.T) {
	t.Parallel()
	storyNeeds(t)
	for lang, words := range map[string][2]string{
		"ru": {"Завтра у нас праздник", "Чай со скидкой"},
		"en": {"Tomorrow is our holiday", "Tea for less"},
	} {
		t.Run("nothing that was typed of a message is lost, in "+lang, func(t *testing.T) {
			t.Parallel()
			if lang == "en" {
				needSystem(t) // as in TestStory
			}
			c := storySettings(t)
			m := storyPeople(t, c, lang)
			s := writerStory{newStoryVisitor(t, storyService(t, c), lang), words[0], words[1]}
			people := &managerStory{storyVisitor: s.storyVisitor}
			people.signIn(storyOwner)
			s.leave()
			s.startAnew()
			s.takeStarter()
			s.insertField()
			s.store()
			s.edit(fmt.Sprintf("/messages/%d/edit", m.MessageID))
			s.signOut()
			people.signIn(storyAdmin)
			s.open("/messages/new")
			s.holds("nobody else sees the text", `document.getElementById("field-body").value === "" && document.querySelector("[data-kept-note=restored]").hidden`)
		})
	}
}

// stands waits until a field has the text.
func (s *writerStory) stands(field, text string) {
	s.t.Helper()
	s.until(text+" stands in "+field, fmt.Sprintf(`document.getElementById("field-%s")?.value === %s`, field, storyJS(text)))
}

// leave goes elsewhere by the menu, and finds the text again.
func (s *writerStory) leave() {
	s.open("/messages/new")
	s.fill("subject", s.first)
	s.fill("body", s.first+"!")
	s.turnTo("/mailings")
	s.open("/messages/new")
	s.sees(s.T("kept.restored"))
	s.stands("subject", s.first)
	s.stands("body", s.first+"!")
	s.look("message-restored")
}

// startAnew empties the form and brings the text back.
func (s *writerStory) startAnew() {
	s.click(`[data-kept-do="anew"]`)
	s.stands("body", "")
	s.sees(s.T("kept.before"), s.first)
	s.look("message-before")
	s.click(`[data-kept-do="back"]`)
	s.stands("body", s.first+"!")
}

// takeStarter is asked first, keeps what was written, and brings that back.
func (s *writerStory) takeStarter() {
	s.click(`[data-starter]`)
	s.sees(s.T("kept.replace_title"))
	s.look("message-starter-question")
	s.click(`#ask-starter [popovertargetaction="hide"]`)
	s.stands("body", s.first+"!")
	s.click(`[data-starter]`)
	s.follow("take the starter", chromedp.Click(chromedp.CSS(`#ask-starter [data-yes]`)))
	s.sees(s.T("kept.before"), s.first)
	s.until("the starter stands there", `document.getElementById("field-body").value.startsWith("<!doctype html>")`)
	s.click(`[data-kept-do="back"]`)
	s.stands("subject", s.first)
	s.stands("body", s.first+"!")
}

// insertField puts a merge field where one was writing last.
func (s *writerStory) insertField() {
	s.click(".merge-fields > summary")
	s.do("write in the subject", chromedp.SendKeys(chromedp.ID("field-subject"), " "))
	s.click(`[data-insert="{{ last_name }}"]`)
	s.stands("subject", s.first+" {{ last_name }}")
	s.holds("the subject has the focus", `document.activeElement.id === "field-subject"`)
	s.look("message-fields")
}

// store saves the message; the next new one is empty.
func (s *writerStory) store() {
	s.press(s.T("action.save"))
	s.sees(s.T("messages.created"))
	s.open("/messages/new")
	s.holds("nothing is restored", `document.getElementById("field-body").value === "" && document.querySelector("[data-kept-note=restored]").hidden`)
}

// edit leaves changes of a message, and finds them in that message only.
func (s *writerStory) edit(path string) {
	s.open(path)
	s.fill("subject", s.second)
	s.turnTo("/clients")
	s.open("/messages/new")
	s.stands("subject", "")
	s.open(path)
	s.sees(s.T("kept.restored"))
	s.stands("subject", s.second)
}

func (s *writerStory) signOut() {
	s.click(".btn-tool-person")
	s.follow("sign out", chromedp.Click(chromedp.CSS(`form[action="/logout"] button`)))
	s.holds("nothing is left behind", `Object.keys(localStorage).every(key => !key.startsWith("vestnik.message."))`)
}
