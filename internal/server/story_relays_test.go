package server_test

import (
	"log/slog"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"vestnik/internal/app"
	"vestnik/internal/compose"
	"vestnik/internal/config"
	"vestnik/internal/server"
	"vestnik/internal/smtpsink"
)

func TestRelaysStory(t *testing.T) {
	t.Parallel()
	needSystem(t) // a browser computes for long
	storyNeeds(t)
	t.Run("an admin sets up several ways out and mends one", func(t *testing.T) {
		t.Parallel()
		c := storySettings(t)
		a := adminStory{mailing: storySuperuser(t, c)}
		a.sink = newSink(t, smtpsink.Options{Username: storyRelayUser, Password: storyRelayPassword, Strict: true, Keep: true})
		a.storyVisitor = newStoryVisitor(t, storyService(t, c), "ru")
		a.activate()
		a.addServer("Первый", "30")
		a.addServer("Второй", "10")
		a.addDirect()
		a.seeShares()
		a.mend(storyStop(t, c))
		a.giveUp()
		a.inEnglish()
	})
}

// addServer sets up the mail server of the test under a name.
func (a *adminStory) addServer(name, weight string) {
	a.open("/relays/new")
	a.fill("name", name)
	a.fill("host", "127.0.0.1")
	a.fill("port", strconv.Itoa(a.sink.Port()))
	a.set("tls", "none")
	a.fill("username", storyRelayUser)
	a.fill("password", storyRelayPassword)
	a.fill("from_email", "news@example.org")
	a.fill("per_hour", "500")
	a.fill("connections", "2")
	a.fill("weight", weight)
	a.press(a.T("action.save"))
	a.sees(a.T("relay.saved", "name", name))
}

// addDirect sets up sending directly, switched off, at first without a name.
func (a *adminStory) addDirect() {
	a.press(a.T("relay.add_mx"))
	a.sees(a.T("relay.direct_title"))
	a.look("relay-direct")
	a.refusing(func() {
		a.fill("helo_name", "mail")
		a.press(a.T("action.save"))
		a.sees(a.T("error.domain_malformed", "domain", "mail"))
		a.look("relay-direct-wrong")
	})
	a.fill("helo_name", "mail.example.org")
	a.click("#field-enabled")
	a.press(a.T("action.save"))
	a.sees(a.T("relay.saved_off", "name", "mail.example.org"))
}

func (a *adminStory) seeShares() {
	a.sees(a.T("relay.share", "share", a.Percent(3, 4)), a.T("relay.share", "share", a.Percent(1, 4)), a.T("relay.state_off"), a.N("relay.limit_per_hour", 500))
	a.look("relays")
}

// storyStop has the first relay stopped, as the engine does when its password is
// refused, and returns the answer that is then shown.
func storyStop(t *testing.T, c config.Config) string {
	t.Helper()
	base, err := server.Open(t.Context(), c, slog.New(slog.DiscardHandler), false)
	if err != nil {
		t.Fatal(err)
	}
	defer base.Close()
	relays, err := base.App.Relays(t.Context(), app.Operator)
	if err != nil {
		t.Fatal(err)
	}
	why := "535 5.7.8 Error: authentication failed: UGFzc3dvcmQ6, see https://example.org/help/how-to-use-app-passwords-with-other-programs"
	if err := base.App.StopRelay(t.Context(), relays[0].ID, why); err != nil {
		t.Fatal(err)
	}
	return why
}

// mend finds the alarm, looks at the reason and has sending go on.
func (a *adminStory) mend(why string) {
	a.administer("/relays")
	a.sees(a.T("relay.state_stopped"), why)
	a.look("relays-stopped")
	a.open("/clients")
	a.sees(a.T("relay.alarm", "name", "Первый"))
	a.look("alarm")
	await(a.t, storyPatience, "the admin is told by mail", func() bool { return a.sink.Copies()[storyAdmin] == 1 })
	mail, err := compose.Parse(a.sink.Messages()[0].Data)
	if err != nil || mail.Subject != "Почтовый сервер не принимает наш пароль: Первый" || !strings.Contains(mail.Text, why) {
		a.t.Errorf("the mail is %q, %v:\n%s", mail.Subject, err, mail.Text)
	}
	a.press(a.T("relay.alarm_mend"))
	a.sees(a.T("relay.stopped_title"), why)
	a.look("relay-stopped")
	a.press(a.T("relay.resume"))
	a.sees(a.T("relay.resumed", "name", "Первый"))
	a.holds("the alarm is over", `!document.querySelector(".alarm")`)
}

// giveUp deletes both servers; with the last, mails stay here again.
func (a *adminStory) giveUp() {
	for _, name := range []string{"Первый", "Второй"} {
		a.press(name)
		a.click(`[popovertarget="relay-delete"]`)
		a.sees(a.T("relay.delete_title", "name", name))
		a.picture("relay-delete")
		a.follow("delete "+name, chromedp.Click(chromedp.CSS(`#relay-delete [type=submit]`)))
		a.sees(a.T("relay.deleted", "name", name))
	}
	a.sees(a.T("relay.demo_title"))
	a.reloads("the demo mode is back", `!!document.querySelector(".demo-chip")`, time.Now().Add(storyPatience))
}

// inEnglish looks at the pages in the other language.
func (a *adminStory) inEnglish() {
	a.click(".menu:has([name=lang]) summary")
	a.follow("switch to English", chromedp.Click(chromedp.CSS(`[name=lang][value=en]`)))
	a.look("relays-en")
	a.open("/relays/new?preset=gmail")
	a.look("relay-en")
	a.open("/relays/new?kind=mx")
	a.look("relay-direct-en")
}
