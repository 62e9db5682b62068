// Package server puts the parts together: it opens them in order, starts those
// that this process has the roles for, and stops them so that nothing is lost.
package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"vestnik/internal/app"
	"vestnik/internal/auth"
	"vestnik/internal/cache"
	"vestnik/internal/config"
	"vestnik/internal/deliver"
	"vestnik/internal/i18n"
	"vestnik/internal/jobs"
	"vestnik/internal/mailing"
	"vestnik/internal/schedule"
	"vestnik/internal/store"
	"vestnik/internal/web"
)

// Base is what every command works on: the database and the use cases over it.
type Base struct {
	Config config.Config
	Log    *slog.Logger
	Store  *store.Store
	Cache  *cache.Cache // nil when nothing is to be kept
	App    *app.App
	queue  *jobs.Queue
	roads  *roads

	signers *signers
	keyring auth.Keys
	space   string // the installation among others in one Redis
	numbers *numbers
}

// Open opens the database, brings its schema up to date, and makes the use cases.
// work says whether this process does jobs, or only asks for them.
func Open(ctx context.Context, c config.Config, log *slog.Logger, work bool) (*Base, error) {
	if err := os.MkdirAll(c.DataDir, 0o700); err != nil {
		return nil, fmt.Errorf("server: data folder: %w", err)
	}
	s, err := store.Open(ctx, c.DatabaseURL)
	if path, ok := strings.CutPrefix(c.DatabaseURL, "sqlite:"); ok && err != nil {
		return nil, fmt.Errorf("server: database file %s: %w", path, err) // SQLite does not name it
	}
	if err != nil {
		return nil, err
	}
	b := &Base{Config: c, Log: log, Store: s, numbers: newNumbers()}
	if err := b.open(ctx, work); err != nil {
		b.Close()
		return nil, err
	}
	return b, nil
}

func (b *Base) open(ctx context.Context, work bool) error {
	if err := b.Store.Migrate(ctx); err != nil {
		return err
	}
	keys, err := b.keys(ctx)
	if err != nil {
		return err
	}
	if b.Cache, err = openCache(b.Config, b.space, b.Log); err != nil {
		return err
	}
	b.App = app.New(app.Config{
		BaseURL: b.Config.BaseURL, Zone: b.Config.Zone.String(),
		Keep:   store.Retention{Details: b.Config.KeepDetails, Demo: b.Config.KeepDemo, Imports: b.Config.KeepImports},
		SignUp: mailing.SignUp(b.Config.Signup.Way), SignUpDomains: b.Config.Signup.Domains, AnswerAfter: answerAfter,
		DemoKeep:       b.Config.DemoKeep,
		Demo:           func() bool { return b.roads.demo() },
		CheckRelay:     b.tryRelay,
		MailRelay:      b.mailRelay,
		AskDNS:         checkDomain,
		Examples:       exampleSet,
		Cache:          b.Cache,
		RelayChanged:   func(ctx context.Context) error { return b.roads.look(ctx) },
		SigningChanged: func(ctx context.Context) error { return b.signers.look(ctx) },
		OpenRun:        func(ctx context.Context, runID int64) error { return b.queue.OpenRun(ctx, runID) },
		ReportSoon:     func(ctx context.Context, runID int64) error { return b.queue.ReportSoon(ctx, runID) },
		Given:          given(b.Config), Checkups: b.checkups(),
	}, b.Store, keys)
	if err := b.App.LookAtSettings(ctx); err != nil {
		return err
	}
	if b.roads, err = newRoads(ctx, b); err != nil {
		return err
	}
	b.signers = &signers{base: b}
	if err := b.signers.look(ctx); err != nil {
		return err
	}
	var duties *jobs.Work
	if work {
		duties = &jobs.Work{App: b.App, Store: b.Store, Scheduler: &schedule.Scheduler{
			Store: b.Store, Log: b.Log, LateLimit: b.Config.LateLimit,
			OpenRun: func(ctx context.Context, runID int64) error { return b.queue.OpenRun(ctx, runID) },
		}}
	}
	// River tells more than an operator wants to know.
	quiet := slog.New(atLeast{Handler: b.Log.Handler(), level: slog.LevelWarn})
	if b.queue, err = jobs.Open(ctx, b.Store, b.Config.DatabaseURL, duties, quiet); err != nil {
		return err
	}
	b.App.JobQueue = b.queue
	return b.queue.Migrate(ctx)
}

var errOtherKey = errors.New("server: the secret key is not the one this database was set up with: " +
	"give every node the same VESTNIK_SECRET_KEY, or the same file secret.key")

// keys reads the installation's secret and makes sure that it is the one the
// database was set up with: under another one, no link and no password stored
// there could be read.
func (b *Base) keys(ctx context.Context) (auth.Keys, error) {
	keys, err := b.secrets()
	if err != nil {
		return keys, err
	}
	first := store.Installation{Instance: auth.NewToken(), KeyCheck: app.KeyCheck(keys)}
	there, err := b.Store.Installation(ctx, first, time.Now())
	if err != nil {
		return keys, err
	}
	known, newest := app.CheckKey(keys, there.KeyCheck)
	if !known {
		return keys, errOtherKey
	}
	if !newest {
		b.Log.Warn("secrets in the database are sealed by an old key; run: vestnik key rotate")
	}
	b.keyring, b.space = keys, there.Instance
	return keys, nil
}

// secrets are those of the settings, or of the file.
func (b *Base) secrets() (auth.Keys, error) {
	if b.Config.SecretKey == "" {
		return auth.OpenKeys(b.Config.SecretFile())
	}
	var older [][]byte
	for _, secret := range b.Config.OldSecretKeys {
		older = append(older, []byte(secret))
	}
	return auth.NewKeys([]byte(b.Config.SecretKey), older...), nil
}

// Close lets go of everything.
func (b *Base) Close() error {
	if b.roads != nil {
		b.roads.close(context.Background())
	}
	if b.queue != nil {
		b.queue.Close()
	}
	return errors.Join(b.Cache.Close(), b.Store.Close())
}

// Run serves until ctx ends, then stops in order: no new visitors, no new runs,
// what is on the wire finished and settled.
func Run(ctx context.Context, c config.Config, log *slog.Logger, version string) error {
	listener, err := listen(c)
	if err != nil {
		return err
	}
	b, err := Open(ctx, c, log, c.Has(config.RoleScheduler))
	if err != nil {
		listener.Close()
		return err
	}
	defer b.Close()
	here, err := b.arrive(ctx, version)
	if err == nil && c.SampleData {
		err = b.addSample(ctx)
	}
	if err == nil && !b.roads.demo() { // also by a SMTP_URL that was not there before
		err = b.App.PauseExamples(ctx, app.Operator)
	}
	if err != nil {
		listener.Close()
		return err
	}
	defer here.leave()
	if err := b.tellFirst(ctx); err != nil {
		listener.Close()
		return err
	}
	return b.serve(ctx, listener, here, version)
}

// listen takes the address before anything else, so that a second start by
// mistake changes nothing.
func listen(c config.Config) (net.Listener, error) {
	if !c.Has(config.RoleWeb) {
		return nopListener{}, nil
	}
	l, err := net.Listen("tcp", c.Addr)
	if err != nil {
		return nil, fmt.Errorf("server: listen: %w", err)
	}
	return l, nil
}

type nopListener struct{ net.Listener }

func (nopListener) Close() error { return nil }

// serve runs the parts until it is asked to stop or one of them fails.
func (b *Base) serve(asked context.Context, listener net.Listener, here *presence, version string) error {
	ctx, fail := context.WithCancelCause(asked)
	defer fail(nil)
	var parts sync.WaitGroup
	var webServer *http.Server
	if b.Config.Has(config.RoleWeb) {
		var err error
		if webServer, err = b.webServer(ctx, version); err != nil {
			return err
		}
		parts.Go(func() {
			if err := webServer.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
				fail(err)
			}
		})
		b.Log.Info("pages are served", "address", b.Config.BaseURL, "version", version)
	}
	stopMetrics, err := b.serveMetrics(&parts, fail, version)
	if err != nil {
		return err
	}
	if b.Config.Has(config.RoleScheduler) {
		if err := b.queue.Start(context.WithoutCancel(ctx)); err != nil {
			return err
		}
	}
	parts.Go(func() { b.follow(ctx) })
	parts.Go(func() { here.keep(ctx) })
	parts.Go(func() { b.Cache.Keep(ctx, b.Config.Has(config.RoleWorker)) })
	if b.Config.Has(config.RoleWorker) {
		parts.Go(func() {
			if err := deliver.Run(ctx, b.engine()); err != nil {
				fail(err)
			}
		})
	}
	<-ctx.Done()
	b.stop(webServer)
	stopMetrics()
	parts.Wait()
	if asked.Err() == nil {
		return context.Cause(ctx)
	}
	b.Log.Info("stopped")
	return nil
}

// followEvery is how soon every node uses a relay or keys that were set up on one.
const followEvery = 2 * time.Second

// follow looks for what was changed on another node, or by a command, until ctx
// ends.
func (b *Base) follow(ctx context.Context) {
	tick := time.NewTicker(followEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := b.roads.look(ctx); err != nil && ctx.Err() == nil {
			b.Log.Error("settings of the relay cannot be read", "error", err)
		}
		b.keyring.Renew()
		if err := b.signers.look(ctx); err != nil && ctx.Err() == nil {
			b.Log.Error("signing keys cannot be read", "error", err)
		}
		if err := b.App.LookAtSettings(ctx); err != nil && ctx.Err() == nil {
			b.Log.Error("settings cannot be read", "error", err)
		}
	}
}

// stop ends the parts within the drain limit; what is then still on the wire is
// cut and listed as in doubt.
func (b *Base) stop(webServer *http.Server) {
	limit, cancel := context.WithTimeout(context.Background(), b.Config.DrainTimeout)
	defer cancel()
	if webServer != nil {
		if err := webServer.Shutdown(limit); err != nil {
			b.Log.Warn("visitors were cut off", "error", err)
		}
	}
	// Not one after the other: a job that takes long must not take the time in which
	// mails on the wire get their answers.
	var parts sync.WaitGroup
	if b.Config.Has(config.RoleScheduler) {
		parts.Go(func() {
			if err := b.queue.Stop(limit); err != nil {
				b.Log.Warn("background work was cut off", "error", err)
			}
		})
	}
	b.roads.close(limit)
	parts.Wait()
}

func (b *Base) engine() deliver.Config {
	return deliver.Config{
		Store: b.Store, Log: b.Log, Dir: filepath.Join(b.Config.DataDir, "nodes"), Workers: b.Config.Connections,
		Roads: b.roads.current, StopRoad: b.roads.stop, Signer: b.signers.of, BaseURL: b.App.BaseURL, UnsubscribeURL: b.App.UnsubscribeURL, OpenVars: b.App.OpenVars,
		Settled: b.numbers.settled,
		Slots:   b.slots, RunsMoved: b.App.RunsMoved,
	}
}

// Limits on slow visitors: a header within ten seconds (what a phone on a bad line
// needs is one or two), and no connection idle for more than two minutes.
const (
	headerTimeout = 10 * time.Second
	idleTimeout   = 2 * time.Minute
	maxHeader     = 64 << 10 // of which cookies and an address take a tenth
)

func (b *Base) webServer(ctx context.Context, version string) (*http.Server, error) {
	catalog, err := i18n.New()
	if err != nil {
		return nil, err
	}
	pages := web.New(web.Options{
		App: b.App, Catalog: catalog, Sessions: sessions{b.Store}, Log: b.Log, Version: version,
		Loopback: b.Config.Loopback(), Secure: b.Config.Secure(), Demo: b.roads.demo,
		TrustedProxies: b.Config.TrustedProxies, Answered: b.numbers.answered,
	})
	return &http.Server{
		Handler: pages, ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeader,
		ErrorLog: slog.NewLogLogger(b.Log.Handler(), slog.LevelDebug),
		// Streams end when the service stops; they would hold it up else.
		BaseContext: func(net.Listener) context.Context { return ctx },
	}, nil
}

// atLeast passes on what is important enough.
type atLeast struct {
	slog.Handler
	level slog.Level
}

func (h atLeast) Enabled(ctx context.Context, l slog.Level) bool {
	return l >= h.level && h.Handler.Enabled(ctx, l)
}

// Handle leaves out what is said about work that a stop has cut off.
func (h atLeast) Handle(ctx context.Context, r slog.Record) error {
	cutOff := false
	r.Attrs(func(a slog.Attr) bool {
		cutOff = a.Key == "error" && strings.HasSuffix(a.Value.String(), context.Canceled.Error())
		return !cutOff
	})
	if cutOff {
		return nil
	}
	return h.Handler.Handle(ctx, r)
}

func (h atLeast) WithAttrs(attrs []slog.Attr) slog.Handler {
	return atLeast{h.Handler.WithAttrs(attrs), h.level}
}

func (h atLeast) WithGroup(name string) slog.Handler {
	return atLeast{h.Handler.WithGroup(name), h.level}
}
