package web

import (
	"net/http"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
	"vestnik/internal/web/ui"
)

const trashPath = "/trash"

func listTrash(r *request) error {
	trash, err := r.App.TrashOf(r.in.Context(), r.actor)
	if err != nil {
		return err
	}
	return r.render(http.StatusOK, trashPage(r.page(r.T("trash.title")), trash))
}

// trashIcon is that of the kind of what was deleted.
func trashIcon(kind mailing.ThingKind) string {
	switch kind {
	case mailing.ThingMessage:
		return "mail"
	case mailing.ThingMailing:
		return "send"
	}
	return "address-book"
}

// trashName says what was deleted: one thing by its name, several by how many there are.
func trashName(p ui.Page, t app.TrashRow) string {
	switch {
	case t.Count > 1:
		return p.N("trash.clients", t.Count)
	case t.Email != "":
		return mailing.DisplayEmail(t.Email)
	case t.Name == "": // its message is gone, too
		return p.T("trash.nameless")
	}
	return p.SubjectName(t.Name)
}
