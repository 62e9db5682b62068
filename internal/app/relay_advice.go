package app

import (
	"errors"
	"slices"
	"strings"

	"vestnik/internal/mailing"
)

// adviceRule says what to do about a failure of a test. What is empty fits always.
type adviceRule struct {
	advice string // below "relay.advice."
	codes  []string
	step   string
	ports  []int
	tls    []string
	says   []string // parts of the server's answer, in lower case
	hosts  []string // of services whose help says so
}

// adviceRules are tried in their order. The words of servers are those of their help pages.
var adviceRules = []adviceRule{
	{advice: "smtp_auth_off", codes: []string{"smtp_auth_refused"}, says: []string{"smtpclientauthentication is disabled", "5.7.139"}},
	{advice: "app_password", codes: []string{"smtp_auth_refused"}, says: []string{"application-specific password", "application password", "app password", "parol prilozheniya", "5.7.9"}},
	{advice: "app_password", codes: []string{"smtp_auth_refused"}, hosts: []string{"smtp.yandex.ru", "smtp.mail.ru", "smtp.gmail.com"}},
	{advice: "wrong_password", codes: []string{"smtp_auth_refused"}},
	{advice: "sandbox", codes: []string{"smtp_sender_refused", "smtp_recipient_refused", "relay_mail_refused"}, says: []string{"not verified", "sandbox"}},
	{advice: "greylisted", codes: []string{"smtp_recipient_refused", "smtp_sender_refused", "relay_mail_refused"}, says: []string{"greylist", "graylist", "try again later", "try later"}},
	{advice: "spam", codes: []string{"relay_mail_refused"}, says: []string{"spam", "policy", "5.7.1"}},
	{advice: "sender", codes: []string{"smtp_sender_refused", "relay_mail_refused"}, says: []string{"sender", "from", "not owned", "5.7.60", "not allowed"}},
	{advice: "sender", codes: []string{"smtp_sender_refused"}},
	{advice: "use_implicit", codes: []string{"smtp_no_answer", "smtp_connection_lost", "smtp_garbage"}, step: "greeting", ports: []int{465}},
	{advice: "use_starttls", codes: []string{"smtp_tls_later"}},
	{advice: "no_encryption", codes: []string{"smtp_tls_none"}},
	{advice: "use_starttls", codes: []string{"smtp_tls_failed", "smtp_connection_lost", "smtp_garbage"}, ports: []int{25, 587, 2525}, tls: []string{"implicit"}},
	{advice: "use_implicit", codes: []string{"smtp_tls_not_offered"}, ports: []int{465}},
	{advice: "no_encryption", codes: []string{"smtp_tls_not_offered"}},
	{advice: "port_refused", codes: []string{"smtp_port_refused"}},
	{advice: "port_25", codes: []string{"smtp_no_answer"}, step: "connect", ports: []int{25}},
	{advice: "port_blocked", codes: []string{"smtp_no_answer"}, step: "connect"},
	{advice: "certificate", codes: []string{"smtp_tls_bad_certificate"}},
}

// RelayAdvice is what a person should do about a step of a test that failed, as a translation
// key below "relay.advice."; empty where the error says all.
func RelayAdvice(r RelaySettings, step string, err error) string {
	var fault *mailing.Error
	if !errors.As(err, &fault) {
		return ""
	}
	reply, _ := fault.Params["reply"].(string)
	for _, rule := range adviceRules {
		if rule.fits(r, step, fault.Code, strings.ToLower(reply)) {
			return rule.advice
		}
	}
	return ""
}

func (rule adviceRule) fits(r RelaySettings, step, code, reply string) bool {
	says := func(part string) bool { return strings.Contains(reply, part) }
	return slices.Contains(rule.codes, code) &&
		(rule.step == "" || rule.step == step) &&
		(rule.ports == nil || slices.Contains(rule.ports, r.Port)) &&
		(rule.tls == nil || slices.Contains(rule.tls, r.TLS)) &&
		(rule.says == nil || slices.ContainsFunc(rule.says, says)) &&
		(rule.hosts == nil || slices.Contains(rule.hosts, strings.ToLower(r.Host)))
}
