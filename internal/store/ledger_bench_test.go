package store_test

import (
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
			for b.Loop() {
				list := must(s.Lease(ctx, h.node, run.ID, now, batch))(b)
				if len(list) == 0 {
					b.StopTimer()
					run = storetest.Run(b, s, h.mailing)
					b.StartTimer()
					continue
				}
				h.settleAll(b, h.node, list, mailing.Sent, now)
				done += len(list)
			}
			b.ReportMetric(float64(done)/b.Elapsed().Seconds(), "deliveries/s")
		})
	}
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
