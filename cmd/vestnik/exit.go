package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"vestnik/internal/config"
	"vestnik/internal/mailing"
)

// The exit codes. They are kept for good, since scripts depend on them;
// docs/cli.md tells what each is for.
const (
	exitFault       = 1   // something broke
	exitUsage       = 2   // the command line or a setting cannot be used
	exitNotFound    = 3   // there is no such thing
	exitInvalid     = 4   // what was given cannot be used
	exitConflict    = 5   // it clashes with what is there, or may not be done now
	exitIncomplete  = 6   // done, but not for all: deliveries failed, lines were refused
	exitUnfinished  = 7   // the wait for a sending ended before the sending
	exitTampered    = 8   // the audit log is not as it was written
	exitInterrupted = 130 // by a signal: 128 and the number of SIGINT, as shells have it
)

// status ends the process with a code when all has been said.
type status int

func (s status) Error() string { return fmt.Sprintf("exit code %d", int(s)) }

// usageError is a command line that cannot be understood.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// exitCode is the code of what a command returned.
func exitCode(err error) int {
	var code status
	var usage usageError
	var settings config.Problems
	switch {
	case err == nil:
		return 0
	case errors.As(err, &code):
		return int(code)
	case errors.As(err, &usage), errors.As(err, &settings):
		return exitUsage
	}
	switch mailing.KindOf(err) {
	case mailing.NotFound:
		return exitNotFound
	case mailing.Invalid:
		return exitInvalid
	case mailing.Conflict, mailing.Forbidden, mailing.Limited:
		return exitConflict
	}
	if errors.Is(err, context.Canceled) {
		return exitInterrupted
	}
	return exitFault
}

// report tells what went wrong. The operator may know all of it, unlike a
// visitor of the pages.
func (d *desk) report(err error) {
	var code status
	var usage usageError
	var settings config.Problems
	var problems mailing.Problems
	switch {
	case err == nil, errors.As(err, &code):
	case errors.As(err, &usage):
		fmt.Fprintf(d.err, "vestnik: %s\n%s\n", err, d.words.T("cli.see_help"))
	case errors.As(err, &settings):
		fmt.Fprintf(d.err, "%s\n%s\n", d.words.T("cli.settings_wrong"), settings)
	case errors.As(err, &problems):
		for _, problem := range problems {
			fmt.Fprintln(d.err, flagOf(problem.Field)+d.words.Error(problem))
		}
	case mailing.KindOf(err) != 0:
		fmt.Fprintln(d.err, d.words.Error(err))
	case errors.Is(err, context.Canceled):
		d.note("cli.interrupted")
	default:
		d.note("cli.failed", "error", err.Error())
	}
}

// flagOf names the flag that a problem's field was filled from, as the beginning
// of a sentence. A domain is no flag.
func flagOf(field string) string {
	if field == "" || field == "domain" {
		return ""
	}
	names := map[string]string{
		"weekdays": "on", "interval": "every", "frequency": "repeat", "monthly_by": "day", "body": "file",
		"connections": "max-connections",
	}
	name, renamed := names[field]
	if !renamed {
		name = strings.ReplaceAll(field, "_", "-")
	}
	return "--" + name + ": "
}
