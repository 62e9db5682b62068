// Package assets holds the style sheet, the script and the icons of the pages,
// embedded into the binary, and serves them. "make assets" makes the bundle; a
// build without it works all the same and serves one plain style sheet, which
// keeps the pages usable.
package assets

import (
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"
)

// Prefix is the path below which Handler expects its requests.
const Prefix = "/assets/"

// CacheControl is sent with every file of the bundle. Its name changes with its
// content, so it may be kept for a year without asking again (RFC 8246).
const CacheControl = "public, max-age=31536000, immutable"

//go:embed all:dist plain
var embedded embed.FS

// bundle says under which file of which folder each plain name is served.
type bundle struct {
	files  fs.FS
	hashed map[string]string // plain name to hashed name
	etags  map[string]string // hashed name to ETag
}

// embeddedBundle reads the manifest once.
var embeddedBundle = sync.OnceValue(func() *bundle {
	b, err := open(embedded)
	if err != nil {
		panic(err) // the binary was built over a broken bundle
	}
	return b
})

// open reads the manifest of the bundle in dist. Without a bundle it falls back
// to the folder plain, whose only file stands in for app.css.
func open(files fs.FS) (*bundle, error) {
	text, err := fs.ReadFile(files, "dist/manifest.json")
	if errors.Is(err, fs.ErrNotExist) {
		return newBundle(files, "plain", map[string]string{"app.css": "plain.css"})
	}
	if err != nil {
		return nil, fmt.Errorf("assets: read manifest: %w", err)
	}
	hashed := map[string]string{}
	if err := json.Unmarshal(text, &hashed); err != nil {
		return nil, fmt.Errorf("assets: read manifest: %w", err)
	}
	return newBundle(files, "dist", hashed)
}

func newBundle(files fs.FS, folder string, hashed map[string]string) (*bundle, error) {
	sub, err := fs.Sub(files, folder)
	if err != nil {
		return nil, fmt.Errorf("assets: open %s: %w", folder, err)
	}
	b := &bundle{files: sub, hashed: hashed, etags: map[string]string{}}
	for _, name := range hashed {
		content, err := fs.ReadFile(sub, name)
		if err != nil {
			return nil, fmt.Errorf("assets: the manifest names a file that is not there: %w", err)
		}
		b.etags[name] = etagOf(content)
	}
	return b, nil
}

// URL returns the path of a file of the bundle by its plain name, such as
// "app.css", "app.js" or "icons.svg", and "" when this build has no such file.
func URL(name string) string { return embeddedBundle().url(name) }

func (b *bundle) url(name string) string {
	hashed, ok := b.hashed[name]
	if !ok {
		return ""
	}
	if etag := b.etags[hashed]; !strings.Contains(hashed, "-") {
		return Prefix + hashed + "?" + strings.Trim(etag, `"`)
	}
	return Prefix + hashed
}

// Bundled reports whether this binary was built with the bundle.
func Bundled() bool { return URL("app.js") != "" }

// Handler serves the files of the bundle below Prefix with headers that let a
// browser keep them, compressed for those who accept it.
func Handler() http.Handler { return embeddedBundle() }

func (b *bundle) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := path.Base(r.URL.Path)
	etag, known := b.etags[name]
	if !known || Prefix+name != r.URL.Path {
		http.NotFound(w, r)
		return
	}
	content, encoding, err := b.read(name, acceptsGzip(r.Header.Get("Accept-Encoding")))
	if err != nil {
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		return
	}
	header := w.Header()
	header.Set("Content-Type", typeOf(name))
	header.Set("Cache-Control", CacheControl)
	header.Set("Vary", "Accept-Encoding")
	header.Set("X-Content-Type-Options", "nosniff")
	if encoding != "" {
		header.Set("Content-Encoding", encoding)
		etag = strings.TrimSuffix(etag, `"`) + `-gz"` // another representation, another tag (RFC 9110, section 8.8.3.3)
	}
	header.Set("ETag", etag)
	http.ServeContent(w, r, name, time.Time{}, content)
}

// read opens a file, its compressed twin where that is wanted and there.
func (b *bundle) read(name string, compressed bool) (content io.ReadSeeker, encoding string, err error) {
	if compressed {
		if twin, err := fs.ReadFile(b.files, name+".gz"); err == nil {
			return strings.NewReader(string(twin)), "gzip", nil
		}
	}
	plain, err := fs.ReadFile(b.files, name)
	return strings.NewReader(string(plain)), "", err
}
