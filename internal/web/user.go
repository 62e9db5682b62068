package web

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
	"vestnik/internal/web/ui"
)

// peoplePerPage is how many people a page lists; chosen.
const peoplePerPage = 50

const usersPath = "/admin/users"

func (w *Web) userRoutes() []Route {
	return []Route{
		{Pattern: "GET /users", Access: SignedIn, Serve: usersMoved},
		{Pattern: "GET /admin/users", Access: SignedIn, Serve: listUsers},
		{Pattern: "GET /admin/users/new", Access: SignedIn, Serve: newUser},
		{Pattern: "POST /admin/users/new", Access: SignedIn, Fresh: true, Serve: createUser},
		{Pattern: "GET /admin/users/{id}", Access: SignedIn, Serve: showUser},
		{Pattern: "GET /admin/users/{id}/block", Access: SignedIn, Serve: askWhyBlock},
		{Pattern: "POST /admin/users/{id}/block", Access: SignedIn, Serve: blockUser},
		{Pattern: "POST /admin/users/{id}/unblock", Access: SignedIn, Serve: unblockUser},
		{Pattern: "POST /admin/users/{id}/role", Access: SignedIn, Fresh: true, Serve: grantRole},
		{Pattern: "POST /admin/users/{id}/sign-out", Access: SignedIn, Serve: signOutUser},
		{Pattern: "POST /admin/users/{id}/reset-factors", Access: SignedIn, Fresh: true, Serve: resetFactors},
		{Pattern: "POST /admin/users/{id}/limit", Access: SignedIn, Serve: limitUser},
	}
}

func userPath(id int64, deed string) string {
	return usersPath + "/" + strconv.FormatInt(id, 10) + deed
}

// usersMoved leads from where the list was before.
func usersMoved(r *request) error {
	if !r.actor.Role.May(mailing.ViewUsers) {
		return mailing.Fault(mailing.NotFound, "not_found")
	}
	to := usersPath
	if query := r.in.URL.RawQuery; query != "" {
		to += "?" + query
	}
	r.redirect(to)
	return nil
}

// usersView is what the list of people shows.
type usersView struct {
	list   ui.List
	people []mailing.Account
	mayAdd bool
	block  map[int64]bool // whom the actor may block
	here   string         // address of the list as it is, to come back to
}

func listUsers(r *request) error {
	list, page := r.list(usersPath, peoplePerPage)
	filter := app.AccountFilter{
		Role:     oneOf(list.Query, "role", mailing.Roles()...),
		Standing: oneOf(list.Query, "standing", mailing.Standings()...),
	}
	people, total, err := r.App.Accounts(r.in.Context(), r.actor, filter, page)
	if err != nil {
		return err
	}
	list.Total = int(total)
	v := usersView{list: list, people: people, mayAdd: r.actor.Role.May(mailing.ManageUsers), block: map[int64]bool{}, here: list.PageURL(list.Page())}
	for _, a := range people {
		may := app.AllowedUser(r.actor, a)
		v.block[a.ID] = may.Block || may.Unblock
	}
	p := r.page(r.T("nav.users"))
	r.pickColumns(&v.list, "users", userColumns(p))
	return r.render(http.StatusOK, usersPage(p, v))
}

// table is the table of people, with the columns that the visitor has picked.
func (v usersView) table(p ui.Page) ui.Table {
	return ui.Table{Caption: p.T("users.title"), List: v.list, Columns: userColumns(p)}
}

func userColumns(p ui.Page) []ui.Column {
	return []ui.Column{
		{Title: p.T("users.name"), Key: "name"},
		{Title: p.T("users.reach"), Key: "email", Pick: "reach"},
		{Title: p.T("field.status")},
		{Title: p.T("users.seen"), Key: "signed_in", Pick: "seen"},
		{Title: p.T("users.since"), Key: "created", Spare: true, Pick: "since"},
		{Title: p.T("mailings.actions"), Unseen: true},
	}
}

// standing says in a word whether a person can sign in.
func standing(p ui.Page, a mailing.Account) (ui.Tone, string) {
	tones := map[mailing.Standing]ui.Tone{mailing.StandingActive: ui.Success, mailing.StandingBlocked: ui.Danger}
	return tones[a.Standing()], p.T("users." + string(a.Standing()))
}

func roleOptions(p ui.Page, roles []mailing.Role) []ui.Option {
	var options []ui.Option
	for _, role := range roles {
		options = append(options, ui.Option{Value: string(role), Label: p.T("role." + string(role)), Hint: p.T("users.role_" + string(role))})
	}
	return options
}

func anyRole(p ui.Page) []ui.Option {
	return append([]ui.Option{{Label: p.T("users.any_role")}}, roleOptions(p, mailing.Roles())...)
}

func anyStanding(p ui.Page) []ui.Option {
	options := []ui.Option{{Label: p.T("users.any_standing")}}
	for _, s := range mailing.Standings() {
		options = append(options, ui.Option{Value: string(s), Label: p.T("users." + string(s))})
	}
	return options
}

// user is the person that the path names.
func (r *request) user() (app.UserView, error) {
	id, err := r.id("id")
	if err != nil {
		return app.UserView{}, err
	}
	return r.App.User(r.in.Context(), r.actor, id)
}

func showUser(r *request) error {
	v, err := r.user()
	if err != nil {
		return err
	}
	return r.render(http.StatusOK, userPage(r.page(v.Name()), v, nil))
}

// blocker is what to call who blocked a person.
func blocker(p ui.Page, v app.UserView) string {
	switch {
	case v.BlockedBy == app.Operator.ID:
		return p.T("users.operator")
	case v.Blocker == "":
		return p.T("mailings.somebody")
	}
	return v.Blocker
}

// changeUser does something to the person in the path and says so on their page. What
// is wrong with a form is told there, too.
func (r *request) changeUser(change func(id int64) error, done string) error {
	v, err := r.user()
	if err != nil {
		return err
	}
	if err := change(v.ID); err != nil {
		return r.mend(err, func(problems map[string]string) templ.Component { return userPage(r.page(v.Name()), v, problems) })
	}
	return r.done(r.back(userPath(v.ID, "")), r.T(done, "name", v.Name()))
}

func grantRole(r *request) error {
	return r.changeUser(func(id int64) error {
		return r.App.GrantRole(r.in.Context(), r.actor, id, mailing.Role(r.field("role")))
	}, "users.was_granted")
}

func unblockUser(r *request) error {
	return r.changeUser(func(id int64) error { return r.App.UnblockUser(r.in.Context(), r.actor, id) }, "users.was_unblocked")
}

func signOutUser(r *request) error {
	return r.changeUser(func(id int64) error { return r.App.SignOutUser(r.in.Context(), r.actor, id) }, "users.was_signed_out")
}

func resetFactors(r *request) error {
	return r.changeUser(func(id int64) error { return r.App.ResetFactors(r.in.Context(), r.actor, id) }, "users.factors_were_reset")
}

func limitUser(r *request) error {
	return r.changeUser(func(id int64) error {
		mails, err := strconv.ParseInt(strings.TrimSpace(r.field("per_day")), 10, 64)
		if err != nil {
			return mailing.FieldFault(mailing.Invalid, "per_day", "number_out_of_range", "min", 0, "max", app.MaxPerDay)
		}
		return r.App.LimitUser(r.in.Context(), r.actor, id, mails)
	}, "users.was_limited")
}

// askWhyBlock asks for the reason before anybody is kept out.
func askWhyBlock(r *request) error {
	v, err := r.user()
	if err != nil {
		return err
	}
	if err := app.MayBlock(r.actor, v.Account); err != nil {
		return err
	}
	if !v.May.Block { // they are blocked
		return mailing.Fault(mailing.Forbidden, "forbidden")
	}
	return r.render(http.StatusOK, r.blockPage(v)(nil))
}

func (r *request) blockPage(v app.UserView) func(problems map[string]string) templ.Component {
	return func(problems map[string]string) templ.Component {
		return userBlockPage(r.page(r.T("users.block_title")), v, disableForm{
			Why: r.field("why"), Problem: problems["why"], Back: r.back(userPath(v.ID, "")),
		})
	}
}

func blockUser(r *request) error {
	v, err := r.user()
	if err != nil {
		return err
	}
	if err := r.App.BlockUser(r.in.Context(), r.actor, v.ID, r.field("why")); err != nil {
		return r.mend(err, r.blockPage(v))
	}
	return r.done(r.back(userPath(v.ID, "")), r.T("users.was_blocked", "name", v.Name()))
}

// userForm is the form of a new account.
type userForm struct {
	app.NewAccount
	roles    []mailing.Role
	problems map[string]string
}

func (r *request) userForm(n app.NewAccount) (func(problems map[string]string) templ.Component, error) {
	if !r.actor.Role.May(mailing.ManageUsers) {
		return nil, mailing.Fault(mailing.NotFound, "not_found")
	}
	roles := app.AllowedUser(r.actor, mailing.Account{Role: mailing.RoleUser}).Roles
	return func(problems map[string]string) templ.Component {
		return userNewPage(r.page(r.T("users.new")), userForm{n, roles, problems})
	}, nil
}

func newUser(r *request) error {
	form, err := r.userForm(app.NewAccount{Role: mailing.RoleUser, Lang: r.Lang()})
	if err != nil {
		return err
	}
	return r.render(http.StatusOK, form(nil))
}

// createUser shows the password at once: it is kept nowhere that a later page could
// show it from.
func createUser(r *request) error {
	typed := app.NewAccount{
		Email: r.field("email"), FirstName: r.field("first_name"), LastName: r.field("last_name"), Password: r.in.PostFormValue("password"),
		Role: mailing.Role(r.field("role")), Lang: r.field("lang"),
	}
	if typed.Lang != "en" {
		typed.Lang = "ru"
	}
	form, err := r.userForm(typed)
	if err != nil {
		return err
	}
	account, password, err := r.App.AddUser(r.in.Context(), r.actor, typed)
	if err != nil {
		return r.mend(err, form)
	}
	return r.render(http.StatusOK, userMadePage(r.page(r.T("users.made")), account, password))
}
