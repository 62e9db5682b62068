package liquid

import (
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// markup is text that has been escaped already. Filters work on the plain
// text, so what comes out of them is escaped again.
type markup struct {
	html, plain string
}

// normal brings a caller's value to one of nil, bool, string, int64, float64,
// time.Time, []any, map[string]any, markup, blank and *loopInfo. What is none
// of these is nil: a template cannot reach into Go values.
func normal(v any) any {
	switch v := v.(type) {
	case nil, bool, string, int64, float64, time.Time, []any, map[string]any, markup, blank, *loopInfo:
		return v
	case int:
		return int64(v)
	case int32:
		return int64(v)
	case uint32:
		return int64(v)
	case float32:
		return float64(v)
	case []string:
		list := make([]any, len(v))
		for i := range v {
			list[i] = v[i]
		}
		return list
	case map[string]string:
		m := make(map[string]any, len(v))
		for key, value := range v {
			m[key] = value
		}
		return m
	}
	return nil
}

// toText is what a value looks like in a message. Lists are joined; maps are
// not shown.
func toText(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case markup:
		return v.plain
	case bool:
		return strconv.FormatBool(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		return floatText(v)
	case time.Time:
		return v.Format("2006-01-02 15:04:05 -0700")
	case []any:
		return joinList(v, "")
	}
	return ""
}

func floatText(f float64) string {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return ""
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}

// joinList shows the simple values of a list; lists within it are left out,
// so that a list that holds itself is no trap.
func joinList(list []any, glue string) string {
	var b strings.Builder
	for i, item := range list {
		if i > 0 {
			b.WriteString(glue)
		}
		item = normal(item)
		if _, nested := item.([]any); !nested {
			b.WriteString(toText(item))
		}
	}
	return b.String()
}

// truthy is Liquid's: all but nil and false.
func truthy(v any) bool {
	if b, ok := v.(bool); ok {
		return b
	}
	return v != nil
}

// isEmpty is what the default filter and the words blank and empty go by.
func isEmpty(v any) bool {
	switch v := v.(type) {
	case nil, blank:
		return true
	case bool:
		return !v
	case string:
		return strings.TrimSpace(v) == ""
	case markup:
		return strings.TrimSpace(v.plain) == ""
	case []any:
		return len(v) == 0
	case map[string]any:
		return len(v) == 0
	}
	return false
}

// toNumber reads a value as a number: whole when it can be.
func toNumber(v any) (whole int64, f float64, isWhole, ok bool) {
	switch v := v.(type) {
	case int64:
		return v, float64(v), true, true
	case float64:
		return 0, v, false, true
	case markup:
		return toNumber(v.plain)
	case string:
		s := strings.TrimSpace(v)
		if len(s) > 32 { // no number that counts anything is longer
			return 0, 0, false, false
		}
		if n, err := strconv.ParseInt(s, 10, 64); err == nil {
			return n, float64(n), true, true
		}
		f, err := strconv.ParseFloat(s, 64)
		return 0, f, false, err == nil && !math.IsNaN(f) && !math.IsInf(f, 0)
	}
	return 0, 0, false, false
}

// toWhole reads a value as a whole number, 0 when it is none.
func toWhole(v any) int64 {
	n, f, isWhole, ok := toNumber(v)
	switch {
	case !ok:
		return 0
	case isWhole:
		return n
	case f >= math.MaxInt64:
		return math.MaxInt64
	case f <= math.MinInt64:
		return math.MinInt64
	}
	return int64(f)
}

func equal(a, b any) bool {
	if _, ok := a.(blank); ok {
		return isEmpty(b)
	}
	if _, ok := b.(blank); ok {
		return isEmpty(a)
	}
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	if x, ok := a.(bool); ok {
		y, ok := b.(bool)
		return ok && x == y
	}
	if isNumber(a) || isNumber(b) {
		order, ok := compare(a, b)
		return ok && order == 0
	}
	return isText(a) && isText(b) && toText(a) == toText(b)
}

func isNumber(v any) bool {
	switch v.(type) {
	case int64, float64:
		return true
	}
	return false
}

func isText(v any) bool {
	switch v.(type) {
	case string, markup:
		return true
	}
	return false
}

// compare orders numbers (also when one of them is a text, for fields of
// contacts are texts), texts, and times.
func compare(a, b any) (order int, ok bool) {
	if isText(a) && isText(b) {
		return strings.Compare(toText(a), toText(b)), true
	}
	if x, ok := a.(time.Time); ok {
		y, ok := b.(time.Time)
		return x.Compare(y), ok
	}
	x, xf, xWhole, ok := toNumber(a)
	if !ok {
		return 0, false
	}
	y, yf, yWhole, ok := toNumber(b)
	switch {
	case !ok:
		return 0, false
	case xWhole && yWhole:
		return sign(x < y, x > y), true
	}
	return sign(xf < yf, xf > yf), xf == xf && yf == yf
}

func sign(less, more bool) int {
	switch {
	case less:
		return -1
	case more:
		return 1
	}
	return 0
}

// contains looks for b in the text or list a.
func contains(a, b any) bool {
	if list, ok := a.([]any); ok {
		for _, item := range list {
			if equal(normal(item), b) {
				return true
			}
		}
		return false
	}
	if b == nil || !isText(a) {
		return false
	}
	return strings.Contains(toText(a), toText(b))
}

// part returns value.key: of a map, a loop, or the size, first or last of a
// list or text.
func part(v any, key string) any {
	switch v := v.(type) {
	case map[string]any:
		if item, ok := v[key]; ok {
			return normal(item)
		}
		if key == "size" {
			return int64(len(v))
		}
	case *loopInfo:
		return v.part(key)
	case []any:
		switch {
		case key == "size":
			return int64(len(v))
		case key == "first":
			return at(v, 0)
		case key == "last":
			return at(v, -1)
		}
	case string:
		if key == "size" {
			return int64(utf8.RuneCountInString(v))
		}
	}
	return nil
}

// at returns an item of a list, counted from the end when index is negative.
func at(list []any, index int64) any {
	if index < 0 {
		index += int64(len(list))
	}
	if index < 0 || index >= int64(len(list)) {
		return nil
	}
	return normal(list[index])
}

// weight is about how many bytes it takes to work on a value.
func weight(v any) int {
	switch v := v.(type) {
	case string:
		return len(v)
	case markup:
		return len(v.html)
	case []any:
		sum := 16 * len(v)
		for _, item := range v {
			if s, ok := item.(string); ok {
				sum += len(s)
			}
		}
		return sum
	}
	return 8
}

// escaped marks a text as escaped.
func escaped(plain string) markup {
	return markup{html: escapeHTML(plain), plain: plain}
}
