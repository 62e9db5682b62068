package main

import (
	"context"

	"vestnik/internal/app"
	"vestnik/internal/server"
)

// The commands that stop a mailing and let it go on again.
type (
	mailingPauseCommand struct {
		ID int64 `arg:"" name:"id"`
	}
	mailingResumeCommand struct {
		ID int64 `arg:"" name:"id"`
	}
	mailingDisableCommand struct {
		Why string
		ID  int64 `arg:"" name:"id"`
	}
	mailingEnableCommand struct {
		ID int64 `arg:"" name:"id"`
	}
)

func (c mailingPauseCommand) Run(ctx context.Context, d *desk) error {
	return d.turn(ctx, c.ID, func(b *server.Base) error { return b.App.PauseMailing(ctx, app.Operator, c.ID) })
}

func (c mailingResumeCommand) Run(ctx context.Context, d *desk) error {
	return d.turn(ctx, c.ID, func(b *server.Base) error { return b.App.ResumeMailing(ctx, app.Operator, c.ID) })
}

func (c mailingDisableCommand) Run(ctx context.Context, d *desk) error {
	why := c.Why
	if why == "" {
		why = d.words.T("cli.mailing.by_operator")
	}
	return d.turn(ctx, c.ID, func(b *server.Base) error { return b.App.DisableMailing(ctx, app.Operator, c.ID, why) })
}

func (c mailingEnableCommand) Run(ctx context.Context, d *desk) error {
	return d.turn(ctx, c.ID, func(b *server.Base) error { return b.App.EnableMailing(ctx, app.Operator, c.ID) })
}

// turn does something to a mailing and tells its status after it.
func (d *desk) turn(ctx context.Context, id int64, do func(*server.Base) error) error {
	b, err := d.open(ctx)
	if err != nil {
		return err
	}
	defer b.Close()
	if err := do(b); err != nil {
		return err
	}
	v, err := b.App.Mailing(ctx, app.Operator, id)
	if err != nil {
		return err
	}
	d.say("cli.mailing.status", "status", d.words.T("status."+string(v.Status)))
	return nil
}
