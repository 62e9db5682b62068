package app

import (
	"context"
	"io"
	"slices"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/store"
)

// deliveries lists a run's deliveries of the states, and how many there are. What is
// neither searched nor sorted is found without going through all, and was counted already.
func (a *App) deliveries(ctx context.Context, run mailing.Run, states []mailing.DeliveryState, page Page) ([]mailing.Delivery, int64, error) {
	if run.Counts.Audience > sortedMost {
		page.Sort = ""
	}
	total, counted := countOf(run.Counts, states)
	switch {
	case page.Search != "" || page.Sort != "" || !counted:
		return a.store.Deliveries(ctx, store.DeliveryFilter{RunID: run.ID, States: states}, page)
	case len(states) > 1:
		list, err := a.store.WaitingDeliveries(ctx, run.ID, page)
		return list, total, err
	}
	list, err := a.store.RunDeliveries(ctx, run.ID, states, page)
	if err == nil && len(states) == 1 && states[0] == mailing.Deferred {
		total, err = a.store.CountDeferred(ctx, run.ID)
	}
	return list, total, err
}

// sortedMost is how many recipients of a run are sorted while somebody waits. Chosen: a
// tenth of a second.
const sortedMost = 50_000

// countOf is how many deliveries of the states a run counts, but of those deferred; false:
// nobody lists these states.
func countOf(c mailing.Counts, states []mailing.DeliveryState) (int64, bool) {
	switch {
	case states == nil:
		return c.Audience, true
	case slices.Equal(states, []mailing.DeliveryState{mailing.Waiting, mailing.Deferred, mailing.Sending}):
		return c.Waiting(), true
	case len(states) == 1:
		count, counted := map[mailing.DeliveryState]int64{
			mailing.Sent: c.Sent, mailing.Failed: c.Failed, mailing.Skipped: c.Skipped, mailing.InDoubt: c.InDoubt, mailing.Deferred: 0,
		}[states[0]]
		return count, counted
	}
	return 0, false
}

// Recipient is a delivery with the last attempt at it, which is zero when there was none.
type Recipient struct {
	mailing.Delivery
	Last mailing.Attempt
}

// RecipientMark is where in a list of recipients somebody is. The zero mark is the
// beginning.
type RecipientMark struct {
	State mailing.DeliveryState
	After int64
}

// recipientsLooked is through how many deliveries one page of those with one cause is
// looked for, so many at a time. Chosen: a tenth of a second.
const (
	recipientsLooked = 2_000
	recipientsChunk  = 250
)

var unsentStates = []mailing.DeliveryState{mailing.Failed, mailing.InDoubt, mailing.Deferred}

// RecipientsOf lists the next recipients of a run whom the cause keeps from getting the
// mail, up to so many, with the mark to go on from; more is false at the end. There may be
// fewer than asked for, and more behind them, where they are few among many.
func (a *App) RecipientsOf(
	ctx context.Context, actor mailing.Account, runID int64, cause mailing.Cause, from RecipientMark, most int,
) (list []Recipient, next RecipientMark, more bool, err error) {
	run, err := a.visibleRun(ctx, actor, runID)
	if err != nil {
		return nil, next, false, err
	}
	next, looked := from, 0
	for at := max(slices.Index(unsentStates, from.State), 0); at < len(unsentStates); {
		if next.State != unsentStates[at] {
			next = RecipientMark{State: unsentStates[at]}
		}
		part, last, err := a.apart(ctx, runID, next.State, next.After, recipientsChunk)
		if err != nil {
			return nil, next, false, err
		}
		for _, d := range part {
			if len(list) == most {
				return a.maskRecipients(actor, run, list), next, true, nil
			}
			next.After = d.ID
			if CauseOf(d, last[d.ID]) == cause {
				list = append(list, Recipient{d, last[d.ID]})
			}
		}
		if looked += len(part); len(part) < recipientsChunk {
			at++
		}
		if looked >= recipientsLooked && at < len(unsentStates) {
			return a.maskRecipients(actor, run, list), next, true, nil
		}
	}
	return a.maskRecipients(actor, run, list), next, false, nil
}

func (a *App) maskRecipients(actor mailing.Account, run mailing.Run, list []Recipient) []Recipient {
	if !a.masks(actor, run.OwnerID) {
		return list
	}
	for i := range list {
		r := &list[i]
		r.Last.Reply.Text = mailing.MaskText(r.Last.Reply.Text, r.Email)
		r.Email, r.Last.Email = mailing.MaskEmail(r.Email), mailing.MaskEmail(r.Email)
	}
	return list
}

// LastAttempts returns the last attempts at deliveries of a run that the actor may see,
// by their ids.
func (a *App) LastAttempts(ctx context.Context, actor mailing.Account, list []mailing.Delivery) (map[int64]mailing.Attempt, error) {
	last, err := a.lastAttempts(ctx, list)
	for id, attempt := range last {
		if err := mayView(actor, attempt.OwnerID, mailing.ViewAnyMailing); err != nil {
			return nil, err
		}
		one := []mailing.Attempt{attempt}
		a.maskAttempts(actor, one)
		last[id] = one[0]
	}
	return last, err
}

// MayExportRun reports whether the actor may have a run's recipients as a file.
func MayExportRun(actor mailing.Account, run mailing.Run) bool {
	return MayExportLog(actor, run.OwnerID != actor.ID)
}

// RecipientWords are the words of a run's exported recipients, in the language of who
// reads them.
type RecipientWords struct {
	Columns []string // names of: recipient, outcome, reason, tries, code, enhanced code, answer, what it means, server, time
	Time    func(time.Time) string
	State   func(mailing.DeliveryState) string
	Reason  func(mailing.Reason) string
	Cause   func(mailing.Cause) string
}

// ExportRecipients writes a run's recipients of the states (nil: all) as a sheet, with
// what became of each. An error of w is returned as it is.
func (a *App) ExportRecipients(
	ctx context.Context, actor mailing.Account, runID int64, states []mailing.DeliveryState, w io.Writer, words RecipientWords,
) error {
	run, err := a.visibleRun(ctx, actor, runID)
	if err != nil {
		return err
	}
	if !MayExportRun(actor, run) {
		return mailing.Fault(mailing.Forbidden, "forbidden")
	}
	deed, err := a.doingRun(ctx, actor, run, mailing.Deed{Action: "run.export"})
	if err != nil {
		return err
	}
	if err := a.store.Note(deed); err != nil {
		return err
	}
	out := newSheet(w, actor.Lang)
	for contact, begun := int64(store.NoContact), false; ; {
		list, err := a.store.DeliveriesAfter(ctx, runID, contact, exportBatch)
		if err != nil {
			return err
		}
		if !begun { // nothing is written before it is sure that there is something to read
			out.line(words.Columns...)
			begun = true
		}
		if err := a.exportRecipients(ctx, list, states, out, words); err != nil {
			return err
		}
		switch {
		case contact == store.NoContact:
			contact = 0
		case len(list) < exportBatch:
			return nil
		default:
			contact = list[len(list)-1].ContactID
		}
	}
}

func (a *App) exportRecipients(
	ctx context.Context, list []mailing.Delivery, states []mailing.DeliveryState, out *sheet, words RecipientWords,
) error {
	if states != nil {
		list = slices.DeleteFunc(list, func(d mailing.Delivery) bool { return !slices.Contains(states, d.State) })
	}
	last, err := a.lastAttempts(ctx, list)
	if err != nil {
		return err
	}
	for _, d := range list {
		attempt := last[d.ID]
		at := d.SettledAt
		if at.IsZero() {
			at = attempt.At
		}
		out.line(
			mailing.DisplayEmail(d.Email), words.State(d.State), words.Reason(d.Reason), number(d.Tries), replyCode(attempt.Reply),
			attempt.Reply.Enhanced, attempt.Reply.Text, words.Cause(CauseOf(d, attempt)), attempt.Host, words.Time(at),
		)
	}
	return out.flush()
}
