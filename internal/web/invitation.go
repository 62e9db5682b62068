package web

import (
	"context"
	"fmt"
	"net/http"

	"github.com/a-h/templ"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
	"vestnik/internal/web/ui"
)

// invitationsPerPage is how many invitations a page lists; chosen.
const invitationsPerPage = 50

const invitationsPath = "/admin/invitations"

func (w *Web) invitationRoutes() []Route {
	return []Route{
		{Pattern: "GET " + invitationsPath, Access: SignedIn, Serve: listInvitations},
		{Pattern: "POST " + invitationsPath, Access: SignedIn, Fresh: true, Serve: invite},
		{Pattern: "POST " + invitationsPath + "/{id}/renew", Access: SignedIn, Fresh: true, Serve: renewInvitation},
		{Pattern: "POST " + invitationsPath + "/{id}/revoke", Access: SignedIn, Serve: revokeInvitation},
		{Pattern: "GET /invitation/{token}", Access: Everybody, Serve: showInvitation},
		{Pattern: "POST /invitation/{token}", Access: Everybody, Serve: acceptInvitation},
	}
}

// invitationsView is what the page of invitations shows.
type invitationsView struct {
	list        ui.List
	invitations []mailing.Invitation
	roles       []mailing.Role
	form        app.Invite
	closed      bool
	problems    map[string]string
}

func (r *request) invitationsView(form app.Invite) (invitationsView, error) {
	list, page := r.list(invitationsPath, invitationsPerPage)
	invitations, total, err := r.App.Invitations(r.in.Context(), r.actor, page)
	list.Total = int(total)
	return invitationsView{
		list: list, invitations: invitations, roles: app.RolesToGive(r.actor), form: form,
		closed: r.App.SignUp == mailing.SignUpClosed,
	}, err
}

func listInvitations(r *request) error {
	view, err := r.invitationsView(app.Invite{Role: mailing.RoleUser, Lang: r.Lang()})
	if err != nil {
		return err
	}
	return r.render(http.StatusOK, invitationsPage(r.page(r.T("invitations.title")), view))
}

func invite(r *request) error {
	form := app.Invite{Emails: r.field("emails"), Role: mailing.Role(r.field("role")), Lang: r.field("lang")}
	invited, err := r.App.Invite(r.in.Context(), r.actor, form)
	if err == nil {
		return r.done(invitationsPath, r.N("invitations.sent", int64(len(invited))))
	}
	view, viewErr := r.invitationsView(form)
	if viewErr != nil {
		return viewErr
	}
	return r.mend(err, func(problems map[string]string) templ.Component {
		view.problems = problems
		return invitationsPage(r.page(r.T("invitations.title")), view)
	})
}

func renewInvitation(r *request) error {
	return r.changeInvitation(r.App.RenewInvitation, "invitations.renewed")
}

func revokeInvitation(r *request) error {
	return r.changeInvitation(r.App.RevokeInvitation, "invitations.revoked")
}

func (r *request) changeInvitation(change invitationChange, done string) error {
	id, err := r.id("id")
	if err != nil {
		return err
	}
	i, err := change(r.in.Context(), r.actor, id)
	if err != nil {
		return err
	}
	return r.done(invitationsPath, r.T(done, "email", mailing.DisplayEmail(i.Email)))
}

func showInvitation(r *request) error {
	i, err := r.App.CheckInvitation(r.in.Context(), r.in.PathValue("token"))
	if err != nil {
		return r.brokenLink(err, "/login")
	}
	form := app.Registration{Lang: i.Lang, Zone: r.App.Zone}
	if r.actor.ID == 0 && r.cookie(r.in, langCookie) == "" {
		r.Printer = r.speak(i.Lang, r.App.Zone)
	}
	return r.render(http.StatusOK, invitationPage(r.page(r.T("invitation.title")), r.in.URL.Path, i, form, nil))
}

func acceptInvitation(r *request) error {
	form, token := r.newcomer(), r.in.PathValue("token")
	account, err := r.App.AcceptInvitation(r.in.Context(), token, form)
	if err == nil {
		return r.welcome(account, "invitation.done")
	}
	if mailing.CodeOf(err) == "invitation_over" {
		return r.brokenLink(err, "/login")
	}
	i, checkErr := r.App.CheckInvitation(r.in.Context(), token)
	if checkErr != nil {
		return r.brokenLink(checkErr, "/login")
	}
	return r.mend(err, func(problems map[string]string) templ.Component {
		return invitationPage(r.page(r.T("invitation.title")), r.in.URL.Path, i, form, problems)
	})
}

// invitationChange is a deed of app that concerns one invitation.
type invitationChange func(context.Context, mailing.Account, int64) (mailing.Invitation, error)

// brokenLink shows, for a mailed link that is of no use, why, and a way on.
func (r *request) brokenLink(err error, path string) error {
	problems, ok := r.problems(err)
	if !ok {
		return err
	}
	return r.render(http.StatusUnprocessableEntity, brokenLinkPage(r.page(r.T("account.link_broken")), problems[""], path))
}

func invitationPath(id int64, deed string) string {
	return fmt.Sprintf("%s/%d/%s", invitationsPath, id, deed)
}

// inviterName is who invited: the operator has no address.
func inviterName(p ui.Page, i mailing.Invitation) string {
	if i.Inviter == "" {
		return p.T("invitations.operator")
	}
	return mailing.DisplayEmail(i.Inviter)
}
