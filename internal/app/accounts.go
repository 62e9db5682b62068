package app

import (
	"cmp"
	"context"
	"strings"
	"time"

	"vestnik/internal/auth"
	"vestnik/internal/mailing"
	"vestnik/internal/store"
)

// Limits of codes and of mails. What may be guessed, and how often, stands in guard.go.
const (
	CodeTries     = 5 // each code; then another must be mailed
	CodeLifetime  = time.Hour
	MailBudget    = 6    // codes mailed to an address an hour, and links as many
	ClientBudget  = 200  // registrations and wishes for a mail, from one network address an hour
	PasskeyBudget = 1000 // questions for a passkey, from there: a large office
	ResetLifetime = time.Hour
	budgetHour    = time.Hour
)

// WellKnownCode activates a superuser on the machine it runs on, and nowhere
// else.
const WellKnownCode = "1234"

const (
	purposeConfirm = "confirm"
	purposeReset   = "reset"
)

// Registration is what the form asks for.
type Registration struct {
	FirstName, LastName, Email, Password, Again string
	Lang, Zone                                  string
}

// Visitor is where a request comes from.
type Visitor struct {
	Address  string // network address, for budgets
	Loopback bool   // the service is bound to and addressed by a loopback address
	Device   string // what RememberDevice gave this browser; may be anything
	Browser  string // what the registration that was sent from here is known by; empty: there was none
}

// Register makes an account that is not active yet and mails it a code, which confirms
// what was typed here and not what others may type for the same address. Whether the
// address is registered already shows only in its own mailbox.
func (a *App) Register(ctx context.Context, from Visitor, r Registration) (email string, err error) {
	defer a.evenly(ctx, time.Now())
	if err := a.MaySignUp(); err != nil {
		return "", err
	}
	account, err := a.checkRegistration(&r)
	if err != nil {
		return "", err
	}
	if err := a.spendClient(ctx, from); err != nil {
		return "", err
	}
	hash, err := a.hasher.Hash(ctx, r.Password)
	if err != nil {
		return "", wrap(err, "register")
	}
	registration := store.Registration{Account: account, PasswordHash: hash, Browser: cmp.Or(from.Browser, auth.NewToken())}
	return account.Email, a.putRegistration(ctx, registration)
}

func (a *App) checkRegistration(r *Registration) (mailing.Account, error) {
	account := mailing.Account{
		Role: mailing.RoleUser, FirstName: mailing.CleanLine(r.FirstName), LastName: mailing.CleanLine(r.LastName),
		Lang: r.Lang, Zone: r.Zone, CreatedAt: a.Now(),
	}
	// The browser says these two; what it makes up is no fault of the person's.
	if _, err := mailing.LoadZone(account.Zone); err != nil {
		account.Zone = a.Zone
	}
	if account.Lang != "ru" {
		account.Lang = "en"
	}
	var problems mailing.Problems
	checkNames(&problems, account)
	email, err := mailing.NormalizeEmail(r.Email)
	if err := problems.AddError("email", err); err != nil {
		return account, err
	}
	account.Email = email
	if err == nil {
		a.checkSignUpDomain(&problems, email, "signup_domain")
	}
	if err := a.checkPassword(&problems, r.Password, r.Again, r.Email, r.FirstName, r.LastName); err != nil {
		return account, err
	}
	return account, problems.Err()
}

func checkNames(problems *mailing.Problems, a mailing.Account) {
	if a.FirstName == "" {
		problems.Add("first_name", "required")
	}
	for _, f := range []struct{ field, name string }{{"first_name", a.FirstName}, {"last_name", a.LastName}} {
		if len([]rune(f.name)) > mailing.MaxNameRunes {
			problems.Add(f.field, "text_too_long", "max", mailing.MaxNameRunes)
		}
	}
}

// putRegistration stores a registration and mails its code. An address that is confirmed
// already gets a mail that says so. One that has had its mails for this hour gets
// nothing, and nothing is changed: there would be no code to confirm it with.
func (a *App) putRegistration(ctx context.Context, r store.Registration) error {
	ok, err := a.spendMail(ctx, r.Email)
	if err != nil || !ok {
		return wrap(err, "register")
	}
	defer a.accountsChanged(ctx)
	id, err := a.store.CreateRegistered(a.byThemselves(ctx, r.Account, "account.register"), r)
	if err == nil {
		r.ID = id
		return a.mailCode(ctx, r)
	}
	if mailing.KindOf(err) != mailing.Conflict {
		return wrap(err, "register")
	}
	known, _, err := a.store.AccountByEmail(ctx, r.Email)
	if err != nil {
		return wrap(err, "register")
	}
	r.ID = known.ID
	ctx = a.byThemselves(ctx, r.Account, "account.register_again")
	if !replaceable(known) {
		return a.mail(ctx, known, mailKnown, nil)
	}
	if err := a.store.PutRegistration(ctx, r); err != nil {
		return wrap(err, "register")
	}
	return a.mailCode(ctx, r)
}

// byThemselves has a change go into the audit log as that of a visitor who has not
// signed in, and says to be the person with the account.
func (a *App) byThemselves(ctx context.Context, account mailing.Account, action mailing.Action) context.Context {
	return a.doing(ctx, mailing.Account{Email: account.Email}, mailing.Deed{
		Action: action, Thing: accountThing(account), Owner: account.ID,
	})
}

// replaceable reports whether a stranger's registration may be confirmed in the
// account's place and have a code mailed. Superusers wait for the code the operator was
// given: who happens to own their mailbox must not become one.
func replaceable(a mailing.Account) bool {
	return a.ConfirmedAt.IsZero() && a.Role == mailing.RoleUser
}

// mailCode stores a code for the registration, in place of its earlier one, and mails it.
func (a *App) mailCode(ctx context.Context, r store.Registration) error {
	waiting, err := a.waiting(ctx, r.Account)
	if err != nil {
		return wrap(err, "mail code")
	}
	code := auth.NewCode()
	if len(waiting) > 1 { // then several are good at a time
		code = auth.NewLongCode()
	}
	if err := a.putCode(ctx, r.ID, codePurpose(r.Browser), code, CodeLifetime); err != nil {
		return err
	}
	page := a.confirmPage(r.Email)
	return a.mail(ctx, nameless(r.Account), mailConfirm, map[string]any{
		"code": code, "link": page, "open": page + proofParam + a.proofOf(r.Email, code),
	})
}

// proofParam goes before the proof in the address of the page.
const proofParam = "?proof="

func (a *App) confirmPage(email string) string { return a.BaseURL + "/confirm_code/" + email + "/" }

// codePurpose binds a code to a registration; that which the operator prints is of none.
func codePurpose(browser string) string { return strings.TrimSpace(purposeConfirm + " " + browser) }

func (a *App) putCode(ctx context.Context, accountID int64, purpose, code string, lifetime time.Duration) error {
	hash := a.keys.HashCode(purpose, accountID, code)
	err := a.store.PutCode(ctx, accountID, purpose, hash, CodeTries, a.Now().Add(lifetime))
	return wrap(err, "put code")
}

// ResendCode mails a new code to an address that waits for one: for what was registered from
// here, or else for the only one that waits. Where there may be doubt whose that is, the mail
// asks to register again. It answers alike for every address.
func (a *App) ResendCode(ctx context.Context, from Visitor, typed string) error {
	defer a.evenly(ctx, time.Now())
	email, err := mailing.NormalizeEmail(typed)
	if err != nil {
		return err
	}
	if err := a.spendClient(ctx, from); err != nil {
		return err
	}
	account, _, err := a.store.AccountByEmail(ctx, email)
	if mailing.KindOf(err) == mailing.NotFound || err == nil && !replaceable(account) {
		return nil
	}
	if err != nil {
		return wrap(err, "resend code")
	}
	ok, err := a.spendMail(ctx, email)
	if err != nil || !ok {
		return wrap(err, "resend code")
	}
	ctx = a.byThemselves(ctx, account, "account.resend_code")
	waiting, err := a.waiting(ctx, account)
	switch {
	case err != nil:
		return wrap(err, "resend code")
	case from.Browser == "" && len(waiting) == 1:
		return a.mailCode(ctx, waiting[0])
	}
	if r, found := fromBrowser(waiting, from.Browser); found {
		return a.mailCode(ctx, r)
	}
	return a.mail(ctx, nameless(account), mailRegisterAgain, nil)
}

// SignIn returns the account if address and password are right. An address that
// is not known takes the same time and gets the same answer; one that is not
// confirmed learns so only with the right password.
func (a *App) SignIn(ctx context.Context, from Visitor, typed, password string) (mailing.Account, error) {
	if err := typedToSignIn(typed, password); err != nil {
		return mailing.Account{}, err
	}
	wrong := mailing.Fault(mailing.Invalid, "sign_in_wrong")
	email, err := mailing.NormalizeEmail(typed)
	if err != nil {
		return mailing.Account{}, wrong
	}
	account, hash, err := a.store.AccountByEmail(ctx, email)
	if err != nil && mailing.KindOf(err) != mailing.NotFound {
		return mailing.Account{}, wrap(err, "sign in")
	}
	if from.Browser != "" && account.ID != 0 && account.ConfirmedAt.IsZero() {
		waiting, err := a.waiting(ctx, account)
		if err != nil {
			return mailing.Account{}, wrap(err, "sign in")
		}
		if r, found := fromBrowser(waiting, from.Browser); found {
			hash = r.PasswordHash
		}
	}
	right, err := a.guarded(ctx, a.signInBudgets(from, email, account.ID), func() (bool, error) {
		if account.ID == 0 {
			return false, a.hasher.VerifyNothing(ctx, password)
		}
		return a.hasher.Verify(ctx, password, hash)
	})
	switch {
	case err != nil:
		return mailing.Account{}, wrap(err, "sign in")
	case !right:
		return mailing.Account{}, wrong
	case !account.BlockedAt.IsZero():
		return account, mailing.Fault(mailing.Forbidden, "account_blocked")
	case account.ConfirmedAt.IsZero():
		return account, mailing.Fault(mailing.Forbidden, "account_unconfirmed", "email", account.Email)
	}
	return account, nil
}

// typedToSignIn tells what is left empty, which is no try to get in.
func typedToSignIn(email, password string) error {
	var problems mailing.Problems
	if strings.TrimSpace(email) == "" {
		problems.Add("email", "email_empty")
	}
	if password == "" {
		problems.Add("password", "required")
	}
	return problems.Err()
}

// SignOut notes that a person has ended their session.
func (a *App) SignOut(ctx context.Context, actor mailing.Account) error {
	return wrap(a.store.PutDeed(a.ofOneself(ctx, actor, "account.sign_out")), "sign out")
}

// ofOneself has a change go into the audit log that a person makes of their own account.
func (a *App) ofOneself(ctx context.Context, actor mailing.Account, action mailing.Action) context.Context {
	return a.doing(ctx, actor, mailing.Deed{Action: action, Thing: accountThing(actor), Owner: actor.ID})
}

func (a *App) spendClient(ctx context.Context, from Visitor) error {
	return a.spendAt(ctx, "client:"+from.Address, ClientBudget)
}

func (a *App) spendAt(ctx context.Context, budget string, limit int64) error {
	ok, err := a.store.Spend(ctx, budget, limit, budgetHour, a.Now())
	if err == nil && !ok {
		return mailing.Fault(mailing.Limited, "too_many_requests")
	}
	return wrap(err, "spend budget")
}

// Account returns an account that is active, for the session that names it.
func (a *App) Account(ctx context.Context, id int64) (mailing.Account, error) {
	account, err := a.store.Account(ctx, id)
	if err == nil && !account.Active() {
		return mailing.Account{}, mailing.Fault(mailing.NotFound, "not_found")
	}
	return account, err
}

// AccountByEmail finds an account for the command line.
func (a *App) AccountByEmail(ctx context.Context, typed string) (mailing.Account, error) {
	email, err := mailing.NormalizeEmail(typed)
	if err != nil {
		return mailing.Account{}, err
	}
	account, _, err := a.store.AccountByEmail(ctx, email)
	if mailing.KindOf(err) == mailing.NotFound {
		return account, mailing.Fault(mailing.NotFound, "account_unknown", "email", email)
	}
	return account, err
}

// Owners returns what the accounts with the ids are called, for lists of
// everybody's things.
func (a *App) Owners(ctx context.Context, actor mailing.Account, ids []int64) (map[int64]string, error) {
	if !actor.Role.May(mailing.ViewUsers) {
		return nil, mailing.Fault(mailing.Forbidden, "forbidden")
	}
	names := make(map[int64]string)
	for _, id := range ids { // of one page of a list: a few people at most
		if names[id] != "" {
			continue
		}
		account, err := a.store.Account(ctx, id)
		if err != nil && mailing.KindOf(err) != mailing.NotFound {
			return nil, err
		}
		names[id] = account.Name()
	}
	return names, nil
}
