package mailing

import (
	"encoding/json"
	"strings"
	"time"
)

// ruleJSON is how a rule is stored. The names are those of the problems' fields, and they are kept for good: there are rules in
// databases with them.
type ruleJSON struct {
	Frequency  Frequency     `json:"frequency"`
	Interval   int           `json:"interval,omitzero"`
	Start      Date          `json:"start"`
	At         Clock         `json:"at"`
	Zone       string        `json:"zone"`
	Weekdays   []weekdayName `json:"weekdays,omitempty"`
	MonthlyBy  MonthlyBy     `json:"monthly_by,omitempty"`
	Day        int           `json:"day,omitzero"`
	ShortMonth ShortMonth    `json:"short_month,omitempty"`
	Nth        int           `json:"nth,omitzero"`
	Weekday    *weekdayName  `json:"weekday,omitempty"`
	Until      Date          `json:"until,omitzero"`
	Count      int           `json:"count,omitzero"`
	Skip       []Date        `json:"skip,omitempty"`
}

// MarshalJSON writes the rule as an object with days as "2026-11-23", times as
// "09:30" and weekdays as "monday". Fields at their zero value are left out. A
// date, time or weekday that does not exist is an error.
func (r Rule) MarshalJSON() ([]byte, error) {
	stored := ruleJSON{
		Frequency: r.Frequency, Interval: r.Interval, Start: r.Start, At: r.At, Zone: r.Zone,
		MonthlyBy: r.MonthlyBy, Day: r.Day, ShortMonth: r.ShortMonth, Nth: r.Nth,
		Until: r.Until, Count: r.Count, Skip: r.Skip,
	}
	for _, day := range r.Weekdays {
		stored.Weekdays = append(stored.Weekdays, weekdayName(day))
	}
	if r.MonthlyBy == ByWeekday || r.Weekday != time.Sunday {
		stored.Weekday = (*weekdayName)(&r.Weekday)
	}
	return json.Marshal(stored)
}

// UnmarshalJSON reads what MarshalJSON writes. It refuses dates, times and
// weekdays that do not exist, with the code of the first; all else that may be
// wrong with a rule is for Check to say. The whole rule is replaced.
func (r *Rule) UnmarshalJSON(data []byte) error {
	var stored ruleJSON
	if err := json.Unmarshal(data, &stored); err != nil {
		return err
	}
	*r = Rule{
		Frequency: stored.Frequency, Interval: stored.Interval,
		Start: stored.Start, At: stored.At, Zone: stored.Zone,
		MonthlyBy: stored.MonthlyBy, Day: stored.Day, ShortMonth: stored.ShortMonth, Nth: stored.Nth,
		Until: stored.Until, Count: stored.Count, Skip: stored.Skip,
	}
	for _, day := range stored.Weekdays {
		r.Weekdays = append(r.Weekdays, time.Weekday(day))
	}
	if stored.Weekday != nil {
		r.Weekday = time.Weekday(*stored.Weekday)
	}
	return nil
}

// weekdayName is a weekday that is written as its English name in lower case.
type weekdayName time.Weekday

// MarshalText writes "monday".
func (d weekdayName) MarshalText() ([]byte, error) {
	if !knownWeekday(time.Weekday(d)) {
		return nil, Fault(Invalid, "weekday_unknown")
	}
	return []byte(strings.ToLower(time.Weekday(d).String())), nil
}

// UnmarshalText reads "monday".
func (d *weekdayName) UnmarshalText(text []byte) error {
	for day := time.Sunday; day <= time.Saturday; day++ {
		if string(text) == strings.ToLower(day.String()) {
			*d = weekdayName(day)
			return nil
		}
	}
	return Fault(Invalid, "weekday_unknown")
}
