package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/store"
)

// Chosen are the rows of a list that something is to be done to: those with the ids, or,
// with Found, everything that the list finds and that was there at that moment: what came
// later nobody has seen.
type Chosen struct {
	IDs    []int64
	Found  time.Time
	Search string
}

// BulkReport says what came of something that was to be done to many.
type BulkReport struct {
	Done    int64
	Refused []BulkRefusal // by reason, in the order in which they came up
	Unasked bool          // time was over before all had their turn
}

// BulkRefusal is why some of the chosen stayed as they were.
type BulkRefusal struct {
	Err   error // what people cause
	Count int64
	Names []string // of the first
}

const (
	// bulkTime is for how long one request works on what was chosen: a person waits for
	// no longer, and may go on where it ended. Chosen.
	bulkTime = 15 * time.Second
	// bulkBatch is how many are looked up at once; chosen.
	bulkBatch = 500
	// bulkNames is how many of the refused are named for each reason; chosen.
	bulkNames = 3
)

// MailingEvents are what can be done to many mailings at once.
func MailingEvents() []string { return []string{"pause", "resume", "disable", "delete"} }

// ChangeMailings does one of MailingEvents to the mailings that were chosen, each as it
// would be done by itself: with a deed of its own, and refused where it is not allowed. Why
// is for those of others that are disabled.
func (a *App) ChangeMailings(ctx context.Context, actor mailing.Account, f MailingFilter, which Chosen, do, why string) (BulkReport, error) {
	change := map[string]func(int64) error{
		"pause":   func(id int64) error { return a.PauseMailing(ctx, actor, id) },
		"resume":  func(id int64) error { return a.ResumeMailing(ctx, actor, id) },
		"disable": func(id int64) error { return a.DisableMailing(ctx, actor, id, why) },
		"delete":  func(id int64) error { return a.DeleteMailing(ctx, actor, id) },
	}[do]
	if change == nil {
		return BulkReport{}, mailing.Fault(mailing.Invalid, "choice_unknown")
	}
	owner, err := scope(actor, f.Everyone, mailing.ViewAnyMailing)
	if err != nil {
		return BulkReport{}, err
	}
	if f.Everyone {
		owner = f.Owner
	}
	if do == "disable" && f.Everyone && mailing.CleanLine(why) == "" {
		return BulkReport{}, mailing.Fault(mailing.Invalid, "bulk_why")
	}
	found := store.MailingFilter{Owner: owner, Status: f.Status, Active: f.Active}
	return a.bulk(which, bulkWork{
		next: func(after int64) ([]int64, error) {
			return a.store.MailingIDs(ctx, found, which.Search, which.Found, after, bulkBatch)
		},
		change: change,
		name:   func(id int64) string { return a.mailingName(ctx, actor, id) },
	})
}

// mailingName is what a mailing is called; empty for one that the actor may not see.
func (a *App) mailingName(ctx context.Context, actor mailing.Account, id int64) string {
	m, err := a.store.Mailing(ctx, id)
	if err != nil || mayView(actor, m.OwnerID, mailing.ViewAnyMailing) != nil {
		return ""
	}
	return a.messageName(ctx, actor, m.MessageID)
}

// DeleteMessages removes the messages that were chosen and that no mailing uses.
func (a *App) DeleteMessages(ctx context.Context, actor mailing.Account, everyone bool, which Chosen) (BulkReport, error) {
	owner, err := scope(actor, everyone, mailing.ChangeAnything)
	if err != nil {
		return BulkReport{}, err
	}
	return a.bulk(which, bulkWork{
		next: func(after int64) ([]int64, error) {
			return a.store.MessageIDs(ctx, owner, which.Search, which.Found, after, bulkBatch)
		},
		change: func(id int64) error { return a.DeleteMessage(ctx, actor, id) },
		name:   func(id int64) string { return a.messageName(ctx, actor, id) },
	})
}

func (a *App) messageName(ctx context.Context, actor mailing.Account, id int64) string {
	m, err := a.Message(ctx, actor, id)
	if err != nil {
		return ""
	}
	return m.Subject
}

// bulkWork is what is done one by one.
type bulkWork struct {
	next   func(after int64) ([]int64, error) // ids of what is found, in order
	change func(id int64) error
	name   func(id int64) string
}

func (a *App) bulk(which Chosen, w bulkWork) (report BulkReport, err error) {
	until := a.Now().Add(bulkTime)
	ids, all := which.IDs, !which.Found.IsZero()
	for after := int64(0); ; {
		if all {
			if ids, err = w.next(after); err != nil {
				return report, err
			}
		}
		for _, id := range ids {
			if a.Now().After(until) {
				report.Unasked = true
				return report, nil
			}
			if err := report.note(w.change(id), func() string { return w.name(id) }); err != nil {
				return report, err
			}
			after = id
		}
		if !all || len(ids) < bulkBatch {
			return report, nil
		}
	}
}

// note counts what was done, or why it was not; what is nobody's fault is returned.
func (r *BulkReport) note(err error, name func() string) error {
	if err == nil {
		r.Done++
		return nil
	}
	reason := reasonOf(err)
	if reason == "" {
		return err
	}
	i := slices.IndexFunc(r.Refused, func(b BulkRefusal) bool { return reasonOf(b.Err) == reason })
	if i < 0 {
		i = len(r.Refused)
		r.Refused = append(r.Refused, BulkRefusal{Err: err})
	}
	refused := &r.Refused[i]
	refused.Count++
	if len(refused.Names) < bulkNames {
		if called := name(); called != "" {
			refused.Names = append(refused.Names, called)
		}
	}
	return nil
}

// reasonOf tells what people cause apart: the sentence that is made of it. It is empty for
// what is our fault.
func reasonOf(err error) string {
	var one *mailing.Error
	if !errors.As(err, &one) {
		return ""
	}
	return fmt.Sprint(one.Code, one.Params)
}

// DeleteFoundContacts removes those of the actor's contacts that are found and returns how
// many were, and whether some are left because time was over.
func (a *App) DeleteFoundContacts(ctx context.Context, actor mailing.Account, f ContactFilter, which Chosen) (deleted int64, more bool, err error) {
	until := a.Now().Add(bulkTime)
	found := store.ContactFilter{Owner: actor.ID, Reason: f.Reason, Mailable: f.Mailable}
	for after := int64(0); ; {
		ids, err := a.store.ContactIDs(ctx, found, which.Search, which.Found, after, bulkBatch)
		if err != nil || len(ids) == 0 {
			return deleted, false, err
		}
		if a.Now().After(until) {
			return deleted, true, nil
		}
		n, err := a.DeleteContacts(ctx, actor, ids)
		if err != nil {
			return deleted, false, err
		}
		deleted, after = deleted+n, ids[len(ids)-1]
	}
}
