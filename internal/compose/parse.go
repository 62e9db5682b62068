package compose

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/emersion/go-message"
	_ "github.com/emersion/go-message/charset" // old charsets, for mail of others
	"github.com/emersion/go-message/mail"
)

// maxPart is how much of a part Parse reads; chosen, several times MaxBody.
const maxPart = 8 << 20

// Parsed is a message as a mail program would show it.
type Parsed struct {
	Headers []Header // all, decoded, in order
	Subject string
	From    string
	To      string
	HTML    string // the first part of its kind; empty when there is none
	Text    string
}

// Parse reads a message. It is tolerant: a part that cannot be read is left
// out, an unknown charset is passed on as it is, and only a header that makes
// no sense is an error. HTML is not sanitised.
func Parse(data []byte) (Parsed, error) {
	entity, err := message.Read(bytes.NewReader(data))
	if entity == nil {
		return Parsed{}, fmt.Errorf("compose: parse message: %w", err)
	}
	p := Parsed{Headers: decodedFields(entity.Header)}
	p.Subject = p.field("Subject")
	p.From = p.field("From")
	p.To = p.field("To")
	reader := mail.NewReader(entity)
	for {
		part, err := reader.NextPart()
		if part == nil || err != nil && !message.IsUnknownCharset(err) {
			return p, nil
		}
		p.add(part)
	}
}

// add takes over a part that shows text.
func (p *Parsed) add(part *mail.Part) {
	inline, ok := part.Header.(*mail.InlineHeader)
	if !ok {
		return
	}
	kind, _, _ := inline.ContentType() // an unreadable type is text/plain
	target := &p.Text
	switch {
	case kind == "text/html":
		target = &p.HTML
	case !strings.HasPrefix(kind, "text/") && kind != "":
		return
	}
	if *target != "" {
		return
	}
	// What came before a broken end is better than nothing.
	body, _ := io.ReadAll(io.LimitReader(part.Body, maxPart))
	*target = strings.ToValidUTF8(strings.ReplaceAll(string(body), "\r\n", "\n"), "\ufffd")
}

func (p *Parsed) field(name string) string {
	for _, h := range p.Headers {
		if strings.EqualFold(h.Name, name) {
			return h.Value
		}
	}
	return ""
}

func decodedFields(h message.Header) []Header {
	var list []Header
	for fields := h.Fields(); fields.Next(); {
		value, err := fields.Text()
		if err != nil {
			value = fields.Value()
		}
		list = append(list, Header{Name: fields.Key(), Value: strings.ToValidUTF8(value, "\ufffd")})
	}
	return list
}
