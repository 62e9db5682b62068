package web

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/a-h/templ"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
)

// The pages about personal data: what is known of somebody, as a file, and to have it
// forgotten.
func (w *Web) personalRoutes() []Route {
	return []Route{
		{Pattern: "POST /clients/{id}/export", Access: SignedIn, Fresh: true, Serve: exportContact},
		{Pattern: "POST /clients/{id}/erase", Access: SignedIn, Serve: eraseContact},
		{Pattern: "GET /profile/data", Access: SignedIn, Serve: showOwnData},
		{Pattern: "POST /profile/data/export", Access: SignedIn, Fresh: true, Serve: exportOwnData},
		{Pattern: "POST /profile/data/erase", Access: SignedIn, Serve: planErasure},
		{Pattern: "POST /profile/data/keep", Access: SignedIn, Serve: cancelErasure},
		{Pattern: "GET /admin/users/{id}/data", Access: SignedIn, Serve: showUserData},
		{Pattern: "POST /admin/users/{id}/data/export", Access: SignedIn, Fresh: true, Serve: exportUserData},
		{Pattern: "POST /admin/users/{id}/data/erase", Access: SignedIn, Fresh: true, Serve: eraseUser},
	}
}

func exportContact(r *request) error {
	id, err := r.id("id")
	if err != nil {
		return err
	}
	return r.zip("client-"+strconv.FormatInt(id, 10), func(ctx context.Context, out io.Writer) error {
		return r.App.ExportContact(ctx, r.actor, id, out)
	})
}

// zip answers with an archive, and with an error if there is one before its first byte.
func (r *request) zip(name string, write func(ctx context.Context, out io.Writer) error) error {
	out := &attachment{r: r, name: name + ".zip", kind: "application/zip"}
	err := write(r.in.Context(), out)
	if err != nil && out.begun {
		r.breakOff(out.name, err)
	}
	return err
}

func eraseContact(r *request) error {
	contact, err := r.contact()
	if err != nil {
		return err
	}
	if err := r.App.EraseContact(r.in.Context(), r.actor, contact.ID); err != nil {
		return err
	}
	return r.done("/clients", r.T("personal.client_erased"))
}

// dataView is what the page of an account's data shows.
type dataView struct {
	account mailing.Account
	own     bool
	planned time.Time // when it is to be erased; zero: it is not
}

func (v dataView) path() string {
	if v.own {
		return "/profile/data"
	}
	return "/admin/users/" + strconv.FormatInt(v.account.ID, 10) + "/data"
}

func (r *request) ownData() dataView {
	return dataView{account: r.actor, own: true, planned: r.erase}
}

func showOwnData(r *request) error {
	return r.render(http.StatusOK, dataPage(r.page(r.T("personal.title")), r.ownData(), nil))
}

func exportOwnData(r *request) error {
	return r.zip("vestnik-data", func(ctx context.Context, out io.Writer) error {
		return r.App.ExportAccount(ctx, r.actor, r.actor.ID, out)
	})
}

func planErasure(r *request) error {
	at, err := r.App.PlanErasure(r.in.Context(), r.actor, r.in.PostFormValue("password"))
	if err == nil {
		return r.done("/profile/data", r.T("personal.planned", "date", r.Date(at)))
	}
	return r.mend(err, func(problems map[string]string) templ.Component {
		return dataPage(r.page(r.T("personal.title")), r.ownData(), problems)
	})
}

func cancelErasure(r *request) error {
	if err := r.App.CancelErasure(r.in.Context(), r.actor); err != nil {
		return err
	}
	return r.done("/profile/data", r.T("personal.kept"))
}

// userData is the account that the path names, for who may erase it.
func (r *request) userData() (dataView, error) {
	id, err := r.id("id")
	if err != nil {
		return dataView{}, err
	}
	account, err := r.App.ErasableAccount(r.in.Context(), r.actor, id)
	return dataView{account: account}, err
}

func showUserData(r *request) error {
	v, err := r.userData()
	if err != nil {
		return err
	}
	return r.render(http.StatusOK, dataPage(r.page(v.account.Name()), v, nil))
}

func exportUserData(r *request) error {
	v, err := r.userData()
	if err != nil {
		return err
	}
	return r.zip("user-"+strconv.FormatInt(v.account.ID, 10), func(ctx context.Context, out io.Writer) error {
		return r.App.ExportAccount(ctx, r.actor, v.account.ID, out)
	})
}

// eraseUser wants the address typed once more, since nothing brings back what is gone.
func eraseUser(r *request) error {
	v, err := r.userData()
	if err != nil {
		return err
	}
	typed, err := mailing.NormalizeEmail(r.field("email"))
	if err != nil || typed != v.account.Email {
		err = mailing.FieldFault(mailing.Invalid, "email", "email_not_theirs")
	} else {
		err = r.App.EraseAccount(r.in.Context(), r.actor, v.account.ID)
	}
	if err != nil {
		return r.mend(err, func(problems map[string]string) templ.Component {
			return dataPage(r.page(v.account.Name()), v, problems)
		})
	}
	return r.done(usersPath, r.T("personal.user_erased"))
}

// graceDays is how long a person may change their mind.
const graceDays = int64(app.ErasureGrace / (24 * time.Hour))
