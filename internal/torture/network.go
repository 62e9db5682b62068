package torture

import (
	"context"
	"net"
)

// Dial makes a connection whose calls the fuse counts, for transport.Relay.Dial.
func (f *Fuse) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	var dialer net.Dialer
	var made net.Conn
	err := f.call(Dial, func() (err error) {
		made, err = dialer.DialContext(ctx, network, address)
		return err
	}, func() {
		if made != nil {
			made.Close()
		}
	})
	if err != nil {
		return nil, err
	}
	return &wire{Conn: made, fuse: f}, nil
}

// wire is a connection under a fuse.
type wire struct {
	net.Conn
	fuse *Fuse
}

// Read implements net.Conn.
func (w *wire) Read(p []byte) (n int, err error) {
	err = w.fuse.call(Read, func() (err error) {
		n, err = w.Conn.Read(p)
		return err
	}, w.cut)
	if err == ErrBroken {
		return 0, err
	}
	return n, err
}

// Write implements net.Conn. How much the network took is known even when nothing
// more is (net.Conn and io.Writer promise that).
func (w *wire) Write(p []byte) (n int, err error) {
	err = w.fuse.call(Write, func() (err error) {
		n, err = w.Conn.Write(p)
		return err
	}, w.cut)
	return n, err
}

func (w *wire) cut() { w.Conn.Close() }
