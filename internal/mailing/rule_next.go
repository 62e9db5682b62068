package mailing

import (
	"iter"
	"time"

	"github.com/teambition/rrule-go"
)

// Next returns the first time the rule fires strictly after the given instant,
// in UTC, and false when it does not fire any more or when Check refuses it.
// It costs the same however long ago the rule began, except where Count is set:
// then the sendings have to be counted from the first one on.
func (r Rule) Next(after time.Time) (time.Time, bool) {
	for at := range r.after(after) {
		return at, true
	}
	return time.Time{}, false
}

// Occurrences returns the next n times the rule fires strictly after the given
// instant, in UTC and in order; fewer when it ends before, none when Check
// refuses it.
func (r Rule) Occurrences(after time.Time, n int) []time.Time {
	var list []time.Time
	for at := range r.after(after) {
		if len(list) >= n {
			break
		}
		list = append(list, at)
	}
	return list
}

// Missed returns how many times the rule fired after the first instant and up
// to and including now, and the last of those times, in UTC. Without any, last
// is the zero time.
func (r Rule) Missed(after, now time.Time) (last time.Time, n int) {
	for at := range r.after(after) {
		if at.After(now) {
			break
		}
		last = at
		n++
	}
	return last, n
}

// after yields every time a rule fires after the given instant, and nothing
// when the rule cannot be used.
func (r Rule) after(after time.Time) iter.Seq[time.Time] {
	tidy := r.Tidy()
	loc, problems := tidy.inspect()
	if len(problems) > 0 {
		return func(func(time.Time) bool) {}
	}
	return tidy.occurrences(after, loc)
}

// occurrences yields every time a tidy, inspected rule fires after the given
// instant, in order.
func (r Rule) occurrences(after time.Time, loc *time.Location) iter.Seq[time.Time] {
	skip := make(map[Date]bool, len(r.Skip))
	for _, day := range r.Skip {
		skip[day] = true
	}
	return func(yield func(time.Time) bool) {
		var last time.Time
		sent := 0
		for day := range r.days(DateOf(after.In(loc))) {
			if skip[day] {
				continue
			}
			at, _ := ResolveWall(day, r.At, loc)
			if at.Equal(last) {
				// The whole day between is in one gap: Pacific/Apia went from
				// the 29th to the 31st of December 2011.
				continue
			}
			last = at
			if at.After(after) && !yield(at.UTC()) {
				return
			}
			sent++
			if sent == r.Count {
				return
			}
		}
	}
}

// days yields the days on which a tidy, inspected rule fires if no day is
// skipped and nothing is counted: all those from the given day on, and maybe
// some before it.
//
// That is enough for all instants after t when from is the day of t on the
// wall: a wall time at or before the one that t shows has been reached by t.
func (r Rule) days(from Date) iter.Seq[Date] {
	return func(yield func(Date) bool) {
		if r.Frequency == Once {
			yield(r.Start)
			return
		}
		end := r.lastDay()
		if end.Before(from) {
			return
		}
		option := r.option(r.rejoin(from))
		option.Until = end.midnight()
		recurrence, err := rrule.NewRRule(option)
		if err != nil {
			panic("mailing: an inspected rule is refused: " + err.Error())
		}
		next := recurrence.Iterator()
		for wall, ok := next(); ok; wall, ok = next() {
			if !yield(DateOf(wall)) {
				return
			}
		}
	}
}

// lastDay returns the last day on which the rule may fire.
func (r Rule) lastDay() Date {
	if r.Until.IsZero() {
		return Date{Year: MaxRuleYear, Month: time.December, Day: 31}
	}
	return r.Until
}

// option puts the rule into the words of RFC 5545. Floating time, labelled UTC,
// keeps the library away from zones: what it does in a gap is not what we do.
// It counts in days; the time of day is the same on all of them.
func (r Rule) option(start Date) rrule.ROption {
	option := rrule.ROption{Dtstart: start.midnight(), Interval: r.Interval, Wkst: rrule.MO}
	switch r.Frequency {
	case Daily:
		option.Freq = rrule.DAILY
	case Weekly:
		option.Freq = rrule.WEEKLY
		for _, day := range r.Weekdays {
			option.Byweekday = append(option.Byweekday, recurrenceDay(day))
		}
	case Monthly:
		option.Freq = rrule.MONTHLY
		r.addMonthDay(&option)
	}
	return option
}

func (r Rule) addMonthDay(option *rrule.ROption) {
	switch {
	case r.MonthlyBy == ByLastDay:
		option.Bymonthday = []int{-1}
	case r.MonthlyBy == ByWeekday:
		day := recurrenceDay(r.Weekday)
		option.Byweekday = []rrule.Weekday{day.Nth(r.Nth)}
	case r.ShortMonthMatters() && r.ShortMonth == ShortMonthLastDay:
		// Every month has a 28th. Of the days from there to the wanted one, the
		// last that the month has is the wanted one or the month's last.
		for day := 28; day <= r.Day; day++ {
			option.Bymonthday = append(option.Bymonthday, day)
		}
		option.Bysetpos = []int{-1}
	default:
		option.Bymonthday = []int{r.Day}
	}
}

func recurrenceDay(d time.Weekday) rrule.Weekday {
	monday := [7]rrule.Weekday{rrule.MO, rrule.TU, rrule.WE, rrule.TH, rrule.FR, rrule.SA, rrule.SU}
	return monday[sinceMonday(d)]
}

// rejoin returns a day from which the recurrence can be computed as well as
// from Start, but without the years between Start and from: a whole number of
// intervals after Start, at or before from. With Count it is Start itself.
func (r Rule) rejoin(from Date) Date {
	if r.Count > 0 || !r.Start.Before(from) {
		return r.Start
	}
	switch r.Frequency {
	case Weekly:
		monday := r.Start.AddDays(-sinceMonday(r.Start.Weekday()))
		rest := monday.daysUntil(from) % (7 * r.Interval)
		return later(r.Start, from.AddDays(-rest))
	case Monthly:
		months := 12*(from.Year-r.Start.Year) + int(from.Month-r.Start.Month)
		first := time.Date(from.Year, from.Month-time.Month(months%r.Interval), 1, 0, 0, 0, 0, time.UTC)
		return later(r.Start, DateOf(first))
	default:
		return from.AddDays(-(r.Start.daysUntil(from) % r.Interval))
	}
}

func later(a, b Date) Date {
	if a.Before(b) {
		return b
	}
	return a
}
