package app

import (
	"context"

	"vestnik/internal/mailing"
	"vestnik/internal/store"
)

// ContactFilter narrows a list of contacts.
type ContactFilter struct {
	Everyone bool           // everybody's, for who may
	Reason   mailing.Reason // only those suppressed for it
	Mailable bool           // only those that may be mailed
}

// Contacts lists contacts, sorted by email, first_name, last_name, status or
// created, and returns how many there are in all.
func (a *App) Contacts(ctx context.Context, actor mailing.Account, f ContactFilter, page Page) ([]mailing.Contact, int64, error) {
	owner, err := scope(actor, f.Everyone, mailing.ViewAnyClient)
	if err != nil {
		return nil, 0, err
	}
	page = a.unsorted(actor, owner, page)
	found := store.ContactFilter{Owner: owner, Reason: f.Reason, Mailable: f.Mailable, ByName: a.masks(actor, owner)}
	isWhole := owner != 0 && f.Reason == "" && !f.Mailable && page.Search == "" // of everybody's, an address counts once
	list, total, err := counted(page, isWhole,
		func(page Page) ([]mailing.Contact, int64, error) { return a.store.Contacts(ctx, found, page) },
		func() (int64, error) {
			n, err := a.numbers(ctx, owner)
			return n.Clients, err
		})
	a.maskContacts(actor, list)
	return list, total, err
}

// Contact returns a contact that the actor may see.
func (a *App) Contact(ctx context.Context, actor mailing.Account, id int64) (mailing.Contact, error) {
	c, err := a.store.Contact(ctx, id)
	if err != nil {
		return mailing.Contact{}, err
	}
	if err := mayView(actor, c.OwnerID, mailing.ViewAnyClient); err != nil {
		return mailing.Contact{}, err
	}
	a.maskContact(actor, &c)
	return c, nil
}

// ContactActions are what an actor may do with a contact as it is now.
type ContactActions struct{ Edit, Delete, Suppress, Unsuppress bool }

// AllowedContact says what the actor may do with the contact as it is now.
func AllowedContact(actor mailing.Account, c mailing.Contact) ContactActions {
	change := mayChange(actor, c.OwnerID, mailing.ViewAnyClient) == nil
	return ContactActions{
		Edit: change, Delete: change,
		Suppress:   change && c.Suppression.Reason == "",
		Unsuppress: change && c.Suppression.Reason != "" && !theirWish(c.Suppression.Reason),
	}
}

// theirWish reports whether the contact themselves asked not to be mailed.
func theirWish(r mailing.Reason) bool {
	return r == mailing.ReasonUnsubscribed || r == mailing.ReasonComplained || r == mailing.ReasonErased
}

// changeableContact returns a contact that the actor may change.
func (a *App) changeableContact(ctx context.Context, actor mailing.Account, id int64) (mailing.Contact, error) {
	c, err := a.store.Contact(ctx, id)
	if err != nil {
		return mailing.Contact{}, err
	}
	if err := mayChange(actor, c.OwnerID, mailing.ViewAnyClient); err != nil {
		return mailing.Contact{}, err
	}
	return c, nil
}

// CreateContact adds a contact to the actor's and returns it as it is stored.
func (a *App) CreateContact(ctx context.Context, actor mailing.Account, c mailing.Contact) (mailing.Contact, error) {
	c.OwnerID, c.CreatedAt, c.UpdatedAt = actor.ID, a.Now(), a.Now()
	if err := c.Check(); err != nil {
		return c, err
	}
	if err := a.keepErased(ctx, c.OwnerID, c.Email); err != nil {
		return c, err
	}
	defer a.numbersChanged(ctx, c.OwnerID)
	ctx = a.doing(ctx, actor, mailing.Deed{
		Action: "contact.create", Thing: contactThing(c), Owner: actor.ID, After: ofClient(known(contactFacts(c))),
	})
	id, err := a.store.CreateContact(ctx, c)
	c.ID = id
	return c, err
}

// UpdateContact changes names, e-mail and comment of a contact.
func (a *App) UpdateContact(ctx context.Context, actor mailing.Account, id int64, form mailing.Contact) (mailing.Contact, error) {
	c, err := a.changeableContact(ctx, actor, id)
	if err != nil {
		return c, err
	}
	was, thing := contactFacts(c), contactThing(c)
	c.Email, c.FirstName, c.LastName, c.Comment = form.Email, form.FirstName, form.LastName, form.Comment
	c.UpdatedAt = a.Now()
	if err := c.Check(); err != nil {
		return c, err
	}
	defer a.numbersChanged(ctx, c.OwnerID)
	before, after := changes(was, contactFacts(c))
	if len(after) == 0 {
		return c, nil
	}
	if err := a.keepErased(ctx, c.OwnerID, c.Email); err != nil {
		return c, err
	}
	return c, a.store.UpdateContact(a.doing(ctx, actor, mailing.Deed{
		Action: "contact.update", Thing: thing, Owner: c.OwnerID, Before: ofClient(before), After: ofClient(after),
	}), c)
}

// DeleteContact removes a contact. What was sent to it stays in the log, and if
// it had unsubscribed its address stays suppressed.
func (a *App) DeleteContact(ctx context.Context, actor mailing.Account, id int64) error {
	c, err := a.changeableContact(ctx, actor, id)
	if err != nil {
		return err
	}
	defer a.numbersChanged(ctx, c.OwnerID)
	_, err = a.store.DeleteContacts(a.doing(ctx, actor, mailing.Deed{
		Action: "contact.delete", Thing: contactThing(c), Owner: c.OwnerID, Before: ofClient(known(contactFacts(c))),
	}), c.OwnerID, []int64{id})
	return err
}

// DeleteContacts removes those of the contacts that are the actor's and returns
// how many were.
func (a *App) DeleteContacts(ctx context.Context, actor mailing.Account, ids []int64) (int64, error) {
	defer a.numbersChanged(ctx, actor.ID)
	return a.store.DeleteContacts(a.doing(ctx, actor, mailing.Deed{
		Action: "contact.delete_many", Thing: mailing.Thing{Kind: mailing.ThingContact}, Owner: actor.ID,
	}), actor.ID, ids)
}

// SuppressContact leaves a contact out of mailings from now on.
func (a *App) SuppressContact(ctx context.Context, actor mailing.Account, id int64) (isNew bool, err error) {
	c, err := a.changeableContact(ctx, actor, id)
	if err != nil {
		return false, err
	}
	ctx = a.doing(ctx, actor, mailing.Deed{
		Action: "contact.suppress", Thing: contactThing(c), Owner: c.OwnerID,
		After: mailing.Facts{"reason": string(mailing.ReasonManual)},
	})
	return a.store.Suppress(ctx, mailing.Suppression{
		OwnerID: c.OwnerID, Email: c.Email, Reason: mailing.ReasonManual, Detail: actor.Email, CreatedAt: a.Now(),
	})
}

// UnsuppressContact lets a contact be mailed again. Who unsubscribed themselves
// can only be asked to subscribe again, so for them it is a conflict.
func (a *App) UnsuppressContact(ctx context.Context, actor mailing.Account, id int64) error {
	c, err := a.changeableContact(ctx, actor, id)
	if err != nil {
		return err
	}
	if theirWish(c.Suppression.Reason) {
		return mailing.Fault(mailing.Conflict, "contact_unsubscribed")
	}
	return a.store.Unsuppress(a.doing(ctx, actor, mailing.Deed{
		Action: "contact.unsuppress", Thing: contactThing(c), Owner: c.OwnerID,
		Before: mailing.Facts{"reason": string(c.Suppression.Reason)},
	}), c.OwnerID, c.Email)
}
