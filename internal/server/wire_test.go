package server_test

import (
	"bytes"
	"fmt"
	netmail "net/mail"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"vestnik/internal/compose"
	"vestnik/internal/compose/composetest"
	"vestnik/internal/mailing"
	"vestnik/internal/smtpsink"
	"vestnik/internal/transport"
)

// generated are the messages that the tests below send, with their bytes.
func generated(t *testing.T, n int) (messages []composetest.Message, data [][]byte) {
	t.Helper()
	messages = composetest.Messages(n)
	for _, m := range messages {
		bytes, err := m.Render()
		if err != nil {
			t.Fatal(err)
		}
		data = append(data, bytes)
	}
	return messages, data
}

// hand sends all over one session and fails for each that is not accepted.
func hand(t *testing.T, relay *transport.Relay, messages []composetest.Message, data [][]byte) {
	t.Helper()
	session, err := relay.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	for i, m := range messages {
		result, err := session.Send(t.Context(), envelopeOf(t, m), data[i], nil)
		if err != nil || !result.Reply.Accepted() {
			t.Fatalf("%s: %s, %v", m.Name, result.Reply, err)
		}
	}
}

func envelopeOf(t *testing.T, m composetest.Message) transport.Envelope {
	t.Helper()
	from, fromUTF8, err := compose.WireAddress(m.Source.From.Email)
	if err != nil {
		t.Fatal(err)
	}
	to, toUTF8, err := compose.WireAddress(m.Recipient.Email)
	if err != nil {
		t.Fatal(err)
	}
	return transport.Envelope{From: from, To: to, UTF8: fromUTF8 || toUTF8}
}

func TestAThousandMessagesOnTheWire(t *testing.T) {
	t.Parallel()
	messages, data := generated(t, asMany(200, 1000))
	sink, err := smtpsink.Start(smtpsink.Options{Strict: true, StrictFormat: true, Keep: true, UTF8: true, MaxSize: 20 << 20})
	if err != nil {
		t.Fatal(err)
	}
	defer sink.Close()
	hand(t, &transport.Relay{Host: "127.0.0.1", Port: sink.Port(), TLS: transport.TLSNone}, messages, data)
	arrived := sink.Messages()
	t.Run("no octet of them breaks a standard", func(t *testing.T) {
		for i, what := range sink.Violations() {
			if t.Error(what); i == 10 {
				t.FailNow()
			}
		}
	})
	t.Run("each arrives as it was made", func(t *testing.T) {
		if len(arrived) != len(messages) {
			t.Fatalf("%d arrived", len(arrived))
		}
		for i, m := range messages {
			if !bytes.Equal(arrived[i].Data, data[i]) {
				t.Errorf("%s arrives changed", m.Name)
			}
		}
	})
	t.Run("each reads as what was put in", func(t *testing.T) {
		for i, m := range messages {
			if wrong := reads(m, arrived[i].Data); wrong != "" {
				t.Errorf("%s: %s", m.Name, wrong)
			}
		}
	})
}

// reads says what a message reads as that was not put in.
func reads(m composetest.Message, data []byte) string {
	parsed, err := compose.Parse(data)
	if err != nil {
		return err.Error()
	}
	if !strings.Contains(m.Source.Subject, "{") && parsed.Subject != m.Source.Subject {
		return fmt.Sprintf("subject %q instead of %q", parsed.Subject, m.Source.Subject)
	}
	plain, text := strings.TrimRight(m.Plain, "\n"), strings.TrimRight(parsed.Text, "\n")
	switch {
	case m.Source.Format == mailing.FormatHTML && !strings.Contains(parsed.HTML, plain):
		return fmt.Sprintf("HTML %q without %q", parsed.HTML, plain)
	case m.Source.Format == mailing.FormatText && m.Source.Unsubscribe && !strings.HasPrefix(text, plain+"\n\n—\n"):
		return fmt.Sprintf("text %q instead of %q and a footer", text, plain)
	case m.Source.Format == mailing.FormatText && !m.Source.Unsubscribe && text != plain:
		return fmt.Sprintf("text %.100q instead of %.100q", text, plain)
	}
	return readsTo(m, data)
}

// readsTo looks at whom the message says it is for.
func readsTo(m composetest.Message, data []byte) string {
	message, err := netmail.ReadMessage(bytes.NewReader(data))
	if err != nil {
		return err.Error()
	}
	to, err := message.Header.AddressList("To")
	if err != nil || len(to) != 1 {
		return fmt.Sprintf("To %q: %v", message.Header.Get("To"), err)
	}
	name := strings.TrimSpace(m.Recipient.FirstName + " " + m.Recipient.LastName)
	if !strings.ContainsAny(name, "\r\n") && len(name) < 250 && to[0].Name != name {
		return fmt.Sprintf("To %q instead of %q", to[0].Name, name)
	}
	if message.Header.Get("Bcc") != "" {
		return "a Bcc that nobody wrote"
	}
	return ""
}

func TestAThousandMessagesThroughPostfix(t *testing.T) {
	t.Parallel()
	all, rendered := generated(t, asMany(100, 1000))
	for header, who := range map[string]string{noUTF8: "of ASCII addresses", inUTF8: "of addresses in UTF-8"} {
		var messages []composetest.Message
		var data [][]byte
		for i, m := range all {
			if envelopeOf(t, m).UTF8 == (header == inUTF8) {
				messages, data = append(messages, m), append(data, rendered[i])
			}
		}
		t.Run("a Postfix that is as strict as it can be delivers all "+who+" and objects to none", func(t *testing.T) {
			throughPostfix(t, header, messages, data)
		})
	}
}

func throughPostfix(t *testing.T, header string, messages []composetest.Message, data [][]byte) {
	addr, logFile := startPostfix(t, header)
	relay, err := transport.ParseURL("smtp://" + addr + "?tls=none")
	if err != nil {
		t.Fatal(err)
	}
	hand(t, relay, messages, data)
	var said string
	await(t, 2*time.Minute, "Postfix has delivered all", func() bool {
		log, err := os.ReadFile(logFile)
		said = string(log)
		return err == nil && strings.Count(said, "status=sent") >= len(messages)
	})
	if bad := regexp.MustCompile(`status=(bounced|deferred)`).FindAllString(said, -1); len(bad) > 0 {
		t.Errorf("%d were not delivered", len(bad))
	}
	if complaints := complaint.FindAllString(said, -1); len(complaints) > 0 {
		t.Errorf("Postfix complains %d times: %s", len(complaints), strings.Join(complaints[:min(5, len(complaints))], "\n"))
	}
}
