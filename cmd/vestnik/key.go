package main

import (
	"context"
	"slices"
	"strings"
)

// keyRotateCommand puts a new secret in the place of the one in force.
type keyRotateCommand struct {
	JSON bool `name:"json"`
}

// keyDropCommand forgets the secrets that are not in force any more.
type keyDropCommand struct {
	JSON bool `name:"json"`
}

// keyJSON is what the commands about keys print. Fields may be added.
type keyJSON struct {
	Secrets  int      `json:"secrets"`  // that there are now, the one in force included
	Resealed int      `json:"resealed"` // texts that are sealed by it now
	Unopened []string `json:"unopened"` // columns with texts that none of them opens
	Dropped  int      `json:"dropped"`
}

func (c keyRotateCommand) Run(ctx context.Context, d *desk) error {
	b, err := d.open(ctx)
	if err != nil {
		return err
	}
	defer b.Close()
	done, err := b.RotateKey(ctx)
	if err != nil {
		return err
	}
	unopened := slices.Compact(slices.Sorted(slices.Values(done.Unopened)))
	if len(unopened) > 0 {
		d.note("cli.key.unopened", "columns", strings.Join(unopened, ", "))
	}
	if c.JSON {
		return d.json(keyJSON{Secrets: b.Secrets(), Resealed: done.Texts, Unopened: append([]string{}, unopened...)})
	}
	d.say("cli.key.rotated", "texts", d.words.Number(int64(done.Texts)))
	if d.config.SecretKey == "" {
		d.note("cli.backup.secret", "file", d.config.SecretFile())
	}
	return nil
}

func (c keyDropCommand) Run(ctx context.Context, d *desk) error {
	b, err := d.open(ctx)
	if err != nil {
		return err
	}
	defer b.Close()
	dropped, err := b.DropOldKeys(ctx)
	if err != nil {
		return err
	}
	if c.JSON {
		return d.json(keyJSON{Secrets: b.Secrets(), Unopened: []string{}, Dropped: dropped})
	}
	d.say("cli.key.dropped", "secrets", d.words.Number(int64(dropped)))
	return nil
}
