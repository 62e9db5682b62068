package compose

import (
	"fmt"
	netmail "net/mail"
	"strings"
	"testing"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/smtpsink"
)

// The tests here are about rules of docs/standards.md that others only touch.

func TestMessagesMeetNoObjection(t *testing.T) {
	for name, source := range goldenSources {
		t.Run(name, func(t *testing.T) {
			got := mustRender(t, mustCompile(t, source), someRecipient())
			if objections := smtpsink.CheckMessage([]byte(got), false); len(objections) > 0 {
				t.Errorf("objections %q", objections)
			}
		})
	}
}

func TestTheHeaderHoldsWhatItMustAndNothingOfTheTransport(t *testing.T) {
	for name, source := range goldenSources {
		t.Run(name, func(t *testing.T) {
			message, err := netmail.ReadMessage(strings.NewReader(mustRender(t, mustCompile(t, source), someRecipient())))
			if err != nil {
				t.Fatal(err)
			}
			for _, field := range []string{"From", "To", "Subject", "Date", "Message-Id", "Reply-To", "List-Id", "List-Unsubscribe", "Mime-Version", "Content-Type"} {
				if n := len(message.Header[field]); n != 1 {
					t.Errorf("%d fields %s", n, field)
				}
			}
			for _, field := range []string{"Return-Path", "Received", "Sender", "Bcc", "Cc", "Resent-From"} {
				if message.Header.Get(field) != "" {
					t.Errorf("there is a field %s", field)
				}
			}
		})
	}
}

func TestDatesAreWrittenAsTheStandardHasThem(t *testing.T) {
	tmpl := mustCompile(t, goldenSources["text"])
	for want, zone := range map[string]*time.Location{
		"Tue, 03 Nov 2026 04:05:09 +0000": time.UTC,
		"Tue, 03 Nov 2026 00:35:09 -0330": time.FixedZone("NST", -(3*60+30)*60),
		"Tue, 03 Nov 2026 18:05:09 +1400": time.FixedZone("LINT", 14*60*60),
	} {
		r := someRecipient()
		r.Date = r.Date.In(zone)
		if got := mustRender(t, tmpl, r); !strings.Contains(got, "\r\nDate: "+want+"\r\n") {
			t.Errorf("no Date %s in\n%.600s", want, got)
		}
	}
}

func TestTheRichestPartIsTheLast(t *testing.T) {
	for _, format := range []mailing.Format{mailing.FormatMarkdown, mailing.FormatHTML} {
		got := mustRender(t, mustCompile(t, someSource(format, "s", "body")), someRecipient())
		plain, html := strings.Index(got, "Content-Type: text/plain"), strings.Index(got, "Content-Type: text/html")
		if plain < 0 || html < plain {
			t.Errorf("%s: plain text at %d, HTML at %d", format, plain, html)
		}
	}
}

func TestALineOfAMegabyteIsFolded(t *testing.T) {
	const megabyte = 1 << 20
	for name, value := range map[string]string{
		"a word": strings.Repeat("x", megabyte), "words": strings.Repeat("word ", megabyte/5), "Cyrillic": strings.Repeat("ы", megabyte/2),
		"joined emoji": strings.Repeat("👩‍👩‍👧", megabyte/18), "dots": strings.Repeat(".", megabyte),
	} {
		t.Run(name, func(t *testing.T) {
			for _, format := range []mailing.Format{mailing.FormatText, mailing.FormatMarkdown, mailing.FormatHTML} {
				source := someSource(format, "s {{ comment }}", "{{ comment }}")
				r := someRecipient()
				r.FirstName, r.Comment = value, value
				if format == mailing.FormatText {
					r.Headers = []Header{{"X-Note", value}}
				}
				got := mustRender(t, mustCompile(t, source), r)
				if objections := smtpsink.CheckMessage([]byte(got), false); len(objections) > 0 {
					t.Errorf("%s: objections %.500q", format, objections)
				}
				source = someSource(format, "s", value)
				checkContent(t, mustCompile(t, source), someRecipient(), []byte(mustRender(t, mustCompile(t, source), someRecipient())))
			}
		})
	}
}

func TestWordsOfAnEncodedFieldComeBackWithTheirSpaces(t *testing.T) {
	for _, value := range []string{"é é", "é  é", "a é b", strings.Repeat("é ", 100) + "é", strings.Repeat("слово ", 60) + "x"} {
		checkField(t, value)
	}
}

func TestBoundariesAreNoPartOfWhatTheyBound(t *testing.T) {
	source := attaching(someSource(mailing.FormatHTML, "s", "x"))
	// A body that shows the boundary has another, and could not hold it anyhow.
	for range 3 {
		source.Body = fmt.Sprintf("<pre>--%s\n\n--%s--\n</pre>", boundaryOf(source), boundaryOf(source))
		tmpl := mustCompile(t, source)
		got := mustRender(t, tmpl, someRecipient())
		checkContent(t, tmpl, someRecipient(), []byte(got))
		if objections := smtpsink.CheckMessage([]byte(got), false); len(objections) > 0 {
			t.Errorf("objections %q", objections)
		}
	}
}
