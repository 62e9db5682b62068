package web

import (
	"net/http"
	"time"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
	"vestnik/internal/web/ui"
)

// The cookies beside the session's.
const (
	langCookie   = "lang"
	deviceCookie = "device"
)

// cookieName is what a cookie is called. Where pages come by https, the prefix makes
// browsers take it from us alone: no neighbour on another port or subdomain, and nobody
// on the line, can plant one (RFC 6265bis, section 4.1.3.2).
func cookieName(name string, secure bool) string {
	if secure {
		return "__Host-" + name
	}
	return name
}

// cookie is the value that the browser keeps; empty for none.
func (w *Web) cookie(in *http.Request, name string) string {
	cookie, err := in.Cookie(cookieName(name, w.Secure))
	if err != nil {
		return ""
	}
	return cookie.Value
}

// keep sets a cookie that lives for a year. Only that of the theme is for scripts, too.
func (r *request) keep(name, value string) {
	r.keepFor(name, value, preferencesLife)
}

func (r *request) keepFor(name, value string, life time.Duration) {
	http.SetCookie(r.out, &http.Cookie{
		Name: cookieName(name, r.Secure), Value: value, Path: "/", MaxAge: int(life.Seconds()),
		Secure: r.Secure, HttpOnly: name != ui.ThemeCookie, SameSite: http.SameSiteLaxMode,
	})
}

// remember has the browser show from now on that the account's owner uses it.
func (r *request) remember(account mailing.Account) {
	r.from.Device = r.App.RememberDevice(r.from, account)
	r.keepFor(deviceCookie, r.from.Device, app.DeviceLifetime)
}
