package server_test

import (
	"testing"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/smtpsink"
	"vestnik/internal/store/storetest"
	"vestnik/internal/torture"
)

// secondsHeld is for how long a node that sends directly may have mails of a site in
// hand, at the speed that the site is given, and perSecond that speed
// (transport/mx/providers.json).
const (
	secondsHeld = 3
	perSecond   = 2
)

// TestInsideTakeOver has a node die that sends directly to many sites, with its
// journal at first. What it had in hand is in doubt for the other, tried or not.
func TestInsideTakeOver(t *testing.T) {
	needInside(t)
	const eachSite = 60
	h := newHouse(t, storetest.PostgresURL(t))
	for i := range besieged {
		h.contactsAt(siteDomain(i), eachSite)
	}
	h.direct()
	s := newSink(t, smtpsink.Options{Addr: allSitesAddress + ":25", Delay: roundTrip})
	h.serve(s.Addr(), "VESTNIK_PRIVATE_MX=true")
	other := h.secondNode()
	victim := other.serve(s.Addr(), "VESTNIK_PRIVATE_MX=true")
	victim.says("pages are served", 30*time.Second)
	run := h.sendNow(h.mailing(mailing.NeverTwice))
	s.awaitMore(t, besieged*eachSite/4)
	victim.kill()
	killed := time.Now()
	h.awaitEnd(run, 4*time.Minute)
	r := h.reckon(run, s.Copies(), 1)
	t.Run("no more is in doubt than the dead node would have sent in a few seconds", func(t *testing.T) {
		// In its queue, at its meter and on the wire; and what is not routed yet.
		if most := besieged*(secondsHeld*perSecond+1+siteConnections) + 64; len(r.InDoubt) > most {
			t.Errorf("%d of %d are in doubt, want at most %d", len(r.InDoubt), r.Recipients, most)
		}
	})
	line := torture.Line{Fault: "a node that sends directly is killed for good", Database: torture.Database(h.url)}
	line.Add(r, time.Since(killed))
	torture.Record(t, line)
	t.Run("when it comes back, no more is in doubt than was on the wire, and none is sent twice", func(t *testing.T) {
		h := h.in(t)
		other.in(t).serve(s.Addr(), "VESTNIK_PRIVATE_MX=true")
		await(t, time.Minute, "its journal has told", func() bool {
			inDoubt, onRecord := h.run(run).Counts.InDoubt, int64(0)
			for _, a := range h.log(run) {
				if a.Result == mailing.AttemptInDoubt {
					onRecord++
				}
			}
			return inDoubt <= besieged*siteConnections && inDoubt <= onRecord
		})
		h.awaitEnd(run, 2*time.Minute)
		h.checkDoubtLog(run, h.account(run, s.Copies(), 1))
	})
}
