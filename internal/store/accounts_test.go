package store_test

import (
	"errors"
	"testing"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/store"
	"vestnik/internal/store/storetest"
)

func TestAccounts(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		a := storetest.Account(t, s, "anna@example.com")
		t.Run("are found by id and by address", func(t *testing.T) {
			equal(t, "account", must(s.Account(ctx, a.ID))(t), a)
			got, hash, err := s.AccountByEmail(ctx, a.Email)
			ok(t, err)
			equal(t, "account", got, a)
			equal(t, "hash", hash, "hash of anna@example.com")
			_, err = s.Account(ctx, 1)
			wantCode(t, err, "not_found")
			_, _, err = s.AccountByEmail(ctx, "nobody@example.com")
			wantCode(t, err, "not_found")
		})
		t.Run("have one address each", func(t *testing.T) {
			_, err := s.CreateAccount(ctx, a, "hash")
			wantCode(t, err, "account_exists")
			equal(t, "accounts", must(s.CountAccounts(ctx))(t), 1)
		})
		t.Run("become what the registration says that is confirmed, and no other afterwards", func(t *testing.T) {
			b := mailing.Account{Email: "boris@example.com", FirstName: "Б", Role: mailing.RoleUser, Lang: "ru", Zone: "UTC", CreatedAt: now}
			first := store.Registration{Account: b, Browser: "one", PasswordHash: "first"}
			b.ID = must(s.CreateRegistered(ctx, first))(t)
			first.ID, b.FirstName = b.ID, "Борис"
			second := store.Registration{Account: b, Browser: "two", PasswordHash: "second"}
			ok(t, s.PutRegistration(ctx, second))
			second.PasswordHash = "better"
			ok(t, s.PutRegistration(ctx, second))
			waiting := must(s.Registrations(ctx, b.ID, now))(t)
			equal(t, "waiting", len(waiting), 2)
			equal(t, "waiting", waiting[1].PasswordHash, "better")
			equal(t, "later", len(must(s.Registrations(ctx, b.ID, now.Add(store.RegistrationLifetime)))(t)), 0)
			ok(t, s.ConfirmRegistration(ctx, second, now))
			equal(t, "waiting", len(must(s.Registrations(ctx, b.ID, now))(t)), 0)
			ok(t, s.PutRegistration(ctx, first)) // of somebody who was too late
			ok(t, s.ConfirmRegistration(ctx, first, now.Add(time.Hour)))
			ok(t, s.ConfirmAccount(ctx, b.ID, now.Add(time.Hour)))
			b.ConfirmedAt = now
			got, hash, err := s.AccountByEmail(ctx, b.Email)
			ok(t, err)
			equal(t, "account", got, b)
			equal(t, "hash", hash, "better")
		})
		t.Run("keep what is changed of them", func(t *testing.T) {
			a.FirstName, a.Phone, a.Lang, a.Zone = "Аня", "+7 900 000-00-00", "en", "Asia/Omsk"
			ok(t, s.UpdateProfile(ctx, a))
			ok(t, s.SetRole(ctx, a.ID, mailing.RoleManager))
			a.Role = mailing.RoleManager
			equal(t, "account", must(s.Account(ctx, a.ID))(t), a)
			found, total, err := s.Accounts(ctx, store.AccountFilter{}, store.Page{Search: "АНЯ 900", Sort: "name", Limit: 5})
			ok(t, err)
			equal(t, "found", total, 1)
			equal(t, "account", found[0], a)
		})
	})
}

func TestSessions(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		a := storetest.Account(t, s, "anna@example.com")
		put := func(t *testing.T, token string, account int64) {
			ok(t, s.PutSession(ctx, mailing.Session{Key: token, AccountID: account}, []byte{0, 1, 255}, now.Add(time.Hour)))
		}
		there := func(t *testing.T, token string, at time.Time) bool {
			data, there, err := s.Session(ctx, token, at)
			ok(t, err)
			if there {
				equal(t, "data", string(data), "\x00\x01\xff")
			}
			return there
		}
		t.Run("last until they expire", func(t *testing.T) {
			put(t, "one", 0)
			put(t, "one", a.ID)
			equal(t, "before", there(t, "one", now.Add(time.Hour-1)), true)
			equal(t, "after", there(t, "one", now.Add(time.Hour)), false)
			equal(t, "another", there(t, "two", now), false)
			ok(t, s.DeleteSession(ctx, "one"))
			ok(t, s.DeleteSession(ctx, "one"))
			equal(t, "deleted", there(t, "one", now), false)
		})
		for what, end := range map[string]func() error{
			"a new password": func() error { return s.SetPassword(ctx, a.ID, "new") },
			"being blocked":  func() error { return errors.Join(s.Block(ctx, a.ID, 0, "", now), s.Unblock(ctx, a.ID)) },
			"expiry, swept":  func() error { return s.Sweep(ctx, now.Add(2*time.Hour)) },
		} {
			t.Run("end with "+what, func(t *testing.T) {
				mine := "mine until " + what
				put(t, mine, a.ID)
				ok(t, s.PutSession(ctx, mailing.Session{Key: "nobody's"}, []byte{0, 1, 255}, now.Add(24*time.Hour)))
				ok(t, end())
				equal(t, "mine", there(t, mine, now), false)
				equal(t, "nobody's", there(t, "nobody's", now), true)
			})
		}
		t.Run("that were ended are not brought back by a request that began before", func(t *testing.T) {
			for what, end := range map[string]func(token string) error{
				"a new password": func(string) error { return s.SetPassword(ctx, a.ID, "newer") },
				"being blocked":  func(string) error { return s.Block(ctx, a.ID, 0, "", now) },
				"signing out":    func(token string) error { return s.DeleteSession(ctx, token) },
			} {
				token := "in use at " + what
				put(t, token, a.ID)
				ok(t, end(token))
				put(t, token, a.ID)
				equal(t, "after "+what, there(t, token, now), false)
				ok(t, s.Sweep(ctx, now.Add(2*time.Hour)))
				put(t, token, a.ID)
				equal(t, "after "+what+" and a sweep", there(t, token, now), false)
			}
			rows := func() (n int) {
				ok(t, s.Writer().QueryRow("select count(*) from sessions where token_hash like 'in use at%'").Scan(&n))
				return n
			}
			equal(t, "marks", rows(), 3)
			ok(t, s.Sweep(ctx, now.Add(91*24*time.Hour)))
			equal(t, "marks after the longest life of a session", rows(), 0)
		})
		t.Run("of nobody leave no mark", func(t *testing.T) {
			put(t, "a stranger's", 0)
			ok(t, s.DeleteSession(ctx, "a stranger's"))
			ok(t, s.Sweep(ctx, now.Add(2*time.Hour)))
			var n int
			ok(t, s.Writer().QueryRow("select count(*) from sessions where token_hash = 'a stranger''s'").Scan(&n))
			equal(t, "rows", n, 0)
		})
		t.Run("do not end with being unblocked", func(t *testing.T) {
			put(t, "mine", a.ID)
			ok(t, s.Unblock(ctx, a.ID))
			equal(t, "mine", there(t, "mine", now), true)
		})
	})
}

func TestCodes(t *testing.T) {
	storetest.EachURL(t, func(t *testing.T, url string) {
		s := storetest.Open(t, url)
		a := storetest.Account(t, s, "anna@example.com").ID
		take := func(purpose string, at time.Time) error {
			_, err := s.TakeCodeTry(ctx, a, purpose, at)
			return err
		}
		t.Run("have so many tries and no more, however many try at once", func(t *testing.T) {
			ok(t, s.PutCode(ctx, a, "confirm", "hash", 3, now.Add(time.Hour)))
			stores := []*store.Store{s, storetest.Open(t, url)}
			taken := 0
			for _, err := range atOnce(10, func(i int) error {
				_, err := stores[i%2].TakeCodeTry(ctx, a, "confirm", now)
				return err
			}) {
				if err == nil {
					taken++
					continue
				}
				wantCode(t, err, "not_found")
			}
			equal(t, "tries", taken, 3)
		})
		t.Run("are replaced by the next", func(t *testing.T) {
			ok(t, s.PutCode(ctx, a, "confirm", "next", 3, now.Add(time.Hour)))
			equal(t, "hash", must(s.TakeCodeTry(ctx, a, "confirm", now))(t), "next")
			wantCode(t, take("reset", now), "not_found")
			wantCode(t, take("confirm", now.Add(time.Hour)), "not_found")
		})
		t.Run("are used once", func(t *testing.T) {
			equal(t, "an earlier code", must(s.DeleteCode(ctx, a, "confirm", "hash"))(t), false)
			equal(t, "the code", must(s.DeleteCode(ctx, a, "confirm", "next"))(t), true)
			equal(t, "the code again", must(s.DeleteCode(ctx, a, "confirm", "next"))(t), false)
		})
	})
}

func TestBudgets(t *testing.T) {
	storetest.EachURL(t, func(t *testing.T, url string) {
		stores := []*store.Store{storetest.Open(t, url), storetest.Open(t, url)}
		granted := make([]bool, 20)
		for _, err := range atOnce(len(granted), func(i int) (err error) {
			granted[i], err = stores[i%2].Spend(ctx, "login:anna", 7, time.Hour, now)
			return err
		}) {
			ok(t, err)
		}
		n := 0
		for _, yes := range granted {
			if yes {
				n++
			}
		}
		equal(t, "granted", n, 7)
		spend := func(budget string, at time.Time) bool { return must(stores[0].Spend(ctx, budget, 7, time.Hour, at))(t) }
		equal(t, "another budget", spend("login:boris", now), true)
		equal(t, "before the window ends", spend("login:anna", now.Add(time.Hour-time.Millisecond)), false)
		equal(t, "in the next window", spend("login:anna", now.Add(time.Hour)), true)
	})
}
