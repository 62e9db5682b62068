package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
	"vestnik/internal/server"
)

// auditListCommand prints lines of the audit log, newest first.
type auditListCommand struct {
	By     string `placeholder:"EMAIL"`
	Owner  string `placeholder:"EMAIL"`
	Action string
	Kind   string
	Thing  int64  `placeholder:"ID"`
	Since  string `placeholder:"DATE"`
	Until  string `placeholder:"DATE"`
	Limit  int64  `default:"100" placeholder:"N"`
	JSON   bool   `name:"json"`
}

// auditVerifyCommand walks along the audit log.
type auditVerifyCommand struct {
	JSON bool `name:"json"`
}

// deedJSON is a line of the audit log. Fields may be added; those that are there keep
// their names and meaning.
type deedJSON struct {
	Number int64             `json:"number"`
	At     *time.Time        `json:"at"`
	Actor  int64             `json:"actor"` // 0: nobody who is signed in; -1: the operator
	Email  string            `json:"email"`
	From   string            `json:"from"`
	Action string            `json:"action"`
	Kind   string            `json:"kind"`
	Thing  int64             `json:"thing"`
	Name   string            `json:"name"`
	Owner  int64             `json:"owner"`
	Why    string            `json:"why"`
	Before map[string]string `json:"before"`
	After  map[string]string `json:"after"`
	Hash   string            `json:"hash"`
}

type verifiedJSON struct {
	Whole  bool   `json:"whole"`
	Lines  int64  `json:"lines"` // that are as they were written, from the first on
	Hash   string `json:"hash"`  // of the last of them
	Broken int64  `json:"broken"`
}

func (c auditListCommand) Run(ctx context.Context, d *desk) error {
	b, err := d.open(ctx)
	if err != nil {
		return err
	}
	defer b.Close()
	f, err := c.filter(ctx, b, d.config.Zone)
	if err != nil {
		return err
	}
	return c.each(ctx, b, f, func(deed mailing.Deed) error {
		if c.JSON {
			return d.json(deedOf(deed))
		}
		_, err := fmt.Fprintln(d.out, d.deed(deed))
		return err
	})
}

func (c auditListCommand) filter(ctx context.Context, b *server.Base, zone *time.Location) (app.AuditFilter, error) {
	f := app.AuditFilter{
		Everyone: true, Email: c.By, Action: mailing.Action(c.Action), Kind: mailing.ThingKind(c.Kind), Thing: c.Thing,
	}
	if c.Owner != "" {
		owner, err := b.App.AccountByEmail(ctx, c.Owner)
		if err != nil {
			return f, err
		}
		f.Owner = owner.ID
	}
	var problems mailing.Problems
	for _, day := range []struct {
		field, text string
		later       int
		into        *time.Time
	}{{"since", c.Since, 0, &f.From}, {"until", c.Until, 1, &f.To}} {
		if day.text == "" {
			continue
		}
		date, err := mailing.ParseDate(day.text)
		if err := problems.AddError(day.field, err); err != nil {
			return f, err
		}
		*day.into = time.Date(date.Year, date.Month, date.Day+day.later, 0, 0, 0, 0, zone)
	}
	return f, problems.Err()
}

// each calls do for up to the limit of lines, or all when it is 0.
func (c auditListCommand) each(ctx context.Context, b *server.Base, f app.AuditFilter, do func(mailing.Deed) error) error {
	for left := c.Limit; ; {
		f.Limit = logBatch
		if c.Limit > 0 {
			f.Limit = min(left, logBatch)
		}
		deeds, err := b.App.Deeds(ctx, app.Operator, f)
		if err != nil {
			return err
		}
		for _, deed := range deeds {
			if err := do(deed); err != nil {
				return err
			}
			f.Before = deed.Number
		}
		left -= int64(len(deeds))
		if int64(len(deeds)) < f.Limit || c.Limit > 0 && left <= 0 {
			return nil
		}
	}
}

func deedOf(d mailing.Deed) deedJSON {
	return deedJSON{
		Number: d.Number, At: instant(d.At), Actor: d.Actor, Email: d.Email, From: d.From, Action: string(d.Action),
		Kind: string(d.Thing.Kind), Thing: d.Thing.ID, Name: d.Thing.Name, Owner: d.Owner, Why: d.Why,
		Before: d.Before, After: d.After, Hash: d.Hash,
	}
}

// deed is one line of the audit log, in the zone of the settings: when, who, what, to
// what, and what was changed.
func (d *desk) deed(deed mailing.Deed) string {
	who := mailing.DisplayEmail(deed.Email)
	if deed.Actor == app.Operator.ID {
		who = d.words.T("audit.operator")
	}
	parts := []string{
		deed.At.In(d.config.Zone).Format("2006-01-02 15:04:05"), who, d.words.T("deed." + string(deed.Action)), deed.Thing.Name,
	}
	if deed.Why != "" {
		parts = append(parts, d.words.T("audit.why", "why", deed.Why))
	}
	for _, field := range slices.Sorted(maps.Keys(deed.After)) {
		fact := d.words.FactName(field) + ": "
		if before, changed := deed.Before[field]; changed {
			fact += d.words.Fact(field, before) + " → "
		}
		parts = append(parts, fact+d.words.Fact(field, deed.After[field]))
	}
	parts = slices.DeleteFunc(parts, func(part string) bool { return part == "" })
	return strings.ReplaceAll(strings.Join(parts, "  "), "\n", " ")
}

func (c auditVerifyCommand) Run(ctx context.Context, d *desk) error {
	b, err := d.open(ctx)
	if err != nil {
		return err
	}
	defer b.Close()
	v, err := b.App.VerifyDeeds(ctx, app.Operator)
	if err != nil {
		return err
	}
	switch {
	case c.JSON:
		err = d.json(verifiedJSON{Whole: v.Broken == 0, Lines: v.Lines, Hash: v.Hash, Broken: v.Broken})
	case v.Broken != 0:
		d.say("cli.audit.broken", "number", d.words.Number(v.Broken), "lines", d.words.Number(v.Lines))
	case v.Lines == 0:
		d.say("cli.audit.empty")
	default:
		d.say("cli.audit.whole", "lines", d.words.Number(v.Lines), "hash", v.Hash)
	}
	if err == nil && v.Broken != 0 {
		return status(exitTampered)
	}
	return err
}
