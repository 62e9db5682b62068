// Package metrics counts what happens and tells it in the text format of Prometheus
// (version 0.0.4). It knows counters, histograms and what is asked for when somebody
// looks; that is all we need of the official client, which brings six modules with it.
package metrics

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Set is numbers that are told together. The zero value is empty and ready for use.
// It is safe for concurrent use.
type Set struct {
	mu       sync.Mutex
	families []*family
}

// family is the numbers of one name, one for each combination of labels.
type family struct {
	name, help, kind string
	labels           []string
	bounds           []float64 // of a histogram, upwards
	mu               sync.Mutex
	series           map[string]*series // by labels as they are written
}

type series struct {
	value  float64 // of a histogram the sum
	counts []int64 // of a histogram, for each bound and one for all above
}

// Counter is a number that only grows.
type Counter struct{ family *family }

// Histogram tells how observations are spread.
type Histogram struct{ family *family }

// Counter adds a counter with labels to the set.
func (s *Set) Counter(name, help string, labels ...string) Counter {
	return Counter{s.add(&family{name: name, help: help, kind: "counter", labels: labels})}
}

// Histogram adds a histogram with labels to the set. Bounds go upwards.
func (s *Set) Histogram(name, help string, bounds []float64, labels ...string) Histogram {
	return Histogram{s.add(&family{name: name, help: help, kind: "histogram", labels: labels, bounds: bounds})}
}

func (s *Set) add(f *family) *family {
	f.series = map[string]*series{}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.families = append(s.families, f)
	return f
}

// Add adds n to the counter with the values of its labels.
func (c Counter) Add(n float64, values ...string) {
	c.family.change(values, func(s *series) { s.value += n })
}

// Observe takes in one observation with the values of its labels.
func (h Histogram) Observe(value float64, values ...string) {
	h.family.change(values, func(s *series) {
		if s.counts == nil {
			s.counts = make([]int64, len(h.family.bounds)+1)
		}
		s.value += value
		i, _ := slices.BinarySearch(h.family.bounds, value)
		s.counts[i]++
	})
}

func (f *family) change(values []string, change func(*series)) {
	key := labelText(f.labels, values)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.series[key] == nil {
		f.series[key] = &series{}
	}
	change(f.series[key])
}

// WriteTo writes all numbers of the set.
func (s *Set) WriteTo(w io.Writer) (int64, error) {
	s.mu.Lock()
	families := slices.Clone(s.families)
	s.mu.Unlock()
	out := NewWriter(w)
	for _, f := range families {
		f.write(out)
	}
	return 0, out.Flush()
}

func (f *family) write(w *Writer) {
	f.mu.Lock()
	defer f.mu.Unlock()
	w.head(f.name, f.help, f.kind)
	keys := make([]string, 0, len(f.series))
	for key := range f.series {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, key := range keys {
		if s := f.series[key]; f.kind == "histogram" {
			w.histogram(f, key, s)
		} else {
			w.line(f.name, key, s.value)
		}
	}
}

// Writer writes numbers that are asked for at this moment.
type Writer struct {
	out *bufio.Writer
}

// NewWriter returns a writer that must be flushed.
func NewWriter(w io.Writer) *Writer { return &Writer{bufio.NewWriter(w)} }

// Flush hands over what was written and returns the first error.
func (w *Writer) Flush() error { return w.out.Flush() }

// Gauge writes a number that goes up and down. Label is the name of its label, empty for
// none; values are by the label's value.
func (w *Writer) Gauge(name, help, label string, values map[string]float64) {
	w.values("gauge", name, help, label, values)
}

// Total writes a number that only grows, as Gauge does.
func (w *Writer) Total(name, help, label string, values map[string]float64) {
	w.values("counter", name, help, label, values)
}

func (w *Writer) values(kind, name, help, label string, values map[string]float64) {
	w.head(name, help, kind)
	keys := make([]string, 0, len(values))
	for key := range values {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, key := range keys {
		if label == "" {
			w.line(name, "", values[key])
		} else {
			w.line(name, labelText([]string{label}, []string{key}), values[key])
		}
	}
}

func (w *Writer) head(name, help, kind string) {
	fmt.Fprintf(w.out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind)
}

func (w *Writer) line(name, labels string, value float64) {
	if labels != "" {
		labels = "{" + labels + "}"
	}
	fmt.Fprintf(w.out, "%s%s %s\n", name, labels, number(value))
}

func (w *Writer) histogram(f *family, key string, s *series) {
	all := int64(0)
	for i, bound := range append(slices.Clone(f.bounds), math.Inf(1)) {
		all += s.counts[i]
		le := `le="` + number(bound) + `"`
		if key != "" {
			le = key + "," + le
		}
		w.line(f.name+"_bucket", le, float64(all))
	}
	w.line(f.name+"_sum", key, s.value)
	w.line(f.name+"_count", key, float64(all))
}

func number(value float64) string {
	if math.IsInf(value, 1) {
		return "+Inf"
	}
	return strconv.FormatFloat(value, 'g', -1, 64)
}

// labelText panics unless there is a value for each label: that is a slip in the code.
func labelText(labels, values []string) string {
	if len(labels) != len(values) {
		panic(fmt.Sprintf("metrics: %d values for the labels %v", len(values), labels))
	}
	parts := make([]string, len(labels))
	for i, label := range labels {
		parts[i] = label + `="` + escapes.Replace(values[i]) + `"`
	}
	return strings.Join(parts, ",")
}

var escapes = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)
