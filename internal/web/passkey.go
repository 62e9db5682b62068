package web

import (
	"io"
	"net/http"

	"github.com/a-h/templ"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
	"vestnik/internal/web/ui"
)

// sessionPasskey is where a session keeps what the browser was asked.
const sessionPasskey = "passkey"

// withPasskeys loads the script that asks the browser for passkeys.
func withPasskeys(p ui.Page) ui.Page {
	p.Scripts = append(p.Scripts, "passkey.js")
	return p
}

// askBrowser answers the script with what it is to ask the browser, and keeps what the
// answer is checked against, once.
func (r *request) askBrowser(ask func() (app.Challenge, error)) error {
	asked, err := ask()
	if err != nil {
		return err
	}
	r.sessions.Put(r.in.Context(), sessionPasskey, asked.State)
	r.out.Header().Set("Content-Type", "application/json")
	r.out.Header().Set("Cache-Control", "no-store")
	_, err = io.WriteString(r.out, asked.Options)
	return err
}

// asked is what askBrowser has kept.
func (r *request) asked() string { return r.sessions.PopString(r.in.Context(), sessionPasskey) }

func askToSignIn(r *request) error {
	ctx := r.in.Context()
	asked, err := r.App.AskToSignIn(ctx, r.from)
	if err == nil && r.actor.ID == 0 && !r.sessions.Exists(ctx, sessionPending) {
		r.sessions.SetDeadline(ctx, r.now.Add(sessionLife)) // has strangerLife begin now
	}
	return r.askBrowser(func() (app.Challenge, error) { return asked, err })
}

func signInByPasskey(r *request) error {
	form, err := r.signInForm()
	if err != nil {
		return err
	}
	account, err := r.App.SignInByPasskey(r.in.Context(), r.asked(), r.field("answer"))
	if mailing.CodeOf(err) == "account_blocked" {
		return r.render(http.StatusForbidden, signInPage(r.page(r.T("account.sign_in")), form, map[string]string{"": r.Error(err)}))
	}
	if err != nil {
		return r.mend(err, func(problems map[string]string) templ.Component {
			return signInPage(r.page(r.T("account.sign_in")), form, problems)
		})
	}
	return r.enter(account, form.next)
}

func newPasskey(r *request) error {
	return r.render(http.StatusOK, r.passkeyPage("", nil))
}

func (r *request) passkeyPage(name string, problems map[string]string) templ.Component {
	return passkeyPage(withPasskeys(r.page(r.T("security.passkey_new"))), name, problems)
}

// beginPasskey answers only who has proved a moment ago who they are, as the page has
// made sure of.
func beginPasskey(r *request) error {
	if !r.fresh() {
		return mailing.Fault(mailing.Forbidden, "forbidden")
	}
	return r.askBrowser(func() (app.Challenge, error) { return r.App.BeginPasskey(r.in.Context(), r.actor) })
}

func addPasskey(r *request) error {
	name := r.field("name")
	codes, err := r.App.AddPasskey(r.in.Context(), r.actor, r.asked(), r.field("answer"), name)
	if err != nil {
		return r.mend(err, func(problems map[string]string) templ.Component { return r.passkeyPage(name, problems) })
	}
	return r.enabled(codes, r.T("security.passkey_added", "name", mailing.CleanLine(name)))
}

func renamePasskey(r *request) error {
	if err := r.App.RenamePasskey(r.in.Context(), r.actor, number(r.field("id")), r.field("name")); err != nil {
		return err
	}
	return r.done(securityPath, r.T("security.passkey_renamed"))
}

func removePasskey(r *request) error {
	if err := r.App.RemovePasskey(r.in.Context(), r.actor, number(r.field("id"))); err != nil {
		return err
	}
	return r.done(securityPath, r.T("security.passkey_removed"))
}
