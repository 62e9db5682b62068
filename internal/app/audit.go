package app

import (
	"context"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/store"
)

// AuditFilter narrows the audit log. Zero values narrow nothing.
type AuditFilter struct {
	Everyone bool   // the whole log, for who may; else what concerns the actor
	Email    string // typed, of who did it
	Owner    int64
	Action   mailing.Action
	Kind     mailing.ThingKind
	Thing    int64
	From, To time.Time // From <= at < To
	Before   int64     // number: only older ones; 0: from the newest
	Limit    int64
}

// Deeds lists lines of the audit log, newest first: what the actor did, and what
// others did to the actor's own things, or everything. Where others came from is told
// to those only who may see everything; a stranger at the actor's own account is no other.
func (a *App) Deeds(ctx context.Context, actor mailing.Account, f AuditFilter) ([]mailing.Deed, error) {
	concerning, err := scope(actor, f.Everyone, mailing.ViewAudit)
	if err != nil {
		return nil, mailing.Fault(mailing.NotFound, "not_found")
	}
	deeds, err := a.store.Deeds(ctx, store.DeedFilter{
		Concerning: concerning, Owner: f.Owner, Email: f.Email, Action: f.Action, Kind: f.Kind, Thing: f.Thing,
		From: f.From, To: f.To, Before: f.Before, Limit: f.Limit,
	})
	if actor.Role.May(mailing.ViewAudit) {
		return deeds, err
	}
	for i, d := range deeds {
		atTheirAccount := d.Actor == 0 && d.Thing.Kind == mailing.ThingAccount && d.Thing.ID == actor.ID
		if d.Actor != actor.ID && !atTheirAccount {
			deeds[i].From = ""
		}
	}
	return deeds, err
}

// VerifyDeeds walks along the whole audit log and reports whether it is as it was
// written.
func (a *App) VerifyDeeds(ctx context.Context, actor mailing.Account) (store.Verified, error) {
	if !actor.Role.May(mailing.ViewAudit) {
		return store.Verified{}, mailing.Fault(mailing.NotFound, "not_found")
	}
	return a.store.VerifyDeeds(ctx)
}
