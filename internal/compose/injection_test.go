package compose_test

import (
	"bufio"
	"bytes"
	"net/textproto"
	"slices"
	"strings"
	"testing"
	"time"

	"vestnik/internal/compose"
	"vestnik/internal/mailing"
)

// TestLineBreaksEndNoField puts line breaks into whatever ends in the header of a mail.
// Either the message is refused, or no field is there that is not there without.
func TestLineBreaksEndNoField(t *testing.T) {
	good := compose.Source{
		Subject: "News for {{ first_name }}", Body: "Hello", Format: mailing.FormatText, Lang: "en", Unsubscribe: true, ListID: "mailing-7.example.org",
		From: compose.Address{Name: "Anna", Email: "anna@example.org"}, ReplyTo: compose.Address{Name: "Boris", Email: "boris@example.org"},
	}
	to := compose.Recipient{
		Email: "client@example.org", FirstName: "Carl", Date: time.Unix(1e9, 0), MessageID: "1@example.org", UnsubscribeURL: "https://mail.example.org/unsubscribe/x",
	}
	names := func(t *testing.T, s compose.Source, r compose.Recipient) ([]string, bool) {
		t.Helper()
		template, err := compose.Compile(s)
		if err != nil {
			return nil, false
		}
		data, err := template.Render(nil, r)
		if err != nil {
			return nil, false
		}
		header, err := textproto.NewReader(bufio.NewReader(bytes.NewReader(data))).ReadMIMEHeader()
		if err != nil {
			t.Fatalf("the header cannot be read: %v\n%s", err, data)
		}
		var fields []string
		for name, values := range header {
			for range values {
				fields = append(fields, name)
			}
		}
		slices.Sort(fields)
		return fields, true
	}
	want, ok := names(t, good, to)
	if !ok {
		t.Fatal("the message without line breaks is refused")
	}
	places := map[string]func(s *compose.Source, r *compose.Recipient, evil string){
		"the subject": func(s *compose.Source, _ *compose.Recipient, evil string) { s.Subject += evil },
		"a merge field": func(_ *compose.Source, r *compose.Recipient, evil string) {
			r.FirstName = evil
		},
		"the sender's name":       func(s *compose.Source, _ *compose.Recipient, evil string) { s.From.Name += evil },
		"the sender's address":    func(s *compose.Source, _ *compose.Recipient, evil string) { s.From.Email += evil },
		"the name to reply to":    func(s *compose.Source, _ *compose.Recipient, evil string) { s.ReplyTo.Name += evil },
		"the address to reply to": func(s *compose.Source, _ *compose.Recipient, evil string) { s.ReplyTo.Email += evil },
		"the list's id":           func(s *compose.Source, _ *compose.Recipient, evil string) { s.ListID += evil },
		"the recipient":           func(_ *compose.Source, r *compose.Recipient, evil string) { r.Email += evil },
		"a header of ours": func(_ *compose.Source, r *compose.Recipient, evil string) {
			r.Headers = []compose.Header{{Name: "Auto-Submitted", Value: evil}}
		},
		"a file's name": func(s *compose.Source, _ *compose.Recipient, evil string) {
			s.Attachments = []compose.Attachment{{Name: evil, Type: "text/plain", Data: []byte("a")}}
		},
		"the message's id":        func(_ *compose.Source, r *compose.Recipient, evil string) { r.MessageID += evil },
		"the link to unsubscribe": func(_ *compose.Source, r *compose.Recipient, evil string) { r.UnsubscribeURL += evil },
	}
	for place, put := range places {
		for _, evil := range []string{"x\r\nBcc: eve@example.org", "x\nBcc: eve@example.org", "x\rBcc: eve@example.org", "x\r\n\r\n<b>body</b>", "x\u2028Bcc: eve@example.org", "x\u0085Bcc: e@example.org", "x\x00\r\nBcc: e@example.org"} {
			s, r := good, to
			put(&s, &r, evil)
			got, made := names(t, s, r)
			strange := slices.DeleteFunc(got, func(name string) bool { return name == "Auto-Submitted" || slices.Contains(want, name) })
			if made && len(strange) > 0 {
				t.Errorf("%q in %s makes the fields %s", evil, place, strings.Join(strange, " "))
			}
		}
	}
}
