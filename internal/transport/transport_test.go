package transport

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"vestnik/internal/smtpsink"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// secret is the password in all tests; it must turn up nowhere.
const secret = "s3cr3t-pa55w0rd"

var (
	mail    = Envelope{From: "news@shop.test", To: "anna@mail.test"}
	message = []byte("Subject: hi\r\n\r\nHello.\r\n")
)

func startSink(t testing.TB, options smtpsink.Options) *smtpsink.Server {
	t.Helper()
	sink, err := smtpsink.Start(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := sink.Close(); err != nil {
			t.Error(err)
		}
	})
	return sink
}

// relayTo is a relay to the sink in clear.
func relayTo(sink *smtpsink.Server) *Relay {
	return &Relay{Host: "127.0.0.1", Port: sink.Port(), TLS: TLSNone}
}

func openSession(t testing.TB, relay *Relay) *Session {
	t.Helper()
	session, err := relay.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(session.Cut)
	return session
}

func newPool(t testing.TB, relay *Relay, options PoolOptions) *Pool {
	t.Helper()
	pool := NewPool(relay, options)
	t.Cleanup(func() {
		if err := pool.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return pool
}

// carrier is what the one who delivers asks for.
type carrier interface {
	Carry(ctx context.Context, m Mail, next func() Mail)
}

// sendBy is Carry of one mail.
func sendBy(c carrier) func(context.Context, Envelope, []byte, func() error) (Result, error) {
	return func(ctx context.Context, env Envelope, message []byte, beforeDot func() error) (Result, error) {
		m := single{env: env, message: message, beforeDot: beforeDot}
		c.Carry(ctx, &m, nil)
		return m.result, m.err
	}
}

// mustSend fails the test unless the mail was accepted.
func mustSend(t testing.TB, send func(context.Context, Envelope, []byte, func() error) (Result, error)) Result {
	t.Helper()
	result, err := send(t.Context(), mail, message, nil)
	if err != nil || result.Stage != StageDot || !result.Reply.Accepted() {
		t.Fatalf("not accepted: %+v, %v", result, err)
	}
	return result
}

// script is a server for one connection that says and expects what the test
// wants; it says the greeting and the answer to EHLO itself.
type script struct {
	t    testing.TB
	conn net.Conn
	in   *bufio.Reader
}

func (s *script) say(lines ...string) { io.WriteString(s.conn, strings.Join(lines, "\r\n")+"\r\n") }

func (s *script) hear(prefix string) {
	line, err := s.in.ReadString('\n')
	if err != nil || !strings.HasPrefix(line, prefix) {
		s.t.Errorf("heard %q (%v), expected %q", line, err, prefix)
	}
}

// hearEnd expects the connection to end without another word.
func (s *script) hearEnd() {
	if rest, _ := io.ReadAll(s.in); len(rest) > 0 {
		s.t.Errorf("heard %q after the end", rest)
	}
}

// play runs the script and returns a relay to it. The test ends when the script
// did.
func play(t testing.TB, extensions string, run func(*script)) *Relay {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		conn, err := listener.Accept()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		conn.SetDeadline(time.Now().Add(20 * time.Second))
		s := &script{t, conn, bufio.NewReader(conn)}
		s.say("220 script")
		s.hear("EHLO ")
		s.say("250-script", "250 "+extensions)
		run(s)
	}()
	t.Cleanup(func() { <-done; listener.Close() })
	return &Relay{Host: "127.0.0.1", Port: listener.Addr().(*net.TCPAddr).Port, TLS: TLSNone}
}

// noSecret fails when what was shown holds the password, as it is or as AUTH
// encodes it.
func noSecret(t testing.TB, shown ...any) {
	t.Helper()
	text := fmt.Sprintf("%v %+v %#v", shown, shown, shown)
	for _, form := range []string{secret, "czNjcjN0LXBhNTV3MHJk", "AGFubmEAczNjcjN0LXBhNTV3MHJk"} {
		if strings.Contains(text, form) {
			t.Errorf("the password is in %s", text)
		}
	}
}
