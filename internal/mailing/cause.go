package mailing

import (
	"slices"
	"strconv"
	"strings"
)

// Cause (причина) is why a mail was not taken, or not yet, in the way that people need
// to know it: what it means and what to do stands in the translations below "cause.".
// Many codes and wordings of servers have one cause.
type Cause string

// The causes.
const (
	CauseNone             Cause = "" // it was taken
	CauseMailboxUnknown   Cause = "mailbox_unknown"
	CauseMailboxMoved     Cause = "mailbox_moved"
	CauseMailboxDisabled  Cause = "mailbox_disabled"
	CauseMailboxFull      Cause = "mailbox_full"
	CauseMailboxBusy      Cause = "mailbox_busy"
	CauseAddressWrong     Cause = "address_wrong"
	CauseAddressLetters   Cause = "address_letters"
	CauseDomainUnknown    Cause = "domain_unknown"
	CauseDomainNoMail     Cause = "domain_no_mail"
	CauseListTrouble      Cause = "list_trouble"
	CauseRecipientRefuses Cause = "recipient_refuses"
	CauseSenderWrong      Cause = "sender_wrong"
	CauseGreylisted       Cause = "greylisted"
	CauseTooFast          Cause = "too_fast"
	CauseServerBusy       Cause = "server_busy"
	CauseServerTrouble    Cause = "server_trouble"
	CauseTooLarge         Cause = "too_large"
	CauseSpam             Cause = "spam"
	CauseBlocklisted      Cause = "blocklisted"
	CausePolicy           Cause = "policy"
	CauseContent          Cause = "content"
	CausePassword         Cause = "password"
	CauseSignIn           Cause = "sign_in"
	CauseOurAccount       Cause = "our_account"
	CauseEncryption       Cause = "encryption"
	CauseRelaying         Cause = "relaying"
	CauseSignature        Cause = "signature"
	CauseSPF              Cause = "spf"
	CauseUnproved         Cause = "unproved"
	CauseReverseDNS       Cause = "reverse_dns"
	CauseRouting          Cause = "routing"
	CauseNameServers      Cause = "name_servers"
	CauseConnection       Cause = "connection"
	CauseSilence          Cause = "silence"
	CauseTLS              Cause = "tls"
	CauseInDoubt          Cause = "in_doubt"
	CauseTooLate          Cause = "too_late"
	CauseProtocol         Cause = "protocol"
	CauseUnfit            Cause = "unfit"
	CauseUnknown          Cause = "unknown"
)

// enhancedCauses are by the subject and the detail of an enhanced status code (RFC 3463,
// and the registry "SMTP Enhanced Status Codes" of IANA, all of it).
var enhancedCauses = map[string]Cause{
	"0.0": CauseUnknown,

	"1.0": CauseMailboxUnknown, "1.1": CauseMailboxUnknown, "1.2": CauseDomainUnknown, "1.3": CauseAddressWrong,
	"1.4": CauseAddressWrong, "1.5": CauseUnknown, "1.6": CauseMailboxMoved, "1.7": CauseSenderWrong,
	"1.8": CauseSenderWrong, "1.9": CauseUnknown, "1.10": CauseDomainNoMail,

	"2.0": CauseMailboxBusy, "2.1": CauseMailboxDisabled, "2.2": CauseMailboxFull, "2.3": CauseTooLarge, "2.4": CauseListTrouble,

	"3.0": CauseServerTrouble, "3.1": CauseServerBusy, "3.2": CauseServerBusy, "3.3": CauseServerTrouble,
	"3.4": CauseTooLarge, "3.5": CauseServerTrouble, "3.6": CauseUnknown,

	"4.0": CauseConnection, "4.1": CauseConnection, "4.2": CauseConnection, "4.3": CauseNameServers, "4.4": CauseRouting,
	"4.5": CauseServerBusy, "4.6": CauseRouting, "4.7": CauseTooLate,

	"5.0": CauseProtocol, "5.1": CauseProtocol, "5.2": CauseProtocol, "5.3": CauseTooFast, "5.4": CauseProtocol,
	"5.5": CauseProtocol, "5.6": CauseProtocol,

	"6.0": CauseContent, "6.1": CauseContent, "6.2": CauseContent, "6.3": CauseContent, "6.4": CauseContent,
	"6.5": CauseContent, "6.6": CauseContent, "6.7": CauseAddressLetters, "6.8": CauseAddressLetters,
	"6.9": CauseAddressLetters, "6.10": CauseAddressLetters,

	"7.0": CausePolicy, "7.1": CausePolicy, "7.2": CauseRecipientRefuses, "7.3": CauseEncryption, "7.4": CauseEncryption,
	"7.5": CauseEncryption, "7.6": CauseEncryption, "7.7": CauseSignature, "7.8": CausePassword, "7.9": CauseSignIn,
	"7.10": CauseEncryption, "7.11": CauseEncryption, "7.12": CauseSignIn, "7.13": CauseOurAccount, "7.14": CauseSignIn,
	"7.15": CauseTooFast, "7.16": CauseTooLarge, "7.17": CauseMailboxMoved, "7.18": CauseMailboxMoved,
	"7.19": CauseServerTrouble, "7.20": CauseSignature, "7.21": CauseSignature, "7.22": CauseSignature, "7.23": CauseSPF,
	"7.24": CauseSPF, "7.25": CauseReverseDNS, "7.26": CauseUnproved, "7.27": CauseSenderWrong, "7.28": CauseTooFast,
	"7.29": CauseUnproved, "7.30": CauseEncryption,
}

// vagueCodes say so little, or are used for so much, that the words of the server decide
// where they are clearer.
var vagueCodes = []string{"", "0.0", "1.0", "2.0", "2.1", "3.0", "3.2", "4.0", "4.2", "5.0", "5.1", "7.0", "7.1"}

// basicCauses are by the basic code (RFC 5321, section 4.2.3, RFC 4954, RFC 7504), for
// servers that give no other.
var basicCauses = map[int]Cause{
	421: CauseServerBusy, 432: CauseSignIn, 450: CauseMailboxBusy, 451: CauseServerTrouble, 452: CauseServerBusy,
	454: CauseTLS, 455: CauseProtocol, 500: CauseProtocol, 501: CauseProtocol, 502: CauseProtocol, 503: CauseProtocol,
	504: CauseProtocol, 521: CauseDomainNoMail, 523: CauseTooLarge, 530: CauseSignIn, 534: CauseSignIn, 535: CausePassword,
	538: CauseEncryption, 550: CauseMailboxUnknown, 551: CauseMailboxMoved, 552: CauseMailboxFull,
	553: CauseAddressWrong, 554: CausePolicy, 555: CauseProtocol, 556: CauseDomainNoMail,
}

// wording is a cause by what servers say, in lower case. Of several, the first that fits
// counts.
type wording struct {
	cause Cause
	says  []string
}

var greylistWords = []string{"greylist", "graylist", "grey list", "gray list", "postgrey", "first time sender"}

// wordings are what is in use at large providers and in common mail servers. Reputation
// comes before the mailbox: "user reputation" is none of the recipient's.
var wordings = []wording{
	{CauseBlocklisted, []string{
		"spamhaus", "spamcop", "barracudacentral", "sorbs", "blocklist", "blacklist", "block list", "black list",
		"dnsbl", " rbl", "blocked using", "listed at", "listed in",
	}},
	{CauseGreylisted, greylistWords},
	{CauseUnproved, []string{"dmarc", "unauthenticated", "not authenticated to the sender", "authentication checks"}},
	{CauseSignature, []string{"dkim"}},
	{CauseSPF, []string{"spf", "sender policy framework"}},
	{CauseReverseDNS, []string{"reverse dns", "rdns", "ptr record", "reverse lookup", "reverse hostname"}},
	{CauseSpam, []string{
		"spam", "unsolicited", "junk", "content rejected", "bulk mail", "reputation", "suspicious",
	}},
	{CauseMailboxFull, []string{
		"over quota", "overquota", "quota exceeded", "exceeded quota", "mailbox full", "mailbox is full", "out of storage", "storage limit",
	}},
	{CauseTooFast, []string{
		"rate limit", "rate-limit", "ratelimit", "too many", "too fast", "throttl", "unusual rate", "limit exceeded",
		"limit reached", "slow down", "sending limit",
	}},
	{CauseTooLarge, []string{"message size", "too large", "too big", "size limit"}},
	{CauseMailboxDisabled, []string{
		"disabled", "inactive", "suspended", "deactivated", "account locked", "mailbox closed", "not active",
	}},
	{CauseEncryption, []string{"starttls", "must use tls", "encryption required", "tls required"}},
	{CauseRelaying, []string{"relay access denied", "relaying denied", "relay not permitted", "unable to relay", "relay denied", "not permitted to relay"}},
	{CauseSignIn, []string{"authentication required", "authenticate first", "auth required", "not logged in"}},
	{CauseSenderWrong, []string{"sender address", "sender rejected", "sender verify", "sender unknown", "sender not allowed", "not owned by user"}},
	{CauseMailboxUnknown, []string{
		"no such user", "user unknown", "unknown user", "no such mailbox", "does not exist", "doesn't exist", "no mailbox",
		"invalid mailbox", "unknown recipient", "recipient unknown", "recipient not found", "user not found", "mailbox not found",
		"no such recipient", "invalid recipient", "mailbox unavailable", "address rejected", "no longer available",
	}},
	{CauseDomainUnknown, []string{"domain not found", "no such domain", "unknown domain", "host not found"}},
}

// Cause says why the attempt did not succeed; CauseNone when it did.
func (a Attempt) Cause() Cause {
	switch {
	case a.Result == AttemptAccepted:
		return CauseNone
	case a.Result == AttemptInDoubt:
		return CauseInDoubt
	case a.Stage == "compose":
		return CauseUnfit
	case a.Reply.Code == 0:
		return causeOfSilence(a.Reply.Text, a.Stage)
	}
	return causeOfReply(a.Reply, a.Stage)
}

// causeOfSilence is for attempts without an answer, of which the text is ours.
func causeOfSilence(text, stage string) Cause {
	text = strings.ToLower(text)
	switch {
	case stage == "starttls" || strings.Contains(text, "tls:") || strings.Contains(text, "certificate"):
		return CauseTLS
	case strings.Contains(text, "no such host"):
		return CauseNameServers
	case stage == "connect":
		return CauseConnection
	}
	return CauseSilence
}

func causeOfReply(r Reply, stage string) Cause {
	_, code, _ := strings.Cut(r.Enhanced, ".")
	if r.Transient() && says(r, greylistWords) {
		return CauseGreylisted // under whatever code
	}
	if slices.Contains(vagueCodes, code) {
		if cause := causeOfWords(r); cause != CauseNone {
			return cause
		}
	}
	if r.Throttles() && code != "" && code != "3.2" {
		return CauseTooFast
	}
	if cause, known := enhancedCauses[code]; known && cause != CauseUnknown {
		return cause
	}
	return causeOfBasic(r, stage)
}

func says(r Reply, words []string) bool {
	text := strings.ToLower(strings.ReplaceAll(r.Text, "\n", " "))
	return slices.ContainsFunc(words, func(part string) bool { return strings.Contains(text, part) })
}

func causeOfWords(r Reply) Cause {
	for _, w := range wordings {
		if w.cause == CauseGreylisted && !r.Transient() {
			continue // it may be tried again
		}
		if says(r, w.says) {
			return w.cause
		}
	}
	return CauseNone
}

// causeOfBasic is for answers without an enhanced code. To anything but RCPT, 550 is no
// word about the mailbox.
func causeOfBasic(r Reply, stage string) Cause {
	cause, known := basicCauses[r.Code]
	switch {
	case r.Code == 550 && stage != "rcpt":
		return CausePolicy
	case r.Code == 552 && stage != "rcpt":
		return CauseTooLarge
	case known:
		return cause
	case r.Transient():
		return CauseServerTrouble
	}
	return CauseUnknown
}

// CodesExplained lists the codes of the catalogue with their causes: basic ones, such as
// "550", and enhanced ones without their class, such as "1.1".
func CodesExplained() map[string]Cause {
	all := make(map[string]Cause, len(enhancedCauses)+len(basicCauses))
	for code, cause := range enhancedCauses {
		all[code] = cause
	}
	for code, cause := range basicCauses {
		all[strconv.Itoa(code)] = cause
	}
	return all
}

// ParseCause reports whether the word is that of a cause.
func ParseCause(word string) (Cause, bool) {
	cause := Cause(word)
	return cause, cause != CauseNone && slices.Contains(Causes(), cause)
}

// Causes lists all, in alphabetical order.
func Causes() []Cause {
	all := []Cause{CauseUnknown, CauseSilence, CauseInDoubt, CauseUnfit}
	for _, cause := range CodesExplained() {
		all = append(all, cause)
	}
	for _, w := range wordings {
		all = append(all, w.cause)
	}
	slices.Sort(all)
	return slices.Compact(all)
}
