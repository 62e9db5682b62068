package web

import (
	"net/http"
	"slices"
	"time"

	"github.com/a-h/templ"

	"vestnik/internal/app"
	"vestnik/internal/i18n"
	"vestnik/internal/mailing"
	"vestnik/internal/web/ui"
)

// preferencesLife is how long a browser keeps language and theme; chosen.
const preferencesLife = 365 * 24 * time.Hour

func (w *Web) profileRoutes() []Route {
	return []Route{
		{Pattern: "GET /profile", Access: SignedIn, Serve: showProfile},
		{Pattern: "POST /profile", Access: SignedIn, Serve: saveProfile},
		{Pattern: "POST /profile/avatar", Access: SignedIn, Serve: saveAvatar, Limit: pictureLimit},
		{Pattern: "POST /profile/avatar/delete", Access: SignedIn, Serve: removeAvatar},
		{Pattern: "POST " + ui.PreferencesPath, Access: Everybody, Serve: setPreferences},
	}
}

func showProfile(r *request) error {
	return r.render(http.StatusOK, profilePage(r.page(r.T("nav.profile")), r.actor, r.storedProfile(), nil))
}

// storedProfile is the form as the account fills it in. Who has never chosen a theme
// sees the one that this browser keeps.
func (r *request) storedProfile() app.Profile {
	a := r.actor
	form := app.Profile{FirstName: a.FirstName, LastName: a.LastName, Phone: a.Phone, Lang: a.Lang, Zone: a.Zone, Theme: a.Theme}
	if cookie, err := r.in.Cookie(ui.ThemeCookie); err == nil && form.Theme == "" {
		form.Theme = string(ui.ParseTheme(cookie.Value))
	}
	return form
}

// saveAvatar takes a picture that was chosen in the profile.
func saveAvatar(r *request) error {
	err := r.readUpload("avatar", pictureLimit)
	if err == nil {
		err = r.takeAvatar()
	}
	if err != nil {
		return r.mend(about("avatar", err), func(problems map[string]string) templ.Component {
			return profilePage(r.page(r.T("nav.profile")), r.actor, r.storedProfile(), problems)
		})
	}
	return r.done("/profile", r.T("profile.avatar_saved"))
}

func (r *request) takeAvatar() error {
	file, chosen, err := r.uploadOf("avatar")
	if err != nil {
		return err
	}
	if !chosen {
		return mailing.FieldFault(mailing.Invalid, "avatar", "file_missing")
	}
	defer file.Close()
	return r.App.SetAvatar(r.in.Context(), r.actor, file)
}

func removeAvatar(r *request) error {
	if err := r.App.RemoveAvatar(r.in.Context(), r.actor); err != nil {
		return err
	}
	return r.done("/profile", r.T("profile.avatar_removed"))
}

func saveProfile(r *request) error {
	form := app.Profile{
		FirstName: r.field("first_name"), LastName: r.field("last_name"), Phone: r.field("phone"),
		Lang: r.field("lang"), Zone: r.field("zone"), Theme: r.field("theme"),
	}
	if err := r.App.UpdateProfile(r.in.Context(), r.actor, form); err != nil {
		return r.mend(err, func(problems map[string]string) templ.Component {
			return profilePage(r.page(r.T("nav.profile")), r.actor, form, problems)
		})
	}
	r.keep(langCookie, form.Lang)
	r.keep(ui.ThemeCookie, string(ui.ParseTheme(form.Theme)))
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
		chosen := ui.ParseTheme(theme)
		r.keep(ui.ThemeCookie, string(chosen))
		if r.actor.ID != 0 {
			if err := r.App.SetTheme(r.in.Context(), r.actor, string(chosen)); err != nil {
				return err
			}
		}
	}
	r.redirect(localPath(r.field("back")))
	return nil
}
