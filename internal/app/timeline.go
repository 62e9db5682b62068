package app

import (
	"context"
	"slices"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/store"
)

// TimelineEvent is one thing that happened to a client: the one field that is set says
// what.
type TimelineEvent struct {
	At         time.Time
	Attempt    *mailing.Attempt     // a mail was tried
	Skip       *mailing.Delivery    // a mail was not tried, and will not be
	Deed       *mailing.Deed        // somebody did something to the client
	Suppressed *mailing.Suppression // mailings leave it out since
	Added      *store.Import        // it came, by the import, if that has an ID
}

// timelineNear is how near to a suppression its deed is; chosen, both are of one request.
const timelineNear = time.Minute

// ContactTimeline lists what happened to a client before then, newest first, and whether
// there is more. Deeds are for those who own the client or may see what everybody did.
func (a *App) ContactTimeline(ctx context.Context, actor mailing.Account, c mailing.Contact, before time.Time, most int) ([]TimelineEvent, bool, error) {
	if err := mayView(actor, c.OwnerID, mailing.ViewAnyClient); err != nil {
		return nil, false, err
	}
	t := timeline{app: a, actor: actor, contact: c, before: before, most: int64(most) + 1}
	for _, read := range []func(context.Context) error{t.attempts, t.skips, t.deeds, t.suppression, t.added} {
		if err := read(ctx); err != nil {
			return nil, false, err
		}
	}
	slices.SortStableFunc(t.events, func(a, b TimelineEvent) int { return b.At.Compare(a.At) })
	end := min(most, len(t.events))
	// What happened in the same millisecond stays together: the next page begins before it.
	for end > 0 && end < len(t.events) && t.events[end].At.Equal(t.events[end-1].At) {
		end++
	}
	return t.events[:end], end < len(t.events), nil
}

// timeline gathers the events of a page.
type timeline struct {
	app     *App
	actor   mailing.Account
	contact mailing.Contact
	before  time.Time
	most    int64
	events  []TimelineEvent
}

func (t *timeline) attempts(ctx context.Context) error {
	attempts, err := t.app.store.ContactAttempts(ctx, t.contact.OwnerID, t.contact.ID, t.before, t.most)
	t.app.maskAttempts(t.actor, attempts)
	for _, one := range attempts {
		t.events = append(t.events, TimelineEvent{At: one.At, Attempt: &one})
	}
	return err
}

func (t *timeline) skips(ctx context.Context) error {
	skips, err := t.app.store.ContactSkips(ctx, t.contact.OwnerID, t.contact.ID, t.before, t.most)
	t.app.maskDeliveries(t.actor, t.contact.OwnerID, skips)
	for _, one := range skips {
		t.events = append(t.events, TimelineEvent{At: one.SettledAt, Skip: &one})
	}
	return err
}

// seesDeeds reports whether the actor is told who did what.
func (t *timeline) seesDeeds() bool {
	return t.actor.ID == t.contact.OwnerID || t.actor.Role.May(mailing.ViewAudit)
}

func (t *timeline) deeds(ctx context.Context) error {
	if !t.seesDeeds() {
		return nil
	}
	deeds, err := t.app.store.Deeds(ctx, t.deedFilter(store.DeedFilter{To: t.before, Limit: t.most}))
	for _, one := range deeds {
		t.events = append(t.events, TimelineEvent{At: one.At, Deed: &one})
	}
	return err
}

// deedFilter narrows the audit log to the client.
func (t *timeline) deedFilter(f store.DeedFilter) store.DeedFilter {
	f.Kind, f.Thing = mailing.ThingContact, t.contact.ID
	return f
}

// suppression adds that mailings leave the client out, unless the deed that led to it
// tells that already.
func (t *timeline) suppression(ctx context.Context) error {
	s := t.contact.Suppression
	if s.Reason == "" || !s.CreatedAt.Before(t.before) {
		return nil
	}
	if t.seesDeeds() {
		near, err := t.app.store.Deeds(ctx, t.deedFilter(store.DeedFilter{
			From: s.CreatedAt.Add(-timelineNear), To: s.CreatedAt.Add(timelineNear), Limit: 10,
		}))
		if err != nil {
			return err
		}
		for _, d := range near {
			if d.Action == "contact.suppress" || d.Action == "contact.unsubscribe" {
				return nil
			}
		}
	}
	t.events = append(t.events, TimelineEvent{At: s.CreatedAt, Suppressed: &s})
	return nil
}

// added tells how the client came, unless a deed does.
func (t *timeline) added(ctx context.Context) error {
	if !t.contact.CreatedAt.Before(t.before) {
		return nil
	}
	if t.seesDeeds() {
		made, err := t.app.store.Deeds(ctx, t.deedFilter(store.DeedFilter{Action: "contact.create", Limit: 1}))
		if err != nil || len(made) > 0 {
			return err
		}
	}
	by, err := t.app.store.ImportAt(ctx, t.contact.OwnerID, t.contact.CreatedAt)
	if t.actor.ID != t.contact.OwnerID && !t.actor.Role.May(mailing.ChangeAnything) {
		by.Filename = "" // it may say who the clients are
	}
	t.events = append(t.events, TimelineEvent{At: t.contact.CreatedAt, Added: &by})
	return err
}
