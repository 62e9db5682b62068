package app

import (
	"context"

	"vestnik/internal/mailing"
)

// TwinOf returns the client who has the address that was typed for another: for the one
// with the id, or, when it is 0, for a new one of the actor's.
func (a *App) TwinOf(ctx context.Context, actor mailing.Account, id int64, typed string) (mailing.Contact, error) {
	owner := actor.ID
	if id != 0 {
		c, err := a.changeableContact(ctx, actor, id)
		if err != nil {
			return c, err
		}
		owner = c.OwnerID
	}
	email, err := mailing.NormalizeEmail(typed)
	if err != nil {
		return mailing.Contact{}, err
	}
	c, err := a.store.ContactByEmail(ctx, owner, email)
	return c, wrap(err, "find the client with the address")
}
