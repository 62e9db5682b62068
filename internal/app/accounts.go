package app

import (
	"context"
	"crypto/subtle"
	"strings"
	"time"

	"vestnik/internal/auth"
	"vestnik/internal/mailing"
)

// Limits of codes and of guessing. A six-digit code with five tries is guessed
// once in 200,000 codes; the budget of an address, which a new code does not
// reset, keeps the whole of a day's tries below one in 60,000.
const (
	CodeTries      = 5
	CodeLifetime   = time.Hour
	CodeBudget     = 15  // tries an address and day, whatever the code
	MailBudget     = 6   // codes and links mailed to an address an hour
	SignInBudget   = 20  // tries an address and quarter of an hour
	ClientBudget   = 200 // of all these, from one network address an hour
	ResetLifetime  = time.Hour
	budgetDay      = 24 * time.Hour
	budgetHour     = time.Hour
	signInInterval = 15 * time.Minute
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
}

// Register makes an account that is not active yet and mails it a code. Whether
// the address is registered already shows only in its own mailbox.
func (a *App) Register(ctx context.Context, from Visitor, r Registration) (email string, err error) {
	if !a.OpenSignUp {
		return "", mailing.Fault(mailing.Forbidden, "signup_closed")
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
	if err := a.putUnconfirmed(ctx, account, hash); err != nil {
		return "", err
	}
	return account.Email, nil
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
	if err := problems.AddError("password", auth.CheckPassword(r.Password, r.Email, r.FirstName, r.LastName)); err != nil {
		return account, err
	}
	if r.Again != r.Password {
		problems.Add("again", "passwords_differ")
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

// putUnconfirmed stores a registration. An address that is confirmed already
// gets a mail that says so, in place of a code.
func (a *App) putUnconfirmed(ctx context.Context, account mailing.Account, hash string) error {
	id, err := a.store.CreateAccount(ctx, account, hash)
	if err == nil {
		account.ID = id
		return a.mailCode(ctx, account)
	}
	if mailing.KindOf(err) != mailing.Conflict {
		return wrap(err, "register")
	}
	known, _, err := a.store.AccountByEmail(ctx, account.Email)
	if err != nil {
		return wrap(err, "register")
	}
	if !replaceable(known) {
		return a.mailIfBudget(ctx, known, mailKnown, nil)
	}
	account.ID = known.ID
	if err := a.store.ReplaceUnconfirmed(ctx, account, hash); err != nil {
		return wrap(err, "register")
	}
	return a.mailCode(ctx, account)
}

// replaceable reports whether a stranger's registration may take the account's
// place and have a code mailed. Superusers wait for the code the operator was
// given: who happens to own their mailbox must not become one.
func replaceable(a mailing.Account) bool {
	return a.ConfirmedAt.IsZero() && a.Role == mailing.RoleUser
}

// mailCode makes a new code and mails it, as long as the address's budget lasts.
func (a *App) mailCode(ctx context.Context, account mailing.Account) error {
	ok, err := a.store.Spend(ctx, "mail:"+account.Email, MailBudget, budgetHour, a.Now())
	if err != nil || !ok {
		return wrap(err, "mail code")
	}
	code := auth.NewCode()
	if err := a.putCode(ctx, account.ID, code, CodeLifetime); err != nil {
		return err
	}
	return a.mail(ctx, account, mailConfirm, map[string]any{
		"code": code, "link": a.BaseURL + "/confirm_code/" + account.Email + "/",
	})
}

func (a *App) putCode(ctx context.Context, accountID int64, code string, lifetime time.Duration) error {
	hash := a.keys.HashCode(purposeConfirm, accountID, code)
	err := a.store.PutCode(ctx, accountID, purposeConfirm, hash, CodeTries, a.Now().Add(lifetime))
	return wrap(err, "put code")
}

// ResendCode mails a new code to an address that waits for one. It answers alike
// for every address.
func (a *App) ResendCode(ctx context.Context, from Visitor, typed string) error {
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
	return a.mailCode(ctx, account)
}

// Confirm activates the account if the code is right. A wrong code, a code that
// has expired, a known and an unknown address are answered alike.
func (a *App) Confirm(ctx context.Context, from Visitor, typed, code string) error {
	wrong := mailing.FieldFault(mailing.Invalid, "code", "code_wrong")
	email, err := mailing.NormalizeEmail(typed)
	if err != nil {
		return wrong
	}
	if err := a.spendClient(ctx, from); err != nil {
		return err
	}
	ok, err := a.store.Spend(ctx, "code:"+email, CodeBudget, budgetDay, a.Now())
	if err != nil {
		return wrap(err, "confirm")
	}
	if !ok {
		return mailing.FieldFault(mailing.Limited, "code", "code_budget")
	}
	account, _, err := a.store.AccountByEmail(ctx, email)
	if mailing.KindOf(err) == mailing.NotFound {
		return wrong
	}
	if err != nil {
		return wrap(err, "confirm")
	}
	return a.useCode(ctx, from, account, code, wrong)
}

func (a *App) useCode(ctx context.Context, from Visitor, account mailing.Account, code string, wrong error) error {
	code = strings.Join(strings.Fields(mailing.CleanLine(code)), "") // as CodeMatches compares it
	hash, err := a.store.TakeCodeTry(ctx, account.ID, purposeConfirm, a.Now())
	if mailing.KindOf(err) == mailing.NotFound {
		return wrong
	}
	if err != nil {
		return wrap(err, "confirm")
	}
	wellKnown := subtle.ConstantTimeCompare([]byte(code), []byte(WellKnownCode)) == 1
	if !a.keys.CodeMatches(hash, purposeConfirm, account.ID, code) || wellKnown && !from.Loopback {
		return wrong
	}
	first, err := a.store.DeleteCode(ctx, account.ID, purposeConfirm, hash)
	if err != nil || !first {
		return wrap(err, "confirm")
	}
	return wrap(a.store.ConfirmAccount(ctx, account.ID, a.Now()), "confirm")
}

// SignIn returns the account if address and password are right. An address that
// is not known takes the same time and gets the same answer; one that is not
// confirmed learns so only with the right password.
func (a *App) SignIn(ctx context.Context, from Visitor, typed, password string) (mailing.Account, error) {
	wrong := mailing.Fault(mailing.Invalid, "sign_in_wrong")
	email, err := mailing.NormalizeEmail(typed)
	if err != nil {
		return mailing.Account{}, wrong
	}
	if err := a.spendSignIn(ctx, from, email); err != nil {
		return mailing.Account{}, err
	}
	account, hash, err := a.store.AccountByEmail(ctx, email)
	if mailing.KindOf(err) == mailing.NotFound {
		return mailing.Account{}, orWrong(a.hasher.VerifyNothing(ctx, password), wrong)
	}
	if err != nil {
		return mailing.Account{}, wrap(err, "sign in")
	}
	right, err := a.hasher.Verify(ctx, password, hash)
	if err != nil || !right {
		return mailing.Account{}, orWrong(err, wrong)
	}
	switch {
	case !account.BlockedAt.IsZero():
		return account, mailing.Fault(mailing.Forbidden, "account_blocked")
	case account.ConfirmedAt.IsZero():
		return account, mailing.Fault(mailing.Forbidden, "account_unconfirmed", "email", account.Email)
	}
	return account, nil
}

func orWrong(err, wrong error) error {
	if err != nil {
		return wrap(err, "sign in")
	}
	return wrong
}

func (a *App) spendSignIn(ctx context.Context, from Visitor, email string) error {
	if err := a.spendClient(ctx, from); err != nil {
		return err
	}
	ok, err := a.store.Spend(ctx, "signin:"+email, SignInBudget, signInInterval, a.Now())
	if err == nil && !ok {
		return mailing.Fault(mailing.Limited, "too_many_requests")
	}
	return wrap(err, "sign in")
}

func (a *App) spendClient(ctx context.Context, from Visitor) error {
	ok, err := a.store.Spend(ctx, "client:"+from.Address, ClientBudget, budgetHour, a.Now())
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

// RequestReset mails a link to set a new password. It answers alike for every
// address.
func (a *App) RequestReset(ctx context.Context, from Visitor, typed string) error {
	email, err := mailing.NormalizeEmail(typed)
	if err != nil {
		return err
	}
	if err := a.spendClient(ctx, from); err != nil {
		return err
	}
	account, _, err := a.store.AccountByEmail(ctx, email)
	if mailing.KindOf(err) == mailing.NotFound || err == nil && !account.Active() {
		return nil
	}
	if err != nil {
		return wrap(err, "request reset")
	}
	// Before the new link is stored: a request that mails nothing must not void
	// the link that was mailed.
	ok, err := a.store.Spend(ctx, "mail:"+account.Email, MailBudget, budgetHour, a.Now())
	if err != nil || !ok {
		return wrap(err, "request reset")
	}
	token := auth.NewToken()
	hash := auth.HashToken(token)
	if err := a.store.PutCode(ctx, account.ID, purposeReset, hash, 1, a.Now().Add(ResetLifetime)); err != nil {
		return wrap(err, "request reset")
	}
	signed := a.keys.Sign(purposeReset, []byte(account.Email+" "+token), a.Now().Add(ResetLifetime))
	return a.mail(ctx, account, mailReset, map[string]any{"link": a.BaseURL + "/reset/" + signed})
}

// CheckReset reports whether a link still looks usable, before a person types a
// new password.
func (a *App) CheckReset(link string) error {
	_, err := a.keys.Verify(purposeReset, link, a.Now())
	return err
}

// Reset sets a new password by a link. It signs the account out everywhere, and
// the link works once.
func (a *App) Reset(ctx context.Context, link, password, again string) error {
	payload, err := a.keys.Verify(purposeReset, link, a.Now())
	if err != nil {
		return err
	}
	email, token, _ := strings.Cut(string(payload), " ")
	var problems mailing.Problems
	if err := problems.AddError("password", auth.CheckPassword(password, email)); err != nil {
		return err
	}
	if password != again {
		problems.Add("again", "passwords_differ")
	}
	if err := problems.Err(); err != nil {
		return err
	}
	return a.useReset(ctx, email, token, password)
}

func (a *App) useReset(ctx context.Context, email, token, password string) error {
	account, _, err := a.store.AccountByEmail(ctx, email)
	if err != nil {
		return wrap(err, "reset")
	}
	hash, err := a.hasher.Hash(ctx, password)
	if err != nil {
		return wrap(err, "reset")
	}
	used, err := a.store.DeleteCode(ctx, account.ID, purposeReset, auth.HashToken(token))
	if err != nil {
		return wrap(err, "reset")
	}
	if !used {
		return mailing.Fault(mailing.Invalid, "link_expired")
	}
	return wrap(a.store.SetPassword(ctx, account.ID, hash), "reset")
}

// Profile is what a person may change of themselves.
type Profile struct{ FirstName, LastName, Phone, Lang, Zone string }

// UpdateProfile stores the actor's profile.
func (a *App) UpdateProfile(ctx context.Context, actor mailing.Account, p Profile) error {
	actor.FirstName, actor.LastName = mailing.CleanLine(p.FirstName), mailing.CleanLine(p.LastName)
	actor.Phone, actor.Lang, actor.Zone = mailing.CleanLine(p.Phone), p.Lang, p.Zone
	var problems mailing.Problems
	checkNames(&problems, actor)
	if len([]rune(actor.Phone)) > 32 || !phoneShape(actor.Phone) {
		problems.Add("phone", "phone_malformed")
	}
	if actor.Lang != "ru" && actor.Lang != "en" {
		problems.Add("lang", "choice_unknown")
	}
	if _, err := mailing.LoadZone(actor.Zone); err != nil {
		problems.Add("zone", "zone_unknown", "zone", actor.Zone)
	}
	if err := problems.Err(); err != nil {
		return err
	}
	return wrap(a.store.UpdateProfile(ctx, actor), "update profile")
}

// SetLang keeps the language a signed-in person switched to.
func (a *App) SetLang(ctx context.Context, actor mailing.Account, lang string) error {
	if lang != "ru" && lang != "en" {
		return mailing.FieldFault(mailing.Invalid, "lang", "choice_unknown")
	}
	actor.Lang = lang
	return wrap(a.store.UpdateProfile(ctx, actor), "set language")
}

// phoneShape reports whether s looks like a phone number in any country's manner
// of writing, or is empty (ITU-T E.164 has up to 15 digits).
func phoneShape(s string) bool {
	digits := 0
	for _, r := range s {
		switch {
		case r >= '0' && r <= '9':
			digits++
		case r != '+' && r != '-' && r != ' ' && r != '(' && r != ')' && r != '.':
			return false
		}
	}
	return s == "" || digits >= 3 && digits <= 15
}

// NewAccount is an account made by the operator.
type NewAccount struct {
	Email, FirstName, LastName, Password string
	Role                                 mailing.Role
	Lang                                 string
	Code                                 string // to confirm with; empty: it is active at once
}

// CreateAccount makes an account from the command line. An address that is taken
// is a conflict and changes nothing.
func (a *App) CreateAccount(ctx context.Context, n NewAccount) (mailing.Account, error) {
	account := mailing.Account{
		Role: n.Role, FirstName: mailing.CleanLine(n.FirstName), LastName: mailing.CleanLine(n.LastName),
		Lang: n.Lang, Zone: a.Zone, CreatedAt: a.Now(),
	}
	var problems mailing.Problems
	email, err := mailing.NormalizeEmail(n.Email)
	if err := problems.AddError("email", err); err != nil {
		return account, err
	}
	account.Email = email
	if err := problems.AddError("password", auth.CheckPassword(n.Password, n.Email)); err != nil {
		return account, err
	}
	if !n.Role.Valid() {
		problems.Add("role", "choice_unknown")
	}
	if err := problems.Err(); err != nil {
		return account, err
	}
	return a.storeAccount(ctx, account, n)
}

func (a *App) storeAccount(ctx context.Context, account mailing.Account, n NewAccount) (mailing.Account, error) {
	hash, err := a.hasher.Hash(ctx, n.Password)
	if err != nil {
		return account, wrap(err, "create account")
	}
	if n.Code == "" {
		account.ConfirmedAt = a.Now()
	}
	if account.ID, err = a.store.CreateAccount(ctx, account, hash); err != nil || n.Code == "" {
		return account, err
	}
	return account, a.putCode(ctx, account.ID, n.Code, OperatorCodeLifetime)
}

// OperatorCodeLifetime is for a code that was printed on the machine itself, and
// is typed when somebody finds the time. Chosen.
const OperatorCodeLifetime = 7 * 24 * time.Hour

// NewCode returns six random digits.
func NewCode() string { return auth.NewCode() }

// RenewCode gives an account that was made by the operator, and is not active
// yet, another code: the earlier one has expired, or was mistyped too often.
func (a *App) RenewCode(ctx context.Context, email, code string) error {
	account, err := a.AccountByEmail(ctx, email)
	if err != nil {
		return err
	}
	if !account.ConfirmedAt.IsZero() {
		return mailing.Fault(mailing.Conflict, "account_active", "email", account.Email)
	}
	return a.putCode(ctx, account.ID, code, OperatorCodeLifetime)
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

// Accounts lists people, for who may see them.
func (a *App) Accounts(ctx context.Context, actor mailing.Account, page Page) ([]mailing.Account, int64, error) {
	if !actor.Role.May(mailing.ViewUsers) {
		return nil, 0, mailing.Fault(mailing.NotFound, "not_found")
	}
	return a.store.Accounts(ctx, page)
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
