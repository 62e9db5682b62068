package web

import (
	"context"
	"net/http"
	"strconv"

	"github.com/a-h/templ"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
	"vestnik/internal/web/ui"
)

func (w *Web) messageRoutes() []Route {
	return []Route{
		{Pattern: "GET /messages", Access: SignedIn, Serve: listMessages},
		{Pattern: "GET /messages/new", Access: SignedIn, Serve: newMessage},
		{Pattern: "POST /messages/new", Access: SignedIn, Serve: createMessage, Limit: textLimit},
		{Pattern: "GET /messages/{id}", Access: SignedIn, Serve: viewMessage},
		{Pattern: "GET /messages/{id}/edit", Access: SignedIn, Serve: editMessage},
		{Pattern: "POST /messages/{id}/edit", Access: SignedIn, Serve: updateMessage, Limit: textLimit},
		{Pattern: "POST /messages/{id}/delete", Access: SignedIn, Serve: deleteMessage},
		{Pattern: "GET /messages/{id}/preview", Access: SignedIn, Serve: previewMessage},
		{Pattern: "POST /messages/{id}/test", Access: SignedIn, Serve: testMessage},
		{Pattern: "POST /messages/preview", Access: SignedIn, Serve: previewDraft, Limit: textLimit},
		{Pattern: "POST /messages/pictures", Access: SignedIn, Serve: addMessagePicture, Limit: pictureLimit},
		{Pattern: "POST /messages/test", Access: SignedIn, Serve: testDraft, Limit: textLimit},
	}
}

// messagesView is what the list of messages shows.
type messagesView struct {
	list     ui.List
	messages []mailing.Message
	actor    mailing.Account
	everyone bool
	gallery  bool             // as they look, not line by line
	owners   map[int64]string // by id, when everybody's are shown
	uses     map[int64]int64  // how many mailings send each
}

func (v messagesView) may(m mailing.Message) bool { return app.MayChangeMessage(v.actor, m) }

func (v messagesView) all() string { return scoped("/messages", v.everyone) }

func listMessages(r *request) error {
	gallery := r.in.URL.Query().Get(viewParam) != viewList
	size := perPage
	if gallery {
		size = cardsPerPage
	}
	list, page := r.list("/messages", size)
	if page.Sort == "" {
		page.Sort = "updated"
	}
	v := messagesView{list: list, actor: r.actor, everyone: r.everyone(), gallery: gallery}
	messages, total, err := r.App.Messages(r.in.Context(), r.actor, v.everyone, page)
	if err != nil {
		return err
	}
	v.messages, v.list.Total = messages, int(total)
	ids := make([]int64, len(messages))
	for i, m := range messages {
		ids[i] = m.OwnerID
	}
	if v.owners, err = r.owners(v.everyone, ids); err != nil {
		return err
	}
	if v.uses, err = r.App.MessageUses(r.in.Context(), r.actor, messages); err != nil {
		return err
	}
	p := r.page(r.T("messages.title"))
	r.pickColumns(&v.list, "messages", v.columns(p))
	return r.render(http.StatusOK, messagesPage(p, v))
}

// message is the message that the path names, if the actor may see it.
func (r *request) message() (mailing.Message, error) {
	id, err := r.id("id")
	if err != nil {
		return mailing.Message{}, err
	}
	return r.App.Message(r.in.Context(), r.actor, id)
}

func messagePath(id int64) string { return "/messages/" + strconv.FormatInt(id, 10) }

// messageView is what the page of a message shows.
type messageView struct {
	message  mailing.Message
	may      bool   // change it
	own      bool   // and so send it by a mailing
	owner    string // whose it is, when not the actor's
	contacts []ui.Option
	test     testForm
	stored   string // under which name the browser kept what was just stored; empty: nothing was
}

// testForm is where a test of a message goes to.
type testForm struct {
	to, contact string
	problems    map[string]string
}

func viewMessage(r *request) error {
	return r.viewMessage(testForm{to: mailing.DisplayEmail(r.actor.Email)}, http.StatusOK)
}

func (r *request) viewMessage(test testForm, status int) error {
	m, err := r.message()
	if err != nil {
		return err
	}
	v := messageView{message: m, may: app.MayChangeMessage(r.actor, m), own: m.OwnerID == r.actor.ID, test: test}
	if v.contacts, err = r.previewContacts(); err != nil {
		return err
	}
	owners, err := r.owners(!v.own, []int64{m.OwnerID})
	if err != nil {
		return err
	}
	v.owner, v.stored = owners[m.OwnerID], r.sessions.PopString(r.in.Context(), sessionStored)
	return r.render(status, messagePage(r.page(r.SubjectName(m.Subject)), v))
}

// previewChoices is how many contacts a preview can be chosen from; chosen, the
// list is for a look from some sides.
const previewChoices = 50

// previewContacts are the persons a preview can be made for: one made up, then
// the latest of the actor's contacts.
func (r *request) previewContacts() ([]ui.Option, error) {
	contacts, _, err := r.App.Contacts(r.in.Context(), r.actor, app.ContactFilter{}, app.Page{Desc: true, Limit: previewChoices})
	if err != nil {
		return nil, err
	}
	options := []ui.Option{{Value: "", Label: r.T("messages.example_person")}}
	for _, c := range contacts {
		label := mailing.DisplayEmail(c.Email)
		if name := c.Name(); name != "" {
			label = name + " · " + label
		}
		options = append(options, ui.Option{Value: strconv.FormatInt(c.ID, 10), Label: label})
	}
	return options, nil
}

// previewContact is the id of the chosen contact; 0 is the person made up.
func (r *request) previewContact() int64 {
	id, err := strconv.ParseInt(r.field("contact"), 10, 64)
	if err != nil {
		return 0
	}
	return id
}

func testMessage(r *request) error {
	m, err := r.message()
	if err != nil {
		return err
	}
	form := app.MessageForm{Subject: m.Subject, Format: m.Format, Body: m.Body}
	err = r.App.SendTest(r.in.Context(), r.actor, form, r.field("to"), r.previewContact())
	if err == nil {
		return r.done(messagePath(m.ID), r.testSent())
	}
	problems, ok := r.problems(err)
	if !ok {
		return err
	}
	return r.viewMessage(testForm{r.field("to"), r.field("contact"), problems}, statuses[mailing.KindOf(err)])
}

// testSent says that a test is on its way, and where it can be read.
func (r *request) testSent() string {
	if r.Demo() {
		return r.T("messages.test_sent_demo", "email", r.field("to"))
	}
	return r.T("messages.test_sent", "email", r.field("to"))
}

// editorForm is the editor as it stands; ID 0 is a new message.
type editorForm struct {
	id       int64
	typed    app.MessageForm
	contacts []ui.Option
	test     testForm // its problems are those of the whole form
	kept     string   // under which name the browser keeps what is typed
	answer   bool     // to what was typed, which stands in it
}

func (f editorForm) action() string {
	if f.id == 0 {
		return "/messages/new"
	}
	return messagePath(f.id) + "/edit"
}

// isBlank reports whether nothing was written yet.
func (f editorForm) isBlank() bool { return f.id == 0 && f.typed.Subject == "" && f.typed.Body == "" }

func (f editorForm) back() string {
	if f.id == 0 {
		return "/messages"
	}
	return messagePath(f.id)
}

// editor makes the page with the form as it is filled in.
func (r *request) editor(id int64, typed app.MessageForm, sent ...ui.Flash) (func(problems map[string]string) templ.Component, error) {
	contacts, err := r.previewContacts()
	if err != nil {
		return nil, err
	}
	title, to := r.T("messages.new"), mailing.DisplayEmail(r.actor.Email)
	if id != 0 {
		title = r.T("messages.edit")
	}
	if r.in.Method == http.MethodPost {
		to = r.field("to")
	}
	return func(problems map[string]string) templ.Component {
		p := r.page(title)
		p.Flashes = append(p.Flashes, sent...)
		return editorPage(p, editorForm{
			id: id, typed: typed, contacts: contacts, test: testForm{to, r.field("contact"), problems},
			kept: keptName(r.actor, id), answer: r.in.Method == http.MethodPost,
		})
	}, nil
}

func (r *request) showEditor(id int64, typed app.MessageForm, sent ...ui.Flash) error {
	page, err := r.editor(id, typed, sent...)
	if err != nil {
		return err
	}
	return r.render(http.StatusOK, page(nil))
}

func (r *request) mendEditor(fault error, id int64, typed app.MessageForm) error {
	page, err := r.editor(id, typed)
	if err != nil {
		return err
	}
	return r.mend(fault, page)
}

func (r *request) typedMessage() app.MessageForm {
	return app.MessageForm{
		Subject: r.field("subject"), Format: mailing.Format(r.field("format")), Body: r.field("body"),
	}
}

func newMessage(r *request) error {
	if form, ok := starter(r.Lang(), r.in.URL.Query().Get(starterParam)); ok {
		return r.showEditor(0, form)
	}
	return r.showEditor(0, app.MessageForm{Format: mailing.FormatMarkdown})
}

func createMessage(r *request) error {
	typed := r.typedMessage()
	m, err := r.App.CreateMessage(r.in.Context(), r.actor, typed)
	if err != nil {
		return r.mendEditor(err, 0, typed)
	}
	return r.messageDone(0, m, r.T("messages.created"))
}

// doNext is the button that stores a message and goes on to whom it is sent.
const doNext = "next"

// messageDone shows the message that was stored from the editor of a message, 0 for a new
// one, with what is odd about it.
func (r *request) messageDone(of int64, m mailing.Message, sentence string) error {
	for _, warning := range r.App.MessageWarnings(m) {
		r.flash(ui.Warning, r.T("messages.odd."+warning.Field, "problem", r.Error(warning)))
	}
	r.sessions.Put(r.in.Context(), sessionStored, keptName(r.actor, of))
	if r.field("do") == doNext {
		return r.done("/mailings/new?"+query("message", strconv.FormatInt(m.ID, 10)), sentence)
	}
	return r.done(messagePath(m.ID), sentence)
}

// changeable is the message that the path names, if the actor may change it.
func (r *request) changeableMessage() (mailing.Message, error) {
	m, err := r.message()
	if err == nil && !app.MayChangeMessage(r.actor, m) {
		err = mailing.Fault(mailing.Forbidden, "forbidden")
	}
	return m, err
}

func editMessage(r *request) error {
	m, err := r.changeableMessage()
	if err != nil {
		return err
	}
	return r.showEditor(m.ID, app.MessageForm{Subject: m.Subject, Format: m.Format, Body: m.Body})
}

func updateMessage(r *request) error {
	id, err := r.id("id")
	if err != nil {
		return err
	}
	typed := r.typedMessage()
	m, err := r.App.UpdateMessage(r.in.Context(), r.actor, id, typed)
	if err != nil {
		return r.mendEditor(err, id, typed)
	}
	return r.messageDone(m.ID, m, r.T("messages.saved"))
}

func deleteMessage(r *request) error {
	m, err := r.message()
	if err != nil {
		return err
	}
	undo, err := r.undoably(func(ctx context.Context) error { return r.App.DeleteMessage(ctx, r.actor, m.ID) })
	if mailing.CodeOf(err) == "message_in_use" {
		r.flash(ui.Danger, r.Error(err))
		r.redirect(messagePath(m.ID))
		return nil
	}
	if err != nil {
		return err
	}
	return r.deletedUndoably("/messages", messagePath(m.ID), r.T("messages.deleted", "subject", r.SubjectName(m.Subject)), undo)
}

// testDraft sends what stands in the editor, without saving it, and shows the
// editor again as it was.
func testDraft(r *request) error {
	typed := r.typedMessage()
	id, _ := strconv.ParseInt(r.field("message"), 10, 64) // what is no number is a new message
	if id != 0 {
		if _, err := r.App.Message(r.in.Context(), r.actor, id); err != nil {
			return err
		}
	}
	if err := r.App.SendTest(r.in.Context(), r.actor, typed, r.field("to"), r.previewContact()); err != nil {
		return r.mendEditor(err, id, typed)
	}
	return r.showEditor(id, typed, ui.Flash{Tone: ui.Success, Text: r.testSent()})
}

func (v messagesView) columns(p ui.Page) []ui.Column {
	columns := []ui.Column{
		{Title: p.T("field.subject"), Key: "subject"},
		{Title: p.T("messages.format"), Pick: "format"},
		{Title: p.T("messages.uses"), Pick: "uses"},
	}
	if v.everyone {
		columns = append(columns, ui.Column{Title: p.T("scope.owner")})
	}
	return append(columns,
		ui.Column{Title: p.T("messages.changed"), Key: "updated", Pick: "changed"},
		ui.Column{Title: p.T("messages.actions"), Unseen: true})
}

// preview is the address of the stored message's preview; what has been typed
// since is shown at the press of the button.
func (f editorForm) preview() string {
	if f.id == 0 {
		return ""
	}
	return messagePath(f.id) + "/preview"
}
