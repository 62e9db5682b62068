package web

import (
	"strconv"
	"time"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
	"vestnik/internal/web/ui"
)

// timelinePerPage is how much of a client's past stands on a page; chosen.
const timelinePerPage = 30

// beforeParam is the moment, in milliseconds since 1970, before which the timeline goes on.
const beforeParam = "before"

// contactTimeline is a part of what happened to a client.
type contactTimeline struct {
	days     []timelineDay // the latest first
	more     string        // address of what was before; empty: nothing was
	newest   string        // address of the latest; empty on it
	subjects map[int64]string
	actor    mailing.Account
	owner    int64
}

// timelineDay are the events of a day, the latest first.
type timelineDay struct {
	day    mailing.Date
	events []app.TimelineEvent
}

// timeline reads the part of a client's past that the address asks for.
func (r *request) timeline(c mailing.Contact) (t contactTimeline, err error) {
	before := r.now.Add(time.Minute) // clocks of nodes differ
	if asked := r.number(beforeParam); asked > 0 {
		before, t.newest = time.UnixMilli(asked), contactPath(c.ID)
	}
	events, more, err := r.App.ContactTimeline(r.in.Context(), r.actor, c, before, timelinePerPage)
	if err != nil {
		return t, err
	}
	if more {
		last := events[len(events)-1].At.UnixMilli()
		t.more = contactPath(c.ID) + "?" + query(beforeParam, strconv.FormatInt(last, 10))
	}
	t.actor, t.owner, t.days = r.actor, c.OwnerID, eventDays(events, r.zone())
	t.subjects, err = r.App.RunSubjects(r.in.Context(), r.actor, runsOfEvents(events))
	return t, err
}

// eventDays puts events under the days of a zone.
func eventDays(events []app.TimelineEvent, zone *time.Location) []timelineDay {
	var days []timelineDay
	for _, e := range events {
		day := mailing.DateOf(e.At.In(zone))
		if len(days) == 0 || days[len(days)-1].day != day {
			days = append(days, timelineDay{day: day})
		}
		last := &days[len(days)-1]
		last.events = append(last.events, e)
	}
	return days
}

func runsOfEvents(events []app.TimelineEvent) []int64 {
	var ids []int64
	for _, e := range events {
		switch {
		case e.Attempt != nil:
			ids = append(ids, e.Attempt.RunID)
		case e.Skip != nil:
			ids = append(ids, e.Skip.RunID)
		}
	}
	return ids
}

// momentOf says how an event is drawn.
func momentOf(e app.TimelineEvent) ui.Moment {
	m := ui.Moment{At: e.At, Icon: "point", Tone: ui.Neutral}
	switch {
	case e.Attempt != nil:
		m.Icon, m.Tone = attemptIcon(e.Attempt.Result), attemptTone(e.Attempt.Result)
	case e.Skip != nil:
		m.Icon = "mail-off"
	case e.Deed != nil:
		m.Icon = deedIcon(e.Deed.Action)
	case e.Suppressed != nil:
		m.Icon, m.Tone = "bell-off", ui.Warning
	case e.Added != nil:
		m.Icon = "user-plus"
		if e.Added.ID != 0 {
			m.Icon = "file-import"
		}
	}
	return m
}

func attemptIcon(result mailing.AttemptResult) string {
	icon := "mail-x"
	switch result {
	case mailing.AttemptAccepted:
		icon = "mail-check"
	case mailing.AttemptDeferred:
		icon = "mail-pause"
	case mailing.AttemptInDoubt:
		icon = "mail-question"
	}
	return icon
}

func deedIcon(action mailing.Action) string {
	icon := "pencil"
	switch action {
	case "contact.create":
		icon = "user-plus"
	case "contact.suppress", "contact.unsubscribe":
		icon = "bell-off"
	case "contact.unsuppress":
		icon = "bell"
	case "contact.export":
		icon = "download"
	}
	return icon
}

// doer says who did something to the client.
func (t contactTimeline) doer(p ui.Page, d mailing.Deed) string {
	switch {
	case d.Action == "contact.unsubscribe":
		return ""
	case d.Actor == t.actor.ID:
		return p.T("mailings.you")
	case d.Actor == app.Operator.ID:
		return p.T("users.operator")
	}
	return mailing.DisplayEmail(d.Email)
}
