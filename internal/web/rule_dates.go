package web

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"vestnik/internal/app"
	"vestnik/internal/i18n"
	"vestnik/internal/mailing"
	"vestnik/internal/web/ui"
)

const (
	datesShown = 5
	// datesAhead is how many sendings are looked through for one that the change
	// of the clocks moves: a year of daily ones has both changes in it.
	datesAhead = 366
	// relativeDays is from when on a distance is told as a date, which stands
	// beside it already.
	relativeDays = 30 * 24 * time.Hour
)

// ruleDates is what a schedule means: in words, and the next dates.
type ruleDates struct {
	Words   string            // empty while the schedule cannot be used
	Problem string            // why it cannot; empty when it can
	Marks   map[string]string // what cannot be read, by field
	Zone    *time.Location    // nil when it is not known
	printer *i18n.Printer     // of times in the zone
	Next    []time.Time
	Ends    bool     // there are no more than these
	Notes   []string // what happens when the clocks are changed
}

// datesOf is about a schedule as it was typed.
func (r *request) datesOf(f ruleForm) ruleDates {
	if f.Frequency == oftenNow {
		return ruleDates{Words: r.T("mailing_page.now")}
	}
	rule, err := f.rule()
	if err != nil {
		return ruleDates{Problem: r.Error(err), Marks: r.unreadable(f, err)}
	}
	if err := rule.Check(); err != nil {
		return ruleDates{Problem: r.Error(err)}
	}
	return r.ruleDates(rule)
}

// unreadable are the fields of a schedule in which something was typed that cannot be read.
// One that is still empty is not marked while somebody types.
func (r *request) unreadable(f ruleForm, err error) map[string]string {
	marks, _ := r.problems(err)
	for field, typed := range map[string]string{
		"start": f.Start, "at": f.At, "interval": f.Interval, "day": f.Day, "until": f.Until, "count": f.Count, "skip": f.Skip,
	} {
		if strings.TrimSpace(typed) == "" {
			delete(marks, field)
		}
	}
	return marks
}

// ruleDates is about a rule that Check accepts.
func (r *request) ruleDates(rule mailing.Rule) ruleDates {
	zone, err := mailing.LoadZone(rule.Zone)
	if err != nil {
		return ruleDates{Problem: r.Error(err)}
	}
	d := ruleDates{Zone: zone, printer: r.In(zone)}
	since := r.now
	if rule.Frequency == mailing.Once {
		since = since.Add(-app.StartGrace)
	}
	ahead := rule.Occurrences(since, datesAhead)
	if len(ahead) == 0 {
		d.Problem = r.Error(mailing.Fault(mailing.Invalid, "schedule_past"))
		return d
	}
	d.Words = sentenceCase(r.RuleWords(rule))
	d.Next, d.Ends = ahead[:min(len(ahead), datesShown)], len(ahead) <= datesShown
	d.Notes = r.clockChanges(rule, zone, ahead)
	return d
}

// clockChanges says what happens to the first of the sendings whose time of day
// does not exist on its day, and to the first whose time comes twice.
func (r *request) clockChanges(rule mailing.Rule, zone *time.Location, sendings []time.Time) []string {
	var notes []string
	told := map[mailing.WallKind]bool{mailing.WallExact: true}
	for _, at := range sendings {
		day := mailing.DateOf(at.In(zone))
		really, kind := mailing.ResolveWall(day, rule.At, zone)
		if told[kind] {
			continue
		}
		told[kind] = true
		switch kind {
		case mailing.WallGap:
			notes = append(notes, r.T("mailings.clock_gap", "date", r.Day(day), "time", rule.At.String(), "real", r.In(zone).Clock(really)))
		case mailing.WallOverlap:
			notes = append(notes, r.T("mailings.clock_overlap", "date", r.Day(day), "time", rule.At.String()))
		}
	}
	return notes
}

// sentenceCase makes the first letter a capital one.
func sentenceCase(words string) string {
	first, size := utf8.DecodeRuneInString(words)
	return string(unicode.ToUpper(first)) + words[size:]
}

// page is the page with its times in the zone of the schedule.
func (d ruleDates) page(p ui.Page) ui.Page {
	if d.printer != nil {
		p.Printer = d.printer
	}
	return p
}

// weekday is the day of the week of a sending, in short.
func (d ruleDates) weekday(p ui.Page, at time.Time) string {
	if d.Zone != nil {
		at = at.In(d.Zone)
	}
	return p.T("weekday.short." + isoWeekday(at.Weekday()))
}

// lead is the schedule in words, also when it is over.
func (d ruleDates) lead(p ui.Page, rule mailing.Rule) string {
	if d.Words != "" {
		return d.Words
	}
	return sentenceCase(p.RuleWords(rule))
}
