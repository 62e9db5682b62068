package main

import (
	"context"
	"time"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
)

// domainCheckCommand looks at what a domain says of itself in DNS.
type domainCheckCommand struct {
	Domain string `arg:""`
	JSON   bool   `name:"json"`
}

// domainCheckJSON is what was found. Fields may be added; those that are there keep their
// names and meaning.
type domainCheckJSON struct {
	Domain    string        `json:"domain"`
	At        *time.Time    `json:"at"`
	Condition string        `json:"condition"`
	Findings  []findingJSON `json:"findings"`
}

type findingJSON struct {
	Topic     string `json:"topic"`
	Condition string `json:"condition"`
	Code      string `json:"code"`
	Text      string `json:"text"`
	Name      string `json:"name,omitempty"`
	Record    string `json:"record,omitempty"`
}

func (c domainCheckCommand) Run(ctx context.Context, d *desk) error {
	b, err := d.open(ctx)
	if err != nil {
		return err
	}
	defer b.Close()
	check, err := b.App.CheckDomain(ctx, app.Operator, c.Domain)
	if err != nil {
		return err
	}
	if c.JSON {
		err = d.json(d.domainCheck(check))
	} else {
		d.sayFindings(check)
	}
	if err == nil && check.Condition() == mailing.Bad {
		return status(exitInvalid)
	}
	return err
}

func (d *desk) domainCheck(check mailing.DomainCheck) domainCheckJSON {
	object := domainCheckJSON{Domain: check.Domain, At: instant(check.At), Condition: string(check.Condition())}
	for _, f := range check.Findings {
		object.Findings = append(object.Findings, findingJSON{
			Topic: string(f.Topic), Condition: string(f.Condition), Code: f.Code, Text: d.words.Finding(f), Name: f.Name, Record: f.Record,
		})
	}
	return object
}

func (d *desk) sayFindings(check mailing.DomainCheck) {
	for _, f := range check.Findings {
		d.say("cli.domain.found", "topic", d.words.T("domain.topic."+string(f.Topic)),
			"condition", d.words.T("domain.condition."+string(f.Condition)), "text", d.words.Finding(f))
		if f.Record != "" {
			d.say("cli.dkim.name", "name", f.Name)
			d.say("cli.dkim.value", "value", f.Record)
		}
	}
}
