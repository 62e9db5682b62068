package transport

import (
	"bufio"
	"context"
	"net"
	"sync"
	"time"

	"vestnik/internal/mailing"
)

// wire is a connection whose every step has a time limit, and which can be
// aborted from outside at any time.
type wire struct {
	raw  net.Conn // carries the deadlines
	conn net.Conn // raw, or TLS over it
	in   *bufio.Reader

	mu      sync.Mutex
	aborted bool
}

func newWire(conn net.Conn) *wire {
	return &wire{raw: conn, conn: conn, in: bufio.NewReaderSize(conn, maxReplyLineBytes)}
}

// limit gives the next reads or writes this long. After abort it has no effect:
// a deadline set later must not bring an aborted connection back to life.
func (w *wire) limit(timeout time.Duration, set func(time.Time) error) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.aborted {
		return nil
	}
	return set(time.Now().Add(timeout))
}

// abort ends all pending and later reading and writing.
func (w *wire) abort() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.aborted = true
	_ = w.raw.SetDeadline(time.Unix(1, 0))
}

// watch aborts when ctx ends. release stops that; it reports false when ctx
// ended first.
func (w *wire) watch(ctx context.Context) (release func() bool) {
	if ctx.Done() == nil {
		return func() bool { return true }
	}
	stop := context.AfterFunc(ctx, w.abort)
	return sync.OnceValue(stop)
}

// write returns how many octets were handed to the network. With TLS an octet
// counts when its whole record was: no part of a record can be read.
func (w *wire) write(p []byte, timeout time.Duration) (int, error) {
	if err := w.limit(timeout, w.raw.SetWriteDeadline); err != nil {
		return 0, err
	}
	return w.conn.Write(p)
}

// reply waits for one whole reply. The limit is for all of it, so a server that
// says one octet a minute does not hold us.
func (w *wire) reply(timeout time.Duration) (mailing.Reply, error) {
	if err := w.limit(timeout, w.raw.SetReadDeadline); err != nil {
		return mailing.Reply{}, err
	}
	return readReply(w.in)
}

// unasked reports whether the server said something nobody asked for.
func (w *wire) unasked() bool { return w.in.Buffered() > 0 }

// encrypt goes on over conn, TLS on top of raw.
func (w *wire) encrypt(conn net.Conn) {
	w.conn = conn
	w.in.Reset(conn)
}
