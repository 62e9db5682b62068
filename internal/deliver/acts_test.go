package deliver

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/smtpsink"
	"vestnik/internal/store"
	"vestnik/internal/store/storetest"
	"vestnik/internal/torture"
)

// act is what somebody does in the middle of a run that keeps mails from leaving.
type act struct {
	name string
	do   func(t *testing.T, w *world, m mailing.Mailing, who []mailing.Contact)
	// undo lets the run go on; nil: it cannot.
	undo func(t *testing.T, w *world, m mailing.Mailing)
	// all says that it is about everybody, not about some.
	all bool
}

var acts = []act{
	{name: "people unsubscribe", do: suppressAll(mailing.ReasonUnsubscribed)},
	{name: "addresses are suppressed", do: suppressAll(mailing.ReasonManual)},
	{
		name: "the mailing is disabled", all: true,
		do: func(t *testing.T, w *world, m mailing.Mailing, _ []mailing.Contact) {
			m.Status = mailing.StatusDisabled
			ok(t, w.SetMailingStatus(background, m, mailing.StatusCreated))
		},
		undo: func(t *testing.T, w *world, m mailing.Mailing) {
			m.Status = mailing.StatusRunning
			ok(t, w.SetMailingStatus(background, m, mailing.StatusDisabled))
		},
	},
	{
		name: "the owner is blocked", all: true,
		do: func(t *testing.T, w *world, _ mailing.Mailing, _ []mailing.Contact) {
			ok(t, w.Block(background, w.owner.ID, 0, "", time.Now()))
		},
		undo: func(t *testing.T, w *world, _ mailing.Mailing) {
			ok(t, w.Unblock(background, w.owner.ID))
		},
	},
	{
		name: "contacts are deleted",
		do: func(t *testing.T, w *world, _ mailing.Mailing, who []mailing.Contact) {
			ids := make([]int64, len(who))
			for i, c := range who {
				ids[i] = c.ID
			}
			_, err := w.DeleteContacts(background, w.owner.ID, ids)
			ok(t, err)
		},
	},
	{
		name: "the mailing is deleted", all: true,
		do: func(t *testing.T, w *world, m mailing.Mailing, _ []mailing.Contact) {
			ok(t, w.DeleteMailing(background, m.ID, time.Now()))
		},
	},
}

func suppressAll(why mailing.Reason) func(*testing.T, *world, mailing.Mailing, []mailing.Contact) {
	return func(t *testing.T, w *world, _ mailing.Mailing, who []mailing.Contact) {
		for _, c := range who {
			_, err := w.Suppress(background, mailing.Suppression{OwnerID: w.owner.ID, Email: c.Email, Reason: why, CreatedAt: time.Now()})
			ok(t, err)
		}
	}
}

// effectWithin is how soon an act takes effect: a second is promised, and slow
// machines are given another.
const effectWithin = 2 * time.Second

// TestActsInMidRun does each at moments that chance chooses: within a second nothing
// more leaves to whom it is about, and all others get their mail.
func TestActsInMidRun(t *testing.T) {
	for _, a := range acts {
		t.Run(a.name, func(t *testing.T) {
			storetest.Each(t, func(t *testing.T, s *store.Store) {
				line := torture.Line{Fault: "in mid-run " + a.name, Database: "sqlite"}
				if s.Postgres() {
					line.Database = "postgres"
				}
				for range torture.Times(1, 10) {
					r, took := a.test(t, s)
					line.Add(r, took)
				}
				torture.Record(t, line)
			})
		})
	}
}

// test returns what came of the run, and how long after the act the last mail left
// that it is about.
func (a act) test(t *testing.T, s *store.Store) (torture.Reckoning, time.Duration) {
	const recipients, some = 3000, 200
	var left departures
	w := newWorld(t, s, recipients, smtpsink.Options{Delay: 2 * time.Millisecond, Answer: left.note})
	m := w.mailing(t, mailing.Mailing{})
	id := w.open(t, m)
	r := w.start(t)
	moment := 50 + rand.IntN(recipients/2)
	eventually(t, fmt.Sprintf("%d mails have left", moment), func() bool { return w.sink.Count() >= moment })
	contacts, _, err := s.Contacts(background, store.ContactFilter{Owner: w.owner.ID}, store.Page{Sort: "email", Limit: recipients})
	ok(t, err)
	who := contacts[recipients-some:]
	if a.all {
		who = contacts
	}
	a.do(t, w, m, who)
	done := time.Now()
	if a.all {
		settles(t, w.sink.Count)
	} else {
		w.complete(t, id)
	}
	took := max(left.last(who).Sub(done), time.Millisecond)
	if took > effectWithin {
		t.Errorf("mails to whom it is about left for %s after it", took)
	}
	if a.all && w.sink.Count() == recipients {
		t.Error("all mails had left")
	}
	a.finish(t, w, m, id)
	r.stop(t)
	w.checkCounts(t, id)
	reckoning := torture.Reckon(w.deliveries(t, id), w.sink.Copies(), 1)
	for _, sentence := range reckoning.Complaints() {
		t.Error(sentence)
	}
	return reckoning, took
}

// finish brings the run to its end.
func (a act) finish(t *testing.T, w *world, m mailing.Mailing, id int64) {
	t.Helper()
	if a.undo != nil {
		a.undo(t, w, m)
	}
	eventually(t, "the run is over", func() bool {
		run := w.run(t, id)
		return run.State == mailing.RunCompleted || run.State == mailing.RunCancelled && run.Counts.Waiting() == 0
	})
}

// departures are when mails were accepted, by address.
type departures struct {
	mu sync.Mutex
	at map[string]time.Time
}

// note is smtpsink.Options.Answer.
func (d *departures) note(stage smtpsink.Stage, env smtpsink.Envelope) smtpsink.Reply {
	if stage == smtpsink.StageDot {
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.at == nil {
			d.at = map[string]time.Time{}
		}
		d.at[env.To[0]] = time.Now()
	}
	return smtpsink.Reply{}
}

// last is when the last mail to one of them was accepted; zero: none was.
func (d *departures) last(who []mailing.Contact) (last time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, c := range who {
		if at := d.at[c.Email]; at.After(last) {
			last = at
		}
	}
	return last
}
