package mailing

import "testing"

func TestJudge(t *testing.T) {
	cases := []struct {
		name     string
		code     int
		enhanced string
		stage    string
		want     Verdict
	}{
		{"250 after the dot is accepted", 250, "2.0.0", "dot", Verdict{AttemptAccepted, BlameNobody}},
		{"any 2yz after the dot is accepted", 251, "", "dot", Verdict{AttemptAccepted, BlameNobody}},
		{"a 2yz before the dot is no acceptance", 250, "", "rcpt", Verdict{AttemptDeferred, BlameNobody}},
		{"354 is no acceptance", 354, "", "data", Verdict{AttemptDeferred, BlameNobody}},
		{"greylisting is tried again", 451, "4.7.1", "rcpt", Verdict{AttemptDeferred, BlameNobody}},
		{"a full mailbox is tried again", 452, "4.2.2", "rcpt", Verdict{AttemptDeferred, BlameNobody}},
		{"a 4yz to MAIL is about the mail", 451, "", "mail", Verdict{AttemptDeferred, BlameNobody}},
		{"a 4yz after the dot is tried again", 450, "", "dot", Verdict{AttemptDeferred, BlameNobody}},
		{"no answer is tried again", 0, "", "rcpt", Verdict{AttemptDeferred, BlameNobody}},
		{"no connection is about us", 0, "", "connect", Verdict{AttemptDeferred, BlameUs}},
		{"421 in the banner is about us", 421, "", "banner", Verdict{AttemptDeferred, BlameUs}},
		{"554 in the banner is about us", 554, "", "banner", Verdict{AttemptDeferred, BlameUs}},
		{"a wrong password is about us", 535, "5.7.8", "auth", Verdict{AttemptDeferred, BlameUs}},
		{"a refused sender is about us", 550, "", "mail", Verdict{AttemptDeferred, BlameUs}},
		{"5.1.1 means the mailbox", 550, "5.1.1", "rcpt", Verdict{AttemptFailed, BlameMailbox}},
		{"5.1.10 means the mailbox, not 5.1.1 with a tail", 556, "5.1.10", "rcpt", Verdict{AttemptFailed, BlameMailbox}},
		{"5.1.2 means the mailbox", 550, "5.1.2", "dot", Verdict{AttemptFailed, BlameMailbox}},
		{"5.2.1 means the mailbox", 550, "5.2.1", "rcpt", Verdict{AttemptFailed, BlameMailbox}},
		{"5.1.7 is a bad sender, so us", 550, "5.1.7", "rcpt", Verdict{AttemptDeferred, BlameUs}},
		{"5.1.8 is a bad sender, so us", 550, "5.1.8", "rcpt", Verdict{AttemptDeferred, BlameUs}},
		{"5.7.1 to RCPT is policy, so us", 550, "5.7.1", "rcpt", Verdict{AttemptDeferred, BlameUs}},
		{"5.7.26 after the dot is authentication, so us", 550, "5.7.26", "dot", Verdict{AttemptDeferred, BlameUs}},
		{"5.2.2, a full mailbox, is not the contact's end", 552, "5.2.2", "rcpt", Verdict{AttemptFailed, BlameMessage}},
		{"5.3.4, a mail too big, is the message", 552, "5.3.4", "dot", Verdict{AttemptFailed, BlameMessage}},
		{"5.6.0 is the message", 554, "5.6.0", "dot", Verdict{AttemptFailed, BlameMessage}},
		{"550 to RCPT means the mailbox", 550, "", "rcpt", Verdict{AttemptFailed, BlameMailbox}},
		{"551 to RCPT means the mailbox", 551, "", "rcpt", Verdict{AttemptFailed, BlameMailbox}},
		{"553 to RCPT means the mailbox", 553, "", "rcpt", Verdict{AttemptFailed, BlameMailbox}},
		{"5.0.0 says nothing, so the code decides", 550, "5.0.0", "rcpt", Verdict{AttemptFailed, BlameMailbox}},
		{"5.5.0 says nothing, so the code decides", 553, "5.5.0", "rcpt", Verdict{AttemptFailed, BlameMailbox}},
		{"550 after the dot is the message", 550, "", "dot", Verdict{AttemptFailed, BlameMessage}},
		{"554 to RCPT without a reason is not the contact's end", 554, "", "rcpt", Verdict{AttemptFailed, BlameMessage}},
		{"554 to DATA is the message", 554, "", "data", Verdict{AttemptFailed, BlameMessage}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := Judge(Reply{Code: c.code, Enhanced: c.enhanced}, c.stage); got != c.want {
				t.Errorf("got %+v", got)
			}
		})
	}
	t.Run("only an answer to RCPT, DATA or the dot ends a delivery", func(t *testing.T) {
		for code := range 600 {
			for _, stage := range []string{"connect", "banner", "ehlo", "tls", "auth", "mail", ""} {
				if got := Judge(Reply{Code: code}, stage); got.Result != AttemptDeferred {
					t.Fatalf("%d at %q: %+v", code, stage, got)
				}
			}
		}
	})
}

func TestReply(t *testing.T) {
	cases := []struct {
		name                           string
		reply                          Reply
		text                           string
		accepted, transient, permanent bool
	}{
		{"an accepting one", Reply{250, "2.0.0", "queued"}, "250 2.0.0 queued", true, false, false},
		{"one to try again after", Reply{451, "", "later"}, "451 later", false, true, false},
		{"a final one", Reply{550, "5.1.1", ""}, "550 5.1.1", false, false, true},
		{"an intermediate one", Reply{354, "", ""}, "354", false, false, false},
		{"none", Reply{0, "", "connection refused"}, "connection refused", false, false, false},
		{"one beyond the standard", Reply{600, "", ""}, "600", false, false, false},
	}
	for _, c := range cases {
		t.Run(c.name+" is known as such", func(t *testing.T) {
			r := c.reply
			if r.Accepted() != c.accepted || r.Transient() != c.transient || r.Permanent() != c.permanent || r.String() != c.text {
				t.Errorf("%v %v %v %q", r.Accepted(), r.Transient(), r.Permanent(), r.String())
			}
		})
	}
}
