package web

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
	"vestnik/internal/web/ui"
)

// undoRoutes take back what was done, or do it once more.
func (w *Web) undoRoutes() []Route {
	return []Route{
		{Pattern: "GET " + trashPath, Access: SignedIn, Serve: listTrash},
		{Pattern: "POST /undo/{id}", Access: SignedIn, Serve: w.undoDeletion},
		{Pattern: "POST /runs/{id}/undo", Access: SignedIn, Serve: w.undoSend},
		{Pattern: "GET /runs/{id}/again", Access: SignedIn, Serve: w.askToSendAgain},
		{Pattern: "POST /runs/{id}/again", Access: SignedIn, Serve: w.sendAgain},
		{Pattern: "POST /runs/{id}/doubt", Access: SignedIn, Serve: w.resolveDoubts},
	}
}

// undoably does one thing that UndoDeletion takes back and returns where that is done.
func (r *request) undoably(do func(ctx context.Context) error) (undo string, err error) {
	ctx, id := r.App.Undoably(r.in.Context())
	return "/undo/" + strconv.FormatInt(id, 10), do(ctx)
}

// doneUndoably is done with a button that takes it back by the form that undo names.
func (r *request) doneUndoably(path, sentence, undo string) error {
	r.flashUndo(sentence, undo, path)
	r.redirect(path)
	return nil
}

// deletedUndoably goes back to the list from which something was deleted, or from its own
// page, which is gone, to the list of its kind. Who takes it back is where they were before.
func (r *request) deletedUndoably(list, own, sentence, undo string) error {
	if back := r.back(list); r.field("back") != "" && !strings.HasPrefix(back, own) {
		return r.doneUndoably(back, sentence, undo)
	}
	r.flashUndo(sentence, undo, own)
	r.redirect(list)
	return nil
}

func (w *Web) undoDeletion(r *request) error {
	id, err := r.id("id")
	if err != nil {
		return err
	}
	undone, err := w.App.UndoDeletion(r.in.Context(), r.actor, id)
	if err != nil {
		return r.undoFailed(err, trashPath) // where it stands what can still be brought back
	}
	switch {
	case undone.Kind == mailing.ThingContact && undone.ThingID == 0:
		return r.done(r.back("/clients"), r.N("undo.clients_back", undone.Back, "all", r.Number(undone.Count)))
	case undone.Kind == mailing.ThingContact:
		return r.done(r.back(contactPath(undone.ThingID)), r.T("undo.client_back"))
	case undone.Kind == mailing.ThingMessage:
		return r.done(r.back(messagePath(undone.ThingID)), r.T("undo.message_back"))
	}
	sentence := r.T("undo.mailing_back")
	if !undone.Skipped.IsZero() {
		sentence += " " + r.T("undo.mailing_skipped", "at", r.DateTimeZone(undone.Skipped))
	}
	return r.done(r.back(mailingPath(undone.ThingID, "")), sentence)
}

// undoFailed says on the page from which somebody wanted to take something back that it is
// too late for that.
func (r *request) undoFailed(err error, path string) error {
	if !strings.HasPrefix(mailing.CodeOf(err), "undo_") {
		return err
	}
	r.flash(ui.Warning, r.Error(err))
	r.redirect(path)
	return nil
}

// undoSend comes back to the mailing, where everything is as it was.
func (w *Web) undoSend(r *request) error {
	id, err := r.id("id")
	if err != nil {
		return err
	}
	if err := w.App.UndoSend(r.in.Context(), r.actor, id); err != nil {
		return r.undoFailed(err, runPath(id, ""))
	}
	run, err := w.App.Run(r.in.Context(), r.actor, id)
	if err != nil {
		return err
	}
	if run.AgainOf != 0 {
		return r.done(runPath(run.AgainOf, ""), r.T("undo.send_undone"))
	}
	return r.done(mailingPath(run.Mailing.ID, ""), r.T("undo.send_undone"))
}

// againPage asks whether a run is to be sent again to those who failed.
type againPage struct {
	app.RunView
	Reach app.AgainReach
}

func (w *Web) askToSendAgain(r *request) error {
	id, err := r.id("id")
	if err != nil {
		return err
	}
	page := againPage{}
	if page.RunView, page.Reach, err = w.App.AgainReach(r.in.Context(), r.actor, id); err != nil {
		return err
	}
	if !page.May.Again {
		r.redirect(runPath(id, "")) // where it stands why
		return nil
	}
	return r.render(http.StatusOK, sendAgainPage(r.page(r.T("again.title")), page))
}

func (w *Web) sendAgain(r *request) error {
	id, err := r.id("id")
	if err != nil {
		return err
	}
	run, err := w.App.SendAgain(r.in.Context(), r.actor, id, r.field("dead") != "")
	if code := mailing.CodeOf(err); strings.HasPrefix(code, "again_") { // a second click: the page says what the first has done
		r.flash(ui.Warning, r.Error(err))
		r.redirect(runPath(id, ""))
		return nil
	}
	if err != nil {
		return err
	}
	return r.sent(run)
}

// sent leads to the page of a run that was opened by hand, which says itself when it goes out.
func (r *request) sent(run int64) error {
	if r.App.Settings().UndoSeconds == 0 {
		return r.done(runPath(run, ""), r.T("mailings.was_sent"))
	}
	r.redirect(runPath(run, ""))
	return nil
}

func (w *Web) resolveDoubts(r *request) error {
	id, err := r.id("id")
	if err != nil {
		return err
	}
	ids := r.ids("id")
	if r.field("all") != "" {
		ids = nil
	}
	word := r.field("word")
	run, err := w.App.Run(r.in.Context(), r.actor, id)
	if err != nil {
		return err
	}
	resolved, err := w.App.ResolveDoubts(r.in.Context(), r.actor, id, ids, word)
	if err != nil {
		return err
	}
	path := r.back(runPath(id, ""))
	switch {
	case resolved == 0:
		r.flash(ui.Warning, r.T("again.none_resolved"))
		r.redirect(path)
		return nil
	case word == "again":
		return r.done(path, r.N(doubtKey(run, "again.resolved_again", "again.resolved_again_cancelled"), resolved))
	}
	return r.done(path, r.N("again.resolved_sent", resolved))
}

// doubtKey is the key of words about what did not arrive: a run that was cancelled sends
// nothing again.
func doubtKey(run app.RunView, key, cancelled string) string {
	if run.State == mailing.RunCancelled {
		return cancelled
	}
	return key
}

// chosenDoubts is the form of the deliveries that are chosen to be decided.
const chosenDoubts = "doubts"

// choosesDoubts reports whether the list is of what is in doubt, and the visitor may decide.
func (v runPage) choosesDoubts() bool {
	return v.May.Resolve && v.List.Query.Get("state") == mailing.InDoubt.String()
}

func (v runPage) table(p ui.Page) ui.Table {
	t := ui.Table{Caption: p.T("runs.deliveries"), List: v.List, Columns: deliveryColumns(p)}
	if v.choosesDoubts() {
		t.Bulk = chosenDoubts
	}
	return t
}

func runProgressOf(v app.RunView) runProgress { return runProgress{Progress: app.Progress{RunView: v}} }

// reasons are why some of those who failed are not mailed again, with how many.
func (v againPage) reasons(p ui.Page) []string {
	var all []string
	for _, why := range []struct {
		key   string
		count int64
	}{
		{"again.why_unsubscribed", v.Reach.Unsubscribed}, {"again.why_gone", v.Reach.Gone}, {"again.why_got", v.Reach.Got},
	} {
		if why.count > 0 {
			all = append(all, p.N(why.key, why.count))
		}
	}
	return all
}

// awaits reports whether nothing has gone out of the run because it may still be taken back.
func (v runProgress) awaits(now time.Time) bool { return v.State.Open() && now.Before(v.GoesAt) }

// acts tells apart what the visitor is offered to do with a run, so that an open page notices
// when that changes.
func (v runProgress) acts(now time.Time) string {
	var acts strings.Builder
	m := v.offered(now)
	for _, may := range []bool{m.Undo, m.Cancel, m.Continue, m.Resolve, m.Again, m.Pause, m.Resume, m.Disable, m.Enable} {
		acts.WriteString(strconv.Itoa(map[bool]int{true: 1}[may]))
	}
	return acts.String()
}

// eventsPath is where the run's progress comes from for a page with these buttons.
func (v runProgress) eventsPath(now time.Time) string {
	return runPath(v.Run.ID, "/events?"+query("acts", v.acts(now)))
}
