package i18n

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"vestnik/internal/mailing"
)

// mostSkipsNamed is how many skipped days are named; of more only their number
// is. Chosen: three dates still read as one sentence.
const mostSkipsNamed = 3

// RuleWords says when a mailing goes out: "каждый вторник и каждую пятницу в
// 10:00 (Москва), всего 10 раз". It has no capital letter and no full stop. The
// rule is one that Check accepts.
func (p *Printer) RuleWords(rule mailing.Rule) string {
	rule = rule.Tidy()
	at := p.T("rule.at", "time", rule.At.String(), "zone", p.Zone(rule.Zone))
	words := p.rhythm(rule) + " " + at
	if rule.Interval > 1 {
		words += ", " + p.from(rule.Start)
	}
	if !rule.Until.IsZero() {
		words += ", " + p.T("rule.until", "date", p.Day(rule.Until))
	}
	if rule.Count > 0 {
		words += ", " + p.N("rule.times", int64(rule.Count))
	}
	if len(rule.Skip) > 0 {
		words += ", " + p.skipped(rule.Skip)
	}
	return words
}

// RuleRhythm says on which days a mailing goes out, for a narrow column: "каждый
// вторник и каждую пятницу". The rule is one that Check accepts.
func (p *Printer) RuleRhythm(rule mailing.Rule) string {
	return strings.TrimSuffix(p.rhythm(rule.Tidy()), ",")
}

// from says from which day it counts. In Russian the second of a month takes
// another preposition: "с 3 марта", but "со 2 марта".
func (p *Printer) from(start mailing.Date) string {
	if start.Day == 2 {
		return p.T("rule.from_second", "date", p.Day(start))
	}
	return p.T("rule.from", "date", p.Day(start))
}

// rhythm says on which days, without the time.
func (p *Printer) rhythm(rule mailing.Rule) string {
	switch rule.Frequency {
	case mailing.Once:
		return p.T("rule.once", "date", p.Day(rule.Start))
	case mailing.Weekly:
		return p.weekly(rule)
	case mailing.Monthly:
		return p.monthly(rule)
	}
	if rule.Interval > 1 {
		return p.N("rule.every_days", int64(rule.Interval))
	}
	return p.T("rule.every_day")
}

func (p *Printer) weekly(rule mailing.Rule) string {
	if rule.Interval > 1 {
		var days []string
		for _, d := range rule.Weekdays {
			days = append(days, p.T("weekday.on."+number(d)))
		}
		return p.T("rule.weeks_on", "rhythm", p.N("rule.every_weeks", int64(rule.Interval)), "days", p.list(days))
	}
	switch {
	case len(rule.Weekdays) == 7:
		return p.T("rule.every_day")
	case slices.Equal(rule.Weekdays, workdays()):
		return p.T("rule.every_workday")
	}
	return p.everyWeekday(rule.Weekdays)
}

// everyWeekday repeats "каждый" wherever the gender changes: "каждый
// понедельник и вторник", but "каждый вторник и каждую среду".
func (p *Printer) everyWeekday(weekdays []time.Weekday) string {
	var days []string
	before := ""
	for _, d := range weekdays {
		name := p.T("weekday.every." + number(d))
		each := p.T("rule.each." + p.gender(d))
		if each != before {
			name = each + " " + name
		}
		before = each
		days = append(days, name)
	}
	return p.list(days)
}

func (p *Printer) monthly(rule mailing.Rule) string {
	months := p.T("rule.every_month")
	if rule.Interval > 1 {
		months = p.N("rule.every_months", int64(rule.Interval))
	}
	switch rule.MonthlyBy {
	case mailing.ByLastDay:
		return p.T("rule.on_last_day", "rhythm", months)
	case mailing.ByWeekday:
		return p.monthlyByWeekday(rule, months)
	}
	words := p.T("rule.on_day", "rhythm", months, "day", p.dayOfMonth(rule.Day))
	if rule.ShortMonthMatters() {
		words += " " + p.T("rule.short_month."+string(rule.ShortMonth))
	}
	return words
}

func (p *Printer) monthlyByWeekday(rule mailing.Rule, months string) string {
	place := strconv.Itoa(rule.Nth)
	if rule.Nth == mailing.NthLast {
		place = "last"
	}
	gender := p.gender(rule.Weekday)
	nth := p.T("rule.nth." + place + "." + gender)
	weekday := p.T("weekday.every." + number(rule.Weekday))
	if rule.Interval > 1 {
		return p.T("rule.on_nth_weekday", "rhythm", months, "on", p.T("rule.on_nth."+place), "nth", nth, "weekday", weekday)
	}
	return p.T("rule.every_nth_weekday", "each", p.T("rule.each."+gender), "nth", nth, "weekday", weekday)
}

// dayOfMonth writes the number of a day as people say it: "31-го", "31st".
func (p *Printer) dayOfMonth(n int) string {
	digits := strconv.Itoa(n)
	if p.lang == Russian {
		return digits + "-го"
	}
	if n/10 != 1 && n%10 >= 1 && n%10 <= 3 {
		return digits + []string{"st", "nd", "rd"}[n%10-1]
	}
	return digits + "th"
}

func (p *Printer) skipped(days []mailing.Date) string {
	if len(days) > mostSkipsNamed {
		return p.N("rule.except_days", int64(len(days)))
	}
	var names []string
	for _, d := range days {
		names = append(names, p.Day(d))
	}
	return p.T("rule.except", "days", p.list(names))
}

// list joins words: "а, б и в".
func (p *Printer) list(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return p.T("list.and", "before", strings.Join(words[:last], ", "), "last", words[last])
}

// gender is the grammatical gender of a weekday, m, f or n: what agrees with
// it has a text for each. In English all three texts are the same.
func (p *Printer) gender(d time.Weekday) string {
	switch d {
	case time.Wednesday, time.Friday, time.Saturday:
		return "f" // среда, пятница, суббота
	case time.Sunday:
		return "n" // воскресенье
	}
	return "m"
}

// number counts weekdays as ISO 8601 does: Monday is 1, Sunday 7.
func number(d time.Weekday) string { return strconv.Itoa((int(d)+6)%7 + 1) }

func workdays() []time.Weekday {
	return []time.Weekday{time.Monday, time.Tuesday, time.Wednesday, time.Thursday, time.Friday}
}
