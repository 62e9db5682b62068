package server_test

import (
	"bytes"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/smtpsink"
	"vestnik/internal/store/storetest"
)

// roundTrip keeps mails long enough on the wire for a kill to find some there.
const roundTrip = 5 * time.Millisecond

// killEvery is after how many mails the service is killed, four times in all.
const (
	killEvery = many / 5
	kills     = 4
)

// sendThroughKills sends the run to its end by a service that is killed again and
// again and started anew.
func (h *house) sendThroughKills(s *sink, m mailing.Mailing) (run int64) {
	h.t.Helper()
	p := h.serve(s.Addr())
	run = h.sendNow(m)
	for range kills {
		s.awaitMore(h.t, killEvery)
		p.kill()
		p = h.serve(s.Addr())
	}
	h.awaitEnd(run, time.Minute)
	p.stop()
	return run
}

func TestKillNeverTwice(t *testing.T) {
	storetest.EachURL(t, func(t *testing.T, url string) {
		t.Run("of a mailing that must not be sent twice, kill -9 loses none, doubles none and lists all in doubt", func(t *testing.T) {
			h := newHouse(t, url)
			storetest.Contacts(t, h.store, h.owner.ID, many)
			s := newSink(t, smtpsink.Options{Delay: roundTrip})
			run := h.sendThroughKills(s, h.mailing(mailing.NeverTwice))
			inDoubt := h.account(run, s.Copies(), 1)
			if most := kills * connections; len(inDoubt) > most {
				t.Errorf("%d are in doubt, want at most the %d that were on the wire", len(inDoubt), most)
			}
			h.checkDoubtLog(run, inDoubt)
			arrived := 0
			for _, d := range inDoubt {
				arrived += s.Copies()[d.Email]
			}
			t.Logf("%d kills: %d sent, %d in doubt, of which %d had arrived", kills, h.run(run).Counts.Sent, len(inDoubt), arrived)
		})
	})
}

func TestKillNeverMissed(t *testing.T) {
	storetest.EachURL(t, func(t *testing.T, url string) {
		t.Run("of a mailing that must not be missed, kill -9 loses none and repeats only what was on the wire, byte for byte", func(t *testing.T) {
			h := newHouse(t, url)
			storetest.Contacts(t, h.store, h.owner.ID, many)
			s := newSink(t, smtpsink.Options{Delay: roundTrip, Keep: true})
			run := h.sendThroughKills(s, h.mailing(mailing.NeverMissed))
			if inDoubt := h.account(run, s.Copies(), 1+kills); len(inDoubt) > 0 {
				t.Errorf("%d are in doubt, want none", len(inDoubt))
			}
			repeated := checkCopies(t, s.Messages())
			if most := kills * connections; repeated > most {
				t.Errorf("%d mails were repeated, want at most the %d that were on the wire", repeated, most)
			}
			t.Logf("%d kills: %d sent, %d of them repeated", kills, h.run(run).Counts.Sent, repeated)
		})
	})
}

// checkDoubtLog checks that what is in doubt is on record as such, and nothing
// else.
func (h *house) checkDoubtLog(run int64, inDoubt []mailing.Delivery) {
	h.t.Helper()
	listed := map[int64]bool{}
	for _, d := range inDoubt {
		listed[d.ID] = true
	}
	for _, a := range h.log(run) {
		if a.Result != mailing.AttemptInDoubt {
			continue
		}
		if !listed[a.DeliveryID] {
			h.t.Errorf("%s is in the log as in doubt, and not on the list", a.Email)
		}
		delete(listed, a.DeliveryID)
	}
	if len(listed) > 0 {
		h.t.Errorf("%d deliveries in doubt are not in the log", len(listed))
	}
}

// checkCopies checks that mails to the same person are the same bytes, and
// returns how many are repetitions.
func checkCopies(t *testing.T, messages []smtpsink.Message) (repeated int) {
	t.Helper()
	first := map[string][]byte{}
	for _, m := range messages {
		before, known := first[m.To[0]]
		if !known {
			first[m.To[0]] = m.Data
			continue
		}
		repeated++
		if !bytes.Equal(before, m.Data) {
			t.Fatalf("two mails to %s differ:\n%s\n---\n%s", m.To[0], before, m.Data)
		}
	}
	return repeated
}

func TestStop(t *testing.T) {
	storetest.EachURL(t, func(t *testing.T, url string) {
		t.Run("SIGTERM in the middle loses none, doubles none and leaves none in doubt", func(t *testing.T) {
			const drain = 10 * time.Second
			h := newHouse(t, url)
			storetest.Contacts(t, h.store, h.owner.ID, many)
			s := newSink(t, smtpsink.Options{Delay: roundTrip})
			p := h.serve(s.Addr(), "VESTNIK_DRAIN_TIMEOUT="+drain.String())
			run := h.sendNow(h.mailing(mailing.NeverTwice))
			for range 2 {
				s.awaitMore(t, many/3)
				took := p.stop()
				if took > drain {
					t.Errorf("the service took %s to stop, want at most %s", took, drain)
				}
				h.checkStopped(run, s)
				if strings.Contains(p.log.String(), "level=ERROR") {
					t.Errorf("a stop that went well is logged as an error: %s", p.log.tail(2000))
				}
				t.Logf("stopped within %s with %d sent", took.Round(time.Millisecond), s.Count())
				p = h.serve(s.Addr())
			}
			h.awaitEnd(run, time.Minute)
			if inDoubt := h.account(run, s.Copies(), 1); len(inDoubt) > 0 || s.Count() != many {
				t.Errorf("%d are in doubt and %d sent, want 0 and %d", len(inDoubt), s.Count(), many)
			}
		})
	})
}

// checkStopped checks that a service which has stopped in the middle left the
// ledger as exact as if it had finished.
func (h *house) checkStopped(run int64, s *sink) {
	h.t.Helper()
	counts, err := h.store.CountDeliveries(h.t.Context(), run)
	if err != nil {
		h.t.Fatal(err)
	}
	if counts[mailing.Sending] > 0 || counts[mailing.InDoubt] > 0 || counts[mailing.Sent] != int64(s.Count()) {
		h.t.Errorf("after the stop the ledger says %v, the mail server %d", counts, s.Count())
	}
	if s.Count() >= many {
		h.t.Errorf("the stop came after the end")
	}
}

func TestStopUnderStall(t *testing.T) {
	storetest.EachURL(t, func(t *testing.T, url string) {
		t.Run("when the mail server never answers, a stop takes as long as it may and lists what was on the wire as in doubt", func(t *testing.T) {
			const drain = 2 * time.Second
			h := newHouse(t, url)
			storetest.Contacts(t, h.store, h.owner.ID, 2*connections)
			var stalled atomic.Int64
			s := newSink(t, smtpsink.Options{Answer: func(stage smtpsink.Stage, _ smtpsink.Envelope) smtpsink.Reply {
				if stage != smtpsink.StageDot {
					return smtpsink.Reply{}
				}
				stalled.Add(1)
				return smtpsink.Reply{Action: smtpsink.Stall, Accepted: true}
			}})
			p := h.serve(s.Addr(), "VESTNIK_DRAIN_TIMEOUT="+drain.String())
			run := h.sendNow(h.mailing(mailing.NeverTwice))
			await(t, 30*time.Second, "all connections wait for an answer", func() bool { return stalled.Load() == connections })
			// One second for the end of the process itself.
			if took := p.stop(); took < drain || took > drain+time.Second {
				t.Errorf("the service took %s to stop, want %s", took, drain)
			}
			counts, err := h.store.CountDeliveries(t.Context(), run)
			if err != nil {
				t.Fatal(err)
			}
			if counts[mailing.InDoubt] != connections || counts[mailing.Waiting] != connections || len(counts) != 2 {
				t.Errorf("after the stop the ledger says %v, want %d in doubt and as many waiting", counts, connections)
			}
		})
	})
}
