package mailing_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"vestnik/internal/mailing"
)

// The second opinion: when a rule fires, reckoned day by day by somebody who
// knows neither RFC 5545 nor how the rule is computed. It shares no code with
// the package, not even the calendar.

// checkedRules is how many random rules are compared.
const checkedRules = 12_000

// reckoned is one sending: the day it belongs to and when it goes out.
type reckoned struct {
	day mailing.Date
	at  time.Time
}

// reckon walks from the rule's start and returns what it sends after the given
// instant, up to the last day.
func reckon(r mailing.Rule, loc *time.Location, after time.Time, last mailing.Date) []reckoned {
	var list []reckoned
	var sentAt time.Time
	sent := 0
	// Nothing this much earlier than after can go out later than it; without a
	// count it need not be resolved.
	near := after.Add(-72 * time.Hour)
	for w := newWalk(r.Start); !laterThan(w.day, last); w.step() {
		if r.Frequency != mailing.Once {
			if !r.Until.IsZero() && laterThan(w.day, r.Until) || r.Count > 0 && sent == r.Count {
				break
			}
			if slices.Contains(r.Skip, w.day) {
				continue
			}
		}
		if !w.fits(r) || r.Count == 0 && w.noon().Before(near) {
			continue
		}
		at := scanWall(w.day, r.At, loc)
		if at.Equal(sentAt) {
			continue
		}
		sentAt = at
		sent++
		if at.After(after) {
			list = append(list, reckoned{day: w.day, at: at})
		}
	}
	return list
}

// walk is a day on its way through the calendar from a rule's start.
type walk struct {
	day      mailing.Date
	days     int // since the start
	months   int // since the start's month
	weeks    int // since the start's week
	weekday  time.Weekday
	monthEnd int // the number of the month's last day
}

func newWalk(start mailing.Date) *walk {
	return &walk{day: start, weekday: sakamoto(start), monthEnd: monthLength(start)}
}

func (w *walk) step() {
	w.days++
	w.weekday++
	if w.weekday > time.Saturday {
		w.weekday = time.Sunday
	}
	if w.weekday == time.Monday {
		w.weeks++
	}
	w.day.Day++
	if w.day.Day <= w.monthEnd {
		return
	}
	w.months++
	w.day.Day = 1
	w.day.Month++
	if w.day.Month > time.December {
		w.day.Month = time.January
		w.day.Year++
	}
	w.monthEnd = monthLength(w.day)
}

// noon is roughly when the day is.
func (w *walk) noon() time.Time {
	return time.Date(w.day.Year, w.day.Month, w.day.Day, 12, 0, 0, 0, time.UTC)
}

// fits reports whether the rule fires on the day, but for what ends it.
func (w *walk) fits(r mailing.Rule) bool {
	interval := max(r.Interval, 1)
	switch r.Frequency {
	case mailing.Once:
		return w.days == 0
	case mailing.Daily:
		return w.days%interval == 0
	case mailing.Weekly:
		return w.weeks%interval == 0 && slices.Contains(r.Weekdays, w.weekday)
	case mailing.Monthly:
		return w.months%interval == 0 && w.fitsMonth(r)
	default:
		panic("unknown frequency " + r.Frequency)
	}
}

func (w *walk) fitsMonth(r mailing.Rule) bool {
	switch r.MonthlyBy {
	case mailing.ByLastDay:
		return w.day.Day == w.monthEnd
	case mailing.ByWeekday:
		if w.weekday != r.Weekday {
			return false
		}
		if r.Nth == mailing.NthLast {
			return w.day.Day+7 > w.monthEnd
		}
		return (w.day.Day+6)/7 == r.Nth
	default:
		if r.ShortMonth != mailing.ShortMonthSkip && r.Day > w.monthEnd {
			return w.day.Day == w.monthEnd
		}
		return w.day.Day == r.Day
	}
}

// sakamoto is Tomohiko Sakamoto's reckoning of the day of the week.
func sakamoto(d mailing.Date) time.Weekday {
	shift := [12]int{0, 3, 2, 5, 0, 3, 5, 1, 4, 6, 2, 4}
	y := d.Year
	if d.Month < time.March {
		y--
	}
	return time.Weekday((y + y/4 - y/100 + y/400 + shift[d.Month-1] + d.Day) % 7)
}

func monthLength(d mailing.Date) int {
	lengths := [12]int{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}
	leap := d.Year%4 == 0 && d.Year%100 != 0 || d.Year%400 == 0
	if leap && d.Month == time.February {
		return 29
	}
	return lengths[d.Month-1]
}

func laterThan(a, b mailing.Date) bool {
	return a.Year*10_000+int(a.Month)*100+a.Day > b.Year*10_000+int(b.Month)*100+b.Day
}

// scanWall looks at the clock in loc to find when it shows d and c: with every
// offset that is in force around the day, and, when it is never shown, minute
// by minute until the clock shows something later.
func scanWall(d mailing.Date, c mailing.Clock, loc *time.Location) time.Time {
	const scan = 28 * time.Hour
	wall := time.Date(d.Year, d.Month, d.Day, c.Hour, c.Minute, 0, 0, time.UTC)
	var found time.Time
	tried := make([]int, 0, 4)
	for t := wall.Add(-scan); t.Before(wall.Add(scan)); t = t.Add(4 * time.Hour) {
		_, offset := t.In(loc).Zone()
		if slices.Contains(tried, offset) {
			continue
		}
		tried = append(tried, offset)
		at := wall.Add(-time.Duration(offset) * time.Second)
		if floating(at, loc).Equal(wall) && (found.IsZero() || at.Before(found)) {
			found = at
		}
	}
	if !found.IsZero() {
		return found
	}
	for t := wall.Add(-scan); ; t = t.Add(time.Minute) {
		if floating(t, loc).After(wall) {
			return t
		}
	}
}

// floating returns what the clock in loc shows at t, labelled UTC.
func floating(t time.Time, loc *time.Location) time.Time {
	year, month, day := t.In(loc).Date()
	hour, minute, second := t.In(loc).Clock()
	return time.Date(year, month, day, hour, minute, second, 0, time.UTC)
}

// zonesWithHistory are the zones of the random rules: with changes in either
// hemisphere, at midnight and before it, of half an hour, of a day, odd and
// given up offsets.
var zonesWithHistory = []string{
	"UTC", "Europe/Berlin", "Europe/Moscow", "Europe/London", "Europe/Dublin", "Asia/Kathmandu", "Asia/Tehran",
	"Asia/Gaza", "Asia/Kolkata", "Asia/Beirut", "Africa/Cairo", "Africa/Casablanca", "America/New_York",
	"America/Sao_Paulo", "America/St_Johns", "America/Havana", "America/Nuuk", "America/Santiago", "America/Caracas",
	"Antarctica/Troll", "Antarctica/Casey", "Atlantic/Azores", "Australia/Lord_Howe", "Australia/Adelaide",
	"Pacific/Apia", "Pacific/Kwajalein", "Pacific/Kiritimati", "Pacific/Chatham", "Pacific/Auckland", "Pacific/Fakaofo",
}

// dice makes random rules.
type dice struct {
	*rand.Rand
	zones map[string]*time.Location
}

func newDice(t testing.TB, seed uint64) dice {
	d := dice{Rand: rand.New(rand.NewPCG(seed, 2026)), zones: map[string]*time.Location{}}
	for _, name := range zonesWithHistory {
		d.zones[name] = zone(t, name)
	}
	return d
}

// between returns a number from low to high, both included.
func (d dice) between(low, high int) int { return low + d.IntN(high-low+1) }

func (d dice) chance(percent int) bool { return d.IntN(100) < percent }

// change returns a wall time that one of the year's changes of the clocks skips
// or repeats, labelled UTC, and false when the zone has none in that year.
func (d dice) change(loc *time.Location, year int) (time.Time, bool) {
	var changes []time.Time
	t := time.Date(year, time.January, 1, 0, 0, 0, 0, time.UTC)
	for range 365 {
		if offsetAt(t, loc) != offsetAt(t.Add(24*time.Hour), loc) {
			changes = append(changes, t)
		}
		t = t.Add(24 * time.Hour)
	}
	if len(changes) == 0 {
		return time.Time{}, false
	}
	t = changes[d.IntN(len(changes))]
	before := offsetAt(t, loc)
	for offsetAt(t, loc) == before {
		t = t.Add(time.Minute)
	}
	shift := offsetAt(t, loc) - before
	low := t.Add(time.Duration(min(before, before+shift)) * time.Second)
	return low.Add(time.Duration(d.IntN(max(shift, -shift)/60)) * time.Minute), true
}

func offsetAt(t time.Time, loc *time.Location) (seconds int) {
	_, seconds = t.In(loc).Zone()
	return seconds
}

// begin rolls the start and the time of day, half of them such that the clocks
// change within the first days: otherwise one rule in hundreds would meet it.
func (d dice) begin(r *mailing.Rule) {
	// 1973 is after the last offset with seconds, which a scan by minutes misses.
	year := d.between(1973, 2060)
	switch {
	case d.chance(5):
		year = d.between(2090, 2105) // 2100 has no 29th of February
	case d.chance(10):
		year = 2011 // Apia's missing day
	case d.chance(5):
		year = 1993 // Kwajalein's
	}
	wall := time.Date(year, time.January, 1, d.IntN(24), d.IntN(60), 0, 0, time.UTC).AddDate(0, 0, d.IntN(366))
	if change, ok := d.change(d.zones[r.Zone], year); ok && d.chance(50) {
		wall = change.AddDate(0, 0, -[]int{0, 0, 0, 1, 2, 7, 14}[d.IntN(7)])
	}
	r.Start = mailing.DateOf(wall)
	r.At = mailing.Clock{Hour: wall.Hour(), Minute: wall.Minute()}
}

func (d dice) rule() mailing.Rule {
	r := mailing.Rule{Zone: zonesWithHistory[d.IntN(len(zonesWithHistory))]}
	d.begin(&r)
	r.Frequency = []mailing.Frequency{mailing.Once, mailing.Daily, mailing.Daily, mailing.Weekly, mailing.Monthly, mailing.Monthly}[d.IntN(6)]
	if d.chance(50) {
		r.Interval = d.between(1, 5)
	}
	d.addDays(&r)
	if d.chance(25) {
		r.Until = r.Start.AddDays(d.IntN(1000))
	}
	if d.chance(25) {
		r.Count = d.between(1, 60)
	}
	if d.chance(30) {
		for range d.between(1, 12) {
			r.Skip = append(r.Skip, r.Start.AddDays(d.IntN(40)))
		}
	}
	return r
}

// addDays rolls what picks the days, now and then for another frequency too,
// where it must not matter.
func (d dice) addDays(r *mailing.Rule) {
	if r.Frequency == mailing.Weekly || d.chance(10) {
		for range d.between(1, 4) {
			r.Weekdays = append(r.Weekdays, time.Weekday(d.IntN(7)))
		}
	}
	if r.Frequency != mailing.Monthly && d.chance(90) {
		return
	}
	if d.chance(15) {
		r.Interval = 12
	}
	r.MonthlyBy = []mailing.MonthlyBy{mailing.ByDay, mailing.ByDay, mailing.ByLastDay, mailing.ByWeekday}[d.IntN(4)]
	r.Day = d.between(1, 31)
	if d.chance(50) {
		r.Day = d.between(28, 31)
	}
	r.ShortMonth = []mailing.ShortMonth{"", mailing.ShortMonthLastDay, mailing.ShortMonthSkip}[d.IntN(3)]
	r.Nth = []int{1, 2, 3, 4, mailing.NthLast}[d.IntN(5)]
	r.Weekday = time.Weekday(d.IntN(7))
}

// after rolls an instant to ask from: before the start, in the first weeks,
// years later; and often exactly at a sending or next to one.
func (d dice) after(r mailing.Rule) time.Time {
	days := d.between(-3, 60)
	switch {
	case d.chance(40):
		days = d.between(-3, 0)
	case d.chance(30):
		days = d.IntN(2000)
	case d.chance(5):
		days = d.IntN(15_000)
	}
	day := r.Start.AddDays(days)
	if d.chance(50) {
		at := scanWall(day, r.At, d.zones[r.Zone])
		return at.Add(time.Duration(d.between(-1, 1)) * time.Second)
	}
	midnight := time.Date(day.Year, day.Month, day.Day, 0, 0, 0, 0, time.UTC)
	return midnight.Add(time.Duration(d.IntN(24*60)) * time.Minute)
}

func TestRandomRulesAgreeWithTheReckoning(t *testing.T) {
	d := newDice(t, 1)
	met := map[string]int{}
	for i := range checkedRules {
		r, n := d.rule(), d.between(1, 8)
		after, loc := d.after(r), d.zones[r.Zone]
		// So far the second opinion looks; the rule may look further.
		last := mailing.DateOf(after).AddDays(d.between(1, 900))
		want := reckon(r, loc, after, last)
		got := upTo(r.Occurrences(after, n), lastInstant(want, after))
		if describe := disagreement(got, want, n); describe != "" {
			t.Fatalf("rule %d: %s\n%s\nafter %s, until %s: %s", i, inJSON(t, r), r.Zone, after.UTC(), last, describe)
		}
		checkNothingBetween(t, r, want, after, last, loc)
		checkList(t, r, after, got)
		for _, s := range want[:min(n, len(want))] {
			_, kind := mailing.ResolveWall(s.day, r.At, loc)
			met[fmt.Sprint("wall ", kind)]++
		}
		met[string(r.Frequency)]++
		if len(want) == 0 {
			met["nothing"]++
		}
	}
	t.Logf("%d rules: %v", checkedRules, met)
	checkVariety(t, met)
}

// checkVariety fails when the dice no longer roll what the test is about.
func checkVariety(t *testing.T, met map[string]int) {
	t.Helper()
	for what, least := range map[string]int{
		"once": 500, "daily": 500, "weekly": 500, "monthly": 500,
		fmt.Sprint("wall ", mailing.WallGap): 150, fmt.Sprint("wall ", mailing.WallOverlap): 150,
		fmt.Sprint("wall ", mailing.WallExact): 10_000,
	} {
		if met[what] < least {
			t.Errorf("%s was met only %d times, want at least %d", what, met[what], least)
		}
	}
	if met["nothing"] > checkedRules/2 {
		t.Errorf("%d of %d rules had nothing to send", met["nothing"], checkedRules)
	}
}

// lastInstant is the last one that the second opinion knows of.
func lastInstant(list []reckoned, otherwise time.Time) time.Time {
	if len(list) == 0 {
		return otherwise
	}
	return list[len(list)-1].at
}

func upTo(list []time.Time, last time.Time) []time.Time {
	n := 0
	for n < len(list) && !list[n].After(last) {
		n++
	}
	return list[:n]
}

func disagreement(got []time.Time, want []reckoned, n int) string {
	want = want[:min(n, len(want))]
	for i := range max(len(got), len(want)) {
		switch {
		case i >= len(got):
			return fmt.Sprintf("sending %d on %s at %s is missing", i, want[i].day, want[i].at.UTC())
		case i >= len(want):
			return fmt.Sprintf("sending %d at %s is one too many", i, got[i])
		case !got[i].Equal(want[i].at):
			return fmt.Sprintf("sending %d is at %s, want %s at %s", i, got[i], want[i].day, want[i].at.UTC())
		}
	}
	return ""
}

// checkNothingBetween checks by Missed that the rule fires exactly as often as
// reckoned until the last day is over, also when that is never.
func checkNothingBetween(t *testing.T, r mailing.Rule, want []reckoned, after time.Time, last mailing.Date, loc *time.Location) {
	t.Helper()
	now := scanWall(last, mailing.Clock{Hour: 23, Minute: 59}, loc)
	for len(want) > 0 && want[len(want)-1].at.After(now) {
		want = want[:len(want)-1]
	}
	at, n := r.Missed(after, now)
	wantAt := lastInstant(want, time.Time{})
	if n != len(want) || !at.Equal(wantAt) {
		t.Fatalf("%s: between %s and %s it fired %d times, last at %s; want %d and %s",
			inJSON(t, r), after.UTC(), now.UTC(), n, at, len(want), wantAt)
	}
}

// checkList checks what holds for every list without any second opinion.
func checkList(t *testing.T, r mailing.Rule, after time.Time, list []time.Time) {
	t.Helper()
	loc := zone(t, r.Zone)
	seen := map[mailing.Date]bool{}
	for i, at := range list {
		next, ok := r.Next(after)
		if !ok || !next.Equal(at) || !at.After(after) {
			t.Fatalf("%s: Next(%s) is %s, %v, but in the list %s comes next", inJSON(t, r), after, next, ok, at)
		}
		if again := r.Occurrences(after, len(list)-i); !slices.Equal(again, list[i:]) {
			t.Fatalf("%s: asked again from %s it is %v, not %v", inJSON(t, r), after, again, list[i:])
		}
		after = at
		// A gap over midnight may move a sending into the next day, which has
		// its own; nothing else brings two on one day.
		local := at.In(loc)
		if moved := local.Hour() == 0 && local.Minute() == 0 && r.At != (mailing.Clock{}); !moved {
			if day := mailing.DateOf(local); seen[day] {
				t.Fatalf("%s: it goes out twice on %s", inJSON(t, r), day)
			}
			seen[mailing.DateOf(local)] = true
		}
	}
}

func inJSON(t *testing.T, r mailing.Rule) string {
	t.Helper()
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestRandomRulesSurviveStorage(t *testing.T) {
	d := newDice(t, 2)
	for range 2000 {
		r := d.rule()
		var back mailing.Rule
		if err := json.Unmarshal([]byte(inJSON(t, r)), &back); err != nil {
			t.Fatalf("%s: %v", inJSON(t, r), err)
		}
		if inJSON(t, back) != inJSON(t, r) {
			t.Fatalf("%s came back as %s", inJSON(t, r), inJSON(t, back))
		}
		after := d.after(r)
		if want, got := r.Occurrences(after, 3), back.Tidy().Occurrences(after, 3); !slices.Equal(got, want) {
			t.Fatalf("%s: after storage it is %v, before %v", inJSON(t, r), got, want)
		}
	}
}
