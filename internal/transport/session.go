package transport

import (
	"context"
	"fmt"
	"time"

	"vestnik/internal/mailing"
)

// blockBytes is how much of a message is written at once. What is smaller,
// which is nearly every mail, goes out with its final dot in one write.
const blockBytes = 64 << 10

// lastWords is how long we listen, after a write came to nothing, for why the
// server hung up. Chosen: what it said is there already or was lost.
const lastWords = time.Second

// Session is an open conversation with a server. It is for one caller at a
// time, except Cut.
type Session struct {
	relay  *Relay
	limits Timeouts
	wire   *wire
	host   string
	tls    string
	offers extensions

	at          Stage
	used        int  // mails tried
	broken      bool // nothing more can be said
	transaction bool // MAIL was accepted and nothing ended it: RSET comes first
	buffer      []byte
	room        [4]line // for lines
	lines       []line  // what was said of an envelope
	parcels     [2]parcel
	hand        int // the parcel taken last
}

// Alive reports whether another Send may work. It does not ask the server.
func (s *Session) Alive() bool { return !s.broken }

// Close says QUIT, hears the answer if it comes in time, and closes. What goes
// wrong at it changes nothing for any mail, so nothing is returned.
func (s *Session) Close() {
	if !s.broken {
		_, _ = s.command(s.limits.Quit, "QUIT")
	}
	s.broken = true
	_ = s.wire.conn.Close()
}

// Cut closes at once. It may be called while the session is in use elsewhere;
// a Send that waits for the answer to its final dot then ends in doubt.
func (s *Session) Cut() {
	if s.wire != nil {
		s.wire.raw.Close()
	}
}

// Reset ends a transaction that was begun and asks with it whether the server
// is still there.
func (s *Session) Reset(ctx context.Context) error {
	s.at = StageEHLO
	defer s.wire.watch(ctx)()
	reply, err := s.command(s.limits.EHLO, "RSET")
	if err == nil && reply.Code != 250 {
		err = expectBefore(reply, 250)
	}
	if err != nil {
		s.broken = true
		return fmt.Errorf("transport: reset session with %s: %w", s.host, s.relay.fault(ctx, s.at, err))
	}
	s.transaction = false
	return nil
}

// command says one line and hears the answer.
func (s *Session) command(timeout time.Duration, line string) (mailing.Reply, error) {
	s.buffer = append(append(s.buffer[:0], line...), '\r', '\n')
	if _, err := s.wire.write(s.buffer, timeout); err != nil {
		return mailing.Reply{}, err
	}
	return s.wire.reply(timeout)
}
