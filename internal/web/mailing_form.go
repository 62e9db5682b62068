package web

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strconv"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
	"vestnik/internal/web/ui"
)

// mailingForm is a mailing as it was typed.
type mailingForm struct {
	Audience          string
	Chosen            []int64 // ids of the contacts that are ticked
	Search            string  // among the contacts to choose from
	Message           string
	Rule              ruleForm
	Doubt, Weight     string
	FromName, ReplyTo string
}

// mailingFormPage is the form with all that there is to choose from.
type mailingFormPage struct {
	mailingForm
	Path     string // where the form is posted to
	Cancel   string
	Problems map[string]string // by field; what is about the whole schedule under ""
	Reach    app.Mailable      // of a mailing to all contacts
	Picker   contactPicker
	Messages []ui.Option
	Zones    []ui.Option
	Dates    ruleDates
	RunOpen  bool // a run is open that the changes do not touch
}

func (w *Web) newMailing(r *request) error {
	form := mailingForm{
		Audience: string(mailing.AudienceAll), Message: r.field("message"),
		Rule: r.firstRule(), Doubt: string(mailing.NeverTwice), Weight: string(mailing.WeightNormal),
	}
	return w.renderMailingForm(r, http.StatusOK, w.newMailingPage(form), r.actor)
}

func (w *Web) newMailingPage(form mailingForm) mailingFormPage {
	return mailingFormPage{mailingForm: form, Path: "/mailings/new", Cancel: "/mailings"}
}

// typedMailing is the form as the visitor has sent it.
func (r *request) typedMailing() mailingForm {
	return mailingForm{
		Audience: r.field("audience"), Chosen: r.typedContacts(), Search: r.field("search"),
		Message: r.field("message"), Rule: r.typedRule(), Doubt: r.field("doubt"), Weight: r.field("weight"),
		FromName: r.field("from_name"), ReplyTo: r.field("reply_to"),
	}
}

// asksAgain reports whether a button was pressed that only shows the form anew.
func (r *request) asksAgain() bool { return r.field("find") != "" || r.field("show") != "" }

func (w *Web) createMailing(r *request) error {
	page := w.newMailingPage(r.typedMailing())
	r.boundChosen(&page)
	if page.Problems != nil {
		return w.renderMailingForm(r, http.StatusUnprocessableEntity, page, r.actor)
	}
	if r.asksAgain() {
		return w.renderMailingForm(r, http.StatusOK, page, r.actor)
	}
	var created mailing.Mailing
	problems, err := r.saveMailing(page.mailingForm, func(ctx context.Context, f app.MailingForm) (err error) {
		created, err = w.App.CreateMailing(ctx, r.actor, f)
		return err
	})
	if err != nil {
		return err
	}
	if problems != nil {
		page.Problems = problems
		return w.renderMailingForm(r, http.StatusUnprocessableEntity, page, r.actor)
	}
	return r.done(mailingPath(created.ID, ""), r.T("mailings.was_created"))
}

func (w *Web) editMailing(r *request) error {
	view, err := w.viewedMailing(r)
	if err != nil {
		return err
	}
	form := mailingForm{
		Audience: string(view.Audience), Message: strconv.FormatInt(view.MessageID, 10), Rule: r.storedRule(view.Rule),
		Doubt: string(view.Doubt), Weight: string(view.Weight), FromName: view.FromName, ReplyTo: view.ReplyTo,
	}
	if form.Chosen, err = w.App.ChosenContacts(r.in.Context(), r.actor, view.ID); err != nil {
		return err
	}
	return w.renderEdit(r, http.StatusOK, view, form, nil)
}

func (w *Web) renderEdit(r *request, status int, view app.MailingView, form mailingForm, problems map[string]string) error {
	owner, err := w.App.MailingOwner(r.in.Context(), r.actor, view.ID)
	if err != nil {
		return err
	}
	return w.renderMailingForm(r, status, mailingFormPage{
		mailingForm: form, Path: mailingPath(view.ID, "/edit"), Cancel: mailingPath(view.ID, ""), Problems: problems,
		RunOpen: slices.ContainsFunc(view.Runs, func(run mailing.Run) bool { return run.State.Open() }),
	}, owner)
}

func (w *Web) updateMailing(r *request) error {
	view, err := w.viewedMailing(r)
	if err != nil {
		return err
	}
	page := mailingFormPage{mailingForm: r.typedMailing()}
	r.boundChosen(&page)
	form := page.mailingForm
	if page.Problems != nil {
		return w.renderEdit(r, http.StatusUnprocessableEntity, view, form, page.Problems)
	}
	if r.asksAgain() {
		return w.renderEdit(r, http.StatusOK, view, form, nil)
	}
	problems, err := r.saveMailing(form, func(ctx context.Context, f app.MailingForm) error {
		_, err := w.App.UpdateMailing(ctx, r.actor, view.ID, f)
		return err
	})
	if err != nil {
		return err
	}
	if problems != nil {
		return w.renderEdit(r, http.StatusUnprocessableEntity, view, form, problems)
	}
	return r.done(mailingPath(view.ID, ""), r.T("mailings.was_saved"))
}

// saveMailing hands the form to save and returns what is wrong with it by field,
// nil for nothing. A schedule that cannot be read goes along as the zero Rule,
// which is always refused: so the rest of the form is looked at too, and nothing
// is stored.
func (r *request) saveMailing(form mailingForm, save func(context.Context, app.MailingForm) error) (map[string]string, error) {
	rule, unreadable := form.Rule.rule()
	if unreadable != nil {
		rule = mailing.Rule{}
	}
	message, _ := strconv.ParseInt(form.Message, 10, 64) // 0, none chosen, is refused
	err := save(r.in.Context(), app.MailingForm{
		MessageID: message, Audience: mailing.Audience(form.Audience), ContactIDs: form.contactIDs(), Rule: rule,
		Doubt: mailing.Doubt(form.Doubt), Weight: mailing.Weight(form.Weight), FromName: form.FromName, ReplyTo: form.ReplyTo,
	})
	if err == nil {
		return nil, nil
	}
	found, ok := r.problems(err)
	if !ok {
		return nil, err
	}
	if unreadable != nil {
		maps.DeleteFunc(found, func(field, _ string) bool { return slices.Contains(ruleFields(), field) })
		typed, _ := r.problems(unreadable)
		maps.Copy(found, typed)
	}
	return found, nil
}

// contactIDs are the contacts to store: of a mailing to all, what was chosen
// earlier stays as it is.
func (f mailingForm) contactIDs() []int64 {
	if f.Audience == string(mailing.AudienceChosen) {
		return f.Chosen
	}
	return nil
}

// renderMailingForm shows the form with the owner's contacts and messages.
func (w *Web) renderMailingForm(r *request, status int, page mailingFormPage, owner mailing.Account) error {
	var err error
	if page.Reach, err = w.App.Reach(r.in.Context(), owner); err != nil {
		return err
	}
	if err := w.pickContacts(r, &page, owner); err != nil {
		return err
	}
	if page.Messages, err = w.messageOptions(r, owner, page.Message); err != nil {
		return err
	}
	page.Zones = r.zoneOptions(page.Rule.Zone)
	page.Dates = r.datesOf(page.Rule)
	title := r.T("mailings.add")
	if page.Path != "/mailings/new" {
		title = r.T("mailings.edit_title")
	}
	return r.render(status, mailingFormView(r.page(title), page))
}

// messagesOffered is how many messages can be chosen from: the latest. Chosen;
// nobody reads a longer list.
const messagesOffered = 500

func (w *Web) messageOptions(r *request, owner mailing.Account, chosen string) ([]ui.Option, error) {
	messages, _, err := w.App.Messages(r.in.Context(), owner, false, app.Page{Sort: "updated", Desc: true, Limit: messagesOffered})
	if err != nil {
		return nil, err
	}
	options := []ui.Option{{Label: r.T("mailings.message_none")}}
	for _, m := range messages {
		options = append(options, ui.Option{Value: strconv.FormatInt(m.ID, 10), Label: m.Subject})
	}
	isChosen := func(o ui.Option) bool { return o.Value == chosen }
	id, err := strconv.ParseInt(chosen, 10, 64)
	if err != nil || slices.ContainsFunc(options, isChosen) {
		return options, nil
	}
	m, err := w.App.Message(r.in.Context(), owner, id)
	if mailing.KindOf(err) == mailing.NotFound {
		return options, nil
	}
	return append(options, ui.Option{Value: chosen, Label: m.Subject}), err
}

func weightOptions(p ui.Page) []ui.Option {
	var options []ui.Option
	for _, weight := range mailing.Weights() {
		options = append(options, ui.Option{Value: string(weight), Label: p.T("weight." + string(weight))})
	}
	return options
}

// reachHint says how many a mailing to all would reach, and why not all.
func (f mailingFormPage) reachHint(p ui.Page) string {
	if f.Reach.Suppressed == 0 {
		return p.N("mailings.reach_all", f.Reach.Contacts)
	}
	return p.T("mailings.reach", "all", p.Number(f.Reach.Contacts), "reached", p.Number(reached(f.Reach))) +
		" " + p.N("mailings.suppressed", f.Reach.Suppressed)
}

// invalid is the value of aria-invalid of a field.
func (f mailingFormPage) invalid(field string) string {
	if f.Problems[field] != "" {
		return "true"
	}
	return "false"
}

// more is how many chosen contacts have no box of their own.
func (f mailingFormPage) more() int64 {
	boxes := len(f.Picker.Kept)
	for _, c := range f.Picker.Found {
		if f.has(c.ID) {
			boxes++
		}
	}
	return int64(len(f.Chosen) - boxes)
}
