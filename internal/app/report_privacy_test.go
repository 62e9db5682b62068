package app_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
	"vestnik/internal/store"
	"vestnik/internal/store/storetest"
)

// ownDomain is a run of which one mail failed that was to somebody with a domain of their own.
func ownDomain(t *testing.T, h *house) *sentRun {
	t.Helper()
	r := newSentRun(t, h, "a@mail.ru", "vera@verina.example")
	r.settle(mailing.Sent, accepted, "a@mail.ru")
	r.settle(mailing.Failed, mailing.Reply{Code: 550, Enhanced: "5.1.1", Text: "Moved to Kirov"}, "vera@verina.example")
	if got := r.report(t); !strings.Contains(got, "verina.example") || !strings.Contains(got, "Moved to Kirov") {
		t.Fatalf("the report is %s", got)
	}
	return r
}

func (r *sentRun) report(t *testing.T) string {
	t.Helper()
	v, err := r.Report(t.Context(), r.owner, r.id)
	must(t, err)
	return fmt.Sprintf("%+v", v.Report)
}

func TestAReportDoesNotRememberWhoWasErased(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		r := ownDomain(t, over(s))
		must(t, r.ErasePerson(t.Context(), r.owner, r.owner.ID, "vera@verina.example"))
		kept, err := s.Report(t.Context(), r.id)
		must(t, err)
		if kept != "" {
			t.Errorf("kept is %s", kept)
		}
		if got := r.report(t); strings.Contains(got, "verina") || !strings.Contains(got, mailing.ProviderErased) {
			t.Errorf("the new report is %s", got)
		}
	})
}

func TestWhatIsKeptOfAReportWithoutItsDetails(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		r := ownDomain(t, over(s))
		r.App.Keep = store.Retention{Details: 24 * time.Hour}
		r.now = r.now.Add(48 * time.Hour)
		must(t, r.Sweep(t.Context()))
		if n := r.rows(t, "select count(*) from deliveries where run_id = $1", r.id); n != 0 {
			t.Fatalf("%d deliveries are left", n)
		}
		if got := r.report(t); strings.Contains(got, "verina") || strings.Contains(got, "Kirov") {
			t.Errorf("the report tells of somebody: %s", got)
		}
		v, err := r.Report(t.Context(), r.owner, r.id)
		must(t, err)
		if v.Partly || v.Rest != (app.ReportProvider{All: 1, Failed: 1, Tried: 1, Tries: 1}) || len(v.Providers) != 1 || len(v.Causes) != 1 || v.Causes[0].Failed != 1 {
			t.Errorf("the numbers are %+v", v.Report)
		}
	})
}

func TestAReportCountsWhatWasPutOffBeforeItsRunWasCancelled(t *testing.T) {
	h := newHouse(t)
	r := newSentRun(t, h, "a@mail.ru", "b@mail.ru")
	r.settle(mailing.Sent, accepted, "a@mail.ru")
	r.settle(mailing.Deferred, greylisted, "b@mail.ru")
	must(t, h.CancelRun(t.Context(), r.owner, r.id))
	v, err := h.Report(t.Context(), r.owner, r.id)
	must(t, err)
	if len(v.Causes) != 1 || v.Causes[0].PutOff != 1 || v.Causes[0].Waiting != 0 {
		t.Errorf("the causes are %+v", v.Causes)
	}
}
