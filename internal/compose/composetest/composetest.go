// Package composetest makes messages for tests that send or sign them: the same
// ones at every call, and with all in them that mail software has been seen to
// stumble over.
package composetest

import (
	"fmt"
	"html"
	"math/rand/v2"
	"strings"
	"time"

	"vestnik/internal/compose"
	"vestnik/internal/mailing"
)

// Message is what one message is made of, and what must arrive.
type Message struct {
	Name      string // what is special about it, with its number
	Source    compose.Source
	Recipient compose.Recipient

	// Plain is the text as it must arrive, with "\n" at its lines: all of it in a
	// text message, a part of the HTML otherwise when it is not empty.
	Plain string
}

// Render compiles and renders the message.
func (m Message) Render() ([]byte, error) {
	t, err := compose.Compile(m.Source)
	if err != nil {
		return nil, fmt.Errorf("compile %s: %w", m.Name, err)
	}
	data, err := t.Render(nil, m.Recipient)
	if err != nil {
		return nil, fmt.Errorf("render %s: %w", m.Name, err)
	}
	return data, nil
}

// Messages returns the first n messages. The same number is always the same
// message. Their dates are past, since a signature of the future is none (RFC 6376,
// section 3.5).
func Messages(n int) []Message {
	messages := make([]Message, n)
	for i := range messages {
		messages[i] = newMaker(i).message()
	}
	return messages
}

// maker makes one message. Its chances follow from the number.
type maker struct {
	number int
	*rand.Rand
}

func newMaker(number int) maker {
	return maker{number, rand.New(rand.NewPCG(uint64(number), 1))}
}

// message is the plain one of its number, with something special done to it.
func (m maker) message() Message {
	message := Message{
		Source: compose.Source{
			Subject: m.subject(),
			From:    compose.Address{Name: m.words(m.IntN(5)), Email: m.sender()},
			ListID:  "mailing-7.example.com",
			Lang:    []string{"ru", "en"}[m.IntN(2)],
		},
		Recipient: compose.Recipient{
			Email: m.recipient(), FirstName: m.name(), LastName: m.name(), Comment: m.words(3),
			UnsubscribeURL: "https://example.com/u/" + strings.Repeat("abcdefghij", m.IntN(40)+1),
			MessageID:      fmt.Sprintf("%d.7@example.com", m.number),
			Date:           time.Date(2023, 1, 1+m.number%1000, 7, 5, 9, 0, time.FixedZone("", (m.number%27-12)*60*60)),
			Headers:        []compose.Header{{Name: "Auto-Submitted", Value: "auto-generated"}},
		},
	}
	message.Source.Unsubscribe = m.IntN(2) == 0
	m.body(&message, m.text())
	if m.IntN(3) == 0 {
		message.Source.ReplyTo = compose.Address{Name: m.words(m.IntN(30)), Email: "help@example.com"}
	}
	if m.IntN(4) == 0 {
		message.Source.Attachments = m.attachments()
	}
	message.Name = "plain"
	if special := m.number % specialEvery; special < len(specials) {
		message.Name = specials[special].name
		specials[special].make(m, &message)
	}
	message.Name = fmt.Sprintf("message %d, %s", m.number, message.Name)
	return message
}

// body gives a message the text in one of the formats. Markdown means something
// else than what is typed, so nothing is said about how it arrives.
func (m maker) body(message *Message, text string) {
	message.Plain = unixLines(text)
	switch m.IntN(3) {
	case 0:
		message.Source.Format, message.Source.Body = mailing.FormatText, text
	case 1:
		message.Source.Format, message.Source.Body = mailing.FormatMarkdown, text
		message.Plain = ""
	case 2:
		message.Source.Format = mailing.FormatHTML
		message.Source.Body = "<p>" + html.EscapeString(text) + "</p>"
		message.Plain = html.EscapeString(message.Plain)
	}
}

func unixLines(s string) string { return strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(s) }

// specialEvery is after how many messages the special ones come again.
const specialEvery = 50

const megabyte = 1 << 20

// specials are what is done to a message besides.
var specials = []struct {
	name string
	make func(maker, *Message)
}{
	{"a text in one line of 1 MB", func(m maker, x *Message) { m.long(x, mailing.FormatText, strings.Repeat("x", megabyte)) }},
	{"a Cyrillic text in one line of 1 MB", func(m maker, x *Message) { m.long(x, mailing.FormatText, strings.Repeat("ы", megabyte/2)) }},
	{"Markdown in one line of 1 MB", func(m maker, x *Message) { m.long(x, mailing.FormatMarkdown, strings.Repeat("x", megabyte)) }},
	{"HTML in one line of 1 MB", func(m maker, x *Message) { m.long(x, mailing.FormatHTML, strings.Repeat("x", megabyte)) }},
	{"a field of 1 MB", func(m maker, x *Message) {
		m.long(x, mailing.FormatText, "{{ comment }}")
		x.Recipient.Comment = strings.Repeat(".", megabyte)
		x.Plain = x.Recipient.Comment
	}},
	{"a subject filled with 1 MB", func(m maker, x *Message) {
		x.Source.Subject, x.Recipient.Comment = "{{ comment }}", strings.Repeat("книга ", megabyte/11)
	}},
	{"names of 1 MB", func(m maker, x *Message) {
		x.Recipient.FirstName, x.Source.From.Name = strings.Repeat("имя", megabyte/6), strings.Repeat("x", megabyte)
	}},
	// Postfix drops what a header has beyond 100 KB (header_size_limit).
	{"a header of 50 KB", func(m maker, x *Message) {
		x.Recipient.Headers = append(x.Recipient.Headers, compose.Header{Name: "X-Note", Value: strings.Repeat("y", 50_000)})
	}},
	{"fields that would break the header", func(m maker, x *Message) {
		x.Recipient.FirstName, x.Source.Subject = "Eve\r\nBcc: a@example.com\r\n\r\n.\r\n", "Hi {{ first_name }}"
	}},
	{"a field that would end the message", func(m maker, x *Message) {
		m.long(x, mailing.FormatText, "a\n{{ comment }}\nb")
		x.Recipient.Comment = ".\r\n\r\n.\r\nQUIT\r.\r\n\n.\n"
		x.Plain = "a\n" + unixLines(x.Recipient.Comment) + "\nb"
	}},
	{"a text of dots", func(m maker, x *Message) {
		m.long(x, mailing.FormatText, strings.Repeat(".", m.IntN(300)+1)+"\n"+strings.Repeat(".\n..\n...\n", m.IntN(9000)))
	}},
}

// long makes body the whole of a message, without a footer.
func (m maker) long(message *Message, format mailing.Format, body string) {
	message.Source.Format, message.Source.Body, message.Source.Unsubscribe = format, body, false
	message.Plain = unixLines(body)
}
