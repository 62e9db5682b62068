package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/pprof"
	"runtime"
	runtimemetrics "runtime/metrics"
	"strconv"
	"strings"
	"sync"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/metrics"
	"vestnik/internal/store"
)

// numbers is what this process counts for VESTNIK_METRICS_ADDR.
type numbers struct {
	metrics.Set
	mails    metrics.Counter
	settling metrics.Histogram
	requests metrics.Histogram
}

// The bounds of durations, in seconds: from what a page takes at rest to what a person
// gives up at; and for settling, to what a database takes that is about to go away.
var (
	requestBounds = []float64{.005, .01, .025, .05, .1, .2, .25, .5, 1, 2.5, 5, 10}
	settleBounds  = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}
)

// newNumbers begins with those that are asked for before anything has happened.
func newNumbers() *numbers {
	n := &numbers{}
	n.mails = n.Counter("vestnik_mails_total", "Deliveries that this node settled, by what came of the try.", "result")
	n.settling = n.Histogram("vestnik_settle_seconds", "How long the ledger took to take in a batch of outcomes.", settleBounds)
	n.requests = n.Histogram("vestnik_http_seconds", "How long answers took, by route and status; streams until their end.",
		requestBounds, "route", "status")
	for _, result := range []mailing.AttemptResult{mailing.AttemptAccepted, mailing.AttemptDeferred, mailing.AttemptFailed, mailing.AttemptInDoubt} {
		n.mails.Add(0, string(result))
	}
	n.mails.Add(0, "skipped")
	return n
}

// settled is for deliver.Config.
func (n *numbers) settled(batch []store.Outcome, took time.Duration) {
	results := map[string]float64{}
	for _, o := range batch {
		switch {
		case o.Attempt != nil:
			results[string(o.Attempt.Result)]++
		case o.State == mailing.Skipped:
			results["skipped"]++
		}
	}
	for result, count := range results {
		n.mails.Add(count, result)
	}
	n.settling.Observe(took.Seconds())
}

// answered is for web.Options.
func (n *numbers) answered(route string, status int, took time.Duration) {
	if route == "" {
		route = "files"
	}
	n.requests.Observe(took.Seconds(), route, strconv.Itoa(status))
}

// serveMetrics answers at the address of the numbers, if there is one, until stop is
// called.
func (b *Base) serveMetrics(parts *sync.WaitGroup, fail func(error), version string) (stop func(), err error) {
	if b.Config.MetricsAddr == "" {
		return func() {}, nil
	}
	l, err := net.Listen("tcp", b.Config.MetricsAddr)
	if err != nil {
		return nil, fmt.Errorf("server: listen for metrics: %w", err)
	}
	if host, _, _ := net.SplitHostPort(b.Config.MetricsAddr); host != "localhost" && !net.ParseIP(host).IsLoopback() {
		b.Log.Warn("metrics and profiles can be read from other machines", "address", b.Config.MetricsAddr)
	}
	server := b.metricsServer(version)
	parts.Go(func() {
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			fail(err)
		}
	})
	return func() { server.Close() }, nil
}

// metricsServer answers with numbers and profiles, which are for who runs the machine:
// they tell how much is sent, and a profile costs time. It has no pages beside them.
func (b *Base) metricsServer(version string) *http.Server {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics", func(out http.ResponseWriter, in *http.Request) { b.tellNumbers(in.Context(), out, version) })
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	return &http.Server{Handler: onlyByName(mux), ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeader}
}

// onlyByName refuses requests by a name, which a web page could have a browser on this
// machine send here (DNS rebinding): who scrapes uses an address, or localhost.
func onlyByName(next http.Handler) http.Handler {
	return http.HandlerFunc(func(out http.ResponseWriter, in *http.Request) {
		host := in.Host
		if h, _, err := net.SplitHostPort(host); err == nil {
			host = h
		}
		if host != "localhost" && net.ParseIP(strings.Trim(host, "[]")) == nil && strings.Contains(host, ".") {
			http.Error(out, "ask by address", http.StatusForbidden)
			return
		}
		next.ServeHTTP(out, in)
	})
}

// pulseWithin is how long the database may take to count. Chosen: less than scrapers
// wait.
const pulseWithin = 5 * time.Second

func (b *Base) tellNumbers(ctx context.Context, out http.ResponseWriter, version string) {
	out.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	w := metrics.NewWriter(out)
	w.Gauge("vestnik_build_info", "The version that runs; always 1.", "version", map[string]float64{version: 1})
	b.tellPulse(ctx, w)
	tellRuntime(w)
	if err := w.Flush(); err != nil {
		return // nobody listens any more
	}
	_, _ = b.numbers.WriteTo(out)
}

// tellPulse leaves out what the database does not say, and says that.
func (b *Base) tellPulse(ctx context.Context, w *metrics.Writer) {
	ctx, cancel := context.WithTimeout(ctx, pulseWithin)
	defer cancel()
	pulse, err := b.Store.Pulse(ctx, time.Now())
	up := 1.0
	if err != nil {
		b.Log.Warn("numbers for metrics cannot be counted", "error", err)
		up = 0
	}
	w.Gauge("vestnik_database_up", "Whether the database answers.", "", map[string]float64{"": up})
	if err != nil {
		return
	}
	w.Gauge("vestnik_queue_depth", "Deliveries of open runs that are not final, on all nodes.", "", map[string]float64{"": float64(pulse.Waiting)})
	w.Gauge("vestnik_runs", "Runs by state.", "state", asFloats(pulse.Runs, "opening", "sending", "completed", "cancelled"))
	w.Gauge("vestnik_runs_halted", "Open runs that a server's refusals have halted.", "", map[string]float64{"": float64(pulse.Halted)})
	w.Gauge("vestnik_jobs", "Background jobs that are not done, by state.", "state", asFloats(pulse.Jobs, "available", "running", "retryable", "scheduled"))
	w.Gauge("vestnik_nodes", "Nodes that live.", "", map[string]float64{"": float64(pulse.Nodes)})
}

// asFloats is counts with all that are known, also those of which there is none now.
func asFloats(counts map[string]int64, known ...string) map[string]float64 {
	floats := make(map[string]float64, len(counts))
	for _, name := range known {
		floats[name] = 0
	}
	for name, n := range counts {
		floats[name] = float64(n)
	}
	return floats
}

// tellRuntime tells of the Go runtime, by the names that the official client has.
func tellRuntime(w *metrics.Writer) {
	samples := []runtimemetrics.Sample{
		{Name: "/memory/classes/heap/objects:bytes"},
		{Name: "/memory/classes/total:bytes"},
		{Name: "/gc/cycles/total:gc-cycles"},
		{Name: "/cpu/classes/total:cpu-seconds"},
		{Name: "/cpu/classes/idle:cpu-seconds"},
	}
	runtimemetrics.Read(samples)
	one := func(v float64) map[string]float64 { return map[string]float64{"": v} }
	w.Gauge("go_goroutines", "Goroutines that exist.", "", one(float64(runtime.NumGoroutine())))
	w.Gauge("go_memstats_heap_alloc_bytes", "Bytes of objects in the heap.", "", one(float64(samples[0].Value.Uint64())))
	w.Gauge("go_memstats_sys_bytes", "Bytes taken from the system.", "", one(float64(samples[1].Value.Uint64())))
	w.Total("go_gc_cycles_total", "Rounds of garbage collection.", "", one(float64(samples[2].Value.Uint64())))
	w.Total("go_cpu_seconds_total", "Processor time, estimated at each garbage collection.", "",
		one(samples[3].Value.Float64()-samples[4].Value.Float64()))
}
