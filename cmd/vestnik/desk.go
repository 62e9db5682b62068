package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/alecthomas/kong"

	"vestnik/internal/app"
	"vestnik/internal/config"
	"vestnik/internal/i18n"
	"vestnik/internal/mailing"
	"vestnik/internal/server"
)

// desk is what every command works at: the world around it, the settings in
// force, and the language of the person in front of it.
type desk struct {
	world
	words  *i18n.Printer
	config config.Config
	log    *slog.Logger
}

// open opens the database beside a service that may be running.
func (d *desk) open(ctx context.Context) (*server.Base, error) {
	return server.Open(ctx, d.config, d.log, false)
}

// openAs is open for a command that works in one person's room.
func (d *desk) openAs(ctx context.Context, email string) (*server.Base, mailing.Account, error) {
	b, err := d.open(ctx)
	if err != nil {
		return nil, mailing.Account{}, err
	}
	owner, err := b.App.AccountByEmail(ctx, email)
	if err != nil {
		b.Close()
		return nil, mailing.Account{}, err
	}
	return b, owner, nil
}

// say prints a sentence, or lines, of data.
func (d *desk) say(key string, args ...any) {
	fmt.Fprintln(d.out, d.words.T(key, args...))
}

// note tells what is no data.
func (d *desk) note(key string, args ...any) {
	fmt.Fprintln(d.err, d.words.T(key, args...))
}

// json prints one value on one line.
func (d *desk) json(value any) error {
	out := json.NewEncoder(d.out)
	out.SetEscapeHTML(false)
	return out.Encode(value)
}

// table prints rows in columns; the first row is that of their names.
func (d *desk) table(rows [][]string) error {
	out := tabwriter.NewWriter(d.out, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		fmt.Fprintln(out, strings.Join(row, "\t"))
	}
	return out.Flush()
}

// headings are the names of columns, by their keys.
func (d *desk) headings(keys ...string) []string {
	names := make([]string, len(keys))
	for i, key := range keys {
		names[i] = d.words.T("cli.column." + key)
	}
	return names
}

// actor is who works: the person named by --owner, or the operator.
func (d *desk) actor(ctx context.Context, b *server.Base, email string) (mailing.Account, error) {
	if email == "" {
		return app.Operator, nil
	}
	return b.App.AccountByEmail(ctx, email)
}

func newLog(c config.Config, to io.Writer) *slog.Logger {
	options := &slog.HandlerOptions{Level: c.LogLevel}
	if c.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(to, options))
	}
	return slog.New(slog.NewTextHandler(to, options))
}

// language is that of --lang, else that of the shell (POSIX, 8.2: LC_ALL before
// LC_MESSAGES before LANG). It is needed before the command line is understood,
// to say what is wrong with it.
func language(args, env []string) string {
	for i, arg := range args {
		if value, ok := strings.CutPrefix(arg, "--lang="); ok {
			return value
		}
		if arg == "--lang" && i+1 < len(args) {
			return args[i+1]
		}
	}
	for _, name := range []string{"LC_ALL=", "LC_MESSAGES=", "LANG="} {
		for _, line := range env {
			if value, ok := strings.CutPrefix(line, name); ok && value != "" {
				return value[:min(2, len(value))]
			}
		}
	}
	return i18n.English
}

// giveBackZone leaves --zone to `mailing create`, where it is the zone of the
// mailing. To every other command it is the setting of that name.
func giveBackZone(flags map[string]string, rest []string) []string {
	zone, given := flags["zone"]
	behind := behindMailingCreate(rest)
	if !given || behind == 0 {
		return rest
	}
	delete(flags, "zone")
	return slices.Insert(slices.Clone(rest), behind, "--zone="+zone)
}

// behindMailingCreate is the place behind the words of that command, and 0 when
// the command is another one.
func behindMailingCreate(args []string) int {
	i := slices.Index(args, "mailing")
	if i < 0 || i+1 >= len(args) || args[i+1] != "create" {
		return 0
	}
	return i + 2
}

// translate gives the commands, flags and arguments below node their help. A flag whose
// name means another thing elsewhere has a tag "words".
func translate(node *kong.Node, path string, words *i18n.Printer) {
	for _, flag := range node.Flags {
		flag.Help = words.T("cli.flag." + cmp.Or(flag.Tag.Get("words"), snake(flag.Name)))
	}
	for _, argument := range node.Positional {
		argument.Help = words.T("cli.arg." + snake(argument.Name))
	}
	for _, child := range node.Children {
		below := strings.TrimPrefix(path+"_"+child.Name, "_")
		child.Help = words.T("cli.help." + snake(below))
		translate(child, below, words)
	}
}

func snake(name string) string { return strings.ReplaceAll(name, "-", "_") }
