package main

import "context"

// migrateCommand brings the database's schema up to date, which `serve` does by
// itself, too.
type migrateCommand struct{}

func (migrateCommand) Run(ctx context.Context, d *desk) error {
	b, err := d.open(ctx) // migrates
	if err != nil {
		return err
	}
	d.say("cli.migrated")
	return b.Close()
}
