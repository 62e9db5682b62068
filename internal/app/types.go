package app

import "vestnik/internal/store"

// What the store returns and pages show as it is has its name here too, so that
// those who call app need not know the store.
type (
	// Page says which part of a list is wanted.
	Page = store.Page
	// SiteTrouble is a site whose policy refuses what a node sends it directly.
	SiteTrouble = store.SiteTrouble
	// MailingRow is a line of the table of mailings.
	MailingRow = store.MailingRow
	// RunRow is a run with what its list shows beside it.
	RunRow = store.RunRow
	// AudienceCount says how many contacts a mailing would reach, and why not all.
	AudienceCount = store.AudienceCount
	// Numbers are those of the home page.
	Numbers = store.Numbers
	// Import is the report of one import of contacts.
	Import = store.Import
	// Refusal is a line of a file that was not imported, and why.
	Refusal = store.Refusal
	// KeptMail is a mail in the demo mailbox, without its data in a list.
	KeptMail = store.DemoMail
	// SealedKey is a signing key with its private half sealed.
	SealedKey = store.SigningKey
	// HeldRun is a run that waits for the end of a hold.
	HeldRun = store.HeldRun
	// HeldMailing is a mailing that is due under a hold.
	HeldMailing = store.HeldMailing
	// HoldEnded says what the end of a hold has changed.
	HoldEnded = store.HoldEnded
	// AttemptFilter narrows the log.
	AttemptFilter = store.LogFilter
	// AccountFilter narrows a list of accounts.
	AccountFilter = store.AccountFilter
	// JobCount is how many background jobs of a kind are in a state.
	JobCount = store.JobCount
	// QuotaUse is how much of a person's daily limit is used.
	QuotaUse = store.QuotaUse
	// PostRow is a post in a list, without its text.
	PostRow = store.PostRow
)
