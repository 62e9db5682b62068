package storetest

import (
	"cmp"
	"context"
	"fmt"
	"testing"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/store"
)

// Now is the time at which the makers of this package make things: a Monday, noon
// in Moscow.
var Now = time.Date(2026, time.November, 23, 9, 0, 0, 0, time.UTC)

// Account makes a confirmed user who reads Russian and lives in Moscow's time.
func Account(t testing.TB, s *store.Store, email string) mailing.Account {
	t.Helper()
	a := mailing.Account{
		Email: email, FirstName: "Анна", LastName: "Петрова", Role: mailing.RoleUser,
		Lang: "ru", Zone: "Europe/Moscow", ConfirmedAt: Now, CreatedAt: Now,
	}
	id, err := s.CreateAccount(context.Background(), a, "hash of "+email)
	if err != nil {
		t.Fatal(err)
	}
	a.ID = id
	return a
}

// Contact makes a contact of the owner who is called Иван Сидоров.
func Contact(t testing.TB, s *store.Store, owner int64, email string) mailing.Contact {
	t.Helper()
	c := mailing.Contact{
		OwnerID: owner, Email: email, FirstName: "Иван", LastName: "Сидоров", CreatedAt: Now, UpdatedAt: Now,
	}
	id, err := s.CreateContact(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	c.ID = id
	return c
}

// Contacts makes the contacts client000001@example.com to that of number n, of an
// owner who has none, and returns them in this order.
func Contacts(t testing.TB, s *store.Store, owner int64, n int) []mailing.Contact {
	t.Helper()
	const batch = 1000
	for first := 1; first <= n; first += batch {
		var list []mailing.Contact
		for i := first; i < min(first+batch, n+1); i++ {
			list = append(list, mailing.Contact{
				OwnerID: owner, Email: fmt.Sprintf("client%06d@example.com", i),
				FirstName: "Клиент", LastName: fmt.Sprint(i), CreatedAt: Now,
			})
		}
		if _, err := s.ImportContacts(context.Background(), list); err != nil {
			t.Fatal(err)
		}
	}
	list, _, err := s.Contacts(context.Background(), store.ContactFilter{Owner: owner}, store.Page{Sort: "email", Limit: int64(n)})
	if err != nil {
		t.Fatal(err)
	}
	if len(list) != n {
		t.Fatalf("the owner has %d contacts, want %d", len(list), n)
	}
	return list
}

// Message makes a message like m. What m leaves out is filled in, but OwnerID.
func Message(t testing.TB, s *store.Store, m mailing.Message) mailing.Message {
	t.Helper()
	m.Subject = cmp.Or(m.Subject, "Новости")
	m.Format = cmp.Or(m.Format, mailing.FormatText)
	m.Body = cmp.Or(m.Body, "Здравствуйте!")
	m.CreatedAt = cmp.Or(m.CreatedAt, Now)
	m.UpdatedAt = m.CreatedAt
	id, err := s.CreateMessage(context.Background(), m)
	if err != nil {
		t.Fatal(err)
	}
	m.ID = id
	return m
}

// Mailing makes a mailing like m, to the contacts with the ids if there are any.
// What m leaves out is filled in, but OwnerID: it is daily, due Now, goes to
// everybody, says what Message says and sends nothing twice.
func Mailing(t testing.TB, s *store.Store, m mailing.Mailing, contactIDs ...int64) mailing.Mailing {
	t.Helper()
	if m.MessageID == 0 {
		m.MessageID = Message(t, s, mailing.Message{OwnerID: m.OwnerID}).ID
	}
	if m.Rule.Frequency == "" {
		m.Rule = mailing.Rule{
			Frequency: mailing.Daily, Interval: 1, Start: mailing.DateOf(Now),
			At: mailing.Clock{Hour: 12}, Zone: "Europe/Moscow",
		}
	}
	if len(contactIDs) > 0 {
		m.Audience = cmp.Or(m.Audience, mailing.AudienceChosen)
	}
	m.Audience = cmp.Or(m.Audience, mailing.AudienceAll)
	m.Doubt = cmp.Or(m.Doubt, mailing.NeverTwice)
	m.Weight = cmp.Or(m.Weight, mailing.WeightNormal)
	m.Status = cmp.Or(m.Status, mailing.StatusCreated)
	m.NextAt = cmp.Or(m.NextAt, Now)
	m.CreatedAt = cmp.Or(m.CreatedAt, Now)
	m.UpdatedAt = m.CreatedAt
	id, err := s.CreateMailing(context.Background(), m, contactIDs)
	if err != nil {
		t.Fatal(err)
	}
	m.ID = id
	return m
}

// Run opens a run of the mailing by hand, Now, and writes down all its
// deliveries. It is complete at once when there are none to send.
func Run(t testing.TB, s *store.Store, m mailing.Mailing) mailing.Run {
	t.Helper()
	ctx := context.Background()
	message, err := s.Message(ctx, m.MessageID)
	if err != nil {
		t.Fatal(err)
	}
	content := store.Content{Subject: message.Subject, Format: message.Format, Body: message.Body}
	id, err := s.OpenManualRun(ctx, OpeningRun(m), content, Now)
	if err != nil {
		t.Fatal(err)
	}
	Fill(t, s, id)
	run, err := s.Run(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	return run
}

// OpeningRun is a run of the mailing as it is handed to the store, opened by hand
// at a moment no other run has.
func OpeningRun(m mailing.Mailing) mailing.Run {
	return mailing.Run{
		MailingID: m.ID, OwnerID: m.OwnerID, Kind: mailing.RunManual, State: mailing.RunOpening,
		ScheduledFor: Now.Add(time.Duration(store.NewID()%1e9) * time.Millisecond),
		Audience:     m.Audience, Lang: "ru", Weight: m.Weight, Doubt: m.Doubt, Unsubscribe: true, CreatedAt: Now,
	}
}

// Fill writes down all deliveries of a run.
func Fill(t testing.TB, s *store.Store, runID int64) {
	t.Helper()
	for {
		done, err := s.FillRun(context.Background(), runID, Now)
		if err != nil {
			t.Fatal(err)
		}
		if done {
			return
		}
	}
}

// Node starts a node that stays alive for an hour from Now.
func Node(t testing.TB, s *store.Store, name string) store.Node {
	t.Helper()
	n, err := s.StartNode(context.Background(), name, Now, Now.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// InHand is how many deliveries of the run nodes hold.
func InHand(s *store.Store, runID int64) (n int64, err error) {
	list, _, err := s.InHand(context.Background(), 0, store.Page{Limit: 100_000})
	for _, d := range list {
		if d.RunID == runID {
			n++
		}
	}
	return n, err
}
