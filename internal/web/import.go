package web

import (
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"strconv"
	"time"

	"github.com/a-h/templ"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
	"vestnik/internal/web/ui"
)

// importLimit is the largest file that may be uploaded: ten million lines of a
// hundred bytes. Chosen.
const importLimit = 1 << 30

func (w *Web) importRoutes() []Route {
	return []Route{
		{Pattern: "GET /clients/import", Access: SignedIn, Serve: newImport},
		{Pattern: "POST /clients/import", Access: SignedIn, Serve: importContacts, Limit: importLimit, Stream: true},
		{Pattern: "GET /clients/imports/{id}/report", Access: SignedIn, Serve: viewImport},
		{Pattern: "GET /clients/imports/{id}/refusals.csv", Access: SignedIn, Serve: exportRefusals},
	}
}

func newImport(r *request) error {
	form, err := r.importForm()
	if err != nil {
		return err
	}
	return r.render(http.StatusOK, form(nil))
}

// importForm makes the page with the form and the latest imports.
func (r *request) importForm() (func(problems map[string]string) templ.Component, error) {
	latest, err := r.App.Imports(r.in.Context(), r.actor)
	if err != nil {
		return nil, err
	}
	return func(problems map[string]string) templ.Component {
		return importPage(r.page(r.T("imports.title")), latest, problems)
	}, nil
}

// importContacts reads the file while it comes in, so that it is never kept as a
// whole anywhere.
func importContacts(r *request) error {
	file, err := r.uploaded("file")
	if err != nil {
		return r.importFault(err)
	}
	report, err := r.App.ImportContacts(r.in.Context(), r.actor, file.FileName(), file)
	if report.ID == 0 {
		return r.importFault(err)
	}
	if err != nil { // it broke off; the report says how far it came, and why
		r.Log.Warn("import broke off", "import", report.ID, "fault", report.Fault, "error", err)
	}
	if report.Untaken != "" {
		r.flash(ui.Warning, r.T("imports.untaken", "columns", report.Untaken))
	}
	r.redirect(importPath(report.ID))
	return nil
}

func (r *request) importFault(err error) error {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return err
	}
	form, formErr := r.importForm()
	if formErr != nil {
		return formErr
	}
	return r.mend(err, form)
}

// uploaded returns the file of a multipart form (RFC 7578) as a stream.
func (r *request) uploaded(name string) (*multipart.Part, error) {
	parts, err := r.in.MultipartReader()
	if err != nil {
		return nil, mailing.FieldFault(mailing.Invalid, name, "file_missing").Because(err)
	}
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return nil, mailing.FieldFault(mailing.Invalid, name, "file_missing")
		}
		if err != nil {
			return nil, mailing.FieldFault(mailing.Invalid, name, "file_missing").Because(err)
		}
		if part.FormName() == name && part.FileName() != "" {
			return part, nil
		}
	}
}

func importPath(id int64) string { return "/clients/imports/" + strconv.FormatInt(id, 10) + "/report" }

func refusalsPath(id int64) string {
	return "/clients/imports/" + strconv.FormatInt(id, 10) + "/refusals.csv"
}

// importView is what the report of an import shows.
type importView struct {
	app.Import
	fault    string // why it ended early, as a sentence; empty: it did not
	refusals []app.Refusal
	after    int64 // the line of the file after which the shown ones come
	more     bool  // there are further ones
}

func (v importView) running() bool { return v.FinishedAt.IsZero() }

// importTime is far above what the largest file takes.
const importTime = 10 * time.Minute

// abandoned reports whether an import that has not ended never will: the service
// was stopped in the middle of it.
func (v importView) abandoned(now time.Time) bool {
	return v.running() && now.Sub(v.CreatedAt) > importTime
}

// older is the address of the lines after those that are shown.
func (v importView) older() string {
	last := v.refusals[len(v.refusals)-1].Line
	return importPath(v.ID) + "?" + query("after", strconv.FormatInt(last, 10))
}

func viewImport(r *request) error {
	id, err := r.id("id")
	if err != nil {
		return err
	}
	v := importView{}
	if v.Import, err = r.App.Import(r.in.Context(), r.actor, id); err != nil {
		return err
	}
	if v.Fault != "" {
		v.fault = r.refusal(v.Fault, nil)
	}
	v.after, _ = strconv.ParseInt(r.field("after"), 10, 64) // what is no number is the first page
	v.refusals, err = r.App.ImportRefusals(r.in.Context(), r.actor, id, v.after, perPage+1)
	if err != nil {
		return err
	}
	if v.more = len(v.refusals) > perPage; v.more {
		v.refusals = v.refusals[:perPage]
	}
	return r.render(http.StatusOK, importReportPage(r.page(r.T("imports.report")), v))
}

// refusal says as a sentence why a line, or a file, was not taken.
func (r *request) refusal(code string, params map[string]any) string {
	return r.Error(refusalError(code, params))
}

func refusalError(code string, params map[string]any) error {
	return &mailing.Error{Kind: mailing.Invalid, Code: code, Params: params}
}

func exportRefusals(r *request) error {
	id, err := r.id("id")
	if err != nil {
		return err
	}
	if _, err := r.App.Import(r.in.Context(), r.actor, id); err != nil { // while an error can still be told
		return err
	}
	r.attach("refusals-" + strconv.FormatInt(id, 10) + ".csv")
	err = r.App.ExportRefusals(r.in.Context(), r.actor, id, r.out, app.RefusalWords{
		Line: r.T("imports.line"), Value: r.T("imports.value"), Reason: r.T("imports.reason"), Sentence: r.refusal,
	})
	if err != nil {
		r.breakOff("refusals", err)
	}
	return nil
}

// attach announces a CSV file (RFC 4180) to be kept under the name.
func (r *request) attach(name string) {
	r.out.Header().Set("Content-Type", "text/csv; charset=utf-8; header=present")
	r.out.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
	r.out.Header().Set("Cache-Control", "no-store")
}

// breakOff ends an answer that has begun, so that the browser sees that the file
// is not whole.
func (r *request) breakOff(what string, err error) {
	r.Log.Warn("download broke off", "file", what, "error", err)
	panic(http.ErrAbortHandler)
}

func importTone(i app.Import) ui.Tone {
	switch {
	case i.FinishedAt.IsZero():
		return ui.Busy
	case i.Fault != "":
		return ui.Danger
	case i.Refused > 0:
		return ui.Warning
	}
	return ui.Success
}

// importState is the last part of the key of what the tone says.
func importState(i app.Import) string {
	switch {
	case i.FinishedAt.IsZero():
		return "running"
	case i.Fault != "":
		return "broken_off"
	case i.Refused > 0:
		return "with_refusals"
	}
	return "complete"
}
