package web

import (
	"slices"

	"vestnik/internal/app"
	"vestnik/internal/web/ui"
)

// typedField is a field that has to be filled in, with what was typed into it.
type typedField struct{ name, value string }

// focus is the name of the field in which a form is begun; "" is none of them.
type focus string

// focusOf is the first field that is wrong, or, when none is, the first one that is empty:
// a wrong password is told above the form, and leaves the field of the password empty.
func focusOf(problems map[string]string, fields ...typedField) focus {
	for _, f := range fields {
		if problems[f.name] != "" {
			return focus(f.name)
		}
	}
	for _, f := range fields {
		if f.value == "" {
			return focus(f.name)
		}
	}
	return ""
}

// on is the field, with the focus if the form is begun in it.
func (name focus) on(f ui.Field) ui.Field {
	f.Focus = f.Name == string(name)
	return f
}

// nameFields are those of a new account in their order: the names, what comes between, and
// the password, which is never written into a page. A last name may stay empty.
func nameFields(form app.Registration, between ...typedField) []typedField {
	names := []typedField{{"first_name", form.FirstName}, {"last_name", "-"}}
	return slices.Concat(names, between, []typedField{{"password", ""}, {"again", ""}})
}
