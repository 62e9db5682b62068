package transport

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"

	"vestnik/internal/mailing"
)

// Step is one line of the connection test that people see when they set up
// sending.
type Step string

// The steps, in their order; with implicit TLS, StepTLS comes before
// StepGreeting.
const (
	StepResolve   Step = "resolve"  // the name leads to an address
	StepConnect   Step = "connect"  // somebody listens there
	StepGreeting  Step = "greeting" // and speaks SMTP
	StepTLS       Step = "tls"
	StepAuth      Step = "auth"
	StepSender    Step = "sender"    // MAIL FROM was accepted
	StepRecipient Step = "recipient" // RCPT TO was accepted
)

// stepOf says which step a stage belongs to.
var stepOf = map[Stage]Step{
	StageConnect: StepConnect, StageBanner: StepGreeting, StageEHLO: StepGreeting,
	StageTLS: StepTLS, StageAuth: StepAuth, StageMail: StepSender, StageRcpt: StepRecipient,
}

// Check goes through a conversation without sending anything, and calls step
// after each step with nil or what went wrong, which ends the test and is
// returned. A step that does not apply is not reported: TLS where it is not
// used, AUTH without a user, the recipient when to is empty.
//
// The errors have the codes of OpenError; besides them smtp_sender_refused and
// smtp_recipient_refused, with the parameters "host", "reply" and "address". The
// time limits are meant for sending; give ctx one that a person will wait for.
func (r *Relay) Check(ctx context.Context, from, to string, step func(Step, error)) error {
	session, err := r.open(ctx, func(passed Stage) {
		switch passed {
		case StageConnect:
			step(StepResolve, nil)
			step(StepConnect, nil)
		case StageBanner: // StageEHLO is the same step
		default:
			step(stepOf[passed], nil)
		}
	})
	if err != nil {
		err = r.plainInstead(ctx, err)
		if wasFound(err) {
			step(StepResolve, nil)
		}
		step(failedStep(err), err)
		return err
	}
	// QUIT also ends a transaction (RFC 5321, section 4.1.1.10).
	defer session.Close()
	if refused, stage := checkAddresses(&Envelope{From: from, To: to}); refused.Code != 0 && (stage == StageMail || to != "") {
		return r.reportRefusal(stage, refused, from, to, step)
	}
	return session.probe(ctx, from, to, step)
}

// wasFound reports whether the name of the server led to an address that nobody could be
// reached at.
func wasFound(err error) bool {
	return failedStep(err) == StepConnect &&
		slices.Contains([]string{"smtp_no_answer", "smtp_port_refused", "smtp_address_forbidden"}, mailing.CodeOf(err))
}

// plainInstead says more of a handshake that failed since the server greets in clear: it is
// asked, over another connection and without a password, whether it knows STARTTLS.
func (r *Relay) plainInstead(ctx context.Context, err error) error {
	var failed *OpenError
	var no tls.RecordHeaderError
	if r.TLS != TLSImplicit || !errors.As(err, &failed) || !errors.As(err, &no) || string(no.RecordHeader[:3]) != "220" {
		return err
	}
	plain := *r
	plain.TLS, plain.Username, plain.Password = TLSNone, "", ""
	session, plainErr := plain.Open(ctx)
	if plainErr != nil {
		return err
	}
	defer session.Close()
	code := "smtp_tls_none"
	if session.offers.startTLS {
		code = "smtp_tls_later"
	}
	said := *failed
	said.Err = r.problem(mailing.Invalid, code, err)
	return &said
}

// failedStep says which step an *OpenError stands for. A name that could not be
// looked up comes from the dialer together with everything else about
// connecting.
func failedStep(err error) Step {
	var failed *OpenError
	var name *net.DNSError
	switch {
	case errors.As(err, &name):
		return StepResolve
	case errors.As(err, &failed):
		return stepOf[failed.Stage]
	}
	return StepConnect
}

// probe asks whether the server would take a mail, and forgets it.
func (s *Session) probe(ctx context.Context, from, to string, step func(Step, error)) error {
	defer s.wire.watch(ctx)()
	commands := []struct {
		stage Stage
		line  string
	}{
		{StageMail, "MAIL FROM:<" + from + ">"},
		{StageRcpt, "RCPT TO:<" + to + ">"},
	}
	if to == "" {
		commands = commands[:1]
	}
	for _, c := range commands {
		s.at = c.stage
		reply, err := s.command(s.limits.Mail, c.line)
		if err == nil && !isVerdict(reply) {
			err = garbage("answered %s", reply)
		}
		if err != nil {
			s.broken = true
			err = fmt.Errorf("transport: check %s: %s: %w", s.host, s.at, s.relay.fault(ctx, s.at, err))
			step(stepOf[s.at], err)
			return err
		}
		if !reply.Accepted() {
			return s.relay.reportRefusal(s.at, reply, from, to, step)
		}
		step(stepOf[s.at], nil)
	}
	return nil
}

func (r *Relay) reportRefusal(stage Stage, reply mailing.Reply, from, to string, step func(Step, error)) error {
	code, address := "smtp_sender_refused", from
	if stage == StageRcpt {
		code, address = "smtp_recipient_refused", to
	}
	err := r.problem(mailing.Invalid, code, nil, "reply", reply.String(), "address", address)
	step(stepOf[stage], err)
	return err
}
