package app

import (
	"context"
	"strconv"
	"strings"
	"time"

	"vestnik/internal/auth"
	"vestnik/internal/mailing"
	"vestnik/internal/store"
)

// MaxInvites is how many people are invited at once: a department, with room. Chosen.
const MaxInvites = 200

const purposeInvite = "invitation"

// Invite is who shall come, and as what.
type Invite struct {
	Emails string // as typed: separated by spaces, commas, semicolons or line breaks
	Role   mailing.Role
	Lang   string
}

// Invited is an invitation that was made, and the link that was mailed.
type Invited struct {
	mailing.Invitation
	Link   string
	Mailed bool // false: nobody is there yet in whose name a mail could go out
}

// mayInvite returns nil if the actor may ask people in.
func (a *App) mayInvite(actor mailing.Account) error {
	switch {
	case !actor.Role.May(mailing.InviteUsers):
		return mailing.Fault(mailing.NotFound, "not_found")
	case a.SignUp == mailing.SignUpClosed:
		return mailing.Fault(mailing.Forbidden, "invite_closed")
	}
	return nil
}

// RolesToGive lists the roles that the actor may give: those not above their own.
func RolesToGive(actor mailing.Account) []mailing.Role {
	var roles []mailing.Role
	for _, role := range mailing.Roles() {
		if role.Within(actor.Role) {
			roles = append(roles, role)
		}
	}
	return roles
}

// Invite mails a link to each of the addresses, by which they come in. All are
// invited, or none when something is wrong with one. Who was invited before gets a new
// link, and the old one is void.
func (a *App) Invite(ctx context.Context, actor mailing.Account, in Invite) ([]Invited, error) {
	if err := a.mayInvite(actor); err != nil {
		return nil, err
	}
	emails, err := a.checkInvite(ctx, actor, in)
	if err != nil {
		return nil, err
	}
	all := make([]Invited, 0, len(emails))
	for _, email := range emails {
		one, err := a.sendInvitation(ctx, actor, mailing.Invitation{Email: email, Role: in.Role, Lang: in.Lang})
		if err != nil {
			return all, err
		}
		all = append(all, one)
	}
	return all, nil
}

func (a *App) checkInvite(ctx context.Context, actor mailing.Account, in Invite) ([]string, error) {
	var problems mailing.Problems
	if !in.Role.Within(actor.Role) {
		problems.Add("role", "choice_unknown")
	}
	if in.Lang != "ru" && in.Lang != "en" {
		problems.Add("lang", "choice_unknown")
	}
	var emails, bad, known []string
	seen := map[string]bool{}
	typed := strings.FieldsFunc(in.Emails, func(r rune) bool { return strings.ContainsRune(" ,;\t\r\n", r) })
	if len(typed) > MaxInvites {
		problems.Add("emails", "invite_too_many", "max", MaxInvites)
		return nil, problems.Err()
	}
	for _, text := range typed {
		email, err := mailing.NormalizeEmail(text)
		if err != nil {
			bad = append(bad, text)
			continue
		}
		account, _, err := a.store.AccountByEmail(ctx, email)
		if err != nil && mailing.KindOf(err) != mailing.NotFound {
			return nil, wrap(err, "invite")
		}
		if err == nil && !replaceable(account) {
			known = append(known, text)
			continue
		}
		if !seen[email] {
			seen[email], emails = true, append(emails, email)
		}
	}
	switch {
	case len(bad) > 0:
		problems.Add("emails", "invite_malformed", "emails", strings.Join(bad, ", "))
	case len(known) > 0:
		problems.Add("emails", "invite_known", "emails", strings.Join(known, ", "))
	case len(emails) == 0:
		problems.Add("emails", "required")
	}
	return emails, problems.Err()
}

// sendInvitation stores an invitation under a new link and mails it.
func (a *App) sendInvitation(ctx context.Context, actor mailing.Account, i mailing.Invitation) (Invited, error) {
	ok, err := a.store.Spend(ctx, "invitation mail:"+i.Email, MailBudget, budgetHour, a.Now())
	if err == nil && !ok {
		err = mailing.Fault(mailing.Limited, "invite_mails", "email", i.Email)
	}
	if err != nil {
		return Invited{}, wrap(err, "invite")
	}
	deed := mailing.Deed{Action: "invitation.send", Thing: mailing.Thing{Kind: mailing.ThingInvitation, Name: i.Email}}
	before, err := a.store.InvitationByEmail(ctx, i.Email)
	switch {
	case err == nil:
		deed.Action, deed.Thing.ID, i.ID, i.CreatedAt = "invitation.renew", before.ID, before.ID, before.CreatedAt
		deed.Before = invitationFacts(before)
	case mailing.KindOf(err) != mailing.NotFound:
		return Invited{}, wrap(err, "invite")
	default:
		i.ID, i.CreatedAt = store.NewID(), a.Now()
	}
	i.InvitedBy, i.Inviter, i.SentAt, i.ExpiresAt = actor.ID, actor.Email, a.Now(), a.Now().Add(mailing.InvitationLifetime)
	deed.After = invitationFacts(i)
	token := auth.NewToken()
	if i.ID, err = a.store.PutInvitation(a.doing(ctx, actor, deed), i, auth.HashToken(token)); err != nil {
		return Invited{}, wrap(err, "invite")
	}
	signed := a.keys.Sign(purposeInvite, []byte(strconv.FormatInt(i.ID, 10)+" "+token), i.ExpiresAt)
	done := Invited{Invitation: i, Link: a.BaseURL + "/invitation/" + signed}
	done.Mailed, err = a.mailInvitation(ctx, actor, done)
	return done, err
}

func invitationFacts(i mailing.Invitation) mailing.Facts {
	return mailing.Facts{"role": string(i.Role), "expires_at": i.ExpiresAt.UTC().Format(time.RFC3339)}
}

// mailInvitation mails in the actor's name, or, for the operator, in that of the first admin; false
// when there is none.
func (a *App) mailInvitation(ctx context.Context, actor mailing.Account, i Invited) (bool, error) {
	sender := actor
	if actor.ID == Operator.ID {
		admins, err := a.store.ActiveAccountsOfRole(ctx, mailing.RoleAdmin)
		if err != nil || len(admins) == 0 {
			return false, wrap(err, "mail invitation")
		}
		sender = admins[0]
	}
	to := mailing.Account{ID: sender.ID, Email: i.Email, Lang: i.Lang}
	return true, a.mail(ctx, to, mailInvite, map[string]any{"link": i.Link, "inviter": sender.Name()})
}

// Invitations lists who was invited and has not come yet.
func (a *App) Invitations(ctx context.Context, actor mailing.Account, page Page) ([]mailing.Invitation, int64, error) {
	if !actor.Role.May(mailing.InviteUsers) {
		return nil, 0, mailing.Fault(mailing.NotFound, "not_found")
	}
	return a.store.Invitations(ctx, page)
}

// RenewInvitation mails a new link; the old one is void.
func (a *App) RenewInvitation(ctx context.Context, actor mailing.Account, id int64) (mailing.Invitation, error) {
	i, err := a.invitation(ctx, actor, id)
	if err != nil {
		return i, err
	}
	if !i.Role.Within(actor.Role) {
		return i, mailing.Fault(mailing.Forbidden, "forbidden")
	}
	_, err = a.sendInvitation(ctx, actor, i)
	return i, err
}

// RevokeInvitation takes an invitation back: its link leads nowhere any more.
func (a *App) RevokeInvitation(ctx context.Context, actor mailing.Account, id int64) (mailing.Invitation, error) {
	i, err := a.invitation(ctx, actor, id)
	if err != nil {
		return i, err
	}
	doing := a.doing(ctx, actor, mailing.Deed{
		Action: "invitation.revoke", Thing: mailing.Thing{Kind: mailing.ThingInvitation, ID: i.ID, Name: i.Email}, Before: invitationFacts(i),
	})
	return i, wrap(a.store.DeleteInvitation(doing, id), "revoke invitation")
}

func (a *App) invitation(ctx context.Context, actor mailing.Account, id int64) (mailing.Invitation, error) {
	if err := a.mayInvite(actor); err != nil {
		return mailing.Invitation{}, err
	}
	i, _, err := a.store.Invitation(ctx, id)
	return i, err
}

// CheckInvitation returns the invitation that a link is for. One that is over, in whatever
// manner, is "invitation_over".
func (a *App) CheckInvitation(ctx context.Context, link string) (mailing.Invitation, error) {
	i, _, err := a.openInvitation(ctx, link)
	return i, err
}

func (a *App) openInvitation(ctx context.Context, link string) (i mailing.Invitation, tokenHash string, err error) {
	over := mailing.Fault(mailing.Invalid, "invitation_over")
	payload, err := a.keys.Verify(purposeInvite, link, a.Now())
	if err != nil {
		return i, "", over.Because(err)
	}
	text, token, _ := strings.Cut(string(payload), " ")
	id, _ := strconv.ParseInt(text, 10, 64)
	i, stored, err := a.store.Invitation(ctx, id)
	if mailing.KindOf(err) == mailing.NotFound {
		return i, "", over
	}
	if err != nil {
		return i, "", wrap(err, "open invitation")
	}
	tokenHash = auth.HashToken(token)
	stands, err := a.stands(ctx, i)
	if err == nil && (!stands || tokenHash != stored || !a.Now().Before(i.ExpiresAt)) {
		err = over
	}
	return i, tokenHash, err
}

// stands reports whether the one who invited could do so today, too.
func (a *App) stands(ctx context.Context, i mailing.Invitation) (bool, error) {
	if a.SignUp == mailing.SignUpClosed {
		return false, nil
	}
	if i.InvitedBy == Operator.ID {
		return true, nil
	}
	inviter, err := a.store.Account(ctx, i.InvitedBy)
	if mailing.KindOf(err) == mailing.NotFound {
		return false, nil
	}
	return inviter.Active() && inviter.Role.May(mailing.InviteUsers) && i.Role.Within(inviter.Role), wrap(err, "inviter")
}

// AcceptInvitation makes the account that was invited. It is active at once, since who has the
// link reads the mailbox. The address is the invitation's, whatever r says.
func (a *App) AcceptInvitation(ctx context.Context, link string, r Registration) (mailing.Account, error) {
	i, tokenHash, err := a.openInvitation(ctx, link)
	if err != nil {
		return mailing.Account{}, err
	}
	defer a.accountsChanged(ctx)
	r.Email = i.Email
	account, err := a.checkPerson(r)
	if err != nil {
		return account, err
	}
	account.Role, account.ConfirmedAt = i.Role, a.Now()
	hash, err := a.hasher.Hash(ctx, r.Password)
	if err != nil {
		return account, wrap(err, "accept invitation")
	}
	doing := a.doing(ctx, mailing.Account{Email: i.Email}, mailing.Deed{
		Action: "account.join", Thing: mailing.Thing{Kind: mailing.ThingAccount, Name: i.Email},
		After: mailing.Facts{"email": i.Email, "role": string(i.Role), "invited_by": i.Inviter},
	})
	account, err = a.store.UseInvitation(doing, i.ID, tokenHash, account, hash)
	if mailing.CodeOf(err) == "link_expired" {
		err = mailing.Fault(mailing.Invalid, "invitation_over")
	}
	return account, wrap(err, "accept invitation")
}
