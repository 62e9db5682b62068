package ui

import (
	"maps"

	"github.com/a-h/templ"
)

// Look is how much a button stands out.
type Look uint8

// The looks. A page has one Primary button at most.
const (
	Plain       Look = iota
	Primary          // what one came to do
	Destructive      // what cannot be undone
	Quiet            // in rows of tables
	RowAction        // the same where its Icon is known to everybody: the words are a tooltip, and seen on phones
)

func (l Look) class() string {
	switch l {
	case Primary:
		return "btn btn-primary"
	case Destructive:
		return "btn btn-danger"
	case Quiet:
		return "btn btn-quiet"
	case RowAction:
		return "btn btn-quiet btn-row"
	}
	return "btn"
}

// hint is the tooltip of a button that may have no words to see.
func (l Look) hint(words string) templ.Attributes {
	if l != RowAction {
		return nil
	}
	return templ.Attributes{"title": words}
}

// Button is a link or a button of a form.
type Button struct {
	Look  Look
	Label string // a verb
	Icon  string // may be empty
	Path  string // of a LinkButton or a PostButton
	Name  string // sent with Value when a SubmitButton is pressed; may be empty
	Value string

	Attributes templ.Attributes // further ones; may be nil
}

// submits are the attributes that a submit button adds to its form.
func (b Button) submits() templ.Attributes {
	attrs := templ.Attributes{}
	if b.Name != "" {
		attrs["name"] = b.Name
		attrs["value"] = b.Value
	}
	maps.Copy(attrs, b.Attributes)
	return attrs
}

// Question is what Confirm asks.
type Question struct {
	ID      string // unique on the page
	Look    Look   // of the button that asks
	Icon    string // on that button; may be empty
	Button  string // what it does, in a verb: "Delete"
	Title   string // the question: "Delete “Autumn sale”?"
	Text    string // what will be lost, and what stays
	AllText string // of a BulkConfirm: more for when all that was found is chosen
	Action  string // where the form is posted to
	Safe    bool   // nothing is lost: the button in the dialog is not red
}

func (q Question) yes() Look {
	if q.Safe {
		return Primary
	}
	return Destructive
}
