package web

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"vestnik/internal/app"
	"vestnik/internal/web/ui"
)

func (w *Web) relayRoutes() []Route {
	return []Route{
		{Pattern: "GET /relays", Access: SignedIn, Serve: listRelays},
		{Pattern: "GET /relays/new", Access: SignedIn, Serve: newRelay},
		{Pattern: "POST /relays/new", Access: SignedIn, Fresh: true, Serve: createRelay},
		{Pattern: "POST /relays/preset", Access: SignedIn, Serve: choosePreset},
		{Pattern: "POST /relays/test", Access: SignedIn, Fresh: true, Serve: testRelay},
		{Pattern: "GET /relays/{id}", Access: SignedIn, Serve: editRelay},
		{Pattern: "POST /relays/{id}", Access: SignedIn, Fresh: true, Serve: updateRelay},
		{Pattern: "POST /relays/{id}/delete", Access: SignedIn, Fresh: true, Serve: deleteRelay},
		{Pattern: "POST /relays/{id}/resume", Access: SignedIn, Serve: resumeRelay},
	}
}

// relayList is what the list of relays shows.
type relayList struct {
	relays []app.RelaySettings
	given  bool // none is in use, but mails leave by that of SMTP_URL

	localLinks bool   // links in mails lead to where no recipient gets
	base       string // what they begin with
	// examples are the actor's, whose addresses nobody has.
	examples exampleState
}

func listRelays(r *request) error {
	relays, err := r.App.Relays(r.in.Context(), r.actor)
	if err != nil {
		return err
	}
	examples, err := r.exampleState()
	if err != nil {
		return err
	}
	list := relayList{relays: relays, examples: examples, localLinks: r.App.LinksAreLocal(), base: r.App.BaseURL}
	list.given = !list.inUse() && !r.Demo()
	return r.render(http.StatusOK, relaysPage(r.page(r.T("relay.title")), list))
}

func deleteRelay(r *request) error {
	return r.changeRelay("relay.deleted", func(id int64) error { return r.App.DeleteRelay(r.in.Context(), r.actor, id) })
}

func resumeRelay(r *request) error {
	return r.changeRelay("relay.resumed", func(id int64) error { return r.App.ResumeRelay(r.in.Context(), r.actor, id) })
}

// changeRelay does something to the relay in the path and says so on the list.
func (r *request) changeRelay(done string, change func(id int64) error) error {
	id, err := r.id("id")
	if err != nil {
		return err
	}
	relay, err := r.App.Relay(r.in.Context(), r.actor, id)
	if err != nil {
		return err
	}
	if err := change(id); err != nil {
		return err
	}
	return r.done("/relays", r.T(done, "name", relay.Name))
}

// alarms are what a person has to look after, whatever page they are on. Without
// the database there is none, and the page itself tells that.
func (r *request) alarms() []ui.Alarm {
	stopped, err := r.App.StoppedRelays(r.in.Context(), r.actor)
	if err != nil && r.in.Context().Err() == nil {
		r.Log.Warn("alarms cannot be read", "error", err)
	}
	var alarms []ui.Alarm
	for _, relay := range stopped {
		if relayPath(relay.ID, "") == r.in.URL.Path {
			continue // it says so itself
		}
		alarms = append(alarms, ui.Alarm{
			Text: r.T("relay.alarm", "name", relay.Name), Link: r.T("relay.alarm_mend"), Path: relayPath(relay.ID, ""),
		})
	}
	refused, err := r.App.RefusedRelays(r.in.Context(), r.actor)
	if err != nil && r.in.Context().Err() == nil {
		r.Log.Warn("alarms cannot be read", "error", err)
	}
	for _, relay := range refused {
		if path := relayPath(relay.ID, ""); path != r.in.URL.Path {
			alarms = append(alarms, ui.Alarm{Text: r.refusedBy(relay), Link: r.T("relay.alarm_sites_look"), Path: path})
		}
	}
	return alarms
}

// sitesNamed is how many sites an alarm names. Chosen: they fit on a line.
const sitesNamed = 3

// refusedBy says which sites refuse a way out; several nodes may be refused by one.
func (r *request) refusedBy(relay app.RefusedRelay) string {
	var names []string
	for _, site := range relay.Sites {
		if !slices.Contains(names, site.Name) {
			names = append(names, site.Name)
		}
	}
	list := strings.Join(names[:min(len(names), sitesNamed)], ", ")
	if len(names) > sitesNamed {
		list += ", …"
	}
	return r.N("relay.alarm_sites", int64(len(names)), "name", relay.Name, "sites", list)
}

func relayPath(id int64, deed string) string { return "/relays/" + strconv.FormatInt(id, 10) + deed }

func (l relayList) inUse() bool {
	for _, relay := range l.relays {
		if relay.Enabled {
			return true
		}
	}
	return false
}

// share is how much of the mails a relay gets now, in words; empty when there is
// no other one to share with.
func (l relayList) share(p ui.Page, of app.RelaySettings) string {
	whole, usable := 0, 0
	for _, relay := range l.relays {
		if relay.Enabled && !relay.Stopped() {
			whole += relay.Weight
			usable++
		}
	}
	if usable < 2 || !of.Enabled || of.Stopped() {
		return ""
	}
	return p.Percent(int64(of.Weight), int64(whole))
}

func relayState(p ui.Page, r app.RelaySettings) (ui.Tone, string) {
	switch {
	case r.Stopped():
		return ui.Danger, p.T("relay.state_stopped")
	case r.Enabled:
		return ui.Neutral, p.T("relay.state_in_use") // whether it works shows only when mails leave
	}
	return ui.Neutral, p.T("relay.state_off")
}

func relayColumns(p ui.Page) []ui.Column {
	return []ui.Column{
		{Title: p.T("relay.name")},
		{Title: p.T("relay.where")},
		{Title: p.T("relay.weight"), Numeric: true},
		{Title: p.T("relay.limits")},
		{Title: p.T("field.status")},
	}
}

func siteColumns(p ui.Page) []ui.Column {
	return []ui.Column{
		{Title: p.T("relay.site")},
		{Title: p.T("relay.site_node")},
		{Title: p.T("relay.site_since")},
		{Title: p.T("relay.site_next")},
	}
}
