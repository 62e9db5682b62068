package server_test

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"image/jpeg"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"vestnik/internal/app"
	"vestnik/internal/config"
	"vestnik/internal/mailing"
	"vestnik/internal/server"
)

// blogStory is a person who writes, and another who reads.
type blogStory struct {
	*storyVisitor
	reader      *storyVisitor
	title, body string
	picture     string // path of a file
}

const storyWriter = "writer@example.org"

func TestBlogStory(t *testing.T) {
	t.Parallel()
	storyNeeds(t)
	for lang, words := range map[string][2]string{
		"ru": {"Чай нового урожая", "## Что нового\n\nПервый **сбор** уже здесь: с ближнего поля, где туман по утрам держится до десяти.\n\n"},
		"en": {"Tea of the new harvest", "## What is new\n\nThe first **picking** is here, from the near field, where the fog stays until ten in the morning.\n\n"},
	} {
		t.Run("a post is written, published, and read once, in "+lang, func(t *testing.T) {
			t.Parallel()
			if lang == "en" {
				needSystem(t) // a browser computes for long, and the other language tells the same
			}
			c := storySettings(t)
			makeStoryWriter(t, c, lang)
			base := storyService(t, c)
			s := blogStory{
				storyVisitor: newStoryVisitor(t, base, lang), reader: newStoryVisitor(t, base, lang),
				title: words[0], body: words[1], picture: storyPhoto(t),
			}
			s.signIn()
			s.wearFace()
			s.write()
			s.preview()
			s.publish()
			s.read()
			s.seeCount()
			s.seeHome()
		})
	}
}

// makeStoryWriter makes an admin before the service starts.
func makeStoryWriter(t *testing.T, c config.Config, lang string) {
	t.Helper()
	base, err := server.Open(t.Context(), c, slog.New(slog.DiscardHandler), false)
	if err != nil {
		t.Fatal(err)
	}
	defer base.Close()
	_, err = base.App.CreateAccount(t.Context(), app.NewAccount{
		Email: storyWriter, FirstName: "Анна", LastName: "Чайкина", Password: storyPassword, Role: mailing.RoleAdmin, Lang: lang,
	})
	if err != nil {
		t.Fatal(err)
	}
}

// storyPhoto is a picture of a field under a sky.
func storyPhoto(t *testing.T) string {
	t.Helper()
	m := image.NewRGBA(image.Rect(0, 0, 1200, 675))
	for y := range 675 {
		for x := range 1200 {
			c := color.RGBA{uint8(120 + y/6), uint8(180 + y/12), 230, 255}
			if y > 380+(x-600)*(x-600)/9000 {
				c = color.RGBA{uint8(70 + x/40), uint8(150 - y/12), 80, 255}
			}
			m.Set(x, y, c)
		}
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, m, nil); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "field.jpg")
	if err := os.WriteFile(path, out.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func (s *blogStory) signIn() {
	s.open("/login")
	s.fill("email", storyWriter)
	s.fill("password", storyPassword)
	s.press(s.T("action.sign_in"))
}

// wearFace takes a picture as avatar, having seen it before.
func (s *blogStory) wearFace() {
	s.open("/profile")
	s.do("choose a face", chromedp.SetUploadFiles(chromedp.ID("field-avatar"), []string{s.picture}))
	s.until("the face is shown before it is sent", `document.querySelector("[data-preview-frame] img").src.startsWith("data:image/jpeg")`)
	s.press(s.T("action.upload"))
	s.sees(s.T("profile.avatar_saved"))
	s.until("the face is in the head of the page", `document.querySelector(".topbar img.face").naturalWidth === 96`)
	s.look("profile")
}

// write makes a draft with a picture in the text and another above it.
func (s *blogStory) write() {
	s.turnTo("/blog")
	s.sees(s.T("blog.none"))
	s.press(s.T("blog.manage"))
	s.press(s.T("blog.write"))
	s.fill("title", s.title)
	s.fill("body", s.body)
	s.do("choose a picture for the text", chromedp.SetUploadFiles(chromedp.ID("field-picture"), []string{s.picture}))
	s.until("the picture stands in the text", `/!\[\]\(\/pictures\/[0-9a-f]{32}\)/.test(document.getElementById("field-body").value)`)
	s.do("choose a cover", chromedp.SetUploadFiles(chromedp.ID("field-cover_file"), []string{s.picture}))
	s.until("the cover is shown", `document.querySelector(".cover-shown img").naturalWidth > 0`)
}

// preview shows the post as it will be, and loses nothing of what was typed.
func (s *blogStory) preview() {
	s.do("show the preview", chromedp.Click(storyButton(s.T("blog.show_preview"))))
	const frame = `document.querySelector("iframe[name=preview]").contentDocument`
	s.until("the preview is there", frame+`.querySelector(".prose img")?.naturalWidth === 1200`)
	s.holds("nothing is lost", `document.getElementById("field-title").value === `+storyJS(s.title))
	s.look("editor")
	s.press(s.T("blog.save_draft"))
	s.sees(s.T("blog.saved.draft"))
	s.open("/blog")
	s.sees(s.T("blog.none"))
}

func (s *blogStory) publish() {
	s.open("/admin/blog")
	s.press(s.title)
	s.press(s.T("blog.publish"))
	s.sees(s.T("blog.saved.published"))
	s.open("/admin/blog")
	s.sees(s.title, s.T("blog.state.published"))
	s.look("posts")
}

// read is what somebody does who is not signed in: once as a program, whose name the
// browser of a test has, and then as a person who loads the page again.
func (s *blogStory) read() {
	v := s.reader
	v.open("/")
	v.press(v.T("blog.more"))
	v.sees(s.title, v.N("blog.views", 0))
	v.do("be a person", func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
		_, err := cdp.Call(ctx, t, emulation.SetUserAgentOverride, emulation.SetUserAgentOverrideParams{
			UserAgent: "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
		})
		return chromedp.Void{}, err
	})
	for range 3 {
		v.follow("reload", chromedp.Reload())
	}
	v.sees(v.N("blog.views", 1))
	v.holds("the picture in the text is there", `document.querySelector(".prose img").getAttribute("src").startsWith("/pictures/")`)
	v.look("article")
	v.open("/blog")
	v.sees(s.title)
	v.look("blog")
	answer, err := http.Get(v.base + "/blog/feed.xml")
	if err != nil || answer.StatusCode != http.StatusOK {
		s.t.Fatalf("the feed: %v %v", answer, err)
	}
	answer.Body.Close()
}

func (s *blogStory) seeCount() {
	s.open("/admin/blog")
	s.holds("one view is counted", `document.querySelector("td.cell-number .cell").innerText.trim() === "1"`)
}

// seeHome sees the post on the home page, signed in and not.
func (s *blogStory) seeHome() {
	s.open("/")
	s.sees(s.T("blog.from"), s.title)
	s.look("home")
	s.reader.open("/")
	s.reader.sees(s.T("blog.from"), s.title)
	s.reader.look("welcome")
}
