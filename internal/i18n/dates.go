package i18n

import (
	"strconv"
	"strings"
	"time"

	"vestnik/internal/mailing"
)

const day = 24 * time.Hour

// Date writes the day of t in the printer's zone: "31 марта 2026 г.", "31 March
// 2026". It writes a dash for the zero time, as all that follow do.
func (p *Printer) Date(t time.Time) string {
	if t.IsZero() {
		return p.T("date.none")
	}
	return p.Day(mailing.DateOf(t.In(p.zone)))
}

// Day writes a day of the calendar: "31 марта 2026 г.", "31 March 2026".
func (p *Printer) Day(d mailing.Date) string {
	if d.IsZero() {
		return p.T("date.none")
	}
	month := p.T("month." + strconv.Itoa(int(d.Month)))
	return p.T("date.long", "day", d.Day, "month", month, "year", d.Year)
}

// Clock writes the time of day of t in the printer's zone: "09:30".
func (p *Printer) Clock(t time.Time) string {
	if t.IsZero() {
		return p.T("date.none")
	}
	return t.In(p.zone).Format("15:04")
}

// ClockSeconds is Clock for what is over within a minute: "09:30:08".
func (p *Printer) ClockSeconds(t time.Time) string { return t.In(p.zone).Format("15:04:05") }

// DateTime writes day and time: "31 марта 2026 г., 09:30".
func (p *Printer) DateTime(t time.Time) string {
	if t.IsZero() {
		return p.T("date.none")
	}
	return p.T("date.with_time", "date", p.Date(t), "time", p.Clock(t))
}

// ShortDateTime writes day and time for a narrow column: "31.03.2026 09:30" in
// Russian, "2026-03-31 09:30" in English, where day and month would otherwise
// be read in either order.
func (p *Printer) ShortDateTime(t time.Time) string {
	if t.IsZero() {
		return p.T("date.none")
	}
	return t.In(p.zone).Format(p.T("date.short_layout"))
}

// ShortDay writes a day as one types it: "31.03.2026", "2026-03-31".
func (p *Printer) ShortDay(d mailing.Date) string {
	layout, _, _ := strings.Cut(p.T("date.short_layout"), " ")
	return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC).Format(layout)
}

// DateTimeZone is DateTime with the name of the zone: "31 марта 2026 г., 09:30
// (Москва)".
func (p *Printer) DateTimeZone(t time.Time) string {
	if t.IsZero() {
		return p.T("date.none")
	}
	return p.T("date.with_zone", "time", p.DateTime(t), "zone", p.Zone(p.zone.String()))
}

// Zone names a zone of the IANA table by its city: "Москва", "Moscow". One that
// we have no name for keeps the city of its IANA name.
func (p *Printer) Zone(name string) string {
	key := "zone." + strings.ToLower(strings.ReplaceAll(name, "/", "_"))
	if p.Has(key) {
		return p.T(key)
	}
	city := name[strings.LastIndex(name, "/")+1:]
	return strings.ReplaceAll(city, "_", " ")
}

// Relative says how far t is from now: "5 минут назад", "через 3 часа", and the
// day itself when that is 30 days or more away.
func (p *Printer) Relative(t, now time.Time) string {
	if t.IsZero() {
		return p.T("date.none")
	}
	ahead := t.Sub(now)
	distance := ahead.Abs()
	switch {
	case distance < time.Minute && ahead > 0:
		return p.T("relative.soon")
	case distance < time.Minute:
		return p.T("relative.now")
	case distance < time.Hour:
		return p.counted(ahead, time.Minute, "relative.in_minutes", "relative.minutes_ago")
	case distance < day:
		return p.counted(ahead, time.Hour, "relative.in_hours", "relative.hours_ago")
	case distance < 30*day:
		return p.counted(ahead, day, "relative.in_days", "relative.days_ago")
	}
	return p.Date(t)
}

func (p *Printer) counted(ahead, unit time.Duration, future, past string) string {
	count := int64(ahead.Abs() / unit)
	if ahead > 0 {
		return p.N(future, count)
	}
	return p.N(past, count)
}

// Duration writes a span of time in its two largest units, rounded down: "350
// мс", "12 с", "3 мин 5 с", "2 ч 10 мин", "4 дн. 1 ч".
func (p *Printer) Duration(d time.Duration) string {
	if d < 0 {
		return "\u2212" + p.Duration(-d)
	}
	if d < time.Second {
		return p.amount(d, time.Millisecond, "duration.milliseconds")
	}
	units := []struct {
		size time.Duration
		key  string
	}{
		{day, "duration.days"},
		{time.Hour, "duration.hours"},
		{time.Minute, "duration.minutes"},
		{time.Second, "duration.seconds"},
	}
	for i, unit := range units {
		if d < unit.size {
			continue
		}
		text := p.amount(d, unit.size, unit.key)
		if i+1 < len(units) && d%unit.size >= units[i+1].size {
			text += " " + p.amount(d%unit.size, units[i+1].size, units[i+1].key)
		}
		return text
	}
	return "" // not reached: a second or more has a unit
}

func (p *Printer) amount(d, unit time.Duration, key string) string {
	return p.T(key, "n", p.Number(int64(d/unit)))
}
