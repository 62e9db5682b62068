package web

import (
	"testing"
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
