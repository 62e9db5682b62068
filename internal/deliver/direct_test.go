package deliver

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/smtpsink"
	"vestnik/internal/store"
	"vestnik/internal/store/storetest"
	"vestnik/internal/transport"
)

// atlas is a Router that knows the domains of a test.
type atlas map[string]func() (*Destination, error)

func (a atlas) Route(_ context.Context, domain string) (*Destination, error) {
	find, known := a[domain]
	if !known {
		return nil, &Unroutable{transport.Result{
			Stage: transport.StageRcpt, Reply: mailing.Reply{Code: 550, Enhanced: "5.1.2", Text: "there is no such domain"},
		}}
	}
	return find()
}

// leadTo makes a domain's mail go to the sink, by so many connections.
func (w *world) leadTo(t testing.TB, site string, sink *smtpsink.Server, connections int, limits Limits) func() (*Destination, error) {
	relay := &transport.Relay{
		Host: "127.0.0.1", Port: sink.Port(), TLS: transport.TLSNone, Timeouts: transport.Timeouts{Banner: 90 * time.Second},
	}
	d := &Destination{
		Site: site, Name: strings.ToUpper(site[:1]) + site[1:] + " Mail", Sender: w.pool(t, relay, connections), Connections: connections, Limits: limits,
		Judge: func(r mailing.Reply, stage transport.Stage) Judgement {
			v := mailing.Judge(r, string(stage))
			return Judgement{Verdict: v, TooFast: r.Throttles(), Policy: r.Code != 0 && v.Blame == mailing.BlameUs}
		},
	}
	return func() (*Destination, error) { return d, nil }
}

// startDirect starts an engine with a direct road.
func (w *world) startDirect(t testing.TB, a atlas, change ...func(*Config)) *running {
	return w.start(t, func(c *Config) {
		roads := []*Road{{ID: 1, Name: "direct", Router: a, From: c.Roads()[0].From}}
		c.Roads = func() []*Road { return roads }
		for _, f := range change {
			f(c)
		}
	})
}

// contactsAt makes n contacts of the world's owner with addresses of the domain.
func (w *world) contactsAt(t testing.TB, domain string, n int) {
	t.Helper()
	list := make([]mailing.Contact, n)
	for i := range list {
		list[i] = mailing.Contact{OwnerID: w.owner.ID, Email: fmt.Sprintf("client%04d@%s", i, domain), FirstName: "Клиент", CreatedAt: time.Now()}
	}
	_, err := w.ImportContacts(background, list)
	ok(t, err)
}

func TestEachSiteGetsItsOwnMail(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, 0, smtpsink.Options{})
		other := secondSink(t, smtpsink.Options{})
		w.contactsAt(t, "one.test", 300)
		w.contactsAt(t, "two.test", 200)
		w.contactsAt(t, "also-two.test", 100)
		w.contactsAt(t, "nowhere.test", 5)
		id := w.open(t, w.mailing(t, mailing.Mailing{}))
		two := w.leadTo(t, "two", other, 2, Limits{})
		w.startDirect(t, atlas{"one.test": w.leadTo(t, "one", w.sink, 3, Limits{}), "two.test": two, "also-two.test": two})
		run := w.complete(t, id)
		equal(t, "the counts", run.Counts, mailing.Counts{Audience: 605, Sent: 600, Failed: 5})
		for sink, domain := range map[*smtpsink.Server]string{w.sink: "one.test", other: "two.test"} {
			for email, n := range sink.Copies() {
				if n != 1 || !strings.HasSuffix(email, domain) {
					t.Errorf("%s got %d mails by the server of %s", email, n, domain)
				}
			}
		}
		equal(t, "mails at the first", w.sink.Count(), 300)
		equal(t, "mails at the second", other.Count(), 300)
		if most := other.Connections(); most > 2 {
			t.Errorf("the second had %d connections, of 2 it is given", most)
		}
		gone, err := s.Suppressed(background, w.owner.ID, "client0000@nowhere.test")
		ok(t, err)
		equal(t, "a client of a domain that is not there is suppressed", gone, true)
	})
}

// TestASilentSiteHoldsUpNoOther has one site accept connections and never say a word.
func TestASilentSiteHoldsUpNoOther(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		const each = 500
		w := newWorld(t, s, 0, slow)
		silence := smtpsink.Reply{Action: smtpsink.Stall}
		silent := secondSink(t, smtpsink.Options{Answer: func(smtpsink.Stage, smtpsink.Envelope) smtpsink.Reply { return silence }})
		w.contactsAt(t, "good.test", each)
		w.contactsAt(t, "silent.test", each)
		id := w.open(t, w.mailing(t, mailing.Mailing{}))
		w.startDirect(t, atlas{
			"good.test": w.leadTo(t, "good", w.sink, 4, Limits{}), "silent.test": w.leadTo(t, "silent", silent, 4, Limits{}),
		})
		eventually(t, "the good site has all its mail", func() bool { return w.sink.Count() == each })
		eventually(t, "a site that has not said a word holds a mail for each connection, and one that waits for each", func() bool {
			return w.inHand(t, id) <= 4+4
		})
		equal(t, "halted because", w.run(t, id).Halt, "")
		ok(t, s.CancelRun(background, id, time.Now()))
		silent.CutAll()
	})
}

func TestALimitedSiteGetsAllItsMailInTime(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		const recipients = 200 // far more than its lane has room for
		w := newWorld(t, s, 0, smtpsink.Options{})
		w.contactsAt(t, "small.test", recipients)
		id := w.open(t, w.mailing(t, mailing.Mailing{}))
		w.startDirect(t, atlas{"small.test": w.leadTo(t, "small", w.sink, 1, Limits{PerSecond: 20, PerHour: 3600})})
		begun := time.Now()
		w.complete(t, id)
		// Those that found no room come again at the speed of the second, not of the hour.
		if took := time.Since(begun); took < 9*time.Second || took > 40*time.Second {
			t.Errorf("%d mails at 20 a second took %s", recipients, took)
		} else {
			t.Logf("%d mails at 20 a second took %s", recipients, took)
		}
		w.check(t, 1, id)
	})
}

func TestWhatOneSiteSaysAboutUsStopsNoRun(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, 0, smtpsink.Options{})
		var refused atomic.Int32
		angry := secondSink(t, smtpsink.Options{Answer: func(at smtpsink.Stage, _ smtpsink.Envelope) smtpsink.Reply {
			if at == smtpsink.StageRcpt {
				refused.Add(1)
				return smtpsink.Reply{Code: 550, Enhanced: "5.7.1", Text: "your address is on a list"}
			}
			return smtpsink.Reply{}
		}})
		w.contactsAt(t, "angry.test", 100)
		w.contactsAt(t, "good.test", 300)
		id := w.open(t, w.mailing(t, mailing.Mailing{}))
		w.startDirect(t, atlas{"angry.test": w.leadTo(t, "angry", angry, 2, Limits{}), "good.test": w.leadTo(t, "good", w.sink, 4, Limits{})})
		eventually(t, "the good site has all its mail", func() bool { return w.sink.Count() == 300 })
		eventually(t, "the angry one was asked", func() bool { return refused.Load() > 0 })
		run := w.run(t, id)
		equal(t, "halted because", run.Halt, "")
		equal(t, "failed", run.Counts.Failed, 0)
		if n := refused.Load(); n > 20 {
			t.Errorf("it was asked %d times", n)
		}
		ok(t, s.CancelRun(background, id, time.Now()))
	})
}

func TestANodeHoldsNoMoreThanASiteTakesInAFewSeconds(t *testing.T) {
	w := newWorld(t, storetest.New(t), 0, smtpsink.Options{})
	w.contactsAt(t, "small.test", 300)
	id := w.open(t, w.mailing(t, mailing.Mailing{}))
	const connections, perSecond = 2, 4
	w.startDirect(t, atlas{"small.test": w.leadTo(t, "small", w.sink, connections, Limits{PerSecond: perSecond})})
	// Now and then it has more, which is on its way to the lane or back.
	eventually(t, "the others are handed back", func() bool {
		holds := w.inHand(t, id)
		return w.sink.Count() > 3*perSecond && holds <= 3*perSecond+1+connections
	})
	ok(t, w.CancelRun(background, id, time.Now()))
}

func TestMailsThatFindNoRoomComeAgainAsTheSiteSends(t *testing.T) {
	now := time.Now()
	second := func(n float64) time.Duration { return time.Duration(n * float64(time.Second)) }
	site := func(limits Limits) *lane {
		return newLane(newEngine(Config{}), &Road{}, 2, siteQueue(2, limits))
	}
	of := func(owner int64, priority mailing.Priority) *job {
		return &job{run: &mailing.Run{OwnerID: owner, Priority: priority}}
	}
	bookFor := func(l *lane, j *job, n int) time.Duration {
		var due time.Time
		for range n {
			l.limits = Limits{PerSecond: 2, PerHour: 60}
			due = l.book(j, now)
		}
		return due.Sub(now)
	}
	book := func(l *lane, n int) time.Duration { return bookFor(l, of(1, mailing.PriorityBulk), n) }
	l := site(Limits{PerSecond: 2})
	equal(t, "room", cap(l.bulk), 6)
	equal(t, "what may come within the hour comes within", book(l, 60), second(30))
	equal(t, "what may not comes by the hour: within", book(l, 10), second(30+600))
	equal(t, "those of another owner do not wait behind them", bookFor(l, of(2, mailing.PriorityBulk), 2), second(1))
	equal(t, "nor do codes, of anybody", bookFor(l, of(1, mailing.PriorityBulk+1), 2), second(0.5))
	l = site(Limits{})
	l.throughput = 0.5
	equal(t, "of a site that is slower, five come within", book(l, 5), second(10))
	l = site(Limits{})
	l.exhausted.Store(now.Add(time.Hour).UnixNano())
	equal(t, "when the hour is used up, the first comes after", book(l, 1), time.Hour)
	equal(t, "and the second", book(l, 1), time.Hour+time.Minute)
	l = site(Limits{})
	l.since = now.Add(-8 * time.Second)
	equal(t, "of a site that has been silent for 8 seconds the first comes after", book(l, 1), second(8))
	equal(t, "and the next, as far apart as ever, after", book(l, 1), second(8.5))
	t.Run("how fast it is shows only while mails wait", func(t *testing.T) {
		l := site(Limits{})
		at := now
		sweep := func(sent int64) float64 {
			at = at.Add(time.Second)
			l.sent.Add(sent)
			l.measure(at)
			return l.throughput
		}
		equal(t, "when there is nothing to send", sweep(1), 0)
		l.bulk <- job{}
		equal(t, "when mails have just come", sweep(1), 0)
		equal(t, "when they have waited for a second", sweep(4), 4)
		equal(t, "when it was less in the next", sweep(0), 3)
		<-l.bulk
		equal(t, "when none waits any more", sweep(4), 0)
	})
}
