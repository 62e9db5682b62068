package app_test

import (
	"encoding/json"
	"path"
	"strings"
	"testing"
	"time"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
)

// deedsDone lists what the audit log holds, oldest first: action, thing, and what was and became.
func (h *house) deedsDone(t *testing.T) (list []string) {
	t.Helper()
	rows, err := h.store.Writer().QueryContext(t.Context(), "select action, thing, was, became from deeds order by number")
	must(t, err)
	defer rows.Close()
	for rows.Next() {
		var action, thing, was, became string
		must(t, rows.Scan(&action, &thing, &was, &became))
		facts := map[string]string{}
		if became != "" {
			must(t, json.Unmarshal([]byte(became), &facts))
		}
		list = append(list, strings.TrimSpace(action+" "+thing+" "+facts["role"]+facts["email"]+facts["new_email"]+facts["side"]))
	}
	return list
}

// wantDeeds compares the audit log from the n-th line on.
func (h *house) wantDeeds(t *testing.T, n int, deeds ...string) {
	t.Helper()
	got := h.deedsDone(t)[n:]
	if strings.Join(got, "\n") != strings.Join(deeds, "\n") {
		t.Errorf("the audit log is\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(deeds, "\n"))
	}
}

func invite(t *testing.T, h *house, who mailing.Account, email string, role mailing.Role) string {
	t.Helper()
	invited, err := h.Invite(t.Context(), who, app.Invite{Emails: email, Role: role, Lang: "en"})
	must(t, err)
	return path.Base(invited[0].Link)
}

func newcomer() app.Registration {
	return app.Registration{FirstName: "Ева", Password: password, Again: password, Lang: "ru", Zone: "Asia/Omsk"}
}

func TestInvitations(t *testing.T) {
	accept := func(t *testing.T, h *house, link string) error {
		t.Helper()
		_, err := h.AcceptInvitation(t.Context(), link, newcomer())
		return err
	}
	t.Run("who is invited is active at once, with the role, and one deed each tells of it", func(t *testing.T) {
		h := newHouse(t)
		admin := h.person(t, "admin@example.org", mailing.RoleAdmin)
		before := len(h.deedsDone(t))
		link := invite(t, h, admin, "Eve@Example.org", mailing.RoleManager)
		if got := path.Base(h.last(t, "link")); got != link {
			t.Errorf("the mail has %q", got)
		}
		a, err := h.AcceptInvitation(t.Context(), link, newcomer())
		must(t, err)
		got, err := h.Account(t.Context(), a.ID)
		if err != nil || got.Role != mailing.RoleManager || got.Email != "eve@example.org" || got.Zone != "Asia/Omsk" {
			t.Errorf("got %+v, %v", got, err)
		}
		want(t, signIn(t, h, "eve@example.org", password), "ok")
		want(t, accept(t, h, link), "invitation_over")
		h.wantDeeds(t, before, "invitation.send eve@example.org manager", "account.join eve@example.org managereve@example.org")
	})
	t.Run("nobody gives a role above their own, or invites who may not", func(t *testing.T) {
		h := newHouse(t)
		for role, code := range map[mailing.Role]string{mailing.RoleUser: "not_found", mailing.RoleManager: "not_found", mailing.RoleAdmin: "ok"} {
			who := h.person(t, string(role)+"@example.org", role)
			_, err := h.Invite(t.Context(), who, app.Invite{Emails: "x@example.org", Role: mailing.RoleAdmin, Lang: "ru"})
			want(t, err, code)
			_, _, err = h.Invitations(t.Context(), who, page)
			want(t, err, code)
		}
		if mailing.RoleAdmin.Within(mailing.RoleManager) || !mailing.RoleUser.Within(mailing.RoleManager) || mailing.Role("king").Within(mailing.RoleAdmin) {
			t.Error("roles are compared wrongly")
		}
		_, err := h.Invite(t.Context(), app.Operator, app.Invite{Emails: "x@example.org", Role: "king", Lang: "ru"})
		want(t, err, "choice_unknown")
	})
	t.Run("an invitation is good for seven days, until it is renewed or taken back", func(t *testing.T) {
		h := newHouse(t)
		admin := h.person(t, "admin@example.org", mailing.RoleAdmin)
		before := len(h.deedsDone(t))
		old := invite(t, h, admin, "eve@example.org", mailing.RoleUser)
		h.later(mailing.InvitationLifetime)
		want(t, accept(t, h, old), "invitation_over")
		list, total, err := h.Invitations(t.Context(), admin, page)
		if err != nil || total != 1 || len(list) != 1 {
			t.Fatalf("the list is %v, %v", list, err)
		}
		_, err = h.RenewInvitation(t.Context(), admin, list[0].ID)
		must(t, err)
		fresh := path.Base(h.last(t, "link"))
		want(t, accept(t, h, old), "invitation_over")
		_, err = h.CheckInvitation(t.Context(), fresh)
		want(t, err, "ok")
		_, err = h.RevokeInvitation(t.Context(), admin, list[0].ID)
		must(t, err)
		want(t, accept(t, h, fresh), "invitation_over")
		h.wantDeeds(t, before, "invitation.send eve@example.org user", "invitation.renew eve@example.org user", "invitation.revoke eve@example.org")
	})
	t.Run("it ends with the rights of who invited", func(t *testing.T) {
		h := newHouse(t)
		admin := h.person(t, "admin@example.org", mailing.RoleAdmin)
		h.person(t, "another@example.org", mailing.RoleAdmin) // or the first would be the last
		link := invite(t, h, admin, "eve@example.org", mailing.RoleUser)
		must(t, h.store.SetRole(t.Context(), admin.ID, mailing.RoleManager))
		want(t, accept(t, h, link), "invitation_over")
		must(t, h.store.SetRole(t.Context(), admin.ID, mailing.RoleAdmin))
		must(t, h.store.Block(t.Context(), admin.ID, 0, "", h.now))
		want(t, accept(t, h, link), "invitation_over")
		must(t, h.store.Unblock(t.Context(), admin.ID))
		h.SignUp = mailing.SignUpClosed
		want(t, accept(t, h, link), "invitation_over")
		h.SignUp = mailing.SignUpInvitation
		want(t, accept(t, h, link), "ok")
	})
	t.Run("who had registered and never confirmed comes in with what they type now", func(t *testing.T) {
		h := newHouse(t)
		register(t, h, anna())
		code := h.last(t, "code")
		want(t, accept(t, h, invite(t, h, h.person(t, "admin@example.org", mailing.RoleAdmin), "anna@example.org", mailing.RoleUser)), "ok")
		a, err := h.AccountByEmail(t.Context(), "anna@example.org")
		if err != nil || a.FirstName != "Ева" || !a.Active() {
			t.Errorf("got %+v, %v", a, err)
		}
		want(t, h.Confirm(t.Context(), stranger, "anna@example.org", code), "code_wrong")
	})
	t.Run("nobody is invited when one address is wrong or known, nor where all is closed", func(t *testing.T) {
		h := newHouse(t)
		admin := h.person(t, "admin@example.org", mailing.RoleAdmin)
		for emails, code := range map[string]string{
			"": "required", " ,; ": "required", "x@example.org nonsense": "invite_malformed", "x@example.org;ADMIN@example.org": "invite_known",
			strings.Repeat("x@example.org ", app.MaxInvites+1): "invite_too_many",
		} {
			_, err := h.Invite(t.Context(), admin, app.Invite{Emails: emails, Role: mailing.RoleUser, Lang: "ru"})
			want(t, err, code)
		}
		h.SignUp = mailing.SignUpClosed
		_, err := h.Invite(t.Context(), admin, app.Invite{Emails: "x@example.org", Role: mailing.RoleUser, Lang: "ru"})
		want(t, err, "invite_closed")
		if n := h.rows(t, "select count(*) from invitations"); n != 0 {
			t.Errorf("%d were invited", n)
		}
	})
	t.Run("the operator invites before there is anybody, and hands the link over", func(t *testing.T) {
		h := newHouse(t)
		invited, err := h.Invite(t.Context(), app.Operator, app.Invite{Emails: "boss@example.org", Role: mailing.RoleAdmin, Lang: "ru"})
		must(t, err)
		if invited[0].Mailed || len(h.mails(t)) != 0 {
			t.Error("a mail went out in nobody's name")
		}
		want(t, accept(t, h, path.Base(invited[0].Link)), "ok")
	})
	t.Run("a mailbox is not flooded", func(t *testing.T) {
		h := newHouse(t)
		admin := h.person(t, "admin@example.org", mailing.RoleAdmin)
		for range app.MailBudget {
			invite(t, h, admin, "eve@example.org", mailing.RoleUser)
		}
		_, err := h.Invite(t.Context(), admin, app.Invite{Emails: "eve@example.org", Role: mailing.RoleUser, Lang: "ru"})
		want(t, err, "invite_mails")
	})
}

// moving has an account ask for another address, and returns the links of both mailboxes.
func moving(t *testing.T, h *house) (a mailing.Account, fresh, old string) {
	t.Helper()
	a = active(t, h, "old@example.org")
	must(t, h.AskEmailChange(t.Context(), a, "New@Example.org", password))
	mails := h.mails(t)
	for _, m := range mails[len(mails)-2:] {
		link := path.Base(m.vars["link"].(string))
		if m.to == "new@example.org" {
			fresh = link
		} else if m.to == "old@example.org" {
			old = link
		}
	}
	return a, fresh, old
}

func TestChangeOfAddress(t *testing.T) {
	agree := func(t *testing.T, h *house, link string, wantMoved bool) {
		t.Helper()
		_, moved, err := h.AgreeEmailChange(t.Context(), link)
		must(t, err)
		if moved != wantMoved {
			t.Fatalf("moved: %v", moved)
		}
	}
	address := func(t *testing.T, h *house, a mailing.Account) string {
		t.Helper()
		got, err := h.Account(t.Context(), a.ID)
		must(t, err)
		return got.Email
	}
	t.Run("it takes both, in any order, and ends sessions, codes and links of the old address", func(t *testing.T) {
		for _, newFirst := range []bool{true, false} {
			h := newHouse(t)
			a, fresh, old := moving(t, h)
			before := len(h.deedsDone(t))
			must(t, h.store.PutSession(t.Context(), mailing.Session{Key: "hash", AccountID: a.ID}, []byte("x"), h.now.Add(time.Hour)))
			must(t, h.RequestReset(t.Context(), stranger, a.Email))
			link := path.Base(h.last(t, "link"))
			first, second := fresh, old
			if !newFirst {
				first, second = old, fresh
			}
			agree(t, h, first, false)
			agree(t, h, first, false)
			if got := address(t, h, a); got != a.Email {
				t.Fatalf("one was enough: %s", got)
			}
			agree(t, h, second, true)
			if got := address(t, h, a); got != "new@example.org" {
				t.Errorf("the address is %s", got)
			}
			if _, found, err := h.store.Session(t.Context(), "hash", h.now); found || err != nil {
				t.Errorf("the session is still there: %v", err)
			}
			want(t, reset(t, h, link, "зелёный слон в лесу", "зелёный слон в лесу"), "link_expired")
			mails := h.mails(t)
			if m := mails[len(mails)-1]; m.to != a.Email || m.vars["new"] != "new@example.org" {
				t.Errorf("the old address got %v", m)
			}
			sides := map[bool][]string{true: {"new", "old"}, false: {"old", "new"}}[newFirst]
			h.wantDeeds(t, before, "account.request_reset old@example.org", "account.agree_email old@example.org new@example.org"+sides[0],
				"account.agree_email old@example.org new@example.org"+sides[1], "account.change_email old@example.org new@example.org")
		}
	})
	t.Run("silence of the old mailbox for seven days is consent, once the new one has agreed", func(t *testing.T) {
		h := newHouse(t)
		a, fresh, _ := moving(t, h)
		agree(t, h, fresh, false)
		h.later(mailing.ObjectionTime - time.Second)
		must(t, h.Sweep(t.Context()))
		if got := address(t, h, a); got != a.Email {
			t.Fatalf("it was moved too early: %s", got)
		}
		h.later(time.Second)
		must(t, h.Sweep(t.Context()))
		if got := address(t, h, a); got != "new@example.org" {
			t.Errorf("the address is %s", got)
		}
	})
	t.Run("silence of the new one is not", func(t *testing.T) {
		h := newHouse(t)
		a, fresh, old := moving(t, h)
		agree(t, h, old, false)
		h.later(mailing.ObjectionTime)
		must(t, h.Sweep(t.Context()))
		_, err := h.EmailChange(t.Context(), a)
		want(t, err, "not_found")
		_, _, err = h.AgreeEmailChange(t.Context(), fresh)
		want(t, err, "link_over")
		if got := address(t, h, a); got != a.Email {
			t.Errorf("the address is %s", got)
		}
	})
	t.Run("an objection, a new password or being blocked ends it", func(t *testing.T) {
		for what, end := range map[string]func(h *house, a mailing.Account, old string) error{
			"an objection": func(h *house, _ mailing.Account, old string) error {
				_, err := h.RefuseEmailChange(t.Context(), old)
				return err
			},
			"a new password": func(h *house, a mailing.Account, _ string) error {
				return h.store.SetPassword(t.Context(), a.ID, "hash")
			},
			"being blocked": func(h *house, a mailing.Account, _ string) error {
				return h.store.Block(t.Context(), a.ID, 0, "", h.now)
			},
		} {
			h := newHouse(t)
			a, fresh, old := moving(t, h)
			agree(t, h, fresh, false)
			must(t, end(h, a, old))
			_, _, err := h.AgreeEmailChange(t.Context(), old)
			if answer(err) != "link_over" {
				t.Errorf("after %s: %v", what, err)
			}
			h.later(mailing.ObjectionTime)
			must(t, h.Sweep(t.Context()))
			if got, err := h.store.Account(t.Context(), a.ID); err != nil || got.Email != a.Email {
				t.Errorf("after %s it was moved: %v", what, err)
			}
		}
	})
	t.Run("so does a changed password, and a link for a new one that was mailed before", func(t *testing.T) {
		h := newHouse(t)
		a, fresh, old := moving(t, h)
		agree(t, h, fresh, false)
		must(t, h.RequestReset(t.Context(), stranger, a.Email))
		link := path.Base(h.last(t, "link"))
		_, err := h.ChangePassword(t.Context(), stranger, a, "here", app.PasswordChange{
			Old: password, New: "зелёный слон в лесу", Again: "зелёный слон в лесу",
		})
		must(t, err)
		_, _, err = h.AgreeEmailChange(t.Context(), old)
		want(t, err, "link_over")
		want(t, reset(t, h, link, "третий пароль за день", "третий пароль за день"), "link_expired")
		h.later(mailing.ObjectionTime)
		must(t, h.Sweep(t.Context()))
		if got := address(t, h, a); got != a.Email {
			t.Errorf("the address is %s", got)
		}
	})
	t.Run("one that is taken when the time is up is left, and others go on", func(t *testing.T) {
		h := newHouse(t)
		_, fresh, _ := moving(t, h)
		agree(t, h, fresh, false)
		active(t, h, "new@example.org")
		h.later(mailing.ObjectionTime)
		must(t, h.Sweep(t.Context()))
		if n := h.rows(t, "select count(*) from email_changes"); n != 0 {
			t.Errorf("%d changes are left", n)
		}
	})
	t.Run("where only some domains may register, only who may invite moves to another", func(t *testing.T) {
		h := newHouse(t)
		h.SignUp, h.SignUpDomains = mailing.SignUpDomains, []string{"example.org"}
		for _, c := range []struct {
			role  mailing.Role
			email string
			want  string
		}{
			{mailing.RoleUser, "new@example.net", "email_domain"},
			{mailing.RoleUser, "new@sub.example.org", "email_domain"},
			{mailing.RoleManager, "new@example.net", "email_domain"},
			{mailing.RoleUser, "new@EXAMPLE.org", "ok"},
			{mailing.RoleAdmin, "new@example.net", "ok"},
		} {
			a := active(t, h, strings.ToLower(string(c.role)+"."+strings.ReplaceAll(c.email, "@", "."))+"@example.org")
			a.Role = c.role
			want(t, h.AskEmailChange(t.Context(), a, c.email, password), c.want)
		}
		h.SignUp = mailing.SignUpOpen
		want(t, h.AskEmailChange(t.Context(), active(t, h, "anna@example.org"), "new@example.net", password), "ok")
	})
	t.Run("guesses at the password end, and mails do", func(t *testing.T) {
		h := newHouse(t)
		a := active(t, h, "old@example.org")
		for range app.PasswordTriesDevice.Free {
			want(t, h.AskEmailChange(t.Context(), a, "new@example.org", "wrong"), "password_wrong")
		}
		want(t, h.AskEmailChange(t.Context(), a, "new@example.org", password), "try_later")
		h.later(time.Minute)
		for range app.MailBudget {
			want(t, h.AskEmailChange(t.Context(), a, "new@example.org", password), "ok")
		}
		want(t, h.AskEmailChange(t.Context(), a, "new@example.org", password), "too_many_requests")
	})
}
