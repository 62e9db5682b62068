package app

import (
	"context"
	"strconv"
	"strings"
	"time"

	"vestnik/internal/mailing"
)

const purposeUnsubscribe = "unsubscribe"

// UnsubscribeURL is the address in a mail by which its reader leaves the owner's
// list. It does not expire: people unsubscribe by mails that are years old.
func (a *App) UnsubscribeURL(ownerID, runID int64, email string) string {
	payload := strconv.FormatInt(ownerID, 36) + " " + strconv.FormatInt(runID, 36) + " " + email
	return a.BaseURL + "/unsubscribe/" + a.keys.Sign(purposeUnsubscribe, []byte(payload), time.Time{})
}

// Subscription is what an unsubscribe link is about.
type Subscription struct {
	OwnerID int64
	Email   string
	Sender  string // whose mails they are
	Over    bool   // unsubscribed already
}

// Subscription reads an unsubscribe link, and changes nothing: scanners open
// every link in a mail.
func (a *App) Subscription(ctx context.Context, token string) (Subscription, error) {
	payload, err := a.keys.Verify(purposeUnsubscribe, token, a.Now())
	if err != nil {
		return Subscription{}, err
	}
	parts := strings.SplitN(string(payload), " ", 3)
	if len(parts) != 3 {
		return Subscription{}, mailing.Fault(mailing.Invalid, "link_invalid")
	}
	ownerID, err := strconv.ParseInt(parts[0], 36, 64)
	if err != nil {
		return Subscription{}, mailing.Fault(mailing.Invalid, "link_invalid").Because(err)
	}
	owner, err := a.store.Account(ctx, ownerID)
	if err != nil {
		return Subscription{}, err
	}
	over, err := a.store.Suppressed(ctx, ownerID, parts[2])
	if err == nil && !over { // who was erased is not mailed, and their address not stored again
		over, err = a.isErased(ctx, ownerID, parts[2])
	}
	return Subscription{OwnerID: ownerID, Email: parts[2], Sender: owner.Name(), Over: over}, err
}

// Unsubscribe suppresses the address of the link for its owner (RFC 8058,
// section 3.2: by POST, without asking for anything more).
func (a *App) Unsubscribe(ctx context.Context, token string) (Subscription, error) {
	s, err := a.Subscription(ctx, token)
	if err != nil {
		return s, err
	}
	if erased, err := a.isErased(ctx, s.OwnerID, s.Email); err != nil || erased {
		return s, err
	}
	ctx, err = a.leaving(ctx, s)
	if err != nil {
		return s, err
	}
	_, err = a.store.Suppress(ctx, mailing.Suppression{
		OwnerID: s.OwnerID, Email: s.Email, Reason: mailing.ReasonUnsubscribed, CreatedAt: a.Now(),
	})
	s.Over = err == nil
	return s, err
}

// leaving has the wish of a reader go into the audit log, without where they read: it would
// stand there for ever. The contact may be gone, and the address stays suppressed all the
// same.
func (a *App) leaving(ctx context.Context, s Subscription) (context.Context, error) {
	contact, err := a.store.ContactByEmail(ctx, s.OwnerID, s.Email)
	if err != nil && mailing.KindOf(err) != mailing.NotFound {
		return ctx, err
	}
	return a.doing(WithOrigin(ctx, ""), mailing.Account{Email: mailing.MaskEmail(s.Email)}, mailing.Deed{
		Action: "contact.unsubscribe", Owner: s.OwnerID,
		Thing: mailing.Thing{Kind: mailing.ThingContact, ID: contact.ID, Name: mailing.MaskEmail(s.Email)},
		After: mailing.Facts{"reason": string(mailing.ReasonUnsubscribed)},
	}), nil
}
