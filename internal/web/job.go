package web

import (
	"maps"
	"net/http"
	"slices"
	"strconv"

	"vestnik/internal/app"
	"vestnik/internal/web/ui"
)

const (
	jobsPath = "/admin/jobs"
	// jobsPerPage is how many jobs a page lists; chosen.
	jobsPerPage = 50
	jobBefore   = "before"
)

func (w *Web) jobRoutes() []Route {
	return []Route{
		{Pattern: "GET " + jobsPath, Access: SignedIn, Serve: listJobs},
		{Pattern: "POST " + jobsPath + "/{id}/retry", Access: SignedIn, Serve: retryJob},
		{Pattern: "POST " + jobsPath + "/{id}/cancel", Access: SignedIn, Serve: cancelJob},
	}
}

// jobsView is what the list of background jobs shows.
type jobsView struct {
	list   ui.List
	jobs   []app.Job
	counts []app.JobCount
	more   bool // there are older ones
}

func listJobs(r *request) error {
	list, _ := r.list(jobsPath, jobsPerPage)
	v := jobsView{list: list}
	var err error
	if v.counts, err = r.App.JobCounts(r.in.Context(), r.actor); err != nil {
		return err
	}
	filter := app.JobFilter{
		State: oneOf(list.Query, "state", app.JobStates()...), Kind: oneOf(list.Query, "kind", v.kinds()...),
		Before: r.number(jobBefore), Limit: jobsPerPage + 1,
	}
	if v.jobs, err = r.App.Jobs(r.in.Context(), r.actor, filter); err != nil {
		return err
	}
	if v.more = len(v.jobs) > jobsPerPage; v.more {
		v.jobs = v.jobs[:jobsPerPage]
	}
	return r.render(http.StatusOK, jobsPage(r.page(r.T("admin.jobs")), v))
}

func retryJob(r *request) error {
	return r.jobAction(func(id int64) error { return r.App.RetryJob(r.in.Context(), r.actor, id) }, "jobs.was_retried")
}

func cancelJob(r *request) error {
	return r.jobAction(func(id int64) error { return r.App.CancelJob(r.in.Context(), r.actor, id) }, "jobs.was_cancelled")
}

func (r *request) jobAction(do func(id int64) error, sentence string) error {
	id, err := r.id("id")
	if err != nil {
		return err
	}
	if err := do(id); err != nil {
		return err
	}
	return r.done(r.back(jobsPath), r.T(sentence))
}

func (v jobsView) kinds() []string {
	var kinds []string
	for _, c := range v.counts {
		if !slices.Contains(kinds, c.Kind) {
			kinds = append(kinds, c.Kind)
		}
	}
	return kinds
}

// count is how many jobs there are in a state, of the kind that is shown.
func (v jobsView) count(state string) (n int64) {
	kind := v.list.Query.Get("kind")
	for _, c := range v.counts {
		if (state == "" || c.State == state) && (kind == "" || c.Kind == kind) {
			n += c.Jobs
		}
	}
	return n
}

// tabs are the states that there are jobs in, and the one that is shown.
func (v jobsView) tabs(p ui.Page) []ui.Tab {
	shown := v.list.Query.Get("state")
	tabs := []ui.Tab{{Label: p.T("jobs.all"), Path: v.stateURL(""), Count: p.Number(v.count("")), Current: shown == ""}}
	for _, state := range app.JobStates() {
		if n := v.count(state); n > 0 || shown == state {
			tabs = append(tabs, ui.Tab{Label: jobState(p, state), Path: v.stateURL(state), Count: p.Number(n), Current: shown == state})
		}
	}
	return tabs
}

// stateURL is the address of the newest jobs in a state.
func (v jobsView) stateURL(state string) string {
	newest := v.list
	newest.Query = maps.Clone(v.list.Query)
	newest.Query.Del(jobBefore)
	return newest.FilterURL("state", state)
}

// older is the address of the jobs before those that are shown.
func (v jobsView) older() string {
	return v.list.FilterURL(jobBefore, strconv.FormatInt(v.jobs[len(v.jobs)-1].ID, 10))
}

func (v jobsView) newest() string { return v.list.FilterURL(jobBefore, "") }

func (v jobsView) here() string { return v.list.PageURL(1) }

func (v jobsView) kindOptions(p ui.Page) []ui.Option {
	options := []ui.Option{{Label: p.T("jobs.any_kind")}}
	for _, kind := range v.kinds() {
		options = append(options, ui.Option{Value: kind, Label: jobKind(p, kind)})
	}
	return options
}

// jobKind is what a kind of job is for; one that has no words yet is called as the
// program calls it.
func jobKind(p ui.Page, kind string) string {
	if key := "jobs.kind." + kind; p.Has(key) {
		return p.T(key)
	}
	return kind
}

func jobState(p ui.Page, state string) string { return p.T("jobs.state." + state) }

func jobTone(state string) ui.Tone {
	switch state {
	case "running":
		return ui.Busy
	case "completed":
		return ui.Success
	case "retryable":
		return ui.Warning
	case "discarded":
		return ui.Danger
	}
	return ui.Neutral
}

func jobPath(id int64, deed string) string { return jobsPath + "/" + strconv.FormatInt(id, 10) + deed }

func jobsTable(p ui.Page) ui.Table {
	return ui.Table{Caption: p.T("admin.jobs"), Columns: []ui.Column{
		{Title: p.T("jobs.kind")},
		{Title: p.T("field.status")},
		{Title: p.T("jobs.tries"), Numeric: true},
		{Title: p.T("field.time")},
		{Title: p.T("jobs.what")},
		{Title: p.T("mailings.actions"), Unseen: true},
	}}
}
