package app_test

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
	"vestnik/internal/store/storetest"
)

// last returns the latest deed, and fails unless there are so many since the last call.
type trail struct {
	h    *house
	seen int64
}

func (l *trail) last(t *testing.T, want int) mailing.Deed {
	t.Helper()
	all, err := l.h.Deeds(t.Context(), app.Operator, app.AuditFilter{Everyone: true, Limit: 1000})
	must(t, err)
	fresh := 0
	for _, d := range all {
		if d.Number > l.seen {
			fresh++
		}
	}
	if fresh != want {
		t.Fatalf("there are %d new deeds, want %d: %v", fresh, want, all[:min(fresh, len(all))])
	}
	if len(all) == 0 {
		return mailing.Deed{}
	}
	l.seen = all[0].Number
	return all[0]
}

// facts are what a deed changed, as one text.
func facts(d mailing.Deed) string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(d.After)) {
		if _, changed := d.Before[name]; !changed {
			all = append(all, name+"="+d.After[name])
		}
	}
	for _, name := range slices.Sorted(maps.Keys(d.Before)) {
		all = append(all, name+":"+d.Before[name]+">"+d.After[name])
	}
	return strings.Join(all, " ")
}

func TestDeedsSayWhatWasChanged(t *testing.T) {
	h := newHouse(t)
	log := trail{h: h}
	anna := h.person(t, "anna@example.org", mailing.RoleUser)
	ctx := app.WithOrigin(t.Context(), "192.0.2.7")
	importID := regexp.MustCompile(`import=[0-9]+`)
	step := func(name, action, changed string, do func() error) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			must(t, do())
			d := log.last(t, 1)
			if got := importID.ReplaceAllString(facts(d), "import=N"); string(d.Action) != action || got != changed {
				t.Errorf("the deed is %s %q, want %s %q", d.Action, got, action, changed)
			}
			if d.Actor != anna.ID || d.Email != anna.Email || d.From != "192.0.2.7" || d.Owner != anna.ID || !d.At.Equal(h.now) {
				t.Errorf("the deed does not say who did what where: %+v", d)
			}
		})
	}
	none := func(name string, do func() error) {
		t.Helper()
		t.Run(name+" leaves none", func(t *testing.T) {
			_ = do()
			log.last(t, 0)
		})
	}
	var contact, other mailing.Contact
	var message mailing.Message
	var m mailing.Mailing
	ivan := mailing.Contact{Email: "ivan@example.org", FirstName: "Иван"}
	step("a contact is made", "contact.create", "email=i…@e….org first_name=•••", func() (err error) {
		contact, err = h.CreateContact(ctx, anna, ivan)
		return err
	})
	none("a contact who is there already", func() error {
		_, err := h.CreateContact(ctx, anna, ivan)
		return err
	})
	ivan.LastName = "Сидоров"
	change := func() error {
		_, err := h.UpdateContact(ctx, anna, contact.ID, ivan)
		return err
	}
	step("a contact is changed", "contact.update", "last_name:>•••", change)
	none("a contact who is as he was", change)
	step("a contact is left out", "contact.suppress", "reason=manual", func() error { return second(h.SuppressContact(ctx, anna, contact.ID)) })
	none("a contact who was left out already", func() error { return second(h.SuppressContact(ctx, anna, contact.ID)) })
	step("a contact is mailed again", "contact.unsuppress", "reason:manual>", func() error { return h.UnsuppressContact(ctx, anna, contact.ID) })
	step("contacts are imported", "contact.import", "import=N", func() error {
		report, err := h.ImportContacts(ctx, anna, "list.csv", strings.NewReader("email\na@example.org\nb@example.org\nbroken\n"))
		return check(err, report.Added == 2)
	})
	step("another is made", "contact.create", "email=o…@e….org", func() (err error) {
		other, err = h.CreateContact(ctx, anna, mailing.Contact{Email: "olga@example.org"})
		return err
	})
	step("a message is written", "message.create", "body=5 · 3091aca226ef format=text subject=Тема", func() (err error) {
		message, err = h.CreateMessage(ctx, anna, letter)
		return err
	})
	step("a test is sent", "message.test", "to=m…@e….org", func() error { return h.SendTest(ctx, anna, letter, "me@example.org", 0) })
	rule := `rule={"frequency":"once","start":"2026-11-24","at":"10:00","zone":"Europe/Moscow"}`
	step("a mailing is made", "mailing.create", "audience=chosen contacts=1 doubt=never_twice message=Тема next_at=2026-11-24T07:00:00Z "+
		rule+" status=created weight=normal", func() (err error) {
		f := form(message.ID)
		f.Audience, f.ContactIDs = mailing.AudienceChosen, []int64{contact.ID, 12345}
		m, err = h.CreateMailing(ctx, anna, f)
		return err
	})
	step("a mailing is changed", "mailing.update", "contacts_added=1 contacts_removed=1 audience:chosen>all from_name:>Лавка", func() error {
		f := form(message.ID)
		f.FromName, f.ContactIDs = "Лавка", []int64{other.ID}
		_, err := h.UpdateMailing(ctx, anna, m.ID, f)
		return err
	})
	step("a mailing is paused", "mailing.pause", "status:created>paused", func() error { return h.PauseMailing(ctx, anna, m.ID) })
	step("contacts are deleted", "contact.delete_many", "count:3> emails:a…@e….org, b…@e….org, o…@e….org>", func() error {
		list, _, err := h.Contacts(ctx, anna, app.ContactFilter{}, page)
		must(t, err)
		ids := []int64{777}
		for _, c := range list {
			if c.ID != contact.ID {
				ids = append(ids, c.ID)
			}
		}
		n, err := h.DeleteContacts(ctx, anna, ids)
		return check(err, n == 3)
	})
	none("contacts that are not there", func() error {
		n, err := h.DeleteContacts(ctx, anna, []int64{1, 2})
		return check(err, n == 0)
	})
}

func check(err error, is bool) error {
	if err == nil && !is {
		return fmt.Errorf("it came out otherwise")
	}
	return err
}

func TestWhatTheCommandLineDoesIsTheOperators(t *testing.T) {
	h := newHouse(t)
	log := trail{h: h}
	anna := h.person(t, "anna@example.org", mailing.RoleUser)
	_, err := h.CreateContact(app.AsOperator(t.Context()), anna, mailing.Contact{Email: "ivan@example.org"})
	must(t, err)
	if d := log.last(t, 1); d.Actor != app.Operator.ID || d.Owner != anna.ID || d.Email != "" {
		t.Errorf("the deed is not the operator's in Anna's room: %+v", d)
	}
}

func TestASecretIsInNoDeed(t *testing.T) {
	h := newHouse(t)
	log := trail{h: h}
	admin := h.person(t, "admin@example.org", mailing.RoleAdmin)
	relay := app.RelaySettings{
		Kind: app.RelaySMTP, Host: "mail.example.org", Port: 587, TLS: "starttls", Username: "anna", Password: "swordfish",
		FromEmail: "anna@example.org", Weight: 10, Enabled: true,
	}
	var err error
	relay.ID, err = h.CreateRelay(t.Context(), admin, relay)
	must(t, err)
	if d := log.last(t, 1); d.After["password"] != mailing.Masked || strings.Contains(facts(d), "swordfish") {
		t.Errorf("a new relay: %s", facts(d))
	}
	relay.Name, relay.Password, relay.PerHour = "Почта", "", 100
	must(t, h.UpdateRelay(t.Context(), admin, relay))
	if d := log.last(t, 1); facts(d) != "name:mail.example.org>Почта per_hour:>100" {
		t.Errorf("the password has stayed: %s", facts(d))
	}
	relay.Password = "swordfish2"
	must(t, h.UpdateRelay(t.Context(), admin, relay))
	if d := log.last(t, 1); facts(d) != "password:"+mailing.Masked+">"+mailing.Masked {
		t.Errorf("another password: %s", facts(d))
	}
}

func TestWhoSeesWhichDeeds(t *testing.T) {
	h, owner, has := furnished(t)
	admin, manager := h.person(t, "admin@example.org", mailing.RoleAdmin), h.person(t, "manager@example.org", mailing.RoleManager)
	log := trail{h: h}
	log.last(t, 1) // the import that the owner came with
	from := func(address string) context.Context { return app.WithOrigin(t.Context(), address) }
	must(t, h.DisableMailing(from("198.51.100.1"), manager, has.mailing, "спам"))
	must(t, second(h.SuppressContact(from("192.0.2.1"), owner, has.contact)))
	_, err := h.CreateContact(from("198.51.100.2"), admin, mailing.Contact{Email: "x@example.org"})
	must(t, err)
	for name, c := range map[string]struct {
		who      mailing.Account
		everyone bool
		answer   string
		want     string
	}{
		"an admin sees all":  {admin, true, "ok", "contact.create 198.51.100.2, contact.suppress 192.0.2.1, mailing.disable 198.51.100.1"},
		"a manager does not": {manager, true, "not_found", ""},
		"a user does not":    {owner, true, "not_found", ""},
		"an owner sees what was done, and not from where": {owner, false, "ok", "contact.suppress 192.0.2.1, mailing.disable "},
		"a manager sees what they did":                    {manager, false, "ok", "mailing.disable 198.51.100.1"},
	} {
		t.Run(name, func(t *testing.T) {
			deeds, err := h.Deeds(t.Context(), c.who, app.AuditFilter{Everyone: c.everyone, Limit: 100, Before: 0})
			want(t, err, c.answer)
			var got []string
			for _, d := range deeds {
				if d.Number > log.seen {
					got = append(got, string(d.Action)+" "+d.From)
				}
			}
			if strings.Join(got, ", ") != c.want {
				t.Errorf("%v, want %s", got, c.want)
			}
		})
	}
	_, err = h.VerifyDeeds(t.Context(), manager)
	want(t, err, "not_found")
	v, err := h.VerifyDeeds(t.Context(), admin)
	must(t, err)
	if v.Broken != 0 || v.Lines != log.seen+3 {
		t.Errorf("found %+v", v)
	}
}

func TestAnOwnerIsToldWhoDisabledAMailingAndWhy(t *testing.T) {
	h, owner, has := furnished(t)
	manager, other := h.person(t, "manager@example.org", mailing.RoleManager), h.person(t, "other@example.org", mailing.RoleManager)
	before := len(h.mails(t))
	must(t, h.DisableMailing(t.Context(), manager, has.mailing, "жалуются"))
	mails := h.mails(t)
	if len(mails) != before+1 {
		t.Fatalf("%d mails, want one more than %d", len(mails), before)
	}
	m := mails[len(mails)-1]
	if m.to != owner.Email || m.vars["why"] != "жалуются" || !strings.Contains(m.vars["who"].(string), manager.Email) || !strings.Contains(m.subject, "Рассылка отключена") {
		t.Errorf("the mail is %+v", m)
	}
	want(t, h.EnableMailing(t.Context(), owner, has.mailing), "disabled_by_manager")
	want(t, h.ResumeMailing(t.Context(), owner, has.mailing), "mailing_status")
	_, err := h.SendNow(t.Context(), owner, has.mailing)
	want(t, err, "mailing_status")
	edited, err := h.UpdateMailing(t.Context(), owner, has.mailing, form(has.message))
	must(t, err)
	if edited.Status != mailing.StatusDisabled {
		t.Errorf("by being edited it is %s", edited.Status)
	}
	want(t, h.EnableMailing(t.Context(), owner, has.mailing), "disabled_by_manager")
	must(t, h.EnableMailing(t.Context(), other, has.mailing))
	if len(h.mails(t)) != before+2 {
		t.Error("that it was enabled is not told")
	}
	must(t, h.DisableMailing(t.Context(), owner, has.mailing, ""))
	if len(h.mails(t)) != before+2 {
		t.Error("the owner is told of what they did themselves")
	}
}

func TestAManagerIsNoJudgeInTheirOwnCase(t *testing.T) {
	h := newHouse(t)
	manager, admin := h.person(t, "manager@example.org", mailing.RoleManager), h.person(t, "admin@example.org", mailing.RoleAdmin)
	m := storetest.Mailing(t, h.store, mailing.Mailing{OwnerID: manager.ID})
	must(t, h.DisableMailing(t.Context(), admin, m.ID, "проверка"))
	want(t, h.EnableMailing(t.Context(), manager, m.ID), "disabled_by_manager")
	must(t, h.EnableMailing(t.Context(), admin, m.ID))
}

func TestWhoIsBlockedIsToldSo(t *testing.T) {
	h := newHouse(t)
	anna, manager := h.person(t, "anna@example.org", mailing.RoleUser), h.person(t, "manager@example.org", mailing.RoleManager)
	must(t, h.BlockUser(t.Context(), manager, anna.ID, "рассылает спам"))
	if err := h.BlockUser(t.Context(), manager, anna.ID, "ещё раз"); err == nil {
		t.Error("a person is blocked twice")
	}
	must(t, h.UnblockUser(t.Context(), manager, anna.ID))
	must(t, h.BlockUser(t.Context(), manager, anna.ID, "снова рассылает спам"))
	mails := h.mails(t)
	if len(mails) != 3 || mails[0].to != anna.Email || mails[0].vars["why"] != "рассылает спам" ||
		!strings.Contains(mails[0].vars["who"].(string), manager.Email) || !strings.Contains(mails[0].subject, "заблокирована") {
		t.Fatalf("the mails are %+v", mails)
	}
	runs, err := h.store.LiveRuns(t.Context())
	must(t, err)
	for _, run := range runs {
		if run.Held {
			t.Error("the mail waits until the block is lifted")
		}
	}
	if len(runs) != 3 {
		t.Errorf("%d runs are open", len(runs))
	}
}
