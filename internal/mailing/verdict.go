package mailing

import "strings"

// Blame says whom a refusal is about.
type Blame string

// Whom a refusal is about. Only Mailbox counts against the contact.
const (
	BlameNobody  Blame = ""
	BlameMailbox Blame = "mailbox" // there is no such mailbox, or it is closed
	BlameMessage Blame = "message" // this mail, for this person: size, content
	BlameUs      Blame = "us"      // authentication, policy, reputation: it would hit everybody
)

// Verdict is what an answer means for a delivery.
type Verdict struct {
	Result AttemptResult
	Blame  Blame
}

// Judge reads a server's answer. stage names the command it answered: "rcpt" and
// "dot" are about this mail, every other one about us.
//
// The enhanced code decides where there is one (RFC 3463): 5.1.x and 5.2.1 are
// about the mailbox, 5.7.x about us. 5.1.7 and 5.1.8 are bad sender addresses
// and so about us too. Without one, 550, 551 and 553 to RCPT mean the mailbox
// (RFC 5321, section 4.2.3).
func Judge(reply Reply, stage string) Verdict {
	switch {
	case reply.Accepted() && stage == "dot":
		return Verdict{Result: AttemptAccepted}
	case !reply.Permanent():
		return Verdict{Result: AttemptDeferred, Blame: blameForDeferral(stage)}
	case stage != "rcpt" && stage != "dot" && stage != "data":
		return Verdict{Result: AttemptDeferred, Blame: BlameUs}
	}
	blame := blameForRefusal(reply, stage)
	if blame == BlameUs {
		return Verdict{Result: AttemptDeferred, Blame: BlameUs}
	}
	return Verdict{Result: AttemptFailed, Blame: blame}
}

func blameForDeferral(stage string) Blame {
	if stage == "rcpt" || stage == "dot" || stage == "data" || stage == "mail" {
		return BlameNobody
	}
	return BlameUs
}

func blameForRefusal(reply Reply, stage string) Blame {
	switch code := reply.Enhanced; {
	case code == "5.1.7" || code == "5.1.8" || strings.HasPrefix(code, "5.7."):
		return BlameUs
	case strings.HasPrefix(code, "5.1.") || code == "5.2.1":
		return BlameMailbox
	case code != "" && code != "5.0.0" && code != "5.5.0":
		return BlameMessage
	case stage == "rcpt" && (reply.Code == 550 || reply.Code == 551 || reply.Code == 553):
		return BlameMailbox
	}
	return BlameMessage
}
