package app

import (
	"context"
	"io"
	"strconv"

	"vestnik/internal/mailing"
	"vestnik/internal/store"
)

// latestImports is how many imports a person sees; chosen, nobody looks further back.
const latestImports = 50

// Import returns the report of one of the actor's own imports. It holds other
// people's addresses, so nobody else may see it.
func (a *App) Import(ctx context.Context, actor mailing.Account, id int64) (store.Import, error) {
	report, err := a.store.Import(ctx, id)
	if err != nil {
		return store.Import{}, err
	}
	if actor.ID == 0 || report.OwnerID != actor.ID {
		return store.Import{}, mailing.Fault(mailing.NotFound, "not_found")
	}
	return report, nil
}

// Imports lists the actor's latest imports, newest first.
func (a *App) Imports(ctx context.Context, actor mailing.Account) ([]store.Import, error) {
	return a.store.Imports(ctx, actor.ID, latestImports)
}

// ImportRefusals lists the refused lines of one of the actor's imports that come
// after the given line of the file, at most most, in order.
func (a *App) ImportRefusals(ctx context.Context, actor mailing.Account, id, afterLine, most int64) ([]store.Refusal, error) {
	if _, err := a.Import(ctx, actor, id); err != nil {
		return nil, err
	}
	return a.store.ImportRefusals(ctx, id, afterLine, most)
}

// RefusalWords are the words of an exported list of refused lines, in the
// language of who reads it.
type RefusalWords struct {
	Line, Value, Reason string // the names of the columns
	// Sentence says why a line was refused.
	Sentence func(code string, params map[string]any) string
}

// ExportRefusals writes all refused lines of one of the actor's imports that are
// stored, as a sheet. An error of w is returned as it is.
func (a *App) ExportRefusals(ctx context.Context, actor mailing.Account, id int64, w io.Writer, words RefusalWords) error {
	if _, err := a.Import(ctx, actor, id); err != nil {
		return err
	}
	out := newSheet(w, actor.Lang)
	out.line(words.Line, words.Value, words.Reason)
	for after := int64(0); ; {
		refusals, err := a.store.ImportRefusals(ctx, id, after, importBatch)
		if err != nil {
			return err
		}
		for _, r := range refusals {
			out.line(strconv.FormatInt(r.Line, 10), r.Value, words.Sentence(r.Code, r.Params))
			after = r.Line
		}
		if err := out.flush(); err != nil || len(refusals) < importBatch {
			return err
		}
	}
}
