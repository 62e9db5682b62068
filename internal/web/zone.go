package web

import (
	_ "embed"
	"strings"
	"sync"

	"github.com/a-h/templ"

	"vestnik/internal/web/ui"
)

// zonesText are the zones that people live in, one a line: those of the table
// zone1970.tab of the IANA time zone database, and UTC.
//
//go:embed zones.txt
var zonesText string

// allZones are the IANA names that a form offers, sorted. Others may be typed.
var allZones = sync.OnceValue(func() []string { return strings.Fields(zonesText) })

// withList makes a field offer the options of a <datalist>.
func withList(f ui.Field, id string) ui.Field {
	if f.Attributes == nil {
		f.Attributes = templ.Attributes{}
	}
	f.Attributes["list"] = id
	f.Autocomplete = "off"
	return f
}

// withZones loads the script that fills in the browser's zone.
func withZones(p ui.Page) ui.Page {
	p.Scripts = append(p.Scripts, "zone.js")
	return p
}

// hereOr has the zone of the browser take the place of the one that we guess, while nobody
// has chosen any.
func hereOr(f ui.Field, guessed bool) ui.Field {
	if guessed {
		f.Attributes = templ.Attributes{"data-zone": f.Value}
	}
	return f
}
