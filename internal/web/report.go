package web

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
	"vestnik/internal/web/ui"
)

func (w *Web) reportRoutes() []Route {
	return []Route{
		{Pattern: "GET /runs/{id}/causes/{cause}", Access: SignedIn, Serve: showCause},
		{Pattern: "GET /runs/{id}/recipients.csv", Access: SignedIn, Fresh: true, Serve: exportRecipients},
	}
}

// reportScript draws the chart of a report.
const reportScript = "report.js"

// reportPart is what the page of a run shows of its report.
type reportPart struct {
	Report     app.ReportView
	Neighbours app.Neighbours
	Last       map[int64]mailing.Attempt // at the deliveries that are listed
	MayExport  bool
}

// fillReport reads it. A single mail has none: its page says all.
func (r *request) fillReport(v *runPage) (err error) {
	ctx := r.in.Context()
	v.MayExport = app.MayExportRun(r.actor, v.Run)
	if v.Last, err = r.App.LastAttempts(ctx, r.actor, v.Deliveries); err != nil {
		return err
	}
	if v.Neighbours, err = r.App.Neighbours(ctx, r.actor, v.Run); err != nil || !v.hasReport() {
		return err
	}
	v.Report, err = r.App.Report(ctx, r.actor, v.Run.ID)
	return err
}

func (v runPage) hasReport() bool { return v.MailingID != 0 && v.Counts.Audience > 0 }

// isRenewed reports whether the report will be another one soon.
func (v runPage) isRenewed() bool { return v.State.Open() || v.Report.Making }

// cause is why a delivery in the list was not sent.
func (v runPage) cause(d mailing.Delivery) mailing.Cause { return app.CauseOf(d, v.Last[d.ID]) }

// funnel is what is left of the audience at each step.
func (v runPage) funnel(p ui.Page) []ui.FunnelStep {
	c := v.Counts
	tried := c.Sent + c.Failed + c.InDoubt + v.Deferred
	step := func(label string, n, of int64, note string, tone ui.Tone, state string) ui.FunnelStep {
		s := ui.FunnelStep{Label: p.T(label), Value: p.Number(n), Part: n, Whole: c.Audience, Tone: tone}
		if note != "" && of > 0 {
			s.Note = p.T(note, "share", p.Percent(n, of))
		}
		if state != "" {
			s.Path = tabPath(v.Run.ID, state)
		}
		return s
	}
	steps := []ui.FunnelStep{step("report.audience", c.Audience, 0, "", ui.Neutral, "")}
	if c.Skipped > 0 {
		skipped := step("runs.skipped", c.Skipped, c.Audience, "report.of_all", ui.Neutral, "skipped")
		skipped.Parts = v.skippedParts(p)
		steps = append(steps, skipped)
	}
	steps = append(steps, step("report.tried", tried, c.Audience, "report.of_all", ui.Busy, ""),
		step("runs.sent", c.Sent, tried, "report.of_tried", ui.Success, "sent"))
	for _, s := range []ui.FunnelStep{
		step("runs.failed", c.Failed, tried, "report.of_tried", ui.Danger, "failed"),
		step("runs.in_doubt", c.InDoubt, tried, "report.of_tried", ui.Warning, "in_doubt"),
		step("runs.deferred", v.Deferred, tried, "report.of_tried", ui.Warning, "deferred"),
	} {
		if s.Part > 0 {
			steps = append(steps, s)
		}
	}
	return steps
}

// skippedParts are the reasons for skipping, the most frequent first.
func (v runPage) skippedParts(p ui.Page) (parts []ui.FunnelStep) {
	for reason, n := range v.Report.Skipped {
		parts = append(parts, ui.FunnelStep{Label: p.T("clients.reason." + string(reason)), Value: p.Number(n), Part: n})
	}
	slices.SortFunc(parts, func(a, b ui.FunnelStep) int {
		if a.Part != b.Part {
			return int(b.Part - a.Part)
		}
		return strings.Compare(a.Label, b.Label)
	})
	return parts
}

// timeChart is how many were sent and failed over time.
func (v runPage) timeChart(p ui.Page) ui.TimeChart {
	c := ui.TimeChart{
		Title: p.T("report.time_title", "slot", p.Duration(v.Report.Slot)), Table: p.T("report.time_table"),
		When: p.T("report.time_from"), Good: p.T("runs.sent"), Bad: p.T("runs.failed"),
	}
	days := len(v.Report.Points) > 0 && v.Report.Points[len(v.Report.Points)-1].At.Sub(v.Report.Points[0].At) >= 20*time.Hour
	for _, point := range v.Report.Points {
		c.Points = append(c.Points, ui.TimePoint{When: slotWords(p, point.At, v.Report.Slot, days), Good: point.Sent, Bad: point.Failed})
	}
	return c
}

// slotWords is when a slot begins, as exactly as it has to be.
func slotWords(p ui.Page, at time.Time, slot time.Duration, days bool) string {
	switch {
	case slot >= 24*time.Hour:
		return p.Date(at)
	case days:
		return p.ShortDateTime(at)
	case slot < time.Minute:
		return fmt.Sprintf("%s:%02d", p.Clock(at), at.Second()) // no zone of today parts a minute
	}
	return p.Clock(at)
}

// providerName is what people call a provider, or the domain.
func providerName(p ui.Page, name string) string {
	if p.Has("provider." + name) {
		return p.T("provider." + name)
	}
	return name
}

// providers are the lines of the table, with the rest as the last.
func (v runPage) providers(p ui.Page) []app.ReportProvider {
	list := slices.Clone(v.Report.Providers)
	for i := range list {
		list[i].Name = providerName(p, list[i].Name)
	}
	if v.Report.RestOf > 0 {
		rest := v.Report.Rest
		rest.Name = p.N("report.rest", v.Report.RestOf)
		list = append(list, rest)
	}
	return list
}

// averageWords is a quotient with one digit behind the point.
func averageWords(p ui.Page, sum, of int64) string {
	if of == 0 {
		return "–"
	}
	tenths := (sum*10 + of/2) / of
	return p.T("report.average", "whole", p.Number(tenths/10), "tenths", tenths%10)
}

// causeCounts says how many a cause is about.
func causeCounts(p ui.Page, c app.ReportCause) string {
	var words []string
	for _, count := range []struct {
		key string
		n   int64
	}{
		{"report.cause_failed", c.Failed},
		{"report.cause_in_doubt", c.InDoubt},
		{"report.cause_waiting", c.Waiting},
		{"report.cause_put_off", c.PutOff},
	} {
		if count.n > 0 {
			words = append(words, p.N(count.key, count.n))
		}
	}
	return strings.Join(words, " · ")
}

func causePath(runID int64, cause mailing.Cause) string {
	return runPath(runID, "/causes/"+string(cause))
}

// trend are the bars of the mailing's runs up to this one, the oldest first.
func (v runPage) trend() (bars []ui.TrendBar) {
	for _, run := range slices.Backward(v.Neighbours.Latest) {
		bars = append(bars, ui.TrendBar{Whole: run.Counts.Audience, Part: run.Counts.Sent, Current: run.ID == v.Run.ID})
	}
	return bars
}

// csv is the address of the listed recipients as a file.
func (v runPage) csv() string {
	path := runPath(v.Run.ID, "/recipients.csv")
	if state := v.List.Query.Get("state"); state != "" {
		path += "?" + query("state", state)
	}
	return path
}

// slowWords says why a run is not over yet, and what is in the way.
func slowWords(p ui.Page, s app.Slowness) string {
	if s.Kind == app.SlowDeferred {
		return p.N("slow.deferred", s.Count)
	}
	if s.Kind == app.SlowPerSecond {
		return p.N("slow.per_second", s.Limit)
	}
	if s.Name == "" {
		if key := "slow.unnamed." + s.Kind; p.Has(key) {
			return p.T(key)
		}
	}
	return p.T("slow."+s.Kind, "name", s.Name)
}

// causeView is the page of one cause of a run.
type causeView struct {
	run        app.RunView
	cause      mailing.Cause
	recipients []app.Recipient
	more       string // address of those behind; empty: there are none
}

// causePerPage is how many recipients a page lists; chosen.
const causePerPage = 50

func showCause(r *request) error {
	id, err := r.id("id")
	if err != nil {
		return err
	}
	cause, known := mailing.ParseCause(r.in.PathValue("cause"))
	if !known {
		return mailing.Fault(mailing.NotFound, "not_found")
	}
	v := causeView{cause: cause}
	if v.run, err = r.App.Run(r.in.Context(), r.actor, id); err != nil {
		return err
	}
	from := app.RecipientMark{After: r.number("after")}
	from.State, _ = mailing.ParseDeliveryState(r.field("state"))
	list, next, more, err := r.App.RecipientsOf(r.in.Context(), r.actor, id, cause, from, causePerPage)
	if err != nil {
		return err
	}
	v.recipients = list
	if more {
		v.more = causePath(id, cause) + "?" + query("state", next.State.String()) + "&" + query("after", strconv.FormatInt(next.After, 10))
	}
	return r.render(http.StatusOK, causePage(r.page(r.T("cause."+string(cause)+".title")), v))
}

func exportRecipients(r *request) error {
	id, err := r.id("id")
	if err != nil {
		return err
	}
	zone := r.zone()
	out := &attachment{r: r, name: "recipients.csv"}
	err = r.App.ExportRecipients(r.in.Context(), r.actor, id, shownStates(r.field("state")), out, app.RecipientWords{
		Columns: []string{
			r.T("logs.recipient"), r.T("field.status"), r.T("causes.why"), r.T("runs.tries"), r.T("logs.code"), r.T("logs.enhanced"),
			r.T("logs.answer"), r.T("report.meaning"), r.T("logs.host"), r.T("logs.time") + " (" + r.Zone(zone.String()) + ")",
		},
		Time: func(t time.Time) string {
			if t.IsZero() {
				return ""
			}
			return t.In(zone).Format(time.DateTime)
		},
		State:  func(s mailing.DeliveryState) string { return r.T("delivery." + s.String()) },
		Reason: func(reason mailing.Reason) string { return wordsOf(r, "clients.reason.", string(reason)) },
		Cause: func(cause mailing.Cause) string {
			if cause == mailing.CauseNone {
				return ""
			}
			return r.T("cause." + string(cause) + ".title")
		},
	})
	if err != nil && out.begun {
		r.breakOff(out.name, err)
	}
	return err
}

// wordsOf is the text of a word of ours; of none it is nothing.
func wordsOf(r *request, section, word string) string {
	if word == "" {
		return ""
	}
	return r.T(section + word)
}
