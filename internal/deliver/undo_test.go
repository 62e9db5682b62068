package deliver

import (
	"sync"
	"testing"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/smtpsink"
	"vestnik/internal/store"
	"vestnik/internal/store/storetest"
)

// openWaiting opens a run of the mailing that goes out after a while.
func (w *world) openWaiting(t testing.TB, m mailing.Mailing, wait time.Duration) int64 {
	t.Helper()
	message, err := w.Message(background, m.MessageID)
	ok(t, err)
	run := storetest.OpeningRun(m)
	run.CreatedAt = time.Now()
	run.GoesAt = run.CreatedAt.Add(wait)
	id, err := w.OpenManualRun(background, run, store.ContentOf(message), run.CreatedAt)
	ok(t, err)
	for done := false; !done; {
		done, err = w.FillRun(background, id, time.Now())
		ok(t, err)
	}
	return id
}

// second is another node on the same database.
func (w *world) second(t testing.TB) *world {
	t.Helper()
	two := *w
	two.dir = t.TempDir()
	return &two
}

func TestNothingGoesOutBeforeItsTime(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, 20, smtpsink.Options{})
		waiting := w.openWaiting(t, w.mailing(t, mailing.Mailing{}), 5*time.Second)
		goes := w.run(t, waiting).GoesAt
		first := w.start(t)
		w.second(t).start(t)
		// Others are sent meanwhile, by nodes that have seen both runs.
		at := w.open(t, w.mailing(t, mailing.Mailing{}))
		w.complete(t, at)
		if early := w.sink.Count() - 20; early > 0 && time.Now().Before(goes) {
			t.Errorf("%d mails went out before their time", early)
		}
		first.stop(t) // in the wait
		w.start(t)
		w.complete(t, waiting)
		for _, a := range w.attempts(t, waiting) {
			if a.At.Before(goes) {
				t.Fatalf("a mail was sent at %s, %s before its time", a.At, goes.Sub(a.At))
			}
		}
		w.check(t, 1, waiting, at)
	})
}

// TestUndoAgainstTheFeeder takes runs back around the moment in which two nodes begin to send
// them: each goes out as a whole, or not one mail of it does.
func TestUndoAgainstTheFeeder(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		const runs, recipients = 24, 10
		w := newWorld(t, s, recipients, smtpsink.Options{})
		w.start(t)
		w.second(t).start(t)
		var mu sync.Mutex
		var undone, went []int64
		var all sync.WaitGroup
		for i := range runs {
			id := w.openWaiting(t, w.mailing(t, mailing.Mailing{}), time.Second)
			at := w.run(t, id).GoesAt.Add(time.Duration(i-4) * watchEvery / 12)
			all.Go(func() {
				<-time.After(time.Until(at))
				err := w.TakeBack(background, id, time.Now())
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err == nil:
					undone = append(undone, id)
				case mailing.CodeOf(err) == "undo_too_late":
					went = append(went, id)
				default:
					t.Error(err)
				}
			})
		}
		all.Wait()
		for _, id := range went {
			w.complete(t, id)
		}
		equal(t, "mails", settles(t, w.sink.Count), len(went)*recipients)
		for _, id := range undone {
			equal(t, "attempts of what was taken back", len(w.attempts(t, id)), 0)
			equal(t, "state", w.run(t, id).State, mailing.RunTakenBack)
		}
		w.check(t, 1, went...)
		t.Logf("%d were taken back, %d went out", len(undone), len(went))
	})
}
