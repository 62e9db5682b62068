package store_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/store"
	"vestnik/internal/store/storetest"
)

func TestLastAdmin(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		admin := func(email string) int64 {
			a := storetest.Account(t, s, email)
			ok(t, s.SetRole(ctx, a.ID, mailing.RoleAdmin))
			return a.ID
		}
		first := admin("first@example.org")
		t.Run("cannot be demoted or blocked", func(t *testing.T) {
			wantCode(t, s.SetRole(ctx, first, mailing.RoleManager), "last_admin")
			wantCode(t, s.Block(ctx, first, 7, "why", now), "last_admin")
			ok(t, s.SetRole(ctx, first, mailing.RoleAdmin)) // which changes nothing
		})
		t.Run("can be when there is another who is active", func(t *testing.T) {
			second := admin("second@example.org")
			ok(t, s.Block(ctx, second, first, "on leave", now))
			wantCode(t, s.Block(ctx, second, first, "again", now), "changed_meanwhile")
			wantCode(t, s.SetRole(ctx, first, mailing.RoleUser), "last_admin")
			ok(t, s.SetRole(ctx, second, mailing.RoleUser)) // who is blocked is none that counts
			ok(t, s.SetRole(ctx, second, mailing.RoleAdmin))
			ok(t, s.Unblock(ctx, second))
			wantCode(t, s.Unblock(ctx, second), "changed_meanwhile")
			ok(t, s.SetRole(ctx, first, mailing.RoleUser))
			wantCode(t, s.SetRole(ctx, second, mailing.RoleUser), "last_admin")
			ok(t, s.SetRole(ctx, first, mailing.RoleAdmin))
			ok(t, s.SetRole(ctx, second, mailing.RoleUser))
		})
		t.Run("is left when all are demoted and blocked at once", func(t *testing.T) {
			for round := range 5 {
				ids := []int64{first}
				for i := range 3 {
					ids = append(ids, admin(fmt.Sprintf("admin%d-%d@example.org", round, i)))
				}
				errs := atOnce(len(ids), func(i int) error {
					if i%2 == 0 {
						return s.Block(ctx, ids[i], 7, "at once", now)
					}
					return s.SetRole(ctx, ids[i], mailing.RoleUser)
				})
				refused := 0
				for _, err := range errs {
					if err != nil {
						wantCode(t, err, "last_admin")
						refused++
					}
				}
				left := must(s.ActiveAccountsOfRole(ctx, mailing.RoleAdmin))(t)
				equal(t, "refused", refused, 1)
				equal(t, "admins left", len(left), 1)
				first = left[0].ID
			}
		})
	})
}

func TestBlocking(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		a := storetest.Account(t, s, "anna@example.org")
		ok(t, s.PutSession(ctx, mailing.Session{Key: "token", AccountID: a.ID}, []byte("x"), now.Add(time.Hour)))
		ok(t, s.Block(ctx, a.ID, 7, "spam since noon", now))
		blocked := must(s.Account(ctx, a.ID))(t)
		equal(t, "why", blocked.BlockedWhy, "spam since noon")
		equal(t, "by", blocked.BlockedBy, 7)
		equal(t, "when", blocked.BlockedAt, now)
		_, there, err := s.Session(ctx, "token", now)
		ok(t, err)
		equal(t, "signed in", there, false)
		ok(t, s.Unblock(ctx, a.ID))
		a.Era++ // with the sessions of before
		equal(t, "afterwards", must(s.Account(ctx, a.ID))(t), a)
		wantCode(t, s.Block(ctx, 1, 7, "", now), "not_found")
	})
}

func TestListOfAccounts(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		anna, boris := storetest.Account(t, s, "anna@example.org"), storetest.Account(t, s, "boris@example.org")
		_, err := s.CreateAccount(ctx, mailing.Account{Email: "new@example.org", Role: mailing.RoleUser, Lang: "ru", Zone: "UTC", CreatedAt: now}, "")
		ok(t, err)
		ok(t, errors.Join(s.SetRole(ctx, boris.ID, mailing.RoleManager), s.Block(ctx, anna.ID, boris.ID, "spam", now),
			s.SignedIn(ctx, boris.ID, now), s.SetPerDay(ctx, anna.ID, 100)))
		for _, c := range []struct {
			filter store.AccountFilter
			want   string
		}{
			{store.AccountFilter{}, "anna boris new"},
			{store.AccountFilter{Role: mailing.RoleManager}, "boris"},
			{store.AccountFilter{Standing: mailing.StandingActive}, "boris"},
			{store.AccountFilter{Standing: mailing.StandingBlocked}, "anna"},
			{store.AccountFilter{Standing: mailing.StandingUnconfirmed, Role: mailing.RoleUser}, "new"},
			{store.AccountFilter{Standing: mailing.StandingUnconfirmed, Role: mailing.RoleAdmin}, ""},
		} {
			list, total, err := s.Accounts(ctx, c.filter, store.Page{Sort: "email", Limit: 10})
			ok(t, err)
			got := ""
			for i, a := range list {
				if i > 0 {
					got += " "
				}
				got += a.Email[:len(a.Email)-len("@example.org")]
				equal(t, "as read alone", a, must(s.Account(ctx, a.ID))(t))
			}
			equal(t, fmt.Sprint(c.filter), got, c.want)
			equal(t, "total", int(total), len(list))
		}
	})
}

func TestBelongings(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := newHouse(t, s, 3)
		run := storetest.Run(t, s, h.mailing)
		h.settleAll(t, h.node, h.leaseAll(t, h.node, run.ID, now)[:2], mailing.Sent, now)
		ok(t, s.PutSession(ctx, mailing.Session{Key: "one", AccountID: h.owner.ID}, []byte("x"), now.Add(time.Hour)))
		ok(t, s.PutSession(ctx, mailing.Session{Key: "over", AccountID: h.owner.ID}, []byte("x"), now))
		equal(t, "the owner has", must(s.Belongings(ctx, h.owner.ID, now))(t),
			store.Belongings{Clients: 3, Messages: 1, Mailings: 1, Active: 1, Sent: 2, Sessions: 1})
		ok(t, s.SignOut(ctx, h.owner.ID))
		equal(t, "sessions", must(s.Belongings(ctx, h.owner.ID, now))(t).Sessions, 0)
		owners := must(s.OwnersOfMailings(ctx, 10))(t)
		equal(t, "owners", len(owners), 1)
		equal(t, "owner", owners[0].ID, h.owner.ID)
	})
}
