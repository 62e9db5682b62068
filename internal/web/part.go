package web

import (
	"net/http"
	"net/url"

	"vestnik/internal/web/ui"
)

// A script asks for a part of a page. What cannot be a part of it (where to sign in, the
// question who is there, what went wrong) is answered so that the page stays as it is
// until the browser goes on to a whole one.

// byScript reports whether a script asks, for a part of the page.
func (r *request) byScript() bool { return r.in.Header.Get("HX-Request") == "true" }

// pageAround is the page that the script is on.
func (r *request) pageAround() string {
	at, err := url.Parse(r.in.Header.Get("HX-Current-URL"))
	if err != nil {
		return "/"
	}
	return localPath(at.RequestURI())
}

// leadTo has the browser go on to another page, also where a script has asked.
func (r *request) leadTo(path string) {
	if !r.byScript() {
		r.redirect(path)
		return
	}
	r.out.Header().Set("HX-Redirect", path)
	r.out.WriteHeader(http.StatusNoContent)
}

// askForWhole has the browser send the form once more, by itself, so that the answer is a
// page: nothing was done with it yet.
func (r *request) askForWhole() {
	r.out.Header().Set("HX-Trigger", "send-whole") // whole.js
	r.out.WriteHeader(http.StatusNoContent)
}

// failPart says what went wrong on the page that the script is on.
func (r *request) failPart(status int, p ui.Page, sentence, hint string) error {
	if hint != "" {
		sentence += " " + hint
	}
	r.out.Header().Set("HX-Reswap", "none")
	return r.render(status, ui.FlashPart(p, ui.Flash{Tone: ui.Danger, Text: sentence}))
}
