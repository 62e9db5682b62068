package server_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"vestnik/internal/app"
	"vestnik/internal/config"
	"vestnik/internal/mailing"
	"vestnik/internal/server"
	"vestnik/internal/smtpsink"
	"vestnik/internal/store"
	"vestnik/internal/store/storetest"
	"vestnik/internal/torture"
)

// connections is how many mails each service under test has on the wire at once.
const connections = 50

// house is an installation as its operator sees it: a database, a mail server,
// one owner with a message, and settings to start services with.
type house struct {
	t     *testing.T
	url   string // of the database
	dir   string // the data folder
	key   string
	base  *server.Base // the use cases, without a service
	store *store.Store
	owner mailing.Account
}

func newHouse(t *testing.T, url string) *house {
	t.Helper()
	h := &house{t: t, url: url, dir: t.TempDir(), key: strings.Repeat("k", 40)}
	c, err := config.Load(h.settings("VESTNIK_DATA_DIR="+t.TempDir()), nil)
	if err != nil {
		t.Fatal(err)
	}
	h.base, err = server.Open(t.Context(), c, slog.New(slog.DiscardHandler), false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.base.Close() }) // twice does no harm
	h.store = h.base.Store
	h.owner = storetest.Account(t, h.store, "anna@example.org")
	return h
}

// in is the house for a subtest.
func (h *house) in(t *testing.T) *house {
	of := *h
	of.t = t
	return &of
}

// settings are those of a service of this house; more win over them.
func (h *house) settings(more ...string) []string {
	return append([]string{
		"DATABASE_URL=" + h.url, "VESTNIK_DATA_DIR=" + h.dir, "VESTNIK_SECRET_KEY=" + h.key,
		fmt.Sprintf("VESTNIK_CONNECTIONS=%d", connections), "VESTNIK_MAIL_FROM=Вестник <vestnik@example.org>",
		"VESTNIK_BASE_URL=http://127.0.0.1:8000", // the same at every start, as it is in the mails
		"VESTNIK_DRAIN_TIMEOUT=" + drainLimit.String(),
	}, more...)
}

// serve starts a service of this house that sends through the mail server at
// addr.
func (h *house) serve(addr string, more ...string) *process {
	h.t.Helper()
	return start(h.t, h.settings(append([]string{
		"SMTP_URL=smtp://" + addr + "?tls=none", "VESTNIK_ADDR=" + freeAddr(h.t),
	}, more...)...)...)
}

// letter is what the owner writes: Cyrillic everywhere, HTML and text, fields.
var letter = app.MessageForm{
	Subject: "Новости для {{ first_name | default: \"друга\" }}: чай, ёлка и «кавычки»",
	Format:  mailing.FormatMarkdown,
	Body: "Здравствуйте, {{ first_name }}!\n\n.Точка в начале строки и **жирный** текст.\n\n" +
		"- [ссылка](https://example.org/путь?q=1)\n- " + strings.Repeat("длинная строка ", 90) + "\n",
}

// mailing makes a mailing of the letter to all clients, which is not due by
// itself for a long time.
func (h *house) mailing(doubt mailing.Doubt) mailing.Mailing {
	h.t.Helper()
	message, err := h.base.App.CreateMessage(h.t.Context(), h.owner, letter)
	if err != nil {
		h.t.Fatal(err)
	}
	return storetest.Mailing(h.t, h.store, mailing.Mailing{
		OwnerID: h.owner.ID, MessageID: message.ID, Doubt: doubt, NextAt: time.Now().Add(24 * time.Hour),
		Rule: mailing.Rule{
			Frequency: mailing.Daily, Interval: 1, Start: mailing.DateOf(time.Now().AddDate(0, 0, 1)),
			At: mailing.Clock{Hour: 12}, Zone: "Europe/Moscow",
		},
	})
}

// sendNow has the mailing sent by hand.
func (h *house) sendNow(m mailing.Mailing) (runID int64) {
	h.t.Helper()
	runID, err := h.base.App.SendNow(h.t.Context(), h.owner, m.ID)
	if err != nil {
		h.t.Fatal(err)
	}
	return runID
}

func (h *house) run(id int64) mailing.Run {
	h.t.Helper()
	run, err := h.store.Run(context.Background(), id)
	if err != nil {
		h.t.Fatal(err)
	}
	return run
}

// awaitEnd waits until the run is completed, which it must be by itself.
func (h *house) awaitEnd(id int64, within time.Duration) {
	h.t.Helper()
	limit := time.Now().Add(within)
	for run := h.run(id); run.State != mailing.RunCompleted; run = h.run(id) {
		if time.Now().After(limit) {
			h.t.Fatalf("the run is still %s after %s: %+v, halt %q", run.State, within, run.Counts, run.Halt)
		}
		<-time.After(lookEvery)
	}
}

func (h *house) deliveries(runID int64) []mailing.Delivery {
	h.t.Helper()
	list, _, err := h.store.Deliveries(context.Background(), store.DeliveryFilter{RunID: runID}, store.Page{Limit: 1e6})
	if err != nil {
		h.t.Fatal(err)
	}
	return list
}

func (h *house) log(runID int64) []mailing.Attempt {
	h.t.Helper()
	attempts, err := h.store.Log(context.Background(), store.LogFilter{RunID: runID, Limit: 1e6})
	if err != nil {
		h.t.Fatal(err)
	}
	return attempts
}

// account is the oracle: it compares what the ledger says about a run with what
// the mail server was given, and fails for everything that is lost, doubled or
// miscounted. It returns who is listed as in doubt.
func (h *house) account(runID int64, copies map[string]int, mostCopies int) (inDoubt []mailing.Delivery) {
	h.t.Helper()
	return h.reckon(runID, copies, mostCopies).InDoubt
}

// reckon is account for those who want all numbers.
func (h *house) reckon(runID int64, copies map[string]int, mostCopies int) torture.Reckoning {
	h.t.Helper()
	list := h.deliveries(runID)
	counted := map[mailing.DeliveryState]int64{}
	for _, d := range list {
		counted[d.State]++
	}
	r := torture.Reckon(list, copies, mostCopies)
	for _, sentence := range r.Complaints() {
		h.t.Error(sentence)
	}
	view, err := h.base.App.Run(context.Background(), h.owner, runID)
	if err != nil {
		h.t.Fatal(err)
	}
	h.checkCounts(view.Run, counted)
	return r
}

// checkCounts compares the numbers on the run's page with its rows.
func (h *house) checkCounts(run mailing.Run, rows map[mailing.DeliveryState]int64) {
	h.t.Helper()
	want := mailing.Counts{
		Sent: rows[mailing.Sent], Failed: rows[mailing.Failed], Skipped: rows[mailing.Skipped], InDoubt: rows[mailing.InDoubt],
	}
	for _, n := range rows {
		want.Audience += n
	}
	if run.Counts != want {
		h.t.Errorf("the run counts %+v, but its rows are %+v", run.Counts, want)
	}
}

// sink is a mail server that tells when it has accepted so many mails. It may have
// more doors, which are mail servers of their own; then it tells of all.
type sink struct {
	*smtpsink.Server
	doors []*smtpsink.Server

	mu       sync.Mutex
	accepted int
	first    time.Time
	again    time.Time // of the first acceptance since forget
	deaf     bool      // until a session begins
	marks    map[int]chan struct{}
}

func newSink(t *testing.T, options smtpsink.Options) *sink {
	t.Helper()
	s := &sink{marks: map[int]chan struct{}{}}
	s.Server = s.door(t, options)
	return s
}

// door starts one more mail server of the sink.
func (s *sink) door(t *testing.T, options smtpsink.Options) *smtpsink.Server {
	t.Helper()
	answer := options.Answer
	options.Answer = func(stage smtpsink.Stage, e smtpsink.Envelope) smtpsink.Reply {
		var reply smtpsink.Reply
		if answer != nil {
			reply = answer(stage, e)
		}
		switch {
		case stage == smtpsink.StageConnect:
			s.hear()
		case stage == smtpsink.StageDot && reply.Code < 400:
			s.count()
		}
		return reply
	}
	server, err := smtpsink.Start(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	s.doors = append(s.doors, server)
	return server
}

// Copies says how many messages each recipient has got, by all doors.
func (s *sink) Copies() map[string]int {
	copies := map[string]int{}
	for _, door := range s.doors {
		for email, n := range door.Copies() {
			copies[email] += n
		}
	}
	return copies
}

// Count is how many messages were accepted, by all doors.
func (s *sink) Count() (sum int) {
	for _, door := range s.doors {
		sum += door.Count()
	}
	return sum
}

func (s *sink) count() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.accepted++
	if s.accepted == 1 {
		s.first = time.Now()
	}
	if s.again.IsZero() && !s.deaf {
		s.again = time.Now()
	}
	if mark := s.marks[s.accepted]; mark != nil {
		close(mark)
	}
}

func (s *sink) firstAt() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.first
}

// forget has againAt tell of acceptances from here on only.
func (s *sink) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.again = time.Time{}
}

// forgetDead is forget for when the sender has died: what it had on the wire may still
// be accepted, and does not count.
func (s *sink) forgetDead() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.again, s.deaf = time.Time{}, true
}

func (s *sink) hear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.deaf = false
}

// againAt is when the first mail since forget was accepted; zero: none was.
func (s *sink) againAt() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.again
}

// awaitMore waits until so many more mails than now were accepted.
func (s *sink) awaitMore(t *testing.T, n int) {
	t.Helper()
	s.await(t, s.Count()+n)
}

// await waits until so many mails were accepted in all.
func (s *sink) await(t *testing.T, n int) {
	t.Helper()
	s.mu.Lock()
	if s.accepted >= n {
		s.mu.Unlock()
		return
	}
	mark := s.marks[n]
	if mark == nil {
		mark = make(chan struct{})
		s.marks[n] = mark
	}
	s.mu.Unlock()
	select {
	case <-mark:
	case <-time.After(time.Minute):
		t.Fatalf("%d mails were not sent within a minute; there are %d", n, s.Count())
	}
}
