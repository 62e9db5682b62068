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

// perPage is how many lines of a list one page shows; chosen.
const perPage = 50

// scopeParam with the value scopeAll asks for everybody's things.
const (
	scopeParam = "scope"
	scopeAll   = "all"
)

func (w *Web) contactRoutes() []Route {
	return []Route{
		{Pattern: "GET /clients", Access: SignedIn, Serve: listContacts},
		{Pattern: "GET /clients/new", Access: SignedIn, Serve: newContact},
		{Pattern: "POST /clients/new", Access: SignedIn, Serve: createContact},
		{Pattern: "GET /clients/{id}", Access: SignedIn, Serve: viewContact},
		{Pattern: "GET /clients/{id}/edit", Access: SignedIn, Serve: editContact},
		{Pattern: "POST /clients/{id}/edit", Access: SignedIn, Serve: updateContact},
		{Pattern: "POST /clients/{id}/delete", Access: SignedIn, Serve: deleteContact},
		{Pattern: "POST /clients/{id}/suppress", Access: SignedIn, Serve: suppressContact},
		{Pattern: "POST /clients/{id}/unsuppress", Access: SignedIn, Serve: unsuppressContact},
		{Pattern: "POST /clients/delete", Access: SignedIn, Serve: deleteContacts},
	}
}

// contactsView is what the list of contacts shows.
type contactsView struct {
	list     ui.List
	contacts []mailing.Contact
	actor    mailing.Account
	everyone bool
	owners   map[int64]string // by id, when everybody's are shown
}

func listContacts(r *request) error {
	list, page := r.list("/clients", perPage)
	v := contactsView{list: list, actor: r.actor, everyone: r.everyone()}
	filter := contactFilter(list)
	filter.Everyone = v.everyone
	contacts, total, err := r.App.Contacts(r.in.Context(), r.actor, filter, page)
	if err != nil {
		return err
	}
	v.contacts, v.list.Total = contacts, int(total)
	ids := make([]int64, len(contacts))
	for i, c := range contacts {
		ids[i] = c.OwnerID
	}
	if v.owners, err = r.owners(v.everyone, ids); err != nil {
		return err
	}
	p := r.page(r.T("clients.title"))
	r.pickColumns(&v.list, "clients", v.columns(p))
	return r.render(http.StatusOK, contactsPage(p, v))
}

// contactFilter reads the filters of the list from the address; one that it does not know
// is taken out of it.
func contactFilter(list ui.List) (f app.ContactFilter) {
	switch status := oneOf(list.Query, "status", contactFilters()...); status {
	case contactMailable:
		f.Mailable = true
	default:
		f.Reason = mailing.Reason(status)
	}
	return f
}

// everyone reports whether the address asks for everybody's things.
func (r *request) everyone() bool { return r.in.URL.Query().Get(scopeParam) == scopeAll }

// owners names whose things a list of everybody's shows.
func (r *request) owners(everyone bool, ids []int64) (map[int64]string, error) {
	if !everyone {
		return nil, nil
	}
	return r.App.Owners(r.in.Context(), r.actor, ids)
}

// filtered reports whether the list was narrowed, so that an empty one does not
// mean that there is nothing.
func filtered(l ui.List, filters ...string) bool {
	for _, name := range append(filters, ui.SearchParam, ui.PageParam) {
		if l.Query.Get(name) != "" {
			return true
		}
	}
	return false
}

// contactMailable is the status of a contact that is not suppressed; the others
// are the reasons of a suppression.
const contactMailable = "mailable"

// contactFilters are the statuses that a list of contacts can be narrowed to.
func contactFilters() []string {
	return []string{
		contactMailable, string(mailing.ReasonUnsubscribed), string(mailing.ReasonBounced),
		string(mailing.ReasonComplained), string(mailing.ReasonManual), string(mailing.ReasonErased),
	}
}

func contactStatus(c mailing.Contact) string {
	if c.Suppression.Reason == "" {
		return contactMailable
	}
	return string(c.Suppression.Reason)
}

func contactTone(c mailing.Contact) ui.Tone {
	switch c.Suppression.Reason {
	case "":
		return ui.Success
	case mailing.ReasonBounced, mailing.ReasonComplained:
		return ui.Danger
	}
	return ui.Neutral
}

// contactTitle is what to call a contact: the name, or the address as people
// write it.
func contactTitle(c mailing.Contact) string {
	if name := c.Name(); name != "" {
		return name
	}
	return mailing.DisplayEmail(c.Email)
}

// contactView is what the page of a contact shows.
type contactView struct {
	contact  mailing.Contact
	owner    string // whose it is, when not the actor's
	may      app.ContactActions
	timeline contactTimeline
}

func (v contactView) path() string { return contactPath(v.contact.ID) }

func contactPath(id int64) string { return "/clients/" + strconv.FormatInt(id, 10) }

// contact is the contact that the path names, if the actor may see it.
func (r *request) contact() (mailing.Contact, error) {
	id, err := r.id("id")
	if err != nil {
		return mailing.Contact{}, err
	}
	return r.App.Contact(r.in.Context(), r.actor, id)
}

func viewContact(r *request) error {
	contact, err := r.contact()
	if err != nil {
		return err
	}
	v := contactView{contact: contact, may: app.AllowedContact(r.actor, contact)}
	if v.timeline, err = r.timeline(contact); err != nil {
		return err
	}
	owners, err := r.owners(contact.OwnerID != r.actor.ID, []int64{contact.OwnerID})
	if err != nil {
		return err
	}
	v.owner = owners[contact.OwnerID]
	return r.render(http.StatusOK, contactPage(r.page(contactTitle(contact)), v))
}

// contactForm is the form of a contact with ID 0 for a new one.
type contactForm struct {
	contact  mailing.Contact
	problems map[string]string
	twin     string // leads to who has the address already; may be empty
}

func (f contactForm) action() string {
	if f.contact.ID == 0 {
		return "/clients/new"
	}
	return contactPath(f.contact.ID) + "/edit"
}

func (f contactForm) back() string {
	if f.contact.ID == 0 {
		return "/clients"
	}
	return contactPath(f.contact.ID)
}

// contactForm makes the page with the form.
func (r *request) contactForm(c mailing.Contact) func(problems map[string]string) templ.Component {
	return func(problems map[string]string) templ.Component {
		f := contactForm{contact: c, problems: problems}
		return contactFormPage(r.page(f.title(r)), f)
	}
}

func (f contactForm) title(r *request) string {
	if f.contact.ID == 0 {
		return r.T("clients.new")
	}
	return r.T("clients.edit")
}

// mendContact shows the form again; if there is a client with the address already, with a
// link to that one.
func (r *request) mendContact(fault error, typed mailing.Contact) error {
	if mailing.CodeOf(fault) != "contact_exists" {
		return r.mend(fault, r.contactForm(typed))
	}
	twin, err := r.App.TwinOf(r.in.Context(), r.actor, typed.ID, typed.Email)
	if err != nil && mailing.KindOf(err) != mailing.NotFound { // deleted since: nothing is in the way any more
		return err
	}
	return r.mend(fault, func(problems map[string]string) templ.Component {
		f := contactForm{contact: typed, problems: problems}
		if err == nil {
			f.twin = contactPath(twin.ID)
		}
		return contactFormPage(r.page(f.title(r)), f)
	})
}

// typedContact is what was typed into the form.
func (r *request) typedContact() mailing.Contact {
	return mailing.Contact{
		Email: r.field("email"), FirstName: r.field("first_name"), LastName: r.field("last_name"), Comment: r.field("comment"),
	}
}

func newContact(r *request) error {
	return r.render(http.StatusOK, r.contactForm(mailing.Contact{})(nil))
}

func createContact(r *request) error {
	typed := r.typedContact()
	contact, err := r.App.CreateContact(r.in.Context(), r.actor, typed)
	if err != nil {
		return r.mendContact(err, typed)
	}
	sentence := r.T("clients.created", "name", contactTitle(contact))
	if r.field("then") == "another" {
		return r.done("/clients/new", sentence)
	}
	return r.done(contactPath(contact.ID), sentence)
}

func editContact(r *request) error {
	contact, err := r.contact()
	if err != nil {
		return err
	}
	if !app.AllowedContact(r.actor, contact).Edit {
		return mailing.Fault(mailing.Forbidden, "forbidden")
	}
	contact.Email = mailing.DisplayEmail(contact.Email)
	return r.render(http.StatusOK, r.contactForm(contact)(nil))
}

func updateContact(r *request) error {
	id, err := r.id("id")
	if err != nil {
		return err
	}
	typed := r.typedContact()
	typed.ID = id
	contact, err := r.App.UpdateContact(r.in.Context(), r.actor, id, typed)
	if err != nil {
		return r.mendContact(err, typed)
	}
	return r.done(contactPath(id), r.T("clients.saved", "name", contactTitle(contact)))
}

func deleteContact(r *request) error {
	contact, err := r.contact()
	if err != nil {
		return err
	}
	undo, err := r.undoably(func(ctx context.Context) error { return r.App.DeleteContact(ctx, r.actor, contact.ID) })
	if err != nil {
		return err
	}
	return r.deletedUndoably("/clients", contactPath(contact.ID), r.T("clients.deleted", "name", contactTitle(contact)), undo)
}

// deleteContacts removes the chosen clients, or all that the list finds, and returns to it.
func deleteContacts(r *request) error {
	back := r.bulkBack("/clients")
	chosen := r.chosen()
	if !chosen.Found.IsZero() {
		return r.deleteFoundContacts(back, chosen)
	}
	var deleted int64
	undo, err := r.undoably(func(ctx context.Context) (err error) {
		deleted, err = r.App.DeleteContacts(ctx, r.actor, chosen.IDs)
		return err
	})
	if err != nil {
		return err
	}
	if deleted == 0 {
		return r.bulkDone(back, "clients.deleted_many", app.BulkReport{})
	}
	return r.doneUndoably(back, r.N("clients.deleted_many", deleted), undo)
}

// deleteFoundContacts removes all that the list finds. Nobody can take that back: it may
// be a hundred thousand, and the page has asked.
func (r *request) deleteFoundContacts(back string, chosen app.Chosen) error {
	list, _ := r.list("/clients", perPage)
	deleted, more, err := r.App.DeleteFoundContacts(r.in.Context(), r.actor, contactFilter(list), chosen)
	if err != nil {
		return err
	}
	return r.bulkDone(back, "clients.deleted_many", app.BulkReport{Done: deleted, Unasked: more})
}

func suppressContact(r *request) error {
	id, err := r.id("id")
	if err != nil {
		return err
	}
	isNew, err := r.App.SuppressContact(r.in.Context(), r.actor, id)
	if err != nil {
		return err
	}
	if !isNew { // to undo it would undo what was before
		return r.done(contactPath(id), r.T("clients.suppressed_before"))
	}
	return r.doneUndoably(contactPath(id), r.T("clients.suppressed"), contactPath(id)+"/unsuppress")
}

func unsuppressContact(r *request) error {
	id, err := r.id("id")
	if err != nil {
		return err
	}
	if err := r.App.UnsuppressContact(r.in.Context(), r.actor, id); err != nil {
		return err
	}
	return r.done(contactPath(id), r.T("clients.unsuppressed"))
}

// all is the address of the whole list.
func (v contactsView) all() string { return scoped("/clients", v.everyone) }

func scoped(path string, everyone bool) string {
	if everyone {
		return path + "?" + query(scopeParam, scopeAll)
	}
	return path
}

func (v contactsView) may(c mailing.Contact) app.ContactActions {
	return app.AllowedContact(v.actor, c)
}

func (v contactsView) table(p ui.Page) ui.Table {
	t := ui.Table{Caption: p.T("clients.title"), List: v.list, Columns: v.columns(p)}
	if !v.everyone {
		t.Bulk = "chosen"
	}
	return t
}

func (v contactsView) columns(p ui.Page) []ui.Column {
	columns := []ui.Column{
		{Title: p.T("clients.name"), Key: "last_name"},
		{Title: p.T("field.email"), Key: "email", Pick: "email"},
	}
	if v.everyone {
		columns = append(columns, ui.Column{Title: p.T("scope.owner")})
	}
	return append(columns,
		ui.Column{Title: p.T("field.status"), Key: "status", Pick: "status"},
		ui.Column{Title: p.T("field.comment"), Pick: "comment", Off: true},
		ui.Column{Title: p.T("clients.added"), Key: "created", Pick: "added"},
		ui.Column{Title: p.T("clients.actions"), Unseen: true})
}

// shortened is the beginning of a text, of the given number of runes at most.
func shortened(text string, runes int) string {
	if letters := []rune(text); len(letters) > runes {
		return string(letters[:runes-1]) + "…"
	}
	return text
}
