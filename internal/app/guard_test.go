package app_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
	"vestnik/internal/store/storetest"
)

// from is one of a thousand network addresses.
func from(i int) app.Visitor {
	return app.Visitor{Address: fmt.Sprintf("198.18.%d.%d", i%1000/250, i%250)}
}

const wrongPassword = "wrong password"

func TestGuessingPasswords(t *testing.T) {
	const guesses = 10_000
	h := newHouse(t)
	anna := active(t, h, "anna@example.org")
	known := app.Visitor{Address: "203.0.113.7", Device: h.RememberDevice(stranger, anna)}
	work := h.CountWork()
	for i := range guesses {
		if _, err := h.SignIn(t.Context(), from(i), anna.Email, wrongPassword); i >= int(app.PasswordTries.Free) {
			want(t, err, "try_later")
		}
	}
	t.Run("of ten thousand guesses at once, no more than are free reach the verifier", func(t *testing.T) {
		if got := work.Verified.Load(); got != app.PasswordTries.Free {
			t.Errorf("%d did", got)
		}
	})
	t.Run("of ten thousand in a day, no more than a hundred", func(t *testing.T) {
		for i := range guesses {
			h.later(24 * time.Hour / guesses)
			if h.now.Sub(storetest.Now) >= app.PasswordTries.Window-time.Minute {
				break
			}
			h.SignIn(t.Context(), from(i), anna.Email, wrongPassword)
		}
		if got := work.Verified.Load(); got > app.PasswordTries.Most || got < app.PasswordTries.Most*9/10 {
			t.Errorf("%d did", got)
		}
	})
	t.Run("the owner still gets in on a device that is known, at once, and on no other", func(t *testing.T) {
		h.SignIn(t.Context(), from(0), anna.Email, wrongPassword)
		_, err := h.SignIn(t.Context(), known, anna.Email, password)
		want(t, err, "ok")
		_, err = h.SignIn(t.Context(), stranger, anna.Email, password)
		want(t, err, "try_later")
	})
	t.Run("a device that is known has tries of its own, and they end, too", func(t *testing.T) {
		before := work.Verified.Load()
		for range 50 {
			h.SignIn(t.Context(), known, anna.Email, wrongPassword)
		}
		if got := work.Verified.Load() - before; got != app.PasswordTriesDevice.Free {
			t.Errorf("%d reached the verifier", got)
		}
	})
	t.Run("a reset by mail always works, and makes the device known", func(t *testing.T) {
		for i := range 2 * app.MailBudget { // they use up the mails of registering, of codes and of links
			r := anna0(anna.Email)
			_, err := h.Register(t.Context(), from(i), r)
			must(t, err)
			must(t, h.RequestReset(t.Context(), from(i), anna.Email))
		}
		link := h.last(t, "link")
		account, err := h.Reset(t.Context(), link[strings.LastIndex(link, "/")+1:], "зелёный слон в лесу", "зелёный слон в лесу")
		must(t, err)
		fresh := app.Visitor{Address: "203.0.113.99", Device: h.RememberDevice(stranger, account)}
		_, err = h.SignIn(t.Context(), fresh, anna.Email, "зелёный слон в лесу")
		want(t, err, "ok")
	})
}

// anna0 is a registration of an address.
func anna0(email string) app.Registration {
	r := anna()
	r.Email = email
	return r
}

func TestGuessingAtManyAccounts(t *testing.T) {
	h := newHouse(t)
	work := h.CountWork()
	t.Run("one network address tries no more than so many in an hour", func(t *testing.T) {
		for i := range 400 {
			h.SignIn(t.Context(), stranger, fmt.Sprintf("a%d@example.org", i), wrongPassword)
			h.later(time.Second)
		}
		if got := work.Nothing.Load(); got > app.TriesHousehold.Most || got < app.TriesHousehold.Free {
			t.Errorf("%d reached the verifier", got)
		}
	})
	t.Run("who gets in right away uses up nothing", func(t *testing.T) {
		h := newHouse(t)
		work := h.CountWork()
		active(t, h, "anna@example.org")
		for range 2 * app.TriesHousehold.Free {
			want(t, signIn(t, h, "anna@example.org", password), "ok")
		}
		if got := work.Verified.Load(); got != 2*app.TriesHousehold.Free {
			t.Errorf("%d", got)
		}
	})
}

func TestGuessingCodes(t *testing.T) {
	h := newHouse(t)
	register(t, h, anna())
	code, open := h.last(t, "code"), h.last(t, "open")
	work := h.CountWork()
	for i := range 10_000 {
		guess := fmt.Sprintf("%06d", i)
		if guess == code {
			continue
		}
		if err := h.Confirm(t.Context(), from(i), "anna@example.org", guess); err == nil {
			t.Fatal("a wrong code was taken")
		}
		h.later(5 * time.Second)
	}
	t.Run("of ten thousand guesses, no more are compared than a code has tries", func(t *testing.T) {
		if got := work.Codes.Load(); got != app.CodeTries {
			t.Errorf("%d were", got)
		}
	})
	t.Run("no number of new codes lets in more than a day's budget", func(t *testing.T) {
		for i := range 1000 {
			must(t, h.ResendCode(t.Context(), from(i), "anna@example.org"))
			h.Confirm(t.Context(), from(i), "anna@example.org", "xxxxxx")
		}
		if got := work.Codes.Load(); got > app.CodeTriesDay.Most {
			t.Errorf("%d were", got)
		}
	})
	t.Run("the owner still gets in by the link in the mail, once", func(t *testing.T) {
		h.later(2 * time.Hour)
		must(t, h.ResendCode(t.Context(), stranger, "anna@example.org"))
		want(t, h.Confirm(t.Context(), stranger, "anna@example.org", h.last(t, "code")), "code_later")
		_, proof, _ := strings.Cut(h.last(t, "open"), "?proof=")
		_, old, _ := strings.Cut(open, "?proof=")
		want(t, h.ConfirmByLink(t.Context(), stranger, "anna@example.org", old), "code_link_expired")
		want(t, h.ConfirmByLink(t.Context(), stranger, "boris@example.org", proof), "code_link_expired")
		want(t, h.ConfirmByLink(t.Context(), stranger, "anna@example.org", proof), "ok")
		want(t, signIn(t, h, "anna@example.org", password), "ok")
		want(t, h.ConfirmByLink(t.Context(), stranger, "anna@example.org", proof), "code_link_expired")
	})
	t.Run("strangers cannot keep the operator from the code that was printed", func(t *testing.T) {
		superuser(t, h)
		for i := range 1000 {
			h.Confirm(t.Context(), from(i), "admin@admin.com", "000000")
		}
		must(t, h.RenewCode(t.Context(), "admin@admin.com", app.WellKnownCode))
		want(t, h.Confirm(t.Context(), local, "admin@admin.com", app.WellKnownCode), "ok")
	})
}

func TestDevices(t *testing.T) {
	h := newHouse(t)
	anna, boris := active(t, h, "anna@example.org"), active(t, h, "boris@example.org")
	known := func(device string, a mailing.Account) bool {
		t.Helper()
		// A stranger has five tries at once, a known device ten.
		work, n := h.CountWork(), int64(0)
		for range app.PasswordTriesDevice.Free {
			h.SignIn(t.Context(), app.Visitor{Address: "192.0.2.1", Device: device}, a.Email, wrongPassword)
		}
		n = work.Verified.Load()
		h.later(24 * time.Hour)
		return n == app.PasswordTriesDevice.Free
	}
	device := h.RememberDevice(stranger, anna)
	for _, c := range []struct {
		what, device string
		account      mailing.Account
		want         bool
	}{
		{"its owner's is known", device, anna, true},
		{"another's is not", device, boris, false},
		{"a changed one is not", strings.ToUpper(device), anna, false},
		{"two people in one browser are known both", h.RememberDevice(app.Visitor{Device: device}, boris), anna, true},
		{"nonsense is not", "...", anna, false},
	} {
		t.Run(c.what, func(t *testing.T) {
			if known(c.device, c.account) != c.want {
				t.Error("it is otherwise")
			}
		})
	}
	t.Run("a browser is known for five people at most, and forgotten after a year", func(t *testing.T) {
		shared := ""
		for i := range 9 {
			shared = h.RememberDevice(app.Visitor{Device: shared}, active(t, h, fmt.Sprintf("p%d@example.org", i)))
		}
		if n := len(strings.Split(shared, ".")); n != 5 {
			t.Errorf("for %d", n)
		}
		h.later(app.DeviceLifetime)
		if known(device, anna) {
			t.Error("it is not forgotten")
		}
	})
}

func TestNobodyLearnsWhoIsRegistered(t *testing.T) {
	h := newHouse(t)
	active(t, h, "known@example.org")
	for _, c := range []struct {
		what      string
		do        func(email string) error
		sameMails bool // an unknown address gets a mail, too
	}{
		{"signing in", func(email string) error { return signIn(t, h, email, wrongPassword) }, true},
		{"registering", func(email string) error {
			_, err := h.Register(t.Context(), stranger, anna0(email))
			return err
		}, true},
		{"asking for a new password", func(email string) error { return h.RequestReset(t.Context(), stranger, email) }, false},
		{"asking for a new code", func(email string) error { return h.ResendCode(t.Context(), stranger, email) }, true},
	} {
		t.Run(c.what+" answers known and unknown addresses alike, with the same work", func(t *testing.T) {
			did := func(email string) (string, int) {
				work, before := h.CountWork(), len(h.mails(t))
				err := c.do(email)
				hashes := work.Hashes.Load() + work.Verified.Load() + work.Nothing.Load()
				return fmt.Sprintf("%s after %d hashes", answer(err), hashes), len(h.mails(t)) - before
			}
			known, knownMails := did("known@example.org")
			unknown, unknownMails := did(fmt.Sprintf("unknown%d@example.org", len(c.what)))
			if known != unknown {
				t.Errorf("known: %s; unknown: %s", known, unknown)
			}
			if c.sameMails != (knownMails == unknownMails) || unknownMails > knownMails {
				t.Errorf("mails to known: %d, to unknown: %d", knownMails, unknownMails)
			}
		})
	}
	t.Run("what there was to do does not show in the time", func(t *testing.T) {
		h.AnswerAfter = 50 * time.Millisecond
		for _, email := range []string{"known@example.org", "nobody@example.org"} {
			began := time.Now()
			must(t, h.RequestReset(t.Context(), stranger, email))
			if took := time.Since(began); took < h.AnswerAfter {
				t.Errorf("%s was answered after %s", email, took)
			}
		}
	})
}

func TestManySignInsAtOnce(t *testing.T) {
	const visitors = 500
	h := newHouse(t)
	for i := range visitors {
		storetest.Account(t, h.store, fmt.Sprintf("p%d@example.org", i))
	}
	var busy, wrong atomic.Int64
	var all sync.WaitGroup
	stop := make(chan struct{})
	most := make(chan uint64)
	go func() { most <- mostHeap(stop) }()
	for i := range visitors {
		all.Go(func() {
			_, err := h.SignIn(context.Background(), from(i), fmt.Sprintf("nobody%d@example.org", i), password)
			switch code := mailing.CodeOf(err); code {
			case "busy":
				busy.Add(1)
			case "sign_in_wrong":
				wrong.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	all.Wait()
	close(stop)
	heap := <-most
	t.Logf("%d were answered, %d were told to come back; the heap was %d MiB at most", wrong.Load(), busy.Load(), heap>>20)
	// Four hashes of 19 MiB at a time, and as much again that is not collected yet; five
	// hundred would be 9,500.
	if heap > 512<<20 {
		t.Errorf("the heap was %d MiB", heap>>20)
	}
	if busy.Load()+wrong.Load() != visitors || wrong.Load() == 0 {
		t.Error("not all got an answer")
	}
	if _, err := h.SignIn(t.Context(), from(0), "nobody0@example.org", password); slices.Contains([]string{"busy", ""}, mailing.CodeOf(err)) {
		t.Errorf("afterwards it is %v", errors.Unwrap(err))
	}
}

// mostHeap measures the heap until stop is closed.
func mostHeap(stop chan struct{}) (most uint64) {
	for {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		most = max(most, m.HeapInuse)
		select {
		case <-stop:
			return most
		case <-time.After(20 * time.Millisecond):
		}
	}
}
