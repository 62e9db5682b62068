package transport

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/smtpsink"
)

// The tests here are about rules of docs/standards.md that others only touch.

func TestNothingIsSaidBeforeTheGreeting(t *testing.T) {
	t.Parallel()
	server, client := net.Pipe()
	relay := &Relay{Host: "127.0.0.1", Port: 25, TLS: TLSNone, Dial: func(context.Context, string, string) (net.Conn, error) {
		return client, nil
	}}
	opened := make(chan error, 1)
	go func() {
		_, err := relay.Open(context.Background())
		opened <- err
	}()
	// Whoever speaks first would be heard at once: a pipe has no buffer.
	server.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	heard := make([]byte, 100)
	if n, err := server.Read(heard); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("said %q, %v", heard[:n], err)
	}
	server.Close()
	if err := <-opened; err == nil {
		t.Error("opened without a greeting")
	}
}

func TestWhatWasAnnouncedInClearIsForgotten(t *testing.T) {
	t.Parallel()
	config, roots, err := smtpsink.SelfSigned("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	sink := startSink(t, smtpsink.Options{TLS: config, MaxSize: 10, Strict: true, Answer: func(at smtpsink.Stage, e smtpsink.Envelope) smtpsink.Reply {
		if at == smtpsink.StageEHLO && e.TLS {
			return smtpsink.Reply{Code: 250, Text: "sink.test\nPIPELINING"}
		}
		return smtpsink.Reply{}
	}})
	relay := relayTo(sink)
	relay.TLS, relay.RootCAs = TLSRequired, roots
	mustSend(t, openSession(t, relay).Send) // it has more than the ten octets announced in clear
	if violations := sink.Violations(); len(violations) > 0 {
		t.Errorf("violations %q", violations)
	}
}

func TestKeywordsHaveNoCaseAndStrangeOnesAreIgnored(t *testing.T) {
	t.Parallel()
	sink := startSink(t, smtpsink.Options{Answer: func(at smtpsink.Stage, _ smtpsink.Envelope) smtpsink.Reply {
		if at == smtpsink.StageEHLO {
			return smtpsink.Reply{Code: 250, Text: "sink.test\nX-STRANGE with words\n\nsize 100\nPipelining\nDSN\n8bitMIME"}
		}
		return smtpsink.Reply{}
	}})
	session := openSession(t, relayTo(sink))
	mustSend(t, session.Send)
	result, err := session.Send(t.Context(), mail, bytes.Repeat([]byte("x"), 101), nil)
	if err != nil || result.Reply.Enhanced != "5.3.4" {
		t.Errorf("101 octets: %+v, %v", result, err)
	}
	if result, err = session.Send(t.Context(), mail, []byte("ё"), nil); err != nil || !result.Reply.Accepted() {
		t.Errorf("8-bit: %+v, %v", result, err)
	}
}

func TestOther2yzRepliesAreYes(t *testing.T) {
	t.Parallel()
	for _, code := range []int{250, 251, 252, 299} {
		sink := startSink(t, smtpsink.Options{Answer: func(at smtpsink.Stage, _ smtpsink.Envelope) smtpsink.Reply {
			if at == smtpsink.StageRcpt || at == smtpsink.StageDot {
				return smtpsink.Reply{Code: code, Text: "will forward"}
			}
			return smtpsink.Reply{}
		}})
		result := mustSend(t, openSession(t, relayTo(sink)).Send)
		if result.Reply.Code != code {
			t.Errorf("%d: %+v", code, result)
		}
	}
}

func TestQUITIsSaidAndHeard(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	quit := 0
	sink := startSink(t, smtpsink.Options{Strict: true, Answer: func(at smtpsink.Stage, _ smtpsink.Envelope) smtpsink.Reply {
		if at == smtpsink.StageQuit {
			mu.Lock()
			defer mu.Unlock()
			quit++
		}
		return smtpsink.Reply{}
	}})
	session := openSession(t, relayTo(sink))
	mustSend(t, session.Send)
	session.Close()
	mu.Lock()
	defer mu.Unlock()
	if quit != 1 {
		t.Errorf("QUIT was said %d times", quit)
	}
}

// counting tells how large each write is.
type counting struct {
	net.Conn
	wrote func(p []byte)
}

func (c counting) Write(p []byte) (int, error) {
	c.wrote(p)
	return c.Conn.Write(p)
}

func TestAGroupIsSmallerThanAnyWindow(t *testing.T) {
	t.Parallel()
	sink := startSink(t, smtpsink.Options{Strict: true, UTF8: true, MaxSize: 1 << 20})
	relay := relayTo(sink)
	largest := 0
	relay.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		var dialer net.Dialer
		conn, err := dialer.DialContext(ctx, network, address)
		return counting{conn, func(p []byte) {
			if bytes.Contains(p, []byte("MAIL FROM:")) {
				largest = max(largest, len(p))
			}
		}}, err
	}
	session := openSession(t, relay)
	long := strings.Repeat("я", 32) + "@" + strings.Repeat("b.", 91) + "exampl"
	for range 3 {
		if result, err := session.Send(t.Context(), Envelope{From: long, To: long}, message, nil); err != nil || !result.Reply.Accepted() {
			t.Fatalf("not accepted: %+v, %v", result, err)
		}
	}
	// Two segments of Ethernet are less than any TCP stack's first window (RFC
	// 5681, section 3.1), so that neither side ever waits for the other.
	if largest == 0 || largest > 2*1460 {
		t.Errorf("a group has %d octets", largest)
	}
	if violations := sink.Violations(); len(violations) > 0 {
		t.Errorf("violations %q", violations)
	}
}

func TestSIZEIsWhatGoesOverTheWire(t *testing.T) {
	t.Parallel()
	sink := startSink(t, smtpsink.Options{Strict: true, MaxSize: 1 << 20})
	session := openSession(t, relayTo(sink))
	for _, message := range []string{"a\r\n", ".\r\n..\r\n", strings.Repeat(".x\r\n", 50_000)} {
		if result, err := session.Send(t.Context(), mail, []byte(message), nil); err != nil || !result.Reply.Accepted() {
			t.Fatalf("not accepted: %+v, %v", result, err)
		}
	}
	if violations := sink.Violations(); len(violations) > 0 {
		t.Errorf("violations %q", violations)
	}
}

func TestAHostInUTF8IsNotSaidInEHLO(t *testing.T) {
	t.Parallel()
	sink := startSink(t, smtpsink.Options{Strict: true})
	relay := relayTo(sink)
	relay.HeloName = "почта.рф"
	if _, err := relay.Open(t.Context()); mailing.CodeOf(err) != "smtp_helo_malformed" || sink.Connections() != 0 {
		t.Errorf("got %v, %d connections", err, sink.Connections())
	}
	relay.HeloName = "xn--80a1acny.xn--p1ai"
	openSession(t, relay)
	if violations := sink.Violations(); len(violations) > 0 {
		t.Errorf("violations %q", violations)
	}
}

func TestNoTimeoutIsShorterThanTheStandardAllows(t *testing.T) {
	t.Parallel()
	got := Timeouts{}.orDefaults()
	for section, pair := range map[string][2]time.Duration{
		"4.5.3.2.1": {got.Banner, 5 * time.Minute}, "4.5.3.2.2": {got.Mail, 5 * time.Minute}, "4.5.3.2.3": {got.Rcpt, 5 * time.Minute},
		"4.5.3.2.4": {got.Data, 2 * time.Minute}, "4.5.3.2.5": {got.Block, 3 * time.Minute}, "4.5.3.2.6": {got.Dot, 10 * time.Minute},
	} {
		if pair[0] < pair[1] {
			t.Errorf("RFC 5321, section %s: %v instead of %v", section, pair[0], pair[1])
		}
	}
}
