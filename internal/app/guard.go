package app

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"vestnik/internal/auth"
	"vestnik/internal/mailing"
	"vestnik/internal/store"
)

// hasher is auth.Hasher; tests count its calls.
type hasher interface {
	Hash(ctx context.Context, password string) (string, error)
	Verify(ctx context.Context, password, stored string) (bool, error)
	VerifyNothing(ctx context.Context, password string) error
}

const guardDay = 24 * time.Hour

// The budgets of guesses; only failures count. A password has no more than 100 failures
// (NIST SP 800-63B, section 5.2.2) a day from strangers. A device that its owner
// signed in on has a budget of its own, which strangers cannot use up: the device
// cookies that OWASP describes. All numbers but the 100 are chosen: people who mistype hardly
// notice them.
var (
	// PasswordTries is for an account, and PasswordTriesDevice for each known device.
	PasswordTries       = store.TryBudget{Most: 100, Window: guardDay, Free: 5, Longest: 15 * time.Minute}
	PasswordTriesDevice = store.TryBudget{Most: 100, Window: guardDay, Free: 10, Longest: 5 * time.Minute}
	// CodeTriesDay keeps the whole of a day's tries at an account's six digits below
	// one in 60,000, however many codes are mailed: all but one have two digits more.
	CodeTriesDay = store.TryBudget{Most: 15, Window: guardDay, Free: 2 * CodeTries, Longest: time.Hour}
	// TriesHousehold is for all that comes from one network address, as visitors are told
	// apart, and TriesAll for everybody together: one guess at each of many accounts.
	TriesHousehold = store.TryBudget{Most: 200, Window: time.Hour, Free: 30, Longest: time.Minute}
	TriesAll       = store.TryBudget{Most: 5000, Window: time.Hour, Free: 5000, Longest: time.Minute}
)

// guarded lets verify compare something if all budgets have a try left. What was right, or not
// compared at all, is given back.
func (a *App) guarded(ctx context.Context, budgets []store.TryBudget, verify func() (bool, error)) (bool, error) {
	wait, err := a.store.TakeTry(ctx, budgets, a.Now())
	if err != nil {
		return false, err
	}
	if wait > 0 {
		return false, mailing.Fault(mailing.Limited, "try_later", "wait", wholeSeconds(wait))
	}
	right, err := verify()
	if right || err != nil {
		// Also when the visitor has gone: they would be charged for nothing.
		if err := a.store.GiveTryBack(context.WithoutCancel(ctx), budgets, a.Now()); err != nil {
			return false, err
		}
	}
	return right, err
}

// signInBudgets are the device's alone, or those that all strangers share. accountID is 0
// for an address that is not known, which is treated alike.
func (a *App) signInBudgets(from Visitor, email string, accountID int64) []store.TryBudget {
	if device := a.knownDevice(from, accountID); device != "" {
		return []store.TryBudget{PasswordTriesDevice.Named("password device " + device)}
	}
	return []store.TryBudget{
		TriesAll.Named("password all"), TriesHousehold.Named("password from " + from.Address),
		PasswordTries.Named("password of " + email),
	}
}

// codeBudgets are those of strangers. The machine itself has one of its own, so that they
// cannot keep the operator from the code that was printed there.
func codeBudgets(from Visitor, email string) []store.TryBudget {
	if from.Loopback {
		return []store.TryBudget{CodeTriesDay.Named("code here of " + email)}
	}
	return []store.TryBudget{
		TriesAll.Named("code all"), TriesHousehold.Named("code from " + from.Address), CodeTriesDay.Named("code of " + email),
	}
}

// DeviceLifetime is how long a device is known after its last sign-in. Chosen.
const DeviceLifetime = 365 * 24 * time.Hour

const purposeDevice = "device"

// devicesKept is for how many people one browser is known: a family's.
const devicesKept = 5

// RememberDevice returns what a browser shall show from now on, for the account to have a
// budget of its own there. It opens nothing by itself.
func (a *App) RememberDevice(from Visitor, account mailing.Account) string {
	device := a.knownDevice(from, account.ID)
	if device == "" {
		device = auth.NewToken()[:16] // 96 bits: only never twice
	}
	payload := strconv.FormatInt(account.ID, 10) + " " + device
	kept := []string{a.keys.Sign(purposeDevice, []byte(payload), a.Now().Add(DeviceLifetime))}
	for token := range strings.SplitSeq(from.Device, ".") {
		if id, _ := a.deviceOf(token); id != 0 && id != account.ID && len(kept) < devicesKept {
			kept = append(kept, token)
		}
	}
	return strings.Join(kept, ".")
}

// knownDevice returns the name of the device that the account has signed in on before; empty
// for a strange one.
func (a *App) knownDevice(from Visitor, accountID int64) string {
	if accountID == 0 {
		return ""
	}
	for token := range strings.SplitSeq(from.Device, ".") {
		if id, device := a.deviceOf(token); id == accountID {
			return device
		}
	}
	return ""
}

func (a *App) deviceOf(token string) (accountID int64, device string) {
	payload, err := a.keys.Verify(purposeDevice, token, a.Now())
	if err != nil {
		return 0, ""
	}
	id, device, _ := strings.Cut(string(payload), " ")
	accountID, err = strconv.ParseInt(id, 10, 64)
	if err != nil {
		return 0, ""
	}
	return accountID, device
}

// evenly waits until an answer has taken AnswerAfter since it began, so that its time does not
// tell what there was to do.
func (a *App) evenly(ctx context.Context, began time.Time) {
	left := a.AnswerAfter - time.Since(began)
	if left <= 0 {
		return
	}
	select {
	case <-ctx.Done():
	case <-time.After(left):
	}
}

// checkPassword adds what is wrong with a new password, which must not be made of the
// person's own words or the site's.
func (a *App) checkPassword(problems *mailing.Problems, password, again string, personal ...string) error {
	if err := problems.AddError("password", auth.CheckPassword(password, append(personal, a.BaseURL)...)); err != nil {
		return err
	}
	if password != again {
		problems.Add("again", "passwords_differ")
	}
	return nil
}

func wholeSeconds(d time.Duration) time.Duration {
	return (d + time.Second - 1).Truncate(time.Second)
}

// waitOf is how long a fault asks to wait; zero when it does not say.
func waitOf(err error) time.Duration {
	var fault *mailing.Error
	if !errors.As(err, &fault) {
		return 0
	}
	wait, _ := fault.Params["wait"].(time.Duration)
	return wait
}
