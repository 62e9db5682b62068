package store_test

import (
	"testing"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/store"
	"vestnik/internal/store/storetest"
)

func TestTries(t *testing.T) {
	storetest.EachURL(t, func(t *testing.T, url string) {
		stores := []*store.Store{storetest.Open(t, url), storetest.Open(t, url)}
		few := store.TryBudget{Name: "few", Most: 5, Window: time.Hour, Free: 3, Longest: 90 * time.Second}
		many := store.TryBudget{Name: "many", Most: 1000, Window: time.Hour, Free: 1000}
		take := func(at time.Time) time.Duration {
			t.Helper()
			return must(stores[0].TakeTry(ctx, []store.TryBudget{many, few}, at))(t)
		}
		used := func(name string) (n int) {
			t.Helper()
			ok(t, stores[0].Writer().QueryRow("select used from budgets where name = $1", name).Scan(&n))
			return n
		}
		t.Run("at once there are only those that are free, and who gets none takes none elsewhere", func(t *testing.T) {
			waits := make([]time.Duration, 20)
			for _, err := range atOnce(len(waits), func(i int) (err error) {
				waits[i], err = stores[i%2].TakeTry(ctx, []store.TryBudget{many, few}, now)
				return err
			}) {
				ok(t, err)
			}
			taken := 0
			for _, wait := range waits {
				if wait == 0 {
					taken++
				}
			}
			equal(t, "taken", taken, 3)
			equal(t, "taken elsewhere", used("many"), 3)
		})
		t.Run("then one waits twice as long each time, and after the last until the window ends", func(t *testing.T) {
			equal(t, "first wait", take(now), time.Second)
			equal(t, "after it", take(now.Add(time.Second)), 0)
			equal(t, "second wait", take(now.Add(time.Second)), 2*time.Second)
			equal(t, "after it", take(now.Add(3*time.Second)), 0)
			equal(t, "after the last", take(now.Add(10*time.Minute)), 50*time.Minute)
			equal(t, "in the next window", take(now.Add(time.Hour)), 0)
		})
		t.Run("one that is given back is there again, without a wait", func(t *testing.T) {
			later := now.Add(2 * time.Hour)
			for range 3 {
				equal(t, "free", take(later), 0)
			}
			ok(t, stores[1].GiveTryBack(ctx, []store.TryBudget{many, few}, later))
			equal(t, "used", used("few"), 2)
			equal(t, "it", take(later), 0)
			equal(t, "and no more", take(later), time.Second)
		})
		t.Run("no wait is longer than the longest", func(t *testing.T) {
			slow := store.TryBudget{Name: "slow", Most: 100, Window: 24 * time.Hour, Free: 1, Longest: 90 * time.Second}
			at := now
			for range 40 {
				equal(t, "after the wait", must(stores[0].TakeTry(ctx, []store.TryBudget{slow}, at))(t), 0)
				at = at.Add(90 * time.Second)
			}
		})
	})
}

func TestFirstAccount(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		must(s.Installation(ctx, store.Installation{Instance: "this one", KeyCheck: "k"}, now))(t)
		equal(t, "instance", must(s.Unfounded(ctx, mailing.RoleAdmin))(t), "this one")
		storetest.Account(t, s, "anna@example.com") // a stranger who was quicker
		equal(t, "instance", must(s.Unfounded(ctx, mailing.RoleAdmin))(t), "this one")
		errs := atOnce(4, func(i int) error {
			a := mailing.Account{
				Email: string(rune('a'+i)) + "@example.com", Role: mailing.RoleAdmin, Lang: "ru", Zone: "UTC", CreatedAt: now, ConfirmedAt: now,
			}
			_, err := s.CreateFirstAccount(ctx, a, "hash")
			return err
		})
		made := 0
		for _, err := range errs {
			if err == nil {
				made++
				continue
			}
			wantCode(t, err, "first_taken")
		}
		equal(t, "made", made, 1)
		equal(t, "accounts", must(s.CountAccounts(ctx))(t), 2)
		equal(t, "instance afterwards", must(s.Unfounded(ctx, mailing.RoleAdmin))(t), "")
	})
}

func TestInvitations(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		invitation := mailing.Invitation{
			ID: store.NewID(), Email: "eve@example.com", Role: mailing.RoleManager, Lang: "en", InvitedBy: -1, Inviter: "",
			CreatedAt: now, SentAt: now, ExpiresAt: now.Add(time.Hour),
		}
		id := must(s.PutInvitation(ctx, invitation, "old"))(t)
		again := invitation
		again.ID, again.SentAt = store.NewID(), now.Add(time.Minute)
		equal(t, "id of an address invited again", must(s.PutInvitation(ctx, again, "fresh"))(t), id)
		again.ID = id
		got, hash, err := s.Invitation(ctx, id)
		ok(t, err)
		equal(t, "invitation", got, again)
		equal(t, "hash", hash, "fresh")
		equal(t, "by address", must(s.InvitationByEmail(ctx, "eve@example.com"))(t), again)

		eve := mailing.Account{
			Email: "eve@example.com", FirstName: "Eve", Role: mailing.RoleManager, Lang: "en", Zone: "UTC", CreatedAt: now, ConfirmedAt: now,
		}
		_, err = s.UseInvitation(ctx, id, "old", eve, "hash")
		wantCode(t, err, "link_expired")
		late := eve
		late.CreatedAt = now.Add(time.Hour)
		_, err = s.UseInvitation(ctx, id, "fresh", late, "hash")
		wantCode(t, err, "link_expired")
		used := 0
		for _, err := range atOnce(4, func(int) error {
			_, err := s.UseInvitation(ctx, id, "fresh", eve, "hash")
			return err
		}) {
			if err == nil {
				used++
				continue
			}
			wantCode(t, err, "link_expired")
		}
		equal(t, "used", used, 1)
		account, _, err := s.AccountByEmail(ctx, eve.Email)
		ok(t, err)
		eve.ID = account.ID
		equal(t, "account", account, eve)

		t.Run("of a confirmed address make no other account", func(t *testing.T) {
			id := must(s.PutInvitation(ctx, invitation, "third"))(t)
			_, err := s.UseInvitation(ctx, id, "third", eve, "other")
			wantCode(t, err, "account_exists")
			_, total, err := s.Invitations(ctx, store.Page{Limit: 5})
			ok(t, err)
			equal(t, "still there", total, 1)
			ok(t, s.DeleteInvitation(ctx, id))
			wantCode(t, s.DeleteInvitation(ctx, id), "not_found")
		})
		t.Run("are forgotten a month after they have expired", func(t *testing.T) {
			must(s.PutInvitation(ctx, invitation, "fourth"))(t)
			listed := func(days int) int64 {
				ok(t, s.Sweep(ctx, invitation.ExpiresAt.AddDate(0, 0, days)))
				_, total, err := s.Invitations(ctx, store.Page{Limit: 5})
				ok(t, err)
				return total
			}
			equal(t, "after 29 days", listed(29), 1)
			equal(t, "after 31 days", listed(31), 0)
		})
	})
}

func TestEmailChanges(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		a := storetest.Account(t, s, "old@example.com")
		change := mailing.EmailChange{AccountID: a.ID, NewEmail: "new@example.com", AskedAt: now, DueAt: now.Add(time.Hour)}
		moved := a
		moved.Email = change.NewEmail
		move := func(to mailing.Account) error {
			_, err := s.MoveAccount(ctx, to, a.Email, "hash", now)
			return err
		}
		ok(t, s.PutEmailChange(ctx, change, "first"))
		ok(t, s.PutEmailChange(ctx, change, "hash"))
		wantCode(t, s.AgreeEmailChange(ctx, a.ID, "first", true, now), "link_expired")
		wantCode(t, move(moved), "changed_meanwhile")
		ok(t, s.AgreeEmailChange(ctx, a.ID, "hash", true, now))
		wantCode(t, move(moved), "changed_meanwhile")
		equal(t, "due too early", len(must(s.DueEmailChanges(ctx, now))(t)), 0)
		due := must(s.DueEmailChanges(ctx, now.Add(time.Hour)))(t)
		change.NewAt = now
		equal(t, "due", due[0], change)
		ok(t, s.AgreeEmailChange(ctx, a.ID, "hash", false, now))
		taken := storetest.Account(t, s, "taken@example.com")
		wrong := moved
		wrong.Email = taken.Email
		wantCode(t, move(wrong), "email_taken")
		ok(t, s.PutSession(ctx, mailing.Session{Key: "mine", AccountID: a.ID}, []byte("x"), now.Add(time.Hour)))
		ok(t, s.PutCode(ctx, a.ID, "reset", "code", 1, now.Add(time.Hour)))
		ok(t, move(moved))
		moved.Era++
		equal(t, "account", must(s.Account(ctx, a.ID))(t), moved)
		found, _, err := s.Accounts(ctx, store.AccountFilter{}, store.Page{Search: "new@example", Limit: 5})
		ok(t, err)
		equal(t, "found by the new address", len(found), 1)
		equal(t, "code", must(s.HasCode(ctx, a.ID, "reset", "code", now))(t), false)
		_, there, err := s.Session(ctx, "mine", now)
		ok(t, err)
		equal(t, "session", there, false)
		wantCode(t, s.DeleteEmailChange(ctx, a.ID), "not_found")
	})
}
