package server

import (
	"context"
	"slices"
	"sync"
	"time"

	"vestnik/internal/app"
	"vestnik/internal/compose"
	"vestnik/internal/deliver"
	"vestnik/internal/store"
	"vestnik/internal/transport"
)

// roads knows the way out for mail: the relay set up on its page, else that of
// SMTP_URL, else the demo mailbox. The page may change it while mails leave.
type roads struct {
	base  *Base
	given *transport.Relay // of SMTP_URL; nil: none
	keep  *transport.Demo

	mu       sync.Mutex
	settings app.RelaySettings // in use; zero: given or the demo mailbox
	all      []*deliver.Road   // in use; it is replaced, not changed
	pool     *transport.Pool   // nil for the demo mailbox
	closed   bool
	leaving  sync.WaitGroup // pools that were replaced and finish what they have on the wire
	cut      context.Context
	cutAll   context.CancelFunc
}

func newRoads(ctx context.Context, b *Base) (*roads, error) {
	r := &roads{base: b}
	r.cut, r.cutAll = context.WithCancel(context.WithoutCancel(ctx))
	r.keep = transport.NewDemo(func(ctx context.Context, m transport.DemoMail) error {
		parsed, err := compose.Parse(m.Data)
		if err != nil {
			return err
		}
		return b.Store.PutDemoMail(ctx, store.DemoMail{
			Sender: m.From, Recipient: m.To, Subject: parsed.Subject, Data: m.Data, At: m.At,
		}, int64(b.Config.DemoKeep))
	})
	if b.Config.SMTPURL != "" {
		relay, err := transport.ParseURL(b.Config.SMTPURL)
		if err != nil {
			return nil, err
		}
		r.given = relay
	}
	r.take(app.RelaySettings{}, false)
	return r, r.look(ctx)
}

// look goes over to the relay that is set up now.
func (r *roads) look(ctx context.Context) error {
	relays, err := r.base.App.RelaysInUse(ctx)
	if err != nil && len(relays) == 0 {
		return err
	}
	settings := firstUsable(relays)
	r.mu.Lock()
	same := settings == r.settings
	r.mu.Unlock()
	if same {
		return nil
	}
	if err != nil {
		r.base.Log.Error("relay cannot be used", "error", err) // the others can
	}
	r.take(settings, len(relays) > 0)
	return nil
}

// firstUsable is the first relay that was not stopped, else the first: mails then
// wait for it.
func firstUsable(relays []app.RelaySettings) app.RelaySettings {
	if len(relays) == 0 {
		return app.RelaySettings{}
	}
	usable := slices.IndexFunc(relays, func(s app.RelaySettings) bool { return !s.Stopped() })
	return relays[max(usable, 0)]
}

// take goes over to the settings. What is on the old road's wire is finished.
func (r *roads) take(settings app.RelaySettings, found bool) {
	from := compose.Address{Name: r.base.Config.MailFrom.Name, Email: r.base.Config.MailFrom.Address}
	relay := r.given
	if found {
		from = compose.Address{Name: settings.FromName, Email: settings.FromEmail}
		relay = relayOf(settings)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return
	}
	if old := r.pool; old != nil {
		r.leaving.Go(func() { old.Close(r.cut) })
	}
	road := &deliver.Road{Name: "demo", Sender: r.keep, From: from}
	r.settings, r.pool, r.all = settings, nil, []*deliver.Road{road}
	if relay != nil {
		r.pool = transport.NewPool(relay, transport.PoolOptions{Sessions: r.base.Config.Connections, Messages: relay.Messages})
		road.Name, road.Sender = relay.Address(), r.pool
	}
}

func relayOf(s app.RelaySettings) *transport.Relay {
	return &transport.Relay{
		Host: s.Host, Port: s.Port, TLS: transport.TLSMode(s.TLS), Username: s.Username, Password: s.Password,
		HeloName: s.HeloName, Messages: s.Messages,
	}
}

func (r *roads) current() []*deliver.Road {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.all
}

// demo reports whether mails go to the demo mailbox.
func (r *roads) demo() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.pool == nil
}

// close waits for what is on the wire until ctx ends, and then cuts it.
func (r *roads) close(ctx context.Context) {
	r.mu.Lock()
	pool := r.pool
	r.closed = true
	r.mu.Unlock()
	defer context.AfterFunc(ctx, r.cutAll)()
	if pool != nil {
		if err := pool.Close(ctx); err != nil {
			r.base.Log.Warn("mails were cut off on the wire", "error", err)
		}
	}
	r.leaving.Wait()
}

// checkTime is how long a person waits for the test of a relay.
const checkTime = 30 * time.Second

// checkRelay tries a relay for its page.
func checkRelay(ctx context.Context, s app.RelaySettings, step func(name string, err error)) {
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	// What went wrong has been told with its step.
	_ = relayOf(s).Check(ctx, s.FromEmail, s.FromEmail, func(name transport.Step, err error) {
		step(string(name), err)
	})
}
