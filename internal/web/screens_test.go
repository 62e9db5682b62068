package web_test

import (
	"bytes"
	"context"
	"fmt"
	"html/template"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	browserpage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"vestnik/internal/browser"
)

// screensSetting is the environment variable with the folder that pictures of all pages
// go to; see "make screens".
const screensSetting = "VESTNIK_SCREENS"

// The windows that pages are pictured in, in CSS pixels.
var screenViews = []view{{"ru", 1280, 900}, {"ru", 390, 844}, {"en", 1280, 900}, {"en", 390, 844}}

var themes = []string{"light", "dark"}

// readmePicture is one that the README shows: what the window shows of a page.
type readmePicture struct {
	name, page, theme string
	width             int64
}

var readmePictures = []readmePicture{
	{"home", "GET /{$} admin", "light", 1280},
	{"mailing", "GET /mailings/{id} admin", "light", 1280},
	{"run", "GET /runs/{id} admin", "light", 1280},
	{"phone", "GET /mailings admin", "dark", 390},
}

// readmeLimit is how many bytes a picture of the README may have.
const readmeLimit = 150_000

// readmeFile is where the README finds a picture, below the folder of all pictures.
func (p readmePicture) file(lang string) string {
	return fmt.Sprintf("readme-%s-%s.webp", p.name, lang)
}

// picture is one that was taken: of which page, and how.
type picture struct{ Page, Lang, Theme, File string }

func TestScreens(t *testing.T) {
	folder := os.Getenv(screensSetting)
	if folder == "" {
		t.Skipf("set %s to the folder that pictures of all pages shall go to", screensSetting)
	}
	needsBundle(t)
	var mu sync.Mutex
	var taken []picture
	t.Run("views", func(t *testing.T) {
		for _, v := range screenViews {
			t.Run(fmt.Sprintf("%s %d", v.lang, v.width), func(t *testing.T) {
				t.Parallel()
				w, base := servedWorld(t, v.lang)
				k := newWalker(t, base, v)
				w.walk(t, w.h.web.Routes(), func(s stop) {
					if !k.open(s) {
						return
					}
					for _, theme := range themes {
						p := picture{s.name, v.lang, theme, fmt.Sprintf("%s-%s-%d-%s.webp", fileOf(s.name), v.lang, v.width, theme)}
						k.picture(theme, filepath.Join(folder, p.File), wholePage)
						for _, r := range readmePictures {
							if r.page == s.name && r.theme == theme && r.width == v.width {
								k.picture(theme, filepath.Join(folder, r.file(v.lang)), v.firstSight)
							}
						}
						mu.Lock()
						taken = append(taken, p)
						mu.Unlock()
					}
				})
			})
		}
	})
	if err := writeScreensIndex(folder, taken); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d pictures; look through %s", len(taken), filepath.Join(folder, "index.html"))
}

var notInNames = regexp.MustCompile(`[^a-z0-9]+`)

// fileOf is the name of a stop in the name of a file.
func fileOf(name string) string {
	name = strings.ToLower(strings.TrimPrefix(name, "GET "))
	return strings.Trim(notInNames.ReplaceAllString(name, "-"), "-")
}

// picture takes the page in a theme.
func (k *walker) picture(theme, file string, take chromedp.Action[[]byte]) {
	k.t.Helper()
	ctx, cancel := context.WithTimeout(k.tab, pagePatience)
	defer cancel()
	if err := chromedp.Do(ctx, browser.Scheme(theme)); err != nil {
		k.t.Fatal(err)
	}
	shot, err := chromedp.Run(ctx, take)
	if err == nil {
		err = os.MkdirAll(filepath.Dir(file), 0o755)
	}
	if err == nil {
		err = os.WriteFile(file, shot, 0o644)
	}
	if err != nil {
		k.t.Fatalf("%s: %v", file, err)
	}
}

// tallest is as much of a page as is pictured, in CSS pixels: a longer one tells no more.
const tallest = 4000

// wholePage takes more than the window shows, from the top.
func wholePage(ctx context.Context, t *chromedp.Target) ([]byte, error) {
	metrics, err := cdp.Call(ctx, t, browserpage.GetLayoutMetrics, cdp.Empty{})
	if err != nil {
		return nil, err
	}
	return shoot(ctx, t, metrics.CSSContentSize.Width, min(metrics.CSSContentSize.Height, tallest))
}

// firstSight takes what the window shows.
func (v view) firstSight(ctx context.Context, t *chromedp.Target) ([]byte, error) {
	return shoot(ctx, t, float64(v.width), float64(v.height))
}

func shoot(ctx context.Context, t *chromedp.Target, width, height float64) ([]byte, error) {
	yes := true
	shot, err := cdp.Call(ctx, t, browserpage.CaptureScreenshot, browserpage.CaptureScreenshotParams{
		Format: "webp", CaptureBeyondViewport: &yes, Clip: &browserpage.Viewport{Width: width, Height: height, Scale: 1},
	})
	return shot.Data, err
}

func TestPicturesOfTheREADME(t *testing.T) {
	for lang, file := range map[string]string{"en": "README.md", "ru": "README.ru.md"} {
		text, err := os.ReadFile(filepath.Join("..", "..", file))
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range readmePictures {
			if !strings.Contains(string(text), "docs/screens/"+p.file(lang)) {
				t.Errorf("%s does not show %s", file, p.file(lang))
			}
			about, err := os.Stat(filepath.Join("..", "..", "docs", "screens", p.file(lang)))
			if err != nil {
				t.Error(err)
			} else if about.Size() > readmeLimit {
				t.Errorf("%s has %d bytes, more than %d", p.file(lang), about.Size(), readmeLimit)
			}
		}
	}
}

// screensIndex shows the pictures of each page beside each other.
var screensIndex = template.Must(template.New("index").Parse(`<!DOCTYPE html>
<html lang="en"><meta charset="utf-8"><title>Vestnik: all pages</title>
<style>
body { margin: 2rem; font: 16px/1.5 system-ui, sans-serif; background: #ddd }
section > div { display: flex; gap: 1rem; align-items: flex-start; overflow-x: auto; padding-bottom: 1rem }
figure { flex: none; margin: 0 } img { max-height: 40rem; max-width: 40rem; border: 1px solid #888 }
</style>
<h1>All pages</h1>
{{range .}}<section><h2>{{.Name}}</h2><div>
{{range .Pictures}}<figure><a href="{{.File}}"><img loading="lazy" src="{{.File}}" alt="{{.Page}}, {{.Lang}}, {{.Theme}}"></a><figcaption>{{.Lang}}, {{.Theme}}</figcaption></figure>
{{end}}</div></section>
{{end}}</html>
`))

// shelf is all pictures of a page.
type shelf struct {
	Name     string
	Pictures []picture
}

func writeScreensIndex(folder string, taken []picture) error {
	var shelves []*shelf
	byName := map[string]*shelf{}
	for _, p := range taken {
		if byName[p.Page] == nil {
			byName[p.Page] = &shelf{Name: p.Page}
			shelves = append(shelves, byName[p.Page])
		}
		byName[p.Page].Pictures = append(byName[p.Page].Pictures, p)
	}
	var out bytes.Buffer
	if err := screensIndex.Execute(&out, shelves); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, "index.html"), out.Bytes(), 0o644)
}
