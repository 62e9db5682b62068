package mailing

import "strings"

// providers are the mail providers that people know under one name, by their domains.
// Whose domains they only host is not told by an address, and counts by itself.
var providers = map[string][]string{
	"Mail.ru":  {"mail.ru", "bk.ru", "inbox.ru", "list.ru", "internet.ru", "xmail.ru", "mail.ua"},
	"yandex":   {"yandex.ru", "ya.ru", "yandex.com", "yandex.by", "yandex.kz", "yandex.ua", "yandex.uz", "narod.ru"},
	"Rambler":  {"rambler.ru", "lenta.ru", "autorambler.ru", "myrambler.ru", "ro.ru", "rambler.ua"},
	"Gmail":    {"gmail.com", "googlemail.com"},
	"Outlook":  {"outlook.com", "hotmail.com", "live.com", "live.ru", "msn.com", "outlook.de", "outlook.fr", "hotmail.co.uk", "hotmail.fr", "hotmail.de"},
	"Yahoo":    {"yahoo.com", "ymail.com", "rocketmail.com", "yahoo.co.uk", "yahoo.de", "yahoo.fr", "yahoo.co.jp", "aol.com"},
	"iCloud":   {"icloud.com", "me.com", "mac.com"},
	"Proton":   {"proton.me", "protonmail.com", "pm.me"},
	"GMX":      {"gmx.de", "gmx.net", "gmx.com", "gmx.at", "gmx.ch", "web.de"},
	"Ukr.net":  {"ukr.net"},
	"Zoho":     {"zoho.com", "zohomail.com"},
	"Fastmail": {"fastmail.com", "fastmail.fm"},
}

var providerOfDomain = func() map[string]string {
	all := map[string]string{}
	for name, domains := range providers {
		for _, domain := range domains {
			all[domain] = name
		}
	}
	return all
}()

// ProviderErased is the provider of those who were erased.
const ProviderErased = "erased"

// IsKnownProvider reports whether a name of ProviderOf is one that many share, so that it
// tells nothing of a single person.
func IsKnownProvider(name string) bool { return name == ProviderErased || providers[name] != nil }

// ProviderOf is who keeps the mailboxes of a domain, as far as its name tells: the name
// of a provider that people know, or the domain as people read it.
func ProviderOf(domain string) string {
	domain = strings.ToLower(domain)
	if name := providerOfDomain[domain]; name != "" {
		return name
	}
	if "@"+domain == erasedDomain {
		return ProviderErased
	}
	return DisplayDomain(domain)
}
