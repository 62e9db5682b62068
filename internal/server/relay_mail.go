package server

import (
	"context"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
	"vestnik/internal/transport"
	"vestnik/internal/transport/mx"
)

// testMail is the one mail of a test.
type testMail struct {
	from, to string
	message  []byte
	result   transport.Result
	err      error
}

// Envelope implements transport.Mail, as the others do.
func (m *testMail) Envelope() transport.Envelope { return transport.Envelope{From: m.from, To: m.to} }

// Message is what is sent.
func (m *testMail) Message() []byte { return m.message }

// BeforeDot has nothing to look at once more.
func (m *testMail) BeforeDot() error { return nil }

// Done keeps how it ended.
func (m *testMail) Done(result transport.Result, err error) { m.result, m.err = result, err }

// mailRelay sends one mail over a connection of its own. Nothing is tried again: somebody
// waits for the answer.
func (b *Base) mailRelay(ctx context.Context, s app.RelaySettings, to string, message []byte) error {
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	session, err := b.testSession(ctx, s, to)
	if err != nil {
		return err
	}
	defer session.Close()
	// The answer to the final dot is waited for as long as it takes, but here.
	defer context.AfterFunc(ctx, session.Cut)()
	m := &testMail{from: s.FromEmail, to: to, message: message}
	session.Carry(ctx, m, nil)
	switch {
	case m.err != nil:
		return m.err
	case !m.result.Reply.Accepted():
		return mailing.Fault(mailing.Invalid, "relay_mail_refused", "host", m.result.Host, "reply", m.result.Reply.String())
	}
	return nil
}

func (b *Base) testSession(ctx context.Context, s app.RelaySettings, to string) (*transport.Session, error) {
	if s.Kind == app.RelayMX {
		return openRoute(ctx, mx.NewRouter(mx.Options{HeloName: s.HeloName}), to)
	}
	return b.relayOf(s).Open(ctx)
}
