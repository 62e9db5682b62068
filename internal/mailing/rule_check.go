package mailing

import "time"

// Check returns nil for a rule that fires at least once, and otherwise Problems
// with all that is wrong, each with the JSON name of its field. Only fields that
// the frequency uses are looked at (see Tidy). The problem that no single field
// is to blame for, rule_never_fires, has no field: all its days are skipped, or
// it ends before its first one, or it waits for the 29th of February in years
// that have none.
func (r Rule) Check() error {
	r = r.Tidy()
	loc, problems := r.inspect()
	if len(problems) > 0 {
		return problems
	}
	for range r.occurrences(time.Time{}, loc) {
		return nil
	}
	return Problems{Fault(Invalid, "rule_never_fires")}
}

// inspect looks at each field of a tidy rule by itself, and returns the rule's
// location when nothing is wrong.
func (r Rule) inspect() (*time.Location, Problems) {
	var p Problems
	r.inspectDay(&p)
	if r.Interval < 0 || r.Interval > MaxRuleInterval {
		p.Add("interval", "interval_out_of_range", "min", 1, "max", MaxRuleInterval)
	}
	inspectDate(&p, "start", r.Start)
	if !r.At.Valid() {
		p.Add("at", "clock_unreadable")
	}
	loc, err := LoadZone(r.Zone)
	if err != nil {
		p.Add("zone", "zone_unknown", "zone", r.Zone)
	}
	r.inspectEnd(&p)
	return loc, p
}

// inspectDay looks at what picks the days.
func (r Rule) inspectDay(p *Problems) {
	switch r.Frequency {
	case Once, Daily:
	case Weekly:
		r.inspectWeekdays(p)
	case Monthly:
		r.inspectMonthDay(p)
	default:
		p.Add("frequency", "frequency_unknown")
	}
}

func (r Rule) inspectWeekdays(p *Problems) {
	if len(r.Weekdays) == 0 {
		p.Add("weekdays", "weekdays_empty")
	}
	for _, day := range r.Weekdays {
		if !knownWeekday(day) {
			p.Add("weekdays", "weekday_unknown")
			return
		}
	}
}

func (r Rule) inspectMonthDay(p *Problems) {
	switch r.MonthlyBy {
	case ByLastDay:
	case ByDay:
		if r.Day < 1 || r.Day > 31 {
			p.Add("day", "day_out_of_range", "min", 1, "max", 31)
		}
		if r.ShortMonth != ShortMonthLastDay && r.ShortMonth != ShortMonthSkip {
			p.Add("short_month", "short_month_unknown")
		}
	case ByWeekday:
		if r.Nth != NthLast && (r.Nth < 1 || r.Nth > 4) {
			p.Add("nth", "nth_out_of_range", "min", 1, "max", 4)
		}
		if !knownWeekday(r.Weekday) {
			p.Add("weekday", "weekday_unknown")
		}
	default:
		p.Add("monthly_by", "monthly_by_unknown")
	}
}

// inspectEnd looks at what takes days away.
func (r Rule) inspectEnd(p *Problems) {
	if !r.Until.IsZero() {
		before := len(*p)
		inspectDate(p, "until", r.Until)
		if len(*p) == before && r.Until.Before(r.Start) {
			p.Add("until", "until_before_start", "start", r.Start.String())
		}
	}
	if r.Count < 0 {
		p.Add("count", "count_negative")
	}
	if r.Count > MaxRuleCount {
		p.Add("count", "count_too_large", "max", MaxRuleCount)
	}
	if len(r.Skip) > MaxRuleSkips {
		p.Add("skip", "skip_too_many", "max", MaxRuleSkips)
	}
	for _, day := range r.Skip {
		if !day.Valid() {
			p.Add("skip", "date_impossible")
			return
		}
	}
}

func inspectDate(p *Problems, field string, d Date) {
	switch {
	case d.IsZero():
		p.Add(field, "date_missing")
	case !d.Valid():
		p.Add(field, "date_impossible")
	case d.Year < MinRuleYear || d.Year > MaxRuleYear:
		p.Add(field, "date_out_of_range", "min", MinRuleYear, "max", MaxRuleYear)
	}
}

func knownWeekday(d time.Weekday) bool { return d >= time.Sunday && d <= time.Saturday }
