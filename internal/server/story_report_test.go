package server_test

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"vestnik/internal/app"
	"vestnik/internal/config"
	"vestnik/internal/i18n"
	"vestnik/internal/mailing"
	"vestnik/internal/server"
	"vestnik/internal/smtpsink"
)

// storyAnswers is a mail server that refuses some in ways of their own.
func storyAnswers(stage smtpsink.Stage, e smtpsink.Envelope) smtpsink.Reply {
	if stage != smtpsink.StageRcpt || len(e.To) == 0 {
		return smtpsink.Reply{}
	}
	name, _, _ := strings.Cut(e.To[len(e.To)-1], "@")
	return map[string]smtpsink.Reply{
		"gone": {Code: 550, Enhanced: "5.1.1", Text: "No such user here"},
		"full": {Code: 552, Enhanced: "5.2.2", Text: "Mailbox full"},
		"spam": {Code: 550, Enhanced: "5.0.0", Text: "Message rejected under suspicion of SPAM"},
		"grey": {Code: 451, Enhanced: "4.7.1", Text: "Greylisting in action, please come back later"},
	}[name]
}

// storyReader is whose run it is.
const storyReader = "olga@example.org"

// reportStory is what somebody does whose mailing has not reached all.
type reportStory struct{ *storyVisitor }

func TestReportStory(t *testing.T) {
	t.Parallel()
	storyNeeds(t)
	t.Run("a report says why and what to do", func(t *testing.T) {
		t.Parallel()
		c := storySettings(t)
		run := storySendToAll(t, c, newSink(t, smtpsink.Options{Strict: true, Answer: storyAnswers}).Port())
		a := reportStory{newStoryVisitor(t, storyService(t, c), "ru")}
		a.open("/login")
		a.fill("email", storyReader)
		a.fill("password", storyPassword)
		a.press(a.T("action.sign_in"))
		path := fmt.Sprintf("/runs/%d", run)
		a.open(path)
		a.reloads("all have been tried", `document.querySelectorAll("#report .causes > li").length === 4`, time.Now().Add(storyPatience))
		a.readReport()
		a.look("report")
		a.window(storyPhone, storyPhoneHeight, "dark")
		a.picture("report-phone")
		a.window(storyWide, storyWideHeight, "light")
		a.follow("see who has no such mailbox", chromedp.Click(chromedp.CSS(`#report a[href$="/causes/mailbox_unknown"]`)))
		a.sees("gone@mail.ru", "No such user here", a.T("cause.mailbox_unknown.todo"))
		a.look("report-cause")
		a.press("gone@mail.ru")
		a.sees(a.T("cause.mailbox_unknown.means"), a.T("runs.attempts"))
		a.look("delivery-explained")
		a.turnTo("/logs")
		a.click("main details.answer summary")
		a.sees(a.T("causes.what_to_do"))
		a.click(".menu:has([name=lang]) summary")
		a.follow("switch to English", chromedp.Click(chromedp.CSS(`[name=lang][value=en]`)))
		catalog, err := i18n.New()
		if err != nil {
			t.Fatal(err)
		}
		a.Printer = catalog.For("en")
		a.open(path)
		a.readReport()
		a.look("report-en")
	})
}

// readReport finds each cause with its meaning and what to do, and the chart.
func (a *reportStory) readReport() {
	a.t.Helper()
	for _, cause := range []mailing.Cause{
		mailing.CauseMailboxUnknown, mailing.CauseMailboxFull, mailing.CauseSpam, mailing.CauseGreylisted,
	} {
		key := "cause." + string(cause)
		a.sees(a.T(key+".title"), a.T(key+".means"), a.T(key+".todo"))
	}
	a.sees(a.T("report.funnel"), a.T("slow.title"), a.N("slow.deferred", 1), "Mail.ru", "Gmail")
	a.until("the chart is drawn", `!!document.querySelector(".time-chart canvas")`)
}

// storySendToAll sets up the mail server of the test, and somebody who sends to people some
// of whom it refuses.
func storySendToAll(t *testing.T, c config.Config, port int) (run int64) {
	t.Helper()
	base, err := server.Open(t.Context(), c, slog.New(slog.DiscardHandler), false)
	if err != nil {
		t.Fatal(err)
	}
	defer base.Close()
	ctx, a := t.Context(), base.App
	_, err = a.CreateRelay(ctx, app.Operator, app.RelaySettings{
		Kind: app.RelaySMTP, Name: "Тестовый", Host: "127.0.0.1", Port: port, TLS: "none", FromEmail: "news@example.org",
		Weight: 10, Enabled: true,
	})
	storyMust(t, err)
	owner, err := a.CreateAccount(ctx, app.NewAccount{
		Email: storyReader, FirstName: "Ольга", Password: storyPassword, Role: mailing.RoleUser, Lang: "ru",
	})
	storyMust(t, err)
	for _, email := range []string{"gone@mail.ru", "full@bk.ru", "spam@gmail.com", "grey@ya.ru", "yes@mail.ru"} {
		_, err := a.CreateContact(ctx, owner, mailing.Contact{Email: email})
		storyMust(t, err)
	}
	message, err := a.CreateMessage(ctx, owner, app.MessageForm{Subject: "Новый чай", Format: mailing.FormatText, Body: "Приходите!"})
	storyMust(t, err)
	m, err := a.CreateMailing(ctx, owner, app.MailingForm{
		MessageID: message.ID, Audience: mailing.AudienceAll, Doubt: mailing.NeverTwice, Rule: mailing.Rule{
			Frequency: mailing.Once, Start: mailing.DateOf(time.Now().AddDate(0, 1, 0)), At: mailing.Clock{Hour: 12}, Zone: "Europe/Moscow",
		},
	})
	storyMust(t, err)
	run, err = a.SendNow(ctx, owner, m.ID)
	storyMust(t, err)
	return run
}

func storyMust(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
