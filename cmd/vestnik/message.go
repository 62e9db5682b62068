package main

import (
	"context"
	"io"
	"path/filepath"
	"strings"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
)

// messageCreateCommand adds a message to somebody's.
type messageCreateCommand struct {
	Owner   string `required:"" placeholder:"EMAIL"`
	Subject string `required:""`
	File    string `required:"" placeholder:"FILE"`
	Format  string `enum:"text,markdown,html,${nothing}" default:"" placeholder:"text|markdown|html"`
	JSON    bool   `name:"json"`
}

type messageJSON struct {
	ID      int64  `json:"id"`
	Owner   string `json:"owner"`
	Subject string `json:"subject"`
	Format  string `json:"format"`
}

func (c messageCreateCommand) Run(ctx context.Context, d *desk) error {
	file, err := d.read(c.File)
	if err != nil {
		return err
	}
	defer file.Close()
	body, err := io.ReadAll(file)
	if err != nil {
		return err
	}
	b, owner, err := d.openAs(ctx, c.Owner)
	if err != nil {
		return err
	}
	defer b.Close()
	m, err := b.App.CreateMessage(ctx, owner, app.MessageForm{
		Subject: c.Subject, Format: c.format(), Body: strings.TrimPrefix(string(body), "\uFEFF"),
	})
	if err != nil {
		return err
	}
	if c.JSON {
		return d.json(messageJSON{ID: m.ID, Owner: owner.Email, Subject: m.Subject, Format: string(m.Format)})
	}
	d.say("cli.message.created", "id", m.ID, "subject", m.Subject, "format", string(m.Format))
	return nil
}

// format is the one asked for, else that of the file's name, else Markdown, in
// which plain text may be written, too.
func (c messageCreateCommand) format() mailing.Format {
	if c.Format != "" {
		return mailing.Format(c.Format)
	}
	switch strings.ToLower(filepath.Ext(c.File)) {
	case ".html", ".htm":
		return mailing.FormatHTML
	case ".txt", ".text":
		return mailing.FormatText
	}
	return mailing.FormatMarkdown
}
