package app

import (
	"context"
	"strconv"
	"unicode/utf8"

	"vestnik/internal/mailing"
	"vestnik/internal/store"
)

// Accounts lists people, for who may see them, sorted by created, email, name, role
// or signed_in.
func (a *App) Accounts(ctx context.Context, actor mailing.Account, f AccountFilter, page Page) ([]mailing.Account, int64, error) {
	if !actor.Role.May(mailing.ViewUsers) {
		return nil, 0, mailing.Fault(mailing.NotFound, "not_found")
	}
	return a.accounts(ctx, f, page)
}

// UserView is all that the page of a person shows to those who may see people.
type UserView struct {
	mailing.Account
	Has     store.Belongings
	Quota   QuotaUse
	Blocker string // what to call who blocked them; empty: nobody, or somebody who is gone
	Factor  bool   // whether signing in takes a second step
	May     UserActions
}

// UserActions are what an actor may do about a person as they are now.
type UserActions struct {
	Block, Unblock, SignOut, Limit bool
	ResetFactors, Erase            bool
	Roles                          []mailing.Role // that they may be given, with the one they have; nil: none
}

// User returns a person, whoever may sign in or not.
func (a *App) User(ctx context.Context, actor mailing.Account, id int64) (v UserView, err error) {
	if v.Account, err = a.visibleUser(ctx, actor, id); err != nil {
		return v, err
	}
	if v.Has, err = a.store.Belongings(ctx, id, a.Now()); err != nil {
		return v, err
	}
	if v.Quota, err = a.store.QuotaUse(ctx, v.Account, a.Now()); err != nil {
		return v, err
	}
	if v.Factor, err = a.store.HasFactor(ctx, id); err != nil {
		return v, err
	}
	if v.BlockedBy != 0 && v.BlockedBy != Operator.ID {
		names, err := a.Owners(ctx, actor, []int64{v.BlockedBy})
		if err != nil {
			return v, err
		}
		v.Blocker = names[v.BlockedBy]
	}
	v.May = AllowedUser(actor, v.Account)
	return v, nil
}

// AllowedUser says what the actor may do about a person as they are now.
func AllowedUser(actor, of mailing.Account) UserActions {
	block := MayBlock(actor, of) == nil
	manage := mayManageUser(actor, of) == nil
	may := UserActions{
		Block: block && of.BlockedAt.IsZero(), Unblock: block && !of.BlockedAt.IsZero(), SignOut: manage, Limit: manage,
	}
	may.ResetFactors = actor.Role.May(mailing.ResetFactors) && actor.ID != of.ID
	may.Erase = actor.Role.May(mailing.ChangeAnything)
	for _, role := range mailing.Roles() {
		if mayGrant(actor, of, role) == nil {
			may.Roles = append(may.Roles, role)
		}
	}
	return may
}

// visibleUser is a person for who may see people; to others nobody is there.
func (a *App) visibleUser(ctx context.Context, actor mailing.Account, id int64) (mailing.Account, error) {
	if !actor.Role.May(mailing.ViewUsers) {
		return mailing.Account{}, mailing.Fault(mailing.NotFound, "not_found")
	}
	return a.store.Account(ctx, id)
}

// MayBlock returns nil if the actor may block a person, and let them in again: not
// oneself, and nobody who could do the same to the actor, save that admins may block
// each other.
func MayBlock(actor, of mailing.Account) error {
	switch {
	case !actor.Role.May(mailing.BlockUsers):
		return mailing.Fault(mailing.Forbidden, "forbidden")
	case actor.ID == of.ID:
		return mailing.Fault(mailing.Conflict, "not_yourself")
	case !actor.Role.Above(of.Role) && actor.Role != mailing.RoleAdmin:
		return mailing.Fault(mailing.Forbidden, "forbidden")
	}
	return nil
}

func mayManageUser(actor, of mailing.Account) error {
	if !actor.Role.May(mailing.ManageUsers) || of.Role.Above(actor.Role) {
		return mailing.Fault(mailing.Forbidden, "forbidden")
	}
	return nil
}

// mayGrant: nobody gives or takes what is above their own role.
func mayGrant(actor, to mailing.Account, role mailing.Role) error {
	if !actor.Role.May(mailing.GrantRoles) || role.Above(actor.Role) || to.Role.Above(actor.Role) {
		return mailing.Fault(mailing.Forbidden, "forbidden")
	}
	return nil
}

// GrantRole gives a person a role. It counts from their next request on. The last
// active admin stays one.
func (a *App) GrantRole(ctx context.Context, actor mailing.Account, id int64, role mailing.Role) error {
	of, err := a.visibleUser(ctx, actor, id)
	if err != nil {
		return err
	}
	if !role.Valid() {
		return mailing.FieldFault(mailing.Invalid, "role", "choice_unknown")
	}
	if err := mayGrant(actor, of, role); err != nil || role == of.Role {
		return err
	}
	ctx = a.doing(ctx, actor, deedTo(of, "account.role", mailing.Facts{"role": string(of.Role)}, mailing.Facts{"role": string(role)}))
	defer a.accountsChanged(ctx)
	return a.store.SetRole(ctx, id, role)
}

// MaxReasonRunes is how long a reason may be. Chosen: some sentences.
const MaxReasonRunes = 500

// BlockUser keeps a person out from this moment on, signed in or not; their mailings
// stop. The reason is for those who see people, and for the audit log.
func (a *App) BlockUser(ctx context.Context, actor mailing.Account, id int64, why string) error {
	of, err := a.visibleUser(ctx, actor, id)
	if err != nil {
		return err
	}
	if err := MayBlock(actor, of); err != nil {
		return err
	}
	why = mailing.CleanLine(why)
	switch {
	case why == "":
		return mailing.FieldFault(mailing.Invalid, "why", "required")
	case utf8.RuneCountInString(why) > MaxReasonRunes:
		return mailing.FieldFault(mailing.Invalid, "why", "text_too_long", "max", MaxReasonRunes)
	}
	deed := deedTo(of, "account.block", mailing.Facts{"standing": string(of.Standing())}, mailing.Facts{"standing": string(mailing.StandingBlocked)})
	deed.Why = why
	defer a.accountsChanged(ctx)
	if ctx, err = a.tellingBlocked(ctx, actor, of, why); err != nil {
		return err
	}
	return a.store.Block(a.doing(ctx, actor, deed), id, actor.ID, why, a.Now())
}

// UnblockUser lets a person in again. Their mailings go on with what was left and at
// their next date.
func (a *App) UnblockUser(ctx context.Context, actor mailing.Account, id int64) error {
	of, err := a.visibleUser(ctx, actor, id)
	if err != nil {
		return err
	}
	if err := MayBlock(actor, of); err != nil {
		return err
	}
	let := mailing.Account{ConfirmedAt: of.ConfirmedAt}
	deed := deedTo(of, "account.unblock",
		mailing.Facts{"standing": string(of.Standing())}, mailing.Facts{"standing": string(let.Standing())})
	defer a.accountsChanged(ctx)
	if ctx, err = a.tellingUnblocked(ctx, actor, of); err != nil {
		return err
	}
	return a.store.Unblock(a.doing(ctx, actor, deed), id)
}

// SignOutUser ends all sessions of a person.
func (a *App) SignOutUser(ctx context.Context, actor mailing.Account, id int64) error {
	of, err := a.manageableUser(ctx, actor, id)
	if err != nil {
		return err
	}
	return a.store.SignOut(a.doing(ctx, actor, deedTo(of, "account.sign_out_everywhere", nil, nil)), id)
}

// MaxPerDay is the largest limit. Chosen: nobody sends a billion mails a day.
const MaxPerDay = 1_000_000_000

// LimitUser sets how many mails of their mailings a person may send in any 24 hours;
// 0 is no limit. What is over it waits.
func (a *App) LimitUser(ctx context.Context, actor mailing.Account, id, perDay int64) error {
	of, err := a.manageableUser(ctx, actor, id)
	if err != nil {
		return err
	}
	if perDay < 0 || perDay > MaxPerDay {
		return mailing.FieldFault(mailing.Invalid, "per_day", "number_out_of_range", "min", 0, "max", MaxPerDay)
	}
	if perDay == of.PerDay {
		return nil
	}
	defer a.accountsChanged(ctx)
	fact := func(n int64) mailing.Facts { return mailing.Facts{"per_day": strconv.FormatInt(n, 10)} }
	return a.store.SetPerDay(a.doing(ctx, actor, deedTo(of, "account.limit", fact(of.PerDay), fact(perDay))), id, perDay)
}

// AddUser makes an account that is active at once, and returns its password, which
// nobody is shown again: the one that was given, or one that is made.
func (a *App) AddUser(ctx context.Context, actor mailing.Account, n NewAccount) (account mailing.Account, password string, err error) {
	if !actor.Role.May(mailing.ManageUsers) {
		return account, "", mailing.Fault(mailing.NotFound, "not_found")
	}
	if n.Role != mailing.RoleUser {
		if err := mayGrant(actor, mailing.Account{Role: mailing.RoleUser}, n.Role); err != nil {
			return account, "", err
		}
	}
	if n.Password == "" {
		n.Password = NewPassword()
	}
	n.Code = ""
	account, err = a.createAccount(ctx, actor, n)
	return account, n.Password, err
}

func (a *App) manageableUser(ctx context.Context, actor mailing.Account, id int64) (mailing.Account, error) {
	of, err := a.visibleUser(ctx, actor, id)
	if err == nil {
		err = mayManageUser(actor, of)
	}
	return of, err
}

// SignedIn notes that a person has just signed in.
func (a *App) SignedIn(ctx context.Context, who mailing.Account) error {
	defer a.accountsChanged(ctx)
	return a.store.SignedIn(a.ofOneself(ctx, who, "account.sign_in"), who.ID, a.Now())
}

// deedTo is something that is done to an account.
func deedTo(of mailing.Account, action mailing.Action, before, after mailing.Facts) mailing.Deed {
	return mailing.Deed{Action: action, Thing: accountThing(of), Owner: of.ID, Before: before, After: after}
}

// quotaAwaited is the use of the owner's daily limit when it is used up, so that what
// is left of the run has to wait; zero when it has not.
func (a *App) quotaAwaited(ctx context.Context, run mailing.Run) (QuotaUse, error) {
	owner, err := a.store.Account(ctx, run.OwnerID)
	if err != nil || owner.PerDay == 0 || run.MailingID == 0 {
		return QuotaUse{}, err
	}
	use, err := a.store.QuotaUse(ctx, owner, a.Now())
	if err != nil || !use.From.After(a.Now()) {
		return QuotaUse{}, err
	}
	return use, nil
}
