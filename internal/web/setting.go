package web

import (
	"net/http"
	"strings"

	"github.com/a-h/templ"

	"vestnik/internal/app"
	"vestnik/internal/web/ui"
)

const settingsPath = "/admin/settings"

func (w *Web) settingRoutes() []Route {
	return []Route{
		{Pattern: "GET " + settingsPath, Access: SignedIn, Serve: showSettings},
		{Pattern: "POST " + settingsPath, Access: SignedIn, Serve: changeSettings},
	}
}

// settingsView is what the page of settings shows.
type settingsView struct {
	values   []app.SettingValue
	given    []app.GivenSetting
	problems map[string]string
}

func (r *request) settingsPage(values []app.SettingValue) (func(problems map[string]string) templ.Component, error) {
	given, err := r.App.GivenSettings(r.actor)
	return func(problems map[string]string) templ.Component {
		return settingsPage(r.page(r.T("admin.settings")), settingsView{values, given, problems})
	}, err
}

func showSettings(r *request) error {
	values, err := r.App.SettingValues(r.actor)
	if err != nil {
		return err
	}
	page, err := r.settingsPage(values)
	if err != nil {
		return err
	}
	return r.render(http.StatusOK, page(nil))
}

func changeSettings(r *request) error {
	values, err := r.App.SettingValues(r.actor)
	if err != nil {
		return err
	}
	typed := make(map[string]string, len(values))
	for i := range values {
		v := &values[i]
		v.Value = strings.TrimSpace(r.field(v.Name))
		if v.Kind == app.SettingSwitch { // a box that is not ticked is not sent
			v.Value = map[bool]string{true: "true", false: "false"}[v.Value != ""]
		}
		typed[v.Name] = v.Value
	}
	page, err := r.settingsPage(values)
	if err != nil {
		return err
	}
	if err := r.App.ChangeSettings(r.in.Context(), r.actor, typed); err != nil {
		return r.mend(err, page)
	}
	return r.done(settingsPath, r.T("setting.saved"))
}

// settingField is a setting as a field of the form.
func settingField(p ui.Page, v settingsView, s app.SettingValue) ui.Field {
	return ui.Field{
		Name: s.Name, Label: p.T("setting." + s.Name), Hint: p.T("setting." + s.Name + "_hint"), Value: s.Value, Error: v.problems[s.Name],
	}
}

func settingChoices(p ui.Page, s app.SettingValue) []ui.Option {
	var options []ui.Option
	for _, choice := range s.Choices {
		options = append(options, ui.Option{Value: choice, Label: p.T("setting." + s.Name + "_" + choice)})
	}
	return options
}

// meaning is what a setting of the start means, in the language of the page where that
// is known.
func meaning(p ui.Page, s app.GivenSetting) string {
	if key := "setting." + strings.ToLower(s.Name); p.Has(key) {
		return p.T(key)
	}
	return s.Meaning
}

// source says where a value of the start came from, and what it would be else.
func source(p ui.Page, s app.GivenSetting) string {
	words := p.T("setting.from_"+s.Source, "flag", "--"+s.Flag)
	if s.Source != "default" && s.Default != s.Value && s.Default != "" {
		words += ", " + p.T("setting.else", "value", s.Default)
	}
	return words
}
