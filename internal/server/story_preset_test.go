package server_test

import (
	"net"
	"strconv"
	"testing"

	"github.com/chromedp/chromedp"

	"vestnik/internal/smtpsink"
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
			s.mend(newSink(t, smtpsink.Options{}))
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

// mend goes from what a test has found to the fields in which it is mended: first nobody
// listens on the port, then the server does not encrypt.
func (s *presetStory) mend(sink *sink) {
	s.open("/relays/new")
	s.fill("host", "127.0.0.1")
	s.fill("port", strconv.Itoa(storyClosedPort(s)))
	s.fill("password", storyRelayPassword)
	s.test()
	s.marked("port", "relay.port")
	s.look("mend-port")
	s.fill("port", strconv.Itoa(sink.Port()))
	s.test()
	s.marked("tls", "relay.tls")
	s.holds("the choice is called as in the form", `document.querySelector(".stage-advice").textContent.includes(`+storyJS(s.T("relay.tls_none"))+`)`)
	s.holds("the port is well now", `!document.querySelector("#field-port[aria-invalid], #field-port-error")`)
	s.is("password", storyRelayPassword)
	s.look("mend-tls")
	s.set("tls", "none")
	s.set("password", "")
	s.test()
	s.sees(s.T("relay.test_passed"))
	s.holds("no field is marked", `!document.querySelector("[aria-invalid], [data-late-at]")`)
}

// test has the server tested, and waits for the end of that.
func (s *presetStory) test() {
	s.t.Helper()
	(&adminStory{storyVisitor: s.storyVisitor}).test()
}

// marked sees a field marked, and follows the link to it from where the test failed.
func (s *presetStory) marked(name, label string) {
	s.t.Helper()
	id := storyJS("field-" + name)
	s.until(name+" is marked", `document.getElementById(`+id+`).getAttribute("aria-invalid") === "true"`)
	s.holds("it is described by what the test has found", `(f => document.getElementById(f.getAttribute("aria-describedby").split(" ")[0]).textContent.trim()
		=== document.querySelector(".stage-problem").textContent.trim())(document.getElementById(`+id+`))`)
	s.click(`#relay-test a[href="#field-` + name + `"]`)
	s.until("the link leads to it", `document.activeElement.id === `+id)
	s.sees(s.T("ui.mend", "field", s.T(label)))
}

// storyClosedPort is a port of this machine that nobody listens on.
func storyClosedPort(s *presetStory) int {
	s.t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().(*net.TCPAddr).Port
}
