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
	errHeld = errors.New("deliver: the run is held, or the lease has ended")
	errLeft = errors.New("deliver: the recipient has left")
)

// deliverAll works through what is fed, urgent mails first. Once ctx has ended,
// what comes is handed back.
func (e *Engine) deliverAll(ctx context.Context) {
	urgent, bulk := e.urgent, e.bulk
	var buffer []byte
	for urgent != nil || bulk != nil {
		j, ok := next(&urgent, &bulk)
		if !ok {
			continue
		}
		o, err := e.deliver(ctx, &j, &buffer)
		if err != nil {
			e.hinder(err)
		}
		e.outcomes <- o
	}
}

// hinder closes the way out for a while, since without the journal nothing may
// be sent: a full disk has space again some time. What servers have answered
// meanwhile is settled all the same. A journal that cannot be mended ends the node.
func (e *Engine) hinder(err error) {
	if e.journal.isBroken() {
		e.fail(err)
		return
	}
	if _, first := e.gate.shut(time.Now()); first {
		e.Log.Error("sending pauses: the journal cannot be written", "node", e.node.Name, "error", err)
	}
}

// next takes an urgent job if there is one, else any. A channel that is closed
// becomes nil.
func next(urgent, bulk *chan job) (job, bool) {
	var j job
	var ok bool
	select {
	case j, ok = <-*urgent:
		if !ok {
			*urgent = nil
		}
		return j, ok
	default:
	}
	select {
	case j, ok = <-*urgent:
		if !ok {
			*urgent = nil
		}
	case j, ok = <-*bulk:
		if !ok {
			*bulk = nil
		}
	}
	return j, ok
}

// deliver tries one delivery. The error is that of the journal: without it
// nothing may be sent.
func (e *Engine) deliver(ctx context.Context, j *job, buffer *[]byte) (store.Outcome, error) {
	held, left := e.live.hindrance(j)
	switch {
	case j.Unmailable != "":
		return e.skip(j, j.Unmailable), nil
	case left != "":
		return e.skip(j, left), nil
	case held || ctx.Err() != nil || !e.alive() || !e.gate.open(time.Now()):
		return e.handBack(j), nil
	}
	road := e.Road()
	message, err := e.write(ctx, j, road.From, (*buffer)[:0])
	switch {
	case err != nil && ctx.Err() != nil:
		return e.handBack(j), nil
	case err != nil:
		return e.unfit(j, err), nil
	}
	*buffer = message
	return e.send(ctx, j, road, message)
}

// write makes the mail. A message that makes our own code panic must not stop the
// mails of everybody else.
func (e *Engine) write(ctx context.Context, j *job, from compose.Address, dst []byte) (message []byte, err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = fmt.Errorf("deliver: making a mail panicked: %v", fault)
		}
	}()
	template, err := e.template(ctx, j.run, from)
	if err != nil {
		return nil, err
	}
	recipient, err := e.recipient(j, from)
	if err != nil {
		return nil, err
	}
	return template.Render(dst, recipient)
}

// send sends the mail and says what came of it.
func (e *Engine) send(ctx context.Context, j *job, road Road, message []byte) (store.Outcome, error) {
	var journalErr error
	var left mailing.Reason
	intended := false
	beforeDot := func() error {
		var held bool
		held, left = e.live.hindrance(j)
		switch {
		case left != "":
			return errLeft
		case held || !e.alive():
			return errHeld
		}
		journalErr = e.journal.intend(j.ID, e.node.Epoch)
		intended = journalErr == nil
		return journalErr
	}
	started := time.Now()
	// When the node is asked to stop, mails before their final dot are dropped and
	// handed back; after it ctx is not looked at, and how long the answer is waited
	// for is for the one who closes the Sender.
	result, err := road.Sender.Send(ctx, transport.Envelope{From: road.From.Email, To: j.Email}, message, beforeDot)
	switch {
	case intended:
		o := e.outcome(j, result, err, started)
		return o, e.journal.conclude(&o)
	case journalErr != nil:
		return e.handBack(j), journalErr
	case left != "":
		return e.skip(j, left), nil
	case errors.Is(err, errHeld), errors.Is(err, transport.ErrPoolClosed), err != nil && ctx.Err() != nil:
		return e.handBack(j), nil
	}
	return e.outcome(j, result, err, started), nil
}

// outcome reads what the server answered, or did not.
func (e *Engine) outcome(j *job, r transport.Result, err error, started time.Time) store.Outcome {
	now := time.Now()
	verdict := mailing.Judge(r.Reply, string(r.Stage))
	if r.InDoubt {
		verdict = mailing.Verdict{Result: mailing.AttemptInDoubt}
	}
	attempt := e.attempt(j, started, verdict.Result)
	attempt.Duration, attempt.Host, attempt.TLS, attempt.Stage = now.Sub(started), r.Host, r.TLS, string(r.Stage)
	attempt.Reply = r.Reply
	if attempt.Reply.Text == "" && attempt.Reply.Code == 0 && err != nil {
		attempt.Reply.Text = err.Error()
	}
	o := store.Outcome{DeliveryID: j.ID, Epoch: e.node.Epoch, Attempt: attempt}
	switch verdict.Result {
	case mailing.AttemptAccepted:
		e.sent.Add(1)
		e.gate.passed()
		e.halts.accepted(j.RunID)
		o.State = mailing.Sent
	case mailing.AttemptFailed:
		e.gate.passed()
		o.State, o.Reason = mailing.Failed, mailing.ReasonRefused
		o.Suppress = verdict.Blame == mailing.BlameMailbox && j.run.MailingID != 0
	case mailing.AttemptInDoubt:
		// A server that hangs up on every mail would put a whole run in doubt.
		if _, first := e.gate.shut(now); first {
			e.Log.Warn("mail server hung up without an answer", "host", r.Host, "run", j.RunID)
		}
		o.State = mailing.InDoubt
		if j.run.Doubt == mailing.NeverMissed && !expired(j, now) {
			o.State, o.DueAt = mailing.Deferred, now.Add(e.Backoff(j.Tries+1))
		}
	default:
		e.postpone(j, &o, verdict, now)
	}
	return o
}

// postpone says when a deferred delivery is tried again, and what else follows
// from whom the refusal is about.
func (e *Engine) postpone(j *job, o *store.Outcome, v mailing.Verdict, now time.Time) {
	o.State, o.DueAt = mailing.Deferred, now.Add(e.Backoff(j.Tries+1))
	switch stage := o.Attempt.Stage; {
	case v.Blame != mailing.BlameUs:
		e.gate.passed()
	case stage == "rcpt" || stage == "data" || stage == "dot":
		if e.halts.refused(j.RunID) {
			e.halt(j, o.Attempt.Reply)
		}
	default:
		o.DueAt = e.shut(j, o.Attempt, now)
	}
	if expired(j, now) {
		o.State, o.Reason, o.DueAt = mailing.Failed, mailing.ReasonExpired, time.Time{}
		o.Attempt.Result = mailing.AttemptFailed
	}
}

// expired reports whether it is of no use to try again. What was held for days
// before its first try has that one and another before it.
func expired(j *job, now time.Time) bool {
	return j.Tries > 0 && now.Sub(j.CreatedAt) > mailing.Lifetime
}

// shut closes the way out for everybody. A server that refuses our name and
// password, or us as a sender, will do so until somebody mends it: bulk runs are
// halted and say why.
func (e *Engine) shut(j *job, a *mailing.Attempt, now time.Time) time.Time {
	until, first := e.gate.shut(now)
	if first {
		e.Log.Warn("mail server has trouble with us", "host", a.Host, "stage", a.Stage, "reply", a.Reply.String())
	}
	if a.Reply.Permanent() {
		e.halt(j, a.Reply)
	}
	return until
}

// halt stops a bulk run until somebody lets it go on. Single mails are tried
// again by themselves: somebody waits for them.
func (e *Engine) halt(j *job, reply mailing.Reply) {
	if j.run.Priority > mailing.PriorityBulk {
		return
	}
	e.Log.Error("run is halted: the mail server refuses us", "run", j.RunID, "reply", reply.String())
	e.live.hold(j.RunID) // at once, before more of it leaves
	ctx, cancel := context.WithTimeout(context.Background(), answerWithin)
	defer cancel()
	if err := e.Store.HaltRun(ctx, j.RunID, reply.String()); err != nil {
		e.Log.Error("run cannot be halted", "run", j.RunID, "error", err)
	}
	e.live.hold(j.RunID) // a look in between may have let it go on
}

// skip ends a delivery untried.
func (e *Engine) skip(j *job, why mailing.Reason) store.Outcome {
	return store.Outcome{DeliveryID: j.ID, Epoch: e.node.Epoch, State: mailing.Skipped, Reason: why}
}

// handBack returns a delivery untried, to be leased again.
func (e *Engine) handBack(j *job) store.Outcome {
	return store.Outcome{DeliveryID: j.ID, Epoch: e.node.Epoch, State: mailing.Waiting, DueAt: time.Now()}
}

// unfit is the outcome of a mail that could not be made. What a person wrote does
// not get better by itself, so it fails; any other fault is ours and may pass.
func (e *Engine) unfit(j *job, err error) store.Outcome {
	if mailing.KindOf(err) == 0 && time.Since(j.CreatedAt) < mailing.Lifetime {
		e.Log.Error("mail cannot be made", "delivery", j.ID, "run", j.RunID, "error", err)
		o := e.handBack(j)
		o.DueAt = o.DueAt.Add(time.Minute)
		return o
	}
	attempt := e.attempt(j, time.Now(), mailing.AttemptFailed)
	attempt.Stage, attempt.Reply.Text = "compose", fmt.Sprintf("not sent: %v", err)
	return store.Outcome{
		DeliveryID: j.ID, Epoch: e.node.Epoch, State: mailing.Failed, Reason: mailing.ReasonUnfit, Attempt: attempt,
	}
}

func (e *Engine) attempt(j *job, at time.Time, result mailing.AttemptResult) *mailing.Attempt {
	return &mailing.Attempt{
		DeliveryID: j.ID, RunID: j.RunID, MailingID: j.run.MailingID, OwnerID: j.run.OwnerID, Email: j.Email,
		At: at, Node: e.node.Name, Result: result,
	}
}
