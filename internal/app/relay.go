package app

import (
	"context"
	"errors"
	"unicode/utf8"

	"vestnik/internal/auth"
	"vestnik/internal/mailing"
	"vestnik/internal/store"
)

const purposeRelay = "relay password"

// RelaySettings are how mail leaves the installation.
type RelaySettings struct {
	Host      string
	Port      int
	TLS       string // "none", "starttls", "starttls-required" or "implicit"
	Username  string
	Password  string // in a form, empty keeps the one that is stored
	FromName  string
	FromEmail string
}

// Relay returns the relay as it is set up, without its password, and whether one
// is; without, mails go to the demo mailbox.
func (a *App) Relay(ctx context.Context, actor mailing.Account) (RelaySettings, bool, error) {
	if !actor.Role.May(mailing.ManageRelays) {
		return RelaySettings{}, false, mailing.Fault(mailing.NotFound, "not_found")
	}
	r, found, err := a.RelayInUse(ctx)
	r.Password = ""
	if errors.Is(err, auth.ErrSealed) {
		err = nil // with another secret key; the page is where a new password is given
	}
	return r, found, err
}

// RelayInUse returns the relay with its password, for those who send.
func (a *App) RelayInUse(ctx context.Context) (RelaySettings, bool, error) {
	row, err := a.store.Relay(ctx)
	if mailing.KindOf(err) == mailing.NotFound {
		return RelaySettings{}, false, nil
	}
	if err != nil {
		return RelaySettings{}, false, err
	}
	r := RelaySettings{
		Host: row.Host, Port: row.Port, TLS: row.TLS, Username: row.Username,
		FromName: row.FromName, FromEmail: row.FromEmail,
	}
	if row.PasswordSealed == "" {
		return r, true, nil
	}
	password, err := a.keys.Open(purposeRelay, row.Username, row.PasswordSealed)
	r.Password = string(password)
	return r, true, wrap(err, "relay password")
}

// PutRelay sets the relay up. Runs that the earlier one has halted try it.
func (a *App) PutRelay(ctx context.Context, actor mailing.Account, r RelaySettings) error {
	r, err := a.checkedRelay(ctx, actor, r)
	if err != nil {
		return err
	}
	row := store.Relay{
		Host: r.Host, Port: r.Port, TLS: r.TLS, Username: r.Username,
		FromName: r.FromName, FromEmail: r.FromEmail, UpdatedAt: a.Now(),
	}
	if r.Password != "" {
		row.PasswordSealed = a.keys.Seal(purposeRelay, r.Username, []byte(r.Password))
	}
	if err := a.store.PutRelay(ctx, row); err != nil {
		return err
	}
	if err := a.relayChanged(ctx); err != nil {
		return err
	}
	return a.store.ClearHalts(ctx)
}

func (a *App) relayChanged(ctx context.Context) error {
	if a.RelayChanged == nil {
		return nil
	}
	return wrap(a.RelayChanged(ctx), "use relay")
}

// DeleteRelay goes back to the demo mailbox.
func (a *App) DeleteRelay(ctx context.Context, actor mailing.Account) error {
	if !actor.Role.May(mailing.ManageRelays) {
		return mailing.Fault(mailing.NotFound, "not_found")
	}
	if err := a.store.DeleteRelay(ctx); err != nil {
		return err
	}
	return a.relayChanged(ctx)
}

// TestRelay tries settings that are not stored yet, step by step.
func (a *App) TestRelay(ctx context.Context, actor mailing.Account, r RelaySettings, step func(name string, err error)) error {
	r, err := a.checkedRelay(ctx, actor, r)
	if err != nil {
		return err
	}
	a.CheckRelay(ctx, r, step)
	return nil
}

// checkedRelay completes a form. The stored password serves only for the server
// and name it was given for, so that nobody can have it sent elsewhere.
func (a *App) checkedRelay(ctx context.Context, actor mailing.Account, r RelaySettings) (RelaySettings, error) {
	if !actor.Role.May(mailing.ManageRelays) {
		return r, mailing.Fault(mailing.NotFound, "not_found")
	}
	var problems mailing.Problems
	r.Host, r.Username, r.FromName = mailing.CleanLine(r.Host), mailing.CleanLine(r.Username), mailing.CleanLine(r.FromName)
	if r.Host == "" {
		problems.Add("host", "required")
	}
	if r.Port < 1 || r.Port > 65535 {
		problems.Add("port", "port_malformed")
	}
	if !validTLS(r.TLS) {
		problems.Add("tls", "choice_unknown")
	}
	if utf8.RuneCountInString(r.FromName) > mailing.MaxNameRunes {
		problems.Add("from_name", "text_too_long", "max", mailing.MaxNameRunes)
	}
	email, err := mailing.NormalizeEmail(r.FromEmail)
	if err := problems.AddError("from_email", err); err != nil {
		return r, err
	}
	r.FromEmail = email
	if err := problems.Err(); err != nil {
		return r, err
	}
	old, found, err := a.RelayInUse(ctx)
	if err != nil && !errors.Is(err, auth.ErrSealed) {
		return r, err
	}
	if r.Password == "" && found && old.Host == r.Host && old.Port == r.Port && old.Username == r.Username {
		r.Password = old.Password
	}
	return r, nil
}

func validTLS(mode string) bool {
	return mode == "none" || mode == "starttls" || mode == "starttls-required" || mode == "implicit"
}
