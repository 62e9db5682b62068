package transport

import (
	"bytes"
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/smtpsink"
)

// refusing answers the first mail of each connection at the given stages, and
// counts RSET.
func refusing(replies map[smtpsink.Stage]smtpsink.Reply, resets *atomic.Int32) smtpsink.Options {
	var mu sync.Mutex
	seen := map[smtpsink.Stage]bool{}
	return smtpsink.Options{Strict: true, Answer: func(at smtpsink.Stage, _ smtpsink.Envelope) smtpsink.Reply {
		mu.Lock()
		defer mu.Unlock()
		if at == smtpsink.StageReset {
			resets.Add(1)
		}
		if seen[at] {
			return smtpsink.Reply{}
		}
		seen[at] = true
		return replies[at]
	}}
}

func TestARefusalLeavesTheSessionUsable(t *testing.T) {
	t.Parallel()
	no := smtpsink.Reply{Code: 550, Enhanced: "5.1.1", Text: "no"}
	goOn := smtpsink.Reply{Code: 354, Text: "go on"}
	accept := smtpsink.Reply{Code: 250, Text: "all right"}
	type told = map[smtpsink.Stage]smtpsink.Reply
	tests := []struct {
		name   string
		told   told
		stage  Stage
		resets int
		counts int // what the sink took for a message besides the second one
	}{
		{"MAIL refused, so RCPT and DATA too", told{smtpsink.StageMail: no}, StageMail, 0, 0},
		{"RCPT refused, DATA too", told{smtpsink.StageRcpt: no}, StageRcpt, 1, 0},
		{"RCPT refused, 354, the single dot refused", told{smtpsink.StageRcpt: no, smtpsink.StageData: goOn}, StageRcpt, 0, 0},
		{"RCPT refused, 354, the single dot accepted", told{smtpsink.StageRcpt: no, smtpsink.StageData: goOn, smtpsink.StageDot: accept}, StageRcpt, 0, 1},
		{"DATA refused", told{smtpsink.StageData: no}, StageData, 1, 0},
		{"the message refused", told{smtpsink.StageDot: no}, StageDot, 0, 0},
	}
	for _, pipelining := range []bool{true, false} {
		for _, test := range tests {
			name := test.name
			if !pipelining {
				name += ", one by one"
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				var resets atomic.Int32
				options := refusing(test.told, &resets)
				options.NoPipelining = !pipelining
				sink := startSink(t, options)
				session := openSession(t, relayTo(sink))
				result, err := session.Send(t.Context(), mail, message, nil)
				if err != nil || result.Stage != test.stage || result.Reply.Code != 550 || result.InDoubt || !session.Alive() {
					t.Fatalf("got %+v, %v", result, err)
				}
				mustSend(t, session.Send)
				wantResets, wantCount := int32(test.resets), 1+test.counts
				if !pipelining { // DATA is not said after a refused RCPT
					wantCount = 1
					wantResets = map[Stage]int32{StageRcpt: 1, StageData: 1}[test.stage]
				}
				session.Close()
				if resets.Load() != wantResets || sink.Count() != wantCount || len(sink.Violations()) > 0 {
					t.Errorf("%d RSET (want %d), %d accepted (want %d), violations %q",
						resets.Load(), wantResets, sink.Count(), wantCount, sink.Violations())
				}
			})
		}
	}
}

func TestNobodyIsMailedNothing(t *testing.T) {
	t.Parallel()
	// MAIL is refused, and yet the recipient and DATA are accepted.
	relay := play(t, "PIPELINING", func(s *script) {
		s.hear("MAIL FROM:<news@shop.test>\r\n")
		s.hear("RCPT TO:<anna@mail.test>\r\n")
		s.hear("DATA\r\n")
		s.say("550 5.7.1 no", "250 ok", "354 go on")
		s.hearEnd()
	})
	session := openSession(t, relay)
	result, err := session.Send(t.Context(), mail, message, nil)
	if err != nil || result.Stage != StageMail || result.Reply.Code != 550 || session.Alive() {
		t.Errorf("got %+v, %v, alive %v", result, err, session.Alive())
	}
	session.Close()
}

func TestAnUnaskedAnswerIsNotTakenForAnother(t *testing.T) {
	t.Parallel()
	for name, extra := range map[string]string{"before 354": "250 ok", "after 354": "250 queued"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			relay := play(t, "PIPELINING", func(s *script) {
				for range 3 {
					s.hear("")
				}
				if name == "before 354" {
					s.say("250 ok", "250 ok", extra, "354 go on")
				} else {
					s.say("250 ok", "250 ok", "354 go on", extra)
				}
				s.hearEnd()
			})
			result, err := openSession(t, relay).Send(t.Context(), mail, message, nil)
			if mailing.CodeOf(err) != "smtp_garbage" || result.Stage != StageData || result.InDoubt {
				t.Errorf("got %+v, %v", result, err)
			}
		})
	}
}

func TestWhatFollowsSTARTTLSInClearIsNotBelieved(t *testing.T) {
	t.Parallel()
	relay := play(t, "STARTTLS", func(s *script) {
		s.hear("STARTTLS\r\n")
		s.say("220 go on", "250 injected")
		s.hearEnd()
	})
	relay.TLS = TLSRequired
	_, err := relay.Open(t.Context())
	var failed *OpenError
	if !errors.As(err, &failed) || failed.Stage != StageTLS || mailing.CodeOf(err) != "smtp_garbage" {
		t.Errorf("got %v", err)
	}
}

func TestARefusedSTARTTLSIsForgivenOnlyWhereItMayBe(t *testing.T) {
	t.Parallel()
	config, roots, err := smtpsink.SelfSigned("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	sink := startSink(t, smtpsink.Options{TLS: config, Answer: func(at smtpsink.Stage, _ smtpsink.Envelope) smtpsink.Reply {
		if at == smtpsink.StageStartTLS {
			return smtpsink.Reply{Code: 454, Enhanced: "4.7.0", Text: "not now"}
		}
		return smtpsink.Reply{}
	}})
	relay := relayTo(sink)
	relay.TLS, relay.RootCAs = TLSOpportunistic, roots
	if result := mustSend(t, openSession(t, relay).Send); result.TLS != "" {
		t.Errorf("TLS %q", result.TLS)
	}
	relay.TLS = TLSRequired
	if _, err := relay.Open(t.Context()); mailing.CodeOf(err) != "smtp_refused" {
		t.Errorf("required: %v", err)
	}
}

// breaking is a connection whose write of a message is done by the test.
type breaking struct {
	net.Conn
	writeMessage func(p []byte) (int, error)
}

func (c breaking) Write(p []byte) (int, error) {
	for _, command := range []string{"EHLO ", "MAIL ", "RCPT ", "DATA\r\n", "QUIT"} {
		if bytes.HasPrefix(p, []byte(command)) {
			return c.Conn.Write(p)
		}
	}
	return c.writeMessage(p)
}

// breakOff is a relay whose connections break while the message is written.
func breakOff(relay *Relay, writeMessage func(p []byte) (int, error)) *Relay {
	relay.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		var dialer net.Dialer
		conn, err := dialer.DialContext(ctx, network, address)
		return breaking{conn, writeMessage}, err
	}
	return relay
}

func TestTheRefusalBeforeHangingUpIsHeard(t *testing.T) {
	t.Parallel()
	writing, refused := make(chan struct{}), make(chan struct{})
	relay := play(t, "PIPELINING", func(s *script) {
		for range 3 {
			s.hear("")
		}
		s.say("250 ok", "250 ok", "354 go on")
		<-writing
		s.say("552 5.3.4 enough")
		close(refused)
		s.hearEnd()
	})
	breakOff(relay, func([]byte) (int, error) {
		close(writing)
		<-refused
		return 0, syscall.ECONNRESET
	})
	session := openSession(t, relay)
	result, err := session.Send(t.Context(), mail, message, nil)
	if err != nil || result.Reply.Code != 552 || result.Stage != StageData || result.InDoubt || session.Alive() {
		t.Errorf("got %+v, %v", result, err)
	}
	session.Close()
}

func TestDoubtBeginsWithTheFirstOctetOfTheDot(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		missing int // octets of the last write that did not go out
		inDoubt bool
	}{{1, true}, {2, true}, {3, false}, {4, false}, {20, false}} {
		sink := startSink(t, smtpsink.Options{})
		relay := breakOff(relayTo(sink), func(p []byte) (int, error) {
			sink.CutAll()
			return len(p) - test.missing, syscall.EPIPE
		})
		asked := 0
		result, err := openSession(t, relay).Send(t.Context(), mail, message, func() error { asked++; return nil })
		if mailing.CodeOf(err) != "smtp_connection_lost" || result.InDoubt != test.inDoubt || asked != 1 {
			t.Errorf("%d octets missing: %+v, %v, %d calls", test.missing, result, err, asked)
		}
		if (result.Stage == StageDot) != test.inDoubt {
			t.Errorf("%d octets missing: stage %s", test.missing, result.Stage)
		}
	}
}

func TestABreakBetweenBlocksIsNoDoubt(t *testing.T) {
	t.Parallel()
	sink := startSink(t, smtpsink.Options{})
	relay := breakOff(relayTo(sink), func(p []byte) (int, error) {
		sink.CutAll()
		return len(p), syscall.EPIPE
	})
	large := bytes.Repeat([]byte("0123456789\r\n"), blockBytes/6)
	result, err := openSession(t, relay).Send(t.Context(), mail, large, func() error {
		t.Error("beforeDot was asked")
		return nil
	})
	if mailing.CodeOf(err) != "smtp_connection_lost" || result.Stage != StageData || result.InDoubt {
		t.Errorf("got %+v, %v", result, err)
	}
}

func TestBeforeDotIsAskedAtTheLastMoment(t *testing.T) {
	t.Parallel()
	for _, size := range []int{0, 100, blockBytes, 5 * blockBytes} {
		sink, err := smtpsink.Start(smtpsink.Options{})
		if err != nil {
			t.Fatal(err)
		}
		session := openSession(t, relayTo(sink))
		body := bytes.Repeat([]byte("0123456789\r\n"), size/12)
		calls := 0
		result, err := session.Send(t.Context(), mail, body, func() error {
			calls++
			if sink.Count() != 0 {
				t.Error("the message was there before beforeDot")
			}
			return nil
		})
		if err != nil || calls != 1 || sink.Count() != 1 || !result.Reply.Accepted() {
			t.Errorf("%d octets: %d calls, %d accepted, %+v, %v", size, calls, sink.Count(), result, err)
		}
		stop := errors.New("unsubscribed meanwhile")
		result, err = session.Send(t.Context(), mail, body, func() error { return stop })
		if !errors.Is(err, stop) || result.Stage != StageData || result.InDoubt || session.Alive() {
			t.Errorf("%d octets: stopped with %+v, %v, alive %v", size, result, err, session.Alive())
		}
		if err := sink.Close(); err != nil || sink.Count() != 1 {
			t.Errorf("%d octets: sent though stopped, %v", size, err)
		}
	}
}

func TestACancelledContextStopsBeforeTheDot(t *testing.T) {
	t.Parallel()
	for _, stage := range []smtpsink.Stage{smtpsink.StageMail, smtpsink.StageRcpt, smtpsink.StageData} {
		for _, pipelining := range []bool{true, false} {
			ctx, cancel := context.WithCancelCause(t.Context())
			why := errors.New("shutting down")
			sink := startSink(t, smtpsink.Options{NoPipelining: !pipelining, Answer: func(at smtpsink.Stage, _ smtpsink.Envelope) smtpsink.Reply {
				if at != stage {
					return smtpsink.Reply{}
				}
				cancel(why)
				return smtpsink.Reply{Action: smtpsink.Stall}
			}})
			result, err := openSession(t, relayTo(sink)).Send(ctx, mail, message, func() error {
				t.Error("beforeDot was asked")
				return nil
			})
			// In a group, the first answer may not have been read yet.
			here := string(result.Stage) == string(stage) || pipelining && result.Stage == StageMail
			if !errors.Is(err, why) || !here || result.InDoubt {
				t.Errorf("at %s: %+v, %v", stage, result, err)
			}
		}
	}
}

func TestACancelledContextAfterTheDotIsIgnored(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	sink := startSink(t, smtpsink.Options{Answer: func(at smtpsink.Stage, _ smtpsink.Envelope) smtpsink.Reply {
		if at == smtpsink.StageDot {
			cancel()
		}
		return smtpsink.Reply{}
	}})
	session := openSession(t, relayTo(sink))
	result, err := session.Send(ctx, mail, message, nil)
	if err != nil || !result.Reply.Accepted() || result.InDoubt || ctx.Err() == nil {
		t.Errorf("got %+v, %v", result, err)
	}
	mustSend(t, session.Send)
}

func TestACancellationWithARefusalEndsTheSession(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	sink := startSink(t, smtpsink.Options{NoPipelining: true, Answer: func(at smtpsink.Stage, _ smtpsink.Envelope) smtpsink.Reply {
		if at != smtpsink.StageMail {
			return smtpsink.Reply{}
		}
		cancel()
		return smtpsink.Reply{Code: 550, Text: "no"}
	}})
	session := openSession(t, relayTo(sink))
	result, err := session.Send(ctx, mail, message, nil)
	if result.Stage != StageMail || result.Reply.Code != 550 && !errors.Is(err, context.Canceled) || err != nil && session.Alive() {
		t.Errorf("got %+v, %v, alive %v", result, err, session.Alive())
	}
	if session.Alive() { // the refusal came before anybody saw the cancellation, which leaves nothing behind
		mustSend(t, session.Send)
	}
}

func TestACancellationInBeforeDotComesTooLate(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	sink := startSink(t, smtpsink.Options{})
	result, err := openSession(t, relayTo(sink)).Send(ctx, mail, message, func() error { cancel(); return nil })
	if err != nil || !result.Reply.Accepted() {
		t.Errorf("got %+v, %v", result, err)
	}
}

func TestAnExpiredContextIsNoAnswer(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	sink := startSink(t, smtpsink.Options{Answer: func(smtpsink.Stage, smtpsink.Envelope) smtpsink.Reply {
		return smtpsink.Reply{Action: smtpsink.Stall}
	}})
	if _, err := relayTo(sink).Open(ctx); mailing.CodeOf(err) != "smtp_no_answer" {
		t.Errorf("got %v", err)
	}
}

func TestTheServersAnnouncementsAreHonoured(t *testing.T) {
	t.Parallel()
	large := bytes.Repeat([]byte("0123456789\r\n"), 100)
	tests := []struct {
		name    string
		options smtpsink.Options
		env     Envelope
		message []byte
		want    string // the enhanced code; empty: accepted
		stage   Stage
	}{
		{"8-bit where it is taken", smtpsink.Options{}, mail, []byte("Привет\r\n"), "", StageDot},
		{"8-bit where it is not", smtpsink.Options{NoEightBit: true}, mail, []byte("Привет, мир\r\n"), "5.6.3", StageData},
		{"one high octet at the end is seen", smtpsink.Options{NoEightBit: true}, mail, []byte("12345678\xff"), "5.6.3", StageData},
		{"too large", smtpsink.Options{MaxSize: 1000}, mail, large, "5.3.4", StageData},
		{"just not too large", smtpsink.Options{MaxSize: 1200}, mail, large, "", StageDot},
		{"an address in UTF-8 where it is taken", smtpsink.Options{UTF8: true}, Envelope{To: "анна@mail.test"}, message, "", StageDot},
		{"an address in UTF-8 where it is not", smtpsink.Options{}, Envelope{To: "анна@mail.test"}, message, "5.6.7", StageRcpt},
		{"a header in UTF-8 where it is not", smtpsink.Options{}, Envelope{To: mail.To, UTF8: true}, message, "5.6.7", StageRcpt},
		{"a second command in the address", smtpsink.Options{}, Envelope{To: "a@b.test>\r\nRCPT TO:<c@d.test"}, message, "5.1.3", StageRcpt},
		{"no recipient", smtpsink.Options{}, Envelope{From: mail.From}, message, "5.1.3", StageRcpt},
		{"a second command in the sender", smtpsink.Options{}, Envelope{From: "a@b.test>\nRSET", To: mail.To}, message, "5.1.7", StageMail},
		{"no sender", smtpsink.Options{}, Envelope{To: mail.To}, message, "", StageDot},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.options.Strict = true
			sink := startSink(t, test.options)
			session := openSession(t, relayTo(sink))
			result, err := session.Send(t.Context(), test.env, test.message, nil)
			refused := strings.HasPrefix(result.Reply.Text, unsent)
			if err != nil || result.Stage != test.stage || refused != (test.want != "") || refused && result.Reply.Enhanced != test.want {
				t.Errorf("got %+v, %v; want %q at %s", result, err, test.want, test.stage)
			}
			if violations := sink.Violations(); len(violations) > 0 {
				t.Errorf("violations %q", violations)
			}
			mustSend(t, session.Send)
		})
	}
}

func TestSigningIn(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name       string
		mechanisms []string
		password   string
		told       smtpsink.Reply
		code       string
		reply      int
	}{
		{name: "PLAIN is taken first", mechanisms: []string{"LOGIN", "PLAIN"}, password: secret},
		{name: "LOGIN where there is no PLAIN", mechanisms: []string{"CRAM-MD5", "LOGIN"}, password: secret},
		{name: "a wrong password with PLAIN", mechanisms: []string{"PLAIN"}, password: "x", code: "smtp_auth_refused", reply: 535},
		{name: "a wrong password with LOGIN", mechanisms: []string{"LOGIN"}, password: "x", code: "smtp_auth_refused", reply: 535},
		{name: "no mechanism we know", mechanisms: []string{"CRAM-MD5"}, password: secret, code: "smtp_auth_not_offered"},
		{name: "a server that cannot check now", password: secret, told: smtpsink.Reply{Code: 454, Text: "later"}, code: "smtp_refused", reply: 454},
		{name: "a server that wants TLS", password: secret, told: smtpsink.Reply{Code: 538, Text: "TLS"}, code: "smtp_auth_needs_tls", reply: 538},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			sink := startSink(t, smtpsink.Options{
				Username: "anna", Password: secret, Mechanisms: test.mechanisms,
				Answer: func(at smtpsink.Stage, _ smtpsink.Envelope) smtpsink.Reply {
					if at == smtpsink.StageAuth {
						return test.told
					}
					return smtpsink.Reply{}
				},
			})
			relay := relayTo(sink)
			relay.Username, relay.Password = "anna", test.password
			session, err := relay.Open(t.Context())
			noSecret(t, err)
			if mailing.CodeOf(err) != test.code {
				t.Fatalf("got %v, want %q", err, test.code)
			}
			if err == nil {
				mustSend(t, session.Send)
				session.Close()
				return
			}
			var failed *OpenError
			if !errors.As(err, &failed) || failed.Stage != StageAuth || failed.Reply.Code != test.reply {
				t.Errorf("got %+v", failed)
			}
		})
	}
}

func TestLOGINIsTriedWherePLAINIsNotKnownAfterAll(t *testing.T) {
	t.Parallel()
	relay := play(t, "AUTH=PLAIN LOGIN", func(s *script) {
		s.hear("AUTH PLAIN ")
		s.say("504 5.5.4 no")
		s.hear("AUTH LOGIN\r\n")
		s.say("334 not base64!")
		s.hear("YW5uYQ==\r\n")
		s.say("334 UGFzc3dvcmQ6")
		s.hear("czNjcjN0LXBhNTV3MHJk\r\n")
		s.say("334 ")
		s.hearEnd()
	})
	relay.Username, relay.Password = "anna", secret
	_, err := relay.Open(t.Context())
	noSecret(t, err)
	if mailing.CodeOf(err) != "smtp_garbage" {
		t.Errorf("a third question: %v", err)
	}
}

func TestAPasswordNeverGoesInClearToAnotherMachine(t *testing.T) {
	t.Parallel()
	server, client := net.Pipe() // its address is no loopback address
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer server.Close()
		server.Write([]byte("220 x\r\n"))
		buffer := make([]byte, 1000)
		server.Read(buffer)
		server.Write([]byte("250-x\r\n250 AUTH PLAIN LOGIN\r\n"))
		if n, _ := server.Read(buffer); n > 0 {
			t.Errorf("said %q", buffer[:n])
		}
	}()
	relay := &Relay{Host: "smtp.shop.test", Port: 25, TLS: TLSNone, Username: "anna", Password: secret}
	relay.Dial = func(context.Context, string, string) (net.Conn, error) { return client, nil }
	_, err := relay.Open(t.Context())
	<-done
	noSecret(t, err)
	if mailing.CodeOf(err) != "smtp_auth_needs_tls" {
		t.Errorf("got %v", err)
	}
}

func TestOldServersAreSpokenToWithHELO(t *testing.T) {
	t.Parallel()
	sink := startSink(t, smtpsink.Options{NoEHLO: true, NoPipelining: true, Strict: true})
	mustSend(t, openSession(t, relayTo(sink)).Send)
	if violations := sink.Violations(); len(violations) > 0 {
		t.Errorf("violations %q", violations)
	}
}

func TestHelloSaysWhoWeAre(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var names []string
	sink := startSink(t, smtpsink.Options{Answer: func(at smtpsink.Stage, e smtpsink.Envelope) smtpsink.Reply {
		if at == smtpsink.StageEHLO {
			mu.Lock()
			defer mu.Unlock()
			names = append(names, e.Hello)
		}
		return smtpsink.Reply{}
	}})
	relay := relayTo(sink)
	openSession(t, relay)
	relay.HeloName = "mx.shop.test"
	openSession(t, relay)
	relay.HeloName = "x\r\nRSET"
	if _, err := relay.Open(t.Context()); mailing.CodeOf(err) != "smtp_helo_malformed" {
		t.Errorf("got %v", err)
	}
	relay.HeloName, relay.TLS = "", "always"
	if _, err := relay.Open(t.Context()); mailing.CodeOf(err) != "smtp_url_tls" {
		t.Errorf("got %v", err)
	}
	mu.Lock()
	defer mu.Unlock()
	if !slices.Equal(names, []string{"[127.0.0.1]", "mx.shop.test"}) {
		t.Errorf("names %q", names)
	}
}

func TestWhatIsSaidAtHelloIsADomainOrAnAddress(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"": true, "localhost": true, "mx.shop.test": true, "xn--80a1acny.xn--p1ai": true, "7.test": true,
		"[192.0.2.7]": true, "[IPv6:2001:db8::7]": true,
		"-mx.test": false, "mx-.test": false, "mx..test": false, ".test": false, "mx_1.test": false, "почта.рф": false,
		"a b": false, strings.Repeat("a", 64) + ".test": false, strings.Repeat("a.", 128) + "a": false,
		"[192.0.2.7": false, "[2001:db8::7]": false, "[IPv6:192.0.2.7]": false, "[IPv6:fe80::1%eth0]": false, "[mx]": false,
	} {
		if validHelo(name) != want {
			t.Errorf("%q: got %t", name, !want)
		}
	}
}

func TestWeHaveAnAddressLiteralForEveryAddress(t *testing.T) {
	t.Parallel()
	for want, local := range map[string]net.Addr{
		"[192.0.2.7]":        &net.TCPAddr{IP: net.ParseIP("192.0.2.7")},
		"[IPv6:2001:db8::7]": &net.TCPAddr{IP: net.ParseIP("2001:db8::7")},
		"[127.0.0.1]":        &net.UnixAddr{Name: "@"},
	} {
		if got := addressLiteral(local); got != want {
			t.Errorf("%v: got %s, want %s", local, got, want)
		}
	}
}

func TestTimeoutsAreThoseOfTheStandardUnlessTold(t *testing.T) {
	t.Parallel()
	got := Timeouts{Rcpt: time.Second}.orDefaults()
	want := map[string][2]time.Duration{
		"banner": {got.Banner, 5 * time.Minute}, "mail": {got.Mail, 5 * time.Minute}, "rcpt": {got.Rcpt, time.Second},
		"data": {got.Data, 2 * time.Minute}, "block": {got.Block, 3 * time.Minute}, "dot": {got.Dot, 10 * time.Minute},
	}
	for name, pair := range want {
		if pair[0] != pair[1] {
			t.Errorf("%s is %v, want %v", name, pair[0], pair[1])
		}
	}
}

func TestConnectionFaults(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closedPort := listener.Addr().(*net.TCPAddr).Port
	listener.Close()
	dialing := func(err error) *Relay {
		return &Relay{Host: "smtp.shop.test", Port: 25, Dial: func(context.Context, string, string) (net.Conn, error) {
			return nil, &net.OpError{Op: "dial", Err: err}
		}}
	}
	tests := []struct {
		name  string
		relay *Relay
		code  string
	}{
		{"nobody listens", &Relay{Host: "127.0.0.1", Port: closedPort}, "smtp_port_refused"},
		{"no such host", dialing(&net.DNSError{IsNotFound: true}), "smtp_host_unknown"},
		{"DNS is broken", dialing(&net.DNSError{IsTemporary: true}), "smtp_dns_failed"},
		{"DNS does not answer", dialing(&net.DNSError{IsTimeout: true}), "smtp_no_answer"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			result, err := sendBy(newPool(t, test.relay, PoolOptions{}))(t.Context(), mail, message, nil)
			if mailing.CodeOf(err) != test.code || result.Stage != StageConnect || result.Host != test.relay.Address() {
				t.Errorf("got %+v, %v", result, err)
			}
		})
	}
}

func TestResetAsksTheServer(t *testing.T) {
	t.Parallel()
	sink := startSink(t, smtpsink.Options{})
	session := openSession(t, relayTo(sink))
	if err := session.Reset(t.Context()); err != nil || !session.Alive() {
		t.Errorf("got %v", err)
	}
	sink.CutAll()
	if err := session.Reset(t.Context()); mailing.CodeOf(err) != "smtp_connection_lost" || session.Alive() {
		t.Errorf("after the cut: %v", err)
	}
	if _, err := session.Send(t.Context(), mail, message, nil); err == nil {
		t.Error("sent over a broken session")
	}
}
