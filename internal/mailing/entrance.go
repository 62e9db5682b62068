package mailing

import (
	"slices"
	"time"
)

// SignUp says how one comes by an account.
type SignUp string

// The ways. Except where it is closed, those who may can always invite.
const (
	SignUpOpen       SignUp = "open"       // anybody registers
	SignUpDomains    SignUp = "domains"    // who has a mailbox at one of some domains registers
	SignUpInvitation SignUp = "invitation" // who was invited
	SignUpClosed     SignUp = "closed"     // accounts are made on the command line
)

// InvitationLifetime is how long an invitation is good. Chosen: a holiday week.
const InvitationLifetime = 7 * 24 * time.Hour

// Invitation asks somebody in who has no account yet.
type Invitation struct {
	ID        int64
	Email     string // normalised
	Role      Role   // that they will have
	Lang      string // that they are written to in
	InvitedBy int64  // an account; -1: the operator
	Inviter   string // their e-mail, as it was then
	CreatedAt time.Time
	SentAt    time.Time // the last time
	ExpiresAt time.Time
}

// ThingInvitation is an invitation.
const ThingInvitation ThingKind = "invitation"

// ObjectionTime is how long the old mailbox may object to a change of address before
// its silence counts as consent. Chosen: a holiday week.
const ObjectionTime = 7 * 24 * time.Hour

// EmailChange is an account's move to another address that not all have agreed to.
type EmailChange struct {
	AccountID int64
	NewEmail  string    // normalised
	NewAt     time.Time // when the new mailbox said yes; zero: not yet
	OldAt     time.Time // when the old one did
	AskedAt   time.Time
	DueAt     time.Time // from then on the old one's silence is consent
}

// Agreed reports whether all is there that it takes.
func (c EmailChange) Agreed(now time.Time) bool {
	return !c.NewAt.IsZero() && (!c.OldAt.IsZero() || !now.Before(c.DueAt))
}

// Within reports whether r can do nothing that other cannot.
func (r Role) Within(other Role) bool {
	return r.Valid() && !slices.ContainsFunc(permissions[r], func(p Permission) bool { return !other.May(p) })
}
