package web

import (
	"net/http"
	"slices"
	"strconv"

	"vestnik/internal/mailing"
	"vestnik/internal/web/ui"
)

const (
	adminMailingsPath = "/admin/mailings"
	ownerParam        = "owner"
	// ownersOffered is how many owners the filter offers; chosen. The page of any
	// other leads to theirs.
	ownersOffered = 200
)

func (w *Web) adminMailingRoutes() []Route {
	return []Route{{Pattern: "GET " + adminMailingsPath, Access: SignedIn, Serve: listAllMailings}}
}

func ownerMailingsPath(owner int64) string {
	return adminMailingsPath + "?" + query(ownerParam, strconv.FormatInt(owner, 10))
}

// listAllMailings is the table of everybody's mailings.
func listAllMailings(r *request) error {
	list, page := r.list(adminMailingsPath, mailingsPerPage)
	l := mailingList{Everyone: true, Admin: true, Actor: r.actor}
	var err error
	if l.Owners, err = r.mailingOwners(); err != nil {
		return err
	}
	filter := mailingFilter(list)
	filter.Everyone, filter.Owner = true, r.number(ownerParam)
	rows, total, err := r.App.Mailings(r.in.Context(), r.actor, filter, page)
	if err != nil {
		return err
	}
	list.Total = int(total)
	l.List, l.Rows = list, rows
	p := r.page(r.T("admin.mailings"))
	r.pickColumns(&l.List, "all_mailings", l.columns(p))
	return r.render(http.StatusOK, mailingsPage(p, l))
}

// mailingOwners are the choices of the filter by owner, with the one that is chosen.
func (r *request) mailingOwners() ([]ui.Option, error) {
	owners, err := r.App.OwnersOfMailings(r.in.Context(), r.actor, ownersOffered)
	if mailing.KindOf(err) == mailing.Forbidden { // for them there is no such page
		return nil, mailing.Fault(mailing.NotFound, "not_found")
	}
	if err != nil {
		return nil, err
	}
	chosen := r.number(ownerParam)
	if chosen > 0 && !slices.ContainsFunc(owners, func(a mailing.Account) bool { return a.ID == chosen }) {
		one, err := r.App.User(r.in.Context(), r.actor, chosen)
		switch {
		case err == nil:
			owners = append(owners, one.Account)
		case mailing.KindOf(err) != mailing.NotFound: // who is gone has no mailings, which is no fault
			return nil, err
		}
	}
	options := []ui.Option{{Label: r.T("admin.any_owner")}}
	for _, a := range owners {
		label := a.Name()
		if label != a.Email {
			label += " · " + mailing.DisplayEmail(a.Email)
		}
		options = append(options, ui.Option{Value: strconv.FormatInt(a.ID, 10), Label: shortened(label, 60)})
	}
	return options, nil
}
