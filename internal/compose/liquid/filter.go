package liquid

import (
	"math"
	"net/url"
	"strings"
	"unicode/utf8"
)

// maxArgs is the most that a filter takes.
const maxArgs = 2

// filter is a function on a value, with how many arguments it takes.
type filter struct {
	least, most int
	apply       func(s *state, v any, args []any) (any, error)
}

// filters are all that there are.
var filters = map[string]filter{
	"default":       {0, 1, filterDefault},
	"upcase":        {0, 0, onText(strings.ToUpper)},
	"downcase":      {0, 0, onText(strings.ToLower)},
	"capitalize":    {0, 0, onText(func(s string) string { return capitalFirst(strings.ToLower(s)) })},
	"strip":         {0, 0, onText(strings.TrimSpace)},
	"url_encode":    {0, 0, onText(url.QueryEscape)},
	"escape":        {0, 0, filterEscape},
	"newline_to_br": {0, 0, filterNewlineToBr},
	"truncate":      {0, 2, filterTruncate},
	"append":        {1, 1, filterAppend},
	"prepend":       {1, 1, filterPrepend},
	"replace":       {1, 2, filterReplace},
	"date":          {1, 1, filterDate},
	"size":          {0, 0, filterSize},
	"join":          {0, 1, filterJoin},
	"first":         {0, 0, filterFirst},
	"last":          {0, 0, filterLast},
	"plus":          {1, 1, arithmetic('+')},
	"minus":         {1, 1, arithmetic('-')},
	"times":         {1, 1, arithmetic('*')},
	"divided_by":    {1, 1, arithmetic('/')},
	"modulo":        {1, 1, arithmetic('%')},
	"abs":           {0, 0, filterAbs},
	"ceil":          {0, 0, rounding(math.Ceil)},
	"floor":         {0, 0, rounding(math.Floor)},
	"round":         {0, 1, filterRound},
}

// onText makes a filter of a function on texts whose result is at most a few
// times as long as its input, which has been charged.
func onText(f func(string) string) func(*state, any, []any) (any, error) {
	return func(_ *state, v any, _ []any) (any, error) { return f(toText(v)), nil }
}

// filterDefault stands in for nil, false and what is empty. Space counts as
// empty: "Hello, !" is what it is there to prevent.
func filterDefault(_ *state, v any, args []any) (any, error) {
	if !isEmpty(v) {
		return v, nil
	}
	if len(args) == 0 {
		return "", nil
	}
	return args[0], nil
}

func filterEscape(_ *state, v any, _ []any) (any, error) {
	if m, ok := v.(markup); ok {
		return m, nil
	}
	return escaped(clean(toText(v), false)), nil
}

func filterNewlineToBr(_ *state, v any, _ []any) (any, error) {
	m, ok := v.(markup)
	if !ok {
		m = escaped(clean(toText(v), false))
	}
	m.html = strings.ReplaceAll(m.html, "\n", "<br>\n")
	return m, nil
}

// filterTruncate cuts to so many characters, the ellipsis among them.
func filterTruncate(_ *state, v any, args []any) (any, error) {
	most, ellipsis := int64(50), "..." // as Liquid has it
	if len(args) > 0 {
		most = toWhole(args[0])
	}
	if len(args) > 1 {
		ellipsis = toText(args[1])
	}
	text := toText(v)
	if int64(utf8.RuneCountInString(text)) <= most {
		return text, nil
	}
	keep := max(most-int64(utf8.RuneCountInString(ellipsis)), 0)
	for i := range text {
		if keep == 0 {
			return text[:i] + ellipsis, nil
		}
		keep--
	}
	return text, nil
}

func filterAppend(_ *state, v any, args []any) (any, error) {
	return toText(v) + toText(args[0]), nil
}

func filterPrepend(_ *state, v any, args []any) (any, error) {
	return toText(args[0]) + toText(v), nil
}

// filterReplace charges for what it will make before it makes it.
func filterReplace(s *state, v any, args []any) (any, error) {
	text, old, with := toText(v), toText(args[0]), ""
	if len(args) > 1 {
		with = toText(args[1])
	}
	if old == "" {
		return text, nil
	}
	count := strings.Count(text, old)
	if len(with) > 0 && count > MaxBytes/len(with) {
		return nil, errTooLong
	}
	if err := s.charge(count * len(with)); err != nil {
		return nil, err
	}
	return strings.ReplaceAll(text, old, with), nil
}

func filterSize(_ *state, v any, _ []any) (any, error) {
	if m, ok := v.(markup); ok {
		v = m.plain
	}
	if size := part(v, "size"); size != nil {
		return size, nil
	}
	return int64(0), nil
}

func filterJoin(s *state, v any, args []any) (any, error) {
	list, ok := v.([]any)
	if !ok {
		return toText(v), nil
	}
	glue := " "
	if len(args) > 0 {
		glue = toText(args[0])
	}
	if len(glue) > 0 && len(list) > MaxBytes/len(glue) {
		return nil, errTooLong
	}
	return joinList(list, glue), s.charge(len(list) * len(glue))
}

func filterFirst(_ *state, v any, _ []any) (any, error) { return part(v, "first"), nil }
func filterLast(_ *state, v any, _ []any) (any, error)  { return part(v, "last"), nil }

// arithmetic calculates in whole numbers as long as both are whole. What is
// no number counts as 0; division by zero gives nothing.
func arithmetic(op byte) func(*state, any, []any) (any, error) {
	return func(_ *state, v any, args []any) (any, error) {
		a, af, aWhole, aOK := toNumber(v)
		b, bf, bWhole, bOK := toNumber(args[0])
		if (aWhole || !aOK) && (bWhole || !bOK) {
			return wholes(op, a, b), nil
		}
		return floats(op, af, bf), nil
	}
}

func wholes(op byte, a, b int64) any {
	switch {
	case op == '+':
		return a + b
	case op == '-':
		return a - b
	case op == '*':
		return a * b
	case b == 0:
		return nil
	case op == '/':
		return floorDiv(a, b)
	}
	return a - b*floorDiv(a, b)
}

// floorDiv rounds down, as Liquid's Ruby does.
func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b != 0 && (a < 0) != (b < 0) {
		q--
	}
	return q
}

func floats(op byte, a, b float64) any {
	switch op {
	case '+':
		return a + b
	case '-':
		return a - b
	case '*':
		return a * b
	case '/':
		return a / b
	}
	return a - b*math.Floor(a/b)
}

func filterAbs(_ *state, v any, _ []any) (any, error) {
	n, f, isWhole, ok := toNumber(v)
	switch {
	case !ok:
		return int64(0), nil
	case !isWhole:
		return math.Abs(f), nil
	case n < 0:
		return -n, nil
	}
	return n, nil
}

func rounding(f func(float64) float64) func(*state, any, []any) (any, error) {
	return func(_ *state, v any, _ []any) (any, error) {
		n, x, isWhole, _ := toNumber(v)
		if isWhole {
			return n, nil
		}
		return toWhole(f(x)), nil
	}
}

// filterRound rounds to so many digits after the point, at most twelve.
func filterRound(_ *state, v any, args []any) (any, error) {
	n, x, isWhole, _ := toNumber(v)
	if isWhole {
		return n, nil
	}
	var digits int64
	if len(args) > 0 {
		digits = min(toWhole(args[0]), 12)
	}
	if digits <= 0 {
		return toWhole(math.Round(x)), nil
	}
	scale := math.Pow10(int(digits))
	return math.Round(x*scale) / scale, nil
}
