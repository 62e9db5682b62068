package transport

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"vestnik/internal/smtpsink"
)

// stream is a number of mails to client1, client2 and so on, and what came of each.
type stream struct {
	mu      sync.Mutex
	size    int
	given   int
	prevent map[int]error // what BeforeDot of a mail says
	dots    []int         // in the order of BeforeDot
	results map[int][]Result
	errs    map[int]error
}

func newStream(size int) *stream {
	return &stream{size: size, results: map[int][]Result{}, errs: map[int]error{}, prevent: map[int]error{}}
}

func (s *stream) next() Mail {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.given == s.size {
		return nil
	}
	s.given++
	return &item{s, s.given}
}

type item struct {
	*stream
	number int
}

func (i *item) Envelope() Envelope {
	return Envelope{From: "news@shop.test", To: fmt.Sprintf("client%d@mail.test", i.number)}
}

func (i *item) Message() []byte {
	return fmt.Appendf(nil, "Subject: to %d\r\n\r\n.Hello.\r\n", i.number)
}

func (i *item) BeforeDot() error {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.dots = append(i.dots, i.number)
	return i.prevent[i.number]
}

func (i *item) Done(r Result, err error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.results[i.number] = append(i.results[i.number], r)
	i.errs[i.number] = err
}

// check fails the test unless each mail was answered once, and those that were not
// sent are exactly the ones named.
func (s *stream) check(t *testing.T, sink *smtpsink.Server, unsent ...int) {
	t.Helper()
	failed := map[int]bool{}
	for _, number := range unsent {
		failed[number] = true
	}
	copies := sink.Copies()
	for number := 1; number <= s.size; number++ {
		results, got := s.results[number], copies[(&item{s, number}).Envelope().To]
		if len(results) != 1 {
			t.Errorf("mail %d was told %d times how it ended", number, len(results))
			continue
		}
		accepted := s.errs[number] == nil && results[0].Stage == StageDot && results[0].Reply.Accepted()
		if accepted == failed[number] || !results[0].InDoubt && accepted != (got == 1) || got > 1 {
			t.Errorf("mail %d: %+v, %v; the server has it %d times", number, results[0], s.errs[number], got)
		}
	}
	if broken := sink.Violations(); len(broken) > 0 {
		t.Errorf("violations: %q", broken)
	}
}

func TestTheNextEnvelopeFollowsTheDot(t *testing.T) {
	t.Parallel()
	relay := play(t, "PIPELINING", func(s *script) {
		s.hear("MAIL FROM:<news@shop.test>\r\n")
		s.hear("RCPT TO:<client1@mail.test>\r\n")
		s.hear("DATA\r\n")
		s.say("250 ok", "250 ok", "354 go on")
		for _, line := range []string{
			"Subject: to 1", "", "..Hello.", ".", "MAIL FROM:<news@shop.test>", "RCPT TO:<client2@mail.test>", "DATA",
		} {
			s.hear(line + "\r\n") // all before anything is answered
		}
		s.say("250 first", "250 ok", "250 ok", "354 go on")
		for _, line := range []string{"Subject: to 2", "", "..Hello.", "."} {
			s.hear(line + "\r\n")
		}
		s.say("250 second")
		s.hear("QUIT\r\n")
		s.say("221 bye")
	})
	mails := newStream(2)
	session := openSession(t, relay)
	if rest := session.Carry(t.Context(), mails.next(), mails.next); rest != nil {
		t.Errorf("%+v is left", rest.Envelope())
	}
	session.Close()
	for number, text := range map[int]string{1: "first", 2: "second"} {
		if r := mails.results[number]; len(r) != 1 || r[0].Reply.Text != text {
			t.Errorf("mail %d: %+v", number, r)
		}
	}
}

func TestAStreamOfMails(t *testing.T) {
	t.Parallel()
	for _, pipelining := range []bool{true, false} {
		t.Run(fmt.Sprintf("each of 500 mails is taken once over sessions of 7, pipelining %v", pipelining), func(t *testing.T) {
			t.Parallel()
			sink := startSink(t, smtpsink.Options{Strict: true, NoPipelining: !pipelining})
			pool := newPool(t, relayTo(sink), PoolOptions{Sessions: 4, Messages: 7})
			mails := newStream(500)
			var all sync.WaitGroup
			for range 4 {
				all.Go(func() {
					for m := mails.next(); m != nil; m = mails.next() {
						pool.Carry(t.Context(), m, mails.next)
					}
				})
			}
			all.Wait()
			mails.check(t, sink)
		})
	}
}

func TestARefusalInAStreamConcernsOneMail(t *testing.T) {
	t.Parallel()
	for _, at := range []smtpsink.Stage{smtpsink.StageMail, smtpsink.StageRcpt, smtpsink.StageData, smtpsink.StageDot} {
		for _, pipelining := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, pipelining %v", at, pipelining), func(t *testing.T) {
				t.Parallel()
				asked := atomic.Int32{}
				sink := startSink(t, smtpsink.Options{
					Strict: true, NoPipelining: !pipelining,
					Answer: func(stage smtpsink.Stage, _ smtpsink.Envelope) smtpsink.Reply {
						if stage == at && asked.Add(1) == 3 {
							return smtpsink.Reply{Code: 550, Enhanced: "5.1.1", Text: "no"}
						}
						return smtpsink.Reply{}
					},
				})
				pool := newPool(t, relayTo(sink), PoolOptions{})
				mails := newStream(6)
				pool.Carry(t.Context(), mails.next(), mails.next)
				mails.check(t, sink, 3)
				if sink.Connections() != 1 {
					t.Errorf("%d connections", sink.Connections())
				}
			})
		}
	}
}

// TestABreakInAStream has the server break at every stage of the third mail. What
// it may have taken is in doubt; what was only announced is sent by another session.
func TestABreakInAStream(t *testing.T) {
	t.Parallel()
	bye := smtpsink.Reply{Code: 421, Text: "restart"}
	hangUp := bye
	hangUp.Action = smtpsink.Hangup
	for name, reply := range map[string]smtpsink.Reply{
		"drop": {Action: smtpsink.Drop}, "reset": {Action: smtpsink.Reset}, "421": bye, "421 and hang up": hangUp,
		"garbage": {Raw: "what?\r\n"}, "taken, then dropped": {Action: smtpsink.Drop, Accepted: true},
	} {
		for _, at := range []smtpsink.Stage{smtpsink.StageMail, smtpsink.StageRcpt, smtpsink.StageData, smtpsink.StageDot} {
			t.Run(name+" at "+string(at), func(t *testing.T) {
				t.Parallel()
				asked := atomic.Int32{}
				sink := startSink(t, smtpsink.Options{Strict: true, Answer: func(stage smtpsink.Stage, _ smtpsink.Envelope) smtpsink.Reply {
					if stage == at && asked.Add(1) == 3 {
						return reply
					}
					return smtpsink.Reply{}
				}})
				pool := newPool(t, relayTo(sink), PoolOptions{})
				mails := newStream(6)
				for m := mails.next(); m != nil; m = mails.next() {
					pool.Carry(t.Context(), m, mails.next)
				}
				if at == smtpsink.StageMail { // a used session at its end costs no try
					mails.check(t, sink)
					return
				}
				mails.check(t, sink, 3)
				if wantDoubt := at == smtpsink.StageDot && reply.Code != 421; mails.results[3][0].InDoubt != wantDoubt {
					t.Errorf("the third mail is in doubt: %v", !wantDoubt)
				}
			})
		}
	}
}

func TestAMailThatIsHeldBackInAStreamHoldsNoOtherBack(t *testing.T) {
	t.Parallel()
	sink := startSink(t, smtpsink.Options{Strict: true})
	pool := newPool(t, relayTo(sink), PoolOptions{})
	mails := newStream(6)
	held := errors.New("held")
	mails.prevent[3] = held
	for m := mails.next(); m != nil; m = mails.next() {
		pool.Carry(t.Context(), m, mails.next)
	}
	mails.check(t, sink, 3)
	if !errors.Is(mails.errs[3], held) || mails.results[3][0].InDoubt {
		t.Errorf("the third mail: %+v, %v", mails.results[3][0], mails.errs[3])
	}
}

func TestAMailThatCannotBeGivenToTheServerHoldsNoOtherUp(t *testing.T) {
	t.Parallel()
	sink := startSink(t, smtpsink.Options{Strict: true, MaxSize: 40})
	session := openSession(t, relayTo(sink))
	large := &single{env: mail, message: []byte(strings.Repeat("x", 100)), beforeDot: nil}
	queue := []Mail{large, &single{env: mail, message: message}, large, large, &single{env: mail, message: message}}
	next := func() Mail {
		if len(queue) == 0 {
			return nil
		}
		m := queue[0]
		queue = queue[1:]
		return m
	}
	first := &single{env: mail, message: message}
	session.Carry(t.Context(), first, next)
	if sink.Count() != 3 || large.result.Reply.Code != 552 || !first.result.Reply.Accepted() {
		t.Errorf("%d were accepted, the large one got %+v, the first %+v", sink.Count(), large.result, first.result)
	}
}

// TestACancellationInAStream comes while one mail waits for the answer to its dot
// and the next one is announced.
func TestACancellationInAStream(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	dots := atomic.Int32{}
	sink := startSink(t, smtpsink.Options{Strict: true, Answer: func(stage smtpsink.Stage, _ smtpsink.Envelope) smtpsink.Reply {
		if stage == smtpsink.StageDot && dots.Add(1) == 2 {
			cancel()
			<-time.After(20 * time.Millisecond)
		}
		return smtpsink.Reply{}
	}})
	pool := newPool(t, relayTo(sink), PoolOptions{})
	mails := newStream(3)
	pool.Carry(ctx, mails.next(), mails.next)
	mails.check(t, sink, 3)
	if !errors.Is(mails.errs[3], context.Canceled) || mails.results[3][0].InDoubt {
		t.Errorf("the third mail: %+v, %v", mails.results[3][0], mails.errs[3])
	}
}

// TestDoubtEndsWhereTheDotBegins breaks the write of a final block that carries the
// next envelope behind the dot, at every octet around the dot.
func TestDoubtEndsWhereTheDotBegins(t *testing.T) {
	t.Parallel()
	sink := startSink(t, smtpsink.Options{})
	body := len("Subject: to 1\r\n\r\n..Hello.\r\n")
	for _, written := range []int{0, body - 1, body, body + 1, body + 2, body + 3, body + 10} {
		t.Run(fmt.Sprintf("%d octets written", written), func(t *testing.T) {
			relay := relayTo(sink)
			var cut *shortConn
			relay.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
				var dialer net.Dialer
				conn, err := dialer.DialContext(ctx, network, address)
				cut = &shortConn{Conn: conn, left: -1}
				return cut, err
			}
			session := openSession(t, relay)
			mails := newStream(2)
			first := &atTheDot{Mail: mails.next(), do: func() { cut.left = written }}
			rest := session.Carry(t.Context(), first, mails.next)
			r := mails.results[1]
			if len(r) != 1 || r[0].InDoubt != (written > body) || mails.errs[1] == nil {
				t.Errorf("the first mail: %+v, %v", r, mails.errs[1])
			}
			if rest == nil || len(mails.results[2]) != 0 {
				t.Errorf("the second mail is not given back: %v, %+v", rest, mails.results[2])
			}
		})
	}
}

// atTheDot does something right before the final dot.
type atTheDot struct {
	Mail
	do func()
}

func (m *atTheDot) BeforeDot() error {
	m.do()
	return m.Mail.BeforeDot()
}

// shortConn writes so many more octets, and then breaks; -1: any number.
type shortConn struct {
	net.Conn
	left int
}

func (c *shortConn) Write(p []byte) (int, error) {
	if c.left < 0 {
		return c.Conn.Write(p)
	}
	n, _ := c.Conn.Write(p[:min(c.left, len(p))])
	c.Conn.Close()
	return n, net.ErrClosed
}
