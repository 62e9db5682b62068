package app_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
	"vestnik/internal/store"
	"vestnik/internal/store/storetest"
)

const clientEmail, clientMasked = "client@example.org", "c…@e….org"

// seen is all that somebody is shown of the owner's clients.
func (h *house) seen(t *testing.T, who mailing.Account, of things) string {
	t.Helper()
	ctx := t.Context()
	everyone := who.Role.May(mailing.ViewAnyClient)
	var all []any
	note := func(v any, err error) {
		t.Helper()
		must(t, err)
		all = append(all, v)
	}
	contacts, _, err := h.Contacts(ctx, who, app.ContactFilter{Everyone: everyone}, page)
	note(contacts, err)
	contact, err := h.Contact(ctx, who, of.contact)
	note(contact, err)
	past, _, err := h.ContactTimeline(ctx, who, contact, h.Now().Add(time.Hour), 100)
	must(t, err)
	for _, e := range past {
		if e.Attempt != nil {
			note(*e.Attempt, nil)
		}
		if e.Skip != nil {
			note(*e.Skip, nil)
		}
		if e.Suppressed != nil {
			note(*e.Suppressed, nil)
		}
	}
	found, err := h.Find(ctx, who, contact.FirstName)
	note(found, err)
	deliveries, _, err := h.Deliveries(ctx, who, of.run, nil, page)
	note(deliveries, err)
	delivery, err := h.Delivery(ctx, who, of.run, of.delivery)
	note(delivery, err)
	log, err := h.Log(ctx, who, app.LogFilter{Everyone: everyone, AttemptFilter: store.LogFilter{Limit: 10}})
	note(log, err)
	hand, _, err := h.InHand(ctx, who, everyone, page)
	note(hand, err)
	run, err := h.Run(ctx, who, of.run)
	note(run, err)
	progress, err := h.Progress(ctx, who, of.run)
	note(progress, err)
	m, err := h.Mailing(ctx, who, of.mailing)
	note(m, err)
	runs, err := h.LatestRuns(ctx, who, everyone, 10)
	note(runs, err)
	preview, err := h.PreviewMessage(ctx, who, app.MessageForm{Subject: "{{ email }}", Format: mailing.FormatText, Body: "{{ email }}"}, of.contact)
	note(preview, err)
	var file bytes.Buffer
	words := app.LogWords{Columns: []string{"time"}, Time: time.Time.String, Result: func(r mailing.AttemptResult) string { return string(r) }}
	must(t, h.ExportLog(ctx, who, app.LogFilter{Everyone: app.MayExportLog(who, true)}, &file, words))
	return fmt.Sprintf("%+v %s", all, file.String())
}

func TestMasking(t *testing.T) {
	h, owner, of := furnished(t)
	ctx := t.Context()
	node := storetest.Node(t, h.store, "node")
	other := storetest.Contact(t, h.store, owner.ID, "client2@example.org")
	leased, err := h.store.Lease(ctx, node, of.run, h.now, 10)
	must(t, err)
	must(t, h.store.Settle(ctx, node, []store.Outcome{{
		DeliveryID: leased[0].ID, Epoch: node.Epoch, State: mailing.Deferred, DueAt: h.now.Add(-time.Second),
		Attempt: &mailing.Attempt{
			DeliveryID: leased[0].ID, RunID: of.run, MailingID: of.mailing, OwnerID: owner.ID, Email: clientEmail, At: h.now, Node: "node",
			Stage: "rcpt", Result: mailing.AttemptDeferred, Reply: mailing.Reply{Code: 451, Text: "<CLIENT@example.org>: client is busy"},
		},
	}}, h.now))
	_, err = h.store.Lease(ctx, node, of.run, h.now, 10) // in hand again
	must(t, err)
	must(t, h.store.HaltRun(ctx, of.run, "550 client@example.org is not wanted here"))
	_, err = h.store.Suppress(ctx, mailing.Suppression{OwnerID: owner.ID, Email: clientEmail, Reason: mailing.ReasonBounced, Detail: "550 client@example.org", CreatedAt: h.now})
	must(t, err)

	manager, admin := h.person(t, "manager@example.org", mailing.RoleManager), h.person(t, "admin@example.org", mailing.RoleAdmin)
	if got := h.seen(t, manager, of); !strings.Contains(got, clientEmail) || strings.Contains(got, "…") {
		t.Fatalf("before it is set, a manager sees %s", got)
	}
	must(t, h.ChangeSettings(ctx, admin, map[string]string{"mask_clients": "true"}))
	t.Run("a manager sees no whole address anywhere", func(t *testing.T) {
		got := h.seen(t, manager, of)
		if lower := strings.ToLower(got); strings.Contains(lower, "client@") || strings.Contains(lower, "client2@") || strings.Contains(lower, ": client is") {
			t.Errorf("they see %s", got)
		}
		if n := strings.Count(got, clientMasked); n < 13 {
			t.Errorf("only %d places show that there is an address:\n%s", n, got)
		}
	})
	t.Run("its owner and an admin do", func(t *testing.T) {
		for _, who := range []mailing.Account{owner, admin} {
			if got := h.seen(t, who, of); strings.Contains(got, "…") {
				t.Errorf("%s sees %s", who.Role, got)
			}
		}
	})
	t.Run("an address cannot be found out by searching and sorting", func(t *testing.T) {
		for _, typed := range []string{"client", "example", clientEmail} {
			search := app.Page{Search: typed, Limit: 10, Sort: "email"}
			contacts, _, err := h.Contacts(ctx, manager, app.ContactFilter{Everyone: true}, search)
			must(t, err)
			deliveries, _, err := h.Deliveries(ctx, manager, of.run, nil, search)
			must(t, err)
			hand, _, err := h.InHand(ctx, manager, true, search)
			must(t, err)
			log, err := h.Log(ctx, manager, app.LogFilter{Everyone: true, AttemptFilter: store.LogFilter{Limit: 10, Email: typed}})
			must(t, err)
			if n := len(contacts) + len(deliveries) + len(hand) + len(log); n > 0 {
				t.Errorf("%q finds %d", typed, n)
			}
		}
		for _, typed := range []string{"Иван", "сидоров", "ИВАН сид"} {
			contacts, _, err := h.Contacts(ctx, manager, app.ContactFilter{Everyone: true}, app.Page{Search: typed, Limit: 10})
			if err != nil || len(contacts) != 2 {
				t.Errorf("the name %q finds %d, %v", typed, len(contacts), err)
			}
		}
	})
	t.Run("a manager's own clients are theirs", func(t *testing.T) {
		mine := storetest.Contact(t, h.store, manager.ID, "mine@example.org")
		if c, err := h.Contact(ctx, manager, mine.ID); err != nil || c.Email != mine.Email {
			t.Errorf("got %q, %v", c.Email, err)
		}
		list, _, err := h.Contacts(ctx, manager, app.ContactFilter{}, app.Page{Search: "mine@", Limit: 10})
		if err != nil || len(list) != 1 || list[0].Email != mine.Email {
			t.Errorf("their list has %+v, %v", list, err)
		}
	})
	if c, err := h.Contact(ctx, owner, other.ID); err != nil || c.Email != other.Email {
		t.Errorf("another client is %q, %v", c.Email, err)
	}
}

func TestSettings(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	admin := h.person(t, "admin@example.org", mailing.RoleAdmin)
	t.Run("are for those who run the service", func(t *testing.T) {
		for _, role := range []mailing.Role{mailing.RoleUser, mailing.RoleManager} {
			who := h.person(t, string(role)+"@example.org", role)
			want(t, h.ChangeSettings(ctx, who, map[string]string{"mask_clients": "true"}), "not_found")
			_, err := h.SettingValues(who)
			want(t, err, "not_found")
			_, err = h.GivenSettings(who)
			want(t, err, "not_found")
			_, err = h.Health(ctx, who)
			want(t, err, "not_found")
			_, err = h.Jobs(ctx, who, app.JobFilter{})
			want(t, err, "not_found")
			_, err = h.JobCounts(ctx, who)
			want(t, err, "not_found")
			want(t, h.RetryJob(ctx, who, 1), "not_found")
			want(t, h.CancelJob(ctx, who, 1), "not_found")
		}
	})
	t.Run("count on another node once it looks", func(t *testing.T) {
		other := over(h.store)
		must(t, h.ChangeSettings(ctx, admin, map[string]string{"mask_clients": "true", "unheard_of": "1"}))
		if !h.Settings().MaskClients || other.Settings().MaskClients {
			t.Errorf("here %+v, there %+v", h.Settings(), other.Settings())
		}
		must(t, other.LookAtSettings(ctx))
		if !other.Settings().MaskClients {
			t.Error("the other node does not go by it")
		}
	})
	t.Run("that make no sense are refused, and change nothing", func(t *testing.T) {
		err := h.ChangeSettings(ctx, admin, map[string]string{"mask_clients": "perhaps"})
		if got := fields(err); got != "mask_clients:choice_unknown" || !h.Settings().MaskClients {
			t.Errorf("got %s, %+v", got, h.Settings())
		}
		must(t, h.store.PutSettings(ctx, map[string]string{"mask_clients": "nonsense"}))
		must(t, h.LookAtSettings(ctx))
		if h.Settings().MaskClients {
			t.Error("what is stored and means nothing is not the default")
		}
	})
}
