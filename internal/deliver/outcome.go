package deliver

import (
	"context"
	"errors"
	"fmt"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/store"
	"vestnik/internal/transport"
)

// outcome reads what the server answered, or did not.
func (l *lane) outcome(j *job, r transport.Result, err error) store.Outcome {
	now := time.Now()
	l.moved.Store(now.UnixNano())
	verdict := l.judge(j, r)
	attempt := l.attempt(j, now.Add(-r.Duration), verdict.Result)
	attempt.Duration, attempt.Host, attempt.TLS, attempt.Stage = r.Duration, r.Host, r.TLS, string(r.Stage)
	attempt.Reply = r.Reply
	if attempt.Reply.Text == "" && attempt.Reply.Code == 0 && err != nil {
		attempt.Reply.Text = err.Error()
	}
	o := store.Outcome{DeliveryID: j.ID, Epoch: l.node.Epoch, Tries: j.Tries, Attempt: attempt}
	switch verdict.Result {
	case mailing.AttemptAccepted:
		l.accepted(j)
		o.State = mailing.Sent
	case mailing.AttemptFailed:
		l.passed()
		o.State, o.Reason = mailing.Failed, mailing.ReasonRefused
		o.Suppress = verdict.Blame == mailing.BlameMailbox && j.run.MailingID != 0
	case mailing.AttemptInDoubt:
		l.doubt(j, &o, now)
	default:
		l.postpone(j, &o, verdict, now)
		o.DueAt = notBefore(o.DueAt, now.Add(verdict.RetryAfter))
	}
	return o
}

// judge reads the answer, with an ear for the words of a site that is known.
func (l *lane) judge(j *job, r transport.Result) Judgement {
	switch {
	case r.InDoubt:
		return Judgement{Verdict: mailing.Verdict{Result: mailing.AttemptInDoubt}}
	case j.destination != nil:
		return j.destination.Judge(r.Reply, r.Stage)
	}
	return Judgement{Verdict: mailing.Judge(r.Reply, string(r.Stage)), TooFast: r.Reply.Throttles()}
}

// notBefore is due, or the earliest moment if that is later; zero stays zero.
func notBefore(due, earliest time.Time) time.Time {
	if due.IsZero() {
		return due
	}
	return later(due, earliest)
}

func (l *lane) accepted(j *job) {
	l.sent.Add(1)
	l.passed()
	l.speed.accepted()
	l.halts.accepted(j.RunID)
}

// doubt says what becomes of a mail of which nobody knows whether it arrived. A
// server that hangs up on every mail would put a whole run in doubt, so the lane is
// closed for a while.
func (l *lane) doubt(j *job, o *store.Outcome, now time.Time) {
	l.complains(o.Attempt)
	if _, first := l.gate.shut(now); first {
		l.Log.Warn("mail server hung up without an answer", "host", o.Attempt.Host, "run", j.RunID)
	}
	o.State = mailing.InDoubt
	if j.run.Doubt == mailing.NeverMissed && !expired(j, now) {
		o.State, o.DueAt = mailing.Deferred, now.Add(l.Backoff(j.Tries+1))
	}
}

// postpone says when a deferred delivery is tried again, and what else follows
// from whom the refusal is about.
func (l *lane) postpone(j *job, o *store.Outcome, v Judgement, now time.Time) {
	o.State, o.DueAt = mailing.Deferred, now.Add(l.Backoff(j.Tries+1))
	stage, reply := o.Attempt.Stage, o.Attempt.Reply
	aboutMail := stage == "rcpt" || stage == "data" || stage == "dot"
	switch {
	case v.TooFast && l.slow(o.Attempt, now):
		if !aboutMail {
			o.DueAt = now.Add(slowOnce)
		}
	case v.Blame != mailing.BlameUs && !v.TooFast && !v.Policy:
		l.passed()
	case aboutMail && !v.TooFast && l.site == nil:
		if l.halts.refused(j.RunID) {
			l.halt(j, reply)
		}
	default:
		until := l.shut(j, o.Attempt, v, now)
		if !aboutMail {
			o.DueAt = until
		}
	}
	if expired(j, now) {
		o.State, o.Reason, o.DueAt = mailing.Failed, mailing.ReasonExpired, time.Time{}
		o.Attempt.Result = mailing.AttemptFailed
	}
}

// slow slows the lane down because the server says so, and reports false when it
// cannot be any slower.
func (l *lane) slow(a *mailing.Attempt, now time.Time) bool {
	slower, first := l.speed.slow(now)
	if first {
		l.complains(a)
		l.Log.Warn("mail server asks to be slower", "road", l.road.Name, "host", a.Host, "stage", a.Stage, "reply", a.Reply.String())
	}
	return slower
}

// leastTries is how often a mail is tried, at least: for eight hours with the pauses in
// between. What waited for days for its turn, since its owner may send so many a day
// only or the run was paused, is not to fail at the first server that says "later".
const leastTries = 8

// expired reports whether it is of no use to try again.
func expired(j *job, now time.Time) bool {
	return j.Tries+1 >= leastTries && now.Sub(j.CreatedAt) > mailing.Lifetime
}

// shut closes the lane for a while. A server that refuses our name and password, or
// us as a sender, will do so until somebody mends it: its road is stopped. When there
// is no other, bulk runs are halted and say why.
func (l *lane) shut(j *job, a *mailing.Attempt, v Judgement, now time.Time) time.Time {
	l.complains(a)
	if v.Policy && l.site != nil {
		return l.shun(a, now)
	}
	until, first := l.gate.shut(now)
	if first {
		l.Log.Warn("mail server has trouble with us", "road", l.road.Name, "host", a.Host, "stage", a.Stage, "reply", a.Reply.String())
	}
	if !a.Reply.Permanent() || l.site != nil {
		return until // that a site blames us concerns no other
	}
	if first && a.Stage == string(transport.StageAuth) {
		l.stop(a.Reply)
	}
	if roads := l.Roads(); len(roads) == 1 && roads[0] == l.road {
		l.halt(j, a.Reply)
	}
	return until
}

// stop has the road stopped until a person mends it. Until that is known
// everywhere, the closed gate keeps mails from it.
func (l *lane) stop(reply mailing.Reply) {
	if l.StopRoad == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), answerWithin)
	defer cancel()
	if err := l.StopRoad(ctx, l.road, reply.String()); err != nil {
		l.Log.Error("road cannot be stopped", "road", l.road.Name, "error", err)
	}
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

// remakeAfter is how long after a fault of ours a mail is made again. Chosen: whatever
// it was may have passed, and the log is not flooded while it has not.
const remakeAfter = time.Minute

// unfit is the outcome of a mail that could not be made. What a person wrote does
// not get better by itself, so it fails; any other fault is ours and may pass, that
// of the database always.
func (e *Engine) unfit(j *job, err error) store.Outcome {
	if mailing.KindOf(err) == 0 && (errors.Is(err, errUnread) || time.Since(j.CreatedAt) < mailing.Lifetime) {
		e.Log.Error("mail cannot be made", "delivery", j.ID, "run", j.RunID, "error", err)
		o := e.handBack(j)
		o.DueAt = o.DueAt.Add(e.RemakeAfter)
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
