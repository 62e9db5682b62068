package bench

import (
	"cmp"
	"runtime"
	"slices"
	"time"
)

// Result is what one sending came to.
type Result struct {
	Rate        float64       `json:"rate"`         // mails a second, from the first acceptance at the sink to the last
	Ratio       float64       `json:"ratio"`        // of the ceiling's rate in the same round; 0 for the ceiling
	SenderCPU   time.Duration `json:"sender_cpu"`   // nanoseconds, as all durations here
	DatabaseCPU time.Duration `json:"database_cpu"` // of PostgreSQL; SQLite works in the sender
	SinkCPU     time.Duration `json:"sink_cpu"`
	PeakMemory  int64         `json:"peak_memory"`  // of the service, bytes
	FirstAfter  time.Duration `json:"first_after"`  // from "send" to the first acceptance
	OpenedAfter time.Duration `json:"opened_after"` // from "send" until all deliveries were written down
	Lost        int           `json:"lost"`         // recipients without a mail
	Doubled     int           `json:"doubled"`      // mails too many
}

func resultOf(r received, recipients int) Result {
	return Result{
		Rate: float64(r.Count-1) / r.Last.Sub(r.First).Seconds(),
		Lost: recipients - r.Unique, Doubled: r.Count - r.Unique,
	}
}

// Row is what one sender did in one scenario, in all rounds.
type Row struct {
	Sender      string        `json:"sender"` // "ceiling", "sqlite", "postgres" or "sqlite+dkim"
	Recipients  int           `json:"recipients"`
	Connections int           `json:"connections"`
	Delay       time.Duration `json:"delay"`
	Results     []Result      `json:"results"`
}

// Median is, for each number, the one in the middle of all rounds; of Lost and
// Doubled it is the sum, since none may be.
func (r Row) Median() Result {
	m := Result{
		Rate: median(r.Results, func(x Result) float64 { return x.Rate }), Ratio: median(r.Results, func(x Result) float64 { return x.Ratio }),
		SenderCPU:   median(r.Results, func(x Result) time.Duration { return x.SenderCPU }),
		DatabaseCPU: median(r.Results, func(x Result) time.Duration { return x.DatabaseCPU }),
		SinkCPU:     median(r.Results, func(x Result) time.Duration { return x.SinkCPU }),
		PeakMemory:  median(r.Results, func(x Result) int64 { return x.PeakMemory }),
		FirstAfter:  median(r.Results, func(x Result) time.Duration { return x.FirstAfter }),
		OpenedAfter: median(r.Results, func(x Result) time.Duration { return x.OpenedAfter }),
	}
	for _, x := range r.Results {
		m.Lost += x.Lost
		m.Doubled += x.Doubled
	}
	return m
}

// Spread is the least and the greatest rate.
func (r Row) Spread() (least, most float64) {
	rate := func(a, b Result) int { return cmp.Compare(a.Rate, b.Rate) }
	return slices.MinFunc(r.Results, rate).Rate, slices.MaxFunc(r.Results, rate).Rate
}

func median[T cmp.Ordered](results []Result, of func(Result) T) T {
	values := make([]T, len(results))
	for i, r := range results {
		values[i] = of(r)
	}
	slices.Sort(values)
	return values[len(values)/2]
}

// Report is all that was measured.
type Report struct {
	CPUs  int   `json:"cpus"`
	Bytes int   `json:"bytes"` // of a message
	Rows  []Row `json:"rows"`
}

func newReport(Options) *Report {
	message, err := sample()
	if err != nil {
		panic("bench: the letter does not compile: " + err.Error())
	}
	return &Report{CPUs: runtime.NumCPU(), Bytes: len(message)}
}

func (r *Report) add(s scenario, sender string, result Result) {
	for i := range r.Rows {
		row := &r.Rows[i]
		if row.Sender == sender && row.Connections == s.Connections && row.Delay == s.Delay && row.Recipients == s.Recipients {
			row.Results = append(row.Results, result)
			return
		}
	}
	r.Rows = append(r.Rows, Row{
		Sender: sender, Recipients: s.Recipients, Connections: s.Connections, Delay: s.Delay, Results: []Result{result},
	})
}
