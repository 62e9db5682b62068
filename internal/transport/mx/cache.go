package mx

import (
	"container/list"
	"context"
	"sync"
	"time"
)

// cache keeps values until a time each, and at most max of them; what was not
// used for longest goes first. Its methods may be called by many at once.
type cache[V any] struct {
	max int

	mu      sync.Mutex
	entries map[string]*list.Element
	recent  *list.List // the one used last in front
	flights map[string]*flight[V]
}

type entry[V any] struct {
	key   string
	value V
	until time.Time
}

// flight is a value that is being found; done is closed when that is over.
type flight[V any] struct {
	done   chan struct{}
	value  V
	err    error
	gaveUp bool // err is about the one who asked, not about the value
}

func newCache[V any](max int) *cache[V] {
	return &cache[V]{
		max: max, entries: map[string]*list.Element{}, recent: list.New(),
		flights: map[string]*flight[V]{},
	}
}

// look returns what is kept under key and still holds.
func (c *cache[V]) look(key string) (value V, found bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.lookLocked(key)
}

func (c *cache[V]) lookLocked(key string) (value V, found bool) {
	element, known := c.entries[key]
	if !known {
		return value, false
	}
	kept := element.Value.(*entry[V])
	if !time.Now().Before(kept.until) {
		c.removeLocked(element)
		return value, false
	}
	c.recent.MoveToFront(element)
	return kept.value, true
}

// keep replaces what is under key.
func (c *cache[V]) keep(key string, value V, until time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if element, known := c.entries[key]; known {
		c.removeLocked(element)
	}
	c.entries[key] = c.recent.PushFront(&entry[V]{key, value, until})
	if c.recent.Len() > c.max {
		c.removeLocked(c.recent.Back())
	}
}

func (c *cache[V]) forget(key string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if element, known := c.entries[key]; known {
		c.removeLocked(element)
	}
}

func (c *cache[V]) removeLocked(element *list.Element) {
	c.recent.Remove(element)
	delete(c.entries, element.Value.(*entry[V]).key)
}

// find returns what is kept under key, or finds and keeps it. Of many who ask
// for the same at once, one finds and the others wait; when the one gives up
// because its ctx ended, another of them takes over. Errors are not kept.
func (c *cache[V]) find(ctx context.Context, key string, find func(context.Context) (V, time.Time, error)) (V, error) {
	for {
		c.mu.Lock()
		if value, found := c.lookLocked(key); found {
			c.mu.Unlock()
			return value, nil
		}
		other, busy := c.flights[key]
		if !busy {
			own := &flight[V]{done: make(chan struct{})}
			c.flights[key] = own
			c.mu.Unlock()
			c.fly(ctx, key, own, find)
			return own.value, own.err
		}
		c.mu.Unlock()
		select {
		case <-other.done:
		case <-ctx.Done():
			var none V
			return none, context.Cause(ctx)
		}
		if !other.gaveUp {
			return other.value, other.err
		}
	}
}

func (c *cache[V]) fly(ctx context.Context, key string, own *flight[V], find func(context.Context) (V, time.Time, error)) {
	own.gaveUp = true // stands if find panics
	defer func() {
		c.mu.Lock()
		delete(c.flights, key)
		c.mu.Unlock()
		close(own.done)
	}()
	value, until, err := find(ctx)
	own.value, own.err = value, err
	own.gaveUp = err != nil && ctx.Err() != nil
	if err == nil {
		c.keep(key, value, until)
	}
}
