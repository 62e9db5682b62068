package server_test

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"vestnik/internal/app"
	"vestnik/internal/cache/cachetest"
	"vestnik/internal/mailing"
	"vestnik/internal/smtpsink"
	"vestnik/internal/store/storetest"
)

// arrivals are when mails were accepted.
type arrivals struct {
	mu sync.Mutex
	at []time.Time
}

func (m *arrivals) note(stage smtpsink.Stage, _ smtpsink.Envelope) smtpsink.Reply {
	if stage == smtpsink.StageDot {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.at = append(m.at, time.Now())
	}
	return smtpsink.Reply{}
}

// densest is how many lie within a span at most, and how long after the first mail.
func (m *arrivals) densest(span time.Duration) (most int, after time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	slices.SortFunc(m.at, time.Time.Compare)
	first := 0
	for i := range m.at {
		for m.at[i].Sub(m.at[first]) >= span {
			first++
		}
		if n := i - first + 1; n > most {
			most, after = n, m.at[first].Sub(m.at[0])
		}
	}
	return most, after
}

func TestRedisGoesInTheMiddleOfASending(t *testing.T) {
	r := cachetest.Start(t)
	const recipients, perSecond = 4000, 150
	h := newHouse(t, storetest.PostgresURL(t))
	storetest.Contacts(t, h.store, h.owner.ID, recipients)
	var accepted arrivals
	s := newSink(t, smtpsink.Options{Answer: accepted.note})
	h.relay("limited", s.Port(), func(r *app.RelaySettings) { r.PerSecond = perSecond })
	nodes := []*process{
		h.serve("127.0.0.1:9", "CACHE_LOCATION="+r.Location()),
		h.secondNode().serve("127.0.0.1:9", "CACHE_LOCATION="+r.Location()),
	}
	for _, p := range nodes {
		p.says("pages are served", 30*time.Second)
	}
	<-time.After(6 * time.Second) // the nodes count each other every five seconds
	run := h.sendNow(h.mailing(mailing.NeverTwice))
	s.awaitMore(t, recipients/4)
	r.Kill()
	for _, p := range nodes {
		p.says("Redis is away", 30*time.Second)
	}
	s.awaitMore(t, recipients/4)
	r.Restart()
	for _, p := range nodes {
		p.says("Redis is back", 30*time.Second)
	}
	h.awaitEnd(run, 3*time.Minute)

	t.Run("nothing is lost, doubled or in doubt", func(t *testing.T) {
		if inDoubt := h.in(t).account(run, s.Copies(), 1); len(inDoubt) > 0 || s.Count() != recipients {
			t.Errorf("%d are in doubt and %d sent, want 0 and %d", len(inDoubt), s.Count(), recipients)
		}
	})
	accepted.check(t, perSecond)
	t.Run("each says that Redis is away and that it is back, complains of nothing, and has sent", func(t *testing.T) {
		for i, p := range nodes {
			text := p.log.String()
			// On a busy machine it may be away for a node once more.
			if away, back := strings.Count(text, "Redis is away"), strings.Count(text, "Redis is back"); away < 1 || back < 1 || away > back+1 {
				t.Errorf("node %d says %d times that it is away and %d times that it is back", i, away, back)
			}
			if strings.Contains(text, "level=ERROR") {
				t.Errorf("node %d complains", i)
			}
		}
		share := map[string]int{}
		for _, a := range h.in(t).log(run) {
			share[a.Node]++
		}
		if len(share) != len(nodes) {
			t.Errorf("shares: %v", share)
		}
	})
}

// check looks whether mails kept to a limit by the second, and used it.
func (m *arrivals) check(t *testing.T, perSecond int) {
	t.Helper()
	t.Run("both nodes together keep to the limit all the time", func(t *testing.T) {
		// What waits for a busy machine comes at once afterwards: that is a third of a
		// second's mails here, and far less than two nodes that know nothing of each other
		// would send.
		for _, span := range []time.Duration{time.Second, 5 * time.Second} {
			limit := perSecond * int(span/time.Second)
			n, after := m.densest(span)
			t.Logf("at most %d mails in %s, by a limit of %d, %s after the first", n, span, limit, after)
			if n > limit+perSecond/3 {
				t.Errorf("%d mails were sent within %s, by a limit of %d", n, span, limit)
			}
		}
	})
	t.Run("and waste little of it", func(t *testing.T) {
		m.mu.Lock()
		mails, took := len(m.at), m.at[len(m.at)-1].Sub(m.at[0])
		m.mu.Unlock()
		t.Logf("%d mails took %s; %d s without a pause", mails, took, mails/perSecond)
		if took > time.Minute {
			t.Errorf("it took %s", took)
		}
	})
}
