package store_test

import (
	"testing"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/store"
	"vestnik/internal/store/storetest"
)

func TestDrafts(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := newHouse(t, s, 1)
		draft := func(id int64, form, writer string) mailing.Draft {
			return mailing.Draft{MailingID: id, OwnerID: h.owner.ID, Form: form, Writer: writer, UpdatedAt: now}
		}
		id := store.NewID()
		t.Run("what one page writes follows each other, in one millisecond too", func(t *testing.T) {
			for _, form := range []string{"a", "ab", "abc"} {
				ok(t, s.SaveDraft(ctx, draft(id, form, "one"), time.Time{}))
			}
			equal(t, "form", must(s.Draft(ctx, id))(t).Form, "abc")
		})
		t.Run("another page has to know of the latest", func(t *testing.T) {
			seen := must(s.Draft(ctx, id))(t).UpdatedAt
			wantCode(t, s.SaveDraft(ctx, draft(id, "x", "two"), seen.Add(-time.Millisecond)), "changed_meanwhile")
			ok(t, s.SaveDraft(ctx, draft(id, "y", "two"), seen))
			wantCode(t, s.SaveDraft(ctx, draft(id, "z", "one"), seen), "changed_meanwhile")
			equal(t, "form", must(s.Draft(ctx, id))(t).Form, "y")
		})
		t.Run("one of a mailing begins from how the mailing is", func(t *testing.T) {
			wantCode(t, s.SaveDraft(ctx, draft(h.mailing.ID, "x", "one"), time.Time{}), "changed_meanwhile")
			ok(t, s.SaveDraft(ctx, draft(h.mailing.ID, "x", "one"), h.mailing.UpdatedAt))
			list := must(s.Drafts(ctx, h.owner.ID, 10))(t)
			equal(t, "drafts", len(list), 2)
			for _, d := range list {
				equal(t, "is new", d.New, d.MailingID == id)
			}
			equal(t, "of somebody else", len(must(s.Drafts(ctx, 1, 10))(t)), 0)
		})
		t.Run("a mailing is made of it once, and it is gone", func(t *testing.T) {
			m := h.mailing
			m.ID = id
			equal(t, "id", must(s.CreateMailing(ctx, m, nil))(t), id)
			_, err := s.Draft(ctx, id)
			wantCode(t, err, "not_found")
			_, err = s.CreateMailing(ctx, m, nil)
			wantCode(t, err, "draft_applied")
		})
		t.Run("it goes with what changes its mailing, with the mailing, and with its owner", func(t *testing.T) {
			ok(t, s.UpdateMailing(ctx, h.mailing, h.mailing, nil))
			_, err := s.Draft(ctx, h.mailing.ID)
			wantCode(t, err, "not_found")
			ok(t, s.SaveDraft(ctx, draft(h.mailing.ID, "x", "one"), h.mailing.UpdatedAt))
			ok(t, s.DeleteMailing(ctx, h.mailing.ID, now))
			_, err = s.Draft(ctx, h.mailing.ID)
			wantCode(t, err, "not_found")
			ok(t, s.SaveDraft(ctx, draft(7, "x", "one"), time.Time{}))
			ok(t, s.EraseAccount(ctx, h.owner.ID, now))
			_, err = s.Draft(ctx, 7)
			wantCode(t, err, "not_found")
		})
	})
}

func TestCountAudience(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := newHouse(t, s, 6)
		for i, reason := range []mailing.Reason{mailing.ReasonUnsubscribed, mailing.ReasonUnsubscribed, mailing.ReasonBounced} {
			must(s.Suppress(ctx, mailing.Suppression{OwnerID: h.owner.ID, Email: h.contacts[i].Email, Reason: reason}))(t)
		}
		must(s.Suppress(ctx, mailing.Suppression{OwnerID: h.owner.ID, Email: "nobody@example.org", Reason: mailing.ReasonManual}))(t)
		for i, names := range []string{"", "x", "", "", "x", ""} { // one of the suppressed has a name, too
			must(s.Writer().Exec("update contacts set first_name = $2, last_name = 'x' where id = $1", h.contacts[i].ID, names))(t)
		}
		foreign := storetest.Contact(t, s, storetest.Account(t, s, "other@example.org").ID, "foreign@example.org")
		all, some := store.Recipients{OwnerID: h.owner.ID}, store.Recipients{OwnerID: h.owner.ID}
		some.Chosen = []int64{h.contacts[0].ID, h.contacts[2].ID, h.contacts[3].ID, h.contacts[4].ID, foreign.ID, 1 << 50}
		stored := storetest.Mailing(t, s, mailing.Mailing{OwnerID: h.owner.ID}, some.Chosen...)
		for name, c := range map[string]struct {
			of                               store.Recipients
			contacts, unsubscribed, bounced  int64
			nameless, withoutLast, untouched int64
		}{
			"all":    {all, 6, 2, 1, 2, 0, 0},
			"chosen": {some, 4, 1, 1, 1, 0, 0},
			"stored": {store.Recipients{OwnerID: h.owner.ID, MailingID: stored.ID}, 4, 1, 1, 1, 0, 0},
			"nobody": {store.Recipients{OwnerID: h.owner.ID, Chosen: []int64{}}, 0, 0, 0, 0, 0, 0},
		} {
			t.Run(name, func(t *testing.T) {
				got := must(s.CountAudience(ctx, c.of, "first_name", "last_name", "email", "id); drop table contacts"))(t)
				equal(t, "contacts", got.Contacts, c.contacts)
				equal(t, "unsubscribed", got.Suppressed[mailing.ReasonUnsubscribed], c.unsubscribed)
				equal(t, "bounced", got.Suppressed[mailing.ReasonBounced], c.bounced)
				equal(t, "by hand", got.Suppressed[mailing.ReasonManual], c.untouched)
				equal(t, "reached", got.Reached(), c.contacts-c.unsubscribed-c.bounced)
				equal(t, "without a first name", got.Lacking["first_name"], c.nameless)
				equal(t, "without a last name", got.Lacking["last_name"], c.withoutLast)
				equal(t, "without what nobody lacks", got.Lacking["email"], 0)
			})
		}
	})
}
