package cache

import (
	"bytes"
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"vestnik/internal/cache/cachetest"
)

// lines is a log.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) count(words string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.text.String(), words)
}

// node is the cache of a node that keeps looking whether Redis is there.
func node(t *testing.T, location string) (*Cache, *lines) {
	t.Helper()
	log := &lines{}
	c, _ := open(t, Options{Location: location, Space: t.Name(), Log: slog.New(slog.NewTextHandler(log, nil))})
	ctx, stop := context.WithCancel(context.Background())
	var kept sync.WaitGroup
	kept.Go(func() { c.Keep(ctx, true) })
	t.Cleanup(func() {
		stop()
		kept.Wait()
	})
	return c, log
}

// patience is what a slow machine with other tests on it needs. Chosen.
const patience = 30 * time.Second

func eventually(t *testing.T, claim string, isTrue func() bool) {
	t.Helper()
	for limit := time.Now().Add(patience); !isTrue(); <-time.After(10 * time.Millisecond) {
		if time.Now().After(limit) {
			t.Fatalf("after %s it is not true that %s", patience, claim)
		}
	}
}

func (c *Cache) is(s State) func() bool { return func() bool { return c.Stats().State == s } }

func TestTwoNodesShareARedis(t *testing.T) {
	r := cachetest.Start(t)
	a, _ := node(t, r.Location())
	b, _ := node(t, r.Location())
	var n counter
	t.Run("what one has computed, the other need not", func(t *testing.T) {
		n.read(t, a, key)
		n.read(t, b, key)
		n.loaded(t, 1)
	})
	t.Run("what one forgets, the other has forgotten at once", func(t *testing.T) {
		for i := range int64(100) {
			n.value.Store(i)
			a.Forget(t.Context(), key.Tag)
			if got := n.read(t, b, key); got != i {
				t.Fatalf("got %d after %d", got, i)
			}
			a, b = b, a
		}
	})
	t.Run("what was computed before a change is not found after it", func(t *testing.T) {
		a.Forget(t.Context(), key.Tag)
		_, err := Read(t.Context(), a, key, func(ctx context.Context) (int64, error) {
			old, err := n.load(ctx)
			n.value.Store(1000)
			b.Forget(t.Context(), key.Tag)
			return old, err
		})
		if err != nil {
			t.Fatal(err)
		}
		if got := n.read(t, b, key); got != 1000 {
			t.Errorf("got %d", got)
		}
	})
	t.Run("another installation has its own", func(t *testing.T) {
		other, _ := open(t, Options{Location: r.Location(), Space: "another", Log: slog.New(slog.DiscardHandler)})
		before := n.loads.Load()
		n.read(t, other, key)
		n.loaded(t, before+1)
	})
	t.Run("what Redis forgets by itself is computed again", func(t *testing.T) {
		if err := a.link.remote.client.FlushAll(t.Context()).Err(); err != nil {
			t.Fatal(err)
		}
		n.value.Store(2000)
		if got := n.read(t, b, key); got != 2000 {
			t.Errorf("got %d", got)
		}
	})
	t.Run("what is no answer of ours counts as none", func(t *testing.T) {
		if err := a.link.remote.client.Set(t.Context(), a.link.remote.valueKey(key), "x", 0).Err(); err != nil {
			t.Fatal(err)
		}
		if got := n.read(t, b, key); got != 2000 {
			t.Errorf("got %d", got)
		}
	})
	if s := b.Stats(); s.State != Up || s.Address != r.Address() || s.Latency <= 0 || s.Hits == 0 {
		t.Errorf("stats %+v", s)
	}
}

func TestRedisComesAndGoes(t *testing.T) {
	r := cachetest.Start(t)
	c, log := node(t, r.Location())
	other, _ := node(t, r.Location())
	var n counter
	n.read(t, c, key)
	for i, fault := range []struct {
		name          string
		strike, relax func()
	}{
		{"killed", r.Kill, r.Restart},
		{"frozen", r.Freeze, r.Thaw},
	} {
		t.Run("when it is "+fault.name+", nobody who asks gets an error, and the log says it once", func(t *testing.T) {
			fault.strike()
			begun := time.Now()
			n.value.Add(1)
			c.Forget(t.Context(), key.Tag)
			if got := n.read(t, c, key); got != n.value.Load() {
				t.Errorf("got %d, want %d", got, n.value.Load())
			}
			if took := time.Since(begun); took > time.Second { // 0.1 s is promised
				t.Errorf("the first who ask wait for %s", took)
			}
			if !c.is(Away)() || c.Shared() {
				t.Error("it is not away")
			}
			// A dead Redis costs nothing: a thousand questions take less than one failure.
			begun, before := time.Now(), n.loads.Load()
			for range 1000 {
				n.read(t, c, key)
			}
			n.loaded(t, before)
			t.Logf("1000 questions took %s", time.Since(begun))
			if took := time.Since(begun); took > time.Second {
				t.Errorf("a thousand questions take %s", took)
			}
			if got := log.count("Redis is away"); got != i+1 {
				t.Errorf("the log says it %d times, want %d", got, i+1)
			}
		})
		t.Run("when it is back, it is in use again, and what was forgotten meanwhile is forgotten there", func(t *testing.T) {
			n.value.Add(1)
			c.Forget(t.Context(), key.Tag)
			fault.relax()
			eventually(t, "both have it again", func() bool { return c.is(Up)() && other.is(Up)() })
			if got := n.read(t, other, key); got != n.value.Load() {
				t.Errorf("another node gets %d, want %d", got, n.value.Load())
			}
			if got := log.count("Redis is back"); got != i+1 {
				t.Errorf("the log says it %d times, want %d", got, i+1)
			}
		})
	}
	if text := log.text.String(); strings.Contains(text, "hunter2") {
		t.Errorf("the log shows the password: %s", text)
	}
}

func TestAWrongPassword(t *testing.T) {
	r := cachetest.Start(t)
	var log lines
	c, _ := open(t, Options{
		Location: strings.Replace(r.Location(), "hunter2", "hunter3", 1), Log: slog.New(slog.NewTextHandler(&log, nil)),
	})
	var n counter
	for range 5 {
		n.read(t, c, key)
	}
	t.Run("is told, and everything works without Redis", func(t *testing.T) {
		if n.loads.Load() > 2 || log.count("Redis is away") != 1 || log.count("WRONGPASS") != 1 {
			t.Errorf("%d loads, log %s", n.loads.Load(), log.text.String())
		}
	})
	if log.count("hunter") != 0 {
		t.Errorf("the log shows the password: %s", log.text.String())
	}
}

func TestALocationThatCannotBeReadIsNotShown(t *testing.T) {
	_, err := Open(Options{Location: "http://:hunter2@host"})
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("got %v", err)
	}
}

// asks is what a node does that has mails for a meter all the time: it takes slots for
// the time and returns when they are.
func asks(ctx context.Context, c *Cache, perSecond, most, live int) (at []time.Time) {
	for ctx.Err() == nil {
		got, shared := c.Slots(ctx, "meter", perSecond, most, live)
		next := time.Now().Add(got.In)
		if !shared {
			got.Count, got.Every = 1, time.Second*time.Duration(live)/time.Duration(perSecond)
			next = next.Add(got.Every)
		}
		for range got.Count {
			at = append(at, next)
			next = next.Add(got.Every)
		}
		<-time.After(time.Until(next))
	}
	return at
}

// densest is how many of the moments lie in any one second.
func densest(at []time.Time) (most int) {
	slices.SortFunc(at, time.Time.Compare)
	first := 0
	for i := range at {
		for at[i].Sub(at[first]) >= time.Second {
			first++
		}
		most = max(most, i-first+1)
	}
	return most
}

func TestSlots(t *testing.T) {
	r := cachetest.Start(t)
	line := r.Line()
	a, _ := node(t, line.Location())
	b, _ := node(t, r.Location())
	const perSecond, most = 100, 5
	together := func(t *testing.T, d time.Duration, meanwhile func()) []time.Time {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), d)
		defer cancel()
		var both sync.WaitGroup
		var mu sync.Mutex
		var all []time.Time
		for _, c := range []*Cache{a, b} {
			both.Go(func() {
				at := asks(ctx, c, perSecond, most, 2)
				mu.Lock()
				defer mu.Unlock()
				all = append(all, at...)
			})
		}
		meanwhile()
		both.Wait()
		return all
	}
	check := func(t *testing.T, at []time.Time) {
		t.Helper()
		t.Logf("%d slots, at most %d in a second", len(at), densest(at))
		if n := densest(at); n > perSecond+2*most {
			t.Errorf("%d slots came in one second, want %d at most", n, perSecond)
		}
	}
	t.Run("of two nodes no more than the limit come in a second, and no fewer when only one asks", func(t *testing.T) {
		check(t, together(t, 3*time.Second, func() {}))
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		alone := asks(ctx, a, perSecond, most, 2)
		check(t, alone)
		if len(alone) < 2*perSecond {
			t.Errorf("one that asks alone gets %d in 3 s, want about %d", len(alone), 3*perSecond)
		}
	})
	t.Run("nor when Redis is killed meanwhile and comes back, with nothing that it knew", func(t *testing.T) {
		check(t, together(t, 14*time.Second, func() {
			<-time.After(2 * time.Second)
			r.Kill()
			eventually(t, "it is away", func() bool { return a.is(Away)() && b.is(Away)() })
			<-time.After(5 * time.Second)
			r.Restart()
			eventually(t, "it is back", func() bool { return a.is(Up)() && b.is(Up)() })
		}))
	})
	t.Run("nor when one of them is cut off from Redis, whose share is kept for it", func(t *testing.T) {
		check(t, together(t, 12*time.Second, func() {
			<-time.After(2 * time.Second)
			line.Cut()
			eventually(t, "it is away for one", a.is(Away))
			<-time.After(6 * time.Second)
			line.Mend()
			eventually(t, "it is back", a.is(Up))
		}))
	})
}
