package transport

import (
	"errors"
	"os"
	"strconv"
	"time"

	"vestnik/internal/mailing"
)

// abandoned is what beforeDot said.
type abandoned struct{ err error }

func (e *abandoned) Error() string { return e.err.Error() }

// errEnded is why a mail was not begun.
var errEnded = errors.New("the session has ended")

// begin says MAIL, RCPT and DATA, with RSET before them where one is due, unless
// they were said behind the mail before. It returns 354, or the first refusal.
func (s *Session) begin(p *parcel) (mailing.Reply, error) {
	switch {
	case p.announced:
		return s.hearAll()
	case s.broken:
		return mailing.Reply{}, errEnded
	case s.wire.unasked():
		return mailing.Reply{}, garbage("the server spoke unasked before MAIL")
	}
	s.buffer = s.appendCommands(s.buffer[:0], &p.env, s.transaction)
	if !s.offers.pipelining {
		return s.sayOneByOne()
	}
	s.at = s.lines[0].stage
	if _, err := s.wire.write(s.buffer, s.lines[0].timeout); err != nil {
		return s.whyHungUp(err)
	}
	return s.hearAll()
}

// line is a command in s.buffer.
type line struct {
	stage   Stage
	end     int // where it ends there; it begins where the one before ends
	code    int // of the answer that lets us go on; 2: any 2yz
	timeout time.Duration
}

func (l *line) passed(reply mailing.Reply) bool {
	return reply.Code == l.code || reply.Code/100 == l.code
}

// appendCommands appends the lines up to DATA and notes them in s.lines.
func (s *Session) appendCommands(b []byte, env *Envelope, reset bool) []byte {
	lines := s.room[:0]
	if reset {
		b = append(b, "RSET\r\n"...)
		lines = append(lines, line{StageMail, len(b), 250, s.limits.EHLO})
	}
	b = s.appendMail(b, env)
	lines = append(lines, line{StageMail, len(b), 2, s.limits.Mail})
	b = append(append(append(b, "RCPT TO:<"...), env.To...), ">\r\n"...)
	lines = append(lines, line{StageRcpt, len(b), 2, s.limits.Rcpt})
	b = append(b, "DATA\r\n"...)
	s.lines = append(lines, line{StageData, len(b), 354, s.limits.Data})
	return b
}

func (s *Session) appendMail(b []byte, env *Envelope) []byte {
	b = append(append(append(b, "MAIL FROM:<"...), env.From...), '>')
	if s.offers.size {
		b = strconv.AppendInt(append(b, " SIZE="...), int64(env.Size), 10)
	}
	if env.EightBit {
		b = append(b, " BODY=8BITMIME"...)
	}
	if env.UTF8 {
		b = append(b, " SMTPUTF8"...)
	}
	return append(b, '\r', '\n')
}

func (s *Session) sayOneByOne() (reply mailing.Reply, err error) {
	from := 0
	for i := range s.lines {
		l := &s.lines[i]
		s.at = l.stage
		if _, err := s.wire.write(s.buffer[from:l.end], l.timeout); err != nil {
			return s.whyHungUp(err)
		}
		from = l.end
		reply, err = s.hear(l)
		if err != nil || !l.passed(reply) {
			return reply, err
		}
	}
	return reply, nil
}

// hearAll hears the answers to all lines, which were said in one write, since one
// refusal does not tell what the others are (RFC 2920, section 3.1).
func (s *Session) hearAll() (mailing.Reply, error) {
	var refused, reply mailing.Reply
	var refusedAt Stage
	var recipient, data bool
	for i := range s.lines {
		l := &s.lines[i]
		var err error
		reply, err = s.hear(l)
		if err != nil && refused.Code == 0 {
			return reply, err
		}
		passed := err == nil && l.passed(reply)
		recipient = recipient || passed && l.stage == StageRcpt
		data = data || passed && l.stage == StageData
		if !passed && refused.Code == 0 {
			refused, refusedAt = reply, l.stage
		}
		if err != nil || s.broken {
			s.broken = true
			break
		}
	}
	if refused.Code == 0 {
		return reply, nil
	}
	if data {
		s.endNothing(recipient)
	}
	s.at = refusedAt
	return refused, nil
}

// endNothing ends a DATA that was accepted although MAIL or RCPT was refused: by
// a single dot, which the server should refuse (RFC 2920, section 3.1). If it
// has accepted the recipient it might mail them nothing, so then we hang up.
func (s *Session) endNothing(recipient bool) {
	if recipient {
		s.broken = true
		return
	}
	if _, err := s.wire.write([]byte(finalDot), s.limits.Block); err != nil {
		s.broken = true
		return
	}
	reply, err := s.wire.reply(s.limits.Dot)
	s.transaction = false
	if err != nil || reply.Code == 421 || !isVerdict(reply) {
		s.broken = true
	}
}

// hear reads the answer to l and keeps track of what it means for the session.
// 421 closes it, to whatever it answers (RFC 5321, section 3.8).
func (s *Session) hear(l *line) (mailing.Reply, error) {
	s.at = l.stage
	reply, err := s.wire.reply(l.timeout)
	if err != nil {
		return reply, err
	}
	passed := l.passed(reply)
	if !passed && !reply.Transient() && !reply.Permanent() {
		return mailing.Reply{}, garbage("answered %s", reply)
	}
	if reply.Code == 421 {
		s.broken = true
	}
	if l.stage == StageMail && passed {
		s.transaction = l.code == 2 // the other one is RSET
	}
	return reply, nil
}

// isVerdict reports whether the reply decides about a mail.
func isVerdict(reply mailing.Reply) bool {
	return reply.Accepted() || reply.Transient() || reply.Permanent()
}

// transfer writes the message and hears the answer. The next mail is asked for while
// nothing of this one is decided; from the moment before BeforeDot on, a
// cancellation waits, so that a "go" is not followed by one that leaves the mail in
// doubt.
func (s *Session) transfer(p *parcel, next func() Mail) (reply mailing.Reply, following *parcel, err error) {
	s.at = StageData
	if s.wire.unasked() {
		return reply, nil, garbage("the server spoke unasked before the message")
	}
	body := stuffer{rest: p.message}
	for {
		s.buffer = body.fill(s.buffer[:0], blockBytes)
		if body.done() {
			break
		}
		if _, err := s.wire.write(s.buffer, s.limits.Block); err != nil {
			reply, err = s.whyHungUp(err)
			return reply, nil, err
		}
	}
	s.buffer = body.finish(s.buffer)
	if s.offers.pipelining {
		following = s.takeNext(next)
	}
	if !s.wire.commit() {
		return reply, following, os.ErrDeadlineExceeded
	}
	defer func() { s.wire.uncommit(following != nil) }()
	if err := p.mail.BeforeDot(); err != nil {
		return reply, following, &abandoned{err}
	}
	reply, err = s.writeFinal(p, following)
	return reply, following, err
}

// writeFinal writes the block with the final dot, and behind it the envelope of the
// mail that follows, and waits for the answer to the dot. The mail is in doubt from
// the first octet of the dot on: a server may be content with less than all three.
func (s *Session) writeFinal(p *parcel, following *parcel) (reply mailing.Reply, err error) {
	s.at = StageDot
	dot := len(s.buffer) - len(finalDot)
	if following != nil {
		following.announced, following.begun = true, time.Now()
		s.buffer = s.appendCommands(s.buffer, &following.env, false)
	}
	if n, err := s.wire.write(s.buffer, s.limits.Block); err != nil {
		inDoubt := n > dot
		if !inDoubt {
			s.at = StageData
		}
		reply, err = s.whyHungUp(err)
		p.result.InDoubt = inDoubt && err != nil
		return reply, err
	}
	reply, err = s.wire.reply(s.limits.Dot)
	if err == nil && !isVerdict(reply) {
		reply, err = mailing.Reply{}, garbage("answered %s to the message", reply)
	}
	if err != nil {
		p.result.InDoubt = true
		return reply, err
	}
	s.transaction = false
	s.broken = reply.Code == 421
	return reply, nil
}

// whyHungUp looks, after a write that came to nothing, for the refusal that the
// server said before it closed. Without one it returns err.
func (s *Session) whyHungUp(err error) (mailing.Reply, error) {
	s.broken = true
	if isTimeout(err) {
		return mailing.Reply{}, err
	}
	reply, failed := s.wire.reply(lastWords)
	if failed == nil && (reply.Transient() || reply.Permanent()) {
		return reply, nil
	}
	return mailing.Reply{}, err
}
