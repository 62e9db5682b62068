package web

import (
	"net/http"
	"strings"
	"unicode"

	"github.com/a-h/templ"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
)

// factorPath is where the second factor is shown.
const factorPath = "/login/factor"

func (w *Web) factorRoutes() []Route {
	return []Route{
		{Pattern: "POST /login/passkey/ask", Access: Everybody, Serve: askToSignIn, Limit: noBody},
		{Pattern: "POST /login/passkey", Access: Everybody, Serve: signInByPasskey},
		{Pattern: "GET " + factorPath, Access: Everybody, Serve: showFactor},
		{Pattern: "POST " + factorPath, Access: Everybody, Serve: takeFactor},
		{Pattern: "POST " + factorPath + "/passkey", Access: Everybody, Serve: askFactorPasskey, Limit: noBody},
	}
}

// passedPassword lets somebody in whose password was right, or asks for the second factor.
func (r *request) passedPassword(account mailing.Account, next string) error {
	needed, err := r.App.NeedsFactor(r.in.Context(), account.ID)
	if err != nil {
		return err
	}
	if !needed {
		return r.enter(account, next)
	}
	if err := r.await(account); err != nil {
		return err
	}
	r.redirect(withNext(factorPath, next))
	return nil
}

// withNext is a path with the page to show then.
func withNext(path, next string) string {
	if next == "" {
		return path
	}
	return path + "?" + query("next", next)
}

// enter lets somebody in who has proved all that is asked for.
func (r *request) enter(account mailing.Account, next string) error {
	if err := r.signIn(account); err != nil {
		return err
	}
	r.redirect(localPath(next))
	return nil
}

// factorForm is what the page that asks for the second factor shows.
type factorForm struct {
	next    string
	kind    string // that was tried
	factors app.Factors
}

// awaitedForm is the account whose second factor is asked for, with the form; it sends
// those back to the sign-in page who are not, or too late.
func (r *request) awaitedForm() (mailing.Account, factorForm, error) {
	account, err := r.awaited()
	if err != nil {
		return account, factorForm{}, err
	}
	form := factorForm{next: r.field("next"), kind: r.field(proofField)}
	form.factors, err = r.App.Factors(r.in.Context(), account.ID)
	return account, form, err
}

// tooLate sends somebody back to the sign-in page for whom nothing waits any more.
func (r *request) tooLate(err error) error {
	if mailing.KindOf(err) != mailing.NotFound {
		return err
	}
	r.redirect(withNext("/login", r.field("next")))
	return nil
}

func showFactor(r *request) error {
	_, form, err := r.awaitedForm()
	if err != nil {
		return r.tooLate(err)
	}
	return r.render(http.StatusOK, r.factorPage(form, nil))
}

func (r *request) factorPage(form factorForm, problems map[string]string) templ.Component {
	return factorPage(withPasskeys(r.page(r.T("factor.title"))), form, problems)
}

func takeFactor(r *request) error {
	account, form, err := r.awaitedForm()
	if err != nil {
		return r.tooLate(err)
	}
	if !form.factors.Any() { // an admin has reset them meanwhile
		return r.tooLate(mailing.Fault(mailing.NotFound, "not_found"))
	}
	if err := r.proveFactor(account); err != nil {
		return r.mend(err, func(problems map[string]string) templ.Component {
			if form.kind == proofCode && problems["recovery"] != "" { // beside the field that it was typed into
				problems = map[string]string{"code": problems["recovery"]}
			}
			return r.factorPage(form, problems)
		})
	}
	return r.enter(account, form.next)
}

func (r *request) proveFactor(account mailing.Account) error {
	ctx := r.in.Context()
	switch r.field(proofField) {
	case proofPasskey:
		return r.App.ProvePasskey(ctx, account, r.asked(), r.field(proofAnswer))
	case proofRecovery:
		return r.App.ProveRecovery(ctx, r.from, account, r.field("recovery"))
	}
	code := r.field("code")
	if strings.ContainsFunc(code, unicode.IsLetter) { // only recovery codes have any
		return r.App.ProveRecovery(ctx, r.from, account, code)
	}
	return r.App.ProveCode(ctx, r.from, account, code)
}

func askFactorPasskey(r *request) error {
	account, err := r.awaited()
	if err != nil {
		return err
	}
	return r.askBrowser(func() (app.Challenge, error) { return r.App.AskPasskey(r.in.Context(), account) })
}

// await keeps the account whose password was right until its second factor is shown.
func (r *request) await(account mailing.Account) error {
	if err := r.renew(); err != nil {
		return err
	}
	r.name(sessionPending, account)
	return nil
}

// awaited is the account whose second factor is still to be shown.
func (r *request) awaited() (mailing.Account, error) { return r.named(sessionPending) }
