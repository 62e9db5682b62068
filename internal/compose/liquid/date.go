package liquid

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// filterDate formats a time by the directives of strftime (POSIX.1-2017) that
// dates in messages use. What is no date is passed on as it is.
func filterDate(s *state, v any, args []any) (any, error) {
	t, ok := s.moment(v)
	format := toText(args[0])
	if !ok || format == "" {
		return v, nil
	}
	// No directive makes more than 32 bytes of its two.
	if err := s.charge(16 * len(format)); err != nil {
		return nil, err
	}
	return strftime(t, format, s.t.lang), nil
}

// layouts are the written dates that the date filter understands.
var layouts = [...]string{
	time.RFC3339, "2006-01-02 15:04:05 -0700", "2006-01-02 15:04:05", "2006-01-02T15:04:05",
	"2006-01-02 15:04", "2006-01-02T15:04", time.DateOnly, "02.01.2006 15:04", "02.01.2006",
}

// moment reads a value as a time: a time, Unix seconds, a written date, "now"
// or "today".
func (s *state) moment(v any) (time.Time, bool) {
	switch v := v.(type) {
	case time.Time:
		return v, true
	case int64:
		return time.Unix(v, 0).In(s.now.Location()), true
	case string:
		text := strings.TrimSpace(v)
		if text == "now" || text == "today" {
			return s.now, true
		}
		if text == "" || len(text) > 40 {
			return time.Time{}, false
		}
		for _, layout := range layouts {
			if t, err := time.ParseInLocation(layout, text, s.now.Location()); err == nil {
				return t, true
			}
		}
	}
	return time.Time{}, false
}

var (
	monthsRu      = [...]string{"января", "февраля", "марта", "апреля", "мая", "июня", "июля", "августа", "сентября", "октября", "ноября", "декабря"}
	monthsShortRu = [...]string{"янв", "фев", "мар", "апр", "мая", "июн", "июл", "авг", "сен", "окт", "ноя", "дек"}
	daysRu        = [...]string{"воскресенье", "понедельник", "вторник", "среда", "четверг", "пятница", "суббота"}
	daysShortRu   = [...]string{"вс", "пн", "вт", "ср", "чт", "пт", "сб"}
)

// strftime formats t. A "-" after the percent sign drops leading zeros; an
// unknown directive stays as it is written. Russian months are in the
// genitive, as in "23 ноября".
func strftime(t time.Time, format, lang string) string {
	var b strings.Builder
	for {
		i := strings.IndexByte(format, '%')
		if i < 0 || i+1 == len(format) {
			b.WriteString(format)
			return b.String()
		}
		b.WriteString(format[:i])
		format = format[i+1:]
		bare := format[0] == '-' && len(format) > 1
		if bare {
			format = format[1:]
		}
		text, known := directive(t, format[0], lang)
		switch {
		case !known:
			b.WriteByte('%')
			if bare {
				b.WriteByte('-')
			}
			continue
		case bare:
			text = dropZeros(text)
		}
		b.WriteString(text)
		format = format[1:]
	}
}

func dropZeros(s string) string {
	for len(s) > 1 && (s[0] == '0' || s[0] == ' ') {
		s = s[1:]
	}
	return s
}

// directive formats one directive.
func directive(t time.Time, c byte, lang string) (text string, known bool) {
	if lang == "ru" {
		if text, known := directiveRu(t, c); known {
			return text, true
		}
	}
	switch c {
	case 'j':
		return fmt.Sprintf("%03d", t.YearDay()), true
	case 's':
		return strconv.FormatInt(t.Unix(), 10), true
	case 'u':
		return strconv.Itoa((int(t.Weekday())+6)%7 + 1), true
	case 'w':
		return strconv.Itoa(int(t.Weekday())), true
	case '%':
		return "%", true
	}
	if layout := directiveLayout(c); layout != "" {
		return t.Format(layout), true
	}
	return "", false
}

// directiveLayout gives the layout of package time for a directive.
func directiveLayout(c byte) string {
	switch c {
	case 'Y':
		return "2006"
	case 'y':
		return "06"
	case 'm':
		return "01"
	case 'd':
		return "02"
	case 'e':
		return "_2"
	case 'H':
		return "15"
	case 'I':
		return "03"
	case 'M':
		return "04"
	case 'S':
		return "05"
	case 'p':
		return "PM"
	case 'B':
		return "January"
	case 'b', 'h':
		return "Jan"
	case 'A':
		return "Monday"
	case 'a':
		return "Mon"
	case 'Z':
		return "MST"
	case 'z':
		return "-0700"
	case 'F':
		return "2006-01-02"
	case 'D':
		return "01/02/06"
	case 'T':
		return "15:04:05"
	case 'R':
		return "15:04"
	}
	return ""
}

// directiveRu gives what differs in Russian.
func directiveRu(t time.Time, c byte) (text string, known bool) {
	switch c {
	case 'B':
		return monthsRu[t.Month()-1], true
	case 'b', 'h':
		return monthsShortRu[t.Month()-1], true
	case 'A':
		return daysRu[t.Weekday()], true
	case 'a':
		return daysShortRu[t.Weekday()], true
	}
	return "", false
}
