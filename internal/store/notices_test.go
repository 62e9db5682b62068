package store_test

import (
	"testing"

	"vestnik/internal/mailing"
	"vestnik/internal/store"
	"vestnik/internal/store/storetest"
)

// TestANoticeGoesWithItsDeed changes things, in vain and not, by contexts with a notice.
func TestANoticeGoesWithItsDeed(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		boss := storetest.Account(t, s, "boss@example.com")
		ok(t, s.SetRole(ctx, boss.ID, mailing.RoleAdmin))
		anna := storetest.Account(t, s, "anna@example.com")
		open := func() int { return len(must(s.LiveRuns(ctx))(t)) }
		notice := store.WithNotice(ctx, store.Single{
			Run: mailing.Run{
				OwnerID: anna.ID, Kind: mailing.RunSystem, ScheduledFor: now, State: mailing.RunOpening,
				Priority: mailing.PrioritySystem, Doubt: mailing.NeverMissed, CreatedAt: now,
			},
			Content: content, Email: anna.Email,
		})
		told := store.WithDeed(notice, deed(boss, "account.block", anna.ID, now))

		ok(t, s.SignOut(store.WithoutDeed(told), anna.ID))
		equal(t, "mails about a step of something larger", open(), 0)
		wantCode(t, s.Block(store.WithDeed(notice, deed(boss, "account.block", boss.ID, now)), boss.ID, 0, "", now), "last_admin")
		equal(t, "mails about what was refused", open(), 0)
		ok(t, s.Block(told, anna.ID, boss.ID, "spam", now))
		equal(t, "mails about what was done", open(), 1)
		equal(t, "its recipients", must(s.LiveRuns(ctx))(t)[0].Counts.Audience, 1)
		wantCode(t, s.Block(told, anna.ID, boss.ID, "spam", now), "changed_meanwhile")
		equal(t, "mails when it was done already", open(), 1)
	})
}
