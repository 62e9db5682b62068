// Package web serves the pages. Each page is one file of handlers with its
// templates beside it; what the pages have in common stands in ui, what browsers
// load in assets. Handlers read a form, call app, and show what came of it; they
// decide nothing. Pages work without scripts.
package web

import (
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"github.com/alexedwards/scs/v2"

	"vestnik/internal/app"
	"vestnik/internal/i18n"
	"vestnik/internal/web/assets"
)

// Options are what the composition root gives.
type Options struct {
	App      *app.App
	Catalog  *i18n.Catalog
	Sessions scs.CtxStore // keeps what SessionCodec encodes
	Log      *slog.Logger
	Version  string
	Loopback bool        // the service is bound to a loopback address
	Secure   bool        // it is reached by https, so cookies may travel there only
	Demo     func() bool // whether mails go to the demo mailbox now
	// Answered is told of every answer; route is empty for a file. It may be missing.
	Answered func(route string, status int, took time.Duration)
	// TrustedProxies are the machines whose X-Forwarded-For is believed.
	TrustedProxies []netip.Prefix
}

// Web is all pages.
type Web struct {
	Options
	sessions *scs.SessionManager
	mux      *http.ServeMux // the pages
	handler  http.Handler   // everything
}

// New returns the pages, ready to serve.
func New(o Options) *Web {
	w := &Web{Options: o, sessions: newSessions(o.Sessions, o.Secure), mux: http.NewServeMux()}
	w.sessions.ErrorFunc = w.sessionFault
	for _, route := range w.Routes() {
		w.mux.Handle(route.Pattern, w.serve(route))
	}
	w.mux.Handle("/", w.serve(Route{Pattern: "/", Access: Everybody, Serve: nowhere, Limit: noBody}))

	// Files need no session: no database is asked for them.
	all := http.NewServeMux()
	all.Handle("GET "+assets.Prefix, assets.Handler())
	w.servePictures(all)
	all.Handle("/", w.sessions.LoadAndSave(crossing().Handler(w.mux)))
	w.handler = patient(w.withHeaders(w.logged(all)))
	return w
}

// crossing refuses forms that other sites send in a person's name (CWE-352). The
// one-click unsubscribing of mail programs carries no such name and may come from
// anywhere (RFC 8058, section 3.2).
func crossing() *http.CrossOriginProtection {
	c := http.NewCrossOriginProtection()
	c.AddInsecureBypassPattern("POST /unsubscribe/{token}")
	return c
}

// ServeHTTP implements http.Handler.
func (w *Web) ServeHTTP(out http.ResponseWriter, in *http.Request) { w.handler.ServeHTTP(out, in) }
