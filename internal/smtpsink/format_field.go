package smtpsink

import (
	"mime"
	"net/mail"
	"net/url"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"
)

// once are the fields that a mailing has exactly once: RFC 5322, section 3.6
// demands From and Date, and advises Message-ID; RFC 2045, section 4 demands
// MIME-Version. To and Subject no person would leave out.
var once = []string{"From", "Date", "Message-ID", "To", "Subject", "MIME-Version"}

// atMostOnce are those of RFC 5322, section 3.6, of RFC 2045, section 3, and of
// lists (RFC 2369, section 3; RFC 2919, section 2; RFC 8058, section 5).
var atMostOnce = []string{
	"Sender", "Reply-To", "Cc", "In-Reply-To", "References", "Content-Type", "Content-Transfer-Encoding",
	"Content-ID", "Content-Description", "Content-Disposition", "Auto-Submitted", "List-ID", "List-Unsubscribe",
	"List-Unsubscribe-Post", "List-Help", "List-Subscribe", "List-Post", "List-Owner", "List-Archive",
}

// checkFields looks at the header of a whole message.
func (i *inspection) checkFields(fields []field) {
	for _, name := range once {
		if n := len(named(fields, name)); n != 1 {
			i.object("%d fields %s instead of one", n, name)
		}
	}
	for _, name := range atMostOnce {
		if n := len(named(fields, name)); n > 1 {
			i.object("%d fields %s instead of one at most", n, name)
		}
	}
	if len(named(fields, "Bcc")) > 0 {
		i.object("Bcc shows who got a copy")
	}
	for _, f := range fields {
		i.checkField(f)
	}
	i.checkOneClick(fields)
}

// named are the fields of a name, which has no case (RFC 5322, section 1.2.2).
func named(fields []field, name string) []field {
	var found []field
	for _, f := range fields {
		if strings.EqualFold(f.name, name) {
			found = append(found, f)
		}
	}
	return found
}

// checkField looks at one field by its name.
func (i *inspection) checkField(f field) {
	value := strings.TrimSpace(f.value)
	words := true // encoded ones may stand in it
	switch strings.ToLower(f.name) {
	case "from", "to", "cc", "sender", "reply-to":
		i.checkMailboxes(f.name, value)
	case "date":
		words = false
		i.checkDate(value)
	case "message-id":
		words = false
		if !messageID.MatchString(value) {
			i.object("Message-ID is no <left@right>: %.80q", value)
		}
	case "mime-version":
		words = false
		if value != "1.0" {
			i.object("MIME-Version is %q", value)
		}
	case "list-unsubscribe", "list-help", "list-subscribe", "list-post", "list-owner", "list-archive":
		words = false
		i.checkURLs(f.name, value)
	case "list-id":
		if _, id, _ := strings.Cut(value, "<"); !listID.MatchString(value) || len(id)-1 > maxDomainBytes {
			i.object("List-ID is no <domain>: %.80q", value)
		}
	case "auto-submitted":
		words = false
		if !autoSubmitted.MatchString(value) {
			i.object("Auto-Submitted is %q", value)
		}
	case "content-type", "content-transfer-encoding", "content-disposition", "list-unsubscribe-post":
		words = false
	}
	i.checkWords(f.name, f.value, words)
}

var (
	// messageID is msg-id without comments and old forms (RFC 5322, section 3.6.4).
	messageID = regexp.MustCompile("^<[-A-Za-z0-9!#$%&'*+/=?^_`{|}~]+(\\.[-A-Za-z0-9!#$%&'*+/=?^_`{|}~]+)*@" +
		"([-A-Za-z0-9!#$%&'*+/=?^_`{|}~]+(\\.[-A-Za-z0-9!#$%&'*+/=?^_`{|}~]+)*|\\[[!-Z^-~]*\\])>$")
	// listID has at least one dot and 255 octets at most (RFC 2919, section 2).
	listID = regexp.MustCompile(`^[^<>]*<[-A-Za-z0-9_]+(\.[-A-Za-z0-9_]+)+>$`)
	// autoSubmitted is the value of RFC 3834, section 5.
	autoSubmitted = regexp.MustCompile(`^(no|auto-generated|auto-replied|auto-notified)(;.*)?$`)
	// dateTime is date-time with a day of the week and a zone in digits (RFC
	// 5322, section 3.3).
	dateTime = regexp.MustCompile(`^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{1,2} [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d [+-]\d{4}$`)
)

func (i *inspection) checkMailboxes(name, value string) {
	list, err := mail.ParseAddressList(value)
	if err != nil {
		i.object("%s is no list of mailboxes: %v", name, err)
		return
	}
	for _, mailbox := range list {
		if strings.ContainsFunc(mailbox.Address, isHigh) && !i.utf8 {
			i.object("%s has an address in UTF-8 without SMTPUTF8", name)
		}
	}
}

func (i *inspection) checkDate(value string) {
	when, err := mail.ParseDate(value)
	if err != nil || !dateTime.MatchString(value) {
		i.object("Date is no date: %.80q", value)
	} else if when.Format("Mon") != value[:3] || when.Year() < 1900 || when.After(time.Unix(1<<35, 0)) {
		i.object("Date is not possible: %.80q", value)
	}
}

// checkURLs looks at "<url>, <url>" (RFC 2369, section 2).
func (i *inspection) checkURLs(name, value string) {
	for _, item := range strings.Split(value, ",") {
		item = strings.TrimSpace(item)
		if len(item) < 3 || item[0] != '<' || item[len(item)-1] != '>' || strings.ContainsAny(item, " \t") {
			i.object("%s is no list of <URL>", name)
			continue
		}
		if u, err := url.Parse(item[1 : len(item)-1]); err != nil || u.Scheme == "" {
			i.object("%s has something else than a URL", name)
		}
	}
}

// checkOneClick looks at what RFC 8058, section 3.1 demands of the two fields
// together.
func (i *inspection) checkOneClick(fields []field) {
	for _, f := range named(fields, "List-Unsubscribe-Post") {
		if strings.TrimSpace(f.value) != "List-Unsubscribe=One-Click" {
			i.object("List-Unsubscribe-Post is %q", f.value)
		}
		lists := named(fields, "List-Unsubscribe")
		if len(lists) == 0 || !strings.Contains(lists[0].value, "<https://") {
			i.object("List-Unsubscribe-Post without an https URL to post to")
		}
	}
}

// anyWord finds what a reader could take for an encoded word.
var anyWord = regexp.MustCompile(`=\?[^? \t]*\?[^? \t]*\?[^ \t"]*?\?=`)

func encodedWords(line string) []string { return anyWord.FindAllString(line, -1) }

// safeWord is an encoded word as it may stand in a phrase (RFC 2047, section 5,
// rule 3), in one of the two encodings of section 4.
var safeWord = regexp.MustCompile(`^=\?[A-Za-z0-9-]+\?([Bb]\?[A-Za-z0-9+/]*=*|[Qq]\?([-A-Za-z0-9!*+/_]|=[0-9A-F]{2})*)\?=$`)

// checkWords looks at the encoded words of a value.
func (i *inspection) checkWords(name, value string, allowed bool) {
	for _, word := range encodedWords(value) {
		switch {
		case !allowed:
			i.object("%s has an encoded word where none may stand", name)
		case len(word) > codedWord:
			i.object("%s has an encoded word of more than 75 characters", name)
		case !safeWord.MatchString(word):
			i.object("%s has a malformed encoded word: %q", name, word)
		default:
			i.checkWordText(name, word)
		}
	}
	if !allowed {
		return
	}
	quoted := false
	for _, token := range strings.Fields(value) {
		if strings.Contains(token, "=?") && (quoted || strings.HasPrefix(token, `"`)) {
			i.object("%s has an encoded word in a quoted string", name)
		} else if strings.HasPrefix(token, "=?") && !(strings.HasSuffix(token, "?=") && len(encodedWords(token)) == 1) {
			i.object("%s has an encoded word with no white space behind it", name)
		} else if at := strings.Index(token, "=?"); at > 0 && len(encodedWords(token)) > 0 {
			i.object("%s has an encoded word with no white space before it", name)
		}
		if strings.Count(strings.ReplaceAll(token, `\"`, ""), `"`)%2 == 1 {
			quoted = !quoted
		}
	}
}

// checkWordText decodes one encoded word, which must hold whole characters
// (RFC 2047, section 5).
func (i *inspection) checkWordText(name, word string) {
	text, err := new(mime.WordDecoder).Decode(word)
	switch {
	case err != nil:
		i.object("%s has an encoded word that cannot be read: %q", name, word)
	case text == "":
		i.object("%s has an empty encoded word", name)
	case !utf8.ValidString(text):
		i.object("%s has an encoded word with a part of a character: %q", name, word)
	case strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 127 }):
		i.object("%s has a control character in an encoded word", name)
	}
}
