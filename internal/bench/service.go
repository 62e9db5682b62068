package bench

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"vestnik/internal/app"
	"vestnik/internal/config"
	"vestnik/internal/mailing"
	"vestnik/internal/server"
	"vestnik/internal/store"
)

// service is Vestnik on one kind of database.
type service struct {
	*bench
	database
	signed   bool          // its mails are, as a domain's are whose keys were made by default
	mailings map[int]int64 // by the number of recipients
}

// secret stands for that of an installation; it guards nothing here.
var secret = strings.Repeat("bench", 8)

// senderDomain is the domain of the sender's address.
const senderDomain = "bench.test"

// settings are those of the service and of the use cases beside it.
func settings(databaseURL, dataDir string, more ...string) []string {
	return append([]string{
		"DATABASE_URL=" + databaseURL, "VESTNIK_DATA_DIR=" + dataDir, "VESTNIK_SECRET_KEY=" + secret,
		"VESTNIK_MAIL_FROM=News <news@" + senderDomain + ">", "VESTNIK_BASE_URL=https://vestnik.bench.test",
	}, more...)
}

func open(ctx context.Context, databaseURL, dataDir string) (*server.Base, error) {
	c, err := config.Load(settings(databaseURL, dataDir), nil)
	if err != nil {
		return nil, fmt.Errorf("bench: settings: %w", err)
	}
	return server.Open(ctx, c, slog.New(slog.DiscardHandler), false)
}

// prepare fills the database: for every number of recipients an owner with so many
// clients, and a mailing to them.
func (s *service) prepare(ctx context.Context) error {
	address, err := s.fill()
	if err != nil {
		return err
	}
	base, err := open(ctx, address, s.dir)
	if err != nil {
		return err
	}
	if s.signed {
		if _, err := base.App.CreateSigningKeys(ctx, app.Operator, app.SigningForm{Domain: senderDomain}); err != nil {
			return errors.Join(err, base.Close())
		}
	}
	s.mailings = map[int]int64{}
	for _, n := range s.audiences() {
		if s.mailings[n], err = addMailing(ctx, base, n); err != nil {
			return errors.Join(err, base.Close())
		}
	}
	return base.Close()
}

// audiences are the numbers of recipients that occur.
func (s *service) audiences() []int {
	var all []int
	for _, sc := range s.scenarios() {
		if sc.Signed == s.signed {
			all = append(all, sc.Recipients)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func addMailing(ctx context.Context, base *server.Base, recipients int) (int64, error) {
	owner, err := base.App.CreateAccount(ctx, app.NewAccount{
		Email: fmt.Sprintf("owner-of-%d@bench.test", recipients), FirstName: "Owner", LastName: "Bench",
		Password: rand.Text(), Role: mailing.RoleUser, Lang: "en",
	})
	if err != nil {
		return 0, err
	}
	if err := addContacts(ctx, base.Store, owner.ID, recipients); err != nil {
		return 0, err
	}
	message, err := base.App.CreateMessage(ctx, owner, letter)
	if err != nil {
		return 0, err
	}
	m, err := base.App.CreateMailing(ctx, owner, app.MailingForm{
		MessageID: message.ID, Audience: mailing.AudienceAll, Doubt: mailing.NeverTwice,
		Rule: mailing.Rule{
			Frequency: mailing.Monthly, Interval: 1, MonthlyBy: mailing.ByDay, Day: 1,
			Start: mailing.DateOf(time.Now().AddDate(0, 1, 0)), At: mailing.Clock{Hour: 12}, Zone: "UTC",
		},
	})
	return m.ID, err
}

func addContacts(ctx context.Context, s *store.Store, owner int64, n int) error {
	const batch = 1000
	now := time.Now()
	for first := 1; first <= n; first += batch {
		list := make([]mailing.Contact, 0, batch)
		for i := first; i < min(first+batch, n+1); i++ {
			list = append(list, mailing.Contact{
				OwnerID: owner, Email: recipient(i), FirstName: fmt.Sprintf("Anna %d", i),
				LastName: "Ivanova", Comment: "since 2019", CreatedAt: now, UpdatedAt: now,
			})
		}
		if _, err := s.ImportContacts(ctx, list); err != nil {
			return err
		}
	}
	return nil
}

// send measures one mailing.
func (s *service) send(ctx context.Context, sc scenario) (r Result, err error) {
	address, drop, err := s.copy()
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, drop()) }()
	sink, err := startSink(ctx, sc.Delay)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, sink.end()) }()
	dir, err := os.MkdirTemp(s.dir, "data-")
	if err != nil {
		return r, fmt.Errorf("bench: %w", err)
	}
	t := trial{service: s, scenario: sc, address: address, dir: dir, sink: sink}
	return t.run(ctx)
}

// trial is one mailing that is measured.
type trial struct {
	*service
	scenario
	address string // of the database
	dir     string
	sink    *sink
	log     output
}

func (t *trial) run(ctx context.Context) (r Result, err error) {
	child, err := t.serve(ctx)
	if err != nil {
		return r, err
	}
	defer func() {
		// SIGTERM, as an operator stops it. What it says then is of no interest.
		_ = child.cmd.Process.Signal(syscall.SIGTERM)
		if ended := child.end(); ended != nil {
			err = errors.Join(err, fmt.Errorf("bench: service: %w: %s", ended, t.log.String()))
		}
	}()
	base, err := open(ctx, t.address, t.dir)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, base.Close()) }()
	return t.measure(ctx, base, child.cmd.Process.Pid)
}

// The service is given half a minute to start; it takes a second.
const (
	startTries = 600
	readyEvery = 50 * time.Millisecond
)

// serve starts the service and waits until it is ready.
func (t *trial) serve(ctx context.Context) (*process, error) {
	relay := url.URL{Scheme: "smtp", Host: t.sink.addr, RawQuery: "tls=none&messages=10000"}
	env := settings(t.address, t.dir, "SMTP_URL="+relay.String(), "VESTNIK_ADDR=127.0.0.1:0",
		fmt.Sprintf("VESTNIK_CONNECTIONS=%d", t.Connections))
	args := []string{"serve"}
	if t.Keep != "" {
		args = append(args, "--cpu-profile="+filepath.Join(t.Keep, fmt.Sprintf("%s-%d-%s.pprof", t.name(), t.Connections, t.Delay)))
	}
	child, err := start(ctx, env, &t.log, args...)
	if err != nil {
		return nil, err
	}
	for range startTries {
		if strings.Contains(t.log.String(), "pages are served") {
			return child, nil
		}
		time.Sleep(readyEvery)
	}
	return nil, errors.Join(fmt.Errorf("bench: service does not start: %s", t.log.String()), child.end())
}

// measure sends the mailing by hand and looks what comes of it.
func (t *trial) measure(ctx context.Context, base *server.Base, pid int) (r Result, err error) {
	before, err := t.meters(pid)
	if err != nil {
		return r, err
	}
	asked := time.Now()
	runID, err := base.App.SendNow(ctx, app.Operator, t.mailings[t.Recipients])
	if err != nil {
		return r, err
	}
	opened := make(chan time.Duration, 1)
	go func() { opened <- awaitOpened(ctx, base, runID, asked) }()
	said, err := t.sink.await(ctx, t.Recipients)
	if err != nil {
		return r, fmt.Errorf("%w: %s", err, t.log.String())
	}
	r = resultOf(said, t.Recipients)
	r.FirstAfter, r.OpenedAfter = said.First.Sub(asked), <-opened
	if err := t.awaitEnd(ctx, base, runID); err != nil {
		return r, err
	}
	after, err := t.meters(pid)
	if err != nil {
		return r, err
	}
	r.SenderCPU, r.DatabaseCPU, r.SinkCPU = after.sender-before.sender, after.database-before.database, after.sink-before.sink
	r.PeakMemory, err = peakMemory(pid)
	return r, err
}

// A run is looked at so often, and is given so many looks, 24 seconds, to end once
// its last mail has arrived: outcomes are settled within fractions of one.
const (
	lookEvery = 40 * time.Millisecond
	endTries  = 600
)

// awaitOpened is how long it took until all deliveries were written down.
func awaitOpened(ctx context.Context, base *server.Base, runID int64, asked time.Time) time.Duration {
	for ctx.Err() == nil {
		run, err := base.Store.Run(ctx, runID)
		if err != nil || run.State != mailing.RunOpening {
			break
		}
		time.Sleep(lookEvery)
	}
	return time.Since(asked)
}

// awaitEnd waits until the ledger says that all was sent, and checks that it says
// what the sink says.
func (t *trial) awaitEnd(ctx context.Context, base *server.Base, runID int64) error {
	for range endTries {
		run, err := base.Store.Run(ctx, runID)
		if err != nil {
			return err
		}
		if run.State == mailing.RunCompleted {
			if run.Counts.Sent != int64(t.Recipients) {
				return fmt.Errorf("bench: %d mails arrived, but the ledger says %+v", t.Recipients, run.Counts)
			}
			return nil
		}
		time.Sleep(lookEvery)
	}
	return fmt.Errorf("bench: the run does not end: %s", t.log.String())
}

// meters are processor times so far.
type meters struct{ sender, database, sink time.Duration }

func (t *trial) meters(pid int) (m meters, err error) {
	if m.sender, err = cpu(pid); err != nil {
		return m, err
	}
	if m.sink, err = cpu(t.sink.cmd.Process.Pid); err != nil {
		return m, err
	}
	server, err := t.pid()
	if err != nil || server == 0 {
		return m, err
	}
	m.database, err = treeCPU(server)
	return m, err
}

// output is what a process has written so far.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}
