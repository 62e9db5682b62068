package mailing

import (
	"slices"
	"time"
)

// Frequency is how often a mailing goes out.
type Frequency string

// The frequencies.
const (
	Once    Frequency = "once"
	Daily   Frequency = "daily"
	Weekly  Frequency = "weekly"
	Monthly Frequency = "monthly"
)

// MonthlyBy is how a monthly rule picks its day.
type MonthlyBy string

// The ways to pick the day of a month.
const (
	ByDay     MonthlyBy = "day"      // by its number, Rule.Day
	ByLastDay MonthlyBy = "last_day" // whichever day is the last
	ByWeekday MonthlyBy = "weekday"  // "2nd Tuesday": Rule.Nth and Rule.Weekday
)

// ShortMonth is what a monthly rule does in a month that does not have its day.
type ShortMonth string

// The policies for short months. The empty one means ShortMonthLastDay.
const (
	ShortMonthLastDay ShortMonth = "last_day" // it goes out on the last day
	ShortMonthSkip    ShortMonth = "skip"     // it does not go out in that month
)

// NthLast is the Nth of the last such weekday of a month.
const NthLast = -1

// The limits of a rule. They are chosen: wide enough for any real mailing,
// narrow enough that every computation ends in milliseconds.
const (
	MinRuleYear     = 1970
	MaxRuleYear     = 2200
	MaxRuleInterval = 366
	MaxRuleCount    = 10_000
	MaxRuleSkips    = 366
)

// Rule says when a mailing goes out: at one time of day in one zone, once or
// again and again. It is counted in wall time, so 09:30 stays 09:30 when the
// clocks change, and the 31st does not drift; ResolveWall then says which
// instant that is. The meaning of the fields is that of RFC 5545, section
// 3.3.10, except for Skip and Count.
//
// A rule is a value without behaviour of its own: nothing in it is a clock, and
// the zero Rule is refused by Check.
type Rule struct {
	Frequency Frequency
	// Interval is every how many days, weeks or months it goes out, counted
	// from Start; 0 means 1. Weeks begin on Monday (ISO 8601).
	Interval int
	// Start is the first day on which it may go out. It goes out on that day
	// only when the day itself fits the rule.
	Start Date
	At    Clock
	Zone  string // an IANA name; see LoadZone

	Weekdays []time.Weekday // weekly: on these days

	MonthlyBy  MonthlyBy    // monthly: how the day is picked
	Day        int          // by day: 1 to 31
	ShortMonth ShortMonth   // by day: where a month is too short for Day
	Nth        int          // by weekday: 1 to 4, or NthLast
	Weekday    time.Weekday // by weekday

	// Until is the last day on which it may go out; zero for no such day.
	Until Date
	// Count is after how many occurrences it ends; 0 for never. One that is
	// missed, or falls into a pause, counts; days that fall out by Skip do not.
	Count int
	// Skip are days on which it does not go out although it would.
	Skip []Date
}

// ShortMonthMatters reports whether some month is too short for the rule, so
// that a page has to say what happens there.
func (r Rule) ShortMonthMatters() bool {
	return r.Frequency == Monthly && r.MonthlyBy == ByDay && r.Day >= 29 && r.Day <= 31
}

// Tidy returns the rule with only those fields set that its frequency uses,
// defaults written out, and Weekdays (from Monday) and Skip sorted and without
// repetitions. It means the same as r, and shares no memory with it. Two rules
// that say the same in the same words are equal after it.
func (r Rule) Tidy() Rule {
	tidy := Rule{Frequency: r.Frequency, Start: r.Start, At: r.At, Zone: r.Zone}
	if r.Frequency == Once {
		return tidy
	}
	tidy.Interval = r.Interval
	if r.Interval == 0 {
		tidy.Interval = 1
	}
	tidy.Until, tidy.Count = r.Until, r.Count
	tidy.Skip = sortedUnique(r.Skip, Date.Compare)
	switch r.Frequency {
	case Weekly:
		tidy.Weekdays = sortedUnique(r.Weekdays, func(a, b time.Weekday) int {
			return sinceMonday(a) - sinceMonday(b)
		})
	case Monthly:
		tidy.MonthlyBy = r.MonthlyBy
		tidy.tidyMonthDay(r)
	}
	return tidy
}

func (r *Rule) tidyMonthDay(from Rule) {
	switch from.MonthlyBy {
	case ByDay:
		r.Day, r.ShortMonth = from.Day, from.ShortMonth
		if r.ShortMonth == "" {
			r.ShortMonth = ShortMonthLastDay
		}
	case ByWeekday:
		r.Nth, r.Weekday = from.Nth, from.Weekday
	}
}

// sortedUnique returns a sorted copy without repetitions, nil for an empty one.
func sortedUnique[T comparable](list []T, compare func(a, b T) int) []T {
	if len(list) == 0 {
		return nil
	}
	sorted := slices.SortedFunc(slices.Values(list), compare)
	return slices.Compact(sorted)
}

// sinceMonday returns how many days d is after Monday, 0 to 6.
func sinceMonday(d time.Weekday) int { return (int(d) + 6) % 7 }
