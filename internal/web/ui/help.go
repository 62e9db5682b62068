package ui

// Topic is a hard word, which pages explain in a sentence where it stands; a document
// says the rest.
type Topic struct {
	ask, tell string // keys of the question and of the answer
	Path      string // of the document, with an anchor
}

// The hard words.
var (
	HelpDoubt      = Topic{"help.doubt_ask", "help.doubt", "/docs/reports#in-doubt"}
	HelpNeverTwice = Topic{"help.never_twice_ask", "help.never_twice", "/docs/reports#never-twice-or-never-missed"}
	HelpWeight     = Topic{"help.weight_ask", "help.weight", "/docs/getting-started#when-several-mailings-go-out-at-once"}
	HelpSuppressed = Topic{"help.suppressed_ask", "help.suppressed", "/docs/importing-clients#who-is-left-out"}
	HelpRelay      = Topic{"help.relay_ask", "help.relay", "/docs/deliverability#the-way-out"}
	HelpShare      = Topic{"help.share_ask", "help.share", "/docs/deliverability#the-way-out"}
	HelpDKIM       = Topic{"help.dkim_ask", "help.dkim", "/docs/deliverability#dkim-the-signature"}
	HelpQuota      = Topic{"help.quota_ask", "help.quota", "/docs/roles#the-daily-limit"}
	HelpHold       = Topic{"help.hold_ask", "help.hold", "/docs/roles#after-a-restore"}
	HelpProof      = Topic{"help.proof_ask", "help.proof", "/docs/roles#why-you-are-asked-again"}
)

// Topics are all of them.
func Topics() []Topic {
	return []Topic{
		HelpDoubt, HelpNeverTwice, HelpWeight, HelpSuppressed, HelpRelay, HelpShare, HelpDKIM, HelpQuota, HelpHold, HelpProof,
	}
}
