package web

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestLiveWait(t *testing.T) {
	for took, want := range map[time.Duration]time.Duration{
		time.Millisecond: time.Second, 49 * time.Millisecond: time.Second,
		400 * time.Millisecond: 8 * time.Second, time.Minute: 30 * time.Second,
	} {
		t.Run("after a progress that took "+took.String()+" comes a rest of "+want.String(), func(t *testing.T) {
			if got := liveWait(took); got != want {
				t.Errorf("it is %s", got)
			}
		})
	}
}

func TestWhoIsBlockedIsOutWithinASecondHoweverLongProgressTakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began, blocked := time.Now(), errors.New("blocked")
		err := stay(t.Context(), liveMost, func(context.Context) error {
			if time.Since(began) > 5*time.Second {
				return blocked
			}
			return nil
		})
		if took := time.Since(began); !errors.Is(err, blocked) || took > 6*time.Second {
			t.Errorf("after %s: %v", took, err)
		}
		began = time.Now()
		if err := stay(t.Context(), 1200*time.Millisecond, func(context.Context) error { return nil }); err != nil || time.Since(began) != 1200*time.Millisecond {
			t.Errorf("who is let in waits %s: %v", time.Since(began), err)
		}
	})
}
