package web

import (
	"cmp"
	"crypto/rand"
	"net/http"
	"slices"
	"strconv"
	"time"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
	"vestnik/internal/web/ui"
)

// The last section of a mailing; app knows the others.
const sectionReview = "review"

func mailingSections() []string {
	return []string{app.SectionAudience, app.SectionContent, app.SectionSchedule, sectionReview}
}

// mailingEditor is the page on which a mailing is made or changed.
type mailingEditor struct {
	mailingForm
	ID      int64
	Mailing mailing.Mailing // zero: a new one
	Owner   mailing.Account
	Draft   mailing.Draft // what is kept of what was typed; zero: nothing was
	Writer  string        // this page, as it keeps drafts
	Seen    int64         // when what it showed at first was changed last, in milliseconds; 0: it is new
	base    mailingForm   // what the form was compared with: the draft, else the mailing, else the first form
	stored  mailingForm   // the mailing's own; zero: a new one
	Dropped bool          // the draft that was there came to say the same as the mailing, and is gone

	Open     string            // the section that is open
	Problems map[string]string // by field; what is about the whole schedule under ""
	Clash    bool              // another page has changed it since

	Review   app.MailingReview
	Dates    ruleDates
	Picker   contactPicker
	Messages messagePicker
	Zones    []ui.Option
	Preview  []ui.Option // clients whose eyes the message can be seen with
	TestTo   string
	RunOpen  bool   // a run is open that the changes do not touch
	SetsUp   bool   // the visitor may set up how mails leave
	Stored   string // see keptStored
}

// isNew reports whether the mailing is still to be made.
func (e mailingEditor) isNew() bool { return e.Mailing.ID == 0 }

// action is where the form is posted to. A new mailing's goes to where it is made, so that
// what comes in late does not change the mailing that was made of it.
func (e mailingEditor) action() string {
	if e.isNew() {
		return "/mailings/new"
	}
	return mailingPath(e.ID, "/edit")
}

// at is the page with a section open.
func (e mailingEditor) at(section string) string {
	return mailingPath(e.ID, "/edit?"+query("at", section))
}

func (w *Web) newMailing(r *request) error {
	e := mailingEditor{ID: r.App.NewMailingID(), Owner: r.actor, mailingForm: r.firstForm()}
	e.Message, e.Stored = r.field("message"), r.sessions.PopString(r.in.Context(), sessionStored)
	return w.renderEditor(r, http.StatusOK, e)
}

func (w *Web) editMailing(r *request) error {
	id, err := r.id("id")
	if err != nil {
		return err
	}
	e, err := w.editor(r, id)
	if err != nil {
		return err
	}
	return w.renderEditor(r, http.StatusOK, e)
}

// editor is the page of a mailing that is there, or of one of which there is a draft, as
// it was left.
func (w *Web) editor(r *request, id int64) (e mailingEditor, err error) {
	e = mailingEditor{ID: id, Owner: r.actor, mailingForm: r.firstForm()}
	if e.Mailing, e.Draft, err = w.App.MailingDraft(r.in.Context(), r.actor, id); err != nil {
		return e, err
	}
	e.Seen = cmp.Or(unixMilli(e.Draft.UpdatedAt), unixMilli(e.Mailing.UpdatedAt))
	if e.Mailing.ID != 0 {
		if err := w.loadMailing(r, &e); err != nil {
			return e, err
		}
	}
	if form, ok := draftForm(e.Draft); ok {
		e.mailingForm = form
	}
	e.base = e.mailingForm
	return e, nil
}

// loadMailing fills in what is stored of a mailing.
func (w *Web) loadMailing(r *request, e *mailingEditor) error {
	view, err := w.App.Mailing(r.in.Context(), r.actor, e.ID)
	if err != nil {
		return err
	}
	e.Owner = view.Owner
	e.RunOpen = slices.ContainsFunc(view.Runs, func(run mailing.Run) bool { return run.State.Open() })
	chosen, err := w.App.ChosenContacts(r.in.Context(), r.actor, e.ID)
	e.stored = r.storedForm(e.Mailing, chosen)
	e.mailingForm = e.stored
	return err
}

func unixMilli(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// typedEditor is the page as it was sent: of a new mailing by its id in the form, which
// is another if there is none.
func (w *Web) typedEditor(r *request, id int64) (e mailingEditor, err error) {
	if id == 0 {
		if id, err = strconv.ParseInt(r.field("id"), 10, 64); err != nil || id <= 0 {
			id = r.App.NewMailingID()
		}
		e = mailingEditor{ID: id, Owner: r.actor, mailingForm: r.firstForm()}
		e.base = e.mailingForm
		if kept, err := w.editor(r, id); err == nil && kept.isNew() {
			e = kept
		} else if err != nil && mailing.KindOf(err) != mailing.NotFound {
			return e, err
		}
	} else if e, err = w.editor(r, id); err != nil {
		return e, err
	}
	e.mailingForm = r.typedMailing(e.base.Chosen)
	e.Writer, e.TestTo = r.field("writer"), r.field("test_to")
	if r.in.Form.Has("seen") { // else it comes from no page of ours, and goes by what is there
		e.Seen, _ = strconv.ParseInt(r.field("seen"), 10, 64)
	}
	return e, nil
}

// keep saves what was typed, unless it is what is there already. That another page was
// faster is told on the page and no error.
func (w *Web) keep(r *request, e *mailingEditor) error {
	if e.equals(e.base) {
		return nil
	}
	e.Writer = cmp.Or(e.Writer, rand.Text())
	var seen time.Time
	if e.Seen != 0 {
		seen = time.UnixMilli(e.Seen)
	}
	if r.field("do") == "force" {
		seen = cmp.Or(e.Draft.UpdatedAt, e.Mailing.UpdatedAt)
	}
	d, err := w.App.SaveDraft(r.in.Context(), r.actor, mailing.Draft{
		MailingID: e.ID, Form: string(e.kept()), Writer: e.Writer,
	}, e.isNew(), seen)
	if e.Clash = mailing.CodeOf(err) == "changed_meanwhile"; e.Clash {
		return nil
	}
	if err != nil {
		return err
	}
	e.Draft, e.base = d, e.mailingForm
	if !e.isNew() && e.says(e.stored) {
		return w.dropDraft(r, e)
	}
	return nil
}

// dropDraft forgets a draft that has come to say what the mailing says already: nobody has
// changes to apply who has typed back what they had changed. The page goes on from the mailing.
func (w *Web) dropDraft(r *request, e *mailingEditor) error {
	if err := w.App.DiscardDraft(r.in.Context(), r.actor, e.ID); err != nil {
		return err
	}
	e.Draft, e.Dropped, e.Seen = mailing.Draft{}, true, unixMilli(e.Mailing.UpdatedAt)
	return nil
}

// review looks at the mailing as it was typed.
func (w *Web) review(r *request, e *mailingEditor) error {
	form, unreadable := e.values()
	var err error
	e.Review, err = w.App.ReviewMailing(r.in.Context(), e.Owner, app.ReviewForm{
		MailingForm: form, Was: e.Mailing, Unreadable: unreadable, Demo: r.Demo(),
	})
	e.Dates, e.SetsUp = r.datesOf(e.Rule), r.actor.Role.May(mailing.ManageRelays)
	return err
}

// renderEditor shows the page with the owner's contacts and messages.
func (w *Web) renderEditor(r *request, status int, e mailingEditor) error {
	if err := w.pickContacts(r, &e); err != nil {
		return err
	}
	if err := w.pickMessages(r, &e); err != nil {
		return err
	}
	if err := w.review(r, &e); err != nil {
		return err
	}
	var err error
	if e.Preview, err = r.previewContactsOf(e.Owner); err != nil {
		return err
	}
	e.Zones = r.zoneOptions(e.Rule.Zone)
	e.Writer = cmp.Or(e.Writer, rand.Text())
	e.TestTo = cmp.Or(e.TestTo, mailing.DisplayEmail(r.actor.Email))
	if e.Open == "" {
		e.Open = e.opens(oneOf(r.in.URL.Query(), "at", mailingSections()...))
	}
	title := r.T("mailings.add")
	if !e.isNew() {
		title = r.T("mailings.edit_title")
	}
	p := r.page(title)
	p.Scripts = append(p.Scripts, "mailing.js")
	if e.Stored != "" {
		p = withEditor(p)
	}
	return r.render(status, mailingEditorPage(p, e))
}

// opens is the section to begin with: the one asked for, else the first that is not
// complete. Of a complete one it is what is left to do: change something of a mailing that is
// there, look over and send a new one.
func (e mailingEditor) opens(asked string) string {
	if asked != "" {
		return asked
	}
	for _, section := range mailingSections()[:3] {
		if !e.Review.Done(section) {
			return section
		}
	}
	if e.Draft.UpdatedAt.IsZero() && !e.isNew() {
		return app.SectionAudience
	}
	return sectionReview
}
