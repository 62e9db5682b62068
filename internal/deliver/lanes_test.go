package deliver

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/smtpsink"
	"vestnik/internal/store"
	"vestnik/internal/store/storetest"
	"vestnik/internal/transport"
)

// roadsOf returns roads to the sinks, with the weights, that may be changed.
type roadsOf struct {
	mu  sync.Mutex
	all []*Road
}

func (r *roadsOf) list() []*Road {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.all
}

func (r *roadsOf) set(all ...*Road) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = all
}

// secondSink is another mail server than that of the world.
func secondSink(t testing.TB, options smtpsink.Options) *smtpsink.Server {
	t.Helper()
	sink, err := smtpsink.Start(options)
	ok(t, err)
	t.Cleanup(func() { _ = sink.Close() })
	return sink
}

func (w *world) roadTo(t testing.TB, c *Config, name string, sink *smtpsink.Server, weight int) *Road {
	t.Helper()
	relay := &transport.Relay{Host: "127.0.0.1", Port: sink.Port(), TLS: transport.TLSNone, Timeouts: transport.Timeouts{Banner: 90 * time.Second}}
	return &Road{ID: int64(weight), Name: name, Sender: w.pool(t, relay, workers), From: c.Roads()[0].From, Weight: weight, Connections: workers}
}

func TestLanesAreChosenByWeight(t *testing.T) {
	t.Parallel()
	open := func(weights ...int) *lanes {
		l := &lanes{}
		for i, weight := range weights {
			l.open = append(l.open, &lane{
				road: &Road{Name: fmt.Sprint(i), Weight: weight}, bulk: make(chan job, 1000), urgent: make(chan job, 1000),
				gate: &gate{}, pace: pace{lookahead: 1000}, since: time.Now(),
			})
		}
		return l
	}
	now := time.Now()
	choose := func(l *lanes, n int) string {
		chosen := ""
		for range n {
			if lane := l.choose(false, true, now); lane != nil {
				chosen += lane.road.Name
			}
		}
		return chosen
	}
	t.Run("each as often as its weight says, and in turn", func(t *testing.T) {
		equal(t, "by 1 and 1", choose(open(1, 1), 6), "010101")
		equal(t, "by 2 and 1", choose(open(2, 1), 6), "010010")
		equal(t, "a weight of none is one", choose(open(0, 1), 4), "0101")
	})
	t.Run("one that is closed is left out, and not made up for later", func(t *testing.T) {
		l := open(1, 1)
		until, _ := l.open[0].gate.shut(now)
		equal(t, "while it is closed", choose(l, 4), "1111")
		l.open[0].gate.passed()
		equal(t, "afterwards", choose(l, 4), "0101")
		l.open[0].gate.shut(until)
		l.open[1].gate.shut(until)
		equal(t, "when all are closed", choose(l, 2), "")
	})
}

func TestSpeed(t *testing.T) {
	t.Parallel()
	now := time.Now()
	t.Run("a complaint halves it, and those that come with it say nothing new", func(t *testing.T) {
		s := newSpeed(50)
		for i, want := range []int{25, 25, 12, 6, 3, 1} {
			if slower, _ := s.slow(now); !slower {
				t.Errorf("complaint %d does not slow", i)
			}
			equal(t, fmt.Sprintf("after complaint %d", i), s.width, want)
			if i != 0 {
				now = now.Add(slowOnce)
			}
		}
		if slower, _ := s.slow(now); slower {
			t.Error("one mail at a time becomes slower")
		}
	})
	t.Run("mails that are taken make it grow to what it was, and no further", func(t *testing.T) {
		s := newSpeed(4)
		s.slow(now)
		equal(t, "slowed", s.width, 2)
		for range 2*growAfter - 1 {
			s.accepted()
		}
		equal(t, "after a little less than enough", s.width, 2)
		s.accepted()
		equal(t, "after enough", s.width, 3)
		for range 1000 {
			s.accepted()
		}
		equal(t, "in the end", s.width, 4)
	})
	t.Run("no more than that work at once; when it ends, all do", func(t *testing.T) {
		s := newSpeed(4)
		s.slow(now)
		entered := make(chan struct{}, 4)
		for range 4 {
			go func() {
				s.enter()
				entered <- struct{}{}
			}()
		}
		<-entered
		<-entered
		select {
		case <-entered:
			t.Error("a third one works")
		case <-time.After(20 * time.Millisecond):
		}
		s.leave()
		<-entered
		s.end()
		<-entered
	})
}

func TestRoadsShareByWeight(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		const recipients = 400
		w := newWorld(t, s, recipients, smtpsink.Options{Delay: time.Millisecond})
		other := secondSink(t, smtpsink.Options{Delay: time.Millisecond})
		id := w.open(t, w.mailing(t, mailing.Mailing{}))
		w.start(t, func(c *Config) {
			roads := []*Road{w.roadTo(t, c, "large", w.sink, 3), w.roadTo(t, c, "small", other, 1)}
			c.Roads = func() []*Road { return roads }
		})
		w.complete(t, id)
		large, small := w.sink.Count(), other.Count()
		equal(t, "mails", large+small, recipients)
		if small < recipients/5 || small > recipients/3 {
			t.Errorf("of %d mails %d went by the road with a quarter of the weight", recipients, small)
		}
	})
}

func TestAnotherRoadTakesOver(t *testing.T) {
	t.Parallel()
	const recipients = 300
	for name, options := range map[string]smtpsink.Options{
		"when one hangs up on everybody": {Answer: func(smtpsink.Stage, smtpsink.Envelope) smtpsink.Reply {
			return smtpsink.Reply{Action: smtpsink.Drop}
		}},
		"when one lets nobody in": {Answer: func(at smtpsink.Stage, _ smtpsink.Envelope) smtpsink.Reply {
			if at == smtpsink.StageConnect {
				return smtpsink.Reply{Code: 554, Enhanced: "5.7.1", Text: "not you", Action: smtpsink.Hangup}
			}
			return smtpsink.Reply{}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			storetest.Each(t, func(t *testing.T, s *store.Store) {
				w := newWorld(t, s, recipients, smtpsink.Options{})
				broken := secondSink(t, options)
				id := w.open(t, w.mailing(t, mailing.Mailing{}))
				w.start(t, func(c *Config) {
					roads := []*Road{w.roadTo(t, c, "broken", broken, 5), w.roadTo(t, c, "good", w.sink, 1)}
					c.Roads = func() []*Road { return roads }
				})
				run := w.complete(t, id)
				equal(t, "sent", run.Counts.Sent, recipients)
				equal(t, "halted because", run.Halt, "")
				w.check(t, 1, id)
			})
		})
	}
}

func TestARoadThatRefusesThePasswordIsStopped(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		const recipients = 300
		w := newWorld(t, s, recipients, smtpsink.Options{})
		strict := secondSink(t, smtpsink.Options{Username: "anna", Password: "right"})
		id := w.open(t, w.mailing(t, mailing.Mailing{}))
		var alarms atomic.Int32
		var why atomic.Value
		roads := &roadsOf{}
		w.start(t, func(c *Config) {
			good := w.roadTo(t, c, "good", w.sink, 1)
			refused := *good
			refused.Name, refused.Weight = "refused", 5
			refused.Sender = w.pool(t, &transport.Relay{
				Host: "127.0.0.1", Port: strict.Port(), TLS: transport.TLSNone, Username: "anna", Password: "wrong",
			}, workers)
			roads.set(good, &refused)
			c.Roads = roads.list
			c.StopRoad = func(_ context.Context, road *Road, reply string) error {
				alarms.Add(1)
				why.Store(reply)
				roads.set(slices.DeleteFunc(slices.Clone(roads.list()), func(r *Road) bool { return r == road })...)
				return nil
			}
		})
		run := w.complete(t, id)
		equal(t, "alarms", alarms.Load(), 1)
		equal(t, "the alarm says", why.Load().(string)[:3], "535")
		equal(t, "sent", run.Counts.Sent, recipients)
		equal(t, "failed", run.Counts.Failed, 0)
		w.check(t, 1, id)
	})
}

// TestAStalledRoadHoldsUpNoOther has one road accept connections and never say a
// word. The other is as fast as if it were alone, and what had been given to the
// silent one is sent, too.
func TestAStalledRoadHoldsUpNoOther(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		const recipients = 8000
		rate := func(t *testing.T, stalled bool) (perSecond float64, left int64) {
			w := newWorld(t, s, recipients, slow)
			id := w.open(t, w.mailing(t, mailing.Mailing{}))
			silence := smtpsink.Reply{Action: smtpsink.Stall}
			silent := secondSink(t, smtpsink.Options{Answer: func(smtpsink.Stage, smtpsink.Envelope) smtpsink.Reply { return silence }})
			roads := &roadsOf{}
			r := w.start(t, func(c *Config) {
				good := w.roadTo(t, c, "good", w.sink, 1)
				roads.set(good)
				if stalled {
					roads.set(good, w.roadTo(t, c, "silent", silent, 1))
				}
				c.Roads = roads.list
				c.StallAfter = 500 * time.Millisecond
			})
			eventually(t, "the silent one lags behind", func() bool { return w.sink.Count() >= recipients/4 })
			begun, before := time.Now(), w.sink.Count()
			eventually(t, "most is sent", func() bool { return w.sink.Count() >= recipients-2*minLookahead })
			perSecond = float64(w.sink.Count()-before) / time.Since(begun).Seconds()
			eventually(t, "all but what is on the wire is sent", func() bool { return w.sink.Count() >= recipients-workers })
			roads.set(roads.list()[0])
			silent.CutAll() // what was on its wire is sent by the other road
			eventually(t, "all is sent", func() bool { return w.run(t, id).State == mailing.RunCompleted })
			r.stop(t)
			w.check(t, 1, id)
			return perSecond, w.run(t, id).Counts.Waiting()
		}
		alone, _ := rate(t, false)
		beside, left := rate(t, true)
		equal(t, "left", left, 0)
		// 0.95 is the promise; the rest is for the noise of a machine that others use.
		if beside < 0.8*alone {
			t.Errorf("beside a stalled road %.0f mails a second left, alone %.0f", beside, alone)
		}
		t.Logf("beside a stalled road %.0f mails a second left, alone %.0f", beside, alone)
	})
}

// TestThrottling has a server that lets in no more than three at once.
func TestThrottling(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		const recipients, most = 600, 3
		var open sync.Map
		var connections, refused atomic.Int32
		w := newWorld(t, s, recipients, smtpsink.Options{Delay: time.Millisecond, Answer: func(at smtpsink.Stage, e smtpsink.Envelope) smtpsink.Reply {
			switch at {
			case smtpsink.StageConnect:
				if connections.Add(1) > most {
					connections.Add(-1)
					refused.Add(1)
					return smtpsink.Reply{Code: 421, Enhanced: "4.7.0", Text: "too many connections", Action: smtpsink.Hangup}
				}
				open.Store(e.Connection, true)
			case smtpsink.StageQuit:
				if _, was := open.LoadAndDelete(e.Connection); was {
					connections.Add(-1)
				}
			}
			return smtpsink.Reply{}
		}})
		id := w.open(t, w.mailing(t, mailing.Mailing{}))
		w.start(t)
		run := w.complete(t, id)
		equal(t, "sent", run.Counts.Sent, recipients)
		equal(t, "halted because", run.Halt, "")
		w.check(t, 1, id)
		if n := refused.Load(); n == 0 || n > 10*workers {
			t.Errorf("%d connections were refused", n)
		}
	})
}

func TestLimitsOfARoad(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		t.Run("no more than so many leave in any second", func(t *testing.T) {
			const recipients, perSecond = 60, 30
			var mu sync.Mutex
			var times []time.Time
			w := newWorld(t, s, recipients, smtpsink.Options{Answer: func(at smtpsink.Stage, _ smtpsink.Envelope) smtpsink.Reply {
				if at == smtpsink.StageDot {
					mu.Lock()
					times = append(times, time.Now())
					mu.Unlock()
				}
				return smtpsink.Reply{}
			}})
			id := w.open(t, w.mailing(t, mailing.Mailing{}))
			w.startLimited(t, Limits{PerSecond: perSecond})
			w.complete(t, id)
			w.check(t, 1, id)
			for i := perSecond + perSecond/5; i < len(times); i++ { // a fifth for late answers
				if within := times[i].Sub(times[i-perSecond-perSecond/5]); within < time.Second {
					t.Fatalf("%d mails left within %s", perSecond+perSecond/5, within)
				}
			}
			if took := times[len(times)-1].Sub(times[0]); took > 10*time.Second {
				t.Errorf("%d mails took %s", recipients, took)
			}
		})
		t.Run("when the hour's limit is used up, the rest waits, and a code as well; another road goes on", func(t *testing.T) {
			const recipients, perHour = 50, 20
			w := newWorld(t, s, recipients, smtpsink.Options{})
			id := w.open(t, w.mailing(t, mailing.Mailing{}))
			road := w.startLimited(t, Limits{PerHour: perHour})
			eventually(t, "so many have left", func() bool { return w.sink.Count() == perHour })
			eventually(t, "the rest waits", func() bool { return w.states(t, id)[mailing.Waiting] == recipients-perHour })
			equal(t, "mails", settles(t, w.sink.Count), perHour)
			w.check(t, 1, id)
			other := secondSink(t, smtpsink.Options{})
			w.start(t, func(c *Config) {
				roads := []*Road{road, w.roadTo(t, c, "other", other, 1)}
				c.Roads = func() []*Road { return roads }
			})
			w.complete(t, id)
			equal(t, "mails by the other", other.Count(), recipients-perHour)
		})
	})
}

func TestASlowRoadDoesNotSlowAFastOne(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		const recipients = 2000
		w := newWorld(t, s, recipients, smtpsink.Options{})
		fast := secondSink(t, smtpsink.Options{})
		id := w.open(t, w.mailing(t, mailing.Mailing{}))
		begun := time.Now()
		w.start(t, func(c *Config) {
			roads := []*Road{w.roadTo(t, c, "slow", w.sink, 1), w.roadTo(t, c, "fast", fast, 1)}
			roads[0].Limits.PerSecond = 5
			c.Roads = func() []*Road { return roads }
		})
		w.complete(t, id)
		if took := time.Since(begun); took > 15*time.Second {
			t.Errorf("it took %s", took)
		}
		if n := w.sink.Count(); n == 0 || n > 100 {
			t.Errorf("%d went by the slow road", n)
		}
	})
}

// startLimited starts an engine whose only road has limits, and returns the road.
func (w *world) startLimited(t testing.TB, limits Limits) *Road {
	var road *Road
	w.start(t, func(c *Config) {
		road = w.roadTo(t, c, "limited", w.sink, 1)
		road.ID, road.Limits = store.NewID(), limits
		roads := []*Road{road}
		c.Roads = func() []*Road { return roads }
	})
	return road
}
