package ui

import "github.com/a-h/templ"

// outside has htmx put an element into the place of that on the page with its id.
func outside(is bool) templ.Attributes {
	if !is {
		return nil
	}
	return templ.Attributes{"hx-swap-oob": "true"}
}
