package web

import (
	"net/http"

	"vestnik/internal/mailing"
	"vestnik/internal/web/ui"
)

// peoplePerPage is how many people a page lists; chosen.
const peoplePerPage = 50

func (w *Web) userRoutes() []Route {
	return []Route{{Pattern: "GET /users", Access: SignedIn, Serve: listUsers}}
}

func listUsers(r *request) error {
	list, page := r.list("/users", peoplePerPage)
	accounts, total, err := r.App.Accounts(r.in.Context(), r.actor, page)
	if err != nil {
		return err
	}
	list.Total = int(total)
	return r.render(http.StatusOK, usersPage(r.page(r.T("nav.users")), list, accounts))
}

// standing says in a word whether a person can sign in.
func standing(p ui.Page, a mailing.Account) (ui.Tone, string) {
	switch {
	case !a.BlockedAt.IsZero():
		return ui.Danger, p.T("users.blocked")
	case a.ConfirmedAt.IsZero():
		return ui.Neutral, p.T("users.unconfirmed")
	}
	return ui.Success, p.T("users.active")
}
