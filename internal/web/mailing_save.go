package web

import (
	"net/http"
	"slices"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
)

// What the form of a mailing is sent for, the values of "do" beside those that are the
// name of the section to go on with.
const (
	doSearch   = "search"   // look for clients
	doAll      = "all"      // choose all that are found
	doNone     = "none"     // choose nobody
	doMessages = "messages" // look for messages
	doTest     = "test"     // send the message to oneself
	doApply    = "apply"    // make the mailing, or change it
	doForce    = "force"    // keep what was typed, whatever another page has changed
	doEnter    = "enter"    // the Enter key was pressed in a field
)

// saveNewMailing keeps the draft of a new mailing, or makes the mailing of it.
func (w *Web) saveNewMailing(r *request) error {
	e, err := w.typedEditor(r, 0)
	if err == nil {
		err = w.save(r, e)
	}
	if mailing.CodeOf(err) == "draft_applied" { // a second click
		return w.sendUnsent(r, e)
	}
	return err
}

// sendUnsent leads to a mailing that is made already, and sends it first if it was made to
// be sent now and that has come to nothing.
func (w *Web) sendUnsent(r *request, e mailingEditor) error {
	view, err := w.App.Mailing(r.in.Context(), r.actor, e.ID)
	if err != nil {
		return err
	}
	form, _ := e.values()
	if form.Now && r.field("do") == doApply && view.May.Send && len(view.Runs) == 0 && view.NextAt.IsZero() {
		return w.sendMade(r, view.Mailing)
	}
	r.redirect(mailingPath(e.ID, ""))
	return nil
}

// saveMailing keeps what was typed of a mailing that is there, or applies it.
func (w *Web) saveMailing(r *request) error {
	id, err := r.id("id")
	if err != nil {
		return err
	}
	e, err := w.typedEditor(r, id)
	if err != nil {
		return err
	}
	if e.isNew() { // its page has another address
		return mailing.Fault(mailing.NotFound, "not_found")
	}
	return w.save(r, e)
}

// save keeps what was typed, and then does what is asked for.
func (w *Web) save(r *request, e mailingEditor) error {
	do := r.field("do")
	r.boundChosen(&e)
	if err := w.keep(r, &e); err != nil {
		return err
	}
	switch {
	case r.byScript() && do == "":
		return w.answerTyping(r, e)
	case e.Clash:
		return w.renderEditor(r, http.StatusConflict, e)
	case e.Problems != nil:
		e.Open = app.SectionAudience
		return w.renderEditor(r, http.StatusUnprocessableEntity, e)
	}
	switch do {
	case doSearch, doAll, doNone, doMessages:
		return w.findAgain(r, e, do)
	case doEnter:
		if e.Search != "" {
			return w.findAgain(r, e, doSearch)
		}
		if e.MessageSearch != "" {
			return w.findAgain(r, e, doMessages)
		}
	case doTest:
		return w.testMailing(r, e)
	case doApply:
		return w.apply(r, e)
	}
	return w.goOn(r, e, do)
}

// goOn shows the page again, with another section open. One that nothing was typed on
// has no address of its own yet.
func (w *Web) goOn(r *request, e mailingEditor, section string) error {
	if !slices.Contains(mailingSections(), section) {
		section = ""
	}
	if e.isNew() && e.Draft.MailingID == 0 {
		e.Open = section
		return w.renderEditor(r, http.StatusOK, e)
	}
	path := mailingPath(e.ID, "/edit")
	if section != "" {
		path = e.at(section)
	}
	r.redirect(path)
	return nil
}

// findAgain shows the page with what a search finds.
func (w *Web) findAgain(r *request, e mailingEditor, do string) error {
	e.Open = app.SectionAudience
	if do == doMessages {
		e.Open = app.SectionContent
	}
	chosen := len(e.Chosen)
	if err := w.chooseBy(r, &e, do); err != nil {
		return err
	}
	if len(e.Chosen) != chosen {
		if err := w.keep(r, &e); err != nil {
			return err
		}
	}
	status := http.StatusOK
	if e.Problems != nil {
		status = http.StatusUnprocessableEntity
	}
	return w.renderEditor(r, status, e)
}

// answerTyping tells what typing has changed, for the parts of the page that say so.
func (w *Web) answerTyping(r *request, e mailingEditor) error {
	if err := w.review(r, &e); err != nil {
		return err
	}
	status := http.StatusOK
	switch {
	case e.Clash:
		status = http.StatusConflict
	case e.isNew() && e.Draft.MailingID != 0:
		r.out.Header().Set("HX-Replace-Url", mailingPath(e.ID, "/edit"))
	}
	return r.render(status, typingAnswer(r.fragmentPage(), e))
}

// testMailing sends the message that is chosen to whom was typed, and stays on the page.
func (w *Web) testMailing(r *request, e mailingEditor) error {
	e.Open = app.SectionContent
	m, err := w.App.Message(r.in.Context(), r.actor, e.messageID())
	if mailing.KindOf(err) == mailing.NotFound {
		err = mailing.FieldFault(mailing.Invalid, "message", "message_none_chosen")
	}
	if err == nil {
		form := app.MessageForm{Subject: m.Subject, Format: m.Format, Body: m.Body}
		err = w.App.SendTest(r.in.Context(), r.actor, form, e.TestTo, r.previewContact())
	}
	if problems, ok := r.problems(err); ok {
		if to, wrong := problems["to"]; wrong { // whose field has another name on this page
			problems["test_to"] = to
			delete(problems, "to")
		}
		e.Problems = problems
		r.sayWhen(err)
		return w.renderEditor(r, statuses[mailing.KindOf(err)], e)
	}
	if err != nil {
		return err
	}
	return r.done(e.at(app.SectionContent), r.T("mailing_page.test_sent", "email", e.TestTo))
}

// apply makes the mailing, or changes it, unless something has to be mended first.
func (w *Web) apply(r *request, e mailingEditor) error {
	if err := w.review(r, &e); err != nil {
		return err
	}
	if e.Review.Blocked() {
		e.Open, e.Problems = sectionReview, map[string]string{}
		for _, c := range e.Review.Checks {
			if c.Problem != nil && c.Level == app.CheckBlocks && e.Problems[c.Problem.Field] == "" {
				e.Problems[c.Problem.Field] = r.Error(c.Problem)
			}
		}
		return w.renderEditor(r, http.StatusUnprocessableEntity, e)
	}
	form, _ := e.values() // what cannot be read blocks
	if !e.isNew() {
		if _, err := w.App.UpdateMailing(r.in.Context(), r.actor, e.ID, form); err != nil {
			return err
		}
		return r.done(mailingPath(e.ID, ""), r.T("mailings.was_saved"))
	}
	form.ID = e.ID
	m, err := w.App.CreateMailing(r.in.Context(), r.actor, form)
	if err != nil {
		return err
	}
	if form.Now {
		return w.sendMade(r, m)
	}
	return r.done(mailingPath(m.ID, ""), r.plannedSentence(e, m))
}

// sendMade sends a mailing that has just been made for that.
func (w *Web) sendMade(r *request, m mailing.Mailing) error {
	run, err := w.App.SendUndoably(r.in.Context(), r.actor, m.ID)
	if err != nil {
		return err
	}
	return r.sent(run)
}

// discardMailing forgets what was typed and not applied.
func (w *Web) discardMailing(r *request) error {
	id, err := r.id("id")
	if err != nil {
		return err
	}
	m, _, err := w.App.MailingDraft(r.in.Context(), r.actor, id)
	if err != nil {
		return err
	}
	if err := w.App.DiscardDraft(r.in.Context(), r.actor, id); err != nil {
		return err
	}
	if m.ID == 0 {
		return r.done("/mailings", r.T("mailing_page.draft_deleted"))
	}
	return r.done(mailingPath(id, ""), r.T("mailing_page.discarded"))
}
