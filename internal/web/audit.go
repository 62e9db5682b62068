package web

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
	"vestnik/internal/web/ui"
)

const (
	auditPath    = "/admin/audit"
	activityPath = "/profile/activity"
)

func (w *Web) auditRoutes() []Route {
	return []Route{
		{Pattern: "GET " + auditPath, Access: SignedIn, Serve: viewAudit},
		{Pattern: "GET " + activityPath, Access: SignedIn, Serve: viewActivity},
	}
}

// The names of the filters in the address, besides the search, which is for who did
// it, and those of the log.
const (
	auditAction = "action"
	auditKind   = "kind"
	auditThing  = "thing" // the id; only with auditKind
)

// auditView is what the audit log shows.
type auditView struct {
	list     ui.List
	actor    mailing.Account
	everyone bool // the whole log, not what concerns the actor
	deeds    []mailing.Deed
	more     bool             // there are older ones
	owners   map[int64]string // by id, when everybody's are shown
	problems map[string]string
}

// viewAudit shows everything that people did.
func viewAudit(r *request) error { return r.showDeeds(auditPath, true) }

// viewActivity shows what concerns the person.
func viewActivity(r *request) error { return r.showDeeds(activityPath, false) }

func (r *request) showDeeds(path string, everyone bool) error {
	list, _ := r.list(path, perPage)
	v := auditView{list: list, actor: r.actor, everyone: everyone}
	if err := r.fillDeeds(&v); err != nil {
		return err
	}
	ids := make([]int64, 0, len(v.deeds))
	for _, d := range v.deeds {
		if d.Owner != 0 && d.Owner != d.Actor {
			ids = append(ids, d.Owner)
		}
	}
	var err error
	if v.owners, err = r.owners(everyone, ids); err != nil {
		return err
	}
	status := http.StatusOK
	if len(v.problems) > 0 {
		status = http.StatusUnprocessableEntity
	}
	return r.render(status, auditPage(r.page(v.title(r.T)), v))
}

// fillDeeds reads what the filters leave. Dates that make no sense leave nothing, and
// it is said so.
func (r *request) fillDeeds(v *auditView) error {
	f := app.AuditFilter{
		Everyone: v.everyone, Email: v.list.Search(),
		Action: oneOf(v.list.Query, auditAction, actions(r.Below("deed."))...),
		Kind:   oneOf(v.list.Query, auditKind, kinds(r.Below("thing."))...),
		Before: r.number(logBefore), Limit: perPage + 1,
	}
	if f.Kind != "" {
		f.Thing = r.number(auditThing)
	}
	var dates mailing.Problems
	err := cmp.Or(dates.AddError(logFrom, r.day(logFrom, 0, &f.From)), dates.AddError(logTo, r.day(logTo, 1, &f.To)))
	if err != nil {
		return err
	}
	problems, wrong := r.problems(dates.Err())
	if wrong {
		f.Limit = 0 // and yet who may not see the log must not see that it is there
	}
	if v.deeds, err = r.App.Deeds(r.in.Context(), r.actor, f); err != nil {
		return err
	}
	v.problems = problems
	if v.more = len(v.deeds) > perPage; v.more {
		v.deeds = v.deeds[:perPage]
	}
	return nil
}

func actions(names []string) []mailing.Action {
	list := make([]mailing.Action, len(names))
	for i, name := range names {
		list[i] = mailing.Action(name)
	}
	return list
}

func kinds(names []string) []mailing.ThingKind {
	list := make([]mailing.ThingKind, len(names))
	for i, name := range names {
		list[i] = mailing.ThingKind(name)
	}
	return list
}

func (v auditView) title(t func(string, ...any) string) string {
	if v.everyone {
		return t("audit.title")
	}
	return t("audit.own_title")
}

func (v auditView) lead(p ui.Page) string {
	if v.everyone {
		return p.T("audit.lead")
	}
	return p.T("audit.own_lead")
}

func (v auditView) filtered() bool {
	return filtered(v.list, auditAction, auditKind, auditThing, logFrom, logTo, logBefore)
}

// older is the address of the lines before those that are shown.
func (v auditView) older() string {
	return v.list.FilterURL(logBefore, strconv.FormatInt(v.deeds[len(v.deeds)-1].Number, 10))
}

// about is the address of all lines about a thing; empty when it has no id.
func (v auditView) about(t mailing.Thing) string {
	if t.ID == 0 || v.list.Query.Get(auditThing) != "" {
		return ""
	}
	return v.list.Path + "?" + query(auditKind, string(t.Kind)) + "&" + query(auditThing, strconv.FormatInt(t.ID, 10))
}

// thingPages are where the things of a kind have their pages.
var thingPages = map[mailing.ThingKind]string{
	mailing.ThingContact: "/clients/", mailing.ThingMessage: "/messages/", mailing.ThingMailing: "/mailings/",
	mailing.ThingRun: "/runs/", mailing.ThingRelay: "/relays/",
}

// thingPath is the page of a thing; empty when it has none. It may be gone by now.
func thingPath(t mailing.Thing) string {
	if page := thingPages[t.Kind]; page != "" && t.ID > 0 {
		return page + strconv.FormatInt(t.ID, 10)
	}
	return ""
}

// change is one line of what a deed changed.
type change struct{ field, before, after string }

// changesOf are what a deed changed, by the name of the field.
func changesOf(p ui.Page, d mailing.Deed) []change {
	fields := map[string]bool{}
	for _, facts := range []mailing.Facts{d.Before, d.After} {
		for field := range facts {
			fields[field] = true
		}
	}
	var list []change
	for _, field := range slices.Sorted(maps.Keys(fields)) {
		list = append(list, change{p.FactName(field), p.Fact(field, d.Before[field]), p.Fact(field, d.After[field])})
	}
	slices.SortStableFunc(list, func(a, b change) int { return cmp.Compare(a.field, b.field) })
	return list
}

// words say a change in one line.
func (c change) words(d mailing.Deed) string {
	switch {
	case !hasBefore(d):
		return c.field + ": " + c.after
	case !hasAfter(d):
		return c.field + ": " + c.before
	}
	return c.field + ": " + c.before + " → " + c.after
}

// thingName is what people call what it was done to.
func thingName(p ui.Page, d mailing.Deed) string {
	switch d.Thing.Kind {
	case mailing.ThingMessage, mailing.ThingMailing, mailing.ThingRun:
		return p.SubjectName(d.Thing.Name)
	}
	return d.Thing.Name
}

// isOneself reports whether somebody did it to their own account, which needs not be
// named twice.
func isOneself(d mailing.Deed) bool {
	return d.Thing.Kind == mailing.ThingAccount && (d.Thing.ID == d.Actor || d.Thing.Name == d.Email)
}

// hasBefore reports whether there is anything to compare with: not for what is new.
func hasBefore(d mailing.Deed) bool { return len(d.Before) > 0 }

// hasAfter reports whether something is left: not of what was deleted.
func hasAfter(d mailing.Deed) bool { return len(d.After) > 0 }

// doer names who did it, and says a word more about them.
func (v auditView) doer(p ui.Page, d mailing.Deed) (name, note string) {
	switch {
	case d.Actor == app.Operator.ID:
		return p.T("audit.operator"), p.T("audit.operator_note")
	case d.Actor == v.actor.ID && !v.everyone:
		return p.T("audit.you"), d.From
	case d.Actor == 0:
		note = p.T("audit.not_signed_in")
		if d.From != "" {
			note += " · " + d.From
		}
		return mailing.DisplayEmail(d.Email), note
	}
	return mailing.DisplayEmail(d.Email), d.From
}

func actionOptions(p ui.Page) []ui.Option {
	return sortedOptions(p, "deed.", p.T("audit.any_action"))
}

func kindOptions(p ui.Page) []ui.Option { return sortedOptions(p, "thing.", p.T("audit.any_kind")) }

// sortedOptions are all words of a section, by what they are called.
func sortedOptions(p ui.Page, section, any string) []ui.Option {
	var options []ui.Option
	for _, name := range p.Below(section) {
		options = append(options, ui.Option{Value: name, Label: p.T(section + name)})
	}
	slices.SortFunc(options, func(a, b ui.Option) int { return cmp.Compare(a.Label, b.Label) })
	return slices.Insert(options, 0, ui.Option{Label: any})
}

// fieldsShown is how many of the changed fields stand in the table; chosen.
const fieldsShown = 3

// fieldsWords names the first of the fields that were changed.
func fieldsWords(changes []change) string {
	var names []string
	for _, c := range changes[:min(len(changes), fieldsShown)] {
		names = append(names, c.field)
	}
	text := strings.Join(names, ", ")
	if len(changes) > fieldsShown {
		text += "…"
	}
	return text
}

// deedWords is what was done. Clients that come back together are no thing of their own.
func deedWords(p ui.Page, d mailing.Deed) string {
	if d.Action == "contact.restore" && d.Thing.ID != 0 {
		return p.T("undo.deed_client")
	}
	return p.T("deed." + string(d.Action))
}
