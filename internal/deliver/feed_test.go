package deliver

import (
	"testing"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/smtpsink"
	"vestnik/internal/store"
	"vestnik/internal/store/storetest"
)

func TestAnOpeningRunSendsSlowly(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, openingBatch+300, smtpsink.Options{})
		m := w.mailing(t, mailing.Mailing{})
		message, err := w.Message(background, m.MessageID)
		ok(t, err)
		id, err := w.OpenManualRun(background, storetest.OpeningRun(m), store.Content{Subject: message.Subject, Format: message.Format, Body: message.Body}, time.Now())
		ok(t, err)
		_, err = w.FillRun(background, id, time.Now())
		ok(t, err)

		e := newEngine(w.config(w.pool(t, w.relay(), workers)))
		ok(t, e.start(background))
		defer func() { ok(t, e.journal.close()) }()
		f := feeder{Engine: e, resting: map[int64]time.Time{}}
		opening := w.run(t, id)
		equal(t, "the state", opening.State, mailing.RunOpening)
		leased, err := f.lease(background, &opening, 2*openingBatch)
		ok(t, err)
		equal(t, "leased while it opens", len(leased), openingBatch)
		if _, rests := f.resting[id]; !rests {
			t.Error("it is leased from again at once")
		}

		done, err := w.FillRun(background, id, time.Now())
		ok(t, err)
		equal(t, "all are written down", done, true)
		open := w.run(t, id)
		leased, err = f.lease(background, &open, 2*openingBatch)
		ok(t, err)
		equal(t, "leased once it is open", len(leased), 300)
	})
}
