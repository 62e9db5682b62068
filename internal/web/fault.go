package web

import (
	"context"
	"errors"
	"net"
	"net/http"

	"vestnik/internal/mailing"
)

// statuses maps the kinds of errors to answers (RFC 9110, section 15).
var statuses = map[mailing.Kind]int{
	mailing.Invalid:     http.StatusUnprocessableEntity,
	mailing.NotFound:    http.StatusNotFound,
	mailing.Forbidden:   http.StatusForbidden,
	mailing.Conflict:    http.StatusConflict,
	mailing.Limited:     http.StatusTooManyRequests,
	mailing.Unavailable: http.StatusServiceUnavailable,
}

// isOnlyGone reports whether the error says no more than that the visitor has left: what
// was asked for was given up, or could not be written.
func isOnlyGone(err error) bool {
	var network *net.OpError
	return errors.Is(err, context.Canceled) || errors.As(err, &network) && network.Op == "write"
}

// fail answers with a page that says what went wrong. What is our fault is
// logged; the visitor gets an apology and the request's id.
func (r *request) fail(err error) {
	if r.in.Context().Err() != nil && isOnlyGone(err) {
		return // nobody waits for an answer
	}
	status, ok := statuses[mailing.KindOf(err)]
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		status, ok = http.StatusRequestEntityTooLarge, true
		err = mailing.Fault(mailing.Invalid, "request_too_large", "max_mb", tooLarge.Limit>>20)
		if tooLarge.Limit < 1<<20 {
			err = mailing.Fault(mailing.Invalid, "form_too_large", "max_kb", tooLarge.Limit>>10)
		}
	}
	r.sayWhen(err)
	visit := visitOf(r.in.Context())
	if !ok {
		status = http.StatusInternalServerError
		r.Log.Error("request went wrong", "request", visit.id, "method", r.in.Method, "route", visit.pattern, "error", err)
	}
	if err := r.renderFault(status, r.Error(err), visit.id); err != nil {
		r.Log.Warn("answer broke off", "request", visit.id, "error", err)
	}
}

func (r *request) renderFault(status int, sentence, id string) error {
	p := r.page(r.T("fault.title"))
	if r.byScript() {
		return r.failPart(status, p, sentence, faultHint(p, status, id))
	}
	return r.render(status, faultPage(p, sentence, id, status))
}
