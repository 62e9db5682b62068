package web

import (
	"context"
	"net/http"
	"strings"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
	"vestnik/internal/web/ui"
)

// back is where an action returns to: the page that its button stands on.
func (r *request) back(otherwise string) string {
	if path := r.field("back"); path != "" {
		return localPath(path)
	}
	return otherwise
}

// mailingAction does one thing with a mailing and says so on the page it came from, in the
// sentence of the key.
func (r *request) mailingAction(do func(ctx context.Context, actor mailing.Account, id int64) error, sentence string) error {
	view, err := r.viewedMailing()
	if err != nil {
		return err
	}
	if err := do(r.in.Context(), r.actor, view.ID); err != nil {
		return err
	}
	return r.done(r.back(mailingPath(view.ID, "")), r.mailingSentence(sentence, view))
}

// pauseMailing can be taken back by what lets the mailing go on.
func (w *Web) pauseMailing(r *request) error {
	view, err := r.viewedMailing()
	if err != nil {
		return err
	}
	if err := w.App.PauseMailing(r.in.Context(), r.actor, view.ID); err != nil {
		return err
	}
	return r.doneUndoably(r.back(mailingPath(view.ID, "")), r.mailingSentence("mailings.was_paused", view), mailingPath(view.ID, "/resume"))
}

func (w *Web) resumeMailing(r *request) error {
	return r.mailingAction(w.App.ResumeMailing, "mailings.was_resumed")
}

func (w *Web) enableMailing(r *request) error {
	return r.mailingAction(w.App.EnableMailing, "mailings.was_enabled")
}

// deleteMailing returns to the list, since the mailing's page is gone. It can be taken back,
// unless a run is going out: that is asked about first.
func (w *Web) deleteMailing(r *request) error {
	view, err := r.viewedMailing()
	if err != nil {
		return err
	}
	id, sentence, back := view.ID, r.mailingSentence("mailings.was_deleted", view), r.back("/mailings")
	if strings.HasPrefix(back, mailingPath(id, "")) {
		back = "/mailings"
	}
	if r.field("sure") != "" {
		if err := w.App.DeleteMailing(r.in.Context(), r.actor, id); err != nil {
			return err
		}
		return r.done(back, sentence)
	}
	undo, err := r.undoably(func(ctx context.Context) error { return w.App.DeleteMailing(ctx, r.actor, id) })
	if mailing.CodeOf(err) == "mailing_sending" {
		return w.askToDelete(r, back)
	}
	if err != nil {
		return err
	}
	return r.deletedUndoably("/mailings", mailingPath(id, ""), sentence, undo)
}

func (w *Web) askToDelete(r *request, back string) error {
	view, err := r.viewedMailing()
	if err != nil {
		return err
	}
	return r.render(http.StatusConflict, deleteMailingPage(r.page(r.T("action.delete")), view, back))
}

// disableForm is the question why a manager disables somebody's mailing.
type disableForm struct {
	Why, Problem, Back string
}

func (w *Web) askWhyDisable(r *request) error { return w.renderDisable(r, http.StatusOK, "") }

func (w *Web) renderDisable(r *request, status int, problem string) error {
	view, err := r.viewedMailing()
	if err != nil {
		return err
	}
	if !view.May.Disable {
		return view.Mailing.Refuses(mailing.EventDisable)
	}
	form := disableForm{Why: r.field("why"), Problem: problem, Back: r.back(mailingPath(view.ID, ""))}
	return r.render(status, disablePage(r.page(r.T("mailings.disable_title")), view, form))
}

// viewedMailing returns the mailing in the path.
func (r *request) viewedMailing() (app.MailingView, error) {
	id, err := r.id("id")
	if err != nil {
		return app.MailingView{}, err
	}
	return r.App.Mailing(r.in.Context(), r.actor, id)
}

// mailingSentence tells what was done with which mailing.
func (r *request) mailingSentence(key string, m app.MailingView) string {
	return r.T(key, "subject", r.SubjectName(m.Message.Subject))
}

func (w *Web) disableMailing(r *request) error {
	before, err := r.viewedMailing()
	if err != nil {
		return err
	}
	id, sentence := before.ID, r.mailingSentence("mailings.was_disabled", before)
	err = w.App.DisableMailing(r.in.Context(), r.actor, id, r.field("why"))
	if problems, ok := r.problems(err); ok {
		return w.renderDisable(r, http.StatusUnprocessableEntity, problems["why"])
	}
	if err != nil {
		return err
	}
	back := r.back(mailingPath(id, ""))
	if !before.Status.Live() { // to enable it would let it go on
		return r.done(back, sentence)
	}
	return r.doneUndoably(back, sentence, mailingPath(id, "/enable"))
}

// askToSend says how many will be mailed before anybody is.
func (w *Web) askToSend(r *request) error {
	view, err := r.viewedMailing()
	if err != nil {
		return err
	}
	if !view.May.Edit {
		return mailing.Fault(mailing.Forbidden, "forbidden")
	}
	if !view.May.Send {
		return view.Mailing.Refuses("send")
	}
	return r.render(http.StatusOK, sendPage(r.page(r.T("mailings.send_title")), view))
}

func (w *Web) sendMailing(r *request) error {
	id, err := r.id("id")
	if err != nil {
		return err
	}
	run, err := w.App.SendUndoably(r.in.Context(), r.actor, id)
	if mailing.CodeOf(err) == "sent_just_now" { // a second click: the mailing's page lists what the first has sent
		r.flash(ui.Warning, r.Error(err))
		r.redirect(mailingPath(id, ""))
		return nil
	}
	if err != nil {
		return err
	}
	return r.sent(run)
}
