package web

import (
	"slices"
	"strconv"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
	"vestnik/internal/web/ui"
)

// messagesOffered is how many messages can be chosen from at once: the latest, or those
// that a search finds. Chosen: nobody reads a longer list.
const messagesOffered = 100

// messagePicker is what there is to choose from.
type messagePicker struct {
	Options  []ui.Option
	Searches bool // there are more than a list shows well
	More     bool // than are offered
}

// searchesFrom is how many messages are looked through by eye. Chosen.
const searchesFrom = 12

func (w *Web) pickMessages(r *request, e *mailingEditor) error {
	page := app.Page{Search: e.MessageSearch, Sort: "updated", Desc: true, Limit: messagesOffered}
	messages, total, err := w.App.Messages(r.in.Context(), e.Owner, false, page)
	if err != nil {
		return err
	}
	e.Messages = messagePicker{
		Options:  []ui.Option{{Label: r.T("mailings.message_none")}},
		Searches: total > searchesFrom || e.MessageSearch != "", More: total > messagesOffered,
	}
	for _, m := range messages {
		e.Messages.Options = append(e.Messages.Options, r.messageOption(m))
	}
	if slices.ContainsFunc(e.Messages.Options, func(o ui.Option) bool { return o.Value == e.Message }) || e.messageID() == 0 {
		return nil
	}
	chosen, err := w.App.Message(r.in.Context(), e.Owner, e.messageID())
	if mailing.KindOf(err) == mailing.NotFound || err == nil && chosen.OwnerID != e.Owner.ID {
		return nil
	}
	e.Messages.Options = append(e.Messages.Options, r.messageOption(chosen))
	return err
}

func (r *request) messageOption(m mailing.Message) ui.Option {
	return ui.Option{Value: strconv.FormatInt(m.ID, 10), Label: r.SubjectName(m.Subject)}
}

// previewContactsOf are the persons that a preview of the owner's message can be made for.
func (r *request) previewContactsOf(owner mailing.Account) ([]ui.Option, error) {
	as := *r
	as.actor = owner
	return as.previewContacts()
}

// previewMailing shows the message that is chosen, into the frame of the page.
func (w *Web) previewMailing(r *request) error {
	id, err := strconv.ParseInt(r.field("message"), 10, 64)
	if err != nil {
		return mailing.Fault(mailing.NotFound, "not_found")
	}
	m, err := w.App.Message(r.in.Context(), r.actor, id)
	if err != nil {
		return err
	}
	return r.preview(app.MessageForm{Subject: m.Subject, Format: m.Format, Body: m.Body})
}
