package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"vestnik/internal/bench"
	"vestnik/internal/pgserver"
)

// benchCommands measure. The hidden ones are the processes of a measurement.
type benchCommands struct {
	Run   benchCommand      `cmd:"" default:"withargs"`
	Sink  benchSinkCommand  `cmd:"" hidden:""`
	Blast benchBlastCommand `cmd:"" hidden:""`
}

// benchCommand measures how fast this program sends on this machine.
type benchCommand struct {
	Recipients  int             `default:"100000"`
	Rounds      int             `default:"3"`
	Connections []int           `name:"with" default:"1,10,50"`
	Delays      []time.Duration `default:"0s,20ms"`
	Longest     time.Duration   `default:"15s"`
	Senders     []string        `default:"sqlite,postgres,sqlite+dkim" enum:"sqlite,postgres,sqlite+dkim"`
	Keep        string          `type:"path" placeholder:"DIR"`
	JSON        bool            `name:"json"`
}

// AfterApply refuses what cannot be measured.
func (c *benchCommand) AfterApply() error {
	switch {
	case c.Recipients < 2 || c.Rounds < 1 || c.Longest <= 0:
		return errors.New("--recipients is 2 or more, --rounds 1 or more, --longest above 0")
	case len(c.Connections) == 0 || len(c.Delays) == 0 || slices.Min(c.Connections) < 1 || slices.Min(c.Delays) < 0:
		return errors.New("--with is one or more numbers above 0, --delays one or more durations")
	}
	return nil
}

func (c *benchCommand) Run(ctx context.Context, d *desk) error {
	if c.Keep != "" {
		if err := os.MkdirAll(c.Keep, 0o755); err != nil {
			return fmt.Errorf("bench: %w", err)
		}
	}
	senders := c.Senders
	if slices.Contains(senders, bench.Postgres) && !pgserver.Installed() {
		d.note("cli.bench.no_postgres", "why", pgserver.ErrNone)
		senders = slices.DeleteFunc(senders, func(name string) bool { return name == bench.Postgres })
	}
	report, err := bench.Run(ctx, bench.Options{
		Recipients: c.Recipients, Limit: c.Longest, Rounds: c.Rounds, Connections: c.Connections, Delays: c.Delays,
		Senders: senders, Keep: c.Keep, Progress: func(what string) { fmt.Fprintln(d.err, what) },
	})
	if len(report.Rows) == 0 {
		return err
	}
	return errors.Join(err, c.tell(d, report))
}

func (c *benchCommand) tell(d *desk, report *bench.Report) error {
	if c.JSON {
		return d.json(report)
	}
	rows := [][]string{d.headings("sender", "delay", "connections", "mails", "rate", "of_ceiling", "spread",
		"cpu_sender", "cpu_database", "cpu_sink", "memory", "first", "opened", "lost", "doubled")}
	for _, row := range report.Rows {
		rows = append(rows, benchRow(row))
	}
	d.say("cli.bench.title", "cpus", report.CPUs, "bytes", report.Bytes)
	return d.table(rows)
}

// benchRow is a row of the table. Processor time is that of 100,000 mails.
func benchRow(row bench.Row) []string {
	m := row.Median()
	least, most := row.Spread()
	cpu := func(used time.Duration) string {
		return fmt.Sprintf("%.1f s", used.Seconds()/float64(row.Recipients)*100_000)
	}
	ratio, memory, first, opened := "", "", "", ""
	if m.Ratio > 0 {
		ratio = fmt.Sprintf("%.2f", m.Ratio)
		memory = fmt.Sprintf("%d MB", m.PeakMemory/1_000_000)
		first, opened = m.FirstAfter.Round(time.Millisecond).String(), m.OpenedAfter.Round(time.Millisecond).String()
	}
	return []string{
		row.Sender, row.Delay.String(), fmt.Sprint(row.Connections), fmt.Sprint(row.Recipients), fmt.Sprintf("%.0f/s", m.Rate), ratio,
		fmt.Sprintf("%.0f–%.0f", least, most), cpu(m.SenderCPU), cpu(m.DatabaseCPU), cpu(m.SinkCPU), memory, first, opened,
		fmt.Sprint(m.Lost), fmt.Sprint(m.Doubled),
	}
}

// benchSinkCommand is the process of the counting sink.
type benchSinkCommand struct {
	Delay time.Duration
}

func (c *benchSinkCommand) Run(d *desk) error { return bench.Sink(d.in, d.out, c.Delay) }

// benchBlastCommand is the process of the bare blaster.
type benchBlastCommand struct {
	To          string
	Connections int `name:"with"`
	Recipients  int
}

func (c *benchBlastCommand) Run() error { return bench.Blast(c.To, c.Connections, c.Recipients) }
