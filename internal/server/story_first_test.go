package server_test

import (
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"

	"vestnik/internal/smtpsink"
)

const storyFounder = "olga@example.org"

// firstStory is the first five minutes of a new person.
type firstStory struct {
	*storyVisitor
	sink *sink
	held chan struct{} // closed when the mail server may answer to the recipient
}

func TestFirstFiveMinutesStory(t *testing.T) {
	t.Parallel()
	storyNeeds(t)
	for _, lang := range []string{"ru", "en"} {
		t.Run("from one link to the first mails, and to a mail server of one's own, in "+lang, func(t *testing.T) {
			t.Parallel()
			if lang == "en" {
				needSystem(t) // a browser computes for long, and the other language tells the same
			}
			c := storySettings(t)
			s := firstStory{held: make(chan struct{})}
			release := sync.OnceFunc(func() { close(s.held) })
			s.sink = newSink(t, smtpsink.Options{
				Username: storyRelayUser, Password: storyRelayPassword, Strict: true, StrictFormat: true, Keep: true, Answer: s.hold,
			})
			link := storyFirstLink(t, c)
			s.storyVisitor = newStoryVisitor(t, storyService(t, c), lang)
			t.Cleanup(release)
			s.begin(link)
			s.readFirstMail()
			s.choosePreset()
			s.mistype()
			s.watchSteps(release)
			s.save()
			if v := s.sink.Violations(); len(v) > 0 {
				t.Errorf("what was sent breaks standards: %s", strings.Join(v, "; "))
			}
		})
	}
}

// hold lets the recipient of the test wait for an answer.
func (s *firstStory) hold(stage smtpsink.Stage, _ smtpsink.Envelope) smtpsink.Reply {
	if stage == smtpsink.StageRcpt {
		<-s.held
	}
	return smtpsink.Reply{}
}

// begin makes the first account by the link that the service tells at its start.
func (s *firstStory) begin(link string) {
	s.open(link)
	s.sees(s.T("first.welcome"), s.T("first.examples"))
	s.holds("the language is the browser's", `document.getElementById("field-lang").value === `+storyJS(s.Lang()))
	s.until("the zone is the browser's", `document.getElementById("field-zone").value === Intl.DateTimeFormat().resolvedOptions().timeZone`)
	s.look("first-welcome")
	s.fill("first_name", "Ольга")
	s.fill("email", storyFounder)
	s.fill("password", storyPassword)
	s.fill("again", storyPassword)
	s.press(s.T("first.create"))
	s.sees(s.T("examples.added"), s.T("demo.title"))
}

// readFirstMail waits on the same page until the mails of the examples are there.
func (s *firstStory) readFirstMail() {
	s.until("the first mails appear by themselves", `document.querySelectorAll("#mails tbody a").length > 2`)
	s.look("first-mails")
	s.follow("open the first mail", chromedp.Click(chromedp.CSS("#mails tbody a")))
	s.sees(s.T("demo.list_unsubscribe"))
	s.look("first-mail")
	s.turnTo("/")
	s.sees(s.T("home.set_up"), s.T("home.step_relay"), s.T("home.step_domain"))
	s.look("first-home")
}

// choosePreset takes the settings of a mail service, and those of a server of the test for it.
func (s *firstStory) choosePreset() {
	s.press(s.T("home.step_relay"))
	s.press(s.T("relay.add_smtp"))
	s.click("[name=preset][value=mailru]")
	s.sees(s.T("relay.preset_help.mailru"), s.T("relay.preset_no_limits"))
	s.holds("the server is filled in", `document.getElementById("field-host").value === "smtp.mail.ru" && document.getElementById("field-port").value === "465"`)
	s.look("relay-preset")
	s.fill("host", "127.0.0.1")
	s.fill("port", strconv.Itoa(s.sink.Port()))
	s.set("tls", "none")
	s.fill("username", storyRelayUser)
	s.fill("from_email", "news@example.org")
}

func (s *firstStory) test() {
	s.do("test the mail server", chromedp.Click(storyButton(s.T("relay.test_smtp"))))
}

// mistype tests with a wrong password first.
func (s *firstStory) mistype() {
	s.fill("password", "не тот")
	s.test()
	s.sees(s.T("relay.test_failed"), s.T("relay.advice.wrong_password"))
	s.holds("the steps before the password are ticked", storyStages("tone-success", 3))
	s.holds("the password is the wrong one", storyStages("tone-danger", 1))
	s.look("relay-wrong")
	if s.sink.Count() > 0 {
		s.t.Error("a mail has left all the same")
	}
}

// watchSteps sees what is done while the rest waits for the mail server.
func (s *firstStory) watchSteps(release func()) {
	s.fill("password", storyRelayPassword)
	s.test()
	s.until("the steps are shown while the test goes on", storyStages("tone-success", 5)+" && "+storyStages("tone-busy", 1))
	s.sees(s.T("relay.test_running"), s.T("relay.step.recipient"))
	s.picture("relay-testing")
	release()
	s.sees(s.T("relay.test_passed"), s.T("relay.test_mailed", "email", storyFounder))
	s.holds("all steps are ticked", storyStages("tone-success", 7))
	s.holds("the password is still typed", `document.getElementById("field-password").value !== ""`)
	s.look("relay-passed")
	if got := s.sink.Copies(); s.sink.Count() != 1 || got[storyFounder] != 1 {
		s.t.Errorf("the test has sent %v", got)
	}
}

func (s *firstStory) save() {
	s.press(s.T("action.save"))
	s.sees(s.T("relay.saved", "name", "Mail.ru"), s.T("relay.state_in_use"))
	s.sees(s.T("examples.text_leave"))
	s.look("relay-saved")
	s.click("[popovertarget=examples-remove]")
	s.follow("remove the examples", chromedp.Click(chromedp.CSS("#examples-remove [type=submit]")))
	s.sees(s.T("examples.removed"))
	s.open("/domains")
	s.sees("example.org", s.T("domain.never"))
	s.look("domains-unchecked")
}
