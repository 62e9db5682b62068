package transport

import (
	"context"
	"fmt"
	"time"

	"vestnik/internal/mailing"
)

// Mail is one mail on its way out, and the one who wants to know about it. Its
// methods are called by one goroutine, in this order.
type Mail interface {
	// Envelope says from whom and to whom.
	Envelope() Envelope
	// Message is what is handed over. It may have any ends of lines and needs no
	// dot-stuffing; it is not changed, and not kept after Done.
	Message() []byte
	// BeforeDot is called once at most: after the server said 354 and all but the
	// last block is written, right before the write with the final dot. If it
	// returns an error the connection is cut, the mail is not sent, and the error
	// is wrapped.
	BeforeDot() error
	// Done is told once how it ended. Answers, also refusals, are Results without
	// an error. When no answer came the error says why, as in OpenError, and the
	// Result has the same as text.
	Done(Result, error)
}

// Carry hands over m and then, one after the other, the mails that next gives (nil:
// there is none now), until there is none or the session is at its end. Where the
// server takes commands in groups (RFC 2920), the envelope of a mail goes out right
// behind the final dot of the one before, so that a mail takes one round trip.
//
// next must not wait. It is asked before the final dot of the mail before; what it
// gives is handed over unless ctx ends, or the session does, in which case it is
// returned: nothing of it was sent, and a new session may be tried.
//
// When ctx ends before a final dot, everything stops at once and that mail is not
// sent. After it ctx is not looked at: the answer is waited for as long as
// Timeouts.Dot says, since without it the mail is in doubt. Only Cut ends that.
func (s *Session) Carry(ctx context.Context, m Mail, next func() Mail) (rest Mail) {
	rest, result, err := s.carry(ctx, m, next)
	if rest != nil && ctx.Err() != nil {
		rest.Done(result, err)
		return nil
	}
	return rest
}

// carry is Carry, and says what the session came to before anything of rest was
// sent.
func (s *Session) carry(ctx context.Context, m Mail, next func() Mail) (rest Mail, result Result, err error) {
	unwatch := s.wire.watch(ctx)
	defer func() { s.broken = !unwatch() || s.broken }()
	for p := s.take(m); p != nil; {
		fresh := s.used == 0
		s.used++
		following := s.handOver(ctx, p, next)
		if !fresh && isStale(p.result, p.err) {
			return p.mail, p.result, p.err
		}
		p.mail.Done(p.result, p.err)
		switch {
		case following != nil && s.broken:
			return following.mail, s.unbegun(), errEnded
		case following == nil && !s.broken:
			following = s.takeNext(next)
		}
		p = following
	}
	return nil, Result{}, nil
}

// unbegun is the result of a mail that the session ended before.
func (s *Session) unbegun() Result {
	return Result{Host: s.host, TLS: s.tls, Stage: StageMail, Reply: mailing.Reply{Text: errEnded.Error()}}
}

// isStale reports whether a used session was at its end before it heard of the
// mail.
func isStale(result Result, err error) bool {
	return result.Stage == StageMail && (err != nil || result.Reply.Code == 421)
}

// parcel is a mail in the session's hands, and what came of it.
type parcel struct {
	mail      Mail
	env       Envelope
	message   []byte
	announced bool // its envelope went out behind the mail before it
	begun     time.Time
	result    Result
	err       error
}

// takeNext takes the next mail that the server can be given. Others are answered
// at once.
func (s *Session) takeNext(next func() Mail) *parcel {
	for next != nil {
		m := next()
		if m == nil {
			return nil
		}
		if p := s.take(m); p != nil {
			return p
		}
	}
	return nil
}

// take makes a parcel of a mail; nil when the server cannot be given it, of which
// the mail is then told.
func (s *Session) take(m Mail) *parcel {
	s.hand = 1 - s.hand
	p := &s.parcels[s.hand]
	*p = parcel{mail: m, env: m.Envelope(), message: m.Message()}
	refused, stage := s.cannotTake(&p.env, p.message)
	if refused.Code == 0 {
		return p
	}
	s.hand = 1 - s.hand // the other one may be under way
	m.Done(Result{Reply: refused, Stage: stage, Host: s.host, TLS: s.tls}, nil)
	return nil
}

// handOver hands over one mail and leaves in p what came of it. It returns the
// mail that was taken meanwhile to follow.
func (s *Session) handOver(ctx context.Context, p *parcel, next func() Mail) (following *parcel) {
	if !p.announced {
		p.begun = time.Now()
	}
	s.at = StageMail
	reply, err := s.begin(p)
	if err == nil && reply.Code == 354 {
		reply, following, err = s.transfer(p, next)
	}
	p.result.Host, p.result.TLS, p.result.Reply = s.host, s.tls, reply
	if err != nil {
		p.err = fmt.Errorf("transport: send to %s: %s: %w", s.host, s.at, s.relay.fault(ctx, s.at, err))
		s.broken = true
		s.Cut()
		p.result.Reply = mailing.Reply{Text: cleanText([]byte(p.err.Error()))}
	}
	p.result.Stage = s.at
	p.result.Duration = time.Since(p.begun)
	return following
}

// single is a mail for Send.
type single struct {
	env       Envelope
	message   []byte
	beforeDot func() error
	result    Result
	err       error
}

func (m *single) Envelope() Envelope            { return m.env }
func (m *single) Message() []byte               { return m.message }
func (m *single) Done(result Result, err error) { m.result, m.err = result, err }

func (m *single) BeforeDot() error {
	if m.beforeDot == nil {
		return nil
	}
	return m.beforeDot()
}

// Send is Carry of one mail. beforeDot may be nil.
func (s *Session) Send(ctx context.Context, env Envelope, message []byte, beforeDot func() error) (Result, error) {
	m := single{env: env, message: message, beforeDot: beforeDot}
	if rest, result, err := s.carry(ctx, &m, nil); rest != nil {
		return result, err
	}
	return m.result, m.err
}
