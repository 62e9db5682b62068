package server_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"vestnik/internal/mailing"
	"vestnik/internal/smtpsink"
)

// undoStory is somebody who takes things back.
type undoStory struct {
	*storyVisitor
	mailing mailing.Mailing
}

func TestUndoStory(t *testing.T) {
	t.Parallel()
	storyNeeds(t)
	for _, lang := range []string{"ru", "en"} {
		t.Run("a person takes back what they have done in "+lang, func(t *testing.T) {
			t.Parallel()
			c := storySettings(t)
			m := storyPeople(t, c, lang)
			s := undoStory{newStoryVisitor(t, storyService(t, c), lang), m}
			(&managerStory{storyVisitor: s.storyVisitor}).signIn(storyOwner)
			s.undoSend()
			s.letGo()
			s.undoDeletions()
			s.undoPause()
		})
	}
}

// send sends the mailing by hand.
func (s *undoStory) send() {
	s.t.Helper()
	s.open(fmt.Sprintf("/mailings/%d/send", s.mailing.ID))
	s.press(s.N("mailings.send_now", 1))
	s.sees(s.T("undo.goes"), s.T("undo.awaits"))
	s.holds("nothing less than taking all back is offered", `!document.querySelector(".acts")`)
}

// undoSend takes a sending back, and nothing arrives.
func (s *undoStory) undoSend() {
	s.send()
	s.until("the seconds are counted", `(left => left !== window.left && (window.left ??= left) && left !== window.left)(
		document.querySelector("[data-recall-left]").textContent)`)
	s.look("undo-waiting")
	s.press(s.T("undo.button"))
	s.sees(s.T("undo.send_undone"), s.T("run_state.taken_back"))
	s.look("undo-undone")
	<-time.After((storyUndo + 2) * time.Second) // longer than it would have waited
	s.turnTo("/demo")
	s.sees(s.T("demo.none"))
	s.open(fmt.Sprintf("/mailings/%d", s.mailing.ID))
	s.click("main tbody a[href^='/runs/']")
	s.sees(s.T("undo.taken_back"))
	s.look("undo-run-taken-back")
}

// letGo sends at once again, and waits: the page shows by itself how it goes out.
func (s *undoStory) letGo() {
	s.send()
	s.sees(s.T("run_state.completed"), s.T("runs.of", "done", "1", "all", "1"))
	s.until("there is nothing to take back any more", `!document.querySelector("[data-recall]") && !document.getElementById("cancel-run")`)
	s.turnTo("/demo")
	s.sees("vera@example.com")
}

// undoDeletions deletes a client and the mailing, and brings both back.
func (s *undoStory) undoDeletions() {
	s.open("/clients")
	s.follow("delete the client", chromedp.Click(chromedp.CSS(`main tbody form[action$="/delete"] button`)))
	s.sees(s.T("clients.deleted", "name", "Вера"), s.T("clients.none"))
	s.look("undo-toast")
	s.until("a screen reader is told", fmt.Sprintf(`document.getElementById("say").textContent.includes(%s)`, storyJS("Вера")))
	s.press(s.T("action.undo"))
	s.sees(s.T("undo.client_back"), s.T("clients.title"), "vera@example.com")
	s.click("main tbody a[href^='/clients/']")
	s.sees("vera@example.com", s.T("timeline.attempt.accepted"))
	s.open(fmt.Sprintf("/mailings/%d", s.mailing.ID))
	s.press(s.T("action.delete"))
	s.sees(s.T("mailings.was_deleted", "subject", storySubject))
	s.press(s.T("action.undo"))
	s.sees(s.T("undo.mailing_back"), storySubject, s.T("run_kind.manual"))
	s.look("undo-mailing-back")
}

// undoPause pauses the mailing and takes that back from the message.
func (s *undoStory) undoPause() {
	s.press(s.T("action.pause"))
	s.sees(s.T("mailings.was_paused", "subject", storySubject), s.T("status.paused"))
	s.press(s.T("action.undo"))
	s.sees(s.T("mailings.was_resumed", "subject", storySubject))
}

func TestAgainStory(t *testing.T) {
	t.Parallel()
	storyNeeds(t)
	for _, lang := range []string{"ru", "en"} {
		t.Run("a person sends again to who was not reached in "+lang, func(t *testing.T) {
			t.Parallel()
			if lang == "en" {
				needSystem(t) // as in TestStory
			}
			var refuses atomic.Bool
			refuses.Store(true)
			sink := newSink(t, smtpsink.Options{Answer: func(stage smtpsink.Stage, e smtpsink.Envelope) smtpsink.Reply {
				if stage == smtpsink.StageRcpt && refuses.Load() && e.To[len(e.To)-1] == "vera@example.com" {
					return smtpsink.Reply{Code: 552, Text: "5.2.2 mailbox full"}
				}
				return smtpsink.Reply{}
			}})
			c := storySettings(t, "SMTP_URL=smtp://"+sink.Addr()+"?tls=none")
			m := storyPeople(t, c, lang)
			s := undoStory{newStoryVisitor(t, storyService(t, c), lang), m}
			(&managerStory{storyVisitor: s.storyVisitor}).signIn(storyOwner)
			s.again(&refuses)
			if got := sink.Copies()["vera@example.com"]; got != 1 {
				t.Errorf("she has %d mails", got)
			}
		})
	}
}

// again sends the mailing, which is refused, and then only to who was refused.
func (s *undoStory) again(refuses *atomic.Bool) {
	s.send()
	s.sees(s.T("run_state.completed"), s.T("again.button"))
	s.look("again-failed")
	refuses.Store(false)
	s.press(s.T("again.button"))
	s.sees(s.N("again.failed", 1), s.N("again.mailed", 1))
	s.look("again-ask")
	s.press(s.T("again.send"))
	s.sees(s.T("undo.goes"), s.T("run_kind.again"), s.T("again.of"))
	s.runOver()
	s.look("again-done")
	s.press(s.T("again.of"))
	s.holds("the first run leads to the second, and cannot be sent again", fmt.Sprintf(
		`!!document.querySelector(".kin a") && !document.body.innerText.includes(%s)`, storyJS(s.T("again.button"))))
	s.look("again-first")
}

// runOver waits until the run that is shown is over. The page tells of other runs, too.
func (v *storyVisitor) runOver() {
	v.t.Helper()
	v.until("the run is over", fmt.Sprintf(`document.querySelector("#run-live")?.innerText.includes(%s)`, storyJS(v.T("run_state.completed"))))
}
