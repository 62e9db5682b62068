package assets

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
)

const sheet = "body{color:red}"

// bundled is a bundle of one style sheet with its compressed twin.
func bundled(t *testing.T) *bundle {
	t.Helper()
	var twin bytes.Buffer
	w := gzip.NewWriter(&twin)
	if _, err := io.WriteString(w, sheet); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	b, err := open(fstest.MapFS{
		"dist/manifest.json":         {Data: []byte(`{"app.css":"app-0123456789.css"}`)},
		"dist/app-0123456789.css":    {Data: []byte(sheet)},
		"dist/app-0123456789.css.gz": {Data: twin.Bytes()},
	})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func get(h http.Handler, path string, headers ...string) *http.Response {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func TestBundle(t *testing.T) {
	b := bundled(t)
	address := b.url("app.css")

	t.Run("a file is served under its hashed name and may be kept", func(t *testing.T) {
		res := get(b, address)
		body, _ := io.ReadAll(res.Body)
		if res.StatusCode != 200 || string(body) != sheet {
			t.Fatalf("GET %s: %d %q", address, res.StatusCode, body)
		}
		if got := res.Header.Get("Cache-Control"); got != CacheControl {
			t.Errorf("Cache-Control: %q", got)
		}
		if got := res.Header.Get("Content-Type"); got != "text/css; charset=utf-8" {
			t.Errorf("Content-Type: %q", got)
		}
	})

	t.Run("a browser that takes gzip gets the compressed twin with a tag of its own", func(t *testing.T) {
		res := get(b, address, "Accept-Encoding", "br, gzip;q=0.8")
		if res.Header.Get("Content-Encoding") != "gzip" {
			t.Fatalf("Content-Encoding: %q", res.Header.Get("Content-Encoding"))
		}
		r, err := gzip.NewReader(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		if body, _ := io.ReadAll(r); string(body) != sheet {
			t.Errorf("body: %q", body)
		}
		if res.Header.Get("ETag") == get(b, address).Header.Get("ETag") {
			t.Error("both representations have the same ETag")
		}
	})

	t.Run("gzip with weight zero is refused", func(t *testing.T) {
		if res := get(b, address, "Accept-Encoding", "gzip;q=0"); res.Header.Get("Content-Encoding") != "" {
			t.Error("got it compressed")
		}
	})

	t.Run("a browser that has it is told so", func(t *testing.T) {
		etag := get(b, address).Header.Get("ETag")
		if res := get(b, address, "If-None-Match", etag); res.StatusCode != http.StatusNotModified {
			t.Errorf("status %d", res.StatusCode)
		}
	})

	for _, path := range []string{"/assets/", "/assets/manifest.json", "/assets/.gitignore", "/assets/x/app-0123456789.css", "/assets/app.css"} {
		t.Run("there is nothing else: "+path, func(t *testing.T) {
			if res := get(b, path); res.StatusCode != http.StatusNotFound {
				t.Errorf("status %d", res.StatusCode)
			}
		})
	}
}

func TestOpen(t *testing.T) {
	t.Run("without a bundle the plain style sheet stands in", func(t *testing.T) {
		b, err := open(fstest.MapFS{"plain/plain.css": {Data: []byte(sheet)}})
		if err != nil {
			t.Fatal(err)
		}
		address := b.url("app.css")
		if !strings.HasPrefix(address, "/assets/plain.css?") {
			t.Errorf("url %q does not change with the content", address)
		}
		if res := get(b, address); res.StatusCode != 200 {
			t.Errorf("status %d", res.StatusCode)
		}
		if b.url("app.js") != "" {
			t.Error("there is a script")
		}
	})

	t.Run("a manifest that names a missing file is an error", func(t *testing.T) {
		_, err := open(fstest.MapFS{"dist/manifest.json": {Data: []byte(`{"app.css":"gone.css"}`)}})
		if err == nil {
			t.Error("opened")
		}
	})

	t.Run("what is embedded opens and has a style sheet", func(t *testing.T) {
		if URL("app.css") == "" {
			t.Error("no style sheet")
		}
	})
}
