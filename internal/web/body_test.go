package web_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"vestnik/internal/mailing"
)

// slowLine is a connection on which nothing comes in, and whose patience is that
// of the deadline.
type slowLine struct {
	*httptest.ResponseRecorder
	until []time.Time // every deadline that was set
	read  bool
}

// SetReadDeadline is what http.ResponseController looks for.
func (l *slowLine) SetReadDeadline(until time.Time) error {
	l.until = append(l.until, until)
	return nil
}

func (l *slowLine) Read([]byte) (int, error) {
	l.read = true
	if len(l.until) == 0 {
		return 0, io.ErrUnexpectedEOF
	}
	return 0, os.ErrDeadlineExceeded
}

// open sends a request whose body never comes.
func (c *client) open(path string, body io.Reader, contentType string) *slowLine {
	line := &slowLine{ResponseRecorder: httptest.NewRecorder()}
	if body == nil {
		body = line
	}
	in := httptest.NewRequest(http.MethodPost, path, body)
	in.Host, in.RemoteAddr = c.host, c.remote
	in.Header.Set("Content-Type", contentType)
	for _, cookie := range c.jar.Cookies(&url.URL{Scheme: "http", Host: c.host, Path: "/"}) {
		in.AddCookie(cookie)
	}
	c.h.web.ServeHTTP(line, in)
	return line
}

const typedForm = "application/x-www-form-urlencoded"

func TestBodies(t *testing.T) {
	h := newHarness(t)
	user := h.signIn(h.account("anna@example.org", mailing.RoleUser))
	h.run("a form that does not come is not waited for longer than a minute", func(t *testing.T) {
		line := h.visitor().open("/login", nil, typedForm)
		if line.Code != http.StatusRequestTimeout || len(line.until) != 1 || time.Until(line.until[0]) > time.Minute {
			t.Errorf("the answer is %d, the deadlines %v", line.Code, line.until)
		}
	})
	h.run("once it is there, the answer may take long", func(t *testing.T) {
		line := h.visitor().open("/login", strings.NewReader("email=a"), typedForm)
		if len(line.until) != 2 || !line.until[1].IsZero() {
			t.Errorf("the deadlines are %v", line.until)
		}
	})
	h.run("a file to import may take long, each piece of it a minute", func(t *testing.T) {
		line := user.open("/clients/import", nil, "multipart/form-data; boundary=b")
		if len(line.until) != 2 || !line.read || time.Until(line.until[0]) > time.Minute || !line.until[1].IsZero() {
			t.Errorf("the deadlines are %v, read: %v", line.until, line.read)
		}
	})
	h.run("a form in place of the file is not read", func(t *testing.T) {
		if line := user.open("/clients/import", nil, typedForm); line.read {
			t.Errorf("the answer is %d", line.Code)
		}
	})
	h.run("at an address that nothing has, nothing is read", func(t *testing.T) {
		if line := h.visitor().open("/no/such/page", nil, typedForm); line.Code != http.StatusNotFound || line.read || len(line.until) != 1 {
			t.Errorf("the answer is %d, read: %v", line.Code, line.read)
		}
	})
	h.run("only messages and mailings may be long", func(t *testing.T) {
		long := strings.Repeat("a", 100<<10)
		for path, want := range map[string]int{
			"/clients/new": http.StatusRequestEntityTooLarge, "/mailings/17/send": http.StatusRequestEntityTooLarge,
			"/messages/new": http.StatusUnprocessableEntity, "/mailings/new": http.StatusSeeOther,
		} {
			user.do(http.MethodPost, path, strings.NewReader("search="+long), typedForm).expect(want)
		}
	})
}
