package web

import (
	"io"
	"net/http"
	"time"
)

// Slow visitors must not hold a connection, and what it costs, for ever. Whoever takes
// nothing of an answer, or sends nothing of a file, for pieceWait is cut off: chosen,
// longer than any train is in a tunnel. Far from the end a deadline is left alone.
const (
	pieceWait  = time.Minute
	renewAfter = 5 * time.Second
)

// patient gives visitors time for each piece of an answer.
func patient(next http.Handler) http.Handler {
	return http.HandlerFunc(func(out http.ResponseWriter, in *http.Request) {
		p := &patientWriter{ResponseWriter: out}
		defer p.wait() // for what is flushed when all is written
		next.ServeHTTP(p, in)
	})
}

type patientWriter struct {
	http.ResponseWriter
	renewed time.Time
	set     bool // by somebody who knows better
}

func (w *patientWriter) Write(piece []byte) (int, error) {
	w.wait()
	return w.ResponseWriter.Write(piece)
}

func (w *patientWriter) wait() {
	if now := time.Now(); !w.set && now.Sub(w.renewed) > renewAfter {
		w.renewed = now
		_ = http.NewResponseController(w.ResponseWriter).SetWriteDeadline(now.Add(pieceWait))
	}
}

// SetWriteDeadline is for http.ResponseController.
func (w *patientWriter) SetWriteDeadline(until time.Time) error {
	w.set = true
	return http.NewResponseController(w.ResponseWriter).SetWriteDeadline(until)
}

// Unwrap lets http.ResponseController reach the connection.
func (w *patientWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// patientBody gives visitors time for each piece of what they send.
type patientBody struct {
	io.ReadCloser
	out     http.ResponseWriter
	renewed time.Time
}

func (b *patientBody) Read(piece []byte) (int, error) {
	if now := time.Now(); now.Sub(b.renewed) > renewAfter {
		b.renewed = now
		setBodyDeadline(b.out, now.Add(pieceWait))
	}
	n, err := b.ReadCloser.Read(piece)
	if err != nil {
		setBodyDeadline(b.out, time.Time{})
	}
	return n, err
}
