package server_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"vestnik/internal/config"
	"vestnik/internal/server"
)

// storyFirstLink is what the service would tell its operator.
func storyFirstLink(t *testing.T, c config.Config) string {
	t.Helper()
	b, err := server.Open(t.Context(), c, slog.New(slog.DiscardHandler), false)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	link, err := b.App.FirstLink(context.Background())
	if err != nil || link == "" {
		t.Fatalf("the link is %q, %v", link, err)
	}
	return strings.TrimPrefix(link, c.BaseURL)
}

func TestEntranceStory(t *testing.T) {
	t.Parallel()
	needSystem(t) // a browser computes for long
	storyNeeds(t)
	for _, lang := range []string{"ru", "en"} {
		t.Run("an admin is the first, and invites somebody who moves to another address, in "+lang, func(t *testing.T) {
			t.Parallel()
			c := storySettings(t, "VESTNIK_SIGNUP=invitation")
			link := storyFirstLink(t, c)
			s := story{storyVisitor: newStoryVisitor(t, storyService(t, c), lang)}
			s.beFirst(link)
			s.invite("guest@example.org")
			s.leaveQuietly()
			s.acceptInvitation("guest@example.org")
			s.askForAddress("moved@example.org")
			s.agreeFromBoth("guest@example.org", "moved@example.org")
		})
	}
}

// beFirst makes the first account by the link that only the operator has.
func (s *story) beFirst(link string) {
	s.open("/login")
	s.sees(s.T("first.none_yet"))
	s.look("login-empty")
	s.press(s.T("first.how"))
	s.sees(s.T("first.help_log"))
	s.look("first-help")
	s.open(link)
	s.fill("first_name", "Ольга")
	s.fill("last_name", "Орлова")
	s.fill("email", "olga@example.org")
	s.fill("password", "орлова-2026")
	s.sees(s.T("strength.fair"))
	s.fill("again", "орлова-2026")
	s.refusing(func() {
		s.press(s.T("first.create"))
		s.sees("орлова")
		s.look("first-wrong")
	})
	s.fill("password", storyPassword)
	s.sees(s.T("strength.strong"))
	s.fill("again", storyPassword)
	s.look("first")
	s.click("#field-examples") // without them one begins at home
	s.press(s.T("first.create"))
	s.sees(s.T("first.done"))
}

func (s *story) invite(email string) {
	s.open("/admin/invitations")
	s.sees(s.T("invitations.none"))
	s.look("invitations-empty")
	s.fill("emails", email+", other@example.org")
	s.press(s.T("invitations.invite"))
	s.sees(s.N("invitations.sent", 2), email)
	s.look("invitations")
	s.click("main [popovertarget^=revoke-]")
	s.picture("invitations-revoke")
	s.follow("take one back", chromedp.Click(chromedp.CSS("main .ask:popover-open [type=submit]")))
	s.sees(s.T("invitations.revoked", "email", "other@example.org"))
}

// leaveQuietly signs out without looking.
func (s *story) leaveQuietly() {
	s.click("details.menu:has(form[action='/logout']) > summary")
	s.follow("sign out", chromedp.Click(chromedp.CSS("form[action='/logout'] button")))
	s.sees(s.T("account.by_invitation"))
	s.look("login-invitation")
}

// mailedLink finds the newest mail to an address in the demo mailbox, and a link in it.
func (s *story) mailedLink(email, below string) string {
	s.t.Helper()
	s.open("/demo?q=" + email)
	s.reloads("the mail is there", `!!document.querySelector("main tbody a")`, time.Now().Add(storyPatience))
	s.follow("open the mail", chromedp.Click(chromedp.CSS("main tbody a")))
	s.picture("mail-" + strings.Trim(below, "/"))
	s.press(s.T("demo.text"))
	text := s.text("main pre.code")
	_, rest, found := strings.Cut(text, s.base+below)
	if !found {
		s.t.Fatalf("there is no link to %s in the mail:\n%s", below, text)
	}
	if end := strings.IndexAny(rest, " \r\n\t)>"); end >= 0 {
		rest = rest[:end]
	}
	return below + rest
}

func (s *story) acceptInvitation(email string) {
	link := s.mailedLink(email, "/invitation/")
	s.open(link)
	s.sees(s.T("invitation.title"))
	s.look("invitation")
	s.fill("first_name", "Пётр")
	s.fill("password", storyPassword)
	s.fill("again", storyPassword)
	s.press(s.T("invitation.accept"))
	s.sees(s.T("invitation.done"))
	s.refusing(func() {
		s.open(link)
		s.sees(s.T("error.invitation_over"))
		s.look("invitation-over")
	})
}

func (s *story) askForAddress(email string) {
	s.open("/profile")
	s.look("profile")
	s.press(s.T("email.change"))
	s.fill("email", email)
	s.fill("password", "не тот пароль")
	s.refusing(func() {
		s.press(s.T("email.ask"))
		s.sees(s.T("error.password_wrong"))
		s.look("email-wrong")
	})
	s.fill("password", storyPassword)
	s.look("email")
	s.press(s.T("email.ask"))
	s.sees(s.T("email.asked"), s.T("email.waits", "email", email))
	s.look("email-waits")
}

// agreeFromBoth reads both mails and says yes.
func (s *story) agreeFromBoth(old, fresh string) {
	s.open(s.mailedLink(fresh, "/email/"))
	s.sees(s.T("email.question_new"))
	s.look("email-question-new")
	s.press(s.T("email.yes"))
	s.sees(s.T("email.agreed"))
	s.look("email-agreed")
	s.open(s.mailedLink(old, "/email/"))
	s.sees(s.T("email.question_old"))
	s.look("email-question-old")
	s.press(s.T("email.yes"))
	s.sees(s.T("email.moved", "email", fresh))
	s.open("/profile")
	s.holds("the profile has the new address", `document.getElementById("field-email").value === `+storyJS(fresh))
}
