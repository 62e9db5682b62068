package web

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"time"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
	"vestnik/internal/web/ui"
)

func (w *Web) mailingRoutes() []Route {
	return []Route{
		{Pattern: "GET /mailings", Access: SignedIn, Serve: w.listMailings},
		{Pattern: "GET /mailings/new", Access: SignedIn, Serve: w.newMailing},
		{Pattern: "POST /mailings/new", Access: SignedIn, Serve: w.saveNewMailing, Limit: textLimit},
		{Pattern: "POST /mailings/preview", Access: SignedIn, Serve: w.previewMailing, Limit: textLimit},
		{Pattern: "GET /mailings/{id}", Access: SignedIn, Serve: w.showMailing},
		{Pattern: "GET /mailings/{id}/edit", Access: SignedIn, Serve: w.editMailing},
		{Pattern: "POST /mailings/{id}/edit", Access: SignedIn, Serve: w.saveMailing, Limit: textLimit},
		{Pattern: "POST /mailings/{id}/discard", Access: SignedIn, Serve: w.discardMailing, Limit: textLimit},
		{Pattern: "GET /mailings/{id}/send", Access: SignedIn, Serve: w.askToSend},
		{Pattern: "POST /mailings/{id}/send", Access: SignedIn, Serve: w.sendMailing},
		{Pattern: "GET /mailings/{id}/disable", Access: SignedIn, Serve: w.askWhyDisable},
		{Pattern: "POST /mailings/{id}/disable", Access: SignedIn, Serve: w.disableMailing},
		{Pattern: "POST /mailings/{id}/enable", Access: SignedIn, Serve: w.enableMailing},
		{Pattern: "POST /mailings/{id}/pause", Access: SignedIn, Serve: w.pauseMailing},
		{Pattern: "POST /mailings/{id}/resume", Access: SignedIn, Serve: w.resumeMailing},
		{Pattern: "POST /mailings/{id}/delete", Access: SignedIn, Serve: w.deleteMailing},
	}
}

const mailingsPerPage = 50

// mailingList is one page of the table of mailings.
type mailingList struct {
	List     ui.List
	Rows     []app.MailingRow
	Drafts   []draftLine
	Everyone bool // everybody's, not only the visitor's own
	Admin    bool // on the admin pages, with a choice of Owners
	Owners   []ui.Option
	Actor    mailing.Account
}

func (w *Web) listMailings(r *request) error {
	list, page := r.list("/mailings", mailingsPerPage)
	filter := mailingFilter(list)
	rows, total, err := w.App.Mailings(r.in.Context(), r.actor, filter, page)
	if err != nil {
		return err
	}
	list.Total = int(total)
	p := r.page(r.T("nav.mailings"))
	l := mailingList{List: list, Rows: rows, Everyone: filter.Everyone, Actor: r.actor}
	if l.Drafts, err = w.drafts(r); err != nil {
		return err
	}
	r.pickColumns(&l.List, "mailings", l.columns(p))
	return r.render(http.StatusOK, mailingsPage(p, l))
}

// searched reports whether the list is empty because of what is searched for.
func (l mailingList) searched() bool {
	return l.List.Search() != "" || l.List.Query.Get("status") != "" || l.Everyone
}

func (l mailingList) columns(p ui.Page) []ui.Column {
	columns := []ui.Column{
		{Title: p.T("mailings.message"), Key: "subject"},
		{Title: p.T("field.status"), Key: "status"},
		{Title: p.T("mailings.next_short"), Key: "next", Pick: "next"},
		{Title: p.T("field.time"), Pick: "time"},
		{Title: p.T("mailings.frequency"), Pick: "often"},
		{Title: p.T("mailings.last_short"), Key: "last", Pick: "last"},
		{Title: p.T("nav.clients"), Numeric: true, Pick: "clients"},
		{Title: p.T("field.created"), Key: "created", Pick: "created"},
	}
	if l.Admin { // in their place there is room for the owner's; the next date has the time, too
		columns[3].Off, columns[7].Off = true, true
	}
	if l.Everyone {
		columns = slices.Insert(columns, 1, ui.Column{Title: p.T("mailings.owner")})
	}
	return columns
}

// here is the address of the list as it is, to come back to.
func (l mailingList) here() string { return l.List.PageURL(l.List.Page()) }

func statusOptions(p ui.Page) []ui.Option {
	options := []ui.Option{{Label: p.T("mailings.any_status")}, {Value: statusActive, Label: p.T("mailings.active")}}
	for _, status := range mailing.Statuses() {
		options = append(options, ui.Option{Value: string(status), Label: p.T("status." + string(status))})
	}
	return options
}

func mailingTone(s mailing.Status) ui.Tone {
	switch s {
	case mailing.StatusRunning:
		return ui.Busy
	case mailing.StatusCompleted:
		return ui.Success
	case mailing.StatusPaused, mailing.StatusDisabled:
		return ui.Warning
	}
	return ui.Neutral
}

func mailingPath(id int64, more string) string { return fmt.Sprintf("/mailings/%d%s", id, more) }

// audienceWords says in a narrow column who gets a mailing.
func audienceWords(p ui.Page, row app.MailingRow) string {
	if row.Audience == mailing.AudienceAll {
		return p.T("mailings.all_clients")
	}
	return p.Number(row.Chosen)
}

// mailingPage is all that the page of a mailing shows.
type mailingPage struct {
	app.MailingView
	Dates ruleDates // in the mailing's own zone
	Actor mailing.Account
}

func (w *Web) showMailing(r *request) error {
	view, err := r.viewedMailing()
	if err != nil {
		return err
	}
	return r.render(http.StatusOK, mailingShowPage(r.page(r.SubjectName(view.Message.Subject)), mailingPage{
		MailingView: view, Dates: r.ruleDates(view.Rule), Actor: r.actor,
	}))
}

// stoppedWords says who paused or disabled a mailing.
func (m mailingPage) stoppedWords(p ui.Page) string {
	paused, mine := m.Status == mailing.StatusPaused, m.StopBy.ID == m.Actor.ID
	who := cmp.Or(m.StopBy.Name(), p.T("mailings.somebody"))
	switch {
	case paused && mine:
		return p.T("mailings.paused_by_you")
	case paused:
		return p.T("mailings.paused_by", "who", who)
	case mine:
		return p.T("mailings.disabled_by_you")
	}
	return p.T("mailings.disabled_by", "who", who)
}

func noTime() time.Time { return time.Time{} }

func ownerWords(row app.MailingRow) string {
	if row.OwnerName != "" {
		return row.OwnerName
	}
	return row.OwnerEmail
}

func runColumns(p ui.Page) []ui.Column {
	columns := []ui.Column{
		{Title: p.T("runs.started")}, {Title: p.T("field.status")}, {Title: p.T("runs.progress")},
	}
	for _, count := range runCounts(p, mailing.Counts{}) {
		columns = append(columns, ui.Column{Title: count.Label, Numeric: true})
	}
	return columns
}

// runCounts are the numbers of a run, each with its name.
func runCounts(p ui.Page, c mailing.Counts) []ui.Stat {
	return []ui.Stat{
		{Label: p.T("runs.sent"), Value: p.Number(c.Sent)},
		{Label: p.T("runs.failed"), Value: p.Number(c.Failed)},
		{Label: p.T("runs.skipped"), Value: p.Number(c.Skipped)},
		{Label: p.T("runs.in_doubt"), Value: p.Number(c.InDoubt)},
		{Label: p.T("runs.waiting"), Value: p.Number(c.Waiting())},
	}
}
