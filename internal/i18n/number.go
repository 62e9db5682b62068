package i18n

import (
	"strconv"
	"strings"
)

// noBreakSpace keeps the groups of a number, and a number and its unit, on one
// line.
const noBreakSpace = "\u00a0"

// Number writes n with its digits in groups of three: "1 204" in Russian, with
// spaces that do not break, "1,204" in English (CLDR).
func (p *Printer) Number(n int64) string {
	digits := strconv.FormatInt(n, 10)
	sign, digits := cutSign(digits)
	var grouped strings.Builder
	for i, digit := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			grouped.WriteString(p.T("number.group"))
		}
		grouped.WriteRune(digit)
	}
	return sign + grouped.String()
}

// Percent writes part of whole with one digit behind the point: "97,3 %" in
// Russian, "97.3%" in English. Of nothing it is nothing: "0,0 %". A part that is
// not all never rounds up to 100, nor one that is something down to 0.
func (p *Printer) Percent(part, whole int64) string {
	tenths := int64(0)
	if whole > 0 {
		tenths = int64(float64(part)*1000/float64(whole) + 0.5)
	}
	if part < whole && tenths >= 1000 {
		tenths = 999
	}
	if part > 0 && tenths == 0 {
		tenths = 1
	}
	return p.T("number.percent", "whole", p.Number(tenths/10), "tenths", tenths%10)
}

func cutSign(digits string) (sign, rest string) {
	if rest, negative := strings.CutPrefix(digits, "-"); negative {
		return "\u2212", rest
	}
	return "", digits
}
