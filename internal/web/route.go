package web

import (
	"errors"
	"net/http"
	"os"
	"strings"
	"time"

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
	Fresh   bool  // who asks has to prove once more who they are, unless they just have
	Limit   int64 // bytes a request may carry; 0: formLimit
	Stream  bool  // Serve reads the body itself, however long that takes as a whole
}

// How much a request may carry.
const (
	noBody = -1
	// formLimit is room for every form but those with a text of any length.
	formLimit = 64 << 10
	// textLimit is room for a message of the largest size, typed into a form and
	// percent-encoded in Cyrillic, and for the answer that it is too large; and
	// for as many chosen contacts as a form may name.
	textLimit = 32 << 20
)

// bodyWait is how long a body may take to come in. Chosen; 32 MB come in that
// time at 4 Mbit/s.
const bodyWait = time.Minute

// Routes lists all routes.
func (w *Web) Routes() []Route {
	var all []Route
	for _, routes := range [][]Route{
		w.homeRoutes(), w.accountRoutes(), w.profileRoutes(), w.securityRoutes(), w.stepUpRoutes(), w.factorRoutes(),
		w.contactRoutes(), w.importRoutes(), w.messageRoutes(), w.mailingRoutes(), w.runRoutes(), w.undoRoutes(), w.reportRoutes(), w.logRoutes(),
		w.demoRoutes(), w.unsubscribeRoutes(), w.statusRoutes(), w.adminRoutes(), w.userRoutes(),
		w.adminMailingRoutes(), w.relayRoutes(), w.domainRoutes(), w.holdRoutes(), w.settingRoutes(), w.healthRoutes(),
		w.jobRoutes(), w.auditRoutes(), w.personalRoutes(),
		w.blogRoutes(), w.blogAdminRoutes(), w.firstRoutes(),
		w.invitationRoutes(), w.emailRoutes(), w.manualRoutes(), w.searchRoutes(),
		w.mailingBulkRoutes(), w.messageBulkRoutes(),
	} {
		all = append(all, routes...)
	}
	return all
}

func (w *Web) serve(route Route) http.Handler {
	return http.HandlerFunc(func(out http.ResponseWriter, in *http.Request) {
		visitOf(in.Context()).pattern = route.Pattern
		route.bound(out, in)
		r, err := w.newRequest(out, in)
		if err != nil {
			r.fail(err)
			return
		}
		if route.Access == SignedIn && r.actor.ID == 0 {
			r.askToSignIn()
			return
		}
		r.noteChange()
		if !route.Stream && route.Limit != noBody {
			err = readForm(out, r.in)
		}
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			out.WriteHeader(http.StatusRequestTimeout) // who sends so slowly reads no page
			return
		case err == nil:
			err = r.answer(route)
		}
		if err != nil {
			r.fail(err)
		}
	})
}

// bound keeps the body of a request to the size and the time of the route.
func (route Route) bound(out http.ResponseWriter, in *http.Request) {
	// Without a body nothing is read, and the deadline would end a stream of events.
	// With one, the server reads on even where we do not.
	if !route.Stream && in.ContentLength != 0 {
		setBodyDeadline(out, time.Now().Add(bodyWait))
	}
	switch route.Limit {
	case noBody:
		in.Body = http.NoBody
		return
	case 0:
		route.Limit = formLimit
	}
	if route.Fresh {
		route.Limit *= 2 // the form may be carried along, sealed
	}
	in.Body = http.MaxBytesReader(out, in.Body, route.Limit)
	if route.Stream {
		in.Body = &patientBody{ReadCloser: in.Body, out: out}
	}
}

// setBodyDeadline says until when the body may be read; the zero time: for ever.
// It fails where there is no connection, and on one that is gone, as reading will.
func setBodyDeadline(out http.ResponseWriter, until time.Time) {
	_ = http.NewResponseController(out).SetReadDeadline(until)
}

// readForm reads a form that was typed, since http.Request.FormValue takes one that
// is too large for an empty one. Files are read where they are wanted.
func readForm(out http.ResponseWriter, in *http.Request) error {
	if !strings.HasPrefix(in.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		return nil
	}
	var tooLarge *http.MaxBytesError
	if err := in.ParseForm(); errors.As(err, &tooLarge) || errors.Is(err, os.ErrDeadlineExceeded) {
		return err
	}
	setBodyDeadline(out, time.Time{}) // it would cut off an answer that takes long
	return nil                        // what cannot be decoded is left out
}

// nowhere answers for an address that no route has.
func nowhere(*request) error { return mailing.Fault(mailing.NotFound, "not_found") }

// askToSignIn sends a visitor to the sign-in page and lets them come back.
func (r *request) askToSignIn() {
	back := "/"
	switch {
	case r.byScript():
		back = r.pageAround()
	case r.in.Method == http.MethodGet:
		back = r.in.URL.RequestURI()
	}
	if r.in.URL.Path == "/" {
		r.leadTo("/login")
		return
	}
	r.leadTo("/login?" + query("next", back))
}

// localPath returns path if it leads to a page of ours, else "/": a link must
// not send a person on to another site (CWE-601).
func localPath(path string) string {
	if !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") || strings.ContainsAny(path, "\\\r\n\t") {
		return "/"
	}
	return path
}
