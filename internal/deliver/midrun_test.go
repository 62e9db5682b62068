package deliver

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"go.uber.org/goleak"

	"vestnik/internal/mailing"
	"vestnik/internal/smtpsink"
	"vestnik/internal/store"
	"vestnik/internal/store/storetest"
	"vestnik/internal/transport"
)

// slow is a server that leaves time to change things while a run goes on.
var slow = smtpsink.Options{Delay: 2 * time.Millisecond}

// atWork waits until a run is well under way.
func (w *world) atWork(t testing.TB) {
	t.Helper()
	eventually(t, "mails leave", func() bool { return w.sink.Count() >= 50 })
}

// TestWhatStopsARun stops it in every way there is. People are promised that it
// takes a second; slow machines and the race detector are given another.
func TestWhatStopsARun(t *testing.T) {
	setStatus := func(t *testing.T, w *world, m mailing.Mailing, to, was mailing.Status) {
		t.Helper()
		m.Status = to
		ok(t, w.SetMailingStatus(background, m, was))
	}
	for name, c := range map[string]struct {
		stop, goOn func(t *testing.T, w *world, m mailing.Mailing)
	}{
		"pausing the mailing": {
			stop: func(t *testing.T, w *world, m mailing.Mailing) {
				setStatus(t, w, m, mailing.StatusPaused, mailing.StatusCreated)
			},
			goOn: func(t *testing.T, w *world, m mailing.Mailing) {
				setStatus(t, w, m, mailing.StatusRunning, mailing.StatusPaused)
			},
		},
		"disabling the mailing": {
			stop: func(t *testing.T, w *world, m mailing.Mailing) {
				setStatus(t, w, m, mailing.StatusDisabled, mailing.StatusCreated)
			},
			goOn: func(t *testing.T, w *world, m mailing.Mailing) {
				setStatus(t, w, m, mailing.StatusRunning, mailing.StatusDisabled)
			},
		},
		"blocking the owner": {
			stop: func(t *testing.T, w *world, _ mailing.Mailing) {
				ok(t, w.Block(background, w.owner.ID, 0, "", time.Now()))
			},
			goOn: func(t *testing.T, w *world, _ mailing.Mailing) {
				ok(t, w.Unblock(background, w.owner.ID))
			},
		},
		"noticing that the database was restored": {
			stop: func(t *testing.T, w *world, _ mailing.Mailing) { w.hold(t) },
			goOn: func(t *testing.T, w *world, _ mailing.Mailing) {
				_, err := w.EndHold(background, mailing.HoldGoOn, w.owner.ID, time.Now())
				ok(t, err)
			},
		},
	} {
		t.Run(name+" holds it, and nothing is lost", func(t *testing.T) {
			storetest.Each(t, func(t *testing.T, s *store.Store) {
				const recipients = 800
				w := newWorld(t, s, recipients, slow)
				m := w.mailing(t, mailing.Mailing{})
				id := w.open(t, m)
				w.start(t)
				w.atWork(t)
				c.stop(t, w, m)
				stopped := time.Now()
				var last int
				eventually(t, "no more mails leave", func() bool {
					before := last
					last = w.sink.Count()
					return last == before && w.inHand(t, id) == 0
				})
				if took := time.Since(stopped); took > 2*time.Second {
					t.Errorf("it took %s", took)
				}
				if sent := settles(t, w.sink.Count); sent == recipients {
					t.Error("all mails have left")
				}
				w.check(t, 1, id)
				c.goOn(t, w, m)
				w.complete(t, id)
				w.check(t, 1, id)
				equal(t, "mails", w.sink.Count(), recipients)
			})
		})
	}
}

func TestCancellingARun(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, 800, slow)
		id := w.open(t, w.mailing(t, mailing.Mailing{}))
		w.start(t)
		w.atWork(t)
		ok(t, s.CancelRun(background, id, time.Now()))
		eventually(t, "nothing is in hand", func() bool { return w.inHand(t, id) == 0 })
		sent := settles(t, w.sink.Count)
		run := w.run(t, id)
		equal(t, "the state", run.State, mailing.RunCancelled)
		equal(t, "sent", run.Counts.Sent, int64(sent))
		equal(t, "skipped", run.Counts.Skipped, int64(800-sent))
		if sent == 800 {
			t.Error("all mails have left")
		}
		w.check(t, 1, id)
	})
}

// TestWhoLeavesMidRun runs alone: who leaves and comes back does so between two looks of
// the node, unless the machine is slow. Then they are skipped, for the right reason.
func TestWhoLeavesMidRun(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		const recipients = 800
		w := newWorld(t, s, recipients, slow)
		id := w.open(t, w.mailing(t, mailing.Mailing{}))
		queue := w.deliveries(t, id)
		slices.SortFunc(queue, func(a, b mailing.Delivery) int { return cmp.Compare(b.ID, a.ID) })
		last, beforeLast := queue[0].Email, queue[1].Email
		complains, returns := queue[2].Email, queue[3].Email
		w.start(t)
		w.atWork(t)
		suppress := func(email string, why mailing.Reason) {
			t.Helper()
			_, err := s.Suppress(background, mailing.Suppression{OwnerID: w.owner.ID, Email: email, Reason: why, CreatedAt: time.Now()})
			ok(t, err)
		}
		suppress(last, mailing.ReasonUnsubscribed)
		suppress(complains, mailing.ReasonComplained)
		suppress(returns, mailing.ReasonManual)
		ok(t, s.Unsuppress(background, w.owner.ID, returns))
		contact, err := s.ContactByEmail(background, w.owner.ID, beforeLast)
		ok(t, err)
		_, err = s.DeleteContacts(background, w.owner.ID, []int64{contact.ID})
		ok(t, err)
		run := w.complete(t, id)
		w.check(t, 1, id)
		skipped := map[string]mailing.Reason{
			last: mailing.ReasonUnsubscribed, complains: mailing.ReasonComplained, beforeLast: mailing.ReasonDeleted,
		}
		if w.delivery(t, id, returns).State == mailing.Skipped {
			skipped[returns] = mailing.ReasonManual
		}
		equal(t, "skipped", run.Counts.Skipped, int64(len(skipped)))
		for email, why := range skipped {
			equal(t, "why "+email+" was skipped", w.delivery(t, id, email).Reason, why)
		}
	})
}

// TestLeavingBetweenLeaseAndDot has somebody leave while their mail is on the wire.
func TestLeavingBetweenLeaseAndDot(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, 1, smtpsink.Options{})
		id := w.open(t, w.mailing(t, mailing.Mailing{}))
		var r *running
		ready := make(chan struct{})
		r = w.start(t, func(c *Config) {
			pool := w.pool(t, w.relay(), 1)
			c.Roads = roadOver(c, wrapped(func(ctx context.Context, env transport.Envelope, data []byte, beforeDot func() error) (transport.Result, error) {
				return sendBy(ctx, pool, env, data, func() error {
					<-ready
					_, err := s.Suppress(background, mailing.Suppression{
						OwnerID: w.owner.ID, Email: env.To, Reason: mailing.ReasonUnsubscribed, CreatedAt: time.Now(),
					})
					return errors.Join(err, r.look(background), beforeDot())
				})
			}))
		})
		close(ready)
		run := w.complete(t, id)
		equal(t, "the counts", run.Counts, mailing.Counts{Audience: 1, Skipped: 1})
		equal(t, "mails", w.sink.Count(), 0)
		equal(t, "attempts", len(w.attempts(t, id)), 0)
	})
}

// TestWhoCameBackIsMailed subscribes again after a suppression that the node
// still remembers.
func TestWhoCameBackIsMailed(t *testing.T) {
	t.Parallel()
	now := time.Now()
	var l liveRuns
	run := &mailing.Run{ID: 1, OwnerID: 2, Unsubscribe: true}
	s := mailing.Suppression{OwnerID: 2, Email: "a@example.com", Reason: mailing.ReasonUnsubscribed, CreatedAt: now}
	l.update([]store.LiveRun{{Run: *run}}, []mailing.Suppression{s}, now)
	j := job{Leased: store.Leased{RunID: 1, Email: "a@example.com"}, run: run}
	for _, c := range []struct {
		name     string
		leasedAt time.Time
		want     mailing.Reason
	}{
		{"leased before they left", now.Add(-time.Second), mailing.ReasonUnsubscribed},
		{"leased about then, by a clock that is wrong", now.Add(clockSkew / 2), mailing.ReasonUnsubscribed},
		{"leased later, when the lease would have said so", now.Add(2 * clockSkew), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			j.leasedAt = c.leasedAt
			held, left := l.hindrance(&j)
			equal(t, "held", held, false)
			equal(t, "left", left, c.want)
		})
	}
}

func TestASmallRunDoesNotWaitForALargeOne(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, 8000, slow)
		large := w.open(t, w.mailing(t, mailing.Mailing{}))
		w.start(t)
		w.atWork(t)
		contacts, _, err := s.Contacts(background, store.ContactFilter{Owner: w.owner.ID}, store.Page{Limit: 20})
		ok(t, err)
		var ids []int64
		for _, c := range contacts {
			ids = append(ids, c.ID)
		}
		small := w.open(t, w.mailing(t, mailing.Mailing{}, ids...))
		w.complete(t, small)
		if left := w.run(t, large).Counts.Waiting(); left == 0 {
			t.Error("the large run was done first")
		}
		ok(t, s.CancelRun(background, large, time.Now()))
		eventually(t, "nothing is in hand", func() bool { return w.inHand(t, large) == 0 })
		w.check(t, 1, large, small)
	})
}

func TestACodeOvertakesABulkRun(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, 4000, slow)
		bulk := w.open(t, w.mailing(t, mailing.Mailing{}))
		w.start(t)
		w.atWork(t)
		opened := time.Now()
		code := w.openSystem(t, "somebody@example.org")
		eventually(t, "the code is there", func() bool { return w.sink.Copies()["somebody@example.org"] == 1 })
		if took := time.Since(opened); took > 2*time.Second {
			t.Errorf("it took %s", took)
		}
		if w.run(t, bulk).Counts.Waiting() == 0 {
			t.Error("the bulk run was done first")
		}
		w.complete(t, code)
		ok(t, s.CancelRun(background, bulk, time.Now()))
		eventually(t, "nothing is in hand", func() bool { return w.inHand(t, bulk) == 0 })
		w.check(t, 1, bulk, code)
	})
}

// TestDraining asks a node to stop whose mails are at every point of their way:
// some wait for the answer to their final dot, which comes when the node is
// already stopping, and some for a free session.
func TestDraining(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		const recipients, sessions = 500, 3
		answer, atDot := make(chan struct{}), make(chan struct{}, recipients)
		w := newWorld(t, s, recipients, smtpsink.Options{Answer: func(at smtpsink.Stage, _ smtpsink.Envelope) smtpsink.Reply {
			if at == smtpsink.StageDot {
				atDot <- struct{}{}
				<-answer
			}
			return smtpsink.Reply{}
		}})
		id := w.open(t, w.mailing(t, mailing.Mailing{}))
		r := w.start(t, func(c *Config) { c.Roads = roadOver(c, w.pool(t, w.relay(), sessions)) })
		for range sessions {
			<-atDot
		}
		r.cancel()
		eventually(t, "the node is stopping", r.stopping.Load)
		close(answer)
		answered := time.Now()
		ok(t, r.wait(t))
		if took := time.Since(answered); took > 3*time.Second {
			t.Errorf("it took %s after the last answer", took)
		}
		states := w.states(t, id)
		equal(t, "sent", states[mailing.Sent], sessions)
		equal(t, "waiting", states[mailing.Waiting], recipients-sessions)
		w.check(t, 1, id)
		equal(t, "segments left behind", len(segments(t, w.dir)), 0)
		w.start(t)
		w.complete(t, id)
		w.check(t, 1, id)
	})
}

// TestStoppingWhileAllHandsAreFull has one worker, who waits, and a feed that
// waits for the worker.
func TestStoppingWhileAllHandsAreFull(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		answer, atDot := make(chan struct{}), make(chan struct{}, 10)
		w := newWorld(t, s, 1, smtpsink.Options{Answer: func(at smtpsink.Stage, _ smtpsink.Envelope) smtpsink.Reply {
			if at == smtpsink.StageDot {
				atDot <- struct{}{}
				<-answer
			}
			return smtpsink.Reply{}
		}})
		first, second := w.openSystem(t, "first@example.org"), w.openSystem(t, "second@example.org")
		r := w.start(t, func(c *Config) { c.Workers = 1 })
		<-atDot
		eventually(t, "the second waits, too", func() bool {
			return w.inHand(t, first)+w.inHand(t, second) == 2
		})
		r.cancel()
		eventually(t, "the node is stopping", r.stopping.Load)
		close(answer)
		ok(t, r.wait(t))
		equal(t, "mails", w.sink.Count(), 1)
		w.check(t, 1, first, second)
	})
}

func TestTheEndOfARun(t *testing.T) {
	t.Run("a cause given with the end is not the node's error", func(t *testing.T) {
		w := newWorld(t, storetest.New(t), 1, smtpsink.Options{})
		ctx, cancel := context.WithCancelCause(background)
		cancel(errors.New("terminated by a signal")) // as signal.NotifyContext does
		if err := newEngine(w.config(nil)).work0(t, ctx); err != nil {
			t.Errorf("the node ended with %v", err)
		}
	})
	t.Run("nothing of it goes on running", func(t *testing.T) {
		w := newWorld(t, storetest.New(t), 100, smtpsink.Options{})
		id := w.open(t, w.mailing(t, mailing.Mailing{}))
		ok(t, w.closeSink())
		before := goleak.IgnoreCurrent()
		w.serve(t, smtpsink.Options{})
		pool := transport.NewPool(w.relay(), transport.PoolOptions{})
		r := w.start(t, func(c *Config) { c.Roads = roadOver(c, pool) })
		w.complete(t, id)
		r.stop(t)
		ok(t, pool.Close(background))
		ok(t, w.closeSink())
		ok(t, w.Store.Close())
		goleak.VerifyNone(t, before)
	})
}

func TestANodeThatWasReplacedEndsWithAnError(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.New(t), 1, smtpsink.Options{})
	r := w.start(t)
	_, err := w.StartNode(background, r.node.Name, time.Now(), time.Now().Add(time.Minute))
	ok(t, err)
	if err := r.wait(t); !errors.Is(err, errReplaced) {
		t.Errorf("the node ended with %v", err)
	}
}

// work0 starts the engine and has it work until ctx ends.
func (e *Engine) work0(t testing.TB, ctx context.Context) error {
	t.Helper()
	ok(t, e.start(background))
	defer e.journal.close()
	return e.work(ctx)
}
