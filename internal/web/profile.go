package web

import (
	"net/http"
	"slices"
	"time"

	"github.com/a-h/templ"

	"vestnik/internal/app"
	"vestnik/internal/i18n"
	"vestnik/internal/web/ui"
)

// preferencesLife is how long a browser keeps language and theme; chosen.
const preferencesLife = 365 * 24 * time.Hour

func (w *Web) profileRoutes() []Route {
	return []Route{
		{Pattern: "GET /profile", Access: SignedIn, Serve: showProfile},
		{Pattern: "POST /profile", Access: SignedIn, Serve: saveProfile},
		{Pattern: "POST " + ui.PreferencesPath, Access: Everybody, Serve: setPreferences},
	}
}

func showProfile(r *request) error {
	a := r.actor
	form := app.Profile{FirstName: a.FirstName, LastName: a.LastName, Phone: a.Phone, Lang: a.Lang, Zone: a.Zone}
	return r.render(http.StatusOK, profilePage(r.page(r.T("nav.profile")), a, form, nil))
}

func saveProfile(r *request) error {
	form := app.Profile{
		FirstName: r.field("first_name"), LastName: r.field("last_name"), Phone: r.field("phone"),
		Lang: r.field("lang"), Zone: r.field("zone"),
	}
	if err := r.App.UpdateProfile(r.in.Context(), r.actor, form); err != nil {
		return r.mend(err, func(problems map[string]string) templ.Component {
			return profilePage(r.page(r.T("nav.profile")), r.actor, form, problems)
		})
	}
	r.keep(langCookie, form.Lang)
	return r.done("/profile", r.Catalog.For(form.Lang).T("profile.saved"))
}

// setPreferences takes the language and the theme switch of every page.
func setPreferences(r *request) error {
	if lang := r.field("lang"); slices.Contains(i18n.Languages(), lang) {
		r.keep(langCookie, lang)
		if r.actor.ID != 0 {
			if err := r.App.SetLang(r.in.Context(), r.actor, lang); err != nil {
				return err
			}
		}
	}
	if theme := r.field("theme"); theme != "" {
		r.keep(ui.ThemeCookie, string(ui.ParseTheme(theme)))
	}
	r.redirect(localPath(r.field("back")))
	return nil
}

// keep sets a cookie that is no secret.
func (r *request) keep(name, value string) {
	http.SetCookie(r.out, &http.Cookie{
		Name: name, Value: value, Path: "/", MaxAge: int(preferencesLife.Seconds()),
		Secure: r.Secure, SameSite: http.SameSiteLaxMode, HttpOnly: name == langCookie, // the theme is set by a script, too
	})
}
