package main

import (
	"encoding/json"
	"testing"

	"vestnik/internal/bench"
)

// TestBench measures a few mails: that it works, not how fast.
func TestBench(t *testing.T) {
	t.Parallel()
	r := newShell(t).run("bench", "run", "--senders=sqlite,sqlite+dkim", "--recipients=60", "--rounds=1", "--with=1,3", "--delays=0s", "--json")
	if r.code != 0 {
		t.Fatalf("it ended with %d: %s", r.code, r.err)
	}
	var report bench.Report
	if err := json.Unmarshal([]byte(r.out), &report); err != nil {
		t.Fatalf("%v: %s", err, r.out)
	}
	senders := map[string]int{}
	for _, row := range report.Rows {
		senders[row.Sender]++
		if m := row.Median(); m.Rate <= 0 || m.Lost != 0 || m.Doubled != 0 {
			t.Errorf("%s with %d connections: %+v", row.Sender, row.Connections, m)
		}
	}
	if senders["ceiling"] != 3 || senders["sqlite"] != 2 || senders["sqlite+dkim"] != 1 {
		t.Errorf("measured were %v", senders)
	}
}
