package app

import (
	"cmp"
	"context"
	"reflect"
	"slices"
	"time"
	"unicode/utf8"

	"vestnik/internal/mailing"
	"vestnik/internal/store"
)

// MailingForm is what a person decides about a mailing.
type MailingForm struct {
	ID         int64 // of the draft that a new mailing is made of; 0: there is none
	MessageID  int64
	Audience   mailing.Audience
	ContactIDs []int64 // when Audience is chosen; nil leaves them as they are
	Now        bool    // a new mailing is to be sent by hand at once; the Rule then only gives the zone
	Rule       mailing.Rule
	Doubt      mailing.Doubt
	Weight     mailing.Weight // empty: normal
	FromName   string
	ReplyTo    string
}

// StartGrace is how late a single sending may be set up: who fills in a form for
// 10:00 and is done at 10:05 means now. Chosen.
const StartGrace = 10 * time.Minute

// check completes a form and returns the next occurrence; zero when none is left. was is
// the mailing that it changes; zero for a new one.
func (a *App) check(ctx context.Context, owner mailing.Account, f *MailingForm, was mailing.Mailing) (next time.Time, err error) {
	var problems mailing.Problems
	if f.Now = f.Now && was.ID == 0; f.Now {
		f.Rule = a.ruleNow(owner, f.Rule)
	}
	f.Rule = f.Rule.Tidy()
	if err := problems.AddError("", f.Rule.Check()); err != nil {
		return next, err
	}
	if len(problems) == 0 && !f.Now {
		next = a.nextOccurrence(&problems, f.Rule, was)
	}
	if err := a.checkMessage(ctx, owner, &problems, f.MessageID); err != nil {
		return next, err
	}
	switch {
	case f.Audience != mailing.AudienceAll && f.Audience != mailing.AudienceChosen:
		problems.Add("audience", "choice_unknown")
	case f.Audience == mailing.AudienceChosen && len(f.ContactIDs) == 0 && !(f.ContactIDs == nil && was.Audience == mailing.AudienceChosen):
		problems.Add("contacts", "contacts_none_chosen")
	}
	if f.Doubt != mailing.NeverTwice && f.Doubt != mailing.NeverMissed {
		problems.Add("doubt", "choice_unknown")
	}
	f.Weight = cmp.Or(f.Weight, mailing.WeightNormal)
	if !f.Weight.Valid() {
		problems.Add("weight", "choice_unknown")
	}
	return next, checkSender(&problems, f)
}

func checkSender(problems *mailing.Problems, f *MailingForm) error {
	f.FromName = mailing.CleanLine(f.FromName)
	if utf8.RuneCountInString(f.FromName) > mailing.MaxNameRunes {
		problems.Add("from_name", "text_too_long", "max", mailing.MaxNameRunes)
	}
	if f.ReplyTo != "" {
		email, err := mailing.NormalizeEmail(f.ReplyTo)
		if err := problems.AddError("reply_to", err); err != nil {
			return err
		}
		f.ReplyTo = email
	}
	return problems.Err()
}

// checkMessage refuses a message that is not the owner's, as one that is not there.
func (a *App) checkMessage(ctx context.Context, owner mailing.Account, problems *mailing.Problems, id int64) error {
	if id == 0 {
		problems.Add("message", "message_none_chosen")
		return nil
	}
	m, err := a.store.Message(ctx, id)
	if mailing.KindOf(err) == mailing.NotFound || err == nil && m.OwnerID != owner.ID {
		problems.Add("message", "message_none_chosen")
		return nil
	}
	return err
}

// nextOccurrence is when a mailing goes out next. One that is due and not opened yet
// stays due as long as its rule does: a changed text must not cost a day.
func (a *App) nextOccurrence(problems *mailing.Problems, rule mailing.Rule, was mailing.Mailing) time.Time {
	isAsBefore := reflect.DeepEqual(rule, was.Rule.Tidy())
	if !was.NextAt.IsZero() && isAsBefore {
		return was.NextAt
	}
	since := a.Now()
	// One that had its turn, or was sent by hand, does not go out again by a change.
	if rule.Frequency == mailing.Once && !isAsBefore {
		since = since.Add(-StartGrace)
	}
	next, ok := rule.Next(since)
	if !ok {
		problems.Add("start", "schedule_past")
	}
	return next
}

// CreateMailing adds a mailing to the actor's.
func (a *App) CreateMailing(ctx context.Context, actor mailing.Account, f MailingForm) (mailing.Mailing, error) {
	if err := a.mayMake(ctx, actor, f.ID); err != nil {
		return mailing.Mailing{}, err
	}
	next, err := a.check(ctx, actor, &f, mailing.Mailing{})
	if err != nil {
		return mailing.Mailing{}, err
	}
	m := mailing.Mailing{ID: f.ID, OwnerID: actor.ID, Status: mailing.StatusCreated, NextAt: next, CreatedAt: a.Now()}
	f.apply(&m, a.Now())
	defer a.numbersChanged(ctx, m.OwnerID)
	facts, err := a.mailingFacts(ctx, m)
	if err != nil {
		return m, err
	}
	ctx = a.doing(ctx, actor, mailing.Deed{
		Action: "mailing.create", Thing: mailingThing(m, facts), Owner: actor.ID, After: known(facts),
	})
	m.ID, err = a.store.CreateMailing(ctx, m, f.ContactIDs)
	return m, err
}

func (f MailingForm) apply(m *mailing.Mailing, now time.Time) {
	m.MessageID, m.Audience, m.Rule, m.Doubt, m.Weight = f.MessageID, f.Audience, f.Rule, f.Doubt, f.Weight
	m.FromName, m.ReplyTo, m.UpdatedAt = f.FromName, f.ReplyTo, now
}

// UpdateMailing changes a mailing. A run that is open goes on as it was opened;
// what is changed counts from the next one on.
func (a *App) UpdateMailing(ctx context.Context, actor mailing.Account, id int64, f MailingForm) (mailing.Mailing, error) {
	m, err := a.changeableMailing(ctx, actor, id)
	if err != nil {
		return m, err
	}
	owner, err := a.store.Account(ctx, m.OwnerID)
	if err != nil {
		return m, err
	}
	next, err := a.check(ctx, owner, &f, m)
	if err != nil {
		return m, err
	}
	was := m
	m.NextAt = next
	if m.Status, err = m.After(mailing.EventEdit); err != nil {
		return m, err
	}
	f.apply(&m, a.Now())
	defer a.numbersChanged(ctx, m.OwnerID)
	if ctx, err = a.editing(ctx, actor, was, m); err != nil {
		return m, err
	}
	if err := a.store.UpdateMailing(ctx, m, was, f.ContactIDs); err != nil {
		return m, err
	}
	return m, a.noExample(ctx, id)
}

// editing has the change of a mailing go into the audit log.
func (a *App) editing(ctx context.Context, actor mailing.Account, was, m mailing.Mailing) (context.Context, error) {
	old, err := a.mailingFacts(ctx, was)
	if err != nil {
		return ctx, err
	}
	facts, err := a.mailingFacts(ctx, m)
	if err != nil {
		return ctx, err
	}
	before, after := changes(old, facts)
	return a.doing(ctx, actor, mailing.Deed{
		Action: "mailing.update", Thing: mailingThing(m, old), Owner: m.OwnerID, Before: before, After: after,
	}), nil
}

// Mailings lists mailings, sorted by created, next, last, status or subject.
func (a *App) Mailings(ctx context.Context, actor mailing.Account, f MailingFilter, page Page) ([]store.MailingRow, int64, error) {
	owner, err := scope(actor, f.Everyone, mailing.ViewAnyMailing)
	if err != nil {
		return nil, 0, err
	}
	if f.Everyone {
		owner = f.Owner
	}
	found := store.MailingFilter{Owner: owner, Status: f.Status, Active: f.Active, Coming: f.Coming}
	isWhole := found == store.MailingFilter{Owner: owner} && page.Search == ""
	return counted(page, isWhole, func(page Page) ([]store.MailingRow, int64, error) { return a.store.Mailings(ctx, found, page) },
		func() (int64, error) {
			n, err := a.numbers(ctx, owner)
			return n.Mailings, err
		})
}

// MailingFilter narrows a list of mailings.
type MailingFilter struct {
	Everyone bool  // everybody's, for who may
	Owner    int64 // of everybody's, those of one; 0: of all
	Status   mailing.Status
	Active   bool // only those that the home page counts as active
	Coming   bool // only those that will be sent
}

// MailingView is all that the page of a mailing shows.
type MailingView struct {
	mailing.Mailing
	Message  mailing.Message
	Owner    mailing.Account
	StopBy   mailing.Account // who paused or disabled it; zero: nobody
	Reach    AudienceCount
	Upcoming []time.Time // the next five dates
	Runs     []mailing.Run
	Quota    QuotaUse      // of its owner's day, which an open run has to wait for; zero when none has to
	Draft    mailing.Draft // changes that are not applied yet, for who may apply them; zero: none
	May      Actions
}

// Mailing returns a mailing that the actor may see.
func (a *App) Mailing(ctx context.Context, actor mailing.Account, id int64) (v MailingView, err error) {
	if v.Mailing, err = a.store.Mailing(ctx, id); err != nil {
		return v, err
	}
	if err := mayView(actor, v.OwnerID, mailing.ViewAnyMailing); err != nil {
		return MailingView{}, err
	}
	if v.Message, err = a.store.Message(ctx, v.MessageID); err != nil {
		return v, err
	}
	if v.Owner, err = a.store.Account(ctx, v.OwnerID); err != nil {
		return v, err
	}
	if v.StopBy, err = a.stopper(ctx, v.Mailing); err != nil {
		return v, err
	}
	if v.Reach, err = a.store.Reach(ctx, v.Mailing); err != nil {
		return v, err
	}
	if v.Runs, err = a.store.RunsOfMailing(ctx, id, 50); err != nil {
		return v, err
	}
	for i, run := range v.Runs {
		a.maskHalt(actor, &v.Runs[i])
		if run.State.Open() && run.Counts.Waiting() > 0 && v.Quota.PerDay == 0 {
			if v.Quota, err = a.quotaAwaited(ctx, run); err != nil {
				return v, err
			}
		}
	}
	v.Upcoming = upcoming(v.Mailing, a.Now())
	if v.May = Allowed(actor, v.Mailing); v.May.Edit {
		v.Draft, err = a.draft(ctx, id)
	}
	return v, err
}

// stopper is who paused or disabled a mailing; zero when nobody did, or when they
// are gone.
func (a *App) stopper(ctx context.Context, m mailing.Mailing) (mailing.Account, error) {
	switch m.StopBy {
	case 0:
		return mailing.Account{}, nil
	case Operator.ID:
		return Operator, nil
	}
	account, err := a.store.Account(ctx, m.StopBy)
	if mailing.KindOf(err) == mailing.NotFound {
		return mailing.Account{ID: m.StopBy}, nil
	}
	return account, err
}

func upcoming(m mailing.Mailing, now time.Time) []time.Time {
	if m.NextAt.IsZero() {
		return nil
	}
	since := m.NextAt.Add(-time.Millisecond)
	if !m.Status.Live() && since.Before(now) {
		since = now
	}
	return m.Rule.Occurrences(since, 5)
}

// ChosenContacts lists the ids of the contacts chosen for a mailing.
func (a *App) ChosenContacts(ctx context.Context, actor mailing.Account, id int64) ([]int64, error) {
	if _, err := a.changeableMailing(ctx, actor, id); err != nil {
		return nil, err
	}
	return a.store.MailingContacts(ctx, id)
}

func (a *App) changeableMailing(ctx context.Context, actor mailing.Account, id int64) (mailing.Mailing, error) {
	m, err := a.store.Mailing(ctx, id)
	if err != nil {
		return mailing.Mailing{}, err
	}
	if err := mayChange(actor, m.OwnerID, mailing.ViewAnyMailing); err != nil {
		return mailing.Mailing{}, err
	}
	return m, nil
}

// Actions are what an actor may do with a mailing as it is now.
type Actions struct{ Edit, Delete, Send, Pause, Resume, Disable, Enable bool }

// Allowed says what the actor may do with the mailing as it is now: what is
// theirs to do, and makes sense in its status.
func Allowed(actor mailing.Account, m mailing.Mailing) Actions {
	change := mayChange(actor, m.OwnerID, mailing.ViewAnyMailing) == nil
	disable := change || actor.Role.May(mailing.DisableAnyMailing)
	return Actions{
		Edit:    change,
		Delete:  change,
		Send:    change && m.Status.Live(),
		Pause:   change && m.Status != mailing.StatusCompleted && m.Status.Allows(mailing.EventPause), // but see allowedRun
		Resume:  change && m.Status.Allows(mailing.EventResume),
		Disable: disable && m.Status.Allows(mailing.EventDisable),
		Enable:  disable && m.Status.Allows(mailing.EventEnable) && mayEnable(actor, m),
	}
}

// mayEnable reports whether the actor may lift what somebody disabled: not the
// owner what a manager or an admin did.
func mayEnable(actor mailing.Account, m mailing.Mailing) bool {
	if m.StopBy == 0 || m.StopBy == actor.ID {
		return true
	}
	if m.OwnerID == actor.ID { // and may be a manager, but not a judge in their own case
		return actor.Role.May(mailing.ChangeAnything)
	}
	return actor.Role.May(mailing.DisableAnyMailing)
}

// DeleteMailing removes a mailing and cancels its open runs. What was sent stays
// in the log.
func (a *App) DeleteMailing(ctx context.Context, actor mailing.Account, id int64) error {
	m, err := a.changeableMailing(ctx, actor, id)
	if err != nil {
		return err
	}
	defer a.numbersChanged(ctx, m.OwnerID)
	facts, err := a.mailingFacts(ctx, m)
	if err != nil {
		return err
	}
	return a.store.DeleteMailing(a.doing(ctx, actor, mailing.Deed{
		Action: "mailing.delete", Thing: mailingThing(m, facts), Owner: m.OwnerID, Before: known(facts),
	}), id, a.Now())
}

// recentRuns is among how many of the latest runs an open one is looked for.
// Chosen: far more than can be open at once.
const recentRuns = 50

func (a *App) hasOpenRun(ctx context.Context, mailingID int64) (bool, error) {
	latest, err := a.store.RunsOfMailing(ctx, mailingID, recentRuns)
	return slices.ContainsFunc(latest, func(r mailing.Run) bool { return r.State.Open() }), err
}

// OwnersOfMailings lists those who have mailings, by name and no more than most, for
// who may see everybody's.
func (a *App) OwnersOfMailings(ctx context.Context, actor mailing.Account, most int64) ([]mailing.Account, error) {
	if _, err := scope(actor, true, mailing.ViewAnyMailing); err != nil {
		return nil, err
	}
	return a.store.OwnersOfMailings(ctx, most)
}
