package mailing

import "time"

// Deed is one thing that somebody did: a line of the audit log.
type Deed struct {
	Number int64     // its place in the chain, from 1
	At     time.Time // in milliseconds
	Actor  int64     // an account; 0: nobody who is signed in, -1: the operator
	Email  string    // of the actor, as it was then
	From   string    // network address; empty for the operator
	Action Action
	Thing  Thing
	Owner  int64  // whose the thing is; 0: nobody's
	Why    string // what the actor said, where a reason is asked for
	Before Facts  // only what the deed changed, secrets masked
	After  Facts
	Hash   string // of this line and of the one before it, in hexadecimal digits
}

// Action names what was done, like "mailing.disable".
type Action string

// Facts are what is known of a thing, by field. The word Masked stands for a secret.
type Facts map[string]string

// Masked stands for a secret whose value is in no log.
const Masked = "•••"

// Thing is what something was done to.
type Thing struct {
	Kind ThingKind
	ID   int64
	Name string // as it was then
}

// ThingKind is the kind of a thing.
type ThingKind string

// The kinds of things.
const (
	ThingAccount ThingKind = "account"
	ThingContact ThingKind = "contact"
	ThingMessage ThingKind = "message"
	ThingMailing ThingKind = "mailing"
	ThingRun     ThingKind = "run"
	ThingRelay   ThingKind = "relay"
	ThingDomain  ThingKind = "domain" // of senders, with its signing keys
	ThingService ThingKind = "service"
	ThingPost    ThingKind = "post"
	ThingPicture ThingKind = "picture"
)
