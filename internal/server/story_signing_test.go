package server_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

func TestSigningStory(t *testing.T) {
	t.Parallel()
	needSystem(t) // a browser computes for long
	storyNeeds(t)
	t.Run("an admin makes signing keys and sees them sign", func(t *testing.T) {
		t.Parallel()
		c := storySettings(t, "VESTNIK_MAIL_FROM=Вестник <vestnik@почта.рф>")
		a := adminStory{mailing: storySuperuser(t, c)}
		a.storyVisitor = newStoryVisitor(t, storyService(t, c), "ru")
		a.activate()
		a.makeKeys()
		a.changeKey()
		a.findSignature()
	})
}

// makeKeys makes keys for the domain of the sender, and copies a record.
func (a *adminStory) makeKeys() {
	a.administer("/domains")
	a.sees(a.T("signing.none"))
	a.look("domains-empty")
	a.refusing(func() {
		a.fill("domain", "почта")
		a.press(a.T("signing.add"))
		a.sees(a.T("error.domain_malformed", "domain", "почта"))
		a.look("domains-wrong")
	})
	a.fill("domain", "почта.рф")
	a.fill("selector", "one")
	a.press(a.T("signing.add"))
	a.sees(a.T("signing.made", "domain", "почта.рф"), "one-ed25519._domainkey.xn--80a1acny.xn--p1ai")
	a.look("domains-keys")
	a.click("[data-copy]")
	a.sees(a.T("ui.copied"))
	a.until("the button offers to copy again", `!document.body.innerText.includes(`+storyJS(a.T("ui.copied"))+`)`)
}

// changeKey makes a second key and has it sign, and deletes the first one.
func (a *adminStory) changeKey() {
	a.fill("domain", "почта.рф")
	a.fill("selector", "two")
	a.choose("algorithm", a.T("signing.kind_rsa"))
	a.press(a.T("signing.add"))
	a.sees(a.T("signing.idle"))
	a.look("domains-change")
	a.press(a.T("signing.use"))
	a.sees(a.T("signing.used", "domain", "почта.рф", "selector", "two"))
	a.click(`[popovertarget="delete-xn--80a1acny.xn--p1ai-one"]`)
	a.sees(a.T("signing.delete_title", "selector", "one"))
	a.picture("domains-delete")
	a.follow("delete the key", chromedp.Click(chromedp.CSS(`[id="delete-xn--80a1acny.xn--p1ai-one"] [type=submit]`)))
	a.sees(a.T("signing.deleted", "domain", "почта.рф", "selector", "one"))
}

// findSignature sends a message on trial and looks at its source.
func (a *adminStory) findSignature() {
	a.open(fmt.Sprintf("/messages/%d", a.mailing.MessageID))
	a.fill("to", "boss@example.org")
	a.press(a.T("messages.send_test"))
	a.open("/demo")
	a.reloads("the test message is there", `document.body.innerText.includes("boss@example.org")`, time.Now().Add(storyPatience))
	a.follow("open the mail", chromedp.Click(chromedp.CSS("#list tbody a")))
	a.press(a.T("demo.source"))
	a.sees("DKIM-Signature: v=1; a=rsa-sha256;", "d=xn--80a1acny.xn--p1ai;", "s=two;", "a=ed25519-sha256;")
	a.look("demo-signed")
}
