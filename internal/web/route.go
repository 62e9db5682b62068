package web

import (
	"errors"
	"net/http"
	"strings"

	"vestnik/internal/mailing"
)

// Access says who gets as far as a page; whose things it then shows is decided
// by app.
type Access uint8

// Who gets in.
const (
	Everybody Access = iota + 1
	SignedIn
)

// Route is one address of the service. A test asks every one of them as every
// kind of visitor.
type Route struct {
	Pattern string // as for http.ServeMux: "GET /clients/{id}"
	Access  Access
	Serve   func(*request) error
	Limit   int64 // bytes a request may carry; 0: defaultLimit
}

// defaultLimit is room for a message of the largest size, typed into a form and
// percent-encoded in Cyrillic, and for the answer that it is too large.
const defaultLimit = 32 << 20

// Routes lists all routes.
func (w *Web) Routes() []Route {
	var all []Route
	for _, routes := range [][]Route{
		w.homeRoutes(), w.accountRoutes(), w.profileRoutes(), w.contactRoutes(), w.importRoutes(), w.messageRoutes(),
		w.mailingRoutes(), w.runRoutes(), w.logRoutes(), w.userRoutes(), w.demoRoutes(), w.relayRoutes(),
		w.unsubscribeRoutes(), w.statusRoutes(),
	} {
		all = append(all, routes...)
	}
	return all
}

func (w *Web) serve(route Route) http.Handler {
	limit := route.Limit
	if limit == 0 {
		limit = defaultLimit
	}
	return http.HandlerFunc(func(out http.ResponseWriter, in *http.Request) {
		visitOf(in.Context()).pattern = route.Pattern
		in.Body = http.MaxBytesReader(out, in.Body, limit)
		r, err := w.newRequest(out, in)
		if err != nil {
			r.fail(err)
			return
		}
		if route.Access == SignedIn && r.actor.ID == 0 {
			r.askToSignIn()
			return
		}
		if err := readForm(in); err != nil {
			r.fail(err)
			return
		}
		if err := route.Serve(r); err != nil {
			r.fail(err)
		}
	})
}

// readForm reads a form that was typed, since http.Request.FormValue takes one that
// is too large for an empty one. Files are read where they are wanted.
func readForm(in *http.Request) error {
	if !strings.HasPrefix(in.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		return nil
	}
	var tooLarge *http.MaxBytesError
	if err := in.ParseForm(); errors.As(err, &tooLarge) {
		return err
	}
	return nil // what cannot be decoded is left out
}

// nowhere answers for an address that no route has.
func nowhere(*request) error { return mailing.Fault(mailing.NotFound, "not_found") }

// askToSignIn sends a visitor to the sign-in page and lets them come back.
func (r *request) askToSignIn() {
	back := "/"
	if r.in.Method == http.MethodGet {
		back = r.in.URL.RequestURI()
	}
	if r.in.URL.Path == "/" {
		r.redirect("/login")
		return
	}
	r.redirect("/login?" + query("next", back))
}

// localPath returns path if it leads to a page of ours, else "/": a link must
// not send a person on to another site (CWE-601).
func localPath(path string) string {
	if !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") || strings.ContainsAny(path, "\\\r\n\t") {
		return "/"
	}
	return path
}
