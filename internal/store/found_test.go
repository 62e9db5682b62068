package store_test

import (
	"testing"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/store"
	"vestnik/internal/store/storetest"
)

func TestFind(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		anna, boris := storetest.Account(t, s, "anna@example.com"), storetest.Account(t, s, "boris@example.com")
		for i, owner := range []mailing.Account{anna, anna, anna, boris} {
			m := storetest.Message(t, s, mailing.Message{OwnerID: owner.ID, Subject: "Ёлка", CreatedAt: now.Add(time.Duration(i) * time.Hour)})
			storetest.Mailing(t, s, mailing.Mailing{OwnerID: owner.ID, MessageID: m.ID, CreatedAt: now.Add(time.Duration(i) * time.Hour)})
			storetest.Contact(t, s, owner.ID, string(rune('a'+i))+"@example.com")
		}
		t.Run("the newest of the owner's come first, and no more than wanted", func(t *testing.T) {
			mailings := must(s.FindMailings(ctx, anna.ID, "елк", 2))(t)
			messages := must(s.FindMessages(ctx, anna.ID, "елк", 2))(t)
			equal(t, "mailings", len(mailings), 2)
			equal(t, "messages", len(messages), 2)
			equal(t, "owner", mailings[0].OwnerID, anna.ID)
			equal(t, "subject", mailings[0].Subject+messages[0].Subject, "ЁлкаЁлка")
			equal(t, "status", mailings[0].Status, mailing.StatusCreated)
			equal(t, "the newest first", must(s.FindMessages(ctx, anna.ID, "елк", 9))(t)[0].ID, messages[0].ID)
		})
		t.Run("everybody's are found for owner 0", func(t *testing.T) {
			equal(t, "mailings", len(must(s.FindMailings(ctx, 0, "ёлк", 9))(t)), 4)
			equal(t, "messages", len(must(s.FindMessages(ctx, 0, "ёлк", 9))(t)), 4)
			equal(t, "contacts", len(must(s.FindContacts(ctx, 0, "сидоров", false, 9))(t)), 4)
		})
		t.Run("clients are found by all of it, or by their names alone", func(t *testing.T) {
			equal(t, "by address", len(must(s.FindContacts(ctx, anna.ID, "b@EXAMPLE", false, 9))(t)), 1)
			equal(t, "by address, of names", len(must(s.FindContacts(ctx, anna.ID, "b@example", true, 9))(t)), 0)
			equal(t, "by name", len(must(s.FindContacts(ctx, anna.ID, "сидоров иван", true, 9))(t)), 3)
		})
	})
}

func TestIDsOfAList(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		anna, boris := storetest.Account(t, s, "anna@example.com"), storetest.Account(t, s, "boris@example.com")
		contacts := storetest.Contacts(t, s, anna.ID, 7)
		storetest.Contact(t, s, boris.ID, "client000001@example.com")
		must(s.Suppress(ctx, mailing.Suppression{OwnerID: anna.ID, Email: contacts[0].Email, Reason: mailing.ReasonManual, CreatedAt: now}))(t)
		t.Run("they come in parts, each once", func(t *testing.T) {
			var got []int64
			for after := int64(0); ; after = got[len(got)-1] {
				part := must(s.ContactIDs(ctx, store.ContactFilter{Owner: anna.ID, Mailable: true}, "client", now, after, 4))(t)
				if got = append(got, part...); len(part) < 4 {
					break
				}
			}
			equal(t, "found", len(got), 6)
			for i := 1; i < len(got); i++ {
				equal(t, "in order", got[i] > got[i-1], true)
			}
		})
		used := storetest.Message(t, s, mailing.Message{OwnerID: anna.ID, Subject: "Весна"})
		free := storetest.Message(t, s, mailing.Message{OwnerID: anna.ID, Subject: "Лето"})
		m := storetest.Mailing(t, s, mailing.Mailing{OwnerID: anna.ID, MessageID: used.ID})
		storetest.Mailing(t, s, mailing.Mailing{OwnerID: anna.ID, MessageID: used.ID, Status: mailing.StatusCompleted})
		t.Run("the filters are those of the lists", func(t *testing.T) {
			equalList(t, "active", must(s.MailingIDs(ctx, store.MailingFilter{Owner: anna.ID, Active: true}, "весна", now, 0, 9))(t), []int64{m.ID})
			equal(t, "of another", len(must(s.MailingIDs(ctx, store.MailingFilter{Owner: boris.ID}, "", now, 0, 9))(t)), 0)
			equalList(t, "messages", must(s.MessageIDs(ctx, anna.ID, "ЛЕТО", now, 0, 9))(t), []int64{free.ID})
			equal(t, "what came later", len(must(s.MessageIDs(ctx, 0, "", now.Add(-time.Hour), 0, 9))(t)), 0)
			equal(t, "of everybody", len(must(s.MessageIDs(ctx, 0, "", now, 0, 9))(t)), 2)
		})
		t.Run("uses of messages are counted", func(t *testing.T) {
			uses := must(s.MessageUses(ctx, []int64{used.ID, free.ID}))(t)
			equal(t, "of the one", uses[used.ID], 2)
			equal(t, "of the other", uses[free.ID], 0)
			equal(t, "of none", len(must(s.MessageUses(ctx, nil))(t)), 0)
		})
		t.Run("what is not counted is there all the same", func(t *testing.T) {
			list, total, err := s.Mailings(ctx, store.MailingFilter{Owner: anna.ID}, store.Page{Limit: 1, Uncounted: true})
			ok(t, err)
			equal(t, "total", total, 0)
			equal(t, "rows", len(list), 1)
		})
	})
}

func TestHomeRuns(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := newHouse(t, s, 3)
		begun := func(m mailing.Mailing, state mailing.DeliveryState, at time.Time) mailing.Run {
			run := storetest.Run(t, s, m)
			h.settleAll(t, h.node, h.leaseAll(t, h.node, run.ID, now), state, now)
			must(s.Writer().Exec("update runs set created_at = $1 where id = $2", at.UnixMilli(), run.ID))(t)
			return run
		}
		begun(h.mailing, mailing.Sent, now.Add(-20*time.Minute))
		begun(h.mailing, mailing.Sent, now.Add(-10*time.Minute))
		begun(h.mailing, mailing.Sent, now.Add(-40*24*time.Hour))
		failed := begun(h.mailing, mailing.Failed, now.Add(-time.Hour))
		doubted := begun(h.mailing, mailing.InDoubt, now.Add(-2*time.Hour))
		open := storetest.Run(t, s, h.mailing)
		t.Run("what was sent is counted by quarters of an hour", func(t *testing.T) {
			slots := must(s.SentSince(ctx, h.owner.ID, now.Add(-30*24*time.Hour)))(t)
			equal(t, "slots", len(slots), 2)
			equal(t, "mails", slots[0].Mails+slots[1].Mails, 6)
			equal(t, "slot", slots[1].Slot, now.Add(-10*time.Minute).UnixMilli()/store.SlotLength.Milliseconds())
			equal(t, "everybody's", len(must(s.SentSince(ctx, 0, now.Add(-30*24*time.Hour)))(t)), 2)
			equal(t, "another's", len(must(s.SentSince(ctx, 1, now.Add(-30*24*time.Hour)))(t)), 0)
		})
		t.Run("runs that somebody has to look after are found", func(t *testing.T) {
			for _, owner := range []int64{0, h.owner.ID} {
				equal(t, "doubted", must(s.DoubtedRuns(ctx, owner, 9))(t)[0].ID, doubted.ID)
				list := must(s.FailedRuns(ctx, owner, now.Add(-24*time.Hour), 9))(t)
				equal(t, "failed", len(list), 1)
				equal(t, "failed", list[0].ID, failed.ID)
				equal(t, "open", must(s.OpenRuns(ctx, owner, 9))(t)[0].ID, open.ID)
			}
			equal(t, "another's", len(must(s.OpenRuns(ctx, 1, 9))(t))+len(must(s.DoubtedRuns(ctx, 1, 9))(t)), 0)
			equal(t, "failed since", len(must(s.FailedRuns(ctx, 0, now, 9))(t)), 0)
		})
	})
}

func TestPastOfAContact(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := newHouse(t, s, 2)
		contact := h.contacts[0]
		for i, state := range []mailing.DeliveryState{mailing.Sent, mailing.Deferred, mailing.Failed} {
			at := now.Add(time.Duration(i) * time.Minute)
			run := storetest.Run(t, s, h.mailing)
			h.settleAll(t, h.node, h.leaseAll(t, h.node, run.ID, now), state, at)
		}
		t.Run("attempts come newest first, until a moment", func(t *testing.T) {
			got := must(s.ContactAttempts(ctx, h.owner.ID, contact.ID, now.Add(time.Hour), 9))(t)
			equal(t, "attempts", len(got), 3)
			equal(t, "newest", got[0].Result, mailing.AttemptFailed)
			equal(t, "address", got[0].Email, contact.Email)
			equal(t, "before", len(must(s.ContactAttempts(ctx, h.owner.ID, contact.ID, now.Add(time.Minute), 9))(t)), 1)
			equal(t, "most", len(must(s.ContactAttempts(ctx, h.owner.ID, contact.ID, now.Add(time.Hour), 2))(t)), 2)
			equal(t, "another's", len(must(s.ContactAttempts(ctx, 1, contact.ID, now.Add(time.Hour), 9))(t)), 0)
		})
		t.Run("so does what was skipped", func(t *testing.T) {
			must(s.Suppress(ctx, mailing.Suppression{OwnerID: h.owner.ID, Email: contact.Email, Reason: mailing.ReasonManual, CreatedAt: now}))(t)
			storetest.Run(t, s, h.mailing)
			got := must(s.ContactSkips(ctx, h.owner.ID, contact.ID, now.Add(time.Hour), 9))(t)
			equal(t, "skipped", len(got), 1)
			equal(t, "reason", got[0].Reason, mailing.ReasonManual)
			equal(t, "another's", len(must(s.ContactSkips(ctx, 1, contact.ID, now.Add(time.Hour), 9))(t)), 0)
		})
		t.Run("the import that brought them is known by its moment", func(t *testing.T) {
			id := must(s.CreateImport(ctx, h.owner.ID, "a.csv", now))(t)
			equal(t, "import", must(s.ImportAt(ctx, h.owner.ID, now))(t).ID, id)
			equal(t, "none", must(s.ImportAt(ctx, h.owner.ID, now.Add(time.Second)))(t).ID, 0)
		})
	})
}
