package server_test

import (
	"bytes"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/smtpsink"
	"vestnik/internal/store/storetest"
	"vestnik/internal/torture"
)

// roundTrip keeps mails long enough on the wire for a kill to find some there.
const roundTrip = 5 * time.Millisecond

// drainLimit is that of services under test, but where a test says otherwise.
const drainLimit = 10 * time.Second

// tortured is how many recipients a run has that is struck, and strikes how often
// it is: kill -9 or SIGTERM at moments that chance chooses.
var (
	tortured = torture.Times(asMany(4000, many), 100_000)
	strikes  = torture.Times(4, 50)
)

// goesOnWithin is how soon a service that is started again sends again: five seconds, as
// promised, where the test has the machine for itself, which the long form gives it.
var goesOnWithin = time.Duration(torture.Times(30, 5)) * time.Second

// moments are n numbers of accepted mails, in order, that chance chooses from all
// but the last twentieth: what is in doubt may never be accepted.
func moments(t *testing.T, n, of int) []int {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	if given := os.Getenv("VESTNIK_TORTURE_SEED"); given != "" {
		var err error
		if seed, err = strconv.ParseUint(given, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("the moments are those of VESTNIK_TORTURE_SEED=%d", seed)
	chance := rand.New(rand.NewPCG(seed, 0))
	list := make([]int, n)
	for i := range list {
		list[i] = 1 + chance.IntN(of-min(max(500, of/20), of/2)) // so many are left to a stop, which takes its time
	}
	slices.Sort(list)
	return list
}

// siege is a run that a service has to bring to its end although it is struck again
// and again.
type siege struct {
	*house
	sink       *sink
	recipients int
	strikes    int
	onWire     int      // how many mails the roads have on the wire at once
	roads      string   // for the record
	more       []string // settings of the service
}

func (h *house) siege(s *sink) *siege {
	return &siege{house: h, sink: s, recipients: tortured, strikes: strikes, onWire: connections}
}

// sendThrough sends the run to its end by a service that is struck again and again
// and started anew; after each start what is given is called.
func (g *siege) sendThrough(m mailing.Mailing, strike func(*process), started func(runID int64)) (runID int64, line torture.Line) {
	g.t.Helper()
	line.Database = torture.Database(g.url)
	p := g.serve(g.sink.Addr(), g.more...)
	runID = g.sendNow(m)
	for _, moment := range moments(g.t, g.strikes, g.recipients) {
		g.sink.await(g.t, moment)
		strike(p)
		g.sink.forgetDead()
		restarted := time.Now()
		p = g.serve(g.sink.Addr(), g.more...)
		await(g.t, time.Minute, "mails leave again", func() bool { return !g.sink.againAt().IsZero() })
		took := g.sink.againAt().Sub(restarted)
		if took > goesOnWithin {
			g.t.Errorf("after the start it took %s until mails left, want at most %s", took, goesOnWithin)
		}
		line.Times++
		line.Recovery = max(line.Recovery, took)
		started(runID)
	}
	g.awaitEnd(runID, 2*time.Minute)
	p.stop()
	return runID, line
}

// kills is the oracle of kill -9 for a mailing that must not be sent twice.
func (g *siege) kills() (run int64) {
	g.t.Helper()
	var before int64
	run, line := g.sendThrough(g.mailing(mailing.NeverTwice), (*process).kill, func(run int64) {
		inDoubt := g.run(run).Counts.InDoubt
		if n := inDoubt - before; n > int64(g.onWire) {
			g.t.Errorf("a kill has put %d in doubt, want at most the %d that were on the wire", n, g.onWire)
		}
		before = inDoubt
	})
	r := g.reckon(run, g.sink.Copies(), 1)
	g.checkDoubtLog(run, r.InDoubt)
	line.Fault = "kill -9, never twice" + g.roads
	line.Count(r)
	torture.Record(g.t, line)
	return run
}

// stops is the oracle of SIGTERM.
func (g *siege) stops() (run int64) {
	g.t.Helper()
	m := g.mailing(mailing.NeverTwice)
	run, line := g.sendThrough(m, func(p *process) { g.checkStop(m, p) }, func(int64) {})
	r := g.reckon(run, g.sink.Copies(), 1)
	if len(r.InDoubt) > 0 || g.sink.Count() != g.recipients {
		g.t.Errorf("%d are in doubt and %d sent, want 0 and %d", len(r.InDoubt), g.sink.Count(), g.recipients)
	}
	line.Fault = "SIGTERM" + g.roads
	line.Count(r)
	torture.Record(g.t, line)
	return run
}

func TestKillNeverTwice(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, url string) {
		t.Run("of a mailing that must not be sent twice, kill -9 loses none, doubles none and lists all in doubt", func(t *testing.T) {
			h := newHouse(t, url)
			storetest.Contacts(t, h.store, h.owner.ID, tortured)
			h.siege(newSink(t, smtpsink.Options{Delay: roundTrip})).kills()
		})
	})
}

func TestKillNeverMissed(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, url string) {
		t.Run("of a mailing that must not be missed, kill -9 loses none and repeats only what was on the wire, byte for byte", func(t *testing.T) {
			h := newHouse(t, url)
			storetest.Contacts(t, h.store, h.owner.ID, tortured)
			s := newSink(t, smtpsink.Options{Delay: roundTrip, Keep: true})
			run, line := h.siege(s).sendThrough(h.mailing(mailing.NeverMissed), (*process).kill, func(int64) {})
			r := h.reckon(run, s.Copies(), 1+strikes)
			if len(r.InDoubt) > 0 {
				t.Errorf("%d are in doubt, want none", len(r.InDoubt))
			}
			repeated := checkCopies(t, s.Messages())
			if most := strikes * connections; repeated > most || repeated != r.Again {
				t.Errorf("%d mails were repeated, %d by their bytes, want at most the %d that were on the wire", r.Again, repeated, most)
			}
			line.Fault = "kill -9, never missed"
			line.Count(r)
			torture.Record(t, line)
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
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, url string) {
		t.Run("SIGTERM in the middle loses none, doubles none and leaves none in doubt", func(t *testing.T) {
			h := newHouse(t, url)
			storetest.Contacts(t, h.store, h.owner.ID, tortured)
			h.siege(newSink(t, smtpsink.Options{Delay: roundTrip})).stops()
		})
	})
}

// checkStop stops the service in the middle of the mailing's only run, which must
// be done within the drain limit and leave the ledger as exact as if the run had
// ended there.
func (g *siege) checkStop(m mailing.Mailing, p *process) {
	g.t.Helper()
	if took := p.stop(); took > drainLimit {
		g.t.Errorf("the service took %s to stop, want at most %s", took, drainLimit)
	}
	if strings.Contains(p.log.String(), "level=ERROR") {
		g.t.Errorf("a stop that went well is logged as an error: %s", p.log.tail(2000))
	}
	runs, err := g.store.RunsOfMailing(g.t.Context(), m.ID, 1)
	if err != nil {
		g.t.Fatal(err)
	}
	counts, err := g.store.CountDeliveries(g.t.Context(), runs[0].ID)
	if err != nil {
		g.t.Fatal(err)
	}
	inHand, err := storetest.InHand(g.store, runs[0].ID)
	if err != nil {
		g.t.Fatal(err)
	}
	if inHand > 0 || counts[mailing.InDoubt] > 0 || counts[mailing.Sent] != int64(g.sink.Count()) {
		g.t.Errorf("after the stop the ledger says %v, the mail server %d", counts, g.sink.Count())
	}
	if g.sink.Count() >= g.recipients {
		g.t.Errorf("the stop came after the end")
	}
}

func TestStopUnderStall(t *testing.T) {
	t.Parallel()
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
			// What is more is for the end of the process itself, on a machine that is busy.
			if took := p.stop(); took < drain || took > drain+10*time.Second {
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
