package mailing

import "time"

// Draft (черновик) is what was typed of a mailing and does not count yet: a new one,
// or changes of one that is there.
type Draft struct {
	MailingID int64 // that a new mailing will have, too
	OwnerID   int64
	Form      string // as it was typed, for the page that it was typed on
	Writer    string // the page that wrote it last
	New       bool   // there is no such mailing yet; only lists tell
	CreatedAt time.Time
	UpdatedAt time.Time // zero: nothing was typed
}
