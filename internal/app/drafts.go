package app

import (
	"cmp"
	"context"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/store"
)

// MaxDraft is how many bytes of a draft are kept: room for as many chosen contacts as a
// form may name. Chosen.
const MaxDraft = 2 << 20

// NewMailingID is the id of a mailing that somebody begins to make. Its draft has it from
// the first letter on, so that neither the draft nor the mailing is made twice.
func (a *App) NewMailingID() int64 { return store.NewID() }

// SaveDraft keeps what the actor typed of a mailing that is there, or, if isNew, of one to
// be made. It counts for nothing until it is applied, and so is no deed. seen is when
// that changed last which the page shows: the draft, else the mailing, else zero. It is a
// conflict, "changed_meanwhile", when another page has changed it since, and,
// "draft_applied", when the new mailing has been made.
func (a *App) SaveDraft(ctx context.Context, actor mailing.Account, d mailing.Draft, isNew bool, seen time.Time) (mailing.Draft, error) {
	if len(d.Form) > MaxDraft {
		return d, mailing.Fault(mailing.Invalid, "draft_too_large")
	}
	if isNew {
		if err := a.mayBegin(ctx, actor, d.MailingID); err != nil {
			return d, err
		}
		d.OwnerID = actor.ID
	} else {
		m, err := a.changeableMailing(ctx, actor, d.MailingID)
		if err != nil {
			return d, err
		}
		d.OwnerID = m.OwnerID
	}
	d.UpdatedAt = a.Now()
	return d, a.store.SaveDraft(ctx, d, seen)
}

// maxNewDrafts is how many mailings somebody may have begun and not made. Chosen: far more
// than anybody does, and a bound to what is kept without a deed.
const maxNewDrafts = 100

// mayBegin is mayMake for a draft.
func (a *App) mayBegin(ctx context.Context, actor mailing.Account, id int64) error {
	if err := a.mayMake(ctx, actor, id); err != nil {
		return err
	}
	n, err := a.store.CountNewDrafts(ctx, actor.ID, id)
	if err == nil && n >= maxNewDrafts {
		return mailing.Fault(mailing.Conflict, "drafts_too_many", "max", maxNewDrafts)
	}
	return err
}

// mayMake refuses a mailing that has been made already, one whose draft is another's, and
// one that was deleted, whose id is known to whoever got a mail of it, as if it were not
// there.
func (a *App) mayMake(ctx context.Context, actor mailing.Account, id int64) error {
	if id == 0 {
		return nil
	}
	m, err := a.store.Mailing(ctx, id)
	if err == nil && m.OwnerID == actor.ID {
		return mailing.Fault(mailing.Conflict, "draft_applied")
	}
	if err == nil {
		return mailing.Fault(mailing.NotFound, "not_found")
	}
	if mailing.KindOf(err) != mailing.NotFound {
		return err
	}
	if was, err := a.store.WasMailing(ctx, id); err != nil || was {
		return cmp.Or(err, error(mailing.Fault(mailing.NotFound, "not_found")))
	}
	d, err := a.draft(ctx, id)
	if err == nil && d.OwnerID != 0 && d.OwnerID != actor.ID {
		return mailing.Fault(mailing.NotFound, "not_found")
	}
	return err
}

// draft is what was typed of a mailing; zero when nothing was.
func (a *App) draft(ctx context.Context, id int64) (mailing.Draft, error) {
	d, err := a.store.Draft(ctx, id)
	if mailing.KindOf(err) == mailing.NotFound {
		return mailing.Draft{}, nil
	}
	return d, err
}

// MailingDraft returns a mailing that the actor may change, with what was typed of it and
// is not applied, if anything is. Of one that is still to be made the mailing is zero;
// only its author may see that.
func (a *App) MailingDraft(ctx context.Context, actor mailing.Account, id int64) (m mailing.Mailing, d mailing.Draft, err error) {
	m, err = a.changeableMailing(ctx, actor, id)
	if err != nil && mailing.KindOf(err) != mailing.NotFound {
		return m, d, err
	}
	d, other := a.draft(ctx, id)
	if other != nil {
		return m, mailing.Draft{}, other
	}
	if err != nil && (d.OwnerID == 0 || d.OwnerID != actor.ID) {
		return m, mailing.Draft{}, err
	}
	if err == nil && d.OwnerID != m.OwnerID {
		d = mailing.Draft{}
	}
	return m, d, nil
}

// Drafts lists what the actor has typed and not applied, the latest first.
func (a *App) Drafts(ctx context.Context, actor mailing.Account, most int64) ([]mailing.Draft, error) {
	return a.store.Drafts(ctx, actor.ID, most)
}

// DiscardDraft forgets what was typed of a mailing. The mailing itself, if there is one,
// stays as it is.
func (a *App) DiscardDraft(ctx context.Context, actor mailing.Account, id int64) error {
	if _, _, err := a.MailingDraft(ctx, actor, id); err != nil {
		return err
	}
	return a.store.DiscardDraft(ctx, id)
}

// ruleNow is that of a mailing that is sent by hand as soon as it is made, and not by
// its schedule: once, this minute.
func (a *App) ruleNow(owner mailing.Account, typed mailing.Rule) mailing.Rule {
	zone, err := mailing.LoadZone(typed.Zone)
	if err != nil {
		if zone, err = mailing.LoadZone(owner.Zone); err != nil {
			zone = time.UTC
		}
	}
	now := a.Now().In(zone)
	return mailing.Rule{
		Frequency: mailing.Once, Start: mailing.DateOf(now), Zone: zone.String(),
		At: mailing.Clock{Hour: now.Hour(), Minute: now.Minute()},
	}
}
