// Package cache keeps answers for a short while that are dear to compute, and is where
// nodes share what must not depend on which of them is asked: with Redis, all nodes
// have one cache and one meter for each limit by the second; without, each process has
// its own.
//
// Nothing is ever only here. When Redis is away, a process goes on with what it keeps
// itself, and when Redis is back, it goes over to it again; see link.
//
// An answer holds as long as its tag is not forgotten. With every answer the
// generation of its tag is kept, as it was before the answer was computed, and
// forgetting a tag gives it another generation. So what was computed before a change
// is never taken for what is true after it, however late it is stored.
package cache

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"
)

// Options are what the composition root decides.
type Options struct {
	// Location is that of Redis, redis:// or rediss://; empty: there is none.
	Location string
	// Space keeps installations apart that share one Redis.
	Space string
	Log   *slog.Logger
	// Bytes is how much this process keeps at most; 0: defaultBytes.
	Bytes int
	// Now is time.Now but in tests.
	Now func() time.Time
}

// defaultBytes is room for hundreds of lists of fifty people, and little beside what
// a node takes anyway. Chosen.
const defaultBytes = 16 << 20

// loadWithin is how long an answer may take that several wait for. Chosen: as long as a
// node waits for the database.
const loadWithin = 10 * time.Second

// Cache is safe for concurrent use. On a nil Cache, nothing is kept.
type Cache struct {
	now     func() time.Time
	local   *local
	link    *link // nil without Redis
	flights singleflight.Group

	hits, misses atomic.Int64
}

// Open makes a cache. It does not wait for Redis, which need not be there.
func Open(o Options) (*Cache, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Bytes == 0 {
		o.Bytes = defaultBytes
	}
	c := &Cache{now: o.Now, local: newLocal(o.Bytes)}
	if o.Location == "" {
		return c, nil
	}
	r, err := newRemote(o.Location, o.Space)
	if err != nil {
		return nil, err
	}
	c.link = &link{remote: r, log: o.Log, owed: map[string]bool{}}
	return c, nil
}

// Close lets go of Redis.
func (c *Cache) Close() error {
	if c == nil || c.link == nil {
		return nil
	}
	return c.link.remote.client.Close()
}

// Key names an answer.
type Key struct {
	Tag      string        // what it is forgotten by
	Name     string        // among those of the tag
	Lifetime time.Duration // how long it holds at most, from when it was asked for
}

func (k Key) full() string { return k.Tag + "\x00" + k.Name }

type freshKey struct{}

// Fresh has all answers of the context be computed anew until then, and kept.
func Fresh(ctx context.Context, until time.Time) context.Context {
	return context.WithValue(ctx, freshKey{}, until)
}

func isFresh(ctx context.Context, now time.Time) bool {
	until, _ := ctx.Value(freshKey{}).(time.Time)
	return now.Before(until)
}

// Read returns the answer that is kept under the key, or has load compute it. Those who
// ask for one at the same time wait for one load. T must come out of JSON as it went in.
func Read[T any](ctx context.Context, c *Cache, k Key, load func(context.Context) (T, error)) (answer T, err error) {
	if c == nil {
		return load(ctx)
	}
	data, err := c.read(ctx, k, func(ctx context.Context) ([]byte, error) {
		loaded, err := load(ctx)
		if err != nil {
			return nil, err
		}
		return json.Marshal(loaded)
	})
	if err != nil {
		return answer, err
	}
	if err := json.Unmarshal(data, &answer); err != nil {
		return answer, fmt.Errorf("cache: read %s: %w", k.Tag, err)
	}
	return answer, nil
}

func (c *Cache) read(ctx context.Context, k Key, load func(context.Context) ([]byte, error)) ([]byte, error) {
	asked := c.now()
	gen, data, ok := c.look(ctx, k, asked)
	fresh := isFresh(ctx, asked)
	if ok && !fresh {
		c.hits.Add(1)
		return data, nil
	}
	c.misses.Add(1)
	fill := func(ctx context.Context) ([]byte, error) {
		data, err := load(ctx)
		if err == nil {
			c.put(ctx, k, gen, data, asked)
		}
		return data, err
	}
	if fresh { // the load of another may have begun before what this one must see
		return fill(ctx)
	}
	flight := c.flights.DoChan(k.full()+"\x00"+gen.text, func() (any, error) {
		// Who asked first may leave; the others wait.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), loadWithin)
		defer cancel()
		return fill(ctx)
	})
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case landed := <-flight:
		data, _ := landed.Val.([]byte)
		return data, landed.Err
	}
}

// generation is that of a tag, and where it was read.
type generation struct {
	shared bool
	text   string
}

// look returns what is kept, and the generation that a new answer is to be kept with.
func (c *Cache) look(ctx context.Context, k Key, now time.Time) (gen generation, data []byte, ok bool) {
	if c.link != nil {
		err := c.link.ask(ctx, func(ctx context.Context, r *remote) (err error) {
			gen.text, data, ok, err = r.look(ctx, k)
			return err
		})
		if err == nil {
			gen.shared = true
			return gen, data, ok
		}
	}
	gen.text, data, ok = c.local.look(k, now)
	return gen, data, ok
}

func (c *Cache) put(ctx context.Context, k Key, gen generation, data []byte, asked time.Time) {
	until := asked.Add(k.Lifetime)
	if !gen.shared {
		c.local.put(k, gen.text, data, until)
		return
	}
	left := until.Sub(c.now())
	if left < time.Millisecond {
		return
	}
	// Should it fail, the next one who asks computes it again.
	_ = c.link.ask(ctx, func(ctx context.Context, r *remote) error { return r.put(ctx, k, gen.text, data, left) })
}

// Forget ends what is kept under the tags, on all nodes that share a Redis, before it
// returns. Other nodes without one go on with what they have until its lifetime is over.
func (c *Cache) Forget(ctx context.Context, tags ...string) {
	if c == nil {
		return
	}
	c.local.forget(tags)
	if c.link != nil {
		c.link.forget(ctx, tags)
	}
}

// Shared reports whether other nodes see at once what is forgotten here.
func (c *Cache) Shared() bool { return c != nil && c.link != nil && !c.link.isAway() }

// Keep looks after Redis until ctx ends: it finds out that it has gone when nobody asks
// for anything, and that it is back. sends says whether this process sends mails, and
// so has a share in the limits.
func (c *Cache) Keep(ctx context.Context, sends bool) {
	if c != nil && c.link != nil {
		c.link.keep(ctx, sends)
	}
}
