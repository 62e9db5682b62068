package web

import (
	"io"
	"net/http"
)

func (w *Web) statusRoutes() []Route {
	return []Route{{Pattern: "GET /healthz", Access: Everybody, Serve: health}}
}

// health answers load balancers and watchdogs in one word.
func health(r *request) error {
	status, word := http.StatusOK, "ok"
	if err := r.App.Healthy(r.in.Context()); err != nil {
		r.Log.Error("database does not answer", "error", err)
		status, word = http.StatusServiceUnavailable, "unavailable"
	}
	r.out.Header().Set("Content-Type", "text/plain; charset=utf-8")
	r.out.Header().Set("Cache-Control", "no-store")
	r.out.WriteHeader(status)
	_, err := io.WriteString(r.out, word+"\n")
	return err
}
