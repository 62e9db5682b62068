package app

import (
	"context"
	"io"
	"strconv"
	"time"

	"vestnik/internal/mailing"
)

// MaxLogExport is how many lines of the log one export holds, the newest. Chosen:
// a spreadsheet opens no more than a million, and slowly.
const MaxLogExport = 100_000

// exportBatch is how many lines an export reads at once.
const exportBatch = 1000

// RunSubjects returns the subjects that the runs with the ids were sent with, by
// run. Runs that the actor may not see are left out.
func (a *App) RunSubjects(ctx context.Context, actor mailing.Account, ids []int64) (map[int64]string, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	owner := actor.ID
	if actor.Role.May(mailing.ViewAnyMailing) {
		owner = 0
	}
	return a.store.RunSubjects(ctx, owner, ids)
}

// LogWords are the words of an exported log, in the language of who reads it.
type LogWords struct {
	Columns []string // names of: time, subject, recipient, result, code, enhanced code, answer, server, TLS, milliseconds
	Time    func(time.Time) string
	Result  func(mailing.AttemptResult) string
}

// MayExportLog reports whether the actor may have the log as a file: everybody's recipients
// leave the house with those only who could change them.
func MayExportLog(actor mailing.Account, everyone bool) bool {
	return !everyone || actor.Role.May(mailing.ChangeAnything)
}

// ExportLog writes the attempts that the filter leaves, newest first and at most
// MaxLogExport of them, as a sheet, for who may export them. Before and Limit of
// the filter are not used. An error of w is returned as it is.
func (a *App) ExportLog(ctx context.Context, actor mailing.Account, f LogFilter, w io.Writer, words LogWords) error {
	if !MayExportLog(actor, f.Everyone) {
		return mailing.Fault(mailing.Forbidden, "forbidden")
	}
	f.Before, f.Limit = 0, exportBatch
	attempts, err := a.Log(ctx, actor, f) // before the first byte, so that an error can still be told
	if err != nil {
		return err
	}
	owner := actor.ID
	if f.Everyone {
		owner = 0
	}
	if err := a.note(ctx, actor, "log.export", service, owner); err != nil {
		return err
	}
	out := newSheet(w, actor.Lang)
	out.line(words.Columns...)
	for written := 0; ; {
		if err := a.exportAttempts(ctx, actor, attempts, out, words); err != nil {
			return err
		}
		written += len(attempts)
		if len(attempts) < exportBatch || written >= MaxLogExport {
			return nil
		}
		f.Before = attempts[len(attempts)-1].ID
		if attempts, err = a.Log(ctx, actor, f); err != nil {
			return err
		}
	}
}

func (a *App) exportAttempts(ctx context.Context, actor mailing.Account, attempts []mailing.Attempt, out *sheet, words LogWords) error {
	ids := make([]int64, len(attempts))
	for i, attempt := range attempts {
		ids[i] = attempt.RunID
	}
	subjects, err := a.RunSubjects(ctx, actor, ids)
	if err != nil {
		return err
	}
	for _, attempt := range attempts {
		out.line(
			words.Time(attempt.At), subjects[attempt.RunID], mailing.DisplayEmail(attempt.Email),
			words.Result(attempt.Result), replyCode(attempt.Reply), attempt.Reply.Enhanced, attempt.Reply.Text,
			attempt.Host, attempt.TLS, strconv.FormatInt(attempt.Duration.Milliseconds(), 10),
		)
	}
	return out.flush()
}

func replyCode(r mailing.Reply) string {
	if r.Code == 0 {
		return ""
	}
	return strconv.Itoa(r.Code)
}
