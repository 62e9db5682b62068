package server_test

import (
	"testing"

	"github.com/chromedp/chromedp"
)

func TestPresetStory(t *testing.T) {
	t.Parallel()
	storyNeeds(t)
	for _, lang := range []string{"ru", "en"} {
		t.Run("an admin fills in a mail service and mends what the test finds in "+lang, func(t *testing.T) {
			t.Parallel()
			if lang == "en" {
				needSystem(t) // a browser computes for long
			}
			c := storySettings(t)
			storyPeople(t, c, lang)
			s := presetStory{newStoryVisitor(t, storyService(t, c), lang)}
			(&managerStory{storyVisitor: s.storyVisitor}).signIn(storyAdmin)
			s.presets()
		})
	}
}

// presetStory is somebody who connects a mail service.
type presetStory struct{ *storyVisitor }

// is asks for the value of a field.
func (s *presetStory) is(name, value string) {
	s.t.Helper()
	s.until(name+" is "+value, `document.getElementById(`+storyJS("field-"+name)+`).value === `+storyJS(value))
}

// presets fill in the server and leave what was typed, the password too.
func (s *presetStory) presets() {
	s.open("/relays/new")
	s.fill("username", "anna@example.org")
	s.fill("password", storyRelayPassword)
	s.do("mark the page", chromedp.Evaluate[chromedp.Void](`window.story = "the same page"`))
	s.click(`[name=preset][value=yandex]`)
	s.is("host", "smtp.yandex.ru")
	s.is("per_day", "500")
	s.sees(s.T("relay.preset.yandex"))
	s.look("preset-yandex")
	s.click(`[name=preset][value=own]`)
	s.is("host", "")
	s.is("per_day", "")
	s.until("its field has the focus", `document.activeElement.id === "field-host"`)
	s.holds("it looks chosen, alone", `[...document.querySelectorAll("[name=preset][aria-pressed=true]")].map(b => b.value).join() === "own"`)
	s.holds("no other is told of", `![...document.querySelectorAll("[data-preset-note]")].some(n => n.checkVisibility())`)
	s.is("username", "anna@example.org")
	s.is("password", storyRelayPassword)
	s.look("preset-own")
	s.fill("host", "smtp.gmail.com")
	s.until("who types a known server sees its advice", `document.querySelector("[data-preset-note=gmail]").checkVisibility()`)
	s.holds("the page was not loaded again", `window.story === "the same page"`)
}
