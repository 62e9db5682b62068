package deliver

import (
	"sync/atomic"
	"testing"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/smtpsink"
	"vestnik/internal/store"
	"vestnik/internal/store/storetest"
)

func TestTheGateOfASiteThatRefusesUs(t *testing.T) {
	now := time.Now()
	t.Run("stays closed four times as long each time, to an hour, give or take a quarter", func(t *testing.T) {
		var g gate
		at := now
		for i, want := range []time.Duration{1, 4, 16, 64, 256, 1024, 3600, 3600, 3600} {
			want *= time.Second
			until, inRow := g.refuse(at)
			equal(t, "refusals in a row", inRow, i+1)
			if took := until.Sub(at); took < want*3/4 || took > want*5/4 {
				t.Errorf("the refusal of number %d closes it for %s, want about %s", i+1, took, want)
			}
			again, inRow := g.refuse(until.Add(-1))
			equal(t, "closed until, by what else was on the wire", again, until)
			equal(t, "in a row, then", inRow, 0)
			equal(t, "mails that may try", g.limit(10, until), 1)
			g.leased(until)
			equal(t, "mails that may try when that one is lost", g.limit(10, until.Add(lastDelay)), 1)
			at = until
		}
		until, _ := g.shut(at)
		equal(t, "other trouble meanwhile closes it for", until.Sub(at), time.Hour)
	})
	t.Run("is open after a mail that passes, and forgets", func(t *testing.T) {
		var g gate
		until, _ := g.refuse(now)
		equal(t, "a trouble ends that nobody was told", g.passed(), false)
		equal(t, "open", g.open(now), true)
		equal(t, "refused", g.isRefused(now), false)
		_, _ = g.refuse(until)
		g.tell()
		equal(t, "told", g.isTold(), true)
		equal(t, "a trouble ends that was told", g.passed(), true)
		_, inRow := g.refuse(until)
		equal(t, "in a row", inRow, 1)
	})
	t.Run("remembers for a day without mails", func(t *testing.T) {
		var g gate
		until, _ := g.refuse(now)
		equal(t, "refused", g.isRefused(until.Add(troubleFor-time.Second)), true)
		equal(t, "refused a day later", g.isRefused(until.Add(troubleFor)), false)
	})
}

func TestALaneOfASiteGoesOnWhereTheLastWas(t *testing.T) {
	w := newWorld(t, storetest.New(t), 0, smtpsink.Options{})
	find := w.leadTo(t, "angry", w.sink, 2, Limits{})
	destination, err := find()
	ok(t, err)
	e := newEngine(w.config(nil))
	now := time.Now()
	direct := newLane(e, &Road{ID: 1, Router: atlas{}}, 1, 1)
	direct.ctx = t.Context()
	put := func(now time.Time) *lane {
		direct.putToSite(&job{run: &mailing.Run{}, destination: destination}, now)
		return direct.sites.lanes["angry"]
	}
	site := direct.openSite(destination)
	_, _ = site.gate.refuse(now)
	direct.sweepSites(now.Add(2*idleAfter), false)
	equal(t, "lanes, when no mail came for a while", len(direct.sites.lanes), 0)
	again := put(now)
	equal(t, "the next lane has the same gate", again.gate, site.gate)
	direct.sweepSites(now.Add(4*idleAfter), false)
	direct.sweepSites(now.Add(2*troubleFor), false)
	equal(t, "gates that are remembered days later", len(direct.sites.refused), 0)
	direct.workers.Wait()
}

// openSites has the sites be tried at once.
func (r *running) openSites(t testing.TB) {
	t.Helper()
	for _, l := range r.lanes.all() {
		l.sites.mu.Lock()
		for _, site := range l.sites.lanes {
			site.gate.mu.Lock()
			site.gate.closed, site.gate.next = time.Time{}, time.Time{}
			site.gate.mu.Unlock()
		}
		l.sites.mu.Unlock()
	}
}

func TestASiteThatRefusesUsIsATroubleUntilItTakesAMail(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, 0, smtpsink.Options{})
		var refused atomic.Int32
		var kind atomic.Bool
		angry := secondSink(t, smtpsink.Options{Answer: func(at smtpsink.Stage, _ smtpsink.Envelope) smtpsink.Reply {
			if at != smtpsink.StageRcpt || kind.Load() {
				return smtpsink.Reply{}
			}
			refused.Add(1)
			return smtpsink.Reply{Code: 550, Enhanced: "5.7.1", Text: "blocked,\nsee our list"}
		}})
		w.contactsAt(t, "angry.test", 30)
		w.contactsAt(t, "good.test", 100)
		id := w.open(t, w.mailing(t, mailing.Mailing{}))
		r := w.startDirect(t, atlas{"angry.test": w.leadTo(t, "angry", angry, 2, Limits{}), "good.test": w.leadTo(t, "good", w.sink, 4, Limits{})})
		troubles := func() []store.SiteTrouble {
			list, err := s.SiteTroubles(background, time.Now())
			ok(t, err)
			return list
		}
		eventually(t, "it is a trouble", func() bool { return len(troubles()) == 1 })
		got := troubles()[0]
		if got.RelayID != 1 || got.Node != r.node.Name || got.Site != "angry" || got.Name != "Angry Mail" ||
			got.Why != "550 5.7.1 blocked, see our list" || !got.Until.After(got.Since.Add(10*time.Second)) {
			t.Errorf("the trouble is %+v", got)
		}
		// Two at once, three times.
		if n := refused.Load(); n < troubleAfter || n > 2*troubleAfter {
			t.Errorf("it has been asked %d times", n)
		}
		eventually(t, "the good site has all its mail", func() bool { return w.sink.Count() == 100 })
		kind.Store(true)
		eventually(t, "it has all its mail, too", func() bool {
			r.openSites(t)
			_, err := s.Writer().ExecContext(background, "update deliveries set due_at = 1 where run_id = $1 and state in (0, 1)", id)
			ok(t, err)
			return angry.Count() == 30
		})
		w.complete(t, id)
		equal(t, "troubles", len(troubles()), 0)
	})
}
