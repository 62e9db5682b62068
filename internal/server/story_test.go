package server_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"vestnik/internal/mailing"
)

// storyClient is somebody in the file that is imported.
type storyClient struct{ email, name string }

// story is what a person does from the first visit on.
type story struct {
	*storyVisitor
	person, email string
	clients       []storyClient
	file          string // what is imported, with a line that is no client
	bad           string // the address in that line
	subject, body string
	greeting      string // how the body begins for a client, with their name
	link          string // of the mailing's page
	at            time.Time
}

// storyPassword is long enough and in no list.
const storyPassword = "синий чайник на подоконнике"

func TestStory(t *testing.T) {
	t.Parallel()
	storyNeeds(t)
	for _, s := range []story{
		{
			person: "Мария Орлова", email: "maria@example.org", bad: "борис-без-собаки",
			clients:  []storyClient{{"anna@example.com", "Анна"}, {"vera@example.com", "Вера"}, {"gleb@example.com", "Глеб"}},
			file:     "E-mail;Имя;Комментарий\r\nanna@example.com;Анна;\r\nборис-без-собаки;Борис;\r\nvera@example.com;Вера;любит чай\r\ngleb@example.com;Глеб;\r\n",
			subject:  "{{ first_name }}, новости недели",
			body:     "# Здравствуйте, {{ first_name | default: \"друг\" }}!\n\nНа этой неделе — **новый чай**.\n",
			greeting: "Здравствуйте, %s!",
		},
		{
			person: "Mary Eagle", email: "mary@example.org", bad: "bob-without-at",
			clients:  []storyClient{{"ann@example.com", "Ann"}, {"eve@example.com", "Eve"}, {"gus@example.com", "Gus"}},
			file:     "Email,First name,Comment\nann@example.com,Ann,\nbob-without-at,Bob,\neve@example.com,Eve,likes tea\ngus@example.com,Gus,\n",
			subject:  "{{ first_name }}, news of the week",
			body:     "# Hello, {{ first_name | default: \"friend\" }}!\n\nThis week there is **new tea**.\n",
			greeting: "Hello, %s!",
		},
	} {
		lang := map[bool]string{true: "ru", false: "en"}[strings.HasPrefix(s.person, "М")]
		t.Run("a person lives through everything in "+lang, func(t *testing.T) {
			t.Parallel()
			if lang == "en" {
				needSystem(t) // a browser computes for long, and the other language tells the same
			}
			s.storyVisitor = newStoryVisitor(t, storyService(t, storySettings(t)), lang)
			s.register()
			s.signIn()
			s.importClients()
			s.writeMessage()
			s.addMailing()
			s.awaitTime()
			s.readLog()
			s.readMails()
			s.sendByHand()
			s.unsubscribe()
			s.disable()
			s.switchLanguageAndTheme()
			s.leave()
		})
	}
}

func (s *story) register() {
	s.open("/")
	s.sees(s.T("home.welcome"))
	s.look("welcome")
	s.press(s.T("action.sign_up"))
	first, last, _ := strings.Cut(s.person, " ")
	s.fill("first_name", first)
	s.fill("last_name", last)
	s.fill("email", s.email)
	s.fill("password", storyPassword)
	s.fill("again", storyPassword)
	s.look("register")
	s.press(s.T("action.sign_up"))
	s.sees(s.T("account.confirm"))
	s.look("confirm")
	confirm := s.address()
	code := s.readCode()
	s.open(strings.TrimPrefix(confirm, s.base))
	s.holds("the code of the mail is filled in", `document.getElementById("field-code").value === `+storyJS(code))
	s.fill("code", strings.Map(storyOtherDigit, code))
	s.refusing(func() { s.press(s.T("action.confirm")) })
	s.sees(map[string]string{"ru": "Неверный код!", "en": "Wrong code!"}[s.Lang()])
	s.look("wrong-code")
	s.fill("code", code)
	s.press(s.T("action.confirm"))
	s.sees(s.T("account.confirmed_here"), s.T("home.set_up"))
	s.look("home-confirmed")
	s.leaveQuickly()
}

// leaveQuickly signs out, and leaves the address in the form that signs in again.
func (s *story) leaveQuickly() {
	s.click("details.menu:has(form[action='/logout']) > summary")
	s.follow("sign out", chromedp.Click(chromedp.CSS("form[action='/logout'] button")))
	s.open("/login?email=" + s.email)
}

// storyOtherDigit makes a wrong code of the right one.
func storyOtherDigit(digit rune) rune { return '0' + (digit-'0'+1)%10 }

// readCode finds the mail with the code by the link of the page that asks for it.
func (s *story) readCode() string {
	s.press(s.T("account.demo_open"))
	s.reloads("the mail with the code is there", `!!document.querySelector("main tbody a")`, time.Now().Add(storyPatience))
	s.picture("demo-mailbox")
	s.follow("open the mail", chromedp.Click(chromedp.CSS("main tbody a")))
	s.look("demo-code")
	s.press(s.T("demo.text"))
	text := s.text("main pre.code")
	for _, line := range strings.Fields(text) {
		if len(line) == 6 && strings.Trim(line, "0123456789") == "" {
			return line
		}
	}
	s.t.Fatalf("there is no code in the mail:\n%s", text)
	return ""
}

func (s *story) signIn() {
	s.holds("the address is filled in already", `document.getElementById("field-email").value === `+storyJS(s.email))
	s.fill("password", storyPassword)
	s.look("login")
	s.press(s.T("action.sign_in"))
	s.sees(s.T("home.set_up"), s.T("home.mailings"), s.T("home.active"), s.T("home.clients"))
	s.look("home-empty")
}

func (s *story) importClients() {
	file := filepath.Join(s.t.TempDir(), "clients.csv")
	if err := os.WriteFile(file, []byte(s.file), 0o600); err != nil {
		s.t.Fatal(err)
	}
	s.turnTo("/clients")
	s.look("clients-empty")
	s.press(s.T("clients.import"))
	s.do("choose the file", chromedp.SetUploadFiles(chromedp.ID("field-file"), []string{file}))
	s.look("import")
	s.press(s.T("imports.start"))
	s.sees(s.T("imports.report"), s.T("imports.refused_title"), s.bad, s.T("imports.download"))
	s.holds("the report says how many lines were taken", `[...document.querySelectorAll(".stat-value")].map(e => e.innerText).join() === "4,3,0,1"`)
	s.holds("the report names the line", fmt.Sprintf(
		`[...document.querySelectorAll("main tr")].some(r => r.innerText.includes(%s) && r.querySelector("td").innerText.trim() === "3")`, storyJS(s.bad)))
	s.look("import-report")
	s.press(s.T("imports.to_clients"))
	for _, c := range s.clients {
		s.sees(c.email)
	}
	s.look("clients")
}

func (s *story) writeMessage() {
	s.turnTo("/messages")
	s.look("messages-empty")
	s.press(s.T("messages.add"))
	s.fill("subject", s.subject)
	s.fill("body", s.body)
	s.do("choose a picture", chromedp.SetUploadFiles(chromedp.ID("field-picture"), []string{storyPhoto(s.t)}))
	s.until("the picture stands in the text", `/!\[\]\(\/pictures\/[0-9a-f]{32}\)/.test(document.getElementById("field-body").value)`)
	s.choose("contact", s.clients[0].name)
	s.do("show the preview", chromedp.Click(storyButton(s.T("messages.show"))))
	s.until("the preview has the subject for this client", fmt.Sprintf(
		`frames.preview?.document.body?.innerText.includes(%s)`, storyJS(strings.ReplaceAll(s.subject, "{{ first_name }}", s.clients[0].name))))
	s.until("the preview has the text for this client", fmt.Sprintf(
		`frames.preview.document.querySelector("iframe").srcdoc.includes(%s)`, storyJS(fmt.Sprintf(s.greeting, s.clients[0].name))))
	s.look("message-editor")
	s.press(s.T("action.save"))
	s.sees(s.T("messages.created"))
	s.look("message")
}

// addMailing makes a mailing that goes out every day, first when the next minute
// begins that is late enough to finish the form.
func (s *story) addMailing() {
	zone, err := time.LoadLocation("Europe/Moscow") // of a new account
	if err != nil {
		s.t.Fatal(err)
	}
	s.press(s.T("messages.to_mailing"))
	s.do("open the schedule", chromedp.Click(chromedp.CSS("#schedule > summary")))
	s.holds("the time is that of the person's zone", `document.getElementById("field-zone").value === "Europe/Moscow"`)
	s.click("label[for=frequency-weekly]")
	s.sees(s.T("mailings.weekdays"))
	s.until("the next weeks are told", `document.querySelectorAll("#dates ol.dates li").length === 5`)
	s.look("mailing-form-weekly")
	s.click("label[for=frequency-monthly]")
	s.sees(s.T("mailings.monthly_by"))
	s.look("mailing-form-monthly")
	s.click("label[for=frequency-daily]")
	s.click(".more-settings > summary")
	s.click("#field-weight input[value=high]")
	s.at = time.Now().In(zone).Add(25 * time.Second).Truncate(time.Minute).Add(time.Minute)
	s.set("start", s.at.Format(time.DateOnly))
	s.set("at", s.at.Format("15:04"))
	words := s.RuleWords(mailing.Rule{
		Frequency: mailing.Daily, Interval: 1, Start: mailing.DateOf(s.at), Zone: "Europe/Moscow",
		At: mailing.Clock{Hour: s.at.Hour(), Minute: s.at.Minute()},
	})
	s.until("the rule is told while it is typed", fmt.Sprintf(
		`document.querySelector("#dates").innerText.toLowerCase().includes(%s)`, storyJS(strings.ToLower(words))))
	s.do("open the review", chromedp.Click(chromedp.CSS("#review > summary")))
	s.until("the button says when it begins", fmt.Sprintf(
		`document.querySelector("#review button[value=apply]").innerText.includes(%s)`, storyJS(s.In(zone).DateTimeZone(s.at))))
	s.follow("start", chromedp.Click(chromedp.CSS("#review button[value=apply]")))
	s.link = strings.TrimPrefix(s.address(), s.base)
	s.sees(s.T("mailings.was_planned", "subject", s.SubjectName(s.subject), "at", s.In(zone).DateTimeZone(s.at)), words, s.In(zone).DateTimeZone(s.at), s.In(zone).DateTimeZone(s.at.AddDate(0, 0, 1)))
	s.holds("the next five dates are there", `document.querySelectorAll("main ol.dates li").length === 5`)
	s.sees(s.T("mailings.weight"), s.T("weight.high"))
	s.look("mailing")
	s.turnTo("/mailings")
	s.look("mailings")
}

// awaitTime waits for the time of the mailing, as one who reloads its page now
// and then, and follows the run.
func (s *story) awaitTime() {
	s.open(s.link)
	s.reloads("the run is there", `!!document.querySelector("main tbody a[href^='/runs/']")`, s.at.Add(time.Minute))
	s.follow("open the run", chromedp.Click(chromedp.CSS("main tbody a[href^='/runs/']")))
	s.completed("run")
}

// completed waits until the page of a run shows its end by itself.
func (s *story) completed(name string) {
	all := s.Number(int64(len(s.clients)))
	s.sees(s.T("run_state.completed"), s.T("runs.of", "done", all, "all", all))
	for _, c := range s.clients {
		s.sees(c.email)
	}
	s.look(name)
}

func (s *story) readLog() {
	s.follow("open a delivery", chromedp.Click(chromedp.CSS("main tbody a[href*='/deliveries/']")))
	s.sees("kept in the demo mailbox")
	s.look("delivery")
	s.turnTo("/logs")
	for _, c := range s.clients {
		s.holds("the log has the server's answer for "+c.email, fmt.Sprintf(`[...document.querySelectorAll("main tr")].some(r =>
			r.innerText.includes(%s) && r.innerText.includes(%s) && r.innerText.includes("250 2.0.0 kept in the demo mailbox"))`,
			storyJS(c.email), storyJS(s.T("attempt.accepted"))))
	}
	s.look("log")
	s.click("main details.answer summary")
	s.sees(s.T("logs.duration"), s.T("logs.host"))
	s.look("log-answer")
}

func (s *story) readMails() {
	for _, c := range s.clients {
		s.openMail(c)
		s.sees(strings.ReplaceAll(s.subject, "{{ first_name }}", c.name))
		if c == s.clients[0] {
			s.look("demo-mail")
		}
		s.press(s.T("demo.text"))
		s.sees(fmt.Sprintf(s.greeting, c.name))
	}
	s.turnTo("/")
	s.look("home")
}

// openMail opens the newest mail to a client in the demo mailbox.
func (s *story) openMail(c storyClient) {
	s.turnTo("/demo")
	s.follow("open the mail to "+c.email, chromedp.Click(chromedp.Search(`(//main//tr[contains(., "`+c.email+`")]//a)[1]`)))
}

// sendByHand sends the mailing out of its turn, which changes nothing in its
// schedule.
func (s *story) sendByHand() {
	s.open(s.link)
	s.press(s.T("action.send_now"))
	s.sees(s.N("mailings.reach_all", int64(len(s.clients))))
	s.look("send")
	s.press(s.N("mailings.send_now", int64(len(s.clients))))
	s.sees(s.T("undo.goes"), s.T("undo.button"))
	s.look("run-waiting")
	s.completed("run-by-hand")
	s.open(s.link)
	s.sees(s.T("run_kind.manual"), s.T("run_kind.scheduled"), s.T("status.running"))
	s.holds("the next five dates are still there", `document.querySelectorAll("main ol.dates li").length === 5`)
	s.look("mailing-sent")
}

func (s *story) unsubscribe() {
	gone := s.clients[1]
	s.openMail(gone)
	s.follow("follow the link", chromedp.Click(chromedp.ID("list-unsubscribe")))
	s.sees(s.T("unsubscribe.title"), gone.email)
	s.look("unsubscribe")
	s.press(s.T("unsubscribe.button"))
	s.sees(s.T("unsubscribe.done_title"), gone.email)
	s.look("unsubscribed")
	s.open("/clients")
	s.holds("the list of clients says so", fmt.Sprintf(`[...document.querySelectorAll("main tr")].some(r =>
		r.innerText.includes(%s) && r.innerText.includes(%s))`, storyJS(gone.email), storyJS(s.T("clients.status.unsubscribed"))))
	s.press(gone.name)
	s.sees(s.T("clients.why.unsubscribed"))
	s.look("client")
}

func (s *story) disable() {
	s.open(s.link)
	s.press(s.T("action.disable"))
	s.sees(s.T("mailings.was_disabled", "subject", s.SubjectName(s.subject)), s.T("status.disabled"), s.T("mailings.upcoming_stopped"))
	s.look("mailing-disabled")
	s.turnTo("/mailings")
	s.sees(s.T("status.disabled"))
	s.holds("a disabled mailing can be enabled, and not disabled again", fmt.Sprintf(
		`(words => words.includes(%s) && !words.includes(%s))([...document.querySelectorAll("main .row-actions button")].map(b => b.innerText.trim()))`,
		storyJS(s.T("action.enable")), storyJS(s.T("action.disable"))))
}

func (s *story) switchLanguageAndTheme() {
	other := map[string]string{"ru": "en", "en": "ru"}[s.Lang()]
	s.pickLanguage(other)
	s.turnTo("/messages")
	s.holds("the language is kept", fmt.Sprintf(`document.documentElement.lang === %q`, other))
	s.pickLanguage(s.Lang())
	s.sees(s.T("messages.title"))
	s.click("details.menu:has(button[name=theme]) > summary")
	s.picture("theme-menu")
	s.click("button[name=theme][value=dark]")
	s.until("the page is dark", `document.documentElement.dataset.bsTheme === "dark"`)
	s.turnTo("/logs")
	s.holds("the theme is kept", `document.documentElement.dataset.bsTheme === "dark"`)
	s.picture("theme-dark")
}

func (s *story) pickLanguage(lang string) {
	s.click("details.menu:has(button[name=lang]) > summary")
	s.follow("pick "+lang, chromedp.Click(chromedp.CSS("button[name=lang][value="+lang+"]")))
	s.holds("the page is in "+lang, fmt.Sprintf(`document.documentElement.lang === %q`, lang))
}

func (s *story) leave() {
	s.click("details.menu:has(form[action='/logout']) > summary")
	s.picture("person-menu")
	s.follow("sign out", chromedp.Click(chromedp.CSS("form[action='/logout'] button")))
	s.sees(s.T("account.sign_in"))
	s.open("/mailings")
	s.sees(s.T("account.sign_in"), s.T("field.password"))
	s.holds("the theme is kept", `document.documentElement.dataset.bsTheme === "dark"`)
}
