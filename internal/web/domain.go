package web

import (
	"net/http"
	"slices"
	"strings"

	"github.com/a-h/templ"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
	"vestnik/internal/web/ui"
)

func (w *Web) domainRoutes() []Route {
	return append(w.domainCheckRoutes(), []Route{
		{Pattern: "GET /domains", Access: SignedIn, Serve: listDomains},
		{Pattern: "POST /domains", Access: SignedIn, Fresh: true, Serve: makeSigningKeys},
		{Pattern: "POST /domains/use", Access: SignedIn, Fresh: true, Serve: useSigningKey},
		{Pattern: "POST /domains/delete", Access: SignedIn, Fresh: true, Serve: deleteSigningKey},
	}...)
}

func (r *request) domainsPage(view domainsView, problems map[string]string) templ.Component {
	return domainsPage(r.page(r.T("signing.title")), view, problems)
}

func listDomains(r *request) error {
	view, err := r.domainsView(app.SigningForm{})
	if err != nil {
		return err
	}
	if view.form.Domain, err = r.unsignedDomain(view.domains); err != nil {
		return err
	}
	return r.render(http.StatusOK, r.domainsPage(view, nil))
}

// unsignedDomain is the first domain that mails leave from by a relay and that has
// no keys: most likely they are wanted for it.
func (r *request) unsignedDomain(domains []app.SendingDomain) (string, error) {
	relays, err := r.App.Relays(r.in.Context(), r.actor)
	for _, relay := range relays {
		_, domain, _ := strings.Cut(relay.FromEmail, "@")
		if !slices.ContainsFunc(domains, func(d app.SendingDomain) bool {
			return d.Name == domain || strings.HasSuffix(domain, "."+d.Name)
		}) {
			return mailing.DisplayDomain(domain), err
		}
	}
	return "", err
}

func makeSigningKeys(r *request) error {
	form := app.SigningForm{Domain: r.field("domain"), Selector: r.field("selector"), Algorithm: r.field("algorithm")}
	keys, err := r.App.CreateSigningKeys(r.in.Context(), r.actor, form)
	if err == nil {
		return r.done("/domains", r.T("signing.made", "domain", mailing.DisplayDomain(keys[0].Domain)))
	}
	view, viewErr := r.domainsView(form)
	if viewErr != nil {
		return viewErr
	}
	return r.mend(err, func(problems map[string]string) templ.Component { return r.domainsPage(view, problems) })
}

func useSigningKey(r *request) error {
	domain, selector := r.field("domain"), r.field("selector")
	if err := r.App.UseSigningKey(r.in.Context(), r.actor, domain, selector); err != nil {
		return err
	}
	return r.done("/domains", r.T("signing.used", "domain", mailing.DisplayDomain(domain), "selector", selector))
}

func deleteSigningKey(r *request) error {
	domain, selector := r.field("domain"), r.field("selector")
	if err := r.App.DeleteSigningKey(r.in.Context(), r.actor, domain, selector); err != nil {
		return err
	}
	return r.done("/domains", r.T("signing.deleted", "domain", mailing.DisplayDomain(domain), "selector", selector))
}

func keyOptions(p ui.Page) []ui.Option {
	return []ui.Option{
		{Value: "both", Label: p.T("signing.kind_both")},
		{Value: "rsa", Label: p.T("signing.kind_rsa")},
		{Value: "ed25519", Label: p.T("signing.kind_ed25519")},
	}
}
