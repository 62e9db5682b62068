package transport

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"vestnik/internal/mailing"
)

// DemoMail is a mail that the demo mailbox keeps.
type DemoMail struct {
	From, To string
	Data     []byte // of the Mail; valid only until put returns
	At       time.Time
}

// Demo is a mail server that is none: nothing leaves this machine. It accepts
// every mail and keeps it, except that the part of the address before the "@"
// picks another answer, to see what the service makes of it:
//
//	anna+bounce@example.com   550 5.1.1  no such mailbox, to RCPT
//	anna+full@example.com     452 4.2.2  mailbox full, to RCPT, every time
//	anna+defer@example.com    451 4.3.0  come back later, to RCPT, on every odd
//	                                     try, as greylisting does
//
// It may be used by many at once.
type Demo struct {
	put func(ctx context.Context, m DemoMail) error

	mu       sync.Mutex
	deferred map[string]bool // recipients whose next try is an even one
}

// maxDeferred limits what Demo remembers; beyond it, it begins anew. Chosen:
// nothing depends on it but memory.
const maxDeferred = 10_000

// NewDemo makes a demo mailbox that keeps mails with put, which may be called
// by many at once.
func NewDemo(put func(ctx context.Context, m DemoMail) error) *Demo {
	return &Demo{put: put, deferred: map[string]bool{}}
}

// Carry is like Pool.Carry. The Host is "demo". When put returns an error the mail
// was not kept; the error is wrapped and the mail is not in doubt.
func (d *Demo) Carry(ctx context.Context, m Mail, next func() Mail) {
	for m != nil {
		m.Done(d.keep(ctx, m))
		if m = nil; next != nil {
			m = next()
		}
	}
}

func (d *Demo) keep(ctx context.Context, m Mail) (Result, error) {
	started := time.Now()
	result := Result{Host: "demo"}
	var err error
	result.Reply, result.Stage, err = d.answer(ctx, m)
	if err != nil {
		err = fmt.Errorf("transport: send to the demo mailbox: %w", err)
		result.Reply = errorReply(err)
	}
	result.Duration = time.Since(started)
	return result, err
}

func (d *Demo) answer(ctx context.Context, m Mail) (mailing.Reply, Stage, error) {
	env := m.Envelope()
	if refused, stage := checkAddresses(&env); refused.Code != 0 {
		return refused, stage, nil
	}
	if refused := d.refuse(env.To); refused.Code != 0 {
		return refused, StageRcpt, nil
	}
	if ctx.Err() != nil {
		return mailing.Reply{}, StageData, context.Cause(ctx)
	}
	if err := m.BeforeDot(); err != nil {
		return mailing.Reply{}, StageData, err
	}
	// From here on a cancellation comes too late, as with a real server.
	kept := DemoMail{From: env.From, To: env.To, Data: m.Message(), At: time.Now()}
	if err := d.put(context.WithoutCancel(ctx), kept); err != nil {
		return mailing.Reply{}, StageDot, err
	}
	return mailing.Reply{Code: 250, Enhanced: "2.0.0", Text: "kept in the demo mailbox"}, StageDot, nil
}

// refuse is the answer that the address asks for; Code 0 for acceptance.
func (d *Demo) refuse(to string) mailing.Reply {
	local := strings.ToLower(to[:strings.LastIndexByte(to, '@')])
	switch {
	case strings.Contains(local, "+bounce"):
		return mailing.Reply{Code: 550, Enhanced: "5.1.1", Text: "the demo mailbox knows nobody of this name"}
	case strings.Contains(local, "+full"):
		return mailing.Reply{Code: 452, Enhanced: "4.2.2", Text: "the demo mailbox of this name is full"}
	case strings.Contains(local, "+defer") && d.isOddTry(to):
		return mailing.Reply{Code: 451, Enhanced: "4.3.0", Text: "the demo mailbox asks to come back later"}
	}
	return mailing.Reply{}
}

func (d *Demo) isOddTry(to string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.deferred[to] {
		delete(d.deferred, to)
		return false
	}
	if len(d.deferred) >= maxDeferred {
		clear(d.deferred)
	}
	d.deferred[to] = true
	return true
}
