package mailing_test

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"vestnik/internal/mailing"
)

// rule makes a rule that starts at a wall time such as "2026-01-31 09:30".
func rule(t testing.TB, frequency mailing.Frequency, start, zone string, change ...func(*mailing.Rule)) mailing.Rule {
	t.Helper()
	r := mailing.Rule{Frequency: frequency, Start: date(t, start[:10]), At: clock(t, start[11:]), Zone: zone}
	for _, c := range change {
		c(&r)
	}
	return r
}

func every(n int) func(*mailing.Rule)    { return func(r *mailing.Rule) { r.Interval = n } }
func counting(n int) func(*mailing.Rule) { return func(r *mailing.Rule) { r.Count = n } }

func on(days ...time.Weekday) func(*mailing.Rule) {
	return func(r *mailing.Rule) { r.Weekdays = days }
}

func onDay(day int, short mailing.ShortMonth) func(*mailing.Rule) {
	return func(r *mailing.Rule) { r.MonthlyBy, r.Day, r.ShortMonth = mailing.ByDay, day, short }
}

func onNth(nth int, day time.Weekday) func(*mailing.Rule) {
	return func(r *mailing.Rule) { r.MonthlyBy, r.Nth, r.Weekday = mailing.ByWeekday, nth, day }
}

func onLastDay(r *mailing.Rule) { r.MonthlyBy = mailing.ByLastDay }

func until(t testing.TB, day string) func(*mailing.Rule) {
	return func(r *mailing.Rule) { r.Until = date(t, day) }
}

func skipping(t testing.TB, days ...string) func(*mailing.Rule) {
	return func(r *mailing.Rule) {
		for _, day := range days {
			r.Skip = append(r.Skip, date(t, day))
		}
	}
}

// instant reads an RFC 3339 time; the empty text is the beginning of time.
func instant(t testing.TB, text string) time.Time {
	t.Helper()
	if text == "" {
		return time.Time{}
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// shown lists times as the clocks in the zone show them.
func shown(list []time.Time, loc *time.Location) []string {
	var texts []string
	for _, at := range list {
		texts = append(texts, at.In(loc).Format("2006-01-02 15:04"))
	}
	return texts
}

func TestOccurrences(t *testing.T) {
	const berlin, moscow = "Europe/Berlin", "Europe/Moscow"
	for _, tc := range []struct {
		name  string
		rule  mailing.Rule
		after string // "" for before all
		n     int
		want  string // wall times in the rule's zone
	}{
		{
			"once is once", rule(t, mailing.Once, "2026-11-23 09:30", berlin), "", 3,
			"2026-11-23 09:30",
		},
		{
			"once in a gap goes out after it", rule(t, mailing.Once, "2026-03-29 02:30", berlin), "", 3,
			"2026-03-29 03:00",
		},
		{
			"once is over after its time", rule(t, mailing.Once, "2026-11-23 09:30", berlin), "2026-11-23T08:30:00Z", 3,
			"",
		},
		{
			"daily keeps its wall time over a gap and goes out in it once", rule(t, mailing.Daily, "2026-03-28 02:30", berlin), "", 4,
			"2026-03-28 02:30,2026-03-29 03:00,2026-03-30 02:30,2026-03-31 02:30",
		},
		{
			"daily goes out once in an overlap", rule(t, mailing.Daily, "2026-10-24 02:30", berlin), "", 4,
			"2026-10-24 02:30,2026-10-25 02:30,2026-10-26 02:30,2026-10-27 02:30",
		},
		{
			"asked between both times of an overlap the day is done", rule(t, mailing.Daily, "2026-10-24 02:30", berlin), "2026-10-25T01:00:00Z", 1,
			"2026-10-26 02:30",
		},
		{
			"every second day counts from the start", rule(t, mailing.Daily, "2026-02-27 09:30", moscow, every(2)), "2026-03-01T12:00:00Z", 3,
			"2026-03-03 09:30,2026-03-05 09:30,2026-03-07 09:30",
		},
		{
			"a midnight gap in Sao Paulo is the same day", rule(t, mailing.Daily, "2018-11-03 00:00", "America/Sao_Paulo"), "", 3,
			"2018-11-03 00:00,2018-11-04 01:00,2018-11-05 00:00",
		},
		{
			"a midnight gap in Cairo is the same day", rule(t, mailing.Daily, "2026-04-23 00:30", "Africa/Cairo"), "", 3,
			"2026-04-23 00:30,2026-04-24 01:00,2026-04-25 00:30",
		},
		{
			"a gap of half an hour on Lord Howe", rule(t, mailing.Daily, "2026-10-03 02:10", "Australia/Lord_Howe"), "", 3,
			"2026-10-03 02:10,2026-10-04 02:30,2026-10-05 02:10",
		},
		{
			"an overlap of half an hour on Lord Howe", rule(t, mailing.Daily, "2026-04-04 01:45", "Australia/Lord_Howe"), "", 3,
			"2026-04-04 01:45,2026-04-05 01:45,2026-04-06 01:45",
		},
		{
			"an offset of 5:45", rule(t, mailing.Daily, "2026-11-23 00:15", "Asia/Kathmandu"), "2026-11-23T18:29:59Z", 2,
			"2026-11-24 00:15,2026-11-25 00:15",
		},
		{
			"the day that Apia lacks goes out with the next, and not twice", rule(t, mailing.Daily, "2011-12-29 00:00", "Pacific/Apia"), "", 3,
			"2011-12-29 00:00,2011-12-31 00:00,2012-01-01 00:00",
		},
		{
			"both in one gap count as one sending", rule(t, mailing.Daily, "2011-12-29 00:00", "Pacific/Apia", counting(3)), "", 9,
			"2011-12-29 00:00,2011-12-31 00:00,2012-01-01 00:00",
		},
		{
			"a Friday that Apia lacks goes out at the first instant of Saturday", rule(t, mailing.Weekly, "2011-12-20 09:30", "Pacific/Apia", on(time.Friday)), "", 3,
			"2011-12-23 09:30,2011-12-31 00:00,2012-01-06 09:30",
		},
		{
			"weekly goes on over the end of the year", rule(t, mailing.Weekly, "2026-12-21 09:30", moscow, on(time.Monday, time.Sunday)), "", 5,
			"2026-12-21 09:30,2026-12-27 09:30,2026-12-28 09:30,2027-01-03 09:30,2027-01-04 09:30",
		},
		{
			"every second week begins on Monday", rule(t, mailing.Weekly, "2026-12-23 09:30", moscow, every(2), on(time.Sunday, time.Monday, time.Thursday)), "", 5,
			"2026-12-24 09:30,2026-12-27 09:30,2027-01-04 09:30,2027-01-07 09:30,2027-01-10 09:30",
		},
		{
			"weekly starts on the first day that fits", rule(t, mailing.Weekly, "2026-11-23 09:30", moscow, on(time.Friday)), "", 2,
			"2026-11-27 09:30,2026-12-04 09:30",
		},
		{
			"monthly on the 31st does not drift", rule(t, mailing.Monthly, "2027-01-31 09:30", moscow, onDay(31, "")), "", 6,
			"2027-01-31 09:30,2027-02-28 09:30,2027-03-31 09:30,2027-04-30 09:30,2027-05-31 09:30,2027-06-30 09:30",
		},
		{
			"monthly on the 31st may leave out short months", rule(t, mailing.Monthly, "2027-01-31 09:30", moscow, onDay(31, mailing.ShortMonthSkip)), "", 4,
			"2027-01-31 09:30,2027-03-31 09:30,2027-05-31 09:30,2027-07-31 09:30",
		},
		{
			"monthly on the 30th is shortened in February only", rule(t, mailing.Monthly, "2028-01-30 09:30", moscow, onDay(30, mailing.ShortMonthLastDay)), "", 3,
			"2028-01-30 09:30,2028-02-29 09:30,2028-03-30 09:30",
		},
		{
			"monthly on the 29th goes out on the 28th of most Februaries", rule(t, mailing.Monthly, "2027-02-01 09:30", moscow, onDay(29, "")), "", 2,
			"2027-02-28 09:30,2027-03-29 09:30",
		},
		{
			"monthly starts in the next month when its day is over", rule(t, mailing.Monthly, "2026-11-23 09:30", moscow, onDay(15, "")), "", 2,
			"2026-12-15 09:30,2027-01-15 09:30",
		},
		{
			"every second month counts from the start", rule(t, mailing.Monthly, "2026-11-10 09:30", moscow, every(2), onDay(15, "")), "2026-12-01T00:00:00Z", 3,
			"2027-01-15 09:30,2027-03-15 09:30,2027-05-15 09:30",
		},
		{
			"the 29th of February comes every four years", rule(t, mailing.Monthly, "2024-02-29 09:30", moscow, every(12), onDay(29, mailing.ShortMonthSkip)), "", 3,
			"2024-02-29 09:30,2028-02-29 09:30,2032-02-29 09:30",
		},
		{
			"and it stays out in 2100", rule(t, mailing.Monthly, "2024-02-29 09:30", moscow, every(12), onDay(29, mailing.ShortMonthSkip)), "2096-03-01T00:00:00Z", 1,
			"2104-02-29 09:30",
		},
		{
			"the 29th of February may move to the 28th", rule(t, mailing.Monthly, "2024-02-29 09:30", moscow, every(12), onDay(29, mailing.ShortMonthLastDay)), "2026-01-01T00:00:00Z", 3,
			"2026-02-28 09:30,2027-02-28 09:30,2028-02-29 09:30",
		},
		{
			"the last day of every month", rule(t, mailing.Monthly, "2027-12-01 09:30", moscow, onLastDay), "", 4,
			"2027-12-31 09:30,2028-01-31 09:30,2028-02-29 09:30,2028-03-31 09:30",
		},
		{
			"the second Tuesday", rule(t, mailing.Monthly, "2026-11-11 09:30", moscow, onNth(2, time.Tuesday)), "", 3,
			"2026-12-08 09:30,2027-01-12 09:30,2027-02-09 09:30",
		},
		{
			"the last Friday", rule(t, mailing.Monthly, "2026-11-01 09:30", moscow, onNth(mailing.NthLast, time.Friday)), "", 4,
			"2026-11-27 09:30,2026-12-25 09:30,2027-01-29 09:30,2027-02-26 09:30",
		},
		{
			"the last Sunday meets both changes of the clock", rule(t, mailing.Monthly, "2026-03-01 02:30", berlin, every(7), onNth(mailing.NthLast, time.Sunday)), "", 2,
			"2026-03-29 03:00,2026-10-25 02:30",
		},
		{
			"until is inclusive", rule(t, mailing.Daily, "2026-11-23 23:30", "America/New_York", until(t, "2026-11-25")), "", 9,
			"2026-11-23 23:30,2026-11-24 23:30,2026-11-25 23:30",
		},
		{
			"until is a day of the rule, also where a gap moves it to the next", rule(t, mailing.Daily, "2026-03-27 23:30", "America/Nuuk", until(t, "2026-03-28")), "", 9,
			"2026-03-27 23:30,2026-03-29 00:00",
		},
		{
			"on the last day itself it still goes out", rule(t, mailing.Daily, "2026-11-23 23:30", "America/New_York", until(t, "2026-11-25")), "2026-11-26T04:29:59Z", 9,
			"2026-11-25 23:30",
		},
		{
			"after the last one on the last day nothing comes", rule(t, mailing.Daily, "2026-11-23 23:30", "America/New_York", until(t, "2026-11-25")), "2026-11-26T04:30:00Z", 9,
			"",
		},
		{
			"count ends it", rule(t, mailing.Weekly, "2026-11-23 09:30", moscow, on(time.Monday), counting(2)), "", 9,
			"2026-11-23 09:30,2026-11-30 09:30",
		},
		{
			"count is counted from the start, not from now", rule(t, mailing.Daily, "2026-11-23 09:30", moscow, counting(5)), "2026-11-26T06:30:00Z", 9,
			"2026-11-27 09:30",
		},
		{
			"skipped days fall out", rule(t, mailing.Daily, "2026-12-30 09:30", moscow, skipping(t, "2027-01-01", "2026-12-31")), "", 2,
			"2026-12-30 09:30,2027-01-02 09:30",
		},
		{
			"skipped days do not count", rule(t, mailing.Daily, "2026-12-30 09:30", moscow, counting(3), skipping(t, "2026-12-31")), "", 9,
			"2026-12-30 09:30,2027-01-01 09:30,2027-01-02 09:30",
		},
		{
			"until and count end it with the earlier of both", rule(t, mailing.Daily, "2026-11-23 09:30", moscow, counting(3), until(t, "2026-11-24")), "", 9,
			"2026-11-23 09:30,2026-11-24 09:30",
		},
		{
			"what another frequency left behind does not matter to once", rule(t, mailing.Once, "2026-11-23 09:30", moscow, until(t, "2020-01-01"), skipping(t, "2026-11-23"), every(-1)), "", 9,
			"2026-11-23 09:30",
		},
		{
			"the calendar ends with the year 2200", rule(t, mailing.Daily, "2026-11-23 09:30", moscow), "2200-12-30T00:00:00Z", 9,
			"2200-12-30 09:30,2200-12-31 09:30",
		},
		{
			"nothing comes after the calendar", rule(t, mailing.Daily, "2026-11-23 09:30", moscow), "9999-12-30T00:00:00Z", 9,
			"",
		},
		{
			"nothing is asked, nothing comes", rule(t, mailing.Daily, "2026-11-23 09:30", moscow), "", 0,
			"",
		},
		{
			"a rule that Check refuses never fires", rule(t, mailing.Weekly, "2026-11-23 09:30", moscow), "", 9,
			"",
		},
		{
			"nor does one without a zone", rule(t, mailing.Daily, "2026-11-23 09:30", ""), "", 9,
			"",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			loc, err := mailing.LoadZone(tc.rule.Zone)
			if err != nil {
				loc = time.UTC
			}
			after := instant(t, tc.after)
			list := tc.rule.Occurrences(after, tc.n)
			if got := strings.Join(shown(list, loc), ","); got != tc.want {
				t.Errorf("got  %s\nwant %s", got, tc.want)
			}
			checkSteps(t, tc.rule, after, list)
		})
	}
}

// checkSteps compares a list with what Next says step by step.
func checkSteps(t *testing.T, r mailing.Rule, after time.Time, list []time.Time) {
	t.Helper()
	for i, want := range list {
		at, ok := r.Next(after)
		if !ok || at != want {
			t.Fatalf("step %d: Next(%v) is %v, %v, but Occurrences says %v", i, after, at, ok, want)
		}
		if at.Location() != time.UTC || !at.After(after) {
			t.Fatalf("step %d: Next(%v) is %v", i, after, at)
		}
		after = at
	}
}

func TestNext(t *testing.T) {
	r := rule(t, mailing.Daily, "2026-11-23 09:30", "Europe/Moscow")
	at := instant(t, "2026-11-23T06:30:00Z")
	t.Run("it is strictly after", func(t *testing.T) {
		if got, ok := r.Next(at); !ok || !got.Equal(at.Add(24*time.Hour)) {
			t.Errorf("got %v, %v", got, ok)
		}
		if got, ok := r.Next(at.Add(-time.Nanosecond)); !ok || !got.Equal(at) {
			t.Errorf("got %v, %v", got, ok)
		}
	})
	t.Run("it does not depend on the zone it is asked in", func(t *testing.T) {
		tokyo := zone(t, "Asia/Tokyo")
		got, ok := r.Next(at.In(tokyo))
		if !ok || !got.Equal(at.Add(24*time.Hour)) || got.Location() != time.UTC {
			t.Errorf("got %v, %v", got, ok)
		}
	})
	t.Run("it changes neither the rule nor its lists", func(t *testing.T) {
		r := rule(t, mailing.Weekly, "2026-11-23 09:30", "Europe/Moscow",
			on(time.Sunday, time.Monday), skipping(t, "2026-12-06", "2026-11-30"))
		weekdays, skip := slices.Clone(r.Weekdays), slices.Clone(r.Skip)
		r.Next(at)
		if !slices.Equal(r.Weekdays, weekdays) || !slices.Equal(r.Skip, skip) {
			t.Errorf("it is now %+v", r)
		}
	})
	t.Run("a rule that has ended says so", func(t *testing.T) {
		r := rule(t, mailing.Daily, "2026-11-23 09:30", "Europe/Moscow", counting(1))
		if got, ok := r.Next(at); ok || !got.IsZero() {
			t.Errorf("got %v, %v", got, ok)
		}
	})
}

func TestMissed(t *testing.T) {
	r := rule(t, mailing.Daily, "2026-11-23 09:30", "Europe/Moscow")
	for _, tc := range []struct {
		name, after, now, last string
		n                      int
	}{
		{"nothing was missed", "2026-11-23T06:30:00Z", "2026-11-24T06:29:59Z", "", 0},
		{"what is due now counts", "2026-11-23T06:30:00Z", "2026-11-24T06:30:00Z", "2026-11-24T06:30:00Z", 1},
		{"a week off is seven, and the last of them", "2026-11-23T06:30:00Z", "2026-11-30T23:00:00Z", "2026-11-30T06:30:00Z", 7},
		{"now before after is nothing", "2026-11-30T06:30:00Z", "2026-11-24T06:30:00Z", "", 0},
		{"a hundred years are counted to the day", "2026-11-23T06:30:00Z", "2126-11-23T06:30:00Z", "2126-11-23T06:30:00Z", 36524},
	} {
		t.Run(tc.name, func(t *testing.T) {
			last, n := r.Missed(instant(t, tc.after), instant(t, tc.now))
			if !last.Equal(instant(t, tc.last)) || n != tc.n {
				t.Errorf("got %v and %d, want %s and %d", last, n, tc.last, tc.n)
			}
		})
	}
}

func TestCheck(t *testing.T) {
	daily := func(change func(*mailing.Rule)) mailing.Rule {
		return rule(t, mailing.Daily, "2026-11-23 09:30", "Europe/Moscow", change)
	}
	monthly := func(change func(*mailing.Rule)) mailing.Rule {
		return rule(t, mailing.Monthly, "2026-11-23 09:30", "Europe/Moscow", change)
	}
	for _, tc := range []struct {
		name string
		rule mailing.Rule
		want string // "field code" of every problem
	}{
		{"a good one", daily(every(1)), ""},
		{"the zero rule", mailing.Rule{}, "frequency frequency_unknown,start date_missing,zone zone_unknown"},
		{"an unknown frequency", daily(func(r *mailing.Rule) { r.Frequency = "hourly" }), "frequency frequency_unknown"},
		{"an interval below one", daily(every(-1)), "interval interval_out_of_range"},
		{"an interval above the limit", daily(every(367)), "interval interval_out_of_range"},
		{"the longest interval", daily(every(366)), ""},
		{"a start that does not exist", daily(func(r *mailing.Rule) { r.Start = mailing.Date{Year: 2026, Month: 2, Day: 30} }), "start date_impossible"},
		{"a start too early", daily(func(r *mailing.Rule) { r.Start = date(t, "1969-12-31") }), "start date_out_of_range"},
		{"a start too late", daily(func(r *mailing.Rule) { r.Start = date(t, "2201-01-01") }), "start date_out_of_range"},
		{"the last start", daily(func(r *mailing.Rule) { r.Start = date(t, "2200-12-31") }), ""},
		{"a time that does not exist", daily(func(r *mailing.Rule) { r.At.Hour = 24 }), "at clock_unreadable"},
		{"a zone that does not exist", daily(func(r *mailing.Rule) { r.Zone = "Europe/Atlantis" }), "zone zone_unknown"},
		{"the machine's own zone", daily(func(r *mailing.Rule) { r.Zone = "Local" }), "zone zone_unknown"},
		{"no zone", daily(func(r *mailing.Rule) { r.Zone = "" }), "zone zone_unknown"},
		{"an end before the start", daily(until(t, "2026-11-22")), "until until_before_start"},
		{"an end on the day of the start", daily(until(t, "2026-11-23")), ""},
		{"an end that does not exist", daily(func(r *mailing.Rule) { r.Until = mailing.Date{Year: 2027, Month: 2, Day: 29} }), "until date_impossible"},
		{"an end too late", daily(until(t, "2201-01-01")), "until date_out_of_range"},
		{"a count below none", daily(counting(-1)), "count count_negative"},
		{"a count above the limit", daily(counting(10_001)), "count count_too_large"},
		{"the largest count", daily(counting(10_000)), ""},
		{"a day to skip that does not exist", daily(func(r *mailing.Rule) { r.Skip = []mailing.Date{{Year: 2027, Month: 2, Day: 29}} }), "skip date_impossible"},
		{"a day to skip that is none", daily(func(r *mailing.Rule) { r.Skip = []mailing.Date{{}} }), "skip date_impossible"},
		{"too many days to skip", daily(func(r *mailing.Rule) { r.Skip = daysFrom(r.Start, 367) }), "skip skip_too_many"},
		{"as many days to skip as there may be", daily(func(r *mailing.Rule) { r.Skip = daysFrom(r.Start, 366) }), ""},
		{"weekly without a day", rule(t, mailing.Weekly, "2026-11-23 09:30", "UTC"), "weekdays weekdays_empty"},
		{"weekly on an eighth day", rule(t, mailing.Weekly, "2026-11-23 09:30", "UTC", on(time.Monday, 7)), "weekdays weekday_unknown"},
		{"monthly in no way", monthly(every(1)), "monthly_by monthly_by_unknown"},
		{"monthly on day 0", monthly(onDay(0, "")), "day day_out_of_range"},
		{"monthly on day 32", monthly(onDay(32, "")), "day day_out_of_range"},
		{"monthly with an unknown policy", monthly(onDay(31, "guess")), "short_month short_month_unknown"},
		{"monthly on the fifth Friday", monthly(onNth(5, time.Friday)), "nth nth_out_of_range"},
		{"monthly on the zeroth eighth day", monthly(onNth(0, 7)), "nth nth_out_of_range,weekday weekday_unknown"},
		{"monthly on the last Friday", monthly(onNth(mailing.NthLast, time.Friday)), ""},
		{"the 29th of February in odd years", rule(t, mailing.Monthly, "2027-02-01 09:30", "UTC", every(24), onDay(29, mailing.ShortMonthSkip)), " rule_never_fires"},
		{"every November on the 31st", monthly(func(r *mailing.Rule) { onDay(31, mailing.ShortMonthSkip)(r); every(12)(r) }), " rule_never_fires"},
		{"all its days are skipped", daily(func(r *mailing.Rule) { until(t, "2026-11-24")(r); skipping(t, "2026-11-23", "2026-11-24")(r) }), " rule_never_fires"},
		{"it ends before its first day", rule(t, mailing.Weekly, "2026-11-23 09:30", "UTC", on(time.Friday), until(t, "2026-11-26")), " rule_never_fires"},
		{"several at once", rule(t, mailing.Weekly, "2026-11-23 09:30", "", until(t, "2026-11-22"), counting(-3)), "weekdays weekdays_empty,zone zone_unknown,until until_before_start,count count_negative"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			err := tc.rule.Check()
			if got := problemsOf(t, err); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
			if _, fires := tc.rule.Next(time.Time{}); fires != (err == nil) {
				t.Errorf("Check says %v, but Next says %v", err, fires)
			}
		})
	}
}

func daysFrom(d mailing.Date, n int) []mailing.Date {
	list := make([]mailing.Date, n)
	for i := range list {
		list[i] = d.AddDays(i)
	}
	return list
}

func problemsOf(t *testing.T, err error) string {
	t.Helper()
	if err == nil {
		return ""
	}
	var problems mailing.Problems
	if !errors.As(err, &problems) {
		t.Fatalf("%v is %T and not Problems", err, err)
	}
	var texts []string
	for _, p := range problems {
		if p.Kind != mailing.Invalid {
			t.Errorf("%v is of kind %d", p, p.Kind)
		}
		texts = append(texts, p.Field+" "+p.Code)
	}
	return strings.Join(texts, ",")
}

func TestShortMonthMatters(t *testing.T) {
	for day := 1; day <= 31; day++ {
		r := rule(t, mailing.Monthly, "2026-11-23 09:30", "UTC", onDay(day, ""))
		if got := r.ShortMonthMatters(); got != (day > 28) {
			t.Errorf("for day %d it is %v", day, got)
		}
	}
	for name, r := range map[string]mailing.Rule{
		"by last day": rule(t, mailing.Monthly, "2026-11-23 09:30", "UTC", onDay(31, ""), onLastDay),
		"daily":       rule(t, mailing.Daily, "2026-11-23 09:30", "UTC", onDay(31, "")),
	} {
		if r.ShortMonthMatters() {
			t.Errorf("%s: it matters", name)
		}
	}
}

func TestTidy(t *testing.T) {
	full := rule(t, mailing.Once, "2026-11-23 09:30", "UTC",
		on(time.Sunday, time.Friday, time.Monday, time.Friday), onDay(31, ""), counting(3),
		until(t, "2027-11-23"), skipping(t, "2027-01-02", "2027-01-01", "2027-01-02"))
	full.Nth, full.Weekday = 2, time.Tuesday
	base := mailing.Rule{Start: full.Start, At: full.At, Zone: full.Zone}
	again := base
	again.Interval, again.Until, again.Count = 1, full.Until, 3
	again.Skip = []mailing.Date{date(t, "2027-01-01"), date(t, "2027-01-02")}
	for _, tc := range []struct {
		name      string
		frequency mailing.Frequency
		by        mailing.MonthlyBy
		base      mailing.Rule
		want      func(*mailing.Rule)
	}{
		{"once keeps its time only", mailing.Once, mailing.ByDay, base, func(*mailing.Rule) {}},
		{"daily keeps no weekdays", mailing.Daily, mailing.ByDay, again, func(*mailing.Rule) {}},
		{"weekly keeps its weekdays from Monday on", mailing.Weekly, mailing.ByDay, again, on(time.Monday, time.Friday, time.Sunday)},
		{"monthly by day says what happens in short months", mailing.Monthly, mailing.ByDay, again, onDay(31, mailing.ShortMonthLastDay)},
		{"monthly by the last day keeps no day", mailing.Monthly, mailing.ByLastDay, again, onLastDay},
		{"monthly by weekday keeps the weekday", mailing.Monthly, mailing.ByWeekday, again, onNth(2, time.Tuesday)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r, want := full, tc.base
			r.Frequency, r.MonthlyBy, want.Frequency = tc.frequency, tc.by, tc.frequency
			tc.want(&want)
			got := r.Tidy()
			if !reflect.DeepEqual(got, want) {
				t.Errorf("got  %+v\nwant %+v", got, want)
			}
			if !reflect.DeepEqual(got.Tidy(), got) {
				t.Errorf("tidied twice it is %+v", got.Tidy())
			}
		})
	}
}
