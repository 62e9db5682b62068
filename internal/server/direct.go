package server

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"vestnik/internal/app"
	"vestnik/internal/deliver"
	"vestnik/internal/mailing"
	"vestnik/internal/transport"
	"vestnik/internal/transport/mx"
)

// direct is the way to the recipients' own servers: a pool of sessions for each
// route, which is the same for all domains with the same servers.
type direct struct {
	router *mx.Router

	mu     sync.Mutex
	routes map[string]*directRoute // by mx.Route.Key
	swept  time.Time
	left   sync.WaitGroup // pools that were closed because nobody used them
}

// directRoute is a route that mail goes by, and when that was last.
type directRoute struct {
	destination *deliver.Destination
	pool        *transport.Pool
	latest      latestRoute
	used        time.Time
}

// latestRoute opens sessions by what DNS says now.
type latestRoute struct{ atomic.Pointer[mx.Route] }

// Open implements transport.Opener.
func (l *latestRoute) Open(ctx context.Context) (*transport.Session, error) {
	return l.Load().Open(ctx)
}

// Address implements transport.Opener.
func (l *latestRoute) Address() string { return l.Load().Address() }

// Routes that were not used for unusedAfter are forgotten, with a look every
// sweepEvery. Chosen: sessions are closed long before.
const (
	unusedAfter = 10 * time.Minute
	sweepEvery  = time.Minute
)

func newDirect(b *Base, s app.RelaySettings) *direct {
	return &direct{
		router: mx.NewRouter(mx.Options{
			HeloName: s.HeloName, OwnNames: []string{s.HeloName}, AllowPrivate: b.Config.PrivateMX,
		}),
		routes: map[string]*directRoute{},
	}
}

// Route implements deliver.Router.
func (d *direct) Route(ctx context.Context, domain string) (*deliver.Destination, error) {
	route, err := d.router.Route(ctx, domain)
	var nowhere *mx.RouteError
	if errors.As(err, &nowhere) {
		return nil, &deliver.Unroutable{Result: nowhere.Result()}
	}
	if err != nil {
		return nil, err
	}
	return d.destination(route, time.Now()), nil
}

func (d *direct) destination(route *mx.Route, now time.Time) *deliver.Destination {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.sweep(now)
	known := d.routes[route.Key]
	if known == nil {
		known = newDirectRoute(route)
		d.routes[route.Key] = known
	}
	known.used = now
	known.latest.Store(route)
	return known.destination
}

func newDirectRoute(route *mx.Route) *directRoute {
	known := &directRoute{}
	known.latest.Store(route)
	site := route.Site
	known.pool = transport.NewPool(&known.latest, transport.PoolOptions{
		Sessions: site.Limits.Connections.Value, Messages: site.Limits.MessagesPerConnection.Value,
	})
	known.destination = &deliver.Destination{
		Site: site.Key, Name: site.Name, Sender: known.pool, Connections: site.Limits.Connections.Value,
		Limits: deliver.Limits{PerSecond: site.Limits.PerSecond.Value, PerHour: site.Limits.PerHour.Value},
		Judge:  func(reply mailing.Reply, stage transport.Stage) deliver.Judgement { return judge(site, reply, stage) },
	}
	return known
}

// judge says what an answer of a site means for the mail and for the site's lane.
func judge(site *mx.Site, reply mailing.Reply, stage transport.Stage) deliver.Judgement {
	verdict, reading := site.Judge(reply, stage)
	j := deliver.Judgement{Verdict: verdict, RetryAfter: reading.RetryAfter}
	if stage == transport.StageTLS { // "454 4.7.0 TLS not available" is no opinion of us
		return j
	}
	switch reading.Meaning {
	case mx.Throttled:
		j.TooFast, j.Policy = true, true
	case mx.Reputation:
		j.Policy = true
	case mx.Unwelcome:
		j.TooFast, j.Policy = reply.Throttles(), true
	case mx.Other:
		// "554" for a greeting is a refusal of us (RFC 5321, section 3.1).
		j.TooFast, j.Policy = reply.Throttles(), reply.Permanent() && verdict.Blame == mailing.BlameUs
	}
	return j
}

// sweep forgets routes that nobody uses; d.mu is held.
func (d *direct) sweep(now time.Time) {
	if now.Sub(d.swept) < sweepEvery {
		return
	}
	d.swept = now
	for key, known := range d.routes {
		if now.Sub(known.used) > unusedAfter {
			delete(d.routes, key)
			d.left.Go(func() { known.pool.Close(context.Background()) })
		}
	}
}

// Close implements closer.
func (d *direct) Close(ctx context.Context) error {
	d.mu.Lock()
	routes := d.routes
	d.routes = map[string]*directRoute{}
	d.mu.Unlock()
	failures := make(chan error, len(routes))
	for _, known := range routes {
		d.left.Go(func() { failures <- known.pool.Close(ctx) })
	}
	d.left.Wait()
	close(failures)
	var all error
	for err := range failures {
		all = errors.Join(all, err)
	}
	return all
}
