package web

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
	"vestnik/internal/web/ui"
)

// relayPreset is what a mail service says in its help about programs that send.
type relayPreset struct {
	Key, Name, Host string
	Port            int
	TLS             string
}

// relayPresets are the services that most people come from. The settings are
// those of the services' help pages; the region of Amazon SES stands for itself.
func relayPresets() []relayPreset {
	return []relayPreset{
		{"yandex", "Яндекс", "smtp.yandex.ru", 465, "implicit"},
		{"mailru", "Mail.ru", "smtp.mail.ru", 465, "implicit"},
		{"gmail", "Gmail", "smtp.gmail.com", 587, "starttls-required"},
		{"outlook", "Outlook", "smtp-mail.outlook.com", 587, "starttls-required"},
		{"ses", "Amazon SES", "email-smtp.eu-central-1.amazonaws.com", 587, "starttls-required"},
	}
}

func (w *Web) relayRoutes() []Route {
	return []Route{
		{Pattern: "GET /relay", Access: SignedIn, Serve: showRelay},
		{Pattern: "POST /relay", Access: SignedIn, Serve: saveRelay},
		{Pattern: "POST /relay/test", Access: SignedIn, Serve: testRelay},
		{Pattern: "POST /relay/delete", Access: SignedIn, Serve: deleteRelay},
	}
}

// relayForm is the form of the relay as it is shown.
type relayForm struct {
	settings app.RelaySettings
	port     string // as it was typed
	stored   bool   // a relay is set up
	given    bool   // none is, but mails leave by that of SMTP_URL
	preset   string // key of the preset that the form is filled from; empty: none
	steps    []relayStep
	tested   bool // it was sent to be tested, not to be saved
}

// relayStep is one line of the test.
type relayStep struct {
	name    string
	problem string // empty: it went well
}

func (r *request) relayPage(form relayForm, problems map[string]string) templ.Component {
	form.given = !form.stored && !r.Demo()
	return relayPage(r.page(r.T("relay.title")), form, problems)
}

func showRelay(r *request) error {
	settings, stored, err := r.App.Relay(r.in.Context(), r.actor)
	if err != nil {
		return err
	}
	form := relayForm{settings: settings, stored: stored, port: strconv.Itoa(settings.Port)}
	if !stored {
		form.settings = app.RelaySettings{TLS: "starttls-required", FromName: r.actor.Name(), FromEmail: r.actor.Email}
		form.port = "587" // submission (RFC 6409)
	}
	for _, preset := range relayPresets() {
		if preset.Key == r.field("preset") {
			form.fill(preset)
		}
	}
	return r.render(http.StatusOK, r.relayPage(form, nil))
}

// fill takes over a preset. Names and addresses stay as they are.
func (f *relayForm) fill(p relayPreset) {
	f.preset = p.Key
	f.settings.Host, f.settings.TLS, f.port = p.Host, p.TLS, strconv.Itoa(p.Port)
}

// relayForm is what was typed.
func (r *request) relayForm() (relayForm, error) {
	_, stored, err := r.App.Relay(r.in.Context(), r.actor)
	if err != nil {
		return relayForm{}, err
	}
	port := strings.TrimSpace(r.field("port"))
	number, _ := strconv.Atoi(port) // what is no number is no port, which app says
	return relayForm{
		settings: app.RelaySettings{
			Host: r.field("host"), Port: number, TLS: r.field("tls"), Username: r.field("username"),
			Password: r.field("password"), FromName: r.field("from_name"), FromEmail: r.field("from_email"),
		},
		port: port, stored: stored,
	}, nil
}

func saveRelay(r *request) error {
	form, err := r.relayForm()
	if err != nil {
		return err
	}
	if err := r.App.PutRelay(r.in.Context(), r.actor, form.settings); err != nil {
		return r.mend(err, func(problems map[string]string) templ.Component { return r.relayPage(form, problems) })
	}
	return r.done("/relay", r.T("relay.saved"))
}

func testRelay(r *request) error {
	form, err := r.relayForm()
	if err != nil {
		return err
	}
	form.tested = true
	err = r.App.TestRelay(r.in.Context(), r.actor, form.settings, func(name string, err error) {
		step := relayStep{name: name}
		if err != nil {
			step.problem = r.Error(err)
			if mailing.CodeOf(err) == "" {
				r.Log.Warn("relay test broke off", "step", name, "error", err)
			}
		}
		form.steps = append(form.steps, step)
	})
	if err != nil {
		return r.mend(err, func(problems map[string]string) templ.Component { return r.relayPage(form, problems) })
	}
	return r.render(http.StatusOK, r.relayPage(form, nil))
}

func deleteRelay(r *request) error {
	if err := r.App.DeleteRelay(r.in.Context(), r.actor); err != nil {
		return err
	}
	return r.done("/relay", r.T("relay.deleted"))
}

// failed reports whether the test found something wrong.
func (f relayForm) failed() bool {
	return len(f.steps) > 0 && f.steps[len(f.steps)-1].problem != ""
}

// ahead are the steps that a test that failed did not come to.
func (f relayForm) ahead() []string {
	if !f.failed() {
		return nil
	}
	names := f.order()
	last := slices.Index(names, f.steps[len(f.steps)-1].name)
	return names[last+1:]
}

// order lists the steps of a test with the settings.
func (f relayForm) order() []string {
	names := []string{"resolve", "connect", "greeting", "tls", "auth", "sender", "recipient"}
	if f.settings.TLS == "implicit" {
		names[2], names[3] = names[3], names[2]
	}
	return slices.DeleteFunc(names, func(name string) bool {
		return name == "tls" && f.settings.TLS == "none" || name == "auth" && f.settings.Username == ""
	})
}

func tlsOptions(p ui.Page) []ui.Option {
	return []ui.Option{
		{Value: "implicit", Label: p.T("relay.tls_implicit")},
		{Value: "starttls-required", Label: p.T("relay.tls_required")},
		{Value: "starttls", Label: p.T("relay.tls_offered")},
		{Value: "none", Label: p.T("relay.tls_none")},
	}
}

func chosenPreset(is bool) templ.Attributes {
	if !is {
		return nil
	}
	return templ.Attributes{"aria-current": "true"}
}

func relayPasswordHint(p ui.Page, form relayForm) string {
	if form.stored {
		return p.T("relay.password_kept")
	}
	return p.T("relay.password_hint")
}
