package web_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/store"
	"vestnik/internal/store/storetest"
)

func userPage(a mailing.Account, deed string) string {
	return fmt.Sprintf("/admin/users/%d%s", a.ID, deed)
}

func userForm(a mailing.Account, deed string) string { return "form[action=" + userPage(a, deed) + "]" }

func TestUsers(t *testing.T) {
	h := newHarness(t)
	manager := h.signIn(h.account("manager@example.org", mailing.RoleManager))
	blocked := h.account("blocked@example.org", mailing.RoleUser)
	if err := h.store.Block(context.Background(), blocked.ID, 0, "", time.Now()); err != nil {
		t.Fatal(err)
	}
	h.run("a manager sees everybody with their standing", func(t *testing.T) {
		p := manager.get("/admin/users").expect(http.StatusOK)
		p.shows("tr:has-text(blocked@example.org)", "Заблокирован").shows("tr:has-text(manager@example.org)", "Менеджер")
		p.shows("tr:has-text(manager@example.org)", "Активен").lacks("a[href=/admin/users/new]")
		p.shows("th.cell-spare", "Зарегистрирован").shows("tr:has-text(blocked@example.org) .address", "blocked@").one("tr:has-text(blocked@example.org) .cell-spare")
		checkTranslated(t, manager.lang("en").get("/admin/users?q=BLOCKED").shows("tbody tr", "Blocked").shows(".pager", "1–1 of 1"))
		manager.get("/admin/users?q=nobody").shows(".nothing-title", "Nobody")
	})
	h.run("where the list was before leads to it", func(t *testing.T) {
		if to := manager.get("/users?q=blocked").location(); to != "/admin/users?q=blocked" {
			t.Errorf("it leads to %q", to)
		}
	})
	h.run("the list can be narrowed to a role and a standing", func(t *testing.T) {
		p := manager.get("/admin/users?standing=blocked")
		p.shows("tbody", "blocked@").one("tbody tr")
		manager.get("/admin/users?role=manager&standing=active").shows("tbody", "manager@").one("tbody tr")
		manager.get("/admin/users?role=admin").shows(".nothing-title", "Nobody")
	})
	h.run("a user sees nobody, and no entry in the menu", func(t *testing.T) {
		c := h.signIn(h.account("anna@example.org", mailing.RoleUser))
		for _, path := range []string{"/users", "/admin", "/admin/users", "/admin/mailings", userPage(blocked, "")} {
			c.get(path).expect(http.StatusNotFound).lacks(".sidebar a[href=/admin], .tab")
		}
		manager.get("/").one(".sidebar a[href=/admin]")
	})
	h.run("a long list has pages, and sorting starts at the first", func(t *testing.T) {
		for i := range 60 {
			h.account(fmt.Sprintf("user%02d@example.org", i), mailing.RoleUser)
		}
		first := manager.get("/admin/users?sort=-email").shows("tbody", "user59@").shows(".pager", "1–50 of 63")
		if got := len(first.find("tbody tr")); got != 50 {
			t.Errorf("the first page has %d lines", got)
		}
		second := manager.get("/admin/users?page=2&sort=-email").shows("tbody", "anna@").shows(".pager", "51–63 of 63")
		if got := len(second.find("tbody tr")); got != 13 {
			t.Errorf("the second page has %d lines", got)
		}
	})
}

func TestAdminSections(t *testing.T) {
	h := newHarness(t)
	for role, sees := range map[mailing.Role]string{
		mailing.RoleManager: "/admin/users /admin/mailings",
		mailing.RoleAdmin:   "/admin/users /admin/invitations /admin/mailings /admin/blog /relays /domains /admin/settings /admin/health /admin/jobs /admin/audit",
	} {
		h.run("the second row has what may be seen as "+string(role), func(t *testing.T) {
			c := h.signIn(h.account(string(role)+"@example.org", role))
			p := c.follow(c.get("/admin")).expect(http.StatusOK)
			for _, row := range []string{".tabs[aria-label=Админка] .tab", ".sidebar-sections .sidebar-link"} {
				var links []string
				for _, n := range p.find(row) {
					links = append(links, attribute(n, "href"))
				}
				if got := strings.Join(links, " "); got != sees {
					t.Errorf("%s has %s", row, got)
				}
			}
			p.one(".sidebar-link[href=/admin][aria-current]")
			p.one(".sidebar-sections [href=/admin/users][aria-current]")
			c.get("/mailings").lacks(".tabs[aria-label=Админка], .sidebar-sections")
		})
	}
}

func TestUserPage(t *testing.T) {
	h := newHarness(t)
	admin, manager := h.signIn(h.account("admin@example.org", mailing.RoleAdmin)), h.signIn(h.account("manager@example.org", mailing.RoleManager))
	anna := h.account("anna@example.org", mailing.RoleUser)
	hers := h.signIn(anna)
	m := storetest.Mailing(t, h.store, mailing.Mailing{OwnerID: anna.ID})
	h.run("it says what they are and have", func(t *testing.T) {
		p := manager.get(userPage(anna, "")).expect(http.StatusOK)
		p.shows(".fact:has-text(E-mail)", "anna@example.org").shows(".fact:has-text(Открыто сеансов)", "1")
		p.shows(".fact:has-text(Последний вход)", "только что").one(fmt.Sprintf("a[href=/admin/mailings?owner=%d]", anna.ID))
		p.lacks(userForm(anna, "/role") + "," + userForm(anna, "/limit") + "," + userForm(anna, "/sign-out"))
	})
	h.run("a manager blocks with a reason, and they are out at their next step", func(t *testing.T) {
		manager.post(userPage(anna, "/block"), url.Values{"why": {" "}}).expect(http.StatusUnprocessableEntity).shows("#field-why-error", "Заполните")
		hers.get("/mailings").expect(http.StatusOK)
		ask := manager.get(userPage(anna, "/block")).expect(http.StatusOK)
		manager.follow(manager.submit(ask, "main form", url.Values{"why": {"Жалобы на спам"}})).shows(".flash", "Анна Петрова").
			shows(".note", "Жалобы на спам")
		hers.get("/mailings").expect(http.StatusSeeOther)
		manager.get("/admin/users?standing=blocked").shows("tbody", "anna@")
		manager.get(userPage(anna, "/block")).expect(http.StatusForbidden)
		manager.follow(manager.post(userPage(anna, "/unblock"), nil)).shows(".flash", "разблокирован").lacks(".note")
	})
	h.run("nobody blocks themselves, and no manager another", func(t *testing.T) {
		why := url.Values{"why": {"why"}}
		admin.post(userPage(admin.account, "/block"), why).expect(http.StatusConflict)
		manager.post(userPage(admin.account, "/block"), why).expect(http.StatusForbidden)
		manager.post(userPage(h.account("other@example.org", mailing.RoleManager), "/block"), why).expect(http.StatusForbidden)
	})
	h.run("an admin gives a role, and the last one keeps theirs", func(t *testing.T) {
		p := admin.get(userPage(anna, ""))
		admin.follow(admin.submit(p, userForm(anna, "/role"), url.Values{"role": {"manager"}})).shows(".page-lead", "Менеджер")
		manager.post(userPage(anna, "/role"), url.Values{"role": {"admin"}}).expect(http.StatusForbidden)
		admin.post(userPage(admin.account, "/role"), url.Values{"role": {"user"}}).expect(http.StatusConflict)
		admin.post(userPage(anna, "/role"), url.Values{"role": {"user"}}).expect(http.StatusSeeOther)
	})
	h.run("an admin resets the second step of who has lost it", func(t *testing.T) {
		form := userForm(anna, "/reset-factors")
		admin.get(userPage(anna, "")).lacks(form).shows(".fact:has-text(Второй шаг входа)", "нет")
		h.withTOTP(anna)
		manager.get(userPage(anna, "")).lacks(form)
		manager.post(userPage(anna, "/reset-factors"), nil).expect(http.StatusNotFound)
		p := admin.get(userPage(anna, "")).shows(".fact:has-text(Второй шаг входа)", "есть")
		admin.follow(admin.submit(p, form, nil)).shows(".flash", "второй шаг входа сброшен").lacks(form)
	})
	h.run("an admin gets from a person to their data", func(t *testing.T) {
		data := userPage(anna, "/data")
		manager.get(userPage(anna, "")).lacks("a[href=" + data + "]")
		admin.get(userPage(anna, "")).one("a[href=" + data + "]")
		admin.get(data).expect(http.StatusOK).one("a[href=" + userPage(anna, "") + "]")
	})
	h.run("an admin signs somebody out everywhere", func(t *testing.T) {
		other := h.signIn(anna)
		admin.follow(admin.post(userPage(anna, "/sign-out"), nil)).shows(".flash", "сеансы завершены").lacks(userForm(anna, "/sign-out"))
		other.get("/mailings").expect(http.StatusSeeOther)
	})
	h.run("the daily limit is told where mails wait for it", func(t *testing.T) {
		admin.post(userPage(anna, "/limit"), url.Values{"per_day": {"many"}}).expect(http.StatusUnprocessableEntity).one("#field-per_day-error")
		p := admin.get(userPage(anna, ""))
		admin.follow(admin.submit(p, userForm(anna, "/limit"), url.Values{"per_day": {"2"}})).shows(".fact:has-text(Лимит в сутки)", "0 из 2")
		storetest.Contacts(t, h.store, anna.ID, 5)
		run := storetest.Run(t, h.store, m)
		ctx := context.Background()
		node, err := h.store.StartNode(ctx, "node", time.Now(), time.Now().Add(time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		manager.get(fmt.Sprintf("/runs/%d", run.ID)).lacks(".note")
		if leased, err := h.store.Lease(ctx, node, run.ID, time.Now(), 10); err != nil || len(leased) != 2 {
			t.Fatalf("%d were leased: %v", len(leased), err)
		}
		manager.get(fmt.Sprintf("/runs/%d", run.ID)).shows(".note", "Суточный лимит исчерпан: 2 письма")
		checkTranslated(t, manager.lang("en").get(fmt.Sprintf("/mailings/%d", m.ID)).shows(".note", "The daily limit of 2 mails is used up"))
		manager.get(userPage(anna, "")).shows(".fact:has-text(Daily limit)", "2 of 2")
	})
}

func TestNewUser(t *testing.T) {
	h := newHarness(t)
	admin := h.signIn(h.account("admin@example.org", mailing.RoleAdmin))
	h.run("is made with a password that is shown once", func(t *testing.T) {
		form := admin.get("/admin/users/new").expect(http.StatusOK)
		p := admin.submit(form, "main form", url.Values{"email": {"boris@example.org"}, "role": {"manager"}}).expect(http.StatusOK)
		texts := p.find(".take-text")
		if len(texts) != 2 {
			t.Fatalf("the page has %d texts to copy", len(texts))
		}
		c := h.visitor()
		made := textOf(texts[1])
		c.post("/login", url.Values{"email": {"boris@example.org"}, "password": {made}}).expect(http.StatusSeeOther)
		c.get("/admin/users").expect(http.StatusOK)
		if people, _, err := h.store.Accounts(context.Background(), store.AccountFilter{}, store.Page{Search: "boris", Limit: 1}); err != nil ||
			strings.Contains(admin.get(userPage(people[0], "")).body, made) {
			t.Errorf("the password is shown again, or: %v", err)
		}
	})
	h.run("what is wrong is told beside the fields", func(t *testing.T) {
		p := admin.post("/admin/users/new", url.Values{"email": {"boris"}, "role": {"user"}, "password": {"1"}}).expect(http.StatusUnprocessableEntity)
		p.one("#field-email-error")
		p.one("#field-password-error")
		admin.post("/admin/users/new", url.Values{"email": {"admin@example.org"}, "role": {"user"}}).expect(http.StatusConflict).one("#field-email-error")
	})
	h.run("only who manages users may", func(t *testing.T) {
		manager := h.signIn(h.account("manager@example.org", mailing.RoleManager))
		manager.get("/admin/users/new").expect(http.StatusNotFound)
		manager.post("/admin/users/new", url.Values{"email": {"eve@example.org"}, "role": {"user"}}).expect(http.StatusNotFound)
	})
}

func TestAllMailings(t *testing.T) {
	h := newHarness(t)
	anna, boris := h.account("anna@example.org", mailing.RoleUser), h.account("boris@example.org", mailing.RoleUser)
	for _, owner := range []mailing.Account{anna, boris} {
		message := storetest.Message(t, h.store, mailing.Message{OwnerID: owner.ID, Subject: "Новости от " + owner.Email})
		storetest.Mailing(t, h.store, mailing.Mailing{OwnerID: owner.ID, MessageID: message.ID})
	}
	manager := h.signIn(h.account("manager@example.org", mailing.RoleManager))
	h.run("a manager sees everybody's, and finds one owner's", func(t *testing.T) {
		p := manager.get("/admin/mailings").expect(http.StatusOK).shows("tbody", "anna@").shows("tbody", "boris@")
		p.shows("select[name=owner]", "boris@example.org").lacks("a[href=/mailings/new], tbody a:has-text(Редактировать)")
		one := manager.get(fmt.Sprintf("/admin/mailings?owner=%d", anna.ID)).shows("tbody", "anna@")
		if strings.Contains(one.text("tbody"), "boris@") {
			t.Error("another's is there, too")
		}
		idle := h.account("idle@example.org", mailing.RoleUser)
		manager.get(fmt.Sprintf("/admin/mailings?owner=%d", idle.ID)).shows("select[name=owner] option[selected]", "idle@")
	})
}
