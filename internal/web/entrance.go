package web

import (
	"errors"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
	"vestnik/internal/web/ui"
)

func (w *Web) firstRoutes() []Route {
	return append(w.exampleRoutes(), []Route{
		{Pattern: "GET /first", Access: Everybody, Serve: showFirstHelp},
		{Pattern: "GET /first/{token}", Access: Everybody, Serve: showFirst},
		{Pattern: "POST /first/{token}", Access: Everybody, Serve: createFirst},
	}...)
}

// showFirstHelp says where the link is, to who reads the service's log.
func showFirstHelp(r *request) error {
	empty, err := r.App.IsEmpty(r.in.Context())
	if err == nil && !empty {
		err = mailing.Fault(mailing.NotFound, "not_found")
	}
	if err != nil {
		return err
	}
	return r.render(http.StatusOK, firstHelpPage(r.page(r.T("first.title"))))
}

func showFirst(r *request) error {
	if err := r.App.CheckFirst(r.in.Context(), r.in.PathValue("token")); err != nil {
		return err
	}
	form := firstForm{Registration: app.Registration{Lang: r.Lang(), Zone: r.App.Zone}, examples: r.Demo(), demo: r.Demo()}
	return r.render(http.StatusOK, firstPage(r.page(r.T("first.welcome")), r.in.URL.Path, form, nil))
}

// firstForm is what the first person is asked for.
type firstForm struct {
	app.Registration
	examples bool // that they are to be given
	demo     bool // no mail leaves, so that there can be examples
}

func createFirst(r *request) error {
	form := firstForm{Registration: r.newcomer(), examples: r.field("examples") != "" && r.Demo(), demo: r.Demo()}
	account, err := r.App.CreateFirst(r.in.Context(), r.in.PathValue("token"), form.Registration)
	if err != nil {
		return r.mend(err, func(problems map[string]string) templ.Component {
			return firstPage(r.page(r.T("first.welcome")), r.in.URL.Path, form, problems)
		})
	}
	if !form.examples {
		return r.welcome(account, "first.done")
	}
	if err := r.App.AddExamples(r.in.Context(), account, r.Demo()); err != nil {
		r.Log.Error("examples cannot be made", "error", err) // the account is there all the same
		return r.welcome(account, "first.done")
	}
	if err := r.signIn(account); err != nil {
		return err
	}
	r.keep(langCookie, account.Lang)
	return r.toExamples(account)
}

// newcomer is the form of who comes in by a link.
func (r *request) newcomer() app.Registration {
	return app.Registration{
		FirstName: r.field("first_name"), LastName: r.field("last_name"), Email: r.field("email"),
		Password: r.field("password"), Again: r.field("again"), Lang: r.field("lang"), Zone: r.field("zone"),
	}
}

// welcome signs in who has just got an account, and says so in their language.
func (r *request) welcome(account mailing.Account, key string) error {
	if err := r.signIn(account); err != nil {
		return err
	}
	r.keep(langCookie, account.Lang)
	return r.done("/", r.Catalog.For(account.Lang).T(key))
}

// sayWhen tells programs what the sentence tells people: when to try again (RFC 9110,
// section 10.2.3).
func (r *request) sayWhen(err error) {
	var fault *mailing.Error
	if !errors.As(err, &fault) || fault.Kind != mailing.Limited {
		return
	}
	wait, known := fault.Params["wait"].(time.Duration)
	if !known {
		wait = 5 * time.Second // "busy" is over sooner than that
	}
	r.out.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
}

// emailHint says what the address is for, and which ones are taken.
func emailHint(p ui.Page, domains string) string {
	if domains == "" {
		return p.T("account.email_hint")
	}
	return p.T("account.email_hint_domains", "domains", domains)
}

// strengthWords are those of strength.js, from the weakest on.
func strengthWords(p ui.Page) string {
	return strings.Join([]string{p.T("strength.short"), p.T("strength.fair"), p.T("strength.good"), p.T("strength.strong")}, "|")
}
