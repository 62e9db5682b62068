package web_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/store/storetest"
)

func TestColumns(t *testing.T) {
	h := newHarness(t)
	anna := h.account("anna@example.org", mailing.RoleUser)
	storetest.Mailing(t, h.store, mailing.Mailing{OwnerID: anna.ID})
	c := h.signIn(anna)
	heads := func(p *page) string { return p.text(".rows thead") }
	h.run("all of the contract are there at first", func(t *testing.T) {
		got := heads(c.get("/mailings"))
		for _, title := range []string{"Письмо", "Статус", "Следующая", "Время", "Как часто", "Последняя", "Клиенты", "Создано"} {
			if !strings.Contains(got, title) {
				t.Errorf("%q is missing in %q", title, got)
			}
		}
	})
	h.run("those that were picked are shown, and the browser remembers them", func(t *testing.T) {
		form := c.get("/mailings?status=created")
		p := c.submit(form, ".column-picker form", url.Values{"col": {"", "next", "bogus"}})
		if got := heads(p); strings.Contains(got, "Как часто") || !strings.Contains(got, "Следующая") {
			t.Errorf("the heads are %q", got)
		}
		if n := len(p.find(".rows tbody tr td")); n != 4+1 { // tick, message, status, next; and the buttons below
			t.Errorf("a row has %d cells", n)
		}
		p.one("select[name=status] option[selected][value=created]")
		if got := heads(c.get("/mailings")); strings.Contains(got, "Как часто") {
			t.Errorf("it has forgotten: %q", got)
		}
	})
	h.run("they stay in a search", func(t *testing.T) {
		p := c.submit(c.get("/mailings?col=last"), "form.search", url.Values{"q": {"Нов"}})
		if got := heads(p); !strings.Contains(got, "Последняя") || strings.Contains(got, "Следующая") {
			t.Errorf("the heads are %q", got)
		}
	})
	h.run("a choice of none is one, and all can be had again", func(t *testing.T) {
		if got := heads(c.get("/mailings?col=")); strings.Contains(got, "Последняя") {
			t.Errorf("the heads are %q", got)
		}
		if got := heads(c.get("/mailings")); strings.Contains(got, "Последняя") {
			t.Errorf("the heads are %q", got)
		}
		c.get("/mailings?col=default")
		if got := heads(c.get("/mailings")); !strings.Contains(got, "Последняя") {
			t.Errorf("the heads are %q", got)
		}
	})
	h.run("other lists have their own", func(t *testing.T) {
		storetest.Contact(t, h.store, anna.ID, "ivan@example.com")
		c.get("/clients?col=comment").shows(".rows thead", "Комментарий")
		if got := heads(c.get("/clients")); strings.Contains(got, "E-mail") || !strings.Contains(got, "Комментарий") {
			t.Errorf("the heads are %q", got)
		}
		h.sent(anna, "Весна", mailing.Sent, h.contacts(anna)[0])
		c.get("/logs?col=host").shows(".rows tbody", "mx.example.com:25")
		h.signIn(h.account("admin@example.org", mailing.RoleAdmin)).get("/admin/users?col=seen").shows(".rows thead", "Имя")
	})
}

func TestManyMailings(t *testing.T) {
	h := newHarness(t)
	anna := h.account("anna@example.org", mailing.RoleUser)
	c := h.signIn(anna)
	add := func(subject string, status mailing.Status) mailing.Mailing {
		message := storetest.Message(t, h.store, mailing.Message{OwnerID: anna.ID, Subject: subject})
		return storetest.Mailing(t, h.store, mailing.Mailing{OwnerID: anna.ID, MessageID: message.ID, Status: status, NextAt: time.Now().Add(time.Hour)})
	}
	one, over := add("Осень", mailing.StatusCreated), add("Прошлогодняя", mailing.StatusCompleted)
	ids := func(list ...mailing.Mailing) url.Values {
		form := url.Values{}
		for _, m := range list {
			form.Add("id", strconv.FormatInt(m.ID, 10))
		}
		return form
	}
	send := func(c *client, path, do string, form url.Values) *page {
		form.Set("do", do)
		return c.follow(c.post(path, form))
	}
	h.run("what was done is told, and what was not, and why", func(t *testing.T) {
		p := send(c, "/mailings/bulk?status=&q=", "pause", ids(one, over)).shows(".flash.tone-success", "Приостановлена 1 рассылка.")
		p.shows(".flash.tone-warning", "Не тронута 1 запись.").shows(".flash.tone-warning", "Завершена").shows(".flash.tone-warning", "«Прошлогодняя»")
		if h.stored(one.ID).Status != mailing.StatusPaused || h.stored(over.ID).Status != mailing.StatusCompleted {
			t.Error("the statuses are wrong")
		}
		send(c, "/mailings/bulk", "resume", ids(one)).shows(".flash.tone-success", "Продолжается 1 рассылка.")
	})
	h.run("nothing chosen is told, and a deed that there is not is refused", func(t *testing.T) {
		send(c, "/mailings/bulk", "pause", url.Values{}).shows(".flash.tone-warning", "сначала отметьте")
		c.post("/mailings/bulk", url.Values{"do": {"send"}, "id": ids(one)["id"]}).expect(http.StatusUnprocessableEntity)
	})
	h.run("all that was found are more than the page", func(t *testing.T) {
		for i := range 60 {
			add(fmt.Sprintf("Пачка %d", i), mailing.StatusCreated)
		}
		p := c.get("/mailings?q=Пачка").shows(".bulk-all", "60")
		later := storetest.Message(t, h.store, mailing.Message{OwnerID: anna.ID, Subject: "Пачка после всех"})
		storetest.Mailing(t, h.store, mailing.Mailing{OwnerID: anna.ID, MessageID: later.ID, CreatedAt: time.Now().Add(time.Minute)})
		p = c.submit(p, "form.bulk", url.Values{"all": {attribute(p.one("form.bulk [name=all]"), "value")}, "do": {"disable"}})
		c.follow(p).shows(".flash.tone-success", "Отключено 60 рассылок.").shows(".list-found", "61")
		if h.stored(one.ID).Status == mailing.StatusDisabled {
			t.Error("one that was not found is disabled, too")
		}
	})
	h.run("what is another's stays, and is told to nobody", func(t *testing.T) {
		boris := h.signIn(h.account("boris@example.org", mailing.RoleUser))
		p := send(boris, "/mailings/bulk", "delete", ids(one)).shows(".flash.tone-warning", "Не тронута 1 запись.")
		if strings.Contains(p.text(".flash"), "Осень") {
			t.Error("it is named")
		}
		boris.post("/mailings/bulk?scope=all", url.Values{"do": {"delete"}, "all": {"1"}}).expect(http.StatusForbidden)
		boris.post("/admin/mailings/bulk", url.Values{"do": {"delete"}, "all": {"1"}}).expect(http.StatusNotFound)
		h.stored(one.ID)
	})
	h.run("a manager disables others' and says why, and can do no more", func(t *testing.T) {
		manager := h.signIn(h.account("manager@example.org", mailing.RoleManager))
		p := manager.get("/admin/mailings?q=" + url.QueryEscape("Осень")).lacks("form.bulk [value=delete], form.bulk [value=pause]")
		p.one("form.bulk [name=why]")
		send(manager, "/admin/mailings/bulk", "disable", ids(one)).shows(".flash.tone-danger", "Напишите, почему")
		send(manager, "/admin/mailings/bulk", "delete", ids(one)).shows(".flash.tone-warning", "нет прав")
		form := ids(one)
		form.Set("why", "жалобы")
		send(manager, "/admin/mailings/bulk", "disable", form).shows(".flash.tone-success", "Отключена 1 рассылка.")
		if m := h.stored(one.ID); m.Status != mailing.StatusDisabled || m.StopWhy != "жалобы" {
			t.Errorf("it is %s, %q", m.Status, m.StopWhy)
		}
	})
	h.run("the chosen are deleted, each with a deed of its own", func(t *testing.T) {
		before := h.deedCount()
		send(c.lang("en"), "/mailings/bulk", "delete", ids(one, over)).shows(".flash.tone-success", "2 mailings deleted.")
		c.lang("ru")
		if n := h.deedCount() - before; n != 2+2 { // and twice the language
			t.Errorf("there are %d more deeds", n)
		}
	})
}

// deedCount is how many deeds there are.
func (h *harness) deedCount() (n int) {
	h.t.Helper()
	if err := h.store.Writer().QueryRow("select count(*) from deeds").Scan(&n); err != nil {
		h.t.Fatal(err)
	}
	return n
}

func TestAllFoundClientsAreDeleted(t *testing.T) {
	h := newHarness(t)
	anna, boris := h.account("anna@example.org", mailing.RoleUser), h.account("boris@example.org", mailing.RoleUser)
	storetest.Contacts(t, h.store, anna.ID, 1200)
	theirs := storetest.Contact(t, h.store, boris.ID, "client000001@example.com")
	kept := storetest.Contact(t, h.store, anna.ID, "kept@example.com")
	c := h.signIn(anna)
	p := c.get("/clients?q=client0").shows(".bulk-all", "1 200")
	c.follow(c.submit(p, "form.bulk", url.Values{"all": {attribute(p.one("form.bulk [name=all]"), "value")}, "do": {"delete"}})).shows(".flash", "Удалено 1 200 клиентов.")
	if left := h.contacts(anna); len(left) != 1 || left[0].ID != kept.ID {
		t.Errorf("%d are left", len(left))
	}
	if left := h.contacts(boris); len(left) != 1 || left[0].ID != theirs.ID {
		t.Errorf("of another's %d are left", len(left))
	}
}

func TestMessageGallery(t *testing.T) {
	h := newHarness(t)
	anna, boris := h.account("anna@example.org", mailing.RoleUser), h.account("boris@example.org", mailing.RoleUser)
	c := h.signIn(anna)
	used := storetest.Message(t, h.store, mailing.Message{OwnerID: anna.ID, Subject: "Весна", Format: mailing.FormatMarkdown, Body: "# Пришла\n\n{{ first_name }}, ура <script>alert(1)</script>"})
	free := storetest.Message(t, h.store, mailing.Message{OwnerID: anna.ID, Subject: "Черновик", Body: "просто <b>текст</b>"})
	storetest.Mailing(t, h.store, mailing.Mailing{OwnerID: anna.ID, MessageID: used.ID})
	h.run("messages are shown as they look, with how many mailings send them", func(t *testing.T) {
		p := c.get("/messages").expect(http.StatusOK).shows(".thumb:has-text(Весна)", "в 1 рассылке").shows(".thumb:has-text(Черновик)", "ни в одной")
		p.one("iframe[sandbox][src=" + pathOf("/messages/", used.ID) + "/thumbnail]")
		list := c.get(p.attr(".views a:has-text(Список), .views a[aria-label=Список]", "href")).shows(".rows tbody", "в 1 рассылке")
		c.get(list.attr(".views a[aria-label=Галерея]", "href")).one(".thumbs")
	})
	h.run("the small picture is the mail itself, and nothing in it runs", func(t *testing.T) {
		p := c.get(pathOf("/messages/", used.ID)+"/thumbnail").expect(http.StatusOK).shows("h1", "Пришла").shows("body", "Анна")
		if policy := p.header.Get("Content-Security-Policy"); !strings.Contains(policy, "sandbox;") || !strings.Contains(policy, "default-src 'none'") {
			t.Errorf("the policy is %q", policy)
		}
		c.get(pathOf("/messages/", free.ID)+"/thumbnail").shows("body", "просто <b>текст</b>").lacks("b")
		h.signIn(boris).get(pathOf("/messages/", used.ID) + "/thumbnail").expect(http.StatusNotFound)
	})
	h.run("those in use stay when many are deleted", func(t *testing.T) {
		form := url.Values{"id": {strconv.FormatInt(used.ID, 10), strconv.FormatInt(free.ID, 10)}, "do": {"delete"}}
		p := c.follow(c.post("/messages/delete?view=list", form)).shows(".flash.tone-success", "Удалено 1 письмо.")
		p.shows(".flash.tone-warning", "используется в рассылке").shows(".flash.tone-warning", "«Весна»").one(".rows")
	})
}

func TestStarters(t *testing.T) {
	h := newHarness(t)
	c := h.signIn(h.account("anna@example.org", mailing.RoleUser))
	for _, lang := range []string{"ru", "en"} {
		c.lang(lang)
		h.run("each can be seen, taken, and saved as it is, in "+lang, func(t *testing.T) {
			p := c.get("/messages/starters").expect(http.StatusOK)
			if n := len(p.find(".thumb iframe")); n != 5 {
				t.Fatalf("there are %d", n)
			}
			for _, frame := range p.find(".thumb iframe") {
				mail := c.get(attribute(frame, "src")).expect(http.StatusOK)
				if text := mail.text("body"); strings.ContainsAny(text, "$|{}") || len(text) < 200 {
					t.Errorf("%s shows %q", attribute(frame, "src"), text)
				}
				mail.lacks("script, img")
			}
			for _, link := range p.find(".thumb-title a[href^=/messages/new?from=]") {
				path := attribute(link, "href")
				editor := c.get(path).expect(http.StatusOK).lacks(".starter-line")
				c.follow(c.submit(editor, "form[id=editor]", nil)).expect(http.StatusOK).lacks(".flash.tone-warning")
			}
		})
	}
	h.run("the empty editor offers them, and one that there is not is an empty editor", func(t *testing.T) {
		c.get("/messages/new").one(".starter-line a[href=/messages/starters]")
		c.get("/messages/new?from=bogus").one(".starter-line")
		c.get("/messages/starters/bogus/thumbnail").expect(http.StatusNotFound)
	})
}

func TestAllMailingsOfSomebodyWhoIsGone(t *testing.T) {
	h := newHarness(t)
	h.signIn(h.account("admin@example.org", mailing.RoleAdmin)).get("/admin/mailings?owner=77").expect(http.StatusOK).one(".nothing-title")
}
