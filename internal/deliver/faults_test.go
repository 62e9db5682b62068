package deliver

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/smtpsink"
	"vestnik/internal/store/storetest"
	"vestnik/internal/torture"
	"vestnik/internal/transport"
)

// class is what a fault of the server that strikes once comes to.
type class string

const (
	unseen  class = "unseen"  // the mail is accepted at once
	again   class = "later"   // it is tried again; the server is asked for others meanwhile
	pause   class = "pause"   // it is about us: all wait a moment, and it is tried again
	halt    class = "halt"    // it is about us, for good: the run is halted until a person lets it go on
	fails   class = "fails"   // it is refused for good; the contact is not to blame
	mailbox class = "mailbox" // it is refused for good, and the contact is marked
	doubt   class = "doubt"   // nobody knows; it is listed
)

// serverFault is one thing that a server can do in place of its answer.
type serverFault struct {
	name  string
	reply smtpsink.Reply
}

// trickle is the pace of a slow server: in the long form as slow as its patience of
// twenty seconds allows for the longest answer.
var trickle = time.Duration(torture.Times(1, 50)) * time.Millisecond

var (
	refused  = serverFault{name: "refuse"}
	stalled  = serverFault{"stall", smtpsink.Reply{Action: smtpsink.Stall}}
	dropped  = serverFault{"drop", smtpsink.Reply{Action: smtpsink.Drop}}
	resets   = serverFault{"reset", smtpsink.Reply{Action: smtpsink.Reset}}
	keeps    = serverFault{"reset after acceptance", smtpsink.Reply{Action: smtpsink.Reset, Accepted: true}}
	leaves   = serverFault{"421", smtpsink.Reply{Code: 421, Enhanced: "4.3.2", Text: "restart", Action: smtpsink.Hangup}}
	defers   = serverFault{"4xx", smtpsink.Reply{Code: 450, Enhanced: "4.7.1", Text: "later"}}
	policy   = serverFault{"5.7.1", smtpsink.Reply{Code: 550, Enhanced: "5.7.1", Text: "we do not like you"}}
	noSuch   = serverFault{"5.1.1", smtpsink.Reply{Code: 550, Enhanced: "5.1.1", Text: "no such mailbox"}}
	content  = serverFault{"5.6.0", smtpsink.Reply{Code: 554, Enhanced: "5.6.0", Text: "we do not like this"}}
	garbled  = serverFault{"garbage", smtpsink.Reply{Raw: "\x00\xffHTTP/1.1 400\r\n"}}
	endless  = serverFault{"endless", smtpsink.Reply{Action: smtpsink.Endless}}
	slowly   = serverFault{"slow", smtpsink.Reply{Action: smtpsink.Trickle, Pace: trickle}}
	allOfTCP = []serverFault{stalled, dropped, resets, leaves, defers, garbled, endless}
)

// phases are those of a conversation, with what each fault there comes to: all of
// allOfTCP to the same, since none of them says anything for good, and others to
// what they say. What a slow server says comes to nothing else than said at once.
var phases = []struct {
	stage  smtpsink.Stage
	tcp    class
	others map[class][]serverFault
}{
	{smtpsink.StageConnect, pause, map[class][]serverFault{pause: {refused}, halt: {policy, content}}},
	{smtpsink.StageEHLO, pause, map[class][]serverFault{halt: {policy, content}}},
	{smtpsink.StageStartTLS, pause, map[class][]serverFault{halt: {policy, content}}},
	{smtpsink.StageAuth, pause, map[class][]serverFault{halt: {policy, content}}},
	{smtpsink.StageMail, again, map[class][]serverFault{halt: {policy, content, noSuch}}},
	{smtpsink.StageRcpt, again, map[class][]serverFault{again: {policy}, mailbox: {noSuch}, fails: {content}}},
	{smtpsink.StageData, again, map[class][]serverFault{again: {policy}, mailbox: {noSuch}, fails: {content}}},
	{smtpsink.StageDot, doubt, map[class][]serverFault{doubt: {keeps}, again: {policy, leaves, defers}, mailbox: {noSuch}, fails: {content}}},
}

// faultyCase is a cell of the table.
type faultyCase struct {
	stage smtpsink.Stage
	fault serverFault
	want  class
}

func faultyCases() (cases []faultyCase) {
	for _, p := range phases {
		told := map[string]bool{}
		for want, faults := range p.others {
			for _, fault := range faults {
				told[fault.name] = true
				cases = append(cases, faultyCase{p.stage, fault, want})
			}
		}
		for _, fault := range allOfTCP {
			if !told[fault.name] {
				cases = append(cases, faultyCase{p.stage, fault, p.tcp})
			}
		}
		cases = append(cases, faultyCase{p.stage, slowly, unseen})
	}
	return cases
}

// casesAtOnce is how many cases run at once: most of their time is a second's pause.
const casesAtOnce = 8

// TestEveryFaultOfTheServer has the server do each thing at each phase, once in a run
// of four. What the database is makes no difference, so the short form has SQLite.
func TestEveryFaultOfTheServer(t *testing.T) {
	t.Parallel()
	databases := map[string]func(testing.TB) string{"sqlite": storetest.SQLiteURL}
	if torture.Long() {
		databases["postgres"] = storetest.PostgresURL
	}
	config, roots, err := smtpsink.SelfSigned("127.0.0.1")
	ok(t, err)
	for name, newURL := range databases {
		t.Run(name, func(t *testing.T) {
			line := torture.Line{Fault: "the server at every phase", Database: name}
			var mu sync.Mutex
			var all sync.WaitGroup
			slots := make(chan struct{}, casesAtOnce)
			for _, c := range faultyCases() {
				all.Go(func() {
					slots <- struct{}{}
					defer func() { <-slots }()
					t.Run(fmt.Sprintf("%s at %s comes to %s", c.fault.name, c.stage, c.want), func(t *testing.T) {
						r := c.test(t, newURL(t), config, roots)
						mu.Lock()
						defer mu.Unlock()
						line.Add(r, 0)
					})
				})
			}
			all.Wait()
			torture.Record(t, line)
		})
	}
}

// struckOnce has the server do it once, to the first recipient where the phase has one.
func (c faultyCase) struckOnce() func(smtpsink.Stage, smtpsink.Envelope) smtpsink.Reply {
	var struck atomic.Bool
	return func(at smtpsink.Stage, env smtpsink.Envelope) smtpsink.Reply {
		if at != c.stage || len(env.To) > 0 && env.To[0] != address(1) || !struck.CompareAndSwap(false, true) {
			return smtpsink.Reply{}
		}
		return c.fault.reply
	}
}

func (c faultyCase) test(t *testing.T, url string, config *tls.Config, roots *x509.CertPool) torture.Reckoning {
	const recipients = 4
	w := newWorld(t, storetest.Open(t, url), recipients, smtpsink.Options{
		TLS: config, Username: "anna", Password: "secret", Strict: true, Answer: c.struckOnce(),
	})
	id := w.open(t, w.mailing(t, mailing.Mailing{}))
	w.start(t, func(config *Config) {
		config.Workers = 2
		config.Roads = roadOver(config, w.pool(t, c.relay(w, roots), 2))
	})
	if c.want == halt {
		eventually(t, "the run is halted", func() bool { return w.run(t, id).Halt != "" })
		if why := w.run(t, id).Halt; !strings.Contains(why, c.fault.reply.Text) {
			t.Errorf("it is halted because of %q", why)
		}
		ok(t, w.HaltRun(background, id, "")) // a person lets it go on
	}
	run := w.complete(t, id)
	w.checkCounts(t, id)
	equal(t, "halted because of", run.Halt, "")
	c.checkStruck(t, w, id)
	if violations := w.sink.Violations(); len(violations) > 0 {
		t.Errorf("the server saw %q", violations)
	}
	r := torture.Reckon(w.deliveries(t, id), w.sink.Copies(), 1)
	for _, sentence := range r.Complaints() {
		t.Error(sentence)
	}
	return r
}

// relay has patience, but at a stage that stalls.
func (c faultyCase) relay(w *world, roots *x509.CertPool) *transport.Relay {
	relay := w.relay()
	relay.TLS, relay.RootCAs, relay.Username, relay.Password = transport.TLSRequired, roots, "anna", "secret"
	long, short := 20*time.Second, 20*time.Second
	if c.fault.name == stalled.name {
		short = time.Second // others may need it, too, on a machine that is busy
	}
	relay.Timeouts = transport.Timeouts{
		Connect: long, Banner: short, EHLO: short, TLS: short, Auth: short, Mail: short, Rcpt: short, Data: short,
		Block: long, Dot: short, Quit: 20 * time.Millisecond,
	}
	if c.fault.name == refused.name {
		var refusals atomic.Int64
		relay.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
			if refusals.Add(1) == 1 {
				address = "127.0.0.1:1" // nothing listens there (tcpmux, RFC 1078)
			}
			return (&net.Dialer{}).DialContext(ctx, network, address)
		}
	}
	return relay
}

// checkStruck checks what the log and the ledger say of the one mail that was struck,
// and that the others were accepted.
func (c faultyCase) checkStruck(t *testing.T, w *world, id int64) {
	t.Helper()
	results := map[class]mailing.AttemptResult{
		again: mailing.AttemptDeferred, pause: mailing.AttemptDeferred, halt: mailing.AttemptDeferred,
		fails: mailing.AttemptFailed, mailbox: mailing.AttemptFailed, doubt: mailing.AttemptInDoubt,
	}
	var struck []mailing.Attempt
	for _, a := range w.attempts(t, id) {
		if a.Result != mailing.AttemptAccepted {
			struck = append(struck, a)
		}
	}
	if c.want == unseen {
		equal(t, "attempts that were not accepted", len(struck), 0)
		return
	}
	if len(struck) != 1 || struck[0].Result != results[c.want] || struck[0].Reply.Code != c.fault.reply.Code || struck[0].Reply.Text == "" {
		t.Fatalf("not accepted were %+v, want one that is %s with the server's words", struck, results[c.want])
	}
	states := map[class]mailing.DeliveryState{fails: mailing.Failed, mailbox: mailing.Failed, doubt: mailing.InDoubt}
	for _, d := range w.deliveries(t, id) {
		want := mailing.Sent
		if final, isFinal := states[c.want]; isFinal && d.Email == struck[0].Email {
			want = final
		}
		equal(t, "the state of "+d.Email, d.State, want)
	}
	marked, err := w.Suppressed(background, w.owner.ID, struck[0].Email)
	ok(t, err)
	equal(t, "the contact is marked", marked, c.want == mailbox)
}
