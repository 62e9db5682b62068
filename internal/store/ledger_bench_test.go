package store_test

import (
	"syscall"
	"testing"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/store/storetest"
)

// BenchmarkLedger leases and settles batches of 500, each delivery sent at the
// first try, and reports how many deliveries a second that are.
func BenchmarkLedger(b *testing.B) {
	for name, url := range map[string]func(testing.TB) string{
		"sqlite": storetest.SQLiteURL, "postgres": storetest.PostgresURL,
	} {
		b.Run(name, func(b *testing.B) {
			const batch = 500
			s := storetest.Open(b, url(b))
			h := newHouse(b, s, 100_000)
			run := storetest.Run(b, s, h.mailing)
			done := 0
			var used time.Duration
			for b.Loop() {
				before := processorTime(b)
				list := must(s.Lease(ctx, h.node, run.ID, now, batch))(b)
				if len(list) == 0 {
					b.StopTimer()
					run = storetest.Run(b, s, h.mailing)
					b.StartTimer()
					continue
				}
				h.settleAll(b, h.node, list, mailing.Sent, now)
				done += len(list)
				used += processorTime(b) - before
			}
			b.ReportMetric(float64(done)/b.Elapsed().Seconds(), "deliveries/s")
			b.ReportMetric(float64(used.Microseconds())/float64(done), "cpu-µs/delivery")
		})
	}
}

// processorTime is that of this process so far, which says more than the clock on a
// machine that others use. PostgreSQL's is not in it.
func processorTime(b *testing.B) time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// BenchmarkFill writes down the deliveries of a run to 100,000 people.
func BenchmarkFill(b *testing.B) {
	for name, url := range map[string]func(testing.TB) string{
		"sqlite": storetest.SQLiteURL, "postgres": storetest.PostgresURL,
	} {
		b.Run(name, func(b *testing.B) {
			s := storetest.Open(b, url(b))
			h := newHouse(b, s, 100_000)
			begin, runs := time.Now(), 0
			for b.Loop() {
				storetest.Run(b, s, h.mailing)
				runs++
			}
			b.ReportMetric(float64(runs*100_000)/time.Since(begin).Seconds(), "deliveries/s")
		})
	}
}
