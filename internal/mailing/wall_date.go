package mailing

import (
	"cmp"
	"fmt"
	"time"
)

// Date is a day of the civil (proleptic Gregorian) calendar, without a time
// and without a zone. The zero Date means "none"; it is not a valid day.
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

// ParseDate reads "2026-11-23" (RFC 3339, full-date). A text of another shape
// is refused with the code date_unreadable, a day that is in no calendar, such
// as the 30th of February, with date_impossible.
func ParseDate(text string) (Date, error) {
	if !shaped(text, "0000-00-00") {
		return Date{}, Fault(Invalid, "date_unreadable")
	}
	d := Date{Year: number(text[:4]), Month: time.Month(number(text[5:7])), Day: number(text[8:])}
	if !d.Valid() {
		return Date{}, Fault(Invalid, "date_impossible")
	}
	return d, nil
}

// DateOf returns the day that t falls on in t's own location.
func DateOf(t time.Time) Date {
	year, month, day := t.Date()
	return Date{Year: year, Month: month, Day: day}
}

// IsZero reports whether d is the zero Date, "none".
func (d Date) IsZero() bool { return d == Date{} }

// Valid reports whether d is a day that exists, in the years 1 to 9999, which
// are those that ParseDate can read back.
func (d Date) Valid() bool {
	if d.Year < 1 || d.Year > 9999 || d.Month < time.January || d.Month > time.December {
		return false
	}
	return d.Day >= 1 && d.Day <= daysIn(d.Year, d.Month)
}

// Compare returns -1, 0 or 1 for a day before, equal to or after other.
func (d Date) Compare(other Date) int {
	return cmp.Or(
		cmp.Compare(d.Year, other.Year),
		cmp.Compare(d.Month, other.Month),
		cmp.Compare(d.Day, other.Day),
	)
}

// Before reports whether d is earlier than other.
func (d Date) Before(other Date) bool { return d.Compare(other) < 0 }

// Weekday returns the day of the week of d.
func (d Date) Weekday() time.Weekday { return d.midnight().Weekday() }

// AddDays returns the day n days later, or earlier when n is negative.
func (d Date) AddDays(n int) Date { return DateOf(d.midnight().AddDate(0, 0, n)) }

// String returns d as "2026-11-23", and "" for the zero Date.
func (d Date) String() string {
	if d.IsZero() {
		return ""
	}
	return fmt.Sprintf("%04d-%02d-%02d", d.Year, int(d.Month), d.Day)
}

// MarshalText writes what String returns. A day that does not exist is an
// error, because nobody could read it back.
func (d Date) MarshalText() ([]byte, error) {
	if !d.IsZero() && !d.Valid() {
		return nil, Fault(Invalid, "date_impossible")
	}
	return []byte(d.String()), nil
}

// UnmarshalText reads what ParseDate reads, and the empty text as the zero Date.
func (d *Date) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*d = Date{}
		return nil
	}
	parsed, err := ParseDate(string(text))
	if err != nil {
		return err
	}
	*d = parsed
	return nil
}

// midnight is the beginning of the day in floating time, labelled UTC.
func (d Date) midnight() time.Time { return d.at(Clock{}) }

// at is the wall time of d and c in floating time: labelled UTC, but meaning
// whatever the clock on the wall shows.
func (d Date) at(c Clock) time.Time {
	return time.Date(d.Year, d.Month, d.Day, c.Hour, c.Minute, 0, 0, time.UTC)
}

// daysUntil returns how many days other is after d.
func (d Date) daysUntil(other Date) int {
	return int(other.midnight().Sub(d.midnight()) / (24 * time.Hour))
}

// daysIn returns the length of a month. The day before the first of the next
// month is its last.
func daysIn(year int, month time.Month) int {
	return time.Date(year, month+1, 0, 0, 0, 0, 0, time.UTC).Day()
}

// Clock is a time of day on the 24-hour clock, to the minute. The zero Clock
// is midnight, the first minute of a day.
type Clock struct {
	Hour   int
	Minute int
}

// ParseClock reads "09:30". Anything else, 24:00 included, is refused with the
// code clock_unreadable.
func ParseClock(text string) (Clock, error) {
	if !shaped(text, "00:00") {
		return Clock{}, Fault(Invalid, "clock_unreadable")
	}
	c := Clock{Hour: number(text[:2]), Minute: number(text[3:])}
	if !c.Valid() {
		return Clock{}, Fault(Invalid, "clock_unreadable")
	}
	return c, nil
}

// Valid reports whether c is between 00:00 and 23:59.
func (c Clock) Valid() bool {
	return c.Hour >= 0 && c.Hour <= 23 && c.Minute >= 0 && c.Minute <= 59
}

// String returns c as "09:30".
func (c Clock) String() string { return fmt.Sprintf("%02d:%02d", c.Hour, c.Minute) }

// MarshalText writes what String returns. A time that does not exist is an
// error, because nobody could read it back.
func (c Clock) MarshalText() ([]byte, error) {
	if !c.Valid() {
		return nil, Fault(Invalid, "clock_unreadable")
	}
	return []byte(c.String()), nil
}

// UnmarshalText reads what ParseClock reads.
func (c *Clock) UnmarshalText(text []byte) error {
	parsed, err := ParseClock(string(text))
	if err != nil {
		return err
	}
	*c = parsed
	return nil
}

// shaped reports whether text has a digit wherever pattern has a 0, and
// pattern's own sign everywhere else.
func shaped(text, pattern string) bool {
	if len(text) != len(pattern) {
		return false
	}
	for i := range len(pattern) {
		isDigit := text[i] >= '0' && text[i] <= '9'
		if pattern[i] == '0' && !isDigit || pattern[i] != '0' && text[i] != pattern[i] {
			return false
		}
	}
	return true
}

// number reads a text that consists of digits only.
func number(digits string) int {
	n := 0
	for i := range len(digits) {
		n = n*10 + int(digits[i]-'0')
	}
	return n
}
