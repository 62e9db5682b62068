package smtpsink

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/smtp"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func start(t testing.TB, options Options) *Server {
	t.Helper()
	s, err := Start(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// talk says each piece in one write and returns all that was answered up to the
// end of the connection.
func talk(t testing.TB, s *Server, pieces ...string) string {
	t.Helper()
	conn, err := net.Dial("tcp", s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for _, piece := range pieces {
		if _, err := io.WriteString(conn, piece); err != nil {
			t.Fatal(err)
		}
	}
	said, err := io.ReadAll(conn)
	if err != nil {
		t.Fatal(err)
	}
	return string(said)
}

const envelope = "MAIL FROM:<a@x.test>\r\nRCPT TO:<b@x.test>\r\nDATA\r\n"

func TestASecondOpinionIsSatisfied(t *testing.T) {
	t.Parallel()
	config, pool, err := SelfSigned("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	s := start(t, Options{TLS: config, Username: "anna", Password: "secret", Keep: true, Strict: true, MaxSize: 1 << 20})
	client, err := smtp.Dial(s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	text := "Subject: hi\r\n\r\n.dot\r\n..\r\nend\r\n"
	steps := []func() error{
		func() error { return client.StartTLS(&tls.Config{RootCAs: pool, ServerName: "127.0.0.1"}) },
		func() error { return client.Auth(smtp.PlainAuth("", "anna", "secret", "127.0.0.1")) },
		func() error { return client.Mail("a@x.test") },
		func() error { return client.Rcpt("b@x.test") },
		func() error { return client.Rcpt("c@x.test") },
		func() error {
			w, err := client.Data()
			if err != nil {
				return err
			}
			if _, err := io.WriteString(w, text); err != nil {
				return err
			}
			return w.Close()
		},
		client.Quit,
	}
	for i, step := range steps {
		if err := step(); err != nil {
			t.Fatalf("step %d: %v", i, err)
		}
	}
	messages := s.Messages()
	if len(messages) != 1 || string(messages[0].Data) != text || !messages[0].TLS || messages[0].User != "anna" {
		t.Errorf("messages %+v", messages)
	}
	if copies := s.Copies(); s.Count() != 1 || copies["b@x.test"] != 1 || copies["c@x.test"] != 1 {
		t.Errorf("count %d, copies %v", s.Count(), copies)
	}
	if violations := s.Violations(); len(violations) != 0 {
		t.Errorf("violations of net/smtp: %q", violations)
	}
}

func TestASmuggledEndIsPartOfTheMessage(t *testing.T) {
	t.Parallel()
	for _, end := range []string{"\n.\n", "\n.\r\n", "\r.\r\n", "\r\n.\n", "\r\n.\r"} {
		s := start(t, Options{Keep: true})
		talk(t, s, "EHLO c\r\n"+envelope+"a"+end+"b\r\n.\r\nQUIT\r\n")
		if messages := s.Messages(); len(messages) != 1 || string(messages[0].Data) != "a"+strings.Replace(end, "\r\n.", "\r\n", 1)+"b\r\n" {
			t.Errorf("%q ended the message: %+v", end, messages)
		}
	}
}

func TestTheHookAnswers(t *testing.T) {
	t.Parallel()
	s := start(t, Options{Answer: func(stage Stage, e Envelope) Reply {
		switch {
		case stage == StageRcpt && e.To[len(e.To)-1] == "gone@x.test":
			return Reply{Code: 550, Enhanced: "5.1.1", Text: "gone\nfor good"}
		case stage == StageDot && e.From == "lost@x.test":
			return Reply{Action: Drop, Accepted: true}
		}
		return Reply{}
	}})
	said := talk(t, s, "EHLO c\r\nMAIL FROM:<lost@x.test>\r\nRCPT TO:<gone@x.test>\r\nRCPT TO:<b@x.test>\r\nDATA\r\n", "x\r\n.\r\n")
	if !strings.Contains(said, "550-5.1.1 gone\r\n550 5.1.1 for good\r\n") {
		t.Errorf("no refusal in %q", said)
	}
	if !strings.HasSuffix(said, "354 speak\r\n") || s.Count() != 1 {
		t.Errorf("accepted %d and said %q", s.Count(), said)
	}
}

func TestAnAnswerMayTrickle(t *testing.T) {
	t.Parallel()
	const pace = time.Millisecond
	s := start(t, Options{Answer: func(stage Stage, _ Envelope) Reply {
		if stage == StageMail {
			return Reply{Action: Trickle, Pace: pace}
		}
		return Reply{}
	}})
	begun := time.Now()
	said := talk(t, s, "EHLO c\r\nMAIL FROM:<a@x.test>\r\nRCPT TO:<b@x.test>\r\nDATA\r\n", "x\r\n.\r\nQUIT\r\n")
	if s.Count() != 1 || !strings.Contains(said, "354 speak") {
		t.Errorf("accepted %d and said %q", s.Count(), said)
	}
	if took := time.Since(begun); took < 10*pace {
		t.Errorf("it was said within %s", took)
	}
}

func TestWrongPasswordsAreRefused(t *testing.T) {
	t.Parallel()
	s := start(t, Options{Username: "anna", Password: "secret"})
	said := talk(t, s, "AUTH PLAIN AGFubmEAd3Jvbmc=\r\nMAIL FROM:<a@x.test>\r\nAUTH CRAM-MD5\r\nQUIT\r\n")
	for _, code := range []string{"\r\n535 ", "\r\n530 ", "\r\n504 "} {
		if !strings.Contains(said, code) {
			t.Errorf("no %q in %q", code, said)
		}
	}
}

// BenchmarkPipelined says what the sink alone can take: one connection, a
// client that does nothing but write prepared octets and count answers.
func BenchmarkPipelined(b *testing.B) {
	s := start(b, Options{CountOnly: true})
	conn, err := net.Dial("tcp", s.Addr())
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	group := []byte(envelope)
	body := []byte(strings.Repeat(strings.Repeat("x", 70)+"\r\n", 57) + ".\r\n")
	in := bufio.NewReader(conn)
	read := func(lines int) {
		for range lines {
			if _, err := in.ReadSlice('\n'); err != nil {
				b.Fatal(err)
			}
		}
	}
	read(1)
	fmt.Fprint(conn, "HELO c\r\n")
	read(1)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		conn.Write(group)
		read(3)
		conn.Write(body)
		read(1)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msg/s")
}
