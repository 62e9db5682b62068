package web

import "slices"

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

func presetNamed(key string) (relayPreset, bool) {
	presets := relayPresets()
	i := slices.IndexFunc(presets, func(p relayPreset) bool { return p.Key == key })
	if i < 0 {
		return relayPreset{}, false
	}
	return presets[i], true
}

// fill takes over a preset. Names and addresses stay as they are, and what somebody has
// chosen for a relay that is there.
func (f *relayForm) fill(p relayPreset) {
	f.preset = p.Key
	f.settings.Host, f.settings.TLS, f.settings.Port = p.Host, p.TLS, p.Port
	if f.stored.ID == 0 {
		f.settings.Name = p.Name
		f.settings.PerSecond, f.settings.PerDay, f.settings.Connections = p.PerSecond, p.PerDay, p.Connections
	}
}

func (p relayPreset) limited() bool { return p.PerSecond+p.PerDay+p.Connections > 0 }
