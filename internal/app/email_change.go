package app

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"vestnik/internal/auth"
	"vestnik/internal/mailing"
	"vestnik/internal/store"
)

const purposeEmailChange = "change of address"

// Side is a mailbox that is asked about a change of address.
type Side string

// The sides.
const (
	SideNew Side = "new"
	SideOld Side = "old"
)

// EmailQuestion is what a mailed link asks: whether the account may have the address.
type EmailQuestion struct {
	mailing.EmailChange
	Account mailing.Account
	Side    Side

	tokenHash string
}

// AskEmailChange mails to both addresses. The new one is used when both have said yes, or
// when the new one has and the old one has not objected for mailing.ObjectionTime. Whether the
// new address is somebody's already shows only in its own mailbox.
func (a *App) AskEmailChange(ctx context.Context, actor mailing.Account, typed, password string) error {
	email, err := a.checkEmailChange(actor, typed, password)
	if err != nil {
		return err
	}
	if err := a.checkOwnPassword(ctx, actor, password); err != nil {
		return err
	}
	ok, err := a.store.Spend(ctx, "address mail:"+strconv.FormatInt(actor.ID, 10), MailBudget, budgetHour, a.Now())
	if err == nil && !ok {
		err = mailing.Fault(mailing.Limited, "too_many_requests")
	}
	if err != nil {
		return wrap(err, "ask for another address")
	}
	change := mailing.EmailChange{
		AccountID: actor.ID, NewEmail: email, AskedAt: a.Now(), DueAt: a.Now().Add(mailing.ObjectionTime),
	}
	token := auth.NewToken()
	if ctx, err = a.askingBoth(ctx, actor, change, token); err != nil {
		return wrap(err, "ask for another address")
	}
	doing := a.doing(ctx, actor, accountDeed("account.ask_email", actor, nil, mailing.Facts{"new_email": email}))
	return wrap(a.store.PutEmailChange(doing, change, auth.HashToken(token)), "ask for another address")
}

func (a *App) checkEmailChange(actor mailing.Account, typed, password string) (string, error) {
	var problems mailing.Problems
	email, err := mailing.NormalizeEmail(typed)
	if err := problems.AddError("email", err); err != nil {
		return "", err
	}
	if email == actor.Email {
		problems.Add("email", "email_same")
	}
	if !actor.Role.May(mailing.InviteUsers) { // who may have anybody in may go anywhere
		a.checkSignUpDomain(&problems, email, "email_domain")
	}
	if password == "" {
		problems.Add("password", "required")
	}
	return email, problems.Err()
}

// checkOwnPassword asks who is signed in for the password once more. A session is no proof
// of it: it may have been left open.
func (a *App) checkOwnPassword(ctx context.Context, actor mailing.Account, password string) error {
	_, hash, err := a.store.AccountByEmail(ctx, actor.Email)
	if err != nil {
		return wrap(err, "check own password")
	}
	budget := PasswordTriesDevice.Named("password session " + strconv.FormatInt(actor.ID, 10))
	right, err := a.guarded(ctx, []store.TryBudget{budget}, func() (bool, error) { return a.hasher.Verify(ctx, password, hash) })
	if err == nil && !right {
		err = mailing.FieldFault(mailing.Invalid, "password", "password_wrong")
	}
	return wrap(err, "check own password")
}

// askingBoth has both be mailed, with the change or not at all: an old mailbox that was
// never asked could not object. An address that has an account already is told so, and
// gets no link.
func (a *App) askingBoth(ctx context.Context, actor mailing.Account, c mailing.EmailChange, token string) (context.Context, error) {
	known, _, err := a.store.AccountByEmail(ctx, c.NewEmail)
	switch {
	case err == nil:
		var ok bool
		if ok, err = a.spendMail(ctx, known.Email); ok {
			ctx, err = a.telling(ctx, known, mailKnown, nil)
		}
	case mailing.KindOf(err) == mailing.NotFound:
		to := nameless(actor)
		to.Email = c.NewEmail
		ctx, err = a.telling(ctx, to, mailEmailNew, map[string]any{"link": a.emailLink(SideNew, c, token), "old": actor.Email})
	}
	if err != nil {
		return ctx, err
	}
	return a.telling(ctx, actor, mailEmailOld, map[string]any{"link": a.emailLink(SideOld, c, token), "new": c.NewEmail})
}

func (a *App) emailLink(side Side, c mailing.EmailChange, token string) string {
	payload := string(side) + " " + strconv.FormatInt(c.AccountID, 10) + " " + token
	return a.BaseURL + "/email/" + a.keys.Sign(purposeEmailChange, []byte(payload), c.DueAt)
}

// EmailChange returns the change that the actor waits for; "not_found" when there is none.
func (a *App) EmailChange(ctx context.Context, actor mailing.Account) (mailing.EmailChange, error) {
	c, _, err := a.store.EmailChange(ctx, actor.ID)
	return c, err
}

// CancelEmailChange ends the change that the actor has asked for.
func (a *App) CancelEmailChange(ctx context.Context, actor mailing.Account) error {
	c, err := a.EmailChange(ctx, actor)
	if err != nil {
		return err
	}
	doing := a.doing(ctx, actor, accountDeed("account.cancel_email", actor, mailing.Facts{"new_email": c.NewEmail}, nil))
	return wrap(a.store.DeleteEmailChange(doing, actor.ID), "cancel another address")
}

// EmailQuestion returns what a mailed link asks. One that is of no use any more is
// "link_over".
func (a *App) EmailQuestion(ctx context.Context, link string) (EmailQuestion, error) {
	over := mailing.Fault(mailing.Invalid, "link_over")
	payload, err := a.keys.Verify(purposeEmailChange, link, a.Now())
	if err != nil {
		return EmailQuestion{}, over.Because(err)
	}
	parts := strings.Split(string(payload), " ")
	if len(parts) != 3 {
		return EmailQuestion{}, over
	}
	id, _ := strconv.ParseInt(parts[1], 10, 64)
	q := EmailQuestion{Side: Side(parts[0]), tokenHash: auth.HashToken(parts[2])}
	change, stored, err := a.store.EmailChange(ctx, id)
	if mailing.KindOf(err) == mailing.NotFound || err == nil && stored != q.tokenHash {
		return q, over
	}
	if err != nil {
		return q, wrap(err, "another address")
	}
	q.EmailChange = change
	if q.Account, err = a.store.Account(ctx, id); err == nil && !q.Account.Active() {
		err = over
	}
	return q, wrap(err, "another address")
}

// AgreeEmailChange is the yes of a mailbox. With the last that was missing the account moves,
// and is signed out everywhere.
func (a *App) AgreeEmailChange(ctx context.Context, link string) (q EmailQuestion, moved bool, err error) {
	if q, err = a.EmailQuestion(ctx, link); err != nil {
		return q, false, err
	}
	said := &q.OldAt
	if q.Side == SideNew {
		said = &q.NewAt
	}
	if said.IsZero() {
		*said = a.Now()
		deed := accountDeed("account.agree_email", q.Account, nil, mailing.Facts{"new_email": q.NewEmail, "side": string(q.Side)})
		doing := a.doing(ctx, mailing.Account{Email: q.mailbox()}, deed)
		if err := a.store.AgreeEmailChange(doing, q.AccountID, q.tokenHash, q.Side == SideNew, a.Now()); err != nil {
			return q, false, wrap(err, "agree to another address")
		}
	}
	// The other side may have said yes in this very moment.
	now, _, err := a.store.EmailChange(ctx, q.AccountID)
	if err != nil || !now.Agreed(a.Now()) {
		return q, false, wrap(err, "agree to another address")
	}
	q.EmailChange = now
	q.Account.Era, err = a.move(ctx, q, "")
	return q, true, err
}

// mailbox is the address that was asked.
func (q EmailQuestion) mailbox() string {
	if q.Side == SideNew {
		return q.NewEmail
	}
	return q.Account.Email
}

// RefuseEmailChange is the no of a mailbox: everything stays as it is.
func (a *App) RefuseEmailChange(ctx context.Context, link string) (EmailQuestion, error) {
	q, err := a.EmailQuestion(ctx, link)
	if err != nil {
		return q, err
	}
	deed := accountDeed("account.refuse_email", q.Account, mailing.Facts{"new_email": q.NewEmail}, mailing.Facts{"side": string(q.Side)})
	doing := a.doing(ctx, mailing.Account{Email: q.mailbox()}, deed)
	return q, wrap(a.store.DeleteEmailChange(doing, q.AccountID), "refuse another address")
}

// move gives the account its new address, tells the old one, and returns the account's new
// era. An address that is taken meanwhile ends the change.
func (a *App) move(ctx context.Context, q EmailQuestion, why string) (era int64, err error) {
	defer a.accountsChanged(ctx)
	was, moved := q.Account, q.Account
	moved.Email = q.NewEmail
	deed := accountDeed("account.change_email", was, mailing.Facts{"email": was.Email}, mailing.Facts{"email": moved.Email})
	deed.Why = why
	telling, err := a.telling(ctx, was, mailMoved, map[string]any{"new": moved.Email})
	if err != nil {
		return 0, err
	}
	era, err = a.store.MoveAccount(a.doing(telling, was, deed), moved, was.Email, q.tokenHash, a.Now())
	if mailing.CodeOf(err) == "email_taken" {
		deed := accountDeed("account.cancel_email", was, mailing.Facts{"new_email": q.NewEmail}, nil)
		deed.Why = "email_taken"
		return 0, errors.Join(err, a.store.DeleteEmailChange(a.doing(ctx, mailing.Account{}, deed), was.ID))
	}
	return era, wrap(err, "move account")
}

// moveDue moves the accounts whose old mailbox has kept silent, and forgets the changes that
// the new one never agreed to.
func (a *App) moveDue(ctx context.Context) error {
	due, err := a.store.DueEmailChanges(ctx, a.Now())
	if err != nil {
		return err
	}
	for _, c := range due {
		if err := a.moveOneDue(ctx, c); err != nil && mailing.KindOf(err) == 0 {
			return err
		}
	}
	return nil
}

func (a *App) moveOneDue(ctx context.Context, c mailing.EmailChange) error {
	account, err := a.store.Account(ctx, c.AccountID)
	if err != nil {
		return err
	}
	_, tokenHash, err := a.store.EmailChange(ctx, c.AccountID)
	if err != nil {
		return err
	}
	if c.Agreed(a.Now()) && account.Active() {
		_, err = a.move(ctx, EmailQuestion{EmailChange: c, Account: account, tokenHash: tokenHash}, "no objection")
		return err
	}
	deed := accountDeed("account.cancel_email", account, mailing.Facts{"new_email": c.NewEmail}, nil)
	deed.Why = "not confirmed in time"
	return a.store.DeleteEmailChange(a.doing(ctx, mailing.Account{}, deed), c.AccountID)
}

func accountDeed(action mailing.Action, of mailing.Account, before, after mailing.Facts) mailing.Deed {
	return mailing.Deed{
		Action: action, Thing: mailing.Thing{Kind: mailing.ThingAccount, ID: of.ID, Name: of.Email}, Owner: of.ID, Before: before, After: after,
	}
}
