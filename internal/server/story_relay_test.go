package server_test

import (
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"vestnik/internal/app"
	"vestnik/internal/config"
	"vestnik/internal/mailing"
	"vestnik/internal/server"
	"vestnik/internal/smtpsink"
)

const (
	storyAdmin         = "admin@admin.com"
	storyRelayUser     = "vestnik"
	storyRelayPassword = "rechter Schlüssel"
)

// adminStory is what the operator of a new installation does.
type adminStory struct {
	*storyVisitor
	sink    *sink
	mailing mailing.Mailing
	held    chan struct{} // closed when the mail server may accept mails to clients
}

func TestAdminStory(t *testing.T) {
	t.Parallel()
	storyNeeds(t)
	t.Run("an admin connects a mail server and watches a run live", func(t *testing.T) {
		t.Parallel()
		a := adminStory{held: make(chan struct{})}
		release := sync.OnceFunc(func() { close(a.held) })
		c := storySettings(t)
		a.mailing = storySuperuser(t, c)
		a.sink = newSink(t, smtpsink.Options{
			Username: storyRelayUser, Password: storyRelayPassword, Strict: true, StrictFormat: true, Keep: true, Answer: a.hold,
		})
		a.storyVisitor = newStoryVisitor(t, storyService(t, c), "ru")
		t.Cleanup(release) // before the service stops, which waits for the mail server
		a.activate()
		a.connect()
		a.sendTest()
		a.watch(release)
		if v := a.sink.Violations(); len(v) > 0 {
			t.Errorf("what was sent breaks standards: %s", strings.Join(v, "; "))
		}
	})
}

// storySuperuser makes the account that the csu command makes, and a mailing of
// theirs to two clients that is not due for long.
func storySuperuser(t *testing.T, c config.Config) mailing.Mailing {
	t.Helper()
	base, err := server.Open(t.Context(), c, slog.New(slog.DiscardHandler), false)
	if err != nil {
		t.Fatal(err)
	}
	defer base.Close()
	account, err := base.App.CreateAccount(t.Context(), app.NewAccount{
		Email: storyAdmin, FirstName: "Admin", Password: storyPassword, Role: mailing.RoleAdmin, Lang: "ru", Code: app.WellKnownCode,
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, email := range []string{"anna@example.com", "vera@example.com"} {
		if _, err := base.App.CreateContact(t.Context(), account, mailing.Contact{Email: email}); err != nil {
			t.Fatal(err)
		}
	}
	message, err := base.App.CreateMessage(t.Context(), account, app.MessageForm{
		Subject: "Новый чай", Format: mailing.FormatText, Body: "Приходите!",
	})
	if err != nil {
		t.Fatal(err)
	}
	m, err := base.App.CreateMailing(t.Context(), account, app.MailingForm{
		MessageID: message.ID, Audience: mailing.AudienceAll, Doubt: mailing.NeverTwice, Rule: mailing.Rule{
			Frequency: mailing.Once, Start: mailing.DateOf(time.Now().AddDate(0, 1, 0)),
			At: mailing.Clock{Hour: 12}, Zone: "Europe/Moscow",
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// hold lets mails to clients wait for their answer.
func (a *adminStory) hold(stage smtpsink.Stage, e smtpsink.Envelope) smtpsink.Reply {
	if stage == smtpsink.StageDot && slices.ContainsFunc(e.To, func(to string) bool { return strings.HasSuffix(to, "@example.com") }) {
		<-a.held
	}
	return smtpsink.Reply{}
}

func (a *adminStory) activate() {
	a.open("/confirm_code/" + storyAdmin + "/")
	a.sees(a.T("account.confirm"))
	a.fill("code", app.WellKnownCode)
	a.press(a.T("action.confirm"))
	a.sees(a.T("account.confirmed"))
	a.holds("the address is filled in already", `document.getElementById("field-email").value === `+storyJS(storyAdmin))
	a.fill("password", storyPassword)
	a.press(a.T("action.sign_in"))
	a.sees(a.T("home.set_up"), a.T("home.step_relay"))
	a.look("home-admin")
}

// connect sets the mail server up, at first with a wrong password.
func (a *adminStory) connect() {
	a.administer("/relays")
	a.sees(a.T("relay.demo_title"), a.T("relay.none"))
	a.look("relays-empty")
	a.press(a.T("relay.add_smtp"))
	a.sees(a.T("relay.new_smtp"))
	a.look("relay")
	a.fill("host", "127.0.0.1")
	a.fill("port", strconv.Itoa(a.sink.Port()))
	a.set("tls", "none")
	a.fill("username", storyRelayUser)
	a.fill("password", "falscher Schlüssel")
	a.fill("from_email", "news@example.org")
	a.test()
	a.sees(a.T("relay.test_failed"), "не принял имя и пароль")
	a.holds("the steps before the password are ticked", storyStages("tone-success", 3))
	a.holds("the step with the password is the wrong one", storyStages("tone-danger", 1))
	a.look("relay-wrong-password")
	a.fill("password", storyRelayPassword)
	a.test()
	a.sees(a.T("relay.test_passed"))
	a.holds("all steps are ticked", storyStages("tone-success", 7))
	a.look("relay-tested")
	if got := a.sink.Copies(); a.sink.Count() != 1 || got[storyAdmin] != 1 {
		a.t.Errorf("the test of the mail server has sent %v", got)
	}
	a.press(a.T("action.save"))
	a.sees(a.T("relay.saved", "name", "127.0.0.1"), a.T("relay.state_in_use"))
	a.look("relay-saved")
	a.reloads("the demo mode is over", `!document.querySelector(".demo-chip")`, time.Now().Add(storyPatience))
}

// test presses the button that tests, which changes a part of the page.
func (a *adminStory) test() {
	a.t.Helper()
	a.do("test the mail server", chromedp.Evaluate[chromedp.Void](`document.getElementById("relay-test").replaceChildren()`),
		chromedp.Click(storyButton(a.T("relay.test_smtp"))))
	a.until("the test has ended", `(t => t.querySelector(".stage") && !t.querySelector(".tone-busy"))(document.getElementById("relay-test")) === true`)
}

// storyStages asks whether so many steps of a test have a tone.
func storyStages(tone string, n int) string {
	return fmt.Sprintf(`document.querySelectorAll("#relay-test .stage.%s").length === %d`, tone, n)
}

// sendTest sends a message to the admin's own address on trial.
func (a *adminStory) sendTest() {
	a.open(fmt.Sprintf("/messages/%d", a.mailing.MessageID))
	a.fill("to", "boss@example.org")
	a.press(a.T("messages.send_test"))
	a.sees(a.T("messages.test_sent", "email", "boss@example.org"))
	await(a.t, storyPatience, "the test message is at the mail server", func() bool {
		return a.sink.Copies()["boss@example.org"] == 1
	})
	sent := a.sink.Messages()[1] // the first was that of the mail server's own test
	if sent.User != storyRelayUser || sent.From != "news@example.org" {
		a.t.Errorf("the test message came from %q, signed in as %q", sent.From, sent.User)
	}
}

// watch sends by hand while the mail server hesitates, and sees the page of the
// run come to its end by itself.
func (a *adminStory) watch(release func()) {
	a.open(fmt.Sprintf("/mailings/%d/send", a.mailing.ID))
	a.press(a.N("mailings.send_now", 2))
	a.sees(a.T("undo.goes"))
	a.sees(a.T("run_state.sending"), a.T("runs.of", "done", "0", "all", "2"))
	a.look("run-live")
	a.do("mark the page", chromedp.Evaluate[chromedp.Void](`window.story = "the same page"`))
	release()
	a.sees(a.T("run_state.completed"), a.T("runs.of", "done", "2", "all", "2"), "anna@example.com", "250")
	a.until("the list below shows it, too", fmt.Sprintf(
		`[...document.querySelectorAll("#list tbody tr")].filter(r => r.innerText.includes(%s)).length === 2`, storyJS(a.T("delivery.sent"))))
	a.holds("the page was not loaded again", `window.story === "the same page"`)
	a.look("run-ended")
}
