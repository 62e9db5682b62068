package mailing_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // the tests must not depend on the machine's own zones

	"vestnik/internal/mailing"
)

func date(t testing.TB, text string) mailing.Date {
	t.Helper()
	d, err := mailing.ParseDate(text)
	if err != nil {
		t.Fatalf("ParseDate(%q): %v", text, err)
	}
	return d
}

func clock(t testing.TB, text string) mailing.Clock {
	t.Helper()
	c, err := mailing.ParseClock(text)
	if err != nil {
		t.Fatalf("ParseClock(%q): %v", text, err)
	}
	return c
}

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	loc, err := mailing.LoadZone(name)
	if err != nil {
		t.Fatalf("LoadZone(%q): %v", name, err)
	}
	return loc
}

func TestParseDate(t *testing.T) {
	for _, tc := range []struct{ text, code string }{
		{"2026-11-23", ""},
		{"2028-02-29", ""},
		{"2000-02-29", ""},
		{"0001-01-01", ""},
		{"9999-12-31", ""},
		{"2026-02-29", "date_impossible"},
		{"2100-02-29", "date_impossible"},
		{"2026-04-31", "date_impossible"},
		{"2026-13-01", "date_impossible"},
		{"2026-00-10", "date_impossible"},
		{"2026-10-00", "date_impossible"},
		{"0000-01-01", "date_impossible"},
		{"", "date_unreadable"},
		{"2026-1-1", "date_unreadable"},
		{"23.11.2026", "date_unreadable"},
		{"2026/11/23", "date_unreadable"},
		{"2026-11-23 ", "date_unreadable"},
		{"-026-11-23", "date_unreadable"},
		{"२०२६-११-२३", "date_unreadable"},
	} {
		d, err := mailing.ParseDate(tc.text)
		if code := mailing.CodeOf(err); code != tc.code {
			t.Errorf("ParseDate(%q) says %q (%v), want %q", tc.text, code, err, tc.code)
		}
		if err == nil && d.String() != tc.text {
			t.Errorf("ParseDate(%q) is %q", tc.text, d)
		}
		if err != nil && !d.IsZero() {
			t.Errorf("ParseDate(%q) returns %q together with an error", tc.text, d)
		}
	}
}

func TestParseClock(t *testing.T) {
	for _, tc := range []struct {
		text string
		ok   bool
	}{
		{"00:00", true},
		{"09:30", true},
		{"23:59", true},
		{"24:00", false},
		{"09:60", false},
		{"9:30", false},
		{"09:30:00", false},
		{"", false},
		{"0930", false},
		{"09.30", false},
	} {
		c, err := mailing.ParseClock(tc.text)
		if tc.ok && (err != nil || c.String() != tc.text) {
			t.Errorf("ParseClock(%q) is %q, %v", tc.text, c, err)
		}
		if !tc.ok && mailing.CodeOf(err) != "clock_unreadable" {
			t.Errorf("ParseClock(%q) is %q, %v, want clock_unreadable", tc.text, c, err)
		}
	}
}

func TestDateAndClockAsJSON(t *testing.T) {
	type pair struct {
		D mailing.Date
		C mailing.Clock
	}
	t.Run("they are strings and come back equal", func(t *testing.T) {
		want := pair{date(t, "2026-11-23"), clock(t, "09:30")}
		text, err := json.Marshal(want)
		if err != nil || string(text) != `{"D":"2026-11-23","C":"09:30"}` {
			t.Fatalf("written as %s, %v", text, err)
		}
		var got pair
		if err := json.Unmarshal(text, &got); err != nil || got != want {
			t.Errorf("read back as %v, %v", got, err)
		}
	})
	t.Run("no date is the empty string", func(t *testing.T) {
		text, err := json.Marshal(mailing.Date{})
		if err != nil || string(text) != `""` {
			t.Fatalf("written as %s, %v", text, err)
		}
		got := date(t, "2026-11-23")
		if err := json.Unmarshal(text, &got); err != nil || !got.IsZero() {
			t.Errorf("read back as %v, %v", got, err)
		}
	})
	t.Run("what does not exist is not written", func(t *testing.T) {
		for _, v := range []any{mailing.Date{Year: 2026, Month: 2, Day: 30}, mailing.Date{Year: 10_000, Month: 1, Day: 1}, mailing.Clock{Hour: 24}} {
			if text, err := json.Marshal(v); err == nil {
				t.Errorf("%#v is written as %s", v, text)
			}
		}
	})
	t.Run("what does not exist is refused with its code", func(t *testing.T) {
		var got pair
		err := json.Unmarshal([]byte(`{"D":"2026-02-30"}`), &got)
		if mailing.CodeOf(err) != "date_impossible" {
			t.Errorf("got %v, %v", got, err)
		}
	})
}

func TestDateArithmetic(t *testing.T) {
	if got := date(t, "2028-02-28").AddDays(2).String(); got != "2028-03-01" {
		t.Errorf("two days after 2028-02-28 is %s", got)
	}
	if got := date(t, "2027-01-01").AddDays(-1).String(); got != "2026-12-31" {
		t.Errorf("the day before 2027-01-01 is %s", got)
	}
	if got := date(t, "2026-11-23").Weekday(); got != time.Monday {
		t.Errorf("2026-11-23 is a %s", got)
	}
	if !date(t, "2026-11-30").Before(date(t, "2026-12-01")) || date(t, "2026-12-01").Before(date(t, "2026-12-01")) {
		t.Error("dates are out of order")
	}
}

func TestLoadZone(t *testing.T) {
	for _, name := range []string{"UTC", "Europe/Moscow", "Etc/GMT+5", "America/Argentina/ComodRivadavia", "America/Port-au-Prince", "EST5EDT"} {
		loc, err := mailing.LoadZone(name)
		if err != nil || loc.String() != name {
			t.Errorf("LoadZone(%q) is %v, %v", name, loc, err)
		}
	}
	for _, name := range []string{
		"", "Local", "local", "localtime", "posixrules", "right/Europe/Berlin", "posix/UTC", "Europe/Atlantis", "Europe",
		"../UTC", "/etc/localtime", "Europe/../UTC", "Europe/Berlin\x00", "MSK+3", strings.Repeat("A", 65),
	} {
		loc, err := mailing.LoadZone(name)
		if mailing.CodeOf(err) != "zone_unknown" || mailing.KindOf(err) != mailing.Invalid {
			t.Errorf("LoadZone(%q) is %v, %v, want zone_unknown", name, loc, err)
		}
	}
}

func TestResolveWall(t *testing.T) {
	for _, tc := range []struct {
		name, zone, wall string
		want             string // UTC
		kind             mailing.WallKind
	}{
		{"an ordinary winter time", "Europe/Berlin", "2026-11-23 09:30", "2026-11-23 08:30:00", mailing.WallExact},
		{"an ordinary summer time", "Europe/Berlin", "2026-07-23 09:30", "2026-07-23 07:30:00", mailing.WallExact},
		{"the minute before a gap", "Europe/Berlin", "2026-03-29 01:59", "2026-03-29 00:59:00", mailing.WallExact},
		{"the first minute of a gap", "Europe/Berlin", "2026-03-29 02:00", "2026-03-29 01:00:00", mailing.WallGap},
		{"half way through a gap it goes out at 03:00", "Europe/Berlin", "2026-03-29 02:30", "2026-03-29 01:00:00", mailing.WallGap},
		{"the first minute after a gap", "Europe/Berlin", "2026-03-29 03:00", "2026-03-29 01:00:00", mailing.WallExact},
		{"the minute before an overlap", "Europe/Berlin", "2026-10-25 01:59", "2026-10-24 23:59:00", mailing.WallExact},
		{"the beginning of an overlap", "Europe/Berlin", "2026-10-25 02:00", "2026-10-25 00:00:00", mailing.WallOverlap},
		{"half way through an overlap it is the first", "Europe/Berlin", "2026-10-25 02:30", "2026-10-25 00:30:00", mailing.WallOverlap},
		{"the first minute after an overlap", "Europe/Berlin", "2026-10-25 03:00", "2026-10-25 02:00:00", mailing.WallExact},
		{"a midnight gap in Sao Paulo", "America/Sao_Paulo", "2018-11-04 00:00", "2018-11-04 03:00:00", mailing.WallGap},
		{"a midnight overlap in Sao Paulo belongs to the day before", "America/Sao_Paulo", "2018-02-17 23:30", "2018-02-18 01:30:00", mailing.WallOverlap},
		{"a midnight gap in Cairo", "Africa/Cairo", "2026-04-24 00:15", "2026-04-23 22:00:00", mailing.WallGap},
		{"a gap that ends at midnight moves to the next day", "America/Nuuk", "2026-03-28 23:30", "2026-03-29 01:00:00", mailing.WallGap},
		{"a half-hour gap on Lord Howe", "Australia/Lord_Howe", "2026-10-04 02:15", "2026-10-03 15:30:00", mailing.WallGap},
		{"after a half-hour gap on Lord Howe", "Australia/Lord_Howe", "2026-10-04 02:30", "2026-10-03 15:30:00", mailing.WallExact},
		{"a half-hour overlap on Lord Howe", "Australia/Lord_Howe", "2026-04-05 01:45", "2026-04-04 14:45:00", mailing.WallOverlap},
		{"before a half-hour overlap on Lord Howe", "Australia/Lord_Howe", "2026-04-05 01:15", "2026-04-04 14:15:00", mailing.WallExact},
		{"an offset of 5:45", "Asia/Kathmandu", "2026-11-23 09:30", "2026-11-23 03:45:00", mailing.WallExact},
		{"an offset of 14 hours", "Pacific/Kiritimati", "2026-11-23 09:30", "2026-11-22 19:30:00", mailing.WallExact},
		{"an offset with seconds", "Africa/Monrovia", "1971-06-01 12:00", "1971-06-01 12:44:30", mailing.WallExact},
		{"a day that Apia never had", "Pacific/Apia", "2011-12-30 09:30", "2011-12-30 10:00:00", mailing.WallGap},
		{"a day that Kwajalein never had", "Pacific/Kwajalein", "1993-08-21 12:00", "1993-08-21 12:00:00", mailing.WallGap},
		{"a day that Kwajalein had twice", "Pacific/Kwajalein", "1969-09-30 12:00", "1969-09-30 01:00:00", mailing.WallOverlap},
		{"beyond the last change that the database lists", "Europe/Berlin", "2199-03-31 02:30", "2199-03-31 01:00:00", mailing.WallGap},
		{"the last day of a leap year that the database does not list", "Pacific/Auckland", "2060-12-31 13:30", "2060-12-31 00:30:00", mailing.WallExact},
		{"the first day after it", "Pacific/Auckland", "2061-01-01 09:30", "2060-12-31 20:30:00", mailing.WallExact},
		{"a zone without changes", "UTC", "2026-03-29 02:30", "2026-03-29 02:30:00", mailing.WallExact},
	} {
		t.Run(tc.name, func(t *testing.T) {
			loc := zone(t, tc.zone)
			at, kind := mailing.ResolveWall(date(t, tc.wall[:10]), clock(t, tc.wall[11:]), loc)
			if got := at.UTC().Format(time.DateTime); got != tc.want || kind != tc.kind {
				t.Errorf("%s in %s is %s (kind %d), want %s (kind %d)", tc.wall, tc.zone, got, kind, tc.want, tc.kind)
			}
			if at.Location() != loc {
				t.Errorf("returned in %s", at.Location())
			}
			shown := at.Format("2006-01-02 15:04")
			if (shown == tc.wall) == (kind == mailing.WallGap) {
				t.Errorf("kind %d, but the clock shows %s for %s", kind, shown, tc.wall)
			}
		})
	}
}

func FuzzParseDate(f *testing.F) {
	for _, seed := range []string{"2026-11-23", "2026-02-29", "0000-00-00", "9999-12-31", "", "2026-1-1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := mailing.ParseDate(text)
		_, goErr := time.Parse(time.DateOnly, text)
		if year0 := strings.HasPrefix(text, "0000"); !year0 && (err == nil) != (goErr == nil) {
			t.Fatalf("ParseDate(%q) says %v, package time %v", text, err, goErr)
		}
		if err == nil && (d.String() != text || !d.Valid() || d.IsZero()) {
			t.Fatalf("ParseDate(%q) is %#v", text, d)
		}
	})
}

func FuzzParseClock(f *testing.F) {
	for _, seed := range []string{"09:30", "24:00", "00:00", "23:59", "", "9:30", "-1:00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := mailing.ParseClock(text)
		_, goErr := time.Parse("15:04", text)
		// Package time also reads an hour of one digit.
		if len(text) == len("09:30") && (err == nil) != (goErr == nil) {
			t.Fatalf("ParseClock(%q) says %v, package time %v", text, err, goErr)
		}
		if err == nil && (c.String() != text || !c.Valid()) {
			t.Fatalf("ParseClock(%q) is %#v", text, c)
		}
	})
}
