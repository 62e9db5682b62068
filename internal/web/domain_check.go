package web

import (
	"cmp"

	"github.com/a-h/templ"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
	"vestnik/internal/web/ui"
)

const checkDomainPath = "/domains/check"

func (w *Web) domainCheckRoutes() []Route {
	return []Route{{Pattern: "POST " + checkDomainPath, Access: SignedIn, Serve: checkDomain}}
}

// checkDomain asks DNS and shows the answer where the domain stands on the page.
func checkDomain(r *request) error {
	domain := cmp.Or(r.field("domain"), r.field("other"))
	check, err := r.App.CheckDomain(r.in.Context(), r.actor, domain)
	if err != nil {
		view, viewErr := r.domainsView(app.SigningForm{})
		if viewErr != nil {
			return viewErr
		}
		view.typed = domain
		return r.mend(err, func(problems map[string]string) templ.Component {
			view.checkProblems = problems
			return r.domainsPage(view, nil)
		})
	}
	r.flash(ui.Success, r.T("domain.checked", "domain", mailing.DisplayDomain(check.Domain)))
	r.redirect("/domains?" + query("domain", check.Domain) + "#domain-" + check.Domain)
	return nil
}

// domainsView is what the page of sending domains shows.
type domainsView struct {
	checks  []mailing.DomainCheck
	domains []app.SendingDomain
	form    app.SigningForm

	typed         string // the domain to check
	checkProblems map[string]string
}

func (r *request) domainsView(form app.SigningForm) (v domainsView, err error) {
	v.form = form
	if v.domains, err = r.App.SendingDomains(r.in.Context(), r.actor); err != nil {
		return v, err
	}
	v.checks, err = r.App.DomainChecks(r.in.Context(), r.actor, r.field("domain"))
	return v, err
}

// findingTone is how a condition looks.
func findingTone(c mailing.Condition) ui.Tone {
	switch c {
	case mailing.Good:
		return ui.Success
	case mailing.Attention:
		return ui.Warning
	case mailing.Bad:
		return ui.Danger
	}
	return ui.Neutral
}
