package server_test

import (
	"testing"

	"vestnik/internal/app"
	"vestnik/internal/smtpsink"
	"vestnik/internal/store/storetest"
)

// severalRelays is a siege of a service with three relays: a large one, a small one,
// and one that is slower than the rest.
func severalRelays(t *testing.T, url string) *siege {
	t.Helper()
	h := newHouse(t, url)
	storetest.Contacts(t, h.store, h.owner.ID, tortured)
	s := newSink(t, smtpsink.Options{Delay: roundTrip})
	h.relay("large", s.Port(), func(r *app.RelaySettings) { r.Weight, r.Connections = 30, 20 })
	small := s.door(t, smtpsink.Options{Delay: roundTrip})
	h.relay("small", small.Port(), func(r *app.RelaySettings) { r.Weight, r.Connections = 10, 10 })
	slow := s.door(t, smtpsink.Options{Delay: roundTrip})
	h.relay("slow", slow.Port(), func(r *app.RelaySettings) { r.Weight, r.Connections, r.PerSecond = 10, 4, 50 })
	g := h.siege(s)
	g.onWire, g.roads = 20+10+4, ", several relays"
	return g
}

// checkDoors checks that every relay has had a share of the mails.
func (g *siege) checkDoors() {
	g.t.Helper()
	for i, door := range g.sink.doors {
		if n := door.Count(); n < g.recipients/1000 {
			g.t.Errorf("of %d mails relay %d got only %d", g.recipients, i, n)
		}
	}
}

func TestKillWithSeveralRelays(t *testing.T) {
	storetest.EachURL(t, func(t *testing.T, url string) {
		t.Run("with several relays kill -9 loses none, doubles none and lists all in doubt", func(t *testing.T) {
			g := severalRelays(t, url)
			g.kills()
			g.checkDoors()
		})
	})
}

func TestStopWithSeveralRelays(t *testing.T) {
	storetest.EachURL(t, func(t *testing.T, url string) {
		t.Run("with several relays SIGTERM loses none, doubles none and leaves none in doubt", func(t *testing.T) {
			g := severalRelays(t, url)
			g.stops()
			g.checkDoors()
		})
	})
}
