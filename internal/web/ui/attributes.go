package ui

import (
	"strings"

	"github.com/a-h/templ"

	"vestnik/internal/web/assets"
)

// htmxConfig keeps htmx within ContentSecurityPolicy: its own style sheet is
// left to ours, and it asks nobody but us.
const htmxConfig = `{"includeIndicatorCSS":false,"mode":"same-origin"}`

// currentPage marks the link to the page that one is on.
func currentPage(is bool) templ.Attributes {
	if !is {
		return nil
	}
	return templ.Attributes{"aria-current": "page"}
}

// truth writes a bool as ARIA wants it.
func truth(is bool) string {
	if is {
		return "true"
	}
	return "false"
}

// spriteLink is where a drawing stands in the sprite; "" in a build without it.
func spriteLink(name string) string {
	sprite := assets.URL("icons.svg")
	if sprite == "" {
		return ""
	}
	return sprite + "#" + strings.ReplaceAll(name, "/", "-")
}

// Icon is the name of the drawing that goes with a tone.
func (t Tone) Icon() string {
	icon := "info-circle"
	switch t {
	case Busy:
		icon = "loader-2"
	case Success:
		icon = "circle-check"
	case Warning:
		icon = "alert-triangle"
	case Danger:
		icon = "alert-circle"
	}
	return icon
}

func (t Tone) class() string {
	switch t {
	case Busy:
		return "tone-busy"
	case Success:
		return "tone-success"
	case Warning:
		return "tone-warning"
	case Danger:
		return "tone-danger"
	}
	return "tone-neutral"
}

// role makes a screen reader interrupt for what went wrong and wait otherwise.
func (t Tone) role() string {
	if t == Danger || t == Warning {
		return "alert"
	}
	return "status"
}
