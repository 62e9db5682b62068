package main

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
)

// relayListCommand lists the ways out.
type relayListCommand struct {
	JSON bool `name:"json"`
}

// relayTestCommand tries a way out, step by step.
type relayTestCommand struct {
	Name string `arg:""`
	JSON bool   `name:"json"`
}

// relayResumeCommand has a way out used again that was stopped.
type relayResumeCommand struct {
	Name string `arg:""`
}

// relayRemoveCommand deletes a way out.
type relayRemoveCommand struct {
	Name string `arg:""`
}

// relayJSON is a way out as all commands print it. Fields may be added; those that
// are there keep their names and meaning.
type relayJSON struct {
	ID          int64      `json:"id"`
	Name        string     `json:"name"`
	Kind        string     `json:"kind"`
	Host        string     `json:"host"`
	Port        int        `json:"port"`
	TLS         string     `json:"tls"`
	Username    string     `json:"username"`
	FromName    string     `json:"from_name"`
	FromEmail   string     `json:"from_email"`
	HeloName    string     `json:"helo_name"`
	Weight      int        `json:"weight"`
	Connections int        `json:"connections"`
	Messages    int        `json:"messages"`
	PerSecond   int        `json:"per_second"`
	PerHour     int        `json:"per_hour"`
	PerDay      int        `json:"per_day"`
	Enabled     bool       `json:"enabled"`
	Trouble     string     `json:"trouble"`
	TroubleAt   *time.Time `json:"trouble_at"`
}

func relayOf(r app.RelaySettings) relayJSON {
	return relayJSON{
		ID: r.ID, Name: r.Name, Kind: r.Kind, Host: r.Host, Port: r.Port, TLS: r.TLS, Username: r.Username,
		FromName: r.FromName, FromEmail: r.FromEmail, HeloName: r.HeloName, Weight: r.Weight,
		Connections: r.Connections, Messages: r.Messages, PerSecond: r.PerSecond, PerHour: r.PerHour, PerDay: r.PerDay,
		Enabled: r.Enabled, Trouble: r.Trouble, TroubleAt: instant(r.TroubleAt),
	}
}

func (c relayListCommand) Run(ctx context.Context, d *desk) error {
	b, err := d.open(ctx)
	if err != nil {
		return err
	}
	defer b.Close()
	relays, err := b.App.Relays(ctx, app.Operator)
	if err != nil {
		return err
	}
	if c.JSON {
		objects := make([]relayJSON, len(relays))
		for i, r := range relays {
			objects[i] = relayOf(r)
		}
		return d.json(objects)
	}
	if len(relays) == 0 {
		d.note("cli.relay.none")
		return nil
	}
	rows := [][]string{d.headings("name", "kind", "server", "weight", "limits", "state")}
	for _, r := range relays {
		rows = append(rows, []string{r.Name, d.words.T("relay.kind_" + r.Kind), r.Server(), strconv.Itoa(r.Weight), d.words.Limits(r.Limits()), d.relayState(r)})
	}
	return d.table(rows)
}

func (d *desk) relayState(r app.RelaySettings) string {
	switch {
	case r.Stopped():
		return d.words.T("relay.state_stopped") + ": " + r.Trouble
	case r.Enabled:
		return d.words.T("relay.state_in_use")
	}
	return d.words.T("relay.state_off")
}

// relayNamed finds a way out by what it is called.
func relayNamed(ctx context.Context, a *app.App, name string) (app.RelaySettings, error) {
	relays, err := a.Relays(ctx, app.Operator)
	if err != nil {
		return app.RelaySettings{}, err
	}
	i := slices.IndexFunc(relays, func(r app.RelaySettings) bool { return r.Name == name })
	if i < 0 {
		return app.RelaySettings{}, mailing.Fault(mailing.NotFound, "relay_unknown", "name", name)
	}
	return relays[i], nil
}

// relayStepJSON is one step of a test.
type relayStepJSON struct {
	Step   string `json:"step"`
	Passed bool   `json:"passed"`
	Code   string `json:"code,omitempty"`
	Reason string `json:"reason,omitempty"`
	Advice string `json:"advice,omitempty"`
}

func (c relayTestCommand) Run(ctx context.Context, d *desk) error {
	b, err := d.open(ctx)
	if err != nil {
		return err
	}
	defer b.Close()
	relay, err := relayNamed(ctx, b.App, c.Name)
	if err != nil {
		return err
	}
	var steps []relayStepJSON
	err = b.App.TestRelay(ctx, app.Operator, relay, func(name string, err error) {
		step := relayStepJSON{Step: name, Passed: err == nil, Code: mailing.CodeOf(err)}
		if err != nil {
			step.Reason = d.words.Error(err)
			if advice := app.RelayAdvice(relay, name, err); advice != "" {
				step.Advice = d.words.T("relay.advice." + advice)
			}
		}
		steps = append(steps, step)
		if !c.JSON {
			d.sayStep(step)
		}
	})
	if err != nil {
		return err
	}
	if c.JSON {
		err = d.json(steps)
	}
	if err == nil && slices.ContainsFunc(steps, func(s relayStepJSON) bool { return !s.Passed }) {
		return status(exitInvalid)
	}
	return err
}

func (d *desk) sayStep(s relayStepJSON) {
	name := d.words.T("relay.step." + s.Step)
	if s.Passed {
		d.say("cli.relay.step_passed", "step", name)
		return
	}
	d.say("cli.relay.step_failed", "step", name, "reason", strings.TrimSpace(s.Reason+" "+s.Advice))
}

func (c relayResumeCommand) Run(ctx context.Context, d *desk) error {
	return d.changeRelay(ctx, c.Name, "cli.relay.resumed", func(a *app.App, id int64) error { return a.ResumeRelay(ctx, app.Operator, id) })
}

func (c relayRemoveCommand) Run(ctx context.Context, d *desk) error {
	return d.changeRelay(ctx, c.Name, "cli.relay.removed", func(a *app.App, id int64) error { return a.DeleteRelay(ctx, app.Operator, id) })
}

// changeRelay does something to a way out and says that it is done.
func (d *desk) changeRelay(ctx context.Context, name, done string, change func(a *app.App, id int64) error) error {
	b, err := d.open(ctx)
	if err != nil {
		return err
	}
	defer b.Close()
	relay, err := relayNamed(ctx, b.App, name)
	if err != nil {
		return err
	}
	if err := change(b.App, relay.ID); err != nil {
		return err
	}
	d.say(done, "name", name)
	return nil
}
