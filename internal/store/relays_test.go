package store_test

import (
	"slices"
	"testing"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/store"
	"vestnik/internal/store/storetest"
)

// smtpRelay is a relay with something in every field.
func smtpRelay(name string, at time.Time) store.Relay {
	return store.Relay{
		Kind: "smtp", Name: name, Host: "smtp.example.org", Port: 587, TLS: "starttls", Username: "anna",
		PasswordSealed: "v1:sealed", FromName: "Анна", FromEmail: "anna@example.org", HeloName: "mail.example.org",
		Weight: 20, Connections: 5, Messages: 50, PerSecond: 1, PerHour: 500, PerDay: 2000, Enabled: true,
		CreatedAt: at, UpdatedAt: at,
	}
}

func TestRelays(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		first := smtpRelay("one", now.Add(time.Hour))
		direct := store.Relay{
			Kind: "mx", Name: "two", FromEmail: "a@example.org", HeloName: "mail.example.org", Weight: 1,
			CreatedAt: now.Add(2 * time.Hour), UpdatedAt: now,
		}
		t.Run("they are kept whole, and listed in the order in which they were set up", func(t *testing.T) {
			equal(t, "relays at first", len(must(s.Relays(ctx))(t)), 0)
			direct.ID = must(s.CreateRelay(ctx, direct))(t)
			first.ID = must(s.CreateRelay(ctx, first))(t)
			equalList(t, "relays", must(s.Relays(ctx))(t), []store.Relay{first, direct})
			equal(t, "one of them", must(s.Relay(ctx, direct.ID))(t), direct)
		})
		t.Run("a name is there once", func(t *testing.T) {
			_, err := s.CreateRelay(ctx, smtpRelay("one", now))
			wantCode(t, err, "relay_name_taken")
			renamed := direct
			renamed.Name = "one"
			wantCode(t, s.UpdateRelay(ctx, renamed), "relay_name_taken")
			equalList(t, "relays", must(s.Relays(ctx))(t), []store.Relay{first, direct})
		})
		t.Run("the first reason to stop one stands, until it is resumed", func(t *testing.T) {
			at := now.Add(time.Minute)
			equal(t, "first", must(s.StopRelay(ctx, first.ID, "535 no", at))(t), true)
			equal(t, "first again", must(s.StopRelay(ctx, first.ID, "535 never", at.Add(time.Hour)))(t), false)
			equal(t, "one that is not there", must(s.StopRelay(ctx, 1, "535 no", at))(t), false)
			stopped := must(s.Relay(ctx, first.ID))(t)
			equal(t, "why", stopped.Trouble, "535 no")
			equal(t, "since", stopped.TroubleAt, at)
			equal(t, "the other", must(s.Relay(ctx, direct.ID))(t), direct)
			ok(t, s.ResumeRelay(ctx, first.ID))
			equal(t, "resumed", must(s.Relay(ctx, first.ID))(t), first)
		})
		t.Run("one that is changed is what it was changed to, without trouble", func(t *testing.T) {
			must(s.StopRelay(ctx, first.ID, "535 no", now))(t)
			changed := direct // to other values in every field
			changed.ID, changed.Name, changed.CreatedAt, changed.UpdatedAt = first.ID, "three", first.CreatedAt, now.Add(3*time.Hour)
			ok(t, s.UpdateRelay(ctx, changed))
			equalList(t, "relays", must(s.Relays(ctx))(t), []store.Relay{changed, direct})
		})
		t.Run("one that is deleted is gone", func(t *testing.T) {
			ok(t, s.DeleteRelay(ctx, first.ID))
			_, err := s.Relay(ctx, first.ID)
			wantCode(t, err, "not_found")
			wantCode(t, s.DeleteRelay(ctx, first.ID), "not_found")
			wantCode(t, s.UpdateRelay(ctx, first), "not_found")
			wantCode(t, s.ResumeRelay(ctx, first.ID), "not_found")
			equalList(t, "relays", must(s.Relays(ctx))(t), []store.Relay{direct})
		})
	})
}

func TestTheRelayOfAnEarlierVersionIsKept(t *testing.T) {
	eachEmpty(t, func(t *testing.T, url string) {
		s := storetest.Open(t, url)
		ok(t, s.MigrateTo(ctx, 2))
		must(s.Writer().Exec(`insert into relays (id, host, port, tls, username, password_sealed, from_name, from_email, updated_at)
values (1, 'smtp.example.org', 465, 'implicit', 'anna', 'v1:sealed', 'Анна', 'anna@example.org', 1000)`))(t)
		ok(t, s.Migrate(ctx))
		kept := store.Relay{
			ID: 1, Kind: "smtp", Name: "smtp.example.org", Host: "smtp.example.org", Port: 465, TLS: "implicit", Username: "anna",
			PasswordSealed: "v1:sealed", FromName: "Анна", FromEmail: "anna@example.org", Weight: 10, Enabled: true,
			CreatedAt: time.UnixMilli(1000).UTC(), UpdatedAt: time.UnixMilli(1000).UTC(),
		}
		equalList(t, "relays", must(s.Relays(ctx))(t), []store.Relay{kept})
		ok(t, s.MigrateTo(ctx, 2))
		var host string
		ok(t, s.Writer().QueryRow("select host from relays where id = 1").Scan(&host))
		equal(t, "host in the earlier version again", host, "smtp.example.org")
	})
}

func TestActiveAccountsOfRole(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		var admins []int64
		for _, email := range []string{"a@example.com", "b@example.com", "c@example.com"} {
			account := storetest.Account(t, s, email)
			ok(t, s.SetRole(ctx, account.ID, mailing.RoleAdmin))
			admins = append(admins, account.ID)
		}
		storetest.Account(t, s, "user@example.com")
		must(s.CreateAccount(ctx, mailing.Account{Email: "new@example.com", Role: mailing.RoleAdmin, CreatedAt: now}, ""))(t)
		ok(t, s.Block(ctx, admins[1], 0, "", now))
		var got []string
		for _, account := range must(s.ActiveAccountsOfRole(ctx, mailing.RoleAdmin))(t) {
			got = append(got, account.Email)
		}
		slices.Sort(got)
		equalList(t, "active admins", got, []string{"a@example.com", "c@example.com"})
	})
}

func TestSiteTroubles(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		trouble := func(relay int64, node, site string, until time.Time) store.SiteTrouble {
			return store.SiteTrouble{RelayID: relay, Node: node, Site: site, Name: "Mail " + site, Why: "550 5.7.1 no", Since: now, Until: until}
		}
		id := must(s.CreateRelay(ctx, smtpRelay("one", now)))(t)
		first, second := trouble(id, "n1", "b", now.Add(time.Hour)), trouble(id, "n2", "a", now)
		other := trouble(7, "n1", "b", now)
		for _, one := range []store.SiteTrouble{first, second, other} {
			ok(t, s.PutSiteTrouble(ctx, one))
		}
		list := func(at time.Time) []store.SiteTrouble { return must(s.SiteTroubles(ctx, at))(t) }
		t.Run("they are listed by site, and are over a day after a try that was not made", func(t *testing.T) {
			equalList(t, "troubles", list(now), []store.SiteTrouble{second, other, first})
			equalList(t, "troubles a day later", list(now.Add(store.SiteTroubleFor)), []store.SiteTrouble{first})
		})
		t.Run("another refusal is the same trouble, since the first", func(t *testing.T) {
			again := first
			again.Why, again.Since, again.Until = "550 5.7.1 never", now.Add(time.Hour), now.Add(2*time.Hour)
			ok(t, s.PutSiteTrouble(ctx, again))
			again.Since = first.Since
			equalList(t, "troubles", list(now), []store.SiteTrouble{second, other, again})
		})
		t.Run("one ends alone, those of a node and those of a relay together", func(t *testing.T) {
			ok(t, s.EndSiteTrouble(ctx, id, "n1", "a")) // there is none
			ok(t, s.EndSiteTrouble(ctx, id, "n1", "b"))
			equalList(t, "troubles", list(now), []store.SiteTrouble{second, other})
			ok(t, s.EndTroublesOfNode(ctx, "n1"))
			equalList(t, "troubles", list(now), []store.SiteTrouble{second})
			changed := smtpRelay("one", now)
			changed.ID = id
			ok(t, s.UpdateRelay(ctx, changed))
			equal(t, "troubles of a relay that was changed", len(list(now)), 0)
			ok(t, s.PutSiteTrouble(ctx, second))
			ok(t, s.DeleteRelay(ctx, id))
			equal(t, "troubles of a relay that was deleted", len(list(now)), 0)
		})
	})
}
