package store_test

import (
	"testing"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/store"
	"vestnik/internal/store/storetest"
)

var codes = []string{"one", "two", "three"}

func passkey(account int64, id string) store.SealedPasskey {
	return store.SealedPasskey{
		Passkey:      mailing.Passkey{AccountID: account, Name: "Телефон", CreatedAt: now},
		CredentialID: id, Sealed: "record of " + id,
	}
}

func TestTOTP(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		a := storetest.Account(t, s, "anna@example.com").ID
		app := store.TOTP{AccountID: a, Sealed: "secret", UsedStep: 7, CreatedAt: now}
		_, err := s.TOTP(ctx, a)
		wantCode(t, err, "not_found")
		equal(t, "needed before", must(s.HasFactor(ctx, a))(t), false)
		equal(t, "the first", must(s.EnableTOTP(ctx, app, codes))(t), true)
		equal(t, "app", must(s.TOTP(ctx, a))(t), app)
		equal(t, "needed", must(s.HasFactor(ctx, a))(t), true)
		t.Run("there is one app", func(t *testing.T) {
			_, err := s.EnableTOTP(ctx, app, []string{"other"})
			wantCode(t, err, "totp_enabled")
			equal(t, "codes", must(s.CountRecoveryCodes(ctx, a))(t), 3)
		})
		t.Run("a time step is used once, however many use it at once, and none before it", func(t *testing.T) {
			taken := make([]bool, 8)
			for _, err := range atOnce(len(taken), func(i int) (err error) {
				taken[i], err = s.TakeTOTPStep(ctx, a, 9)
				return err
			}) {
				ok(t, err)
			}
			n := 0
			for _, yes := range taken {
				if yes {
					n++
				}
			}
			equal(t, "taken", n, 1)
			equal(t, "the one before", must(s.TakeTOTPStep(ctx, a, 8))(t), false)
			equal(t, "the next", must(s.TakeTOTPStep(ctx, a, 10))(t), true)
			equal(t, "of nobody", must(s.TakeTOTPStep(ctx, 1, 11))(t), false)
		})
		t.Run("it goes with the recovery codes", func(t *testing.T) {
			ok(t, s.DisableTOTP(ctx, a))
			wantCode(t, s.DisableTOTP(ctx, a), "not_found")
			equal(t, "codes", must(s.CountRecoveryCodes(ctx, a))(t), 0)
			equal(t, "needed", must(s.HasFactor(ctx, a))(t), false)
		})
	})
}

func TestRecoveryCodes(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		a := storetest.Account(t, s, "anna@example.com").ID
		wantCode(t, s.SetRecoveryCodes(ctx, a, codes), "factors_none")
		must(s.AddPasskey(ctx, passkey(a, "key"), codes))(t)
		t.Run("each is good once, however many use it at once", func(t *testing.T) {
			taken := 0
			for _, err := range atOnce(8, func(int) error { return s.TakeRecoveryCode(ctx, a, "two") }) {
				if err == nil {
					taken++
					continue
				}
				wantCode(t, err, "not_found")
			}
			equal(t, "taken", taken, 1)
			equal(t, "left", must(s.CountRecoveryCodes(ctx, a))(t), 2)
			wantCode(t, s.TakeRecoveryCode(ctx, 1, "one"), "not_found")
		})
		t.Run("new ones replace all", func(t *testing.T) {
			ok(t, s.SetRecoveryCodes(ctx, a, []string{"new"}))
			wantCode(t, s.TakeRecoveryCode(ctx, a, "one"), "not_found")
			ok(t, s.TakeRecoveryCode(ctx, a, "new"))
		})
	})
}

func TestPasskeys(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		a, b := storetest.Account(t, s, "anna@example.com").ID, storetest.Account(t, s, "boris@example.com").ID
		equal(t, "the first", must(s.AddPasskey(ctx, passkey(a, "one"), codes))(t), true)
		equal(t, "the second is first", must(s.AddPasskey(ctx, passkey(a, "two"), nil))(t), false)
		_, err := s.AddPasskey(ctx, passkey(b, "one"), nil)
		wantCode(t, err, "passkey_known")
		equal(t, "needed after what failed", must(s.HasFactor(ctx, b))(t), false)
		list := must(s.Passkeys(ctx, a))(t)
		equal(t, "passkeys", len(list), 2)
		first := list[0]
		t.Run("of two uses of one record the second is refused", func(t *testing.T) {
			ok(t, s.UsePasskey(ctx, first, "used", now.Add(time.Hour)))
			wantCode(t, s.UsePasskey(ctx, first, "used otherwise", now.Add(time.Hour)), "changed_meanwhile")
		})
		t.Run("only their own person changes them", func(t *testing.T) {
			mine, theirs := first.Passkey, first.Passkey
			theirs.AccountID, theirs.Name = b, "Чужой"
			wantCode(t, s.RenamePasskey(ctx, theirs), "not_found")
			wantCode(t, s.RemovePasskey(ctx, theirs), "not_found")
			mine.Name = "Ноутбук"
			ok(t, s.RenamePasskey(ctx, mine))
			for _, p := range must(s.Passkeys(ctx, a))(t) {
				if p.ID == mine.ID {
					equal(t, "name", p.Name, "Ноутбук")
					equal(t, "record", p.Sealed, "used")
					equal(t, "used", p.UsedAt, now.Add(time.Hour))
				}
			}
		})
		t.Run("recovery codes go with the last", func(t *testing.T) {
			ok(t, s.RemovePasskey(ctx, list[0].Passkey))
			equal(t, "codes", must(s.CountRecoveryCodes(ctx, a))(t), 3)
			ok(t, s.RemovePasskey(ctx, list[1].Passkey))
			equal(t, "codes", must(s.CountRecoveryCodes(ctx, a))(t), 0)
		})
		t.Run("a reset takes all", func(t *testing.T) {
			wantCode(t, s.ResetFactors(ctx, a), "factors_none")
			must(s.AddPasskey(ctx, passkey(a, "three"), codes))(t)
			must(s.EnableTOTP(ctx, store.TOTP{AccountID: a, Sealed: "secret", CreatedAt: now}, nil))(t)
			must(s.AddPasskey(ctx, passkey(b, "four"), codes))(t)
			ok(t, s.ResetFactors(ctx, a))
			equal(t, "needed", must(s.HasFactor(ctx, a))(t), false)
			equal(t, "codes", must(s.CountRecoveryCodes(ctx, a))(t), 0)
			equal(t, "needed by another", must(s.HasFactor(ctx, b))(t), true)
		})
	})
}

func TestAccountSessions(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		a, b := storetest.Account(t, s, "anna@example.com").ID, storetest.Account(t, s, "boris@example.com").ID
		put := func(key string, account int64, seen time.Time) mailing.Session {
			of := mailing.Session{
				AccountID: account, Key: key, Address: "192.0.2.1", Agent: "Browser of " + key, FirstSeen: now, LastSeen: seen,
			}
			ok(t, s.PutSession(ctx, of, []byte("data"), now.Add(time.Hour)))
			return of
		}
		there := func(key string) bool {
			_, there, err := s.Session(ctx, key, now)
			ok(t, err)
			return there
		}
		list := func(account int64) []mailing.Session { return must(s.AccountSessions(ctx, account, now))(t) }
		want := put("phone", a, now.Add(time.Minute))
		put("desk", a, now)
		put("home", a, now.Add(time.Second))
		put("half way in", a, time.Time{})
		put("theirs", b, now)
		t.Run("are listed with what is known of them, the last seen first", func(t *testing.T) {
			got := list(a)
			equal(t, "sessions", len(got), 3)
			want.ID = got[0].ID
			equal(t, "session", got[0], want)
			equal(t, "sessions when they have expired", len(must(s.AccountSessions(ctx, a, now.Add(time.Hour)))(t)), 0)
		})
		t.Run("keep their id", func(t *testing.T) {
			put("phone", a, now.Add(2*time.Minute))
			equal(t, "id", list(a)[0].ID, want.ID)
		})
		t.Run("of before there were ids get one", func(t *testing.T) {
			must(s.Writer().Exec("update sessions set id = 0 where token_hash = 'desk'"))(t)
			put("desk", a, now)
			for _, session := range list(a) {
				if session.ID == 0 {
					t.Errorf("%s has none", session.Key)
				}
			}
		})
		t.Run("are ended one by one, by their own person", func(t *testing.T) {
			wantCode(t, s.EndSessionOf(ctx, b, want.ID), "not_found")
			ok(t, s.EndSessionOf(ctx, a, want.ID))
			wantCode(t, s.EndSessionOf(ctx, a, want.ID), "not_found")
			equal(t, "there", there("phone"), false)
			put("phone", a, now)
			equal(t, "there after a request that began before", there("phone"), false)
		})
		t.Run("all others end at once, those half way in, too", func(t *testing.T) {
			equal(t, "era", must(s.EndOtherSessions(ctx, mailing.Account{ID: a}, "desk"))(t), 1)
			for key, want := range map[string]bool{"desk": true, "home": false, "half way in": false, "theirs": true} {
				equal(t, key, there(key), want)
			}
		})
		t.Run("all others end with a new password", func(t *testing.T) {
			put("car", a, now)
			equal(t, "era", must(s.ChangePassword(ctx, mailing.Account{ID: a, Era: 1}, "new hash", "desk"))(t), 2)
			equal(t, "car", there("car"), false)
			equal(t, "desk", there("desk"), true)
			_, hash, err := s.AccountByEmail(ctx, "anna@example.com")
			ok(t, err)
			equal(t, "hash", hash, "new hash")
		})
		t.Run("nobody ends others who has been signed out meanwhile", func(t *testing.T) {
			stale := must(s.Account(ctx, a))(t)
			ok(t, s.SignOut(ctx, a))
			put("back", a, now)
			_, err := s.EndOtherSessions(ctx, stale, "desk")
			wantCode(t, err, "changed_meanwhile")
			_, err = s.ChangePassword(ctx, stale, "theirs", "desk")
			wantCode(t, err, "changed_meanwhile")
			account, hash, err := s.AccountByEmail(ctx, "anna@example.com")
			ok(t, err)
			equal(t, "hash", hash, "new hash")
			equal(t, "era", account.Era, stale.Era+1)
			equal(t, "back", there("back"), true)
		})
	})
}
