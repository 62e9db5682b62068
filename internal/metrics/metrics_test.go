package metrics

import (
	"strings"
	"sync"
	"testing"
)

func TestSet(t *testing.T) {
	var s Set
	mails := s.Counter("mails_total", "Mails by result.", "result")
	took := s.Histogram("took_seconds", "How long it took.", []float64{0.1, 1}, "route")
	var all sync.WaitGroup
	for range 10 {
		all.Go(func() {
			mails.Add(2, "accepted")
			took.Observe(0.1, `GET /a"b\c`+"\n")
		})
	}
	all.Wait()
	mails.Add(1, "failed")
	took.Observe(0.5, "GET /")
	took.Observe(7, "GET /")
	var out strings.Builder
	if _, err := s.WriteTo(&out); err != nil {
		t.Fatal(err)
	}
	const want = `# HELP mails_total Mails by result.
# TYPE mails_total counter
mails_total{result="accepted"} 20
mails_total{result="failed"} 1
# HELP took_seconds How long it took.
# TYPE took_seconds histogram
took_seconds_bucket{route="GET /",le="0.1"} 0
took_seconds_bucket{route="GET /",le="1"} 1
took_seconds_bucket{route="GET /",le="+Inf"} 2
took_seconds_sum{route="GET /"} 7.5
took_seconds_count{route="GET /"} 2
took_seconds_bucket{route="GET /a\"b\\c\n",le="0.1"} 10
took_seconds_bucket{route="GET /a\"b\\c\n",le="1"} 10
took_seconds_bucket{route="GET /a\"b\\c\n",le="+Inf"} 10
took_seconds_sum{route="GET /a\"b\\c\n"} 0.9999999999999999
took_seconds_count{route="GET /a\"b\\c\n"} 10
`
	if out.String() != want {
		t.Errorf("got\n%s", out.String())
	}
	t.Run("numbers of the moment", func(t *testing.T) {
		var out strings.Builder
		w := NewWriter(&out)
		w.Gauge("runs", "Runs by state.", "state", map[string]float64{"sending": 2, "opening": 1})
		w.Total("gc_total", "Rounds.", "", map[string]float64{"": 3})
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		const want = "# HELP runs Runs by state.\n# TYPE runs gauge\nruns{state=\"opening\"} 1\nruns{state=\"sending\"} 2\n" +
			"# HELP gc_total Rounds.\n# TYPE gc_total counter\ngc_total 3\n"
		if out.String() != want {
			t.Errorf("got\n%s", out.String())
		}
	})
}
