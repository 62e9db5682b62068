package server_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"vestnik/internal/app"
	"vestnik/internal/config"
	"vestnik/internal/mailing"
	"vestnik/internal/server"
	"vestnik/internal/store"
)

// hostileTexts are what people put into fields to have a browser run it: each says so,
// by "pwned", or asks another host. After the cheat sheets of OWASP and PortSwigger.
var hostileTexts = []string{
	`<script>window.pwned=1;alert(1)</script>`,
	`"><script>window.pwned=1;alert(1)</script>`,
	`'><script>window.pwned=1;alert(1)</script>`,
	`</title><script>window.pwned=1</script>`,
	`</textarea><script>window.pwned=1</script>`,
	`</option></select><img src=x onerror=window.pwned=1>`,
	`<img src=x onerror=window.pwned=1>`,
	`<img src=x onerror="window.pwned=1;alert(1)">`,
	`"><img src=//evil.example/a.png>`,
	`<img/src="x"/onerror=window.pwned=1>`,
	`<svg onload=window.pwned=1>`,
	`<svg/onload=alert(1)>`,
	`<svg><script>window.pwned=1</script></svg>`,
	`<svg><animate onbegin=window.pwned=1 attributeName=x dur=1s>`,
	`<math><mtext><table><mglyph><style><img src=x onerror=window.pwned=1>`,
	`<body onload=window.pwned=1>`,
	`<iframe src="javascript:parent.pwned=1"></iframe>`,
	`<iframe srcdoc="<script>parent.pwned=1</script>"></iframe>`,
	`<object data="javascript:window.pwned=1"></object>`,
	`<embed src="//evil.example/x.swf">`,
	`<link rel=stylesheet href="//evil.example/a.css">`,
	`<style>@import "//evil.example/a.css";</style>`,
	`<base href="//evil.example/">`,
	`<meta http-equiv=refresh content="0;url=//evil.example/">`,
	`<form action="//evil.example/"><input name=q autofocus onfocus=window.pwned=1></form>`,
	`<details open ontoggle=window.pwned=1>`,
	`<video><source onerror=window.pwned=1></video>`,
	`<audio src=x onerror=window.pwned=1>`,
	`<marquee onstart=window.pwned=1>`,
	`<a href="javascript:window.pwned=1" autofocus onfocus=window.pwned=1>a</a>`,
	`" onmouseover="window.pwned=1" autofocus onfocus="window.pwned=1`,
	`' autofocus onfocus='window.pwned=1`,
	`" style="background:url(//evil.example/a.png)" x="`,
	`" hx-on:load="window.pwned=1" hx-get="//evil.example/" hx-trigger="load" x="`,
	`<div hx-get="//evil.example/" hx-trigger="load">x</div>`,
	`javascript:window.pwned=1//`,
	`[a](javascript:window.pwned=1) ![b](//evil.example/a.png "onerror=window.pwned=1")`,
	`<noscript><p title="</noscript><img src=x onerror=window.pwned=1>">`,
	`<!--<img src="--><img src=x onerror=window.pwned=1//">`,
	`\u003cscript\u003ewindow.pwned=1\u003c/script\u003e`,
	`&lt;script&gt;window.pwned=1&lt;/script&gt;`,
	"<scr\x00ipt>window.pwned=1</scr\x00ipt>",
	`{{constructor.constructor('window.pwned=1')()}}`,
	`${window.pwned=1}`,
}

// hostileThings are what stands in the database of the story.
type hostileThings struct {
	contacts, messages, mailings, runs, relays, imports []int64
}

const hostileEmail = "admin@example.org"

// hostile fills a new installation: every field that is stored, and that somebody can
// write to, holds every one of the texts in some thing.
func hostile(t *testing.T, c config.Config) (has hostileThings) {
	t.Helper()
	ctx := context.Background()
	b, err := server.Open(ctx, c, slog.New(slog.DiscardHandler), false)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	admin, err := b.App.CreateAccount(ctx, app.NewAccount{
		Email: hostileEmail, FirstName: hostileTexts[0], LastName: hostileTexts[6], Password: storyPassword, Role: mailing.RoleAdmin, Lang: "en",
	})
	must(err)
	node, err := b.Store.StartNode(ctx, "node", time.Now(), time.Now().Add(time.Minute))
	must(err)
	for i, text := range hostileTexts {
		short := mailing.CleanLine(text)
		short = string([]rune(short)[:min(len([]rune(short)), mailing.MaxNameRunes)])
		contact, err := b.App.CreateContact(ctx, admin, mailing.Contact{
			Email: fmt.Sprintf("c%02d@example.org", i), FirstName: short, LastName: short, Comment: text,
		})
		must(err)
		has.contacts = append(has.contacts, contact.ID)
		_, err = b.Store.Suppress(ctx, mailing.Suppression{OwnerID: admin.ID, Email: contact.Email, Reason: mailing.ReasonBounced, Detail: text, CreatedAt: time.Now()})
		must(err)

		now := time.Now()
		message := mailing.Message{OwnerID: admin.ID, Subject: short, Format: mailing.FormatMarkdown, Body: mailing.CleanLine(text), CreatedAt: now, UpdatedAt: now}
		if i%2 == 0 {
			message.Format = mailing.FormatText
		}
		id, err := b.Store.CreateMessage(ctx, message)
		must(err)
		has.messages = append(has.messages, id)
		rule := mailing.Rule{Frequency: mailing.Daily, Interval: 1, Start: mailing.DateOf(now), At: mailing.Clock{Hour: 23, Minute: 59}, Zone: "Europe/Moscow"}
		m := mailing.Mailing{
			OwnerID: admin.ID, MessageID: id, Audience: mailing.AudienceChosen, Rule: rule, Doubt: mailing.NeverTwice, Weight: mailing.WeightNormal,
			FromName: short, Status: mailing.StatusDisabled, StopBy: admin.ID, StopWhy: text, StoppedAt: now, CreatedAt: now, UpdatedAt: now,
		}
		mailingID, err := b.Store.CreateMailing(ctx, m, []int64{contact.ID})
		must(err)
		has.mailings = append(has.mailings, mailingID)
		relay, err := b.App.CreateRelay(ctx, app.Operator, app.RelaySettings{
			Kind: app.RelaySMTP, Name: fmt.Sprintf("%d %.80s", i, short), Host: "relay.example.org", Port: 25, TLS: "none", Username: short, Password: short, FromName: short,
			FromEmail: "news@example.org", Weight: 1, Enabled: false,
		})
		must(err)
		has.relays = append(has.relays, relay)
		_, err = b.Store.StopRelay(ctx, relay, text, now)
		must(err)
		report, err := b.App.ImportContacts(ctx, admin, text+".csv", strings.NewReader("email,name\n\""+strings.ReplaceAll(text, `"`, `""`)+"\",x\n"))
		if mailing.KindOf(err) != mailing.Invalid { // one is no text, and is refused
			must(err)
		}
		has.imports = append(has.imports, report.ID)
		has.runs = append(has.runs, hostileRun(ctx, t, b, node, admin, mailingID, contact, text))
		hash := "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
		_, err = b.Store.CreateAccount(ctx, mailing.Account{
			Email: fmt.Sprintf("u%02d@example.org", i), FirstName: short, LastName: short, Phone: text, Role: mailing.RoleUser, Lang: "en", Zone: "Europe/Moscow", CreatedAt: now,
		}, hash)
		must(err)
		must(b.Store.PutDemoMail(ctx, store.DemoMail{
			Sender: "news@example.org", Recipient: contact.Email, Subject: text, At: now,
			Data: []byte("From: " + short + " <news@example.org>\r\nSubject: " + short + "\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n" + text + "\r\n"),
		}, 1000))
	}
	return has
}

// hostileRun is a run whose only mail a server refused in those words.
func hostileRun(ctx context.Context, t *testing.T, b *server.Base, node store.Node, owner mailing.Account, mailingID int64, c mailing.Contact, text string) int64 {
	t.Helper()
	now := time.Now()
	id, err := b.Store.OpenManualRun(ctx, mailing.Run{
		OwnerID: owner.ID, Kind: mailing.RunTest, State: mailing.RunOpening, ScheduledFor: now, Audience: mailing.AudienceAll, Lang: "en",
		Weight: mailing.WeightNormal, Doubt: mailing.NeverTwice, CreatedAt: now, FromName: text, MailingID: mailingID,
	}, store.Content{Subject: text, Format: mailing.FormatText, Body: text}, now.Add(-time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	_, err = b.Store.Writer().ExecContext(ctx, `update runs set halt = $1 where id = $2`, strings.ReplaceAll(text, "\x00", ""), id)
	if err != nil {
		t.Fatal(err)
	}
	_, err = b.Store.Writer().ExecContext(ctx, `insert into attempts
    (delivery_id, run_id, mailing_id, owner_id, email, at, duration_us, node, host, tls, stage, result, code, enhanced, reply)
values (1, $1, $2, $3, $4, $5, 1000, 'node', $6, '', 'rcpt', 'failed', 550, '5.7.1', $7)`,
		id, mailingID, owner.ID, c.Email, now.UnixMilli(), strings.ReplaceAll(text, "\x00", ""), strings.ReplaceAll(text, "\x00", ""))
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// TestHostileTexts has a browser show every page on which somebody's texts stand. What
// any of them would set off is heard by the visitor of the stories: a dialog, a script,
// something against the policy, a request to another host.
func TestHostileTexts(t *testing.T) {
	t.Parallel()
	storyNeeds(t)
	c := storySettings(t)
	has := hostile(t, c)
	v := newStoryVisitor(t, storyService(t, c), "en")
	v.open("/login")
	v.fill("email", hostileEmail)
	v.fill("password", storyPassword)
	v.press(v.T("action.sign_in"))

	t.Run("what is run in a page is heard", func(t *testing.T) { hearsAttacks(t, v) })
	pages := []string{
		"/", "/clients", "/clients?scope=all", "/clients?q=%3Cscript%3Ewindow.pwned%3D1%3C%2Fscript%3E", "/clients/new", "/clients/import", "/messages",
		"/mailings", "/mailings?scope=all", "/mailings/new", "/logs", "/logs?scope=all", "/admin/users", "/admin/mailings", "/admin/audit", "/profile/activity", "/relays", "/relays/new", "/profile", "/profile/data", "/demo",
		"/domains", "/admin/users?q=%22%20onfocus%3Dwindow.pwned%3D1%20autofocus%20x%3D%22",
	}
	step := 1
	if !systemTests() {
		step = 8 // lists show all; to look at each thing by itself takes minutes
	}
	for i := 0; i < len(hostileTexts); i += step {
		pages = append(pages,
			fmt.Sprintf("/clients/%d", has.contacts[i]), fmt.Sprintf("/messages/%d", has.messages[i]), fmt.Sprintf("/runs/%d", has.runs[i]),
			fmt.Sprintf("/mailings/%d", has.mailings[i]), fmt.Sprintf("/relays/%d", has.relays[i]), fmt.Sprintf("/demo/%d", i+1),
		)
		if i%8 == 0 {
			pages = append(pages, fmt.Sprintf("/clients/%d/edit", has.contacts[i]), fmt.Sprintf("/messages/%d/edit", has.messages[i]))
		}
		if has.imports[i] != 0 {
			pages = append(pages, fmt.Sprintf("/clients/imports/%d/report", has.imports[i]))
		}
	}
	for _, path := range pages {
		v.open(path)
		v.holds("nothing was run on "+path, `window.pwned === undefined && document.title !== "pwned"`)
		for _, wrong := range notKeptInFrame(path, heard(v)) {
			t.Errorf("%s: %s", path, wrong)
		}
	}
	t.Logf("%d pages with %d texts; with %s=1 each thing by itself", len(pages), len(hostileTexts), systemSetting)
}

// notKeptInFrame leaves out what the browser says of the frame that shows a message: that
// it did not do what the message wants. A message may hold any HTML, which is what is
// sent; its frame is sandboxed, and has a policy of its own. A request that the frame
// "asks for" must be one that the policy has ended before it left.
func notKeptInFrame(path string, wrongs []string) (left []string) {
	if !strings.HasPrefix(path, "/messages") {
		return wrongs
	}
	blocked := strings.Count(strings.Join(wrongs, "\n"), "was not loaded:  csp")
	for _, wrong := range wrongs {
		switch {
		case (strings.HasPrefix(wrong, "about:srcdoc asks for") || strings.Contains(wrong, "/thumbnail asks for")) && blocked > 0:
			blocked--
		case strings.HasPrefix(wrong, "something was not loaded: "), strings.HasSuffix(wrong, "/preview answers 422"):
		case (strings.Contains(wrong, "(about:srcdoc)") || strings.Contains(wrong, "/thumbnail)")) && (strings.Contains(wrong, "sandboxed") || strings.Contains(wrong, "Content Security Policy")):
		default:
			left = append(left, wrong)
		}
	}
	return left
}

// heard is what the visitor has heard since it was asked last.
func heard(v *storyVisitor) []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	all := v.wrongs
	v.wrongs = nil
	return all
}

// hearsAttacks makes sure that the test can fail.
func hearsAttacks(t *testing.T, v *storyVisitor) {
	for name, markup := range map[string]string{
		"a handler":                 `<img src=/healthz onerror=window.pwned=1>`,
		"something of another host": `<img src=//evil.example/a.png>`,
		"a style":                   `<p style=color:red>a</p>`,
	} {
		v.open("/profile")
		v.do(name, chromedp.Evaluate[chromedp.Void](`document.body.insertAdjacentHTML("beforeend", `+storyJS(markup)+`)`))
		await(t, storyPatience, name+" is heard", func() bool { return len(heard(v)) > 0 })
	}
	v.open("/profile")
	heard(v)
}
