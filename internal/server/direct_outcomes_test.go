package server_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
	"vestnik/internal/smtpsink"
	"vestnik/internal/store/storetest"
)

// mailServer starts the mail server at an address, on the port that all use.
func mailServer(t *testing.T, address string, answer func(smtpsink.Stage, smtpsink.Envelope) smtpsink.Reply) *smtpsink.Server {
	t.Helper()
	s, err := smtpsink.Start(smtpsink.Options{Addr: address + ":25", Answer: answer})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// answerAt answers one stage in a way of its own, as long as there are answers.
func answerAt(stage smtpsink.Stage, times int, reply smtpsink.Reply) func(smtpsink.Stage, smtpsink.Envelope) smtpsink.Reply {
	var mu sync.Mutex
	return func(at smtpsink.Stage, _ smtpsink.Envelope) smtpsink.Reply {
		mu.Lock()
		defer mu.Unlock()
		if at != stage || times == 0 {
			return smtpsink.Reply{}
		}
		times--
		return reply
	}
}

// clock notes when mails come.
type clock struct {
	mu    sync.Mutex
	times []time.Time
}

func (c *clock) note(stage smtpsink.Stage, _ smtpsink.Envelope) smtpsink.Reply {
	c.mu.Lock()
	defer c.mu.Unlock()
	if stage == smtpsink.StageDot {
		c.times = append(c.times, time.Now())
	}
	return smtpsink.Reply{}
}

// most is how many came within any so long time.
func (c *clock) most(within time.Duration) (most int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, first := range c.times {
		n := 0
		for _, at := range c.times[i:] {
			if at.Sub(first) < within {
				n++
			}
		}
		most = max(most, n)
	}
	return most
}

// perDomain is how many recipients each domain has, but for the good one, which has
// enough to see how fast they come, and the stalled one, which has more than its lane
// has room for.
const (
	perDomain = 4
	atGood    = 24
	atStalled = 300
)

// domainOutcome is what has to be on record of the mails of a domain.
type domainOutcome struct {
	domain string
	state  mailing.DeliveryState
	tries  int64
	result mailing.AttemptResult
	stage  string
	host   string // that all attempts were made at begins so
	reply  string // to all attempts begins so
}

func TestInsideOutcomes(t *testing.T) {
	needInside(t)
	storetest.EachURL(t, func(t *testing.T, url string) {
		h := newHouse(t, url)
		h.direct()
		h.contactsAt("good.test", atGood)
		for _, domain := range []string{"second.test", "implicit.test", "null.test", "nowhere.test", "later.test", "refusing.test"} {
			h.contactsAt(domain, perDomain)
		}
		h.contactsAt("stalled.test", atStalled)
		good := &clock{}
		one, two := mailServer(t, oneAddress, good.note), mailServer(t, twoAddress, nil)
		later := mailServer(t, laterAddress, answerAt(smtpsink.StageRcpt, 2, smtpsink.Reply{Code: 451, Enhanced: "4.7.1", Text: "not now"}))
		mailServer(t, refusingAddress, answerAt(smtpsink.StageRcpt, -1, smtpsink.Reply{Code: 550, Enhanced: "5.1.1", Text: "no such mailbox"}))
		stalled := mailServer(t, stalledAddress, answerAt(smtpsink.StageConnect, -1, smtpsink.Reply{Action: smtpsink.Stall}))
		p := h.serve("127.0.0.1:9", "VESTNIK_PRIVATE_MX=true")
		begun := time.Now()
		run := h.sendNow(h.mailing(mailing.NeverTwice))
		sent := int64(atGood + 3*perDomain) // of good.test, second.test, implicit.test and later.test
		await(t, time.Minute, "the healthy sites have all their mail", func() bool { return one.Count() == atGood && two.Count() == 2*perDomain })
		took := time.Since(begun)
		await(t, time.Minute, "what the one site defers is tried again", func() bool {
			h.later(run)
			return later.Count() == perDomain
		})
		await(t, time.Minute, "all but the stalled is settled", func() bool {
			c := h.run(run).Counts
			return c.Sent == sent && c.Failed == 3*perDomain
		})

		h.in(t).checkSites(run)
		t.Run("a site gets no more at once and in a second than it is given", func(t *testing.T) {
			// Two a second, and what was held up on the wire.
			if most := good.most(5 * time.Second); most > 2*5+1+siteConnections || took < (atGood-2)/2*time.Second {
				t.Errorf("of %d mails, all within %s, %d came within 5 seconds", atGood, took, most)
			}
			if n := one.Connections(); n > siteConnections {
				t.Errorf("it had %d connections for %d mails, of %d it is given", n, atGood, siteConnections)
			}
			if n := stalled.Connections(); n > siteConnections {
				t.Errorf("the stalled had %d connections, of %d it is given", n, siteConnections)
			}
		})
		t.Run("a stalled site holds up the end of the run, and a stop leaves none of its mails in doubt", func(t *testing.T) {
			if took := p.stop(); took > drainLimit+time.Second {
				t.Errorf("it took %s to stop", took)
			}
			h.in(t).checkStalled(run, one, two, later, stalled)
		})
	})
}

// checkStalled checks that the mails of the stalled site wait, no other's do, and that
// the mail servers have what the ledger says.
func (h *house) checkStalled(run int64, servers ...*smtpsink.Server) {
	h.t.Helper()
	copies := map[string]int{}
	for _, server := range servers {
		for email, n := range server.Copies() {
			copies[email] += n
		}
	}
	for _, d := range h.deliveries(run) {
		if strings.HasSuffix(d.Email, "@stalled.test") != (d.State == mailing.Waiting || d.State == mailing.Deferred) {
			h.t.Errorf("%s is %s", d.Email, d.State)
		}
		if n := copies[d.Email]; n > 1 || n == 1 != (d.State == mailing.Sent) {
			h.t.Errorf("%s is %s and has %d mails", d.Email, d.State, n)
		}
	}
}

// later has all that is deferred be due.
func (h *house) later(run int64) {
	h.t.Helper()
	_, err := h.store.Writer().ExecContext(h.t.Context(), "update deliveries set due_at = 1 where run_id = $1 and state = 1", run)
	if err != nil {
		h.t.Fatal(err)
	}
}

// checkSites compares what is on record with what each site has said.
func (h *house) checkSites(run int64) {
	for _, want := range []domainOutcome{
		{"good.test", mailing.Sent, 1, mailing.AttemptAccepted, "dot", "mx1.good.test:25 [" + oneAddress + "]", "250"},
		{"second.test", mailing.Sent, 1, mailing.AttemptAccepted, "dot", "mx2.second.test:25 [" + twoAddress + "]", "250"},
		{"implicit.test", mailing.Sent, 1, mailing.AttemptAccepted, "dot", "implicit.test:25 [" + twoAddress + "]", "250"},
		{"null.test", mailing.Failed, 1, mailing.AttemptFailed, "rcpt", "null.test", "556 5.1.10"},
		{"nowhere.test", mailing.Failed, 1, mailing.AttemptFailed, "rcpt", "nowhere.test", "550 5.1.2"},
		{"refusing.test", mailing.Failed, 1, mailing.AttemptFailed, "rcpt", "mx.refusing.test:25 [" + refusingAddress + "]", "550 5.1.1 no such mailbox"},
	} {
		h.t.Run("what "+want.domain+" says is on record", func(t *testing.T) {
			h.in(t).checkOutcome(run, want)
		})
	}
	h.t.Run("what a site has deferred is on record, and then sent", func(t *testing.T) {
		h := h.in(t)
		deferred := 0
		for _, a := range h.attemptsAt(run, "later.test") {
			if a.Result == mailing.AttemptDeferred && a.Stage == "rcpt" && a.Reply.String() == "451 4.7.1 not now" {
				deferred++
			} else if a.Result != mailing.AttemptAccepted {
				t.Errorf("an attempt says %+v", a)
			}
		}
		if deferred != 2 {
			t.Errorf("%d attempts were deferred, want 2", deferred)
		}
	})
	h.t.Run("who does not exist is mailed no more, and who was deferred is", func(t *testing.T) {
		for email, want := range map[string]bool{
			"client000@null.test": true, "client000@nowhere.test": true, "client000@refusing.test": true,
			"client000@later.test": false, "client000@stalled.test": false,
		} {
			if gone, err := h.store.Suppressed(t.Context(), h.owner.ID, email); err != nil || gone != want {
				t.Errorf("%s is suppressed: %t, %v", email, gone, err)
			}
		}
	})
}

func (h *house) checkOutcome(run int64, want domainOutcome) {
	h.t.Helper()
	for _, d := range h.deliveries(run) {
		if strings.HasSuffix(d.Email, "@"+want.domain) && (d.State != want.state || d.Tries != want.tries) {
			h.t.Errorf("%s is %s after %d tries, want %s after %d", d.Email, d.State, d.Tries, want.state, want.tries)
		}
	}
	attempts := h.attemptsAt(run, want.domain)
	if len(attempts) == 0 {
		h.t.Error("no attempt is on record")
	}
	for _, a := range attempts {
		if a.Result != want.result || a.Stage != want.stage || !strings.HasPrefix(a.Host, want.host) || !strings.HasPrefix(a.Reply.String(), want.reply) {
			h.t.Errorf("an attempt says %s at %s of %s: %s; want %+v", a.Result, a.Stage, a.Host, a.Reply, want)
		}
	}
}

// attemptsAt are the attempts at the mails of a domain.
func (h *house) attemptsAt(run int64, domain string) (list []mailing.Attempt) {
	h.t.Helper()
	for _, a := range h.log(run) {
		if strings.HasSuffix(a.Email, "@"+domain) {
			list = append(list, a)
		}
	}
	return list
}

// TestInsideRefused has a site refuse us for our reputation, three times.
func TestInsideRefused(t *testing.T) {
	needInside(t)
	storetest.EachURL(t, func(t *testing.T, url string) {
		h := newHouse(t, url)
		h.direct()
		h.contactsAt("blocking.test", perDomain)
		h.contactsAt("implicit.test", perDomain)
		two := mailServer(t, twoAddress, nil)
		blocking := mailServer(t, blockingAddress, answerAt(smtpsink.StageRcpt, 3, smtpsink.Reply{
			Code: 554, Enhanced: "5.7.1", Text: "Service unavailable; Client host blocked using zen.spamhaus.org",
		}))
		h.serve("127.0.0.1:9", "VESTNIK_PRIVATE_MX=true")
		run := h.sendNow(h.mailing(mailing.NeverTwice))
		troubles := func() (list []app.SiteTrouble) {
			h.later(run)
			refused, err := h.base.App.RefusedRelays(t.Context(), app.Operator)
			if err != nil {
				t.Fatal(err)
			}
			for _, relay := range refused {
				list = append(list, relay.Sites...)
			}
			return list
		}
		await(t, time.Minute, "its refusals are a trouble", func() bool { return len(troubles()) > 0 })
		t.Run("the trouble says what the site said, and the site is tried less and less often", func(t *testing.T) {
			got := troubles()[0]
			if got.Site != "blocking.test" || !strings.Contains(got.Why, "zen.spamhaus.org") || got.Until.Sub(got.Since) < 12*time.Second {
				t.Errorf("it is %+v", got)
			}
			// Two connections may be refused at once each time.
			if n := len(h.attemptsAt(run, "blocking.test")); n > 2*3 {
				t.Errorf("%d attempts were made", n)
			}
		})
		await(t, time.Minute, "the other site has its mail", func() bool { return two.Count() == perDomain })
		await(t, 2*time.Minute, "the site has all its mail, and the trouble is over", func() bool {
			return len(troubles()) == 0 && blocking.Count() == perDomain
		})
		h.awaitEnd(run, time.Minute)
		if c := h.run(run).Counts; c.Sent != 2*perDomain {
			t.Errorf("the run counts %+v", c)
		}
	})
}
