package deliver

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"vestnik/internal/compose"
	"vestnik/internal/mailing"
	"vestnik/internal/smtpsink"
	"vestnik/internal/store"
	"vestnik/internal/store/storetest"
	"vestnik/internal/transport"
)

func TestMain(m *testing.M) { storetest.Main(m) }

var background = context.Background()

// patience is how long tests wait for what must happen: far longer than it takes.
const patience = 60 * time.Second

// backoff is short, so that second tries come soon.
const backoff = 50 * time.Millisecond

// world is an owner with contacts, a mail server and a folder for journals.
type world struct {
	*store.Store
	owner mailing.Account
	sink  *smtpsink.Server
	// closeSink may be called more than once.
	closeSink func() error
	dir       string
	log       *slog.Logger
}

func newWorld(t testing.TB, s *store.Store, contacts int, options smtpsink.Options) *world {
	t.Helper()
	w := &world{Store: s, owner: newOwner(t, s), dir: t.TempDir(), log: quiet()}
	if contacts > 0 {
		storetest.Contacts(t, s, w.owner.ID, contacts)
	}
	w.serve(t, options)
	return w
}

// newOwner makes an account that no test has had before.
func newOwner(t testing.TB, s *store.Store) mailing.Account {
	t.Helper()
	return storetest.Account(t, s, fmt.Sprintf("owner%d@example.com", store.NewID()))
}

// quiet is where the log goes, unless somebody wants to see it.
func quiet() *slog.Logger {
	if os.Getenv("VESTNIK_TEST_LOG") != "" {
		return slog.New(slog.NewTextHandler(os.Stderr, nil))
	}
	return slog.New(slog.NewTextHandler(io.Discard, nil))
}

// serve starts a mail server in the place of the one there is.
func (w *world) serve(t testing.TB, options smtpsink.Options) {
	t.Helper()
	sink, err := smtpsink.Start(options)
	ok(t, err)
	w.sink, w.closeSink = sink, sync.OnceValue(sink.Close)
	closeSink := w.closeSink
	t.Cleanup(func() { _ = closeSink() })
}

func (w *world) relay() *transport.Relay {
	return &transport.Relay{Host: "127.0.0.1", Port: w.sink.Port(), TLS: transport.TLSNone}
}

// pool is a way out to the mail server with the number of sessions.
func (w *world) pool(t testing.TB, relay *transport.Relay, sessions int) *transport.Pool {
	t.Helper()
	pool := transport.NewPool(relay, transport.PoolOptions{Sessions: sessions, Messages: 1000})
	t.Cleanup(func() {
		ctx, cancel := context.WithCancel(background)
		cancel()
		_ = pool.Close(ctx) // cuts what a test has left hanging
	})
	return pool
}

const workers = 8

func (w *world) config(sender Sender) Config {
	roads := []*Road{{Sender: sender, From: compose.Address{Name: "Вестник", Email: "news@vestnik.test"}}}
	return Config{
		Store: w.Store, Log: w.log, Dir: w.dir, Workers: workers, Roads: func() []*Road { return roads },
		UnsubscribeURL: func(ownerID, runID int64, email string) string {
			return fmt.Sprintf("https://vestnik.test/unsubscribe/%d/%d/%s", ownerID, runID, email)
		},
		OpenVars: func(_, sealed string) (map[string]any, error) { return map[string]any{"code": sealed}, nil },
		Backoff:  func(int64) time.Duration { return backoff }, RemakeAfter: backoff,
	}
}

// running is an engine at work.
type running struct {
	*Engine
	cancel context.CancelFunc
	done   chan struct{}
	err    error // when done is closed
}

// start runs an engine over a pool of its own until the test ends.
func (w *world) start(t testing.TB, change ...func(*Config)) *running {
	t.Helper()
	c := w.config(w.pool(t, w.relay(), workers))
	for _, f := range change {
		f(&c)
	}
	ctx, cancel := context.WithCancel(background)
	r := &running{Engine: newEngine(c), cancel: cancel, done: make(chan struct{})}
	ok(t, r.Engine.start(ctx))
	go func() {
		defer close(r.done)
		r.err = r.work(ctx)
		_ = r.journal.close()
	}()
	t.Cleanup(func() {
		cancel()
		r.wait(t)
	})
	return r
}

// delay is for how long the only way out was closed last.
func (r *running) delay() time.Duration {
	for _, l := range r.lanes.all() {
		l.gate.mu.Lock()
		defer l.gate.mu.Unlock()
		return l.gate.delay
	}
	return 0
}

// sent is how many mails servers took from the engine.
func (r *running) sent() (sum int64) {
	for _, l := range r.lanes.all() {
		sum += l.sent.Load()
	}
	return sum
}

// wait waits until the engine has ended and returns its error.
func (r *running) wait(t testing.TB) error {
	t.Helper()
	select {
	case <-r.done:
		return r.err
	case <-time.After(patience):
		t.Fatal("the engine does not end")
		return nil
	}
}

// stop asks the engine to stop and waits for it.
func (r *running) stop(t testing.TB) {
	t.Helper()
	r.cancel()
	ok(t, r.wait(t))
}

// mailing makes a mailing like m to all contacts, or to those with the ids.
func (w *world) mailing(t testing.TB, m mailing.Mailing, ids ...int64) mailing.Mailing {
	t.Helper()
	m.OwnerID = w.owner.ID
	return storetest.Mailing(t, w.Store, m, ids...)
}

// open opens a run of the mailing as of this moment.
func (w *world) open(t testing.TB, m mailing.Mailing) int64 {
	t.Helper()
	message, err := w.Message(background, m.MessageID)
	ok(t, err)
	run := storetest.OpeningRun(m)
	run.CreatedAt = time.Now()
	id, err := w.OpenManualRun(background, run, store.Content{Subject: message.Subject, Format: message.Format, Body: message.Body}, run.CreatedAt)
	ok(t, err)
	for done := false; !done; {
		done, err = w.FillRun(background, id, time.Now())
		ok(t, err)
	}
	return id
}

// openSystem opens a run of one mail that somebody waits for.
func (w *world) openSystem(t testing.TB, email string) int64 {
	t.Helper()
	now := time.Now()
	id, err := w.OpenSingleRun(background, store.Single{Run: mailing.Run{
		OwnerID: w.owner.ID, Kind: mailing.RunSystem, State: mailing.RunOpening, ScheduledFor: now, Lang: "ru",
		Priority: mailing.PrioritySystem, Doubt: mailing.NeverMissed, CreatedAt: now,
	}, Content: store.Content{Subject: "Код", Format: mailing.FormatText, Body: "Ваш код: {{ code }}"}, Email: email, Vars: "1234"})
	ok(t, err)
	return id
}

func (w *world) run(t testing.TB, id int64) mailing.Run {
	t.Helper()
	run, err := w.Run(background, id)
	ok(t, err)
	return run
}

func (w *world) deliveries(t testing.TB, runID int64) []mailing.Delivery {
	t.Helper()
	list, _, err := w.Deliveries(background, store.DeliveryFilter{RunID: runID}, store.Page{Limit: 100_000})
	ok(t, err)
	return list
}

func (w *world) delivery(t testing.TB, runID int64, email string) mailing.Delivery {
	t.Helper()
	for _, d := range w.deliveries(t, runID) {
		if d.Email == email {
			return d
		}
	}
	t.Fatalf("run %d has no delivery to %s", runID, email)
	return mailing.Delivery{}
}

func (w *world) attempts(t testing.TB, runID int64) []mailing.Attempt {
	t.Helper()
	list, err := w.Log(background, store.LogFilter{RunID: runID, Limit: 1_000_000})
	ok(t, err)
	return list
}

// states counts the rows of a run.
func (w *world) states(t testing.TB, runID int64) map[mailing.DeliveryState]int64 {
	t.Helper()
	counts, err := w.CountDeliveries(background, runID)
	ok(t, err)
	return counts
}

// inHand is how many of the run's deliveries nodes hold.
func (w *world) inHand(t testing.TB, runID int64) int64 {
	t.Helper()
	n, err := storetest.InHand(w.Store, runID)
	ok(t, err)
	return n
}

// complete waits until the run is completed.
func (w *world) complete(t testing.TB, runID int64) mailing.Run {
	t.Helper()
	eventually(t, fmt.Sprintf("run %d is completed", runID), func() bool {
		return w.run(t, runID).State == mailing.RunCompleted
	})
	return w.run(t, runID)
}

// check is the promise of the house. Every recipient of the runs is accounted
// for: sent, failed, skipped, in doubt or waiting; none is stuck in sending; the
// counts are those of the rows; and the mail server has what the ledger says, no
// more copies than allowed of anything.
func (w *world) check(t testing.TB, allowed int, runIDs ...int64) {
	t.Helper()
	sent, doubtful := map[string]int{}, map[string]int{}
	for _, id := range runIDs {
		w.checkCounts(t, id)
		for _, d := range w.deliveries(t, id) {
			switch d.State {
			case mailing.Sent:
				sent[d.Email]++
			case mailing.InDoubt:
				doubtful[d.Email]++
			}
		}
		if n := w.inHand(t, id); n > 0 {
			t.Errorf("%d deliveries of run %d are stuck in sending", n, id)
		}
	}
	copies := w.sink.Copies()
	for email, n := range sent {
		if copies[email] < n {
			t.Errorf("%d mails to %s are said to be sent, the server has %d", n, email, copies[email])
		}
	}
	for email, n := range copies {
		if most := (sent[email] + doubtful[email]) * allowed; n > most {
			t.Errorf("the server has %d mails to %s, %d at most are right", n, email, most)
		}
	}
}

func (w *world) checkCounts(t testing.TB, runID int64) {
	t.Helper()
	run, rows := w.run(t, runID), w.states(t, runID)
	var audience int64
	for _, n := range rows {
		audience += n
	}
	counted := mailing.Counts{
		Audience: audience, Sent: rows[mailing.Sent], Failed: rows[mailing.Failed],
		Skipped: rows[mailing.Skipped], InDoubt: rows[mailing.InDoubt],
	}
	if run.Counts != counted {
		t.Errorf("run %d says %+v and its rows %+v", runID, run.Counts, counted)
	}
	if waiting := rows[mailing.Waiting] + rows[mailing.Deferred] + rows[mailing.Sending]; run.Counts.Waiting() != waiting {
		t.Errorf("of run %d %d are left by its counts and %d by its rows", runID, run.Counts.Waiting(), waiting)
	}
}

// eventually waits until the sentence is true.
func eventually(t testing.TB, sentence string, is func() bool) {
	t.Helper()
	if !within(patience, is) {
		t.Fatalf("not true after %s: %s", patience, sentence)
	}
}

// within reports whether the condition came true in time.
func within(most time.Duration, is func() bool) bool {
	deadline := time.Now().Add(most)
	for !is() {
		if time.Now().After(deadline) {
			return false
		}
		<-time.After(2 * time.Millisecond)
	}
	return true
}

// settles waits until n has not changed for a while and returns it.
func settles(t testing.TB, n func() int) int {
	t.Helper()
	last, since := n(), time.Now()
	eventually(t, "the number does not change any more", func() bool {
		if now := n(); now != last {
			last, since = now, time.Now()
		}
		return time.Since(since) > 500*time.Millisecond
	})
	return last
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func equal[T comparable](t testing.TB, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

// copyDir makes a copy of the journals, as a kill at this moment leaves them.
func copyDir(t testing.TB, dir string) string {
	t.Helper()
	to := t.TempDir()
	ok(t, os.CopyFS(to, os.DirFS(dir)))
	return to
}

// segments are the names of the journal's files below dir.
func segments(t testing.TB, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*", "*.journal"))
	ok(t, err)
	return files
}

// longBody is a message of about 4 KB.
var longBody = "{{ first_name }}, здравствуйте!\n\n" + strings.Repeat("Новости недели, коротко и по делу.\n", 40)

func address(n int) string { return fmt.Sprintf("client%06d@example.com", n) }

// answerTo answers one command to one recipient, and leaves the rest alone.
func answerTo(stage smtpsink.Stage, to string, reply smtpsink.Reply) func(smtpsink.Stage, smtpsink.Envelope) smtpsink.Reply {
	return func(at smtpsink.Stage, env smtpsink.Envelope) smtpsink.Reply {
		if at == stage && len(env.To) > 0 && env.To[len(env.To)-1] == to {
			return reply
		}
		return smtpsink.Reply{}
	}
}

// wrapped is a way out with something in between, for one mail at a time.
type wrapped func(context.Context, transport.Envelope, []byte, func() error) (transport.Result, error)

func (w wrapped) Carry(ctx context.Context, m transport.Mail, next func() transport.Mail) {
	for ; m != nil; m = next() {
		m.Done(w(ctx, m.Envelope(), m.Message(), m.BeforeDot))
	}
}

// sendBy is Carry of one mail.
func sendBy(ctx context.Context, s Sender, env transport.Envelope, message []byte, beforeDot func() error) (result transport.Result, err error) {
	s.Carry(ctx, &single{env: env, message: message, beforeDot: beforeDot, result: &result, err: &err}, nil)
	return result, err
}

type single struct {
	env       transport.Envelope
	message   []byte
	beforeDot func() error
	result    *transport.Result
	err       *error
}

func (s *single) Envelope() transport.Envelope       { return s.env }
func (s *single) Message() []byte                    { return s.message }
func (s *single) BeforeDot() error                   { return s.beforeDot() }
func (s *single) Done(r transport.Result, err error) { *s.result, *s.err = r, err }
