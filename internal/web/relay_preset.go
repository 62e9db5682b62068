package web

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strconv"

	"github.com/a-h/templ"
)

// relayPreset is what a mail service says in its help about programs that send. A limit of 0
// is one that it does not tell.
type relayPreset struct {
	Key, Name, Host string
	Port            int
	TLS             string
	PerSecond       int
	PerDay          int
	Connections     int
	Help            string // where a password for programs is made, or the page that tells how
}

// relayPresets are the services that most people come from, with the settings and limits of
// their help pages, as of November 2026: Yandex Mail, "Sending a large number of messages"
// (500 recipients in 24 hours); Gmail, 500 a day for personal accounts; Amazon SES, "Service
// quotas" (in the sandbox 200 in 24 hours and one a second, which an account begins with; its
// region stands for all).
func relayPresets() []relayPreset {
	return []relayPreset{
		{
			Key: "yandex", Name: "Яндекс", Host: "smtp.yandex.ru", Port: 465, TLS: "implicit", PerDay: 500,
			Help: "https://id.yandex.ru/security/app-passwords",
		},
		{
			Key: "mailru", Name: "Mail.ru", Host: "smtp.mail.ru", Port: 465, TLS: "implicit",
			Help: "https://account.mail.ru/user/2-step-auth/passwords",
		},
		{
			Key: "gmail", Name: "Gmail", Host: "smtp.gmail.com", Port: 587, TLS: "starttls-required", PerDay: 500,
			Help: "https://myaccount.google.com/apppasswords",
		},
		{
			Key: "microsoft", Name: "Microsoft 365", Host: "smtp.office365.com", Port: 587, TLS: "starttls-required",
			PerDay: 10_000, Connections: 3,
			Help: "https://learn.microsoft.com/exchange/clients-and-mobile-in-exchange-online/authenticated-client-smtp-submission",
		},
		{
			Key: "ses", Name: "Amazon SES", Host: "email-smtp.eu-central-1.amazonaws.com", Port: 587, TLS: "starttls-required",
			PerSecond: 1, PerDay: 200, Help: "https://docs.aws.amazon.com/ses/latest/dg/smtp-credentials.html",
		},
		{
			Key: "unisender", Name: "Unisender Go", Host: "smtp.go1.unisender.ru", Port: 587, TLS: "starttls-required",
			Connections: 50, Help: "https://godocs.unisender.ru/smtp-api",
		},
	}
}

// presetOwn is the key of the choice that is no preset: a server of one's own.
const presetOwn = "own"

func presetNamed(key string) (relayPreset, bool) {
	return presetWhere(func(p relayPreset) bool { return p.Key == key })
}

func presetWhere(fits func(relayPreset) bool) (relayPreset, bool) {
	presets := relayPresets()
	i := slices.IndexFunc(presets, fits)
	if i < 0 {
		return relayPreset{}, false
	}
	return presets[i], true
}

// ownServer is what the form of a server begins with that no preset is for.
func ownServer() relayPreset {
	return relayPreset{Key: presetOwn, Port: 587 /* submission (RFC 6409) */, TLS: "starttls-required"}
}

func (p relayPreset) limited() bool { return p.PerSecond+p.PerDay+p.Connections > 0 }

// fields are what a preset fills in, by field; of a relay that is there only how it is
// reached.
func (p relayPreset) fields(isNew bool) map[string]string {
	fields := map[string]string{"host": p.Host, "port": typedNumber(p.Port), "tls": p.TLS}
	if isNew {
		maps.Copy(fields, map[string]string{
			"name": p.Name, "per_second": typedNumber(p.PerSecond), "per_day": typedNumber(p.PerDay), "connections": typedNumber(p.Connections),
		})
	}
	return fields
}

// typedNumber is a number as somebody would type it; nothing for none.
func typedNumber(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

// forces reports whether the field becomes what the preset says, whatever stood there: a
// service is chosen for its server. All else that somebody has typed stays.
func (p relayPreset) forces(field string) bool {
	return p.Key != presetOwn && slices.Contains([]string{"host", "port", "tls"}, field)
}

// fill takes over a preset, as relay.js does: what is empty, or what the preset before has
// filled in, is filled in anew.
func (f *relayForm) fill(p relayPreset) {
	before, _ := presetWhere(func(p relayPreset) bool { return p.Host == f.settings.Host })
	isNew := f.stored.ID == 0
	was, texts, numbers := before.fields(isNew), f.texts(), relayNumbers(&f.settings)
	for name, value := range p.fields(isNew) {
		now := f.typed[name]
		if text := texts[name]; text != nil {
			now = *text
		}
		if !p.forces(name) && now != "" && now != was[name] {
			continue
		}
		if text := texts[name]; text != nil {
			*text = value
		} else {
			f.typed[name], *numbers[name] = value, wholeNumber(value)
		}
	}
	f.preset = p.Key
}

// texts are the fields of a preset that are no numbers.
func (f *relayForm) texts() map[string]*string {
	return map[string]*string{"host": &f.settings.Host, "tls": &f.settings.TLS, "name": &f.settings.Name}
}

// chosen is the key of the preset that the form shows as chosen; empty: none yet.
func (f relayForm) chosen() string {
	if f.preset != "" || f.settings.Host == "" {
		return f.preset
	}
	p, found := presetWhere(func(p relayPreset) bool { return p.Host == f.settings.Host })
	if !found {
		return presetOwn
	}
	return p.Key
}

// choosePreset shows the form again, filled in, for whoever has no script: with all that was
// typed but the password, which no page shows.
func choosePreset(r *request) error {
	form, err := r.typedRelay(int64(max(wholeNumber(r.field("id")), 0)))
	if err != nil {
		return err
	}
	form.fillBy(r.field("preset"))
	return r.render(http.StatusOK, r.relayPage(form, nil))
}

// fillBy takes over the preset of a key, if there is one.
func (f *relayForm) fillBy(key string) {
	if preset, found := presetNamed(key); found {
		f.fill(preset)
	} else if key == presetOwn {
		f.fill(ownServer())
	}
}

// presetButton is what the button of a preset tells the script: what to fill in.
func presetButton(form relayForm, preset relayPreset) templ.Attributes {
	fields, err := json.Marshal(preset.fields(form.stored.ID == 0))
	if err != nil {
		panic("web: a map of texts: " + err.Error())
	}
	return templ.Attributes{
		"data-preset": string(fields), "value": preset.Key, "aria-pressed": strconv.FormatBool(preset.Key == form.chosen()),
	}
}

// hostAttributes have the field for the server await the name of one's own.
func hostAttributes(form relayForm) templ.Attributes {
	if form.preset != presetOwn {
		return nil
	}
	return templ.Attributes{"autofocus": true}
}
