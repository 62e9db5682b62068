package transport

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"vestnik/internal/mailing"
)

// PoolOptions limit a Pool. A field that is 0 stands for its default.
type PoolOptions struct {
	// Sessions is how many conversations may be open at once. Default 4: chosen,
	// what small relays allow one client without complaint; whoever knows theirs
	// sets it.
	Sessions int
	// IdleFor is how long an unused session is kept. Default 30 s: below the
	// minute and more after which servers begin to hang up.
	IdleFor time.Duration
	// Messages is how many mails go through one session. Default 100: opening one
	// takes five to seven round trips and a handshake, which at 100 mails is a
	// few percent; servers that count stop at 100 and more; and a relay behind
	// one name gets its load spread anew.
	Messages int
}

// ErrPoolClosed is wrapped by what Send returns after Close.
var ErrPoolClosed = errors.New("pool is closed")

// Opener opens sessions: a *Relay, or an *mx.Route to the servers of a domain.
type Opener interface {
	// Open is as Relay.Open.
	Open(ctx context.Context) (*Session, error)
	// Address says where to, for people.
	Address() string
}

// Pool keeps sessions with one server, or with servers that stand for each other,
// and sends through them. It may be used by many at once.
type Pool struct {
	opener   Opener
	messages int
	idleFor  time.Duration
	slots    chan struct{} // holds one for each session in use
	running  sync.WaitGroup
	cut      context.Context // ends when Close has waited long enough
	cutAll   context.CancelFunc

	mu     sync.Mutex
	closed bool
	idle   []idleSession // the one used last at the end
	inUse  map[*Session]struct{}
	timer  *time.Timer // nil while nothing is idle
}

type idleSession struct {
	session *Session
	since   time.Time
}

// NewPool makes a pool; it connects when there is something to send.
func NewPool(opener Opener, options PoolOptions) *Pool {
	if options.Sessions <= 0 {
		options.Sessions = 4
	}
	if options.IdleFor <= 0 {
		options.IdleFor = 30 * time.Second
	}
	if options.Messages <= 0 {
		options.Messages = 100
	}
	p := &Pool{
		opener: opener, messages: options.Messages, idleFor: options.IdleFor,
		slots: make(chan struct{}, options.Sessions),
		inUse: map[*Session]struct{}{},
	}
	p.cut, p.cutAll = context.WithCancel(context.Background())
	return p
}

// Carry is Session.Carry through a session that is free, or a new one, or the next
// that gets free. It goes on over new sessions as long as next gives mails. What
// comes of opening a session is in the Result too.
//
// A session that was used before may have been closed by the server meanwhile.
// When it breaks, or is answered 421, before MAIL got its answer, the mail is
// sent once more over a new connection; nothing of it had been sent.
func (p *Pool) Carry(ctx context.Context, m Mail, next func() Mail) {
	if err := p.enter(ctx); err != nil {
		err = fmt.Errorf("transport: send to %s: %w", p.opener.Address(), err)
		m.Done(Result{Host: p.opener.Address(), Stage: StageConnect, Reply: errorReply(err)}, err)
		return
	}
	defer p.running.Done()
	begun := time.Now()
	if session := p.takeIdle(); session != nil {
		if m = p.carry(ctx, session, m, next); m == nil {
			p.giveBack(session)
			return
		}
		p.drop(session)
	}
	for m != nil {
		session, err := p.open(ctx)
		if err != nil {
			<-p.slots
			result, err := openResult(err)
			result.Duration = time.Since(begun)
			m.Done(result, err)
			return
		}
		if m = p.carry(ctx, session, m, next); m == nil {
			p.giveBack(session)
			return
		}
		p.drop(session)
		begun = time.Now()
	}
}

// carry carries mails through one session until it has had its share.
func (p *Pool) carry(ctx context.Context, session *Session, m Mail, next func() Mail) (rest Mail) {
	return session.Carry(ctx, m, func() Mail {
		if session.used >= p.messages || next == nil {
			return nil
		}
		return next()
	})
}

// openResult makes a Result of an *OpenError: a refusal is an answer, the rest
// stays an error.
func openResult(err error) (Result, error) {
	var failed *OpenError
	if !errors.As(err, &failed) {
		return Result{Stage: StageConnect, Reply: errorReply(err)}, err
	}
	result := Result{Host: failed.Host, TLS: failed.TLS, Stage: failed.Stage, Reply: failed.Reply}
	if failed.Reply.Code != 0 {
		return result, nil
	}
	result.Reply = errorReply(err)
	return result, err
}

func errorReply(err error) mailing.Reply {
	return mailing.Reply{Text: cleanText([]byte(err.Error()))}
}

// enter waits for a slot and registers with Close. Leaving is running.Done; the
// slot is given back with the session.
func (p *Pool) enter(ctx context.Context) error {
	select {
	case p.slots <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		<-p.slots
		return ErrPoolClosed
	}
	p.running.Add(1)
	return nil
}

func (p *Pool) takeIdle() *Session {
	p.mu.Lock()
	defer p.mu.Unlock()
	last := len(p.idle) - 1
	if last < 0 {
		return nil
	}
	session := p.idle[last].session
	p.idle = p.idle[:last]
	p.inUse[session] = struct{}{}
	return session
}

func (p *Pool) open(ctx context.Context) (*Session, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stop := context.AfterFunc(p.cut, func() { cancel(ErrPoolClosed) })
	defer stop()
	session, err := p.opener.Open(ctx)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.inUse[session] = struct{}{}
	if p.cut.Err() != nil {
		session.Cut()
	}
	return session, nil
}

// giveBack makes the session idle, or ends it, and frees its slot.
func (p *Pool) giveBack(session *Session) {
	if p.keepIdle(session) {
		<-p.slots
		return
	}
	// The caller has its answer; it does not wait for that to QUIT.
	p.end(session, func() { <-p.slots })
}

// end closes a session that is in use, and calls after when that is done.
func (p *Pool) end(session *Session, after func()) {
	p.running.Add(1)
	go func() {
		defer p.running.Done()
		session.Close()
		p.drop(session)
		after()
	}()
}

func (p *Pool) keepIdle(session *Session) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || !session.Alive() || session.used >= p.messages {
		return false
	}
	delete(p.inUse, session)
	p.idle = append(p.idle, idleSession{session, time.Now()})
	if p.timer == nil {
		p.timer = time.AfterFunc(p.idleFor, p.closeIdle)
	}
	return true
}

// drop forgets a session that is over.
func (p *Pool) drop(session *Session) {
	session.Cut()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.inUse, session)
}

// closeIdle ends what was not used for long enough, and comes back when the next
// one will be due.
func (p *Pool) closeIdle() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return
	}
	now := time.Now()
	due := 0
	for due < len(p.idle) && now.Sub(p.idle[due].since) >= p.idleFor {
		due++
	}
	p.endIdle(p.idle[:due])
	p.idle = append(p.idle[:0], p.idle[due:]...)
	p.timer = nil
	if len(p.idle) > 0 {
		p.timer = time.AfterFunc(p.idle[0].since.Add(p.idleFor).Sub(now), p.closeIdle)
	}
}

// endIdle closes idle sessions; p.mu is held.
func (p *Pool) endIdle(over []idleSession) {
	for _, one := range over {
		p.inUse[one.session] = struct{}{}
		p.end(one.session, func() {})
	}
}

// Close takes no more mails, waits until those under way have their answers, and
// ends all sessions. When ctx ends before that, it cuts the connections: what
// waits for the answer to its final dot is then in doubt; the error says so.
// Either way nothing of the pool runs when it returns. It may be called once.
func (p *Pool) Close(ctx context.Context) error {
	p.mu.Lock()
	p.closed = true
	if p.timer != nil {
		p.timer.Stop()
	}
	p.endIdle(p.idle)
	p.idle = nil
	p.mu.Unlock()

	stop := context.AfterFunc(ctx, p.cutSessions)
	p.running.Wait()
	defer p.cutAll()
	if !stop() {
		return fmt.Errorf("transport: close pool of %s: cut: %w", p.opener.Address(), context.Cause(ctx))
	}
	return nil
}

func (p *Pool) cutSessions() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cutAll()
	for session := range p.inUse {
		session.Cut()
	}
}
