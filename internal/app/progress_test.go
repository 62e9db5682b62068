package app_test

import (
	"reflect"
	"testing"

	"vestnik/internal/app"
	"vestnik/internal/cache/cachetest"
	"vestnik/internal/mailing"
	"vestnik/internal/store/storetest"
)

func TestProgress(t *testing.T) {
	r := cachetest.Start(t)
	h := newCachedHouse(t, timeless(t, r.Location()))
	withOpenRun(t, h)
	other := h.otherNode(timeless(t, r.Location()))
	run := h.first("runs")
	progress := func(h *cachedHouse, who mailing.Account) app.Progress {
		p, err := h.Progress(t.Context(), who, run)
		must(t, err)
		p.Took = 0
		return p
	}
	t.Run("however many look, on whichever node, the database is asked once", func(t *testing.T) {
		first := progress(h, h.owner)
		h.queries.Store(0)
		for range 10 {
			if p := progress(other, h.owner); !reflect.DeepEqual(p, first) {
				t.Fatalf("got %+v, want %+v", p, first)
			}
		}
		if n := h.queries.Load(); n != 0 {
			t.Errorf("it is asked %d times more", n)
		}
	})
	t.Run("it is as without Redis, for each with what they may do", func(t *testing.T) {
		for _, who := range []mailing.Account{h.owner, h.boss} {
			if got, want := progress(h, who), progress(h.otherNode(nil), who); !reflect.DeepEqual(got, want) {
				t.Errorf("got %+v, want %+v", got, want)
			}
		}
		_, err := h.Progress(t.Context(), h.other, run)
		want(t, err, "not_found")
	})
	t.Run("what is masked for one who looks is whole for the next", func(t *testing.T) {
		must(t, h.store.HaltRun(t.Context(), run, "550 client@example.org is not wanted here"))
		h.RunsMoved(t.Context(), []int64{run}, nil)
		must(t, h.ChangeSettings(t.Context(), h.boss, map[string]string{"mask_clients": "true"}))
		manager := h.person(t, "manager@example.org", mailing.RoleManager)
		for range 2 { // the first fills the cache
			if p := progress(h, manager); p.Halt != "550 c…@e….org is not wanted here" {
				t.Errorf("a manager sees %q", p.Halt)
			}
			if p := progress(h, h.owner); p.Halt != "550 client@example.org is not wanted here" {
				t.Errorf("its owner sees %q", p.Halt)
			}
		}
		must(t, h.store.HaltRun(t.Context(), run, ""))
		h.RunsMoved(t.Context(), []int64{run}, nil)
	})
	t.Run("when the run has moved, all see it", func(t *testing.T) {
		progress(other, h.owner) // is kept there
		must(t, h.store.CancelRun(t.Context(), run, storetest.Now))
		if p := progress(other, h.owner); !p.State.Open() {
			t.Fatal("it is seen without a word")
		}
		h.RunsMoved(t.Context(), []int64{run}, nil)
		if p := progress(other, h.owner); p.State != mailing.RunCancelled || p.May.Cancel {
			t.Errorf("got %+v", p)
		}
	})
	t.Run("of a run without a mailing, too", func(t *testing.T) {
		must(t, h.SendTest(t.Context(), h.owner, letter, "somebody@example.com", 0))
		must(t, h.store.Writer().QueryRowContext(t.Context(), "select id from runs where kind = 'test'").Scan(&run))
		if got, want := progress(h, h.owner), progress(h.otherNode(nil), h.owner); !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, want %+v", got, want)
		}
	})
}
