package web

import (
	"strconv"
	"strings"
	"time"

	"vestnik/internal/i18n"
	"vestnik/internal/mailing"
	"vestnik/internal/web/ui"
)

// ruleForm is the schedule of a mailing as it was typed. Weekdays are numbered
// as ISO 8601 does: Monday is "1", Sunday "7".
type ruleForm struct {
	Frequency, Interval     string
	Start, At, Zone         string
	Weekdays                []string `json:",omitempty"`
	MonthlyBy               string
	Day, ShortMonth         string
	Nth, Weekday            string
	End, Until, Count, Skip string
}

// Ways for a schedule to end, the values of the field "end".
const (
	endNever = "never"
	endDate  = "date"
	endCount = "count"
)

// firstRule is what the form of a new mailing begins with: now, which is one choice less
// for whoever has just written a message; nothing goes out before the button that says so.
// What is hidden at first makes sense as soon as it is shown: once is tomorrow morning.
func (r *request) firstRule() ruleForm {
	zone, err := mailing.LoadZone(r.actor.Zone)
	if err != nil {
		zone = time.UTC
	}
	tomorrow := mailing.DateOf(r.now.In(zone)).AddDays(1)
	weekday := isoWeekday(tomorrow.Weekday())
	return ruleForm{
		Frequency: oftenNow, Interval: "1",
		Start: tomorrow.String(), At: "10:00", Zone: zone.String(),
		Weekdays: []string{weekday}, MonthlyBy: string(mailing.ByDay), Day: strconv.Itoa(tomorrow.Day),
		ShortMonth: string(mailing.ShortMonthLastDay), Nth: "1", Weekday: weekday, End: endNever,
	}
}

// storedRule is the form of a mailing that is there already.
func (r *request) storedRule(rule mailing.Rule) ruleForm {
	f := r.firstRule()
	f.Frequency, f.Start, f.At, f.Zone = string(rule.Frequency), rule.Start.String(), rule.At.String(), rule.Zone
	if rule.Frequency == mailing.Once {
		return f
	}
	f.Interval = strconv.Itoa(max(rule.Interval, 1))
	if rule.Frequency == mailing.Weekly {
		f.Weekdays = nil
		for _, day := range rule.Weekdays {
			f.Weekdays = append(f.Weekdays, isoWeekday(day))
		}
	}
	f.storedMonthDay(rule)
	f.storedEnd(r.Printer, rule)
	return f
}

func (f *ruleForm) storedMonthDay(rule mailing.Rule) {
	if rule.Frequency != mailing.Monthly {
		return
	}
	f.MonthlyBy = string(rule.MonthlyBy)
	switch rule.MonthlyBy {
	case mailing.ByDay:
		f.Day, f.ShortMonth = strconv.Itoa(rule.Day), string(rule.ShortMonth)
	case mailing.ByWeekday:
		f.Nth, f.Weekday = strconv.Itoa(rule.Nth), isoWeekday(rule.Weekday)
	}
}

func (f *ruleForm) storedEnd(p *i18n.Printer, rule mailing.Rule) {
	switch {
	case !rule.Until.IsZero():
		f.End, f.Until = endDate, rule.Until.String()
	case rule.Count > 0:
		f.End, f.Count = endCount, strconv.Itoa(rule.Count)
	}
	days := make([]string, len(rule.Skip))
	for i, day := range rule.Skip {
		days[i] = p.ShortDay(day)
	}
	f.Skip = strings.Join(days, "\n")
}

// typedRule is the form as the visitor has sent it.
func (r *request) typedRule() ruleForm {
	return ruleForm{
		Frequency: r.field("frequency"), Interval: r.field("interval"),
		Start: r.field("start"), At: r.field("at"), Zone: r.field("zone"),
		Weekdays: r.fields("weekdays"), MonthlyBy: r.field("monthly_by"),
		Day: r.field("day"), ShortMonth: r.field("short_month"), Nth: r.field("nth"), Weekday: r.field("weekday"),
		End: r.field("end"), Until: r.field("until"), Count: r.field("count"),
		Skip: strings.ReplaceAll(r.field("skip"), "\r\n", "\n"), // as browsers send it (HTML, section 4.10.22.4)
	}
}

// rule reads the form. The error is Problems with all that cannot be read; what
// can be read and makes no sense is for Rule.Check to say. Fields that the
// frequency has no use for are not looked at: they are not shown either.
func (f ruleForm) rule() (mailing.Rule, error) {
	var p mailing.Problems
	rule := mailing.Rule{
		Frequency: mailing.Frequency(f.Frequency), Zone: f.Zone,
		Start: readDate(&p, "start", f.Start), At: readClock(&p, f.At),
	}
	if rule.Frequency == mailing.Once {
		return rule, p.Err()
	}
	var ok bool
	if rule.Interval, ok = readNumber(f.Interval); !ok || rule.Interval < 1 {
		p.Add("interval", "interval_out_of_range", "min", 1, "max", mailing.MaxRuleInterval)
	}
	switch rule.Frequency {
	case mailing.Weekly:
		for _, day := range f.Weekdays {
			rule.Weekdays = append(rule.Weekdays, readWeekday(day))
		}
	case mailing.Monthly:
		f.readMonthDay(&p, &rule)
	}
	f.readEnd(&p, &rule)
	return rule, p.Err()
}

func (f ruleForm) readMonthDay(p *mailing.Problems, rule *mailing.Rule) {
	rule.MonthlyBy = mailing.MonthlyBy(f.MonthlyBy)
	switch rule.MonthlyBy {
	case mailing.ByDay:
		day, ok := readNumber(f.Day)
		if !ok {
			p.Add("day", "day_out_of_range", "min", 1, "max", 31)
		}
		rule.Day, rule.ShortMonth = day, mailing.ShortMonth(f.ShortMonth)
	case mailing.ByWeekday:
		rule.Nth, _ = readNumber(f.Nth) // 0 is refused by Check
		rule.Weekday = readWeekday(f.Weekday)
	}
}

func (f ruleForm) readEnd(p *mailing.Problems, rule *mailing.Rule) {
	switch f.End {
	case endDate:
		rule.Until = readDate(p, "until", f.Until)
	case endCount:
		count, ok := readNumber(f.Count)
		if !ok || count < 1 {
			p.Add("count", "count_unreadable", "max", mailing.MaxRuleCount)
		}
		rule.Count = count
	}
	for _, typed := range strings.FieldsFunc(f.Skip, betweenDates) {
		day, err := parseDate(typed)
		if err != nil {
			p.Add("skip", "skip_unreadable", "text", typed)
			return
		}
		rule.Skip = append(rule.Skip, day)
	}
}

func betweenDates(c rune) bool {
	return c == ',' || c == ';' || c == '\n' || c == '\r' || c == ' ' || c == '\t'
}

func readDate(p *mailing.Problems, field, typed string) mailing.Date {
	typed = strings.TrimSpace(typed)
	if typed == "" {
		p.Add(field, "date_missing")
		return mailing.Date{}
	}
	day, err := parseDate(typed)
	if err != nil {
		p.Add(field, mailing.CodeOf(err))
	}
	return day
}

// parseDate reads what browsers send, 2026-11-23, and what people type where
// there is no calendar to click on, 23.11.2026.
func parseDate(typed string) (mailing.Date, error) {
	if parts := strings.Split(typed, "."); len(parts) == 3 && len(parts[0]) <= 2 && len(parts[1]) <= 2 {
		typed = parts[2] + "-" + twoDigits(parts[1]) + "-" + twoDigits(parts[0])
	}
	return mailing.ParseDate(typed)
}

func twoDigits(digits string) string {
	if len(digits) == 1 {
		return "0" + digits
	}
	return digits
}

// readClock takes 9:30 for 09:30.
func readClock(p *mailing.Problems, typed string) mailing.Clock {
	typed = strings.TrimSpace(typed)
	if len(typed) == len("9:30") {
		typed = "0" + typed
	}
	at, err := mailing.ParseClock(typed)
	if err != nil {
		p.Add("at", mailing.CodeOf(err))
	}
	return at
}

func readNumber(typed string) (int, bool) {
	n, err := strconv.Atoi(strings.TrimSpace(typed))
	return n, err == nil
}

// readWeekday gives a day that no week has for what is no number of a day, and
// Check refuses it.
func readWeekday(number string) time.Weekday {
	n, ok := readNumber(number)
	if !ok || n < 1 || n > 7 {
		return time.Weekday(-1)
	}
	return time.Weekday(n % 7)
}

func isoWeekday(day time.Weekday) string { return strconv.Itoa((int(day)+6)%7 + 1) }

// zoneOptions are the zones of a mailing's form, with one more when the chosen one is not
// among them.
func (r *request) zoneOptions(chosen string) []ui.Option {
	return zonesAmong(r.Printer, r.now, append(zoneNames(), chosen))
}

// zoneNames are those that have a name in the interface's languages: of the
// countries where Russian is spoken from west to east, then of the world.
func zoneNames() []string {
	return []string{
		"Europe/Kaliningrad", "Europe/Moscow", "Europe/Simferopol", "Europe/Volgograd", "Europe/Kirov",
		"Europe/Samara", "Europe/Saratov", "Europe/Ulyanovsk", "Europe/Astrakhan", "Asia/Yekaterinburg",
		"Asia/Omsk", "Asia/Novosibirsk", "Asia/Barnaul", "Asia/Tomsk", "Asia/Novokuznetsk", "Asia/Krasnoyarsk",
		"Asia/Irkutsk", "Asia/Chita", "Asia/Yakutsk", "Asia/Vladivostok", "Asia/Magadan", "Asia/Sakhalin",
		"Asia/Kamchatka", "Asia/Anadyr", "Europe/Minsk", "Europe/Kyiv", "Europe/Chisinau", "Asia/Almaty",
		"Asia/Tashkent", "Asia/Bishkek", "Asia/Dushanbe", "Asia/Ashgabat", "Asia/Baku", "Asia/Tbilisi",
		"Asia/Yerevan", "Europe/Riga", "Europe/Vilnius", "Europe/Tallinn", "UTC", "Europe/London",
		"Europe/Berlin", "Europe/Paris", "Europe/Belgrade", "Europe/Istanbul", "Asia/Dubai", "Asia/Jerusalem",
		"America/New_York", "America/Chicago", "America/Los_Angeles", "Asia/Tokyo", "Asia/Shanghai",
	}
}

// weekdayOptions are the days of the week from Monday, by a section of their
// names: "weekday.short." or "weekday.name.".
func weekdayOptions(p *i18n.Printer, section string) []ui.Option {
	options := make([]ui.Option, 7)
	for i := range options {
		number := strconv.Itoa(i + 1)
		options[i] = ui.Option{Value: number, Label: p.T(section + number)}
	}
	return options
}
