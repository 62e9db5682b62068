package web

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"runtime/debug"
	"time"

	"vestnik/internal/web/ui"
)

type contextKey struct{}

// visit is what the log says about a request. The path is not among it: the
// links that we mail carry secrets there.
type visit struct {
	id      string // also on a page of apology
	pattern string // of the route; empty until it is known
}

func visitOf(ctx context.Context) *visit {
	if v, ok := ctx.Value(contextKey{}).(*visit); ok {
		return v
	}
	return &visit{}
}

// withHeaders sends with every answer what keeps browsers from doing more than
// our pages need. In demo frames a mail's own styles are allowed; see demo.go.
func (w *Web) withHeaders(next http.Handler) http.Handler {
	return http.HandlerFunc(func(out http.ResponseWriter, in *http.Request) {
		h := out.Header()
		h.Set("Content-Security-Policy", ui.ContentSecurityPolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "SAMEORIGIN") // for browsers without frame-ancestors; pages frame mails
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
		if w.Secure {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		next.ServeHTTP(out, in)
	})
}

// logged names the request, notes it in the log, and answers for a handler that
// panicked.
func (w *Web) logged(next http.Handler) http.Handler {
	return http.HandlerFunc(func(out http.ResponseWriter, in *http.Request) {
		v := &visit{id: rand.Text()[:12]}
		started := time.Now()
		seen := &statusWriter{ResponseWriter: out, status: http.StatusOK}
		defer func() {
			if fault := recover(); fault != nil && fault != http.ErrAbortHandler {
				w.Log.Error("handler panicked", "request", v.id, "route", v.pattern, "panic", fmt.Sprint(fault), "stack", string(debug.Stack()))
				w.apologise(seen, v)
			}
			if w.Answered != nil {
				w.Answered(v.pattern, seen.status, time.Since(started))
			}
			w.Log.Debug("request", "request", v.id, "method", in.Method, "route", v.pattern,
				"status", seen.status, "duration", time.Since(started))
		}()
		next.ServeHTTP(seen, in.WithContext(context.WithValue(in.Context(), contextKey{}, v)))
	})
}

// sessionFault answers when the session can be neither read nor kept.
func (w *Web) sessionFault(out http.ResponseWriter, in *http.Request, err error) {
	v := visitOf(in.Context())
	w.Log.Error("session went wrong", "request", v.id, "route", v.pattern, "error", err)
	w.apologise(out, v)
}

// apologise answers without a page, which might be what went wrong.
func (w *Web) apologise(out http.ResponseWriter, v *visit) {
	http.Error(out, w.Catalog.For("en").T("error.internal")+" ("+v.id+")", http.StatusInternalServerError)
}

type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController reach the connection.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
