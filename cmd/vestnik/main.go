// Command vestnik is the mailing service and everything that an operator does
// with it from a shell: `vestnik serve` runs it, the other commands work on the
// same database, beside a running service or without one. docs/cli.md tells of
// each, and of the exit codes.
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"vestnik/internal/app"
	"vestnik/internal/config"
	"vestnik/internal/i18n"
)

// version is set by the linker: go build -ldflags "-X main.version=v1.2.3".
var version = "dev"

// commands are all there are. The texts of their help are translations: those
// of commands under "cli.help.", of flags under "cli.flag.", of arguments under
// "cli.arg.".
type commands struct {
	Lang string `enum:"ru,en,${nothing}" default:"" placeholder:"ru|en"`

	Serve   serveCommand   `cmd:""`
	Config  configCommand  `cmd:""`
	Migrate migrateCommand `cmd:""`
	Csu     csuCommand     `cmd:""`
	User    struct {
		Create       userCreateCommand       `cmd:""`
		Invite       userInviteCommand       `cmd:""`
		ResetFactors userResetFactorsCommand `cmd:""`
		Export       userExportCommand       `cmd:""`
		Erase        userEraseCommand        `cmd:""`
	} `cmd:""`
	Person struct {
		Export personExportCommand `cmd:""`
		Erase  personEraseCommand  `cmd:""`
	} `cmd:""`
	Contacts struct {
		Import contactsImportCommand `cmd:""`
	} `cmd:""`
	Message struct {
		Create messageCreateCommand `cmd:""`
	} `cmd:""`
	Mailing struct {
		Create  mailingCreateCommand  `cmd:""`
		List    mailingListCommand    `cmd:""`
		Send    mailingSendCommand    `cmd:""`
		Status  mailingStatusCommand  `cmd:""`
		Pause   mailingPauseCommand   `cmd:""`
		Resume  mailingResumeCommand  `cmd:""`
		Disable mailingDisableCommand `cmd:""`
		Enable  mailingEnableCommand  `cmd:""`
	} `cmd:""`
	Domain struct {
		Check domainCheckCommand `cmd:""`
	} `cmd:""`
	Dkim struct {
		New    dkimNewCommand    `cmd:""`
		List   dkimListCommand   `cmd:""`
		Use    dkimUseCommand    `cmd:""`
		Remove dkimRemoveCommand `cmd:""`
	} `cmd:""`
	Relay struct {
		List   relayListCommand   `cmd:""`
		Add    relayAddCommand    `cmd:""`
		Test   relayTestCommand   `cmd:""`
		Resume relayResumeCommand `cmd:""`
		Remove relayRemoveCommand `cmd:""`
	} `cmd:""`
	Backup backupCommand `cmd:""`
	Hold   struct {
		Show  holdShowCommand  `cmd:""`
		Start holdStartCommand `cmd:""`
		End   holdEndCommand   `cmd:""`
	} `cmd:""`
	Log   logCommand `cmd:""`
	Audit struct {
		List   auditListCommand   `cmd:""`
		Verify auditVerifyCommand `cmd:""`
	} `cmd:""`
	Key struct {
		Rotate keyRotateCommand `cmd:""`
		Drop   keyDropCommand   `cmd:""`
	} `cmd:""`
	Bench   benchCommands  `cmd:""`
	Version versionCommand `cmd:""`
}

// world is what surrounds the process.
type world struct {
	args     []string // without the program's name
	env      []string // as os.Environ
	in       io.Reader
	out      io.Writer // data, and nothing else
	err      io.Writer // the log, what went wrong, progress
	terminal bool      // a person watches err
}

func main() {
	ctx := untilSignal()
	os.Exit(run(ctx, world{
		args: os.Args[1:], env: os.Environ(), in: os.Stdin, out: os.Stdout, err: os.Stderr,
		terminal: isTerminal(os.Stderr),
	}))
}

// untilSignal returns a context that ends with the first SIGINT or SIGTERM. The
// second one finds nobody who listens and ends the process at once.
func untilSignal() context.Context {
	signalled, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// One of our own, whose cause is context.Canceled: a wish to stop is no fault.
	ctx, cancel := context.WithCancel(context.Background())
	context.AfterFunc(signalled, func() {
		stop()
		cancel()
	})
	return ctx
}

func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// run runs one command line and returns the exit code.
func run(ctx context.Context, w world) int {
	catalog, err := i18n.New()
	if err != nil {
		io.WriteString(w.err, err.Error()+"\n")
		return exitFault
	}
	d := &desk{world: w, words: catalog.For(language(w.args, w.env))}
	err = d.obey(ctx)
	d.report(err)
	return exitCode(err)
}

// obey reads the command line and runs the command.
func (d *desk) obey(ctx context.Context) error {
	flags, rest, err := config.TakeFlags(d.args)
	if err != nil {
		return err
	}
	rest = giveBackZone(flags, rest)
	helped := false
	parser, err := d.parser(func(int) { helped = true })
	if err != nil {
		return err
	}
	command, err := parser.Parse(rest)
	if helped {
		return nil
	}
	if err != nil {
		return usageError{err}
	}
	if command.Command() != "version" {
		if d.config, err = config.Load(d.env, flags); err != nil {
			return err
		}
		d.log = newLog(d.config, d.err)
		d.words = d.words.In(d.config.Zone)
	}
	if command.Command() != "serve" { // there, people do what they do themselves
		ctx = app.AsOperator(ctx)
	}
	command.BindTo(ctx, (*context.Context)(nil))
	return command.Run(d)
}

func (d *desk) parser(exit func(int)) (*kong.Kong, error) {
	parser, err := kong.New(&commands{}, kong.Name("vestnik"), kong.Writers(d.out, d.err), kong.Exit(exit),
		kong.Vars{"nothing": ""}, kong.ConfigureHelp(kong.HelpOptions{Compact: true, FlagsLast: true}))
	if err != nil {
		return nil, err
	}
	parser.Model.Help = d.words.T("cli.help.vestnik")
	translate(parser.Model.Node, "", d.words)
	return parser, nil
}
