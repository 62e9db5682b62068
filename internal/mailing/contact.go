package mailing

import (
	"strings"
	"time"
)

// Contact (клиент) is a person whom an owner mails.
type Contact struct {
	ID        int64
	OwnerID   int64
	Email     string // normalised, unique within the owner
	FirstName string
	LastName  string
	Comment   string
	CreatedAt time.Time
	UpdatedAt time.Time

	Suppression Suppression // zero when the contact may be mailed
}

// Name is first and last name, or empty when neither is known.
func (c Contact) Name() string { return strings.TrimSpace(c.FirstName + " " + c.LastName) }

// Limits of a contact's fields, in runes. Names: ITU-T E.115 has no limit, 100
// holds every name in the samples we have seen; the comment's is chosen.
const (
	MaxNameRunes    = 100
	MaxCommentRunes = 2000
)

// Check trims the fields, normalises the address and returns Problems.
func (c *Contact) Check() error {
	var problems Problems
	email, err := NormalizeEmail(c.Email)
	if err := problems.AddError("email", err); err != nil {
		return err
	}
	if err == nil {
		c.Email = email
	}
	c.FirstName = CleanLine(c.FirstName)
	c.LastName = CleanLine(c.LastName)
	c.Comment = strings.TrimSpace(strings.ReplaceAll(strings.ToValidUTF8(c.Comment, "\uFFFD"), "\x00", ""))
	tooLong(&problems, "first_name", c.FirstName, MaxNameRunes)
	tooLong(&problems, "last_name", c.LastName, MaxNameRunes)
	tooLong(&problems, "comment", c.Comment, MaxCommentRunes)
	return problems.Err()
}

// Reason says why an address is not mailed.
type Reason string

// Reasons of a suppression, and of a skipped delivery.
const (
	ReasonUnsubscribed Reason = "unsubscribed" // they asked not to be mailed
	ReasonBounced      Reason = "bounced"      // their server said there is no such mailbox
	ReasonComplained   Reason = "complained"   // they reported the mail as unwanted
	ReasonManual       Reason = "manual"       // the owner entered it by hand
	ReasonErased       Reason = "erased"       // they wanted all that is known of them forgotten
	ReasonDeleted      Reason = "deleted"      // the contact was deleted before its turn (deliveries only)
	ReasonCancelled    Reason = "cancelled"    // the run was cancelled before its turn (deliveries only)
	ReasonExpired      Reason = "expired"      // retried for the whole Lifetime, or too late for a first try (deliveries only)
	ReasonRefused      Reason = "refused"      // a permanent answer (deliveries only)
	ReasonUnfit        Reason = "unfit"        // the message could not be made for them (deliveries only)
)

// Suppression (подавление) is an address that an owner's mailings leave out. It
// outlives the contact, so that importing the address again does not mail it.
type Suppression struct {
	OwnerID   int64
	Email     string
	Reason    Reason
	Detail    string // the server's answer, or who entered it
	CreatedAt time.Time
}
