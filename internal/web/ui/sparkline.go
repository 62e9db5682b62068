package ui

import (
	"slices"
	"strconv"
	"strings"
)

// The field a Sparkline is drawn in, in its own units; the style stretches it.
const (
	sparkWidth  = 120
	sparkHeight = 32
	sparkEdge   = 2 // kept free above and below, for the width of the line
)

// sparkPoints are the values from left to right, the largest at the top.
func sparkPoints(values []int64) string {
	if len(values) == 0 {
		return ""
	}
	largest := max(slices.Max(values), 1)
	step := float64(sparkWidth) / float64(max(len(values)-1, 1))
	points := make([]string, len(values))
	for i, value := range values {
		y := sparkHeight - sparkEdge - float64(value)/float64(largest)*(sparkHeight-2*sparkEdge)
		points[i] = coordinate(float64(i)*step) + "," + coordinate(y)
	}
	return strings.Join(points, " ")
}

// sparkArea is what lies below the line.
func sparkArea(values []int64) string {
	bottom := strconv.Itoa(sparkHeight)
	return "0," + bottom + " " + sparkPoints(values) + " " + strconv.Itoa(sparkWidth) + "," + bottom
}

func coordinate(v float64) string { return strconv.FormatFloat(v, 'f', 1, 64) }
