package mailing

import "time"

// longestZoneName is the length of a zone name that is not even looked up; the
// longest in use, America/Argentina/ComodRivadavia, has 32 characters.
const longestZoneName = 64

// LoadZone returns the location of an IANA zone name such as "Europe/Berlin".
// A name that the time zone database does not have is refused with the code
// zone_unknown, and so are "", "Local" and what else differs from one machine
// to the next: a rule means the same on every node. Every call reads the
// database; keep the location where many times are computed at once.
func LoadZone(name string) (*time.Location, error) {
	if !portableZone(name) {
		return nil, Fault(Invalid, "zone_unknown", "zone", name)
	}
	loc, err := time.LoadLocation(name)
	if err != nil {
		return nil, Fault(Invalid, "zone_unknown", "zone", name).Because(err)
	}
	return loc, nil
}

// portableZone reports whether name could be one of the IANA database. All of
// those begin with a capital letter; what some systems add in the same folder
// does not: localtime, posixrules, and right/…, which counts leap seconds.
func portableZone(name string) bool {
	if name == "" || name == "Local" || len(name) > longestZoneName {
		return false
	}
	if name[0] < 'A' || name[0] > 'Z' {
		return false
	}
	for _, c := range []byte(name) {
		letterOrDigit := c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9'
		if !letterOrDigit && c != '/' && c != '_' && c != '-' && c != '+' {
			return false
		}
	}
	return true
}

// WallKind says how often a wall time exists on its day in its zone.
type WallKind uint8

// The kinds of wall time.
const (
	WallExact   WallKind = iota + 1 // once, as nearly always
	WallGap                         // never: the clock is put forward over it
	WallOverlap                     // twice: the clock is put back over it
)

// zoneReach is more than any zone's distance from UTC: the database has
// offsets from -15:13 to +15:13 in all its history, and POSIX allows 24 hours.
const zoneReach = 26 * time.Hour

// ResolveWall returns the instant at which a clock in loc shows c on the day d,
// and how often it does. A time that is skipped becomes the first instant after
// the gap, a time that comes twice the first of both: a mailing goes out once,
// and never before its time. Of two wall times the later never resolves to the
// earlier instant, but two in one gap resolve to the same. The instant is
// returned in loc, so that its clock says when the mailing really goes out.
func ResolveWall(d Date, c Clock, loc *time.Location) (time.Time, WallKind) {
	wall := d.at(c)
	// From here on the loop visits one stretch of unchanging offset after the
	// other, beginning before any clock can have shown the time.
	t := wall.Add(-zoneReach).In(loc)
	for {
		end := offsetEnd(t)
		at := shownAt(wall, t)
		switch {
		case !end.IsZero() && !at.Before(end):
			t = end // the clock shows it later than this offset lasts
		case at.Before(t):
			return t, WallGap // it would have shown it before this offset began
		case comesAgain(wall, end):
			return at, WallOverlap
		default:
			return at, WallExact
		}
	}
}

// shownAt returns the instant at which a clock set to the offset of t, and
// never changed, shows wall.
func shownAt(wall, t time.Time) time.Time {
	_, offset := t.Zone()
	return wall.Add(-time.Duration(offset) * time.Second).In(t.Location())
}

// comesAgain reports whether a clock shows wall at or after t, which is the
// beginning of an offset, or zero when no other offset follows.
func comesAgain(wall, t time.Time) bool {
	for !t.IsZero() && t.Before(wall.Add(zoneReach)) {
		end := offsetEnd(t)
		at := shownAt(wall, t)
		if !at.Before(t) && (end.IsZero() || at.Before(end)) {
			return true
		}
		t = end
	}
	return false
}

// offsetEnd returns an instant after t up to which the offset of t is in force,
// or zero when it is for good. The next offset may be the same.
//
// Beyond the last change that the database lists, ZoneBounds cuts time into
// years of 365 days (time.tzset in Go 1.26). On the last day of a leap year the
// end that it returns is therefore not after t; as far as rules are known to
// it, nothing changes any more before the year is over.
func offsetEnd(t time.Time) time.Time {
	_, end := t.ZoneBounds()
	if end.IsZero() || end.After(t) {
		return end
	}
	return time.Date(t.UTC().Year()+1, time.January, 1, 0, 0, 0, 0, time.UTC).In(t.Location())
}
