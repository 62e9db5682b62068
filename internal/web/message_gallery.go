package web

import (
	"html"
	"net/http"
	"strconv"

	"github.com/a-h/templ"

	"vestnik/internal/app"
	"vestnik/internal/web/ui"
)

const (
	// viewParam says how the list of messages is looked at.
	viewParam = "view"
	viewList  = "list"
	// starterParam is what a new message begins with.
	starterParam = "from"
	// cardsPerPage is how many messages the gallery shows at once; chosen, since each
	// is a page of its own to the browser.
	cardsPerPage = 24
)

func (w *Web) messageBulkRoutes() []Route {
	return append(w.starterRoutes(),
		Route{Pattern: "POST /messages/delete", Access: SignedIn, Serve: deleteMessages},
		Route{Pattern: "GET /messages/{id}/thumbnail", Access: SignedIn, Serve: thumbnailMessage},
	)
}

// deleteMessages removes the chosen messages that no mailing uses.
func deleteMessages(r *request) error {
	report, err := r.App.DeleteMessages(r.in.Context(), r.actor, r.everyone(), r.chosen())
	if err != nil {
		return err
	}
	return r.bulkDone(r.bulkBack("/messages"), "messages.deleted_many", report)
}

// thumbnailMessage shows a stored message and nothing else.
func thumbnailMessage(r *request) error {
	m, err := r.message()
	if err != nil {
		return err
	}
	return r.thumbnail(app.MessageForm{Subject: m.Subject, Format: m.Format, Body: m.Body})
}

// thumbnailPolicy lets a mail bring its styles and nothing run.
const thumbnailPolicy = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'self'"

// thumbnail answers with the mail itself, as the person made up for previews would see it.
func (r *request) thumbnail(form app.MessageForm) error {
	preview, err := r.App.PreviewMessage(r.in.Context(), r.actor, form, 0)
	if _, ok := r.problems(err); ok {
		preview.Text, err = r.T("messages.preview_impossible"), nil
	}
	if err != nil {
		return err
	}
	if preview.HTML == "" {
		preview.HTML = textSheet(preview.Text)
	}
	r.out.Header().Set("Content-Security-Policy", thumbnailPolicy)
	return r.render(http.StatusOK, templ.Raw(preview.HTML))
}

// textSheet is a text as a mail program shows it.
func textSheet(text string) string {
	return `<!doctype html><meta charset="utf-8"><body style="margin:28px;color:#1d2730;background:#fff;` +
		`font:16px/1.55 Helvetica,Arial,sans-serif;white-space:pre-wrap;overflow-wrap:anywhere">` + html.EscapeString(text)
}

// views are the ways to look at messages.
func (v messagesView) views(p ui.Page) []ui.View {
	return []ui.View{
		{Label: p.T("messages.gallery"), Icon: "layout-grid", Path: v.list.FilterURL(viewParam, ""), Current: v.gallery},
		{Label: p.T("messages.list"), Icon: "list", Path: v.list.FilterURL(viewParam, viewList), Current: !v.gallery},
	}
}

// table is the table of messages, with the columns that the visitor has picked.
func (v messagesView) table(p ui.Page) ui.Table {
	t := ui.Table{Caption: p.T("messages.title"), List: v.list, Columns: v.columns(p)}
	if !v.gallery {
		t.Bulk = "chosen"
	}
	return t
}

// usesWords say how many mailings send a message.
func (v messagesView) usesWords(p ui.Page, id int64) string {
	if v.uses[id] == 0 {
		return p.T("messages.unused")
	}
	return p.N("messages.used", v.uses[id])
}

func thumbnailPath(id int64) string { return "/messages/" + strconv.FormatInt(id, 10) + "/thumbnail" }
