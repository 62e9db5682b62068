package app

import (
	"context"
	"encoding/json"
	"time"

	"vestnik/internal/mailing"
)

// Report is what became of a run, in numbers. It is stored as JSON.
type Report struct {
	Counts    mailing.Counts // of the run when the report was made
	Over      bool           // the run was over then
	Partly    bool           // who was sent what is not kept any more, so that only Counts are known
	Skipped   map[mailing.Reason]int64
	Tried     int64 // deliveries
	Tries     int64
	Slot      time.Duration // of Points
	Points    []ReportPoint // in order and without gaps, from the first that was sent or failed
	Providers []ReportProvider
	Rest      ReportProvider // all other providers together
	RestOf    int64          // how many those are
	Causes    []ReportCause  // the weightiest first
	MadeAt    time.Time
	Took      time.Duration // to make it, without rests
}

// ReportPoint is what a slot of time has brought.
type ReportPoint struct {
	At           time.Time // when it begins
	Sent, Failed int64
}

// ReportProvider is what became of the mails to the mailboxes of one provider.
type ReportProvider struct {
	Name         string // as of mailing.ProviderOf
	Sent, Failed int64
	All          int64 // deliveries, skipped ones too
	Tried, Tries int64
}

// ReportCause is why mails were not taken, or not at once.
type ReportCause struct {
	Cause   mailing.Cause
	Failed  int64 // deliveries that failed
	InDoubt int64
	Waiting int64  // deliveries that are tried again
	PutOff  int64  // attempts that were put off, whatever came of it later
	Example string // an answer, with its addresses masked
}

// Deliveries are those that the cause keeps from being sent.
func (c ReportCause) Deliveries() int64 { return c.Failed + c.InDoubt + c.Waiting }

// ReportView is a report as a page shows it.
type ReportView struct {
	Report
	Making bool // a newer one is being made in the background; there may be none yet
}

const (
	// reportAtOnce is up to how many deliveries of a run are counted while somebody waits.
	// Chosen: some hundredths of a second.
	reportAtOnce = 2_000
	// reportLives is how old the report of an open run may get, at least; reportRest is how
	// many times as long as it took to make it. Chosen: it costs a twentieth of a core, however
	// large the run is and however many look.
	reportLives = 10 * time.Second
	reportRest  = 20
)

// Report returns the report of a run that the actor may see. It is made once when the run
// is over, in the background; that of an open run, or of one that has changed since, is
// made anew when somebody looks.
func (a *App) Report(ctx context.Context, actor mailing.Account, runID int64) (v ReportView, err error) {
	run, err := a.visibleRun(ctx, actor, runID)
	if err != nil {
		return v, err
	}
	if a.masks(actor, run.OwnerID) {
		defer func() { v.Report = v.foldDomains() }()
	}
	if v.Report, err = a.keptReport(ctx, runID); err != nil || v.holds(run, a.Now()) {
		return v, err
	}
	if run.Counts.Audience > reportAtOnce && a.ReportSoon != nil {
		v.Making = true
		return v, a.ReportSoon(ctx, runID)
	}
	v.Report, err = a.makeReport(ctx, run, 0)
	if err == nil && v.Over {
		err = a.keepReport(ctx, runID, v.Report)
	}
	return v, err
}

// foldDomains has all that only few share among the rest: a domain can be a person's name.
func (r Report) foldDomains() Report {
	var known []ReportProvider
	for _, p := range r.Providers {
		if mailing.IsKnownProvider(p.Name) {
			known = append(known, p)
			continue
		}
		r.RestOf++
		r.Rest.add(p)
	}
	r.Providers = known
	return r
}

// holds reports whether a report still says what is true.
func (r Report) holds(run mailing.Run, now time.Time) bool {
	switch {
	case r.MadeAt.IsZero():
		return false
	case !run.State.Open():
		return r.Over && r.Counts == run.Counts
	}
	return !r.Over && now.Sub(r.MadeAt) < max(reportLives, reportRest*r.Took)
}

// MakeReport makes the report of a run and keeps it. It is for the background: it rests
// between its steps, so that sending does not wait for it. One that is there and holds
// stays.
func (a *App) MakeReport(ctx context.Context, runID int64) error {
	run, err := a.store.Run(ctx, runID)
	if mailing.KindOf(err) == mailing.NotFound {
		return nil // deleted meanwhile
	}
	if err != nil {
		return err
	}
	kept, err := a.keptReport(ctx, runID)
	if err != nil || kept.holds(run, a.Now()) {
		return err
	}
	report, err := a.makeReport(ctx, run, reportStepRest)
	if err != nil {
		return err
	}
	return a.keepReport(ctx, runID, report)
}

func (a *App) keptReport(ctx context.Context, runID int64) (r Report, err error) {
	body, err := a.store.Report(ctx, runID)
	if err != nil || body == "" {
		return r, err
	}
	return r, wrap(json.Unmarshal([]byte(body), &r), "read report")
}

// withoutDetails is what stays of a kept report when nobody may be found in it any more.
func withoutDetails(kept string) (string, error) {
	var r Report
	if err := json.Unmarshal([]byte(kept), &r); err != nil {
		return "", wrap(err, "read report")
	}
	r = r.foldDomains()
	for i := range r.Causes {
		r.Causes[i].Example = ""
	}
	body, err := json.Marshal(r)
	return string(body), wrap(err, "write report")
}

func (a *App) keepReport(ctx context.Context, runID int64, r Report) error {
	body, err := json.Marshal(r)
	if err != nil {
		return wrap(err, "write report")
	}
	return a.store.PutReport(ctx, runID, string(body), a.Now())
}

// reportsDue has the reports of runs that have ended made. What goes wrong here is made
// up for when somebody asks for the report.
func (a *App) reportsDue(ctx context.Context, ended []mailing.Run) {
	for _, run := range ended {
		if run.MailingID != 0 && a.ReportSoon != nil {
			_ = a.ReportSoon(ctx, run.ID)
		}
	}
}

// Neighbours are the runs of a mailing around one of them.
type Neighbours struct {
	Latest []mailing.Run // up to the one, and with it, the latest first
	Next   mailing.Run   // zero: it is the last
}

// Previous is the run before; zero: it is the first.
func (n Neighbours) Previous() mailing.Run {
	if len(n.Latest) < 2 {
		return mailing.Run{}
	}
	return n.Latest[1]
}

// trendRuns is over how many runs a trend is told. Chosen: a year by the month.
const trendRuns = 12

// Neighbours returns the runs of a run's mailing around it; a single mail has none.
func (a *App) Neighbours(ctx context.Context, actor mailing.Account, run mailing.Run) (n Neighbours, err error) {
	if err := mayView(actor, run.OwnerID, mailing.ViewAnyMailing); err != nil || run.MailingID == 0 {
		return n, err
	}
	n.Latest, n.Next, err = a.store.RunsAround(ctx, run.MailingID, run.ScheduledFor, trendRuns)
	return n, err
}
