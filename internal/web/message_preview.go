package web

import (
	"net/http"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
)

// previewPolicy is for the page within a page that a preview is. It runs no
// script at all, and so may let a mail bring its own styles: the mail stands in a
// frame in it that inherits this policy (HTML, section 7.1.8) and is sandboxed.
const previewPolicy = "default-src 'none'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
	"frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"

// previewView is a message as one recipient will see it, or why it cannot be
// shown.
type previewView struct {
	app.Preview
	warnings []string
	faults   []string
	dark     bool // on a dark ground, as many read their mail
}

// previewMessage shows a stored message.
func previewMessage(r *request) error {
	m, err := r.message()
	if err != nil {
		return err
	}
	return r.preview(app.MessageForm{Subject: m.Subject, Format: m.Format, Body: m.Body})
}

// previewDraft shows what stands in the editor. Its form posts it here, into the
// frame beside it, so that nothing has to be saved.
func previewDraft(r *request) error { return r.preview(r.typedMessage()) }

func (r *request) preview(form app.MessageForm) error {
	r.out.Header().Set("Content-Security-Policy", previewPolicy)
	status, v := http.StatusOK, previewView{dark: r.field("ground") == "dark"}
	var err error
	v.Preview, err = r.App.PreviewMessage(r.in.Context(), r.actor, form, r.previewContact())
	if problems, ok := r.problems(err); ok {
		status = statuses[mailing.KindOf(err)]
		for _, field := range []string{"", "subject", "format", "body"} {
			if problems[field] != "" {
				v.faults = append(v.faults, problems[field])
			}
		}
	} else if err != nil {
		return err
	}
	for _, warning := range v.Warnings {
		v.warnings = append(v.warnings, r.Error(warning))
	}
	return r.render(status, previewDocument(r.page(r.T("messages.preview")), v))
}
