package web_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
	"vestnik/internal/store/storetest"
)

func TestAuditPages(t *testing.T) {
	h := newHarness(t)
	ctx := context.Background()
	anna, manager := h.account("anna@example.org", mailing.RoleUser), h.account("manager@example.org", mailing.RoleManager)
	admin := h.signIn(h.account("admin@example.org", mailing.RoleAdmin))
	user := h.signIn(anna)
	message := storetest.Message(t, h.store, mailing.Message{OwnerID: anna.ID, Subject: "Скидки"})
	m := storetest.Mailing(t, h.store, mailing.Mailing{OwnerID: anna.ID, MessageID: message.ID})
	path := fmt.Sprintf("/mailings/%d", m.ID)
	h.signIn(manager).post(path+"/disable", url.Values{"why": {"жалуются <b>люди</b>"}}).expect(http.StatusSeeOther)
	user.post("/clients/new", url.Values{"email": {"ivan@example.org"}, "first_name": {"Иван"}}).expect(http.StatusSeeOther)
	if _, err := h.app.CreateContact(app.AsOperator(ctx), anna, mailing.Contact{Email: "cli@shop.test"}); err != nil {
		t.Fatal(err)
	}

	h.run("an admin sees who did what to whose, and why", func(t *testing.T) {
		p := admin.get("/admin/audit").expect(http.StatusOK).shows("h1", "Журнал действий")
		if n := len(p.find(".rows .log-time")); n != 6 { // three have signed in
			t.Errorf("%d lines, want 6", n)
		}
		p.shows("tr:has-text(Скидки)", "Рассылка отключена").shows("tr:has-text(Скидки)", "manager@example.org").
			shows("tr:has-text(Скидки)", "127.0.0.1").shows("tr:has-text(Скидки)", "жалуются <b>люди</b>").
			shows("tr:has-text(Скидки)", "Статус: Создана → Отключена").shows("tr:has-text(Скидки)", "Владелец: Анна Петрова")
		p.shows("tr:has-text(c…@s….test)", "Оператор").shows(".rows a[href="+path+"]", "Скидки")
		admin.lang("en").get("/admin/audit").shows("h1", "Audit log").shows("tr:has-text(i…@e….org)", "Added a client")
		admin.lang("ru")
	})
	h.run("others do not see that it is there", func(t *testing.T) {
		for _, c := range []*client{user, h.signIn(manager)} {
			c.get("/admin/audit").expect(http.StatusNotFound)
			c.get("/admin/audit?from=nonsense").expect(http.StatusNotFound)
		}
	})
	h.run("a person sees what concerns them, and not where others came from", func(t *testing.T) {
		user.get("/profile").one("a[href=/profile/activity]")
		p := user.get("/profile/activity").expect(http.StatusOK)
		p.shows("tr:has-text(Скидки)", "manager@example.org").shows("tr:has-text(Скидки)", "жалуются").shows("tr:has-text(i…@e….org)", "Вы")
		if strings.Contains(p.text("tr:has-text(Скидки)"), "127.0.0.1") {
			t.Error("it says where the manager came from")
		}
		if strings.Contains(p.text(".rows"), "admin@example.org") {
			t.Error("what the admin did is nothing to Anna")
		}
	})
	h.run("filters stand in the address", func(t *testing.T) {
		for query, want := range map[string]int{
			"q=manager": 3, "action=mailing.disable": 1, "kind=contact": 2, "from=2020-01-01": 9, "to=2020-01-01": 0,
			fmt.Sprintf("kind=mailing&thing=%d", m.ID): 1, "thing=5": 9, "action=nonsense": 9, "before=2": 1,
		} {
			p := admin.get("/admin/audit?" + query).expect(http.StatusOK)
			if n := len(p.find(".rows .log-time")); n != want {
				t.Errorf("%s leaves %d lines, want %d", query, n, want)
			}
		}
		admin.get("/admin/audit?from=31.12").expect(http.StatusUnprocessableEntity).shows(".nothing-title", "дат").lacks(".rows")
	})
	h.run("long logs have pages", func(t *testing.T) {
		for i := range 60 {
			if _, err := h.app.CreateContact(ctx, anna, mailing.Contact{Email: fmt.Sprintf("%c%d@example.org", 'b'+i/30, i)}); err != nil {
				t.Fatal(err)
			}
		}
		p := user.get("/profile/activity?kind=contact").shows(".rows", "c…@e….org")
		older := user.get(p.attr(".pager a", "href")).expect(http.StatusOK).shows(".rows", "c…@s….test").shows(".pager", "Самые новые")
		if strings.Contains(older.text(".rows"), "c…@e….org") {
			t.Error("the older ones begin with the newest")
		}
	})
}
