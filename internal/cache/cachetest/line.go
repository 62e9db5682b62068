package cachetest

import (
	"io"
	"net"
	"strings"
	"sync"
)

// Line is a way to a Redis that can be cut for one node alone.
type Line struct {
	redis  *Redis
	listen net.Listener
	done   sync.WaitGroup

	mu   sync.Mutex
	cut  bool
	open []net.Conn
}

// Line lays one, which goes with the test.
func (r *Redis) Line() *Line {
	r.t.Helper()
	l := &Line{redis: r}
	var err error
	if l.listen, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		r.t.Fatal(err)
	}
	l.done.Go(l.serve)
	r.t.Cleanup(func() {
		l.listen.Close()
		l.Cut()
		l.done.Wait()
	})
	return l
}

// Location is that of the Redis by this way.
func (l *Line) Location() string {
	return strings.Replace(l.redis.Location(), l.redis.Address(), l.listen.Addr().String(), 1)
}

func (l *Line) serve() {
	for {
		near, err := l.listen.Accept()
		if err != nil {
			return
		}
		far, err := net.Dial("tcp", l.redis.Address())
		if err != nil || !l.take(near, far) {
			near.Close()
			if err == nil {
				far.Close()
			}
			continue
		}
		for _, way := range [][2]net.Conn{{near, far}, {far, near}} {
			l.done.Go(func() {
				// How it ends is what the tests are about.
				_, _ = io.Copy(way[0], way[1])
				way[0].Close()
				way[1].Close()
			})
		}
	}
}

func (l *Line) take(ends ...net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.cut {
		return false
	}
	l.open = append(l.open, ends...)
	return true
}

// Cut ends all connections and lets no others through.
func (l *Line) Cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cut = true
	for _, end := range l.open {
		end.Close()
	}
	l.open = nil
}

// Mend ends Cut.
func (l *Line) Mend() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cut = false
}
