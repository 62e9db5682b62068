package web_test

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"vestnik/internal/mailing"
	"vestnik/internal/store/storetest"
)

func TestSearch(t *testing.T) {
	h := newAccessHarness(t) // in which there are jobs, too
	anna, boris := h.account("anna@example.org", mailing.RoleUser), h.account("boris@example.org", mailing.RoleUser)
	c := h.signIn(anna)
	message := storetest.Message(t, h.store, mailing.Message{OwnerID: anna.ID, Subject: "Осенняя распродажа"})
	m := storetest.Mailing(t, h.store, mailing.Mailing{OwnerID: anna.ID, MessageID: message.ID})
	contact := storetest.Contact(t, h.store, anna.ID, "osen@example.com")
	storetest.Contact(t, h.store, boris.ID, "osennij@example.com")
	storetest.Message(t, h.store, mailing.Message{OwnerID: boris.ID, Subject: "Осень Бориса"})
	find := func(typed string) *page {
		return c.get("/search?" + url.Values{"q": {typed}}.Encode()).expect(http.StatusOK)
	}

	h.run("things are found by what they are called, and lead to their pages", func(t *testing.T) {
		p := find("осенн РАСПРОД")
		p.one("#list a[href=" + pathOf("/mailings/", m.ID) + "]")
		p.one("#list a[href=" + pathOf("/messages/", message.ID) + "]")
		for _, link := range p.find("#list a") {
			c.get(attribute(link, "href")).expect(http.StatusOK)
		}
		find("osen").one("#list a[href=" + pathOf("/clients/", contact.ID) + "]")
	})
	h.run("nothing of others is", func(t *testing.T) {
		if text := find("осень").text("#list") + find("osen").text("#list"); strings.Contains(text, "Бориса") || strings.Contains(text, "osennij") {
			t.Errorf("it finds %q", text)
		}
	})
	h.run("pages and what can be done are found by their names and by words for them", func(t *testing.T) {
		find("импорт").one("#list a[href=/clients/import]")
		find("excel").one("#list a[href=/clients/import]")
		find("пароль").one("#list a[href=/profile/security]")
		find("создать рассыл").one("#list a[href=/mailings/new]")
	})
	h.run("what fits best comes first, and is what Enter opens", func(t *testing.T) {
		vera := storetest.Contact(t, h.store, anna.ID, "nosova@example.net") // whom the list has by a name
		h.exec("update contacts set first_name = 'Вера', last_name = 'Носова', search = 'nosova@example.net вера носова' where id = " + strconv.FormatInt(vera.ID, 10))
		storetest.Mailing(t, h.store, mailing.Mailing{OwnerID: anna.ID, MessageID: storetest.Message(t, h.store, mailing.Message{OwnerID: anna.ID, Subject: "Ответ сервера"}).ID})
		first := func(typed string) string { return attribute(find(typed).find("#list .line a")[0], "href") }
		for typed, want := range map[string]string{
			"вера": pathOf("/clients/", vera.ID), "лог": "/logs", "история": "/profile/activity", "рассылка": "/mailings",
		} {
			if got := first(typed); got != want {
				t.Errorf("%q leads to %s, want %s", typed, got, want)
			}
		}
		find("вера").lacks("#list a[href=/logs]").shows("#list", "Ответ сервера")
	})
	h.run("the help is found by its titles and headings", func(t *testing.T) {
		find("отписка").one("#list a[href^=/docs/writing-messages#]")
		find("импорт").one("#list a[href=/docs/importing-clients]")
		c.lang("en")
		find("unsubscribe").one("#list a[href^=/docs/writing-messages#]")
		c.lang("ru")
	})
	h.run("without a word it is a list of where one can go, all of which may be opened", func(t *testing.T) {
		for _, link := range c.get("/search").find("#list a") {
			c.get(attribute(link, "href")).expect(http.StatusOK)
		}
		c.get("/search").lacks("#list a[href=/admin/users], #list a[href=/relays]")
		admin := h.signIn(h.account("admin@example.org", mailing.RoleAdmin))
		admin.get("/search").one("#list a[href=/admin/settings]")
		for _, link := range admin.get("/search").find("#list a") {
			admin.get(attribute(link, "href")).expect(http.StatusOK)
		}
	})
	h.run("what is not there is said not to be", func(t *testing.T) {
		find("нетникакихтаких").shows(".nothing-title", "Ничего не нашлось")
	})
	h.run("the palette gets the same as options of a list", func(t *testing.T) {
		p := c.get("/search?part=1&q=" + url.QueryEscape("распродажа")).expect(http.StatusOK).lacks("h1")
		p.one("[role=option][href=" + pathOf("/mailings/", m.ID) + "]")
		if p.attr("[data-palette-hits]", "data-says") != "Найдено: 2" {
			t.Errorf("it says %q", p.attr("[data-palette-hits]", "data-says"))
		}
		for _, group := range p.find("[role=group]") {
			p.one("#" + attribute(group, "aria-labelledby"))
		}
		c.lang("en").get("/search?part=1&q=import").shows("[role=option]", "Import from CSV")
		c.lang("ru")
	})
	h.run("every page leads there without a script", func(t *testing.T) {
		p := c.get("/clients")
		if p.attr("[data-palette-open]", "href") != "/search" {
			t.Error("the button leads elsewhere")
		}
		p.one("dialog#palette [role=combobox][aria-controls=palette-list]")
		p.one("#palette-list[role=listbox]")
	})
}

func TestSearchOfThoseWhoKeepOrder(t *testing.T) {
	h := newHarness(t)
	anna := h.account("anna@example.org", mailing.RoleUser)
	storetest.Contact(t, h.store, anna.ID, "vera@example.com")
	message := storetest.Message(t, h.store, mailing.Message{OwnerID: anna.ID, Subject: "Вера в лучшее"})
	storetest.Mailing(t, h.store, mailing.Mailing{OwnerID: anna.ID, MessageID: message.ID})
	manager := h.signIn(h.account("manager@example.org", mailing.RoleManager))
	h.run("a manager finds everybody's mailings and clients, and no messages", func(t *testing.T) {
		p := manager.get("/search?q="+url.QueryEscape("вера")).shows("#list", "Вера в лучшее").lacks("#list a[href^=/messages/]")
		p.one("#list a[href^=/mailings/]")
		manager.get("/search?q=vera").shows("#list", "vera@example.com")
	})
	h.run("addresses that a manager may not see are neither found nor shown", func(t *testing.T) {
		h.exec("insert into settings (name, value) values ('mask_clients', 'true')")
		if err := h.app.LookAtSettings(ctx); err != nil {
			t.Fatal(err)
		}
		manager.get("/search?q=vera").shows(".nothing-title", "Ничего не нашлось")
		if text := manager.get("/search?q=" + url.QueryEscape("Сидоров")).text("#list"); strings.Contains(text, "vera@") || !strings.Contains(text, "Сидоров") {
			t.Errorf("it shows %q", text)
		}
	})
}
