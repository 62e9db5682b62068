package web

import (
	"encoding/json"
	"net/http"
	"net/url"
	"time"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
)

// freshFor is how long a proof of who is there is good for acts on secrets, roles and
// exports. Chosen: long enough for one piece of work, too short for a lunch.
const freshFor = 10 * time.Minute

// The fields of the form that asks for a proof. Beside them it carries the form that
// was sent before, so that nothing that was typed is lost.
const (
	proofField    = "proof" // one of the kinds below
	proofAnswer   = "proof_answer"
	carriedField  = "proof_form"
	proofPassword = "password"
	proofCode     = "code"
	proofPasskey  = "passkey"
	proofRecovery = "recovery" // of the second factor only
)

// confirmPagePath is where a page asks for a proof before it is shown.
const confirmPagePath = "/profile/confirm"

func (w *Web) stepUpRoutes() []Route {
	return []Route{
		{Pattern: "GET " + confirmPagePath, Access: SignedIn, Serve: showProof},
		{Pattern: "POST " + confirmPagePath, Access: SignedIn, Serve: takeProof},
		{Pattern: "POST " + confirmPagePath + "/passkey", Access: SignedIn, Serve: askPasskeyAgain, Limit: noBody},
	}
}

// fresh reports whether the person has proved who they are a moment ago.
func (r *request) fresh() bool { return r.now.Sub(r.keptTime(sessionProof)) < freshFor }

// answer has the route answer; one that is Fresh, once it is certain who asks.
func (r *request) answer(route Route) error {
	if !route.Fresh {
		return route.Serve(r)
	}
	switch {
	case r.in.Method == http.MethodPost && r.field(proofField) != "":
		if err := r.prove(); err != nil {
			return r.askProof(r.field(carriedField), err)
		}
		if err := r.takeCarried(); err != nil {
			return err
		}
	case r.fresh():
	case r.byScript() && r.in.Method == http.MethodPost:
		r.askForWhole()
		return nil
	case r.byScript():
		r.leadTo(confirmPagePath + "?" + query("next", r.pageAround()))
		return nil
	case r.in.Method != http.MethodPost:
		r.redirect(confirmPagePath + "?" + query("next", r.in.URL.RequestURI()))
		return nil
	default:
		return r.askProof(r.carry(), nil)
	}
	return route.Serve(r)
}

// prove checks the proof that was typed and remembers when it was given.
func (r *request) prove() error {
	ctx, typed := r.in.Context(), r.field(proofAnswer)
	var err error
	switch r.field(proofField) {
	case proofPassword:
		err = r.App.ProvePassword(ctx, r.from, r.actor, typed)
	case proofCode:
		err = r.App.ProveCodeAgain(ctx, r.from, r.actor, typed)
	case proofPasskey:
		err = r.App.ProvePasskey(ctx, r.actor, r.asked(), typed)
	default:
		err = mailing.Fault(mailing.Invalid, "choice_unknown")
	}
	if err == nil {
		r.keepTime(sessionProof)
	}
	return err
}

// carry is the form that was sent, sealed for this person and address: it may hold
// passwords.
func (r *request) carry() string {
	text, err := json.Marshal(r.in.PostForm)
	if err != nil {
		panic("web: a form is plain data: " + err.Error())
	}
	return r.App.SealForm(r.actor, r.in.URL.RequestURI(), text)
}

// takeCarried puts the form that was sent first in place of the one with the proof.
func (r *request) takeCarried() error {
	text, err := r.App.OpenForm(r.actor, r.in.URL.RequestURI(), r.field(carriedField))
	if err != nil {
		return err
	}
	form := url.Values{}
	if err := json.Unmarshal(text, &form); err != nil {
		return err
	}
	r.in.PostForm, r.in.Form = form, url.Values{}
	for _, values := range []url.Values{form, r.in.URL.Query()} {
		for name, list := range values {
			r.in.Form[name] = append(r.in.Form[name], list...)
		}
	}
	return nil
}

// proofForm is what the page that asks for a proof shows.
type proofForm struct {
	path    string // where it is sent
	carried string // the form that was sent first; empty: there was none
	next    string // the page to show then, if no form was sent
	factors app.Factors
	kind    string // that was tried
}

// askProof asks for a proof, in the way of the form that was sent.
func (r *request) askProof(carried string, wrong error) error {
	return r.showProofPage(http.StatusForbidden, proofForm{path: r.in.URL.RequestURI(), carried: carried}, wrong)
}

func (r *request) showProofPage(status int, form proofForm, wrong error) error {
	problems, aboutForm := r.problems(wrong)
	if wrong != nil && !aboutForm {
		return wrong
	}
	if wrong != nil {
		status = statuses[mailing.KindOf(wrong)]
	}
	var err error
	if form.factors, err = r.App.Factors(r.in.Context(), r.actor.ID); err != nil {
		return err
	}
	form.kind = r.field(proofField)
	return r.render(status, proofPage(withPasskeys(r.page(r.T("proof.title"))), form, problems))
}

func showProof(r *request) error {
	if r.fresh() {
		r.redirect(localPath(r.field("next")))
		return nil
	}
	return r.showProofPage(http.StatusOK, proofForm{path: confirmPagePath, next: r.field("next")}, nil)
}

func takeProof(r *request) error {
	if err := r.prove(); err != nil {
		return r.showProofPage(http.StatusOK, proofForm{path: confirmPagePath, next: r.field("next")}, err)
	}
	r.redirect(localPath(r.field("next")))
	return nil
}

func askPasskeyAgain(r *request) error {
	return r.askBrowser(func() (app.Challenge, error) { return r.App.AskPasskey(r.in.Context(), r.actor) })
}
