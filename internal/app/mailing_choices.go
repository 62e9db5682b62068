package app

import (
	"context"

	"vestnik/internal/mailing"
	"vestnik/internal/store"
)

// MailingOwner returns whose mailing it is, for an actor who may change it. It
// is their contacts and messages that the mailing is made from, whoever edits it.
func (a *App) MailingOwner(ctx context.Context, actor mailing.Account, id int64) (mailing.Account, error) {
	m, err := a.changeableMailing(ctx, actor, id)
	if err != nil {
		return mailing.Account{}, err
	}
	return a.store.Account(ctx, m.OwnerID)
}

// Delivery returns one delivery of a run that the actor may see.
func (a *App) Delivery(ctx context.Context, actor mailing.Account, runID, id int64) (mailing.Delivery, error) {
	run, err := a.visibleRun(ctx, actor, runID)
	if err != nil {
		return mailing.Delivery{}, err
	}
	found, _, err := a.store.Deliveries(ctx, store.DeliveryFilter{RunID: runID, ID: id}, Page{Limit: 1})
	if err != nil {
		return mailing.Delivery{}, err
	}
	if len(found) == 0 {
		return mailing.Delivery{}, mailing.Fault(mailing.NotFound, "not_found")
	}
	a.maskDeliveries(actor, run.OwnerID, found)
	return found[0], nil
}
