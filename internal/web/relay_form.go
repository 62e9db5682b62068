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

// relayForm is the form of a relay as it is shown.
type relayForm struct {
	settings app.RelaySettings
	typed    map[string]string // the numbers, as they were typed
	stored   app.RelaySettings // ID 0: it is a new one
	last     bool              // no other one is in use
	sites    []app.SiteTrouble // that refuse it
	preset   string            // key of the preset that was just chosen; empty: none
	steps    []relayStep
	tested   bool   // it was sent to be tested, not to be saved
	running  bool   // the test is going on
	mailTo   string // where the mail of the test goes
	first    bool   // mails have stayed in the demo mailbox so far
}

// relayNumbers are the fields of the form that are whole numbers.
func relayNumbers(s *app.RelaySettings) map[string]*int {
	return map[string]*int{
		"port": &s.Port, "weight": &s.Weight, "connections": &s.Connections, "messages": &s.Messages,
		"per_second": &s.PerSecond, "per_hour": &s.PerHour, "per_day": &s.PerDay,
	}
}

// storedRelay begins a form with the relay that has the id; 0: with none.
func (r *request) storedRelay(id int64) (relayForm, error) {
	relays, err := r.App.Relays(r.in.Context(), r.actor)
	if err != nil {
		return relayForm{}, err
	}
	form := relayForm{last: true}
	for _, relay := range relays {
		if relay.ID == id {
			form.stored = relay
		}
		form.last = form.last && (relay.ID == id || !relay.Enabled)
	}
	if form.stored.ID != id {
		return form, mailing.Fault(mailing.NotFound, "not_found")
	}
	if form.settings = form.stored; id == 0 {
		form.settings = r.freshRelay(relays)
	}
	refused, err := r.App.RefusedRelays(r.in.Context(), r.actor)
	for _, relay := range refused {
		if relay.ID == id {
			form.sites = relay.Sites
		}
	}
	return form, err
}

// freshRelay is what a new relay begins with: the sender is that of the others.
func (r *request) freshRelay(others []app.RelaySettings) app.RelaySettings {
	own := ownServer()
	fresh := app.RelaySettings{
		Kind: app.RelaySMTP, Port: own.Port, TLS: own.TLS,
		FromName: r.actor.Name(), FromEmail: r.actor.Email, Weight: app.DefaultRelayWeight, Enabled: true,
	}
	if r.field("kind") == app.RelayMX {
		fresh.Kind = app.RelayMX
	}
	if len(others) > 0 {
		fresh.FromName, fresh.FromEmail = others[0].FromName, others[0].FromEmail
	}
	return fresh
}

func newRelay(r *request) error { return r.showRelay(0) }

func editRelay(r *request) error {
	id, err := r.id("id")
	if err != nil {
		return err
	}
	return r.showRelay(id)
}

func (r *request) showRelay(id int64) error {
	form, err := r.storedRelay(id)
	if err != nil {
		return err
	}
	form.typed = map[string]string{}
	for name, number := range relayNumbers(&form.settings) {
		form.typed[name] = typedNumber(*number)
	}
	form.fillBy(r.field("preset"))
	return r.render(http.StatusOK, r.relayPage(form, nil))
}

// typedRelay is what was typed into the form of the relay with the id.
func (r *request) typedRelay(id int64) (relayForm, error) {
	form, err := r.storedRelay(id)
	if err != nil {
		return form, err
	}
	form.settings = app.RelaySettings{
		ID: id, Kind: form.settings.Kind, Name: r.field("name"), Host: r.field("host"), TLS: r.field("tls"),
		Username: r.field("username"), Password: r.field("password"), FromName: r.field("from_name"),
		FromEmail: r.field("from_email"), HeloName: r.field("helo_name"), Enabled: r.field("enabled") != "",
	}
	form.typed = map[string]string{}
	for name, number := range relayNumbers(&form.settings) {
		form.typed[name] = strings.TrimSpace(r.field(name))
		*number = wholeNumber(form.typed[name])
	}
	return form, nil
}

// wholeNumber is 0 for nothing and -1, which no field of a relay may be, for what
// is no number.
func wholeNumber(typed string) int {
	if typed == "" {
		return 0
	}
	number, err := strconv.Atoi(typed)
	if err != nil {
		return -1
	}
	return number
}

func createRelay(r *request) error {
	form, err := r.typedRelay(0)
	if err != nil {
		return err
	}
	form.first = r.Demo()
	id, err := r.App.CreateRelay(r.in.Context(), r.actor, form.settings)
	return r.savedRelay(form, id, err)
}

func updateRelay(r *request) error {
	id, err := r.id("id")
	if err != nil {
		return err
	}
	form, err := r.typedRelay(id)
	if err != nil {
		return err
	}
	form.first = r.Demo()
	return r.savedRelay(form, id, r.App.UpdateRelay(r.in.Context(), r.actor, form.settings))
}

// savedRelay goes back to the list, or shows what is wrong.
func (r *request) savedRelay(form relayForm, id int64, err error) error {
	if err != nil {
		return r.mend(err, func(problems map[string]string) templ.Component { return r.relayPage(form, problems) })
	}
	relay, err := r.App.Relay(r.in.Context(), r.actor, id)
	if err != nil {
		return err
	}
	if !relay.Enabled {
		return r.done("/relays", r.T("relay.saved_off", "name", relay.Name))
	}
	if form.first {
		if err := r.tellComing(); err != nil {
			return err
		}
	}
	return r.done("/relays", r.T("relay.saved", "name", relay.Name))
}

// tellComing warns who has ended the demo mode of what was planned in it: it goes out for real.
func (r *request) tellComing() error {
	coming, total, err := r.App.Mailings(r.in.Context(), r.actor, app.MailingFilter{Everyone: true, Coming: true}, app.Page{Sort: "next", Limit: 1})
	if err == nil && total > 0 {
		r.flash(ui.Warning, r.N("relay.coming", total, "subject", r.SubjectName(coming[0].Subject), "at", r.DateTimeZone(coming[0].NextAt)))
	}
	return err
}

func (r *request) relayPage(form relayForm, problems map[string]string) templ.Component {
	title := r.T("relay.new_" + form.settings.Kind)
	if form.stored.ID != 0 {
		title = form.stored.Name
	}
	p := r.page(title)
	p.Scripts = append(p.Scripts, "relay.js")
	return relayPage(p, form, problems)
}

// path is the address of the form.
func (f relayForm) path() string {
	if f.stored.ID == 0 {
		return "/relays/new"
	}
	return relayPath(f.stored.ID, "")
}

func tlsOptions(p ui.Page) []ui.Option {
	return []ui.Option{
		{Value: "implicit", Label: p.T("relay.tls_implicit")},
		{Value: "starttls-required", Label: p.T("relay.tls_required")},
		{Value: "starttls", Label: p.T("relay.tls_offered")},
		{Value: "none", Label: p.T("relay.tls_none")},
	}
}

// relayPasswordError says also that a password was typed that no page shows again.
func relayPasswordError(p ui.Page, form relayForm, problems map[string]string) string {
	if problems["password"] == "" && form.settings.Password != "" {
		return p.T("relay.password_dropped")
	}
	return problems["password"]
}

func relayPasswordHint(p ui.Page, form relayForm) string {
	if form.stored.ID != 0 {
		return p.T("relay.password_kept")
	}
	return p.T("relay.password_hint")
}

// relayLimitHint says what a usual limit is. Who sends directly has none of a
// server's to heed, but those of single mail services, which are kept anyhow.
func relayLimitHint(p ui.Page, form relayForm, name string) string {
	switch {
	case form.settings.Kind == app.RelaySMTP:
		return p.T("relay.hint_" + name)
	case name == "per_day":
		return p.T("relay.direct_hint_per_day")
	case name == "connections":
		return p.T("relay.direct_hint_connections")
	case name == "messages":
		return p.T("relay.direct_hint_messages")
	}
	return ""
}

func relayDeleteText(p ui.Page, form relayForm) string {
	if form.last {
		return p.T("relay.delete_last_text")
	}
	return p.T("relay.delete_text")
}
