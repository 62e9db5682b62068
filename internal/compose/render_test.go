package compose

import (
	"bytes"
	"flag"
	"net/mail"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vestnik/internal/mailing"

	"github.com/emersion/go-message"
)

var update = flag.Bool("update", false, "write the golden files in testdata")

// longURL does not fit on one line of 78 characters.
var longURL = "https://news.example.com/u/" + strings.Repeat("abcdefghij", 12)

func someRecipient() Recipient {
	return Recipient{
		Email: "anna@почта.рф", FirstName: "Анна", LastName: "Щербакова", Comment: "любит <кофе> & чай",
		UnsubscribeURL: longURL, MessageID: "42.7@example.com",
		Date: time.Date(2026, 11, 3, 7, 5, 9, 0, time.FixedZone("MSK", 3*60*60)),
		Vars: map[string]any{"mailing": map[string]any{"name": "Новости"}, "items": []any{"чай", "кофе", "שלום"}},
	}
}

func someSource(format mailing.Format, subject, body string) Source {
	return Source{
		Subject: subject, Body: body, Format: format, Lang: "ru", Unsubscribe: true,
		From:    Address{Name: `ООО "Вестник" — новости и объявления для всех`, Email: "news@example.com"},
		ReplyTo: Address{Name: `Support "24/7"`, Email: "help@example.com"},
		ListID:  "mailing-7.example.com",
	}
}

var goldenSources = map[string]Source{
	"text": someSource(mailing.FormatText, "Новости за {{ 'now' | date: '%-d %B %Y' }} — для {{ first_name | default: 'друга' }} 🎉",
		"Здравствуйте, {{ first_name | default: \"друг\" }}! \n\n.Строка с точки, "+strings.Repeat("длинная строка ", 12)+"\n"+
			"{% for i in items -%}\n* {{ i }}\n{% endfor %}\nEmoji: 👩‍👩‍👧 🎉, RTL: مرحبا {{ first_name }} שלום\n"+strings.Repeat("x", 200)+"\nконец = end\t"),
	"markdown": someSource(mailing.FormatMarkdown, "Plain subject that is long enough to be folded onto a second line by itself",
		"# Привет, {{ first_name | default: \"друг\" }}!\n\nМы рады **{{ comment }}**,\nи [сайт](https://example.com/?a=1&b={{ first_name | url_encode }}).\n\n"+
			"{% if items %}\n{% for i in items %}\n- {{ i }} {% if forloop.last %}— всё{% endif %}\n{% endfor %}\n{% endif %}\n\n"+
			"1. раз\n2. два\n\n> цитата 🎉\n\n```\n{{ first_name }} = <b>\n```\n\n| а | б |\n|---|---|\n| 1 | مرحبا |\n"),
	"html": someSource(mailing.FormatHTML, "{{ mailing.name }}: <b>",
		"<html><head><title>x</title><style>p{color:red}</style></head><body>\n<h1>Привет, {{ first_name | default: &quot;друг&quot; }}</h1>\n"+
			"<table>{% for i in items %}<tr><td>{{ forloop.index }}</td><td {% if forloop.first %}class=\"a\"{% endif %}>{{ i }}</td></tr>{% endfor %}</table>\n"+
			"<p>שלום &amp; 🎉 <a href=\"https://example.com/{{ first_name }}\" title='{{ comment }}'>ссылка</a><br>a &lt; b</p>\n"+
			"<img src=\"https://example.com/{{ email }}.png\" alt=\"кот\">\n</body></html>"),
}

func TestMessagesAreAsBefore(t *testing.T) {
	for name, source := range goldenSources {
		t.Run(name, func(t *testing.T) {
			tmpl, err := Compile(source)
			if err != nil {
				t.Fatal(err)
			}
			got, err := tmpl.Render(nil, someRecipient())
			if err != nil {
				t.Fatal(err)
			}
			checkWire(t, got)
			checkContent(t, tmpl, someRecipient(), got)
			path := filepath.Join("testdata", name+".eml")
			if *update {
				if err := os.WriteFile(path, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("differs from %s (go test -update writes it):\n%s", path, got)
			}
		})
	}
}

// checkWire checks what every message must keep to, whatever is in it.
func checkWire(t fataler, data []byte) {
	t.Helper()
	if !bytes.HasSuffix(data, []byte("\r\n")) {
		t.Fatalf("the message does not end with CRLF")
	}
	header, body := true, false
	for _, line := range strings.Split(strings.TrimSuffix(string(data), "\r\n"), "\r\n") {
		switch {
		case strings.ContainsAny(line, "\r\n\x00"):
			t.Fatalf("bare CR, LF or NUL in %q", line)
		case len(line) > 998:
			t.Fatalf("line of %d bytes: %q", len(line), line)
		case strings.HasPrefix(line, "--=_"):
			header, body = true, false
		case line == "":
			header, body = false, true
		case header && strings.Contains(line, "=?utf-8?") && len(line) > 76:
			t.Fatalf("line with an encoded word of %d characters: %q", len(line), line)
		case body && len(line) > 76:
			t.Fatalf("quoted-printable line of %d characters: %q", len(line), line)
		case body && (strings.HasSuffix(line, " ") || strings.HasSuffix(line, "\t")):
			t.Fatalf("line ends with white space: %q", line)
		}
		if header {
			for _, word := range strings.Fields(line) {
				if strings.HasPrefix(word, "=?utf-8?") && len(word) > 75 {
					t.Fatalf("encoded word of %d characters: %q", len(word), word)
				}
			}
		}
	}
}

// fataler is what *testing.T and *rapid.T share.
type fataler interface {
	Helper()
	Fatalf(format string, args ...any)
}

// checkContent checks that two independent parsers read what was written.
func checkContent(t fataler, tmpl *Template, r Recipient, data []byte) {
	t.Helper()
	subject, html, text, err := tmpl.Preview(r)
	if err != nil {
		t.Fatalf("Preview: %v", err)
	}
	parsed, err := Parse(data)
	if err != nil {
		t.Fatalf("Parse: %v", err)
	}
	if parsed.Subject != subject {
		t.Fatalf("subject reads %q; want %q", parsed.Subject, subject)
	}
	if unixLines(parsed.Text) != unixLines(text) {
		t.Fatalf("text reads\n%q; want\n%q", parsed.Text, text)
	}
	if unixLines(parsed.HTML) != unixLines(html) {
		t.Fatalf("HTML reads\n%q; want\n%q", parsed.HTML, html)
	}
	std, err := mail.ReadMessage(bytes.NewReader(data))
	if err != nil {
		t.Fatalf("net/mail: %v", err)
	}
	to, err := std.Header.AddressList("To")
	if err != nil || len(to) != 1 || to[0].Name != oneLine(r.displayName()) {
		t.Fatalf("To reads %v, %v; want %q", to, err, oneLine(r.displayName()))
	}
	if wire, _, _ := WireAddress(r.Email); to[0].Address != wire {
		t.Fatalf("To is sent to %q; want %q", to[0].Address, wire)
	}
	if date, err := std.Header.Date(); err != nil || !date.Equal(r.Date) {
		t.Fatalf("Date reads %v, %v; want %v", date, err, r.Date)
	}
	if _, err := message.Read(bytes.NewReader(data)); err != nil {
		t.Fatalf("go-message: %v", err)
	}
}

// unixLines brings line ends into one form, and drops those at the end.
func unixLines(s string) string {
	return strings.TrimRight(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(s), "\n")
}

func mustCompile(t testing.TB, s Source) *Template {
	t.Helper()
	tmpl, err := Compile(s)
	if err != nil {
		t.Fatal(err)
	}
	return tmpl
}

func mustRender(t testing.TB, tmpl *Template, r Recipient) string {
	t.Helper()
	data, err := tmpl.Render(nil, r)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestTheSameInputsGiveTheSameBytes(t *testing.T) {
	a := mustRender(t, mustCompile(t, goldenSources["markdown"]), someRecipient())
	b := mustRender(t, mustCompile(t, goldenSources["markdown"]), someRecipient())
	if a != b {
		t.Error("two renderings differ")
	}
}

func TestRenderAppends(t *testing.T) {
	tmpl := mustCompile(t, goldenSources["html"])
	alone := mustRender(t, tmpl, someRecipient())
	after, err := tmpl.Render([]byte("before"), someRecipient())
	if err != nil || string(after) != "before"+alone {
		t.Errorf("Render appended something else (%v)", err)
	}
	r := someRecipient()
	r.Email = "nobody"
	if left, err := tmpl.Render([]byte("before"), r); err == nil || string(left) != "before" {
		t.Errorf("Render with an error left %q, %v", left, err)
	}
}

func TestValuesCannotBreakTheHeader(t *testing.T) {
	source := someSource(mailing.FormatText, "Hi {{ first_name }}", "x {{ comment }}")
	source.From.Name = "Evil\r\nBcc: a@example.com"
	tmpl := mustCompile(t, source)
	r := someRecipient()
	r.FirstName = "Eve\r\nBcc: victim@example.com\r\n\r\nbody\x00\""
	r.Comment = "line\r\n.\r\nQUIT\x00"
	r.Headers = []Header{{"X-Note", "a\r\nBcc: b@example.com"}, {"Auto-Submitted", "auto-generated"}}
	got := mustRender(t, tmpl, r)
	checkWire(t, []byte(got))
	checkContent(t, tmpl, r, []byte(got))
	parsed, err := mail.ReadMessage(strings.NewReader(got))
	if err != nil || parsed.Header.Get("Bcc") != "" || parsed.Header.Get("Auto-Submitted") != "auto-generated" {
		t.Errorf("header is %v, %v; want no Bcc", parsed.Header, err)
	}
}

func TestWhatCannotBeWrittenIsRefused(t *testing.T) {
	tmpl := mustCompile(t, goldenSources["markdown"])
	for name, spoil := range map[string]func(*Recipient){
		"an address with a line break":         func(r *Recipient) { r.Email = "a@example.com\r\nBcc: b" },
		"an address with a name around it":     func(r *Recipient) { r.Email = "A <a@example.com>" },
		"a Message-ID with a line break":       func(r *Recipient) { r.MessageID = "a\r\n@b" },
		"no Message-ID":                        func(r *Recipient) { r.MessageID = "" },
		"no unsubscribe URL":                   func(r *Recipient) { r.UnsubscribeURL = "" },
		"an unsubscribe URL with a line break": func(r *Recipient) { r.UnsubscribeURL = "https://a\r\nb" },
		"a header name with a colon":           func(r *Recipient) { r.Headers = []Header{{"a:b", "c"}} },
	} {
		t.Run(name, func(t *testing.T) {
			r := someRecipient()
			spoil(&r)
			if got, err := tmpl.Render(nil, r); err == nil {
				t.Errorf("rendered %q", got)
			}
		})
	}
}

func TestUnsubscribe(t *testing.T) {
	r := someRecipient()
	t.Run("a long URL stays in one piece", func(t *testing.T) {
		got := mustRender(t, mustCompile(t, goldenSources["text"]), r)
		if !strings.Contains(got, "\r\nList-Unsubscribe:\r\n <"+longURL+">\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n") {
			t.Errorf("header is\n%s", got)
		}
	})
	t.Run("the footer is added in the language of the mailing", func(t *testing.T) {
		source := someSource(mailing.FormatMarkdown, "s", "body")
		for lang, word := range map[string]string{"ru": "Отписаться", "en": "Unsubscribe"} {
			source.Lang = lang
			_, html, text, err := mustCompile(t, source).Preview(r)
			if err != nil || !strings.Contains(html, word+"</a>") || !strings.Contains(html, longURL) || !strings.HasSuffix(text, word+": "+longURL+"\n") {
				t.Errorf("%s: %v\n%s\n%s", lang, err, html, text)
			}
		}
	})
	t.Run("a body that has the link gets no footer", func(t *testing.T) {
		for _, format := range []mailing.Format{mailing.FormatText, mailing.FormatMarkdown, mailing.FormatHTML} {
			tmpl := mustCompile(t, someSource(format, "s", "leave: {{ unsubscribe_url }}"))
			_, html, text, err := tmpl.Preview(r)
			if err != nil || strings.Contains(html+text, "Отписаться") || strings.Count(text, longURL) != 1 {
				t.Errorf("%s: %v\n%s\n%s", format, err, html, text)
			}
		}
	})
	t.Run("one click is for https only", func(t *testing.T) {
		r.UnsubscribeURL = "http://127.0.0.1:8000/u/1"
		got := mustRender(t, mustCompile(t, goldenSources["text"]), r)
		if !strings.Contains(got, "\r\nList-Unsubscribe: <http://127.0.0.1:8000/u/1>\r\n") || strings.Contains(got, "-Post:") {
			t.Errorf("header is\n%s", got)
		}
	})
	t.Run("without it there is neither header nor footer", func(t *testing.T) {
		source := someSource(mailing.FormatText, "s", "body")
		source.Unsubscribe = false
		got := mustRender(t, mustCompile(t, source), Recipient{Email: "a@b.example", MessageID: "<1@x>"})
		if strings.Contains(strings.ToLower(got), "unsubscribe") || !strings.HasSuffix(got, "\r\n\r\nbody\r\n") {
			t.Errorf("message is\n%s", got)
		}
	})
}

func TestALoopWithoutEndStopsTheMessage(t *testing.T) {
	tmpl := mustCompile(t, someSource(mailing.FormatHTML, "s", "a\n{% for i in (1..999999999) %}x{% endfor %}"))
	if _, err := tmpl.Render(nil, someRecipient()); err == nil || !strings.Contains(err.Error(), "body: liquid_too_long") {
		t.Errorf("Render = %v; want liquid_too_long", err)
	}
}

func TestASubjectFilledWithABookIsCut(t *testing.T) {
	r := someRecipient()
	r.Comment = strings.Repeat("книга ", 1000)
	tmpl := mustCompile(t, someSource(mailing.FormatText, "{{ comment }}", "b"))
	got := mustRender(t, tmpl, r)
	checkWire(t, []byte(got))
	checkContent(t, tmpl, r, []byte(got))
	if parsed, err := Parse([]byte(got)); err != nil || len([]rune(parsed.Subject)) > MaxSubject {
		t.Errorf("subject has %d characters, %v", len([]rune(parsed.Subject)), err)
	}
}

func TestRenderDoesNotShareAnything(t *testing.T) {
	tmpl := mustCompile(t, goldenSources["html"])
	want := mustRender(t, tmpl, someRecipient())
	results := make(chan string)
	for range 4 {
		go func() {
			data, _ := tmpl.Render(nil, someRecipient())
			results <- string(data)
		}()
	}
	for range 4 {
		if got := <-results; got != want {
			t.Error("a rendering beside others differs")
		}
	}
}

// BenchmarkRender renders a message of 4 KB with six merge fields.
func BenchmarkRender(b *testing.B) {
	paragraph := "Здравствуйте, {{ first_name | default: 'друг' }}! Plain words in the middle, {{ email }}, and так далее.\n\n"
	filler := strings.Repeat("Lorem ipsum dolor sit amet, consectetur adipiscing elit. ", 60)
	for name, source := range map[string]Source{
		"text":     someSource(mailing.FormatText, "Новости для {{ first_name }}", strings.Repeat(paragraph, 3)+filler),
		"markdown": someSource(mailing.FormatMarkdown, "Новости для {{ first_name }}", strings.Repeat(paragraph, 3)+filler[:600]),
		"html":     someSource(mailing.FormatHTML, "Constant subject", "<p>"+strings.Repeat(paragraph, 3)+filler[:1200]+"</p>"),
	} {
		b.Run(name, func(b *testing.B) {
			tmpl := mustCompile(b, source)
			r := someRecipient()
			r.Email = "anna@example.com"
			buffer, err := tmpl.Render(nil, r)
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(len(buffer)))
			b.ReportAllocs()
			for b.Loop() {
				if buffer, err = tmpl.Render(buffer[:0], r); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
