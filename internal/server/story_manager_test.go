package server_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"vestnik/internal/app"
	"vestnik/internal/config"
	"vestnik/internal/mailing"
	"vestnik/internal/server"
)

// Who is in the manager's day. All have the password of the stories.
const (
	storyOwner   = "anna@example.org"
	storyManager = "manager@example.org"
	storySubject = "Чудо-таблетки"
)

func TestManagerStory(t *testing.T) {
	t.Parallel()
	storyNeeds(t)
	for _, lang := range []string{"ru", "en"} {
		t.Run("a manager keeps order in "+lang, func(t *testing.T) {
			c := storySettings(t)
			m := storyPeople(t, c, lang)
			base := storyService(t, c)
			s := managerStory{storyVisitor: newStoryVisitor(t, base, lang), owner: newVisitor(t, c.Addr), mailing: m}
			s.owner.signIn(storyOwner, storyPassword).shows(t, http.StatusOK, "/")
			s.signIn(storyManager)
			s.disable()
			s.block()
			s.signOut()
			s.signIn(storyAdmin)
			s.runService()
		})
	}
}

// managerStory is somebody who keeps order, and the owner of a mailing elsewhere.
type managerStory struct {
	*storyVisitor
	owner   *visitor
	mailing mailing.Mailing
}

// storyPeople makes an owner with a mailing, a manager and an admin, who read the
// language.
func storyPeople(t *testing.T, c config.Config, lang string) mailing.Mailing {
	t.Helper()
	base, err := server.Open(t.Context(), c, slog.New(slog.DiscardHandler), false)
	if err != nil {
		t.Fatal(err)
	}
	defer base.Close()
	people := map[mailing.Role]mailing.Account{}
	for _, n := range []app.NewAccount{
		{Email: storyOwner, FirstName: "Анна", LastName: "Петрова", Role: mailing.RoleUser},
		{Email: storyManager, FirstName: "Мария", LastName: "Котова", Role: mailing.RoleManager},
		{Email: storyAdmin, FirstName: "Ольга", LastName: "Громова", Role: mailing.RoleAdmin},
	} {
		n.Password, n.Lang = storyPassword, lang
		if people[n.Role], err = base.App.CreateAccount(t.Context(), n); err != nil {
			t.Fatal(err)
		}
	}
	owner := people[mailing.RoleUser]
	if _, err := base.App.CreateContact(t.Context(), owner, mailing.Contact{Email: "vera@example.com", FirstName: "Вера"}); err != nil {
		t.Fatal(err)
	}
	message, err := base.App.CreateMessage(t.Context(), owner, app.MessageForm{Subject: storySubject, Format: mailing.FormatText, Body: "Купите!"})
	if err != nil {
		t.Fatal(err)
	}
	m, err := base.App.CreateMailing(t.Context(), owner, app.MailingForm{
		MessageID: message.ID, Audience: mailing.AudienceAll, Doubt: mailing.NeverTwice, Rule: mailing.Rule{
			Frequency: mailing.Daily, Interval: 1, Start: mailing.DateOf(time.Now().AddDate(0, 1, 0)),
			At: mailing.Clock{Hour: 12}, Zone: "Europe/Moscow",
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func (s *managerStory) signIn(email string) {
	s.t.Helper()
	s.open("/login")
	s.fill("email", email)
	s.fill("password", storyPassword)
	s.press(s.T("action.sign_in"))
	s.until("the menu is there", `!!document.querySelector(".sidebar-link")`)
}

func (s *managerStory) signOut() {
	s.t.Helper()
	s.follow("sign out", chromedp.Evaluate[chromedp.Void](`document.querySelector('form[action="/logout"]').submit()`))
}

// disable finds somebody's mailing and switches it off; they are told on its page.
func (s *managerStory) disable() {
	s.administer("/admin/mailings")
	s.sees(s.T("admin.mailings"), storySubject, "Анна Петрова")
	s.look("mailings")
	s.follow("disable", chromedp.Click(chromedp.CSS(fmt.Sprintf(`.row-actions a[href^="/mailings/%d/disable"]`, s.mailing.ID))))
	s.sees(s.T("mailings.disable_question", "subject", storySubject))
	s.look("mailing-disable")
	s.fill("why", "Жалобы на спам")
	s.press(s.T("action.disable"))
	s.sees(s.T("mailings.was_disabled", "subject", storySubject), s.T("status.disabled"))
	s.holds("the manager cannot edit it", `![...document.querySelectorAll("main a")].some(a => a.pathname.endsWith("/edit"))`)
	page := fmt.Sprintf("/mailings/%d", s.mailing.ID)
	s.owner.get(page).shows(s.t, http.StatusOK, page,
		s.T("mailings.disabled_by", "who", "Мария Котова"), "Жалобы на спам")
}

// block keeps the owner out, who is at a page just then.
func (s *managerStory) block() {
	s.administer("/admin/users")
	s.sees(s.T("users.title"), storyOwner)
	s.look("users")
	s.press("Анна Петрова")
	s.sees(s.T("users.about"), storyOwner)
	s.look("user")
	s.press(s.T("action.block"))
	s.sees(s.T("users.block_question", "name", "Анна Петрова"))
	s.look("user-block")
	s.fill("why", "Рассылает спам")
	s.owner.get("/mailings").shows(s.t, http.StatusOK, "/mailings")
	s.press(s.T("action.block"))
	s.owner.get("/mailings").shows(s.t, http.StatusOK, "/login") // the next thing they ask for, whatever it is
	s.sees(s.T("users.blocked_by", "who", "Мария Котова"), "Рассылает спам")
	s.look("user-blocked")
	s.owner.signIn(storyOwner, storyPassword).shows(s.t, http.StatusForbidden, "/login")
	s.open("/admin/users?" + url.Values{"standing": {"blocked"}}.Encode())
	s.sees(storyOwner)
	s.press(s.T("action.unblock"))
	s.sees(s.T("users.was_unblocked", "name", "Анна Петрова"))
	s.owner.signIn(storyOwner, storyPassword).shows(s.t, http.StatusOK, "/")
}

// runService is the part of the day that only an admin has.
func (s *managerStory) runService() {
	s.administer("/admin/users")
	s.press("Анна Петрова")
	s.fill("per_day", "1000")
	s.press(s.T("users.limit"))
	s.sees(s.T("users.was_limited", "name", "Анна Петрова"))
	s.look("user-as-admin")
	s.open("/admin/users/new")
	s.fill("email", "boris@example.org")
	s.look("user-new")
	s.press(s.T("action.create"))
	s.sees(s.T("users.made_lead"))
	s.look("user-made")
	s.administer("/admin/settings")
	s.sees(s.T("setting.mask_clients"), s.T("setting.vestnik_zone"))
	s.look("settings")
	s.click("#field-mask_clients")
	s.press(s.T("action.save"))
	s.sees(s.T("setting.saved"))
	s.holds("the box stays ticked", `document.getElementById("field-mask_clients").checked`)
	s.administer("/admin/health")
	s.sees(s.T("health.database"), "SQLite", s.T("health.disk"), s.T("health.node"), s.T("health.condition_good"))
	s.look("health")
	s.administer("/admin/jobs")
	s.sees(s.T("jobs.kind.open_due_runs"), s.T("jobs.state.completed"))
	s.look("jobs")
	s.window(storyPhone, storyPhoneHeight, "light")
	s.follow("reload", chromedp.Reload())
	s.holds("the current one of the links is in sight on a phone",
		`document.querySelector(".tabs > [aria-current]").getBoundingClientRect().right <= innerWidth`)
}
