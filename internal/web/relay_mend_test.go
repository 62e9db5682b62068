package web_test

import (
	"context"
	"net/http"
	"testing"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
	"vestnik/internal/web"
)

func TestAFailedStepLeadsToItsField(t *testing.T) {
	var step, code, reply string
	h := newHarness(t, func(c *app.Config, _ *web.Options) {
		c.CheckRelay = func(_ context.Context, s app.RelaySettings, told func(string, error)) {
			told(step, mailing.Fault(mailing.Invalid, code, "host", s.Host, "reply", reply))
		}
	})
	admin := h.signIn(h.account("admin@example.org", mailing.RoleAdmin))
	form := fieldsOf(admin.get("/relays/new?preset=unisender").one("#relay"))
	form.Set("password", "s3same")
	for _, of := range []struct{ step, code, reply, field, words string }{
		{"resolve", "smtp_host_unknown", "", "host", "Исправить: Сервер"},
		{"connect", "smtp_port_refused", "", "port", "Исправить: Порт"},
		{"tls", "smtp_tls_not_offered", "", "tls", "«Без шифрования»"},
		{"tls", "smtp_tls_later", "", "tls", "«Только STARTTLS (587)»"},
		{"auth", "smtp_auth_refused", "535 no", "password", "Исправить: Пароль"},
		{"sender", "smtp_sender_refused", "553 no", "from_email", "Исправить: Адрес отправителя"},
		{"recipient", "smtp_recipient_refused", "450 greylisted", "", ""},
	} {
		h.run("of "+of.code, func(t *testing.T) {
			step, code, reply = of.step, of.code, of.reply
			p := admin.post("/relays/test", form).expect(http.StatusOK).shows(".stage.tone-danger", of.words)
			if of.field == "" {
				p.lacks(".stage.tone-danger a").lacks("[data-error-of]")
				return
			}
			field := "#field-" + of.field
			p.one(`.stage.tone-danger a[href="` + field + `"]`)
			p.one(field + "[aria-invalid=true]")
			for _, place := range []string{field + "-error", `[data-error-of="field-` + of.field + `"]`} {
				p.shows(place, p.text(".stage-problem"))
			}
			checkTranslated(t, p)
		})
	}
}
