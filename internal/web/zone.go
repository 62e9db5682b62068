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
	f.Attributes = templ.Attributes{"list": id}
	f.Autocomplete = "off"
	return f
}
