package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
	"vestnik/internal/server"
)

// contactsImportCommand adds the contacts of a CSV file to somebody's.
type contactsImportCommand struct {
	Owner string `required:"" placeholder:"EMAIL"`
	JSON  bool   `name:"json"`
	File  string `arg:""`
}

type importJSON struct {
	ID       int64         `json:"id"`
	Filename string        `json:"filename"`
	Total    int64         `json:"total"`
	Added    int64         `json:"added"`
	Existing int64         `json:"existing"`
	Refused  int64         `json:"refused"`
	Refusals []refusalJSON `json:"refusals"`
}

type refusalJSON struct {
	Line   int64  `json:"line"`
	Value  string `json:"value"`
	Code   string `json:"code"`
	Reason string `json:"reason"`
}

func (c contactsImportCommand) Run(ctx context.Context, d *desk) error {
	file, err := d.read(c.File)
	if err != nil {
		return err
	}
	defer file.Close()
	b, owner, err := d.openAs(ctx, c.Owner)
	if err != nil {
		return err
	}
	defer b.Close()
	report, err := b.App.ImportContacts(ctx, owner, filepath.Base(c.File), file)
	if report.ID == 0 {
		return err
	}
	// What was added before it broke off stays, so it is told as well.
	told := c.tell(context.WithoutCancel(ctx), d, b, owner, report)
	if err == nil && told == nil && report.Refused > 0 {
		return status(exitIncomplete)
	}
	return errors.Join(err, told)
}

func (c contactsImportCommand) tell(ctx context.Context, d *desk, b *server.Base, owner mailing.Account, report app.Import) error {
	if c.JSON {
		return c.tellJSON(ctx, d, b, owner, report)
	}
	d.say("cli.import.numbers", "total", d.words.Number(report.Total), "added", d.words.Number(report.Added),
		"existing", d.words.Number(report.Existing), "refused", d.words.Number(report.Refused))
	if report.Refused == 0 {
		return nil
	}
	rows := [][]string{d.headings("line", "value", "reason")}
	err := eachRefusal(ctx, b, owner, report.ID, func(r app.Refusal) {
		rows = append(rows, []string{strconv.FormatInt(r.Line, 10), fmt.Sprintf("%.60q", r.Value), d.reason(r)})
	})
	return errors.Join(err, d.table(rows))
}

func (c contactsImportCommand) tellJSON(ctx context.Context, d *desk, b *server.Base, owner mailing.Account, report app.Import) error {
	object := importJSON{
		ID: report.ID, Filename: report.Filename, Total: report.Total, Added: report.Added,
		Existing: report.Existing, Refused: report.Refused, Refusals: []refusalJSON{},
	}
	err := eachRefusal(ctx, b, owner, report.ID, func(r app.Refusal) {
		object.Refusals = append(object.Refusals, refusalJSON{Line: r.Line, Value: r.Value, Code: r.Code, Reason: d.reason(r)})
	})
	return errors.Join(err, d.json(object))
}

// reason is why a line was refused, as a sentence.
func (d *desk) reason(r app.Refusal) string {
	return d.words.Error(&mailing.Error{Kind: mailing.Invalid, Code: r.Code, Params: r.Params})
}

// refusalBatch is how many refused lines are read at once. Chosen.
const refusalBatch = 1000

// eachRefusal calls do for every refused line that is stored, in their order.
func eachRefusal(ctx context.Context, b *server.Base, owner mailing.Account, id int64, do func(app.Refusal)) error {
	for after := int64(0); ; {
		refusals, err := b.App.ImportRefusals(ctx, owner, id, after, refusalBatch)
		if err != nil {
			return err
		}
		for _, r := range refusals {
			do(r)
			after = r.Line
		}
		if len(refusals) < refusalBatch {
			return nil
		}
	}
}

// read opens a file, or for "-" the standard input.
func (d *desk) read(name string) (io.ReadCloser, error) {
	if name == "-" {
		return io.NopCloser(d.in), nil
	}
	file, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, mailing.Fault(mailing.NotFound, "file_not_found", "file", name).Because(err)
	}
	return file, err
}
