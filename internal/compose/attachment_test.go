package compose

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	netmail "net/mail"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/emersion/go-message/mail"
	"pgregory.net/rapid"

	"vestnik/internal/mailing"
	"vestnik/internal/smtpsink"
)

// attachmentsOf reads a message with two parsers, which must agree, and returns
// what they find; the type is that of the field, with its charset.
func attachmentsOf(t fataler, data []byte) []Attachment {
	t.Helper()
	reader, err := mail.CreateReader(bytes.NewReader(data))
	if err != nil {
		t.Fatalf("go-message: %v", err)
	}
	var found []Attachment
	for {
		part, err := reader.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("go-message: next part: %v", err)
		}
		header, ok := part.Header.(*mail.AttachmentHeader)
		if !ok {
			continue
		}
		name, err := header.Filename()
		if err != nil {
			t.Fatalf("go-message: file name: %v", err)
		}
		body, err := io.ReadAll(part.Body)
		if err != nil {
			t.Fatalf("go-message: read %q: %v", name, err)
		}
		kind, _, _ := header.ContentType()
		found = append(found, Attachment{name, kind, body})
	}
	for i, name := range namesByMIME(t, data) {
		if i >= len(found) || found[i].Name != name {
			t.Fatalf("mime/multipart reads attachment %d as %q, go-message has %d", i, name, len(found))
		}
	}
	return found
}

// namesByMIME are the names of files as the standard library reads them.
func namesByMIME(t fataler, data []byte) []string {
	t.Helper()
	message, err := netmail.ReadMessage(bytes.NewReader(data))
	if err != nil {
		t.Fatalf("net/mail: %v", err)
	}
	_, params, err := mime.ParseMediaType(message.Header.Get("Content-Type"))
	if err != nil {
		t.Fatalf("mime: %v", err)
	}
	var names []string
	for reader := multipart.NewReader(message.Body, params["boundary"]); ; {
		part, err := reader.NextRawPart()
		if errors.Is(err, io.EOF) {
			return names
		}
		if err != nil {
			t.Fatalf("mime/multipart: %v", err)
		}
		if disposition, params, err := mime.ParseMediaType(part.Header.Get("Content-Disposition")); disposition == "attachment" {
			if err != nil {
				t.Fatalf("mime: %v", err)
			}
			names = append(names, params["filename"])
		}
	}
}

func withAttachments(format mailing.Format, attachments ...Attachment) Source {
	s := someSource(format, "s", "body {{ first_name }}")
	s.Attachments = attachments
	return s
}

func TestNamesOfFiles(t *testing.T) {
	long := strings.Repeat("очень ", 40) + "длинное имя.pdf"
	for _, c := range []struct{ name, given, arrives, fallback string }{
		{"a plain name stays", "report 2026.pdf", "report 2026.pdf", "report 2026.pdf"},
		{"a Cyrillic name arrives whole", "Счёт № 1.pdf", "Счёт № 1.pdf", "____ _ 1.pdf"},
		{"a long name in ASCII arrives whole", strings.Repeat("abc ", 40) + ".pdf", strings.Repeat("abc ", 40) + ".pdf", strings.TrimSpace(strings.Repeat("abc ", 12)[:46]) + ".pdf"},
		{"a name of more than 200 bytes keeps its extension", long, strings.TrimRight(long[:195], " ") + ".pdf", strings.TrimRight(strings.Repeat("_____ ", 8)[:46], " ") + ".pdf"},
		{"what is too long for an extension is none", "a." + strings.Repeat("b", 300), "a." + strings.Repeat("b", 198), "a." + strings.Repeat("b", 48)},
		{"emoji and signs for URLs", "100% (👩‍👩‍👧) 'a'*b;c=d,e.txt", "100% (👩‍👩‍👧) 'a'_b;c=d,e.txt", "100% (_____) 'a'_b;c=d,e.txt"},
		{"a path is dropped", `C:\secret\..\a.txt`, "a.txt", "a.txt"},
		{"so is one of Unix", "/etc/passwd", "passwd", "passwd"},
		{"quotes and line breaks", "a\"b\r\nBcc: c.txt", "a_b  Bcc_ c.txt", "a_b  Bcc_ c.txt"},
		{"a mark that hides the extension", "invoice\u202efdp.exe", "invoicefdp.exe", "invoicefdp.exe"},
		{"dots at the ends", "..profile. ", "profile", "profile"},
		{"nothing is left", " ../.. ", "attachment", "attachment"},
		{"what looks encoded stays", "=?utf-8?Q?x?=", "=_utf-8_Q_x_=", "=_utf-8_Q_x_="},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := mustRender(t, mustCompile(t, withAttachments(mailing.FormatText, Attachment{Name: c.given, Data: []byte("x")})), someRecipient())
			found := attachmentsOf(t, []byte(got))
			if len(found) != 1 || found[0].Name != c.arrives {
				t.Errorf("arrives as %+v; want %q", found, c.arrives)
			}
			for _, field := range []string{"\r\n name=\"", "\r\n filename=\""} {
				if !strings.Contains(got, field+c.fallback+"\"") {
					t.Errorf("no %q in\n%s", field+c.fallback, got)
				}
			}
			if objections := smtpsink.CheckMessage([]byte(got), false); len(objections) > 0 {
				t.Errorf("objections %q", objections)
			}
		})
	}
}

func TestTypesOfFiles(t *testing.T) {
	const unknown = "application/octet-stream"
	for _, c := range []struct{ name, given, data, want string }{
		{"a type stays", "image/png", "\x89PNG", "image/png"},
		{"parameters are dropped", "Application/PDF; x=\"a\r\nBcc: b\"", "x", unknown},
		{"parameters that can be read are dropped, too", "application/pdf; name=b.exe", "x", "application/pdf"},
		{"no type", "", "x", unknown},
		{"what is none", "pdf", "x", unknown},
		{"a multipart is not sent as one", "multipart/mixed; boundary=x", "x", unknown},
		{"a message is not sent as one", "message/rfc822", "x", unknown},
		{"text has its charset", "text/csv; charset=koi8-r", "а;б\r\n", "text/csv; charset=utf-8"},
		{"text that is no UTF-8", "text/csv", "\xe0", unknown},
		{"text with other line ends", "text/csv", "a\nb", unknown},
	} {
		t.Run(c.name, func(t *testing.T) {
			tmpl := mustCompile(t, withAttachments(mailing.FormatText, Attachment{"a", c.given, []byte(c.data)}))
			got := mustRender(t, tmpl, someRecipient())
			if !strings.Contains(got, "\r\nContent-Type: "+c.want+";\r\n name=\"a\"\r\n") {
				t.Errorf("no %q in\n%s", c.want, got)
			}
			if found := attachmentsOf(t, []byte(got)); len(found) != 1 || string(found[0].Data) != c.data {
				t.Errorf("arrives as %q", found)
			}
		})
	}
}

func TestAttachmentsArriveAsTheyAre(t *testing.T) {
	for _, format := range []mailing.Format{mailing.FormatText, mailing.FormatMarkdown, mailing.FormatHTML} {
		var sent []Attachment
		for size := range MaxAttachments {
			sent = append(sent, Attachment{"a.bin", "application/x-a", bytes.Repeat([]byte{byte(size), 0xff, '\n'}, 10*size)[:10*size]})
		}
		tmpl := mustCompile(t, withAttachments(format, sent...))
		got := []byte(mustRender(t, tmpl, someRecipient()))
		checkWire(t, got)
		checkContent(t, tmpl, someRecipient(), got)
		found := attachmentsOf(t, got)
		if len(found) != len(sent) {
			t.Fatalf("%s: %d arrive", format, len(found))
		}
		for i := range sent {
			if !bytes.Equal(found[i].Data, sent[i].Data) || found[i].Type != sent[i].Type {
				t.Errorf("%s: attachment %d arrives as %+v", format, i, found[i])
			}
		}
		if objections := smtpsink.CheckMessage(got, false); len(objections) > 0 {
			t.Errorf("%s: objections %q", format, objections)
		}
	}
}

func TestAttachmentsWithAnyNameAreSafe(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		given := Attachment{rapid.String().Draw(t, "name"), rapid.String().Draw(t, "type"), rapid.SliceOf(rapid.Byte()).Draw(t, "data")}
		tmpl, err := Compile(withAttachments(mailing.FormatText, given))
		if err != nil {
			t.Fatalf("Compile: %v", err)
		}
		data, err := tmpl.Render(nil, someRecipient())
		if err != nil {
			t.Fatalf("Render: %v", err)
		}
		if objections := smtpsink.CheckMessage(data, false); len(objections) > 0 {
			t.Fatalf("objections %q", objections)
		}
		found := attachmentsOf(t, data)
		if len(found) != 1 || found[0].Name != fileName(given.Name) || !bytes.Equal(found[0].Data, given.Data) {
			t.Fatalf("%+v arrives as %+v", given, found)
		}
		if name := found[0].Name; strings.ContainsAny(name, "/\\\"\r\n") || !utf8.ValidString(name) || name[0] == '.' {
			t.Fatalf("the name %q is not safe", name)
		}
	})
}

func TestAttachmentsHaveLimits(t *testing.T) {
	half := Attachment{Name: "a", Data: make([]byte, MaxAttachmentBytes/2)}
	if _, err := Compile(withAttachments(mailing.FormatText, half, half)); err != nil {
		t.Errorf("just small enough: %v", err)
	}
	for want, attachments := range map[string][]Attachment{
		"attachments: attachments_too_large": {half, half, {Data: []byte("x")}},
		"attachments: attachments_too_many":  make([]Attachment, MaxAttachments+1),
	} {
		if _, err := Compile(withAttachments(mailing.FormatText, attachments...)); err == nil || err.Error() != want {
			t.Errorf("got %v; want %s", err, want)
		}
	}
}

func TestTheLargestMessageIsOneThatPostfixTakes(t *testing.T) {
	const postfix = 10_240_000 // message_size_limit of postconf(5)
	all := Attachment{Name: "a", Data: make([]byte, MaxAttachmentBytes)}
	got := mustRender(t, mustCompile(t, withAttachments(mailing.FormatMarkdown, all)), someRecipient())
	if room := postfix - len(got); room < 500_000 {
		t.Errorf("%d octets are left for the text", room)
	}
}
