package web

import (
	"strings"
	"time"

	"vestnik/internal/app"
	"vestnik/internal/web/ui"
)

// chosen reads what of a list a bulk form is about.
func (r *request) chosen() app.Chosen {
	which := app.Chosen{IDs: r.ids("id"), Search: plain(r.in.URL.Query().Get(ui.SearchParam))}
	if r.field(ui.BulkAll) != "" {
		which.Found = time.UnixMilli(r.number(ui.BulkAll)) // of what is no moment nothing is found
	}
	return which
}

// bulkDone tells what was done and what was not, and why, on the list that it came from.
// The sentence is that of a plural key.
func (r *request) bulkDone(back, sentence string, report app.BulkReport) error {
	if report.Done > 0 {
		r.flash(ui.Success, r.N(sentence, report.Done))
	}
	for _, refused := range report.Refused {
		r.flash(ui.Warning, r.refusedWords(refused))
	}
	if report.Unasked {
		r.flash(ui.Warning, r.T("list.unasked"))
	}
	if report.Done == 0 && len(report.Refused) == 0 {
		r.flash(ui.Warning, r.T("list.none_chosen"))
	}
	r.redirect(back)
	return nil
}

// refusedWords say how many stayed as they were, why, and which they are.
func (r *request) refusedWords(refused app.BulkRefusal) string {
	words := r.N("list.refused", refused.Count, "why", r.Error(refused.Err))
	if len(refused.Names) == 0 {
		return words
	}
	named := make([]string, len(refused.Names))
	for i, name := range refused.Names {
		named[i] = r.T("list.quoted", "name", shortened(r.SubjectName(name), 60))
	}
	words += " " + strings.Join(named, ", ")
	if more := refused.Count - int64(len(named)); more > 0 {
		return words + " " + r.N("list.and_more", more)
	}
	return words + "."
}

// bulkBack is the list that a bulk form came from: its address carries the search and the
// filters.
func (r *request) bulkBack(path string) string {
	if query := r.in.URL.RawQuery; query != "" {
		return path + "?" + query
	}
	return path
}
