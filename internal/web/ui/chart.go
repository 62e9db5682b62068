package ui

import (
	"encoding/json"
	"fmt"
	"strconv"
)

// FunnelStep is one number of a Funnel: a part of a whole, in a tone, with parts of its own.
type FunnelStep struct {
	Label string
	Value string // the number as people read it
	Note  string // its share in words; may be empty
	Path  string // where those are listed; may be empty
	Part  int64
	Whole int64
	Tone  Tone
	Parts []FunnelStep // are told in a line each, without a bar
}

// barWidth is that of a whole bar, in the units of its drawing.
const barWidth = 1000

// barPart is the width of the part. What is there at all is seen.
func barPart(part, whole int64) string {
	if part <= 0 || whole <= 0 {
		return "0"
	}
	return strconv.FormatInt(max(min(part*barWidth/whole, barWidth), 4), 10)
}

// TimeChart is how two numbers went over time, in slots.
type TimeChart struct {
	Title  string // says what is shown, for who does not see it
	Table  string // words that open the same as a table
	When   string // title of the column with the slots
	Good   string // names of the two numbers
	Bad    string
	Points []TimePoint
}

// TimePoint is one slot of a TimeChart.
type TimePoint struct {
	When      string // when it begins, as people read it
	Good, Bad int64
}

// data is what the script of the chart reads.
func (c TimeChart) data() string {
	type series struct {
		Names []string `json:"names"`
		When  []string `json:"when"`
		Good  []int64  `json:"good"`
		Bad   []int64  `json:"bad"`
	}
	s := series{Names: []string{c.When, c.Good, c.Bad}}
	for _, point := range c.Points {
		s.When, s.Good, s.Bad = append(s.When, point.When), append(s.Good, point.Good), append(s.Bad, point.Bad)
	}
	text, _ := json.Marshal(s) // there is nothing in it that could not be written
	return string(text)
}

// TrendBar is one of the bars of a Trend: how large a thing was, and which part of it was
// well.
type TrendBar struct {
	Whole, Part int64
	Current     bool
}

// The drawing of a Trend, in its own units.
const (
	trendHeight = 100
	trendStep   = 24
	trendBar    = 16
)

// trendRect is a rectangle of a Trend.
type trendRect struct{ x, y, height string }

func trendWidth(bars []TrendBar) string {
	return fmt.Sprintf("0 0 %d %d", max(len(bars), 4)*trendStep, trendHeight)
}

// rect is that of a value in the bar of the number.
func trendRectOf(bars []TrendBar, i int, value int64) trendRect {
	highest := int64(1)
	for _, bar := range bars {
		highest = max(highest, bar.Whole)
	}
	height := value * trendHeight / highest
	if value > 0 {
		height = max(height, 2)
	}
	x := i*trendStep + (trendStep-trendBar)/2
	return trendRect{strconv.Itoa(x), strconv.FormatInt(trendHeight-height, 10), strconv.FormatInt(height, 10)}
}
