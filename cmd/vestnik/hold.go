package main

import (
	"context"
	"strconv"
	"time"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
)

// holdShowCommand tells whether the database is held, and what waits.
type holdShowCommand struct {
	JSON bool `name:"json"`
}

// holdStartCommand holds the database by a person's word.
type holdStartCommand struct {
	JSON bool `name:"json"`
}

// holdEndCommand says what a held database is.
type holdEndCommand struct {
	Choice string `arg:"" enum:"go-on,copy"`
	JSON   bool   `name:"json"`
}

// holdJSON is a hold as all commands print it. Fields may be added; those that are
// there keep their names and meaning.
type holdJSON struct {
	Held        bool              `json:"held"`
	Why         string            `json:"why"`         // moved, older or asked; empty: not held
	Since       *time.Time        `json:"since"`       // null: not held
	KnowsUntil  *time.Time        `json:"knows_until"` // what happened later is not in the database; null: unknown
	Runs        []heldRunJSON     `json:"runs"`        // the latest 100
	RunsAll     int64             `json:"runs_all"`
	Mailings    []heldMailingJSON `json:"mailings"` // the 100 that are due for longest
	MailingsAll int64             `json:"mailings_all"`
}

type heldRunJSON struct {
	ID        int64      `json:"id"`
	MailingID int64      `json:"mailing_id"` // 0: a single mail
	Owner     string     `json:"owner"`
	Subject   string     `json:"subject"`
	Kind      string     `json:"kind"`
	OpenedAt  *time.Time `json:"opened_at"`
	Sent      int64      `json:"sent"`
	Waiting   int64      `json:"waiting"`
}

type heldMailingJSON struct {
	ID      int64      `json:"id"`
	Owner   string     `json:"owner"`
	Subject string     `json:"subject"`
	DueAt   *time.Time `json:"due_at"`
}

type holdEndJSON struct {
	End            string `json:"end"` // go_on or copy
	RunsCancelled  int64  `json:"runs_cancelled"`
	MailingsPaused int64  `json:"mailings_paused"`
}

func holdOf(v app.HoldView) holdJSON {
	object := holdJSON{
		Held: v.On(), Why: string(v.Why), Since: instant(v.At), KnowsUntil: instant(v.From),
		Runs: []heldRunJSON{}, RunsAll: v.RunsAll, Mailings: []heldMailingJSON{}, MailingsAll: v.MailingsAll,
	}
	for _, r := range v.Runs {
		object.Runs = append(object.Runs, heldRunJSON{
			ID: r.ID, MailingID: r.MailingID, Owner: r.Email, Subject: r.Subject, Kind: string(r.Kind),
			OpenedAt: instant(r.CreatedAt), Sent: r.Counts.Sent, Waiting: r.Counts.Waiting(),
		})
	}
	for _, m := range v.Mailings {
		object.Mailings = append(object.Mailings, heldMailingJSON{
			ID: m.ID, Owner: m.Email, Subject: m.Subject, DueAt: instant(m.NextAt),
		})
	}
	return object
}

func (c holdShowCommand) Run(ctx context.Context, d *desk) error {
	b, err := d.open(ctx)
	if err != nil {
		return err
	}
	defer b.Close()
	v, err := b.App.HoldView(ctx, app.Operator)
	switch {
	case err != nil:
		return err
	case c.JSON:
		return d.json(holdOf(v))
	case !v.On():
		d.say("hold.none")
		return nil
	}
	return d.sayHold(v)
}

func (d *desk) sayHold(v app.HoldView) error {
	d.say("hold.why." + string(v.Why))
	d.say("hold.noticed", "at", d.words.DateTimeZone(v.At))
	if !v.From.IsZero() {
		d.say("hold.knows_until", "at", d.words.DateTimeZone(v.From))
	}
	if err := d.heldRuns(v); err != nil {
		return err
	}
	if err := d.heldMailings(v); err != nil {
		return err
	}
	d.note("cli.hold.decide")
	return nil
}

func (d *desk) heldRuns(v app.HoldView) error {
	if len(v.Runs) == 0 {
		return nil
	}
	d.say("cli.hold.runs", "count", d.words.Number(v.RunsAll))
	rows := [][]string{d.headings("run", "owner", "subject", "kind", "opened", "sent", "waiting")}
	for _, r := range v.Runs {
		rows = append(rows, []string{
			strconv.FormatInt(r.ID, 10), r.Email, r.Subject, d.words.T("run_kind." + string(r.Kind)),
			d.words.ShortDateTime(r.CreatedAt), d.words.Number(r.Counts.Sent), d.words.Number(r.Counts.Waiting()),
		})
	}
	return d.table(rows)
}

func (d *desk) heldMailings(v app.HoldView) error {
	if len(v.Mailings) == 0 {
		return nil
	}
	d.say("cli.hold.mailings", "count", d.words.Number(v.MailingsAll))
	rows := [][]string{d.headings("id", "owner", "subject", "due")}
	for _, m := range v.Mailings {
		rows = append(rows, []string{strconv.FormatInt(m.ID, 10), m.Email, m.Subject, d.words.ShortDateTime(m.NextAt)})
	}
	return d.table(rows)
}

func (c holdStartCommand) Run(ctx context.Context, d *desk) error {
	b, err := d.open(ctx)
	if err != nil {
		return err
	}
	defer b.Close()
	hold, err := b.App.StartHold(ctx, app.Operator)
	if err != nil {
		return err
	}
	d.log.Warn("a person holds the database", "by", "command line")
	if c.JSON {
		return d.json(holdOf(app.HoldView{Hold: hold}))
	}
	d.say("hold.banner")
	return nil
}

func (c holdEndCommand) Run(ctx context.Context, d *desk) error {
	end := map[string]mailing.HoldEnd{"go-on": mailing.HoldGoOn, "copy": mailing.HoldCopy}[c.Choice]
	b, err := d.open(ctx)
	if err != nil {
		return err
	}
	defer b.Close()
	done, err := b.App.EndHold(ctx, app.Operator, end)
	if err != nil {
		return err
	}
	d.log.Warn("a person has decided about the restored database", "by", "command line",
		"end", end, "runs_cancelled", done.Cancelled, "mailings_paused", done.Paused)
	switch {
	case c.JSON:
		return d.json(holdEndJSON{End: string(end), RunsCancelled: done.Cancelled, MailingsPaused: done.Paused})
	case end == mailing.HoldCopy:
		d.say("hold.copied", "runs", d.words.Number(done.Cancelled), "mailings", d.words.Number(done.Paused))
	default:
		d.say("hold.went_on")
	}
	return nil
}
