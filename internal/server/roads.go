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

// roads knows the ways out for mail: the relays set up on their page, else that of
// SMTP_URL, else the demo mailbox. The page may change them while mails leave.
type roads struct {
	base  *Base
	given *transport.Relay // of SMTP_URL; nil: none
	keep  *transport.Demo

	mu      sync.Mutex
	open    map[int64]*way  // by the relay; 0: given, or the demo mailbox
	all     []*deliver.Road // those of open that may be used; it is replaced, not changed
	closed  bool
	leaving sync.WaitGroup // ways that were replaced and finish what they have on the wire
	cut     context.Context
	cutAll  context.CancelFunc
}

// way is one way out with what has to be closed.
type way struct {
	settings app.RelaySettings
	road     *deliver.Road
	pool     closer // nil for the demo mailbox
}

// closer is a pool, or all those of a direct road.
type closer interface {
	// Close is as transport.Pool.Close.
	Close(ctx context.Context) error
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
	return r, r.look(ctx)
}

// look goes over to the relays that are set up now. Those that were stopped are not
// used; when all were, mails wait.
func (r *roads) look(ctx context.Context) error {
	relays, err := r.base.App.RelaysInUse(ctx)
	if err != nil && len(relays) == 0 {
		return err
	}
	if len(relays) == 0 {
		relays = []app.RelaySettings{{}}
	}
	relays = slices.DeleteFunc(relays, app.RelaySettings.Stopped)
	if r.take(relays) && err != nil {
		r.base.Log.Error("relay cannot be used", "error", err) // the others can
	}
	return nil
}

// take goes over to the relays, and reports whether anything is new. What is on the
// wire of others is finished.
func (r *roads) take(relays []app.RelaySettings) (changed bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return false
	}
	gone, open := r.open, map[int64]*way{}
	var all []*deliver.Road
	for _, settings := range relays {
		w := gone[settings.ID]
		if w == nil || w.settings != settings {
			w = r.way(settings)
			changed = true
		} else {
			delete(gone, settings.ID)
		}
		open[settings.ID] = w
		all = append(all, w.road)
	}
	for _, w := range gone {
		changed = true
		if w.pool != nil {
			r.leaving.Go(func() { w.pool.Close(r.cut) })
		}
	}
	r.open = open
	if changed {
		r.all = all
	}
	return changed
}

// way opens the way of a relay; of no relay, that of the settings.
func (r *roads) way(s app.RelaySettings) *way {
	w := &way{settings: s, road: &deliver.Road{
		ID: s.ID, Name: s.Name, Weight: s.Weight, Connections: s.Connections,
		From:   compose.Address{Name: s.FromName, Email: s.FromEmail},
		Limits: deliver.Limits{PerSecond: s.PerSecond, PerHour: s.PerHour, PerDay: s.PerDay},
	}}
	switch {
	case s.Kind == app.RelayMX:
		d := newDirect(r.base, s)
		w.pool, w.road.Router = d, d
	case s.ID != 0:
		w.through(r.base.relayOf(s), r.base.Config.Connections)
	default:
		w.road.From = compose.Address{Name: r.base.Config.MailFrom.Name, Email: r.base.Config.MailFrom.Address}
		w.road.Name, w.road.Sender = "demo", r.keep
		if r.given != nil {
			w.road.Name = r.given.Address()
			w.through(r.given, r.base.Config.Connections)
		}
	}
	return w
}

// through makes a relay the way's end.
func (w *way) through(relay *transport.Relay, connections int) {
	if w.settings.Connections > 0 {
		connections = w.settings.Connections
	}
	pool := transport.NewPool(relay, transport.PoolOptions{Sessions: connections, Messages: relay.Messages})
	w.pool, w.road.Sender = pool, pool
}

// relayOf is a relay that somebody has named. That of SMTP_URL is the operator's word
// and goes where they want.
func (b *Base) relayOf(s app.RelaySettings) *transport.Relay {
	return &transport.Relay{
		Dial: transport.Guard{Private: b.Config.PrivateRelays}.Dial,
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
	return len(r.all) == 1 && r.all[0].Sender == deliver.Sender(r.keep)
}

// stop has a relay stopped that refuses our name and password. It does not when these
// are those of the settings, which only a restart changes, or have been changed since.
func (r *roads) stop(ctx context.Context, road *deliver.Road, why string) error {
	if road.ID == 0 || !slices.Contains(r.current(), road) {
		return nil
	}
	return r.base.App.StopRelay(ctx, road.ID, why)
}

// close waits for what is on the wire until ctx ends, and then cuts it.
func (r *roads) close(ctx context.Context) {
	r.mu.Lock()
	open := r.open
	r.closed, r.open = true, nil
	r.mu.Unlock()
	defer context.AfterFunc(ctx, r.cutAll)()
	for _, w := range open {
		if w.pool == nil {
			continue
		}
		r.leaving.Go(func() {
			if err := w.pool.Close(ctx); err != nil {
				r.base.Log.Warn("mails were cut off on the wire", "road", w.road.Name, "error", err)
			}
		})
	}
	r.leaving.Wait()
}

// checkTime is how long a person waits for the test of a relay.
const checkTime = 30 * time.Second

// checkRelay tries a relay for its page.
func (b *Base) checkRelay(ctx context.Context, s app.RelaySettings, step func(name string, err error)) {
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	// What went wrong has been told with its step.
	_ = b.relayOf(s).Check(ctx, s.FromEmail, s.FromEmail, func(name transport.Step, err error) {
		step(string(name), err)
	})
}
