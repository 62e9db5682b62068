package mailing

import (
	"testing"
	"time"
)

func TestBackoff(t *testing.T) {
	for tries, want := range map[int64]time.Duration{
		-1: 5 * time.Minute, 0: 5 * time.Minute, 1: 5 * time.Minute, 2: 10 * time.Minute, 3: 20 * time.Minute,
		4: 40 * time.Minute, 5: time.Hour, 6: 2 * time.Hour, 7: 4 * time.Hour, 8: 4 * time.Hour, 1 << 62: 4 * time.Hour,
	} {
		if got := Backoff(tries); got != want {
			t.Errorf("after %d tries: %v, want %v", tries, got, want)
		}
	}
	t.Run("waits never get shorter", func(t *testing.T) {
		for tries := int64(1); tries < 50; tries++ {
			if Backoff(tries+1) < Backoff(tries) {
				t.Errorf("after %d tries", tries)
			}
		}
	})
	t.Run("a server that greylists for fifteen minutes takes the third try", func(t *testing.T) {
		if waited := Backoff(1) + Backoff(2); waited < 15*time.Minute {
			t.Errorf("tried after %v", waited)
		}
	})
	t.Run("a lifetime is four to five days with some thirty tries", func(t *testing.T) {
		tries, waited := int64(0), time.Duration(0)
		for waited < Lifetime {
			tries++
			waited += Backoff(tries)
		}
		if Lifetime < 4*24*time.Hour || Lifetime > 5*24*time.Hour || tries < 25 || tries > 40 {
			t.Errorf("%v, %d tries", Lifetime, tries)
		}
	})
}

func TestDeliveryStates(t *testing.T) {
	states := []struct {
		state DeliveryState
		name  string
		final bool
	}{
		{Waiting, "waiting", false},
		{Deferred, "deferred", false},
		{Sending, "sending", false},
		{Sent, "sent", true},
		{Failed, "failed", true},
		{Skipped, "skipped", true},
		{InDoubt, "in_doubt", true},
	}
	for i, s := range states {
		t.Run(s.name+" keeps its number, its name and whether it is final", func(t *testing.T) {
			parsed, known := ParseDeliveryState(s.name)
			if int64(s.state) != int64(i) || s.state.String() != s.name || parsed != s.state || !known || s.state.Final() != s.final {
				t.Errorf("%d %q, parsed %d %v, final %v", s.state, s.state, parsed, known, s.state.Final())
			}
		})
	}
	t.Run("there are no others", func(t *testing.T) {
		if DeliveryState(-1).String() != "unknown" || DeliveryState(len(states)).String() != "unknown" {
			t.Error("one has a name")
		}
		for _, name := range []string{"", "unknown", "Sent"} {
			if _, known := ParseDeliveryState(name); known {
				t.Errorf("%q is known", name)
			}
		}
	})
}
