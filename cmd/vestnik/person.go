package main

import (
	"context"
	"errors"
	"io"
	"os"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
)

// userExportCommand writes everything of an account into a ZIP file.
type userExportCommand struct {
	Email  string `arg:""`
	Target string `arg:"" placeholder:"FILE.zip"`
}

// userEraseCommand erases an account at once.
type userEraseCommand struct {
	Email string `arg:""`
}

// personExportCommand writes all that an owner knows of a client into a ZIP file.
type personExportCommand struct {
	Owner  string `required:"" placeholder:"EMAIL"`
	Email  string `arg:""`
	Target string `arg:"" placeholder:"FILE.zip"`
}

// personEraseCommand has an owner forget a client.
type personEraseCommand struct {
	Owner string `required:"" placeholder:"EMAIL"`
	Email string `arg:""`
}

func (c userExportCommand) Run(ctx context.Context, d *desk) error {
	b, account, err := d.openAs(ctx, c.Email)
	if err != nil {
		return err
	}
	defer b.Close()
	return d.archive(c.Target, func(w io.Writer) error { return b.App.ExportAccount(ctx, app.Operator, account.ID, w) })
}

func (c userEraseCommand) Run(ctx context.Context, d *desk) error {
	b, account, err := d.openAs(ctx, c.Email)
	if err != nil {
		return err
	}
	defer b.Close()
	if err := b.App.EraseAccount(ctx, app.Operator, account.ID); err != nil {
		return err
	}
	d.say("personal.user_erased")
	return nil
}

func (c personExportCommand) Run(ctx context.Context, d *desk) error {
	b, owner, err := d.openAs(ctx, c.Owner)
	if err != nil {
		return err
	}
	defer b.Close()
	return d.archive(c.Target, func(w io.Writer) error { return b.App.ExportPerson(ctx, app.Operator, owner.ID, c.Email, w) })
}

func (c personEraseCommand) Run(ctx context.Context, d *desk) error {
	b, owner, err := d.openAs(ctx, c.Owner)
	if err != nil {
		return err
	}
	defer b.Close()
	if err := b.App.ErasePerson(ctx, app.Operator, owner.ID, c.Email); err != nil {
		return err
	}
	d.say("personal.client_erased")
	return nil
}

// archive writes a file that only its owner can read, and that is not there yet.
func (d *desk) archive(name string, write func(io.Writer) error) error {
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return mailing.Fault(mailing.Conflict, "file_exists", "path", name).Because(err)
	}
	if err != nil {
		return err
	}
	if err := errors.Join(write(file), file.Close()); err != nil {
		return errors.Join(err, os.Remove(name))
	}
	d.say("cli.archive.made", "file", name)
	return nil
}
