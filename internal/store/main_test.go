package store_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/store"
	"vestnik/internal/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }

var (
	ctx = context.Background()
	now = storetest.Now
)

// tester is a *testing.T or a *rapid.T.
type tester interface {
	Helper()
	Fatal(...any)
	Fatalf(string, ...any)
	Errorf(string, ...any)
}

// ok ends the test on an error.
func ok(t tester, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// must returns v, or ends the test on an error.
func must[T any](v T, err error) func(tester) T {
	return func(t tester) T {
		t.Helper()
		ok(t, err)
		return v
	}
}

func wantCode(t tester, err error, code string) {
	t.Helper()
	if mailing.CodeOf(err) != code {
		t.Errorf("the error is %v, want the code %s", err, code)
	}
}

func equal[T comparable](t tester, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

func equalList[T comparable](t tester, what string, got, want []T) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

// atOnce runs do in n goroutines that begin together and returns their errors.
func atOnce(n int, do func(i int) error) []error {
	errs := make([]error, n)
	begin := make(chan struct{})
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			<-begin
			errs[i] = do(i)
		})
	}
	close(begin)
	all.Wait()
	return errs
}

// house is an owner with contacts, a mailing to all of them and a node.
type house struct {
	*store.Store
	owner    mailing.Account
	contacts []mailing.Contact
	mailing  mailing.Mailing
	node     store.Node
}

func newHouse(t testing.TB, s *store.Store, contacts int) house {
	t.Helper()
	h := house{Store: s, owner: storetest.Account(t, s, "anna@example.com")}
	h.contacts = storetest.Contacts(t, s, h.owner.ID, contacts)
	h.mailing = storetest.Mailing(t, s, mailing.Mailing{OwnerID: h.owner.ID})
	h.node = storetest.Node(t, s, "one")
	return h
}

// leaseAll leases everything of a run that is due.
func (h house) leaseAll(t tester, n store.Node, runID int64, at time.Time) []store.Leased {
	t.Helper()
	return must(h.Lease(ctx, n, runID, at, 1000))(t)
}

// outcome is what became of a leased delivery, with the attempt that goes with it.
func (h house) outcome(n store.Node, l store.Leased, state mailing.DeliveryState, at time.Time) store.Outcome {
	results := map[mailing.DeliveryState]mailing.AttemptResult{
		mailing.Sent: mailing.AttemptAccepted, mailing.Failed: mailing.AttemptFailed,
		mailing.Deferred: mailing.AttemptDeferred, mailing.InDoubt: mailing.AttemptInDoubt,
	}
	replies := map[mailing.DeliveryState]mailing.Reply{
		mailing.Sent:     {Code: 250, Enhanced: "2.0.0", Text: "Ok: queued"},
		mailing.Failed:   {Code: 550, Enhanced: "5.1.1", Text: "no such user"},
		mailing.Deferred: {Code: 451, Enhanced: "4.7.1", Text: "greylisted"},
	}
	o := store.Outcome{DeliveryID: l.ID, Epoch: n.Epoch, Tries: l.Tries, State: state}
	if state == mailing.Deferred || state == mailing.Waiting {
		o.DueAt = at.Add(5 * time.Minute)
	}
	if result, tried := results[state]; tried {
		o.Attempt = &mailing.Attempt{
			DeliveryID: l.ID, RunID: l.RunID, MailingID: h.mailing.ID, OwnerID: h.owner.ID, Email: l.Email,
			At: at, Duration: 20 * time.Millisecond, Node: n.Name, Host: "mx.example.com:25", TLS: "TLS1.3",
			Stage: "dot", Result: result, Reply: replies[state],
		}
	}
	return o
}

func (h house) settleAll(t tester, n store.Node, list []store.Leased, state mailing.DeliveryState, at time.Time) {
	t.Helper()
	ok(t, h.Settle(ctx, n, h.outcomes(n, list, state, at), at))
}

func (h house) outcomes(n store.Node, list []store.Leased, state mailing.DeliveryState, at time.Time) []store.Outcome {
	outcomes := make([]store.Outcome, len(list))
	for i, l := range list {
		outcomes[i] = h.outcome(n, l, state, at)
	}
	return outcomes
}

// handBack leases everything of a run that is due and hands it back, so that it is
// due by the clock, at once.
func (h house) handBack(t tester, n store.Node, runID int64, at time.Time) {
	t.Helper()
	outcomes := h.outcomes(n, h.leaseAll(t, n, runID, at), mailing.Waiting, at)
	for i := range outcomes {
		outcomes[i].DueAt = at
	}
	ok(t, h.Settle(ctx, n, outcomes, at))
}

// checkCounts fails unless the run's counts are those of its rows.
func checkCounts(t tester, s *store.Store, runID int64) {
	t.Helper()
	run := must(s.Run(ctx, runID))(t)
	rows := must(s.CountDeliveries(ctx, runID))(t)
	var audience int64
	for _, n := range rows {
		audience += n
	}
	counted := mailing.Counts{
		Audience: audience, Sent: rows[mailing.Sent], Failed: rows[mailing.Failed],
		Skipped: rows[mailing.Skipped], InDoubt: rows[mailing.InDoubt],
	}
	if run.Counts != counted {
		t.Fatalf("the run says %+v and its rows %+v", run.Counts, counted)
	}
	if run.State == mailing.RunCompleted && run.Counts.Waiting() != 0 {
		t.Fatalf("the run is completed with %d deliveries left: %+v", run.Counts.Waiting(), run.Counts)
	}
	if run.State == mailing.RunSending && run.Counts.Waiting() == 0 {
		t.Fatalf("the run is not completed although nothing is left: %+v", run.Counts)
	}
	if run.State == mailing.RunCancelled && run.Counts.Waiting() != must(storetest.InHand(s, runID))(t) {
		t.Fatalf("the run is cancelled and has deliveries that nobody holds: %v", rows)
	}
}

// delivery returns the delivery of a run with the id.
func (h house) delivery(t tester, runID, id int64) mailing.Delivery {
	t.Helper()
	list, _, err := h.Deliveries(ctx, store.DeliveryFilter{RunID: runID}, store.Page{Limit: 10_000})
	ok(t, err)
	for _, d := range list {
		if d.ID == id {
			return d
		}
	}
	t.Fatalf("there is no delivery %d in run %d", id, runID)
	return mailing.Delivery{}
}
