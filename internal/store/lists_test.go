package store_test

import (
	"fmt"
	"testing"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/store"
	"vestnik/internal/store/storetest"
)

func TestLog(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := newHouse(t, s, 4)
		run := storetest.Run(t, s, h.mailing)
		list := h.leaseAll(t, h.node, run.ID, now)
		states := []mailing.DeliveryState{mailing.Sent, mailing.Deferred, mailing.Failed, mailing.Sent}
		for i, l := range list {
			at := now.Add(time.Duration(i) * time.Minute)
			ok(t, s.Settle(ctx, h.node, []store.Outcome{h.outcome(h.node, l, states[i], at)}, at))
		}
		boris := storetest.Account(t, s, "boris@example.com")
		storetest.Contact(t, s, boris.ID, "other@example.org")
		other := h
		other.owner, other.mailing = boris, storetest.Mailing(t, s, mailing.Mailing{OwnerID: boris.ID})
		otherRun := storetest.Run(t, s, other.mailing)
		other.settleAll(t, h.node, h.leaseAll(t, h.node, otherRun.ID, now), mailing.Sent, now.Add(time.Hour))

		for _, c := range []struct {
			what   string
			filter store.LogFilter
			want   int
		}{
			{"everybody's", store.LogFilter{}, 5},
			{"an owner's", store.LogFilter{Owner: h.owner.ID}, 4},
			{"a mailing's", store.LogFilter{MailingID: other.mailing.ID}, 1},
			{"a run's", store.LogFilter{RunID: run.ID}, 4},
			{"a delivery's", store.LogFilter{DeliveryID: list[1].ID}, 1},
			{"of a result", store.LogFilter{Result: mailing.AttemptAccepted}, 3},
			{"of an owner and a result", store.LogFilter{Owner: h.owner.ID, Result: mailing.AttemptAccepted}, 2},
			{"to an address", store.LogFilter{Email: "OTHER@"}, 1},
			{"to part of one", store.LogFilter{Email: "example.com"}, 4},
			{"to one with a wildcard", store.LogFilter{Email: "client%"}, 0},
			{"from a time on", store.LogFilter{From: now.Add(3 * time.Minute)}, 2},
			{"until a time", store.LogFilter{To: now.Add(time.Minute)}, 1},
			{"on a day", store.LogFilter{Owner: h.owner.ID, From: now, To: now.Add(time.Hour)}, 4},
		} {
			c.filter.Limit = 100
			equal(t, c.what, len(must(s.Log(ctx, c.filter))(t)), c.want)
		}

		t.Run("is paged from the newest to the oldest", func(t *testing.T) {
			var before int64
			var seen []time.Time
			for {
				page := must(s.Log(ctx, store.LogFilter{Before: before, Limit: 2}))(t)
				for _, a := range page {
					seen = append(seen, a.At)
				}
				if len(page) < 2 {
					break
				}
				before = page[1].ID
			}
			equalList(t, "times", seen, []time.Time{
				now.Add(time.Hour), now.Add(3 * time.Minute), now.Add(2 * time.Minute), now.Add(time.Minute), now,
			})
		})
		t.Run("outlives the mailing, the message and the people", func(t *testing.T) {
			ok(t, s.DeleteMailing(ctx, h.mailing.ID, now))
			ok(t, s.DeleteMessage(ctx, h.mailing.MessageID))
			must(s.DeleteContacts(ctx, h.owner.ID, []int64{h.contacts[0].ID}))(t)
			equal(t, "attempts", len(must(s.Log(ctx, store.LogFilter{Owner: h.owner.ID, Limit: 9}))(t)), 4)
		})
	})
}

func TestDeliveriesAreListed(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := newHouse(t, s, 5)
		run := storetest.Run(t, s, h.mailing)
		list := h.leaseAll(t, h.node, run.ID, now)
		h.settleAll(t, h.node, list[:2], mailing.Sent, now)
		final := []mailing.DeliveryState{mailing.Sent, mailing.Failed}
		for _, c := range []struct {
			what   string
			filter store.DeliveryFilter
			search string
			total  int64
		}{
			{"a run's", store.DeliveryFilter{RunID: run.ID}, "", 5},
			{"a run's, sent or failed", store.DeliveryFilter{RunID: run.ID, States: final}, "", 2},
			{"a contact's", store.DeliveryFilter{ContactID: h.contacts[0].ID}, "", 1},
			{"another owner's", store.DeliveryFilter{RunID: run.ID, Owner: 1}, "", 0},
			{"its owner's", store.DeliveryFilter{RunID: run.ID, Owner: h.owner.ID}, "CLIENT000003", 1},
		} {
			got, total, err := s.Deliveries(ctx, c.filter, store.Page{Search: c.search, Sort: "email", Limit: 9})
			ok(t, err)
			equal(t, c.what, int64(len(got)), c.total)
			equal(t, c.what+": total", total, c.total)
		}
	})
}

func TestMailingsAreListed(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := newHouse(t, s, 3)
		message := storetest.Message(t, s, mailing.Message{OwnerID: h.owner.ID, Subject: "Ёлочные игрушки"})
		chosen := storetest.Mailing(t, s, mailing.Mailing{
			OwnerID: h.owner.ID, MessageID: message.ID, Weight: mailing.WeightHigh, FromName: "Анна", ReplyTo: "reply@example.com",
		}, h.contacts[0].ID, h.contacts[1].ID)
		boris := storetest.Account(t, s, "boris@example.com")
		storetest.Mailing(t, s, mailing.Mailing{OwnerID: boris.ID, Status: mailing.StatusCompleted})

		t.Run("as they were made", func(t *testing.T) {
			rows, total, err := s.Mailings(ctx, store.MailingFilter{Owner: h.owner.ID}, store.Page{Search: "елочн", Limit: 9})
			ok(t, err)
			equal(t, "total", total, 1)
			m := rows[0]
			equal(t, "subject", m.Subject, message.Subject)
			equal(t, "chosen", m.Chosen, 2)
			equal(t, "owner", m.OwnerName+" "+m.OwnerEmail, "Анна Петрова anna@example.com")
			equal(t, "mailing", fmt.Sprint(m.Mailing), fmt.Sprint(chosen))
			equal(t, "mailing", fmt.Sprint(must(s.Mailing(ctx, chosen.ID))(t)), fmt.Sprint(chosen))
		})
		t.Run("by status, in every order", func(t *testing.T) {
			for _, column := range []string{"", "created", "next", "last", "status", "subject", "none"} {
				rows, total, err := s.Mailings(ctx, store.MailingFilter{Status: mailing.StatusCreated}, store.Page{Sort: column, Desc: true, Limit: 9})
				ok(t, err)
				equal(t, "rows by "+column, len(rows), 2)
				equal(t, "total by "+column, total, 2)
			}
		})
		t.Run("with other contacts after an edit", func(t *testing.T) {
			chosen.FromName, chosen.Weight = "", mailing.WeightLow
			ok(t, s.UpdateMailing(ctx, chosen, chosen, nil))
			equal(t, "weight", must(s.Mailing(ctx, chosen.ID))(t).Weight, mailing.WeightLow)
			equal(t, "chosen", len(must(s.MailingContacts(ctx, chosen.ID))(t)), 2)
			ok(t, s.UpdateMailing(ctx, chosen, chosen, []int64{h.contacts[2].ID}))
			equalList(t, "chosen", must(s.MailingContacts(ctx, chosen.ID))(t), []int64{h.contacts[2].ID})
			ok(t, s.UpdateMailing(ctx, chosen, chosen, []int64{}))
			equal(t, "chosen", len(must(s.MailingContacts(ctx, chosen.ID))(t)), 0)
			paused, opened := chosen, chosen
			paused.Status, opened.NextAt = mailing.StatusPaused, chosen.NextAt.AddDate(0, 0, 1)
			for _, was := range []mailing.Mailing{paused, opened} {
				wantCode(t, s.UpdateMailing(ctx, chosen, was, []int64{h.contacts[0].ID}), "changed_meanwhile")
			}
			equal(t, "chosen", len(must(s.MailingContacts(ctx, chosen.ID))(t)), 0)
		})
		t.Run("and counted for the home page", func(t *testing.T) {
			storetest.Contact(t, s, boris.ID, h.contacts[0].Email) // the same person
			equal(t, "one's own", must(s.Numbers(ctx, h.owner.ID))(t), store.Numbers{Mailings: 2, Active: 2, Clients: 3})
			equal(t, "everybody's", must(s.Numbers(ctx, 0))(t), store.Numbers{Mailings: 3, Active: 2, Clients: 3})
		})
	})
}

func TestDueMailings(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		owner := storetest.Account(t, s, "anna@example.com").ID
		late := storetest.Mailing(t, s, mailing.Mailing{OwnerID: owner, NextAt: now})
		later := storetest.Mailing(t, s, mailing.Mailing{OwnerID: owner, NextAt: now.Add(-time.Hour), Status: mailing.StatusRunning})
		storetest.Mailing(t, s, mailing.Mailing{OwnerID: owner, NextAt: now.Add(time.Millisecond)})
		for _, status := range []mailing.Status{mailing.StatusPaused, mailing.StatusDisabled, mailing.StatusCompleted} {
			storetest.Mailing(t, s, mailing.Mailing{OwnerID: owner, NextAt: now, Status: status})
		}
		var due []int64
		for _, m := range must(s.DueMailings(ctx, now, mailing.Mailing{}, 10))(t) {
			due = append(due, m.ID)
		}
		equalList(t, "due, the longest waiting first", due, []int64{later.ID, late.ID})
		first := must(s.DueMailings(ctx, now, mailing.Mailing{}, 1))(t)[0]
		rest := must(s.DueMailings(ctx, now, first.Mailing, 10))(t)
		equal(t, "after the first", len(rest), 1)
		equal(t, "which is", rest[0].ID, late.ID)
		must(s.Writer().Exec("update mailings set rule = '?' where id = $1", later.ID))(t)
		list := must(s.DueMailings(ctx, now, mailing.Mailing{}, 10))(t)
		equal(t, "with one that cannot be read", len(list), 2)
		equal(t, "it says so", list[0].Err != nil, true)
		equal(t, "the other is as it was", list[1].ID == late.ID && list[1].Err == nil, true)
		equal(t, "at most one", len(must(s.DueMailings(ctx, now, mailing.Mailing{}, 1))(t)), 1)
	})
}

func TestMessages(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		owner := storetest.Account(t, s, "anna@example.com").ID
		m := storetest.Message(t, s, mailing.Message{OwnerID: owner, Subject: "Ёлки & палки", Format: mailing.FormatMarkdown, Body: "**да**\n"})
		storetest.Message(t, s, mailing.Message{OwnerID: owner})
		equal(t, "message", must(s.Message(ctx, m.ID))(t), m)
		m.Body, m.UpdatedAt = "нет", now.Add(time.Hour)
		ok(t, s.UpdateMessage(ctx, m))
		list, total, err := s.Messages(ctx, owner, store.Page{Search: "елки", Sort: "updated", Limit: 9})
		ok(t, err)
		equal(t, "total", total, 1)
		equal(t, "message", list[0], m)
		use := storetest.Mailing(t, s, mailing.Mailing{OwnerID: owner, MessageID: m.ID})
		wantCode(t, s.DeleteMessage(ctx, m.ID), "message_in_use")
		ok(t, s.DeleteMailing(ctx, use.ID, now))
		ok(t, s.DeleteMessage(ctx, m.ID))
		_, err = s.Message(ctx, m.ID)
		wantCode(t, err, "not_found")
	})
}

func TestDemoMails(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		put := func(n int) {
			ok(t, s.PutDemoMail(ctx, store.DemoMail{
				Sender: "a@example.com", Recipient: fmt.Sprintf("b%d@example.com", n), Subject: "Ёлка",
				Data: []byte("Subject: \x00\xff\r\n"), At: now,
			}, 50))
		}
		for n := 1; n <= 250; n++ {
			put(n)
		}
		list, total, err := s.DemoMails(ctx, store.Page{Desc: true, Limit: 1})
		ok(t, err)
		equal(t, "kept, the latest 50 at the 200th and those since", total, 100)
		equal(t, "newest", list[0].Recipient, "b250@example.com")
		m := must(s.DemoMail(ctx, list[0].ID))(t)
		equal(t, "data", string(m.Data), "Subject: \x00\xff\r\n")
		_, total, err = s.DemoMails(ctx, store.Page{Search: "B250 елк", Limit: 1})
		ok(t, err)
		equal(t, "found", total, 1)
		_, err = s.DemoMail(ctx, 1)
		wantCode(t, err, "not_found")
	})
}

func TestInstallation(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		first := store.Installation{Instance: "one", KeyCheck: "check"}
		equal(t, "stored", must(s.Installation(ctx, first, now))(t), first)
		equal(t, "kept", must(s.Installation(ctx, store.Installation{Instance: "two"}, now))(t), first)
	})
}
