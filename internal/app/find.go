package app

import (
	"context"

	"vestnik/internal/mailing"
)

// Found is what a search finds of each kind: the latest few, by which it is known whether
// the lists have to be searched.
type Found struct {
	Mailings []MailingRow
	Messages []mailing.Message
	Clients  []mailing.Contact
}

// findMost is how many of a kind are found: some more than a screen shows of it, so that
// whoever shows them has the best to choose from. Chosen.
const findMost = 20

// Find looks for mailings, messages and clients by what a person typed. They find their
// own; who may see everybody's in a list finds those, too.
func (a *App) Find(ctx context.Context, actor mailing.Account, typed string) (f Found, err error) {
	if mailing.SearchText(typed) == "" {
		return f, nil
	}
	owner := func(others mailing.Permission) int64 {
		if actor.Role.May(others) {
			return 0
		}
		return actor.ID
	}
	if f.Mailings, err = a.store.FindMailings(ctx, owner(mailing.ViewAnyMailing), typed, findMost); err != nil {
		return f, err
	}
	if f.Messages, err = a.store.FindMessages(ctx, owner(mailing.ChangeAnything), typed, findMost); err != nil {
		return f, err
	}
	clientsOf := owner(mailing.ViewAnyClient)
	f.Clients, err = a.store.FindContacts(ctx, clientsOf, typed, a.masks(actor, clientsOf), findMost)
	a.maskContacts(actor, f.Clients)
	return f, err
}
