package web

import (
	"cmp"
	_ "embed"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/a-h/templ"

	"vestnik/internal/i18n"
	"vestnik/internal/mailing"
	"vestnik/internal/web/ui"
)

// zonesText are the zones that people live in, one a line: those of the table
// zone1970.tab of the IANA time zone database, and UTC.
//
//go:embed zones.txt
var zonesText string

// allZones are the IANA names that a form offers, sorted.
var allZones = sync.OnceValue(func() []string { return strings.Fields(zonesText) })

// zoneChoices are all zones that a person can live by, with the chosen one: first those of
// the form of a mailing, then the others by their names. What is no zone stays as it was
// sent, so that the choice does not change unasked.
func zoneChoices(p ui.Page, chosen string) []ui.Option {
	first := zonesAmong(p.Printer, p.Now, append(zoneNames(), chosen))
	others := slices.DeleteFunc(zonesAmong(p.Printer, p.Now, allZones()), func(o ui.Option) bool {
		return slices.ContainsFunc(first, func(known ui.Option) bool { return known.Value == o.Value })
	})
	slices.SortFunc(others, func(a, b ui.Option) int { return cmp.Compare(a.Label, b.Label) })
	all := append(first, others...)
	if _, err := mailing.LoadZone(chosen); err != nil {
		all = slices.Insert(all, 0, ui.Option{Value: chosen, Label: chosen})
	}
	return all
}

// zonesAmong are those of the names that this machine knows, once each. Each says how far
// its clock is from UTC today.
func zonesAmong(p *i18n.Printer, now time.Time, names []string) []ui.Option {
	options := make([]ui.Option, 0, len(names))
	for i, name := range names {
		zone, err := mailing.LoadZone(name)
		if err != nil || slices.Contains(names[:i], name) {
			continue // a time zone database that is older than the name
		}
		options = append(options, ui.Option{Value: name, Label: p.Zone(name) + " (UTC" + now.In(zone).Format("-07:00") + ")"})
	}
	return options
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
