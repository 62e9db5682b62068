package app

import "vestnik/internal/mailing"

// masks reports whether the actor is not to see the addresses of the owner's clients:
// the settings say so, the clients are not their own, and they may only look. Owner 0
// is everybody.
func (a *App) masks(actor mailing.Account, owner int64) bool {
	return a.Settings().MaskClients && (owner == 0 || owner != actor.ID) && !actor.Role.May(mailing.ChangeAnything)
}

// unsearchable reports whether an address is looked for that the actor is not to see:
// whoever finds it letter by letter knows it.
func (a *App) unsearchable(actor mailing.Account, owner int64, typed string) bool {
	return typed != "" && a.masks(actor, owner)
}

// unsorted drops an order that tells something of addresses the actor is not to see.
func (a *App) unsorted(actor mailing.Account, owner int64, page Page) Page {
	if page.Sort == "email" && a.masks(actor, owner) {
		page.Sort = ""
	}
	return page
}

func (a *App) maskContact(actor mailing.Account, c *mailing.Contact) {
	if !a.masks(actor, c.OwnerID) {
		return
	}
	c.Comment = mailing.MaskText(c.Comment, c.Email)
	c.Suppression.Detail = mailing.MaskText(c.Suppression.Detail, c.Email)
	c.Email = mailing.MaskEmail(c.Email)
	if c.Suppression.Email != "" {
		c.Suppression.Email = c.Email
	}
}

func (a *App) maskContacts(actor mailing.Account, list []mailing.Contact) {
	for i := range list {
		a.maskContact(actor, &list[i])
	}
}

func (a *App) maskDeliveries(actor mailing.Account, owner int64, list []mailing.Delivery) {
	for i := range list {
		if a.masks(actor, owner) {
			list[i].Email = mailing.MaskEmail(list[i].Email)
		}
	}
}

func (a *App) maskAttempts(actor mailing.Account, list []mailing.Attempt) {
	for i := range list {
		if t := &list[i]; a.masks(actor, t.OwnerID) {
			t.Reply.Text = mailing.MaskText(t.Reply.Text, t.Email)
			t.Email = mailing.MaskEmail(t.Email)
		}
	}
}

// maskHalt hides addresses in what a server said when it stopped a run.
func (a *App) maskHalt(actor mailing.Account, run *mailing.Run) {
	if a.masks(actor, run.OwnerID) {
		run.Halt = mailing.MaskText(run.Halt, "")
	}
}
