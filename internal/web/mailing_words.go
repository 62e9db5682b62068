package web

import (
	"strings"
	"unicode/utf8"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
	"vestnik/internal/web/ui"
)

// part is a section of the page; its fields are its children.
func (e mailingEditor) part(p ui.Page, section string) ui.StepPart {
	number := 1
	for mailingSections()[number-1] != section {
		number++
	}
	return ui.StepPart{
		ID: section, Group: "mailing-sections", Number: number, Title: p.T("mailing_page.section." + section),
		Open: e.Open == section, State: e.state(p, section, false),
	}
}

// state says in a line what was decided in a section, and whether that will do.
func (e mailingEditor) state(p ui.Page, section string, outside bool) ui.StepState {
	s := ui.StepState{Done: e.done(section), Words: e.decided(p, section), Mark: p.T("mailing_page.not_done"), Outside: outside}
	if s.Done {
		s.Mark = p.T("mailing_page.done")
	}
	if warned := e.Review.Warned(section); s.Done && warned > 0 {
		s.Warns, s.Mark = true, p.T("doing.look")
		s.Words = p.T("doing.look_at", "words", s.Words, "count", p.N("doing.notes", warned))
	}
	return s
}

func (e mailingEditor) done(section string) bool {
	if section == sectionReview {
		return !e.Review.Blocked()
	}
	return e.Review.Done(section)
}

// decided is what was decided in a section.
func (e mailingEditor) decided(p ui.Page, section string) string {
	switch section {
	case app.SectionAudience:
		return p.T("mailing_page.line_audience", "who", p.T("audience."+e.audience()), "count", p.Number(e.Review.Audience.Reached()))
	case app.SectionContent:
		if e.Review.Message.ID == 0 {
			return p.T("mailing_page.no_message")
		}
		return e.name(p)
	case app.SectionSchedule:
		if e.Dates.Problem != "" {
			return e.Dates.Problem
		}
		return e.Dates.Words
	}
	return e.reviewed(p)
}

// audience is the choice, or that of a new mailing for what is none.
func (e mailingEditor) audience() string {
	if e.Audience != string(mailing.AudienceChosen) {
		return string(mailing.AudienceAll)
	}
	return e.Audience
}

// name is what the mailing is called.
func (e mailingEditor) name(p ui.Page) string {
	if e.Review.Message.ID == 0 {
		return p.T("mailing_page.unnamed")
	}
	return p.SubjectName(e.Review.Message.Subject)
}

// reviewed says in a line what the checks have found.
func (e mailingEditor) reviewed(p ui.Page) string {
	counts := map[app.CheckLevel]int64{}
	for _, c := range e.Review.Checks {
		counts[c.Level]++
	}
	switch {
	case counts[app.CheckBlocks] > 0:
		return p.N("mailing_page.to_mend", counts[app.CheckBlocks])
	case counts[app.CheckWarns] > 0:
		return p.N("mailing_page.to_know", counts[app.CheckWarns])
	}
	return p.T("mailing_page.all_well")
}

// saveState says whether what was typed is kept.
func (e mailingEditor) saveState(p ui.Page) ui.SaveState {
	s := ui.SaveState{Saving: p.T("mailing_page.saving"), Failed: p.T("mailing_page.not_saved")}
	switch {
	case e.Clash:
		s.Words = p.T("mailing_page.clash")
	case e.Dropped:
		s.Words = p.T("mailing_page.unchanged")
	case e.Draft.UpdatedAt.IsZero():
	case e.isNew():
		s.Words = p.T("mailing_page.saved")
	default:
		s.Words = p.T("mailing_page.saved_pending")
	}
	return s
}

// frequencies are the choices of how often. Who wants to send now what is there already
// has a button for that on its page.
func (e mailingEditor) frequencies() []string {
	often := []string{oftenNow, string(mailing.Once), string(mailing.Daily), string(mailing.Weekly), string(mailing.Monthly)}
	if e.isNew() {
		return often
	}
	return often[1:]
}

func weightOptions(p ui.Page) []ui.Option {
	var options []ui.Option
	for _, weight := range mailing.Weights() {
		options = append(options, ui.Option{Value: string(weight), Label: p.T("weight." + string(weight))})
	}
	return options
}

// invalid is the value of aria-invalid of a field.
func (e mailingEditor) invalid(field string) string {
	if e.Problems[field] != "" {
		return "true"
	}
	return "false"
}

// applyWords are what the button does.
func (e mailingEditor) applyWords(p ui.Page) string {
	switch {
	case !e.isNew():
		return p.T("mailing_page.apply")
	case e.Rule.Frequency == oftenNow:
		return p.N("mailings.send_now", e.Review.Audience.Reached())
	case len(e.Dates.Next) > 0:
		return p.T("mailing_page.start_on", "at", e.Dates.page(p).DateTimeZone(e.Dates.Next[0]))
	}
	return p.T("mailing_page.start")
}

// lackingWords say how many recipients will see a gap, by merge field.
func (e mailingEditor) lackingWords(p ui.Page) (words []string) {
	for _, field := range e.Review.Lacking {
		words = append(words, p.N("review.lacking_"+field, e.Review.Audience.Lacking[field]))
	}
	return words
}

// previewPath is where the message is first shown; nowhere while none is chosen.
func (e mailingEditor) previewPath() string {
	if e.Review.Message.ID == 0 {
		return ""
	}
	return messagePath(e.Review.Message.ID) + "/preview"
}

// preheaderRunes is how much of a text an inbox shows beside the subject. Chosen: what
// fits into two lines of the rail.
const preheaderRunes = 90

// inbox is the message as the list of an inbox shows it.
func (e mailingEditor) inbox(p ui.Page) ui.InboxMail {
	text := strings.Join(strings.Fields(e.Review.Inbox.Text), " ")
	if utf8.RuneCountInString(text) > preheaderRunes {
		text = string([]rune(text)[:preheaderRunes]) + "…"
	}
	mail := ui.InboxMail{Sender: e.Review.Sender, Subject: e.Review.Inbox.Subject, Preheader: text}
	if mail.Sender == "" {
		mail.Sender = p.T("app.name")
	}
	return mail
}

// whyNotWords say why not all of an audience are mailed: "1,204 → 1,151: 31
// unsubscribed, 15 bounced".
func whyNotWords(p ui.Page, count app.AudienceCount) string {
	var why []string
	for _, reason := range []mailing.Reason{
		mailing.ReasonUnsubscribed, mailing.ReasonBounced, mailing.ReasonComplained, mailing.ReasonManual, mailing.ReasonErased,
	} {
		if n := count.Suppressed[reason]; n > 0 {
			why = append(why, p.N("why_not."+string(reason), n))
		}
	}
	return p.T("mailings.reach", "all", p.Number(count.Contacts), "reached", p.Number(count.Reached())) + " " + strings.Join(why, ", ")
}

// checks are what was looked at, in words.
func (e mailingEditor) checks(p ui.Page) []ui.CheckLine {
	tones := map[app.CheckLevel]ui.Tone{app.CheckPasses: ui.Success, app.CheckWarns: ui.Warning, app.CheckBlocks: ui.Danger}
	marks := map[app.CheckLevel]string{
		app.CheckPasses: p.T("mailing_page.mark_passes"), app.CheckWarns: p.T("mailing_page.mark_warns"),
		app.CheckBlocks: p.T("mailing_page.mark_blocks"),
	}
	var lines []ui.CheckLine
	for _, c := range e.Review.Checks {
		line := ui.CheckLine{Tone: tones[c.Level], Mark: marks[c.Level], Text: e.checkWords(p, c), Step: c.Section}
		if c.Level != app.CheckPasses {
			line.Link, line.Path = e.mends(p, c)
		}
		lines = append(lines, line)
	}
	return lines
}

func (e mailingEditor) checkWords(p ui.Page, c app.Check) string {
	switch {
	case c.Problem != nil:
		return p.Error(c.Problem)
	case c.Code == "schedule":
		return e.Dates.Words
	case c.Code == "message":
		return p.T("review.message", "subject", e.name(p))
	case c.Count > 0:
		return p.N("review."+c.Code, c.Count, c.Params...)
	}
	return p.T("review."+c.Code, c.Params...)
}

// mends is the link to where a check's finding is mended: to a section, or to pages that
// only those may see who set the service up.
func (e mailingEditor) mends(p ui.Page, c app.Check) (words, path string) {
	if c.Section != "" {
		section := p.T("mailing_page.section." + c.Section)
		path := "#" + c.Section
		if e.Draft.MailingID != 0 || !e.isNew() { // else it has no address of its own
			path = e.at(c.Section)
		}
		return p.T("mailing_page.mend", "section", section), path
	}
	if !e.SetsUp {
		return "", ""
	}
	if c.Code == "demo" {
		return p.T("mailing_page.set_up_mail"), "/relays"
	}
	return p.T("mailing_page.set_up_keys"), "/domains"
}
