package main

import (
	"context"

	"vestnik/internal/app"
)

// userResetFactorsCommand lets somebody in by the password alone who has lost their
// second factors.
type userResetFactorsCommand struct {
	Email string `arg:""`
}

func (c userResetFactorsCommand) Run(ctx context.Context, d *desk) error {
	b, account, err := d.openAs(ctx, c.Email)
	if err != nil {
		return err
	}
	defer b.Close()
	if err := b.App.ResetFactors(ctx, app.Operator, account.ID); err != nil {
		return err
	}
	d.say("cli.user.factors_reset", "email", account.Email)
	return nil
}
