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

	patience time.Duration // for the reply that is read next; 0: its limit is set

	mu          sync.Mutex
	aborted     bool
	watched     int  // how often watch was called
	interrupted bool // the context of the last one has ended
	committed   bool // an interruption waits
}

func newWire(conn net.Conn) *wire {
	w := &wire{raw: conn, conn: conn}
	w.in = bufio.NewReaderSize(reader{w}, maxReplyLineBytes)
	return w
}

// reader sets the limit of a reply only when it has to be waited for.
type reader struct{ wire *wire }

func (r reader) Read(p []byte) (int, error) {
	w := r.wire
	if w.patience > 0 {
		if err := w.limit(w.patience, w.raw.SetReadDeadline); err != nil {
			return 0, err
		}
		w.patience = 0
	}
	return w.conn.Read(p)
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

// abort ends all pending and later reading and writing; w.mu is held.
func (w *wire) abort() {
	w.aborted = true
	_ = w.raw.SetDeadline(time.Unix(1, 0))
}

// watch aborts when ctx ends, at once or when what was committed is over. unwatch
// stops that; it reports whether the connection is still good.
func (w *wire) watch(ctx context.Context) (unwatch func() bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.watched++
	w.interrupted = false
	stop := func() bool { return true }
	if ctx.Done() != nil {
		number := w.watched
		stop = context.AfterFunc(ctx, func() { w.interrupt(number) })
	}
	return func() bool {
		stop()
		w.mu.Lock()
		defer w.mu.Unlock()
		w.watched++ // one that is late finds nobody
		return !w.aborted
	}
}

func (w *wire) interrupt(number int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if number != w.watched {
		return
	}
	w.interrupted = true
	if !w.committed {
		w.abort()
	}
}

// commit makes an interruption wait; it reports false when one came first.
func (w *wire) commit() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.committed = !w.interrupted
	return w.committed
}

// uncommit ends what was committed. An interruption that came meanwhile aborts now
// if there is more under way.
func (w *wire) uncommit(more bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.committed = false
	if w.interrupted && more {
		w.abort()
	}
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
// says one octet a minute does not hold us. It begins with the first wait.
func (w *wire) reply(timeout time.Duration) (mailing.Reply, error) {
	w.patience = timeout
	return readReply(w.in)
}

// unasked reports whether the server said something nobody asked for.
func (w *wire) unasked() bool { return w.in.Buffered() > 0 }

// encrypt goes on over conn, TLS on top of raw.
func (w *wire) encrypt(conn net.Conn) {
	w.conn = conn
	w.in.Reset(reader{w})
}
