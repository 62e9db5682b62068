package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
	"vestnik/internal/server"
)

// mailingSendCommand sends a mailing now, besides its schedule.
type mailingSendCommand struct {
	Wait    bool
	Timeout time.Duration `placeholder:"10m"`
	JSON    bool          `name:"json"`
	ID      int64         `arg:"" name:"id"`
}

// AfterApply refuses a limit for a wait that was not asked for.
func (c *mailingSendCommand) AfterApply() error {
	return needs("--timeout", c.Timeout != 0, "--wait", c.Wait)
}

func (c *mailingSendCommand) Run(ctx context.Context, d *desk) error {
	b, err := d.open(ctx)
	if err != nil {
		return err
	}
	defer b.Close()
	runID, err := b.App.SendNow(ctx, app.Operator, c.ID)
	if err != nil {
		return err
	}
	v, err := b.App.Run(ctx, app.Operator, runID)
	if err != nil {
		return err
	}
	switch {
	case c.JSON:
	case v.State == mailing.RunOpening:
		d.say("cli.send.opening", "run", runID)
	default:
		d.say("cli.send.opened", "run", runID, "audience", d.words.Number(v.Counts.Audience))
	}
	if !c.Wait {
		return c.tell(d, v)
	}
	v, code := c.wait(ctx, d, b, v)
	return errors.Join(c.tell(d, v), code)
}

// tell prints the run as it is now.
func (c *mailingSendCommand) tell(d *desk, v app.RunView) error {
	if c.JSON {
		return d.json(runOf(v.Run))
	}
	if c.Wait {
		n := v.Counts
		d.say("cli.send.numbers", "state", d.words.T("run_state."+string(v.State)), "audience", d.words.Number(n.Audience),
			"sent", d.words.Number(n.Sent), "failed", d.words.Number(n.Failed), "skipped", d.words.Number(n.Skipped),
			"in_doubt", d.words.Number(n.InDoubt), "waiting", d.words.Number(n.Waiting()))
	}
	return nil
}

const (
	// pollEvery is how often the run is looked at. Chosen: a person sees it move.
	pollEvery = 250 * time.Millisecond
	// idleAfter is how long nothing may happen before it is said that perhaps
	// nothing sends. A node sees a new run within a second.
	idleAfter = 10 * time.Second
)

// wait waits until the run is final, or until waiting makes no sense any more,
// and returns the run as it is then and the exit code.
func (c *mailingSendCommand) wait(ctx context.Context, d *desk, b *server.Base, v app.RunView) (app.RunView, error) {
	timeout := context.WithoutCancel(ctx)
	if c.Timeout > 0 {
		limited, cancel := context.WithTimeout(timeout, c.Timeout)
		defer cancel()
		timeout = limited
	}
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	watch := watch{desk: d, since: time.Now()}
	defer watch.end()
	for {
		if code, over := watch.over(v); over {
			return v, code
		}
		select {
		case <-ctx.Done():
			return v, ctx.Err()
		case <-timeout.Done():
			d.note("cli.send.timeout")
			return v, status(exitUnfinished)
		case <-tick.C:
		}
		next, err := b.App.Run(ctx, app.Operator, v.ID)
		if err != nil {
			return v, err
		}
		v = next
		watch.look(v)
	}
}

// watch shows how a run is getting on.
type watch struct {
	*desk
	since  time.Time // the last change
	final  int64     // deliveries then
	warned bool
	drawn  bool
}

// over reports whether there is nothing to wait for any more, and with which
// exit code the command then ends.
func (w *watch) over(v app.RunView) (code error, over bool) {
	switch {
	case !v.State.Open():
		n := v.Counts
		if n.Failed+n.InDoubt > 0 || n.Sent+n.Skipped < n.Audience {
			return status(exitIncomplete), true
		}
		return nil, true
	case v.Halt != "":
		w.end()
		w.note("cli.send.halted", "why", v.Halt)
		return status(exitUnfinished), true
	case v.Held:
		w.end()
		w.note("cli.send.held")
		return status(exitUnfinished), true
	}
	return nil, false
}

func (w *watch) look(v app.RunView) {
	now := time.Now()
	if final := v.Counts.Final(); final != w.final {
		w.final, w.since = final, now
	}
	if w.terminal {
		w.drawn = true
		fmt.Fprintf(w.err, "\r\x1b[K%s", w.words.T("cli.send.progress", "done", w.words.Number(w.final),
			"audience", w.words.Number(v.Counts.Audience), "percent", w.words.Percent(w.final, v.Counts.Audience),
			"deferred", w.words.Number(v.Deferred)))
	}
	if !w.warned && v.Waiting > 0 && now.Sub(w.since) > idleAfter {
		w.warned = true
		w.end()
		w.note("cli.send.nothing_sends")
	}
}

// end leaves the line of the progress.
func (w *watch) end() {
	if w.drawn {
		fmt.Fprintln(w.err)
	}
	w.drawn = false
}
