package compose

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"vestnik/internal/compose/liquid"
	"vestnik/internal/mailing"
)

// Recipient is all that one copy of a message needs to know.
type Recipient struct {
	Email     string
	FirstName string
	LastName  string
	Comment   string

	// Vars are further variables, of the types that liquid.Vars lists. They
	// cannot replace first_name, last_name, email, comment and
	// unsubscribe_url.
	Vars map[string]any

	UnsubscribeURL string    // https, for one-click (RFC 8058); http in trials
	MessageID      string    // with or without angle brackets
	Date           time.Time // in the zone to show; also "now" in merge fields
	Headers        []Header  // more, such as Auto-Submitted (RFC 3834)
}

// Lookup implements liquid.Vars.
func (r *Recipient) Lookup(name string) any {
	switch name {
	case "first_name":
		return r.FirstName
	case "last_name":
		return r.LastName
	case "email":
		return r.Email
	case "comment":
		return r.Comment
	case "unsubscribe_url":
		return r.UnsubscribeURL
	}
	return r.Vars[name]
}

// displayName is the name to show in the To field.
func (r *Recipient) displayName() string {
	if r.FirstName == "" || r.LastName == "" {
		return r.FirstName + r.LastName
	}
	return r.FirstName + " " + r.LastName
}

// Render appends the message for r to dst. An error leaves dst as it was; it
// is a *mailing.Error (email_invalid, liquid_too_long) when the recipient's
// data are to blame, and our own fault otherwise.
func (t *Template) Render(dst []byte, r Recipient) ([]byte, error) {
	out, err := t.appendHeader(dst, &r)
	if err != nil {
		return dst, err
	}
	if out, err = t.appendContent(out, &r); err != nil {
		return dst, err
	}
	if t.signer == nil {
		return out, nil
	}
	if out, err = t.sign(out, len(dst), r.Date); err != nil {
		return dst, err
	}
	return out, nil
}

// appendContent appends the fields about the content, and the content.
func (t *Template) appendContent(dst []byte, r *Recipient) ([]byte, error) {
	dst = append(dst, t.frame.beforeText...)
	dst, err := appendPart(dst, r, t.text, t.textChunks)
	if err != nil || t.html == nil {
		return dst, err
	}
	dst = append(dst, t.frame.beforeHTML...)
	if dst, err = appendPart(dst, r, t.html, t.htmlChunks); err != nil {
		return dst, err
	}
	return append(dst, t.frame.end...), nil
}

// appendPart appends one body in quoted-printable.
func appendPart(dst []byte, r *Recipient, part *liquid.Template, chunks []chunk) ([]byte, error) {
	sink := quotedSink{dst: dst, chunks: chunks}
	if err := part.Render(r, r.Date, &sink); err != nil {
		return nil, bodyFault("body", err)
	}
	sink.end()
	return sink.dst, nil
}

func bodyFault(field string, err error) error {
	var fault *mailing.Error
	if !errors.As(err, &fault) {
		return fmt.Errorf("compose: render %s: %w", field, err)
	}
	with := *fault
	with.Field = field
	return &with
}

// appendHeader appends all fields but those about the content.
func (t *Template) appendHeader(dst []byte, r *Recipient) ([]byte, error) {
	to, _, err := WireAddress(r.Email)
	if err != nil {
		return nil, err
	}
	id, err := headerID(r.MessageID)
	if err != nil {
		return nil, err
	}
	dst = append(dst, t.from...)
	dst = appendMailbox(dst, "To", r.displayName(), to)
	if dst, err = t.appendSubject(dst, r); err != nil {
		return nil, err
	}
	dst = append(dst, "Date: "...)
	dst = r.Date.AppendFormat(dst, "Mon, 02 Jan 2006 15:04:05 -0700") // RFC 5322, section 3.3
	dst = append(dst, "\r\n"...)
	dst = appendAngled(dst, "Message-ID", id)
	dst = append(dst, t.fixed...)
	if dst, err = t.appendUnsubscribe(dst, r.UnsubscribeURL); err != nil {
		return nil, err
	}
	for _, h := range r.Headers {
		if dst, err = appendExtra(dst, h); err != nil {
			return nil, err
		}
	}
	return append(dst, "MIME-Version: 1.0\r\n"...), nil
}

func (t *Template) appendSubject(dst []byte, r *Recipient) ([]byte, error) {
	if t.subjectLine != nil {
		return append(dst, t.subjectLine...), nil
	}
	subject, err := t.renderSubject(r)
	if err != nil {
		return nil, err
	}
	return appendField(dst, "Subject", subject), nil
}

// renderSubject renders the subject and cuts it to MaxSubject characters: a
// field that is filled with a book must not make a header of it.
func (t *Template) renderSubject(r *Recipient) (string, error) {
	var room [256]byte
	sink := plainSink{dst: room[:0], statics: t.subject.Statics()}
	if err := t.subject.Render(r, r.Date, &sink); err != nil {
		return "", bodyFault("subject", err)
	}
	subject := oneLine(string(sink.dst))
	if len(subject) <= MaxSubject || utf8.RuneCountInString(subject) <= MaxSubject {
		return subject, nil
	}
	return strings.TrimSpace(string([]rune(subject)[:MaxSubject-1])) + "…", nil
}

// appendUnsubscribe appends List-Unsubscribe (RFC 2369) and, for https, the
// field that makes it one click (RFC 8058, section 3.1).
func (t *Template) appendUnsubscribe(dst []byte, url string) ([]byte, error) {
	if !t.unsubscribe {
		return dst, nil
	}
	if url == "" || len(url) > maxLine-3 || !isPrintable(url) || strings.ContainsAny(url, ` <>"`) {
		return nil, fmt.Errorf("compose: unsubscribe URL %q is not possible", url)
	}
	dst = appendAngled(dst, "List-Unsubscribe", url)
	if strings.HasPrefix(url, "https://") {
		dst = append(dst, "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"...)
	}
	return dst, nil
}

// Preview renders what a recipient will see, without making a message of it.
// Html is empty for a text message. It is not sanitised: it belongs into a
// sandboxed frame.
func (t *Template) Preview(r Recipient) (subject, html, text string, err error) {
	if subject, err = t.renderSubject(&r); err != nil {
		return "", "", "", err
	}
	plain := plainSink{statics: t.text.Statics()}
	if err := t.text.Render(&r, r.Date, &plain); err != nil {
		return "", "", "", bodyFault("body", err)
	}
	if t.html == nil {
		return subject, "", string(plain.dst), nil
	}
	hyper := plainSink{statics: t.html.Statics()}
	if err := t.html.Render(&r, r.Date, &hyper); err != nil {
		return "", "", "", bodyFault("body", err)
	}
	return subject, string(hyper.dst), string(plain.dst), nil
}
