package web

import (
	"maps"
	"slices"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
	"vestnik/internal/web/ui"
)

// mendAt are the fields in which what a test finds is mended, by the advice or the error's
// code. What no field mends has none: the server's own trouble, say, or an unknown recipient.
var mendAt = map[string]string{
	"smtp_host_unknown": "host", "smtp_address_forbidden": "host", "smtp_tls_bad_certificate": "host", "smtp_garbage": "host",
	"smtp_port_refused": "port", "smtp_no_answer": "port", "port_25": "port", "port_blocked": "port",
	"use_implicit": "tls", "use_starttls": "tls", "no_encryption": "tls",
	"smtp_tls_not_offered": "tls", "smtp_tls_failed": "tls", "smtp_auth_needs_tls": "tls",
	"smtp_auth_not_offered": "username", "smtp_auth_refused": "password",
	"smtp_sender_refused": "from_email", "sender": "from_email", "smtp_helo_malformed": "helo_name",
}

// mendNowhere is advice by which no field is at fault, whatever the code.
var mendNowhere = []string{"smtp_auth_off", "sandbox", "greylisted", "spam"}

// mendField is the field in which a step that failed is mended; empty: none.
func mendField(s app.RelaySettings, step, advice, code string) string {
	switch {
	case slices.Contains(mendNowhere, advice):
		return ""
	case s.Kind == app.RelayMX && (step == "helo" || step == "reverse"):
		return "helo_name"
	case s.Kind == app.RelayMX:
		return "" // its form has no other field of a way
	case mendAt[advice] != "":
		return mendAt[advice]
	}
	return mendAt[code]
}

// mendLabel is what the form calls the field.
func mendLabel(p ui.Page, form relayForm, field string) string {
	switch {
	case field == "password":
		return p.T("field.password")
	case field == "helo_name" && form.settings.Kind == app.RelayMX:
		return p.T("relay.helo_mx")
	case field == "helo_name":
		return p.T("relay.helo")
	}
	return p.T("relay." + field)
}

// found is what the test has found wrong with fields, by field.
func (f relayForm) found() map[string]string {
	found := map[string]string{}
	for _, step := range f.steps {
		if step.field != "" {
			found[step.field] = step.problem
		}
	}
	return found
}

// marks are all errors that stand at fields: what is wrong with the form, else what the
// test has found.
func (f relayForm) marks(problems map[string]string) map[string]string {
	marks := f.found()
	maps.Copy(marks, problems)
	return marks
}

// tlsWords name the choices of how a connection is protected as the form does, for advice.
func (r *request) tlsWords() []any {
	return []any{"none", r.T("relay.tls_none"), "implicit", r.T("relay.tls_implicit"), "required", r.T("relay.tls_required")}
}

// mended tells of a failure with the field it is about.
func (r *request) mended(s app.RelaySettings, step relayStep, err error) relayStep {
	advice := app.RelayAdvice(s, step.name, err)
	step.field = mendField(s, step.name, advice, mailing.CodeOf(err))
	if advice != "" {
		step.advice = r.T("relay.advice."+advice, r.tlsWords()...)
	}
	return step
}
