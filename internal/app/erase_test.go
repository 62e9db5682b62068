package app_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
	"vestnik/internal/store"
	"vestnik/internal/store/storetest"
)

// sent is a house with a run of one mailing to three clients: the first got it, the
// second is in a node's hand, the third waits.
type sent struct {
	*house
	owner mailing.Account
	run   mailing.Run
	node  store.Node
	hand  []store.Leased
}

const annasMail, borisMail, carlsMail = "anna@example.org", "boris@example.org", "carl@example.org"

func newSent(t *testing.T, s *store.Store) *sent {
	t.Helper()
	h := &sent{house: over(s)}
	h.owner = h.person(t, "owner@example.org", mailing.RoleUser)
	for _, email := range []string{annasMail, borisMail, carlsMail} {
		_, err := h.CreateContact(t.Context(), h.owner, mailing.Contact{Email: email, FirstName: "First " + email[:4]})
		must(t, err)
	}
	h.run = storetest.Run(t, s, storetest.Mailing(t, s, mailing.Mailing{OwnerID: h.owner.ID}))
	h.node = storetest.Node(t, s, "node")
	var err error
	h.hand, err = s.Lease(t.Context(), h.node, h.run.ID, h.now, 2)
	must(t, err)
	h.settle(t, h.hand[0], mailing.Sent)
	return h
}

func (h *sent) settle(t *testing.T, l store.Leased, state mailing.DeliveryState) {
	t.Helper()
	result := map[mailing.DeliveryState]mailing.AttemptResult{mailing.Sent: mailing.AttemptAccepted, mailing.InDoubt: mailing.AttemptInDoubt}[state]
	must(t, h.store.Settle(t.Context(), h.node, []store.Outcome{{
		DeliveryID: l.ID, Epoch: h.node.Epoch, Tries: l.Tries, State: state,
		Attempt: &mailing.Attempt{
			DeliveryID: l.ID, RunID: h.run.ID, MailingID: h.run.MailingID, OwnerID: h.owner.ID, Email: l.Email, At: h.now, Node: "node",
			Host: "mx", Stage: "dot", Result: result, Reply: mailing.Reply{Code: 250, Text: "Queued for <" + strings.ToUpper(l.Email) + ">"},
		},
	}}, h.now))
}

// places are the tables in which a text stands, looked for in every column of the
// database but those of the audit log.
func (h *house) places(t *testing.T, text string) []string {
	t.Helper()
	columns, err := h.store.Columns(t.Context())
	must(t, err)
	var found []string
	for _, column := range columns {
		table, name, _ := strings.Cut(column, ".")
		if strings.HasPrefix(table, "sqlite_") || strings.HasPrefix(table, "river_") || table == "goose_db_version" {
			continue
		}
		var n int
		value := "cast(" + name + " as text)"
		if h.store.Postgres() && name == "data" {
			value = "encode(" + name + ", 'escape')"
		}
		row := h.store.Writer().QueryRowContext(t.Context(), fmt.Sprintf("select count(*) from %s where lower(%s) like '%%%s%%'", table, value, text))
		must(t, row.Scan(&n))
		if n > 0 {
			found = append(found, column)
		}
	}
	slices.Sort(found)
	return found
}

func (h *house) contactID(t *testing.T, owner int64, email string) int64 {
	t.Helper()
	c, err := h.store.ContactByEmail(t.Context(), owner, email)
	must(t, err)
	return c.ID
}

func TestEraseContact(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := newSent(t, s)
		_, err := h.ImportContacts(t.Context(), h.owner, "list.csv", strings.NewReader("email,comment\n"+"Anna@Example.org,"+strings.Repeat("x", 3000)+"\nbroken anna@example.org,\n"))
		must(t, err)
		must(t, s.PutDemoMail(t.Context(), store.DemoMail{Recipient: annasMail, Data: []byte("Hello"), At: h.now}, 10))
		before, err := s.Run(t.Context(), h.run.ID)
		must(t, err)
		stranger := h.person(t, "stranger@example.org", mailing.RoleUser)
		manager := h.person(t, "manager@example.org", mailing.RoleManager)
		got := h.hand[0].Email

		t.Run("only the owner and admins erase", func(t *testing.T) {
			want(t, h.EraseContact(t.Context(), stranger, h.contactID(t, h.owner.ID, got)), "not_found")
			want(t, h.EraseContact(t.Context(), manager, h.contactID(t, h.owner.ID, got)), "forbidden")
		})
		for _, email := range []string{annasMail, borisMail, carlsMail} {
			must(t, h.EraseContact(t.Context(), h.owner, h.contactID(t, h.owner.ID, email)))
		}
		t.Run("nothing is left but what keeps mails under way from going out", func(t *testing.T) {
			for _, email := range []string{annasMail, borisMail, carlsMail} {
				if places := h.places(t, email); !slices.Equal(places, []string{"suppressions.email"}) {
					t.Errorf("%s stands in %v", email, places)
				}
			}
			gone, err := s.SuppressionsSince(t.Context(), h.now)
			must(t, err)
			if len(gone) != 3 || gone[0].Reason != mailing.ReasonErased {
				t.Errorf("nodes learn of %+v", gone)
			}
		})
		t.Run("what comes in of a mail under way is renamed, too, and an hour later nothing is left", func(t *testing.T) {
			h.settle(t, h.hand[1], mailing.InDoubt)
			must(t, h.Sweep(t.Context()))
			h.later(2 * time.Hour)
			must(t, h.Sweep(t.Context()))
			for _, text := range []string{annasMail, borisMail, carlsMail, "first anna", "first bori"} {
				if places := h.places(t, text); len(places) > 0 {
					t.Errorf("%s stands in %v", text, places)
				}
			}
			log, err := s.Log(t.Context(), store.LogFilter{RunID: h.run.ID, Limit: 10})
			must(t, err)
			if len(log) != 2 || !mailing.IsErased(log[0].Email) || log[0].Email == log[1].Email || !strings.Contains(log[0].Reply.Text, "Queued for <") {
				t.Errorf("the log is %+v", log)
			}
		})
		t.Run("what waits is skipped when its turn comes, and the numbers are true", func(t *testing.T) {
			left, err := s.Lease(t.Context(), h.node, h.run.ID, h.now, 10)
			must(t, err)
			if len(left) != 1 || left[0].Unmailable != mailing.ReasonDeleted {
				t.Fatalf("leased is %+v", left)
			}
			run, err := s.Run(t.Context(), h.run.ID)
			must(t, err)
			if run.Counts.Audience != before.Counts.Audience || run.Counts.Sent != 1 || run.Counts.InDoubt != 1 {
				t.Errorf("the numbers were %+v and are %+v", before.Counts, run.Counts)
			}
			want(t, h.ResolveDoubt(t.Context(), h.owner, h.run.ID, h.hand[1].ID, "again"), "delivery_erased")
			must(t, h.ResolveDoubt(t.Context(), h.owner, h.run.ID, h.hand[1].ID, "sent"))
		})
		t.Run("who comes back is not mailed, however they come", func(t *testing.T) {
			report, err := h.ImportContacts(t.Context(), h.owner, "again.csv", strings.NewReader("email\nANNA@example.org\nnew@example.org\n"))
			must(t, err)
			if report.Added != 2 {
				t.Errorf("the report is %+v", report)
			}
			_, err = h.CreateContact(t.Context(), h.owner, mailing.Contact{Email: borisMail})
			must(t, err)
			other, err := h.CreateContact(t.Context(), h.owner, mailing.Contact{Email: "other@example.org"})
			must(t, err)
			_, err = h.UpdateContact(t.Context(), h.owner, other.ID, mailing.Contact{Email: carlsMail})
			must(t, err)
			for _, email := range []string{annasMail, borisMail, carlsMail} {
				c, err := s.ContactByEmail(t.Context(), h.owner.ID, email)
				must(t, err)
				if c.Suppression.Reason != mailing.ReasonErased {
					t.Errorf("%s may be mailed: %+v", email, c.Suppression)
				}
				want(t, h.UnsuppressContact(t.Context(), h.owner, c.ID), "contact_unsubscribed")
				want(t, s.Unsuppress(t.Context(), h.owner.ID, email), "contact_unsubscribed")
			}
			h.later(48 * time.Hour)
			must(t, h.Sweep(t.Context()))
			reach, err := h.Reach(t.Context(), h.owner)
			must(t, err)
			if reach.Reached() != 1 {
				t.Errorf("a mailing reaches %+v", reach)
			}
		})
		t.Run("another owner's client is another person", func(t *testing.T) {
			c, err := h.CreateContact(t.Context(), stranger, mailing.Contact{Email: annasMail})
			must(t, err)
			if c, err = h.Contact(t.Context(), stranger, c.ID); err != nil || c.Suppression.Reason != "" {
				t.Errorf("it is %+v, %v", c.Suppression, err)
			}
		})
		t.Run("unsubscribing by an old mail stores nothing", func(t *testing.T) {
			must(t, h.ErasePerson(t.Context(), app.Operator, stranger.ID, annasMail))
			h.later(2 * time.Hour)
			must(t, h.Sweep(t.Context()))
			token := strings.TrimPrefix(h.UnsubscribeURL(stranger.ID, 1, annasMail), h.BaseURL+"/unsubscribe/")
			gone, err := h.Unsubscribe(t.Context(), token)
			must(t, err)
			var n int
			must(t, s.Writer().QueryRowContext(t.Context(), "select count(*) from suppressions where owner_id = $1", stranger.ID).Scan(&n))
			if !gone.Over || n != 0 {
				t.Errorf("it is over: %v; %d addresses are stored", gone.Over, n)
			}
		})
		t.Run("the audit log says that it was done, and by whom, not to whom", func(t *testing.T) {
			var n int
			must(t, s.Writer().QueryRowContext(t.Context(), "select count(*) from deeds where action = 'contact.erase' and actor_id = $1", h.owner.ID).Scan(&n))
			if n != 3 {
				t.Errorf("there are %d deeds", n)
			}
		})
	})
}

// unzipped are the files of an archive.
func unzipped(t *testing.T, data []byte) map[string]string {
	t.Helper()
	archive, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	must(t, err)
	files := map[string]string{}
	for _, f := range archive.File {
		in, err := f.Open()
		must(t, err)
		text, err := io.ReadAll(in)
		must(t, err)
		files[f.Name] = string(text)
	}
	return files
}

func TestExports(t *testing.T) {
	h := newSent(t, storetest.New(t))
	stranger := h.person(t, "stranger@example.org", mailing.RoleUser)
	manager := h.person(t, "manager@example.org", mailing.RoleManager)
	got := h.hand[0].Email
	id := h.contactID(t, h.owner.ID, got)
	deeds := func(action string) (n int) {
		must(t, h.store.Writer().QueryRowContext(context.Background(), "select count(*) from deeds where action = $1", action).Scan(&n))
		return n
	}
	t.Run("of a client there is all that is known", func(t *testing.T) {
		var out bytes.Buffer
		want(t, h.ExportContact(t.Context(), stranger, id, &out), "not_found")
		want(t, h.ExportContact(t.Context(), manager, id, &out), "forbidden")
		if out.Len() > 0 || deeds("contact.export") != 0 {
			t.Fatal("something is written before it is sure that they may")
		}
		must(t, h.ExportContact(t.Context(), h.owner, id, &out))
		files := unzipped(t, out.Bytes())
		var c struct{ Email string }
		must(t, json.Unmarshal([]byte(files["client.json"]), &c))
		if c.Email != got || !strings.Contains(files["attempts.csv"], got) || !strings.Contains(files["deliveries.csv"], "sent") {
			t.Errorf("the files are %q", files)
		}
		for name, text := range files {
			for _, other := range []string{annasMail, borisMail, carlsMail} {
				if other != got && strings.Contains(text, other) {
					t.Errorf("%s tells of %s", name, other)
				}
			}
		}
		if deeds("contact.export") != 1 {
			t.Error("there is no deed")
		}
	})
	t.Run("of an account there is everything of theirs", func(t *testing.T) {
		var out bytes.Buffer
		want(t, h.ExportAccount(t.Context(), stranger, h.owner.ID, &out), "not_found")
		want(t, h.ExportAccount(t.Context(), manager, h.owner.ID, &out), "not_found")
		must(t, h.ExportAccount(t.Context(), h.owner, h.owner.ID, &out))
		files := unzipped(t, out.Bytes())
		for name, wanted := range map[string]string{
			"account.json": h.owner.Email, "clients.csv": carlsMail, "suppressions.csv": "reason", "messages.json": "Здравствуйте!",
			"mailings.json": "daily", "imports.csv": "file", "attempts.csv": got,
		} {
			if !strings.Contains(files[name], wanted) {
				t.Errorf("%s is %q", name, files[name])
			}
		}
		for _, name := range []string{"messages.json", "mailings.json"} {
			var list []map[string]any
			if err := json.Unmarshal([]byte(files[name]), &list); err != nil || len(list) != 1 {
				t.Errorf("%s has %d, %v", name, len(list), err)
			}
		}
		if strings.Contains(fmt.Sprint(files), "argon2") {
			t.Error("it holds the hash of a password")
		}
		t.Run("and its clients can be imported", func(t *testing.T) {
			report, err := h.ImportContacts(t.Context(), stranger, "clients.csv", strings.NewReader(files["clients.csv"]))
			must(t, err)
			if report.Added != 3 || report.Refused != 0 {
				t.Errorf("the report is %+v", report)
			}
		})
	})
	t.Run("who has nothing gets whole files as well", func(t *testing.T) {
		var out bytes.Buffer
		must(t, h.ExportAccount(t.Context(), app.Operator, manager.ID, &out))
		if got := unzipped(t, out.Bytes())["messages.json"]; strings.TrimSpace(strings.ReplaceAll(got, "\n", "")) != "[]" {
			t.Errorf("got %q", got)
		}
	})
}

func TestEraseAccount(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := newSent(t, s)
		other := h.person(t, "other@example.org", mailing.RoleUser)
		admin := h.person(t, "admin@example.org", mailing.RoleAdmin)
		// The other's run says the same, so that its text is shared.
		storetest.Contact(t, s, other.ID, "client@example.org")
		kept := storetest.Run(t, s, storetest.Mailing(t, s, mailing.Mailing{OwnerID: other.ID}))
		_, err := h.ImportContacts(t.Context(), h.owner, "list.csv", strings.NewReader("email\nbroken\n"))
		must(t, err)
		must(t, h.ErasePerson(t.Context(), h.owner, h.owner.ID, carlsMail))

		t.Run("only admins erase others", func(t *testing.T) {
			want(t, h.EraseAccount(t.Context(), other, h.owner.ID), "not_found")
			want(t, h.EraseAccount(t.Context(), admin, admin.ID), "last_admin")
		})
		t.Run("it is planned on a password, and can be taken back", func(t *testing.T) {
			h.knowsPassword(t, h.owner)
			_, err := h.PlanErasure(t.Context(), h.owner, "wrong")
			want(t, err, "password_wrong")
			_, err = h.PlanErasure(t.Context(), admin, "wrong")
			want(t, err, "last_admin")
			seen := len(h.mails(t))
			at := h.plan(t, h.owner)
			if m := h.mails(t)[seen]; m.to != h.owner.Email || m.vars["at"] != "07.12.2026 12:00 (UTC+03:00)" || m.vars["link"] != h.BaseURL+"/profile/data" {
				t.Errorf("the mail is %v", m)
			}
			h.later(time.Hour)
			if again, err := h.PlanErasure(t.Context(), h.owner, password); err != nil || !again.Equal(at) || len(h.mails(t)) != seen+1 {
				t.Errorf("asked for again it is %s, %v", again, err)
			}
			h.later(-time.Hour)
			if !at.Equal(h.now.Add(app.ErasureGrace)) {
				t.Errorf("it is planned for %s", at)
			}
			must(t, h.CancelErasure(t.Context(), h.owner))
			want(t, h.CancelErasure(t.Context(), h.owner), "changed_meanwhile")
		})
		t.Run("a new password takes it back", func(t *testing.T) {
			for what, set := range map[string]func() error{
				"in the profile": func() error {
					const fresh = "зелёный слон в лесу"
					now, err := h.Account(t.Context(), h.owner.ID)
					must(t, err)
					_, err = h.ChangePassword(t.Context(), stranger, now, "here", app.PasswordChange{Old: password, New: fresh, Again: fresh})
					return err
				},
				"by a link": func() error { return s.SetPassword(t.Context(), h.owner.ID, "hash") },
			} {
				h.plan(t, h.owner)
				must(t, set())
				if at, err := h.PlannedErasure(t.Context(), h.owner); err != nil || !at.IsZero() {
					t.Errorf("%s: it is planned for %s, %v", what, at, err)
				}
			}
		})
		h.plan(t, h.owner)
		t.Run("before its time nothing is gone", func(t *testing.T) {
			h.later(app.ErasureGrace - time.Hour)
			must(t, h.Sweep(t.Context()))
			if _, err := s.Account(t.Context(), h.owner.ID); err != nil {
				t.Error(err)
			}
		})
		t.Run("then everything is, and nothing of others", func(t *testing.T) {
			h.later(2 * time.Hour)
			must(t, h.Sweep(t.Context()))
			for _, text := range []string{annasMail, borisMail, carlsMail} {
				if places := h.places(t, text); len(places) > 0 {
					t.Errorf("%s stands in %v", text, places)
				}
			}
			// The audit log keeps who did what.
			for _, place := range h.places(t, h.owner.Email) {
				if !strings.HasPrefix(place, "deeds.") {
					t.Errorf("the account stands in %s", place)
				}
			}
			for _, table := range []string{"contacts", "messages", "mailings", "runs", "imports", "suppressions", "erasures", "attempts"} {
				var n int
				must(t, s.Writer().QueryRowContext(t.Context(), "select count(*) from "+table+" where owner_id = $1", h.owner.ID).Scan(&n))
				if n > 0 {
					t.Errorf("%d of %s are left", n, table)
				}
			}
			run, err := s.Run(t.Context(), kept.ID)
			must(t, err)
			if _, err := s.Version(t.Context(), run.VersionID); err != nil {
				t.Errorf("the text of the other's run: %v", err)
			}
		})
		t.Run("what a node still tells of it is let go", func(t *testing.T) { h.settle(t, h.hand[1], mailing.Sent) })
	})
}

// knowsPassword gives the account the password.
func (h *house) knowsPassword(t *testing.T, a mailing.Account) {
	t.Helper()
	hash, err := testHash()
	must(t, err)
	must(t, h.store.SetPassword(t.Context(), a.ID, hash))
}

// plan has the account be erased.
func (h *house) plan(t *testing.T, a mailing.Account) time.Time {
	t.Helper()
	h.knowsPassword(t, a)
	at, err := h.PlanErasure(t.Context(), a, password)
	must(t, err)
	return at
}

func TestRetention(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := newSent(t, s)
		left, err := s.Lease(t.Context(), h.node, h.run.ID, h.now, 10)
		must(t, err)
		doubtful := storetest.Run(t, s, storetest.Mailing(t, s, mailing.Mailing{OwnerID: h.owner.ID}))
		h.settle(t, h.hand[1], mailing.Sent)
		for _, l := range left {
			h.settle(t, l, mailing.Sent)
		}
		_, err = h.ImportContacts(t.Context(), h.owner, "list.csv", strings.NewReader("email\nbroken\n"))
		must(t, err)
		killed, err := s.CreateImport(t.Context(), h.owner.ID, "killed.csv", h.now)
		must(t, err)
		must(t, s.UpdateImport(t.Context(), store.Import{ID: killed}, []store.Refusal{{Line: 1, Value: "broken"}}))
		must(t, s.PutDemoMail(t.Context(), store.DemoMail{Recipient: annasMail, Data: []byte("Hello"), At: h.now}, 10))
		before, err := s.Run(t.Context(), h.run.ID)
		must(t, err)
		if before.State != mailing.RunCompleted {
			t.Fatalf("the run is %s", before.State)
		}
		rows := func(of string) (n int) {
			must(t, s.Writer().QueryRowContext(t.Context(), "select count(*) from "+of).Scan(&n))
			return n
		}
		details := fmt.Sprintf("deliveries where run_id = %d", h.run.ID)
		keep := store.Retention{Details: 30 * 24 * time.Hour, Demo: 24 * time.Hour, Imports: 24 * time.Hour}
		t.Run("by default everything is kept", func(t *testing.T) {
			must(t, s.SweepOld(t.Context(), store.Retention{}, h.now.AddDate(10, 0, 0)))
			if rows(details) != 3 || rows("attempts") != 3 || rows("imports") != 2 || rows("demo_mails") != 1 {
				t.Error("something is gone")
			}
		})
		t.Run("before their time they stay", func(t *testing.T) {
			must(t, s.SweepOld(t.Context(), keep, h.now.Add(29*24*time.Hour)))
			if rows(details) != 3 || rows("imports") != 0 || rows("import_refusals") != 0 || rows("demo_mails") != 0 {
				t.Errorf("there are %d deliveries, %d imports, %d demo mails", rows(details), rows("imports"), rows("demo_mails"))
			}
		})
		t.Run("details go, numbers stay, and what is not over is left alone", func(t *testing.T) {
			must(t, s.SweepOld(t.Context(), keep, h.now.Add(31*24*time.Hour)))
			if rows(details) != 0 || rows("attempts") != 0 || rows(fmt.Sprintf("deliveries where run_id = %d", doubtful.ID)) != 3 {
				t.Error("the wrong ones are gone")
			}
			after, err := s.Run(t.Context(), h.run.ID)
			must(t, err)
			if after != before {
				t.Errorf("the run was %+v and is %+v", before, after)
			}
			if _, err := h.Run(t.Context(), h.owner, h.run.ID); err != nil {
				t.Errorf("its page: %v", err)
			}
		})
	})
}
