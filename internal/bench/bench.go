// Package bench measures Vestnik against what the machine can do at all, in one
// run, so that the noise of a shared machine falls on both.
//
// The ceiling is a bare blaster: it pipelines messages that are ready, of the
// same size, over the same number of connections, and keeps no record. Vestnik
// sends a full mailing: the ledger, an attempt for each mail, three merge fields,
// unsubscribe headers. Both send to the same counting sink. Sink, blaster and
// service are processes of their own, so that their processor time can be told
// apart; it is read from /proc, so this works on Linux only.
package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"vestnik/internal/pgserver"
)

// Options say what is measured.
type Options struct {
	Recipients  int             // of each mailing, where sending them takes no longer than Limit
	Limit       time.Duration   // what a round with a slow mail server takes at most, about
	Rounds      int             // all is measured so often, in turn
	Connections []int           // to the mail server
	Delays      []time.Duration // of each reply of the mail server
	Senders     []string        // what is measured beside the ceiling: SQLite, Postgres, Signed
	Keep        string          // folder for logs and profiles of the service; empty: none are kept
	Progress    func(string)    // told what is about to be measured
}

// What can be measured: a service on each kind of database, and one on SQLite that
// signs its mails.
const (
	SQLite   = "sqlite"
	Postgres = "postgres"
	Signed   = "sqlite+dkim"
)

// Run measures. The report holds what was measured so far when the error is that
// of ctx.
func Run(ctx context.Context, o Options) (*Report, error) {
	b := &bench{Options: o, report: newReport(o)}
	err := b.run(ctx)
	return b.report, errors.Join(err, b.close())
}

// bench is one call of Run.
type bench struct {
	Options
	report   *Report
	dir      string
	postgres *pgserver.Server
	services []*service // what is measured besides the ceiling
}

func (b *bench) run(ctx context.Context) error {
	if err := b.prepare(ctx); err != nil {
		return err
	}
	for round := range b.Rounds {
		for _, s := range b.scenarios() {
			if err := b.measure(ctx, round, s); err != nil {
				return err
			}
		}
	}
	return nil
}

// prepare fills the databases that all rounds are copied from.
func (b *bench) prepare(ctx context.Context) error {
	var err error
	if b.dir, err = os.MkdirTemp("", "vestnik-bench-"); err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	for _, name := range b.Senders {
		s, err := b.service(name)
		if err != nil {
			return err
		}
		b.services = append(b.services, s)
	}
	for _, s := range b.services {
		b.Progress(fmt.Sprintf("filling %s", s.name()))
		if err := s.prepare(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) service(name string) (*service, error) {
	if name != Postgres {
		return &service{bench: b, database: sqliteDatabase{b.dir, name}, signed: name == Signed}, nil
	}
	// With PostgreSQL's own settings, which survive a power cut; the memory is what its
	// manual counsels for a machine of this size, or less.
	var err error
	b.postgres, err = pgserver.Start("shared_buffers=256MB", "max_wal_size=4GB")
	return &service{bench: b, database: postgresDatabase{server: b.postgres}}, err
}

func (b *bench) close() error {
	var err error
	if b.postgres != nil {
		err = b.postgres.Stop()
	}
	return errors.Join(err, os.RemoveAll(b.dir))
}

// scenario is one way to send.
type scenario struct {
	Connections int
	Delay       time.Duration
	Recipients  int
	Signed      bool
}

func (s scenario) String() string {
	return fmt.Sprintf("%d mails, %d connections, %s", s.Recipients, s.Connections, s.Delay)
}

// signedShare is the part of the recipients who are sent signed mails, which take ten
// times as long: an RSA signature takes 1.5 ms of a processor.
const signedShare = 5

// scenarios are all of them, the signed one last. With a slow mail server, a mail of a
// connection takes the time of one reply at least, which limits how many are sent.
func (b *bench) scenarios() []scenario {
	var all []scenario
	for _, delay := range b.Delays {
		for _, connections := range b.Connections {
			s := scenario{Connections: connections, Delay: delay, Recipients: b.Recipients}
			if delay > 0 {
				s.Recipients = min(s.Recipients, int(b.Limit/delay)*connections)
			}
			all = append(all, s)
		}
	}
	signed := scenario{
		Connections: slices.Max(b.Connections), Delay: slices.Min(b.Delays), Recipients: max(b.Recipients/signedShare, 2), Signed: true,
	}
	// What nobody is measured in needs no ceiling.
	return slices.DeleteFunc(append(all, signed), func(s scenario) bool {
		return !slices.ContainsFunc(b.Senders, func(name string) bool { return (name == Signed) == s.Signed })
	})
}

// measure sends by the blaster and by each service, in turn.
func (b *bench) measure(ctx context.Context, round int, s scenario) error {
	b.Progress(fmt.Sprintf("round %d of %d: ceiling, %s", round+1, b.Rounds, s))
	ceiling, err := blast(ctx, s)
	if err != nil {
		return err
	}
	b.report.add(s, "ceiling", ceiling)
	for _, service := range b.services {
		if service.signed != s.Signed {
			continue
		}
		b.Progress(fmt.Sprintf("round %d of %d: %s, %s", round+1, b.Rounds, service.name(), s))
		result, err := service.send(ctx, s)
		if err != nil {
			return err
		}
		result.Ratio = result.Rate / ceiling.Rate
		b.report.add(s, service.name(), result)
	}
	return nil
}
