package compose

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"vestnik/internal/compose/dkim"
	"vestnik/internal/compose/liquid"
	"vestnik/internal/mailing"
)

// The limits of what a person may write.
const (
	MaxSubject = 255     // characters, merge fields as they are written; chosen
	MaxBody    = 1 << 20 // bytes; chosen: Gmail clips what is longer than 0.1 MB
)

// Address is a mailbox with the name to show. The name may be empty.
type Address struct {
	Name  string
	Email string
}

// Source is what a Template is made of.
type Source struct {
	Subject string // with merge fields
	Body    string // in Format, with merge fields
	Format  mailing.Format
	From    Address
	ReplyTo Address // not there when Email is empty
	ListID  string  // "mailing-7.example.com" (RFC 2919); not there when empty
	Lang    string  // "ru" or "en": of the footer, of months and days

	// Unsubscribe demands an UnsubscribeURL of every recipient, puts it into
	// the headers, and adds a footer with it when the body does not show it.
	Unsubscribe bool

	// Base is where readers find our pictures, "https://mail.example.org": it goes before
	// their addresses below PicturePath. Empty where our own pages show the message.
	Base string

	// Attachments go to everybody as they are, without merge fields.
	Attachments []Attachment

	// Signer signs every message, as the domain of From or one above it; nil
	// leaves them unsigned.
	Signer *dkim.Signer
}

// Known are the variables that every recipient has. Check knows no others, but
// a caller may give more in Recipient.Vars.
func Known() []string {
	return []string{"first_name", "last_name", "email", "comment", "unsubscribe_url", "mailing"}
}

// Check looks for all that is wrong with a message as it was typed, also by
// making one for an example recipient: a loop without end shows only then. The
// error is mailing.Problems with the fields "subject" and "body".
func Check(subject, body string, format mailing.Format) error {
	compiled, err := compileParts(Source{Subject: subject, Body: body, Format: format})
	if err != nil {
		return err
	}
	t := Template{parts: compiled}
	_, _, _, err = t.Preview(Recipient{
		Email: "name@example.org", FirstName: "Name", LastName: "Surname", Comment: "Comment",
		UnsubscribeURL: "https://example.org/unsubscribe", Date: time.Now(),
	})
	var problems mailing.Problems
	if err := problems.AddError("body", err); err != nil {
		return err
	}
	return problems.Err()
}

// Warnings lists the variables in a message that are not among known, once
// each, as problems with the code variable_unknown. They render as nothing, so
// this is a hint and no error. What does not compile has no warnings.
func Warnings(subject, body string, known ...string) mailing.Problems {
	var hints mailing.Problems
	for _, part := range []struct{ field, source string }{{"subject", subject}, {"body", body}} {
		t, err := liquid.Compile(part.source, liquid.Options{})
		if err != nil {
			continue
		}
		noted := map[string]bool{}
		for _, v := range t.Variables() {
			if slices.Contains(known, v.Name) || noted[v.Name] {
				continue
			}
			noted[v.Name] = true
			hints.Add(part.field, "variable_unknown", "name", v.Path, "line", v.Line)
		}
	}
	return hints
}

// Bare lists the variables that a message shows as they are, once each, so that there is a
// gap where a recipient has none. What does not compile has none.
func Bare(subject, body string) []string {
	var names []string
	for _, source := range []string{subject, body} {
		t, err := liquid.Compile(source, liquid.Options{})
		if err != nil {
			continue
		}
		for _, name := range t.Bare() {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names
}

// checkSubject notes what is wrong with a subject apart from its merge fields.
func checkSubject(p *mailing.Problems, subject string) {
	switch {
	case !checkText(p, "subject", subject):
	case strings.TrimSpace(subject) == "":
		p.Add("subject", "subject_empty")
	case strings.ContainsAny(subject, "\r\n\v\f\u0085\u2028\u2029"):
		p.Add("subject", "subject_line_break")
	case utf8.RuneCountInString(subject) > MaxSubject:
		p.Add("subject", "subject_too_long", "max", MaxSubject)
	}
}

// checkBody notes what is wrong with a body apart from its merge fields.
func checkBody(p *mailing.Problems, body string, format mailing.Format) {
	switch {
	case len(body) > MaxBody:
		p.Add("body", "body_too_large", "max_mb", MaxBody>>20, "size", len(body))
	case !checkText(p, "body", body):
	case strings.TrimSpace(body) == "":
		p.Add("body", "body_empty")
	case !format.Valid():
		p.Add("format", "format_unknown")
	}
}

// checkText reports whether s can be put into a message at all.
func checkText(p *mailing.Problems, field, s string) bool {
	switch {
	case strings.IndexByte(s, 0) >= 0:
		p.Add(field, "text_nul")
	case !utf8.ValidString(s):
		p.Add(field, "text_not_utf8")
	default:
		return true
	}
	return false
}

// parts are the compiled parts of a message.
type parts struct {
	subject, text *liquid.Template
	html          *liquid.Template // nil in a text message
	names         []string         // of variables, in order of the alphabet
}

// compileParts checks and compiles subject and body. What a person can mend is
// mailing.Problems.
func compileParts(s Source) (parts, error) {
	var problems mailing.Problems
	checkSubject(&problems, s.Subject)
	checkBody(&problems, s.Body, s.Format)
	checkAttachments(&problems, s.Attachments)
	wrong := problems // what is wrong with one part hides nothing of the other
	var subject, text, html *liquid.Template
	var err error
	if !concerns(wrong, "subject") {
		subject, err = liquid.Compile(strings.TrimSpace(s.Subject), liquid.Options{Context: liquid.Header, Lang: s.Lang})
		if err := problems.AddError("subject", err); err != nil {
			return parts{}, err
		}
	}
	if !concerns(wrong, "body") && !concerns(wrong, "format") {
		text, html, err = compileBody(s)
		if err := problems.AddError("body", err); err != nil {
			return parts{}, err
		}
	}
	if len(problems) > 0 {
		return parts{}, problems
	}
	return parts{subject: subject, text: text, html: html, names: variableNames(subject, text, html)}, nil
}

// concerns reports whether a problem is about the field.
func concerns(problems mailing.Problems, field string) bool {
	return slices.ContainsFunc(problems, func(p *mailing.Error) bool { return p.Field == field })
}

func variableNames(templates ...*liquid.Template) []string {
	var names []string
	for _, t := range templates {
		if t == nil {
			continue
		}
		for _, v := range t.Variables() {
			names = append(names, v.Name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
