package web

import (
	"time"

	"vestnik/internal/app"
	"vestnik/internal/i18n"
	"vestnik/internal/mailing"
	"vestnik/internal/web/ui"
)

// sentLately is for how long the question before a mailing is sent tells that it went out
// already: a second time within a day is hardly ever meant. Chosen.
const sentLately = 24 * time.Hour

// doing is what a mailing does now, as the keys of translations end.
func doing(m mailing.Mailing) string {
	switch {
	case !m.Status.Live(), m.Status == mailing.StatusCompleted:
		return string(m.Status)
	case m.NextAt.IsZero() && m.Status == mailing.StatusRunning: // its last run is not over, else it were completed
		return "last"
	case m.NextAt.IsZero():
		return "nothing"
	}
	return "waits"
}

// doingWords say beside the status what a mailing does now, and until when.
func doingWords(p ui.Page, m mailing.Mailing) string {
	return p.T("doing."+doing(m), "at", ruleTime(inRuleZone(p, m.Rule).Printer, m.NextAt, otherClock(p, m.Rule)))
}

// doingShort is doingWords beside a column that says when.
func doingShort(p ui.Page, m mailing.Mailing) string { return p.T("doing_short." + doing(m)) }

// ruleTime is a time by a mailing's clock, which is named if it is not the visitor's.
func ruleTime(p *i18n.Printer, at time.Time, other bool) string {
	if other {
		return p.DateTimeZone(at)
	}
	return p.DateTime(at)
}

// plannedSentence says when a mailing that was just made goes out first.
func (r *request) plannedSentence(e mailingEditor, m mailing.Mailing) string {
	subject := r.SubjectName(e.Review.Message.Subject)
	if e.Dates.printer == nil || m.NextAt.IsZero() {
		return r.T("mailings.was_created", "subject", subject)
	}
	return r.T("mailings.was_planned", "subject", subject, "at", e.Dates.printer.DateTimeZone(m.NextAt))
}

// inRuleZone is the page with its times by the clock of a mailing, so that all that is said
// of its schedule agrees.
func inRuleZone(p ui.Page, rule mailing.Rule) ui.Page {
	if zone, err := mailing.LoadZone(rule.Zone); err == nil {
		p.Printer = p.In(zone)
	}
	return p
}

// otherClock reports whether the clock of a mailing shows another time than the visitor's.
func otherClock(p ui.Page, rule mailing.Rule) bool {
	return inRuleZone(p, rule).DateTime(p.Now) != p.DateTime(p.Now)
}

// lastSent is the latest run of a mailing if some of its mails went out lately.
func lastSent(p ui.Page, m app.MailingView) (mailing.Run, bool) {
	for _, run := range m.Runs { // the newest first
		if run.Counts.Sent > 0 && p.Now.Sub(run.Began()) < sentLately {
			return run, true
		}
	}
	return mailing.Run{}, false
}
