package storetest

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"vestnik/internal/mailing"
	"vestnik/internal/store"
)

// How large a base is after years: what Big makes.
const (
	BigClients  = 100_000
	BigMailings = 10_000
	BigTries    = 1_000_000
)

// Where the ids of what Big makes begin: the first thing of its kind has the next one.
const (
	bigClient   = 1_000_000
	bigMailing  = 2_000_000
	bigRun      = 3_000_000
	bigDelivery = 10_000_000
)

// Grown names some of what Big has made.
type Grown struct{ Mailing, Run, Delivery, Client int64 }

// Big gives the owner, who has nothing yet, a base as it is after years: clients,
// mailings with a run each, deliveries, and a try of each. It multiplies one thing of
// each kind in the database itself (SQLite only), so whatever columns there are. It makes
// no statistics of them, as nobody does in a service.
func Big(t testing.TB, s *store.Store, owner mailing.Account) Grown {
	t.Helper()
	ctx := context.Background()
	client := Contact(t, s, owner.ID, "template@example.com")
	m := Mailing(t, s, mailing.Mailing{OwnerID: owner.ID, NextAt: Now.AddDate(50, 0, 0)}, client.ID)
	run := Run(t, s, m)
	node := Node(t, s, "big")
	leased, err := s.Lease(ctx, node, run.ID, Now, 1)
	if err != nil || len(leased) != 1 {
		t.Fatalf("%d leased, %v", len(leased), err)
	}
	attempt := &mailing.Attempt{
		DeliveryID: leased[0].ID, RunID: run.ID, MailingID: m.ID, OwnerID: owner.ID, Email: client.Email, At: Now,
		Node: node.Name, Host: "mx.example.com:25", Stage: "dot", Result: mailing.AttemptAccepted,
		Reply: mailing.Reply{Code: 250, Enhanced: "2.0.0", Text: "Ok: queued as 4X1"},
	}
	outcome := store.Outcome{DeliveryID: leased[0].ID, Epoch: node.Epoch, State: mailing.Sent, Attempt: attempt}
	if err := s.Settle(ctx, node, []store.Outcome{outcome}, Now); err != nil {
		t.Fatal(err)
	}
	const each = BigTries / BigMailings
	email := "printf('client%06d@example.com', "
	grow(t, s, "contacts", fmt.Sprint("id = ", client.ID), BigClients, map[string]string{
		"id": fmt.Sprint(bigClient, " + i"), "email": email + "i)", "search": email + "i)", "created_at": "created_at - i * 60000",
	})
	grow(t, s, "mailings", fmt.Sprint("id = ", m.ID), BigMailings, map[string]string{
		"id": fmt.Sprint(bigMailing, " + i"), "created_at": "created_at - i * 600000", "last_at": "created_at - i * 600000",
		"status": "case i % 5 when 0 then 'completed' when 1 then 'running' when 2 then 'paused' else 'created' end",
	})
	grow(t, s, "mailing_contacts", fmt.Sprint("mailing_id = ", m.ID), BigMailings, map[string]string{
		"mailing_id": fmt.Sprint(bigMailing, " + i"), "contact_id": fmt.Sprint(bigClient, " + i"),
	})
	grow(t, s, "runs", fmt.Sprint("id = ", run.ID), BigMailings, map[string]string{
		"id": fmt.Sprint(bigRun, " + i"), "mailing_id": fmt.Sprint(bigMailing, " + i"), "scheduled_for": "scheduled_for - i * 600000",
		"created_at": "created_at - i * 600000", "finished_at": "finished_at - i * 600000",
		"audience": fmt.Sprint(each), "sent": fmt.Sprint(each - 3), "failed": "3",
	})
	// Each run goes to the next hundred clients.
	grow(t, s, "deliveries", fmt.Sprint("id = ", leased[0].ID), BigTries, map[string]string{
		"id": fmt.Sprint(bigDelivery, " + i"), "run_id": fmt.Sprint(bigRun, " + (i + 99) / 100"), "email": email + "1 + i % 100000)",
		"contact_id": fmt.Sprint(bigClient, " + 1 + i % 100000"), "settled_at": "settled_at - i / 100 * 600000",
		"state": fmt.Sprint("case when i % 100 < 3 then ", int(mailing.Failed), " else state end"), "reason": "case when i % 100 < 3 then 'refused' else '' end",
	})
	grow(t, s, "attempts", fmt.Sprint("delivery_id = ", leased[0].ID), BigTries, map[string]string{
		"id": fmt.Sprint(bigDelivery, " + i"), "delivery_id": fmt.Sprint(bigDelivery, " + i"), "run_id": fmt.Sprint(bigRun, " + (i + 99) / 100"),
		"mailing_id": fmt.Sprint(bigMailing, " + (i + 99) / 100"), "email": email + "1 + i % 100000)", "at": "at - (1000000 - i) * 6000",
		"result": "case when i % 100 < 3 then 'failed' else result end", "code": "case when i % 100 < 3 then 550 else code end",
	})
	return Grown{Mailing: bigMailing + 1, Run: bigRun + 1, Delivery: bigDelivery + 1, Client: bigClient + 1}
}

// grow adds n rows like the one that where finds, but for the columns of changed, whose
// expressions know the number i of the row, from 1 on.
func grow(t testing.TB, s *store.Store, table, where string, n int, changed map[string]string) {
	t.Helper()
	rows, err := s.Writer().Query("select name from pragma_table_info('" + table + "')")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var names, values []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		value := name
		if expression := changed[name]; expression != "" {
			value = expression
		}
		names, values = append(names, name), append(values, value)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	rows.Close() // the writer has one connection only
	_, err = s.Writer().Exec(fmt.Sprintf(`with recursive numbers (i) as (select 1 union all select i + 1 from numbers where i < %d)
		insert into %s (%s) select %s from %s, numbers where %s`,
		n, table, strings.Join(names, ", "), strings.Join(values, ", "), table, where))
	if err != nil {
		t.Fatalf("grow %s: %v", table, err)
	}
}
