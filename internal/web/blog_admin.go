package web

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
	"vestnik/internal/web/ui"
)

// editorLimit is room for a post with a cover and a picture for its text, which come in
// one form where there are no scripts.
const editorLimit = 2*pictureLimit + 4<<20

func (w *Web) blogAdminRoutes() []Route {
	return []Route{
		{Pattern: "GET /admin/blog", Access: SignedIn, Serve: listPosts},
		{Pattern: "GET /admin/blog/new", Access: SignedIn, Serve: newPost},
		{Pattern: "POST /admin/blog/new", Access: SignedIn, Serve: createPost, Limit: editorLimit},
		{Pattern: "POST /admin/blog/preview", Access: SignedIn, Serve: previewPost, Limit: editorLimit},
		{Pattern: "POST /admin/blog/pictures", Access: SignedIn, Serve: addPostPicture, Limit: pictureLimit},
		{Pattern: "GET /admin/blog/{id}", Access: SignedIn, Serve: editPost},
		{Pattern: "POST /admin/blog/{id}", Access: SignedIn, Serve: updatePost, Limit: editorLimit},
		{Pattern: "POST /admin/blog/{id}/publish", Access: SignedIn, Serve: publishPost},
		{Pattern: "POST /admin/blog/{id}/unpublish", Access: SignedIn, Serve: unpublishPost},
		{Pattern: "POST /admin/blog/{id}/delete", Access: SignedIn, Serve: deletePost},
	}
}

// postPath is the page on which a post is changed, or a deed below it.
func postPath(id int64, deed string) string {
	path := "/admin/blog/" + strconv.FormatInt(id, 10)
	if deed != "" {
		path += "/" + deed
	}
	return path
}

// stateParam narrows the list of posts to one state.
const stateParam = "state"

func listPosts(r *request) error {
	list, page := r.list("/admin/blog", perPage)
	if page.Sort == "" {
		page.Sort = "updated"
	}
	state := oneOf(list.Query, stateParam, mailing.PostDraft, mailing.PostScheduled, mailing.PostPublished)
	posts, total, err := r.App.Posts(r.in.Context(), r.actor, app.PostFilter{State: state}, page)
	if err != nil {
		return err
	}
	list.Total = int(total)
	return r.render(http.StatusOK, postsPage(r.page(r.T("blog.manage")), list, posts))
}

// postEditor is a post as it stands in the editor.
type postEditor struct {
	post     mailing.Post // as it is stored; ID 0: it is not yet
	typed    app.PostForm
	date     string // from when it is published, as typed
	clock    string
	problems map[string]string
}

func (e postEditor) path() string {
	if e.post.ID == 0 {
		return "/admin/blog/new"
	}
	return postPath(e.post.ID, "")
}

// read is when what stands in the editor was last changed before, for the form.
func (e postEditor) read() string { return strconv.FormatInt(e.typed.Read.UnixMilli(), 10) }

func (r *request) showPost(status int, e postEditor) error {
	title := e.typed.Title
	switch {
	case e.post.ID == 0:
		title = r.T("blog.new")
	case title == "": // it is what has to be mended; the page has a heading all the same
		title = e.post.Title
	}
	p := r.page(title)
	p.Scripts = []string{"post.js"}
	return r.render(status, postEditorPage(p, e))
}

func newPost(r *request) error {
	if !r.writes() {
		return mailing.Fault(mailing.NotFound, "not_found")
	}
	return r.showPost(http.StatusOK, postEditor{})
}

func editPost(r *request) error {
	post, err := r.post()
	if err != nil {
		return err
	}
	e := postEditor{post: post, typed: app.PostForm{Title: post.Title, Body: post.Body, Cover: post.Cover, Read: post.UpdatedAt}}
	if !post.PublishedAt.IsZero() {
		e.date, e.clock = r.wall(post.PublishedAt)
	}
	return r.showPost(http.StatusOK, e)
}

// post is the one that the path names, for those who write.
func (r *request) post() (mailing.Post, error) {
	id, err := r.id("id")
	if err != nil {
		return mailing.Post{}, err
	}
	return r.App.Post(r.in.Context(), r.actor, id)
}

// wall is a moment in the person's zone as the fields of forms have it.
func (r *request) wall(t time.Time) (date, clock string) {
	t = t.In(r.place())
	return t.Format(time.DateOnly), t.Format("15:04")
}

func (r *request) place() *time.Location {
	place, err := mailing.LoadZone(r.actor.Zone)
	if err != nil {
		return time.UTC // as all times are then shown
	}
	return place
}

// The buttons of the editor.
const (
	doSave      = "save" // as it is: a draft stays one
	doPublish   = "publish"
	doUnpublish = "unpublish"
	doPictures  = "pictures" // only takes the pictures that were chosen, and shows the editor again
)

func createPost(r *request) error { return r.savePost(mailing.Post{}) }

func updatePost(r *request) error {
	post, err := r.post()
	if err != nil {
		return err
	}
	return r.savePost(post)
}

// savePost does what the button of the editor says. Whatever goes wrong, the editor is
// shown again with all that was typed.
func (r *request) savePost(post mailing.Post) error {
	if !r.writes() {
		return mailing.Fault(mailing.NotFound, "not_found")
	}
	fault := r.readUpload("picture", editorLimit)
	e := r.typedPost(post)
	if fault == nil {
		fault = r.takePictures(&e.typed)
	}
	at, err := r.publication(e)
	if fault == nil {
		fault = err
	}
	e.typed.At = at
	if fault != nil || r.field("do") == doPictures {
		return r.mendPost(e, fault)
	}
	saved, err := r.storePost(e)
	if err != nil {
		return r.mendPost(e, err)
	}
	return r.done(postPath(saved.ID, ""), r.T("blog.saved."+string(saved.State(r.App.Now()))))
}

func (r *request) storePost(e postEditor) (mailing.Post, error) {
	if e.post.ID == 0 {
		return r.App.CreatePost(r.in.Context(), r.actor, e.typed)
	}
	return r.App.UpdatePost(r.in.Context(), r.actor, e.post.ID, e.typed)
}

// mendPost shows the editor again, with what is wrong.
func (r *request) mendPost(e postEditor, fault error) error {
	status := http.StatusOK
	if mailing.CodeOf(fault) == "changed_meanwhile" {
		// Who has seen this may save once more, and then replaces what others wrote.
		now, err := r.App.Post(r.in.Context(), r.actor, e.post.ID)
		if err != nil {
			return err
		}
		e.typed.Read = now.UpdatedAt
		fault = mailing.FieldFault(mailing.Conflict, "title", "post_changed_meanwhile")
	}
	if fault != nil {
		var ok bool
		if e.problems, ok = r.problems(fault); !ok {
			return fault
		}
		status = statuses[mailing.KindOf(fault)]
	}
	return r.showPost(status, e)
}

// typedPost is what stood in the editor.
func (r *request) typedPost(post mailing.Post) postEditor {
	read, _ := strconv.ParseInt(r.field("read"), 10, 64) // what is no number is no version
	do := r.field("do")
	return postEditor{
		post: post, date: r.field("date"), clock: r.field("time"),
		typed: app.PostForm{
			Title: r.field("title"), Body: r.field("body"), Cover: r.field("cover"), Read: time.UnixMilli(read).UTC(),
			Publish: do == doPublish || do != doUnpublish && !post.PublishedAt.IsZero(),
		},
	}
}

// publication is the moment that was typed; zero when none was, or when it is the one
// that the post has, to the minute.
func (r *request) publication(e postEditor) (time.Time, error) {
	if e.date == "" && e.clock == "" {
		return time.Time{}, nil
	}
	date, clock := r.wall(e.post.PublishedAt)
	if e.date == date && e.clock == clock && !e.post.PublishedAt.IsZero() {
		return e.post.PublishedAt, nil
	}
	if e.clock == "" {
		e.clock = "00:00"
	}
	at, err := time.ParseInLocation(time.DateOnly+" 15:04", e.date+" "+e.clock, r.place())
	if err != nil || at.Year() < 1970 {
		return time.Time{}, mailing.FieldFault(mailing.Invalid, "date", "date_unreadable")
	}
	return at.UTC(), nil
}

// takePictures keeps the pictures that were chosen: one as the cover, one at the end of
// the text, from where the person moves it.
func (r *request) takePictures(typed *app.PostForm) error {
	if r.field("drop_cover") != "" {
		typed.Cover = ""
	}
	cover, err := r.takePicture("cover_file", r.App.AddPicture)
	if err != nil {
		return about("cover_file", err)
	}
	if cover != "" {
		typed.Cover = cover
	}
	shown, err := r.takePicture("picture", r.App.AddPicture)
	if shown != "" {
		typed.Body = strings.TrimRight(typed.Body, "\n") + "\n\n" + pictureMarkdown(shown) + "\n"
	}
	return about("picture", err)
}

// addPostPicture is addMessagePicture for the editor of posts.
func addPostPicture(r *request) error {
	if !r.writes() {
		return mailing.Fault(mailing.NotFound, "not_found")
	}
	return r.answerPicture(r.App.AddPicture)
}

// postPreviewPolicy lets our own page show the preview in a frame, which runs nothing.
const postPreviewPolicy = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"

// previewPost shows what stands in the editor as readers will see it. The form of the
// editor is posted here, into a frame, so that nothing is saved and nothing is lost.
func previewPost(r *request) error {
	if !r.writes() {
		return mailing.Fault(mailing.NotFound, "not_found")
	}
	r.out.Header().Set("Content-Security-Policy", postPreviewPolicy)
	status, fault := http.StatusOK, r.readUpload("picture", editorLimit)
	e := r.typedPost(mailing.Post{})
	var html string
	if fault == nil {
		html, fault = r.App.PreviewPost(r.actor, e.typed.Body)
	}
	if fault != nil {
		problems, ok := r.problems(fault)
		if !ok {
			return fault
		}
		e.problems, status = problems, statuses[mailing.KindOf(fault)]
	}
	return r.render(status, postPreview(r.page(r.T("blog.preview")), e, html))
}

func publishPost(r *request) error   { return r.turnPost(true) }
func unpublishPost(r *request) error { return r.turnPost(false) }

// turnPost publishes a post at once, or makes it a draft, from the list.
func (r *request) turnPost(publish bool) error {
	id, err := r.id("id")
	if err != nil {
		return err
	}
	post, err := r.App.PublishPost(r.in.Context(), r.actor, id, publish)
	if err != nil {
		return err
	}
	return r.done("/admin/blog", r.T("blog.saved."+string(post.State(r.App.Now()))))
}

func deletePost(r *request) error {
	post, err := r.post()
	if err != nil {
		return err
	}
	if err := r.App.DeletePost(r.in.Context(), r.actor, post.ID); err != nil {
		return err
	}
	return r.done("/admin/blog", r.T("blog.deleted", "title", post.Title))
}

func postTone(state mailing.PostState) ui.Tone {
	switch state {
	case mailing.PostPublished:
		return ui.Success
	case mailing.PostScheduled:
		return ui.Busy
	}
	return ui.Neutral
}

func postFilters(p ui.Page) []ui.Option {
	return []ui.Option{
		{Label: p.T("blog.state.any")},
		{Value: string(mailing.PostPublished), Label: p.T("blog.state.published")},
		{Value: string(mailing.PostScheduled), Label: p.T("blog.state.scheduled")},
		{Value: string(mailing.PostDraft), Label: p.T("blog.state.draft")},
	}
}
