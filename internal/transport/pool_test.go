package transport

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/smtpsink"
)

func TestASessionIsUsedAgain(t *testing.T) {
	t.Parallel()
	sink := startSink(t, smtpsink.Options{})
	pool := newPool(t, relayTo(sink), PoolOptions{Messages: 3})
	for i := 1; i <= 7; i++ {
		mustSend(t, sendBy(pool))
		if want := (i + 2) / 3; sink.Connections() != want {
			t.Errorf("%d connections after %d mails, want %d", sink.Connections(), i, want)
		}
	}
}

func TestAStaleSessionCostsNoTry(t *testing.T) {
	t.Parallel()
	bye := smtpsink.Reply{Code: 421, Text: "too long idle", Action: smtpsink.Hangup}
	for name, reply := range map[string]smtpsink.Reply{
		"421": bye, "dropped": {Action: smtpsink.Drop}, "reset": {Action: smtpsink.Reset}, "421 and silence": {Code: 421, Text: "bye"},
		"garbage": {Raw: "what?\r\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sink := startSink(t, smtpsink.Options{Answer: func(at smtpsink.Stage, e smtpsink.Envelope) smtpsink.Reply {
				if at == smtpsink.StageMail && e.Accepted > 0 {
					return reply
				}
				return smtpsink.Reply{}
			}})
			pool := newPool(t, relayTo(sink), PoolOptions{})
			for range 3 {
				mustSend(t, sendBy(pool))
			}
			if sink.Connections() != 3 || sink.Count() != 3 {
				t.Errorf("%d connections, %d accepted", sink.Connections(), sink.Count())
			}
		})
	}
	t.Run("cut while idle", func(t *testing.T) {
		t.Parallel()
		sink := startSink(t, smtpsink.Options{})
		pool := newPool(t, relayTo(sink), PoolOptions{})
		for range 3 {
			mustSend(t, sendBy(pool))
			sink.CutAll()
		}
	})
}

func TestAFreshSessionIsNotTriedTwice(t *testing.T) {
	t.Parallel()
	sink := startSink(t, smtpsink.Options{Answer: func(at smtpsink.Stage, _ smtpsink.Envelope) smtpsink.Reply {
		if at == smtpsink.StageMail {
			return smtpsink.Reply{Code: 421, Text: "no", Action: smtpsink.Hangup}
		}
		return smtpsink.Reply{}
	}})
	result, err := sendBy(newPool(t, relayTo(sink), PoolOptions{}))(t.Context(), mail, message, nil)
	if err != nil || result.Reply.Code != 421 || result.Stage != StageMail || sink.Connections() != 1 {
		t.Errorf("got %+v, %v on %d connections", result, err, sink.Connections())
	}
}

func TestAUsedSessionThatBreaksAfterMAILIsATry(t *testing.T) {
	t.Parallel()
	for _, stage := range []smtpsink.Stage{smtpsink.StageRcpt, smtpsink.StageData, smtpsink.StageDot} {
		sink := startSink(t, smtpsink.Options{Answer: func(at smtpsink.Stage, e smtpsink.Envelope) smtpsink.Reply {
			if at == stage && e.Accepted == 1 {
				return smtpsink.Reply{Action: smtpsink.Drop}
			}
			return smtpsink.Reply{}
		}})
		pool := newPool(t, relayTo(sink), PoolOptions{})
		mustSend(t, sendBy(pool))
		result, err := sendBy(pool)(t.Context(), mail, message, nil)
		if mailing.CodeOf(err) != "smtp_connection_lost" || string(result.Stage) != string(stage) || result.InDoubt != (stage == smtpsink.StageDot) {
			t.Errorf("at %s: %+v, %v", stage, result, err)
		}
		if sink.Connections() != 1 {
			t.Errorf("at %s: %d connections", stage, sink.Connections())
		}
	}
}

func TestIdleSessionsAreClosedPolitely(t *testing.T) {
	t.Parallel()
	quit := make(chan int, 10)
	sink := startSink(t, smtpsink.Options{Answer: func(at smtpsink.Stage, e smtpsink.Envelope) smtpsink.Reply {
		if at == smtpsink.StageQuit {
			quit <- e.Connection
		}
		return smtpsink.Reply{}
	}})
	pool := newPool(t, relayTo(sink), PoolOptions{IdleFor: 5 * time.Millisecond})
	for i := 1; i <= 3; i++ {
		mustSend(t, sendBy(pool))
		if got := <-quit; got != i {
			t.Errorf("connection %d said QUIT, want %d", got, i)
		}
	}
}

func TestNoMoreSessionsThanAllowed(t *testing.T) {
	t.Parallel()
	const limit, mails = 3, 60
	var mu sync.Mutex
	now, most := 0, 0
	sink := startSink(t, smtpsink.Options{Answer: func(at smtpsink.Stage, _ smtpsink.Envelope) smtpsink.Reply {
		mu.Lock()
		defer mu.Unlock()
		switch at {
		case smtpsink.StageConnect:
			now++
			most = max(most, now)
		case smtpsink.StageQuit:
			now--
		}
		return smtpsink.Reply{}
	}})
	pool := newPool(t, relayTo(sink), PoolOptions{Sessions: limit, Messages: 5})
	var all sync.WaitGroup
	for i := range mails {
		all.Go(func() {
			env := Envelope{From: mail.From, To: fmt.Sprintf("reader%d@mail.test", i)}
			if result, err := sendBy(pool)(t.Context(), env, message, nil); err != nil || !result.Reply.Accepted() {
				t.Errorf("got %+v, %v", result, err)
			}
		})
	}
	all.Wait()
	copies := sink.Copies()
	for i := range mails {
		if n := copies[fmt.Sprintf("reader%d@mail.test", i)]; n != 1 {
			t.Errorf("reader %d got %d copies", i, n)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	if most > limit {
		t.Errorf("%d sessions at once", most)
	}
}

func TestWaitingForASessionEndsWithTheContext(t *testing.T) {
	t.Parallel()
	entered, leave := make(chan struct{}), make(chan struct{})
	sink := startSink(t, smtpsink.Options{})
	pool := newPool(t, relayTo(sink), PoolOptions{Sessions: 1})
	var first sync.WaitGroup
	first.Go(func() {
		sendBy(pool)(t.Context(), mail, message, func() error { close(entered); <-leave; return nil })
	})
	<-entered
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	result, err := sendBy(pool)(ctx, mail, message, nil)
	if !errors.Is(err, context.Canceled) || result.Stage != StageConnect {
		t.Errorf("got %+v, %v", result, err)
	}
	close(leave)
	first.Wait()
}

func TestCloseWaitsForTheAnswer(t *testing.T) {
	t.Parallel()
	atDot, answer := make(chan struct{}), make(chan struct{})
	sink := startSink(t, smtpsink.Options{Answer: func(at smtpsink.Stage, _ smtpsink.Envelope) smtpsink.Reply {
		if at == smtpsink.StageDot {
			close(atDot)
			<-answer
		}
		return smtpsink.Reply{}
	}})
	pool := NewPool(relayTo(sink), PoolOptions{})
	var result Result
	var err error
	var sending, closing sync.WaitGroup
	sending.Go(func() { result, err = sendBy(pool)(t.Context(), mail, message, nil) })
	<-atDot
	var closed error
	closing.Go(func() { closed = pool.Close(context.Background()) })
	close(answer)
	closing.Wait()
	sending.Wait()
	if err != nil || closed != nil || !result.Reply.Accepted() {
		t.Errorf("got %+v, %v, closed %v", result, err, closed)
	}
	if _, err := sendBy(pool)(t.Context(), mail, message, nil); !errors.Is(err, ErrPoolClosed) {
		t.Errorf("after Close: %v", err)
	}
}

func TestCloseThatCutsLeavesTheMailInDoubt(t *testing.T) {
	t.Parallel()
	atDot := make(chan struct{})
	sink := startSink(t, smtpsink.Options{Answer: func(at smtpsink.Stage, _ smtpsink.Envelope) smtpsink.Reply {
		if at == smtpsink.StageDot {
			close(atDot)
			return smtpsink.Reply{Action: smtpsink.Stall, Accepted: true}
		}
		return smtpsink.Reply{}
	}})
	pool := NewPool(relayTo(sink), PoolOptions{})
	var result Result
	var err error
	var sending sync.WaitGroup
	sending.Go(func() { result, err = sendBy(pool)(t.Context(), mail, message, nil) })
	<-atDot
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	closed := pool.Close(ctx)
	sending.Wait()
	if err == nil || !result.InDoubt || result.Stage != StageDot || !errors.Is(closed, context.Canceled) {
		t.Errorf("got %+v, %v, closed %v", result, err, closed)
	}
}

func TestCloseThatCutsStopsWhoIsStillConnecting(t *testing.T) {
	t.Parallel()
	greeted := make(chan struct{})
	sink := startSink(t, smtpsink.Options{Answer: func(smtpsink.Stage, smtpsink.Envelope) smtpsink.Reply {
		close(greeted)
		return smtpsink.Reply{Action: smtpsink.Stall}
	}})
	pool := NewPool(relayTo(sink), PoolOptions{})
	var result Result
	var err error
	var sending sync.WaitGroup
	sending.Go(func() { result, err = sendBy(pool)(t.Context(), mail, message, nil) })
	<-greeted
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	pool.Close(ctx)
	sending.Wait()
	// The server may greet before the dialer has returned here.
	early := result.Stage == StageBanner || result.Stage == StageConnect
	if !errors.Is(err, ErrPoolClosed) || !early || result.InDoubt {
		t.Errorf("got %+v, %v", result, err)
	}
}

// BenchmarkSession is one session sending mails of 4 KB to the sink, which
// shares the machine.
func BenchmarkSession(b *testing.B) {
	body := make([]byte, 0, 4200)
	for len(body) < 4096 {
		body = append(body, "Seventy-odd octets of text, which is what a line of a mail usually has.\r\n"...)
	}
	for _, pipelining := range []bool{true, false} {
		for _, delay := range []time.Duration{0, 20 * time.Millisecond} {
			b.Run(fmt.Sprintf("pipelining %v, round trip %v", pipelining, delay), func(b *testing.B) {
				sink := startSink(b, smtpsink.Options{CountOnly: true, NoPipelining: !pipelining, Delay: delay})
				session := openSession(b, relayTo(sink))
				b.SetBytes(int64(len(body)))
				b.ReportAllocs()
				for b.Loop() {
					if _, err := session.Send(b.Context(), mail, body, func() error { return nil }); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msg/s")
			})
		}
	}
}
