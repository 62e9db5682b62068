package app_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
	"vestnik/internal/store"
	"vestnik/internal/store/storetest"
)

// change is something that changes what is kept; ready prepares it.
type change struct {
	name  string
	ready func(t *testing.T, h *cachedHouse)
	do    func(ctx context.Context, h *cachedHouse) error
}

// first is the id of an owner's only thing in a table.
func (h *cachedHouse) first(table string) (id int64) {
	err := h.store.Writer().QueryRowContext(context.Background(),
		"select id from "+table+" where owner_id = $1 order by id limit 1", h.owner.ID).Scan(&id)
	if err != nil {
		panic(err)
	}
	return id
}

func withContact(t *testing.T, h *cachedHouse) {
	storetest.Contact(t, h.store, h.owner.ID, "client@example.com")
	storetest.Contact(t, h.store, h.other.ID, "other@example.com")
}

func withMailing(t *testing.T, h *cachedHouse) {
	withContact(t, h)
	message := storetest.Message(t, h.store, mailing.Message{OwnerID: h.owner.ID})
	storetest.Mailing(t, h.store, mailing.Mailing{OwnerID: h.owner.ID, MessageID: message.ID, NextAt: storetest.Now.Add(time.Hour)})
}

func in(e mailing.Event) func(*testing.T, *cachedHouse) {
	return func(t *testing.T, h *cachedHouse) {
		withMailing(t, h)
		if e == mailing.EventPause {
			must(t, h.PauseMailing(t.Context(), h.owner, h.first("mailings")))
			return
		}
		must(t, h.DisableMailing(t.Context(), h.owner, h.first("mailings"), ""))
	}
}

// ending makes the mailing one that completes with its run.
func ending(t *testing.T, h *cachedHouse) {
	withMailing(t, h)
	_, err := h.store.Writer().ExecContext(t.Context(), "update mailings set next_at = 0, status = 'running' where id = $1", h.first("mailings"))
	must(t, err)
}

func withOpenRun(t *testing.T, h *cachedHouse) {
	ending(t, h)
	m, err := h.store.Mailing(t.Context(), h.first("mailings"))
	must(t, err)
	storetest.Run(t, h.store, m)
}

// cachedChanges are all by which people change what is kept.
var cachedChanges = []change{
	{"a contact is created", nil, func(ctx context.Context, h *cachedHouse) error {
		_, err := h.CreateContact(ctx, h.owner, mailing.Contact{Email: "new@example.com"})
		return err
	}},
	{"a contact gets another's address", withContact, func(ctx context.Context, h *cachedHouse) error {
		_, err := h.UpdateContact(ctx, h.owner, h.first("contacts"), mailing.Contact{Email: "other@example.com"})
		return err
	}},
	{"a contact is deleted", withContact, func(ctx context.Context, h *cachedHouse) error {
		return h.DeleteContact(ctx, h.owner, h.first("contacts"))
	}},
	{"an admin deletes another's contact", withContact, func(ctx context.Context, h *cachedHouse) error {
		return h.DeleteContact(ctx, h.boss, h.first("contacts"))
	}},
	{"contacts are deleted", withContact, func(ctx context.Context, h *cachedHouse) error {
		_, err := h.DeleteContacts(ctx, h.owner, []int64{h.first("contacts")})
		return err
	}},
	{"contacts are imported", nil, func(ctx context.Context, h *cachedHouse) error {
		_, err := h.ImportContacts(ctx, h.owner, "a.csv", strings.NewReader("email\na@example.com\nb@example.com\n"))
		return err
	}},
	{"an import breaks off", nil, func(ctx context.Context, h *cachedHouse) error {
		_, err := h.ImportContacts(ctx, h.owner, "a.csv", broken{strings.NewReader("email\n" + lines(5000))})
		if mailing.CodeOf(err) != "import_upload_broken" {
			return fmt.Errorf("it does not break off: %w", err)
		}
		return nil
	}},
	{"a client is erased", withContact, func(ctx context.Context, h *cachedHouse) error {
		return h.EraseContact(ctx, h.owner, h.first("contacts"))
	}},
	{"an account is erased", withMailing, func(ctx context.Context, h *cachedHouse) error {
		return h.EraseAccount(ctx, h.boss, h.owner.ID)
	}},
	{"a mailing is created", withMailing, func(ctx context.Context, h *cachedHouse) error {
		_, err := h.CreateMailing(ctx, h.owner, form(h.first("messages")))
		return err
	}},
	{"a mailing that is completed is edited", func(t *testing.T, h *cachedHouse) {
		ending(t, h)
		_, err := h.store.Writer().ExecContext(t.Context(), "update mailings set status = 'completed'")
		must(t, err)
	}, func(ctx context.Context, h *cachedHouse) error {
		_, err := h.UpdateMailing(ctx, h.owner, h.first("mailings"), form(h.first("messages")))
		return err
	}},
	{"a mailing is deleted", withMailing, func(ctx context.Context, h *cachedHouse) error {
		return h.DeleteMailing(ctx, h.owner, h.first("mailings"))
	}},
	{"a mailing is paused", withMailing, func(ctx context.Context, h *cachedHouse) error {
		return h.PauseMailing(ctx, h.owner, h.first("mailings"))
	}},
	{"a mailing is resumed", in(mailing.EventPause), func(ctx context.Context, h *cachedHouse) error {
		return h.ResumeMailing(ctx, h.owner, h.first("mailings"))
	}},
	{"a manager disables a mailing", withMailing, func(ctx context.Context, h *cachedHouse) error {
		return h.DisableMailing(ctx, h.boss, h.first("mailings"), "why")
	}},
	{"a mailing is enabled", in(mailing.EventDisable), func(ctx context.Context, h *cachedHouse) error {
		return h.EnableMailing(ctx, h.owner, h.first("mailings"))
	}},
	{"a mailing without anybody is sent for the last time", func(t *testing.T, h *cachedHouse) {
		ending(t, h)
		must(t, h.DeleteContact(t.Context(), h.owner, h.first("contacts")))
	}, func(ctx context.Context, h *cachedHouse) error {
		_, err := h.SendNow(ctx, h.owner, h.first("mailings"))
		return err
	}},
	{"the last run of a mailing is cancelled", withOpenRun, func(ctx context.Context, h *cachedHouse) error {
		return h.CancelRun(ctx, h.owner, h.first("runs"))
	}},
	{"the last run of a mailing ends", withOpenRun, func(ctx context.Context, h *cachedHouse) error {
		run, err := h.store.Run(ctx, h.first("runs"))
		if err == nil {
			err = h.store.CancelRun(ctx, run.ID, storetest.Now)
		}
		h.RunsMoved(ctx, nil, []mailing.Run{run}) // as the node says that sends
		return err
	}},
	{"an admin says that the database is a copy", func(t *testing.T, h *cachedHouse) {
		message := storetest.Message(t, h.store, mailing.Message{OwnerID: h.boss.ID})
		storetest.Mailing(t, h.store, mailing.Mailing{OwnerID: h.boss.ID, MessageID: message.ID})
		_, err := h.store.Installation(t.Context(), store.Installation{Instance: "one"}, h.now)
		must(t, err)
		_, err = h.StartHold(t.Context(), h.boss)
		must(t, err)
	}, func(ctx context.Context, h *cachedHouse) error {
		_, err := h.EndHold(ctx, h.boss, mailing.HoldCopy)
		return err
	}},
	{"a person registers", nil, func(ctx context.Context, h *cachedHouse) error {
		_, err := h.Register(ctx, stranger, anna())
		return err
	}},
	{"a person confirms", func(t *testing.T, h *cachedHouse) {
		register(t, h.house, anna())
	}, func(ctx context.Context, h *cachedHouse) error {
		return h.Confirm(ctx, stranger, "anna@example.org", h.last(h.t, "code"))
	}},
	{"a profile is changed", nil, func(ctx context.Context, h *cachedHouse) error {
		return h.UpdateProfile(ctx, h.owner, app.Profile{FirstName: "Ева", Lang: "ru", Zone: "UTC"})
	}},
	{"an invitation is accepted", nil, func(ctx context.Context, h *cachedHouse) error {
		_, err := h.AcceptInvitation(ctx, invite(h.t, h.house, h.boss, "eve@example.org", mailing.RoleUser), newcomer())
		return err
	}},
	{"a language is chosen", nil, func(ctx context.Context, h *cachedHouse) error {
		return h.SetLang(ctx, h.boss, map[string]string{"ru": "en", "en": "ru"}[h.boss.Lang])
	}},
	{"a person signs in", nil, func(ctx context.Context, h *cachedHouse) error { return h.SignedIn(ctx, h.owner) }},
	{"a person is given a role", nil, func(ctx context.Context, h *cachedHouse) error {
		return h.GrantRole(ctx, h.boss, h.owner.ID, mailing.RoleManager)
	}},
	{"a person is blocked", nil, func(ctx context.Context, h *cachedHouse) error {
		return h.BlockUser(ctx, h.boss, h.owner.ID, "why")
	}},
	{"a person is let in again", func(t *testing.T, h *cachedHouse) {
		must(t, h.BlockUser(t.Context(), h.boss, h.owner.ID, "why"))
	}, func(ctx context.Context, h *cachedHouse) error { return h.UnblockUser(ctx, h.boss, h.owner.ID) }},
	{"a person gets a limit", nil, func(ctx context.Context, h *cachedHouse) error {
		return h.LimitUser(ctx, h.boss, h.owner.ID, 100)
	}},
	{"an admin adds a person", nil, func(ctx context.Context, h *cachedHouse) error {
		_, _, err := h.AddUser(ctx, h.boss, app.NewAccount{Email: "new@example.org", Role: mailing.RoleUser, Lang: "en"})
		return err
	}},
	{"the operator makes an account", nil, func(ctx context.Context, h *cachedHouse) error {
		_, err := h.CreateAccount(ctx, app.NewAccount{Email: "new@example.org", Password: password, Role: mailing.RoleUser, Lang: "en"})
		return err
	}},
}

// lines are so many lines of a file of contacts.
func lines(n int) string {
	var text strings.Builder
	for i := range n {
		fmt.Fprintf(&text, "client%d@example.com\n", i)
	}
	return text.String()
}

// broken is a file whose upload breaks off.
type broken struct{ *strings.Reader }

func (b broken) Read(p []byte) (int, error) {
	if b.Len() == 0 {
		return 0, fmt.Errorf("upload: %w", os.ErrClosed)
	}
	return b.Reader.Read(p)
}
