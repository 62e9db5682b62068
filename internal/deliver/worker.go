package deliver

import (
	"context"
	"errors"
	"fmt"
	"time"

	"vestnik/internal/compose"
	"vestnik/internal/mailing"
	"vestnik/internal/store"
	"vestnik/internal/transport"
)

// errHeld and errLeft stop a mail right before its final dot.
var (
	errHeld = errors.New("deliver: the run is held, the way out is closed, or the lease has ended")
	errLeft = errors.New("deliver: the recipient has left")
)

// worker hands one mail after the other of a lane to its road.
type worker struct {
	*lane
	ctx          context.Context
	urgent, bulk <-chan job // those of the lane, or of its meter; nil once closed
	stash        *job       // taken, but for another sender
	sender       Sender     // of the mail on the wire
	spare        []*letter
	tooFast      bool // the server has just said so

	// told is what came of the letter before, as long as the journal does not have
	// it: it goes there with the next intent, so that each worker has one mail at
	// the most of which a kill leaves it open what came of it.
	told   store.Outcome
	untold bool
}

// deliverAll works through what the lane is given, urgent mails first. Once ctx has
// ended or the lane is closed, what comes is handed back.
func (l *lane) deliverAll(ctx context.Context, urgent, bulk <-chan job) {
	w := worker{lane: l, ctx: ctx, urgent: urgent, bulk: bulk}
	for w.deliverSome() {
	}
}

// deliverSome waits for its turn and a mail, and sends that and what follows. It
// reports false when no more will come.
func (w *worker) deliverSome() bool {
	w.speed.enter()
	defer w.speed.leave()
	j, ok := w.await()
	if !ok {
		return false
	}
	w.busy.Add(1)
	defer w.busy.Add(-1)
	if l := w.write(&j); l != nil {
		w.sender = w.senderOf(&j)
		w.sender.Carry(w.ctx, l, w.follow)
		w.conclude()
	}
	w.rest()
	return true
}

func (w *worker) senderOf(j *job) Sender {
	if j.destination != nil {
		return j.destination.Sender
	}
	return w.road.Sender
}

// rest has the worker do nothing for a while after the server has found us too
// fast: it would only be told so again.
func (w *worker) rest() {
	if !w.tooFast {
		return
	}
	w.tooFast = false
	timer := time.NewTimer(slowOnce)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-w.closing:
	}
}

// await waits for a job, an urgent one first. It reports false when there will be
// none.
func (w *worker) await() (j job, ok bool) {
	for {
		if j, ok = w.poll(); ok {
			return j, true
		}
		if w.urgent == nil && w.bulk == nil {
			return j, false
		}
		select {
		case j, ok = <-w.urgent:
			if !ok {
				w.urgent = nil
			}
		case j, ok = <-w.bulk:
			if !ok {
				w.bulk = nil
			}
		}
		if ok {
			return j, true
		}
	}
}

// poll takes a job that is there, an urgent one first.
func (w *worker) poll() (j job, ok bool) {
	if w.stash != nil {
		j, w.stash = *w.stash, nil
		return j, true
	}
	select {
	case j, ok = <-w.urgent:
		if ok {
			return j, true
		}
		w.urgent = nil
	default:
	}
	select {
	case j, ok = <-w.bulk:
		if !ok {
			w.bulk = nil
		}
	default:
	}
	return j, ok
}

// follow gives the mail to be sent behind the one on the wire: nil when there is
// none that takes the same way, or when there are too many on the wire.
func (w *worker) follow() transport.Mail {
	for !w.tooFast && !w.speed.tooMany() {
		j, ok := w.poll()
		if !ok {
			return nil
		}
		if j.destination != nil && j.destination.Sender != w.sender {
			w.stash = &j
			return nil
		}
		if l := w.write(&j); l != nil {
			return l
		}
	}
	return nil
}

// write makes the letter of a job that may be sent. Of others it settles what
// becomes of them, and returns nil.
func (w *worker) write(j *job) *letter {
	held, left := w.live.hindrance(j)
	switch {
	case j.Unmailable != "":
		w.outcomes <- w.skip(j, j.Unmailable)
		return nil
	case left != "":
		w.outcomes <- w.skip(j, left)
		return nil
	case held || w.ctx.Err() != nil || w.isClosed() || !w.alive() || !w.gate.open(time.Now()):
		w.outcomes <- w.handBack(j)
		return nil
	}
	l := w.takeSpare()
	l.job, l.from, l.left, l.intended, l.broken = *j, w.road.From.Email, "", false, nil
	message, utf8, err := w.render(w.ctx, j, w.road.From, l.message[:0])
	if err == nil {
		l.message, l.utf8 = message, utf8
		return l
	}
	w.spare = append(w.spare, l)
	if w.ctx.Err() != nil {
		w.outcomes <- w.handBack(j)
	} else {
		w.outcomes <- w.unfit(j, err)
	}
	return nil
}

// render makes the mail, and says whether its header holds UTF-8. A message that makes our own code panic must not stop the
// mails of everybody else.
func (e *Engine) render(ctx context.Context, j *job, from compose.Address, dst []byte) (message []byte, utf8 bool, err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = fmt.Errorf("deliver: making a mail panicked: %v", fault)
		}
	}()
	template, err := e.template(ctx, j.run, from)
	if err != nil {
		return nil, false, err
	}
	recipient, err := e.recipient(j, from)
	if err != nil {
		return nil, false, err
	}
	message, err = template.Render(dst, recipient)
	return message, template.NeedsUTF8(), err
}

func (w *worker) takeSpare() *letter {
	last := len(w.spare) - 1
	if last < 0 {
		return &letter{worker: w}
	}
	l := w.spare[last]
	w.spare = w.spare[:last]
	return l
}

// letter is a mail on its way out; a transport.Mail.
type letter struct {
	worker  *worker
	job     job
	from    string
	message []byte
	utf8    bool // its header holds UTF-8

	left     mailing.Reason // the recipient left at the last moment
	intended bool           // the final dot was about to be sent
	broken   error          // why the journal did not take the intent
}

// Envelope implements transport.Mail.
func (l *letter) Envelope() transport.Envelope {
	return transport.Envelope{From: l.from, To: l.job.Email, UTF8: l.utf8}
}

// Message implements transport.Mail.
func (l *letter) Message() []byte { return l.message }

// BeforeDot implements transport.Mail: it looks once more whether the mail may be
// sent, and writes down the intent.
func (l *letter) BeforeDot() error {
	w := l.worker
	var held bool
	held, l.left = w.live.hindrance(&l.job)
	switch {
	case l.left != "":
		return errLeft
	case held || !w.alive() || !w.gate.open(time.Now()):
		return errHeld
	}
	var before *store.Outcome
	if w.untold {
		before = &w.told
	}
	l.broken = w.journal.intend(l.job.ID, w.node.Epoch, l.job.Tries, before)
	l.intended = l.broken == nil
	w.untold = w.untold && !l.intended
	return l.broken
}

// Done implements transport.Mail: it says what came of the mail. When the node is
// asked to stop, mails before their final dot are dropped and handed back; after it,
// how long the answer is waited for is for the one who closes the Sender.
func (l *letter) Done(r transport.Result, err error) {
	w, j := l.worker, &l.job
	w.spare = append(w.spare, l)
	switch {
	case l.intended:
		w.conclude()
		w.told, w.untold = w.outcome(j, r, err), true
		w.tooFast = w.judge(j, r).TooFast
		w.outcomes <- w.told
	case l.broken != nil:
		w.hinder(l.broken)
		w.outcomes <- w.handBack(j)
	case l.left != "":
		w.outcomes <- w.skip(j, l.left)
	case errors.Is(err, errHeld), errors.Is(err, transport.ErrPoolClosed), err != nil && w.ctx.Err() != nil:
		w.outcomes <- w.handBack(j)
	default:
		w.tooFast = w.judge(j, r).TooFast
		w.outcomes <- w.outcome(j, r, err)
	}
}

// conclude writes down what came of the letter before, if that is still to be done.
func (w *worker) conclude() {
	if !w.untold {
		return
	}
	w.untold = false
	if err := w.journal.conclude(&w.told); err != nil {
		w.hinder(err)
	}
}

// hinder closes the way out for a while, since without the journal nothing may
// be sent: a full disk has space again some time. What servers have answered
// meanwhile is settled all the same. A journal that cannot be mended ends the node.
func (l *lane) hinder(err error) {
	if l.journal.isBroken() {
		l.fail(err)
		return
	}
	if _, first := l.gate.shut(time.Now()); first {
		l.Log.Error("sending pauses: the journal cannot be written", "node", l.node.Name, "road", l.road.Name, "error", err)
	}
}
