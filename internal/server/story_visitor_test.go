package server_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// badPages break everything that pages must keep to.
func badPages(out http.ResponseWriter, in *http.Request) {
	switch in.URL.Path {
	case "/":
		out.Header().Set("Content-Type", "text/html")
		out.Header().Set("Content-Security-Policy", "default-src 'self'; img-src *")
		fmt.Fprint(out, `<!DOCTYPE html><title>bad</title><p style="color: red">words</p>`+
			`<img alt="" src="http://elsewhere.example/pixel.gif"><script src="/bad.js"></script>`)
	case "/bad.js":
		out.Header().Set("Content-Type", "text/javascript")
		fmt.Fprint(out, `console.error("complaint"); window.bad = true; nothing.at.all()`)
	default:
		http.NotFound(out, in)
	}
}

func TestStoryVisitor(t *testing.T) {
	t.Parallel()
	storyNeeds(t)
	pages := httptest.NewServer(http.HandlerFunc(badPages))
	t.Cleanup(pages.Close)
	v := newStoryVisitor(t, pages.URL, "en")
	v.open("/")
	v.until("the script has run", `window.bad === true`)
	for _, c := range []struct{ name, heard string }{
		{"a request to another host is heard", "asks for http://elsewhere.example/pixel.gif"},
		{"a style that the policy forbids is heard", "Content Security Policy"},
		{"what a script writes to the console is heard", "complaint"},
		{"a script that fails is heard", "nothing is not defined"},
		{"an answer with an error status is heard", "/favicon.ico answers 404"},
	} {
		t.Run(c.name, func(t *testing.T) {
			await(t, storyPatience, c.name, func() bool {
				v.mu.Lock()
				defer v.mu.Unlock()
				return strings.Contains(strings.Join(v.wrongs, "\n"), c.heard)
			})
		})
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.wrongs = nil // they were to be there
}
