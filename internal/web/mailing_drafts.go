package web

import (
	"time"

	"vestnik/internal/mailing"
)

// draftsShown is how many drafts are listed: the latest. Chosen; more are not looked for.
const draftsShown = 10

// draftLine is a draft in the list of them.
type draftLine struct {
	ID    int64
	Name  string
	Words string // what it is
	Drop  string // the button that forgets it
	At    time.Time
}

// drafts are what the visitor has typed and not applied, each called by its message.
func (w *Web) drafts(r *request) ([]draftLine, error) {
	drafts, err := w.App.Drafts(r.in.Context(), r.actor, draftsShown)
	if err != nil {
		return nil, err
	}
	var lines []draftLine
	for _, d := range drafts {
		line := draftLine{
			ID: d.MailingID, Name: r.T("mailing_page.unnamed"), Words: r.T("mailing_page.draft_new"),
			Drop: r.T("mailing_page.delete_draft"), At: d.UpdatedAt,
		}
		if !d.New {
			line.Words, line.Drop = r.T("mailing_page.draft_changes"), r.T("mailing_page.discard")
		}
		if form, ok := draftForm(d); ok && form.messageID() != 0 {
			m, err := w.App.Message(r.in.Context(), r.actor, form.messageID())
			if err == nil {
				line.Name = r.SubjectName(m.Subject)
			} else if mailing.KindOf(err) != mailing.NotFound {
				return nil, err
			}
		}
		lines = append(lines, line)
	}
	return lines, nil
}
