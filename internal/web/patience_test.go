package web

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// deadlines notes those that are set.
type deadlines struct {
	*httptest.ResponseRecorder
	write, read []time.Time
}

func (d *deadlines) SetWriteDeadline(until time.Time) error {
	d.write = append(d.write, until)
	return nil
}

func (d *deadlines) SetReadDeadline(until time.Time) error {
	d.read = append(d.read, until)
	return nil
}

func TestPatience(t *testing.T) {
	serve := func(answer http.HandlerFunc) *deadlines {
		out := &deadlines{ResponseRecorder: httptest.NewRecorder()}
		patient(answer).ServeHTTP(out, httptest.NewRequest(http.MethodGet, "/", nil))
		return out
	}
	isSoon := func(until time.Time) bool { return time.Until(until) > pieceWait/2 && time.Until(until) <= pieceWait }
	t.Run("an answer that nobody takes is given up after a minute", func(t *testing.T) {
		out := serve(func(out http.ResponseWriter, _ *http.Request) {
			for range 1000 {
				_, _ = io.WriteString(out, "piece")
			}
		})
		if len(out.write) != 1 || !isSoon(out.write[0]) {
			t.Errorf("the deadlines are %v", out.write)
		}
	})
	t.Run("also one without a body", func(t *testing.T) {
		if out := serve(func(http.ResponseWriter, *http.Request) {}); len(out.write) != 1 || !isSoon(out.write[0]) {
			t.Errorf("the deadlines are %v", out.write)
		}
	})
	t.Run("who sets a deadline knows better", func(t *testing.T) {
		own := time.Now().Add(time.Second)
		out := serve(func(out http.ResponseWriter, _ *http.Request) {
			if err := http.NewResponseController(out).SetWriteDeadline(own); err != nil {
				t.Error(err)
			}
			_, _ = io.WriteString(out, "event")
		})
		if len(out.write) != 1 || !out.write[0].Equal(own) {
			t.Errorf("the deadlines are %v", out.write)
		}
	})
	t.Run("a file that stops coming is given up after a minute, and its answer is not", func(t *testing.T) {
		out := &deadlines{ResponseRecorder: httptest.NewRecorder()}
		body := &patientBody{ReadCloser: io.NopCloser(strings.NewReader("file")), out: out}
		if _, err := io.ReadAll(body); err != nil {
			t.Fatal(err)
		}
		if len(out.read) != 2 || !isSoon(out.read[0]) || !out.read[1].IsZero() {
			t.Errorf("the deadlines are %v", out.read)
		}
	})
	t.Run("on a connection, what is not taken does end", func(t *testing.T) {
		ended := make(chan error, 1)
		server := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, _ *http.Request) {
			w := &patientWriter{ResponseWriter: out}
			_ = w.SetWriteDeadline(time.Now().Add(50 * time.Millisecond))
			var err error
			for piece := make([]byte, 1<<20); err == nil; {
				_, err = w.Write(piece)
			}
			ended <- err
		}))
		defer server.Close()
		conn, err := net.Dial("tcp", server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		_, _ = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n") // and reads nothing
		if err := <-ended; err == nil {
			t.Error("it went on for ever")
		}
	})
}
