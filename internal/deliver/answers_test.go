package deliver

import (
	"bytes"
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

func TestEveryRecipientGetsOneMail(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		const recipients = 2000
		w := newWorld(t, s, recipients, smtpsink.Options{Strict: true})
		m := w.mailing(t, mailing.Mailing{MessageID: storetest.Message(t, s, mailing.Message{OwnerID: w.owner.ID, Body: longBody}).ID})
		id := w.open(t, m)
		w.start(t)
		run := w.complete(t, id)
		equal(t, "the counts", run.Counts, mailing.Counts{Audience: recipients, Sent: recipients})
		w.check(t, 1, id)
		attempts := w.attempts(t, id)
		equal(t, "attempts", len(attempts), recipients)
		for _, a := range attempts {
			if a.Result != mailing.AttemptAccepted || a.Reply.Code != 250 || a.Reply.Text == "" || a.Stage != "dot" || a.Host == "" {
				t.Fatalf("the attempt %+v does not say what the server answered", a)
			}
		}
		if violations := w.sink.Violations(); len(violations) > 0 {
			t.Errorf("the server saw %q", violations)
		}
		m, err := s.Mailing(background, m.ID)
		ok(t, err)
		equal(t, "the mailing goes on", m.Status, mailing.StatusCreated)
	})
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		for name, c := range map[string]struct {
			stage      smtpsink.Stage
			reply      smtpsink.Reply
			state      mailing.DeliveryState
			reason     mailing.Reason
			suppressed bool
		}{
			"no such mailbox suppresses the contact": {
				stage: smtpsink.StageRcpt, reply: smtpsink.Reply{Code: 550, Enhanced: "5.1.1", Text: "no such user"},
				state: mailing.Failed, reason: mailing.ReasonRefused, suppressed: true,
			},
			"550 without an enhanced code to RCPT does, too": {
				stage: smtpsink.StageRcpt, reply: smtpsink.Reply{Code: 550, Text: "who?"},
				state: mailing.Failed, reason: mailing.ReasonRefused, suppressed: true,
			},
			"a mail too large fails and says nothing against the contact": {
				stage: smtpsink.StageDot, reply: smtpsink.Reply{Code: 552, Enhanced: "5.3.4", Text: "too large"},
				state: mailing.Failed, reason: mailing.ReasonRefused,
			},
		} {
			t.Run(name, func(t *testing.T) {
				w := newWorld(t, s, 1, smtpsink.Options{Answer: answerTo(c.stage, address(1), c.reply)})
				m := w.mailing(t, mailing.Mailing{})
				id := w.open(t, m)
				w.start(t)
				w.complete(t, id)
				d := w.delivery(t, id, address(1))
				equal(t, "the state", d.State, c.state)
				equal(t, "the reason", d.Reason, c.reason)
				attempts := w.attempts(t, id)
				equal(t, "attempts", len(attempts), 1)
				equal(t, "the reply", attempts[0].Reply, mailing.Reply{Code: c.reply.Code, Enhanced: c.reply.Enhanced, Text: c.reply.Text})
				suppressed, err := s.Suppressed(background, w.owner.ID, address(1))
				ok(t, err)
				equal(t, "suppressed", suppressed, c.suppressed)
				w.check(t, 1, id)

				next := w.open(t, m)
				w.complete(t, next)
				tried := len(w.attempts(t, next)) > 0
				equal(t, "tried again in the next run", tried, !c.suppressed)
			})
		}
	})
}

func TestASecondTryAfterTheBackoff(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		var tries [4]atomic.Int64
		w := newWorld(t, s, 3, smtpsink.Options{Answer: func(at smtpsink.Stage, env smtpsink.Envelope) smtpsink.Reply {
			for n := 1; n <= 3; n++ {
				if at == smtpsink.StageRcpt && env.To[0] == address(n) && tries[n].Add(1) < int64(n) {
					return smtpsink.Reply{Code: 451, Enhanced: "4.7.1", Text: "greylisted"}
				}
			}
			return smtpsink.Reply{}
		}})
		id := w.open(t, w.mailing(t, mailing.Mailing{}))
		w.start(t)
		w.complete(t, id)
		w.check(t, 1, id)
		last := map[string]time.Time{}
		attempts := w.attempts(t, id) // newest first
		equal(t, "attempts", len(attempts), 1+2+3)
		for _, a := range attempts {
			if after, again := last[a.Email]; again {
				equal(t, "what came before", a.Result, mailing.AttemptDeferred)
				equal(t, "its answer", a.Reply.String(), "451 4.7.1 greylisted")
				if pause := after.Sub(a.At); pause < backoff {
					t.Errorf("tried again after %s, the backoff is %s", pause, backoff)
				}
			}
			last[a.Email] = a.At
		}
	})
}

func TestPolicyRefusalsHaltTheRun(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		var accepts atomic.Bool
		const recipients = 400
		w := newWorld(t, s, recipients, smtpsink.Options{Answer: func(at smtpsink.Stage, _ smtpsink.Envelope) smtpsink.Reply {
			if at == smtpsink.StageRcpt && !accepts.Load() {
				return smtpsink.Reply{Code: 550, Enhanced: "5.7.1", Text: "your reputation is bad"}
			}
			return smtpsink.Reply{}
		}})
		id := w.open(t, w.mailing(t, mailing.Mailing{}))
		w.start(t)
		eventually(t, "the run is halted", func() bool { return w.run(t, id).Halt != "" })
		equal(t, "it says why", w.run(t, id).Halt, "550 5.7.1 your reputation is bad")
		tried := settles(t, func() int { return len(w.attempts(t, id)) })
		if tried < haltAfter || tried > 2*haltAfter+2*workers {
			t.Errorf("%d mails were tried before, want about %d", tried, haltAfter)
		}
		states := w.states(t, id)
		equal(t, "still to be sent", states[mailing.Waiting]+states[mailing.Deferred], recipients)
		accepts.Store(true)
		ok(t, s.HaltRun(background, id, ""))
		w.complete(t, id)
		w.check(t, 1, id)
		equal(t, "mails", w.sink.Count(), recipients)
	})
}

func TestARefusedPasswordHaltsTheRun(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		const recipients = 50
		w := newWorld(t, s, recipients, smtpsink.Options{Username: "us", Password: "right"})
		id := w.open(t, w.mailing(t, mailing.Mailing{}))
		relay := w.relay()
		relay.Username, relay.Password = "us", "wrong"
		w.start(t, func(c *Config) { c.Roads = roadOver(c, w.pool(t, relay, workers)) })
		eventually(t, "the run is halted", func() bool { return w.run(t, id).Halt != "" })
		if why := w.run(t, id).Halt; !strings.HasPrefix(why, "535") {
			t.Errorf("it is halted because of %q", why)
		}
		settles(t, func() int { return len(w.attempts(t, id)) })
		states := w.states(t, id)
		equal(t, "still to be sent", states[mailing.Waiting]+states[mailing.Deferred], recipients)
		w.check(t, 1, id)
	})
}

// TestATemporaryFaultOfSigningInPasses waits for a server whose directory of
// accounts is away (454, RFC 4954, section 6).
func TestATemporaryFaultOfSigningInPasses(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		var tries atomic.Int64
		w := newWorld(t, s, 50, smtpsink.Options{
			Username: "us", Password: "right",
			Answer: func(at smtpsink.Stage, _ smtpsink.Envelope) smtpsink.Reply {
				if at == smtpsink.StageAuth && tries.Add(1) <= workers {
					return smtpsink.Reply{Code: 454, Enhanced: "4.7.0", Text: "temporary authentication failure"}
				}
				return smtpsink.Reply{}
			},
		})
		id := w.open(t, w.mailing(t, mailing.Mailing{}))
		relay := w.relay()
		relay.Username, relay.Password = "us", "right"
		relay.TLS = transport.TLSNone
		w.start(t, func(c *Config) { c.Roads = roadOver(c, w.pool(t, relay, workers)) })
		run := w.complete(t, id)
		equal(t, "halted because of", run.Halt, "")
		w.check(t, 1, id)
	})
}

func roadOver(c *Config, sender Sender) func() []*Road {
	roads := []*Road{{Sender: sender, From: c.Roads()[0].From}}
	return func() []*Road { return roads }
}

func TestAServerThatIsAway(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		const recipients = 200
		w := newWorld(t, s, recipients, smtpsink.Options{})
		address, relay := w.sink.Addr(), w.relay()
		ok(t, w.closeSink())
		id := w.open(t, w.mailing(t, mailing.Mailing{}))
		r := w.start(t, func(c *Config) { c.Roads = roadOver(c, w.pool(t, relay, workers)) })
		eventually(t, "it was tried three times", func() bool {
			return r.delay() >= 4*firstDelay
		})
		if tried := len(w.attempts(t, id)); tried > workers+3 {
			t.Errorf("%d mails were tried, want one for each worker and then one at a time", tried)
		}
		states := w.states(t, id)
		equal(t, "failed", states[mailing.Failed], 0)
		w.serve(t, smtpsink.Options{Addr: address})
		w.complete(t, id)
		w.check(t, 1, id)
		equal(t, "mails", w.sink.Count(), recipients)
	})
}

// TestATrialThatHangs has a server that lets nobody in and does not say so.
func TestATrialThatHangs(t *testing.T) {
	t.Parallel()
	t.Run("one mail at a time waits for it", func(t *testing.T) {
		var g gate
		now := time.Now()
		g.shut(now)
		later := now.Add(firstDelay)
		equal(t, "closed", g.open(later.Add(-1)), false)
		equal(t, "open after the delay", g.open(later), true)
		equal(t, "for", g.limit(100, later), 1)
		equal(t, "as long as none has been leased", g.limit(100, later), 1)
		g.leased(later)
		equal(t, "and then for", g.limit(100, later.Add(firstDelay/2)), 0)
		equal(t, "until it may be lost", g.limit(100, later.Add(firstDelay)), 1)
		g.passed()
		equal(t, "and when it has passed for", g.limit(100, later), 100)
	})
	t.Run("the delay grows to a minute", func(t *testing.T) {
		var g gate
		now := time.Now()
		for range 20 {
			now, _ = g.shut(now)
		}
		equal(t, "the delay", g.delay, lastDelay)
		if _, first := g.shut(now.Add(-time.Second)); first || g.delay != lastDelay {
			t.Error("those that were on the wire count as further tries")
		}
	})
}

// TestDoubt resets connections after the final dot.
func TestDoubt(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		for _, accepted := range []bool{false, true} {
			for _, doubt := range []mailing.Doubt{mailing.NeverTwice, mailing.NeverMissed} {
				t.Run(fmt.Sprintf("%s, accepted: %t", doubt, accepted), func(t *testing.T) {
					testDoubt(t, s, doubt, accepted)
				})
			}
		}
	})
}

func testDoubt(t *testing.T, s *store.Store, doubt mailing.Doubt, accepted bool) {
	var tries atomic.Int64
	var copies [2]bytes.Buffer
	w := newWorld(t, s, 1, smtpsink.Options{Keep: true, Answer: func(at smtpsink.Stage, _ smtpsink.Envelope) smtpsink.Reply {
		if at == smtpsink.StageDot && tries.Add(1) == 1 {
			return smtpsink.Reply{Action: smtpsink.Reset, Accepted: accepted}
		}
		return smtpsink.Reply{}
	}})
	message := storetest.Message(t, s, mailing.Message{OwnerID: w.owner.ID, Format: mailing.FormatMarkdown, Body: "**Здравствуйте**"})
	id := w.open(t, w.mailing(t, mailing.Mailing{Doubt: doubt, MessageID: message.ID}))
	w.start(t, func(c *Config) {
		pool := w.pool(t, w.relay(), 1)
		c.Roads = roadOver(c, wrapped(func(ctx context.Context, env transport.Envelope, data []byte, beforeDot func() error) (transport.Result, error) {
			if n := tries.Load(); n < 2 {
				copies[n].Write(data)
			}
			return sendBy(ctx, pool, env, data, beforeDot)
		}))
	})
	run := w.complete(t, id)
	attempts := w.attempts(t, id)
	equal(t, "the first attempt", attempts[len(attempts)-1].Result, mailing.AttemptInDoubt)
	if doubt == mailing.NeverTwice {
		equal(t, "the counts", run.Counts, mailing.Counts{Audience: 1, InDoubt: 1})
		equal(t, "tries", tries.Load(), 1)
		listed, _, err := s.Deliveries(background, store.DeliveryFilter{RunID: id, States: []mailing.DeliveryState{mailing.InDoubt}}, store.Page{Limit: 10})
		ok(t, err)
		equal(t, "listed", len(listed), 1)
		w.check(t, 1, id)
		return
	}
	equal(t, "the counts", run.Counts, mailing.Counts{Audience: 1, Sent: 1})
	equal(t, "tries", tries.Load(), 2)
	if !bytes.Equal(copies[0].Bytes(), copies[1].Bytes()) || copies[0].Len() == 0 {
		t.Errorf("the second copy differs from the first:\n%s\n\n%s", &copies[0], &copies[1])
	}
	for _, what := range []string{"Message-ID: ", "Date: ", "boundary="} {
		if !bytes.Contains(copies[0].Bytes(), []byte(what)) {
			t.Errorf("the mail has no %q", what)
		}
	}
	w.check(t, 2, id)
}

// TestAServerThatHangsUpOnEveryMail must not put a whole run in doubt.
func TestAServerThatHangsUpOnEveryMail(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		var mended atomic.Bool
		const recipients = 300
		w := newWorld(t, s, recipients, smtpsink.Options{Answer: func(at smtpsink.Stage, _ smtpsink.Envelope) smtpsink.Reply {
			if at == smtpsink.StageDot && !mended.Load() {
				return smtpsink.Reply{Action: smtpsink.Reset}
			}
			return smtpsink.Reply{}
		}})
		id := w.open(t, w.mailing(t, mailing.Mailing{}))
		r := w.start(t)
		eventually(t, "it was tried twice more", func() bool {
			return r.delay() >= 4*firstDelay
		})
		mended.Store(true)
		run := w.complete(t, id)
		if run.Counts.InDoubt == 0 || run.Counts.InDoubt > workers+3 {
			t.Errorf("%d deliveries are in doubt, want one for each worker and then one at a time", run.Counts.InDoubt)
		}
		w.check(t, 1, id)
	})
}

func TestMailsThatCannotBeMade(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		t.Run("a message that does not compile fails for everybody, and says why", func(t *testing.T) {
			w := newWorld(t, s, 5, smtpsink.Options{})
			m := storetest.Message(t, s, mailing.Message{OwnerID: w.owner.ID, Body: "{% if %}"})
			id := w.open(t, w.mailing(t, mailing.Mailing{MessageID: m.ID}))
			w.start(t)
			run := w.complete(t, id)
			equal(t, "the counts", run.Counts, mailing.Counts{Audience: 5, Failed: 5})
			for _, a := range w.attempts(t, id) {
				if a.Stage != "compose" || !strings.HasPrefix(a.Reply.Text, "not sent: ") {
					t.Errorf("the attempt says %+v", a)
				}
			}
			w.check(t, 1, id)
		})
		t.Run("an unfit address fails alone", func(t *testing.T) {
			w := newWorld(t, s, 1, smtpsink.Options{})
			unfit := storetest.Contact(t, s, w.owner.ID, "no address at all")
			id := w.open(t, w.mailing(t, mailing.Mailing{}))
			w.start(t)
			run := w.complete(t, id)
			equal(t, "the counts", run.Counts, mailing.Counts{Audience: 2, Sent: 1, Failed: 1})
			equal(t, "the reason", w.delivery(t, id, unfit.Email).Reason, mailing.ReasonUnfit)
			w.check(t, 1, id)
		})
	})
}
