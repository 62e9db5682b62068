package web

import (
	"crypto/rand"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/a-h/templ"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
	"vestnik/internal/web/ui"
)

func (w *Web) accountRoutes() []Route {
	return []Route{
		{Pattern: "GET /register", Access: Everybody, Serve: showRegistration},
		{Pattern: "POST /register", Access: Everybody, Serve: register},
		{Pattern: "GET /confirm_code/{email}", Access: Everybody, Serve: completeConfirmPath},
		{Pattern: "GET /confirm_code/{email}/{$}", Access: Everybody, Serve: showConfirm},
		{Pattern: "POST /confirm_code/{email}/{$}", Access: Everybody, Serve: confirm},
		{Pattern: "POST /confirm_code/{email}/resend", Access: Everybody, Serve: resendCode},
		{Pattern: "GET /login", Access: Everybody, Serve: showSignIn},
		{Pattern: "POST /login", Access: Everybody, Serve: signIn},
		{Pattern: "POST /logout", Access: Everybody, Serve: signOut},
		{Pattern: "GET /reset", Access: Everybody, Serve: showResetRequest},
		{Pattern: "POST /reset", Access: Everybody, Serve: requestReset},
		{Pattern: "GET /reset/{token}", Access: Everybody, Serve: showReset},
		{Pattern: "POST /reset/{token}", Access: Everybody, Serve: reset},
	}
}

// isSignedIn sends those home who need no such page any more.
func (r *request) isSignedIn() bool {
	if r.actor.ID == 0 {
		return false
	}
	r.redirect("/")
	return true
}

func showRegistration(r *request) error {
	if r.isSignedIn() {
		return nil
	}
	if err := r.App.MaySignUp(); err != nil {
		return err
	}
	return r.render(http.StatusOK, registrationPage(r.page(r.T("account.register")), app.Registration{}, r.App.SignUpDomainsShown(), nil))
}

func register(r *request) error {
	form := app.Registration{
		FirstName: r.field("first_name"), LastName: r.field("last_name"), Email: r.field("email"),
		Password: r.field("password"), Again: r.field("again"), Lang: r.Lang(), Zone: r.field("zone"),
	}
	if r.from.Browser = r.registered(form.Email); r.from.Browser == "" {
		r.from.Browser = rand.Text()
	}
	email, err := r.App.Register(r.in.Context(), r.from, form)
	if err != nil {
		return r.mend(err, func(problems map[string]string) templ.Component {
			return registrationPage(r.page(r.T("account.register")), form, r.App.SignUpDomainsShown(), problems)
		})
	}
	r.sessions.Put(r.in.Context(), sessionRegistered, email+" "+r.from.Browser)
	r.redirect(confirmPath(email))
	return nil
}

// sessionRegistered is where a session keeps what address was registered from it last, and
// by what the registration is known.
const sessionRegistered = "registered"

// registered is by what the registration of the address from this browser is known; empty
// for none.
func (r *request) registered(typed string) string {
	email, browser, _ := strings.Cut(r.sessions.GetString(r.in.Context(), sessionRegistered), " ")
	if same, err := mailing.NormalizeEmail(typed); err != nil || same != email {
		return ""
	}
	return browser
}

// confirmPath is where an address is confirmed.
func confirmPath(email string) string { return "/confirm_code/" + url.PathEscape(email) + "/" }

// completeConfirmPath helps those who type the address by hand.
func completeConfirmPath(r *request) error {
	r.redirect(confirmPath(r.in.PathValue("email")))
	return nil
}

// confirmation is what the page of the code shows.
type confirmation struct {
	email  string
	demo   string // where the code can be read in the demo mailbox; empty: not there
	filled bool   // with the code from there
	proof  string // from the link that was mailed with the code; empty: it is typed
}

// confirmation reads the address in the path, and whether it was registered from here. What
// is none leads nowhere; whether it is registered is not told.
func (r *request) confirmation() (confirmation, error) {
	email, err := mailing.NormalizeEmail(r.in.PathValue("email"))
	if err != nil {
		return confirmation{}, mailing.Fault(mailing.NotFound, "not_found")
	}
	r.from.Browser = r.registered(email)
	return confirmation{email: email, demo: r.demoSearch(email)}, nil
}

// demoSearch is the page of the demo mailbox with the mails to an address; empty
// when mails really leave, or the visitor may not read it.
func (r *request) demoSearch(email string) string {
	if !r.readsDemo() {
		return ""
	}
	return "/demo?" + query("q", email)
}

func showConfirm(r *request) error {
	c, err := r.confirmation()
	if err != nil {
		return err
	}
	code := ""
	if proof := r.field("proof"); proof != "" {
		if code = r.App.CodeOfProof(c.email, proof); code != "" {
			c.proof = proof
		}
	} else if c.demo != "" {
		if code, err = r.demoCode(c.email); err != nil {
			return err
		}
		c.filled = code != ""
	}
	return r.render(http.StatusOK, confirmPage(r.page(r.T("account.confirm")), c, code, nil))
}

// demoPatience is for how long the page waits, where one has just registered, for the mail
// with the code, which is sent beside it. Chosen: nobody notices.
const demoPatience = 600 * time.Millisecond

// demoCode is the code for an address that lies in the demo mailbox, so that who tries the
// service need not go and look; empty: it is not there.
func (r *request) demoCode(email string) (code string, err error) {
	ctx := r.in.Context()
	for until := time.Now().Add(demoPatience); ; time.Sleep(demoPatience / 12) {
		code, err = r.App.DemoCode(ctx, r.actor, r.demoReader(), email)
		if code != "" || err != nil || r.from.Browser == "" || time.Now().After(until) || ctx.Err() != nil {
			return code, err
		}
	}
}

func confirm(r *request) error {
	c, err := r.confirmation()
	if err != nil {
		return err
	}
	code := r.field("code")
	account, err := r.App.ConfirmHere(r.in.Context(), r.from, c.email, code, r.field("proof"))
	if err != nil {
		return r.mend(err, func(problems map[string]string) templ.Component {
			return confirmPage(r.page(r.T("account.confirm")), c, code, problems)
		})
	}
	if account.ID != 0 {
		r.flash(ui.Success, r.T("account.confirmed_here"))
		return r.passedPassword(account, "")
	}
	return r.done("/login?"+query("email", c.email), r.T("account.confirmed"))
}

func resendCode(r *request) error {
	c, err := r.confirmation()
	if err != nil {
		return err
	}
	if err := r.App.ResendCode(r.in.Context(), r.from, c.email); err != nil {
		return r.mend(err, func(problems map[string]string) templ.Component {
			return confirmPage(r.page(r.T("account.confirm")), c, "", problems)
		})
	}
	return r.done(confirmPath(c.email), r.T("account.code_sent_again"))
}

// signInForm is what was typed into it, but for the password.
type signInForm struct {
	email, next string
	unconfirmed string // the address to confirm first; empty: none
	openSignUp  bool
	passkeys    bool // browsers allow them here
	byInvite    bool
	empty       bool // there is nobody yet who could sign in
}

func (r *request) signInForm() (signInForm, error) {
	empty, err := r.App.IsEmpty(r.in.Context())
	return signInForm{
		email: r.field("email"), next: r.field("next"), openSignUp: r.App.OpensSignUp(),
		byInvite: r.App.SignUp == mailing.SignUpInvitation, empty: empty, passkeys: r.App.CanHavePasskeys(),
	}, err
}

func showSignIn(r *request) error {
	if r.isSignedIn() {
		return nil
	}
	form, err := r.signInForm()
	if err != nil {
		return err
	}
	return r.render(http.StatusOK, signInPage(r.page(r.T("account.sign_in")), form, nil))
}

func signIn(r *request) error {
	form, err := r.signInForm()
	if err != nil {
		return err
	}
	r.from.Browser = r.registered(form.email)
	account, err := r.App.SignIn(r.in.Context(), r.from, form.email, r.field("password"))
	switch mailing.CodeOf(err) {
	case "account_unconfirmed":
		form.unconfirmed = account.Email
		fallthrough
	case "account_blocked":
		problems := map[string]string{"": r.Error(err)}
		return r.render(http.StatusForbidden, signInPage(r.page(r.T("account.sign_in")), form, problems))
	}
	if err != nil {
		return r.mend(err, func(problems map[string]string) templ.Component {
			return signInPage(r.page(r.T("account.sign_in")), form, problems)
		})
	}
	return r.passedPassword(account, form.next)
}

func signOut(r *request) error {
	if err := r.signOut(); err != nil {
		return err
	}
	if r.actor.ID != 0 {
		if err := r.App.SignOut(r.in.Context(), r.actor); err != nil {
			return err
		}
	}
	r.redirect("/login")
	return nil
}

func showResetRequest(r *request) error {
	return r.render(http.StatusOK, resetRequestPage(r.page(r.T("account.reset")), r.field("email"), nil))
}

func requestReset(r *request) error {
	email := r.field("email")
	if err := r.App.RequestReset(r.in.Context(), r.from, email); err != nil {
		return r.mend(err, func(problems map[string]string) templ.Component {
			return resetRequestPage(r.page(r.T("account.reset")), email, problems)
		})
	}
	return r.render(http.StatusOK, resetSentPage(r.page(r.T("account.reset_sent")), email, r.demoSearch(email)))
}

func showReset(r *request) error {
	email, err := r.App.CheckReset(r.in.PathValue("token"))
	if err != nil {
		return r.brokenReset(err)
	}
	return r.render(http.StatusOK, resetPage(r.page(r.T("account.new_password")), r.in.URL.Path, email, nil))
}

func reset(r *request) error {
	account, err := r.App.Reset(r.in.Context(), r.in.PathValue("token"), r.field("password"), r.field("again"))
	if code := mailing.CodeOf(err); code == "link_invalid" || code == "link_expired" {
		return r.brokenReset(err)
	}
	if err != nil {
		return r.mend(err, func(problems map[string]string) templ.Component {
			return resetPage(r.page(r.T("account.new_password")), r.in.URL.Path, account.Email, problems)
		})
	}
	r.remember(account) // the mailbox is proof enough: strangers' guesses do not count here
	return r.done("/login?"+query("email", account.Email), r.T("account.password_set"))
}

// brokenReset shows, for a link that is of no use, where to get another.
func (r *request) brokenReset(err error) error {
	problems, ok := r.problems(err)
	if !ok {
		return err
	}
	return r.render(http.StatusUnprocessableEntity, brokenResetPage(r.page(r.T("account.new_password")), problems[""]))
}
