package server_test

import (
	"log/slog"
	"strconv"
	"testing"

	"github.com/chromedp/chromedp"

	"vestnik/internal/config"
	"vestnik/internal/i18n"
	"vestnik/internal/server"
	"vestnik/internal/smtpsink"
)

// TestWholeStory is about pages that come where a script has asked for a part of one.
func TestWholeStory(t *testing.T) {
	t.Parallel()
	storyNeeds(t)
	for _, lang := range []string{"ru", "en"} {
		t.Run("an admin who signed in a while ago tests a mail server, and then is signed out, "+lang, func(t *testing.T) {
			t.Parallel()
			c := storySettings(t)
			a := adminStory{mailing: storySuperuser(t, c)}
			a.sink = newSink(t, smtpsink.Options{Username: storyRelayUser, Password: storyRelayPassword, Strict: true, Keep: true})
			a.storyVisitor = newStoryVisitor(t, storyService(t, c), "ru")
			a.activate()
			a.speakAs(lang)
			a.testLate(c)
			a.testSignedOut(c)
		})
	}
}

// storySQL changes something that only time changes otherwise.
func storySQL(t *testing.T, c config.Config, statement string) {
	t.Helper()
	base, err := server.Open(t.Context(), c, slog.New(slog.DiscardHandler), false)
	if err != nil {
		t.Fatal(err)
	}
	defer base.Close()
	if _, err := base.Store.Writer().Exec(statement); err != nil {
		t.Fatal(err)
	}
}

// fillServer types the mail server of the test into the form.
func (a *adminStory) fillServer() {
	a.fill("host", "127.0.0.1")
	a.fill("port", strconv.Itoa(a.sink.Port()))
	a.set("tls", "none")
	a.fill("username", storyRelayUser)
	a.fill("password", storyRelayPassword)
	a.fill("from_email", "news@example.org")
}

// testLate proves once more who is there, and loses nothing that was typed.
func (a *adminStory) testLate(c config.Config) {
	storySQL(a.t, c, `update sessions set data = replace(cast(data as text), '"proof":"1', '"proof":"0')`)
	a.open("/relays/new")
	a.fillServer()
	a.refusing(func() {
		a.follow("test the mail server", chromedp.Click(storyButton(a.T("relay.test_smtp"))))
		a.sees(a.T("proof.title"), a.T("proof.kept"))
	})
	a.fill("proof_answer", storyPassword)
	a.press(a.T("action.confirm"))
	a.sees(a.T("relay.test_passed"), a.T("relay.test_smtp"))
	a.holds("what was typed is there", `document.getElementById("field-username").value === `+storyJS(storyRelayUser))
	a.look("relay-tested-late")
}

// testSignedOut comes to the sign-in page, and from there back to the form.
func (a *adminStory) testSignedOut(c config.Config) {
	a.open("/relays/new")
	storySQL(a.t, c, `delete from sessions`)
	a.follow("test the mail server", chromedp.Click(storyButton(a.T("relay.test_smtp"))))
	a.sees(a.T("action.sign_in"))
	a.holds("it leads back", `new URLSearchParams(location.search).get("next") === "/relays/new"`)
}

// speakAs has the pages be in a language.
func (a *adminStory) speakAs(lang string) {
	if lang == "ru" {
		return
	}
	a.click(".menu:has([name=lang]) summary")
	a.follow("switch the language", chromedp.Click(chromedp.CSS(`[name=lang][value=`+lang+`]`)))
	catalog, err := i18n.New()
	if err != nil {
		a.t.Fatal(err)
	}
	a.Printer = catalog.For(lang)
}
