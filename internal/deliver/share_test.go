package deliver

import (
	"errors"
	"slices"
	"testing"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/smtpsink"
	"vestnik/internal/store"
	"vestnik/internal/store/storetest"
)

const plenty = 1_000_000

// eater has so many mails, and had so many of them taken.
type eater struct{ has, had int }

func (e *eater) with(parts int) sharer {
	return sharer{parts, func(most int) (int, error) {
		took := min(most, e.has)
		e.has, e.had = e.has-took, e.had+took
		return took, nil
	}}
}

func TestShare(t *testing.T) {
	owner := func(own ...sharer) sharer {
		return sharer{1, func(most int) (int, error) { return share(own, most) }}
	}
	taken := func(t *testing.T, n, want int, all ...sharer) {
		t.Helper()
		got, err := share(all, n)
		ok(t, err)
		equal(t, "taken", got, want)
	}
	t.Run("each gets its parts", func(t *testing.T) {
		low, normal, high := eater{has: plenty}, eater{has: plenty}, eater{has: plenty}
		taken(t, 210, 210, low.with(1), normal.with(4), high.with(16))
		equalList(t, []int{low.had, normal.had, high.had}, []int{10, 40, 160})
	})
	t.Run("what one does not have goes to the others by their parts", func(t *testing.T) {
		low, normal, high := eater{has: plenty}, eater{has: plenty}, eater{has: 5}
		taken(t, 210, 210, low.with(1), high.with(16), normal.with(4))
		equalList(t, []int{low.had, normal.had, high.had}, []int{41, 164, 5})
	})
	t.Run("all get what they have when there is room for it", func(t *testing.T) {
		low, high := eater{has: 30}, eater{has: 3}
		taken(t, 100, 33, low.with(1), high.with(16))
		taken(t, 100, 0, low.with(1), high.with(16))
		taken(t, 100, 0)
	})
	t.Run("an owner of ten mailings has no more than one of one", func(t *testing.T) {
		var one eater
		ten := make([]eater, 10)
		var own []sharer
		for i := range ten {
			ten[i].has = plenty
			own = append(own, ten[i].with(16))
		}
		one.has = plenty
		taken(t, 200, 200, owner(own...), owner(one.with(1)))
		equal(t, "of the one", one.had, 100)
		for _, e := range ten {
			equal(t, "of each of the ten", e.had, 10)
		}
	})
	t.Run("what one mailing leaves goes to its owner's others first", func(t *testing.T) {
		high, low, theirs := eater{has: 5}, eater{has: plenty}, eater{has: plenty}
		taken(t, 100, 100, owner(theirs.with(4)), owner(high.with(16), low.with(1)))
		equalList(t, []int{high.had, low.had, theirs.had}, []int{5, 45, 50})
	})
	t.Run("a small part is not rounded away", func(t *testing.T) {
		low, high := eater{has: plenty}, eater{has: plenty}
		for range 17_000 {
			taken(t, 1, 1, low.with(1), high.with(16))
		}
		if low.had < 750 || low.had > 1250 { // eight standard deviations
			t.Errorf("one part of 17 got %d of 17000", low.had)
		}
	})
	t.Run("a fault ends it, and what was taken before is told", func(t *testing.T) {
		away, first, last := errors.New("away"), eater{has: plenty}, eater{has: plenty}
		broken := sharer{1, func(int) (int, error) { return 0, away }}
		got, err := share([]sharer{first.with(1), broken, last.with(1)}, 30)
		equal(t, "fault", err, away)
		equalList(t, []int{got, first.had, last.had}, []int{10, 10, 0})
	})
}

func equalList(t *testing.T, got, want []int) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// neighbour is another owner with contacts on the same installation.
func (w *world) neighbour(t testing.TB, contacts int) *world {
	t.Helper()
	other := *w
	other.owner = newOwner(t, w.Store)
	storetest.Contacts(t, w.Store, other.owner.ID, contacts)
	return &other
}

// idleFeeder feeds one lane with the room, in which nobody works.
func (w *world) idleFeeder(t testing.TB, room int) *feeder {
	t.Helper()
	e := newEngine(w.config(nil))
	ok(t, e.start(background))
	t.Cleanup(func() { _ = e.journal.close() })
	idle := newLane(e, e.Roads()[0], workers, room)
	idle.pace.lookahead = room
	idle.since = time.Now().Add(time.Hour) // or it were left out as one that does not keep up
	e.lanes.Engine = e
	e.lanes.replace([]*lane{idle})
	return &feeder{Engine: e, resting: map[int64]time.Time{}}
}

// fed lets the feeder do its work once, and returns what its lane was given, by run.
func (f *feeder) fed(t testing.TB) map[int64]int {
	t.Helper()
	ok(t, f.look(background))
	ok(t, f.once(background))
	by := map[int64]int{}
	for bulk := f.lanes.all()[0].bulk; len(bulk) > 0; {
		by[(<-bulk).RunID]++
	}
	return by
}

func TestWhatIsLeasedIsShared(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, 400, smtpsink.Options{})
		other := w.neighbour(t, 400)
		contacts, _, err := s.Contacts(background, store.ContactFilter{Owner: w.owner.ID}, store.Page{Limit: 5})
		ok(t, err)
		var five []int64
		for _, c := range contacts {
			five = append(five, c.ID)
		}
		low := w.open(t, w.mailing(t, mailing.Mailing{Weight: mailing.WeightLow}))
		high := w.open(t, w.mailing(t, mailing.Mailing{Weight: mailing.WeightHigh}, five...))
		theirs := other.open(t, other.mailing(t, mailing.Mailing{Weight: mailing.WeightLow}))
		f := w.idleFeeder(t, 100)
		got := f.fed(t)
		equalList(t, []int{got[high], got[low], got[theirs]}, []int{5, 45, 50})
		got = f.fed(t) // the one of high weight has nothing left
		equalList(t, []int{got[high], got[low], got[theirs]}, []int{0, 50, 50})
		ok(t, s.CancelRun(background, theirs, time.Now()))
		equal(t, "alone", f.fed(t)[low], 100)
	})
}

// sendSome sends until the mail server has so many mails, and returns how many of each
// run that were.
func (w *world) sendSome(t testing.TB, enough int, runIDs ...int64) (sent []int64) {
	t.Helper()
	r := w.start(t)
	eventually(t, "enough mails are sent", func() bool { return w.sink.Count() >= enough })
	r.stop(t)
	w.check(t, 1, runIDs...)
	for _, id := range runIDs {
		sent = append(sent, w.run(t, id).Counts.Sent)
	}
	return sent
}

func TestMailingsShareByWeight(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		const recipients = 2000
		w := newWorld(t, s, recipients, slow)
		high := w.open(t, w.mailing(t, mailing.Mailing{Weight: mailing.WeightHigh}))
		normal := w.open(t, w.mailing(t, mailing.Mailing{}))
		sent := w.sendSome(t, 2*recipients/3, high, normal)
		if ratio := float64(sent[0]) / float64(sent[1]); ratio < 3 || ratio > 5 {
			t.Errorf("%d of high weight were sent and %d of normal, which are to be a quarter", sent[0], sent[1])
		}
	})
}

func TestOwnersShareAlike(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		const recipients = 2000
		w := newWorld(t, s, recipients, slow)
		runs := []int64{w.open(t, w.mailing(t, mailing.Mailing{Weight: mailing.WeightLow}))}
		other := w.neighbour(t, recipients/10)
		for range 10 {
			runs = append(runs, other.open(t, other.mailing(t, mailing.Mailing{Weight: mailing.WeightHigh})))
		}
		sent := w.sendSome(t, 2*recipients/3, runs...)
		var theirs int64
		for _, n := range sent[1:] {
			theirs += n
		}
		if ratio := float64(sent[0]) / float64(theirs); ratio < 0.7 || ratio > 1.4 {
			t.Errorf("%d were sent of one mailing and %d of another owner's ten", sent[0], theirs)
		}
	})
}

func TestASmallRunOfLowWeightDoesNotWaitForALargeOneOfHigh(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, 4000, slow)
		large := w.open(t, w.mailing(t, mailing.Mailing{Weight: mailing.WeightHigh}))
		w.start(t)
		w.atWork(t)
		contact := storetest.Contact(t, s, w.owner.ID, "late@example.com")
		small := w.open(t, w.mailing(t, mailing.Mailing{Weight: mailing.WeightLow}, contact.ID))
		w.complete(t, small)
		if left := w.run(t, large).Counts.Waiting(); left == 0 {
			t.Error("the large run was done first")
		}
	})
}
