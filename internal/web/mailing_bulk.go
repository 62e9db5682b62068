package web

import (
	"strings"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
	"vestnik/internal/web/ui"
)

func (w *Web) mailingBulkRoutes() []Route {
	return []Route{
		{Pattern: "POST /mailings/bulk", Access: SignedIn, Serve: changeMailings},
		{Pattern: "POST " + adminMailingsPath + "/bulk", Access: SignedIn, Serve: changeAnyMailings},
	}
}

// statusActive is the filter for what the home page counts as active: several statuses.
const statusActive = "active"

// mailingFilter reads the filters of the list from the address; one that it does not know
// is taken out of it.
func mailingFilter(list ui.List) app.MailingFilter {
	f := app.MailingFilter{Everyone: list.Query.Get(scopeParam) == scopeAll}
	if list.Query.Get("status") == statusActive {
		f.Active = true
		return f
	}
	f.Status = oneOf(list.Query, "status", mailing.Statuses()...)
	return f
}

func changeMailings(r *request) error {
	list, _ := r.list("/mailings", mailingsPerPage)
	return r.changeMailings(list, mailingFilter(list))
}

func changeAnyMailings(r *request) error {
	list, _ := r.list(adminMailingsPath, mailingsPerPage)
	f := mailingFilter(list)
	f.Everyone, f.Owner = true, r.number(ownerParam)
	if !r.actor.Role.May(mailing.ViewAnyMailing) { // for them there is no such page
		return mailing.Fault(mailing.NotFound, "not_found")
	}
	return r.changeMailings(list, f)
}

func (r *request) changeMailings(list ui.List, f app.MailingFilter) error {
	do := r.in.PostFormValue("do")
	report, err := r.App.ChangeMailings(r.in.Context(), r.actor, f, r.chosen(), do, r.in.PostFormValue("why"))
	if mailing.CodeOf(err) == "bulk_why" {
		r.flash(ui.Danger, r.Error(err))
		r.redirect(r.bulkBack(list.Path))
		return nil
	}
	if err != nil {
		return err
	}
	return r.bulkDone(r.bulkBack(list.Path), "mailings.many."+do, report)
}

// table is the table of mailings, with the columns that the visitor has picked.
func (l mailingList) table(p ui.Page) ui.Table {
	return ui.Table{Caption: p.T("nav.mailings"), List: l.List, Columns: l.columns(p), Bulk: "chosen"}
}

// mayChange reports whether the visitor may do more to the mailings of the list than to
// disable them.
func (l mailingList) mayChange() bool {
	return !l.Everyone || l.Actor.Role.May(mailing.ChangeAnything)
}

// bulkPath is where what is to be done to the chosen is posted to.
func (l mailingList) bulkPath() string { return strings.TrimSuffix(l.List.Path, "/") + "/bulk" }
