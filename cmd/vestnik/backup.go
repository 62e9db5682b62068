package main

import (
	"context"
	"os"
)

// backupCommand copies the database into a file, beside a service that runs.
type backupCommand struct {
	Target string `arg:"" placeholder:"FILE"`
	JSON   bool   `name:"json"`
}

type backupJSON struct {
	File      string `json:"file"`
	SizeBytes int64  `json:"size_bytes"`
}

func (c backupCommand) Run(ctx context.Context, d *desk) error {
	b, err := d.open(ctx)
	if err != nil {
		return err
	}
	defer b.Close()
	if err := b.Store.Backup(ctx, c.Target); err != nil {
		return err
	}
	made, err := os.Stat(c.Target)
	if err != nil {
		return err
	}
	if d.config.SecretKey == "" {
		d.note("cli.backup.secret", "file", d.config.SecretFile())
	}
	if c.JSON {
		return d.json(backupJSON{File: c.Target, SizeBytes: made.Size()})
	}
	d.say("cli.backup.made", "file", c.Target, "mb", d.words.Number((made.Size()+1<<20-1)>>20))
	return nil
}
