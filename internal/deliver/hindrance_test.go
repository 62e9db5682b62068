package deliver

import (
	"log/slog"
	"testing"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/store"
	"vestnik/internal/store/storetest"
)

func TestHindrance(t *testing.T) {
	now := time.Now()
	said := &mailing.Attempt{Email: "anna@example.com", Reply: mailing.Reply{Code: 421, Enhanced: "4.7.0", Text: "too fast for anna@example.com"}}
	for name, c := range map[string]struct {
		happens func(*lane)
		kind    string
		why     string
	}{
		"nothing":                           {func(*lane) {}, "", ""},
		"the server is silent":              {func(l *lane) { l.stalled = true }, store.HindranceSilent, ""},
		"the limit is used up":              {func(l *lane) { l.exhausted.Store(now.Add(time.Hour).UnixNano()) }, store.HindranceLimit, ""},
		"the limit was used up":             {func(l *lane) { l.exhausted.Store(now.Add(-time.Hour).UnixNano()) }, "", ""},
		"the server has trouble with us":    {func(l *lane) { l.complains(said); l.gate.shut(now) }, store.HindranceClosed, "421 4.7.0 too fast for a…@e….com"},
		"that is over":                      {func(l *lane) { l.complains(said); l.gate.shut(now); l.gate.passed() }, "", ""},
		"the server has asked to be slower": {func(l *lane) { l.slow(said, now) }, store.HindranceSlowed, "421 4.7.0 too fast for a…@e….com"},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEngine(Config{Log: slog.New(slog.DiscardHandler)})
			l := newLane(e, &Road{ID: 7, Name: "relay"}, 8, 10)
			c.happens(l)
			h, hindered := l.hindrance(now)
			equal(t, "hindered", hindered, c.kind != "")
			equal(t, "kind", h.Kind, c.kind)
			equal(t, "why", h.Why, c.why)
			equal(t, "name", h.Name, "relay")
		})
	}
}

func TestHindrancesAreToldWhenTheyChange(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		now := time.Now()
		e := newEngine(Config{Log: slog.New(slog.DiscardHandler), Store: s})
		node, err := s.StartNode(background, "one", now, now.Add(time.Hour))
		ok(t, err)
		e.node = node
		relay, google := newLane(e, &Road{ID: 7, Name: "relay"}, 8, 10), newLane(e, &Road{ID: 7, Name: "relay"}, 8, 10)
		google.site = &Destination{Site: "google", Name: "Gmail"}
		relay.sites.lanes = map[string]*lane{"google": google}
		told := func(at time.Time) (kinds []string) {
			t.Helper()
			e.hindrances.look([]*lane{relay}, at)
			e.tellHindrances(background, at)
			list, err := s.Hindrances(background, at)
			ok(t, err)
			for _, h := range list {
				kinds = append(kinds, h.Kind+" "+h.Name)
			}
			return kinds
		}
		equal(t, "at first", len(told(now)), 0)
		google.stalled = true
		equal(t, "within a second", len(told(now.Add(time.Millisecond))), 0)
		later := now.Add(2 * time.Second)
		equal(t, "then", told(later)[0], "silent Gmail")
		first, err := s.Hindrances(background, later)
		ok(t, err)
		relay.stalled = true
		equal(t, "of both", len(told(later.Add(2*time.Second))), 2)
		again, err := s.Hindrances(background, later)
		ok(t, err)
		equal(t, "since when", again[0].Since, first[0].Since)
		relay.stalled, google.stalled = false, false
		equal(t, "in the end", len(told(later.Add(4*time.Second))), 0)
	})
}
