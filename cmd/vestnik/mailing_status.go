package main

import (
	"context"
	"strconv"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
)

// mailingStatusCommand tells how a mailing and its runs are doing.
type mailingStatusCommand struct {
	JSON bool  `name:"json"`
	ID   int64 `arg:"" name:"id"`
}

type mailingStatusJSON struct {
	mailingJSON
	Runs []runJSON `json:"runs"` // the latest 50, newest first
}

func (c mailingStatusCommand) Run(ctx context.Context, d *desk) error {
	b, err := d.open(ctx)
	if err != nil {
		return err
	}
	defer b.Close()
	v, err := b.App.Mailing(ctx, app.Operator, c.ID)
	if err != nil {
		return err
	}
	if c.JSON {
		object := mailingStatusJSON{mailingOf(v.Mailing, v.Owner.Email, v.Message.Subject), []runJSON{}}
		for _, r := range v.Runs {
			object.Runs = append(object.Runs, runOf(r))
		}
		return d.json(object)
	}
	d.say("cli.mailing.title", "id", v.ID, "subject", v.Message.Subject, "owner", v.Owner.Email)
	d.say("cli.mailing.status", "status", d.words.T("status."+string(v.Status)))
	if v.Weight != mailing.WeightNormal {
		d.say("cli.mailing.weight", "weight", d.words.T("weight."+string(v.Weight)))
	}
	if v.StopWhy != "" {
		d.say("cli.mailing.why", "why", v.StopWhy)
	}
	d.sayRule(v.Mailing)
	d.say("cli.mailing.reach", "mailable", d.words.Number(v.Reach.Reached()),
		"contacts", d.words.Number(v.Reach.Contacts))
	return d.runs(v.Mailing, v.Runs)
}

func (d *desk) runs(m mailing.Mailing, runs []mailing.Run) error {
	if len(runs) == 0 {
		d.say("cli.mailing.no_runs")
		return nil
	}
	rows := [][]string{d.headings("run", "opened", "kind", "state", "audience", "sent", "failed", "skipped", "in_doubt", "waiting")}
	for _, r := range runs {
		row := []string{
			strconv.FormatInt(r.ID, 10), d.zoned(m).ShortDateTime(r.CreatedAt),
			d.words.T("run_kind." + string(r.Kind)), d.words.T("run_state." + string(r.State)),
		}
		for _, n := range []int64{r.Counts.Audience, r.Counts.Sent, r.Counts.Failed, r.Counts.Skipped, r.Counts.InDoubt, r.Counts.Waiting()} {
			row = append(row, d.words.Number(n))
		}
		rows = append(rows, row)
	}
	return d.table(rows)
}
