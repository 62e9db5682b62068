package mailing_test

import (
	"testing"
	"time"

	"vestnik/internal/mailing"
)

func BenchmarkNext(b *testing.B) {
	const berlin = "Europe/Berlin"
	for _, bench := range []struct {
		name  string
		rule  mailing.Rule
		after string
	}{
		{"daily", rule(b, mailing.Daily, "2026-11-23 09:30", berlin), "2026-11-24T00:00:00Z"},
		{"daily a century later", rule(b, mailing.Daily, "2026-11-23 09:30", berlin), "2126-11-24T00:00:00Z"},
		{"weekly a century later", rule(b, mailing.Weekly, "2026-11-23 09:30", berlin, on(time.Monday, time.Friday)), "2126-11-24T00:00:00Z"},
		{"monthly on the 31st a century later", rule(b, mailing.Monthly, "2026-11-23 09:30", berlin, onDay(31, "")), "2126-11-24T00:00:00Z"},
		{"29th of February before 2100", rule(b, mailing.Monthly, "2024-02-29 09:30", berlin, every(12), onDay(29, mailing.ShortMonthSkip)), "2096-03-01T00:00:00Z"},
		{"daily, the last of 10,000", rule(b, mailing.Daily, "2026-11-23 09:30", berlin, counting(10_000)), "2054-04-08T00:00:00Z"},
	} {
		b.Run(bench.name, func(b *testing.B) {
			after := instant(b, bench.after)
			b.ReportAllocs()
			for b.Loop() {
				if _, ok := bench.rule.Next(after); !ok {
					b.Fatal("it does not fire")
				}
			}
		})
	}
}

func BenchmarkResolveWall(b *testing.B) {
	loc := zone(b, "Europe/Berlin")
	day, at := date(b, "2026-11-23"), clock(b, "09:30")
	b.ReportAllocs()
	for b.Loop() {
		mailing.ResolveWall(day, at, loc)
	}
}
