package cache

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// clock is a time that the test sets.
type clock struct{ at atomic.Int64 }

func (c *clock) now() time.Time { return time.Unix(1_700_000_000, c.at.Load()) }

func (c *clock) pass(d time.Duration) { c.at.Add(int64(d)) }

func open(t *testing.T, o Options) (*Cache, *clock) {
	t.Helper()
	hours := &clock{}
	o.Now = hours.now
	c, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c, hours
}

// counter is a thing that can be counted, and how often it was.
type counter struct {
	value, loads atomic.Int64
}

func (n *counter) load(context.Context) (int64, error) {
	n.loads.Add(1)
	return n.value.Load(), nil
}

func (n *counter) read(t *testing.T, c *Cache, k Key) int64 {
	t.Helper()
	got, err := Read(t.Context(), c, k, n.load)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func (n *counter) loaded(t *testing.T, want int64) {
	t.Helper()
	if got := n.loads.Load(); got != want {
		t.Fatalf("computed %d times, want %d", got, want)
	}
}

var key = Key{Tag: "tag", Name: "name", Lifetime: time.Minute}

func TestRead(t *testing.T) {
	t.Run("what is kept is not computed again until its tag is forgotten", func(t *testing.T) {
		c, _ := open(t, Options{})
		var n counter
		for range 3 {
			n.read(t, c, key)
		}
		n.loaded(t, 1)
		n.value.Store(7)
		c.Forget(t.Context(), "another")
		n.read(t, c, key)
		n.loaded(t, 1)
		c.Forget(t.Context(), key.Tag)
		if got := n.read(t, c, key); got != 7 {
			t.Errorf("got %d after the change", got)
		}
		if s := c.Stats(); s.Hits != 3 || s.Misses != 2 || s.HitRate() != 0.6 || s.Entries != 1 || s.State != Alone {
			t.Errorf("stats %+v", s)
		}
	})
	t.Run("it holds for its lifetime and no longer", func(t *testing.T) {
		c, hours := open(t, Options{})
		var n counter
		n.read(t, c, key)
		hours.pass(key.Lifetime - 1)
		n.read(t, c, key)
		n.loaded(t, 1)
		hours.pass(1)
		n.read(t, c, key)
		n.loaded(t, 2)
	})
	t.Run("the lifetime begins with the question, not with the answer", func(t *testing.T) {
		c, hours := open(t, Options{})
		var n counter
		_, err := Read(t.Context(), c, key, func(ctx context.Context) (int64, error) {
			hours.pass(key.Lifetime)
			return n.load(ctx)
		})
		if err != nil {
			t.Fatal(err)
		}
		n.read(t, c, key)
		n.loaded(t, 2)
	})
}

func TestWhatIsNotKept(t *testing.T) {
	t.Run("an error is not kept", func(t *testing.T) {
		c, _ := open(t, Options{})
		broken := errors.New("broken")
		_, err := Read(t.Context(), c, key, func(context.Context) (int64, error) { return 0, broken })
		if !errors.Is(err, broken) {
			t.Errorf("got %v", err)
		}
		var n counter
		n.read(t, c, key)
		n.loaded(t, 1)
	})
	t.Run("without a cache everything is computed", func(t *testing.T) {
		var c *Cache
		var n counter
		n.read(t, c, key)
		n.read(t, c, key)
		c.Forget(t.Context(), "tag")
		c.Keep(t.Context(), true)
		if _, shared := c.Slots(t.Context(), "1", 1, 1, 1); shared || c.Shared() || c.Close() != nil {
			t.Error("something is shared")
		}
		n.loaded(t, 2)
	})
}

func TestAnAnswerFromBeforeAChangeIsNotTakenForOneFromAfterIt(t *testing.T) {
	c, _ := open(t, Options{})
	var n counter
	begun, goOn := make(chan struct{}), make(chan struct{})
	slow := make(chan int64)
	go func() {
		got, _ := Read(context.Background(), c, key, func(ctx context.Context) (int64, error) {
			old, err := n.load(ctx)
			close(begun)
			<-goOn
			return old, err
		})
		slow <- got
	}()
	<-begun
	n.value.Store(7)
	c.Forget(t.Context(), key.Tag)
	t.Run("not while it is still being computed", func(t *testing.T) {
		if got := n.read(t, c, key); got != 7 {
			t.Errorf("got %d", got)
		}
	})
	close(goOn)
	<-slow
	t.Run("nor when it is stored late", func(t *testing.T) {
		if got := n.read(t, c, key); got != 7 {
			t.Errorf("got %d", got)
		}
		n.loaded(t, 2)
	})
}

func TestManyWhoAskAtOnceWaitForOne(t *testing.T) {
	c, _ := open(t, Options{})
	var n counter
	goOn := make(chan struct{})
	load := func(ctx context.Context) (int64, error) {
		<-goOn
		return n.load(ctx)
	}
	leaving, leave := context.WithCancel(t.Context())
	left := make(chan error)
	go func() {
		_, err := Read(leaving, c, key, load)
		left <- err
	}()
	for c.misses.Load() == 0 {
		<-time.After(time.Millisecond)
	}
	leave()
	if err := <-left; !errors.Is(err, context.Canceled) {
		t.Errorf("who leaves gets %v", err)
	}
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if _, err := Read(t.Context(), c, key, load); err != nil {
				t.Errorf("another gets %v", err)
			}
		})
	}
	for c.misses.Load() < 21 {
		<-time.After(time.Millisecond)
	}
	close(goOn)
	all.Wait()
	n.loaded(t, 1)
}

func TestFresh(t *testing.T) {
	c, hours := open(t, Options{})
	var n counter
	n.read(t, c, key)
	n.value.Store(7)
	ctx := Fresh(t.Context(), hours.now().Add(time.Second))
	t.Run("who must see what is true now has it computed", func(t *testing.T) {
		if got, err := Read(ctx, c, key, n.load); err != nil || got != 7 {
			t.Errorf("got %d, %v", got, err)
		}
	})
	t.Run("the others have it from them", func(t *testing.T) {
		if got := n.read(t, c, key); got != 7 {
			t.Errorf("got %d", got)
		}
		n.loaded(t, 2)
	})
	t.Run("that ends by itself", func(t *testing.T) {
		hours.pass(time.Second)
		if _, err := Read(ctx, c, key, n.load); err != nil {
			t.Error(err)
		}
		n.loaded(t, 2)
	})
}

func TestWhatAProcessKeepsIsBounded(t *testing.T) {
	const most = 100_000
	c, _ := open(t, Options{Bytes: most})
	text := func(n int) func(context.Context) (string, error) {
		return func(context.Context) (string, error) { return strings.Repeat("x", n), nil }
	}
	keep := func(name string, n int) {
		if _, err := Read(t.Context(), c, Key{Tag: "tag", Name: name, Lifetime: time.Minute}, text(n)); err != nil {
			t.Fatal(err)
		}
	}
	keep("first", 1000)
	for i := range 1000 {
		keep(strconv.Itoa(i), 1000)
		keep("first", 1000)
		if s := c.Stats(); s.Bytes > most {
			t.Fatalf("%d bytes are kept", s.Bytes)
		}
	}
	t.Run("in bytes, and what was asked for last stays", func(t *testing.T) {
		s := c.Stats()
		if s.Misses != 1001 || s.Entries < 50 {
			t.Errorf("stats %+v", s)
		}
	})
	t.Run("what is too large is not kept and pushes nothing out", func(t *testing.T) {
		before := c.Stats().Entries
		keep("large", most)
		if after := c.Stats().Entries; after != before {
			t.Errorf("%d entries, were %d", after, before)
		}
	})
	t.Run("also the tags that were forgotten, which are all forgotten once they are too many", func(t *testing.T) {
		for i := range 3 * mostGenerations {
			c.Forget(t.Context(), fmt.Sprint("owner", i))
			if n := len(c.local.generations); n > mostGenerations {
				t.Fatalf("%d generations", n)
			}
		}
		misses := c.Stats().Misses
		keep("first", 1000)
		if c.Stats().Misses != misses+1 {
			t.Error("what was kept before is found")
		}
	})
}
