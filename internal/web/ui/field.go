package ui

import (
	"maps"
	"slices"
	"strconv"

	"github.com/a-h/templ"
)

// Field is one field of a form as it is shown: with what was typed, and with
// what is wrong with it.
type Field struct {
	Name  string // in the form; the id is "field-" and this unless ID is set
	ID    string
	Label string
	Value string // kept as it was typed
	Hint  string // how to fill it in; may be empty
	Error string // what is wrong; empty when nothing is

	ErrorPath string // leads from the error to what stands in the way; may be empty
	ErrorLink string // the words of that link

	Required     bool
	Disabled     bool
	ReadOnly     bool
	Focus        bool // the page begins in it; of one field at most
	Placeholder  string
	Autocomplete string          // a token of the HTML standard, such as "email"
	MaxLength    int             // in UTF-16 units, as browsers count; 0 for no limit
	Min, Max     string          // of dates, times and numbers
	Help         templ.Component // a Help below the hint; may be nil
	Attributes   templ.Attributes
}

// Fault is what is wrong with a field, by the field's name.
type Fault struct{ Field, Words string }

// FaultsOf are the problems of a form, by field, in the order of the names; what is about the
// whole form, under "", is none.
func FaultsOf(problems map[string]string) []Fault {
	faults := make([]Fault, 0, len(problems))
	for _, field := range slices.Sorted(maps.Keys(problems)) {
		if field != "" {
			faults = append(faults, Fault{field, problems[field]})
		}
	}
	return faults
}

// tellApart reports whether no two faults have the same words, which say nothing away from
// their fields.
func tellApart(faults []Fault) bool {
	words := map[string]bool{}
	for _, f := range faults {
		words[f.Words] = true
	}
	return len(words) == len(faults)
}

// Option is one choice of a Select or a Radio group.
type Option struct {
	Value string
	Label string
	Hint  string // only shown by RadioGroup
}

func (f Field) id() string {
	if f.ID != "" {
		return f.ID
	}
	return "field-" + f.Name
}

func (f Field) hintID() string  { return f.id() + "-hint" }
func (f Field) errorID() string { return f.id() + "-error" }

// describedBy names what says more about the field: its error, then its hint.
func (f Field) describedBy() string {
	switch {
	case f.Error != "" && f.Hint != "":
		return f.errorID() + " " + f.hintID()
	case f.Error != "":
		return f.errorID()
	case f.Hint != "":
		return f.hintID()
	}
	return ""
}

// attributes are those that all kinds of fields share.
func (f Field) attributes() templ.Attributes {
	attrs := f.state()
	attrs["id"] = f.id()
	attrs["name"] = f.Name
	setUnlessEmpty(attrs, "placeholder", f.Placeholder)
	setUnlessEmpty(attrs, "autocomplete", f.Autocomplete)
	setUnlessEmpty(attrs, "min", f.Min)
	setUnlessEmpty(attrs, "max", f.Max)
	if f.MaxLength > 0 {
		attrs["maxlength"] = strconv.Itoa(f.MaxLength)
	}
	if f.Focus {
		attrs["autofocus"] = true
	}
	maps.Copy(attrs, f.Attributes)
	return attrs
}

// state are the attributes that say what may be done and what is wrong.
func (f Field) state() templ.Attributes {
	attrs := templ.Attributes{
		"required": f.Required,
		"disabled": f.Disabled,
		"readonly": f.ReadOnly,
	}
	setUnlessEmpty(attrs, "aria-describedby", f.describedBy())
	if f.Error != "" {
		attrs["aria-invalid"] = "true"
	}
	return attrs
}

// groupState is state for a <fieldset>, which can be neither required nor
// read-only.
func (f Field) groupState() templ.Attributes {
	attrs := templ.Attributes{"disabled": f.Disabled}
	setUnlessEmpty(attrs, "aria-describedby", f.describedBy())
	return attrs
}

// optionID is the id of the n-th choice of a group.
func (f Field) optionID(n int) string { return f.id() + "-" + strconv.Itoa(n+1) }

func setUnlessEmpty(attrs templ.Attributes, name, value string) {
	if value != "" {
		attrs[name] = value
	}
}
