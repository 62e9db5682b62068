package app_test

import (
	"context"
	"testing"
	"time"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
	"vestnik/internal/store"
	"vestnik/internal/store/storetest"
)

// lastDeed is the latest line of the audit log, in short, and how many there are.
func (h *house) lastDeed(t *testing.T) (line string, all int) {
	t.Helper()
	all = h.rows(t, "select count(*) from deeds")
	if all > 0 {
		must(t, h.store.Writer().QueryRowContext(t.Context(),
			"select action || ' ' || thing || ' ' || was || ' ' || became || ' ' || why from deeds order by number desc limit 1").Scan(&line))
	}
	return line, all
}

func TestWhoMayDoWhatToWhom(t *testing.T) {
	type act struct {
		name string
		do   func(ctx context.Context, h *house, who mailing.Account, to int64) error
		// The answers that a user, a manager and an admin get, about a user, a manager and
		// another admin.
		answers [3][3]string
	}
	seen := [3]string{"ok", "ok", "ok"}
	unseen := [3]string{"not_found", "not_found", "not_found"}
	not := [3]string{"forbidden", "forbidden", "forbidden"}
	acts := []act{
		{"see", func(ctx context.Context, h *house, who mailing.Account, to int64) error {
			_, err := h.User(ctx, who, to)
			return err
		}, [3][3]string{unseen, seen, seen}},
		{"block", func(ctx context.Context, h *house, who mailing.Account, to int64) error {
			return h.BlockUser(ctx, who, to, "Спам")
		}, [3][3]string{unseen, {"ok", "forbidden", "forbidden"}, seen}},
		{"block without a reason", func(ctx context.Context, h *house, who mailing.Account, to int64) error {
			return h.BlockUser(ctx, who, to, " ")
		}, [3][3]string{unseen, {"required", "forbidden", "forbidden"}, {"required", "required", "required"}}},
		{"unblock who is not blocked", func(ctx context.Context, h *house, who mailing.Account, to int64) error {
			return h.UnblockUser(ctx, who, to)
		}, [3][3]string{unseen, {"changed_meanwhile", "forbidden", "forbidden"}, {"changed_meanwhile", "changed_meanwhile", "changed_meanwhile"}}},
		{"make an admin", func(ctx context.Context, h *house, who mailing.Account, to int64) error {
			return h.GrantRole(ctx, who, to, mailing.RoleAdmin)
		}, [3][3]string{unseen, not, seen}},
		{"make a user", func(ctx context.Context, h *house, who mailing.Account, to int64) error {
			return h.GrantRole(ctx, who, to, mailing.RoleUser)
		}, [3][3]string{unseen, not, seen}},
		{"give a role that there is not", func(ctx context.Context, h *house, who mailing.Account, to int64) error {
			return h.GrantRole(ctx, who, to, "owner")
		}, [3][3]string{unseen, {"choice_unknown", "choice_unknown", "choice_unknown"}, {"choice_unknown", "choice_unknown", "choice_unknown"}}},
		{"sign out", func(ctx context.Context, h *house, who mailing.Account, to int64) error {
			return h.SignOutUser(ctx, who, to)
		}, [3][3]string{unseen, not, seen}},
		{"limit", func(ctx context.Context, h *house, who mailing.Account, to int64) error {
			return h.LimitUser(ctx, who, to, 100)
		}, [3][3]string{unseen, not, seen}},
		{"limit by less than nothing", func(ctx context.Context, h *house, who mailing.Account, to int64) error {
			return h.LimitUser(ctx, who, to, -1)
		}, [3][3]string{unseen, not, {"number_out_of_range", "number_out_of_range", "number_out_of_range"}}},
	}
	for _, a := range acts {
		for i, actor := range mailing.Roles() {
			for k, of := range mailing.Roles() {
				t.Run(string(actor)+" wants to "+a.name+" a "+string(of)+": "+a.answers[i][k], func(t *testing.T) {
					h := newHouse(t)
					who, to := h.person(t, "actor@example.org", actor), h.person(t, "other@example.org", of)
					h.person(t, "admin@example.org", mailing.RoleAdmin)
					want(t, a.do(t.Context(), h, who, to.ID), a.answers[i][k])
				})
			}
		}
	}
	t.Run("nobody who may see people finds one that is not there", func(t *testing.T) {
		h := newHouse(t)
		_, err := h.User(t.Context(), h.person(t, "manager@example.org", mailing.RoleManager), 1)
		want(t, err, "not_found")
	})
}

func TestDeedsToUsers(t *testing.T) {
	h := newHouse(t)
	admin, anna := h.person(t, "admin@example.org", mailing.RoleAdmin), h.person(t, "anna@example.org", mailing.RoleUser)
	ctx := t.Context()
	for _, c := range []struct {
		do   func() error
		line string
	}{
		{func() error { return h.GrantRole(ctx, admin, anna.ID, mailing.RoleManager) }, `account.role anna@example.org {"role":"user"} {"role":"manager"} `},
		{func() error { return h.LimitUser(ctx, admin, anna.ID, 5) }, `account.limit anna@example.org {"per_day":"0"} {"per_day":"5"} `},
		{func() error { return h.SignOutUser(ctx, admin, anna.ID) }, `account.sign_out_everywhere anna@example.org   `},
		{func() error { return h.SignedIn(ctx, anna) }, `account.sign_in anna@example.org   `},
		{func() error { return h.BlockUser(ctx, admin, anna.ID, "Спам") }, `account.block anna@example.org {"standing":"active"} {"standing":"blocked"} Спам`},
		{func() error { return h.UnblockUser(ctx, admin, anna.ID) }, `account.unblock anna@example.org {"standing":"blocked"} {"standing":"active"} `},
		{func() error {
			_, _, err := h.AddUser(ctx, admin, app.NewAccount{Email: "boris@example.org", Role: mailing.RoleUser, Lang: "ru"})
			return err
		}, `account.create boris@example.org  {"email":"boris@example.org","lang":"ru","role":"user","zone":"Europe/Moscow"} `},
		{func() error { return h.ChangeSettings(ctx, admin, map[string]string{"mask_clients": "true"}) }, `settings.change  {"mask_clients":"false"} {"mask_clients":"true"} `},
	} {
		_, before := h.lastDeed(t)
		must(t, c.do())
		if line, after := h.lastDeed(t); line != c.line || after != before+1 {
			t.Errorf("the deed is %q, want %q; there are %d more", line, c.line, after-before)
		}
	}
	t.Run("what changes nothing is no deed", func(t *testing.T) {
		_, before := h.lastDeed(t)
		must(t, h.GrantRole(ctx, admin, anna.ID, mailing.RoleManager))
		must(t, h.LimitUser(ctx, admin, anna.ID, 5))
		must(t, h.ChangeSettings(ctx, admin, map[string]string{"mask_clients": "true"}))
		want(t, h.GrantRole(ctx, admin, admin.ID, mailing.RoleUser), "last_admin")
		want(t, h.BlockUser(ctx, admin, admin.ID, "why"), "not_yourself")
		if _, after := h.lastDeed(t); after != before {
			t.Errorf("there are %d more", after-before)
		}
	})
	t.Run("who is blocked is asked for no more, and their sign-in is kept", func(t *testing.T) {
		view, err := h.User(ctx, admin, anna.ID)
		if err != nil || !view.SignedInAt.Equal(h.now) || view.PerDay != 5 {
			t.Errorf("they are %+v, %v", view.Account, err)
		}
		must(t, h.BlockUser(ctx, admin, anna.ID, "Спам"))
		_, err = h.Account(ctx, anna.ID)
		want(t, err, "not_found")
		if view, err = h.User(ctx, admin, anna.ID); err != nil || view.Blocker != "Анна Петрова" || view.BlockedWhy != "Спам" {
			t.Errorf("they are blocked by %q because of %q, %v", view.Blocker, view.BlockedWhy, err)
		}
	})
}

func TestQuotaIsTold(t *testing.T) {
	h, owner, has := furnished(t)
	ctx := t.Context()
	storetest.Contacts(t, h.store, h.person(t, "other@example.org", mailing.RoleUser).ID, 1) // whose are none of theirs
	must(t, h.LimitUser(ctx, app.Operator, owner.ID, 1))
	if v, err := h.Run(ctx, owner, has.run); err != nil || v.Quota.PerDay != 0 {
		t.Errorf("before it is used up: %+v, %v", v.Quota, err)
	}
	storetest.Contact(t, h.store, owner.ID, "second@example.org")
	m, err := h.store.Mailing(ctx, has.mailing)
	must(t, err)
	run := storetest.Run(t, h.store, m)
	node := storetest.Node(t, h.store, "node")
	leased, err := h.store.Lease(ctx, node, run.ID, h.now, 10)
	if err != nil || len(leased) != 1 {
		t.Fatalf("%d were leased, %v", len(leased), err)
	}
	from := h.now.Truncate(time.Minute).Add(24 * time.Hour)
	if v, err := h.Run(ctx, owner, run.ID); err != nil || v.Quota.Used != 1 || !v.Quota.From.Equal(from) {
		t.Errorf("when it is: %+v, %v", v.Quota, err)
	}
	if v, err := h.Mailing(ctx, owner, has.mailing); err != nil || v.Quota.PerDay != 1 {
		t.Errorf("on the mailing: %+v, %v", v.Quota, err)
	}
	must(t, h.LimitUser(ctx, app.Operator, owner.ID, 0))
	if v, err := h.Run(ctx, owner, run.ID); err != nil || v.Quota != (store.QuotaUse{}) {
		t.Errorf("without a limit: %+v, %v", v.Quota, err)
	}
}
