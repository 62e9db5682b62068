package mailing

import "time"

// Hold (удержание) is what a restored or moved database is under: nothing that
// it has open or due is sent until a person says what the database is. What
// it takes for due may have been sent long ago, by the database it is a copy of.
// The zero Hold holds nothing.
type Hold struct {
	At   time.Time // since when
	Why  HoldReason
	From time.Time // the latest moment that the database knew of then; zero: unknown
}

// HoldReason says what was noticed.
type HoldReason string

// The reasons.
const (
	HoldMoved HoldReason = "moved" // the database lives elsewhere than it did
	HoldOlder HoldReason = "older" // it knows less than it has known
	HoldAsked HoldReason = "asked" // a person, who knows what nobody could notice
)

// On reports whether anything is held.
func (h Hold) On() bool { return !h.At.IsZero() }

// Holds reports whether the run has to wait. Single mails that were asked for
// since, such as codes, do not: without them nobody could sign in and decide.
func (h Hold) Holds(r Run) bool {
	return h.On() && (r.MailingID != 0 || r.CreatedAt.Before(h.At))
}

// HoldEnd is what a person says of a held database.
type HoldEnd string

// The ends.
const (
	// HoldGoOn: this is the database now. What was open goes on, and what was
	// missed is treated as after any outage.
	HoldGoOn HoldEnd = "go_on"
	// HoldCopy: this is a copy, and another database sends. What was open is
	// cancelled, and every mailing paused.
	HoldCopy HoldEnd = "copy"
)
