package cache

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"
)

// link is the way to Redis. After a few failures in a row nobody asks it any more, and
// it costs nothing, until the one who keeps it finds that it answers.
type link struct {
	remote *remote
	log    *slog.Logger

	mu       sync.Mutex
	away     bool
	changed  time.Time // when it went away or came back; zero: neither yet
	failures int       // in a row
	owed     map[string]bool
	latency  time.Duration
}

// mostFailures is after how many failures in a row Redis counts as away: one may be a
// connection that a restart has closed, or a machine that was busy. Chosen.
const mostFailures = 3

// keepEvery is how often Redis is asked whether it is there. Chosen: so soon it is in
// use again.
const keepEvery = time.Second

// errAway says that Redis was not asked.
var errAway = errors.New("cache: Redis is away")

// ask asks Redis, unless it is away.
func (l *link) ask(ctx context.Context, question func(context.Context, *remote) error) error {
	if l.isAway() {
		return errAway
	}
	err := l.try(ctx, question)
	l.mu.Lock()
	defer l.mu.Unlock()
	if err == nil {
		l.failures = 0
		return nil
	}
	if l.failures++; l.failures >= mostFailures {
		l.goAway(err)
	}
	return err
}

// try asks Redis. That the asker has left says nothing about it.
func (l *link) try(ctx context.Context, question func(context.Context, *remote) error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), answerWithin)
	defer cancel()
	return question(ctx, l.remote)
}

func (l *link) isAway() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.away
}

// goAway is called with the lock held.
func (l *link) goAway(why error) {
	if l.away {
		return
	}
	l.away, l.changed = true, time.Now()
	l.log.Warn("Redis is away; this node goes on with what it keeps itself", "address", l.remote.address, "error", why)
}

// forget tells Redis what is forgotten. What it cannot be told is owed, and until that
// is paid it is not asked: it would answer with what was before the change.
func (l *link) forget(ctx context.Context, tags []string) {
	err := errAway
	for n := 0; n < mostFailures && err != nil && !l.isAway(); n++ {
		err = l.try(ctx, func(ctx context.Context, r *remote) error { return r.forget(ctx, tags) })
	}
	if err == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, tag := range tags {
		l.owed[tag] = true
	}
	l.goAway(err) // or it was away, or has come back meanwhile
}

// keep looks again and again whether Redis is there, until ctx ends.
func (l *link) keep(ctx context.Context, sends bool) {
	tick := time.NewTicker(keepEvery)
	defer tick.Stop()
	for {
		l.look(ctx, sends)
		select {
		case <-ctx.Done():
			if sends && !l.isAway() {
				// Should it fail, the others find out within presentFor.
				_ = l.try(ctx, func(ctx context.Context, r *remote) error { return r.leave(ctx) })
			}
			return
		case <-tick.C:
		}
	}
}

func (l *link) look(ctx context.Context, sends bool) {
	ping := func(ctx context.Context, r *remote) error {
		asked := time.Now()
		err := r.ping(ctx, sends)
		if err == nil {
			l.answered(time.Since(asked))
		}
		return err
	}
	if !l.isAway() {
		// What comes of it is counted.
		_ = l.ask(ctx, ping)
		return
	}
	if l.try(ctx, ping) == nil {
		l.comeBack(ctx)
	}
}

func (l *link) answered(latency time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.latency = latency
}

// oweAtOnce is how many forgotten tags Redis is told of in one question. Chosen.
const oweAtOnce = 1000

// comeBack pays what is owed, and then has Redis asked again.
func (l *link) comeBack(ctx context.Context) {
	for {
		l.mu.Lock()
		owed := slices.Collect(maps.Keys(l.owed))
		if len(owed) == 0 {
			l.away, l.failures, l.changed = false, 0, time.Now()
			l.log.Info("Redis is back", "address", l.remote.address)
			l.mu.Unlock()
			return
		}
		l.mu.Unlock()
		owed = owed[:min(len(owed), oweAtOnce)]
		if l.try(ctx, func(ctx context.Context, r *remote) error { return r.forget(ctx, owed) }) != nil {
			return
		}
		l.mu.Lock()
		for _, tag := range owed {
			delete(l.owed, tag)
		}
		l.mu.Unlock()
	}
}
