// Package app holds what people can do with Vestnik, one method a deed: it asks
// whether they may, checks what they gave, and stores it. The web pages and
// the command line call it and decide nothing themselves; it knows no HTML,
// no JSON and no SMTP. Errors that people cause are *mailing.Error or
// mailing.Problems.
package app

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"vestnik/internal/auth"
	"vestnik/internal/cache"
	"vestnik/internal/mailing"
	"vestnik/internal/picture"
	"vestnik/internal/store"
)

// App is the whole of the use cases. It is safe for concurrent use.
type App struct {
	Config
	store  *store.Store
	keys   auth.Keys
	hasher hasher

	settings atomic.Pointer[Settings]
	passkeys *auth.Passkeys // nil where browsers allow none
	intake   *picture.Intake
	// compareCode is keys.CodeMatches; tests count its calls.
	compareCode func(stored, purpose string, account int64, typed string) bool
	occupied    atomic.Bool // there is an account; once that is so, it stays so
}

// Config is what the composition root decides.
type Config struct {
	BaseURL string // "https://mail.example.org", without a slash at the end
	Zone    string // IANA zone of people who chose none
	SignUp  mailing.SignUp
	// SignUpDomains are those of SignUpDomains, as A-labels.
	SignUpDomains []string
	// AnswerAfter is how long answers take at least that must not tell by their time whether
	// an address is known.
	AnswerAfter time.Duration

	// Demo reports whether mails stay in the demo mailbox now; nil: they leave.
	Demo func() bool

	Keep store.Retention // how long what was done is kept
	// DemoKeep is how many mails the demo mailbox keeps, the latest; 0: it is not told.
	DemoKeep int

	// OpenRun writes a run's deliveries down in the background. The ledger finds
	// runs that are opening by itself too; this only makes it soon.
	OpenRun func(ctx context.Context, runID int64) error
	// ReportSoon has a run's report made in the background; nil: while somebody waits.
	ReportSoon func(ctx context.Context, runID int64) error
	// CheckRelay tries the relay step by step.
	CheckRelay func(ctx context.Context, r RelaySettings, step func(name string, err error))
	// MailRelay sends one mail by the relay, and nothing else; an error says why it was not
	// taken.
	MailRelay func(ctx context.Context, r RelaySettings, to string, message []byte) error
	// AskDNS finds out what a domain says of itself in DNS.
	AskDNS func(ctx context.Context, q mailing.DomainQuestion) []mailing.Finding
	// Examples are what new people are shown, in a language.
	Examples func(lang string) (ExampleSet, error)
	// RelayChanged has this process use relays that were changed at once.
	RelayChanged func(ctx context.Context) error
	// SigningChanged has this process use signing keys that were changed at once.
	SigningChanged func(ctx context.Context) error
	// Given is what the service was started with.
	Given []GivenSetting
	// Checkups look after what only the composition root knows of, for the health page.
	Checkups []Checkup
	// JobQueue is the work in the background, to be looked at.
	JobQueue JobQueue
	// Cache keeps what many pages show; nil: nothing is kept.
	Cache *cache.Cache
	// Now is time.Now but in tests.
	Now func() time.Time
}

// New returns the use cases over a store.
func New(c Config, s *store.Store, keys auth.Keys) *App {
	if c.Now == nil {
		c.Now = time.Now
	}
	a := &App{
		Config: c, store: s, keys: keys, hasher: auth.NewHasher(auth.HashesAtOnce), compareCode: keys.CodeMatches,
		passkeys: auth.NewPasskeys(c.BaseURL, "Vestnik"), intake: picture.NewIntake(),
	}
	settings := defaultSettings()
	a.settings.Store(&settings)
	return a
}

// mayView returns nil if the actor owns the thing or has the permission. To
// everybody else it is not there.
func mayView(actor mailing.Account, ownerID int64, others mailing.Permission) error {
	if actor.ID == ownerID && ownerID != 0 || actor.Role.May(others) {
		return nil
	}
	return mailing.Fault(mailing.NotFound, "not_found")
}

// mayChange returns nil if the actor owns the thing or may change anything. Who
// may only see it is told so; to everybody else it is not there.
func mayChange(actor mailing.Account, ownerID int64, view mailing.Permission) error {
	if err := mayView(actor, ownerID, view); err != nil {
		return err
	}
	if actor.ID == ownerID || actor.Role.May(mailing.ChangeAnything) {
		return nil
	}
	return mailing.Fault(mailing.Forbidden, "forbidden")
}

// scope is whose things a list shows: the actor's own, or with the permission
// and on request everybody's, which is 0.
func scope(actor mailing.Account, everyone bool, p mailing.Permission) (int64, error) {
	if !everyone {
		return actor.ID, nil
	}
	if !actor.Role.May(p) {
		return 0, mailing.Fault(mailing.Forbidden, "forbidden")
	}
	return 0, nil
}

// Numbers returns those of the home page: the actor's own, or everybody's.
func (a *App) Numbers(ctx context.Context, actor mailing.Account, everyone bool) (store.Numbers, error) {
	owner, err := scope(actor, everyone, mailing.ViewAnyMailing)
	if err != nil {
		return store.Numbers{}, err
	}
	return a.numbers(ctx, owner)
}

// Sweep deletes what has expired, or has been kept for as long as the settings say,
// moves accounts to the addresses that nobody has objected to, and, since that may take
// long, in the end erases registrations that nobody confirms and finishes what is left of
// erasing. It runs now and then in the background.
func (a *App) Sweep(ctx context.Context) error {
	now, keep := a.Now(), a.Keep
	keep.Reduce = withoutDetails
	return errors.Join(a.moveDue(ctx), a.store.Sweep(ctx, now), a.sweepUndone(ctx), a.store.SweepOld(ctx, keep, now),
		a.store.SweepBlog(ctx, visitDay(now), now), a.sweepRegistrations(ctx), a.FinishErasures(ctx))
}

// Healthy reports whether the database answers.
func (a *App) Healthy(ctx context.Context) error {
	return a.store.Ping(ctx)
}

func wrap(err error, doing string) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("app: %s: %w", doing, err)
}
