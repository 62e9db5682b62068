package mailing

import (
	"slices"
	"testing"
)

func TestCause(t *testing.T) {
	for _, c := range []struct {
		name  string
		a     Attempt
		cause Cause
	}{
		{"taken", Attempt{Result: AttemptAccepted, Stage: "dot", Reply: Reply{Code: 250, Enhanced: "2.0.0"}}, CauseNone},
		{"no answer after the dot", Attempt{Result: AttemptInDoubt, Stage: "dot"}, CauseInDoubt},
		{"not made", Attempt{Result: AttemptFailed, Stage: "compose", Reply: Reply{Text: "not sent: x"}}, CauseUnfit},
		{"the code says it", refused(550, "5.1.1", "rcpt", "see spamhaus.org"), CauseMailboxUnknown},
		{"the words say it where the code says little", refused(550, "5.7.1", "dot", "blocked using zen.spamhaus.org"), CauseBlocklisted},
		{"a policy without words", refused(550, "5.7.1", "dot", "Denied"), CausePolicy},
		{"Mail.ru's spam", refused(550, "", "dot", "spam message rejected. Please visit http://help.mail.ru/notspam-support"), CauseSpam},
		{"Gmail's missing proof", refused(550, "5.7.26", "dot", "Your email has been blocked because the sender is unauthenticated"), CauseUnproved},
		{"Gmail's flood", deferred(421, "4.7.28", "dot", "unusual rate of unsolicited mail"), CauseTooFast},
		{"Gmail's full mailbox", deferred(452, "4.2.2", "rcpt", "The recipient's inbox is out of storage space"), CauseMailboxFull},
		{"Postgrey", deferred(450, "4.2.0", "rcpt", "Recipient address rejected: Greylisted, see http://postgrey.schweikert.ch"), CauseGreylisted},
		{"greylisting under a code of its own", deferred(451, "4.7.1", "rcpt", "Greylisting in action, please come back later"), CauseGreylisted},
		{"greylisting is no word for good", refused(550, "5.7.1", "rcpt", "greylist"), CausePolicy},
		{"Yandex's rate", deferred(451, "4.5.1", "dot", "Message sending limit exceeded"), CauseTooFast},
		{"too many without a code", deferred(450, "", "rcpt", "Too many messages, slow down"), CauseTooFast},
		{"421 alone", deferred(421, "", "banner", "try again later"), CauseServerBusy},
		{"550 to the recipient", refused(550, "", "rcpt", "Requested action not taken"), CauseMailboxUnknown},
		{"550 to the message", refused(550, "", "dot", "Requested action not taken"), CausePolicy},
		{"552 to the message", refused(552, "", "dot", "no"), CauseTooLarge},
		{"full, without a code", refused(552, "", "rcpt", "mailbox is full"), CauseMailboxFull},
		{"a moved mailbox", refused(551, "", "rcpt", "User not local"), CauseMailboxMoved},
		{"the password", deferred(535, "5.7.8", "auth", "authentication failed"), CausePassword},
		{"relaying", refused(554, "5.7.1", "rcpt", "Relay access denied"), CauseRelaying},
		{"no such domain, by ourselves", refused(550, "5.1.2", "rcpt", "not sent: there is no such domain"), CauseDomainUnknown},
		{"null MX", refused(556, "5.1.10", "rcpt", "not sent"), CauseDomainNoMail},
		{"a code nobody registered", refused(550, "5.9.99", "dot", "no"), CausePolicy},
		{"a code nobody knows", refused(599, "", "dot", "no"), CauseUnknown},
		{"no connection", deferred(0, "", "connect", "dial tcp 192.0.2.1:25: connect: connection refused"), CauseConnection},
		{"no TLS", deferred(0, "", "starttls", "tls: handshake failure"), CauseTLS},
		{"silence", deferred(0, "", "mail", "i/o timeout"), CauseSilence},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := c.a.Cause(); got != c.cause {
				t.Errorf("%d %s %q at %s is %q, want %q", c.a.Reply.Code, c.a.Reply.Enhanced, c.a.Reply.Text, c.a.Stage, got, c.cause)
			}
		})
	}
}

func refused(code int, enhanced, stage, text string) Attempt {
	return Attempt{Result: AttemptFailed, Stage: stage, Reply: Reply{Code: code, Enhanced: enhanced, Text: text}}
}

func deferred(code int, enhanced, stage, text string) Attempt {
	a := refused(code, enhanced, stage, text)
	a.Result = AttemptDeferred
	return a
}

func TestEveryCodeHasACause(t *testing.T) {
	for code, cause := range CodesExplained() {
		if cause == CauseNone {
			t.Errorf("%s has none", code)
		}
		if again, ok := ParseCause(string(cause)); !ok || again != cause {
			t.Errorf("%s of %s is not known by its name", cause, code)
		}
	}
	for _, code := range []string{"1.1", "2.2", "7.1", "7.26", "421", "450", "550", "554"} {
		if CodesExplained()[code] == CauseNone {
			t.Errorf("%s is not in the catalogue", code)
		}
	}
	if slices.Contains(Causes(), CauseNone) || len(Causes()) < 35 {
		t.Errorf("the causes are %q", Causes())
	}
	if _, ok := ParseCause("nonsense"); ok {
		t.Error("nonsense is a cause")
	}
}

func TestProviderOf(t *testing.T) {
	for domain, want := range map[string]string{
		"bk.ru": "Mail.ru", "internet.ru": "Mail.ru", "ya.ru": "yandex", "googlemail.com": "Gmail", "Hotmail.com": "Outlook",
		"me.com": "iCloud", "example.org": "example.org", "xn--e1afmkfd.xn--p1ai": "пример.рф", "erased.invalid": ProviderErased,
	} {
		if got := ProviderOf(domain); got != want {
			t.Errorf("%s is %s, want %s", domain, got, want)
		}
	}
}
