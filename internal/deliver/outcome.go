package deliver

import (
	"context"
	"fmt"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/store"
	"vestnik/internal/transport"
)

// outcome reads what the server answered, or did not.
func (e *Engine) outcome(j *job, r transport.Result, err error) store.Outcome {
	now := time.Now()
	verdict := mailing.Judge(r.Reply, string(r.Stage))
	if r.InDoubt {
		verdict = mailing.Verdict{Result: mailing.AttemptInDoubt}
	}
	attempt := e.attempt(j, now.Add(-r.Duration), verdict.Result)
	attempt.Duration, attempt.Host, attempt.TLS, attempt.Stage = r.Duration, r.Host, r.TLS, string(r.Stage)
	attempt.Reply = r.Reply
	if attempt.Reply.Text == "" && attempt.Reply.Code == 0 && err != nil {
		attempt.Reply.Text = err.Error()
	}
	o := store.Outcome{DeliveryID: j.ID, Epoch: e.node.Epoch, Tries: j.Tries, Attempt: attempt}
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
	return store.Outcome{DeliveryID: j.ID, Epoch: e.node.Epoch, Tries: j.Tries, State: mailing.Skipped, Reason: why}
}

// handBack returns a delivery untried, to be leased again.
func (e *Engine) handBack(j *job) store.Outcome {
	return store.Outcome{DeliveryID: j.ID, Epoch: e.node.Epoch, Tries: j.Tries, State: mailing.Waiting, DueAt: time.Now()}
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
		DeliveryID: j.ID, Epoch: e.node.Epoch, Tries: j.Tries, State: mailing.Failed, Reason: mailing.ReasonUnfit, Attempt: attempt,
	}
}

func (e *Engine) attempt(j *job, at time.Time, result mailing.AttemptResult) *mailing.Attempt {
	return &mailing.Attempt{
		DeliveryID: j.ID, RunID: j.RunID, MailingID: j.run.MailingID, OwnerID: j.run.OwnerID, Email: j.Email,
		At: at, Node: e.node.Name, Result: result,
	}
}
