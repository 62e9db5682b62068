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
	"vestnik/internal/mailing"
	"vestnik/internal/server"
)

// mailingStory is somebody who makes a mailing section by section.
type mailingStory struct {
	*storyVisitor
	subject, body, named string // of the message; named is what the mailing is called
	sender               string
	link                 string // of the mailing's page
}

func TestAMailingIsMadeSectionBySection(t *testing.T) {
	t.Parallel()
	storyNeeds(t)
	for lang, s := range map[string]mailingStory{
		"ru": {subject: "{{ first_name }}, новости недели", named: "‹Имя›, новости недели", body: "На этой неделе — новый чай.", sender: "Чайная лавка"},
		"en": {subject: "{{ first_name }}, news of the week", named: "‹First name›, news of the week", body: "This week there is new tea.", sender: "Tea shop"},
	} {
		t.Run("in "+lang, func(t *testing.T) {
			t.Parallel()
			if lang == "en" {
				needSystem(t) // a browser computes for long
			}
			settings := storySettings(t)
			s.furnish(t, settings, lang)
			s.storyVisitor = newStoryVisitor(t, storyService(t, settings), lang)
			s.signIn()
			s.makeWeekly()
			s.reloadInTheMiddle()
			s.mendAndStart()
			s.changeWhileItRuns()
		})
	}
}

// furnish makes the person, two clients, of whom one has no name, and a message.
func (s *mailingStory) furnish(t *testing.T, c config.Config, lang string) {
	t.Helper()
	base, err := server.Open(t.Context(), c, slog.New(slog.DiscardHandler), false)
	if err != nil {
		t.Fatal(err)
	}
	defer base.Close()
	owner, err := base.App.CreateAccount(t.Context(), app.NewAccount{
		Email: storyOwner, FirstName: "Анна", LastName: "Петрова", Role: mailing.RoleUser, Password: storyPassword, Lang: lang,
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []mailing.Contact{{Email: "vera@example.com", FirstName: "Вера"}, {Email: "info@example.com"}} {
		if _, err := base.App.CreateContact(t.Context(), owner, c); err != nil {
			t.Fatal(err)
		}
	}
	_, err = base.App.CreateMessage(t.Context(), owner, app.MessageForm{Subject: s.subject, Format: mailing.FormatMarkdown, Body: s.body})
	if err != nil {
		t.Fatal(err)
	}
}

func (s *mailingStory) signIn() {
	s.open("/login")
	s.fill("email", storyOwner)
	s.fill("password", storyPassword)
	s.press(s.T("action.sign_in"))
}

// saved waits until the page says that all is kept.
func (s *mailingStory) saved(words string) {
	s.until("it is saved", `document.getElementById("saved").innerText === `+storyJS(s.T(words)))
}

func (s *mailingStory) makeWeekly() {
	s.open("/mailings")
	s.press(s.T("mailings.add"))
	s.look("sections")
	s.holds("one section is open", `document.querySelectorAll("details.fold[open]").length === 1`)
	s.do("open the schedule", chromedp.Click(chromedp.CSS("#schedule > summary")))
	s.until("only the schedule is open", `[...document.querySelectorAll("details.fold[open]")].map(d => d.id).join() === "schedule"`)
	s.click("label[for=frequency-weekly]")
	for day := range 7 {
		s.do("weekday", chromedp.Evaluate[chromedp.Void](fmt.Sprintf(
			`(box => { if (box.checked !== %t) box.click() })(document.getElementById("field-weekdays-%d"))`, day == 0 || day == 3, day+1)))
	}
	s.set("at", "09:30")
	s.saved("mailing_page.saved")
	words := s.RuleWords(mailing.Rule{
		Frequency: mailing.Weekly, Interval: 1, Weekdays: []time.Weekday{time.Monday, time.Thursday},
		At: mailing.Clock{Hour: 9, Minute: 30}, Zone: "Europe/Moscow",
	})
	for _, place := range []string{"#schedule-line", "#dates", "#rail"} {
		s.until("the rule is told in "+place, fmt.Sprintf(
			`document.querySelector(%s).textContent.toLowerCase().includes(%s)`, storyJS(place), storyJS(strings.ToLower(words))))
	}
	s.until("the address is that of the draft", `location.pathname.endsWith("/edit")`)
	s.look("schedule")
	s.do("open the content", chromedp.Click(chromedp.CSS("#content > summary")))
	s.fill("from_name", s.sender)
	s.saved("mailing_page.saved")
}

// reloadInTheMiddle leaves within the pause after a letter, too.
func (s *mailingStory) reloadInTheMiddle() {
	s.do("one letter more", chromedp.SendKeys(chromedp.ID("field-from_name"), "!"))
	s.open("/messages")
	s.open("/mailings")
	s.sees(s.T("mailing_page.drafts"), s.T("mailing_page.unnamed"))
	s.look("drafts")
	s.press(s.T("mailing_page.go_on"))
	s.until("the sender is there", `document.getElementById("field-from_name").value === `+storyJS(s.sender+"!"))
	s.holds("the days are there", `[...document.querySelectorAll("[name=weekdays]:checked")].map(b => b.value).join() === "1,4"`)
	s.holds("the time is there", `document.getElementById("field-at").value === "09:30"`)
}

// mendAndStart goes from the red check to its section and back.
func (s *mailingStory) mendAndStart() {
	s.do("open the review", chromedp.Click(chromedp.CSS("#review > summary")))
	s.sees(s.T("error.message_none_chosen"))
	s.look("red-check")
	s.do("mend it", chromedp.Click(chromedp.CSS("#review .tone-danger a")))
	s.until("the content is open", `document.getElementById("content").open`)
	s.choose("message", s.named)
	s.do("tell the page", chromedp.Evaluate[chromedp.Void](`document.getElementById("field-message").dispatchEvent(new Event("change", {bubbles: true}))`))
	s.until("the preview shows the message", fmt.Sprintf(`frames.preview?.document.body?.innerText.includes(%s)`, storyJS(s.subject[len("{{ first_name }}"):])))
	s.sees(s.N("review.lacking_first_name", 1))
	s.until("the rail has the line of the inbox", fmt.Sprintf(`document.querySelector(".inbox-sender")?.textContent === %s`, storyJS(s.sender+"!")))
	s.look("content")
	s.click("label[for=screen-phone]")
	s.click("label[for=ground]")
	s.until("the preview is on a dark ground", `!!frames.preview.document.querySelector(".preview-dark .preview-mail")`)
	s.holds("it is as narrow as a phone", `document.querySelector(".preview-frame").getBoundingClientRect().width <= 400`)
	s.look("dark-ground")
	s.do("open the review", chromedp.Click(chromedp.CSS("#review > summary")))
	s.until("nothing is red", `!document.querySelector("#review .tone-danger")`)
	s.look("review")
	s.follow("start", chromedp.Click(chromedp.CSS("#review button[value=apply]")))
	s.sees(s.T("status.created"), s.named)
	s.link = strings.TrimPrefix(s.address(), s.base)
	s.look("started")
	s.open("/mailings")
	s.sees(s.named)
	s.holds("the draft is gone", `!document.querySelector(".lines")`)
}

// changeWhileItRuns changes a mailing that is running: what is typed counts when it is
// applied.
func (s *mailingStory) changeWhileItRuns() {
	s.open(s.link + "/send")
	s.press(s.N("mailings.send_now", 2))
	s.open(s.link + "/edit?at=schedule")
	s.set("at", "11:45")
	s.saved("mailing_page.saved_pending")
	s.open(s.link)
	s.sees(s.T("mailing_page.pending"), "09:30")
	s.look("pending")
	s.press(s.T("mailing_page.pending_go"))
	s.press(s.T("mailing_page.apply"))
	s.sees(s.T("mailings.was_saved"), "11:45")
	s.holds("nothing is pending", fmt.Sprintf(`!document.body.innerText.includes(%s)`, storyJS(s.T("mailing_page.pending"))))
}
