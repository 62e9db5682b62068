package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
)

// dkimNewCommand makes signing keys for a domain.
type dkimNewCommand struct {
	Domain    string `arg:""`
	Selector  string
	Algorithm string `enum:"rsa,ed25519,both" default:"both"`
	JSON      bool   `name:"json"`
}

// dkimListCommand lists signing keys, those of one domain with their records.
type dkimListCommand struct {
	Domain string `arg:"" optional:""`
	JSON   bool   `name:"json"`
}

// dkimUseCommand has a key sign in place of the one that does so now.
type dkimUseCommand struct {
	Domain   string `arg:""`
	Selector string `arg:""`
}

// dkimRemoveCommand deletes a key.
type dkimRemoveCommand struct {
	Domain   string `arg:""`
	Selector string `arg:""`
}

// signingKeyJSON is a signing key as all commands print it. Fields may be added;
// those that are there keep their names and meaning.
type signingKeyJSON struct {
	Domain     string     `json:"domain"`
	Selector   string     `json:"selector"`
	Algorithm  string     `json:"algorithm"`
	InUse      bool       `json:"in_use"`
	CreatedAt  *time.Time `json:"created_at"`
	RecordName string     `json:"record_name"`
	Record     string     `json:"record"`
	ZoneText   string     `json:"zone_text"`
}

func signingKeysOf(keys []app.SigningKey) []signingKeyJSON {
	objects := make([]signingKeyJSON, len(keys))
	for i, k := range keys {
		objects[i] = signingKeyJSON{
			Domain: k.Domain, Selector: k.Selector, Algorithm: k.Algorithm, InUse: k.InUse, CreatedAt: instant(k.CreatedAt),
			RecordName: k.RecordName, Record: k.Record, ZoneText: k.ZoneText,
		}
	}
	return objects
}

func (c dkimNewCommand) Run(ctx context.Context, d *desk) error {
	b, err := d.open(ctx)
	if err != nil {
		return err
	}
	defer b.Close()
	keys, err := b.App.CreateSigningKeys(ctx, app.Operator, app.SigningForm{
		Domain: c.Domain, Selector: c.Selector, Algorithm: c.Algorithm,
	})
	if err != nil {
		return err
	}
	if c.JSON {
		return d.json(signingKeysOf(keys))
	}
	d.say("cli.dkim.made", "domain", mailing.DisplayDomain(keys[0].Domain))
	d.sayRecords(keys)
	if slices.ContainsFunc(keys, func(k app.SigningKey) bool { return k.InUse }) {
		d.say("cli.dkim.next")
	}
	return nil
}

// sayRecords prints what to publish in DNS.
func (d *desk) sayRecords(keys []app.SigningKey) {
	for _, k := range keys {
		fmt.Fprintln(d.out)
		d.say("cli.dkim.name", "name", k.RecordName)
		d.say("cli.dkim.value", "value", k.Record)
		d.say("cli.dkim.zone", "line", k.RecordName+". IN TXT "+k.ZoneText)
		if !k.InUse {
			d.say("cli.dkim.idle", "command", "vestnik dkim use "+k.Domain+" "+k.Selector)
		}
	}
	fmt.Fprintln(d.out)
}

func (c dkimListCommand) Run(ctx context.Context, d *desk) error {
	keys, err := c.keys(ctx, d)
	switch {
	case err != nil:
		return err
	case c.JSON:
		return d.json(signingKeysOf(keys))
	case len(keys) == 0:
		d.note("cli.dkim.none")
		return nil
	}
	rows := [][]string{d.headings("domain", "selector", "algorithm", "state", "created")}
	for _, k := range keys {
		rows = append(rows, []string{mailing.DisplayDomain(k.Domain), k.Selector, k.Algorithm, d.signingState(k), d.words.ShortDateTime(k.CreatedAt)})
	}
	if err := d.table(rows); err != nil || c.Domain == "" {
		return err
	}
	d.sayRecords(keys)
	return nil
}

// keys are those of all domains, or of the one that was named.
func (c dkimListCommand) keys(ctx context.Context, d *desk) ([]app.SigningKey, error) {
	b, err := d.open(ctx)
	if err != nil {
		return nil, err
	}
	defer b.Close()
	domains, err := b.App.SendingDomains(ctx, app.Operator)
	if err != nil {
		return nil, err
	}
	var all []app.SigningKey
	for _, domain := range domains {
		all = append(all, domain.Keys...)
	}
	if c.Domain == "" {
		return all, nil
	}
	name, err := mailing.NormalizeDomain(c.Domain)
	return slices.DeleteFunc(all, func(k app.SigningKey) bool { return k.Domain != name }), err
}

func (d *desk) signingState(k app.SigningKey) string {
	if k.InUse {
		return d.words.T("signing.signs")
	}
	return d.words.T("signing.idle")
}

func (c dkimUseCommand) Run(ctx context.Context, d *desk) error {
	b, err := d.open(ctx)
	if err != nil {
		return err
	}
	defer b.Close()
	if err := b.App.UseSigningKey(ctx, app.Operator, c.Domain, c.Selector); err != nil {
		return err
	}
	d.say("cli.dkim.used", "domain", c.Domain, "selector", c.Selector)
	return nil
}

func (c dkimRemoveCommand) Run(ctx context.Context, d *desk) error {
	b, err := d.open(ctx)
	if err != nil {
		return err
	}
	defer b.Close()
	if err := b.App.DeleteSigningKey(ctx, app.Operator, c.Domain, c.Selector); err != nil {
		return err
	}
	d.say("cli.dkim.removed", "domain", c.Domain, "selector", c.Selector)
	return nil
}
