package app

import (
	"context"

	"vestnik/internal/mailing"
)

// ContactsByIDs returns those of the ids that are the actor's own contacts, in no
// order. It asks the database once, so a thousand ids are enough at a time.
func (a *App) ContactsByIDs(ctx context.Context, actor mailing.Account, ids []int64) ([]mailing.Contact, error) {
	return a.store.ContactsByIDs(ctx, actor.ID, ids)
}

// LatestMailings lists the mailings that were made last, newest first, each with
// no more than its id, subject and time of creation, to choose one from.
func (a *App) LatestMailings(ctx context.Context, actor mailing.Account, everyone bool, most int64) ([]MailingRow, error) {
	owner, err := scope(actor, everyone, mailing.ViewAnyMailing)
	if err != nil {
		return nil, err
	}
	return a.store.LatestMailings(ctx, owner, most)
}
