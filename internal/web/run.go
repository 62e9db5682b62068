package web

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
	"vestnik/internal/web/ui"
)

func (w *Web) runRoutes() []Route {
	return []Route{
		{Pattern: "GET /runs/{id}", Access: SignedIn, Serve: w.showRun},
		{Pattern: "GET /runs/{id}/events", Access: SignedIn, Serve: w.runEvents},
		{Pattern: "POST /runs/{id}/cancel", Access: SignedIn, Serve: w.cancelRun},
		{Pattern: "POST /runs/{id}/continue", Access: SignedIn, Serve: w.continueRun},
		{Pattern: "GET /runs/{id}/deliveries/{delivery}", Access: SignedIn, Serve: w.showDelivery},
		{Pattern: "POST /runs/{id}/deliveries/{delivery}", Access: SignedIn, Serve: w.resolveDoubt},
	}
}

const deliveriesPerPage = 50

// runPage is all that the page of a run shows.
type runPage struct {
	runProgress
	reportPart
	List       ui.List
	Deliveries []mailing.Delivery
}

func runPath(id int64, more string) string { return fmt.Sprintf("/runs/%d%s", id, more) }

func deliveryPath(d mailing.Delivery) string {
	return runPath(d.RunID, fmt.Sprintf("/deliveries/%d", d.ID))
}

func (w *Web) showRun(r *request) error {
	id, err := r.id("id")
	if err != nil {
		return err
	}
	page := runPage{}
	if page.Progress, err = w.App.Progress(app.WithFresh(r.in.Context()), r.actor, id); err != nil {
		return err
	}
	page.Pace = paceOf(page.RunView, r.now)
	var part app.Page
	page.List, part = r.list(runPath(id, ""), deliveriesPerPage)
	var total int64
	states := shownStates(page.List.Query.Get("state"))
	if page.Deliveries, total, err = w.App.Deliveries(r.in.Context(), r.actor, id, states, part); err != nil {
		return err
	}
	page.List.Total = int(total)
	if err := r.fillReport(&page); err != nil {
		return err
	}
	frame := r.page(r.SubjectName(page.Subject))
	frame.Scripts, frame.Head = []string{reportScript}, reportHead()
	return r.render(http.StatusOK, runShowPage(frame, page))
}

// shownStates are the states of the deliveries on a tab; nil: all.
func shownStates(tab string) []mailing.DeliveryState {
	if tab == mailing.Waiting.String() {
		return []mailing.DeliveryState{mailing.Waiting, mailing.Deferred, mailing.Sending}
	}
	if state, ok := mailing.ParseDeliveryState(tab); ok {
		return []mailing.DeliveryState{state}
	}
	return nil
}

// tabs are the views of the run's deliveries, with how many there are.
func (v runPage) tabs(p ui.Page) []ui.Tab {
	shown := v.List.Query.Get("state")
	tab := func(state, label string, count int64) ui.Tab {
		return ui.Tab{Label: label, Path: tabPath(v.Run.ID, state), Count: p.Number(count), Current: shown == state}
	}
	return []ui.Tab{
		tab("", p.T("runs.all"), v.Counts.Audience),
		tab(mailing.Waiting.String(), p.T("runs.waiting"), v.Counts.Waiting()),
		tab(mailing.Sent.String(), p.T("runs.sent"), v.Counts.Sent),
		tab(mailing.Failed.String(), p.T("runs.failed"), v.Counts.Failed),
		tab(mailing.Skipped.String(), p.T("runs.skipped"), v.Counts.Skipped),
		tab(mailing.InDoubt.String(), p.T("runs.in_doubt"), v.Counts.InDoubt),
	}
}

func tabPath(runID int64, state string) string {
	if state == "" {
		return runPath(runID, "")
	}
	return runPath(runID, "?"+query("state", state))
}

func deliveryColumns(p ui.Page) []ui.Column {
	return []ui.Column{
		{Title: p.T("field.email"), Key: "email"},
		{Title: p.T("field.status"), Key: "state"},
		{Title: p.T("runs.tries"), Numeric: true},
		{Title: p.T("runs.when"), Key: "settled"},
		{Title: p.T("mailings.actions"), Unseen: true},
	}
}

func runTone(s mailing.RunState) ui.Tone {
	switch s {
	case mailing.RunOpening, mailing.RunSending:
		return ui.Busy
	case mailing.RunCompleted:
		return ui.Success
	case mailing.RunMissed:
		return ui.Warning
	}
	return ui.Neutral
}

func deliveryTone(s mailing.DeliveryState) ui.Tone {
	switch s {
	case mailing.Sent:
		return ui.Success
	case mailing.Failed:
		return ui.Danger
	case mailing.Deferred, mailing.InDoubt:
		return ui.Warning
	case mailing.Sending:
		return ui.Busy
	}
	return ui.Neutral
}

func attemptTone(result mailing.AttemptResult) ui.Tone {
	switch result {
	case mailing.AttemptAccepted:
		return ui.Success
	case mailing.AttemptFailed:
		return ui.Danger
	}
	return ui.Warning
}

func (w *Web) cancelRun(r *request) error {
	return r.runAction(func(id int64) error {
		return w.App.CancelRun(r.in.Context(), r.actor, id)
	}, r.T("runs.was_cancelled"))
}

func (w *Web) continueRun(r *request) error {
	return r.runAction(func(id int64) error {
		return w.App.ContinueRun(r.in.Context(), r.actor, id)
	}, r.T("runs.was_continued"))
}

func (r *request) runAction(do func(id int64) error, sentence string) error {
	id, err := r.id("id")
	if err != nil {
		return err
	}
	if err := do(id); err != nil {
		return err
	}
	return r.done(r.back(runPath(id, "")), sentence)
}

// attemptsShown is more tries than a delivery can have in its Lifetime.
const attemptsShown = 200

// deliveryPage is one delivery with all that was tried.
type deliveryPage struct {
	mailing.Delivery
	Run      app.RunView
	Attempts []mailing.Attempt // newest first
}

func (w *Web) showDelivery(r *request) error {
	runID, err := r.id("id")
	if err != nil {
		return err
	}
	id, err := r.id("delivery")
	if err != nil {
		return err
	}
	page := deliveryPage{}
	if page.Run, err = w.App.Run(r.in.Context(), r.actor, runID); err != nil {
		return err
	}
	if page.Delivery, err = w.App.Delivery(r.in.Context(), r.actor, runID, id); err != nil {
		return err
	}
	page.Attempts, err = w.App.Log(r.in.Context(), r.actor, app.LogFilter{
		Everyone:      page.Run.OwnerID != r.actor.ID,
		AttemptFilter: app.AttemptFilter{RunID: runID, DeliveryID: id, Limit: attemptsShown},
	})
	if err != nil {
		return err
	}
	return r.render(http.StatusOK, deliveryShowPage(r.page(page.Email), page))
}

func (w *Web) resolveDoubt(r *request) error {
	runID, err := r.id("id")
	if err != nil {
		return err
	}
	id, err := r.id("delivery")
	if err != nil {
		return err
	}
	word := r.field("word")
	run, err := w.App.Run(r.in.Context(), r.actor, runID)
	if err != nil {
		return err
	}
	if err := w.App.ResolveDoubt(r.in.Context(), r.actor, runID, id, word); err != nil {
		return err
	}
	sentence := r.T("runs.was_resolved_sent")
	if word == "again" {
		sentence = r.T(doubtKey(run, "runs.was_resolved_again", "runs.was_resolved_again_cancelled"))
	}
	return r.done(r.back(runPath(runID, "")), sentence)
}

// here is the address of the page as it is, to come back to.
func (v runPage) here() string { return v.List.PageURL(v.List.Page()) }

// lead says what kind of run it is and when it was due.
func (v runPage) lead(p ui.Page) string {
	return p.T("run_kind."+string(v.Kind)) + ", " + p.DateTimeZone(v.ScheduledFor)
}

// withLast makes the last crumb a link to the run when one more follows.
func withLast(last string, runID int64, crumbs ...ui.Crumb) []ui.Crumb {
	if last == "" {
		return crumbs
	}
	crumbs[len(crumbs)-1].Path = runPath(runID, "")
	return append(crumbs, ui.Crumb{Label: last})
}

// tallies are the run's numbers, each leading to those it counts.
func (v runProgress) tallies(p ui.Page) []ui.Stat {
	stat := func(state, label string, count int64) ui.Stat {
		return ui.Stat{Label: label, Value: p.Number(count), Path: tabPath(v.Run.ID, state)}
	}
	stats := []ui.Stat{
		stat("sent", p.T("runs.sent"), v.Counts.Sent),
		stat("failed", p.T("runs.failed"), v.Counts.Failed),
		stat("skipped", p.T("runs.skipped"), v.Counts.Skipped),
		stat("in_doubt", p.T("runs.in_doubt"), v.Counts.InDoubt),
	}
	if v.State.Open() {
		stats = append(stats, stat("waiting", p.T("runs.waiting"), v.Waiting), stat("deferred", p.T("runs.deferred"), v.Deferred))
	}
	return stats
}

// speedWords says how fast it goes and how long it takes.
func (v runProgress) speedWords(p ui.Page) string {
	if v.State == mailing.RunMissed {
		return p.T("runs.missed_hint")
	}
	if !v.State.Open() && v.FinishedAt.IsZero() {
		return ""
	}
	if !v.State.Open() {
		took := max(v.FinishedAt.Sub(v.Run.Began()), 0)
		if took > time.Second {
			took = took.Truncate(time.Second)
		}
		return p.T("runs.took", "duration", p.Duration(took))
	}
	if v.stands() {
		return ""
	}
	words := v.paceWords(p)
	if left, ok := v.left(); ok && left >= time.Second {
		words += " · " + p.T("runs.left", "duration", p.Duration(left.Round(time.Second)))
	}
	return words
}

// answerWords is what the server said, or that it said nothing.
func answerWords(p ui.Page, a mailing.Attempt) string {
	if text := a.Reply.String(); text != "" {
		return text
	}
	return p.T("runs.no_answer")
}

// attemptFacts says how and where an attempt was made.
func attemptFacts(p ui.Page, a mailing.Attempt) string {
	protection := a.TLS
	if protection == "" {
		protection = p.T("runs.in_clear")
	}
	facts := []string{a.Host, protection, p.T("runs.stage", "stage", a.Stage), p.Duration(a.Duration), a.Node}
	return strings.Join(slices.DeleteFunc(facts, func(fact string) bool { return fact == "" }), " · ")
}
