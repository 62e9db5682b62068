package web

import (
	"net/http"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
	"vestnik/internal/web/ui"
)

func (w *Web) holdRoutes() []Route {
	return []Route{
		{Pattern: "GET /hold", Access: SignedIn, Serve: showHold},
		{Pattern: "POST /hold", Access: SignedIn, Serve: endHold},
	}
}

func showHold(r *request) error {
	view, err := r.App.HoldView(r.in.Context(), r.actor)
	if err != nil {
		return err
	}
	return r.render(http.StatusOK, holdPage(r.page(r.T("hold.title")), view))
}

func endHold(r *request) error {
	end := mailing.HoldEnd(r.field("end"))
	done, err := r.App.EndHold(r.in.Context(), r.actor, end)
	if err != nil {
		return err
	}
	r.hold = mailing.Hold{}
	r.Log.Warn("a person has decided about the restored database", "account", r.actor.ID, "email", r.actor.Email,
		"end", end, "runs_cancelled", done.Cancelled, "mailings_paused", done.Paused)
	if end == mailing.HoldCopy {
		return r.done("/", r.T("hold.copied", "runs", r.Number(done.Cancelled), "mailings", r.Number(done.Paused)))
	}
	return r.done("/", r.T("hold.went_on"))
}

func heldRunsTable(p ui.Page) ui.Table {
	return ui.Table{Caption: p.T("hold.runs"), Columns: []ui.Column{
		{Title: p.T("field.subject")},
		{Title: p.T("hold.owner")},
		{Title: p.T("hold.began")},
		{Title: p.T("hold.sent"), Numeric: true},
		{Title: p.T("hold.left"), Numeric: true},
	}}
}

func heldMailingsTable(p ui.Page) ui.Table {
	return ui.Table{Caption: p.T("hold.mailings"), Columns: []ui.Column{
		{Title: p.T("field.subject")}, {Title: p.T("hold.owner")}, {Title: p.T("hold.due")},
	}}
}

// othersHeld is how many are in no list, since they are too many.
func othersHeld[T any](listed []T, all int64) int64 { return all - int64(len(listed)) }

// isOfMailing reports whether the run has a page of a mailing's; single mails
// belong to nobody's list.
func isOfMailing(run app.HeldRun) bool { return run.MailingID != 0 }
